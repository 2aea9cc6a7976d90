/* A C program that calls a function of a boot image, which it is linked with: see README.md. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* In primes.uir. */
int64_t nth_prime(int64_t n);

int main(int argc, char** argv) {
  int i;
  for (i = 1; i < argc; ++i) printf("%" PRId64 "\n", nth_prime(strtoll(argv[i], NULL, 10)));
  return 0;
}
