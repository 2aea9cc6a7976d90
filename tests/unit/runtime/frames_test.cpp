// Frames of stacks that do not run, where native code of the test lies between them.
#include <signal.h>

#include <array>
#include <optional>
#include <span>

#include "tests/unit/runtime/machine.h"
#include "vm/runtime/frame_cursor.h"
#include "vm/runtime/native_unwind.h"
#include "vm/runtime/resumption.h"

namespace gaur::runtime {
namespace {

using Kind = CallOutcome::Kind;

class Frames : public RunTest {};
INSTANTIATE_TEST_SUITE_P(Levels, Frames, ::testing::Values(0, 2),
                         [](const auto& info) { return "O" + std::to_string(info.param); });

/// @start makes a coroutine, which calls native code, which calls back; the callback goes home. @finish gives
/// it values.
constexpr const char* kProgram = R"(
  .typedef @i64 = int<64>
  .typedef @void = void
  .typedef @stackref = stackref
  .typedef @cursor = framecursorref
  .funcsig @none = () -> ()
  .funcsig @i = () -> (@i64)
  .funcsig @ii = (@i64) -> (@i64)
  .typedef @fp.none = ufuncptr<@none>
  .funcsig @through.sig = (@fp.none) -> ()
  .typedef @fp.through = ufuncptr<@through.sig>
  .const @0 <@i64> = 0
  .const @2 <@i64> = 2
  .const @5 <@i64> = 5
  .const @through <@fp.through> = EXTERN "frames_test_through"
  .global @home <@stackref>
  .global @stack <@stackref>
  .expose @exposed = @callback #DEFAULT @5

  .funcdef @callback VERSION %v1 <@none> {
    %entry():
      %back = LOAD <@stackref> @home
      SWAPSTACK %back RET_WITH <> PASS_VALUES <> ()
      RET ()
  }
  .funcdef @f VERSION %v1 <@ii> {
    %entry(<@i64> %n):
      %a = MUL <@i64> %n @5
      %b = MUL <@i64> %n @2
      %c = ADD <@i64> %n @2
      %d = SUB <@i64> %n @5
      CCALL #DEFAULT <@fp.through @through.sig> @through (@exposed)
      %ab = MUL <@i64> %a %b
      %cd = MUL <@i64> %c %d
      %r = ADD <@i64> %ab %cd
      RET %r
  }
  .funcsig @co.sig = (@i64) -> ()
  .funcdef @co VERSION %v1 <@co.sig> {
    %entry(<@i64> %n):
      %r = CALL <@ii> @f (%n)
      %back = LOAD <@stackref> @home
      SWAPSTACK %back KILL_OLD PASS_VALUES <@i64> (%r)
  }
  .funcdef @start VERSION %v1 <@none> {
    %entry():
      %me = COMMINST @uvm.current_stack
      STORE <@stackref> @home %me
      %s = COMMINST @uvm.new_stack <[@co.sig]> (@co)
      STORE <@stackref> @stack %s
      SWAPSTACK %s RET_WITH <> PASS_VALUES <@i64> (@5)
      RET ()
  }
  .funcdef @pop VERSION %v1 <@co.sig> {
    %entry(<@i64> %n):
      %s = LOAD <@stackref> @stack
      %c = COMMINST @uvm.meta.new_cursor (%s)
      BRANCH %test(%c %n)
    %test(<@cursor> %c <@i64> %n):
      %none = EQ <@i64> %n @0
      BRANCH2 %none %end(%c) %more(%c %n)
    %more(<@cursor> %c <@i64> %n):
      COMMINST @uvm.meta.next_frame (%c)
      %m = SUB <@i64> %n @1
      BRANCH %test(%c %m)
    %end(<@cursor> %c):
      COMMINST @uvm.meta.pop_frames_to (%c)
      RET ()
  }
  .const @1 <@i64> = 1
  .funcdef @finish VERSION %v1 <@i> {
    %entry():
      %me = COMMINST @uvm.current_stack
      STORE <@stackref> @home %me
      %s = LOAD <@stackref> @stack
      %r = SWAPSTACK %s RET_WITH <@i64> PASS_VALUES <> ()
      RET %r
  }
)";
constexpr std::int64_t kResult = 25 * 10 + 7 * 0;

/// Keeps no frame pointer and uses registers that its caller wants back.
__attribute__((noinline, optimize("omit-frame-pointer"))) void frameless(void (*callback)()) {
  volatile std::uint64_t sink[6] = {};
  std::uint64_t a = sink[0] + 1, b = sink[1] + 2, c = sink[2] + 3, d = sink[3] + 4, e = sink[4] + 5,
                f = sink[5] + 6;
  callback();
  sink[0] = a;
  sink[1] = b;
  sink[2] = c;
  sink[3] = d;
  sink[4] = e;
  sink[5] = f;
}

void twice(void (*callback)()) { frameless(callback); }

TEST_P(Frames, PassesNativeCodeWithoutFramePointers) {
  machine.vm().nativeSymbols().registerSymbol("frames_test_through", reinterpret_cast<void*>(&twice));
  machine.mustLoad(kProgram);
  EXPECT_EQ(machine.run("@start", nullptr).kind, Kind::Returned);
  EXPECT_EQ(machine.run("@pop", nullptr, std::int64_t{2}).kind, Kind::Returned);
  EXPECT_EQ(machine.call("@finish"), kResult);
}

TEST_P(Frames, GoOnWithNativeCodeBelow) {
  machine.vm().nativeSymbols().registerSymbol("frames_test_through", reinterpret_cast<void*>(&twice));
  machine.mustLoad(kProgram);
  EXPECT_EQ(machine.run("@start", nullptr).kind, Kind::Returned);
  // The native frame itself: its call of the callback returns.
  EXPECT_EQ(machine.run("@pop", nullptr, std::int64_t{1}).kind, Kind::Returned);
  EXPECT_EQ(machine.call("@finish"), kResult);
}

// Without unwind information, and a frame pointer that leads astray.
extern "C" void framesTestOpaque(void (*callback)());
#if defined(__x86_64__)
asm(R"(
  .text
  .globl framesTestOpaque
  .type framesTestOpaque, @function
framesTestOpaque:
  pushq %rbx
  xorl %ebx, %ebx
  call *%rdi
  popq %rbx
  ret
  .size framesTestOpaque, . - framesTestOpaque
  .byte 0, 0, 0, 0
)");
#elif defined(__aarch64__)
asm(R"(
  .text
  .globl framesTestOpaque
  .type framesTestOpaque, %function
framesTestOpaque:
  stp x19, x30, [sp, #-16]!
  mov x19, #0
  blr x0
  ldp x19, x30, [sp], #16
  ret
  .size framesTestOpaque, . - framesTestOpaque
)");
#endif

TEST_P(Frames, EndAtNativeCodeWithoutUnwindInformation) {
  machine.vm().nativeSymbols().registerSymbol("frames_test_through",
                                              reinterpret_cast<void*>(&framesTestOpaque));
  machine.mustLoad(kProgram);
  EXPECT_EQ(machine.run("@start", nullptr).kind, Kind::Returned);
  CallOutcome outcome = machine.run("@pop", nullptr, std::int64_t{2});
  EXPECT_EQ(outcome.kind, Kind::Failed);
  EXPECT_NE(outcome.report.find("no unwind information"), std::string::npos) << outcome.report;
  // The stack is as it was.
  EXPECT_EQ(machine.call("@finish"), kResult);
}

/// Native code that calls in through the host's interface: a call on the same stack.
TestMachine* hostMachine = nullptr;
void callHost(void (*)()) {
  std::int64_t result[2];
  CallOutcome outcome = hostMachine->run("@callback", result);
  EXPECT_EQ(outcome.kind, Kind::Returned) << outcome.report;
}

TEST_P(Frames, PassesCallsFromTheHost) {
  hostMachine = &machine;
  machine.vm().nativeSymbols().registerSymbol("frames_test_through", reinterpret_cast<void*>(&callHost));
  machine.mustLoad(std::string(kProgram) + R"(
  .funcdef @fail VERSION %v1 <@i> {
    %entry():
      %r = SDIV <@i64> @1 @0
      RET %r
  }
  .funcdef @replaced VERSION %v1 <@none> {
    %entry():
      %s = LOAD <@stackref> @stack
      COMMINST @uvm.meta.push_frame <[@i]> (%s @fail)
      RET ()
  })");
  EXPECT_EQ(machine.run("@start", nullptr).kind, Kind::Returned);
  EXPECT_EQ(machine.run("@pop", nullptr, std::int64_t{2}).kind, Kind::Returned);
  EXPECT_EQ(machine.call("@finish"), kResult);

  // The call that was popped is no place to give up to any more.
  EXPECT_EQ(machine.run("@start", nullptr).kind, Kind::Returned);
  EXPECT_EQ(machine.run("@pop", nullptr, std::int64_t{3}).kind, Kind::Returned);
  EXPECT_EQ(machine.run("@replaced", nullptr).kind, Kind::Returned);
  CallOutcome outcome = machine.run("@finish", nullptr);
  EXPECT_EQ(outcome.kind, Kind::Failed);
  EXPECT_NE(outcome.report.find("division by zero"), std::string::npos) << outcome.report;
}

// --- Results that C returns in its own way ----------------------------------------------------------------

/// In an integer and a floating-point register.
struct Small {
  std::int64_t a;
  double b;
};
/// In memory that the caller provides.
struct Big {
  std::int64_t a;
  double b[3];
};

template <class T>
double sumOf(const T& value) {
  double sum = static_cast<double>(value.a);
  for (double number :
       std::span(reinterpret_cast<const double*>(&value) + 1, sizeof value / sizeof(double) - 1))
    sum = 10 * sum + number;
  return sum;
}
double smallSum(Small (*callback)()) { return sumOf(callback()); }
double bigSum(Big (*callback)()) { return sumOf(callback()); }

/// As kProgram, with a callback that returns an aggregate.
std::string aggregateProgram(const std::string& fields) {
  return R"(
  .typedef @i64 = int<64>
  .typedef @double = double
  .typedef @stackref = stackref
  .typedef @cursor = framecursorref
  .typedef @result = struct<)" +
         fields + R"(>
  .funcsig @none = () -> ()
  .funcsig @give.sig = () -> (@result)
  .typedef @fp.give = ufuncptr<@give.sig>
  .funcsig @through.sig = (@fp.give) -> (@double)
  .typedef @fp.through = ufuncptr<@through.sig>
  .const @7 <@i64> = 7
  .const @through <@fp.through> = EXTERN "frames_test_sum"
  .global @home <@stackref>
  .global @stack <@stackref>
  .global @value <@result>
  .global @blank <@result>
  .expose @exposed = @callback #DEFAULT @7

  .funcdef @callback VERSION %v1 <@give.sig> {
    %entry():
      %back = LOAD <@stackref> @home
      SWAPSTACK %back RET_WITH <> PASS_VALUES <> ()
      %r = LOAD <@result> @blank
      RET %r
  }
  .funcdef @co VERSION %v1 <@none> {
    %entry():
      %r = CCALL #DEFAULT <@fp.through @through.sig> @through (@exposed)
      %back = LOAD <@stackref> @home
      SWAPSTACK %back KILL_OLD PASS_VALUES <@double> (%r)
  }
  .funcdef @give VERSION %v1 <@give.sig> {
    %entry():
      %r = LOAD <@result> @value
      RET %r
  }
  .funcsig @set.sig = (@result) -> ()
  // A stack whose native frame waits for a result.
  .funcdef @start VERSION %v1 <@set.sig> {
    %entry(<@result> %value):
      STORE <@result> @value %value
      %me = COMMINST @uvm.current_stack
      STORE <@stackref> @home %me
      %s = COMMINST @uvm.new_stack <[@none]> (@co)
      STORE <@stackref> @stack %s
      SWAPSTACK %s RET_WITH <> PASS_VALUES <> ()
      %c = COMMINST @uvm.meta.new_cursor (%s)
      COMMINST @uvm.meta.next_frame (%c)
      COMMINST @uvm.meta.pop_frames_to (%c)
      RET ()
  }
  .funcsig @sum.sig = () -> (@double)
  .funcdef @passes VERSION %v1 <@sum.sig> {
    %entry():
      %me = COMMINST @uvm.current_stack
      STORE <@stackref> @home %me
      %s = LOAD <@stackref> @stack
      %v = LOAD <@result> @value
      %r = SWAPSTACK %s RET_WITH <@double> PASS_VALUES <@result> (%v)
      RET %r
  }
  // The frame is found again, popped to again, and given the result by a function.
  .funcdef @pushes VERSION %v1 <@sum.sig> {
    %entry():
      %me = COMMINST @uvm.current_stack
      STORE <@stackref> @home %me
      %s = LOAD <@stackref> @stack
      %c = COMMINST @uvm.meta.new_cursor (%s)
      COMMINST @uvm.meta.pop_frames_to (%c)
      COMMINST @uvm.meta.push_frame <[@give.sig]> (%s @give)
      %r = SWAPSTACK %s RET_WITH <@double> PASS_VALUES <> ()
      RET %r
  }
)";
}

template <class T>
void passAggregate(TestMachine& machine, const char* fields, double (*through)(T (*)()), const T& value) {
  machine.vm().nativeSymbols().registerSymbol("frames_test_sum", reinterpret_cast<void*>(through));
  machine.mustLoad(aggregateProgram(fields));
  for (const char* way : {"@passes", "@pushes"}) {
    struct alignas(16) {
      T value;
    } argument{value};
    CallOutcome outcome = machine.vm().call(machine.function("@start"), &argument, nullptr);
    ASSERT_EQ(outcome.kind, Kind::Returned) << outcome.report;
    EXPECT_EQ(machine.call<double>(way), sumOf(value)) << way;
  }
}

TEST_P(Frames, NativeCodeGetsSmallAggregates) {
  passAggregate<Small>(machine, "@i64 @double", smallSum, {7, 3});
}
TEST_P(Frames, NativeCodeGetsBigAggregates) {
  passAggregate<Big>(machine, "@i64 @double @double @double", bigSum, {7, {3, 5, 1}});
}

// --- From a signal ----------------------------------------------------------------------------------------

std::optional<UnwindRegisters> found;

void onSignal(int, siginfo_t*, void* context) {
  UnwindRegisters registers{};
  auto end = unwindFromSignal(Thread::current()->vm().codeMap(), context, registers);
  if (end == NativeEnd::CompiledCode) found = registers;
}

__attribute__((noinline, optimize("omit-frame-pointer"))) void interrupted(void (*)()) { raise(SIGUSR1); }

TEST_P(Frames, AreFoundFromSignals) {
  struct sigaction action {
  }, previous{};
  action.sa_sigaction = onSignal;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR1, &action, &previous);
  machine.vm().nativeSymbols().registerSymbol("frames_test_through", reinterpret_cast<void*>(&interrupted));
  machine.mustLoad(kProgram);
  found.reset();
  EXPECT_EQ(machine.call("@f", std::int64_t{5}), kResult);
  sigaction(SIGUSR1, &previous, nullptr);
  ASSERT_TRUE(found);
  jit::CodeSite site = machine.vm().codeMap().findReturn(found->pc);
  ASSERT_TRUE(site && site.row);
  EXPECT_EQ(machine.vm().program().entityOf<ir::Instruction>(site.row->instruction)->opcode,
            ir::Opcode::CCall);
}

}  // namespace
}  // namespace gaur::runtime
