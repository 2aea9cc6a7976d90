// How threads get blocks for their free lists. Boehm makes a list under its one lock, which is much of what
// allocating takes; this file alone decides how threads that want lists at once take turns.
#pragma once

#include <atomic>
#include <cstdint>

#include "vm/abi/object.h"
#include "vm/abi/thread_block.h"

namespace gaur::gc {

/// Lists that a thread fetched ahead of its needs. Roots, as the lists in use are.
struct BlockReserve {
  /// Besides the one that is wanted. So many at once that what the lists have in common, and has been in the
  /// cache of another processor, is fetched from there seldom; few enough to stay in the second-level cache.
  static constexpr std::size_t kMostLists = 47;
  struct Size {
    void* lists[kMostLists];
    std::uint32_t count;
    /// How many are fetched next: more each time, so that few blocks wait where a thread wants few.
    std::uint32_t next;
  };
  /// [kind][granules]
  Size sizes[abi::kBlockKinds][abi::kSmallGranules + 1];
};

/// Spins for about as long as another thread's turn takes, and sleeps only after that: being woken takes
/// longer than several turns, and Boehm's own lock makes threads sleep far too soon.
class TurnLock {
 public:
  bool tryLock() {
    std::uint32_t expected = kFree;
    return state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire);
  }
  void lock() {
    if (!tryLock()) wait();
  }
  void unlock() {
    if (state_.exchange(kFree, std::memory_order_release) == kAwaited) state_.notify_one();
  }

 private:
  static constexpr std::uint32_t kFree = 0;
  static constexpr std::uint32_t kHeld = 1;
  static constexpr std::uint32_t kAwaited = 2;
  void wait();
  std::atomic<std::uint32_t> state_{kFree};
};

/// Nothing breaks where a thread goes to Boehm without its turn: turns only make waiting rare and short.
class BlockSupply {
 public:
  /// Puts blocks on `head`, an empty free list of the thread; false when memory is exhausted. `ahead` is the
  /// thread's reserve of the same kind and size. May collect.
  bool refill(void*& head, BlockReserve::Size& ahead, std::uint64_t bytes, int boehmKind);

  /// Nobody is at it until go().
  void halt() { lock_.lock(); }
  void go() { lock_.unlock(); }

 private:
  TurnLock lock_;
};

}  // namespace gaur::gc
