// How long a large program takes. The goals (release build: half a second to write or to read 600,000
// instructions, 10 ms for the top level of 10,000 functions and 30,000 constants) are printed beside the
// figures; what fails is only what no build may exceed.
#include <chrono>
#include <cstdio>

#include "tests/unit/ir/snapshot_maker.h"

namespace gaur::ir::test {
namespace {

constexpr unsigned kFunctions = 10000;
constexpr unsigned kConstants = 30000;
constexpr unsigned kAdditions = 28;  // of each of two blocks

std::string largeProgram() {
  std::string text =
      ".typedef @i64 = int<64>\n.typedef @node = struct<@i64 @link>\n.typedef @link = ref<@node>\n"
      ".funcsig @unary = (@i64) -> (@i64)\n";
  for (unsigned i = 0; i < kConstants; ++i)
    text += ".const @constant" + std::to_string(i) + " <@i64> = " + std::to_string(i * 77) + "\n";
  unsigned constant = 0;
  auto additions = [&](const char* first) {
    std::string value = first;
    for (unsigned i = 0; i < kAdditions; ++i) {
      std::string sum = "%sum" + std::to_string(i);
      text += "    " + sum + " = ADD <@i64> " + value + " @constant" +
              std::to_string(constant++ % kConstants) + "\n";
      value = sum;
    }
    return value;
  };
  for (unsigned i = 0; i < kFunctions; ++i) {
    text += ".funcdef @function" + std::to_string(i) + " VERSION %v1 <@unary> {\n  %entry(<@i64> %x):\n";
    std::string last = additions("%x");
    text += "    %node = NEW <@node>\n    BRANCH %next(" + last + ")\n  %next(<@i64> %y):\n";
    last = additions("%y");
    text += "    %called = CALL <@unary> @function" + std::to_string(i * 7 % kFunctions) + " (" + last +
            ")\n    RET %called\n}\n";
  }
  return text;
}

class Stopwatch {
 public:
  void lap(const char* what, double goal, double limit) {
    using Milliseconds = std::chrono::duration<double, std::milli>;
    double time = Milliseconds(std::chrono::steady_clock::now() - start_).count();
    std::printf("%-24s %8.1f ms (goal %.0f)\n", what, time, goal);
    EXPECT_LT(time, limit) << what;
    start_ = std::chrono::steady_clock::now();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

TEST(SnapshotSpeed, OfALargeProgram) {
  Loaded loaded = load(largeProgram());
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  std::size_t instructions = 0;
  for (const FunctionVersion* version : loaded.bundle->versions) instructions += version->instructionCount;
  EXPECT_EQ(instructions, kFunctions * (2 * kAdditions + 4));
  std::lock_guard lock(loaded.program->loadMutex());
  Stopwatch watch;
  Reachable reachable(*loaded.program);
  for (const Function* function : loaded.bundle->functions) reachable.add(*function);
  ASSERT_TRUE(reachable.drain());
  watch.lap("find what is reachable", 500, 20000);
  std::vector<std::byte> bytes = writeSnapshot(reachable);
  watch.lap("write", 500, 20000);
  Program program;
  Stopwatch reading;
  auto index = readSnapshot(program, bytes);
  ASSERT_TRUE(index) << index.error().message;
  reading.lap("read the top level", 10, 2000);
  auto bodies = program.needBodies();
  ASSERT_TRUE(bodies) << bodies.error().message;
  reading.lap("read and verify bodies", 500, 20000);
  std::printf("%zu instructions, %.1f bytes each in all\n", instructions,
              static_cast<double>(bytes.size()) / static_cast<double>(instructions));
}

}  // namespace
}  // namespace gaur::ir::test
