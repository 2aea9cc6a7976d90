// The stacks of Mu code: where they lie, how big they are, and which one an address belongs to. A stack knows nothing of threads: one that does not
// run is a saved stack pointer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "gc/roots.h"

namespace gaur::runtime {

class Stack {
 public:
  /// Compiled code stops this far above the guard page: code of the runtime and of the collector runs there.
  static constexpr std::size_t kReserve = std::size_t{64} << 10;

  std::uintptr_t top() const { return end_; }
  /// Compiled code does not go below.
  std::uintptr_t limit() const { return begin_ + guardBytes_ + kReserve; }
  bool contains(std::uintptr_t address) const { return address - begin_ < end_ - begin_; }
  bool isGuard(std::uintptr_t address) const { return address - begin_ < guardBytes_; }
  /// Frames of C++ are given up without returning. AddressSanitizer, in its builds, has to hear of it: it marked the gaps in them.
  void forgetFrames();

  /// Where it stands while it does not run, the registers that survive lying above; null while it runs or is not in use. The collector reads it
  /// at any time.
  void* savedPointer = nullptr;

 private:
  friend class StackArena;
  std::uintptr_t begin_ = 0;
  std::uintptr_t end_ = 0;
  std::size_t guardBytes_ = 0;
  Stack* nextOfAll_ = nullptr;
};

/// Address space divided into slots of equal size: from an address to its stack is a shift and a load.
class StackArena {
 public:
  StackArena();
  ~StackArena();
  StackArena(const StackArena&) = delete;
  StackArena& operator=(const StackArena&) = delete;

  /// A stack with `bytes` for compiled code; null when address space is exhausted. Thread-safe.
  Stack* take(std::size_t bytes);
  void giveBack(Stack* stack);

  bool contains(std::uintptr_t address) const { return address - begin_ < bytes_; }
  /// The stack that `address` lies in, its guard included, or null. Signal-safe.
  Stack* find(std::uintptr_t address) const;
  /// Signal-safe.
  gc::StackRange rangeAt(std::uintptr_t address) const;
  /// Calls f(stack) for every stack ever made. May run while other threads are stopped anywhere.
  template <class F>
  void forEach(F&& f) const {
    for (const Stack* stack = all_.load(std::memory_order_acquire); stack; stack = stack->nextOfAll_) f(*stack);
  }

 private:
  static constexpr unsigned kSlotShift = 18;
  static constexpr std::size_t kSlotBytes = std::size_t{1} << kSlotShift;
  /// Each guard page splits a mapping in two, and the system allows some 65,000 of them. Stacks beyond this number rely on the checks of
  /// compiled code alone.
  static constexpr std::size_t kMostGuards = 25'000;
  /// A stack that goes back keeps its memory while there are few.
  static constexpr std::size_t kWarmStacks = 64;

  std::uintptr_t begin_ = 0;
  std::size_t bytes_ = 0;
  void* mapping_ = nullptr;
  Stack** slots_ = nullptr;
  std::size_t slotTableBytes_ = 0;
  std::atomic<Stack*> all_{nullptr};

  std::mutex mutex_;
  std::size_t usedSlots_ = 0;
  std::size_t guards_ = 0;
  std::map<std::size_t, std::vector<Stack*>> free_;  // by number of slots
};

}  // namespace gaur::runtime
