// In AddressSanitizer's builds only: what happens before a call that does not return. The sanitizer knows the
// native stack alone; on a Mu stack it would print a warning and leave its marks of the frames that are given
// up.
#if defined(__SANITIZE_ADDRESS__)
#include <dlfcn.h>

#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"
#include "vm/runtime/transitions.h"

/// Stands before the sanitizer's own function in this library, whose calls bind directly; everywhere else
/// that one is found first.
extern "C" [[gnu::no_sanitize_address]] void __asan_handle_no_return() {
  using namespace gaur::runtime;
  Thread* thread = Thread::current();
  Stack* stack = thread ? thread->vm().stacks().find(stackPointer()) : nullptr;
  if (stack) return stack->forgetFrames();
  static auto* original = reinterpret_cast<void (*)()>(dlsym(RTLD_DEFAULT, "__asan_handle_no_return"));
  original();
}
#endif
