#include "jit/range_allocator.h"

#include <algorithm>
#include <iterator>

#include "vm/support/check.h"

namespace gaur::jit {

namespace {

std::uintptr_t alignUp(std::uintptr_t value, std::size_t alignment) {
  return (value + alignment - 1) & ~std::uintptr_t{alignment - 1};
}

}  // namespace

RangeAllocator::RangeAllocator(std::uintptr_t begin, std::size_t bytes, std::size_t granule,
                               std::size_t taken)
    : begin_(begin), end_(begin + bytes), granule_(granule), frontier_(begin + taken) {
  GAUR_CHECK(begin % granule == 0 && taken % granule == 0 && taken <= bytes);
}

std::size_t RangeAllocator::rounded(std::size_t bytes) const {
  return std::max(alignUp(bytes, granule_), granule_);
}

void RangeAllocator::enter(std::uintptr_t address, std::size_t bytes) {
  byAddress_.emplace(address, bytes);
  bySize_.emplace(bytes, address);
  freeBytes_ += bytes;
}

void RangeAllocator::leave(std::map<std::uintptr_t, std::size_t>::iterator range) {
  freeBytes_ -= range->second;
  bySize_.erase({range->second, range->first});
  byAddress_.erase(range);
}

std::uintptr_t RangeAllocator::allocate(std::size_t bytes, std::size_t alignment) {
  if (bytes > end_ - begin_) return 0;
  bytes = rounded(bytes);
  alignment = std::max(alignment, granule_);

  std::uintptr_t rangeBegin = 0, rangeEnd = 0, place = 0;
  for (auto candidate = bySize_.lower_bound({bytes, 0}); candidate != bySize_.end(); ++candidate) {
    place = alignUp(candidate->second, alignment);
    rangeBegin = candidate->second;
    rangeEnd = rangeBegin + candidate->first;
    if (place + bytes <= rangeEnd) {
      leave(byAddress_.find(rangeBegin));
      break;
    }
    rangeEnd = 0;
  }
  if (rangeEnd == 0) {
    rangeBegin = frontier_;
    place = alignUp(frontier_, alignment);
    if (place > end_ || end_ - place < bytes) return 0;
    rangeEnd = frontier_ = place + bytes;
  }
  if (place != rangeBegin) enter(rangeBegin, place - rangeBegin);
  if (place + bytes != rangeEnd) enter(place + bytes, rangeEnd - place - bytes);
  return place;
}

void RangeAllocator::free(std::uintptr_t address, std::size_t bytes) {
  bytes = rounded(bytes);
  std::uintptr_t end = address + bytes;
  GAUR_CHECK(address >= begin_ && end <= frontier_ && address % granule_ == 0,
             "freeing what was not allocated");
  auto next = byAddress_.lower_bound(address);
  GAUR_CHECK(next == byAddress_.end() || next->first >= end, "freeing what is free");
  if (next != byAddress_.end() && next->first == end) {
    end += next->second;
    leave(next);
    next = byAddress_.lower_bound(address);
  }
  if (next != byAddress_.begin()) {
    auto previous = std::prev(next);
    GAUR_CHECK(previous->first + previous->second <= address, "freeing what is free");
    if (previous->first + previous->second == address) {
      address = previous->first;
      leave(previous);
    }
  }
  if (end == frontier_)
    frontier_ = address;
  else
    enter(address, end - address);
}

}  // namespace gaur::jit
