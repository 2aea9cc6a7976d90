// Signals of the program reach threads that a collection has stopped, or is just letting go.
#include <pthread.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <thread>

#include "gc/heap.h"
#include "tests/unit/gc/test_heap.h"
#include "vm/support/platform.h"

namespace gaur::gc {
namespace {

constexpr std::size_t kWorkers = 3;

/// Looks, while the world is said to stand, whether the workers go on.
class WatchingRoots final : public TestRoots {
 public:
  void pushRoots(RootSink& sink) override {
    TestRoots::pushRoots(sink);
    constexpr std::uint64_t kNanoseconds = 50'000;
    std::array<std::uint64_t, kWorkers> before{};
    for (std::size_t i = 0; i < kWorkers; ++i) before[i] = steps[i].load(std::memory_order_relaxed);
    for (std::uint64_t start = platform::monotonicTime(); platform::monotonicTime() - start < kNanoseconds;) {
    }
    for (std::size_t i = 0; i < kWorkers; ++i) moved += before[i] != steps[i].load(std::memory_order_relaxed);
  }

  std::array<std::atomic<std::uint64_t>, kWorkers> steps{};
  unsigned moved = 0;
};

/// These are what the collector lets through to stopped threads.
class SignalTest : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    sigaction(GetParam(), &action, &kept_);
  }
  void TearDown() override { sigaction(GetParam(), &kept_, nullptr); }

 private:
  struct sigaction kept_ = {};
};

TEST_P(SignalTest, StoppedThreadsStayStopped) {
  constexpr int kCollections = 200;
  WatchingRoots roots;
  auto heap = makeBoehmHeap({}, roots);
  TestThread thread(*heap);
  std::atomic<bool> isOver = false;
  std::array<std::thread, kWorkers> workers;
  for (std::size_t i = 0; i < kWorkers; ++i)
    workers[i] = std::thread([&, i] {
      TestThread attached(*heap);
      while (!isOver.load(std::memory_order_relaxed)) roots.steps[i].fetch_add(1, std::memory_order_relaxed);
    });
  for (auto& steps : roots.steps)
    while (steps.load() == 0) std::this_thread::yield();
  std::thread sender([&] {
    while (!isOver.load(std::memory_order_relaxed))
      for (std::thread& worker : workers) pthread_kill(worker.native_handle(), GetParam());
  });
  for (int i = 0; i < kCollections && roots.moved == 0; ++i) heap->collect();
  isOver = true;
  sender.join();
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(roots.moved, 0u);
  EXPECT_GE(roots.calls, kCollections);
}

INSTANTIATE_TEST_SUITE_P(Gc, SignalTest, ::testing::Values(SIGQUIT, SIGINT, SIGTERM));

}  // namespace
}  // namespace gaur::gc
