// Steps through native frames come to the same as libgcc's unwinder does, which reads the same information.
#include "vm/runtime/call_frame.h"

#include <alloca.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unwind.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

namespace gaur::runtime {
namespace {

#if defined(__x86_64__)
constexpr unsigned kKept[] = {3, 6, 12, 13, 14, 15};
#else
constexpr unsigned kKept[] = {19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29};
#endif

/// What is known of a frame where it has called another.
struct Place {
  std::uintptr_t pc, stackPointer;
  std::vector<std::uintptr_t> kept;
  bool operator==(const Place&) const = default;
};

_Unwind_Reason_Code addPlace(_Unwind_Context* context, void* places) {
  Place place{_Unwind_GetIP(context), _Unwind_GetCFA(context), {}};
  for (unsigned number : kKept) place.kept.push_back(_Unwind_GetGR(context, static_cast<int>(number)));
  static_cast<std::vector<Place>*>(places)->push_back(std::move(place));
  return _URC_NO_REASON;
}

std::vector<Place> placesOf(CallFrame frame) {
  std::vector<Place> places;
  FrameStep step = FrameStep::Caller;
  while ((step = stepOut(frame)) == FrameStep::Caller) {
    Place place{frame.pc, frame.words[CallFrame::kStackPointer], {}};
    for (unsigned number : kKept) {
      EXPECT_TRUE(frame.known[number]);
      place.kept.push_back(frame.words[number]);
    }
    places.push_back(std::move(place));
  }
  EXPECT_EQ(step, FrameStep::Outermost);
  return places;
}

std::size_t framesSeen;

/// From here outwards, by both.
__attribute__((noinline)) void compare() {
  std::vector<Place> expected;
  _Unwind_Backtrace(addPlace, &expected);
  ucontext_t here;
  ASSERT_EQ(getcontext(&here), 0);
  std::vector<Place> places = placesOf(CallFrame(here));
  // The first of libgcc's is this function itself, and the last the end.
  expected.erase(expected.begin());
  while (!expected.empty() && expected.back().pc == 0) expected.pop_back();
  framesSeen = places.size();
  ASSERT_GE(expected.size(), places.size());
  expected.resize(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) EXPECT_EQ(places[i], expected[i]) << "frame " << i;
}

TEST(CallFrame, StepsFromAFunction) {
  compare();
  EXPECT_GT(framesSeen, 5u);
}

__attribute__((noinline)) std::size_t deep(int depth, std::size_t bytes) {
  // Frames of a size that is not known before, and of big alignment, are found by other registers.
  auto* space = static_cast<volatile char*>(alloca(bytes));
  alignas(256) volatile char aligned[300];
  space[0] = 1;
  aligned[0] = 1;
  if (depth == 0)
    compare();
  else
    deep(depth - 1, bytes + 100);
  return static_cast<std::size_t>(space[0] + aligned[0]);
}

TEST(CallFrame, StepsOverFramesOfUnknownSizeAndBigAlignment) {
  EXPECT_EQ(deep(50, 16), 2u);
  EXPECT_GT(framesSeen, 50u);
}

TEST(CallFrame, StepsThroughTheCLibrary) {
  int numbers[] = {2, 1};
  qsort(numbers, 2, sizeof(int), [](const void* a, const void* b) {
    compare();
    return *static_cast<const int*>(a) - *static_cast<const int*>(b);
  });
  EXPECT_EQ(numbers[0], 1);
  std::function<void()> f = [] { compare(); };
  f();
}

TEST(CallFrame, EndsWhereAThreadBegins) {
  std::thread([] { compare(); }).join();
  EXPECT_GT(framesSeen, 1u);
}

void onSignal(int, siginfo_t*, void*) { compare(); }

TEST(CallFrame, StepsThroughASignal) {
  struct sigaction action = {}, before;
  action.sa_sigaction = onSignal;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR2, &action, &before);
  raise(SIGUSR2);
  sigaction(SIGUSR2, &before, nullptr);
  EXPECT_GT(framesSeen, 5u);
}

std::vector<Place> outside, interrupted;
bool sawTheEnd;

/// Each instruction of a call, with its prologue, its epilogue and the linker's stub, is interrupted once:
/// what is outside of the test's body stays the same.
void onStep(int, siginfo_t*, void* context) {
  interrupted = placesOf(CallFrame(*static_cast<const ucontext_t*>(context)));
  const std::size_t extra = interrupted.size() - outside.size();
  if (interrupted.size() < outside.size() ||
      !std::equal(outside.begin(), outside.end(), interrupted.begin() + static_cast<std::ptrdiff_t>(extra)))
    sawTheEnd = false;
}

#if defined(__x86_64__)
__attribute__((noinline)) void stepping() {
  ucontext_t here;
  ASSERT_EQ(getcontext(&here), 0);
  outside = placesOf(CallFrame(here));
  volatile std::size_t length = 0;
  constexpr long kTrapFlag = 0x100;
  asm volatile("pushfq\n orq %0, (%%rsp)\n popfq" ::"i"(kTrapFlag) : "memory", "cc");
  length = strnlen(std::getenv("PATH"), 3);
  asm volatile("pushfq\n andq %0, (%%rsp)\n popfq" ::"i"(~kTrapFlag) : "memory", "cc");
  EXPECT_NE(length, 0u);
}

TEST(CallFrame, IsRightAtEachInstruction) {
  struct sigaction action = {}, before;
  action.sa_sigaction = onStep;
  action.sa_flags = SA_SIGINFO;
  sawTheEnd = true;
  sigaction(SIGTRAP, &action, &before);
  stepping();
  sigaction(SIGTRAP, &before, nullptr);
  EXPECT_TRUE(sawTheEnd);
  EXPECT_FALSE(interrupted.empty());
}
#endif

TEST(CallFrame, IsUnknownWithoutInformation) {
  UnwindRegisters registers{};
  int nothing = 0;
  registers.pc = reinterpret_cast<std::uintptr_t>(&nothing);
  registers.stackPointer = registers.pc;
  CallFrame frame(registers);
  EXPECT_EQ(stepOut(frame), FrameStep::Unknown);
  EXPECT_EQ(frame.pc, registers.pc);
}

}  // namespace
}  // namespace gaur::runtime
