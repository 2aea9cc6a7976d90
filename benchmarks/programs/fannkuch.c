// fannkuch N: pancake flips over all permutations of N; prints 1000 * checksum + most flips.
#include "checksum.h"

static __attribute__((noinline)) int64_t fannkuch(int64_t n, int64_t* perm, int64_t* perm1, int64_t* count) {
  int64_t checksum = 0, maximum = 0, permutation = 0;
  for (int64_t i = 0; i < n; ++i) perm1[i] = i;
  int64_t r = n;
  for (;;) {
    while (r != 1) {
      count[r - 1] = r;
      r = r - 1;
    }
    int64_t first = perm1[0];
    if (first != 0) {
      for (int64_t i = 0; i < n; ++i) perm[i] = perm1[i];
      int64_t flips = 0;
      do {
        // Reverse perm[0..first].
        int64_t low = 0, high = first;
        while (low < high) {
          int64_t swapped = perm[low];
          perm[low] = perm[high];
          perm[high] = swapped;
          low = low + 1;
          high = high - 1;
        }
        flips = flips + 1;
        first = perm[0];
      } while (first != 0);
      if (flips > maximum) maximum = flips;
      checksum = (permutation & 1) == 0 ? checksum + flips : checksum - flips;
    }
    // The next permutation: rotate the first r + 1 elements until a counter is left.
    for (;;) {
      if (r == n) return checksum * 1000 + maximum;
      int64_t rotated = perm1[0];
      for (int64_t i = 0; i < r; ++i) perm1[i] = perm1[i + 1];
      perm1[r] = rotated;
      count[r] = count[r] - 1;
      if (count[r] > 0) break;
      r = r + 1;
    }
    permutation = permutation + 1;
  }
}

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  int64_t* perm = malloc((size_t)n * sizeof(int64_t));
  int64_t* perm1 = malloc((size_t)n * sizeof(int64_t));
  int64_t* count = malloc((size_t)n * sizeof(int64_t));
  printInteger(fannkuch(n, perm, perm1, count));
  return 0;
}
