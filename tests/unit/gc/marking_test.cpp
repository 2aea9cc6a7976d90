// What keeps an object alive, and what does not.
#include "tests/unit/gc/test_heap.h"

namespace gaur::gc {
namespace {

using ir::TypeKind;

/// Makes `count` objects whose only references `place` stores, and checks after collections that all have
/// kept their contents.
template <class Place>
[[gnu::noinline]] void fill(TestThread& thread, Population& population, std::uint64_t count, Place place) {
  for (std::uint64_t i = 0; i < count; ++i) {
    void* target = thread.make(structOf({int64(), int64()}));
    at<std::uint64_t>(target, 8) = i;
    population.add(target);
    place(i, target);
  }
}

TEST_F(HeapTest, UnreachableObjectsGo) {
  Population population(roots);
  fill(*thread, population, 1000, [](std::uint64_t, void*) {});
  collect();
  EXPECT_LT(population.alive(), 10u);  // stale words on the stack may keep a few
}

TEST_F(HeapTest, EverySlotKindKeeps) {
  const TypeKind kinds[] = {TypeKind::Ref,      TypeKind::Iref,           TypeKind::Threadref,
                            TypeKind::Stackref, TypeKind::Framecursorref, TypeKind::Irbuilderref,
                            TypeKind::Tagref64};
  for (TypeKind kind : kinds) {
    const ir::Type* slot = kind == TypeKind::Ref || kind == TypeKind::Iref
                               ? types().pointerLike(kind, int64())
                               : types().get(kind);
    // In a struct, an unrolled array, an array that is not, nested ones, a hybrid's fixed and variable part,
    // and a global cell.
    const ir::Type* pair = structOf({types().intType(8), slot});
    struct Case {
      const ir::Type* type;
      std::uint64_t length;
      std::uint64_t slots;
      std::uint64_t first;
      std::uint64_t stride;
    };
    const Case cases[] = {
        {structOf({int64(), slot, types().intType(8)}), 0, 1, 8, 0},
        {arrayOf(slot, 10), 0, 10, 0, 8},
        {structOf({int64(), arrayOf(slot, 700)}), 0, 700, 8, 8},
        {arrayOf(pair, 700), 0, 700, 8, 16},
        {arrayOf(arrayOf(pair, 30), 40), 0, 1200, 8, 16},
        {structOf({arrayOf(slot, 1), arrayOf(arrayOf(slot, 100), 10)}), 0, 1001, 0, 8},
        {hybridOf({int64(), slot, types().intType(8)}), 100, 1, 8, 0},
        {hybridOf({int64(), slot}), 1000, 1000, 8, 8},
        {hybridOf({slot, slot}), 3, 4, 0, 8},
        {hybridOf({int64(), pair}), 1000, 1000, 16, 16},
        {structOf({types().vectorOf(types().get(TypeKind::Float), 4), slot}), 0, 1, 16, 0},
    };
    for (const Case& test : cases) {
      for (bool inCell : {false, true}) {
        if (inCell && layoutOf(test.type).isHybrid()) continue;
        roots.cells.clear();
        roots.ranges.clear();
        std::vector<std::uint64_t> cell(layoutOf(test.type).size / 8 + 2);
        void* container = cell.data();
        Hidden hidden;
        std::uintptr_t root = 0;
        if (inCell) {
          roots.cells.push_back({&layoutOf(test.type).map, container});
        } else {
          container = thread->make(test.type, test.length);
          root = reinterpret_cast<std::uintptr_t>(container);
          roots.ranges.push_back({&root, &root + 1});
        }
        Population population(roots);
        fill(*thread, population, test.slots, [&](std::uint64_t i, void* target) {
          auto word = reinterpret_cast<std::uint64_t>(target);
          if (kind == TypeKind::Iref) word += 8;
          if (kind == TypeKind::Tagref64) word = tag(target);
          at<std::uint64_t>(container, test.first + i * test.stride) = word;
        });
        collect();
        churn();
        ASSERT_EQ(population.alive(), test.slots) << ir::toString(test.type) << (inCell ? " in a cell" : "");
        for (std::uint64_t i = 0; i < test.slots; ++i) {
          std::uint64_t word = at<std::uint64_t>(container, test.first + i * test.stride);
          if (kind == TypeKind::Iref) word -= 8;
          if (kind == TypeKind::Tagref64) word = abi::tagrefAddress(word);
          ASSERT_EQ(at<std::uint64_t>(reinterpret_cast<void*>(word), 8), i);
        }
      }
    }
  }
}

TEST_F(HeapTest, NumbersKeepNothing) {
  Population population(roots);
  void* volatile numbers = thread->make(structOf({arrayOf(int64(), 1000), anyRef()}));
  void* volatile pointerFree = thread->make(hybridOf({int64()}), 1000);
  fill(*thread, population, 1000, [&](std::uint64_t i, void* target) {
    at<void*>(numbers, i * 8) = target;
    at<void*>(pointerFree, i * 8) = target;
  });
  collect();
  EXPECT_LT(population.alive(), 10u);
}

TEST_F(HeapTest, HybridOfTenMillionReferences) {
  constexpr std::uint64_t kCount = 10'000'000;
  constexpr std::uint64_t kStep = 20;
  void* volatile big = thread->make(hybridOf({int64(), anyRef()}), kCount);
  const ir::Type* leaf = structOf({int64()});
  for (std::uint64_t i = 0; i < kCount; i += kStep) {
    void* target = thread->make(leaf);
    at<std::uint64_t>(target, 0) = i;
    at<void*>(big, 8 + i * 8) = target;
  }
  collect();
  churn();
  collect();
  for (std::uint64_t i = 0; i < kCount; i += kStep)
    ASSERT_EQ(at<std::uint64_t>(at<void*>(big, 8 + i * 8), 0), i);
}

TEST_F(HeapTest, HybridOfAMillionRecords) {
  constexpr std::uint64_t kCount = 1'000'000;
  const ir::Type* record = structOf({tagged(), weakRef(), anyRef()});
  void* volatile big = thread->make(hybridOf({record}), kCount);
  const ir::Type* leaf = structOf({int64()});
  for (std::uint64_t i = 0; i < kCount; ++i) {
    void* first = thread->make(leaf);
    at<std::uint64_t>(first, 0) = i;
    void* second = thread->make(leaf);
    at<std::uint64_t>(second, 0) = ~i;
    at<std::uint64_t>(big, i * 24) = tag(first);
    at<std::uint64_t>(big, i * 24 + 8) = abi::hideWeak(reinterpret_cast<std::uint64_t>(second));
    at<void*>(big, i * 24 + 16) = i % 2 == 0 ? second : nullptr;
  }
  collect();
  churn();
  std::uint64_t cleared = 0;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(
        at<std::uint64_t>(reinterpret_cast<void*>(abi::tagrefAddress(at<std::uint64_t>(big, i * 24))), 0), i);
    std::uint64_t weak = at<std::uint64_t>(big, i * 24 + 8);
    if (i % 2 == 0) {
      ASSERT_EQ(abi::revealWeak(weak), at<std::uint64_t>(big, i * 24 + 16));
      ASSERT_EQ(at<std::uint64_t>(at<void*>(big, i * 24 + 16), 0), ~i);
    } else {
      cleared += weak == 0;
    }
  }
  EXPECT_GT(cleared, kCount / 2 - 10);
}

TEST_F(HeapTest, DeepStructures) {
  // A list, and a comb of wide nodes that leaves more on the mark stack than it first has room for: marking
  // then starts over, and must see tagged references and weak slots in the second pass as well.
  const ir::Type* node = structOf({anyRef(), int64()});
  void* volatile list = nullptr;
  for (std::uint64_t i = 0; i < 500'000; ++i) {
    void* next = thread->make(node);
    at<void*>(next, 0) = list;
    at<std::uint64_t>(next, 8) = i;
    list = next;
  }
  constexpr std::uint64_t kWidth = 500;
  constexpr std::uint64_t kDepth = 100;
  const ir::Type* wide = arrayOf(tagged(), kWidth + 1);
  const ir::Type* leaf = structOf({tagged()});
  const ir::Type* weakLeaf = structOf({weakRef()});
  void* volatile comb = nullptr;
  for (std::uint64_t depth = 0; depth < kDepth; ++depth) {
    void* volatile level = thread->make(wide);
    for (std::uint64_t i = 0; i < kWidth; ++i) {
      void* volatile branch = thread->make(leaf);
      at<std::uint64_t>(level, 8 + i * 8) = tag(branch);
      void* volatile weak = thread->make(weakLeaf);
      at<std::uint64_t>(branch, 0) = tag(weak);
      // Every other weak reference refers to something that stays, the list's head.
      void* target = i % 2 == 0 ? list : thread->make(int64());
      at<std::uint64_t>(weak, 0) = abi::hideWeak(reinterpret_cast<std::uint64_t>(target));
    }
    at<std::uint64_t>(level, 0) = comb ? tag(comb) : 0;
    comb = level;
  }
  collect();
  churn();
  for (std::uint64_t i = 500'000; i-- > 0;) {
    ASSERT_EQ(at<std::uint64_t>(list, 8), i);
    list = at<void*>(list, 0);
  }
  std::uint64_t kept = 0;
  std::uint64_t cleared = 0;
  for (std::uint64_t level = reinterpret_cast<std::uint64_t>(comb); level != 0;) {
    void* node_ = reinterpret_cast<void*>(level);
    for (std::uint64_t i = 0; i < kWidth; ++i) {
      void* branch = reinterpret_cast<void*>(abi::tagrefAddress(at<std::uint64_t>(node_, 8 + i * 8)));
      ASSERT_EQ(abi::ObjectHeader::of(branch).typeIndex(), leaf->index);
      void* weak = reinterpret_cast<void*>(abi::tagrefAddress(at<std::uint64_t>(branch, 0)));
      ASSERT_EQ(abi::ObjectHeader::of(weak).typeIndex(), weakLeaf->index);
      (i % 2 == 0 ? kept : cleared) += (at<std::uint64_t>(weak, 0) != 0) == (i % 2 == 0);
    }
    std::uint64_t next = at<std::uint64_t>(node_, 0);
    level = next == 0 ? 0 : abi::tagrefAddress(next);
  }
  EXPECT_EQ(kept, kDepth * kWidth / 2);
  EXPECT_GT(cleared, kDepth * kWidth / 2 - 10);
}

TEST_F(HeapTest, WeakReferencesDoNotKeepAndAreCleared) {
  void* volatile holder = thread->make(arrayOf(weakRef(), 1000));
  void* volatile strong = thread->make(arrayOf(anyRef(), 1000));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    void* target = thread->make(int64());
    at<std::uint64_t>(holder, i * 8) = abi::hideWeak(reinterpret_cast<std::uint64_t>(target));
    if (i % 2 == 0) at<void*>(strong, i * 8) = target;
  }
  for (int round = 0; round < 3; ++round) {
    collect();
    churn();
  }
  std::uint64_t cleared = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    std::uint64_t word = abi::revealWeak(at<std::uint64_t>(holder, i * 8));
    if (i % 2 == 0) {
      ASSERT_EQ(word, at<std::uint64_t>(strong, i * 8));
    } else {
      cleared += word == 0;
    }
  }
  EXPECT_GT(cleared, 490u);
}

TEST_F(HeapTest, RootsOfTheProvider) {
  static std::uintptr_t memory[300];
  Population population(roots);
  std::uint64_t hiddenInWords = 0;
  fill(*thread, population, 300, [&](std::uint64_t i, void* target) {
    auto word = reinterpret_cast<std::uintptr_t>(target);
    if (i < 100) {
      memory[i] = word + i % 16;
    } else if (i < 200) {
      memory[i] = tag(target);
    } else {
      roots.words.push_back(i % 2 == 0 ? word : tag(target));
      ++hiddenInWords;
    }
  });
  roots.ranges.push_back({memory, memory + 300});
  collect();
  EXPECT_EQ(population.alive(), 300u);
  roots.ranges.clear();
  collect();
  EXPECT_LT(population.alive(), 110u);
  EXPECT_GE(population.alive(), hiddenInWords);
  roots.words.assign(roots.words.size(), 0);
  collect();
  EXPECT_LT(population.alive(), 10u);
}

TEST_F(HeapTest, StackAndThreadBlockKeep) {
  volatile std::uint64_t onStack[3] = {};
  Population population(roots);
  fill(*thread, population, 5, [&](std::uint64_t i, void* target) {
    auto word = reinterpret_cast<std::uint64_t>(target);
    if (i == 0) onStack[0] = word;
    if (i == 1) onStack[1] = tag(target);
    if (i == 2) onStack[2] = word + 15;
    if (i == 3) thread->block.threadLocal = target;
    if (i == 4) thread->block.exception = target;
  });
  collect();
  EXPECT_EQ(population.alive(), 5u);
  EXPECT_NE(onStack[0] + onStack[1] + onStack[2], 0u);
}

TEST_F(HeapTest, FinalizersRunOnceForCycles) {
  struct Log {
    int runs = 0;
    Hidden last;
  } log;
  auto finalizer = [](void* block, void* data) {
    ++static_cast<Log*>(data)->runs;
    static_cast<Log*>(data)->last = Hidden(block);
  };
  const ir::Type* node = structOf({anyRef(), int64()});
  auto makeCycles = [&](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      void* a = thread->make(node);
      void* b = thread->make(node);
      at<void*>(a, 0) = b;
      at<void*>(b, 0) = a;
      at<std::uint64_t>(b, 8) = 77;
      heap->onUnreachable(static_cast<char*>(a) - 8, finalizer, &log);
    }
  };
  [&]() __attribute__((noinline)) { makeCycles(100); }
  ();
  void* volatile kept = thread->make(node);
  heap->onUnreachable(static_cast<char*>(kept) - 8, finalizer, &log);
  EXPECT_EQ(log.runs, 0);
  collect();
  EXPECT_EQ(log.runs, 0);
  EXPECT_TRUE(heap->hasFinalizersToRun());
  churn();  // what finalizers will see must not be reused
  heap->runFinalizers();
  EXPECT_GT(log.runs, 95);
  EXPECT_LE(log.runs, 100);
  void* block = log.last.get();
  EXPECT_EQ(at<std::uint64_t>(at<void*>(block, 8), 8), 77u);
  int before = log.runs;
  heap->collectAll();
  EXPECT_LE(log.runs, 100);
  EXPECT_LE(log.runs - before, 5);
  EXPECT_NE(kept, nullptr);
}

using HeapVerifierTest = HeapTest;

TEST_F(HeapVerifierTest, ReportsABrokenHeader) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  void* volatile object = thread->make(structOf({anyRef(), int64()}));
  static_cast<std::uint64_t*>(object)[-1] =
      abi::ObjectHeader::make(structOf({arrayOf(anyRef(), 8)})->index, false).bits();
  layoutOf(structOf({arrayOf(anyRef(), 8)}));
  EXPECT_DEATH(heap->collect(), "bigger than its block");
}

TEST_F(HeapVerifierTest, ReportsAWordThatIsNoAddress) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  void* volatile object = thread->make(structOf({anyRef(), int64()}));
  at<std::uint64_t>(object, 0) = 0xdeadbeefdeadbeef;
  EXPECT_DEATH(heap->collect(), "slot at offset 0 refers to 0xdeadbeefdeadbeef, which is no address");
}

}  // namespace
}  // namespace gaur::gc
