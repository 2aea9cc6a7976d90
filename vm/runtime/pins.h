// The multiset of pinned objects (specification, chapter "Native interface"). The heap does not move objects,
// so a pin is only a root.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "gc/roots.h"

namespace gaur::runtime {

class PinTable {
 public:
  PinTable();
  ~PinTable();
  PinTable(const PinTable&) = delete;
  PinTable& operator=(const PinTable&) = delete;

  /// Thread-safe. NULL is not counted.
  void pin(void* address);
  /// False where the address is not pinned.
  bool unpin(void* address);
  /// Different addresses that are pinned.
  std::size_t size() const { return used_; }

  /// Those addresses.
  std::vector<const void*> addresses() const;

  /// In a collection, while a stopped thread may be in the middle of pin or unpin.
  void push(gc::RootSink& sink) const;
  /// The same where none is an iref, which may lie just behind what it keeps.
  void pushOwned(gc::RootSink& sink) const;

  /// Held over a fork of the process.
  std::mutex& forkLock() { return mutex_; }

 private:
  struct Entry {
    std::uintptr_t address;
    std::uint64_t count;
  };
  /// Followed by mask + 1 entries.
  struct Table {
    std::size_t mask;
    Entry& operator[](std::size_t i) { return reinterpret_cast<Entry*>(this + 1)[i & mask]; }
  };
  static Table* make(std::size_t entries);
  static std::size_t place(std::uintptr_t address) {
    return static_cast<std::size_t>(address * 0x9e3779b97f4a7c15 >> 20);
  }
  Entry& find(std::uintptr_t address) const;
  template <class F>
  void forEachAddress(F&& f) const;
  void grow();
  void remove(Entry& entry);

  // Linear probing. At every instruction each pinned address is in the table that table_ points to, maybe
  // twice.
  mutable std::mutex mutex_;
  Table* table_;
  std::size_t used_ = 0;
};

}  // namespace gaur::runtime
