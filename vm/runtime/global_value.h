// The values of constants and other global entities in the form they have in memory: what C++ gives where
// compiled code has immediates and link slots.
#pragma once

#include "vm/ir/entity.h"
#include "vm/support/result.h"

namespace gaur::runtime {

class MicroVm;

/// Writes the value. Requires: zeros at `bytes`, as many as its type takes. Fails where a native symbol is
/// not to be found; then part of a composite may be written.
Result<void> writeGlobalValue(MicroVm& vm, const ir::Value& value, void* bytes);

}  // namespace gaur::runtime
