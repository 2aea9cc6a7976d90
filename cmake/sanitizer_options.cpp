// Decides the sanitizers' run-time defaults; linked into every executable of a sanitized build. The
// environment (ASAN_OPTIONS, UBSAN_OPTIONS) still overrides them.
#include <dlfcn.h>

extern "C" const char* __asan_default_options();
extern "C" const char* __ubsan_default_options();
extern "C" void __asan_handle_no_return();
extern "C" [[gnu::weak]] bool gaur_forgetFramesHere();

// Fake stacks would hide references from the collector's stack scan, and LeakSanitizer cannot see what only
// the collected heap reaches.
extern "C" const char* __asan_default_options() { return "detect_stack_use_after_return=0:detect_leaks=0"; }

extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1"; }

#if defined(__SANITIZE_ADDRESS__)
// Stands before the sanitizer's own, for exceptions of clients too: on Mu stacks libgaur knows what to do.
extern "C" [[gnu::no_sanitize_address]] void __asan_handle_no_return() {
  if (gaur_forgetFramesHere && gaur_forgetFramesHere()) return;
  reinterpret_cast<void (*)()>(dlsym(RTLD_NEXT, "__asan_handle_no_return"))();
}
#endif
