// A sparse array from Id to pointer, in pages. Readers need no lock: a page pointer and an entry are each
// published with release order and never move.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "vm/support/ids.h"

namespace gaur {

template <class T>
class IdTable {
 public:
  /// The directory is zero pages of the system, touched only where there are IDs: a table costs nothing
  /// before it is used.
  IdTable()
      : directory_(static_cast<std::atomic<Page*>*>(std::calloc(kDirectory, sizeof(std::atomic<Page*>)))) {
    if (!directory_) throw std::bad_alloc();
  }
  ~IdTable() {
    for (std::size_t i = first_; i < end_; ++i) delete directory_[i].load(std::memory_order_relaxed);
    std::free(directory_);
  }
  IdTable(const IdTable&) = delete;
  IdTable& operator=(const IdTable&) = delete;

  /// The entry, or null.
  T* get(Id id) const {
    Page* page = directory_[id >> kPageBits].load(std::memory_order_acquire);
    return page ? (*page)[id & kPageMask].load(std::memory_order_acquire) : nullptr;
  }

  /// Writers must exclude each other.
  void set(Id id, T* value) {
    std::atomic<Page*>& slot = directory_[id >> kPageBits];
    Page* page = slot.load(std::memory_order_relaxed);
    if (!page) {
      page = new Page{};
      first_ = std::min<std::size_t>(first_, id >> kPageBits);
      end_ = std::max<std::size_t>(end_, (id >> kPageBits) + 1);
      slot.store(page, std::memory_order_release);
    }
    (*page)[id & kPageMask].store(value, std::memory_order_release);
  }

 private:
  static constexpr unsigned kPageBits = 12;
  static constexpr Id kPageMask = (Id{1} << kPageBits) - 1;
  static constexpr std::size_t kDirectory = std::size_t{1} << (32 - kPageBits);
  using Page = std::array<std::atomic<T*>, std::size_t{1} << kPageBits>;

  std::atomic<Page*>* directory_;
  // Bounds of the used part of the directory, for the destructor.
  std::size_t first_ = kDirectory;
  std::size_t end_ = 0;
};

}  // namespace gaur
