// The whole compiler, from text to running code, with an environment that has no runtime behind it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <mutex>

#include "jit/llvm/llvm_compiler.h"
#include "vm/ir/parser.h"
#include "vm/ir/verifier.h"

namespace gaur::jit {
namespace {

/// Records, cells and slots as the runtime would make them, in the slab; nothing is ever compiled lazily.
class TestEnvironment : public Environment {
 public:
  explicit TestEnvironment(CodeSlab& slab) : slab_(slab), links_(make<abi::LinkTable>()) {}

  ir::Program& program() override { return program_; }
  abi::LayoutTable& layouts() override { return abi::LayoutTable::shared(); }
  abi::FunctionRecord* recordOf(const ir::Function& function) override {
    auto*& record = records_[function.id];
    if (!record) {
      record = make<abi::FunctionRecord>();
      record->id = function.id;
    }
    return record;
  }
  void* addressOf(const ir::GlobalCell& cell) override {
    void*& place = cells_[cell.id];
    if (!place) place = slab_.allocateData(layouts().of(cell.cellType->type).size, 16);
    return place;
  }
  Result<void**> externSlot(std::string_view symbol) override { return makeError(ErrorId::SymbolUnknown, {symbol}); }
  void** exposedSlot(const ir::ExposedFunction&) override { return make<void*>(); }
  abi::LinkTable* linkTable() override { return links_; }
  Result<void**> nativeCallSlot(const ir::Signature*) override { return make<void*>(); }

 private:
  template <class T>
  T* make() {
    return static_cast<T*>(slab_.allocateData(sizeof(T), 16));
  }

  CodeSlab& slab_;
  ir::Program program_;
  abi::LinkTable* links_;
  std::map<Id, abi::FunctionRecord*> records_;
  std::map<Id, void*> cells_;
};

class Compile : public testing::TestWithParam<OptLevel> {
 protected:
  Compile() {
    auto compiler = LlvmCompiler::create(environment_, slab_, map_, {.verify = true});
    EXPECT_TRUE(compiler);
    compiler_ = std::move(*compiler);
  }
  ~Compile() override { units_.clear(); }

  void load(std::string text) {
    Diagnostics diagnostics;
    SourceText source{"test.uir", text};
    ir::Builder builder(environment_.program(), "test.uir");
    ir::parse(source, builder, diagnostics);
    std::lock_guard lock(environment_.program().loadMutex());
    std::unique_ptr<ir::Bundle> bundle;
    if (!diagnostics.failed()) bundle = builder.finish(diagnostics);
    if (bundle) ir::verify(*bundle, environment_.program(), diagnostics);
    ASSERT_FALSE(diagnostics.failed()) << render(diagnostics, source);
    environment_.program().publish(std::move(bundle));
  }
  ir::Function& function(std::string_view name) {
    auto& program = environment_.program();
    return *program.entityOf<ir::Function>(program.idOf(name));
  }
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
    EXPECT_TRUE(adapter && adapter(environment_.recordOf(function(name)), arguments.data(), results.data(), &exception));
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
  EXPECT_THAT(assembly, testing::HasSubstr("record" + std::to_string(function("fib").id))) << "what it refers to has a name";
  EXPECT_THAT(dump(DumpStage::CodeMap), testing::HasSubstr("returns to"));
  EXPECT_EQ(slab_.statistics().codeUsed, 0u) << "dumps leave no code behind";
}

INSTANTIATE_TEST_SUITE_P(Levels, Compile, testing::Values(OptLevel::O0, OptLevel::O1, OptLevel::O2), [](const auto& info) {
  return "O" + std::to_string(static_cast<int>(info.param));
});

}  // namespace
}  // namespace gaur::jit
