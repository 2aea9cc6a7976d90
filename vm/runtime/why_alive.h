// Why a function, a version or a cell of a bundle that could go is still there: the shortest path from a root
// to it.
#pragma once

#include <string>
#include <vector>

#include "vm/support/ids.h"
#include "vm/support/result.h"

namespace gaur::runtime {

class MicroVm;

struct KeepPath {
  /// What stays whether it is reached or not: nothing ever asked for its end.
  bool isPermanent = false;
  /// From the root on: what it is, then each object by which the way goes on; for a version whose time is
  /// over maybe at last the function in one unit with whose code its own was compiled. Empty where the entity
  /// is permanent, or where nothing reaches it and it goes at the next opportunity.
  std::vector<std::string> steps;

  std::string text() const;
};

/// Collects, and looks for the way with the world stopped. `entity`: a function, a version, or a global cell,
/// also of an unloaded bundle; an error where there is none of that ID. On any thread without locks; takes
/// time in proportion to the heap and to the length of the path.
Result<KeepPath> whyAlive(MicroVm& vm, Id entity);

}  // namespace gaur::runtime
