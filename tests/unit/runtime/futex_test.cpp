// Waiting queues of memory locations: from native threads directly, and from Mu code on several threads at
// once.
#include "vm/runtime/futex.h"

#include <gmock/gmock.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <limits>
#include <mutex>
#include <thread>

#include "tests/unit/runtime/machine.h"

namespace gaur::runtime {
namespace {

using namespace std::chrono_literals;

/// Whether a thread of this process sleeps in the kernel.
bool isAsleep(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line;
  std::getline(file, line);
  auto name = line.rfind(") ");
  return name != std::string::npos && line[name + 2] == 'S';
}

/// A native thread that waits once.
class Sleeper {
 public:
  template <class F>
  explicit Sleeper(F wait) {
    thread_ = std::thread([this, wait] {
      id_ = gettid();
      result_ = static_cast<int>(wait());
      done_ = true;
    });
    while (id_ == 0 || (!isAsleep(id_) && !done_)) std::this_thread::yield();
  }
  ~Sleeper() {
    if (thread_.joinable()) thread_.join();
  }
  bool isDone() const { return done_; }
  bool endsSoon() const {
    for (int i = 0; i < 2000 && !done_; ++i) std::this_thread::sleep_for(1ms);
    return done_;
  }
  int result() {
    thread_.join();
    return result_;
  }
  pthread_t handle() { return thread_.native_handle(); }

 private:
  std::thread thread_;
  std::atomic<pid_t> id_{0};
  std::atomic<bool> done_{false};
  int result_ = 1;
};

template <class T>
auto waitFor(const T& location, std::optional<std::uint64_t> timeout = {}) {
  return [&location, timeout, value = location] { return futexWait(&location, value, sizeof(T), timeout); };
}

constexpr int kWoken = static_cast<int>(FutexWait::Woken), kTimedOut = static_cast<int>(FutexWait::TimedOut);
constexpr std::uint32_t kAll = std::numeric_limits<std::int32_t>::max();
constexpr std::uint64_t kHour = 3'600'000'000'000;

template <class T>
class FutexWidth : public ::testing::Test {};
using Widths = ::testing::Types<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>;
TYPED_TEST_SUITE(FutexWidth, Widths);

TYPED_TEST(FutexWidth, NeighboursHaveQueuesOfTheirOwn) {
  std::array<TypeParam, 3> cells = {1, 2, static_cast<TypeParam>(~TypeParam{0})};
  Sleeper left(waitFor(cells[0])), right(waitFor(cells[2]));
  EXPECT_EQ(futexWake(&cells[1], kAll), 0u);
  EXPECT_EQ(futexWake(&cells[2], kAll), 1u);
  EXPECT_EQ(right.result(), kWoken);
  EXPECT_FALSE(left.isDone());
  EXPECT_EQ(futexWake(&cells[0], kAll), 1u);
  EXPECT_EQ(left.result(), kWoken);
}

TYPED_TEST(FutexWidth, ComparesTheWholeValueAndNoMore) {
  std::array<TypeParam, 3> cells = {0, static_cast<TypeParam>(~TypeParam{0}), 0};
  auto waits = [&](TypeParam expected) { return futexWait(&cells[1], expected, sizeof(TypeParam), 0); };
  EXPECT_EQ(waits(cells[1]), FutexWait::TimedOut);
  for (unsigned bit = 0; bit < 8 * sizeof(TypeParam); ++bit)
    EXPECT_EQ(waits(static_cast<TypeParam>(cells[1] ^ TypeParam{1} << bit)), FutexWait::Differs) << bit;
}

TEST(Futex, WakesInTheOrderOfArrival) {
  std::uint32_t cell = 0;
  std::vector<std::unique_ptr<Sleeper>> sleepers;
  for (int i = 0; i < 5; ++i) sleepers.push_back(std::make_unique<Sleeper>(waitFor(cell)));
  for (int i = 0; i < 5; ++i) {
    for (int k = i; k < 5; ++k) EXPECT_FALSE(sleepers[k]->isDone()) << i << " " << k;
    EXPECT_EQ(futexWake(&cell, 1), 1u);
    EXPECT_EQ(sleepers[i]->result(), kWoken);
  }
  EXPECT_EQ(futexWake(&cell, 1), 0u);
}

TEST(Futex, WakesNoMoreThanWanted) {
  std::uint64_t cell = 0;
  std::vector<std::unique_ptr<Sleeper>> sleepers;
  for (int i = 0; i < 5; ++i) sleepers.push_back(std::make_unique<Sleeper>(waitFor(cell)));
  EXPECT_EQ(futexWake(&cell, 0), 0u);
  EXPECT_EQ(futexWake(&cell, 3), 3u);
  EXPECT_EQ(futexWake(&cell, 3), 2u);
}

TEST(Futex, TimesOut) {
  std::uint16_t cell = 0;
  auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(futexWait(&cell, 0, sizeof cell, 5'000'000), FutexWait::TimedOut);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 5ms);
  EXPECT_EQ(futexWake(&cell, kAll), 0u) << "who gave up waits no longer";
}

TEST(Futex, TakesTheLongestTimeout) {
  std::uint8_t cell = 0;
  Sleeper sleeper(waitFor(cell, std::numeric_limits<std::uint64_t>::max()));
  EXPECT_FALSE(sleeper.isDone());
  EXPECT_EQ(futexWake(&cell, 1), 1u);
  EXPECT_EQ(sleeper.result(), kWoken);
}

TEST(Futex, RequeueWakesSomeAndMovesTheRest) {
  std::uint32_t cell = 7, target = 0;
  Sleeper there(waitFor(target));
  std::vector<std::unique_ptr<Sleeper>> sleepers;
  for (int i = 0; i < 4; ++i) sleepers.push_back(std::make_unique<Sleeper>(waitFor(cell)));
  EXPECT_EQ(futexRequeue(&cell, &target, 8, sizeof cell, 1), std::nullopt);
  EXPECT_EQ(futexRequeue(&cell, &target, 7, sizeof cell, 1), 1u);
  EXPECT_EQ(sleepers[0]->result(), kWoken);
  EXPECT_EQ(futexWake(&cell, kAll), 0u);
  EXPECT_EQ(futexWake(&target, 1), 1u);
  EXPECT_EQ(there.result(), kWoken) << "who waits there already comes first";
  EXPECT_EQ(futexWake(&target, 1), 1u);
  EXPECT_EQ(sleepers[1]->result(), kWoken);
  EXPECT_EQ(futexWake(&target, kAll), 2u);
}

TEST(Futex, RequeueToItselfMovesNobody) {
  std::uint32_t cell = 7;
  Sleeper first(waitFor(cell)), second(waitFor(cell));
  EXPECT_EQ(futexRequeue(&cell, &cell, 7, sizeof cell, 0), 0u);
  EXPECT_EQ(futexRequeue(&cell, &cell, 7, sizeof cell, 1), 1u);
  EXPECT_EQ(first.result(), kWoken);
  EXPECT_EQ(futexWake(&cell, kAll), 1u);
}

TEST(Futex, TimesOutWhereItWasMovedTo) {
  std::uint32_t cell = 0, target = 0;
  Sleeper sleeper(waitFor(cell, 100'000'000));
  EXPECT_EQ(futexRequeue(&cell, &target, 0, sizeof cell, 0), 0u);
  EXPECT_EQ(sleeper.result(), kTimedOut);
  EXPECT_EQ(futexWake(&target, kAll), 0u);
}

TEST(Futex, KeepsQueuesThatShareABucketApart) {
  // More than there are buckets, so that some have to share.
  std::vector<std::uint8_t> cells(4096);
  std::vector<std::unique_ptr<Sleeper>> sleepers;
  for (std::size_t i = 0; i < 64; ++i) sleepers.push_back(std::make_unique<Sleeper>(waitFor(cells[i * 61])));
  for (std::size_t i = 0; i < cells.size(); ++i)
    EXPECT_EQ(futexWake(&cells[i], kAll), i % 61 == 0 && i / 61 < 64 ? 1u : 0u) << i;
  for (auto& sleeper : sleepers) EXPECT_EQ(sleeper->result(), kWoken);
}

TEST(Futex, RequeuesWithinABucketToo) {
  // Among so many targets are some of the same bucket.
  std::vector<std::uint8_t> cells(16384);
  Sleeper first(waitFor(cells[0])), second(waitFor(cells[0])), third(waitFor(cells[0]));
  for (std::size_t i = 1; i < cells.size(); ++i) {
    ASSERT_EQ(futexRequeue(&cells[0], &cells[i], 0, 1, 0), 0u);
    ASSERT_EQ(futexRequeue(&cells[i], &cells[0], 0, 1, 0), 0u);
  }
  EXPECT_FALSE(first.isDone() || second.isDone() || third.isDone());
  EXPECT_EQ(futexWake(&cells[0], 1), 1u);
  EXPECT_EQ(first.result(), kWoken);
  EXPECT_EQ(futexWake(&cells[0], 1), 1u);
  EXPECT_EQ(second.result(), kWoken);
  EXPECT_EQ(futexWake(&cells[0], kAll), 1u);
}

TEST(Futex, SignalsDoNotEndAWait) {
  struct sigaction action = {}, old;
  action.sa_handler = [](int) {};  // and no SA_RESTART: the system call ends
  sigaction(SIGUSR1, &action, &old);
  std::uint32_t cell = 0;
  Sleeper sleeper(waitFor(cell)), limited(waitFor(cell, kHour));
  for (int i = 0; i < 20; ++i) {
    pthread_kill(sleeper.handle(), SIGUSR1);
    pthread_kill(limited.handle(), SIGUSR1);
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_FALSE(sleeper.isDone() || limited.isDone());
  EXPECT_EQ(futexWake(&cell, kAll), 2u);
  EXPECT_EQ(sleeper.result() + limited.result(), 2 * kWoken);
  sigaction(SIGUSR1, &old, nullptr);
}

TEST(Futex, LosesNoWakeAgainstTimeouts) {
  // A thread is either counted as woken, or has timed out; never both.
  std::uint32_t cell = 0;
  std::atomic<int> woken{0}, counted{0};
  std::atomic<int> running{4};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 3000; ++k)
        if (futexWait(&cell, 0, sizeof cell,
                      static_cast<std::uint64_t>(k % 7) * 5000 + static_cast<std::uint64_t>(i)) ==
            FutexWait::Woken)
          ++woken;
      --running;
    });
  std::uint32_t other = 0;
  while (running > 0) {
    counted += static_cast<int>(futexWake(&cell, 2));
    counted += static_cast<int>(*futexRequeue(&cell, &other, 0, sizeof cell, 1));
    counted += static_cast<int>(futexWake(&other, kAll));
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(woken, counted);
  EXPECT_GT(woken, 0);
}

// --- Mu code ----------------------------------------------------------------------------------------------

constexpr const char* kCells = R"(
  .typedef @i1 = int<1>
  .typedef @i32 = int<32>
  .typedef @i64 = int<64>
  .typedef @void = void
  .typedef @ref = ref<@i64>
  .typedef @weak = weakref<@i64>
  .typedef @iref = iref<@i64>
  .const @0 <@i64> = 0
  .const @n1 <@i32> = 1
  .const @null <@ref> = NULL
  .funcsig @int = () -> (@i32)
  .funcsig @nothing = () -> ()
  .global @turn <@i64>
  .global @weakly <@weak>
  .global @place <@i64>
)";

TEST_P(RunTest, AWaitSeesWhatWasDoneBeforeTheWake) {
  machine.mustLoad(std::string(kCells) + R"(
    .const @rounds <@i64> = 20000
    .const @1 <@i64> = 1
    .global @data <@i64>
    .funcsig @player = (@i64) -> (@i64)
    // Two players count @data up in turns; @turn tells whose it is.
    .funcdef @play VERSION %v <@player> {
      %entry(<@i64> %me):
        BRANCH %wait(%me @0)
      %wait(<@i64> %me <@i64> %round):
        %turn = LOAD ACQUIRE <@i64> @turn
        %mine = EQ <@i64> %turn %me
        BRANCH2 %mine %act(%me %round) %sleep(%me %round %turn)
      %sleep(<@i64> %me <@i64> %round <@i64> %turn):
        %r = COMMINST @uvm.futex.wait <@i64> (@turn %turn)
        BRANCH %wait(%me %round)
      %act(<@i64> %me <@i64> %round):
        %n = LOAD <@i64> @data
        %m = ADD <@i64> %n @1
        STORE <@i64> @data %m
        %other = XOR <@i64> %me @1
        STORE RELEASE <@i64> @turn %other
        %w = COMMINST @uvm.futex.wake <@i64> (@turn @n1)
        %next = ADD <@i64> %round @1
        %more = SLT <@i64> %next @rounds
        BRANCH2 %more %wait(%me %next) %done()
      %done():
        %sum = LOAD <@i64> @data
        RET %sum
    })");
  std::int64_t first = 0, second = 0;
  std::thread other([&] { second = machine.call("@play", std::int64_t{1}); });
  first = machine.call("@play", std::int64_t{0});
  other.join();
  EXPECT_EQ(std::max(first, second), 40'000);
}

TEST_P(RunTest, AWaitKeepsItsObjectAndDoesNotHoldUpTheCollector) {
  machine.mustLoad(std::string(kCells) + R"(
    // Nothing but the wait refers to the object, and @place knows its address as a number.
    .funcdef @sleep VERSION %v <@int> {
      %entry():
        %object = NEW <@i64>
        STORE <@weak> @weakly %object
        %cell = GETIREF <@i64> %object
        STORE <@i64> @turn @0
        %p = COMMINST @uvm.native.get_addr <@iref> (%cell)
        %n = PTRCAST <@p @i64> %p
        STORE SEQ_CST <@i64> @place %n
        %r = COMMINST @uvm.futex.wait <@i64> (%cell @0)
        RET %r
    }
    .typedef @p = uptr<@i64>
    .funcsig @address.sig = () -> (@i64)
    .funcdef @address VERSION %v <@address.sig> {
      %entry():
        %n = LOAD SEQ_CST <@i64> @place
        RET %n
    }
    .funcsig @alive.sig = () -> (@i1)
    .funcdef @alive VERSION %v <@alive.sig> {
      %entry():
        %object = LOAD <@weak> @weakly
        %alive = NE <@ref> %object @null
        RET %alive
    }
    .funcdef @litter VERSION %v <@nothing> {
      %entry():
        %a = NEW <@i64>
        %b = GETIREF <@i64> %a
        STORE <@i64> %b @n5
        RET ()
    }
    .const @n5 <@i64> = 5
  )");
  std::int32_t result = 1;
  std::int64_t address = 0;
  {
    Sleeper sleeper([&] { return result = machine.call<std::int32_t>("@sleep"); });
    while (address == 0) address = machine.call("@address");
    for (int i = 0; i < 10; ++i) {
      Thread attached(machine.vm());
      machine.vm().heap().collect();
      for (int k = 0; k < 1000; ++k) machine.run("@litter", nullptr);
    }
    EXPECT_TRUE(machine.call<bool>("@alive"));
    EXPECT_FALSE(sleeper.isDone());
    while (futexWake(reinterpret_cast<void*>(address), 1) == 0) std::this_thread::yield();
    EXPECT_TRUE(sleeper.endsSoon());
  }
  EXPECT_EQ(result, kWoken);
}

}  // namespace
}  // namespace gaur::runtime
