// Small objects are done at once. Big ones are done in pieces, lest they flood the mark stack: dense arrays
// of references are left to Boehm as address ranges, everything else continues by an entry that names the
// object and the number of slots already done, or the rest of a stack's memory.
#include "gc/mark_procedure.h"

#include <algorithm>

#include "gc/marked_range.h"
#include "gc/owner_map.h"
#include "gc/watched_memory.h"
#include "vm/abi/code_owner.h"
#include "vm/support/check.h"
#include "vm/support/platform.h"

namespace gaur::gc {

using abi::GcMap;
using abi::GcRepeat;
using abi::GcSlot;
using abi::SlotKind;

namespace {

constexpr std::uint64_t kSlotsPerPiece = 512;
constexpr std::uint64_t kWordsPerPiece = 512;
/// Shorter arrays are not worth an entry of their own.
constexpr std::uint64_t kShortArray = 64;
constexpr std::size_t kWeakSlotBytes = std::size_t{1} << 34;

/// An entry of Boehm's mark stack, which its public header keeps opaque although mark procedures are told to
/// push such entries.
struct MarkStackEntry {
  void* start;
  GC_word descriptor;
};

const abi::LayoutTable* layouts;
unsigned markProcedure;
unsigned wordsProcedure;
std::uint64_t** weakSlots;
std::size_t weakSlotCount;
bool weakSlotsWanted;

inline GC_ms_entry* push(void* target, GC_ms_entry* top, GC_ms_entry* limit, std::uint64_t* slot) {
  return GC_MARK_AND_PUSH(target, top, limit, reinterpret_cast<void**>(slot));
}

/// False where there is no room; pushing targets one by one then makes Boehm enlarge the mark stack.
bool pushEntry(void* start, GC_word descriptor, GC_ms_entry*& top, GC_ms_entry* limit) {
  auto* entry = reinterpret_cast<MarkStackEntry*>(top) + 1;
  if (entry >= reinterpret_cast<MarkStackEntry*>(limit)) return false;
  *entry = {start, descriptor};
  top = reinterpret_cast<GC_ms_entry*>(entry);
  return true;
}

/// Out of line, since few words have owners.
[[gnu::noinline]] GC_ms_entry* pushOwners(std::uint64_t address, CellMark how, Fit fit, GC_ms_entry* top,
                                          GC_ms_entry* limit) {
  markCells(address, how);
  forEachOwner(address, fit,
               [&](const void* owner) { top = push(const_cast<void*>(owner), top, limit, nullptr); });
  return top;
}

GC_ms_entry* markOwned(const abi::OwnedReferences* references, GC_ms_entry* top, GC_ms_entry* limit);

/// Out of line, since stacks are rare among objects.
[[gnu::noinline]] GC_ms_entry* markExtent(const std::uint64_t* extent, GC_ms_entry* top, GC_ms_entry* limit) {
  if (extent[0] == 0) return top;
  return markWords(reinterpret_cast<GC_word*>(extent[0]), top, limit,
                   (extent[1] - extent[0]) / sizeof(GC_word));
}

inline GC_ms_entry* markSlot(std::uint64_t* slot, SlotKind kind, GC_ms_entry* top, GC_ms_entry* limit) {
  std::uint64_t word = *slot;
  switch (kind) {
    case SlotKind::Strong: return push(reinterpret_cast<void*>(word), top, limit, slot);
    case SlotKind::Tagged:
      if (!abi::tagrefHoldsRef(word)) return top;
      return push(reinterpret_cast<void*>(abi::tagrefAddress(word)), top, limit, slot);
    case SlotKind::Weak:
      if (word == 0) return top;
      if (!weakSlotsWanted) return push(reinterpret_cast<void*>(abi::revealWeak(word)), top, limit, slot);
      addWeakSlot(slot);
      return top;
    case SlotKind::Interior:
      if (mayHaveOwner(word)) return pushOwners(word, CellMark::Value, Fit::MayLieBehind, top, limit);
      return push(reinterpret_cast<void*>(word), top, limit, slot);
    case SlotKind::Code:
      return mayHaveOwner(word) ? pushOwners(word, CellMark::Value, Fit::Exact, top, limit) : top;
    case SlotKind::StackExtent: return markExtent(slot, top, limit);
    case SlotKind::Owned: return markOwned(reinterpret_cast<const abi::OwnedReferences*>(word), top, limit);
  }
  return top;
}

/// All at once: cells of one bundle. Where they overflow the mark stack, Boehm starts over with a bigger one.
[[gnu::noinline]] GC_ms_entry* markOwned(const abi::OwnedReferences* references, GC_ms_entry* top,
                                         GC_ms_entry* limit) {
  if (!references) return top;
  for (const abi::OwnedCell& cell : references->cells)
    abi::forEachSlot(*cell.map, reinterpret_cast<std::uintptr_t>(cell.base),
                     [&](std::uint64_t* slot, SlotKind kind) { top = markSlot(slot, kind, top, limit); });
  for (std::uintptr_t address : references->addresses)
    top = pushOwners(address, CellMark::Value, Fit::Exact, top, limit);
  return top;
}

/// Whether Boehm would find everything in it. The answer does not change during a collection.
bool isDense(const GcRepeat& repeat) {
  const GcMap& map = *repeat.element;
  if (repeat.count <= kShortArray || repeat.stride != sizeof(void*) || !map.repeats.empty() ||
      map.slots.size() != 1)
    return false;
  const SlotKind kind = map.slots[0].kind;
  return kind == SlotKind::Strong || (kind == SlotKind::Interior && ownedSpan.isEmpty());
}

std::uint64_t work(const GcMap& map);
std::uint64_t work(const GcRepeat& repeat) {
  return isDense(repeat) ? 1 : repeat.count * work(*repeat.element);
}
/// Steps it takes to mark the slots of a map.
std::uint64_t work(const GcMap& map) {
  std::uint64_t steps = map.slots.size();
  for (const GcRepeat& repeat : map.repeats) steps += work(repeat);
  return steps;
}

/// One piece of a big object: steps `skip` to `skip + budget`, counted depth first.
class Piece {
 public:
  Piece(GC_ms_entry* top, GC_ms_entry* limit, std::uint64_t skip, std::uint64_t budget)
      : top_(top), limit_(limit), skip_(skip), budget_(budget) {}

  /// False when the budget is used up.
  bool mark(const GcMap& map, std::uintptr_t base) {
    std::uint64_t first = std::min<std::uint64_t>(skip_, map.slots.size());
    skip_ -= first;
    for (const GcSlot& slot : map.slots.subspan(first)) {
      if (budget_ == 0) return false;
      --budget_;
      top_ = markSlot(reinterpret_cast<std::uint64_t*>(base + slot.offset), slot.kind, top_, limit_);
    }
    return std::all_of(map.repeats.begin(), map.repeats.end(),
                       [&](const GcRepeat& repeat) { return mark(repeat, base); });
  }

  bool mark(const GcRepeat& repeat, std::uintptr_t base) {
    std::uintptr_t begin = base + repeat.offset;
    if (isDense(repeat)) return markDense(begin + repeat.element->slots[0].offset, repeat.count);
    std::uint64_t each = work(*repeat.element);
    if (each == 0) return true;
    std::uint64_t first = std::min(skip_ / each, repeat.count);
    skip_ -= first * each;
    for (std::uint64_t i = first; i < repeat.count; ++i)
      if (!mark(*repeat.element, begin + i * repeat.stride)) return false;
    return true;
  }

  GC_ms_entry* top() const { return top_; }

 private:
  bool markDense(std::uintptr_t begin, std::uint64_t count) {
    if (skip_ > 0) {
      --skip_;
      return true;
    }
    if (budget_ == 0) return false;
    --budget_;
    if (pushEntry(reinterpret_cast<void*>(begin), count * sizeof(void*), top_, limit_)) return true;
    auto* slots = reinterpret_cast<std::uint64_t*>(begin);
    for (std::uint64_t i = 0; i < count; ++i) top_ = markSlot(&slots[i], SlotKind::Strong, top_, limit_);
    return true;
  }

  GC_ms_entry* top_;
  GC_ms_entry* limit_;
  std::uint64_t skip_;
  std::uint64_t budget_;
};

/// Out of line, so that small objects are marked without its frame.
[[gnu::noinline]] GC_ms_entry* markBig(GC_word* block, abi::ObjectHeader header, const abi::Layout& layout,
                                       GC_ms_entry* top, GC_ms_entry* limit, std::uint64_t position) {
  GcRepeat variable{layout.size, 0, layout.stride, layout.variableMap};
  std::uint64_t steps = work(layout.map);
  if (layout.variableMap && !layout.variableMap->isEmpty()) {
    variable.count = hybridLength(header, layout, block);
    steps += work(variable);
  }
  if (steps - position > kSlotsPerPiece) {
    // Below the entries of this piece, so that their objects are done before the next piece. There is always
    // room for one entry.
    auto* entry = reinterpret_cast<MarkStackEntry*>(top) + 1;
    *entry = {block, GC_MAKE_PROC(markProcedure, position + kSlotsPerPiece)};
    top = reinterpret_cast<GC_ms_entry*>(entry);
  }
  std::uintptr_t base = reinterpret_cast<std::uintptr_t>(block) + header.prefix();
  Piece piece(top, limit, position, kSlotsPerPiece);
  if (piece.mark(layout.map, base) && variable.count != 0) piece.mark(variable, base);
  return piece.top();
}

}  // namespace

void initializeMarking() {
  layouts = &abi::LayoutTable::shared();
  weakSlots = static_cast<std::uint64_t**>(platform::reserveZeroed(kWeakSlotBytes));
  GAUR_CHECK(weakSlots, "no address space for weak slots");
}

void setMarkProcedures(unsigned objects, unsigned words) {
  markProcedure = objects;
  wordsProcedure = words;
}

std::uint64_t hybridLength(abi::ObjectHeader header, const abi::Layout& layout, const void* block) {
  if (header.length() != abi::ObjectHeader::kMaxLength || layout.stride == 0) return header.length();
  return (GC_size(block) - header.prefix() - layout.size) / layout.stride;
}

GC_ms_entry* markObject(GC_word* block, GC_ms_entry* top, GC_ms_entry* limit, GC_word position) {
  abi::ObjectHeader header(block[0]);
  if (!header.isLive()) {
    // Not allocated yet: the link to the next block of a free list, which is kept as a whole.
    if (header.bits() == 0) return top;
    return push(reinterpret_cast<void*>(header.bits()), top, limit, reinterpret_cast<std::uint64_t*>(block));
  }
  const abi::Layout& layout = layouts->byIndex(header.typeIndex());
  if (!layout.map.repeats.empty() || layout.variableMap || layout.map.slots.size() > kSlotsPerPiece)
    return markBig(block, header, layout, top, limit, position);
  std::uintptr_t base = reinterpret_cast<std::uintptr_t>(block) + header.prefix();
  // The last one first: what is pushed last is marked next, and objects were mostly made in the order of the
  // fields that hold them, so that marking goes through memory as allocation did.
  for (std::size_t i = layout.map.slots.size(); i-- > 0;) {
    const GcSlot& slot = layout.map.slots[i];
    top = markSlot(reinterpret_cast<std::uint64_t*>(base + slot.offset), slot.kind, top, limit);
  }
  return top;
}

[[gnu::no_sanitize("address", "undefined")]] GC_ms_entry* markWords(GC_word* begin, GC_ms_entry* top,
                                                                    GC_ms_entry* limit, GC_word count) {
  if (count > kWordsPerPiece &&
      pushEntry(begin + kWordsPerPiece, GC_MAKE_PROC(wordsProcedure, count - kWordsPerPiece), top, limit))
    count = kWordsPerPiece;
  for (GC_word* word = begin; word != begin + count; ++word) {
    GC_word target = abi::tagrefHoldsRef(*word) ? abi::tagrefAddress(*word) : *word;
    if (mayHaveOwner(target)) {
      top = pushOwners(target, CellMark::Stack, Fit::MayLieBehind, top, limit);
      continue;
    }
    if (mayBeWatched(target)) noteWatched(target);
    top = push(reinterpret_cast<void*>(target), top, limit, reinterpret_cast<std::uint64_t*>(word));
  }
  return top;
}

void addWeakSlot(std::uint64_t* slot) {
  GAUR_CHECK(weakSlotCount < kWeakSlotBytes / sizeof(*weakSlots));
  weakSlots[weakSlotCount++] = slot;
}

void startMarking() {
  weakSlotCount = 0;
  weakSlotsWanted = true;
  MarkedRange::forEach([](MarkedRange& range) { range.clear(); });
}

void endMarking() {
  for (std::size_t i = 0; i < weakSlotCount; ++i) {
    // Objects of boot images are no blocks of the collector and never die.
    void* block = GC_base(reinterpret_cast<void*>(abi::revealWeak(*weakSlots[i])));
    if (block && !GC_is_marked(block)) *weakSlots[i] = 0;
  }
  weakSlotsWanted = false;
}

}  // namespace gaur::gc
