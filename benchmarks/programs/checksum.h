// What every C side shares: the size comes from the command line, the checksum goes to standard output.
// Results are printed one a line, as `gaur run` prints the results of an entry function.
#pragma once
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline int64_t sizeArgument(int argc, char** argv, int index) {
  if (argc <= index) {
    fprintf(stderr, "%s: argument %d is missing\n", argv[0], index);
    exit(2);
  }
  return strtoll(argv[index], NULL, 10);
}

static inline void printInteger(int64_t value) { printf("%" PRId64 "\n", value); }
static inline void printDouble(double value) { printf("%.17g\n", value); }

// CPU time of this process in nanoseconds: what the .uir sides read through the same libc call.
static inline int64_t processNanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t wallNanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int ascending(const void* a, const void* b) {
  const int64_t x = *(const int64_t*)a, y = *(const int64_t*)b;
  return (x > y) - (x < y);
}

// The number that so many per cent of them are not above. Sorts them.
static inline int64_t percentile(int64_t* numbers, int64_t count, int64_t percent) {
  qsort(numbers, (size_t)count, sizeof *numbers, ascending);
  return numbers[count * percent / 100];
}
