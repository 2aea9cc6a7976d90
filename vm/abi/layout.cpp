// The layout algorithm. Small arrays of references are unrolled into slots, larger ones become repeats.
#include "vm/abi/layout.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <mutex>
#include <vector>

#include "vm/abi/code_owner.h"
#include "vm/abi/object.h"
#include "vm/abi/stack_object.h"
#include "vm/support/arena.h"
#include "vm/support/check.h"
#include "vm/support/platform.h"

namespace gaur::abi {

using ir::Type;
using ir::TypeKind;

namespace {

constexpr std::size_t kUnrolledSlots = 64;
constexpr std::uint64_t kTableBytes = (ObjectHeader::kMaxTypeIndex + 1) * sizeof(void*);

std::uint64_t alignUp(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

/// Saturating, so that absurd array lengths become absurd sizes that allocation refuses (map, TY-arr).
std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product;
  return __builtin_mul_overflow(a, b, &product) || product > (std::uint64_t{1} << 62) ? std::uint64_t{1} << 62
                                                                                      : product;
}

struct MapBuilder {
  std::vector<GcSlot> slots;
  std::vector<GcRepeat> repeats;

  void add(const GcMap& map, std::uint64_t offset) {
    for (GcSlot slot : map.slots)
      slots.push_back({static_cast<std::uint32_t>(slot.offset + offset), slot.kind});
    for (GcRepeat repeat : map.repeats) {
      repeat.offset += offset;
      repeats.push_back(repeat);
    }
  }
};

}  // namespace

struct LayoutTable::Impl {
  std::recursive_mutex mutex;
  Arena arena;

  GcMap finish(const MapBuilder& builder) {
    return {arena.copy(std::span<const GcSlot>(builder.slots)),
            arena.copy(std::span<const GcRepeat>(builder.repeats))};
  }
};

LayoutTable& LayoutTable::shared() {
  static LayoutTable* table =
      new LayoutTable;  // lives as long as the heap, which outlives static destruction
  return *table;
}

LayoutTable::LayoutTable()
    : entries_(static_cast<const Layout**>(platform::reserveZeroed(kTableBytes))),
      impl_(std::make_unique<Impl>()) {
  GAUR_CHECK(entries_, "no address space for layouts");
  addRuntimeObjects();
}

LayoutTable::~LayoutTable() { platform::release(entries_, kTableBytes); }

std::uint64_t intBytes(std::uint64_t bits) {
  if (bits <= 64) return std::bit_ceil((bits + 7) / 8);
  return alignUp((bits + 7) / 8, 16);
}

bool Layout::payload(std::uint64_t length, std::uint64_t& bytes) const {
  bytes = size;
  if (!isHybrid()) return size < (std::uint64_t{1} << 48);
  std::uint64_t variable;
  if (__builtin_mul_overflow(length, stride, &variable)) return false;
  if (__builtin_add_overflow(size, variable, &bytes)) return false;
  bytes += 1;
  return bytes < (std::uint64_t{1} << 48);
}

void LayoutTable::addRuntimeObjects() {
  auto add = [this](std::uint32_t index, const char* name, std::uint64_t size, const MapBuilder& map) {
    Layout* layout = impl_->arena.make<Layout>();
    layout->runtimeName = name;
    layout->size = size;
    layout->alignment = alignof(void*);
    layout->map = impl_->finish(map);
    entries_[index] = layout;
  };
  static_assert(offsetof(StackObject, top) == offsetof(StackObject, savedPointer) + sizeof(std::uint64_t));
  static_assert(offsetof(StackObject, leftTop) == offsetof(StackObject, leftPointer) + sizeof(std::uint64_t));
  add(kStackObjectType, "stack", sizeof(StackObject),
      {{{offsetof(StackObject, savedPointer), SlotKind::StackExtent},
        {offsetof(StackObject, leftPointer), SlotKind::StackExtent}},
       {}});
  add(kThreadObjectType, "thread", sizeof(ThreadObject), {});
  add(kIrBuilderType, "IR builder", sizeof(IrBuilderObject), {});
  add(kFrameCursorType, "frame cursor", sizeof(FrameCursorObject),
      {{{offsetof(FrameCursorObject, stack), SlotKind::Strong}}, {}});
  add(kCodeOwnerType, "code owner", sizeof(CodeOwnerObject),
      {{{offsetof(CodeOwnerObject, references), SlotKind::Owned}}, {}});
}

const Layout& LayoutTable::of(const Type* type) {
  GAUR_CHECK(type->index < kFirstRuntimeType, "more types than object headers can name");
  if (const Layout* layout = __atomic_load_n(&entries_[type->index], __ATOMIC_ACQUIRE)) return *layout;
  std::lock_guard lock(impl_->mutex);
  if (const Layout* layout = entries_[type->index]) return *layout;
  const Layout* layout = make(type);
  __atomic_store_n(&entries_[type->index], layout, __ATOMIC_RELEASE);
  return *layout;
}

const Layout* LayoutTable::make(const Type* type) {
  Layout* layout = impl_->arena.make<Layout>();
  layout->type = type;
  MapBuilder map;
  auto scalar = [&](std::uint64_t bytes) {
    layout->size = bytes;
    layout->alignment = static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, 16));
  };
  auto slot = [&](SlotKind kind) {
    scalar(8);
    map.slots.push_back({0, kind});
  };
  auto fields = [&](std::span<const Type* const> types) {
    auto offsets = impl_->arena.makeArray<std::uint64_t>(types.size());
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < types.size(); ++i) {
      const Layout& field = of(types[i]);
      end = alignUp(end, field.alignment);
      offsets[i] = end;
      map.add(field.map, end);
      end += field.size;
      layout->alignment = std::max(layout->alignment, field.alignment);
    }
    layout->offsets = offsets;
    return end;
  };

  switch (type->kind) {
    case TypeKind::Int: scalar(intBytes(type->length)); break;
    case TypeKind::Float: scalar(4); break;
    case TypeKind::Double:
    case TypeKind::Uptr: scalar(8); break;
    case TypeKind::Ufuncptr:
    case TypeKind::Funcref: slot(SlotKind::Code); break;
    case TypeKind::Iref: slot(SlotKind::Interior); break;
    case TypeKind::Ref:
    case TypeKind::Threadref:
    case TypeKind::Stackref:
    case TypeKind::Framecursorref:
    case TypeKind::Irbuilderref: slot(SlotKind::Strong); break;
    case TypeKind::Weakref: slot(SlotKind::Weak); break;
    case TypeKind::Tagref64: slot(SlotKind::Tagged); break;
    case TypeKind::Void: break;
    case TypeKind::Struct: {
      std::uint64_t end = fields(type->elements);
      layout->size = alignUp(end, layout->alignment);
      break;
    }
    case TypeKind::Hybrid: {
      const Layout& element = of(type->variablePart());
      std::uint64_t end = fields(type->fixedFields());
      layout->alignment = std::max(layout->alignment, element.alignment);
      layout->size = alignUp(end, element.alignment);
      layout->stride = element.size;
      layout->variableMap = &element.map;
      break;
    }
    case TypeKind::Array:
    case TypeKind::Vector: {
      const Layout& element = of(type->element());
      layout->stride = element.size;
      layout->size = multiply(element.size, type->length);
      layout->alignment = element.alignment;
      if (type->is(TypeKind::Vector)) {
        layout->size = std::bit_ceil(layout->size);
        layout->alignment = static_cast<std::uint32_t>(std::min<std::uint64_t>(layout->size, 16));
      }
      if (element.map.isEmpty()) break;
      if (element.map.repeats.empty() && element.map.slots.size() * type->length <= kUnrolledSlots) {
        for (std::uint64_t i = 0; i < type->length; ++i) map.add(element.map, i * element.size);
      } else {
        map.repeats.push_back({0, type->length, element.size, &element.map});
      }
      break;
    }
  }
  layout->map = impl_->finish(map);
  return layout;
}

}  // namespace gaur::abi
