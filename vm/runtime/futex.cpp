#include "vm/runtime/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <mutex>
#include <utility>

#include "vm/abi/runtime_entries.h"
#include "vm/runtime/guest_failure.h"
#include "vm/support/check.h"

namespace gaur::runtime {

namespace {

/// The runtime must not be seen to change errno between two native calls of a program.
class KeepErrno {
 public:
  ~KeepErrno() { errno = saved_; }

 private:
  const int saved_ = errno;
};

/// A point of CLOCK_MONOTONIC.
timespec deadlineAfter(std::uint64_t nanoseconds) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  timespec deadline;
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  const std::uint64_t fraction = static_cast<std::uint64_t>(deadline.tv_nsec) + nanoseconds % kSecond;
  deadline.tv_sec += static_cast<time_t>(nanoseconds / kSecond + fraction / kSecond);
  deadline.tv_nsec = static_cast<long>(fraction % kSecond);
  return deadline;
}

/// A thread that waits. Lies on its stack, where the collector sees `location`.
class Waiter {
 public:
  explicit Waiter(const void* place) : location(place) {}

  /// Until wakeUp; false where the deadline came first.
  bool sleep(const timespec* deadline) {
    std::uint32_t state = kAwake;
    if (!state_.compare_exchange_strong(state, kAsleep, std::memory_order_acquire) && state == kWoken)
      return true;
    // Signals, the collector's among them, end a system call but not the sleep.
    while (state_.load(std::memory_order_acquire) != kWoken) {
      long result = syscall(SYS_futex, &state_, FUTEX_WAIT_BITSET_PRIVATE, kAsleep, deadline, nullptr,
                            FUTEX_BITSET_MATCH_ANY);
      if (result != 0 && errno == ETIMEDOUT) return false;
    }
    return true;
  }

  /// For a waiter that is in no queue any more. It may be gone as soon as its state has changed; then the
  /// system finds nobody at the address.
  void wakeUp() {
    if (state_.exchange(kWoken, std::memory_order_release) == kAsleep)
      syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1);
  }

  /// Where it waits, while it is in a queue. Changes under the locks of both buckets.
  std::atomic<const void*> location;
  bool isQueued = false;
  Waiter* previous = nullptr;
  /// In a queue, or in a chain of those that are about to be woken.
  Waiter* next = nullptr;

 private:
  static constexpr std::uint32_t kAwake = 0, kAsleep = 1, kWoken = 2;
  std::atomic<std::uint32_t> state_{kAwake};
  static_assert(sizeof(state_) == sizeof(std::uint32_t), "the system's futexes are words of 32 bits");
};

/// The queues of all locations whose addresses have one hash value, as one list in the order of arrival.
/// Nothing is allocated under the lock, so a thread that the collector stops with the lock held delays others
/// but nobody who works for it.
struct alignas(64) Bucket {
  std::mutex lock;
  /// In the list, or about to be: changes under the lock, but is read without it.
  std::atomic<std::uint32_t> waiters{0};
  Waiter* first = nullptr;
  Waiter* last = nullptr;

  void append(Waiter& waiter) {
    waiter.isQueued = true;
    waiter.previous = last;
    waiter.next = nullptr;
    (last ? last->next : first) = &waiter;
    last = &waiter;
  }
  void remove(Waiter& waiter) {
    waiter.isQueued = false;
    (waiter.previous ? waiter.previous->next : first) = waiter.next;
    (waiter.next ? waiter.next->previous : last) = waiter.previous;
  }
  void countIn() { waiters.fetch_add(1, std::memory_order_relaxed); }
  void countOff(std::uint32_t leaving) { waiters.fetch_sub(leaving, std::memory_order_release); }
};

constexpr unsigned kBucketBits = 10;
constinit Bucket buckets[std::size_t{1} << kBucketBits];

Bucket& bucketOf(const void* location) {
  constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;
  return buckets[reinterpret_cast<std::uintptr_t>(location) * kGoldenRatio >> (64 - kBucketBits)];
}

/// Zero-extended.
std::uint64_t valueAt(const void* location, unsigned bytes) {
  auto load = [location]<class T>(T) -> std::uint64_t {
    return __atomic_load_n(static_cast<const T*>(location), __ATOMIC_RELAXED);
  };
  switch (bytes) {
    case 1: return load(std::uint8_t{});
    case 2: return load(std::uint16_t{});
    case 4: return load(std::uint32_t{});
    case 8: return load(std::uint64_t{});
    default: GAUR_UNREACHABLE("a futex of another width");
  }
}

/// Waiters that have left their queue, woken when no lock is held.
class WakeList {
 public:
  ~WakeList() {
    while (first_) std::exchange(first_, first_->next)->wakeUp();
  }
  WakeList() = default;
  WakeList(const WakeList&) = delete;
  WakeList& operator=(const WakeList&) = delete;

  /// Takes at most `count` waiters at the location out of the bucket.
  void take(Bucket& bucket, const void* location, std::uint32_t count) {
    for (Waiter* waiter = bucket.first; waiter && taken_ < count;) {
      Waiter* following = waiter->next;
      if (waiter->location.load(std::memory_order_relaxed) == location) {
        bucket.remove(*waiter);
        waiter->next = nullptr;
        (last_ ? last_->next : first_) = waiter;
        last_ = waiter;
        ++taken_;
      }
      waiter = following;
    }
    bucket.countOff(taken_);
  }
  std::uint32_t size() const { return taken_; }

 private:
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
  std::uint32_t taken_ = 0;
};

/// Takes a waiter whose time is up out of its queue; false where somebody else has.
bool leaveQueue(Waiter& waiter) {
  for (;;) {
    const void* location = waiter.location.load(std::memory_order_relaxed);
    Bucket& bucket = bucketOf(location);
    std::lock_guard lock(bucket.lock);
    if (waiter.location.load(std::memory_order_relaxed) != location)
      continue;  // it was moved to another queue meanwhile
    if (!waiter.isQueued) return false;
    bucket.remove(waiter);
    bucket.countOff(1);
    return true;
  }
}

/// Lets all who wait at `source` wait at `target`, behind those that do already.
void moveAll(Bucket& from, const void* source, Bucket& to, const void* target) {
  Waiter* const end = to.last;
  for (Waiter* waiter = from.first; waiter;) {
    Waiter* following =
        waiter == end ? nullptr : waiter->next;  // in one bucket, what is moved comes up again
    if (waiter->location.load(std::memory_order_relaxed) == source) {
      from.remove(*waiter);
      waiter->location.store(target, std::memory_order_relaxed);
      to.append(*waiter);
      // In this order, so that whoever finds nobody in the one count finds the waiter in the other.
      to.countIn();
      from.countOff(1);
    }
    waiter = following;
  }
}

}  // namespace

FutexWait futexWait(const void* location, std::uint64_t expected, unsigned bytes,
                    std::optional<std::uint64_t> timeout) {
  KeepErrno keepErrno;
  const timespec deadline = timeout ? deadlineAfter(*timeout) : timespec{};
  Waiter waiter(location);
  {
    Bucket& bucket = bucketOf(location);
    std::lock_guard lock(bucket.lock);
    bucket.countIn();
    // Either this thread sees the value that was stored before a wake, or the wake sees that somebody waits.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (valueAt(location, bytes) != expected) {
      bucket.countOff(1);
      return FutexWait::Differs;
    }
    bucket.append(waiter);
  }
  if (waiter.sleep(timeout ? &deadline : nullptr)) return FutexWait::Woken;
  if (leaveQueue(waiter)) return FutexWait::TimedOut;
  waiter.sleep(nullptr);
  return FutexWait::Woken;
}

std::uint32_t futexWake(const void* location, std::uint32_t count) {
  Bucket& bucket = bucketOf(location);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (bucket.waiters.load(std::memory_order_relaxed) == 0) return 0;
  KeepErrno keepErrno;
  WakeList woken;
  std::lock_guard lock(bucket.lock);
  woken.take(bucket, location, count);
  return woken.size();
}

std::optional<std::uint32_t> futexRequeue(const void* source, const void* target, std::uint64_t expected,
                                          unsigned bytes, std::uint32_t count) {
  KeepErrno keepErrno;
  Bucket& from = bucketOf(source);
  Bucket& to = bucketOf(target);
  WakeList woken;
  std::unique_lock first(&from < &to ? from.lock : to.lock);
  std::unique_lock<std::mutex> second;
  if (&from != &to) second = std::unique_lock(&from < &to ? to.lock : from.lock);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (valueAt(source, bytes) != expected) return std::nullopt;
  woken.take(from, source, count);
  if (source != target) moveAll(from, source, to, target);
  return woken.size();
}

void lockFutexes() {
  for (Bucket& bucket : buckets) bucket.lock.lock();
}

void unlockFutexes() {
  for (Bucket& bucket : buckets) bucket.lock.unlock();
}

void forgetFutexWaiters() {
  for (Bucket& bucket : buckets) {
    bucket.first = bucket.last = nullptr;
    bucket.waiters.store(0, std::memory_order_relaxed);
  }
}

}  // namespace gaur::runtime

using namespace gaur;
using namespace gaur::runtime;

namespace {

/// A location in an object that NULL refers to is NULL, too.
void mustNotBeNull(const void* location) {
  if (reinterpret_cast<std::uintptr_t>(location) < kNullBytes)
    failHere(describe(abi::GuestFailure::NullAccess));
}

std::uint32_t threadCount(std::int32_t count) {
  if (count < 0) failHere("a futex wakes " + std::to_string(count) + " threads");
  return static_cast<std::uint32_t>(count);
}

std::int32_t resultOf(std::uint32_t woken) { return static_cast<std::int32_t>(woken); }

}  // namespace

extern "C" {

std::int32_t gaur_futexWait(void* location, std::uint64_t expected, std::uint32_t bytes) {
  mustNotBeNull(location);
  return static_cast<std::int32_t>(futexWait(location, expected, bytes));
}

std::int32_t gaur_futexWaitTimeout(void* location, std::uint64_t expected, std::uint32_t bytes,
                                   std::uint64_t nanoseconds) {
  mustNotBeNull(location);
  return static_cast<std::int32_t>(futexWait(location, expected, bytes, nanoseconds));
}

std::int32_t gaur_futexWake(void* location, std::int32_t count) {
  mustNotBeNull(location);
  return resultOf(futexWake(location, threadCount(count)));
}

std::int32_t gaur_futexRequeue(void* source, void* target, std::uint64_t expected, std::uint32_t bytes,
                               std::int32_t count) {
  mustNotBeNull(source);
  mustNotBeNull(target);
  auto woken = futexRequeue(source, target, expected, bytes, threadCount(count));
  return woken ? resultOf(*woken) : -1;
}

}  // extern "C"
