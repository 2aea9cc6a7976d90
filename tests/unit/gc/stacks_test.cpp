// Threads that run on stacks Boehm does not know, while others collect without pause.
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/unit/gc/test_heap.h"
#include "vm/support/platform.h"

// Calls function(argument) on the stack with this top, and stores the stack pointer of the old stack in
// *saved.
extern "C" void gaurTestCallOnStack(void* top, void** saved, void (*function)(void*), void* argument);
#if defined(__x86_64__)
asm(R"(
.text
.type gaurTestCallOnStack, @function
gaurTestCallOnStack:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, %rbp
  mov %rsp, (%rsi)
  mov %rdi, %rsp
  mov %rcx, %rdi
  call *%rdx
  mov %rbp, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
.size gaurTestCallOnStack, . - gaurTestCallOnStack
)");
#elif defined(__aarch64__)
asm(R"(
.text
.type gaurTestCallOnStack, %function
gaurTestCallOnStack:
  stp x29, x30, [sp, #-96]!
  stp x19, x20, [sp, #16]
  stp x21, x22, [sp, #32]
  stp x23, x24, [sp, #48]
  stp x25, x26, [sp, #64]
  stp x27, x28, [sp, #80]
  mov x29, sp
  str x29, [x1]
  mov sp, x0
  mov x0, x3
  blr x2
  mov sp, x29
  ldp x19, x20, [sp, #16]
  ldp x21, x22, [sp, #32]
  ldp x23, x24, [sp, #48]
  ldp x25, x26, [sp, #64]
  ldp x27, x28, [sp, #80]
  ldp x29, x30, [sp], #96
  ret
.size gaurTestCallOnStack, . - gaurTestCallOnStack
)");
#endif

namespace gaur::gc {
namespace {

class MuStack {
 public:
  static constexpr std::size_t kBytes = 256 << 10;
  MuStack() : base_(platform::reserveZeroed(kBytes)) {}
  ~MuStack() { platform::release(base_, kBytes); }
  StackRange range() const { return {begin(), begin() + kBytes}; }

  /// Runs f on this stack, as the runtime does when it enters Mu code.
  template <class F>
  void run(TestThread& thread, F f) {
    gaurTestCallOnStack(
        reinterpret_cast<void*>(begin() + kBytes), &thread.block.nativeStackPointer,
        [](void* function) { (*static_cast<F*>(function))(); }, &f);
  }

 private:
  std::uintptr_t begin() const { return reinterpret_cast<std::uintptr_t>(base_); }
  void* base_;
};

const ir::Type* node() { return structOf({anyRef(), tagged(), int64()}); }

/// Builds lists of which only this frame knows the heads, one of them by a tagged reference, and checks them;
/// false when they were broken.
[[gnu::noinline]] bool buildAndCheck(TestThread& thread, std::uint64_t seed) {
  constexpr std::uint64_t kLength = 2000;
  void* volatile list = nullptr;
  volatile std::uint64_t taggedList = 0;
  for (std::uint64_t i = 0; i < kLength; ++i) {
    void* first = thread.make(node());
    at<void*>(first, 0) = list;
    at<std::uint64_t>(first, 16) = seed + i;
    list = first;
    void* second = thread.make(node());
    at<std::uint64_t>(second, 8) = taggedList;
    at<std::uint64_t>(second, 16) = ~(seed + i);
    taggedList = tag(second);
    for (int garbage = 0; garbage < 5; ++garbage) at<std::uint64_t>(thread.make(node()), 16) = 0xdead;
  }
  for (std::uint64_t i = kLength; i-- > 0;) {
    if (at<std::uint64_t>(list, 16) != seed + i) return false;
    list = at<void*>(list, 0);
    void* second = reinterpret_cast<void*>(abi::tagrefAddress(taggedList));
    if (at<std::uint64_t>(second, 16) != ~(seed + i)) return false;
    taggedList = at<std::uint64_t>(second, 8);
  }
  return true;
}

TEST_F(HeapTest, ReferencesOnlyOnAStackOfTheVm) {
  MuStack stack;
  roots.stacks.push_back(stack.range());
  stack.run(*thread, [&] {
    void* volatile kept = thread->make(int64());
    at<std::uint64_t>(kept, 0) = 4711;
    for (int i = 0; i < 3; ++i) {
      collect();
      churn();
    }
    EXPECT_EQ(at<std::uint64_t>(kept, 0), 4711u);
    EXPECT_TRUE(buildAndCheck(*thread, 1));
  });
  collect();
}

TEST_F(HeapTest, AThreadKeepsTheObjectOfTheStackItStandsOn) {
  // As between the instructions of a switch, when nothing else refers to it.
  MuStack stack;
  Hidden object;
  [&]() __attribute__((noinline)) {
    object = Hidden(thread->makeRuntimeObject<abi::StackObject>(abi::kStackObjectType));
  }
  ();
  roots.stacks.push_back(stack.range());
  roots.stacks.back().owner = object.get();
  bool reachable = false;
  roots.onMarked = [&](bool (*isReachable)(const void*)) { reachable = isReachable(object.get()); };
  stack.run(*thread, [&] { collect(); });
  EXPECT_TRUE(reachable);
  collect();
  EXPECT_FALSE(reachable);
}

TEST_F(HeapTest, NativePartBelowAStackOfTheVm) {
  MuStack stack;
  roots.stacks.push_back(stack.range());
  Population population(roots);
  volatile std::uint64_t native[64];
  for (std::uint64_t i = 0; i < 64; ++i) {
    void* target = thread->make(int64());
    native[i] = i % 2 == 0 ? reinterpret_cast<std::uint64_t>(target) : tag(target);
    population.add(target);
  }
  stack.run(*thread, [&] { collect(); });
  EXPECT_EQ(population.alive(), 64u);
  for (volatile std::uint64_t& word : native) word = 0;
  stack.run(*thread, [&] { collect(); });
  EXPECT_LT(population.alive(), 10u);
}

TEST_F(HeapTest, StacksOfTwoMachinesOnOneThread) {
  TestRoots innerRoots;
  auto inner = makeBoehmHeap({.verify = true}, innerRoots);
  TestThread innerThread(*inner);
  MuStack outerStack;
  MuStack innerStack;
  roots.stacks.push_back(outerStack.range());
  innerRoots.stacks.push_back(innerStack.range());
  void* volatile onNative = thread->make(int64());
  at<std::uint64_t>(onNative, 0) = 1;
  outerStack.run(*thread, [&] {
    void* volatile onOuter = thread->make(int64());
    at<std::uint64_t>(onOuter, 0) = 2;
    innerStack.run(innerThread, [&] {
      void* volatile onInner = innerThread.make(int64());
      at<std::uint64_t>(onInner, 0) = 3;
      collect();
      churn();
      EXPECT_EQ(at<std::uint64_t>(onInner, 0), 3u);
    });
    EXPECT_EQ(at<std::uint64_t>(onOuter, 0), 2u);
  });
  EXPECT_EQ(at<std::uint64_t>(onNative, 0), 1u);
}

TEST_F(HeapTest, ThreadsOnTheirOwnStacksUnderConstantCollection) {
  constexpr int kThreads = 3;
  constexpr int kRounds = 12;
  MuStack stacks[kThreads];
  for (const MuStack& stack : stacks) roots.stacks.push_back(stack.range());
  std::atomic<int> running{kThreads};
  std::atomic<int> broken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      TestThread self(*heap);
      for (int round = 0; round < kRounds; ++round) {
        auto check = [&] {
          broken += !buildAndCheck(self, static_cast<std::uint64_t>(t * kRounds + round) << 32);
        };
        // Now on the machine's stack, now on the native one.
        if (round % 4 == 3) {
          check();
        } else {
          stacks[t].run(self, check);
        }
      }
      --running;
    });
  }
  std::uint64_t before = heap->statistics().collections;
  while (running != 0) {
    heap->collect();
    // The lock is not fair: without a pause the others hardly get it.
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  for (std::thread& thread_ : threads) thread_.join();
  EXPECT_EQ(broken, 0);
  EXPECT_GT(heap->statistics().collections, before + 5);
}

TEST_F(HeapTest, WeakReferencesThatAreJustBeingLoaded) {
  // Stopped between the load of the hidden word and its revealing, a thread has nothing else that keeps the
  // target.
  Population population(roots);
  std::atomic<bool> loaded{false};
  std::atomic<bool> collected{false};
  std::thread loader([&] {
    TestThread self(*heap);
    volatile std::uint64_t hidden[32];
    [&]() __attribute__((noinline)) {
      for (volatile std::uint64_t& word : hidden) {
        void* target = self.make(int64());
        population.add(target);
        word = abi::hideWeak(reinterpret_cast<std::uint64_t>(target));
      }
    }
    ();
    clearStackBelow();
    loaded = true;
    while (!collected) asm volatile("" ::: "memory");
  });
  while (!loaded) std::this_thread::yield();
  collect();
  EXPECT_EQ(population.alive(), 32u);
  collected = true;
  loader.join();
  collect();
  EXPECT_LT(population.alive(), 10u);
}

TEST(HeapThreads, AttachmentsNestAndEnd) {
  TestRoots roots;
  auto heap = makeBoehmHeap({}, roots);
  TestThread outer(*heap);
  {
    TestThread inner(*heap);
    inner.make(anyRef());
    heap->collect();
  }
  heap->collect();
  for (int i = 0; i < 20; ++i) {
    std::thread([&] {
      TestThread self(*heap);
      EXPECT_TRUE(buildAndCheck(self, 1));
    }).join();
    heap->collect();
  }
}

TEST(HeapThreads, FirstHeapOnAThreadThatEnds) {
  TestRoots roots;
  std::unique_ptr<Heap> heap;
  std::thread([&] {
    heap = makeBoehmHeap({}, roots);
    TestThread self(*heap);
    EXPECT_TRUE(buildAndCheck(self, 1));
    heap->collect();
  }).join();
  std::thread([&] {
    TestThread self(*heap);
    EXPECT_TRUE(buildAndCheck(self, 1));
    heap->collect();
  }).join();
  TestThread self(*heap);
  EXPECT_TRUE(buildAndCheck(self, 1));
  heap->collect();
}

}  // namespace
}  // namespace gaur::gc
