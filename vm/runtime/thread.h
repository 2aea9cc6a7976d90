// A native thread that runs Mu code for one VM: the block that compiled code sees, the stack it is bound to, and the calls from the host that are
// active on it. Threads and stacks are separate: a thread holds a stack only while it runs on it.
#pragma once

#include <cstdint>
#include <string>

#include "jit/code_map.h"
#include "jit/compiler.h"
#include "vm/abi/thread_block.h"
#include "vm/runtime/stack.h"
#include "vm/runtime/transitions.h"

namespace gaur::runtime {

class MicroVm;

/// How a call from the host ended.
struct CallOutcome {
  /// Threw: a Mu exception left the function. Failed: a guest failure without handler (division by zero, NULL, ...).
  /// NotStarted: what the call needs is not to be had (compiler, address space); nothing of it has run.
  enum class Kind : std::uint8_t { Returned, Threw, Failed, ThreadExited, NotStarted };
  Kind kind = Kind::Returned;
  /// Threw: the exception, which may be NULL. Nothing keeps it alive.
  void* exception = nullptr;
  /// Threw, Failed and NotStarted: what happened and where, in lines.
  std::string report;
};

class Thread {
 public:
  /// Attaches the native thread, which stands on its native stack or on that of another VM. Attachments nest: the last made is the current
  /// one.
  explicit Thread(MicroVm& vm);
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  /// Null where the native thread is not attached. Signal-safe.
  static Thread* current() { return gaur_currentThread ? static_cast<Thread*>(gaur_currentThread->thread) : nullptr; }

  MicroVm& vm() { return vm_; }
  abi::ThreadBlock& block() { return block_; }
  /// The Mu stack that the thread is bound to, or null.
  Stack* stack() { return static_cast<Stack*>(block_.stack); }
  bool isOnStack() { return stack() && stack()->contains(stackPointer()); }
  /// Whether the native stack of the thread, now or at the outermost call, contains the address.
  bool isNativeStack(std::uintptr_t address) const { return address >= nativeLow_ && address < nativeHigh_; }

  /// Calls a Mu function through its adapter: on a stack of its own, or, in native code that Mu code called, on the stack it stands on.
  CallOutcome call(jit::HostCall adapter, abi::FunctionRecord* function, const void* arguments, void* results);

  /// Runs f() on the native stack, for work that needs more room than the reserve of a Mu stack. f must not leave by gaur_abandon.
  template <class F>
  void onNativeStack(F f) {
    runOnNativeStack([](void* function) { (*static_cast<F*>(function))(); }, &f);
  }

  /// The innermost call from the host fails with this report. Where there is none, the report is printed and the process exits.
  [[noreturn]] void fail(std::string report);
  /// The outermost call from the host on the current stack ends.
  [[noreturn]] void exit();

  jit::UnwindCache unwindCache;
  /// Where the last exception was thrown, for the report of one that nobody catches.
  std::uintptr_t throwSite = 0;
  /// The last NULL exception that was thrown stands for a stack overflow.
  bool overflow = false;
  /// The exception thrown next will.
  bool overflowPending = false;

 private:
  struct HostFrame;
  void runOnNativeStack(StackFunction function, void* argument);
  CallOutcome outcomeOf(HostFrame& frame, bool left, bool returned, void* exception);

  abi::ThreadBlock block_ = {};
  MicroVm& vm_;
  abi::ThreadBlock* outer_;
  HostFrame* innermost_ = nullptr;
  std::uintptr_t nativeLow_ = 0;
  std::uintptr_t nativeHigh_ = 0;
};

}  // namespace gaur::runtime
