// callout N: N calls of a small C function in a shared library through a pointer; prints the sum and ns per
// call.
#include "checksum.h"

int64_t gaur_bench_increment(int64_t x);

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  int64_t (*volatile pointer)(int64_t) = gaur_bench_increment;
  int64_t (*increment)(int64_t) = pointer;
  for (int64_t i = 0; i < 100; ++i) increment(i);
  int64_t start = processNanoseconds();
  int64_t x = 0;
  for (int64_t i = 0; i < n; ++i) x = increment(x);
  int64_t end = processNanoseconds();
  printInteger(x);
  printDouble((double)(end - start) / (double)n);
  return 0;
}
