// swap N: two fibers of boost.context, through its public interface, resume each other, N times in all; each
// adds one to a value that both see. Prints the value and ns per resumption.
extern "C" {
#include "checksum.h"
}
#include <boost/context/fiber.hpp>
#include <utility>

using boost::context::fiber;

static __attribute__((noinline)) fiber play(fiber partner, int64_t& value, int64_t rounds) {
  do {
    ++value;
    partner = std::move(partner).resume();
  } while (--rounds > 0);
  return partner;
}

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  int64_t value = 0;
  fiber partner([&value](fiber&& caller) -> fiber {
    while (true) {
      ++value;
      caller = std::move(caller).resume();
    }
  });
  partner = play(std::move(partner), value, 100);
  value = 0;
  int64_t start = processNanoseconds();
  partner = play(std::move(partner), value, n / 2);
  int64_t end = processNanoseconds();
  printInteger(value);
  printDouble(static_cast<double>(end - start) / static_cast<double>(n));
  return 0;
}
