#include "vm/runtime/thread.h"

#include <alloca.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "vm/runtime/allocation.h"
#include "vm/runtime/guest_failure.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/signals.h"
#include "vm/support/check.h"
#include "vm/support/platform.h"

namespace gaur::runtime {

#if defined(__x86_64__)
/// Whether gaur_exposedEntry uses ThreadBlock::hostStack.
constexpr bool kUsesHostStack = true;
#else
constexpr bool kUsesHostStack = false;
#endif

/// A call from the host that is active on a stack of its own. Lies on the native stack;
/// ThreadBlock::nativeStackPointer is where it is left to.
struct Thread::HostFrame {
  HostFrame* outer;
  abi::StackObject* stack;
  void* results;
  std::uint64_t resultBytes;
  /// Set by whoever leaves to nativeStackPointer.
  CallOutcome::Kind ending = CallOutcome::Kind::Failed;
  void* exception = nullptr;
  std::string report = {};
};

Thread::Thread(MicroVm& vm)
    : vm_(vm),
      nativeId_(gettid()),
      outer_(gaur_currentThread),
      arena_(vm.stacks()),
      freeStacks_(vm.stacks()) {
  const platform::NativeStack stack = platform::nativeStack();
  nativeLow_ = stack.lowest;
  nativeHigh_ = stack.end;
  block_.thread = this;
  block_.stacks = arena_.table().memories;
  block_.vm = &vm;
  vm_.heap().attachThread(block_);
  useSignalStack();
  abi::setCurrentThread(&block_);
  vm_.threads().add(*this);
}

Thread::~Thread() {
  GAUR_CHECK(gaur_currentThread == &block_ && !innermost_, "a thread is detached while it runs Mu code");
  if (block_.hostStack) buryStack(*block_.hostStack);
  if (const ClientRoots* client = vm_.roots().client(); client && clientData) client->threadEnds(clientData);
  vm_.threads().remove(*this);
  if (block_.threadObject) block_.threadObject->thread = nullptr;
  vm_.heap().detachThread(block_);
  abi::setCurrentThread(outer_);
}

void Thread::visit(MicroVm& vm, StackFunction function, void* argument) {
  auto attach = [&] {
    Thread thread(vm);
    function(argument);
  };
  if (Thread* outer = current()) {
    outer->onNativeStack(attach);
  } else {
    attach();
  }
}

abi::ThreadObject* Thread::threadObject() {
  if (!block_.threadObject) {
    auto* object = allocateRuntimeObject<abi::ThreadObject>(*this, abi::kThreadObjectType);
    if (!object) return nullptr;
    object->thread = this;
    block_.threadObject = object;
  }
  return block_.threadObject;
}

// --- Stacks -----------------------------------------------------------------------------------------------

abi::StackObject* Thread::makeStack(std::size_t bytes) {
  if (vm_.stacks().wantsCollection()) onNativeStack([&] { vm_.heap().collect(); });
  auto* object = allocateRuntimeObject<abi::StackObject>(*this, abi::kStackObjectType);
  if (!object) return nullptr;
  Stack* stack = bytes == 0 ? freeStacks_.take() : vm_.stacks().take(bytes);
  if (!stack) {
    // Address space is exhausted unless some are unreachable.
    onNativeStack([&] { vm_.heap().collect(); });
    stack = vm_.stacks().take(bytes == 0 ? StackArena::kSmallBytes : bytes);
    if (!stack) return nullptr;
  }
  stack->begin(*object);
  return object;
}

void Thread::buryStack(abi::StackObject& object) {
  auto* stack = static_cast<Stack*>(object.stack);
  stack->end();
  freeStacks_.giveBack(stack);
}

void Thread::keepHostStack() {
  if (!kUsesHostStack || block_.hostStack || runsMuCode()) return;
  // Without memory, the next call says so.
  block_.hostStack = makeStack(vm_.options().stackSize);
}

void Thread::replaceHostStack() {
  buryStack(*std::exchange(block_.hostStack, nullptr));
  keepHostStack();
}

// --- Calls from the host ----------------------------------------------------------------------------------

CallOutcome Thread::call(Thread& thread, const HostInvocation& invocation) {
  return thread.isOnStack() ? callOnThisStack(*thread.stack(), invocation)
                            : thread.callOnNewStack(invocation);
}

/// Runs on the new stack. It may come back on another thread than the one that made the call: then that
/// thread ends, and the call goes on without.
void Thread::runInvocation(void* argument) {
  HostInvocation invocation = *static_cast<const HostInvocation*>(argument);
  void* results = alloca(invocation.resultBytes + 16);
  results = reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(results) + 15) & ~std::uintptr_t{15});
  void* exception = nullptr;
  bool returned = invocation.adapter(invocation.function, invocation.arguments, results, &exception);
  current()->finishCall(results, returned, exception);
}

void Thread::finishCall(const void* results, bool returned, void* exception) {
  HostFrame* frame = innermost_;
  if (!frame || frame->stack != boundStack()) {
    if (!returned) uncaught(exception);
    exit();
  }
  frame->ending = returned ? CallOutcome::Kind::Returned : CallOutcome::Kind::Threw;
  frame->exception = exception;
  // Who calls a function without results need not have a place for them.
  if (returned && frame->resultBytes != 0) std::memcpy(frame->results, results, frame->resultBytes);
  leaveForNativeStack();
}

CallOutcome Thread::callOnNewStack(const HostInvocation& invocation) {
  abi::StackObject* stack = makeStack(vm_.options().stackSize);
  if (!stack) return {CallOutcome::Kind::NotStarted, nullptr, "gaur: no address space for another stack\n"};
  stack->cookie = invocation.cookie;
  HostFrame frame{innermost_, stack, invocation.results, invocation.resultBytes};
  innermost_ = &frame;
  abi::StackObject* outerStack = std::exchange(block_.stack, nullptr);
  void* nativePointer = block_.nativeStackPointer;
  const std::uintptr_t limit = stackLimit();
  setStackLimit(stack->limit);
  gaur_enterStack(reinterpret_cast<void*>(stack->top - sizeof(abi::SavedFrame)), &block_.nativeStackPointer,
                  runInvocation, const_cast<HostInvocation*>(&invocation));
  setStackLimit(limit);
  // Not necessarily the one it began on.
  if (block_.stack) buryStack(*block_.stack);
  block_.nativeStackPointer = nativePointer;
  block_.stack = outerStack;
  innermost_ = frame.outer;
  switch (frame.ending) {
    case CallOutcome::Kind::Threw:
      return {frame.ending, frame.exception, uncaughtReport(*this, frame.exception)};
    default: return {frame.ending, nullptr, std::move(frame.report)};
  }
}

CallOutcome Thread::callOnThisStack(Stack& stack, const HostInvocation& invocation) {
  struct Run {
    const HostInvocation& invocation;
    void* exception = nullptr;
    bool returned = false;
  } run{invocation};
  auto invoke = [](void* argument) {
    auto& here = *static_cast<Run*>(argument);
    const HostInvocation& what = here.invocation;
    here.returned = what.adapter(what.function, what.arguments, what.results, &here.exception);
  };
  abi::StackObject& object = *stack.object;
  StackGuard guard{stack.guards, std::exchange(object.cookie, invocation.cookie)};
  stack.guards = &guard;
  bool failed = gaur_callGuarded(&guard.savedPointer, invoke, &run) != 0;
  // On whatever thread the stack is now. It may have been left when the call failed.
  object.leftPointer = nullptr;
  setStackLimit(object.limit);
  object.cookie = guard.cookie;
  stack.guards = guard.outer;
  if (failed) return {CallOutcome::Kind::Failed, nullptr, std::move(guard.report)};
  if (run.returned) return {};
  return {CallOutcome::Kind::Threw, run.exception, uncaughtReport(*current(), run.exception)};
}

void Thread::runOnNativeStack(StackFunction function, void* argument) {
  if (!isOnStack()) return function(argument);
  // To calls from the host in there the stack is bound further out.
  abi::StackObject* stack = boundStack();
  const std::uintptr_t limit = stackLimit();
  block_.stack = stack;
  setStackLimit(0);
  gaur_enterStack(block_.nativeStackPointer, &stack->leftPointer, function, argument);
  stack->leftPointer = nullptr;
  setStackLimit(limit);
  block_.stack = nullptr;
}

// --- Ends -------------------------------------------------------------------------------------------------

void Thread::fail(std::string report) {
  Stack* stack = this->stack();
  if (stack) stack->forgetFrames();
  if (stack && stack->guards) {
    stack->guards->report = std::exchange(report, std::string());
    // It may have happened on the native stack, in a trap or a fault.
    block_.stack = nullptr;
    gaur_abandon(stack->guards->savedPointer);
  }
  if (!innermost_) {
    // The first failure of the process is the one that is told; others wait for its end.
    static std::mutex first;
    first.lock();
    std::fflush(stdout);
    std::fputs(report.c_str(), stderr);
    std::_Exit(kGuestFailureExit);
  }
  innermost_->ending = CallOutcome::Kind::Failed;
  innermost_->report = std::exchange(report, std::string());
  leaveForNativeStack();
}

void Thread::uncaught(void* exception) {
  if (!innermost_) fail(uncaughtReport(*this, exception));
  innermost_->ending = CallOutcome::Kind::Threw;
  innermost_->exception = exception;
  leaveForNativeStack();
}

void Thread::exit() {
  // Gone into by gaur_exposedEntry: the native caller has no way to hear of it.
  if (!innermost_ && !isStarted_) fail("gaur: thread_exit in a function that native code called\n");
  // A Mu thread that the program started has no call from the host: it goes back to Thread::run.
  if (innermost_) innermost_->ending = CallOutcome::Kind::ThreadExited;
  leaveForNativeStack();
}

void Thread::leaveForNativeStack() {
  block_.stack = boundStack();
  gaur_abandon(block_.nativeStackPointer);
}

}  // namespace gaur::runtime
