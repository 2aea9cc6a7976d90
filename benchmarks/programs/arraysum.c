// arraysum ROUNDS: sums 100,000 64-bit integers ROUNDS times; one element changes between rounds.
#include "checksum.h"

enum { kElements = 100000 };

static __attribute__((noinline)) int64_t arraysum(int64_t rounds, int64_t* a) {
  for (int64_t i = 0; i < kElements; ++i) a[i] = i * 7 + 3;
  uint64_t checksum = 0;
  for (int64_t round = 0; round < rounds; ++round) {
    a[round % kElements] = round;
    int64_t sum = 0;
    for (int64_t i = 0; i < kElements; ++i) sum = sum + a[i];
    checksum = checksum * 3 + (uint64_t)sum;
  }
  return (int64_t)checksum;
}

int main(int argc, char** argv) {
  int64_t* a = malloc(kElements * sizeof(int64_t));
  printInteger(arraysum(sizeArgument(argc, argv, 1), a));
  return 0;
}
