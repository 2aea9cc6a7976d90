// swap N: two stacks swap to each other, N swaps in all; each adds one to the value that goes to and fro. The
// switch is inline assembly that keeps what is live and no more. Prints the value and ns per swap. Compile
// with -mno-red-zone, and with -DFIXED where the stacks shall be at addresses that the code knows: else they
// are values, as in Mu.
#include "checksum.h"

struct Stack {
  void* stackPointer;
};

// What the compiler cannot tell the origin of.
static inline struct Stack* unknown(struct Stack* stack) {
#if !defined(FIXED)
  __asm__("" : "+r"(stack));
#endif
  return stack;
}

// Leaves `self` and goes on where `other` stands, with `value`; returns what this stack is resumed with.
// Inlined, and resumed by a jump: a return would miss the processor's return predictor each time.
static inline __attribute__((always_inline)) int64_t swapTo(struct Stack* self, struct Stack* other,
                                                            int64_t value) {
  __asm__ volatile(
      "leaq 1f(%%rip), %%rdx\n\t"
      "pushq %%rbp\n\t"
      "pushq %%rdx\n\t"
      "movq %%rsp, (%%rdi)\n\t"
      "movq (%%rsi), %%rsp\n\t"
      "popq %%rdx\n\t"
      "popq %%rbp\n\t"
      "jmp *%%rdx\n"
      "1:"
      : "+a"(value), "+D"(self), "+S"(other)
      :
      : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",
        "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
        "xmm15", "cc", "memory");
  return value;
}

static struct Stack mainStack, partnerStack;
static _Alignas(16) char partnerMemory[65536];

static inline void answer(struct Stack* self, struct Stack* other) {
  int64_t value = 0;
  while (1) value = swapTo(self, other, value + 1);
}

static __attribute__((noreturn)) void partner(void) {
  answer(unknown(&partnerStack), unknown(&mainStack));
  __builtin_unreachable();
}

static __attribute__((noinline)) int64_t play(struct Stack* self, struct Stack* other, int64_t value,
                                              int64_t rounds) {
  do value = swapTo(self, other, value + 1);
  while (--rounds > 0);
  return value;
}

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  // As if `partner` had just been called: the place to go to, rbp, and a return address that nobody uses.
  void** top = (void**)(partnerMemory + sizeof partnerMemory) - 2;
  top[0] = NULL;
  *--top = NULL;
  *--top = (void*)partner;
  partnerStack.stackPointer = top;
  play(unknown(&mainStack), unknown(&partnerStack), 0, 100);
  int64_t start = processNanoseconds();
  int64_t value = play(unknown(&mainStack), unknown(&partnerStack), 0, n / 2);
  int64_t end = processNanoseconds();
  printInteger(value);
  printDouble((double)(end - start) / (double)n);
  return 0;
}
