// Backtraces in terms of the program: functions, versions, instructions. They are for reports, so they do
// with what there is: wherever the frames cannot be told any more, a backtrace ends, and nothing fails. Exact
// walking, of READY stacks only, is FrameWalker's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "vm/runtime/transitions.h"
#include "vm/support/ids.h"

namespace gaur::runtime {

class MicroVm;
class Thread;

struct BacktraceFrame {
  /// kNoId for a frame of native code (adjacent ones count once). The function itself where it has no
  /// version.
  Id version = kNoId;
  /// kNoId where it is not known, or in native code.
  Id instruction = kNoId;
};

/// The ends of a backtrace, as much as a report shows. Of fixed size, for places where no memory can be had.
class BacktraceEnds {
 public:
  static constexpr std::size_t kFirst = 24;
  static constexpr std::size_t kLast = 8;

  void clear() { count_ = 0; }
  void add(BacktraceFrame frame) {
    if (count_ < kFirst)
      first_[count_] = frame;
    else
      last_[count_ % kLast] = frame;
    ++count_;
  }
  std::size_t count() const { return count_; }
  /// Whether the frame is one of those that are kept.
  bool has(std::size_t i) const { return i < kFirst || i + kLast >= count_; }
  const BacktraceFrame& operator[](std::size_t i) const { return i < kFirst ? first_[i] : last_[i % kLast]; }

 private:
  std::array<BacktraceFrame, kFirst> first_;
  std::array<BacktraceFrame, kLast> last_;
  std::size_t count_ = 0;
};

/// Goes over frames from the innermost outwards. Adapters between calling conventions do not show, and no
/// native code beyond the program. Takes no lock of the VM and no memory.
class BacktraceWalk {
 public:
  /// From the registers that some frame finds when control comes back to it; a stack pointer of 0 is not
  /// known, and of the others the frame pointer may be all that is right. `thread` is the one it runs on, or
  /// null for a READY stack.
  BacktraceWalk(const MicroVm& vm, const Thread* thread, const UnwindRegisters& at);
  /// From where a signal interrupted the thread; `context` is its ucontext_t.
  BacktraceWalk(const MicroVm& vm, const Thread& thread, void* context);

  /// False at the end.
  bool next(BacktraceFrame& frame);

 private:
  bool crossHiddenFrame();
  bool enter(const abi::SavedFrame* saved);
  bool leaveNative();
  bool leave(std::int64_t cfaOffset);
  bool isOnStack(std::uintptr_t address, std::size_t bytes) const;
  bool leavePrologue();

  const MicroVm& vm_;
  const Thread* thread_;
  UnwindRegisters at_;
  std::size_t mostSteps_;
  std::size_t steps_ = 0;
  bool isInterrupted_ = false;
  bool hasShown_ = false;
  bool passedNative_ = false;
  bool isOver_ = false;
};

/// Frames from the innermost outwards. `pc` is a return address (or any address in native code),
/// `framePointer` the frame pointer of the function that it lies in.
std::vector<BacktraceFrame> collectBacktrace(const MicroVm& vm, std::uintptr_t pc,
                                             std::uintptr_t framePointer);

/// Of the caller of the function that calls it, where that one was called by compiled code.
std::vector<BacktraceFrame> collectBacktrace(const MicroVm& vm);

/// A line a frame, indented, long ones cut in the middle.
std::string formatBacktrace(MicroVm& vm, const std::vector<BacktraceFrame>& frames);
std::string formatBacktrace(MicroVm& vm, const BacktraceEnds& frames);

/// "@f.v1.entry.x", or "#65550 in @f.v1".
std::string describeSite(MicroVm& vm, Id version, Id instruction);

/// Prints the backtrace of the current thread to stderr, for reports of bugs of the VM.
void printBugContext();

}  // namespace gaur::runtime
