// A part of a program as bytes: what an image keeps of the IR.
#pragma once

#include <cstddef>
#include <vector>

#include "vm/ir/reachable.h"

namespace gaur::ir {

/// The entities of `reachable`, which is drained, all canonical types and signatures of the process, and the
/// next free ID (README.md, "Snapshots"). The same program gives the same bytes. What is compiled afterwards
/// may make further types: write the snapshot last. Requires: the program's loadMutex held.
std::vector<std::byte> writeSnapshot(const Reachable& reachable);

}  // namespace gaur::ir
