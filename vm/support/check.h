// Checks of the VM's own invariants. A failed check is a bug of the VM, never of its client: it prints one
// report (what, where, and whatever the runtime registered as context: thread, function, instruction) and
// aborts.
#pragma once

#include <string>

/// 0 none, 1 cheap assertions, 2 IR and code map verified after every stage, 3 heap verified at every
/// collection.
#ifndef GAUR_CHECK_LEVEL
#define GAUR_CHECK_LEVEL 1
#endif

namespace gaur {

/// Prints the bug report and aborts. Signal-safe as far as the reporter is.
[[noreturn]] void reportBug(const char* condition, const char* file, int line,
                            const std::string& message = {});

/// Called by reportBug to add context to the report (the runtime prints thread, function, instruction and
/// backtrace).
using BugContextPrinter = void (*)();
void setBugContextPrinter(BugContextPrinter printer);

}  // namespace gaur

#define GAUR_CHECK(condition, ...)             \
  (__builtin_expect(!!(condition), 1) ? void() \
                                      : ::gaur::reportBug(#condition, __FILE__, __LINE__, ##__VA_ARGS__))
#define GAUR_UNREACHABLE(...) ::gaur::reportBug("unreachable", __FILE__, __LINE__, ##__VA_ARGS__)
