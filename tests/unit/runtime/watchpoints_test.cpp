// Watchpoints as the host sees them: by ID, in all code of one VM, loaded before or after.
#include "vm/runtime/watchpoints.h"

#include <functional>

#include "jit/code_slab.h"
#include "jit/code_stubs.h"
#include "tests/unit/runtime/machine.h"

namespace gaur::runtime {
namespace {

class Watchpoints : public RunTest {};
INSTANTIATE_TEST_SUITE_P(Levels, Watchpoints, ::testing::Values(0, 2),
                         [](const auto& info) { return "O" + std::to_string(info.param); });

constexpr const char* kTypes = R"(
  .typedef @i64 = int<64>
  .typedef @i32 = int<32>
  .typedef @void = void
  .funcsig @ii = (@i64) -> (@i64)
  .funcsig @none = () -> ()
  .const @0 <@i64> = 0
  .const @1 <@i64> = 1
)";

/// A function that returns what it is given while the watchpoint is disabled, and one more while it is
/// enabled.
std::string branching(const std::string& name, unsigned watchpoint, const std::string& version = "%v1") {
  return ".funcdef " + name + " VERSION " + version + R"( <@ii> {
      %entry(<@i64> %n):
        %m = ADD <@i64> %n @1
        WPBRANCH )" +
         std::to_string(watchpoint) + R"( %out(%n) %out(%m)
      %out(<@i64> %r):
        RET %r
    }
)";
}

TEST_P(Watchpoints, HostChangesCodeThatIsLoadedAndCodeToCome) {
  machine.mustLoad(kTypes + branching("@f", 5) + branching("@g", 5) + branching("@h", 6));
  auto& table = machine.vm().watchpoints();
  EXPECT_EQ(machine.call("@f", std::int64_t{10}), 10);
  EXPECT_FALSE(table.isEnabled(5));
  table.set(5, true);
  EXPECT_TRUE(table.isEnabled(5));
  EXPECT_EQ(machine.call("@f", std::int64_t{10}), 11);
  EXPECT_EQ(machine.call("@g", std::int64_t{10}), 11) << "compiled while the watchpoint is enabled";
  EXPECT_EQ(machine.call("@h", std::int64_t{10}), 10) << "another watchpoint";
  machine.mustLoad(branching("@later", 5));
  EXPECT_EQ(machine.call("@later", std::int64_t{10}), 11);
  table.set(5, false);
  for (const char* name : {"@f", "@g", "@later"}) EXPECT_EQ(machine.call(name, std::int64_t{10}), 10) << name;
}

TEST_P(Watchpoints, MachinesDoNotShareThem) {
  TestMachine other(optionsAt(GetParam()));
  machine.mustLoad(kTypes + branching("@f", 5));
  other.mustLoad(kTypes + branching("@f", 5));
  EXPECT_EQ(machine.call("@f", std::int64_t{1}), 1);
  EXPECT_EQ(other.call("@f", std::int64_t{1}), 1);
  machine.vm().watchpoints().set(5, true);
  EXPECT_EQ(machine.call("@f", std::int64_t{1}), 2);
  EXPECT_EQ(other.call("@f", std::int64_t{1}), 1);
}

/// What @hook calls.
std::function<void()> hook;
extern "C" void runtimeTestHook() { hook(); }

TEST_P(Watchpoints, ActiveFramesOfOldVersionsSeeThem) {
  machine.vm().nativeSymbols().registerSymbol("watchpoint_hook", reinterpret_cast<void*>(&runtimeTestHook));
  machine.mustLoad(std::string(kTypes) + R"(
    .typedef @hook.fp = ufuncptr<@none>
    .const @hook <@hook.fp> = EXTERN "watchpoint_hook"
    .const @1000 <@i64> = 1000
    .funcdef @f VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        CCALL #DEFAULT <@hook.fp @none> @hook ()
        %m = ADD <@i64> %n @1000
        WPBRANCH 5 %out(%n) %out(%m)
      %out(<@i64> %r):
        RET %r
    })");
  std::int64_t inner = 0;
  hook = [&] {
    machine.mustLoad(branching("@f", 5, "%v2"));
    inner = machine.call("@f", std::int64_t{1});
    machine.vm().watchpoints().set(5, true);
  };
  EXPECT_EQ(machine.call("@f", std::int64_t{1}), 1001) << "the first version goes on";
  EXPECT_EQ(inner, 1) << "the second version, before it was enabled";
  EXPECT_EQ(machine.call("@f", std::int64_t{1}), 2);
}

TEST_P(Watchpoints, AnInlinedFunctionThatIsRedefinedWithOne) {
  machine.mustLoad(std::string(kTypes) + R"(
    .funcdef @leaf VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        RET %n
    }
    .funcdef @f VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        %r = CALL <@ii> @leaf (%n)
        RET %r
    })");
  EXPECT_EQ(machine.call("@f", std::int64_t{7}), 7);
  machine.vm().watchpoints().set(8, true);
  machine.mustLoad(branching("@leaf", 8, "%v2"));
  EXPECT_EQ(machine.call("@f", std::int64_t{7}), 8);
}

/// A block of code that holds only sites, as a compilation would leave it.
struct FakeBlock {
  FakeBlock(jit::CodeSlab& codeSlab, std::initializer_list<std::uint32_t> watchpoints) : slab(codeSlab) {
    code = static_cast<unsigned char*>(slab.allocateCode(kBytes));
    std::uint32_t offset = 0;
    for (std::uint32_t watchpoint : watchpoints) {
      sites.push_back({watchpoint, offset, kBytes - 8});
      writeNop(offset);
      offset += 8;
    }
    block.begin = reinterpret_cast<std::uintptr_t>(code);
    block.end = block.begin + kBytes;
    block.watchpoints = sites;
  }

  void writeNop(std::uint32_t offset) {
#if defined(__x86_64__)
    static constexpr unsigned char kNop[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};
#else
    static constexpr unsigned char kNop[] = {0x1f, 0x20, 0x03, 0xd5};
#endif
    std::memcpy(static_cast<unsigned char*>(slab.writable(code)) + offset, kNop, sizeof kNop);
    original = code[offset];
  }
  std::string patched() const {
    std::string text;
    for (const auto& site : sites) text += code[site.siteOffset] == original ? '-' : '*';
    return text;
  }

  static constexpr std::uint32_t kBytes = 256;
  jit::CodeSlab& slab;
  unsigned char* code;
  unsigned char original = 0;
  std::vector<abi::WatchpointSite> sites;
  abi::CodeBlock block;
};

TEST(WatchpointTable, PatchesTheSitesOfTheWatchpointOnly) {
  jit::CodeSlab slab;
  WatchpointTable table(slab);
  FakeBlock a(slab, {1, 2, 2, 2, 9}), b(slab, {2, 9, 9});
  table.set(9, true);
  table.add(a.block);
  EXPECT_EQ(a.patched(), "----*") << "enabled before the code was there";
  table.add(b.block);
  EXPECT_EQ(b.patched(), "-**");
  table.set(2, true);
  EXPECT_EQ(a.patched(), "-****");
  EXPECT_EQ(b.patched(), "***");
  table.set(9, false);
  table.set(1, true);
  table.set(3, true);
  EXPECT_EQ(a.patched(), "****-");
  EXPECT_EQ(b.patched(), "*--");
}

TEST(WatchpointTable, ForgetsRemovedCodeAndKeepsTheState) {
  jit::CodeSlab slab;
  WatchpointTable table(slab);
  {
    FakeBlock gone(slab, {4, 5});
    table.set(4, true);
    table.add(gone.block);
    table.remove(gone.block);
    slab.freeCode(gone.code, FakeBlock::kBytes);
  }
  // A site that is still known would be found to hold no watchpoint.
  table.set(4, false);
  table.set(5, true);
  FakeBlock again(slab, {4, 5});
  table.add(again.block);
  EXPECT_EQ(again.patched(), "-*");
}

}  // namespace
}  // namespace gaur::runtime
