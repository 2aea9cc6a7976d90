// A native thread that runs Mu code for one VM: the block that compiled code sees, the stack it is bound to,
// and the calls from the host that are active on it. Threads and stacks are separate: a thread holds a stack
// only while it runs on it, and the stack may come back on another thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "jit/code_map.h"
#include "jit/compiler.h"
#include "vm/abi/thread_block.h"
#include "vm/runtime/backtrace.h"
#include "vm/runtime/stack.h"
#include "vm/runtime/transitions.h"

namespace gaur::runtime {

class MicroVm;

/// How a call from the host ended.
struct CallOutcome {
  /// Threw: a Mu exception left the function. Failed: a guest failure without handler (division by zero,
  /// NULL, ...). NotStarted: what the call needs is not to be had (compiler, address space); nothing of it
  /// has run.
  enum class Kind : std::uint8_t { Returned, Threw, Failed, ThreadExited, NotStarted };
  Kind kind = Kind::Returned;
  /// Threw: the exception, which may be NULL. Nothing keeps it alive.
  void* exception = nullptr;
  /// Threw, Failed and NotStarted: what happened and where, in lines.
  std::string report;
};

/// A function with its arguments and the place for its results, which lie in memory as jit::HostCall tells.
struct HostInvocation {
  jit::HostCall adapter;
  abi::FunctionRecord* function;
  const void* arguments;
  void* results;
  std::uint64_t resultBytes;
  /// What @uvm.native.get_cookie gives in there.
  std::uint64_t cookie = 0;
};

class Thread {
 public:
  /// Attaches the native thread, which stands on its native stack or on that of another VM. Attachments nest:
  /// the last made is the current one.
  explicit Thread(MicroVm& vm);
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  /// Null where the native thread is not attached. Signal-safe. Native code on a Mu stack that has let other
  /// Mu code run must ask again: it may have come back on another thread.
  static Thread* current() {
    return gaur_currentThread ? static_cast<Thread*>(gaur_currentThread->thread) : nullptr;
  }

  /// Calls f(thread), with an attachment of this native thread to the VM: the present one, or one for the
  /// time of the call. Where the present one is to another VM, f runs on the native stack, so that no stack
  /// of a VM has frames of another one's thread on it. f must not leave by gaur_abandon.
  template <class F>
  static void attachedTo(MicroVm& vm, F f) {
    Thread* thread = current();
    if (thread && &thread->vm_ == &vm) return f(*thread);
    visit(
        vm, [](void* function) { (*static_cast<F*>(function))(*current()); }, &f);
  }

  MicroVm& vm() { return vm_; }
  /// The system's number of the native thread.
  int nativeId() const { return nativeId_; }
  abi::ThreadBlock& block() { return block_; }
  /// The object of the Mu stack that the thread stands on or works for, or null. To be asked by the thread
  /// itself, as are the next two.
  abi::StackObject* boundStack() const {
    abi::StackObject* object = arena_.objectAt(stackPointer());
    return object ? object : block_.stack;
  }
  Stack* stack() const {
    const abi::StackObject* object = boundStack();
    return object ? static_cast<Stack*>(object->stack) : nullptr;
  }
  bool isOnStack() const { return arena_.objectAt(stackPointer()) != nullptr; }
  /// Whether there is Mu code that the thread goes back to: it called native code, or trapped.
  bool runsMuCode() const { return innermost_ || isStarted_ || block_.nativeStackPointer; }
  /// Whether the native stack of the thread, now or at the outermost call, contains the address.
  bool isNativeStack(std::uintptr_t address) const { return address >= nativeLow_ && address < nativeHigh_; }
  /// What threadrefs refer to; null where there is no memory.
  abi::ThreadObject* threadObject();

  /// Calls a Mu function through its adapter: on a stack of its own, or, in native code that Mu code called,
  /// on the stack it stands on.
  static CallOutcome call(Thread& thread, const HostInvocation& invocation);

  /// Makes a native thread that resumes the READY stack, and returns what a threadref to it refers to; null
  /// where the system gives no thread. Runs on any stack. The thread ends when what runs on it does; a guest
  /// failure on it ends the process.
  static abi::ThreadObject* start(MicroVm& vm, abi::StackObject& stack, void* threadLocal,
                                  const abi::ResumeImage& image);

  /// A new stack, bound to nothing and standing nowhere; null where there is no memory. `bytes`: for compiled
  /// code, 0 for the usual of coroutines.
  abi::StackObject* makeStack(std::size_t bytes = 0);
  /// The stack, which no thread is bound to, is over.
  void buryStack(abi::StackObject& stack);

  /// Sees to it that the next call of an exposed function needs no new stack. Nothing where there is Mu code
  /// to go back to.
  void keepHostStack();
  /// Of a call that is over.
  void replaceHostStack();

  /// Calls f() on the native stack, for work that needs more room than the reserve of a Mu stack. f must not
  /// leave by gaur_abandon.
  template <class F>
  void onNativeStack(F f) {
    runOnNativeStack([](void* function) { (*static_cast<F*>(function))(); }, &f);
  }

  /// The innermost call from the host fails with this report. Where there is none, the report is printed and
  /// the process exits.
  [[noreturn]] void fail(std::string report);
  /// An exception that no frame of the stack takes: the call from the host ends with it, or the process.
  [[noreturn]] void uncaught(void* exception);
  /// The Mu thread ends, and with it the stack it stands on: the outermost call from the host on this native
  /// thread is over, or the thread itself.
  [[noreturn]] void exit();

  /// The client's own; it hears of the thread's end (ClientRoots).
  void* clientData = nullptr;
  jit::UnwindCache unwindCache;
  /// Where the last exception that no frame took was thrown.
  std::vector<BacktraceFrame> throwTrace;
  /// The last NULL exception that was thrown stands for a stack overflow.
  bool overflow = false;
  /// The exception thrown next will.
  bool overflowPending = false;

 private:
  friend class ThreadList;
  struct HostFrame;
  struct StartPackage;
  CallOutcome callOnNewStack(const HostInvocation& invocation);
  static CallOutcome callOnThisStack(Stack& stack, const HostInvocation& invocation);
  static void runInvocation(void* invocation);
  [[noreturn]] void finishCall(const void* results, bool returned, void* exception);
  static void visit(MicroVm& vm, StackFunction function, void* argument);
  static void* main(void* package);
  void run(abi::StackObject& stack, const abi::ResumeImage& image);
  void runOnNativeStack(StackFunction function, void* argument);
  /// Back to whoever entered the stack, to whom the block tells which stack it was.
  [[noreturn]] void leaveForNativeStack();

  abi::ThreadBlock block_ = {};
  MicroVm& vm_;
  int nativeId_;
  abi::ThreadBlock* outer_;
  HostFrame* innermost_ = nullptr;
  /// By Thread::start.
  bool isStarted_ = false;
  const StackArena& arena_;
  StackCache freeStacks_;
  std::uintptr_t nativeLow_ = 0;
  std::uintptr_t nativeHigh_ = 0;
  Thread* next_ = nullptr;
  Thread* previous_ = nullptr;
};

/// The threads that are attached to a VM.
class ThreadList {
 public:
  void add(Thread& thread);
  void remove(Thread& thread);
  /// Counts the threads that the program has started and that have not ended.
  void countStarted();
  void countEnded();
  /// Returns when there are none left.
  void waitForStarted();
  bool hasStarted();

  /// Held over a fork of the process.
  std::mutex& forkLock() { return mutex_; }
  /// In the child of a fork: the native thread that the parent knows as `forker` is the only one left.
  /// Requires: forkLock held.
  void keepOnly(int forker);

  /// Calls f(thread) for each, which none can leave meanwhile.
  template <class F>
  void forEach(F&& f) {
    std::lock_guard lock(mutex_);
    for (Thread* thread = first_; thread; thread = thread->next_) f(*thread);
  }
  /// The same, then calls last(), and only then lets threads come and go.
  template <class F, class Last>
  void forEach(F&& f, Last&& last) {
    std::lock_guard lock(mutex_);
    for (Thread* thread = first_; thread; thread = thread->next_) f(*thread);
    last();
  }

 private:
  /// Requires: mutex_ held.
  void unlink(Thread& thread);

  std::mutex mutex_;
  std::condition_variable ended_;
  Thread* first_ = nullptr;
  std::size_t started_ = 0;
};

}  // namespace gaur::runtime
