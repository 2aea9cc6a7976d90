// Who makes owned memory gets it back when nothing reaches it: on stacks of Mu, in objects, held, given up.
#include <atomic>
#include <functional>
#include <optional>

#include "tests/unit/clear_stack.h"
#include "tests/unit/runtime/machine.h"
#include "vm/runtime/allocation.h"
#include "vm/runtime/code_owners.h"
#include "vm/runtime/thread.h"

namespace gaur::runtime {
namespace {

/// Keeps an address where the collector does not see it.
class Hidden {
 public:
  explicit Hidden(const void* address) : word_(~reinterpret_cast<std::uintptr_t>(address)) {}
  void* get() const { return reinterpret_cast<void*>(~word_); }

 private:
  std::uintptr_t word_;
};

/// Calls f(), which leaves no word in the frame or the registers of the test.
template <class F>
[[gnu::noinline]] void apart(F f) {
  f();
  clearStackBelow();
}

class CodeOwnersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    current = this;
    thread.emplace(machine.vm());
    machine.vm().nativeSymbols().registerSymbol("owners_test", reinterpret_cast<void*>(&callInside));
    machine.mustLoad(kProgram);
  }
  void TearDown() override { thread.reset(); }

  CodeOwners& owners() { return machine.vm().owners(); }

  /// A trampoline with an owner, hidden.
  [[gnu::noinline]] Hidden trampoline() {
    static void* const nowhere = nullptr;
    void* code = machine.vm().slab().makeTrampoline(nullptr, &nowhere);
    OwnedRange range{code, 32};
    auto release = [](void* data) { ++*static_cast<int*>(data); };
    EXPECT_TRUE(owners().add(*thread, {&range, 1}, release, &released));
    return Hidden(code);
  }
  /// How many were released, after a collection.
  [[gnu::noinline]] int releasedNow() {
    clearStackBelow();
    Thread& here = *Thread::current();
    here.onNativeStack([&] {
      clearStackBelow();
      machine.vm().heap().collect();
    });
    owners().work(here);
    return released;
  }
  /// Runs `work` while the Mu function waits for it.
  static void callInside() { current->inside_(); }
  void inside(std::function<void()> work) { inside_ = std::move(work); }

  static constexpr const char* kProgram = R"(
    .typedef @i64 = int<64>
    .typedef @word = uptr<@i64>
    .typedef @stackref = stackref
    .funcsig @none = () -> ()
    .typedef @fp = ufuncptr<@none>
    .funcsig @keeps = (@fp) -> (@i64)
    .typedef @kf = funcref<@keeps>
    .const @inside <@fp> = EXTERN "owners_test"
    .const @7 <@i64> = 7
    .global @place <@fp>
    .global @waiting <@stackref>

    .funcdef @holds VERSION %v1 <@keeps> {
      %entry(<@fp> %p):
        CCALL #DEFAULT <@fp @none> @inside ()
        %live = PTRCAST <@fp @i64> %p
        RET %live
    }
    .funcdef @coroutine VERSION %v1 <@keeps> {
      %entry(<@fp> %p):
        %to = LOAD <@stackref> @waiting
        SWAPSTACK %to RET_WITH <> PASS_VALUES <> ()
        %live = PTRCAST <@fp @i64> %p
        RET %live
    }
    .funcdef @starts VERSION %v1 <@keeps> {
      %entry(<@fp> %p):
        %me = COMMINST @uvm.current_stack
        STORE <@stackref> @waiting %me
        %s = COMMINST @uvm.new_stack <[@keeps]> (@coroutine)
        SWAPSTACK %s RET_WITH <> PASS_VALUES <@fp> (%p)
        STORE <@stackref> @waiting %s
        RET @7
    }
    .funcdef @drops VERSION %v1 <@none> {
      %entry():
        %null = LOAD <@stackref> @waiting
        COMMINST @uvm.kill_stack (%null)
        RET ()
    }
  )";

  TestMachine machine;
  std::optional<Thread> thread;
  int released = 0;
  static CodeOwnersTest* current;

 private:
  std::function<void()> inside_;
};
CodeOwnersTest* CodeOwnersTest::current = nullptr;

TEST_F(CodeOwnersTest, DiesWhenNothingReachesIt) {
  Hidden code = trampoline();
  {
    void* volatile word = code.get();
    EXPECT_EQ(releasedNow(), 0);
    word = nullptr;
    static_cast<void>(word);
  }
  EXPECT_EQ(releasedNow(), 1);
  EXPECT_EQ(releasedNow(), 1) << "once";
}

TEST_F(CodeOwnersTest, CellsPinsAndHoldsKeep) {
  Hidden code = trampoline();
  const auto* cell = machine.vm().program().entityOf<ir::GlobalCell>(machine.vm().program().idOf("place"));
  auto& place = *static_cast<void**>(machine.vm().entities().addressOf(*cell));
  apart([&] { place = code.get(); });
  EXPECT_EQ(releasedNow(), 0);
  apart([&] { machine.vm().pins().pin(code.get()); });
  place = nullptr;
  EXPECT_EQ(releasedNow(), 0);
  for (HoldKind kind : {HoldKind::LoadedBundle, HoldKind::Dependent, HoldKind::Exposed}) {
    apart([&] {
      owners().hold(kind, code.get());
      machine.vm().pins().unpin(code.get());
    });
    EXPECT_EQ(releasedNow(), 0);
    apart([&] {
      machine.vm().pins().pin(code.get());
      owners().letGo(kind, code.get());
    });
  }
  apart([&] { machine.vm().pins().unpin(code.get()); });
  EXPECT_EQ(releasedNow(), 1);
}

TEST_F(CodeOwnersTest, FramesOfMuKeep) {
  Hidden code = trampoline();
  inside([&] { EXPECT_EQ(releasedNow(), 0); });
  apart([&] {
    void* result = nullptr;
    machine.run("holds", &result, code.get());
  });
  EXPECT_EQ(releasedNow(), 1);
}

TEST_F(CodeOwnersTest, StacksThatWaitKeep) {
  Hidden code = trampoline();
  apart([&] { EXPECT_EQ(machine.call("starts", code.get()), 7); });
  EXPECT_EQ(releasedNow(), 0);
  EXPECT_EQ(machine.run("drops", nullptr).kind, CallOutcome::Kind::Returned);
  EXPECT_EQ(releasedNow(), 1);
}

TEST_F(CodeOwnersTest, ThreadLocalsKeepThroughObjects) {
  const ir::Type* type =
      machine.vm().program().entityOf<ir::TypeDef>(machine.vm().program().idOf("fp"))->type;
  const abi::Layout& layout = abi::LayoutTable::shared().of(type);
  auto header = abi::ObjectHeader::make(type->index, layout.isWide());
  thread->block().threadLocal =
      allocateObject(*thread, header, abi::blockBytes(layout.size, false), abi::BlockKind::Traced);
  Hidden code = trampoline();
  apart([&] { *static_cast<void**>(thread->block().threadLocal) = code.get(); });
  EXPECT_EQ(releasedNow(), 0);
  thread->block().threadLocal = nullptr;
  EXPECT_EQ(releasedNow(), 1);
}

/// Compiled code with an owner: active frames keep it by their return addresses.
TEST_F(CodeOwnersTest, ReturnAddressesKeep) {
  ASSERT_TRUE(machine.vm().code().compile(machine.function("holds")));
  const jit::CodeMap& map = machine.vm().codeMap();
  auto own = [&] {
    abi::FunctionRecord* record = machine.vm().entities().recordOf(machine.function("holds"));
    const abi::CodeBlock& block = *map.findFunction(reinterpret_cast<std::uintptr_t>(record->entry)).block;
    OwnedRange range{reinterpret_cast<void*>(block.begin), block.end - block.begin};
    auto release = [](void* data) { ++*static_cast<int*>(data); };
    ASSERT_TRUE(owners().add(*thread, {&range, 1}, release, &released));
  };
  apart(own);
  inside([&] { EXPECT_EQ(releasedNow(), 0); });
  std::int64_t result = 0;
  machine.run("holds", &result, std::int64_t{0});
  EXPECT_EQ(releasedNow(), 1);
}

TEST_F(CodeOwnersTest, GivenUpIsNotReleased) {
  Hidden code = trampoline();
  EXPECT_NE(owners().ownerOf(code.get()), nullptr);
  EXPECT_TRUE(owners().giveUp(code.get()));
  EXPECT_FALSE(owners().giveUp(code.get()));
  EXPECT_EQ(owners().ownerOf(code.get()), nullptr);
  EXPECT_EQ(releasedNow(), 0);
}

TEST_F(CodeOwnersTest, ManyAreCollectedWithoutBeingAsked) {
  constexpr int kMany = 50'000;
  for (int i = 0; i < kMany; ++i) {
    Hidden code = trampoline();
    machine.vm().slab().freeTrampoline(code.get());
    if (machine.vm().wantsTidying()) machine.vm().tidy(*thread);
  }
  EXPECT_GT(released, kMany / 2);
  clearStackBelow();
  releasedNow();
  EXPECT_GE(released, kMany - 8);
}

TEST(CodeOwnersOfAVm, AreReleasedWithIt) {
  int released = 0;
  {
    TestMachine machine;
    Thread thread(machine.vm());
    static void* const nowhere = nullptr;
    void* code = machine.vm().slab().makeTrampoline(nullptr, &nowhere);
    OwnedRange range{code, 32};
    machine.vm().owners().add(
        thread, {&range, 1}, [](void* data) { ++*static_cast<int*>(data); }, &released);
    machine.vm().owners().hold(HoldKind::Exposed, code);
  }
  EXPECT_EQ(released, 1);
}

}  // namespace
}  // namespace gaur::runtime
