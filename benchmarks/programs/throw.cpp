// throw DEPTH N THRESHOLD: N calls of a function that recurses DEPTH deep and throws there when i >=
// THRESHOLD; the caller catches. Every frame has work left after its call. Prints a checksum and ns per call.
extern "C" {
#include "checksum.h"
}

struct Failure {
  int64_t value;
};

static __attribute__((noinline)) int64_t descend(int64_t depth, int64_t i, int64_t threshold) {
  if (depth == 0) {
    if (i >= threshold) throw Failure{i};
    return i;
  }
  return (descend(depth - 1, i, threshold) >> 1) + depth;
}

static __attribute__((noinline)) int64_t repeat(int64_t depth, int64_t n, int64_t threshold) {
  int64_t checksum = 0;
  for (int64_t i = 0; i < n; ++i) {
    try {
      checksum = checksum + descend(depth, i, threshold);
    } catch (const Failure& failure) {
      checksum = checksum + failure.value;
    }
  }
  return checksum;
}

int main(int argc, char** argv) {
  int64_t depth = sizeArgument(argc, argv, 1);
  int64_t n = sizeArgument(argc, argv, 2);
  int64_t threshold = sizeArgument(argc, argv, 3);
  repeat(depth, 100, threshold);  // the first throw initialises the unwinder
  int64_t start = processNanoseconds();
  int64_t checksum = repeat(depth, n, threshold);
  int64_t end = processNanoseconds();
  printInteger(checksum);
  printDouble((double)(end - start) / (double)n);
  return 0;
}
