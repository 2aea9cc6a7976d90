// How a process begins with what an image holds: its primordial function, or its primordial stack, with its
// thread-local.
#pragma once

#include <span>
#include <utility>

#include "bootimage/image_loader.h"
#include "vm/runtime/thread.h"

namespace gaur::bootimage {

/// Whether a process has values of these types when it begins: none, or (int<32>, uptr<...>) for argc and
/// argv.
bool isMainParameters(std::span<const ir::Type* const> types);
/// Whether a function can begin a process with the arguments of the program, or none: (int<32>, uptr<...>) or
/// (), and at most an int as its result, which is the exit status.
bool isMainSignature(const ir::Signature* signature);

/// Calls f() on this native thread, attached, and with this thread-local for its Mu code as long as that
/// takes.
template <class F>
void withThreadLocal(runtime::MicroVm& vm, void* threadLocal, F f) {
  runtime::Thread::attachedTo(vm, [&](runtime::Thread& thread) {
    void* outer = std::exchange(thread.block().threadLocal, threadLocal);
    f();
    thread.block().threadLocal = outer;
  });
}

/// Calls a function with main's signature on this thread. The status is `status` where it returned.
runtime::CallOutcome callPrimordial(runtime::MicroVm& vm, const ir::Function& function, void* threadLocal,
                                    int argc, char** argv, int& status);
/// Resumes the stack on a thread of its own and waits for all threads that it starts. A guest failure ends
/// the process. An error where the stack is not READY, as after it has run, or the system gives no thread.
Result<void> runPrimordial(runtime::MicroVm& vm, abi::StackObject& stack, void* threadLocal, int argc,
                           char** argv);

}  // namespace gaur::bootimage
