#include "gc/owner_map.h"

#include <algorithm>

#include "gc/collector_lock.h"
#include "gc/marked_range.h"
#include "vm/support/check.h"
#include "vm/support/platform.h"

namespace gaur::gc {

namespace {

/// The maps that marking asks. As the span, they change only with the collector's lock held.
OwnerMap* maps = nullptr;

std::size_t tableBytes(std::size_t bytes, unsigned shift) {
  return platform::roundToPages((bytes >> shift) * sizeof(void*));
}

}  // namespace

OwnedSpan ownedSpan;

void measureOwnedSpan() {
  std::uintptr_t lowest = ~std::uintptr_t{0};
  std::uintptr_t highest = 0;
  auto add = [&](std::uintptr_t begin, std::uintptr_t bytes) {
    lowest = std::min(lowest, begin);
    highest = std::max(highest, begin + bytes);
  };
  for (const OwnerMap* map = maps; map; map = map->next_) add(map->begin_, map->bytes_);
  for (const MarkedRange* range = MarkedRange::first(); range; range = range->next())
    add(range->begin(), range->bytes());
  ownedSpan = highest != 0 ? OwnedSpan{lowest, highest - lowest} : OwnedSpan{};
}

OwnerMap::OwnerMap(std::uintptr_t begin, std::size_t bytes, unsigned granuleShift)
    : begin_(begin),
      bytes_(bytes),
      shift_(granuleShift),
      table_(static_cast<Entry*>(platform::reserveZeroed(tableBytes(bytes, granuleShift)))) {
  GAUR_CHECK(table_, "no address space for owners of code");
  withCollectorLock([this] {
    next_ = maps;
    maps = this;
    measureOwnedSpan();
  });
}

OwnerMap::~OwnerMap() {
  withCollectorLock([this] {
    OwnerMap** link = &maps;
    while (*link != this) link = &(*link)->next_;
    *link = next_;
    measureOwnedSpan();
  });
  platform::release(table_, tableBytes(bytes_, shift_));
}

void OwnerMap::set(std::uintptr_t begin, std::size_t bytes, const void* owner) {
  GAUR_CHECK(bytes != 0 && begin - begin_ < bytes_ && bytes <= bytes_ - (begin - begin_),
             "owned memory lies elsewhere");
  const std::size_t last = (begin - begin_ + bytes - 1) >> shift_;
  for (std::size_t i = (begin - begin_) >> shift_; i <= last; ++i)
    table_[i].store(owner, std::memory_order_relaxed);
}

const void* ownerOf(std::uintptr_t address) {
  for (const OwnerMap* map = maps; map; map = map->next_)
    if (const void* owner = map->at(address)) return owner;
  return nullptr;
}

}  // namespace gaur::gc
