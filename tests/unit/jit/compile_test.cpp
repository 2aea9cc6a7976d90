// The whole compiler, from text to running code, with an environment that has no runtime behind it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "jit/code_stubs.h"
#include "jit/instruction_fetch.h"
#include "jit/llvm/llvm_compiler.h"
#include "tests/unit/jit/test_environment.h"

namespace gaur::jit {
namespace {

class Compile : public testing::TestWithParam<OptLevel> {
 protected:
  Compile() {
    auto compiler = LlvmCompiler::create(environment_, slab_, map_, {.verify = true});
    EXPECT_TRUE(compiler);
    compiler_ = std::move(*compiler);
  }
  ~Compile() override { units_.clear(); }

  void load(const std::string& text) {
    Diagnostics diagnostics;
    ASSERT_TRUE(environment_.load(text, diagnostics)) << render(diagnostics, {"test.uir", text});
  }
  ir::Function& function(std::string_view name) { return environment_.function(name); }
  void compile(std::initializer_list<std::string_view> names) {
    std::vector<const ir::FunctionVersion*> versions;
    for (auto name : names) versions.push_back(function(name).current);
    auto unit = compiler_->compile(versions, GetParam());
    ASSERT_TRUE(unit) << unit.error().message;
    for (auto* version : versions)
      environment_.recordOf(*version->function)->entry = (*unit)->entryOf(version->id);
    units_.push_back(std::move(*unit));
  }
  HostCall adapterOf(std::string_view name) {
    auto unit = compiler_->hostCallAdapter(function(name).signature->signature);
    if (!unit) {
      ADD_FAILURE() << unit.error().message;
      return nullptr;
    }
    auto* entry = (*unit)->entryOf(kNoId);
    units_.push_back(std::move(*unit));
    return reinterpret_cast<HostCall>(entry);
  }
  /// Calls with 64-bit arguments; returns the first result.
  std::int64_t call(std::string_view name, std::initializer_list<std::int64_t> values) {
    struct alignas(16) Place {
      std::int64_t value = 0;
    };
    std::vector<Place> arguments;
    for (auto value : values) arguments.push_back({value});
    std::vector<Place> results(8);
    void* exception = nullptr;
    HostCall adapter = adapterOf(name);
    EXPECT_TRUE(adapter &&
                adapter(environment_.recordOf(function(name)), arguments.data(), results.data(), &exception));
    return results[0].value;
  }

  CodeSlab slab_;
  CodeMap map_{slab_};
  TestEnvironment environment_{slab_};
  std::unique_ptr<Compiler> compiler_;
  std::vector<std::unique_ptr<CodeUnit>> units_;
};

constexpr const char* kFib = R"(
  .typedef @i1 = int<1>
  .typedef @i64 = int<64>
  .const @one <@i64> = 1
  .const @two <@i64> = 2
  .global @calls <@i64>
  .funcsig @sig = (@i64) -> (@i64)
  .funcdef @fib VERSION %v1 <@sig> {
    %entry(<@i64> %n):
      %count = LOAD <@i64> @calls
      %count1 = ADD <@i64> %count @one
      STORE <@i64> @calls %count1
      %small = SLT <@i64> %n @two
      BRANCH2 %small %base(%n) %rec(%n)
    %base(<@i64> %n):
      RET (%n)
    %rec(<@i64> %n):
      %n1 = SUB <@i64> %n @one
      %a = CALL <@sig> @fib (%n1) KEEPALIVE (%n)
      %n2 = SUB <@i64> %n @two
      %b = CALL <@sig> @fib (%n2)
      %sum = ADD <@i64> %a %b
      RET (%sum)
  }
)";

TEST_P(Compile, RunsRecursion) {
  load(kFib);
  compile({"fib"});
  EXPECT_EQ(call("fib", {15}), 610);
  auto& program = environment_.program();
  auto* cell = program.entityOf<ir::GlobalCell>(program.idOf("calls"));
  EXPECT_EQ(*static_cast<std::int64_t*>(environment_.addressOf(*cell)), 1973);
}

TEST_P(Compile, RowsNameTheirInstructions) {
  load(kFib);
  compile({"fib"});
  auto& program = environment_.program();
  const auto& block = units_.front()->block();
  ASSERT_EQ(block.functions.size(), 1u);
  EXPECT_EQ(block.functions[0].version, program.idOf("fib.v1"));
  EXPECT_EQ(block.functions[0].record, environment_.recordOf(function("fib")));
  std::vector<std::uint32_t> keepalives;
  for (const auto& row : block.rows) {
    EXPECT_NE(program.entityOf<ir::Instruction>(row.instruction), nullptr) << row.instruction;
    keepalives.push_back(row.keepaliveCount);
  }
  EXPECT_THAT(keepalives, testing::UnorderedElementsAre(1u, 0u));
}

TEST_P(Compile, SwapsWaitWithHandlerAndKeepalives) {
  load(R"(
    .typedef @i64 = int<64>
    .typedef @stack = stackref
    .funcsig @sig = (@stack @i64) -> (@i64)
    .funcdef @swaps VERSION %v1 <@sig> {
      %entry(<@stack> %other <@i64> %n):
        %a = SWAPSTACK %other RET_WITH <@i64> PASS_VALUES <@i64> (%n)
        %b = SWAPSTACK %other RET_WITH <@i64> PASS_VALUES <@i64> (%a) EXC(%next(%other %b) %caught(%a))
      %next(<@stack> %other <@i64> %n):
        %c = SWAPSTACK %other RET_WITH <@i64> PASS_VALUES <@i64> (%n) KEEPALIVE (%n)
        RET (%c)
      %caught(<@i64> %n):
        RET (%n)
    }
  )");
  compile({"swaps"});
  const auto& block = units_.front()->block();
  auto& program = environment_.program();
  auto rowsOf = [&](const char* result) {
    std::vector<abi::CallSiteRow> rows;
    for (const auto& row : block.rows) {
      const auto* swap = program.entityOf<ir::Instruction>(row.instruction);
      if (swap && ir::describe(swap->results[0]).ends_with(result)) rows.push_back(row);
    }
    return rows;
  };
  const auto plain = rowsOf(".a");
  const auto caught = rowsOf(".b");
  const auto kept = rowsOf(".c");
  ASSERT_FALSE(plain.empty() || caught.empty() || kept.empty());
  // In place of the call, a swap has another row for a target that is not READY.
  EXPECT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].keepaliveCount, 1u);
  for (const auto& row : plain) EXPECT_EQ(row.landingPadOffset, 0u);
  EXPECT_EQ(
      std::count_if(caught.begin(), caught.end(), [](const auto& row) { return row.landingPadOffset != 0; }),
      1);
  for (const auto& row : block.rows) EXPECT_EQ(row.frameSize, block.rows[0].frameSize);
}

TEST_P(Compile, DumpsEveryStage) {
  load(kFib);
  const auto& version = *function("fib").current.load();
  auto dump = [&](DumpStage stage) {
    auto text = compiler_->dump(version, GetParam(), stage);
    return text ? *text : text.error().message;
  };
  EXPECT_THAT(dump(DumpStage::Llvm), testing::HasSubstr("tailcc i64 @f"));
  EXPECT_THAT(dump(DumpStage::LlvmOptimised), testing::HasSubstr("tailcc i64 @f"));
  std::string assembly = dump(DumpStage::Assembly);
  EXPECT_THAT(assembly, testing::HasSubstr("@fib.v1:"));
  EXPECT_THAT(assembly, testing::HasSubstr("call site of"));
  EXPECT_THAT(assembly, testing::Not(testing::HasSubstr("handler")));
  EXPECT_THAT(assembly, testing::HasSubstr("record" + std::to_string(function("fib").id)))
      << "what it refers to has a name";
  EXPECT_THAT(dump(DumpStage::CodeMap), testing::HasSubstr("returns to"));
  EXPECT_EQ(slab_.statistics().codeUsed, 0u) << "dumps leave no code behind";
}

TEST_P(Compile, ListsTheInstructionsOfWatchpoints) {
  load(R"(
    .typedef @i64 = int<64>
    .funcsig @ii = (@i64) -> (@i64)
    .const @0 <@i64> = 0
    .const @1 <@i64> = 1
    .const @1000 <@i64> = 1000
    .funcdef @f VERSION %v1 <@ii> {
      %entry(<@i64> %n):
        WPBRANCH 9 %loop(%n @0) %loop(%n @1000)
      %loop(<@i64> %n <@i64> %s):
        %m = SUB <@i64> %n @1
        %t = ADD <@i64> %s @1
        %u = ADD <@i64> %s @1000
        WPBRANCH 4 %more(%m %t) %more(%m %u)
      %more(<@i64> %n <@i64> %s):
        %go = SGT <@i64> %n @0
        BRANCH2 %go %loop(%n %s) %done(%s)
      %done(<@i64> %s):
        RET %s
    })");
  compile({"f"});
  const abi::CodeBlock& block = units_.back()->block();
  // LLVM may copy a site, but each watchpoint has one, and they are sorted.
  std::vector<std::uint32_t> order;
  for (const auto& site : block.watchpoints)
    if (order.empty() || order.back() != site.watchpoint) order.push_back(site.watchpoint);
  EXPECT_THAT(order, testing::ElementsAre(4, 9));
  auto patch = [&](std::uint32_t watchpoint, bool enabled) {
    for (const auto& site : block.watchpoints) {
      if (site.watchpoint != watchpoint) continue;
      ASSERT_TRUE(isPatchable(block.begin + site.siteOffset));
      auto* code = reinterpret_cast<void*>(block.begin + site.siteOffset);
      patchWatchpoint(code, slab_.writable(code),
                      enabled ? reinterpret_cast<void*>(block.begin + site.targetOffset) : nullptr);
    }
    synchroniseInstructionFetch();
  };
  EXPECT_EQ(call("f", {10}), 10);
  patch(4, true);
  EXPECT_EQ(call("f", {10}), 10000);
  patch(9, true);
  EXPECT_EQ(call("f", {10}), 11000);
  patch(4, false);
  EXPECT_EQ(call("f", {10}), 1010);
  patch(9, false);
  EXPECT_EQ(call("f", {10}), 10);

  auto text = compiler_->dump(*function("f").current.load(), GetParam(), DumpStage::CodeMap);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, testing::HasSubstr("while watchpoint 4 is enabled"));
}

INSTANTIATE_TEST_SUITE_P(Levels, Compile, testing::Values(OptLevel::O0, OptLevel::O1, OptLevel::O2),
                         [](const auto& info) { return "O" + std::to_string(static_cast<int>(info.param)); });

}  // namespace
}  // namespace gaur::jit
