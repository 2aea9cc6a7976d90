// A sparse array from Id to pointer: reserved address space for millions of entries at a time, made as it is
// needed, so that a table costs little before it is used, and pages whose entries are all gone cost nothing
// again. Readers need no lock: an entry is published with release order and never moves.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "vm/support/check.h"
#include "vm/support/ids.h"
#include "vm/support/platform.h"

namespace gaur {

template <class T>
class IdTable {
 public:
  IdTable() = default;
  ~IdTable() {
    for (auto& chunk : root_)
      if (Entry* entries = chunk.load(std::memory_order_relaxed)) platform::release(entries, kChunkBytes);
  }
  IdTable(const IdTable&) = delete;
  IdTable& operator=(const IdTable&) = delete;

  /// The entry, or null.
  T* get(Id id) const {
    const Entry* entries = root_[id >> kChunkBits].load(std::memory_order_acquire);
    return entries ? entries[id & kChunkMask].load(std::memory_order_acquire) : nullptr;
  }

  /// Writers must exclude each other.
  void set(Id id, T* value) {
    Entry* entries = root_[id >> kChunkBits].load(std::memory_order_relaxed);
    if (!entries) {
      if (!value) return;
      entries = static_cast<Entry*>(platform::reserveZeroed(kChunkBytes));
      GAUR_CHECK(entries, "no address space for a table of IDs");
      root_[id >> kChunkBits].store(entries, std::memory_order_release);
    }
    const std::size_t index = id & kChunkMask, page = index / kPageEntries;
    // Memory that was read before it is written to faults twice.
    T* old = entries[index].exchange(value, std::memory_order_acq_rel);
    if ((old == nullptr) == (value == nullptr)) return;
    std::uint16_t& used = usesOf(entries)[page];
    if (value) {
      ++used;
      firstPage_ = std::min(firstPage_, page);
      lastPage_ = std::max(lastPage_, page);
    } else if (--used == 0) {
      // Reads as null all the while.
      platform::discard(entries + page * kPageEntries, kPageBytes);
    }
  }

  /// Takes out all entries. Nobody else reads or writes; the address space stays.
  void clear() {
    for (auto& chunk : root_) {
      Entry* entries = chunk.load(std::memory_order_relaxed);
      if (!entries) continue;
      if (firstPage_ > lastPage_) break;
      std::uint16_t* const used = usesOf(entries);
      auto* const end = used + lastPage_ + 1;
      auto isUsed = [](std::uint16_t count) { return count != 0; };
      for (auto* first = std::find_if(used + firstPage_, end, isUsed); first != end;
           first = std::find_if(first, end, isUsed)) {
        auto* const last = std::find(first, end, 0);
        const auto page = static_cast<std::size_t>(first - used),
                   pages = static_cast<std::size_t>(last - first);
        platform::discard(entries + page * kPageEntries, pages * kPageBytes);
        std::fill(first, last, 0);
        first = last;
      }
    }
    firstPage_ = kChunkEntries;
    lastPage_ = 0;
  }

 private:
  using Entry = std::atomic<T*>;
  static constexpr unsigned kChunkBits = 24;
  static constexpr std::size_t kChunkEntries = std::size_t{1} << kChunkBits;
  static constexpr Id kChunkMask = static_cast<Id>(kChunkEntries - 1);
  static constexpr std::size_t kPageBytes = 4096;
  static constexpr std::size_t kPageEntries = kPageBytes / sizeof(Entry);
  /// The entries, then for each page of them how many are in use.
  static constexpr std::size_t kChunkBytes =
      kChunkEntries * sizeof(Entry) + kChunkEntries / kPageEntries * sizeof(std::uint16_t);
  static_assert(kChunkBytes % kPageBytes == 0);

  /// How many entries of each page are in use.
  static std::uint16_t* usesOf(Entry* entries) {
    return reinterpret_cast<std::uint16_t*>(entries + kChunkEntries);
  }

  std::array<std::atomic<Entry*>, std::size_t{1} << (32 - kChunkBits)> root_{};
  /// The pages of all chunks that clear() has to look at; none if the first is behind the last.
  std::size_t firstPage_ = kChunkEntries, lastPage_ = 0;
};

}  // namespace gaur
