#include "gc/watched_memory.h"

#include <algorithm>

#include "gc/collector_lock.h"

namespace gaur::gc {

AddressSpan watchedSpan;

void measureWatchedSpan() {
  watchedSpan = {};
  WatchedMemory::forEach([](const WatchedMemory& memory) {
    for (const WatchedMemory::Range& range : memory.ranges_) watchedSpan.extend(range.begin, range.end);
  });
}

WatchedMemory::WatchedMemory(std::vector<Range> ranges)
    : ranges_(std::move(ranges)), isSeen_(ranges_.size()) {
  std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
  enter(measureWatchedSpan);
}

WatchedMemory::~WatchedMemory() { leave(measureWatchedSpan); }

bool WatchedMemory::isForgotten(std::size_t item) const {
  for (std::size_t i = 0; i < ranges_.size(); ++i)
    if (ranges_[i].item == item && isSeen_[i]) return false;
  return true;
}

void noteWatched(std::uintptr_t word) {
  WatchedMemory::forEach([word](WatchedMemory& memory) {
    auto after = std::upper_bound(
        memory.ranges_.begin(), memory.ranges_.end(), word,
        [](std::uintptr_t at, const WatchedMemory::Range& range) { return at < range.begin; });
    if (after == memory.ranges_.begin()) return;
    auto range = after - 1;
    if (word < range->end) memory.isSeen_[static_cast<std::size_t>(range - memory.ranges_.begin())] = 1;
  });
}

void beginWatching() {
  WatchedMemory::forEach([](WatchedMemory& memory) {
    memory.isWatching_ = true;
    std::fill(memory.isSeen_.begin(), memory.isSeen_.end(), 0);
  });
}

void endWatching() {
  WatchedMemory::forEach([](WatchedMemory& memory) {
    if (memory.isWatching_) memory.isDecided_.store(true, std::memory_order_release);
  });
}

}  // namespace gaur::gc
