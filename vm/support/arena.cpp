// Chunk growth: small bundles (one function each) must stay small, big ones must not make thousands of
// chunks.
#include "vm/support/arena.h"

#include <algorithm>

namespace gaur {

namespace {
constexpr std::size_t kFirstChunk = 1024;
constexpr std::size_t kLargestChunk = 256 * 1024;
}  // namespace

void* Arena::allocateSlow(std::size_t size, std::size_t alignment) {
  std::size_t chunk = std::min(kLargestChunk, std::max(kFirstChunk, bytes_));
  chunk = std::max(chunk, size + alignment);
  chunks_.push_back({std::make_unique_for_overwrite<std::byte[]>(chunk), chunk});
  bytes_ += chunk;
  cursor_ = reinterpret_cast<std::uintptr_t>(chunks_.back().memory.get());
  end_ = cursor_ + chunk;
  return allocate(size, alignment);
}

}  // namespace gaur
