// quick N: quicksort (Hoare partition, recursion on the smaller half) of N pseudo-random 64-bit integers.
#include "checksum.h"

static void quick(int64_t* a, int64_t low, int64_t high) {
  while (low < high) {
    int64_t pivot = a[low + ((high - low) >> 1)];
    int64_t i = low, j = high;
    while (i <= j) {
      while (a[i] < pivot) i = i + 1;
      while (a[j] > pivot) j = j - 1;
      if (i <= j) {
        int64_t swapped = a[i];
        a[i] = a[j];
        a[j] = swapped;
        i = i + 1;
        j = j - 1;
      }
    }
    if (j - low < high - i) {
      quick(a, low, j);
      low = i;
    } else {
      quick(a, i, high);
      high = j;
    }
  }
}

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  int64_t* a = malloc((size_t)n * sizeof(int64_t));
  uint64_t random = 42;
  for (int64_t i = 0; i < n; ++i) {
    random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    a[i] = (int64_t)(random >> 11);
  }
  quick(a, 0, n - 1);
  uint64_t checksum = 0;
  for (int64_t i = 0; i < n; ++i) checksum = checksum * 31 + (uint64_t)a[i];
  printInteger((int64_t)checksum);
  return 0;
}
