// Memory outside the heap that its owner wants to free, but that threads may still be looking at: collections
// tell whether any stack or register has an address in it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gaur::gc {

/// Ranges of memory that nobody can find any more who does not know an address already. Collections look at
/// the stacks of all attached threads, native and Mu, running or not; nowhere else.
class WatchedMemory {
 public:
  struct Range {
    std::uintptr_t begin;
    std::uintptr_t end;
    /// Given by whoever watches.
    std::size_t item;
  };

  explicit WatchedMemory(std::vector<Range> ranges);
  ~WatchedMemory();
  WatchedMemory(const WatchedMemory&) = delete;
  WatchedMemory& operator=(const WatchedMemory&) = delete;

  /// Whether a collection has begun and ended since: then isForgotten tells.
  bool isDecided() const { return isDecided_.load(std::memory_order_acquire); }
  /// No word was an address in memory of the item in the last collection. Requires: isDecided.
  bool isForgotten(std::size_t item) const;

 private:
  friend void noteWatched(std::uintptr_t word);
  friend void beginWatching();
  friend void endWatching();

  std::vector<Range> ranges_;  // sorted
  std::vector<char> isSeen_;   // of each range
  bool isWatching_ = false;
  std::atomic<bool> isDecided_{false};
  WatchedMemory* next_ = nullptr;
};

/// From the lowest to the highest address that is watched; empty where none is. As ownedSpan.
struct WatchedSpan {
  std::uintptr_t begin = 0;
  std::uintptr_t bytes = 0;
};
extern WatchedSpan watchedSpan;

inline bool mayBeWatched(std::uintptr_t word) { return word - watchedSpan.begin < watchedSpan.bytes; }

// In a collection.
void noteWatched(std::uintptr_t word);
void beginWatching();
void endWatching();

}  // namespace gaur::gc
