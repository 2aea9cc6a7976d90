// A sparse array from Id to pointer: three levels of tables, made as they are needed, so that a table costs
// little before it is used. Readers need no lock: a table pointer and an entry are each published with
// release order and never move.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "vm/support/ids.h"

namespace gaur {

template <class T>
class IdTable {
 public:
  IdTable() = default;
  IdTable(const IdTable&) = delete;
  IdTable& operator=(const IdTable&) = delete;

  /// The entry, or null.
  T* get(Id id) const {
    Directory* directory = root_[id >> (kPageBits + kDirectoryBits)].load(std::memory_order_acquire);
    if (!directory) return nullptr;
    Page* page = (*directory)[(id >> kPageBits) & kDirectoryMask].load(std::memory_order_acquire);
    return page ? (*page)[id & kPageMask].load(std::memory_order_acquire) : nullptr;
  }

  /// Writers must exclude each other.
  void set(Id id, T* value) {
    Directory& directory = made(root_[id >> (kPageBits + kDirectoryBits)], directories_);
    Page& page = made(directory[(id >> kPageBits) & kDirectoryMask], pages_);
    page[id & kPageMask].store(value, std::memory_order_release);
  }

 private:
  static constexpr unsigned kPageBits = 12;
  static constexpr unsigned kDirectoryBits = 10;
  static constexpr Id kPageMask = (Id{1} << kPageBits) - 1;
  static constexpr Id kDirectoryMask = (Id{1} << kDirectoryBits) - 1;
  using Page = std::array<std::atomic<T*>, std::size_t{1} << kPageBits>;
  using Directory = std::array<std::atomic<Page*>, std::size_t{1} << kDirectoryBits>;

  template <class Table>
  static Table& made(std::atomic<Table*>& slot, std::vector<std::unique_ptr<Table>>& owner) {
    Table* table = slot.load(std::memory_order_relaxed);
    if (!table) {
      table = owner.emplace_back(std::make_unique<Table>()).get();
      slot.store(table, std::memory_order_release);
    }
    return *table;
  }

  std::array<std::atomic<Directory*>, std::size_t{1} << (32 - kPageBits - kDirectoryBits)> root_{};
  std::vector<std::unique_ptr<Directory>> directories_;
  std::vector<std::unique_ptr<Page>> pages_;
};

}  // namespace gaur
