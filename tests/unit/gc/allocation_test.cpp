// Blocks: sizes, zeroing, free lists, exhaustion, and the heap without a collector.
#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "gc/block_supply.h"
#include "tests/unit/gc/test_heap.h"
#include "vm/support/platform.h"

namespace gaur::gc {
namespace {

constexpr abi::BlockKind kKinds[] = {abi::BlockKind::Traced, abi::BlockKind::PointerFree};

bool isZeroAfterLink(const void* block, std::uint64_t bytes) {
  auto* words = static_cast<const std::uint64_t*>(block);
  for (std::uint64_t i = 1; i < bytes / 8; ++i)
    if (words[i] != 0) return false;
  return words[0] == 0 || (words[0] & 15) == 0;
}

/// Takes blocks of all small sizes, dirties them, and says how many there were; each must be clean when it
/// comes.
void takeAllSizes(TestThread& thread, std::set<void*>& seen) {
  for (abi::BlockKind kind : kKinds) {
    for (std::uint64_t bytes = abi::kGranule; bytes <= abi::kSmallBytes; bytes += abi::kGranule) {
      for (int i = 0; i < 300; ++i) {
        void* block = thread.takeBlock(kind, bytes);
        ASSERT_NE(block, nullptr);
        ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block) % abi::kGranule, 0u);
        ASSERT_TRUE(isZeroAfterLink(block, bytes));
        ASSERT_TRUE(seen.insert(block).second) << "the same block twice";
        std::memset(block, kind == abi::BlockKind::Traced ? 0 : 0xfe, bytes);
      }
    }
  }
}

TEST_F(HeapTest, SmallBlocksOfEverySize) {
  std::set<void*> seen;
  takeAllSizes(*thread, seen);
  EXPECT_EQ(seen.size(), 2 * abi::kSmallGranules * 300);
}

TEST_F(HeapTest, BigBlocks) {
  for (abi::BlockKind kind : kKinds) {
    for (std::uint64_t bytes : {528, 1024, 2048, 4096, 4112, 100000, 1 << 20, 40 << 20}) {
      for (int i = 0; i < 3; ++i) {
        void* block = thread->takeBlock(kind, bytes);
        ASSERT_NE(block, nullptr);
        ASSERT_TRUE(isZeroAfterLink(block, bytes));
        std::memset(block, kind == abi::BlockKind::Traced ? 0 : 0xfe, bytes);
      }
    }
  }
}

TEST_F(HeapTest, FreeListsStayWholeInCollections) {
  // Whatever is on a list when a collection runs must come off it once, and clean.
  for (int round = 0; round < 5; ++round) {
    std::set<void*> fresh;
    for (abi::BlockKind kind : kKinds)
      for (std::uint64_t bytes : {16, 32, 48, 256}) thread->takeBlock(kind, bytes);
    collect();
    std::uint64_t liveBytes = heap->statistics().liveBytes;
    std::uint64_t listedBytes = 0;
    for (abi::BlockKind kind : kKinds) {
      for (std::uint64_t bytes : {16, 32, 48, 256}) {
        void* next = thread->block.allocation.heads[static_cast<unsigned>(kind)][bytes / abi::kGranule];
        std::set<void*> listed;
        for (; next; next = *static_cast<void**>(next)) ASSERT_TRUE(listed.insert(next).second);
        listedBytes += listed.size() * bytes;
        for (std::size_t i = 0; i < listed.size() + 5000; ++i) {
          void* block = thread->takeBlock(kind, bytes);
          ASSERT_TRUE(isZeroAfterLink(block, bytes));
          ASSERT_TRUE(fresh.insert(block).second);
          std::memset(block, kind == abi::BlockKind::Traced ? 0 : 0xfe, bytes);
        }
      }
    }
    EXPECT_GE(liveBytes, listedBytes);
  }
}

/// The first allocations of all fit into what there is anyhow; one of this size never does.
constexpr std::uint64_t kBigArray = 64 << 10;

TEST_F(HeapTest, InitialHeapIsOnlyAddressSpace) {
  const ir::Type* array = hybridOf({types().intType(8)});
  thread->make(array, kBigArray);
  collect();
  HeapStatistics statistics = heap->statistics();
  EXPECT_GE(statistics.heapBytes, HeapOptions{}.initialBytes);
  EXPECT_LT(statistics.liveBytes, std::uint64_t{1} << 20);
  std::size_t before = platform::residentSize();
  TestRoots otherRoots;
  auto other = makeBoehmHeap({.initialBytes = std::uint64_t{1} << 30}, otherRoots);
  thread->make(array, kBigArray);
  EXPECT_GE(heap->statistics().heapBytes, std::uint64_t{1} << 30);
  EXPECT_LT(platform::residentSize(), before + (std::size_t{16} << 20));
}

TEST_F(HeapTest, AbsurdSizesGiveNull) {
  for (unsigned bit = 47; bit < 64; ++bit)
    EXPECT_EQ(
        heap->allocateBlock(thread->block.allocation, abi::BlockKind::PointerFree, std::uint64_t{1} << bit),
        nullptr);
  EXPECT_NE(thread->make(int64()), nullptr);
}

TEST_F(HeapTest, ExhaustionGivesNullAndPasses) {
  TestRoots otherRoots;
  // The heap of the process may be big already, and never gets smaller.
  const std::uint64_t limit = heap->statistics().heapBytes + (std::uint64_t{300} << 20);
  auto limited = makeBoehmHeap({.maxBytes = limit}, otherRoots);
  const ir::Type* node = hybridOf({anyRef(), types().intType(8)});
  auto exhaust = [&]() __attribute__((noinline)) {
    static std::uintptr_t list = 0;  // where the collector does not look by itself
    roots.ranges.push_back({&list, &list + 1});
    std::uint64_t bytes = 0;
    for (;;) {
      void* block = thread->make(node, 1 << 20);
      if (!block) break;
      at<std::uintptr_t>(block, 0) = list;
      list = reinterpret_cast<std::uintptr_t>(block);
      ASSERT_LT(bytes += 1 << 20, limit);
    }
    // The rest goes in small blocks.
    while (void* block = thread->make(structOf({anyRef()}))) {
      at<std::uintptr_t>(block, 0) = list;
      list = reinterpret_cast<std::uintptr_t>(block);
      ASSERT_LT(bytes += 16, limit);
    }
    roots.ranges.clear();
  };
  exhaust();
  clearStackBelow();
  EXPECT_NE(thread->make(node, 1 << 20), nullptr);
  EXPECT_NE(thread->make(structOf({anyRef()})), nullptr);
}

TEST_F(HeapTest, GarbageIsReused) {
  const ir::Type* node = structOf({anyRef(), anyRef(), int64()});
  std::uint64_t before = heap->statistics().heapBytes;
  for (int i = 0; i < 30 << 20; ++i) thread->make(node);  // 960 MB
  EXPECT_LE(heap->statistics().heapBytes, before + (std::uint64_t{64} << 20));
  EXPECT_GT(heap->statistics().collections, 1u);
}

/// A list of nodes with arrays of `words` numbers, all made of `seed`; false when a number was overwritten.
[[gnu::noinline]] bool buildNumbers(TestThread& thread, std::uint64_t words, std::uint64_t seed) {
  constexpr std::uint64_t kNodes = 5000;
  const ir::Type* node = structOf({anyRef(), anyRef()});
  const ir::Type* numbers = arrayOf(int64(), words);
  void* volatile list = nullptr;
  for (std::uint64_t i = 0; i < kNodes; ++i) {
    void* volatile array = thread.make(numbers);
    for (std::uint64_t word = 0; word < words; ++word) at<std::uint64_t>(array, word * 8) = seed + i;
    void* first = thread.make(node);
    at<void*>(first, 0) = list;
    at<void*>(first, 8) = array;
    list = first;
  }
  for (std::uint64_t i = kNodes; i-- > 0;) {
    for (std::uint64_t word = 0; word < words; ++word)
      if (at<std::uint64_t>(at<void*>(list, 8), word * 8) != seed + i) return false;
    list = at<void*>(list, 0);
  }
  return true;
}

TEST_F(HeapTest, ThreadsThatAllocateAtOnceNeverShareABlock) {
  // More threads than processors: some meet, fetch blocks ahead, and end with blocks left.
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kRounds = 60;
  std::atomic<int> broken{0};
  std::atomic<std::uint64_t> running{kThreads};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      TestThread self(*heap);
      for (std::uint64_t round = 0; round < kRounds; ++round)
        broken += !buildNumbers(self, 1 + round % 4, (t * kRounds + round) << 32);
      --running;
    });
  }
  while (running != 0) {
    heap->collect();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (std::thread& one : threads) one.join();
  EXPECT_EQ(broken, 0);
}

TEST(TurnLockTest, OneAtATime) {
  TurnLock lock;
  std::uint64_t counter = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        lock.lock();
        std::uint64_t seen = counter;
        // Now and then longer than the others spin.
        if (i % 5000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        counter = seen + 1;
        lock.unlock();
      }
    });
  }
  for (std::thread& one : threads) one.join();
  EXPECT_EQ(counter, 80'000u);
  EXPECT_TRUE(lock.tryLock());
  EXPECT_FALSE(lock.tryLock());
  lock.unlock();
}

TEST(StressedHeap, EveryAllocationIsSlowAndCollects) {
  TestRoots roots;
  auto heap = makeBoehmHeap({.stressInterval = 3, .verify = true}, roots);
  TestThread thread(*heap);
  std::uint64_t before = heap->statistics().collections;
  void* volatile list = nullptr;
  for (int i = 0; i < 300; ++i) {
    void* node = thread.make(structOf({anyRef(), int64()}));
    at<void*>(node, 0) = list;
    at<int>(node, 8) = i;
    list = node;
    for (auto& lists : thread.block.allocation.heads)
      for (void* head : lists) ASSERT_EQ(head, nullptr);
  }
  EXPECT_EQ(heap->statistics().collections, before + 100);
  for (int i = 299; i >= 0; --i) {
    ASSERT_EQ(at<int>(list, 8), i);
    list = at<void*>(list, 0);
  }
}

TEST(HeapsOfOneProcess, ComeAndGo) {
  for (int i = 0; i < 3; ++i) {
    TestRoots rootsA;
    TestRoots rootsB;
    auto a = makeBoehmHeap({}, rootsA);
    auto b = makeBoehmHeap({}, rootsB);
    TestThread threadA(*a);
    TestThread threadB(*b);
    threadA.make(anyRef());
    threadB.make(anyRef());
    a->collect();
    EXPECT_GE(rootsA.calls, 1);
    EXPECT_EQ(rootsA.calls, rootsB.calls);
  }
}

TEST(NullHeap, GrowsUntilItsLimit) {
  auto heap = makeNullHeap({.maxBytes = 16 << 20});
  TestThread thread(*heap);
  std::set<void*> seen;
  takeAllSizes(thread, seen);
  std::uint64_t count = 0;
  while (void* block = thread.takeBlock(abi::BlockKind::Traced, 48)) {
    ASSERT_TRUE(isZeroAfterLink(block, 48));
    ASSERT_TRUE(seen.insert(block).second);
    ++count;
  }
  EXPECT_EQ(thread.takeBlock(abi::BlockKind::Traced, 4096), nullptr);
  heap->collect();
  EXPECT_EQ(thread.takeBlock(abi::BlockKind::Traced, 48), nullptr);
  EXPECT_GT(heap->statistics().allocatedBytes, (16u << 20) - 4096);
}

}  // namespace
}  // namespace gaur::gc
