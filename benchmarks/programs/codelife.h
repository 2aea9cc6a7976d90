// What both sides of codelife do: something N times, and telling what it cost and left behind.
#pragma once
#include "checksum.h"
#include "process_memory.h"

// Prints what the calls made of 1, ns each, and the growth from N/10 to N of resident bytes and of mappings.
// The first time, in which the compiler begins, is not measured.
static inline void measureMany(int64_t n, void (*once)(int64_t* cell)) {
  int64_t cell = 1, resident = 0, mappings = 0;
  once(&cell);
  const int64_t start = processNanoseconds();
  for (int64_t i = 1; i < n; ++i) {
    once(&cell);
    if (i != n / 10) continue;
    resident = residentBytes();
    mappings = mappingCount();
  }
  const int64_t end = processNanoseconds();
  printInteger(cell);
  printDouble((double)(end - start) / (double)(n - 1));
  printInteger(residentBytes() - resident);
  printInteger(mappingCount() - mappings);
}
