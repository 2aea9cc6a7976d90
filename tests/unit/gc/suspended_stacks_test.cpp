// Stacks that do not run: they are marked with their objects, and die with them.
#include <algorithm>
#include <set>

#include "tests/unit/gc/test_heap.h"
#include "vm/support/platform.h"

namespace gaur::gc {
namespace {

const ir::Type* leaf() { return structOf({int64(), int64()}); }

/// Memory of stacks, `words` words each, where the collector does not look by itself, with their objects
/// known to the test alone.
class SuspendedStacks {
 public:
  SuspendedStacks(TestThread& thread, std::size_t count, std::size_t words)
      : bytes_(platform::roundToPages(count * words * sizeof(std::uint64_t))),
        base_(static_cast<std::uint64_t*>(platform::reserveZeroed(bytes_))) {
    for (std::size_t i = 0; i < count; ++i) addOne(thread, base_ + i * words, words);
  }
  /// The addresses stay: a word that a test left behind may keep an object, and so the stack is marked.
  ~SuspendedStacks() { platform::discard(base_, bytes_); }
  SuspendedStacks(const SuspendedStacks&) = delete;
  SuspendedStacks& operator=(const SuspendedStacks&) = delete;

  std::size_t count() const { return objects_.size(); }
  abi::StackObject* object(std::size_t i) const { return objects_[i].get<abi::StackObject>(); }
  /// Word `i` of the stack, counted from where it stands.
  std::uint64_t& word(std::size_t stack, std::size_t i) const { return words_[stack][i]; }

 private:
  [[gnu::noinline]] void addOne(TestThread& thread, std::uint64_t* begin, std::size_t words) {
    auto* object = thread.makeRuntimeObject<abi::StackObject>(abi::kStackObjectType);
    object->savedPointer = begin;
    object->top = reinterpret_cast<std::uintptr_t>(begin + words);
    objects_.emplace_back(object);
    words_.push_back(begin);
  }

  std::size_t bytes_;
  std::uint64_t* base_;
  std::vector<Hidden> objects_;
  std::vector<std::uint64_t*> words_;
};

class SuspendedStacksTest : public HeapTest {
 protected:
  void keep(const void* object) { roots.words.push_back(reinterpret_cast<std::uintptr_t>(object)); }
  /// The same, and leaves the address nowhere else.
  [[gnu::noipa]] void keep(const SuspendedStacks& stacks, std::size_t i) { keep(stacks.object(i)); }
  /// Lets the stack stand at its word `i`.
  [[gnu::noipa]] static void leaveAt(const SuspendedStacks& stacks, std::size_t stack, std::size_t i) {
    stacks.object(stack)->savedPointer = &stacks.word(stack, i);
  }

  [[gnu::noinline]] void storeLeaf(std::uint64_t& word, Population& population, std::uint64_t offset,
                                   bool isTagged) {
    void* target = thread->make(leaf());
    at<std::uint64_t>(target, 8) = 4711;
    population.add(target);
    word = isTagged ? tag(target) : reinterpret_cast<std::uint64_t>(target) + offset;
  }
};

TEST_F(SuspendedStacksTest, WhatTheyHoldLivesAsLongAsTheObject) {
  constexpr std::size_t kWords = 64;
  SuspendedStacks stacks(*thread, 1, kWords);
  keep(stacks, 0);
  Population population(roots);
  for (std::size_t i = 0; i < kWords; ++i) storeLeaf(stacks.word(0, i), population, i % 2 * 8, i % 3 == 0);
  for (int i = 0; i < 2; ++i) {
    collect();
    churn();
    ASSERT_EQ(population.alive(), kWords);
  }
  for (std::size_t i = 0; i < kWords; ++i) {
    std::uint64_t word = stacks.word(0, i);
    void* target = reinterpret_cast<void*>(i % 3 == 0 ? abi::tagrefAddress(word) : word - i % 2 * 8);
    ASSERT_EQ(at<std::uint64_t>(target, 8), 4711u);
  }
  // Below savedPointer there is nothing.
  leaveAt(stacks, 0, 32);
  collect();
  EXPECT_LT(population.alive(), 32u + 5);
  EXPECT_GE(population.alive(), 32u);
  roots.words.clear();
  collect();
  EXPECT_LT(population.alive(), 5u);
}

TEST_F(SuspendedStacksTest, ARunningStackIsNotMarkedByItsObject) {
  SuspendedStacks stacks(*thread, 1, 16);
  keep(stacks.object(0));
  Population population(roots);
  for (std::size_t i = 0; i < 16; ++i) storeLeaf(stacks.word(0, i), population, 0, false);
  stacks.object(0)->savedPointer = nullptr;
  collect();
  EXPECT_LT(population.alive(), 5u);
}

TEST_F(SuspendedStacksTest, AfterMarkingTellsWhichAreDead) {
  constexpr std::size_t kCount = 1000;
  SuspendedStacks stacks(*thread, kCount, 4);
  for (std::size_t i = 0; i < kCount; i += 4) keep(stacks.object(i));
  std::set<std::size_t> dead;
  int calls = 0;
  roots.onMarked = [&](bool (*isReachable)(const void*)) {
    ++calls;
    for (std::size_t i = 0; i < kCount; ++i)
      if (!isReachable(stacks.object(i))) dead.insert(i);
  };
  std::uint64_t before = heap->statistics().collections;
  collect();
  roots.onMarked = nullptr;
  EXPECT_EQ(heap->statistics().collections, before + 1);
  EXPECT_EQ(calls, 1);
  EXPECT_GT(dead.size(), kCount / 4 * 3 - 10);  // stale words may keep a few
  for (std::size_t i : dead) EXPECT_NE(i % 4, 0u);
}

TEST_F(SuspendedStacksTest, WhatIsNoBlockIsAlwaysReachable) {
  std::uint64_t outside = 0;
  bool reachable = false;
  roots.onMarked = [&](bool (*isReachable)(const void*)) { reachable = isReachable(&outside); };
  collect();
  EXPECT_TRUE(reachable);
}

TEST_F(SuspendedStacksTest, ChainsThroughStacksAndHeap) {
  // Stack -> object -> stack ..., the references now plain, now tagged, and cursors between.
  constexpr std::size_t kLength = 3000;
  SuspendedStacks stacks(*thread, kLength, 8);
  keep(stacks.object(0));
  Population population(roots);
  const ir::Type* link = structOf({int64(), types().get(ir::TypeKind::Stackref)});
  auto connect = [&](std::size_t i) __attribute__((noinline)) {
    std::uint64_t& word = stacks.word(i, 1 + i % 7);
    if (i % 3 == 2) {
      auto* cursor = thread->makeRuntimeObject<abi::FrameCursorObject>(abi::kFrameCursorType);
      cursor->stack = stacks.object(i + 1);
      std::fill(std::begin(cursor->cursor), std::end(cursor->cursor),
                reinterpret_cast<std::uint64_t>(stacks.object(0)));
      word = reinterpret_cast<std::uint64_t>(cursor);
    } else {
      void* target = thread->make(link);
      at<void*>(target, 8) = stacks.object(i + 1);
      word = i % 3 == 0 ? reinterpret_cast<std::uint64_t>(target) : tag(target);
    }
  };
  for (std::size_t i = 0; i + 1 < kLength; ++i) connect(i);
  storeLeaf(stacks.word(kLength - 1, 0), population, 0, true);
  auto countDead = [&] {
    std::size_t dead = 0;
    roots.onMarked = [&](bool (*isReachable)(const void*)) {
      for (std::size_t i = 0; i < kLength; ++i) dead += !isReachable(stacks.object(i));
    };
    collect();
    roots.onMarked = nullptr;
    return dead;
  };
  EXPECT_EQ(countDead(), 0u);
  churn();
  EXPECT_EQ(countDead(), 0u);
  EXPECT_EQ(population.alive(), 1u);
  for (std::size_t i = 0; i < 8; ++i) stacks.word(kLength / 2, i) = 0;
  EXPECT_GT(countDead(), kLength / 2 - 100);
  EXPECT_EQ(population.alive(), 0u);
}

TEST_F(SuspendedStacksTest, CyclesThroughAStackDie) {
  SuspendedStacks stacks(*thread, 1, 4);
  Population population(roots);
  storeLeaf(stacks.word(0, 0), population, 0, false);
  stacks.word(0, 1) = reinterpret_cast<std::uint64_t>(stacks.object(0));
  bool reachable = true;
  roots.onMarked = [&](bool (*isReachable)(const void*)) { reachable = isReachable(stacks.object(0)); };
  collect();
  EXPECT_FALSE(reachable);
  EXPECT_EQ(population.alive(), 0u);
}

TEST_F(SuspendedStacksTest, TenThousandStacks) {
  constexpr std::size_t kCount = 10'000;
  SuspendedStacks stacks(*thread, kCount, 16);
  void* volatile table = thread->make(hybridOf({types().get(ir::TypeKind::Stackref)}), kCount);
  auto fillOne = [&](std::size_t i) __attribute__((noinline)) {
    at<void*>(table, i * 8) = stacks.object(i);
    void* target = thread->make(leaf());
    at<std::uint64_t>(target, 0) = i;
    stacks.word(i, i % 16) = i % 2 == 0 ? reinterpret_cast<std::uint64_t>(target) : tag(target);
  };
  for (std::size_t i = 0; i < kCount; ++i) fillOne(i);
  for (int round = 0; round < 3; ++round) {
    collect();
    churn();
  }
  for (std::size_t i = 0; i < kCount; ++i) {
    std::uint64_t word = stacks.word(i, i % 16);
    void* target = reinterpret_cast<void*>(i % 2 == 0 ? word : abi::tagrefAddress(word));
    ASSERT_EQ(at<std::uint64_t>(target, 0), i);
  }
}

TEST_F(SuspendedStacksTest, DeepStacksDoNotFloodTheMarkStack) {
  // Two stacks of 8 MB, every word of which refers to an object of its own, the second reachable only from
  // the first.
  constexpr std::size_t kWords = std::size_t{1} << 20;
  SuspendedStacks stacks(*thread, 2, kWords);
  keep(stacks.object(0));
  auto fillOne = [&](std::size_t i) __attribute__((noinline)) {
    for (std::size_t word = 0; word + 1 < kWords; ++word) {
      void* target = thread->make(structOf({anyRef()}));
      at<void*>(target, 0) = stacks.object(i);
      stacks.word(i, word) = word % 2 == 0 ? reinterpret_cast<std::uint64_t>(target) : tag(target);
    }
  };
  stacks.word(0, kWords - 1) = reinterpret_cast<std::uint64_t>(stacks.object(1));
  fillOne(0);
  fillOne(1);
  collect();
  churn();
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t word = 0; word + 1 < kWords; ++word) {
      std::uint64_t bits = stacks.word(i, word);
      void* target = reinterpret_cast<void*>(word % 2 == 0 ? bits : abi::tagrefAddress(bits));
      ASSERT_EQ(at<abi::StackObject*>(target, 0), stacks.object(i));
    }
  }
}

TEST_F(SuspendedStacksTest, ThreadBlocksKeepTheirObjects) {
  auto fillBlock = [&]() __attribute__((noinline)) {
    thread->block.stack = thread->makeRuntimeObject<abi::StackObject>(abi::kStackObjectType);
    thread->block.threadObject = thread->makeRuntimeObject<abi::ThreadObject>(abi::kThreadObjectType);
    thread->block.threadLocal = thread->make(leaf());
    thread->block.exception = thread->make(leaf());
  };
  fillBlock();
  const Hidden objects[] = {Hidden(thread->block.stack), Hidden(thread->block.threadObject),
                            Hidden(thread->block.threadLocal), Hidden(thread->block.exception)};
  int reachable = 0;
  roots.onMarked = [&](bool (*isReachable)(const void*)) {
    reachable = 0;
    for (const Hidden& object : objects) reachable += isReachable(object.get());
  };
  collect();
  EXPECT_EQ(reachable, 4);
  thread->block.stack = nullptr;
  thread->block.threadObject = nullptr;
  thread->block.threadLocal = thread->block.exception = nullptr;
  collect();
  EXPECT_EQ(reachable, 0);
}

}  // namespace
}  // namespace gaur::gc
