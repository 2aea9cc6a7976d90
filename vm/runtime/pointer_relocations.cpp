#include "vm/runtime/pointer_relocations.h"

#include <algorithm>
#include <utility>

namespace gaur::runtime {

PointerRelocations::~PointerRelocations() {
  for (Chunk* chunk = chunks_.load(std::memory_order_relaxed); chunk;)
    delete std::exchange(chunk, chunk->next);
}

void PointerRelocations::add(const void* object, PointerRelocation relocation) {
  std::lock_guard lock(mutex_);
  sweep();
  auto [known, isNew] = byField_.try_emplace(relocation.field);
  if (isNew) known->second = &freeEntry();
  Entry& entry = *known->second;
  entry.object = object;
  entry.relocation = std::move(relocation);
  entry.state.store(object ? State::Live : State::ForEver, std::memory_order_release);
}

void PointerRelocations::inherit(Source source) {
  std::lock_guard lock(mutex_);
  inherited_.push_back(std::move(source));
}

std::vector<PointerRelocation> PointerRelocations::entries() {
  std::lock_guard lock(mutex_);
  sweep();
  std::vector<PointerRelocation> result;
  result.reserve(byField_.size());
  for (const auto& [field, entry] : byField_) result.push_back(entry->relocation);
  for (const Source& source : inherited_)
    for (PointerRelocation& relocation : source())
      if (!byField_.contains(relocation.field)) result.push_back(std::move(relocation));
  std::sort(result.begin(), result.end(),
            [](const PointerRelocation& a, const PointerRelocation& b) { return a.field < b.field; });
  return result;
}

void PointerRelocations::afterMarking(bool (*isReachable)(const void* object)) {
  for (Chunk* chunk = chunks_.load(std::memory_order_acquire); chunk; chunk = chunk->next) {
    for (Entry& entry : chunk->entries) {
      if (entry.state.load(std::memory_order_acquire) != State::Live || isReachable(entry.object)) continue;
      entry.state.store(State::Dead, std::memory_order_relaxed);
      hasDead_.store(true, std::memory_order_relaxed);
    }
  }
}

PointerRelocations::Entry& PointerRelocations::freeEntry() {
  if (free_.empty()) {
    auto* chunk = new Chunk;
    for (Entry& entry : chunk->entries) free_.push_back(&entry);
    chunk->next = chunks_.load(std::memory_order_relaxed);
    chunks_.store(chunk, std::memory_order_release);
  }
  Entry& entry = *free_.back();
  free_.pop_back();
  return entry;
}

void PointerRelocations::sweep() {
  if (!hasDead_.exchange(false, std::memory_order_relaxed)) return;
  std::erase_if(byField_, [&](const auto& known) {
    Entry& entry = *known.second;
    if (entry.state.load(std::memory_order_relaxed) != State::Dead) return false;
    entry.state.store(State::Free, std::memory_order_relaxed);
    free_.push_back(&entry);
    return true;
  });
}

}  // namespace gaur::runtime
