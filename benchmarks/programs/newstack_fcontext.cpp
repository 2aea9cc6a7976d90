// newstack N: N times a context of boost.context, with a stack from malloc, that runs once, answers and is
// gone. Prints the sum of the answers and ns each.
extern "C" {
#include "checksum.h"
}
#include <boost/context/detail/fcontext.hpp>

using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

static constexpr std::size_t kStackBytes = 65536;

static void task(transfer_t from) {
  jump_fcontext(from.fctx, reinterpret_cast<void*>(reinterpret_cast<int64_t>(from.data) + 1));
}

static __attribute__((noinline)) int64_t repeat(int64_t n) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    char* memory = static_cast<char*>(malloc(kStackBytes));
    sum += reinterpret_cast<int64_t>(
        jump_fcontext(make_fcontext(memory + kStackBytes, kStackBytes, task), reinterpret_cast<void*>(i))
            .data);
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
  printDouble(static_cast<double>(end - start) / static_cast<double>(n));
  return 0;
}
