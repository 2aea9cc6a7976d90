// The check of check level 3: every reachable object makes sense.
#pragma once

#include "gc/boehm_process.h"

namespace gaur::gc {

/// Checks all marked blocks of these kinds, while the world is stopped after marking; reports a bug of the VM
/// where a header or a slot is wrong.
void verifyHeap(const BoehmKinds& kinds);

/// Checks the objects of an image that overlap [begin, end), and what they refer to from there.
void verifyImage(const ImmortalRange& range, std::uintptr_t begin, std::uintptr_t end);

}  // namespace gaur::gc
