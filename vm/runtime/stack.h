// The stacks of Mu code: where they lie, how big they are, and which one an address belongs to. A Stack is
// memory, which serves many lives; the StackObject of the present life is what stackrefs refer to. Neither
// knows of threads: a stack that does not run is a saved stack pointer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "gc/roots.h"
#include "vm/abi/stack_object.h"

namespace gaur::runtime {

/// A call from native code on a Mu stack into Mu code: a place to give up to. Lies on that stack.
struct StackGuard {
  StackGuard* outer;
  /// The stack's before the call.
  std::uint64_t cookie;
  void* savedPointer = nullptr;
  std::string report = {};
};

class Stack : public abi::StackMemory {
 public:
  /// Compiled code stops this far above the guard page: code of the runtime and of the collector runs there.
  static constexpr std::size_t kReserve = std::size_t{64} << 10;

  std::uintptr_t top() const { return end_; }
  /// Compiled code does not go below.
  std::uintptr_t limit() const { return begin_ + guardBytes_ + kReserve; }
  bool contains(std::uintptr_t address) const { return address - begin_ < end_ - begin_; }
  bool isGuard(std::uintptr_t address) const { return address - begin_ < guardBytes_; }
  /// Frames of C++ are given up without returning. AddressSanitizer, in its builds, has to hear of it: it
  /// marked the gaps in them.
  void forgetFrames();

  /// Begins a life: the object, which is fresh, becomes that of this stack, bound to nothing and standing
  /// nowhere.
  void begin(abi::StackObject& object);
  /// Ends it. References to the object remain, and find a dead stack.
  void end();

  /// Innermost first.
  StackGuard* guards = nullptr;

 private:
  friend class StackArena;
  friend class StackCache;
  Stack* nextFree_ = nullptr;
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

  /// Of a stack made by new_stack: one slot, of which compiled code gets what guard and reserve leave.
  static constexpr std::size_t kSmallBytes = std::size_t{128} << 10;

  /// A stack with at least `bytes` for compiled code; null when address space is exhausted. Thread-safe.
  Stack* take(std::size_t bytes);
  /// Requires: its life has ended.
  void giveBack(Stack* stack);
  bool isSmall(const Stack& stack) const { return stack.end_ - stack.begin_ == kSlotBytes; }

  /// Whether so many stacks were made from fresh memory since the last collection that one may free some:
  /// stacks are no load of the heap's that would start one.
  bool wantsCollection() const {
    return fresh_.load(std::memory_order_relaxed) > collectAt_.load(std::memory_order_relaxed);
  }

  /// With the world stopped: ends the lives of stacks whose object nothing reaches. Their memory is taken
  /// back by the next `take` that needs it.
  void endUnreachable(bool (*isReachable)(const void* object));

  bool contains(std::uintptr_t address) const { return address - begin_ < bytes_; }
  /// The stack that `address` lies in, its guard included, or null. Signal-safe.
  Stack* find(std::uintptr_t address) const;
  /// The object of the stack that `address` lies in, or null. Signal-safe.
  abi::StackObject* objectAt(std::uintptr_t address) const {
    const Stack* stack = find(address);
    return stack ? stack->object : nullptr;
  }
  /// How compiled code finds the stack it stands on.
  abi::StackTable table() const { return {begin_, bytes_, slots_ - (begin_ >> kSlotShift)}; }
  /// Signal-safe.
  gc::StackRange rangeAt(std::uintptr_t address) const;
  /// Held over a fork of the process.
  std::mutex& forkLock() { return mutex_; }

  /// Calls f(stack) for every stack ever made. May run while other threads are stopped anywhere.
  template <class F>
  void forEach(F&& f) const {
    for (const Stack* stack = all_.load(std::memory_order_acquire); stack; stack = stack->nextOfAll_)
      f(*stack);
  }

 private:
  static constexpr unsigned kSlotShift = abi::StackTable::kSlotShift;
  static constexpr std::size_t kSlotBytes = std::size_t{1} << kSlotShift;
  /// Each guard page splits a mapping in two, and the system allows some 65,000 of them. Stacks beyond this
  /// number rely on the checks of compiled code alone.
  static constexpr std::size_t kMostGuards = 25'000;
  /// A stack that goes back keeps its memory while there are few.
  static constexpr std::size_t kWarmStacks = 64;

  std::uintptr_t begin_ = 0;
  std::size_t bytes_ = 0;
  void* mapping_ = nullptr;
  abi::StackMemory** slots_ = nullptr;
  std::size_t slotTableBytes_ = 0;
  std::atomic<Stack*> all_{nullptr};
  /// Found dead by the collector.
  std::atomic<Stack*> unreachable_{nullptr};

  static constexpr std::size_t kLeastToCollect = 4096;
  std::atomic<std::size_t> fresh_{0};
  std::atomic<std::size_t> collectAt_{kLeastToCollect};

  void giveBackLocked(Stack* stack);

  std::mutex mutex_;
  std::size_t usedSlots_ = 0;
  std::size_t guards_ = 0;
  std::map<std::size_t, std::vector<Stack*>> free_;  // by number of slots
};

/// Small stacks that one thread keeps for itself, so that making and ending one takes no lock.
class StackCache {
 public:
  explicit StackCache(StackArena& arena) : arena_(arena) {}
  ~StackCache();
  StackCache(const StackCache&) = delete;
  StackCache& operator=(const StackCache&) = delete;

  Stack* take() {
    Stack* stack = free_;
    if (!stack) return arena_.take(StackArena::kSmallBytes);
    free_ = stack->nextFree_;
    --count_;
    return stack;
  }
  /// Requires: its life has ended.
  void giveBack(Stack* stack);

 private:
  static constexpr unsigned kMost = 32;
  StackArena& arena_;
  Stack* free_ = nullptr;
  unsigned count_ = 0;
};

}  // namespace gaur::runtime
