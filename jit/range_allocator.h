// Bookkeeping of a range of addresses: best fit, neighbours merged, so that freed memory can serve any later
// size. It never touches the memory it hands out. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace gaur::jit {

class RangeAllocator {
 public:
  /// `granule`: power of two that all sizes are rounded up to; `begin` is a multiple of it. The first `taken`
  /// bytes are in use.
  RangeAllocator(std::uintptr_t begin, std::size_t bytes, std::size_t granule, std::size_t taken = 0);

  /// 0 when there is no such range. `alignment` is a power of two.
  std::uintptr_t allocate(std::size_t bytes, std::size_t alignment);
  void free(std::uintptr_t address, std::size_t bytes);

  std::size_t used() const { return frontier_ - begin_ - freeBytes_; }
  /// Below the highest address ever in use.
  std::size_t freeBytes() const { return freeBytes_; }
  std::size_t freePieces() const { return byAddress_.size(); }
  std::size_t largestFree() const { return bySize_.empty() ? 0 : bySize_.rbegin()->first; }
  std::size_t rounded(std::size_t bytes) const;
  /// Nothing at or above it is in use.
  std::uintptr_t frontier() const { return frontier_; }

 private:
  void enter(std::uintptr_t address, std::size_t bytes);
  void leave(std::map<std::uintptr_t, std::size_t>::iterator range);

  std::uintptr_t begin_;
  std::uintptr_t end_;
  std::size_t granule_;
  /// Nothing above was in use yet, or all of it was freed again.
  std::uintptr_t frontier_;
  std::size_t freeBytes_ = 0;
  std::map<std::uintptr_t, std::size_t> byAddress_;
  std::set<std::pair<std::size_t, std::uintptr_t>> bySize_;
};

}  // namespace gaur::jit
