// Memory layout of types: the C layout of the platform (map, ML-layout), and the map of what the collector
// must look at in them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "vm/ir/type.h"

namespace gaur::abi {

/// Strong: a reference to an object as a whole. Interior: an iref, which may also be the address of a global
/// cell. Code: a funcref or ufuncptr, which is no address in the heap, but may be one that somebody owns
/// (code_owner.h). StackExtent: two words, the begin and the end of memory that may hold anything
/// (StackObject::savedPointer and top, leftPointer and leftTop); nothing where the begin is null. Owned: a
/// pointer to OwnedReferences, or null. The last two only in objects of the runtime.
enum class SlotKind : std::uint8_t { Strong, Weak, Tagged, Interior, Code, StackExtent, Owned };

/// What the collector looks at: one word, or a StackExtent.
struct GcSlot {
  std::uint32_t offset;
  SlotKind kind;
};

struct GcMap;
/// `count` copies of `element`, `stride` bytes apart: arrays that are not worth unrolling.
struct GcRepeat {
  std::uint64_t offset;
  std::uint64_t count;
  std::uint64_t stride;
  const GcMap* element;
};
struct GcMap {
  std::span<const GcSlot> slots;
  std::span<const GcRepeat> repeats;
  bool isEmpty() const { return slots.empty() && repeats.empty(); }
};

struct Layout {
  /// Null for objects of the runtime (stack_object.h): no type of a program is theirs.
  const ir::Type* type = nullptr;
  /// Of an object of the runtime.
  const char* runtimeName = nullptr;
  /// Bytes; for a hybrid, of the fixed part, up to the variable part.
  std::uint64_t size = 0;
  std::uint32_t alignment = 1;
  /// Field by field: struct, and the fixed fields of a hybrid.
  std::span<const std::uint64_t> offsets;
  /// Distance of elements: array, vector, a hybrid's variable part.
  std::uint64_t stride = 0;
  /// Of the fixed part.
  GcMap map;
  /// Of one element of a hybrid's variable part; null otherwise.
  const GcMap* variableMap = nullptr;

  bool isHybrid() const { return variableMap != nullptr; }
  /// Objects of the type start at multiples of 16. Hybrids do, so that vector instructions over their
  /// elements never cross a cache line.
  bool isWide() const { return alignment > 8 || isHybrid(); }
  bool isPointerFree() const { return map.isEmpty() && (!variableMap || variableMap->isEmpty()); }
  /// Bytes of an object, or nothing where that overflows. Hybrids get one byte more than they use, so that an
  /// iref past the last element still belongs to the object.
  bool payload(std::uint64_t length, std::uint64_t& bytes) const;
  /// For reports: the type as text, or what sort of object of the runtime it is.
  std::string name() const { return type ? ir::toString(type) : runtimeName; }
};

/// Layouts by Type::index, and those of the runtime's objects. Entries are made on demand, never move and
/// never change; look-up of an existing one is one load, safe in the collector's mark procedure.
class LayoutTable {
 public:
  /// The one of this process: canonical types, their numbers and their layouts are shared by all VMs in it.
  static LayoutTable& shared();

  LayoutTable();
  ~LayoutTable();
  LayoutTable(const LayoutTable&) = delete;
  LayoutTable& operator=(const LayoutTable&) = delete;

  /// Thread-safe. Requires: the type passed verification.
  const Layout& of(const ir::Type* type);
  /// Requires: of() was called for it, or it is one of the runtime's.
  const Layout& byIndex(std::uint32_t index) const { return *entries_[index]; }
  /// Whether byIndex may be called.
  bool knows(std::uint32_t index) const { return entries_[index] != nullptr; }

 private:
  struct Impl;
  const Layout* make(const ir::Type* type);
  void addRuntimeObjects();

  const Layout** entries_;  // reserved address space for every index
  std::unique_ptr<Impl> impl_;
};

/// Bytes an int<n> takes in memory: 1, 2, 4, 8, then multiples of 16.
std::uint64_t intBytes(std::uint64_t bits);

/// Calls f(address, SlotKind) for every word of the map in the object at `base`.
template <class F>
void forEachSlot(const GcMap& map, std::uintptr_t base, F&& f) {
  for (const GcSlot& slot : map.slots) f(reinterpret_cast<std::uint64_t*>(base + slot.offset), slot.kind);
  for (const GcRepeat& repeat : map.repeats)
    for (std::uint64_t i = 0; i < repeat.count; ++i)
      forEachSlot(*repeat.element, base + repeat.offset + i * repeat.stride, f);
}

template <class F>
void forEachSlotWithin(const GcRepeat& repeat, std::uintptr_t base, std::uintptr_t begin, std::uintptr_t end,
                       F&& f);

/// The same for the words that lie in [begin, end), in time that depends on their number and not on the
/// object's.
template <class F>
void forEachSlotWithin(const GcMap& map, std::uintptr_t base, std::uintptr_t begin, std::uintptr_t end,
                       F&& f) {
  for (const GcSlot& slot : map.slots) {
    std::uintptr_t address = base + slot.offset;
    std::uintptr_t bytes =
        slot.kind == SlotKind::StackExtent ? 2 * sizeof(std::uint64_t) : sizeof(std::uint64_t);
    if (address < end && address + bytes > begin) f(reinterpret_cast<std::uint64_t*>(address), slot.kind);
  }
  for (const GcRepeat& repeat : map.repeats) forEachSlotWithin(repeat, base, begin, end, f);
}

template <class F>
void forEachSlotWithin(const GcRepeat& repeat, std::uintptr_t base, std::uintptr_t begin, std::uintptr_t end,
                       F&& f) {
  std::uintptr_t first = base + repeat.offset;
  if (repeat.count == 0 || repeat.stride == 0 || first >= end) return;
  std::uint64_t from = begin > first ? (begin - first) / repeat.stride : 0;
  std::uint64_t to = std::min<std::uint64_t>(repeat.count, (end - first + repeat.stride - 1) / repeat.stride);
  for (std::uint64_t i = from; i < to; ++i)
    forEachSlotWithin(*repeat.element, first + i * repeat.stride, begin, end, f);
}

}  // namespace gaur::abi
