// Which heap object stands for a piece of memory outside the heap that may die (vm/abi/code_owner.h). Marking
// asks for it wherever a word is no address in the heap; while nothing has an owner, that is one comparison.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gaur::gc {

/// The owners of one range of addresses: a table with an entry for each granule of it, in reserved address
/// space. Marking sees it from construction to destruction.
class OwnerMap {
 public:
  /// `granuleShift`: no two owners have memory in one granule of that size.
  OwnerMap(std::uintptr_t begin, std::size_t bytes, unsigned granuleShift);
  ~OwnerMap();
  OwnerMap(const OwnerMap&) = delete;
  OwnerMap& operator=(const OwnerMap&) = delete;

  /// Gives memory to an object; null: to nobody. Keeps nothing alive: what dies has to be taken out while the
  /// world still stands (RootProvider::afterMarking). Writers of one granule exclude each other.
  void set(std::uintptr_t begin, std::size_t bytes, const void* owner);
  /// Null where the address is not in the range, or nobody's.
  const void* at(std::uintptr_t address) const {
    if (address - begin_ >= bytes_) return nullptr;
    return table_[(address - begin_) >> shift_].load(std::memory_order_relaxed);
  }

 private:
  friend const void* ownerOf(std::uintptr_t address);
  friend void measureOwnedSpan();
  using Entry = std::atomic<const void*>;

  const std::uintptr_t begin_;
  const std::size_t bytes_;
  const unsigned shift_;
  Entry* table_;
  OwnerMap* next_ = nullptr;
};

/// From the lowest to the highest address that any map of the process has to do with; empty where there is
/// none. Changes only while no collection can go on.
struct OwnedSpan {
  std::uintptr_t begin = 0;
  std::uintptr_t bytes = 0;
};
extern OwnedSpan ownedSpan;
/// Found out anew. Requires: the collector's lock held.
void measureOwnedSpan();

inline bool mayHaveOwner(std::uintptr_t word) { return word - ownedSpan.begin < ownedSpan.bytes; }

/// By whichever map knows. Requires: a collection is going on, or nobody makes or destroys maps.
const void* ownerOf(std::uintptr_t address);

}  // namespace gaur::gc
