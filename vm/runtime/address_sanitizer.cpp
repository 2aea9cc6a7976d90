// In AddressSanitizer's builds only: what happens on a Mu stack before a call that does not return. The
// sanitizer knows the native stack alone; it would print a warning and leave its marks of the frames that are
// given up.
#if defined(__SANITIZE_ADDRESS__)
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"
#include "vm/runtime/transitions.h"

/// False on stacks that are none of Mu's. Called by executables (cmake/sanitizer_options.cpp): what they
/// define is found before the sanitizer's own.
extern "C" [[gnu::no_sanitize_address]] bool gaur_forgetFramesHere() {
  using namespace gaur::runtime;
  Thread* thread = Thread::current();
  Stack* stack = thread ? thread->vm().stacks().find(stackPointer()) : nullptr;
  if (stack) stack->forgetFrames();
  return stack != nullptr;
}
#endif
