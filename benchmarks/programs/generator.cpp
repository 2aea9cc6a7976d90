// generator N: sums N values that a C++20 coroutine yields one by one. Prints the sum and ns per value.
extern "C" {
#include "checksum.h"
}
#include <coroutine>
#include <exception>

struct Generator {
  struct promise_type {
    int64_t value = 0;
    Generator get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(int64_t yielded) noexcept {
      value = yielded;
      return {};
    }
    void return_void() noexcept {}
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

// Not inlined: the consumer of a generator does not know its code.
static __attribute__((noinline)) Generator count(int64_t n) {
  for (int64_t i = 0; i < n; ++i) co_yield i;
}

static __attribute__((noinline)) int64_t sum(int64_t n) {
  Generator generator = count(n);
  int64_t total = 0;
  for (generator.handle.resume(); !generator.handle.done(); generator.handle.resume())
    total += generator.handle.promise().value;
  generator.handle.destroy();
  return total;
}

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  sum(100);
  int64_t start = processNanoseconds();
  int64_t total = sum(n);
  int64_t end = processNanoseconds();
  printInteger(total);
  printDouble(static_cast<double>(end - start) / static_cast<double>(n));
  return 0;
}
