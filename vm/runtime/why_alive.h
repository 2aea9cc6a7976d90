// Why a function, a version or a cell of a bundle that could go, or a host function, is still there: the
// shortest path from a root to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vm/support/ids.h"
#include "vm/support/result.h"

namespace gaur::runtime {

class MicroVm;

struct KeepPath {
  /// What stays whether it is reached or not: nothing ever asked for its end, or a boot image has it.
  bool isPermanent = false;
  /// From the root on: what it is, then each object by which the way goes on; for a version whose time is
  /// over maybe at last the function in one unit with whose code its own was compiled, or the version that
  /// has a copy of it. Of what is permanent, the boot image or nothing. Else empty where nothing reaches it
  /// and it goes at the next opportunity.
  std::vector<std::string> steps;

  /// A line a step.
  std::string text() const;
  /// {"permanent":false,"path":["a step",...]}
  std::string json() const;
};

/// Collects, and looks for the way with the world stopped. `entity`: a function, a version, or a global cell,
/// also of an unloaded bundle; an error where there is none of that ID. On any thread without locks; takes
/// time in proportion to the heap and to the length of the path.
Result<KeepPath> whyAlive(MicroVm& vm, Id entity);
/// The same of a host function. `hiddenPointer`: the complement of its pointer, which would keep it if it lay
/// on a stack; an error where it is none. So many handles of it do not count: those by which a client asks.
Result<KeepPath> whyAliveHost(MicroVm& vm, std::uintptr_t hiddenPointer, std::size_t handles = 0);
/// The same of the entity with the name, else of the host function that the name is bound to.
Result<KeepPath> whyAlive(MicroVm& vm, std::string_view name);

}  // namespace gaur::runtime
