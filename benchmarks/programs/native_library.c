// The native side of callout and callin: a function small enough that only the call costs, and a caller of
// callbacks.
#include <stdint.h>

int64_t gaur_bench_increment(int64_t x) { return x + 1; }

int64_t gaur_bench_drive(int64_t calls, int64_t (*callback)(int64_t)) {
  int64_t x = 0;
  for (int64_t i = 0; i < calls; ++i) x = callback(x);
  return x;
}
