// nothrow DEPTH N THRESHOLD: the work of throw.uir in a language without exceptions; what never throwing
// should cost.
#include "checksum.h"

static __attribute__((noinline)) int64_t descend(int64_t depth, int64_t i, int64_t threshold) {
  if (depth == 0) {
    if (i >= threshold) abort();
    return i;
  }
  return (descend(depth - 1, i, threshold) >> 1) + depth;
}

static __attribute__((noinline)) int64_t repeat(int64_t depth, int64_t n, int64_t threshold) {
  int64_t checksum = 0;
  for (int64_t i = 0; i < n; ++i) checksum = checksum + descend(depth, i, threshold);
  return checksum;
}

int main(int argc, char** argv) {
  int64_t depth = sizeArgument(argc, argv, 1);
  int64_t n = sizeArgument(argc, argv, 2);
  int64_t threshold = sizeArgument(argc, argv, 3);
  repeat(depth, 100, threshold);
  int64_t start = processNanoseconds();
  int64_t checksum = repeat(depth, n, threshold);
  int64_t end = processNanoseconds();
  printInteger(checksum);
  printDouble((double)(end - start) / (double)n);
  return 0;
}
