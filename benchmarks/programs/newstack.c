// newstack N: N times a context with a stack from malloc that runs once, answers and is gone. Prints the sum
// of the answers and ns each.
#include <ucontext.h>

#include "checksum.h"

enum { kStackBytes = 65536 };

static ucontext_t caller, callee;
static int64_t value;

static void task(void) { value = value + 1; }

static __attribute__((noinline)) int64_t repeat(int64_t n) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    char* memory = malloc(kStackBytes);
    getcontext(&callee);
    callee.uc_stack.ss_sp = memory;
    callee.uc_stack.ss_size = kStackBytes;
    callee.uc_link = &caller;
    makecontext(&callee, task, 0);
    value = i;
    swapcontext(&caller, &callee);
    sum += value;
    free(memory);
  }
  return sum;
}

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  repeat(100);
  int64_t start = processNanoseconds();
  int64_t sum = repeat(n);
  int64_t end = processNanoseconds();
  printInteger(sum);
  printDouble((double)(end - start) / (double)n);
  return 0;
}
