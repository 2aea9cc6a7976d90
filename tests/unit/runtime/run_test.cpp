// Bundles loaded and run: calls, lazy compilation, redefinition, exceptions, failures.
#include "tests/unit/runtime/machine.h"

namespace gaur::runtime {
namespace {

using Kind = CallOutcome::Kind;
INSTANTIATE_TEST_SUITE_P(Levels, RunTest, ::testing::Values(0, 2),
                         [](const auto& info) { return "O" + std::to_string(info.param); });

constexpr const char* kTypes = R"(
  .typedef @i64 = int<64>
  .typedef @i1 = int<1>
  .typedef @ref = ref<void>
  .funcsig @ii = (@i64) -> (@i64)
  .funcsig @iii = (@i64 @i64) -> (@i64)
  .const @0 <@i64> = 0
  .const @1 <@i64> = 1
)";

TEST_P(RunTest, CallsRecursively) {
  machine.mustLoad(std::string(kTypes) + R"(
    .const @2 <@i64> = 2
    .funcdef @fib VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %small = SLT <@i64> %n @2
        BRANCH2 %small %done(%n) %recur(%n)
      %done(<@i64> %n):
        RET %n
      %recur(<@i64> %n):
        %a = SUB <@i64> %n @1
        %b = SUB <@i64> %n @2
        %x = CALL <@ii> @fib (%a)
        %y = CALL <@ii> @fib (%b)
        %z = ADD <@i64> %x %y
        RET %z
    })");
  EXPECT_EQ(machine.call("@fib", std::int64_t{20}), 6765);
}

constexpr const char* kThrower = R"(
    .funcdef @thrower VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %zero = EQ <@i64> %n @0
        BRANCH2 %zero %throw() %recur(%n)
      %throw():
        %r = NEW <@i64>
        %i = GETIREF <@i64> %r
        STORE <@i64> %i @42
        %e = REFCAST <@ref_i64 @ref> %r
        THROW %e
      %recur(<@i64> %n):
        %m = SUB <@i64> %n @1
        %x = CALL <@ii> @thrower (%m)
        %y = ADD <@i64> %x %n
        RET %y
    }
    .typedef @ref_i64 = ref<@i64>
    .const @42 <@i64> = 42
    .funcdef @catcher VERSION %v1 <@iii> {
      %entry(<@i64> %depth <@i64> %keep):
        %r = CALL <@ii> @thrower (%depth) EXC(%normal(%r) %caught(%keep %depth))
      %normal(<@i64> %r):
        RET %r
      %caught(<@i64> %keep <@i64> %depth) [%e]:
        %o = REFCAST <@ref @ref_i64> %e
        %i = GETIREF <@i64> %o
        %v = LOAD <@i64> %i
        %s = ADD <@i64> %v %keep
        %t = ADD <@i64> %s %depth
        RET %t
    })";

TEST_P(RunTest, CatchesAtAnyDepth) {
  machine.mustLoad(std::string(kTypes) + kThrower);
  for (std::int64_t depth : {0, 1, 2, 10, 1000})
    EXPECT_EQ(machine.call("@catcher", depth, std::int64_t{5}), 47 + depth);
}

TEST_P(RunTest, UncaughtExceptionsReachTheHost) {
  machine.mustLoad(std::string(kTypes) + kThrower);
  std::int64_t result[2];
  auto outcome = machine.run("@thrower", result, std::int64_t{3});
  EXPECT_EQ(outcome.kind, Kind::Threw);
  EXPECT_NE(outcome.exception, nullptr);
  EXPECT_NE(outcome.report.find("int<64>"), std::string::npos) << outcome.report;
  EXPECT_NE(outcome.report.find("@thrower"), std::string::npos) << outcome.report;
}

TEST_P(RunTest, StackOverflowIsANullException) {
  machine.mustLoad(std::string(kTypes) + R"(
    .const @-1 <@i64> = -1
    .funcdef @endless VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %m = ADD <@i64> %n @1
        %x = CALL <@ii> @endless (%m)
        %y = ADD <@i64> %x @1
        RET %y
    }
    .typedef @ref_i64 = ref<@i64>
    .const @NULL <@ref> = NULL
    .funcdef @guard VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %r = CALL <@ii> @endless (%n) EXC(%normal(%r) %caught(%n))
      %normal(<@i64> %r):
        RET %r
      %caught(<@i64> %n) [%e]:
        %null = EQ <@ref> %e @NULL
        %v = SELECT <@i1 @i64> %null %n @-1
        RET %v
    })");
  for (std::int64_t round = 1; round < 5; ++round) EXPECT_EQ(machine.call("@guard", round), round);
  std::int64_t result[2];
  auto outcome = machine.run("@endless", result, std::int64_t{0});
  EXPECT_EQ(outcome.kind, Kind::Threw);
  EXPECT_EQ(outcome.exception, nullptr);
  EXPECT_NE(outcome.report.find("stack overflow"), std::string::npos) << outcome.report;
}

TEST_P(RunTest, FailuresEndTheCallWithAReport) {
  machine.mustLoad(std::string(kTypes) + R"(
    .funcdef @divide VERSION %v1 <@iii> {
      %entry(<@i64> %a <@i64> %b):
        %q = SDIV <@i64> %a %b
        RET %q
    }
    .funcdef @outer VERSION %v1 <@iii> {
      %entry(<@i64> %a <@i64> %b):
        %q = CALL <@iii> @divide (%a %b)
        %r = ADD <@i64> %q %q
        RET %r
    })");
  EXPECT_EQ(machine.call("@outer", std::int64_t{12}, std::int64_t{4}), 6);
  std::int64_t result[2];
  auto outcome = machine.run("@outer", result, std::int64_t{1}, std::int64_t{0});
  EXPECT_EQ(outcome.kind, Kind::Failed);
  EXPECT_NE(outcome.report.find("division by zero"), std::string::npos) << outcome.report;
  EXPECT_NE(outcome.report.find("@divide.v1.entry.q"), std::string::npos) << outcome.report;
  // Where the leaf is inlined, its frame is the caller's.
  EXPECT_NE(outcome.report.find(GetParam() == 0 ? "@outer.v1.entry.q" : "in @outer.v1"), std::string::npos)
      << outcome.report;
  EXPECT_EQ(machine.call("@outer", std::int64_t{12}, std::int64_t{4}), 6) << "the VM goes on";
}

TEST_P(RunTest, NullAccessesAreReported) {
  machine.mustLoad(std::string(kTypes) + R"(
    .typedef @iref_i64 = iref<@i64>
    .typedef @fr = funcref<@ii>
    .const @NULL <@iref_i64> = NULL
    .const @NULL_fr <@fr> = NULL
    .funcdef @choose VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %v = LOAD <@i64> @NULL
        %w = ADD <@i64> %v %n
        RET %w
    }
    .funcdef @nullcall VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %w = CALL <@ii> @NULL_fr (%n)
        RET %w
    })");
  for (const char* name : {"@choose", "@nullcall"}) {
    for (int round = 0; round < 3; ++round) {
      std::int64_t result[2];
      auto outcome = machine.run(name, result, std::int64_t{3});
      EXPECT_EQ(outcome.kind, Kind::Failed);
      EXPECT_NE(outcome.report.find("NULL"), std::string::npos) << outcome.report;
      EXPECT_NE(outcome.report.find(name), std::string::npos) << outcome.report;
    }
  }
}

TEST_P(RunTest, NewVersionsAreSeenByNewCalls) {
  machine.mustLoad(std::string(kTypes) + R"(
    .funcdef @leaf VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %m = ADD <@i64> %n @1
        RET %m
    }
    .funcdef @caller VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %m = CALL <@ii> @leaf (%n)
        RET %m
    })");
  EXPECT_EQ(machine.call("@caller", std::int64_t{10}), 11);
  machine.mustLoad(R"(
    .const @100 <@i64> = 100
    .funcdef @leaf VERSION %v2 <@ii> {
      %entry(<@i64> %n):
        %m = ADD <@i64> %n @100
        RET %m
    })");
  EXPECT_EQ(machine.call("@caller", std::int64_t{10}), 110);
  EXPECT_EQ(machine.call("@leaf", std::int64_t{1}), 101);
}

TEST_P(RunTest, DeclaredFunctionsWaitForTheirVersion) {
  machine.mustLoad(std::string(kTypes) + R"(
    .funcdecl @later <@ii>
    .funcdef @caller VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %m = CALL <@ii> @later (%n)
        RET %m
    })");
  std::int64_t result[2];
  auto outcome = machine.run("@caller", result, std::int64_t{3});
  EXPECT_EQ(outcome.kind, Kind::Failed);
  EXPECT_NE(outcome.report.find("@later"), std::string::npos) << outcome.report;
  machine.mustLoad(R"(.funcdef @later VERSION %v1 <@ii> { %entry(<@i64> %n): RET %n })");
  EXPECT_EQ(machine.call("@caller", std::int64_t{3}), 3);
}

TEST_P(RunTest, WrongBundlesChangeNothing) {
  machine.mustLoad(std::string(kTypes) + ".funcdef @f VERSION %v1 <@ii> { %entry(<@i64> %n): RET %n }");
  EXPECT_FALSE(
      machine.load(".funcdef @f VERSION %v2 <@ii> { %entry(<@i64> %n): RET @1 } .funcdef @g VERSION %v1 "
                   "<@ii> { %entry(<@i64> %n): RET %m }"));
  EXPECT_NE(machine.errors.find("error"), std::string::npos);
  EXPECT_EQ(machine.call("@f", std::int64_t{7}), 7);
  EXPECT_EQ(machine.vm().program().idOf("@g"), kNoId);
}

TEST_P(RunTest, GlobalCellsAreRoots) {
  machine.mustLoad(std::string(kTypes) + R"(
    .typedef @ref_i64 = ref<@i64>
    .global @cell <@ref_i64>
    .typedef @node = struct<@ref_node @i64>
    .typedef @ref_node = ref<@node>
    .funcdef @set VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %r = NEW <@i64>
        %i = GETIREF <@i64> %r
        STORE <@i64> %i %n
        STORE <@ref_i64> @cell %r
        RET %n
    }
    .funcdef @get VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %r = LOAD <@ref_i64> @cell
        %i = GETIREF <@i64> %r
        %v = LOAD <@i64> %i
        RET %v
    }
    .funcdef @churn VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        BRANCH %loop(%n)
      %loop(<@i64> %n):
        %r = NEW <@i64>
        %i = GETIREF <@i64> %r
        STORE <@i64> %i @1
        %m = SUB <@i64> %n @1
        %more = NE <@i64> %m @0
        BRANCH2 %more %loop(%m) %done(%m)
      %done(<@i64> %n):
        RET %n
    })");
  Thread attached(machine.vm());
  machine.call("@set", std::int64_t{4711});
  for (int i = 0; i < 3; ++i) {
    machine.vm().heap().collect();
    machine.call("@churn", std::int64_t{100000});
  }
  EXPECT_EQ(machine.call("@get", std::int64_t{0}), 4711);
}

TEST_P(RunTest, ThreadExitEndsTheCall) {
  machine.mustLoad(std::string(kTypes) + R"(
    .funcdef @leave VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        COMMINST @uvm.thread_exit
    }
    .funcdef @outer VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %m = CALL <@ii> @leave (%n)
        RET %m
    })");
  std::int64_t result[2];
  EXPECT_EQ(machine.run("@outer", result, std::int64_t{3}).kind, Kind::ThreadExited);
  EXPECT_EQ(machine.run("@outer", result, std::int64_t{3}).kind, Kind::ThreadExited);
}

TEST(Eager, CompilesWholeBundles) {
  Options options = optionsAt(0);
  options.eager = true;
  TestMachine machine(options);
  machine.mustLoad(std::string(kTypes) + kThrower);
  EXPECT_EQ(machine.vm().statistics().compiledFunctions, 2u);
  EXPECT_EQ(machine.call("@catcher", std::int64_t{3}, std::int64_t{5}), 50);
  EXPECT_EQ(machine.vm().statistics().compiledFunctions, 2u);
}

TEST(Machines, SeveralInOneProcess) {
  TestMachine one(optionsAt(0)), two(optionsAt(2));
  one.mustLoad(std::string(kTypes) + ".funcdef @f VERSION %v1 <@ii> { %entry(<@i64> %n): RET @1 }");
  two.mustLoad(std::string(kTypes) + ".funcdef @f VERSION %v1 <@ii> { %entry(<@i64> %n): RET @0 }");
  EXPECT_EQ(one.call("@f", std::int64_t{3}), 1);
  EXPECT_EQ(two.call("@f", std::int64_t{3}), 0);
}

}  // namespace
}  // namespace gaur::runtime
