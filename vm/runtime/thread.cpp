#include "vm/runtime/thread.h"

#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "vm/runtime/guest_failure.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/signals.h"
#include "vm/support/check.h"

namespace gaur::runtime {

/// A call from the host that is active.
struct Thread::HostFrame {
  HostFrame* outer = nullptr;
  /// Whether the call took a stack. If so, ThreadBlock::nativeStackPointer is where it is left to.
  bool ownsStack = false;
  void* savedPointer = nullptr;
  enum class Leaving : std::uint8_t { No, Failure, ThreadExit, NotStarted } leaving = Leaving::No;
  std::string report = {};
};

Thread::Thread(MicroVm& vm) : vm_(vm), outer_(gaur_currentThread) {
  pthread_attr_t attributes;
  GAUR_CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0);
  void* lowest = nullptr;
  std::size_t size = 0;
  pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_destroy(&attributes);
  nativeLow_ = reinterpret_cast<std::uintptr_t>(lowest);
  nativeHigh_ = nativeLow_ + size;
  block_.thread = this;
  vm_.heap().attachThread(block_);
  useSignalStack();
  gaur_currentThread = &block_;
}

Thread::~Thread() {
  GAUR_CHECK(gaur_currentThread == &block_ && !innermost_, "a thread is detached while it runs Mu code");
  vm_.heap().detachThread(block_);
  gaur_currentThread = outer_;
}

CallOutcome Thread::call(jit::HostCall adapter, abi::FunctionRecord* function, const void* arguments, void* results) {
  struct Invocation {
    jit::HostCall adapter;
    abi::FunctionRecord* function;
    const void* arguments;
    void* results;
    void* exception = nullptr;
    bool returned = false;
  } invocation{adapter, function, arguments, results};
  auto invoke = [](void* argument) {
    auto& call = *static_cast<Invocation*>(argument);
    call.returned = call.adapter(call.function, call.arguments, call.results, &call.exception);
  };

  abi::ThreadBlock* block = std::exchange(gaur_currentThread, &block_);
  const std::uint64_t cookie = std::exchange(block_.cookie, 0);
  HostFrame frame{innermost_, !isOnStack()};
  innermost_ = &frame;
  bool left = false;
  if (!frame.ownsStack) {
    left = gaur_callGuarded(&frame.savedPointer, invoke, &invocation) != 0;
  } else if (Stack* stack = vm_.stacks().take(vm_.options().stackSize)) {
    void* outerStack = std::exchange(block_.stack, stack);
    void* nativePointer = block_.nativeStackPointer;
    const std::uintptr_t limit = stackLimit();
    setStackLimit(stack->limit());
    left = gaur_enterStack(reinterpret_cast<void*>(stack->top()), &block_.nativeStackPointer, invoke, &invocation) != 0;
    setStackLimit(limit);
    block_.nativeStackPointer = nativePointer;
    block_.stack = outerStack;
    vm_.stacks().giveBack(stack);
  } else {
    frame.leaving = HostFrame::Leaving::NotStarted;
    frame.report = "gaur: no address space for another stack\n";
    left = true;
  }
  innermost_ = frame.outer;
  block_.cookie = cookie;
  gaur_currentThread = block;
  return outcomeOf(frame, left, invocation.returned, invocation.exception);
}

CallOutcome Thread::outcomeOf(HostFrame& frame, bool left, bool returned, void* exception) {
  using Kind = CallOutcome::Kind;
  if (left && frame.leaving == HostFrame::Leaving::ThreadExit) return {Kind::ThreadExited, nullptr, {}};
  if (left) return {frame.leaving == HostFrame::Leaving::NotStarted ? Kind::NotStarted : Kind::Failed, nullptr, std::move(frame.report)};
  if (returned) return {};
  return {Kind::Threw, exception, uncaughtReport(*this, exception)};
}

void Thread::runOnNativeStack(StackFunction function, void* argument) {
  Stack* stack = isOnStack() ? this->stack() : nullptr;
  if (!stack) return function(argument);
  // For the collector and for calls from the host in there the stack is one that does not run.
  const std::uintptr_t limit = stackLimit();
  setStackLimit(0);
  gaur_enterStack(block_.nativeStackPointer, &stack->savedPointer, function, argument);
  stack->savedPointer = nullptr;
  setStackLimit(limit);
}

void Thread::fail(std::string report) {
  HostFrame* frame = innermost_;
  if (!frame) {
    std::fflush(stdout);
    std::fputs(report.c_str(), stderr);
    std::exit(kGuestFailureExit);
  }
  frame->leaving = HostFrame::Leaving::Failure;
  frame->report = std::move(report);
  report = std::string();
  if (Stack* stack = this->stack()) stack->forgetFrames();
  gaur_abandon(frame->ownsStack ? block_.nativeStackPointer : frame->savedPointer);
}

void Thread::exit() {
  HostFrame* frame = innermost_;
  while (frame && !frame->ownsStack) frame = frame->outer;
  if (!frame) std::exit(0);
  frame->leaving = HostFrame::Leaving::ThreadExit;
  gaur_abandon(block_.nativeStackPointer);
}

}  // namespace gaur::runtime
