// Decides the sanitizers' run-time defaults; linked into every executable of a sanitized build. The
// environment (ASAN_OPTIONS, UBSAN_OPTIONS) still overrides them.

extern "C" const char* __asan_default_options();
extern "C" const char* __ubsan_default_options();

// Fake stacks would hide references from the collector's stack scan, and LeakSanitizer cannot see what only
// the collected heap reaches.
extern "C" const char* __asan_default_options() { return "detect_stack_use_after_return=0:detect_leaks=0"; }

extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1"; }
