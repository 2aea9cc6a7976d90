/* The programs of the builder's tests with mistakes at random places: another ID, another number, an element
 * less. Loading them may fail or succeed, and what is loaded is compiled; nothing may crash.
 *
 *   stress_builder_mistakes ROUNDS SEED */
#include <stdint.h>

#include "../api/client.h"

MuIRBuilder* wrapBuilder(MuIRBuilder* real);
void setMutation(uint64_t seed, unsigned rate);
#define BUILDER_WRAP wrapBuilder

#define main         instructionsMain
#include "../api/builder_instructions.c"
#undef main

int main(int count, char** arguments) {
  const size_t cases = sizeof kCases / sizeof *kCases;
  long rounds = count > 1 ? atol(arguments[1]) : 1000, first = count > 2 ? atol(arguments[2]) : 1, round,
       loaded = 0;
  /* Types are never given up, so a machine does not last for ever. */
  for (round = 0; round < rounds; ++round) {
    const Case* made = &kCases[(size_t)round % cases];
    MuID value;
    if (round % 500 == 0) {
      if (round != 0) mvm->close(mvm);
      start("eager=1");
    }
    setMutation((uint64_t)(first * 1000000 + round), 30 + (unsigned)(round % 7) * 40);
    open();
    standardTypes();
    beginFunction();
    value = made->make();
    if (value != MU_NO_ID) {
      ret(value);
      endEntry();
    }
    endFunction();
    mvm->clear_error(mvm);
    b->load(b);
    if (!mvm->get_error(mvm, NULL)) ++loaded;
    mvm->clear_error(mvm);
  }
  printf("%ld of %ld loaded\n", loaded, rounds);
  (void)instructionsMain;
  /* If all were right, or all wrong, nothing was tried. */
  CHECK(loaded > rounds / 100 && loaded < rounds);
  mvm->close(mvm);
  return 0;
}
