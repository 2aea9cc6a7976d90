// Names and IDs of what is loaded, publishing, and the builder's symbols.
#include "tests/unit/ir/bundle_maker.h"

namespace gaur::ir::test {
namespace {

TEST(Program, PredefinedEntities) {
  Program program;
  auto* bytes = program.entityOf<TypeDef>(program.idOf("@uvm.meta.bytes"));
  ASSERT_NE(bytes, nullptr);
  EXPECT_EQ(toString(bytes->type), "hybrid<int<64> int<8>>");
  EXPECT_EQ(toString(program.entityOf<TypeDef>(program.idOf("uvm.meta.refs.r"))->type),
            "ref<hybrid<int<64> ref<void>>>");
  EXPECT_EQ(toString(program.entityOf<SignatureDef>(program.idOf("uvm.meta.trap_handler.sig"))->signature),
            "(stackref int<32> ref<void>)->()");
  EXPECT_EQ(bytes->id, kFirstPredefinedId);
  EXPECT_EQ(program.nameOf(bytes->id), "@uvm.meta.bytes");
  EXPECT_GE(program.allocateIds(), kFirstClientId);
}

TEST(Program, CommonInstructionsHaveNamesAndIds) {
  Program program;
  EXPECT_EQ(program.idOf("@uvm.new_stack"), 0x201u);
  EXPECT_EQ(program.nameOf(0x260), "@uvm.meta.set_trap_handler");
  EXPECT_EQ(program.idOf("uvm.meta.cur_func_ver"), 0x259u);
  EXPECT_EQ(program.entity(0x201), nullptr);
}

TEST(Program, UnknownNamesAndIds) {
  Program program;
  EXPECT_EQ(program.idOf(""), kNoId);
  EXPECT_EQ(program.idOf("@"), kNoId);
  EXPECT_EQ(program.idOf("nothing.at.all"), kNoId);
  EXPECT_EQ(program.nameOf(1234567), "");
  EXPECT_EQ(program.nameOf(kNoId), "");
}

/// @f with one version of one block; all names local, the version's may be empty.
void makeFunction(Builder& builder, Id function, std::string_view versionName, Id* parameterId) {
  FunctionVersion* version = builder.newVersion(builder.fresh(), function);
  builder.setName(*version, versionName, true);
  BasicBlock* block = builder.newBlock(builder.fresh());
  builder.setName(*block, "%my.entry", true);
  block->parameters = builder.arena().makeArray<Parameter>(1);
  Parameter& parameter = block->parameters[0];
  parameter.entityKind = EntityKind::Parameter;
  parameter.id = *parameterId = builder.fresh();
  parameter.declaredType.id = builder.symbol("i64");
  builder.define(&parameter);
  builder.setName(parameter, "%x", true);
  Instruction* add = builder.newInstruction(builder.fresh(), Opcode::BinOp);
  add->operation = static_cast<std::uint8_t>(BinOperator::Add);
  const Id types[] = {builder.symbol("i64")}, operands[] = {*parameterId, *parameterId},
           results[] = {builder.fresh()};
  add->types = builder.uses<TypeDef>(std::span<const Id>(types));
  add->operands = builder.uses<Value>(std::span<const Id>(operands));
  builder.setName(builder.newResults(add, results)[0], "%sum", true);
  Instruction* ret = builder.newInstruction(builder.fresh(), Opcode::Ret);
  builder.setName(*ret, "%the_end", true);
  const Id instructions[] = {add->id, ret->id}, blocks[] = {block->id};
  block->instructions = builder.uses<Instruction>(std::span<const Id>(instructions));
  version->blocks = builder.uses<BasicBlock>(std::span<const Id>(blocks));
}

class Loaded : public testing::Test {
 protected:
  void SetUp() override { load("one"); }

  Bundle* load(std::string_view versionName) {
    Builder builder(program, "bundle");
    Id function = builder.symbol("f");
    if (!program.entity(function)) {
      builder.newType(builder.symbol("i64"), TypeKind::Int)->length = 64;
      const Id i64[] = {builder.symbol("i64")};
      builder.newSignature(builder.symbol("sig"))->parameters =
          builder.uses<TypeDef>(std::span<const Id>(i64));
      builder.newFunction(function, builder.symbol("sig"));
    }
    makeFunction(builder, function, versionName, &parameter);
    std::lock_guard lock(program.loadMutex());
    Diagnostics diagnostics;
    auto bundle = builder.finish(diagnostics);
    EXPECT_NE(bundle, nullptr) << render(diagnostics, {"bundle", ""});
    return program.publish(std::move(bundle));
  }

  Program program;
  Id parameter = kNoId;
};

TEST_F(Loaded, LocalNames) {
  EXPECT_EQ(program.nameOf(parameter), "@f.one.my.entry.x");
  EXPECT_EQ(program.idOf("@f.one.my.entry.x"), parameter);
  for (const char* name :
       {"@f", "@f.one", "@f.one.my.entry", "@f.one.my.entry.sum", "@f.one.my.entry.the_end"}) {
    Id id = program.idOf(name);
    ASSERT_NE(id, kNoId) << name;
    EXPECT_EQ(program.nameOf(id), name);
  }
  for (const char* name :
       {"@f.two", "@f.one.", "@f.one.my", "@f.one.my.entry.y", "@f.one.x", "@f.onemy.entry"})
    EXPECT_EQ(program.idOf(name), kNoId) << name;
}

TEST_F(Loaded, NewVersionsReplaceAndOldOnesKeepTheirNames) {
  auto* function = program.entityOf<Function>(program.idOf("f"));
  FunctionVersion* first = function->current;
  Id firstParameter = parameter;
  load("two");
  EXPECT_NE(function->current.load(), first);
  EXPECT_EQ(function->current.load()->previous, first);
  EXPECT_EQ(program.idOf("f.one.my.entry.x"), firstParameter);
  EXPECT_EQ(program.idOf("f.two.my.entry.x"), parameter);
}

TEST_F(Loaded, AnonymousVersionsDoNotHideTheirParts) {
  load("");
  EXPECT_EQ(program.nameOf(parameter), "@f.my.entry.x");
  EXPECT_EQ(program.idOf("@f.my.entry.x"), parameter);
}

TEST_F(Loaded, DescribeFallsBackToTheId) {
  Builder builder(program, "more");
  TypeDef* type = builder.newType(builder.fresh(), TypeKind::Void);
  EXPECT_EQ(describe(*type), "#" + std::to_string(type->id));
  EXPECT_EQ(describe(*program.entity(parameter)), "@f.one.my.entry.x");
}

TEST_F(Loaded, SymbolsFindLoadedEntities) {
  Builder builder(program, "more");
  EXPECT_EQ(builder.symbol("@f"), program.idOf("f"));
  EXPECT_EQ(builder.symbol("f.one.my.entry.x"), parameter);
  Id fresh = builder.symbol("@unknown");
  EXPECT_EQ(builder.symbol("unknown"), fresh);
  EXPECT_EQ(builder.symbolName(fresh), "unknown");
  EXPECT_EQ(builder.defined(fresh), nullptr);
}

TEST_F(Loaded, AFailedBundleLeavesNothingBehind) {
  Builder builder(program, "wrong");
  const Id missing[] = {builder.symbol("missing")};
  builder.newType(builder.symbol("broken"), TypeKind::Ref)->elements =
      builder.uses<TypeDef>(std::span<const Id>(missing));
  std::lock_guard lock(program.loadMutex());
  Diagnostics diagnostics;
  EXPECT_EQ(builder.finish(diagnostics), nullptr);
  EXPECT_EQ(program.idOf("broken"), kNoId);
}

TEST_F(Loaded, AFunctionCanBeDeclaredAgainWithAnEqualSignature) {
  Builder builder(program, "again");
  SigUse signature{nullptr, builder.symbol("sig"), 0};
  builder.declareFunction(builder.symbol("f"), signature);
  Diagnostics diagnostics;
  link(builder, diagnostics);
  EXPECT_FALSE(diagnostics.failed());
  EXPECT_TRUE(builder.bundle().functions.empty());
}

}  // namespace
}  // namespace gaur::ir::test
