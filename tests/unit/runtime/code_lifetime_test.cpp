// Superseded versions and unloaded bundles go when nothing reaches them, and not before.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <malloc.h>

#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "jit/code_slab.h"
#include "tests/unit/clear_stack.h"
#include "tests/unit/runtime/machine.h"
#include "vm/runtime/collectible_bundles.h"
#include "vm/runtime/thread.h"
#include "vm/runtime/why_alive.h"
#include "vm/support/platform.h"

namespace gaur::runtime {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// More than the deepest calls here use: the frame of a Thread is big, and has gaps.
constexpr auto* clearDeepBelow = &clearStackBelow<98304>;

class CodeLifetime : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  void SetUp() override {
    current = this;
    machine.vm().nativeSymbols().registerSymbol("code_lifetime_test", reinterpret_cast<void*>(&callInside));
    machine.mustLoad(kProgram);
  }

  /// A version of @f that returns the number, after a look inside where `looks`.
  void define(std::int64_t number, bool looks = false) {
    const std::string n = std::to_string(number), name = std::to_string(++versions_);
    machine.mustLoad(".const @c" + name + " <@i64> = " + n + "\n");
    machine.mustLoad(".funcdef @f VERSION %v" + name + " <@i> { %entry(): " +
                     (looks ? "CCALL #DEFAULT <@fp @none> @inside () " : "") + "RET @c" + name + " }");
  }
  /// Collects and tidies until nothing changes.
  void settle() {
    clearDeepBelow();
    settleHere();
  }
  [[gnu::noinline]] void settleHere() {
    for (int i = 0; i < 4; ++i) {
      clearDeepBelow();
      auto work = [&](Thread& thread) {
        machine.vm().tidy(thread);
        thread.onNativeStack([&] {
          clearDeepBelow();
          machine.vm().heap().collect();
        });
        machine.vm().tidy(thread);
      };
      if (Thread* here = Thread::current()) {
        work(*here);
      } else {
        Thread temporary(machine.vm());
        work(temporary);
      }
    }
  }
  CodeRegistry::Statistics code() { return machine.vm().code().statistics(); }
  std::size_t bundles() {
    std::lock_guard lock(machine.vm().program().loadMutex());
    return machine.vm().program().bundles().size();
  }
  /// Empty where it is gone.
  [[gnu::noinline]] std::string why(Id entity) {
    clearDeepBelow();
    auto path = whyAlive(machine.vm(), entity);
    return path ? path->text() : "";
  }
  Id idOf(const std::string& name) { return machine.vm().program().idOf(name); }
  ir::Bundle* loadCollectible(const std::string& text) {
    Diagnostics diagnostics;
    SourceText source{"plugin", text};
    ir::Bundle* bundle = machine.vm().load(source, diagnostics, true);
    EXPECT_TRUE(bundle) << render(diagnostics, source);
    return bundle;
  }
  [[gnu::noinline]] void unload(const std::string& member) {
    auto done = machine.vm().unload(idOf(member));
    EXPECT_TRUE(done) << done.error().message;
  }
  std::size_t collectibleOwners() {
    settle();
    return machine.vm().owners().statistics().alive;
  }

  /// The complement of the entry: its trampoline begins where one of the bundle ends, and that would count.
  [[gnu::noipa]] std::uintptr_t expose(const std::string& name) {
    EntityData& entities = machine.vm().entities();
    return ~reinterpret_cast<std::uintptr_t>(entities.expose(entities.recordOf(machine.function(name)), 0));
  }
  [[gnu::noipa]] void unexpose(std::uintptr_t hidden) {
    EXPECT_TRUE(machine.vm().entities().unexpose(reinterpret_cast<void*>(~hidden)));
  }

  /// The complement of the pointer of a host function.
  [[gnu::noipa]] std::uintptr_t makeHost(const char* name) {
    const ir::Type* word = machine.vm().program().types().intType(64);
    auto made = machine.vm().hostFunctions().make(
        {machine.vm().program().types().signature({&word, 1}, {&word, 1}),
         reinterpret_cast<void*>(&callInside), nullptr, [](void*) { ++finalised; }, name});
    EXPECT_TRUE(made);
    return ~reinterpret_cast<std::uintptr_t>(*made);
  }
  [[gnu::noipa]] void bind(const char* name, std::uintptr_t hidden) {
    machine.vm().bindSymbol(name, reinterpret_cast<void*>(~hidden));
  }
  static int finalised;

  static void callInside() {
    if (current->inside) current->inside();
  }
  std::function<void()> inside;
  TestMachine machine{optionsAt(GetParam())};
  static CodeLifetime* current;

  static constexpr const char* kProgram = R"(
    .typedef @i64 = int<64>
    .funcsig @none = () -> ()
    .funcsig @i = () -> (@i64)
    .typedef @fp = ufuncptr<@none>
    .typedef @fr = funcref<@i>
    .typedef @frr = ref<@fr>
    .typedef @ii = iref<@i64>
    .typedef @sr = stackref
    .const @inside <@fp> = EXTERN "code_lifetime_test"
    .const @7 <@i64> = 7
    .global @held <@fr>
    .global @heldObject <@frr>
    .global @heldCell <@ii>
    .global @waiting <@sr>
    .funcdecl @f <@i>
    .funcdef @callF VERSION %v1 <@i> { %entry(): %r = CALL <@i> @f () RET %r }
    .funcdef @callHeld VERSION %v1 <@i> { %entry(): %h = LOAD <@fr> @held %r = CALL <@i> %h () RET %r }
    .funcdef @box VERSION %v1 <@none> {
      %entry():
        %o = NEW <@fr>
        %p = GETIREF <@fr> %o
        %h = LOAD <@fr> @held
        STORE <@fr> %p %h
        STORE <@frr> @heldObject %o
        RET ()
    }
    .funcdef @unbox VERSION %v1 <@none> {
      %entry():
        %o = LOAD <@frr> @heldObject
        %p = GETIREF <@fr> %o
        %h = LOAD <@fr> %p
        STORE <@fr> @held %h
        RET ()
    }
    .funcdef @starts VERSION %v1 <@none> {
      %entry():
        %me = COMMINST @uvm.current_stack
        STORE <@sr> @waiting %me
        %s = COMMINST @uvm.new_stack <[@i]> (@f)
        SWAPSTACK %s RET_WITH <> PASS_VALUES <> ()
        STORE <@sr> @waiting %s
        RET ()
    }
    .funcdef @goesOn VERSION %v1 <@none> {
      %entry():
        %s = LOAD <@sr> @waiting
        %me = COMMINST @uvm.current_stack
        STORE <@sr> @waiting %me
        SWAPSTACK %s RET_WITH <> PASS_VALUES <> ()
        RET ()
    }
    .funcdef @kills VERSION %v1 <@none> {
      %entry():
        %s = LOAD <@sr> @waiting
        COMMINST @uvm.kill_stack (%s)
        RET ()
    }
  )";
  static constexpr const char* kPlugin = R"(
    .global @count <@i64>
    .funcdef @plugin VERSION %v1 <@i> {
      %entry():
        CCALL #DEFAULT <@fp @none> @inside ()
        %old = LOAD <@i64> @count
        %new = ADD <@i64> %old @7
        STORE <@i64> @count %new
        RET %new
    }
    .funcdef @export VERSION %v1 <@none> {
      %entry():
        STORE <@fr> @held @plugin
        STORE <@ii> @heldCell @count
        RET ()
    }
  )";
  void* cell(const std::string& name) {
    auto* found = machine.vm().program().entityOf<ir::GlobalCell>(idOf(name));
    return machine.vm().entities().addressOf(*found);
  }
  void clear(const std::string& name) { *static_cast<void**>(cell(name)) = nullptr; }

 private:
  int versions_ = 0;
};
CodeLifetime* CodeLifetime::current = nullptr;
int CodeLifetime::finalised = 0;

TEST_P(CodeLifetime, SupersededCodeAndItsBundleGo) {
  define(1);
  // Before its caller, which would take it along into its unit without optimisation.
  EXPECT_EQ(machine.call("f"), 1);
  EXPECT_EQ(machine.call("callF"), 1);
  settle();
  const std::size_t units = code().units, loaded = bundles();
  for (std::int64_t i = 2; i < 40; ++i) {
    define(i);
    EXPECT_EQ(machine.call("callF"), i);
  }
  settle();
  EXPECT_LE(code().units, units);
  EXPECT_EQ(code().retired, 0u);
  // Those with a constant stay.
  EXPECT_EQ(bundles(), loaded + 38);
  EXPECT_EQ(idOf("f.v5"), kNoId);
  EXPECT_NE(idOf("f.v39"), kNoId);
  EXPECT_EQ(machine.call("callF"), 39);
}

TEST_P(CodeLifetime, AnActiveFrameKeepsItsCode) {
  define(1, true);
  int looked = 0;
  inside = [&] {
    if (++looked > 1) return;
    define(2);
    EXPECT_EQ(machine.call("callF"), 2);
    const std::uint64_t freed = code().freed;
    const std::uint64_t retired = code().retired;
    settle();
    EXPECT_GE(code().retired, 1u);
    EXPECT_EQ(code().retired + code().freed, retired + freed);
    EXPECT_NE(idOf("f.v1"), kNoId);
  };
  EXPECT_EQ(machine.call("f"), 1);
  inside = nullptr;
  settle();
  EXPECT_EQ(code().retired, 0u);
  EXPECT_EQ(idOf("f.v1"), kNoId);
  EXPECT_EQ(machine.call("callF"), 2);
}

TEST_P(CodeLifetime, AStackThatWaitsKeepsItsCode) {
  machine.mustLoad(R"(.funcdef @f VERSION %waits <@i> {
    %entry():
      %to = LOAD <@sr> @waiting
      SWAPSTACK %to RET_WITH <> PASS_VALUES <> ()
      %back = LOAD <@sr> @waiting
      SWAPSTACK %back KILL_OLD PASS_VALUES <> ()
  })");
  ASSERT_EQ(machine.run("starts", nullptr).kind, CallOutcome::Kind::Returned);
  define(2);
  EXPECT_EQ(machine.call("callF"), 2);
  settle();
  EXPECT_GE(code().retired, 1u);
  EXPECT_EQ(machine.run("goesOn", nullptr).kind, CallOutcome::Kind::Returned);
  clear("waiting");
  settle();
  EXPECT_EQ(code().retired, 0u);
  EXPECT_EQ(idOf("f.waits"), kNoId);
}

TEST_P(CodeLifetime, MemoryIsFlat) {
  define(0);
  machine.call("callF");
  settle();
  auto before = machine.vm().slab().statistics();
  for (int round = 0; round < 300; ++round) {
    machine.mustLoad(".funcdef @f VERSION %r" + std::to_string(round) + " <@i> { %entry(): RET @7 }");
    EXPECT_EQ(machine.call("callF"), 7);
  }
  settle();
  auto after = machine.vm().slab().statistics();
  EXPECT_LE(after.codeUsed, before.codeUsed + 8192);
  EXPECT_LE(after.dataUsed, before.dataUsed + 1024);
}

TEST_P(CodeLifetime, UnloadedBundlesGo) {
  // Slots of symbols stay.
  loadCollectible(kPlugin);
  EXPECT_EQ(machine.call("plugin"), 7);
  unload("plugin");
  const std::size_t before = collectibleOwners();
  auto memory = machine.vm().slab().statistics();
  for (int round = 0; round < 20; ++round) {
    loadCollectible(kPlugin);
    EXPECT_EQ(machine.call("plugin"), 7);
    unload("plugin");
    EXPECT_EQ(idOf("plugin"), kNoId);
    EXPECT_EQ(idOf("count"), kNoId);
    EXPECT_EQ(idOf("plugin.v1"), kNoId);
  }
  EXPECT_EQ(collectibleOwners(), before);
  auto after = machine.vm().slab().statistics();
  // Adapters of new signatures stay, and trampolines come by the page.
  EXPECT_LE(after.codeUsed, memory.codeUsed + 16384);
  EXPECT_EQ(after.dataUsed, memory.dataUsed);
}

TEST_P(CodeLifetime, ALoadedBundleStays) {
  loadCollectible(kPlugin);
  settle();
  EXPECT_EQ(machine.call("plugin"), 7);
  settle();
  EXPECT_EQ(machine.call("plugin"), 14);
  EXPECT_FALSE(machine.vm().unload(idOf("callF")));
  EXPECT_FALSE(machine.vm().unload(kNoId));
}

TEST_P(CodeLifetime, FuncrefsAndIrefsKeepABundle) {
  loadCollectible(kPlugin);
  EXPECT_EQ(machine.run("export", nullptr).kind, CallOutcome::Kind::Returned);
  const Id member = idOf("plugin");
  EXPECT_EQ(why(idOf("callF")), "nothing ever asked for its end\n");
  unload("plugin");
  clear("heldCell");
  settle();
  EXPECT_EQ(why(member), "global cell @held\n");
  EXPECT_EQ(machine.call("callHeld"), 7);
  machine.run("box", nullptr);
  clear("held");
  settle();
  EXPECT_EQ(why(member),
            "global cell @heldObject\n  -> an object of type funcref<()->(int<64>)>, at offset 0\n");
  machine.run("unbox", nullptr);
  clear("heldObject");
  EXPECT_EQ(machine.call("callHeld"), 14);
  // The next version of the plug-in has the same names.
  loadCollectible(kPlugin);
  EXPECT_EQ(machine.call("plugin"), 7);
  EXPECT_EQ(machine.call("callHeld"), 21);
  EXPECT_EQ(machine.run("export", nullptr).kind, CallOutcome::Kind::Returned);
  clear("held");
  unload("plugin");
  EXPECT_EQ(collectibleOwners(), 1u) << "the iref to @count";
  clear("heldCell");
  EXPECT_EQ(collectibleOwners(), 0u);
}

TEST_P(CodeLifetime, AFrameKeepsItsBundle) {
  loadCollectible(kPlugin);
  int looked = 0;
  inside = [&] {
    ++looked;
    const Id member = idOf("plugin");
    unload("plugin");
    EXPECT_EQ(collectibleOwners(), 1u);
    EXPECT_THAT(why(member), StartsWith("the stack of a thread"));
  };
  EXPECT_EQ(machine.call("plugin"), 7);
  EXPECT_EQ(looked, 1);
  EXPECT_EQ(collectibleOwners(), 0u);
}

TEST_P(CodeLifetime, ExposedFunctionsKeepABundle) {
  loadCollectible(kPlugin);
  const std::uintptr_t entry = expose("plugin");
  const Id member = idOf("plugin");
  EXPECT_EQ(why(member), "a bundle that is not unloaded\n");
  unload("plugin");
  EXPECT_EQ(collectibleOwners(), 1u);
  EXPECT_THAT(why(member), HasSubstr("a native entry"));
  unexpose(entry);
  EXPECT_EQ(collectibleOwners(), 0u);
  EXPECT_EQ(why(member), "");
}

TEST_P(CodeLifetime, BundlesThatNameEachOtherLiveTogether) {
  loadCollectible(kPlugin);
  loadCollectible(".funcdef @user VERSION %v1 <@i> { %entry(): %r = CALL <@i> @plugin () RET %r }");
  unload("plugin");
  EXPECT_EQ(collectibleOwners(), 2u);
  EXPECT_EQ(machine.call("user"), 7);
  unload("user");
  EXPECT_EQ(collectibleOwners(), 0u);
  // A permanent one keeps for good.
  loadCollectible(kPlugin);
  machine.mustLoad(".funcdef @always VERSION %v1 <@i> { %entry(): %r = CALL <@i> @plugin () RET %r }");
  unload("plugin");
  EXPECT_EQ(collectibleOwners(), 1u);
  EXPECT_EQ(machine.call("always"), 7);
}

TEST_P(CodeLifetime, AVersionOfAPermanentFunctionKeepsWhoGaveIt) {
  define(1);
  EXPECT_EQ(machine.call("callF"), 1);
  loadCollectible(R"(.const @9 <@i64> = 9 .funcdef @f VERSION %given <@i> { %entry(): RET @9 })");
  unload("9");
  EXPECT_EQ(collectibleOwners(), 1u);
  EXPECT_EQ(machine.call("callF"), 9);
  define(3);
  EXPECT_EQ(machine.call("callF"), 3);
  EXPECT_EQ(collectibleOwners(), 0u);
  EXPECT_EQ(idOf("9"), kNoId);
}

TEST_P(CodeLifetime, UndefinedFunctionsOfABundleGo) {
  loadCollectible(
      ".funcdecl @missing <@i> .funcdef @tries VERSION %v1 <@i> { %entry(): %r = CALL <@i> @missing () RET "
      "%r }");
  EXPECT_EQ(machine.run("tries", nullptr).kind, CallOutcome::Kind::Failed);
  unload("tries");
  EXPECT_EQ(collectibleOwners(), 0u);
}

/// A bundle with whatever has books kept for it: watchpoints, traps, landing pads, names, symbols, a function
/// that is not defined, cells, constants.
constexpr const char* kRich = R"(
  .typedef @rich.pair = struct<@i64 @i64>
  .funcsig @rich.throws.sig = (@i64) -> (@i64)
  .const @rich.two <@i64> = 2
  .const @rich.both <@rich.pair> = { @7 @rich.two }
  .global @rich.cell <@rich.pair>
  .funcdecl @rich.later <@i>
  .funcdef @rich.throws VERSION %v1 <@rich.throws.sig> {
    %entry(<@i64> %n):
      %o = NEW <@rich.pair>
      %z = EQ <@i64> %n @rich.two
      BRANCH2 %z %bad(%o) %fine(%n)
    %bad(<@rich.ref> %o): THROW %o
    %fine(<@i64> %n): RET %n
  }
  .typedef @rich.ref = ref<@rich.pair>
  .funcdef @rich VERSION %v1 <@i> {
    %entry():
      STORE <@rich.pair> @rich.cell @rich.both
      CCALL #DEFAULT <@fp @none> @inside ()
      WPBRANCH 90 %off() %on()
    %on():
      %x = [%watch] WATCHPOINT 91 <@i64> %off() %seen(%x) KEEPALIVE()
    %seen(<@i64> %x): RET %x
    %off():
      %r = [%call] CALL <@rich.throws.sig> @rich.throws (@rich.two) EXC(%good(%r) %caught())
    %good(<@i64> %r):
      %t = [%trap] TRAP <@i64> KEEPALIVE(%r)
      %u = CALL <@i> @rich.later ()
      %s = ADD <@i64> %t %u
      RET %s
    %caught() [%e]:
      RET @7
  }
)";

TEST_P(CodeLifetime, EverythingGoesWithTheCode) {
  struct Counts {
    std::uint64_t units, bundles, owners, symbols, code, data, mallocBytes;
  };
  struct Rich {
    Id member, version, call;
  };
  // In a frame of its own, whose words are gone when what they refer to has to go.
  auto live = [&]() __attribute__((noinline)) {
    loadCollectible(kRich);
    EXPECT_EQ(machine.call("rich"), 7);
    machine.vm().watchpoints().set(90, true);
    machine.vm().watchpoints().set(90, false);
    EXPECT_EQ(machine.call("rich"), 7);
    const Rich rich{idOf("rich"), idOf("rich.v1"), idOf("rich.v1.off.call")};
    EXPECT_NE(rich.call, kNoId);
    unload("rich");
    return rich;
  };
  // Of the one before: a word that is left on the native stack may keep one, and lies where the next one's
  // will.
  std::optional<Rich> before;
  auto round = [&] {
    const Rich rich = live();
    settle();
    if (auto over = std::exchange(before, rich)) {
      EXPECT_EQ(machine.vm().program().entityOfCode<ir::Function>(over->member), nullptr);
      EXPECT_EQ(machine.vm().program().entityOfCode<ir::FunctionVersion>(over->version), nullptr);
      for (Id id : {over->member, over->version, over->call})
        EXPECT_EQ(machine.vm().program().nameOf(id), "");
    }
    for (const char* name : {"rich", "rich.v1", "rich.two", "rich.cell", "rich.later", "rich.v1.off.call"})
      EXPECT_EQ(idOf(name), kNoId) << name;
    // There is no code any more that this would patch.
    machine.vm().watchpoints().set(90, true);
    machine.vm().watchpoints().set(90, false);
  };
  auto counts = [&] {
    settle();
    auto memory = machine.vm().slab().statistics();
    return Counts{code().units,
                  bundles(),
                  machine.vm().owners().statistics().alive,
                  machine.vm().nativeSymbols().known().size(),
                  memory.codeUsed,
                  memory.dataUsed,
                  mallinfo2().uordblks};
  };
  for (int i = 0; i < 5; ++i) round();
  const Counts first = counts();
  for (int i = 0; i < 40; ++i) round();
  const Counts last = counts();
  EXPECT_EQ(last.units, first.units);
  EXPECT_EQ(last.bundles, first.bundles);
  EXPECT_EQ(last.owners, first.owners);
  EXPECT_EQ(last.symbols, first.symbols);
  EXPECT_EQ(last.code, first.code);
  EXPECT_EQ(last.data, first.data);
  // The tables of IDs grow by what IDs are never used again.
  EXPECT_LE(last.mallocBytes, first.mallocBytes + 256 * 1024);
}

TEST_P(CodeLifetime, WhatIsOverIsNotToldToStay) {
  define(1);
  EXPECT_EQ(machine.call("callF"), 1);
  const Id version = idOf("f.v1");
  define(2);
  EXPECT_EQ(machine.call("callF"), 2);
  settle();
  // Its bundle has a constant and stays, its code does not, unless it was compiled together with a caller's.
  EXPECT_THAT(why(version), AnyOf("", StartsWith("nothing reaches it"),
                                  "@callF, whose code was compiled in one unit with it\n"));
  EXPECT_EQ(why(idOf("f.v2")), "nothing ever asked for its end\n");
}

TEST_P(CodeLifetime, WhoCallsWhatIsRedefinedDoesNotWaitForItsCode) {
  define(1);
  auto compiled = [&] { return machine.vm().code().compiledFunctions(); };
  const std::uint64_t before = compiled();
  define(2);
  EXPECT_EQ(compiled(), before) << "nobody has called it";
  EXPECT_EQ(machine.call("f"), 2);
  const std::uint64_t called = compiled();
  define(3);
  EXPECT_EQ(compiled(), called + 1);
  EXPECT_EQ(machine.call("f"), 3);
  EXPECT_EQ(compiled(), called + 1);
}

TEST_P(CodeLifetime, WhereMuchIsRedefinedEachCallCompiles) {
  constexpr int kMany = 40;
  for (int number : {1, 2}) {
    std::string program = number == 1 ? ".const @m1 <@i64> = 1 .const @m2 <@i64> = 2\n" : "";
    for (int i = 0; i < kMany; ++i)
      program += fmt::format(".funcdef @many{0} VERSION %v{1} <@i> {{ %entry(): RET @m{1} }}\n", i, number);
    const std::uint64_t before = machine.vm().code().compiledFunctions();
    machine.mustLoad(program);
    EXPECT_EQ(machine.vm().code().compiledFunctions(), before);
    for (int i = 0; i < kMany; ++i) EXPECT_EQ(machine.call("many" + std::to_string(i)), number);
  }
}

TEST_P(CodeLifetime, WhyByName) {
  auto textOf = [this](const char* name) {
    auto path = whyAlive(machine.vm(), name);
    return path ? path->text() : "";
  };
  finalised = 0;
  const std::uintptr_t hidden = makeHost("asked");
  bind("why_asked", hidden);
  EXPECT_EQ(textOf("why_asked"), "the name 'why_asked', which it is bound to\n");
  EXPECT_EQ(textOf("asked"), "") << "a name for messages is none that code calls";
  EXPECT_EQ(textOf("@callF"), "nothing ever asked for its end\n");
  bind("callF", hidden);
  EXPECT_EQ(textOf("callF"), "nothing ever asked for its end\n") << "entities come first";
  machine.vm().bindSymbol("callF", nullptr);
  machine.vm().bindSymbol("why_asked", nullptr);
  EXPECT_EQ(textOf("why_asked"), "");
  settle();
  EXPECT_EQ(finalised, 1);
  EXPECT_FALSE(whyAliveHost(machine.vm(), hidden));
  EXPECT_FALSE(whyAliveHost(machine.vm(), 0));
}

TEST(KeepPathTest, Json) {
  EXPECT_EQ((KeepPath{true, {}}).json(), R"({"permanent":true,"path":[]})");
  EXPECT_EQ((KeepPath{false, {"a \"b\"", "c\\d\n\x01"}}).json(),
            R"({"permanent":false,"path":["a \"b\"","c\\d\u000a\u0001"]})");
}

/// Threads call @f while it is redefined, and everything is collected all the time.
TEST_P(CodeLifetime, ThreadsCallWhatIsBeingRedefined) {
  define(0);
  std::atomic<bool> over{false};
  std::atomic<std::int64_t> newest{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      Thread attached(machine.vm());
      while (!over) {
        std::int64_t least = newest.load();
        EXPECT_GE(machine.call("callF"), least);
      }
    });
  for (std::int64_t i = 1; i <= 60; ++i) {
    machine.mustLoad(".const @n" + std::to_string(i) + " <@i64> = " + std::to_string(i));
    machine.mustLoad(".funcdef @f VERSION %n" + std::to_string(i) + " <@i> { %entry(): RET @n" +
                     std::to_string(i) + " }");
    newest = i;
    Thread here(machine.vm());
    machine.vm().heap().collect();
    machine.vm().tidy(here);
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  settle();
  EXPECT_EQ(code().retired, 0u);
  EXPECT_EQ(machine.call("callF"), 60);
}

INSTANTIATE_TEST_SUITE_P(Levels, CodeLifetime, ::testing::Values(0, 2),
                         [](const auto& level) { return "O" + std::to_string(level.param); });

}  // namespace
}  // namespace gaur::runtime
