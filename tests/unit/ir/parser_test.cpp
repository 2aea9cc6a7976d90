// What the parser builds from both dialects, how it recovers, and that nothing makes it crash.
#include <random>

#include "tests/unit/ir/text_loader.h"
#include "vm/ir/formatter.h"
#include "vm/ir/printer.h"

namespace gaur::ir::test {
namespace {

constexpr std::string_view kHead =
    ".typedef @i64 = int<64>\n"
    ".funcsig @s = (@i64) -> (@i64)\n"
    ".const @one <@i64> = 1\n";

std::string inBody(std::string_view instructions) {
  return std::string(kHead) + ".funcdef @f VERSION %v <@s> {\n%e(<@i64> %x):\n" + std::string(instructions) +
         "\n}\n";
}

TEST(Parser, BothDialectsGiveTheSame) {
  Loaded spec = load(
      ".typedef @i64 = int<64>\n.typedef @pi = iref<@i64>\n.funcsig @s = (@i64 @pi) -> (@i64)\n.const @c "
      "<@i64> = 42\n"
      ".funcdef @f VERSION %v <@s> {\n  %entry(<@i64> %x <@pi> %p):\n    %y = ADD <@i64> %x @c\n    STORE "
      "<@i64> %p %y\n"
      "    RET (%y)\n}\n");
  Loaded muc = load(
      ".funcdef f <(int<64> iref<int<64>>)->(int<64>)> VERSION v {\nentry(<int<64>> x <iref<int<64>>>p):\n"
      "y = ADD <int<64>> x <int<64>>42 /* inline */ STORE <int<64>> p y RET y }");
  ASSERT_TRUE(spec.bundle) << spec.errors();
  ASSERT_TRUE(muc.bundle) << muc.errors();
  auto* a = spec.entity<FunctionVersion>("f.v");
  auto* b = muc.entity<FunctionVersion>("@f.v");
  ASSERT_TRUE(a && b);
  ASSERT_EQ(a->instructionCount, b->instructionCount);
  for (std::size_t i = 0; i < a->entry()->instructions.size(); ++i) {
    const Instruction& x = *a->entry()->instructions[i];
    const Instruction& y = *b->entry()->instructions[i];
    EXPECT_EQ(x.opcode, y.opcode);
    EXPECT_EQ(x.operands.size(), y.operands.size());
  }
  EXPECT_EQ(toString(spec.entity<Function>("f")->type), toString(muc.entity<Function>("f")->type));
}

TEST(Parser, InlineFormsAreInterned) {
  Loaded loaded = load(
      ".funcdef f <(int<64>)->(int<64>)> { e(<int<64>> x): a = ADD <int<64>> x <int<64>> 7 b = ADD <int<64>> "
      "a <int<64>> 7 RET b }");
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  EXPECT_EQ(loaded.bundle->types.size(), 1u);
  EXPECT_EQ(loaded.bundle->signatures.size(), 1u);
  EXPECT_EQ(loaded.bundle->constants.size(), 1u);
}

TEST(Parser, PositionsOfEntitiesAndUses) {
  Loaded loaded = load(inBody("  %y = [%name] ADD <@i64> %x @one\n  ADD <@i64> %x %y\n  RET (%y)"));
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  const BasicBlock& block = *loaded.entity<FunctionVersion>("f.v")->entry();
  auto textAt = [&](SourcePos pos, std::size_t length) { return loaded.text.substr(pos - 1, length); };
  const Instruction& named = *block.instructions[0];
  EXPECT_EQ(textAt(named.pos, 5), "%name");
  EXPECT_EQ(textAt(named.results[0].pos, 2), "%y");
  EXPECT_EQ(textAt(named.types[0].pos, 4), "@i64");
  EXPECT_EQ(textAt(named.operands[1].pos, 4), "@one");
  EXPECT_EQ(textAt(block.instructions[1]->pos, 3), "ADD");
  EXPECT_EQ(loaded.program->nameOf(named.id), "@f.v.e.name");
}

TEST(Parser, NamesOfLocalsAreFullNames) {
  Loaded loaded =
      load(inBody("  %y = ADD <@i64> %x @one\n  @global.z = ADD <@i64> %y @one\n  RET (@global.z)"));
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  EXPECT_TRUE(loaded.entity<Parameter>("@f.v.e.x"));
  EXPECT_TRUE(loaded.entity<Result>("@f.v.e.y"));
  EXPECT_TRUE(loaded.entity<Result>("@global.z"));
  EXPECT_TRUE(loaded.entity<BasicBlock>("f.v.e"));
}

TEST(Parser, ResultsAreVisibleInTheDestinationsOfTheirInstruction) {
  Loaded loaded =
      load(inBody("  %r = CALL <@s> @f (%x) EXC(%ok(%r) %bad())\n%ok(<@i64> %r):\n  RET (%r)\n%bad() "
                  "[%exc]:\n  THROW %exc"));
  EXPECT_TRUE(loaded.bundle) << loaded.errors();
}

TEST(Parser, RedefinitionWarnsAndTheLastOneCounts) {
  Loaded loaded = load(inBody("  %x = ADD <@i64> %x @one\n  RET (%x)"));
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  EXPECT_EQ(loaded.codes(), "P0801@6:3");
  const BasicBlock& block = *loaded.entity<FunctionVersion>("f.v")->entry();
  EXPECT_EQ(block.instructions[0]->operands[0].target, &block.parameters[0]);
  EXPECT_EQ(block.instructions[1]->operands[0].target, &block.instructions[0]->results[0]);
}

TEST(Parser, RetForms) {
  for (std::string_view ret : {"RET (%x)", "RET %x", "RET(%x)"}) EXPECT_TRUE(load(inBody(ret)).bundle) << ret;
  for (std::string_view ret : {"RET", "RET ()"}) {
    Loaded loaded = load(".funcdef f <()->()> { a(): BRANCH b() b(): " + std::string(ret) +
                         " c(): RET d(): " + std::string(ret) + " }");
    EXPECT_TRUE(loaded.bundle) << loaded.errors();
    EXPECT_EQ(loaded.entity<Function>("f")->current.load()->blocks.size(), 4u);
  }
}

TEST(Parser, CommInstWithoutParenthesesBeforeAResultList) {
  Loaded loaded =
      load(inBody("  %s = COMMINST @uvm.current_stack\n  %p = ALLOCA <@i64>\n  COMMINST uvm.kill_stack "
                  "(%s)\n  %t = COMMINST uvm.current_stack\n"
                  "  (%a %b) = CMPXCHG SEQ_CST SEQ_CST <@i64> %p %x @one\n  RET (%a)"));
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  EXPECT_EQ(loaded.entity<FunctionVersion>("f.v")->instructionCount, 6u);
}

TEST(Parser, VersionAnywhereOrAbsent) {
  for (std::string_view head :
       {".funcdef f VERSION %v <()->()> {", ".funcdef f <()->()> VERSION %v {", ".funcdef f <()->()> {"}) {
    EXPECT_TRUE(load(std::string(head) + " e(): RET }").bundle) << head;
  }
}

TEST(Parser, DialectWarningsOnlyOnRequest) {
  std::string text = ".funcdef f <()->()> { e(): x = ADD [#V] <int<8>> <int<8>> 1 <int<8>> 2 RET }";
  EXPECT_EQ(parseCodes(text), "");
  std::string codes = parseCodes(text, {.warnAboutDialect = true});
  EXPECT_EQ(std::count(codes.begin(), codes.end(), 'P'), 7) << codes;
}

TEST(Parser, OneErrorAStatementAndOnWithTheNext) {
  EXPECT_EQ(parseCodes(inBody(
                "  %a = ADD %x %x\n  %b = ADD <@i64> %x %q\n  %c = ADD <@i64> %a %b\n  FROB\n  RET (%nope)")),
            "P0607@6:12 P0511@7:22 P0601@9:3 P0511@10:8");
  EXPECT_EQ(parseCodes(".typedef @a = \n.const @b = 3\n.global @c <@a> junk\n.funcsig @d = () -> "
                       "()\n.bad\n.typedef = int<8>"),
            "P0301@2:1 P0208@2:11 P0201@3:17 P0202@5:1 P0205@6:10");
}

TEST(Parser, RecoveryInsideASwitch) {
  EXPECT_EQ(parseCodes(inBody("  SWITCH <@i64> %x %e(%x) {\n    @one %e(%x)\n    3 %e(%x)\n    @one %e(%x)\n "
                              " }\n%z():\n  RET (%nope)")),
            "P0414@8:5 P0511@12:8");
}

TEST(Parser, UndefinedNamesOnceABlockWithHints) {
  Loaded loaded =
      load(inBody("  %value = ADD <@i64> %x @one\n  RET (%valeu %valeu)\n%next():\n  BRANCH %nxet()"));
  EXPECT_EQ(loaded.codes(), "P0511@7:8 P0514@9:10");
  EXPECT_EQ(loaded.diagnostics.list()[0].hint, "did you mean '%value'?");
  EXPECT_EQ(loaded.diagnostics.list()[1].hint, "did you mean '%next'?");
}

TEST(Parser, MisspeltWordsHaveHints) {
  auto hint = [](std::string_view instruction) {
    Loaded loaded = load(inBody(instruction));
    EXPECT_EQ(loaded.diagnostics.list().size(), 1u) << loaded.errors();
    return loaded.diagnostics.list().empty() ? "" : loaded.diagnostics.list()[0].hint;
  };
  EXPECT_EQ(hint("  %y = ADDD <@i64> %x %x\n  RET (%y)"), "did you mean 'ADD'?");
  EXPECT_EQ(hint("  %y = add <@i64> %x %x\n  RET (%y)"), "did you mean 'ADD'?");
  EXPECT_EQ(hint("  RTE (%x)"), "did you mean 'RET'?");
  EXPECT_EQ(hint("  %y = NEW <itn<64>>\n  RET (%x)"), "did you mean 'int'?");
  EXPECT_EQ(hint("  FENCE SEQCST\n  RET (%x)"), "did you mean 'SEQ_CST'?");
  EXPECT_EQ(hint("  COMMINST @uvm.thread_exti\n"), "did you mean 'uvm.thread_exit'?");
}

TEST(Parser, BinaryAndEmptyTexts) {
  EXPECT_EQ(parseCodes("\x7FUIR\x01"), "P0101@1:1");
  EXPECT_EQ(parseCodes("\x7F"), "P0101@1:1");
  EXPECT_EQ(parseCodes(""), "");
  EXPECT_EQ(parseCodes("// nothing\n/* at all */"), "");
}

TEST(Parser, NestingIsLimited) {
  auto nested = [](std::size_t depth) {
    std::string text = ".typedef @t = ";
    for (std::size_t i = 0; i < depth; ++i) text += "ref<";
    text += "void" + std::string(depth, '>');
    return text;
  };
  EXPECT_EQ(parseCodes(nested(200)), "");
  EXPECT_TRUE(parseCodes(nested(201)).starts_with("P0309"));
  EXPECT_TRUE(parseCodes(nested(1000000)).starts_with("P0309"));
  std::string list = ".const @c <@t> = ";
  for (int i = 0; i < 100000; ++i) list += "{ <@t> ";
  EXPECT_TRUE(parseCodes(list).starts_with("P0412"));
}

TEST(Parser, EveryTruncationIsAnErrorOrAWholeText) {
  std::string text =
      inBody("  %y = ADD <@i64> %x @one\n  BRANCH2 <int<1>> 1 %e(%y) %z()\n%z() [%q]:\n  THROW %q");
  for (std::size_t length = 0; length <= text.size(); ++length) parseCodes(text.substr(0, length));
  EXPECT_EQ(parseCodes(text), "");
}

// Random edits of a text with everything in it: whatever comes out, parsing ends, and every error has a place
// in the text.
TEST(Parser, RandomGarbageNeverCrashes) {
  std::string seed = inBody(
      "  (%y %o) = ADD [#V] <@i64> %x @one\n  %s = COMMINST @uvm.new_stack <[@s]> (@f)\n  SWITCH <@i64> %x "
      "%e(%y) { @one %e(%x) }\n"
      "%a() [%exc]:\n  %r = CCALL #DEFAULT <ufuncptr<@s> @s> <ufuncptr<@s>> EXTERN \"abs\" (@one) EXC(%a() "
      "%a()) KEEPALIVE(%r)\n"
      "%b():\n  WATCHPOINT 7 <@i64> %a() %a() WPEXC(%a())\n%c(<stackref> %t):\n  SWAPSTACK %t RET_WITH "
      "<@i64> PASS_VALUES <float> "
      "(<float> 1.5f) EXC(%a() %a())\n%d():\n  %l = LOAD PTR SEQ_CST <double> <uptr<double>> 0\n  THROW "
      "<ref<void>>NULL");
  ASSERT_EQ(parseCodes(seed), "");
  const std::string_view pieces[] = {"<",   ">",   "(",         ")",        "{",        "}",  "[",   "]",
                                     "<[",  "]>",  "=",         ":",        "@",        "%",  "%x",  "@one",
                                     "RET", "EXC", "KEEPALIVE", ".funcdef", ".typedef", "0x", "1.5", "\"",
                                     "/*",  "//",  "\n",        ",",        "\x80",     "-"};
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string text = seed;
    unsigned edits = 1 + random() % 4;
    for (unsigned i = 0; i < edits && !text.empty(); ++i) {
      std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0: text.erase(at, 1 + random() % 12); break;
        case 1: text.insert(at, pieces[random() % std::size(pieces)]); break;
        case 2: text[at] = static_cast<char>(random()); break;
        default: text.insert(at, text.substr(random() % text.size(), random() % 20)); break;
      }
    }
    Loaded loaded = load(text);
    for (const Diagnostic& diagnostic : loaded.diagnostics.list()) {
      ASSERT_LE(diagnostic.pos, text.size() + 1);
      bool isFromParsing = errorInfo(diagnostic.id).code[0] == 'P';
      ASSERT_FALSE(isFromParsing && diagnostic.pos == 0) << diagnostic.message;
    }
    loaded.errors();
    Diagnostics formatDiagnostics;
    format(loaded.source(), formatDiagnostics);
    if (!loaded.bundle) continue;
    Loaded again = load(print(*loaded.bundle));
    ASSERT_TRUE(again.bundle) << text << again.errors();
  }
}

TEST(Parser, EveryErrorRowIsDocumentedOnce) {
  std::vector<std::string_view> codes;
  for (std::size_t i = 0; i < errorCount(); ++i) codes.push_back(errorInfo(static_cast<ErrorId>(i)).code);
  std::sort(codes.begin(), codes.end());
  EXPECT_EQ(std::adjacent_find(codes.begin(), codes.end()), codes.end());
}

}  // namespace
}  // namespace gaur::ir::test
