// Work of the instructions about stacks and threads (vm/abi/runtime_entries.h) and of the assembly that
// switches stacks.
#include "vm/runtime/guest_failure.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/resumption.h"
#include "vm/runtime/thread.h"

using namespace gaur;
using namespace gaur::runtime;

namespace {

std::string whyNotReady(const abi::StackObject* stack) {
  if (!stack) return "NULL";
  return stack->stack ? "a stack that is bound to a thread" : "a dead stack";
}

}  // namespace

extern "C" {

abi::StackObject* gaur_newStack(abi::FunctionRecord* function) {
  if (!function) failHere("a new stack for a NULL function");
  return newStack(*Thread::current(), function);
}

void gaur_killStack(abi::StackObject* stack) {
  if (!stack || !isReady(*stack)) failHere("killing " + whyNotReady(stack));
  Thread::current()->buryStack(*stack);
}

abi::ThreadObject* gaur_newThread(abi::StackObject* stack, void* threadLocal, const abi::ResumeImage* image) {
  if (!stack || !isReady(*stack)) failHere("a new thread on " + whyNotReady(stack));
  return Thread::start(Thread::current()->vm(), *stack, threadLocal, *image);
}

void gaur_setMuTrapHandler(abi::FunctionRecord* function, void* userData) {
  Thread& thread = *Thread::current();
  thread.onNativeStack([&] { thread.vm().trapHandlers().setMu(function, userData); });
}

/// A swap to what cannot be swapped to.
[[noreturn]] void gaur_refuseSwap(abi::StackObject* target) {
  failHere("swapping to " + whyNotReady(target));
}

/// The stack that a thread has left for good.
void gaur_buryStack(abi::StackObject* stack) { Thread::current()->buryStack(*stack); }

/// The lowest function of a stack has returned, which ends the thread.
[[noreturn]] void gaur_stackReturned() { Thread::current()->exit(); }

}  // extern "C"
