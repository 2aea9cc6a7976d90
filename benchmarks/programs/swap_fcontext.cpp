// swap N: two contexts of boost.context jump to each other, N jumps in all; each adds one to the value that
// goes to and fro. Prints the value and ns per jump.
extern "C" {
#include "checksum.h"
}
#include <boost/context/detail/fcontext.hpp>

using boost::context::detail::fcontext_t;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

static void partner(transfer_t from) {
  while (true)
    from = jump_fcontext(from.fctx, reinterpret_cast<void*>(reinterpret_cast<int64_t>(from.data) + 1));
}

static __attribute__((noinline)) transfer_t play(transfer_t from, int64_t rounds) {
  do from = jump_fcontext(from.fctx, reinterpret_cast<void*>(reinterpret_cast<int64_t>(from.data) + 1));
  while (--rounds > 0);
  return from;
}

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  alignas(16) static char memory[65536];
  transfer_t partnerAt = play({make_fcontext(memory + sizeof memory, sizeof memory, partner), nullptr}, 100);
  int64_t start = processNanoseconds();
  transfer_t last = play({partnerAt.fctx, nullptr}, n / 2);
  int64_t end = processNanoseconds();
  printInteger(reinterpret_cast<int64_t>(last.data));
  printDouble(static_cast<double>(end - start) / static_cast<double>(n));
  return 0;
}
