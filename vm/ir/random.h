// Random valid bundles for differential tests and fuzzing: every program made here parses, verifies, ends,
// and has one meaning, whatever the optimization level, the collector or the machine; so two ways to run it
// must agree on what @main returns.
#pragma once

#include <cstdint>
#include <string>

namespace gaur::ir {

struct RandomOptions {
  unsigned functions = 3;
  unsigned blocks = 4;        // of each function, before instructions with EXC split them
  unsigned instructions = 9;  // operations of each block; most become two to five instructions
  /// Function calls and loop iterations that may run in all: bounds the time, and the allocations for
  /// collector stress.
  unsigned fuel = 400;
  /// Parts of the language that a client of the generator may lack.
  bool floats = true;
  bool vectors = true;
  bool wideInts = true;  // 128 bits
  bool exceptions = true;
  bool tagrefs = true;
  bool native = true;  // pinning, PTR forms, calls of C functions
  /// WPBRANCH, and WATCHPOINT without results, with IDs from 1 to this, which the program enables and
  /// disables (constants @wp1 ...). It wants a trap handler that goes on. 0: none.
  unsigned watchpoints = 0;
};

/// A bundle in the 2016 form with an entry `@main` of signature () -> (int<64>), which returns a hash of what
/// was computed. The same seed and options give the same text everywhere.
std::string randomBundle(std::uint64_t seed, const RandomOptions& options = {});

}  // namespace gaur::ir
