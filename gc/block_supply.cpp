#include "gc/block_supply.h"

#include <gc/gc.h>
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>

namespace gaur::gc {

namespace {

/// 10 to 30 us.
constexpr int kSpins = 500;
/// What Boehm makes a list of.
constexpr std::uintptr_t kPage = 4096;
constexpr std::uintptr_t kCacheLine = 64;
constexpr std::uintptr_t kPagesOfTurn = (BlockReserve::kLists + 1) * kPage;

std::uintptr_t pageOf(const void* block) { return reinterpret_cast<std::uintptr_t>(block) & ~(kPage - 1); }

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

/// Brings the pages of the turn that is about to begin into the cache, where making lists of them takes half
/// the time: that time is the turn's, and this is not. Returns the first of them, or 0.
std::uintptr_t BlockSupply::expectPages() {
  std::uintptr_t page = nextPage_.load(std::memory_order_relaxed);
  while (page != 0 &&
         !nextPage_.compare_exchange_weak(page, page + kPagesOfTurn, std::memory_order_relaxed)) {
  }
  if (page == 0) return 0;
  for (std::uintptr_t line = page; line < page + kPagesOfTurn; line += kCacheLine)
    __builtin_prefetch(reinterpret_cast<const void*>(line), 1);
  return page;
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
  const std::uintptr_t expected = expectPages();
  lock_.lock();
  GC_generic_malloc_many(bytes, boehmKind, &head);
  const std::uintptr_t first = pageOf(head);
  std::uintptr_t last = first;
  bool areInRow = true;
  while (head && ahead.count < BlockReserve::kLists) {
    void*& list = ahead.lists[ahead.count];
    GC_generic_malloc_many(bytes, boehmKind, &list);
    if (!list) break;
    ++ahead.count;
    areInRow &= pageOf(list) == last + kPage;
    last = pageOf(list);
  }
  // As expected, it tells already where those go on who have expected something since.
  if (!areInRow) {
    nextPage_.store(0, std::memory_order_relaxed);
  } else if (first != expected) {
    nextPage_.store(last + kPage, std::memory_order_relaxed);
  }
  lock_.unlock();
  return head != nullptr;
}

}  // namespace gaur::gc
