// Which heap object stands for a piece of memory outside the heap that may die (vm/abi/code_owner.h). Marking
// asks for it wherever a word is no address in the heap; while nothing has an owner, that is one comparison.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "gc/collector_list.h"
#include "gc/marked_range.h"

namespace gaur::gc {

/// The owners of one range of addresses: a table with an entry for each granule of it, in reserved address
/// space. Marking sees it from construction to destruction.
class OwnerMap : public Listed<OwnerMap> {
 public:
  /// `granuleShift`: no two owners have memory in one granule of that size.
  OwnerMap(std::uintptr_t begin, std::size_t bytes, unsigned granuleShift);
  ~OwnerMap();

  /// Gives memory to an object; null: to nobody. Keeps nothing alive: what dies has to be taken out while the
  /// world still stands (RootProvider::afterMarking). Writers of one granule exclude each other.
  void set(std::uintptr_t begin, std::size_t bytes, const void* owner);
  /// Null where the address is not in the range, or nobody's.
  const void* at(std::uintptr_t address) const {
    if (address - begin_ >= bytes_) return nullptr;
    return table_[(address - begin_) >> shift_].load(std::memory_order_relaxed);
  }

 private:
  friend void measureOwnedSpan();
  using Entry = std::atomic<const void*>;

  const std::uintptr_t begin_;
  const std::size_t bytes_;
  const unsigned shift_;
  Entry* table_;
};

/// All addresses that any map or marked range of the process has to do with. Changes only while no collection
/// can go on.
extern AddressSpan ownedSpan;
/// Found out anew. Requires: the collector's lock held.
void measureOwnedSpan();

inline bool mayHaveOwner(std::uintptr_t word) { return ownedSpan.contains(word); }

/// By whichever map knows. Requires: a collection is going on, or nobody makes or destroys maps.
const void* ownerOf(std::uintptr_t address);

/// What memory a word may be the address of.
enum class Fit : std::uint8_t {
  /// That which it lies in: function records, entries, cells.
  Exact,
  /// Also that which it lies just behind: a return address, where a call is the last
  /// instruction; an iref past the last element; any word of a stack.
  MayLieBehind,
};

/// Calls f(owner) for the owners of the memory that the address belongs to.
template <class F>
void forEachOwner(std::uintptr_t address, Fit fit, F&& f) {
  const void* owner = ownerOf(address);
  const void* before = fit == Fit::MayLieBehind ? ownerOf(address - 1) : nullptr;
  if (owner) f(owner);
  if (before && before != owner) f(before);
}

}  // namespace gaur::gc
