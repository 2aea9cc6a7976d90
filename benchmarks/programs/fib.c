// fib N: naive recursion on 64-bit integers; the cost of calls and returns.
#include "checksum.h"

static int64_t fib(int64_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

int main(int argc, char** argv) {
  printInteger(fib(sizeArgument(argc, argv, 1)));
  return 0;
}
