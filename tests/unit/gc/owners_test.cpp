// Memory outside the heap lives as long as its address lies somewhere the collector looks, and no longer.
#include <atomic>
#include <thread>

#include "gc/owner_map.h"
#include "tests/unit/gc/test_heap.h"
#include "vm/abi/code_owner.h"
#include "vm/support/platform.h"

namespace gaur::gc {
namespace {

using ir::TypeKind;

const ir::Type* funcref() { return types().funcref(types().signature({}, {})); }
const ir::Type* ufuncptr() { return types().ufuncptr(types().signature({}, {})); }
const ir::Type* iref() { return types().iref(int64()); }

constexpr std::size_t kRange = std::size_t{1} << 20;
constexpr unsigned kShift = 5;
constexpr std::uintptr_t kSize = 96;

/// Pieces of one range, whose owners are watched through weak references.
class OwnersTest : public HeapTest {
 protected:
  void SetUp() override {
    HeapTest::SetUp();
    begin_ = reinterpret_cast<std::uintptr_t>(platform::reserveZeroed(kRange));
    map.emplace(begin_, kRange, kShift);
    population.emplace(roots);
  }
  void TearDown() override {
    HeapTest::TearDown();
    map.reset();
    platform::release(reinterpret_cast<void*>(begin_), kRange);
  }

  /// A piece with an owner. Its address is hidden from the collector.
  [[gnu::noipa]] Hidden own(const abi::OwnedReferences* references = nullptr) {
    const Hidden piece = make(references);
    clearStackBelow();
    return piece;
  }
  [[gnu::noipa]] Hidden make(const abi::OwnedReferences* references) {
    auto* object = thread->makeRuntimeObject<abi::CodeOwnerObject>(abi::kCodeOwnerType);
    object->references = references;
    std::uintptr_t address = begin_ + used_;
    used_ += 128;
    map->set(address, kSize, object);
    population->add(object);
    return Hidden(reinterpret_cast<void*>(address));
  }
  /// The second of two pieces of which one ends where the other begins.
  [[gnu::noipa]] Hidden ownTwo() {
    own();
    used_ -= 128 - kSize;
    return own();
  }
  /// Leaves the address nowhere else.
  [[gnu::noipa]] static void put(std::uint64_t& word, Hidden piece, std::uintptr_t offset = 0) {
    word = reinterpret_cast<std::uintptr_t>(piece.get<char>()) + offset;
  }
  std::size_t aliveAfterCollection() {
    collect();
    return population->alive();
  }
  /// How many live when the word has an address in the piece.
  [[gnu::noipa]] std::size_t aliveWith(std::uint64_t& word, Hidden piece, std::uintptr_t offset) {
    put(word, piece, offset);
    return aliveAfterCollection();
  }
  /// The piece lives while the word has its address, or the one just behind it where the word may, and not
  /// when the word has another.
  void expectKeeps(std::uint64_t& word, Hidden piece, Fit fit = Fit::MayLieBehind) {
    for (std::uintptr_t offset : {std::uintptr_t{0}, std::uintptr_t{1}, kSize - 1})
      EXPECT_EQ(aliveWith(word, piece, offset), 1u) << offset;
    EXPECT_EQ(aliveWith(word, piece, kSize), fit == Fit::MayLieBehind ? 1u : 0u) << "just behind it";
    // What was not kept is dead.
    if (fit == Fit::Exact) return;
    EXPECT_EQ(aliveWith(word, piece, kSize + 1), 0u) << "the address of another piece";
  }

  std::optional<OwnerMap> map;
  std::optional<Population> population;
  std::uintptr_t begin_ = 0;
  /// The begin of the range itself lies about on the stack.
  std::uintptr_t used_ = 128;
};

TEST_F(OwnersTest, FieldsKeep) {
  for (const ir::Type* field : {funcref(), ufuncptr(), iref()}) {
    const ir::Type* types[] = {structOf({int64(), field}), structOf({int64(), arrayOf(field, 7)}),
                               structOf({int64(), arrayOf(field, 1000)}), hybridOf({int64(), field}),
                               hybridOf({int64(), structOf({int64(), arrayOf(field, 3)})})};
    for (const ir::Type* type : types) {
      void* object = thread->make(type, type->is(TypeKind::Hybrid) ? 200 : 0);
      roots.words = {reinterpret_cast<std::uintptr_t>(object)};
      const std::uint64_t offset =
          type->is(TypeKind::Hybrid) ? (type == types[3] ? 8 * 150 : 8 + 32 * 50 + 16) : 8;
      expectKeeps(at<std::uint64_t>(object, offset), own(),
                  field->is(TypeKind::Iref) ? Fit::MayLieBehind : Fit::Exact);
      roots.words.clear();
    }
  }
}

TEST_F(OwnersTest, PlainNumbersDoNot) {
  Hidden piece = own();
  void* object = thread->make(structOf({int64(), types().uptr(int64()), anyRef()}));
  roots.words = {reinterpret_cast<std::uintptr_t>(object)};
  put(at<std::uint64_t>(object, 0), piece);
  put(at<std::uint64_t>(object, 8), piece);
  EXPECT_EQ(aliveAfterCollection(), 0u);
}

TEST_F(OwnersTest, RootsOfEveryKindKeep) {
  std::uint64_t memory[3] = {};
  roots.ranges = {{memory, memory + 3}};
  expectKeeps(memory[2], own());
  roots.ranges.clear();
  // On the stack each of its words would be one.
  static std::uint64_t cell[2];
  roots.cells.push_back({&layoutOf(structOf({int64(), funcref()})).map, cell});
  expectKeeps(cell[1], own(), Fit::Exact);
  roots.cells.pop_back();
  roots.words = {0};
  expectKeeps(roots.words[0], own());
  roots.words.clear();
  roots.owned = {0};
  expectKeeps(roots.owned[0], own(), Fit::Exact);
}

/// One piece ends where the next begins: a reference to that is none to the one before, an iref may be.
TEST_F(OwnersTest, ReferencesKeepNoNeighbour) {
  void* object = thread->make(structOf({iref(), funcref(), arrayOf(ufuncptr(), 1000)}));
  roots.words = {reinterpret_cast<std::uintptr_t>(object)};
  for (std::uint64_t offset : {8, 16 + 8 * 700}) {
    const Hidden second = ownTwo();
    put(at<std::uint64_t>(object, 0), second);
    EXPECT_EQ(aliveAfterCollection(), 2u);
    put(at<std::uint64_t>(object, offset), second);
    at<std::uint64_t>(object, 0) = 0;
    EXPECT_EQ(aliveAfterCollection(), 1u) << offset;
    at<std::uint64_t>(object, offset) = 0;
    EXPECT_EQ(aliveAfterCollection(), 0u);
  }
  // Not on the stack, where it would count.
  static std::uint64_t addresses[1];
  static abi::OwnedReferences references;
  put(addresses[0], ownTwo());
  references.addresses = {addresses, 1};
  put(at<std::uint64_t>(object, 8), own(&references));
  EXPECT_EQ(aliveAfterCollection(), 2u) << "what owned memory refers to";
}

TEST_F(OwnersTest, StacksThatDoNotRunKeep) {
  std::vector<std::uint64_t> memory(3000);
  auto makeStack = [&]() __attribute__((noipa)) {
    auto* stack = thread->makeRuntimeObject<abi::StackObject>(abi::kStackObjectType);
    stack->savedPointer = memory.data();
    stack->top = reinterpret_cast<std::uintptr_t>(memory.data() + memory.size());
    roots.words = {reinterpret_cast<std::uintptr_t>(stack)};
  };
  makeStack();
  for (std::size_t place : {0, 511, 512, 2999}) expectKeeps(memory[place], own());
  Hidden piece = own();
  put(memory[7], piece);
  EXPECT_EQ(aliveAfterCollection(), 1u);
  roots.words.clear();
  EXPECT_EQ(aliveAfterCollection(), 0u) << "with its stack";
}

TEST_F(OwnersTest, ReachableThroughTaggedReferencesAndNotThroughWeakOnes) {
  void* holder = thread->make(structOf({funcref()}));
  void* object = thread->make(structOf({tagged(), weakRef()}));
  roots.words = {reinterpret_cast<std::uintptr_t>(object)};
  Hidden piece = own();
  put(at<std::uint64_t>(holder, 0), piece);
  at<std::uint64_t>(object, 0) = tag(holder);
  at<std::uint64_t>(object, 8) = abi::hideWeak(reinterpret_cast<std::uint64_t>(holder));
  holder = nullptr;
  EXPECT_EQ(aliveAfterCollection(), 1u);
  at<std::uint64_t>(object, 0) = 0;
  EXPECT_EQ(aliveAfterCollection(), 0u);
  EXPECT_EQ(at<std::uint64_t>(object, 8), 0u);
}

TEST_F(OwnersTest, NativeStackAndRegistersOfThreadsKeep) {
  Hidden piece = own();
  std::atomic<int> phase{0};
  std::thread other([&] {
    TestThread attached(*heap);
    void* address = piece.get();
    phase = 1;
    // In a register and nowhere else, as far as this can be said in C++.
    asm volatile("1: cmpl $1, %0\n je 1b" : : "m"(phase), "r"(address) : "cc");
  });
  while (phase != 1) std::this_thread::yield();
  EXPECT_EQ(aliveAfterCollection(), 1u);
  phase = 2;
  other.join();
  EXPECT_EQ(aliveAfterCollection(), 0u);

  Hidden mine = own();
  void* volatile word = mine.get();
  EXPECT_EQ(aliveAfterCollection(), 1u);
  word = nullptr;
  EXPECT_EQ(aliveAfterCollection(), 0u);
  static_cast<void>(word);
}

TEST_F(OwnersTest, WhatOwnedMemoryRefersToLivesWithIt) {
  std::uint64_t memory[2] = {};
  abi::OwnedCell cell{&layoutOf(structOf({anyRef(), weakRef()})).map, memory};
  Hidden inner = own();
  const std::uintptr_t addresses[] = {reinterpret_cast<std::uintptr_t>(inner.get())};
  abi::OwnedReferences references{{&cell, 1}, addresses};
  // Constants of the test are no roots of anybody: they lie on this stack.
  std::optional<Hidden> outer = own(&references);
  void* object = thread->make(int64());
  memory[0] = reinterpret_cast<std::uint64_t>(object);
  object = thread->make(int64());
  memory[1] = abi::hideWeak(reinterpret_cast<std::uint64_t>(object));
  object = nullptr;
  void* holder = thread->make(structOf({funcref()}));
  at<void*>(holder, 0) = outer->get();
  roots.words = {reinterpret_cast<std::uintptr_t>(holder)};
  holder = nullptr;
  EXPECT_EQ(aliveAfterCollection(), 2u);
  EXPECT_EQ(memory[1], 0u) << "a weak reference in a cell is weak";
}

TEST_F(OwnersTest, MapsComeAndGo) {
  void* far = platform::reserveZeroed(kRange);
  auto begin = reinterpret_cast<std::uintptr_t>(far);
  {
    OwnerMap second(begin, kRange, kShift);
    void* object = thread->makeRuntimeObject<abi::CodeOwnerObject>(abi::kCodeOwnerType);
    second.set(begin + 64, 1, object);
    EXPECT_TRUE(mayHaveOwner(begin + 64));
    EXPECT_EQ(ownerOf(begin + 64), object);
    EXPECT_EQ(ownerOf(begin + 95), object);
    EXPECT_EQ(ownerOf(begin + 63), nullptr);
    EXPECT_EQ(ownerOf(begin + 96), nullptr);
    second.set(begin + 64, 1, nullptr);
    EXPECT_EQ(ownerOf(begin + 64), nullptr);
  }
  EXPECT_EQ(ownerOf(begin + 64), nullptr);
  EXPECT_TRUE(mayHaveOwner(begin_));
  map.reset();
  EXPECT_FALSE(mayHaveOwner(begin_));
  map.emplace(begin_, kRange, kShift);
  platform::release(far, kRange);
}

}  // namespace
}  // namespace gaur::gc
