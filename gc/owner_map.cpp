#include "gc/owner_map.h"

#include "vm/support/check.h"
#include "vm/support/platform.h"

namespace gaur::gc {

namespace {

std::size_t tableBytes(std::size_t bytes, unsigned shift) {
  return platform::roundToPages((bytes >> shift) * sizeof(void*));
}

}  // namespace

AddressSpan ownedSpan;

void measureOwnedSpan() {
  ownedSpan = {};
  OwnerMap::forEach([](const OwnerMap& map) { ownedSpan.extend(map.begin_, map.begin_ + map.bytes_); });
  MarkedRange::forEach(
      [](const MarkedRange& range) { ownedSpan.extend(range.begin(), range.begin() + range.bytes()); });
}

OwnerMap::OwnerMap(std::uintptr_t begin, std::size_t bytes, unsigned granuleShift)
    : begin_(begin),
      bytes_(bytes),
      shift_(granuleShift),
      table_(static_cast<Entry*>(platform::reserveZeroed(tableBytes(bytes, granuleShift)))) {
  GAUR_CHECK(table_, "no address space for owners of code");
  enter(measureOwnedSpan);
}

OwnerMap::~OwnerMap() {
  leave(measureOwnedSpan);
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
  const void* owner = nullptr;
  OwnerMap::forEach([&](const OwnerMap& map) { owner = owner ? owner : map.at(address); });
  return owner;
}

}  // namespace gaur::gc
