// Random bundles: they parse, verify without a word, print and parse again, depend on the seed alone, and
// between them use the language.
#include "vm/ir/random.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/ir/text_loader.h"
#include "vm/ir/printer.h"

namespace gaur::ir::test {
namespace {

constexpr std::uint64_t kSeeds = 300;

TEST(Random, EverySeedVerifiesAndPrintsWhatParsesBack) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    std::string text = randomBundle(seed);
    Loaded loaded = load(text);
    ASSERT_TRUE(loaded.bundle) << loaded.errors();
    EXPECT_TRUE(loaded.diagnostics.list().empty()) << loaded.errors();
    std::string printed = print(*loaded.bundle);
    Loaded again = load(printed);
    ASSERT_TRUE(again.bundle) << again.errors();
    EXPECT_EQ(print(*again.bundle), printed);
  }
}

/// Start and length of every name and number.
std::vector<std::pair<std::size_t, std::size_t>> tokens(const std::string& text) {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  constexpr std::string_view kBetween = " \n()<>{}[]=:";
  for (std::size_t at = text.find_first_not_of(kBetween); at != std::string::npos;) {
    std::size_t end = std::min(text.find_first_of(kBetween, at), text.size());
    found.emplace_back(at, end - at);
    at = text.find_first_not_of(kBetween, end);
  }
  return found;
}

/// One name put in the place of another gives bundles that are wrong in ways nobody thought of: all end in an
/// error or are accepted.
TEST(Random, AMisplacedNameIsAnErrorAndNeverMore) {
  RandomOptions options;
  options.functions = options.blocks = 2;
  options.instructions = 6;
  std::size_t accepted = 0, rejectedByVerifier = 0;
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    std::string text = randomBundle(seed, options);
    auto all = tokens(text);
    for (std::size_t i = 0; i < 40; ++i) {
      auto [at, length] = all[(i * 7919 + seed) % all.size()];
      auto [otherAt, otherLength] = all[(i * 104729 + seed * 31) % all.size()];
      if (text[at] != text[otherAt]) continue;  // a word for a name never gets through the parser
      std::string damaged = text;
      damaged.replace(at, length, text, otherAt, otherLength);
      Loaded loaded = load(damaged);
      EXPECT_EQ(loaded.bundle == nullptr, loaded.diagnostics.failed());
      if (loaded.bundle) ++accepted;
      for (const Diagnostic& diagnostic : loaded.diagnostics.list()) {
        EXPECT_NE(diagnostic.pos, 0u) << loaded.errors();
        if (errorInfo(diagnostic.id).code.starts_with('V')) {
          ++rejectedByVerifier;
          break;
        }
      }
    }
  }
  EXPECT_GT(accepted, 0u);
  EXPECT_GT(rejectedByVerifier, 0u);
}

TEST(Random, TheTextDependsOnTheSeedAlone) {
  EXPECT_EQ(randomBundle(7), randomBundle(7));
  EXPECT_NE(randomBundle(7), randomBundle(8));
}

TEST(Random, SeedsBetweenThemUseEveryInstructionOfOneStack) {
  std::set<std::string> words;
  std::set<CommonInst> common;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    std::string text = randomBundle(seed);
    Loaded loaded = load(text);
    ASSERT_TRUE(loaded.bundle) << loaded.errors();
    for (const FunctionVersion* version : loaded.bundle->versions)
      forEachInstruction(*version, [&](const Instruction& inst) {
        std::string_view word = info(inst.opcode).text;
        if (inst.opcode == Opcode::BinOp) word = gaur::ir::text(static_cast<BinOperator>(inst.operation));
        if (inst.opcode == Opcode::Cmp) word = gaur::ir::text(static_cast<CmpOperator>(inst.operation));
        if (inst.opcode == Opcode::Conv) word = gaur::ir::text(static_cast<ConvOperator>(inst.operation));
        words.emplace(word);
        if (inst.opcode == Opcode::CommInst) common.insert(inst.common);
      });
  }
  std::set<std::string> expected;
  for (std::size_t i = 0; i < kOpcodeCount; ++i) {
    const OpcodeInfo& row = info(static_cast<Opcode>(i));
    if (!has(row.properties, Property::Threading)) expected.emplace(row.text);
  }
  expected.erase("");
#define GAUR_BINOP(Name, Text, Code, Class) expected.insert(Text);
#define GAUR_CMPOP(Name, Text, Code, Class) expected.insert(Text);
#define GAUR_CONVOP(Name, Text, Code)       expected.insert(Text);
#include "vm/ir/operators.def"
  EXPECT_EQ(words, expected);
  EXPECT_GE(common.size(), 16u);
}

TEST(Random, PartsOfTheLanguageCanBeLeftOut) {
  RandomOptions options;
  options.floats = options.vectors = options.wideInts = options.exceptions = options.tagrefs =
      options.native = false;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    std::string text = randomBundle(seed, options);
    Loaded loaded = load(text);
    ASSERT_TRUE(loaded.bundle) << loaded.errors();
    for (const char* word : {" FADD ", "vector<", "int<128>", "EXC(", "tr64", "native", " PTR "})
      EXPECT_EQ(text.find(word), std::string::npos) << word;
  }
}

TEST(Random, SizesAreThoseAskedFor) {
  RandomOptions small, large;
  small.functions = small.blocks = small.instructions = 1;
  large.functions = 6;
  large.blocks = 8;
  large.instructions = 20;
  for (const RandomOptions& options : {small, large}) {
    std::string text = randomBundle(3, options);
    Loaded loaded = load(text);
    ASSERT_TRUE(loaded.bundle) << loaded.errors();
    EXPECT_EQ(loaded.bundle->versions.size(), options.functions + 1);
  }
}

}  // namespace
}  // namespace gaur::ir::test
