// Memory of the code slab that may die: the heap object that stands for it, by which the collector finds out
// whether anything still reaches the memory. Memory without an owner stays for good.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "vm/abi/layout.h"

namespace gaur::abi {

/// A global cell that lives as long as an owner.
struct OwnedCell {
  const GcMap* map;
  void* base;
};

/// What the memory that somebody owns refers to. It does not change while a collection may see it: whoever
/// adds to it puts another one in its place.
struct OwnedReferences {
  std::span<const OwnedCell> cells;
  /// Addresses in a slab, whose owners are kept.
  std::span<const std::uintptr_t> addresses;
};

/// The heap object that is marked where a word is the address of owned memory. Nothing refers to it but the
/// stack of whoever makes it, and gc::OwnerMap, which keeps nothing.
struct CodeOwnerObject {
  /// The runtime's CodeOwner.
  void* owner;
  /// Null: nothing.
  const OwnedReferences* references;
};

}  // namespace gaur::abi
