// Linking: what each reference resolves to, what each mistake is called, and the types of values.
#include "tests/unit/ir/bundle_maker.h"

namespace gaur::ir::test {
namespace {

class LinkerTest : public testing::Test {
 protected:
  LinkerTest() : maker(program) {
    maker.type("i1", TypeKind::Int, {}, 1);
    maker.type("i32", TypeKind::Int, {}, 32);
    maker.type("i64", TypeKind::Int, {}, 64);
    maker.type("i128", TypeKind::Int, {}, 128);
    maker.type("f64", TypeKind::Double);
    maker.type("pair", TypeKind::Struct, {"i32", "f64"});
    maker.type("text", TypeKind::Hybrid, {"i64", "i32"});
    maker.type("four", TypeKind::Vector, {"i32"}, 4);
    maker.type("ref", TypeKind::Ref, {"pair"});
    maker.type("iref", TypeKind::Iref, {"pair"});
    maker.type("wref", TypeKind::Weakref, {"pair"});
    maker.sig("sig", {"i64"}, {"i64", "f64"});
    maker.functionType("fref", TypeKind::Funcref, "sig");
  }

  /// A function with one block of these instructions; its parameter is %x : i64.
  void function(std::initializer_list<const char*> instructions) {
    maker.builder().newFunction(maker.id("f"), maker.id("sig"));
    maker.version("f.v", "f", {"f.v.entry"});
    maker.block("f.v.entry", {{"x", "i64"}}, instructions);
  }

  /// Links one instruction without results written, and gives the types it turned out to have.
  std::string resultsOf(Instruction* instruction) {
    function({"inst"});
    if (!maker.link()) return maker.messages();
    std::string out;
    for (const Result& result : instruction->results) out += (out.empty() ? "" : " ") + toString(result.type);
    return out;
  }

  Program program;
  BundleMaker maker;
};

TEST_F(LinkerTest, UndefinedIsReportedOnceWithAHint) {
  maker.type("uses", TypeKind::Struct, {"pare", "pare", "i64"});
  EXPECT_FALSE(maker.link());
  ASSERT_EQ(maker.diagnostics().errorTotal(), 1u) << maker.messages();
  const Diagnostic& error = maker.diagnostics().list()[0];
  EXPECT_EQ(error.id, ErrorId::LinkUndefined);
  EXPECT_EQ(error.message, "there is no type @pare");
  EXPECT_EQ(error.hint, "did you mean @pair?");
  EXPECT_EQ(error.subject, "@uses");
}

TEST_F(LinkerTest, WrongKindNamesBoth) {
  maker.type("uses", TypeKind::Ref, {"sig"});
  EXPECT_FALSE(maker.link());
  EXPECT_EQ(maker.diagnostics().list().at(0).message, "@sig is a signature; a type is needed here");
}

TEST_F(LinkerTest, MissingParts) {
  maker.builder().newGlobal(maker.id("g"), kNoId);
  EXPECT_FALSE(maker.link());
  EXPECT_TRUE(maker.reported(ErrorId::LinkMissing)) << maker.messages();
}

TEST_F(LinkerTest, DefinedTwice) {
  maker.builder().newType(maker.id("i64"), TypeKind::Float, 7);
  EXPECT_FALSE(maker.link());
  ASSERT_TRUE(maker.reported(ErrorId::LinkRedefined));
  EXPECT_EQ(maker.diagnostics().list()[0].notes.size(), 1u);
}

TEST_F(LinkerTest, LoadedAlready) {
  maker.builder().newType(program.idOf("@uvm.meta.bytes"), TypeKind::Float);
  EXPECT_FALSE(maker.link());
  EXPECT_TRUE(maker.reported(ErrorId::LinkLoadedAlready));
}

TEST_F(LinkerTest, NameTaken) {
  TypeDef* type = maker.builder().newType(maker.builder().fresh(), TypeKind::Float);
  maker.builder().setName(*type, "uvm.meta.bytes", false);
  TypeDef* other = maker.builder().newType(maker.builder().fresh(), TypeKind::Float);
  maker.builder().setName(*other, "@pair", false);
  EXPECT_FALSE(maker.link());
  EXPECT_EQ(maker.diagnostics().errorTotal(), 2u);
  EXPECT_TRUE(maker.reported(ErrorId::LinkNameTaken));
}

TEST_F(LinkerTest, TypesOfTopLevelValues) {
  Constant* constant = maker.integer("c", "i64", {5});
  GlobalCell* global = maker.builder().newGlobal(maker.id("g"), maker.id("pair"));
  Function* declared = maker.builder().newFunction(maker.id("d"), maker.id("sig"));
  ExposedFunction* exposed =
      maker.builder().newExposed(maker.id("e"), maker.id("d"), CallConv::Default, maker.id("c"));
  ASSERT_TRUE(maker.link()) << maker.messages();
  EXPECT_EQ(toString(constant->type), "int<64>");
  EXPECT_EQ(toString(global->type), "iref<struct<int<32> double>>");
  EXPECT_EQ(toString(declared->type), "funcref<(int<64>)->(int<64> double)>");
  EXPECT_EQ(toString(exposed->type), "ufuncptr<(int<64>)->(int<64> double)>");
}

TEST_F(LinkerTest, IntegerConstantsGetTheWidthOfTheirType) {
  maker.type("i65", TypeKind::Int, {}, 65);
  using Words = std::vector<std::uint64_t>;
  auto words = [](const Constant* constant) { return Words(constant->words.begin(), constant->words.end()); };
  Constant* narrow = maker.integer("narrow", "i32", {0xffff'ffff'ffff'fffe});
  Constant* negative = maker.integer("negative", "i128", {0xffff'ffff'ffff'fffe});
  Constant* positive = maker.integer("positive", "i128", {0xffff'ffff'ffff'fffe, 0});
  Constant* odd = maker.integer("odd", "i65", {~0ull, ~0ull, ~0ull});
  Constant* pointer = maker.integer("pointer", "pointerType", {7, 9});
  maker.type("pointerType", TypeKind::Uptr, {"i32"});
  ASSERT_TRUE(maker.link());
  EXPECT_EQ(words(narrow), (Words{0xffff'fffe}));
  EXPECT_EQ(words(negative), (Words{0xffff'ffff'ffff'fffe, ~0ull}));
  EXPECT_EQ(words(positive), (Words{0xffff'ffff'ffff'fffe, 0}));
  EXPECT_EQ(words(odd), (Words{~0ull, 1}));
  EXPECT_EQ(words(pointer), (Words{7}));
}

TEST_F(LinkerTest, DeclarationsMustAgree) {
  Builder& builder = maker.builder();
  maker.sig("other", {}, {});
  maker.sig("same", {"i64"}, {"i64", "f64"});
  auto use = [&](const char* name) { return SigUse{nullptr, maker.id(name), 0}; };
  builder.declareFunction(maker.id("f"), use("sig"));
  builder.declareFunction(maker.id("f"), use("same"));
  builder.declareFunction(maker.id("f"), use("other"));
  EXPECT_FALSE(maker.link());
  ASSERT_EQ(maker.diagnostics().errorTotal(), 1u) << maker.messages();
  EXPECT_TRUE(maker.reported(ErrorId::DeclarationMismatch));
}

TEST_F(LinkerTest, VersionsMustAgreeAndBeSingle) {
  function({"inst"});
  maker.sig("other", {}, {});
  maker.instruction("inst", Opcode::Ret);
  maker.version("f.w", "f", {})->signature.id = maker.id("other");
  EXPECT_FALSE(maker.link());
  EXPECT_TRUE(maker.reported(ErrorId::VersionTwice));
  EXPECT_TRUE(maker.reported(ErrorId::VersionSignature));
  EXPECT_EQ(maker.diagnostics().errorTotal(), 2u) << maker.messages();
}

TEST_F(LinkerTest, BlocksAndInstructionsHaveOnePlace) {
  function({"ret"});
  maker.instruction("ret", Opcode::Ret);
  maker.instruction("lost", Opcode::Ret);
  maker.block("lostBlock", {}, {});
  maker.builder().newFunction(maker.id("g"), maker.id("sig"));
  maker.version("g.v", "g", {"f.v.entry", "g.v.entry"});
  maker.block("g.v.entry", {}, {"ret"});
  EXPECT_FALSE(maker.link());
  for (ErrorId id : {ErrorId::InstructionUnplaced, ErrorId::BlockUnplaced, ErrorId::BlockPlacedTwice,
                     ErrorId::InstructionPlacedTwice})
    EXPECT_TRUE(maker.reported(id)) << errorInfo(id).name;
  // What is put nowhere is left out, with a warning.
  EXPECT_EQ(maker.diagnostics().errorTotal(), 2u) << maker.messages();
}

TEST_F(LinkerTest, WhatIsPutNowhereNeedNotBeRight) {
  function({"ret"});
  maker.instruction("ret", Opcode::Ret, {}, {"x"});
  maker.instruction("lost", Opcode::BinOp, {"nothing"}, {"nowhere"}, {"z"});
  maker.instruction("inLost", Opcode::Ret, {}, {"nowhere"});
  maker.block("lostBlock", {}, {"inLost", "neither"});
  EXPECT_TRUE(maker.link()) << maker.messages();
  EXPECT_EQ(maker.diagnostics().list().size(), 2u) << maker.messages();
}

TEST_F(LinkerTest, WhatIsPutNowhereHasNoValue) {
  function({"ret"});
  maker.instruction("ret", Opcode::Ret, {}, {"z"});
  maker.instruction("lost", Opcode::BinOp, {"i64"}, {"x", "x"}, {"z"});
  EXPECT_FALSE(maker.link());
  EXPECT_TRUE(maker.reported(ErrorId::LinkLeftOut)) << maker.messages();
}

TEST_F(LinkerTest, PlacesAreFilledIn) {
  function({"inst", "ret"});
  Instruction* inst = maker.instruction("inst", Opcode::BinOp, {"i64"}, {"x", "x"}, {"y"});
  inst->operation = static_cast<std::uint8_t>(BinOperator::Add);
  Instruction* ret = maker.instruction("ret", Opcode::Ret, {}, {"y"});
  ASSERT_TRUE(maker.link()) << maker.messages();
  const FunctionVersion& version = *maker.builder().bundle().versions[0];
  EXPECT_EQ(version.bundle, &maker.builder().bundle());
  EXPECT_EQ(version.instructionCount, 2u);
  EXPECT_EQ(version.entry()->version, &version);
  EXPECT_EQ(ret->block, version.entry());
  EXPECT_EQ(ret->operands[0].target, &inst->results[0]);
  EXPECT_EQ(inst->operands[0]->type, program.types().intType(64));
  EXPECT_EQ(version.entry()->parameters[0].block, version.entry());
}

TEST_F(LinkerTest, ClausesMoveIntoTheInstruction) {
  Builder& builder = maker.builder();
  function({"inst"});
  maker.type("stackref", TypeKind::Stackref);
  Instruction* inst = maker.instruction("inst", Opcode::SwapStack, {}, {"s"}, {"r"});
  maker.builder().newFunction(maker.id("g"), maker.id("sig"));
  maker.integer("s", "i64", {0});  // operand types are the verifier's
  inst->pending = builder.arena().make<PendingClauses>();
  inst->pending->exc.id = maker.id("exc");
  inst->pending->keepalive.id = maker.id("keep");
  inst->pending->curStack.id = maker.id("cur");
  inst->pending->newStack.id = maker.id("new");
  ExcClause* exc = builder.newExcClause(maker.id("exc"));
  exc->normal.id = maker.id("nor");
  exc->exceptional.id = maker.id("ex");
  Dest* normal = builder.newDest(maker.id("nor"));
  normal->block.id = maker.id("f.v.entry");
  Dest* exceptional = builder.newDest(maker.id("ex"));
  exceptional->block.id = maker.id("f.v.entry");
  builder.newKeepaliveClause(maker.id("keep"))->values =
      builder.uses<Value>(std::span<const Id>(maker.ids({"x"})));
  builder.newCurStackClause(maker.id("cur"))->types =
      builder.uses<TypeDef>(std::span<const Id>(maker.ids({"f64"})));
  NewStackClause* next = builder.newNewStackClause(maker.id("new"));
  next->types = builder.uses<TypeDef>(std::span<const Id>(maker.ids({"i64"})));
  next->values = builder.uses<Value>(std::span<const Id>(maker.ids({"x"})));
  ASSERT_TRUE(maker.link()) << maker.messages();
  EXPECT_TRUE(inst->hasExc);
  EXPECT_EQ(inst->normalDest(), normal);
  EXPECT_EQ(inst->exceptionalDest(), exceptional);
  EXPECT_EQ(inst->keepalives.size(), 1u);
  auto swap = as<SwapStack>(*inst);
  EXPECT_EQ(swap.returnTypes().size(), 1u);
  EXPECT_EQ(swap.passTypes().size(), 1u);
  EXPECT_EQ(swap.values().size(), 1u);
  EXPECT_EQ(toString(inst->results[0].type), "double");
}

TEST_F(LinkerTest, ResultCountMustFit) {
  function({"inst"});
  Instruction* inst = maker.instruction("inst", Opcode::Call, {}, {"f", "x"}, {"only"});
  inst->sigs = maker.builder().uses<SignatureDef>(std::span<const Id>(maker.ids({"sig"})));
  EXPECT_FALSE(maker.link());
  ASSERT_TRUE(maker.reported(ErrorId::ResultCount));
  EXPECT_EQ(maker.diagnostics().list()[0].message, "CALL gives 2 results; 1 is named here");
}

TEST_F(LinkerTest, ReferenceTypeOfGetIrefIsAccepted) {
  function({"new", "inst"});
  maker.instruction("new", Opcode::New, {"pair"}, {}, {"object"});
  maker.alias("refAlias", "ref");
  Instruction* inst = maker.instruction("inst", Opcode::GetIref, {"refAlias"}, {"object"}, {"where"});
  ASSERT_TRUE(maker.link()) << maker.messages();
  EXPECT_EQ(toString(inst->type()), "struct<int<32> double>");
  EXPECT_EQ(toString(inst->results[0].type), "iref<struct<int<32> double>>");
}

TEST_F(LinkerTest, ResultsOfBinOpWithStatus) {
  Instruction* inst = maker.instruction("inst", Opcode::BinOp, {"i32"}, {"x", "x"});
  inst->operation = static_cast<std::uint8_t>(BinOperator::Add);
  inst->status = static_cast<std::uint8_t>(StatusFlag::Z) | static_cast<std::uint8_t>(StatusFlag::V);
  EXPECT_EQ(resultsOf(inst), "int<32> int<1> int<1>");
}

TEST_F(LinkerTest, ResultsOfVectorComparison) {
  EXPECT_EQ(resultsOf(maker.instruction("inst", Opcode::Cmp, {"four"}, {"x", "x"})), "vector<int<1> 4>");
}

TEST_F(LinkerTest, ResultsOfConversion) {
  EXPECT_EQ(resultsOf(maker.instruction("inst", Opcode::Conv, {"i32", "i64"}, {"x"})), "int<64>");
}

TEST_F(LinkerTest, ResultsOfCall) {
  Instruction* inst = maker.instruction("inst", Opcode::Call, {}, {"f", "x"});
  inst->sigs = maker.builder().uses<SignatureDef>(std::span<const Id>(maker.ids({"sig"})));
  EXPECT_EQ(resultsOf(inst), "int<64> double");
}

TEST_F(LinkerTest, ResultsOfFieldAddress) {
  Instruction* inst = maker.instruction("inst", Opcode::GetFieldIref, {"pair"}, {"x"});
  inst->immediate = 1;
  EXPECT_EQ(resultsOf(inst), "iref<double>");
}

TEST_F(LinkerTest, ResultsOfFieldAddressInHybridByPointer) {
  Instruction* inst = maker.instruction("inst", Opcode::GetFieldIref, {"text"}, {"x"});
  inst->isPtr = true;
  EXPECT_EQ(resultsOf(inst), "uptr<int<64>>");
}

TEST_F(LinkerTest, VariablePartIsNoField) {
  Instruction* inst = maker.instruction("inst", Opcode::GetFieldIref, {"text"}, {"x"});
  inst->immediate = 1;
  resultsOf(inst);
  EXPECT_TRUE(maker.reported(ErrorId::FieldIndex)) << maker.messages();
}

TEST_F(LinkerTest, ResultsOfVariablePart) {
  EXPECT_EQ(resultsOf(maker.instruction("inst", Opcode::GetVarPartIref, {"text"}, {"x"})), "iref<int<32>>");
}

TEST_F(LinkerTest, ResultsOfLoadAreStrong) {
  EXPECT_EQ(resultsOf(maker.instruction("inst", Opcode::Load, {"wref"}, {"x"})),
            "ref<struct<int<32> double>>");
}

TEST_F(LinkerTest, ResultsOfCompareExchange) {
  EXPECT_EQ(resultsOf(maker.instruction("inst", Opcode::CmpXchg, {"i64"}, {"x", "x", "x"})),
            "int<64> int<1>");
}

TEST_F(LinkerTest, ResultsOfShuffle) {
  maker.type("eight", TypeKind::Vector, {"i64"}, 8);
  EXPECT_EQ(resultsOf(maker.instruction("inst", Opcode::ShuffleVector, {"four", "eight"}, {"x", "x", "x"})),
            "vector<int<32> 8>");
}

TEST_F(LinkerTest, WrongTypeOfAggregate) {
  resultsOf(maker.instruction("inst", Opcode::ExtractValue, {"four"}, {"x"}));
  EXPECT_TRUE(maker.reported(ErrorId::NotOfKind)) << maker.messages();
}

TEST_F(LinkerTest, TooFewTypes) {
  Instruction* inst = maker.instruction("inst", Opcode::Conv, {"i64"}, {"x"});
  inst->operation = static_cast<std::uint8_t>(ConvOperator::Trunc);
  resultsOf(inst);
  ASSERT_TRUE(maker.reported(ErrorId::InstructionParts));
  EXPECT_EQ(maker.diagnostics().list()[0].message, "TRUNC takes 2 types and 0 signatures; here are 1 and 0");
}

TEST_F(LinkerTest, ResultsOfPinning) {
  Instruction* inst = maker.instruction("inst", Opcode::CommInst, {"iref"}, {"x"});
  inst->common = CommonInst::UvmNativePin;
  EXPECT_EQ(resultsOf(inst), "uptr<struct<int<32> double>>");
}

TEST_F(LinkerTest, PinningNeedsAReference) {
  Instruction* inst = maker.instruction("inst", Opcode::CommInst, {"i64"}, {"x"});
  inst->common = CommonInst::UvmNativePin;
  resultsOf(inst);
  EXPECT_TRUE(maker.reported(ErrorId::NotOfKind)) << maker.messages();
}

TEST_F(LinkerTest, PatternsOfCommonInstructions) {
  Instruction* inst = maker.instruction("inst", Opcode::CommInst, {"ref"}, {});
  inst->common = CommonInst::UvmNativePin;
  inst->sigs = maker.builder().uses<SignatureDef>(std::span<const Id>(maker.ids({"sig"})));
  resultsOf(inst);  // one signature too many, so there are no results; types are linked
  EXPECT_TRUE(maker.reported(ErrorId::InstructionParts));
  auto pattern = [&](std::string_view text) -> std::string {
    const Type* type = resolvePattern(program.types(), program, *inst, text);
    return type ? toString(type) : "null";
  };
  EXPECT_EQ(pattern("T0"), "ref<struct<int<32> double>>");
  EXPECT_EQ(pattern("pointer(T0)"), "uptr<struct<int<32> double>>");
  EXPECT_EQ(pattern("iref<T0>"), "iref<ref<struct<int<32> double>>>");
  EXPECT_EQ(pattern("funcref<S0>"), "funcref<(int<64>)->(int<64> double)>");
  EXPECT_EQ(pattern("funcref<@uvm.meta.trap_handler.sig>"), "funcref<(stackref int<32> ref<void>)->()>");
  EXPECT_EQ(pattern("@uvm.meta.bytes.r"), "ref<hybrid<int<64> int<8>>>");
  EXPECT_EQ(pattern("int<52>"), "int<52>");
  EXPECT_EQ(pattern("ref<*>"), "null");
}

TEST(CommonInstructions, EveryResultPatternStandsForAType) {
  Program program;
  BundleMaker maker(program);
  maker.type("ref", TypeKind::Ref, {"object"});
  maker.type("object", TypeKind::Void);
  maker.sig("sig", {}, {});
  Instruction* inst = maker.instruction("inst", Opcode::CommInst, {"ref"});
  inst->sigs = maker.builder().uses<SignatureDef>(std::span<const Id>(maker.ids({"sig"})));
  maker.builder().newFunction(maker.id("f"), maker.id("sig"));
  maker.version("v", "f", {"b"});
  maker.block("b", {}, {"inst"});
  maker.link();
  for (std::uint32_t id = 0; id < 0x400; ++id) {
    const CommonInstInfo* row = commonInst(id);
    if (!row || row->results.empty()) continue;
    EXPECT_NE(resolvePattern(program.types(), program, *inst, row->results), nullptr) << row->text;
  }
}

}  // namespace
}  // namespace gaur::ir::test
