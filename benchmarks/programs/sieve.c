// sieve ROUNDS: primes below 8 Mi by Eratosthenes over a heap array of bytes, ROUNDS times.
#include "checksum.h"

enum { kFlags = 8 * 1024 * 1024 };

static __attribute__((noinline)) int64_t sieve(int64_t rounds, int8_t* flags) {
  int64_t total = 0;
  for (int64_t round = 0; round < rounds; ++round) {
    for (int64_t i = 0; i < kFlags; ++i) flags[i] = 1;
    for (int64_t i = 2; i * i < kFlags; ++i) {
      if (flags[i] != 0) {
        for (int64_t j = i * i; j < kFlags; j += i) flags[j] = 0;
      }
    }
    for (int64_t i = 2; i < kFlags; ++i) total = total + (int64_t)flags[i];
  }
  return total;
}

int main(int argc, char** argv) {
  printInteger(sieve(sizeArgument(argc, argv, 1), malloc(kFlags)));
  return 0;
}
