// callin N: a shared library calls a function of this program N times through a pointer; prints the sum and
// ns per call.
#include "checksum.h"

int64_t gaur_bench_drive(int64_t calls, int64_t (*callback)(int64_t));

static int64_t increment(int64_t x) { return x + 1; }

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  gaur_bench_drive(100, increment);
  int64_t start = processNanoseconds();
  int64_t x = gaur_bench_drive(n, increment);
  int64_t end = processNanoseconds();
  printInteger(x);
  printDouble((double)(end - start) / (double)n);
  return 0;
}
