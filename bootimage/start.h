// How a process begins with what an image holds: its primordial function, or its primordial stack, with its
// thread-local.
#pragma once

#include <span>
#include <string>

#include "bootimage/image_loader.h"
#include "vm/runtime/attachment.h"
#include "vm/runtime/thread.h"

namespace gaur::bootimage {

/// Whether a process has values of these types when it begins: none, or (int<32>, uptr<...>) for argc and
/// argv.
bool isMainParameters(std::span<const ir::Type* const> types);
/// Whether a function can begin a process with the arguments of the program, or none: (int<32>, uptr<...>) or
/// (), and at most an int as its result, which is the exit status.
bool isMainSignature(const ir::Signature* signature);

/// As long as it lives, the native thread is attached and its Mu code has this thread-local.
class PrimordialThread {
 public:
  PrimordialThread(runtime::MicroVm& vm, void* threadLocal);
  ~PrimordialThread();
  PrimordialThread(const PrimordialThread&) = delete;
  PrimordialThread& operator=(const PrimordialThread&) = delete;

 private:
  runtime::AttachedScope thread_;
  void* outer_;
};

/// Calls a function with main's signature on this thread. The status is `status` where it returned.
runtime::CallOutcome callPrimordial(runtime::MicroVm& vm, const ir::Function& function, void* threadLocal,
                                    int argc, char** argv, int& status);
/// Resumes the stack on a thread of its own and waits for all threads that it starts. A guest failure ends
/// the process. An error where the stack is not READY, as after it has run, or the system gives no thread.
Result<void> runPrimordial(runtime::MicroVm& vm, abi::StackObject& stack, void* threadLocal, int argc,
                           char** argv);

}  // namespace gaur::bootimage
