#include "gc/watched_memory.h"

#include <algorithm>

#include "gc/collector_lock.h"

namespace gaur::gc {

namespace {

/// Changed with the collector's lock held.
WatchedMemory* watched = nullptr;

}  // namespace

WatchedSpan watchedSpan;

WatchedMemory::WatchedMemory(std::vector<Range> ranges)
    : ranges_(std::move(ranges)), isSeen_(ranges_.size()) {
  std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
  withCollectorLock([this] {
    next_ = watched;
    watched = this;
    std::uintptr_t lowest = watchedSpan.bytes != 0 ? watchedSpan.begin : ~std::uintptr_t{0};
    std::uintptr_t highest = watchedSpan.begin + watchedSpan.bytes;
    for (const Range& range : ranges_) {
      lowest = std::min(lowest, range.begin);
      highest = std::max(highest, range.end);
    }
    watchedSpan = {lowest, highest > lowest ? highest - lowest : 0};
  });
}

WatchedMemory::~WatchedMemory() {
  withCollectorLock([this] {
    WatchedMemory** link = &watched;
    while (*link != this) link = &(*link)->next_;
    *link = next_;
    if (!watched) watchedSpan = {};
  });
}

bool WatchedMemory::isForgotten(std::size_t item) const {
  for (std::size_t i = 0; i < ranges_.size(); ++i)
    if (ranges_[i].item == item && isSeen_[i]) return false;
  return true;
}

void noteWatched(std::uintptr_t word) {
  for (WatchedMemory* memory = watched; memory; memory = memory->next_) {
    auto after = std::upper_bound(
        memory->ranges_.begin(), memory->ranges_.end(), word,
        [](std::uintptr_t at, const WatchedMemory::Range& range) { return at < range.begin; });
    if (after == memory->ranges_.begin()) continue;
    auto range = after - 1;
    if (word < range->end) memory->isSeen_[static_cast<std::size_t>(range - memory->ranges_.begin())] = 1;
  }
}

void beginWatching() {
  for (WatchedMemory* memory = watched; memory; memory = memory->next_) {
    memory->isWatching_ = true;
    std::fill(memory->isSeen_.begin(), memory->isSeen_.end(), 0);
  }
}

void endWatching() {
  for (WatchedMemory* memory = watched; memory; memory = memory->next_)
    if (memory->isWatching_) memory->isDecided_.store(true, std::memory_order_release);
}

}  // namespace gaur::gc
