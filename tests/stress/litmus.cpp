// The memory model, observed: each litmus test runs many times on threads that meet before each run.
//   stress_litmus OPTLEVEL RUNS [FAMILY]     RUNS: of each variant
// Outcomes that the orders forbid must never be seen. Outcomes that they allow are counted; where the machine
// has two processors, that of SB must be seen at last, or the tests could not see anything.
#include <unistd.h>

#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tests/stress/litmus.h"
#include "tests/stress/program.h"

namespace {

using namespace gaur;
using namespace gaur::stress;

class Runner {
 public:
  explicit Runner(std::uint64_t optLevel) : program_(optLevel) {
    program_.load("litmus prelude", litmusPrelude());
  }

  /// Loads a test, to be run with locations of `width` bits.
  void use(const LitmusTest& test, int width) {
    test_ = &test;
    width_ = width;
    ++number_;
    std::string text = litmusBundle(number_, test, width);
    program_.load("litmus test", text);
    std::string suffix = ".i" + std::to_string(width);
    for (std::size_t i = 0; i < kLocations.size(); ++i)
      locations_[i] = memory(std::string("@") + kLocations[i] + suffix);
    for (int i = 0; i < kMostThreads; ++i) registers_[i] = memory("@r" + std::to_string(i) + suffix);
  }

  /// How often the outcome was seen in `batches` batches.
  long run(long batches) {
    seen_ = 0;
    reset();
    auto check = [this]() noexcept {
      seen_ += countOutcomes();
      reset();
    };
    std::barrier together(static_cast<std::ptrdiff_t>(test_->threads.size()), check);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < test_->threads.size(); ++i)
      threads.emplace_back([&, i] {
        runtime::Thread attached(program_.vm());
        const ir::Function& function = program_.function(litmusFunction(number_, static_cast<int>(i)));
        for (long batch = 0; batch < batches; ++batch) {
          program_.call(function, std::int64_t{first_ + batch * kBatch});
          together.arrive_and_wait();
        }
      });
    for (auto& thread : threads) thread.join();
    first_ += batches * kBatch;
    return seen_;
  }

 private:
  unsigned char* memory(const std::string& cell) {
    return reinterpret_cast<unsigned char*>(program_.cell(cell));
  }
  std::size_t bytes() const { return static_cast<std::size_t>(width_) / 8; }

  void reset() {
    for (auto* location : locations_) std::memset(location, 0, kBatch * kLineBytes);
    for (auto* reg : registers_) std::memset(reg, 0xff, kBatch * bytes());
  }

  bool holds(const LitmusTest::Term& term, std::size_t run) const {
    const unsigned char* place = term.what == 'r' ? registers_[term.number] + run * bytes()
                                                  : locations_[kLocations.find(term.what)] + run * kLineBytes;
    return std::memcmp(place, &term.value, bytes()) == 0;  // little-endian, as both targets are
  }

  long countOutcomes() const {
    long count = 0;
    for (std::size_t run = 0; run < kBatch; ++run) {
      bool all = true;
      for (const auto& term : test_->outcome) all = all && holds(term, run);
      count += all;
    }
    return count;
  }

  Program program_;
  const LitmusTest* test_ = nullptr;
  int width_ = 0;
  int number_ = -1;
  std::int64_t first_ = 1;
  long seen_ = 0;
  unsigned char* locations_[kLocations.size()] = {};
  unsigned char* registers_[kMostThreads] = {};
};

/// Runs SB without order until its outcome shows.
bool canSee(Runner& runner, const LitmusTest& test) {
  constexpr long kMostRounds = 2000, kBatches = 10;
  for (int width : kWidths) {
    runner.use(test, width);
    for (long round = 0; round < kMostRounds; ++round)
      if (runner.run(kBatches) > 0)
        break;
      else if (round + 1 == kMostRounds)
        return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const long batches = (std::strtol(argv[2], nullptr, 10) + kBatch - 1) / kBatch;
  const std::string family = argc > 3 ? argv[3] : "";
  alarm(600);
  Runner runner(std::strtoul(argv[1], nullptr, 10));
  auto tests = litmusTests();
  long runs = 0, failures = 0;
  std::size_t turn = 0;
  for (const LitmusTest& test : tests) {
    if (!family.empty() && test.family != family) continue;
    const int width = kWidths[turn++ % std::size(kWidths)];
    runner.use(test, width);
    const long seen = runner.run(batches);
    runs += batches * kBatch;
    const bool isWrong = test.isForbidden && seen > 0;
    failures += isWrong;
    std::printf("%-12s %-40s int<%d> %9s, seen %ld of %ld%s\n", test.family.c_str(), test.orders.c_str(),
                width, test.isForbidden ? "forbidden" : "allowed", seen, batches * kBatch,
                isWrong ? "  WRONG" : "");
  }
  std::printf("%ld runs, %ld forbidden outcomes\n", runs, failures);
  if (family.empty() && std::thread::hardware_concurrency() > 1 && !canSee(runner, tests.front())) {
    std::printf("two threads never ran at the same time\n");
    return 1;
  }
  return failures == 0 ? 0 : 1;
}
