#include "gc/block_supply.h"

#include <gc/gc.h>
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>

#include <algorithm>
#include <mutex>

namespace gaur::gc {

namespace {

/// About 100 us, two turns: being woken takes so long that a thread which slept lost a tenth of its time.
constexpr int kSpins = 3000;
/// A thread puts no more than this part of a small heap aside.
constexpr std::size_t kReservedPart = 64;
/// What Boehm makes a list of.
constexpr std::size_t kPage = 4096;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

void TurnLock::wait() {
  for (int i = 0; i < kSpins; ++i) {
    pause();
    if (state_.load(std::memory_order_relaxed) == kFree && tryLock()) return;
  }
  while (state_.exchange(kAwaited, std::memory_order_acquire) != kFree)
    state_.wait(kAwaited, std::memory_order_relaxed);
}

bool BlockSupply::refill(void*& head, BlockReserve::Size& ahead, std::uint64_t bytes, int boehmKind) {
  // At any time a list is in a place that is a root: a register that holds the first block would not keep the
  // others, where they are pointer-free.
  if (ahead.count != 0) {
    void*& list = ahead.lists[--ahead.count];
    head = list;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    list = nullptr;
    return true;
  }
  const std::size_t wanted = std::min<std::size_t>(ahead.next, GC_get_heap_size() / kReservedPart / kPage);
  ahead.next = std::min<std::uint32_t>(2 * ahead.next + 1, BlockReserve::kMostLists);
  const std::lock_guard turn(lock_);
  GC_generic_malloc_many(bytes, boehmKind, &head);
  while (head && ahead.count < wanted) {
    void*& list = ahead.lists[ahead.count];
    GC_generic_malloc_many(bytes, boehmKind, &list);
    if (!list) break;
    ++ahead.count;
  }
  return head != nullptr;
}

}  // namespace gaur::gc
