// Memory outside the heap that its owner wants to free, but that threads may still be looking at: collections
// tell whether any stack or register has an address in it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gc/collector_list.h"

namespace gaur::gc {

/// Ranges of memory that nobody can find any more who does not know an address already. Collections look at
/// the stacks of all attached threads, native and Mu, running or not; nowhere else.
class WatchedMemory : public Listed<WatchedMemory> {
 public:
  struct Range {
    std::uintptr_t begin;
    std::uintptr_t end;
    /// Given by whoever watches.
    std::size_t item;
  };

  explicit WatchedMemory(std::vector<Range> ranges);
  ~WatchedMemory();

  /// Whether a collection has begun and ended since: then isForgotten tells.
  bool isDecided() const { return isDecided_.load(std::memory_order_acquire); }
  /// No word was an address in memory of the item in the last collection. Requires: isDecided.
  bool isForgotten(std::size_t item) const;

 private:
  friend void measureWatchedSpan();
  friend void noteWatched(std::uintptr_t word);
  friend void beginWatching();
  friend void endWatching();

  std::vector<Range> ranges_;  // sorted
  std::vector<char> isSeen_;   // of each range
  bool isWatching_ = false;
  std::atomic<bool> isDecided_{false};
};

/// All addresses that are watched. As ownedSpan.
extern AddressSpan watchedSpan;

inline bool mayBeWatched(std::uintptr_t word) { return watchedSpan.contains(word); }

// In a collection.
void noteWatched(std::uintptr_t word);
void beginWatching();
void endWatching();

}  // namespace gaur::gc
