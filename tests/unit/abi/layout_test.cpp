// Sizes, offsets and maps. Where C has the same type, the C compiler says what is right.
#include "vm/abi/layout.h"
#include "vm/abi/code_owner.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "vm/abi/stack_object.h"
#include "vm/ir/type.h"

namespace gaur::abi {
namespace {

using ir::Type;
using ir::TypeKind;

class LayoutTest : public ::testing::Test {
 protected:
  const Type* make(TypeKind kind, std::vector<const Type*> elements, std::uint64_t length = 0) {
    return types.get(kind, length, elements);
  }
  const Type* structOf(std::vector<const Type*> fields) { return make(TypeKind::Struct, std::move(fields)); }
  const Type* i(std::uint64_t bits) { return types.intType(bits); }
  const Type* ref() { return types.ref(types.voidType()); }
  const Type* weak() { return types.pointerLike(TypeKind::Weakref, types.voidType()); }
  void expectLayout(const Type* type, std::uint64_t size, std::uint32_t alignment) {
    EXPECT_EQ(table.of(type).size, size) << ir::toString(type);
    EXPECT_EQ(table.of(type).alignment, alignment) << ir::toString(type);
  }
  std::vector<std::uint64_t> offsets(const Type* type) {
    auto span = table.of(type).offsets;
    return {span.begin(), span.end()};
  }
  std::vector<std::pair<std::uint64_t, SlotKind>> slots(const Type* type) {
    std::vector<std::pair<std::uint64_t, SlotKind>> result;
    forEachSlot(table.of(type).map, 0, [&](std::uint64_t* slot, SlotKind kind) {
      result.emplace_back(reinterpret_cast<std::uintptr_t>(slot), kind);
    });
    return result;
  }

  ir::TypeTable types;
  LayoutTable table;
};

TEST_F(LayoutTest, Scalars) {
  for (auto [bits, bytes] :
       {std::pair{1, 1}, {7, 1}, {8, 1}, {9, 2}, {16, 2}, {17, 4}, {32, 4}, {33, 8}, {52, 8}, {64, 8}})
    expectLayout(i(static_cast<std::uint64_t>(bits)), static_cast<std::uint64_t>(bytes),
                 static_cast<std::uint32_t>(bytes));
  expectLayout(i(65), 16, 16);
  expectLayout(i(128), 16, 16);
  expectLayout(i(129), 32, 16);
  expectLayout(types.get(TypeKind::Float), 4, 4);
  expectLayout(types.get(TypeKind::Double), 8, 8);
  expectLayout(types.get(TypeKind::Tagref64), 8, 8);
  expectLayout(types.uptr(i(8)), 8, 8);
  expectLayout(types.voidType(), 0, 1);
  for (TypeKind kind : {TypeKind::Ref, TypeKind::Iref, TypeKind::Weakref})
    expectLayout(types.pointerLike(kind, i(8)), 8, 8);
  for (TypeKind kind :
       {TypeKind::Threadref, TypeKind::Stackref, TypeKind::Framecursorref, TypeKind::Irbuilderref})
    expectLayout(types.get(kind), 8, 8);
}

TEST_F(LayoutTest, StructsLieAsInC) {
  struct A {
    char a;
    short b;
    char c;
    int d;
    char e;
    double f;
    char g;
  };
  const Type* a = structOf({i(8), i(16), i(8), i(32), i(8), types.get(TypeKind::Double), i(8)});
  expectLayout(a, sizeof(A), alignof(A));
  EXPECT_EQ(offsets(a),
            (std::vector<std::uint64_t>{offsetof(A, a), offsetof(A, b), offsetof(A, c), offsetof(A, d),
                                        offsetof(A, e), offsetof(A, f), offsetof(A, g)}));
  struct B {
    char a;
    A b;
    float c[3];
    short d;
  };
  const Type* b = structOf({i(8), a, make(TypeKind::Array, {types.get(TypeKind::Float)}, 3), i(16)});
  expectLayout(b, sizeof(B), alignof(B));
  EXPECT_EQ(offsets(b),
            (std::vector<std::uint64_t>{offsetof(B, a), offsetof(B, b), offsetof(B, c), offsetof(B, d)}));
}

TEST_F(LayoutTest, ArraysAndVectors) {
  const Type* three = structOf({i(16), i(8)});
  expectLayout(make(TypeKind::Array, {three}, 5), 20, 2);
  EXPECT_EQ(table.of(make(TypeKind::Array, {three}, 5)).stride, 4u);
  expectLayout(make(TypeKind::Array, {i(64)}, 0), 0, 8);
  expectLayout(types.vectorOf(types.get(TypeKind::Float), 4), 16, 16);
  expectLayout(types.vectorOf(types.get(TypeKind::Double), 4), 32, 16);
  expectLayout(types.vectorOf(i(8), 4), 4, 4);
  expectLayout(types.vectorOf(types.get(TypeKind::Float), 3), 16, 16);
  EXPECT_TRUE(table.of(structOf({i(8), types.vectorOf(i(32), 4)})).isWide());
  EXPECT_FALSE(table.of(structOf({i(64)})).isWide());
}

TEST_F(LayoutTest, Hybrids) {
  const Type* bytes = make(TypeKind::Hybrid, {i(64), i(8)});
  expectLayout(bytes, 8, 8);
  EXPECT_EQ(table.of(bytes).stride, 1u);
  const Type* padded = make(TypeKind::Hybrid, {i(8), i(16), i(64)});
  expectLayout(padded, 8, 8);
  EXPECT_EQ(offsets(padded), (std::vector<std::uint64_t>{0, 2}));
  const Type* bare = make(TypeKind::Hybrid, {i(32)});
  expectLayout(bare, 0, 4);
  std::uint64_t payload = 0;
  ASSERT_TRUE(table.of(bytes).payload(100, payload));
  EXPECT_EQ(payload, 109u);  // one more than used: an iref past the end is still inside
  ASSERT_TRUE(table.of(padded).payload(0, payload));
  EXPECT_EQ(payload, 9u);
}

TEST_F(LayoutTest, AbsurdSizesAreRefused) {
  std::uint64_t payload = 0;
  const Type* words = make(TypeKind::Hybrid, {i(64), i(64)});
  EXPECT_FALSE(table.of(words).payload(~std::uint64_t{0}, payload));
  EXPECT_FALSE(table.of(words).payload(std::uint64_t{1} << 61, payload));
  EXPECT_FALSE(table.of(words).payload((std::uint64_t{1} << 61) - 1, payload));
  EXPECT_FALSE(table.of(words).payload(std::uint64_t{1} << 45, payload));
  EXPECT_TRUE(table.of(words).payload(std::uint64_t{1} << 40, payload));
  const Type* huge =
      make(TypeKind::Array, {make(TypeKind::Array, {i(64)}, std::uint64_t{1} << 40)}, std::uint64_t{1} << 40);
  EXPECT_FALSE(table.of(huge).payload(0, payload));
  EXPECT_TRUE(table.of(structOf({i(64)})).payload(0, payload));
  EXPECT_EQ(payload, 8u);
}

TEST_F(LayoutTest, MapsNameEverySlot) {
  using Slots = std::vector<std::pair<std::uint64_t, SlotKind>>;
  const Type* tagged = types.get(TypeKind::Tagref64);
  const Type* mixed = structOf({i(8), ref(), weak(), types.funcref(types.signature({}, {})), tagged,
                                types.uptr(i(8)), types.get(TypeKind::Stackref)});
  EXPECT_EQ(slots(mixed), (Slots{{8, SlotKind::Strong},
                                 {16, SlotKind::Weak},
                                 {24, SlotKind::Code},
                                 {32, SlotKind::Tagged},
                                 {48, SlotKind::Strong}}));
  EXPECT_EQ(slots(structOf(
                {types.iref(i(8)), types.get(TypeKind::Double), types.ufuncptr(types.signature({}, {}))})),
            (Slots{{0, SlotKind::Interior}, {16, SlotKind::Code}}));
  EXPECT_FALSE(table.of(mixed).isPointerFree());
  EXPECT_TRUE(table.of(structOf({i(64), types.uptr(i(8)), types.get(TypeKind::Double)})).isPointerFree());

  // Unrolled or repeated, an array has a slot for each element.
  for (std::uint64_t length : {1, 7, 32, 33, 64, 65, 1000}) {
    Slots expected;
    for (std::uint64_t k = 0; k < length; ++k) {
      expected.emplace_back(8 + k * 16, SlotKind::Weak);
      expected.emplace_back(16 + k * 16, SlotKind::Strong);
    }
    EXPECT_EQ(slots(structOf({i(8), make(TypeKind::Array, {structOf({weak(), ref()})}, length)})), expected);
  }
  // Arrays of arrays.
  Slots nested;
  for (std::uint64_t row = 0; row < 10; ++row)
    for (std::uint64_t column = 0; column < 100; ++column)
      nested.emplace_back((row * 100 + column) * 8, SlotKind::Strong);
  EXPECT_EQ(slots(make(TypeKind::Array, {make(TypeKind::Array, {ref()}, 100)}, 10)), nested);

  const Layout& hybrid = table.of(make(TypeKind::Hybrid, {i(64), ref(), structOf({i(32), ref()})}));
  ASSERT_NE(hybrid.variableMap, nullptr);
  ASSERT_EQ(hybrid.map.slots.size(), 1u);
  EXPECT_EQ(hybrid.map.slots[0].offset, 8u);
  ASSERT_EQ(hybrid.variableMap->slots.size(), 1u);
  EXPECT_EQ(hybrid.variableMap->slots[0].offset, 8u);
  EXPECT_TRUE(table.of(make(TypeKind::Hybrid, {i(64), i(8)})).isPointerFree());
  EXPECT_FALSE(table.of(make(TypeKind::Hybrid, {i(64), ref()})).isPointerFree());
}

TEST_F(LayoutTest, ReferencesTieNoKnots) {
  // A type may hold references to itself: the layout needs only the reference's.
  const Type* inner = structOf({i(64), ref()});
  const Type* outer = structOf({types.ref(inner), types.iref(inner)});
  expectLayout(outer, 16, 8);
  EXPECT_FALSE(table.knows(inner->index));
  EXPECT_TRUE(table.knows(outer->index));
  EXPECT_EQ(&table.byIndex(outer->index), &table.of(outer));
}

TEST_F(LayoutTest, ObjectsOfTheRuntimeAreKnownFromTheStart) {
  struct Expected {
    std::uint32_t index;
    const char* name;
    std::size_t size;
    std::vector<std::pair<std::uint64_t, SlotKind>> slots;
  };
  const Expected all[] = {
      {kStackObjectType,
       "stack",
       sizeof(StackObject),
       {{0, SlotKind::StackExtent}, {offsetof(StackObject, leftPointer), SlotKind::StackExtent}}},
      {kThreadObjectType, "thread", sizeof(ThreadObject), {}},
      {kIrBuilderType, "IR builder", sizeof(IrBuilderObject), {}},
      {kFrameCursorType, "frame cursor", sizeof(FrameCursorObject), {{0, SlotKind::Strong}}},
      {kCodeOwnerType,
       "code owner",
       sizeof(CodeOwnerObject),
       {{offsetof(CodeOwnerObject, references), SlotKind::Owned}}}};
  for (const Expected& expected : all) {
    ASSERT_TRUE(table.knows(expected.index));
    const Layout& layout = table.byIndex(expected.index);
    EXPECT_EQ(layout.name(), expected.name);
    EXPECT_EQ(layout.size, expected.size);
    EXPECT_FALSE(layout.isWide());
    EXPECT_FALSE(layout.isHybrid());
    EXPECT_EQ(layout.isPointerFree(), expected.slots.empty());
    std::vector<std::pair<std::uint64_t, SlotKind>> slots;
    for (const GcSlot& slot : layout.map.slots) slots.emplace_back(slot.offset, slot.kind);
    EXPECT_EQ(slots, expected.slots);
    EXPECT_GE(expected.index, ir::TypeTable::kMostTypes);
  }
  EXPECT_FALSE(table.knows(kFirstRuntimeType - 1));
  EXPECT_EQ(table.of(types.ref(i(8))).name(), "ref<int<8>>");
}

TEST_F(LayoutTest, NoTypeGetsTheNumberOfARuntimeObject) {
  Type type{};
  type.kind = TypeKind::Uptr;
  type.index = kFirstRuntimeType;
  EXPECT_DEATH(table.of(&type), "more types than object headers can name");
}

TEST_F(LayoutTest, ManyThreadsGetTheSameLayout) {
  std::vector<const Type*> wanted;
  for (std::uint64_t k = 1; k <= 200; ++k)
    wanted.push_back(structOf({i(8), make(TypeKind::Array, {ref()}, k)}));
  std::vector<std::vector<const Layout*>> got(4);
  std::vector<std::thread> threads;
  for (auto& mine : got)
    threads.emplace_back([&] {
      for (const Type* type : wanted) mine.push_back(&table.of(type));
    });
  for (std::thread& thread : threads) thread.join();
  for (const auto& mine : got) EXPECT_EQ(mine, got[0]);
}

}  // namespace
}  // namespace gaur::abi
