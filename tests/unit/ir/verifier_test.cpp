// The verifier: every case of tests/conformance/verify gives exactly its errors, what real programs do
// against the letter is accepted, and what only the builder API can get wrong is found there, with the entity
// named.
#include "vm/ir/verifier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/unit/ir/bundle_maker.h"
#include "vm/ir/parser.h"

namespace gaur::ir {
namespace {

namespace fs = std::filesystem;
using test::BundleMaker;

struct Loaded {
  Diagnostics diagnostics{50};
  bool accepted = false;
};

void load(std::string_view text, Loaded& out) {
  Program program;
  Builder builder(program, "test.uir");
  parse({"test.uir", text}, builder, out.diagnostics);
  if (out.diagnostics.failed()) return;
  out.accepted = builder.finish(out.diagnostics) != nullptr;
}

std::string readFile(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<fs::path> rejectionCases() {
  std::vector<fs::path> cases;
  for (const auto& entry : fs::directory_iterator(fs::path(GAUR_SOURCE_DIR) / "tests/conformance/verify"))
    if (entry.path().extension() == ".uir") cases.push_back(entry.path());
  std::sort(cases.begin(), cases.end());
  return cases;
}

std::multiset<std::string> expectedErrors(const std::string& text) {
  std::multiset<std::string> expected;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    for (std::string_view word : {"// error: ", "// warning: "})
      if (line.starts_with(word)) expected.insert(line.substr(3));
  return expected;
}

TEST(VerifierTest, EveryRejectionCaseGivesExactlyItsErrors) {
  std::vector<fs::path> cases = rejectionCases();
  ASSERT_GE(cases.size(), 150u);
  for (const fs::path& path : cases) {
    SCOPED_TRACE(path.filename().string());
    std::string text = readFile(path);
    Loaded loaded;
    load(text, loaded);
    std::multiset<std::string> found;
    for (const Diagnostic& diagnostic : loaded.diagnostics.list()) {
      LineColumn at = lineColumn(text, diagnostic.pos);
      std::string severity = diagnostic.severity == Severity::Error ? "error: " : "warning: ";
      found.insert(severity + std::string(errorInfo(diagnostic.id).code) + " " + std::to_string(at.line) +
                   ":" + std::to_string(at.column));
    }
    std::multiset<std::string> expected = expectedErrors(text);
    EXPECT_FALSE(expected.empty());
    EXPECT_EQ(found, expected);
  }
}

// --- Real programs against the letter ------------------------------------------------------------

constexpr std::string_view kLenient = R"(
.typedef @i1 = int<1>
.typedef @i8 = int<8>
.typedef @i32 = int<32>
.typedef @i64 = int<64>
.typedef @void = void
.typedef @obj = struct<@i64 @i32>
.typedef @ref_obj = ref<@obj>
.typedef @ref_i64 = ref<@i64>
.typedef @ref_void = ref<@void>
.typedef @iref_i1 = iref<@i1>
.typedef @iref_i64 = iref<@i64>
.typedef @chars = hybrid<@i8>
.typedef @ptr_chars = uptr<@chars>
.typedef @ptr_i64 = uptr<@i64>
.typedef @weak = weakref<@i64>
.typedef @cell = struct<@i64 @weak>
.typedef @ref_cell = ref<@cell>
.const @i32_3 <@i32> = 3
.const @i64_0 <@i64> = 0
.const @i64_m1 <@i64> = -1
.const @i8_300 <@i8> = 300
.const @null_void <@ref_void> = NULL
.const @null_obj <@ref_obj> = NULL
.const @ptr_0 <@ptr_i64> = 0
.funcsig @take_ptr = (@ptr_chars) -> (@ptr_i64)
.funcsig @take_obj = (@ref_obj @ptr_i64 @i64 @iref_i1) -> (@ptr_chars)
.typedef @native = ufuncptr<@take_ptr>
.const @strdup <@native> = EXTERN "strdup"
.global @nothing <@void>
.global @kept <@weak>
.funcdecl @callee <@take_ptr>
.funcdef @f VERSION %v <@take_obj> {
  %entry(<@ref_obj> %o <@ptr_i64> %p <@i64> %n <@iref_i1> %flag):
BODY
  %done(<@ptr_chars> %result):
    RET (%result)
}
)";

struct Leniency {
  const char* what;
  const char* body;
};
constexpr Leniency kLeniencies[] = {
    {"NULL of another reference type in a comparison",
     "%x = EQ <@ref_obj> %o @null_void\n %y = NE <@ref_void> @null_void @null_obj"},
    {"both operands of a comparison constant", "%x = EQ <@i32> @i32_3 @i32_3"},
    {"a uptr of another type as an argument", "%x = CALL <@take_ptr> @callee (%p)"},
    {"a uptr of another type as a native argument", "%x = CCALL #DEFAULT <@native @take_ptr> @strdup (%p)"},
    {"a uptr of another type in a comparison",
     "%q = PTRCAST <@i64 @ptr_chars> %n\n %x = EQ <@ptr_i64> %q @ptr_0"},
    {"a uptr of another type through PTR", "%q = PTRCAST <@i64 @ptr_chars> %n\n %x = LOAD PTR <@i64> %q"},
    {"conversions of equal width",
     "%x = TRUNC <@i64 @i64> %n\n %y = ZEXT <@i64 @i64> %n\n %z = SEXT <@i64 @i64> %n"},
    {"REFCAST that names another reference type", "%x = REFCAST <@ref_i64 @ref_void> %o"},
    {"set_threadlocal of any ref", "COMMINST @uvm.set_threadlocal (%o)"},
    {"GETIREF with the type of the reference", "%x = GETIREF <@ref_obj> %o\n %y = GETFIELDIREF <@obj 0> %x"},
    {"a length of another width", "%x = NEWHYBRID <@chars @i64> @i32_3"},
    {"a LOAD of another width", "%x = LOAD <@i64> %flag"},
    {"a literal too wide for its type", "%x = ADD <@i8> @i8_300 @i8_300"},
    {"loads and stores of weakrefs",
     "%x = NEW <@cell>\n %y = GETIREF <@cell> %x\n %z = GETFIELDIREF <@cell 1> %y\n"
     "%r = LOAD <@weak> %z\n STORE SEQ_CST <@weak> %z %r"},
    {"NEW of void", "%x = NEW <@void>"},
    {"COMMINST without parentheses", "%x = COMMINST @uvm.get_threadlocal"},
};

TEST(VerifierTest, AcceptsWhatRealProgramsDo) {
  for (const Leniency& leniency : kLeniencies) {
    SCOPED_TRACE(leniency.what);
    std::string text(kLenient);
    text.replace(text.find("BODY"), 4, std::string(leniency.body) + "\n BRANCH %done(%p)");
    Loaded loaded;
    load(text, loaded);
    EXPECT_TRUE(loaded.accepted) << render(loaded.diagnostics, {"test.uir", text});
  }
}

TEST(VerifierTest, WarnsOfAHabitATimeOrTwentyOnly) {
  std::string text(kLenient), body;
  for (int i = 0; i < 100; ++i) body += "%x" + std::to_string(i) + " = LOAD <@i64> %flag\n";
  text.replace(text.find("BODY"), 4, body + " BRANCH %done(%p)");
  Loaded loaded;
  load(text, loaded);
  EXPECT_TRUE(loaded.accepted);
  EXPECT_EQ(loaded.diagnostics.list().size(), 20u);
}

TEST(VerifierTest, ABlockThatNothingReachesIsVerifiedAndFine) {
  std::string text(kLenient);
  text.replace(text.find("BODY"), 4,
               "BRANCH %done(%p)\n %dead(<@i64> %x):\n %y = ADD <@i64> %x %x\n BRANCH %dead(%y)");
  Loaded loaded;
  load(text, loaded);
  EXPECT_TRUE(loaded.accepted) << render(loaded.diagnostics, {"test.uir", text});
}

// --- What only the builder API can do ------------------------------------------------------------

/// A bundle with `f`: (i64) -> (), whose entry block holds the instructions named; `ret` is defined.
class BuilderVerifierTest : public ::testing::Test {
 protected:
  BuilderVerifierTest() {
    maker_.type("i64", TypeKind::Int, {}, 64);
    maker_.sig("sig", {"i64"}, {});
    maker_.builder().newFunction(maker_.id("f"), maker_.id("sig"));
    maker_.version("v", "f", {"entry"});
    maker_.instruction("ret", Opcode::Ret);
  }

  void entry(std::initializer_list<const char*> instructions) {
    maker_.block("entry", {{"x", "i64"}}, instructions);
  }
  Diagnostic only(ErrorId wanted) {
    Diagnostics diagnostics;
    EXPECT_EQ(maker_.builder().finish(diagnostics), nullptr);
    EXPECT_EQ(diagnostics.errorTotal(), 1u) << render(diagnostics, {"test", ""});
    if (diagnostics.list().empty()) return {};
    const Diagnostic& first = diagnostics.list()[0];
    EXPECT_EQ(errorInfo(first.id).name, errorInfo(wanted).name) << first.message;
    EXPECT_EQ(first.pos, 0u);
    return first;
  }
  PendingClauses* clauses(Instruction* instruction) {
    return instruction->pending = maker_.builder().arena().make<PendingClauses>();
  }

  Program program_;
  BundleMaker maker_{program_};
};

TEST_F(BuilderVerifierTest, NamesTheEntityWhereThereIsNoText) {
  maker_.type("double", TypeKind::Double);
  maker_.instruction("add", Opcode::BinOp, {"double"}, {"x", "x"}, {"sum"})->operation =
      static_cast<std::uint8_t>(BinOperator::Add);
  entry({"add", "ret"});
  EXPECT_EQ(only(ErrorId::VerifyBinOpInt).subject, "@add in @entry of @f");
}

TEST_F(BuilderVerifierTest, RejectsAVersionWithoutBlocks) {
  entry({"ret"});
  maker_.builder().newFunction(maker_.id("g"), maker_.id("sig"));
  maker_.version("w", "g", {});
  only(ErrorId::VerifyVersionEmpty);
}

TEST_F(BuilderVerifierTest, RejectsABlockWithoutInstructions) {
  maker_.version("w", "g", {"other"});
  maker_.builder().newFunction(maker_.id("g"), maker_.id("sig"));
  maker_.block("other", {{"y", "i64"}}, {});
  entry({"ret"});
  only(ErrorId::VerifyBlockEmpty);
}

TEST_F(BuilderVerifierTest, RejectsAnEmptySymbol) {
  entry({"ret"});
  maker_.type("pointer", TypeKind::Uptr, {"i64"});
  maker_.builder().newConstant(maker_.id("c"), ConstantKind::Extern, maker_.id("pointer"));
  only(ErrorId::VerifyExternEmpty);
}

TEST_F(BuilderVerifierTest, RejectsASymbolWithABlank) {
  entry({"ret"});
  maker_.type("pointer", TypeKind::Uptr, {"i64"});
  maker_.builder().newConstant(maker_.id("c"), ConstantKind::Extern, maker_.id("pointer"))->symbol = "a b";
  only(ErrorId::VerifyExternCharacter);
}

TEST_F(BuilderVerifierTest, RejectsExcOnAnInstructionThatCannotFail) {
  Instruction* select = maker_.instruction("cmp", Opcode::Cmp, {"i64"}, {"x", "x"}, {"equal"});
  select->operation = static_cast<std::uint8_t>(CmpOperator::Eq);
  ExcClause* exc = maker_.builder().newExcClause(maker_.id("exc"));
  for (auto* dest : {&exc->normal, &exc->exceptional}) {
    dest->target = maker_.builder().newDest(kNoId);
    dest->target->block.id = maker_.id("next");
  }
  clauses(select)->exc.id = maker_.id("exc");
  maker_.builder().newFunction(maker_.id("g"), maker_.id("sig"));
  maker_.version("w", "g", {"first", "next"});
  maker_.block("first", {{"y", "i64"}}, {"cmp"});
  select->operands = maker_.builder().uses<Value>(std::span<const Id>(maker_.ids({"y", "y"})));
  maker_.block("next", {}, {"ret2"});
  maker_.instruction("ret2", Opcode::Ret);
  entry({"ret"});
  only(ErrorId::VerifyExc);
}

TEST_F(BuilderVerifierTest, RejectsKeepaliveWhereNoFrameWaits) {
  Instruction* fence = maker_.instruction("fence", Opcode::Fence);
  fence->order = MemoryOrder::SeqCst;
  KeepaliveClause* keepalive = maker_.builder().newKeepaliveClause(maker_.id("keepalive"));
  keepalive->values = maker_.builder().uses<Value>(std::span<const Id>(maker_.ids({"x"})));
  clauses(fence)->keepalive.id = maker_.id("keepalive");
  entry({"fence", "ret"});
  only(ErrorId::VerifyKeepalive);
}

TEST_F(BuilderVerifierTest, RejectsPtrWhereThereIsNoSuchForm) {
  Instruction* fence = maker_.instruction("fence", Opcode::Fence);
  fence->order = MemoryOrder::SeqCst;
  fence->isPtr = true;
  entry({"fence", "ret"});
  only(ErrorId::VerifyPtr);
}

TEST_F(BuilderVerifierTest, RejectsUnknownStatusFlags) {
  Instruction* add = maker_.instruction("add", Opcode::BinOp, {"i64"}, {"x", "x"}, {"sum"});
  add->operation = static_cast<std::uint8_t>(BinOperator::Add);
  add->status = 16;
  entry({"add", "ret"});
  only(ErrorId::VerifyStatusUnknown);
}

TEST_F(BuilderVerifierTest, RejectsWrongNumbersOfParts) {
  maker_.instruction("fence", Opcode::Fence, {"i64"})->order = MemoryOrder::SeqCst;
  entry({"fence", "ret"});
  only(ErrorId::VerifyTypeCount);
}

TEST_F(BuilderVerifierTest, RejectsWrongNumbersOfSignatures) {
  Instruction* fence = maker_.instruction("fence", Opcode::Fence);
  fence->order = MemoryOrder::SeqCst;
  fence->sigs = maker_.builder().uses<SignatureDef>(std::span<const Id>(maker_.ids({"sig"})));
  entry({"fence", "ret"});
  only(ErrorId::VerifySignatureCount);
}

TEST_F(BuilderVerifierTest, RejectsWrongNumbersOfOperands) {
  maker_.instruction("throw", Opcode::Throw);
  entry({"throw"});
  maker_.builder().newFunction(maker_.id("g"), maker_.id("sig"));
  maker_.version("w", "g", {"other"});
  maker_.block("other", {{"y", "i64"}}, {"ret"});
  only(ErrorId::VerifyOperandCount);
}

TEST_F(BuilderVerifierTest, RejectsWrongNumbersOfDestinations) {
  maker_.instruction("branch", Opcode::Branch);
  entry({"branch"});
  maker_.builder().newFunction(maker_.id("g"), maker_.id("sig"));
  maker_.version("w", "g", {"other"});
  maker_.block("other", {{"y", "i64"}}, {"ret"});
  only(ErrorId::VerifyDestinationCount);
}

/// Rules that text cannot break, tested above; every other rule has a case in tests/conformance/verify.
constexpr ErrorId kBuilderOnly[] = {
    ErrorId::VerifyVersionEmpty, ErrorId::VerifyBlockEmpty,
    ErrorId::VerifyExternEmpty,  ErrorId::VerifyExternCharacter,
    ErrorId::VerifyExc,          ErrorId::VerifyKeepalive,
    ErrorId::VerifyPtr,          ErrorId::VerifyStatusUnknown,
    ErrorId::VerifyTypeCount,    ErrorId::VerifySignatureCount,
    ErrorId::VerifyOperandCount, ErrorId::VerifyDestinationCount,
};

TEST(VerifierTest, EveryRuleHasATest) {
  std::set<std::string> tested;
  for (ErrorId id : kBuilderOnly) tested.insert(std::string(errorInfo(id).code));
  for (const fs::path& path : rejectionCases())
    for (const std::string& line : expectedErrors(readFile(path)))
      tested.insert(line.substr(line.find(": ") + 2, 5));
  std::set<std::string_view> codes;
  std::size_t rules = 0;
  for (std::size_t i = 0; i < errorCount(); ++i) {
    const ErrorInfo row = errorInfo(static_cast<ErrorId>(i));
    EXPECT_TRUE(codes.insert(row.code).second) << row.code << " stands twice";
    if (!row.code.starts_with("V")) continue;
    ++rules;
    EXPECT_TRUE(tested.contains(std::string(row.code))) << row.code << " " << row.name << " has no case";
  }
  EXPECT_GE(rules, 110u);
}

}  // namespace
}  // namespace gaur::ir
