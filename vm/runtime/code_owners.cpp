#include "vm/runtime/code_owners.h"

#include <algorithm>
#include <utility>

#include "jit/code_slab.h"
#include "vm/abi/stack_object.h"
#include "vm/runtime/allocation.h"
#include "vm/support/check.h"
#include "vm/support/log.h"

namespace gaur::runtime {

namespace {

/// What the slab gives out: data by 16 bytes (records have 32), trampolines have 32, and other code 64.
constexpr unsigned kDataShift = 4;
constexpr unsigned kCodeShift = 5;

/// Collections come when so much waits for one, or half as much as is in use.
constexpr std::size_t kLeastBytes = std::size_t{1} << 20;
constexpr std::size_t kLeastOwners = 10'000;

thread_local constinit bool isReleasing = false;

/// The object is found by nothing but the stack until it is in the map.
void keep(const void* object) { asm volatile("" ::"r"(object) : "memory"); }

void push(std::atomic<CodeOwner*>& list, CodeOwner* owner, CodeOwner*& next) {
  next = list.load(std::memory_order_relaxed);
  while (!list.compare_exchange_weak(next, owner, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

}  // namespace

CodeOwners::~CodeOwners() {
  for (auto* list : {&added_, &known_, &dead_})
    for (CodeOwner* owner = list->load(); owner;) delete std::exchange(owner, owner->next_);
}

void CodeOwners::makeMaps() {
  data_.emplace(slab_.dataBegin(), jit::CodeSlab::kDataBytes, kDataShift);
  code_.emplace(slab_.codeBegin(), jit::CodeSlab::kCodeBytes, kCodeShift);
}

gc::OwnerMap& CodeOwners::mapOf(const void* address) const {
  auto& map = slab_.isCode(reinterpret_cast<std::uintptr_t>(address)) ? code_ : data_;
  return const_cast<gc::OwnerMap&>(*map);
}

void CodeOwners::setOwner(OwnedRange range, const void* object) {
  mapOf(range.begin).set(reinterpret_cast<std::uintptr_t>(range.begin), range.bytes, object);
}

CodeOwner* CodeOwners::add(Thread& thread, std::span<const OwnedRange> ranges, CodeOwner::Release release,
                           void* data, const abi::OwnedReferences* references, std::size_t bytes) {
  std::call_once(mapsMade_, [this] { makeMaps(); });
  auto* object = allocateRuntimeObject<abi::CodeOwnerObject>(thread, abi::kCodeOwnerType);
  if (!object) return nullptr;
  auto* owner = new CodeOwner;
  owner->object_ = object;
  owner->release_ = release;
  owner->data_ = data;
  owner->ranges_.assign(ranges.begin(), ranges.end());
  object->owner = owner;
  object->references = references;
  for (OwnedRange range : ranges) {
    setOwner(range, object);
    bytes += range.bytes;
  }
  push(added_, owner, owner->next_);
  keep(object);
  pressure_.fetch_add(bytes, std::memory_order_relaxed);
  addedSince_.fetch_add(1, std::memory_order_relaxed);
  addedCount_.fetch_add(1, std::memory_order_relaxed);
  if (wantsCollection()) isDue_.store(true, std::memory_order_relaxed);
  return owner;
}

void CodeOwners::extend(CodeOwner& owner, OwnedRange range) {
  std::lock_guard lock(mutex_);
  // A collection that finds the owner dead looks at the ranges; the caller sees to it that none does.
  owner.ranges_.push_back(range);
  setOwner(range, owner.object_);
}

void CodeOwners::withdraw(CodeOwner& owner, OwnedRange range) {
  std::lock_guard lock(mutex_);
  std::erase_if(owner.ranges_, [&](const OwnedRange& owned) { return owned.begin == range.begin; });
}

void CodeOwners::setReferences(CodeOwner& owner, const abi::OwnedReferences* references) {
  __atomic_store_n(&owner.object_->references, references, __ATOMIC_RELEASE);
}

CodeOwner* CodeOwners::ownerOf(const void* address) const {
  auto word = reinterpret_cast<std::uintptr_t>(address);
  if (!code_ || !(slab_.isCode(word) || word - slab_.dataBegin() < jit::CodeSlab::kDataBytes)) return nullptr;
  const auto* object = static_cast<const abi::CodeOwnerObject*>(mapOf(address).at(word));
  return object ? static_cast<CodeOwner*>(object->owner) : nullptr;
}

bool CodeOwners::giveUp(const void* address) {
  std::lock_guard lock(mutex_);
  CodeOwner* owner = ownerOf(address);
  if (!owner) return false;
  auto expected = CodeOwner::State::Alive;
  if (!owner->state_.compare_exchange_strong(expected, CodeOwner::State::GivenUp)) return false;
  for (OwnedRange range : owner->ranges_) setOwner(range, nullptr);
  keep(address);
  return true;
}

void CodeOwners::addPressure(std::size_t bytes) {
  pressure_.fetch_add(bytes, std::memory_order_relaxed);
  if (wantsCollection()) isDue_.store(true, std::memory_order_relaxed);
}

bool CodeOwners::wantsCollection() const {
  auto statistics = slab_.statistics();
  std::size_t live = statistics.codeUsed + statistics.dataUsed;
  return pressure_.load(std::memory_order_relaxed) > std::max(kLeastBytes, live / 2) ||
         addedSince_.load(std::memory_order_relaxed) >
             std::max(kLeastOwners, alive_.load(std::memory_order_relaxed));
}

void CodeOwners::work(Thread& thread) {
  if (isReleasing) return;
  thread.onNativeStack([&] {
    if (isDue_.exchange(false, std::memory_order_relaxed)) thread.vm().heap().collect();
    releaseDead();
  });
}

void CodeOwners::releaseDead() {
  isReleasing = true;
  std::uint64_t count = 0;
  for (CodeOwner* owner = dead_.exchange(nullptr, std::memory_order_acquire); owner; ++count) {
    if (owner->state_.load(std::memory_order_relaxed) == CodeOwner::State::Dead)
      owner->release_(owner->data_);
    delete std::exchange(owner, owner->next_);
  }
  isReleasing = false;
  releasedCount_.fetch_add(count, std::memory_order_relaxed);
  GAUR_LOG(Code, Debug, "{} owners of code released", count);
}

void CodeOwners::releaseAll() {
  do {
    releaseDead();
    for (auto* list : {&added_, &known_}) {
      for (CodeOwner* owner = list->exchange(nullptr); owner;) {
        CodeOwner* next = owner->next_;
        auto expected = CodeOwner::State::Alive;
        if (owner->state_.compare_exchange_strong(expected, CodeOwner::State::Dead))
          for (OwnedRange range : owner->ranges_) setOwner(range, nullptr);
        owner->object_->references = nullptr;
        push(dead_, owner, owner->next_);
        owner = next;
      }
    }
  } while (dead_.load(std::memory_order_relaxed));
}

void CodeOwners::pushRoots(gc::RootSink& sink) const {
  for (const PinTable& held : holds_) held.pushOwned(sink);
}

void CodeOwners::afterMarking(bool (*isReachable)(const void* object)) {
  std::size_t alive = 0;
  CodeOwner* survivors = nullptr;
  for (auto* list : {&added_, &known_}) {
    for (CodeOwner* owner = list->exchange(nullptr, std::memory_order_acquire); owner;) {
      CodeOwner* next = owner->next_;
      if (isReachable(owner->object_)) {
        owner->next_ = survivors;
        survivors = owner;
        ++alive;
      } else {
        // Its block is free from now on; a stale word may lead there before it is used again.
        owner->object_->references = nullptr;
        auto expected = CodeOwner::State::Alive;
        if (owner->state_.compare_exchange_strong(expected, CodeOwner::State::Dead))
          for (OwnedRange range : owner->ranges_) setOwner(range, nullptr);
        push(dead_, owner, owner->next_);
      }
      owner = next;
    }
  }
  known_.store(survivors, std::memory_order_release);
  alive_.store(alive, std::memory_order_relaxed);
  pressure_.store(0, std::memory_order_relaxed);
  isDue_.store(false, std::memory_order_relaxed);
  addedSince_.store(0, std::memory_order_relaxed);
}

CodeOwners::Statistics CodeOwners::statistics() const {
  return {alive_.load(std::memory_order_relaxed), addedCount_.load(std::memory_order_relaxed),
          releasedCount_.load(std::memory_order_relaxed)};
}

}  // namespace gaur::runtime
