// A stack whose thread has left it to work on its native stack stays bound, whatever runs there.
#include <functional>

#include "tests/unit/runtime/machine.h"
#include "vm/runtime/frame_cursor.h"
#include "vm/runtime/resumption.h"
#include "vm/runtime/thread.h"

namespace gaur::runtime {
namespace {

using Kind = CallOutcome::Kind;

class BoundStack : public RunTest {
 protected:
  void SetUp() override { current = this; }
  void TearDown() override { current = nullptr; }

  /// Runs `work` on the native stack while the function @outer waits for it.
  void runInside(std::function<void(abi::StackObject& outer)> work) {
    inside_ = std::move(work);
    machine.vm().nativeSymbols().registerSymbol("bound_stack_test", reinterpret_cast<void*>(&callInside));
    machine.mustLoad(kProgram);
    EXPECT_EQ(machine.call("@outer", std::int64_t{40}), 42);
  }

  static constexpr const char* kProgram = R"(
    .typedef @i64 = int<64>
    .typedef @stackref = stackref
    .funcsig @none = () -> ()
    .funcsig @ii = (@i64) -> (@i64)
    .typedef @fp = ufuncptr<@none>
    .const @inside <@fp> = EXTERN "bound_stack_test"
    .const @2 <@i64> = 2
    .global @bound <@stackref>

    .funcdef @outer VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %me = COMMINST @uvm.current_stack
        STORE <@stackref> @bound %me
        %box = NEW <@i64>
        %place = GETIREF <@i64> %box
        STORE <@i64> %place %n
        CCALL #DEFAULT <@fp @none> @inside ()
        %kept = LOAD <@i64> %place
        %r = ADD <@i64> %kept @2
        RET %r
    }
    .funcdef @looks VERSION %v1 <@none> {
      %entry():
        %s = LOAD <@stackref> @bound
        %c = COMMINST @uvm.meta.new_cursor (%s)
        RET ()
    }
    .funcdef @kills VERSION %v1 <@none> {
      %entry():
        %s = LOAD <@stackref> @bound
        COMMINST @uvm.kill_stack (%s)
        RET ()
    }
    .funcdef @swaps VERSION %v1 <@none> {
      %entry():
        %s = LOAD <@stackref> @bound
        SWAPSTACK %s RET_WITH <> PASS_VALUES <> ()
        RET ()
    }
    .funcdef @starts VERSION %v1 <@none> {
      %entry():
        %s = LOAD <@stackref> @bound
        %t = NEWTHREAD %s PASS_VALUES <> ()
        RET ()
    }
    .funcdef @fills VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        BRANCH %loop(%n)
      %loop(<@i64> %n):
        %box = NEW <@i64>
        %place = GETIREF <@i64> %box
        STORE <@i64> %place @2
        %m = SUB <@i64> %n @2
        %more = SGT <@i64> %m @2
        BRANCH2 %more %loop(%m) %end()
      %end():
        RET @2
    }
  )";

 private:
  static void callInside() {
    Thread::current()->onNativeStack([] {
      abi::StackObject& outer = *Thread::current()->block().stack;
      current->inside_(outer);
    });
  }

  static BoundStack* current;
  std::function<void(abi::StackObject&)> inside_;
};
BoundStack* BoundStack::current = nullptr;
INSTANTIATE_TEST_SUITE_P(Levels, BoundStack, ::testing::Values(0, 2),
                         [](const auto& info) { return "O" + std::to_string(info.param); });

TEST_P(BoundStack, IsRefusedByCallsFromTheHost) {
  runInside([&](abi::StackObject&) {
    for (const char* name : {"@looks", "@kills", "@swaps", "@starts"}) {
      CallOutcome outcome = machine.run(name, nullptr);
      EXPECT_EQ(outcome.kind, Kind::Failed) << name;
      EXPECT_NE(outcome.report.find("bound to a thread"), std::string::npos)
          << name << ": " << outcome.report;
    }
  });
}

TEST_P(BoundStack, IsNotReadyToTheHost) {
  runInside([&](abi::StackObject& outer) {
    EXPECT_FALSE(isReady(outer));
    EXPECT_FALSE(newCursor(*Thread::current(), &outer));
    EXPECT_FALSE(expectedTypes(machine.vm(), outer));
  });
}

TEST_P(BoundStack, KeepsItsObjects) {
  runInside([&](abi::StackObject&) {
    machine.vm().heap().collect();
    machine.call("@fills", std::int64_t{2'000'000});
    machine.vm().heap().collect();
    machine.call("@fills", std::int64_t{2'000'000});
  });
}

}  // namespace
}  // namespace gaur::runtime
