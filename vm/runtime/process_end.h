// The end of a process in which a program has run, as C defines it: what the program has exit() do is done
// while its other threads still run, then the process is over.
#pragma once

namespace gaur::runtime {

class MicroVm;

/// From just before the program runs until the VM goes, or for good. exit() then ends the process after what
/// the program has registered, if threads of the VM are left by then: they use what the destructors after
/// that would take apart.
class ProcessEnd {
 public:
  /// One at a time. Requires: the compiler has been opened, so that its destructors come later.
  explicit ProcessEnd(MicroVm& vm);
  ~ProcessEnd();
  ProcessEnd(const ProcessEnd&) = delete;
  ProcessEnd& operator=(const ProcessEnd&) = delete;
};

/// Ends the process at once, as exit() does for streams: none that another thread holds is waited for.
/// Neither the VM nor anything else is taken apart, so threads may run on until the end.
[[noreturn]] void leaveProcess(int status);

}  // namespace gaur::runtime
