// A map from names to small values for the parser: open addressing over string views into the source, cleared
// in time proportional to what was entered, so that one map serves block after block.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace gaur::ir {

template <class V>
class NameMap {
 public:
  struct Entry {
    std::string_view name;
    V value;
    std::uint32_t hash;
    std::uint32_t slot;
  };

  NameMap() : slots_(kFirstSize, 0) {}

  /// The entry, or null. Pointers stay valid until the next insertion.
  Entry* find(std::string_view name) {
    std::uint32_t index = slots_[slotOf(name, hashOf(name))];
    return index == 0 ? nullptr : &entries_[index - 1];
  }

  /// The entry of `name`, made with `value` if there was none; `second` tells whether it is new.
  std::pair<Entry*, bool> insert(std::string_view name, V value) {
    std::uint32_t hash = hashOf(name);
    std::size_t slot = slotOf(name, hash);
    if (slots_[slot] != 0) return {&entries_[slots_[slot] - 1], false};
    if ((entries_.size() + 1) * 2 > slots_.size()) {
      grow();
      slot = slotOf(name, hash);
    }
    entries_.push_back({name, value, hash, static_cast<std::uint32_t>(slot)});
    slots_[slot] = static_cast<std::uint32_t>(entries_.size());
    return {&entries_.back(), true};
  }

  void clear() {
    for (const Entry& entry : entries_) slots_[entry.slot] = 0;
    entries_.clear();
  }

  /// In order of insertion.
  std::vector<Entry>& entries() { return entries_; }

 private:
  static constexpr std::size_t kFirstSize = 64;

  static std::uint32_t hashOf(std::string_view name) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>{}(name));
  }

  std::size_t slotOf(std::string_view name, std::uint32_t hash) const {
    std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash & mask;
    while (slots_[slot] != 0) {
      const Entry& entry = entries_[slots_[slot] - 1];
      if (entry.hash == hash && entry.name == name) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  std::size_t freeSlot(std::uint32_t hash) const {
    std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    return slot;
  }

  void grow() {
    slots_.assign(slots_.size() * 2, 0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      std::size_t slot = freeSlot(entries_[i].hash);
      slots_[slot] = static_cast<std::uint32_t>(i + 1);
      entries_[i].slot = static_cast<std::uint32_t>(slot);
    }
  }

  std::vector<std::uint32_t> slots_;  // index into entries_ + 1; 0 = free
  std::vector<Entry> entries_;
};

}  // namespace gaur::ir
