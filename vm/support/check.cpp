// Printing of VM bug reports: plain writes to stderr, no allocation beyond the message that the caller made.
#include "vm/support/check.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace gaur {

namespace {
std::atomic<BugContextPrinter> bugContextPrinter{nullptr};
std::atomic<bool> reporting{false};
}  // namespace

void setBugContextPrinter(BugContextPrinter printer) { bugContextPrinter = printer; }

void reportBug(const char* condition, const char* file, int line, const std::string& message) {
  std::fprintf(stderr, "gaur: bug in the VM: %s\n  at %s:%d\n", condition, file, line);
  if (!message.empty()) std::fprintf(stderr, "  %s\n", message.c_str());
  // A second failure while the context is printed must not recurse.
  if (!reporting.exchange(true)) {
    if (BugContextPrinter printer = bugContextPrinter) printer();
  }
  std::abort();
}

}  // namespace gaur
