// Random valid programs (vm/ir/random.h) must compute the same at O0 and at O2.
//   stress_differential FIRST_SEED COUNT
//   stress_differential SEED             prints the program
#include "tests/stress/random_programs.h"
#include "vm/ir/random.h"

namespace {

using namespace gaur;

bool agrees(unsigned long seed) {
  std::string text = ir::randomBundle(seed);
  std::string fast = stress::resultOf(text, 0), full = stress::resultOf(text, 2);
  if (fast == full) return true;
  std::printf("seed %lu: O0 gives %s, O2 gives %s\n", seed, fast.c_str(), full.c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  return stress::runSeeds(
      argc, argv, [](unsigned long seed) { return ir::randomBundle(seed); }, agrees);
}
