// Printing: generated names and one line of each opcode (dialect_test.cpp has the round trips of whole
// texts); formatting.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/unit/ir/text_loader.h"
#include "vm/ir/canonical.h"
#include "vm/ir/formatter.h"
#include "vm/ir/lexer.h"
#include "vm/ir/printer.h"

namespace gaur::ir::test {
namespace {

constexpr PrintOptions kSpec{PrintOptions::Dialect::Spec};
constexpr PrintOptions kMuc{PrintOptions::Dialect::Muc};

std::string readFile(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Every .uir text of the repository that loads by itself.
const std::vector<std::string>& repositoryTexts() {
  static const std::vector<std::string> texts = [] {
    std::vector<std::string> all;
    for (const char* folder : {"examples", "benchmarks", "tests/conformance"}) {
      std::filesystem::path root = std::filesystem::path(GAUR_SOURCE_DIR) / folder;
      if (!std::filesystem::exists(root)) continue;
      for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.path().extension() == ".uir") all.push_back(readFile(entry.path()));
      }
    }
    return all;
  }();
  return texts;
}

void expectRoundTrip(const Loaded& original, const PrintOptions& options) {
  std::string once = print(*original.bundle, options);
  Loaded again = load(once);
  ASSERT_TRUE(again.bundle) << once << again.errors();
  EXPECT_EQ(print(*again.bundle, options), once);
  EXPECT_EQ(canonicalText(*again.bundle), canonicalText(*original.bundle));
}

/// A line as the later dialect writes it in this test's function, where only @f needs its sigil, beside %f.
std::string withoutSigils(const std::string& line) {
  if (line == "RET (%x)") return "RET x";
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i)
    if (line[i] != '%' && (line[i] != '@' || line.compare(i, 3, "@f ") == 0)) out += line[i];
  return out;
}

// One line of each form; each must come back as written.
TEST(Printer, EveryFormComesBackAsWritten) {
  const char* lines[] = {
      "%r = ADD <int<64>> %x %x",
      "(%r %n %z %c %o) = ADD [#N #Z #C #V] <int<64>> %x %x",
      "%r = [%name] SDIV <int<64>> %x %x EXC(%d(%r) %d(%x))",
      "%r = FOEQ <double> %f <double> 0.5 d",
      "%r = ZEXT <int<8> int<64>> <int<8>> -1",
      "%r = SELECT <int<1> int<64>> <int<1>> 1 %x %x",
      "BRANCH %d(%x)",
      "BRANCH2 <int<1>> 0 %d(%x) %d(%x)",
      "SWITCH <int<64>> %x %d(%x) {\n      <int<64>> 1 %d(%x)\n      <int<64>> 2 %d(%x)\n    }",
      "%r = CALL <@s> @f (%x %f %p %q %k %v %g %a) EXC(%d(%r) %d(%x)) KEEPALIVE(%x %f)",
      "TAILCALL <@s> @f (%x %f %p %q %k %v %g %a)",
      "RET (%x)",
      "THROW %g",
      "%r = EXTRACTVALUE <struct<int<8> double> 1> %v",
      "%r = INSERTVALUE <struct<int<8> double> 1> %v %f",
      "%r = EXTRACTELEMENT <array<int<64> 4> int<64>> %a %x",
      "%r = INSERTELEMENT <array<int<64> 4> int<64>> %a %x %x",
      "%r = SHUFFLEVECTOR <@v4 @v4> @vec @vec @vec",
      "%r = NEW <void>",
      "%r = NEWHYBRID <hybrid<int<8>> int<64>> %x",
      "%r = ALLOCA <int<64>> EXC(%d(%x) %d(%x))",
      "%r = ALLOCAHYBRID <hybrid<int<8>> int<64>> %x",
      "%r = GETIREF <void> %g",
      "%r = GETFIELDIREF PTR <struct<int<8> double> 1> <uptr<struct<int<8> double>>> 0",
      "%r = GETELEMIREF PTR <array<int<64> 4> int<64>> <uptr<array<int<64> 4>>> 0 %x",
      "%r = SHIFTIREF <int<64> int<64>> %p %x",
      "%r = GETVARPARTIREF PTR <hybrid<int<8>>> <uptr<hybrid<int<8>>>> 0",
      "%r = LOAD PTR SEQ_CST <int<64>> %q",
      "STORE RELEASE <int<64>> %p %x EXC(%d(%x) %d(%x))",
      "(%r %y) = CMPXCHG PTR WEAK SEQ_CST ACQUIRE <int<64>> %q %x %x",
      "%r = ATOMICRMW ACQ_REL UMIN <int<64>> %p %x",
      "FENCE ACQUIRE",
      "%r = TRAP <int<64>> EXC(%d(%r) %d(%x)) KEEPALIVE(%x)",
      "%r = WATCHPOINT 7 <int<64>> %d(%x) %d(%r) WPEXC(%d(%x)) KEEPALIVE(%x)",
      "WPBRANCH 9 %d(%x) %d(%x)",
      "%r = CCALL #DEFAULT <ufuncptr<() -> (int<32>)> () -> (int<32>)> <ufuncptr<() -> (int<32>)>> EXTERN "
      "\"getpid\" ()",
      "%r = NEWTHREAD %k THREADLOCAL(%g) PASS_VALUES <int<64>> (%x)",
      "%r = NEWTHREAD %k THROW_EXC %g EXC(%d(%x) %d(%x))",
      "%r = SWAPSTACK %k RET_WITH <int<64>> PASS_VALUES <> () EXC(%d(%r) %d(%x))",
      "SWAPSTACK %k KILL_OLD THROW_EXC %g",
      "%r = COMMINST @uvm.native.expose [#DEFAULT] <[@s]> (@f <int<64>> 7)",
      "%r = COMMINST @uvm.kill_dependency <int<64>> (%x)",
      "COMMINST @uvm.thread_exit ()",
  };
  for (std::string line : lines) {
    bool isTerminator = line.find("EXC(") != std::string::npos || line.find("KILL_OLD") != std::string::npos;
    for (const char* word : {"BRANCH", "SWITCH", "TAILCALL", "RET (", "THROW %", "WATCHPOINT", "thread_exit"})
      isTerminator |= line.find(word) != std::string::npos && line.find("RET_WITH") == std::string::npos;
    std::string text =
        ".typedef @v4 = vector<int<32> 4>\n.const @vec <@v4> = { <int<32>> 0 <int<32>> 1 <int<32>> 2 "
        "<int<32>> 3 }\n"
        ".funcsig @s = (int<64> double iref<int<64>> uptr<int<64>> stackref struct<int<8> double> ref<void> "
        "array<int<64> 4>) -> (int<64>)\n"
        ".funcdef @f VERSION %v <@s> {\n  %e(<int<64>> %x <double> %f <iref<int<64>>> %p <uptr<int<64>>> %q "
        "<stackref> %k "
        "<struct<int<8> double>> %v <ref<void>> %g <array<int<64> 4>> %a):\n    " +
        line + (isTerminator ? "" : "\n    RET (%x)") + "\n\n  %d(<int<64>> %w):\n    RET (%w)\n}\n";
    Loaded loaded = load(text);
    ASSERT_TRUE(loaded.bundle) << line << "\n" << loaded.errors();
    const Instruction& first = *loaded.entity<FunctionVersion>("f.v")->entry()->instructions[0];
    EXPECT_EQ(print(first), line);
    EXPECT_NE(print(*loaded.bundle, kMuc).find("    " + withoutSigils(line) + "\n"), std::string::npos)
        << line;
    expectRoundTrip(loaded, kSpec);
    expectRoundTrip(loaded, kMuc);
  }
}

TEST(Printer, SpecNamesWhatIsAnonymous) {
  Loaded loaded =
      load(".typedef @t.0 = int<8>\n.funcdef f <(int<64>)->(int<64>)> { e(<int<64>> x): RET <int<64>> 5 }");
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  EXPECT_EQ(print(*loaded.bundle, kSpec),
            ".typedef @t.1 = int<64>\n.typedef @t.0 = int<8>\n.funcsig @s.0 = (@t.1) -> (@t.1)\n.const @c.0 "
            "<@t.1> = 5\n\n"
            ".funcdef @f VERSION %v <@s.0> {\n  %e(<@t.1> %x):\n    RET (@c.0)\n}\n");
}

TEST(Printer, RecursiveAnonymousTypesGetNames) {
  Program program;
  Builder builder(program, "test");
  Id node = builder.fresh(), ref = builder.fresh(), cell = builder.symbol("cell");
  TypeDef* structure = builder.newType(node, TypeKind::Struct);
  structure->elements = builder.uses<TypeDef>(std::span<const Id>(&ref, 1));
  builder.newType(ref, TypeKind::Ref)->elements = builder.uses<TypeDef>(std::span<const Id>(&node, 1));
  builder.newGlobal(cell, node);
  Diagnostics diagnostics;
  std::lock_guard lock(program.loadMutex());
  auto bundle = builder.finish(diagnostics);
  ASSERT_TRUE(bundle);
  EXPECT_EQ(print(*bundle, kMuc), ".typedef t.0 = struct<ref<t.0>>\n.global cell <t.0>\n");
}

TEST(Printer, UnusedNamelessResultsAreLeftOut) {
  Loaded loaded = load(
      ".funcdef f <()->()> { e(): CALL <()->(int<8>)> g () (a b) = ADD [#Z] <int<8>> <int<8>> 1 <int<8>> 2 "
      "RET }\n"
      ".funcdecl g <()->(int<8>)>");
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  std::string text = print(*loaded.bundle, kMuc);
  EXPECT_NE(text.find("\n    CALL <() -> (int<8>)> g ()\n"), std::string::npos) << text;
  expectRoundTrip(loaded, kMuc);
}

// --- Formatter -----------------------------------------------------------------------------------

std::optional<std::string> formatted(const std::string& text) {
  Diagnostics diagnostics;
  return format({"test.uir", text}, diagnostics);
}

TEST(Formatter, OneStatementALineWithCanonicalBlanks) {
  EXPECT_EQ(formatted(".funcsig   s=( @a  @b )->()  .funcdef f<s>VERSION %v{e( <@a> x ) [ %exc ] "
                      ":y=[%n]ADD[#N #Z]<int< 64 >>x "
                      "<int<64>>42 (p q)=CMPXCHG SEQ_CST SEQ_CST<@a>x y y FENCE SEQ_CST CALL<s>g(x y)EXC( "
                      "a(x) b() )\n\n\n\nb():RET}"),
            ".funcsig s = (@a @b) -> ()\n"
            ".funcdef f <s> VERSION %v {\n"
            "  e(<@a> x) [%exc]:\n"
            "    y = [%n] ADD [#N #Z] <int<64>> x <int<64>> 42\n"
            "    (p q) = CMPXCHG SEQ_CST SEQ_CST <@a> x y y\n"
            "    FENCE SEQ_CST\n"
            "    CALL <s> g (x y) EXC(a(x) b())\n"
            "\n"
            "  b():\n"
            "    RET\n"
            "}\n");
}

TEST(Formatter, KeepsComments) {
  EXPECT_EQ(
      formatted("//first\n\n\n  // second\n.typedef @a = int<8>// one\n.typedef @bcd = int<16>   // two\n"
                ".funcdef @f VERSION %v <@s> { // body\n// label\n%e():\n/* block */\n   RET /* in */ ()  // "
                "end\n// last\n}\n// over"),
      "//first\n\n// second\n.typedef @a = int<8>           // one\n.typedef @bcd = int<16>        // two\n"
      ".funcdef @f VERSION %v <@s> {  // body\n  // label\n  %e():\n    /* block */\n    RET /* in */ ()  // "
      "end\n    // last\n}\n"
      "// over\n");
}

TEST(Formatter, MalformedTokensAreErrors) {
  Diagnostics diagnostics;
  EXPECT_FALSE(format({"test.uir", ".typedef @ = int<8>"}, diagnostics));
  EXPECT_EQ(diagnostics.errorTotal(), 1u);
  EXPECT_FALSE(formatted(".typedef @a = int<8> /* open"));
  EXPECT_FALSE(formatted("/"));
  EXPECT_EQ(formatted(""), "");
}

std::vector<std::string> tokensOf(const std::string& text) {
  Diagnostics diagnostics;
  Lexer lexer(text, diagnostics);
  std::vector<std::string> tokens;
  for (Token token = lexer.next(); token.kind != TokenKind::End; token = lexer.next())
    tokens.emplace_back(token.text);
  return tokens;
}

TEST(Formatter, ChangesNoTokenAndNothingTheSecondTime) {
  std::size_t checked = 0;
  for (const std::string& text : repositoryTexts()) {
    auto once = formatted(text);
    if (!once) continue;
    ++checked;
    EXPECT_EQ(tokensOf(*once), tokensOf(text));
    EXPECT_EQ(std::count(once->begin(), once->end(), '/'), std::count(text.begin(), text.end(), '/'));
    EXPECT_EQ(formatted(*once), once);
  }
  EXPECT_GT(checked, 10u);
}

TEST(Formatter, AgreesWithThePrinter) {
  for (const std::string& text : repositoryTexts()) {
    Loaded loaded = load(text);
    if (!loaded.bundle) continue;
    std::string printed = print(*loaded.bundle, kSpec);
    if (printed.starts_with('\n')) printed.erase(0, 1);
    EXPECT_EQ(formatted(printed), printed);
  }
}

}  // namespace
}  // namespace gaur::ir::test
