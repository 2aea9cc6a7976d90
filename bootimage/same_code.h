// Whether code that was compiled twice came out the same: then a frame of the one is a frame of the other.
#pragma once

#include "jit/compiler.h"

namespace gaur::bootimage {

/// Rows are equal, and instructions but for the distances that linking has stored and for sites of
/// watchpoints. `again` has to tell its linkedPlaces.
bool isSameCode(const abi::CodeBlock& original, const jit::CodeUnit& again);

}  // namespace gaur::bootimage
