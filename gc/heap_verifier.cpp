// Walks the marked blocks: a header must name a type whose layout fits the block, and what a slot refers to
// must be marked. What compiled code broke is found at the next collection instead of long after.
#include "gc/heap_verifier.h"

#include <fmt/format.h>
#include <gc/gc.h>
#include <gc/gc_mark.h>

#include <algorithm>

#include "gc/mark_procedure.h"
#include "vm/abi/layout.h"
#include "vm/abi/object.h"
#include "vm/support/check.h"

namespace gaur::gc {

namespace {

constexpr auto kPointerFree = static_cast<unsigned>(abi::BlockKind::PointerFree);

std::string describe(const void* block, abi::ObjectHeader header, const char* what) {
  return fmt::format("heap object at {}, header {:#x} (type {}, length {}): {}", block, header.bits(),
                     header.typeIndex(), header.length(), what);
}

/// Also true for addresses outside the heap.
bool isReachable(void* target) {
  void* block = GC_base(target);
  return block ? GC_is_marked(block) != 0 : GC_is_heap_ptr(target) == 0;
}

void checkSlot(const void* block, abi::ObjectHeader header, const std::uint64_t* slot, abi::SlotKind kind) {
  std::uint64_t word = *slot;
  if (kind == abi::SlotKind::StackExtent) {
    GAUR_CHECK(word == 0 || (word <= slot[1] && word % sizeof(word) == 0 && slot[1] % sizeof(word) == 0),
               describe(block, header, "a stack that ends before it begins"));
    return;
  }
  // Numbers of native code for all that anybody knows; and the runtime's own.
  if (kind == abi::SlotKind::Code || kind == abi::SlotKind::Owned) return;
  if (kind == abi::SlotKind::Weak) word = abi::revealWeak(word);
  if (kind == abi::SlotKind::Tagged) word = abi::tagrefHoldsRef(word) ? abi::tagrefAddress(word) : 0;
  if (word == 0) return;
  bool isUserAddress = word >> 47 == 0;
  auto* target = reinterpret_cast<void*>(word);
  // An interior reference may point just behind its object, and another block or none at all may begin
  // there.
  bool isGood = isUserAddress && (isReachable(target) || isReachable(static_cast<char*>(target) - 1));
  GAUR_CHECK(isGood,
             describe(block, header,
                      fmt::format("the slot at offset {} refers to {:#x}, which is {}",
                                  reinterpret_cast<const char*>(slot) - static_cast<const char*>(block) -
                                      static_cast<std::ptrdiff_t>(header.prefix()),
                                  word, isUserAddress ? "not reachable" : "no address")
                          .c_str()));
}

struct Verifier {
  const BoehmKinds& kinds;

  void checkBlock(void* block, std::size_t bytes) const {
    int kind = GC_get_kind_and_size(block, nullptr);
    auto isOneOf = [kind](const int(&some)[abi::kBlockKinds]) {
      return std::find(std::begin(some), std::end(some), kind) != std::end(some);
    };
    if (!isOneOf(kinds.listed) && !isOneOf(kinds.single)) return;
    abi::ObjectHeader header(*static_cast<std::uint64_t*>(block));
    if (!header.isLive()) return;
    const abi::LayoutTable& table = abi::LayoutTable::shared();
    GAUR_CHECK(table.knows(header.typeIndex()), describe(block, header, "no such type"));
    const abi::Layout& layout = table.byIndex(header.typeIndex());
    GAUR_CHECK(layout.isWide() == header.isWide(), describe(block, header, "alignment of another type"));
    GAUR_CHECK(
        layout.isPointerFree() == (kind == kinds.listed[kPointerFree] || kind == kinds.single[kPointerFree]),
        describe(block, header, "block of the wrong kind"));
    std::uint64_t length = layout.isHybrid() ? hybridLength(header, layout, block) : header.length();
    GAUR_CHECK(layout.isHybrid() || length == 0, describe(block, header, "a length, but no hybrid"));
    std::uint64_t payload = 0;
    GAUR_CHECK(layout.payload(length, payload) && payload + header.prefix() <= bytes + 1,
               describe(block, header, "bigger than its block"));
    std::uintptr_t base = reinterpret_cast<std::uintptr_t>(block) + header.prefix();
    auto check = [&](std::uint64_t* slot, abi::SlotKind slotKind) {
      checkSlot(block, header, slot, slotKind);
    };
    abi::forEachSlot(layout.map, base, check);
    if (layout.variableMap && !layout.variableMap->isEmpty())
      for (std::uint64_t i = 0; i < length; ++i)
        abi::forEachSlot(*layout.variableMap, base + layout.size + i * layout.stride, check);
  }
};

}  // namespace

void verifyHeap(const BoehmKinds& kinds) {
  Verifier verifier{kinds};
  GC_enumerate_reachable_objects_inner(
      [](void* block, std::size_t bytes, void* data) {
        static_cast<Verifier*>(data)->checkBlock(block, bytes);
      },
      &verifier);
}

void verifyImage(const ImmortalRange& range, std::uintptr_t begin, std::uintptr_t end) {
  forEachBlock(range, begin, end, [&](std::uint64_t* block) {
    abi::ObjectHeader header(*block);
    const abi::Layout& layout = abi::LayoutTable::shared().byIndex(header.typeIndex());
    GAUR_CHECK(layout.isWide() == header.isWide(), describe(block, header, "alignment of another type"));
    GAUR_CHECK(layout.isHybrid() || header.length() == 0, describe(block, header, "a length, but no hybrid"));
    forEachSlotWithin(block, begin, end,
                      [&](std::uint64_t* slot, abi::SlotKind kind) { checkSlot(block, header, slot, kind); });
  });
}

}  // namespace gaur::gc
