#include "vm/runtime/stack.h"

#include <sanitizer/asan_interface.h>

#include <algorithm>
#include <utility>

#include "vm/support/check.h"
#include "vm/support/platform.h"

namespace gaur::runtime {

namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 30;
constexpr std::size_t kLeastBytes = std::size_t{1} << 30;

}  // namespace

void Stack::forgetFrames() {
  std::uintptr_t usable = begin_ + guardBytes_;
  ASAN_UNPOISON_MEMORY_REGION(reinterpret_cast<void*>(usable), end_ - usable);
  (void)usable;
}

void Stack::begin(abi::StackObject& fresh) {
  fresh.top = fresh.leftTop = end_;
  fresh.limit = limit();
  fresh.stack = this;
  object = &fresh;
}

void Stack::end() {
  // In this order: where nothing else refers to the object any more, a collection would end this life, too.
  abi::StackObject* ended = std::exchange(object, nullptr);
  std::atomic_signal_fence(std::memory_order_release);
  ended->savedPointer = ended->leftPointer = nullptr;
  ended->stack = nullptr;
  guards = nullptr;
  forgetFrames();
}

StackArena::StackArena() {
  // Systems that count promised memory give less.
  void* memory = nullptr;
  for (bytes_ = kMostBytes; bytes_ >= kLeastBytes && !memory; bytes_ /= 2)
    memory = platform::reserveZeroed(bytes_ + kSlotBytes);
  GAUR_CHECK(memory != nullptr, "the system gives no address space for stacks");
  bytes_ *= 2;
  mapping_ = memory;
  begin_ = (reinterpret_cast<std::uintptr_t>(memory) + kSlotBytes - 1) & ~(kSlotBytes - 1);
  slotTableBytes_ = platform::roundToPages((bytes_ >> kSlotShift) * sizeof(abi::StackMemory*));
  slots_ = static_cast<abi::StackMemory**>(platform::reserveZeroed(slotTableBytes_));
  GAUR_CHECK(slots_ != nullptr, "the system gives no memory for the table of stacks");
}

StackArena::~StackArena() {
  for (Stack* stack = all_; stack;) delete std::exchange(stack, stack->nextOfAll_);
  platform::release(slots_, slotTableBytes_);
  platform::release(mapping_, bytes_ + kSlotBytes);
}

Stack* StackArena::take(std::size_t bytes) {
  std::size_t guard = platform::pageSize();
  if (bytes > bytes_) return nullptr;
  std::size_t slots = (bytes + guard + Stack::kReserve + kSlotBytes - 1) >> kSlotShift;
  std::lock_guard lock(mutex_);
  for (Stack* dead = unreachable_.exchange(nullptr, std::memory_order_acquire); dead;)
    giveBackLocked(std::exchange(dead, dead->nextFree_));
  if (auto found = free_.find(slots); found != free_.end() && !found->second.empty()) {
    Stack* stack = found->second.back();
    found->second.pop_back();
    return stack;
  }
  if (((usedSlots_ + slots) << kSlotShift) > bytes_) return nullptr;
  fresh_.fetch_add(1, std::memory_order_relaxed);
  auto* stack = new Stack;
  stack->begin_ = begin_ + (usedSlots_ << kSlotShift);
  stack->end_ = stack->begin_ + (slots << kSlotShift);
  if (guards_ < kMostGuards &&
      platform::protect(reinterpret_cast<void*>(stack->begin_), guard, platform::Access::None)) {
    stack->guardBytes_ = guard;
    ++guards_;
  }
  for (std::size_t i = 0; i < slots; ++i)
    __atomic_store_n(&slots_[usedSlots_ + i], static_cast<abi::StackMemory*>(stack), __ATOMIC_RELEASE);
  usedSlots_ += slots;
  stack->nextOfAll_ = all_.load(std::memory_order_relaxed);
  all_.store(stack, std::memory_order_release);
  return stack;
}

void StackArena::giveBack(Stack* stack) {
  std::lock_guard lock(mutex_);
  giveBackLocked(stack);
}

void StackArena::giveBackLocked(Stack* stack) {
  GAUR_CHECK(!stack->object, "a stack is given back alive");
  auto& free = free_[(stack->end_ - stack->begin_) >> kSlotShift];
  if (free.size() >= kWarmStacks) {
    std::uintptr_t usable = stack->begin_ + stack->guardBytes_;
    platform::discard(reinterpret_cast<void*>(usable), stack->end_ - usable);
  }
  free.push_back(stack);
}

void StackArena::endUnreachable(bool (*isReachable)(const void* object)) {
  std::size_t alive = 0;
  for (Stack* stack = all_.load(std::memory_order_acquire); stack; stack = stack->nextOfAll_) {
    if (!stack->object) continue;
    if (isReachable(stack->object)) {
      ++alive;
      continue;
    }
    stack->end();  // a finalizer may still see the object
    stack->nextFree_ = unreachable_.load(std::memory_order_relaxed);
    unreachable_.store(stack, std::memory_order_release);
  }
  fresh_.store(0, std::memory_order_relaxed);
  collectAt_.store(std::max(alive, kLeastToCollect), std::memory_order_relaxed);
}

Stack* StackArena::find(std::uintptr_t address) const {
  return contains(address) ? static_cast<Stack*>(
                                 __atomic_load_n(&slots_[(address - begin_) >> kSlotShift], __ATOMIC_ACQUIRE))
                           : nullptr;
}

gc::StackRange StackArena::rangeAt(std::uintptr_t address) const {
  const Stack* stack = find(address);
  if (!stack) return {};
  return {stack->begin_ + stack->guardBytes_, stack->end_, stack->object};
}

StackCache::~StackCache() {
  while (free_) arena_.giveBack(std::exchange(free_, free_->nextFree_));
}

void StackCache::giveBack(Stack* stack) {
  if (!arena_.isSmall(*stack) || count_ == kMost) return arena_.giveBack(stack);
  stack->nextFree_ = free_;
  free_ = stack;
  ++count_;
}

}  // namespace gaur::runtime
