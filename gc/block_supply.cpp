#include "gc/block_supply.h"

#include <gc/gc.h>
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>

namespace gaur::gc {

namespace {

/// 10 to 30 us.
constexpr int kSpins = 500;
/// A thread that had to wait for another fetches ahead in this many turns.
constexpr unsigned kTurnsAhead = 16;

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

bool BlockSupply::refill(void*& head, BlockReserve::Size& ahead, unsigned& turns, std::uint64_t bytes,
                         int boehmKind) {
  // At any time a list is in a place that is a root: a register that holds the first block would not keep the
  // others, where they are pointer-free.
  if (ahead.count != 0) {
    void*& list = ahead.lists[--ahead.count];
    head = list;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    list = nullptr;
    if (turns == 0 || ahead.count > BlockReserve::kFew || !lock_.tryLock()) return true;
  } else {
    if (lock_.lock()) turns = kTurnsAhead;
    GC_generic_malloc_many(bytes, boehmKind, &head);
    if (turns == 0 || !head) {
      lock_.unlock();
      return head != nullptr;
    }
  }
  --turns;
  while (ahead.count < BlockReserve::kLists) {
    void*& list = ahead.lists[ahead.count];
    GC_generic_malloc_many(bytes, boehmKind, &list);
    if (!list) break;
    ++ahead.count;
  }
  lock_.unlock();
  return true;
}

}  // namespace gaur::gc
