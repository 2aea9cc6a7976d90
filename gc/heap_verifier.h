// The check of check level 3: every reachable object makes sense.
#pragma once

#include "gc/boehm_process.h"

namespace gaur::gc {

/// Checks all marked blocks of these kinds, while the world is stopped after marking; reports a bug of the VM
/// where a header or a slot is wrong.
void verifyHeap(const BoehmKinds& kinds);

}  // namespace gaur::gc
