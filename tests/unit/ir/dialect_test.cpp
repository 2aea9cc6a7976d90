// Both dialects hold the same program: every bundle of the repository is printed in each, loaded again and
// compared.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "tests/unit/ir/text_loader.h"
#include "vm/ir/canonical.h"
#include "vm/ir/printer.h"

namespace gaur::ir::test {
namespace {

namespace fs = std::filesystem;

constexpr PrintOptions kSpec{PrintOptions::Dialect::Spec};
constexpr PrintOptions kMuc{PrintOptions::Dialect::Muc};

std::string readFile(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Text {
  fs::path path;
  std::string text;
  /// Of the bundle it is a second part of.
  std::string before;
};

/// The file that the directive `// part: of x.uir` names.
std::string firstPart(const Text& text) {
  constexpr std::string_view kDirective = "// part: of ";
  std::size_t at = text.text.find(kDirective);
  if (at == std::string::npos) return {};
  std::size_t begin = at + kDirective.size();
  std::string name = text.text.substr(begin, text.text.find_first_of(" \n", begin) - begin);
  return readFile(text.path.parent_path() / name);
}

std::vector<Text> repositoryTexts() {
  std::vector<Text> all;
  for (const char* folder : {"examples", "benchmarks", "tests/conformance"}) {
    fs::path root = fs::path(GAUR_SOURCE_DIR) / folder;
    if (!fs::exists(root)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".uir") continue;
      Text text{entry.path(), readFile(entry.path()), {}};
      text.before = firstPart(text);
      all.push_back(std::move(text));
    }
  }
  return all;
}

/// A text loaded into a program of its own, after another where that is not empty.
Loaded loadAfter(const std::string& before, std::string text) {
  Loaded loaded;
  if (!before.empty()) loaded = load(before);
  loaded.bundle = nullptr;
  loaded.diagnostics = Diagnostics(1000);
  loaded.text = std::move(text);
  Builder builder(*loaded.program, "test.uir");
  parse(loaded.source(), builder, loaded.diagnostics);
  if (loaded.diagnostics.failed()) return loaded;
  std::lock_guard lock(loaded.program->loadMutex());
  if (auto bundle = builder.finish(loaded.diagnostics))
    loaded.bundle = loaded.program->publish(std::move(bundle));
  return loaded;
}

std::map<std::string, std::string> namesOf(const Bundle& bundle) {
  std::map<std::string, std::string> names;
  std::istringstream lines(localNames(bundle));
  for (std::string line; std::getline(lines, line);) {
    std::size_t at = line.find(" = ");
    names[line.substr(0, at)] = line.substr(at + 3);
  }
  return names;
}

/// What had a name has it still. The 2016 form gives nameless versions the name "v", which is then a part of
/// the names of what is in them.
void expectNamesKept(const Bundle& original, const Bundle& converted, const fs::path& path) {
  auto before = namesOf(original), after = namesOf(converted);
  std::map<std::string, unsigned> uses;
  for (const auto& [place, name] : before) ++uses[name];
  for (const auto& [place, name] : before) {
    if (uses[name] > 1) continue;  // a local defined again: printed, one of them has another name
    std::string function = place.substr(0, place.find(' ')), wanted = name;
    bool isOfNamelessVersion = !before.contains(function) && after.contains(function);
    if (isOfNamelessVersion && name.starts_with(function + "."))
      wanted = after[function] + name.substr(function.size());
    ASSERT_EQ(after[place], wanted) << path << " " << place;
  }
}

void expectSameInBothDialects(const Text& text, const Bundle& original) {
  std::string wanted = canonicalText(original);
  for (const PrintOptions& options : {kSpec, kMuc}) {
    std::string once = print(original, options);
    Loaded first = loadAfter(text.before, once);
    ASSERT_TRUE(first.bundle) << text.path << once << first.errors();
    ASSERT_EQ(canonicalText(*first.bundle), wanted) << text.path << once;
    expectNamesKept(original, *first.bundle, text.path);
    EXPECT_EQ(print(*first.bundle, options), once) << text.path;

    const PrintOptions& other = options.dialect == PrintOptions::Dialect::Spec ? kMuc : kSpec;
    Loaded crossed = loadAfter(text.before, print(*first.bundle, other));
    ASSERT_TRUE(crossed.bundle) << text.path << crossed.errors();
    ASSERT_EQ(canonicalText(*crossed.bundle), wanted) << text.path;
    Loaded back = loadAfter(text.before, print(*crossed.bundle, options));
    ASSERT_TRUE(back.bundle) << text.path << back.errors();
    ASSERT_EQ(canonicalText(*back.bundle), wanted) << text.path;
    // From the 2016 form, where everything has a name, the way there and back is exact.
    if (options.dialect == PrintOptions::Dialect::Spec) {
      EXPECT_EQ(print(*back.bundle, kSpec), once) << text.path;
    }
  }
}

TEST(Dialects, EveryTextOfTheRepositoryIsTheSameProgramInBoth) {
  const std::vector<Text> texts = repositoryTexts();
  std::atomic<std::size_t> next{0}, valid{0}, parts{0};
  auto work = [&] {
    for (std::size_t i = next++; i < texts.size() && !HasFatalFailure(); i = next++) {
      Loaded loaded = loadAfter(texts[i].before, texts[i].text);
      if (!loaded.bundle) continue;
      ++valid;
      if (!texts[i].before.empty()) ++parts;
      expectSameInBothDialects(texts[i], *loaded.bundle);
    }
  };
  std::thread other(work);
  work();
  other.join();
  // Hundreds of the texts are there for their errors.
  EXPECT_GT(valid.load(), texts.size() / 2);
  EXPECT_GT(parts.load(), 10u);
}

// --- What the canonical text sees and what it does not ---------------------------------------------

std::string canonical(const std::string& text) {
  Loaded loaded = load(text);
  EXPECT_TRUE(loaded.bundle) << loaded.errors();
  return loaded.bundle ? canonicalText(*loaded.bundle) : "";
}

TEST(Canonical, OrderNamesOfLocalsAndInlineFormsDoNotMatter) {
  std::string named =
      ".typedef @i64 = int<64>\n.funcsig @s = (@i64) -> (@i64)\n.const @five <@i64> = 5\n"
      ".funcdef @g VERSION %v <@s> { %e(<@i64> %x): RET (%x) }\n"
      ".funcdef @f VERSION %v1 <@s> {\n %e(<@i64> %x):\n %y = ADD <@i64> %x @five\n RET (%y) }\n";
  std::string reordered =
      ".funcdef @f VERSION %v2 <@s> {\n %b(<@i64> %p):\n %q = ADD <@i64> %p @five\n RET (%q) }\n"
      ".const @five <@i64> = 0x5\n"
      ".funcdef @g VERSION %v <@s> { %e(<@i64> %x): RET %x }\n"
      ".funcsig @s = (@i64) -> (@i64)\n.typedef @i64 = int<64>\n";
  EXPECT_EQ(canonical(named), canonical(reordered));
  // Names of definitions are for clients to look up, so they count.
  EXPECT_NE(canonical(".typedef @a = int<8>"), canonical(".typedef @b = int<8>"));
  std::string inPlace =
      ".funcdef f <(int<64>)->(int<64>)> { e(<int<64>> x): y = ADD <int<64>> x <int<64>> 5 RET y }";
  std::string generated =
      ".typedef @t.7 = int<64>\n.const @c.1 <@t.7> = 5\n"
      ".funcdef f <(@t.7)->(@t.7)> { e(<@t.7> x): y = ADD <@t.7> x @c.1 RET y }";
  EXPECT_EQ(canonical(inPlace), canonical(generated));
}

TEST(Canonical, EveryPartOfAnInstructionMatters) {
  auto body = [](const std::string& lines) {
    return canonical(".funcdef f <(iref<int<64>> int<64>)->(int<64>)> { e(<iref<int<64>>> p <int<64>> x):\n" +
                     lines + "\nRET x\n n(<int<64>> r): RET r\n m(<int<64>> r): RET r }");
  };
  std::vector<std::string> texts = {
      body("y = LOAD <int<64>> p"),
      body("y = LOAD RELAXED <int<64>> p"),
      body("y = ADD <int<64>> x x"),
      body("y = SUB <int<64>> x x"),
      body("(y z) = ADD [#Z] <int<64>> x x"),
      body("(y z) = ADD [#C] <int<64>> x x"),
      body("y = ADD <int<64>> x <int<64>> 1"),
      body("y = ADD <int<64>> x <int<64>> 2"),
      body("y = ADD <int<64>> <int<64>> 1 x"),
      body("(y z) = CMPXCHG SEQ_CST RELAXED <int<64>> p x x"),
      body("(y z) = CMPXCHG WEAK SEQ_CST RELAXED <int<64>> p x x"),
      body("(y z) = CMPXCHG SEQ_CST SEQ_CST <int<64>> p x x"),
      body("y = ATOMICRMW SEQ_CST ADD <int<64>> p x"),
      body("y = ATOMICRMW SEQ_CST AND <int<64>> p x"),
      body("TRAP <> KEEPALIVE(x)"),
      body("TRAP <> KEEPALIVE(p)"),
      body("TRAP <>"),
      body("BRANCH n(x)\n k(<int<64>> x):"),
      body("BRANCH m(x)\n k(<int<64>> x):"),
      body("y = TRAP <int<64>> EXC(n(x) m(x))\n k(<int<64>> x):"),
      body("y = TRAP <int<64>> EXC(n(y) m(x))\n k(<int<64>> x):"),
  };
  for (std::size_t i = 0; i < texts.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) EXPECT_NE(texts[i], texts[k]) << i << " " << k;
}

// --- The later dialect -----------------------------------------------------------------------------

TEST(Muc, SigilsStayWhereABareNameWouldMeanAnotherThing) {
  std::string text =
      ".typedef @int = int<8>\n.const @x <int<8>> = 7\n.const @0 <@int> = 0\n.const @NULL <@int> = 1\n"
      ".funcdecl @TRAP <() -> ()>\n"
      ".funcdef @f <(int<8>) -> (int<8>)> {\n"
      "%RET(<@int> %x):\n %EXC = ADD <@int> %x @x\n %y = ADD <@int> %EXC @NULL\n CALL <() -> ()> @TRAP ()\n"
      " %z = ADD <@int> %y @0\n BRANCH %next(%z)\n%next(<@int> %w):\n %v = ADD <@int> %w @x\n RET %v\n}\n";
  Loaded loaded = load(text);
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  std::string printed = print(*loaded.bundle, kMuc);
  EXPECT_EQ(printed,
            ".typedef @int = int<8>\n.const x <int<8>> = 7\n.const @0 <@int> = 0\n.const @NULL <@int> = 1\n"
            ".funcdecl @TRAP <() -> ()>\n\n"
            ".funcdef f <(int<8>) -> (int<8>)> {\n"
            "  %RET(<@int> x):\n    %EXC = ADD <@int> x @x\n    y = ADD <@int> %EXC @NULL\n"
            "    CALL <() -> ()> @TRAP ()\n    z = ADD <@int> y @0\n    BRANCH next(z)\n\n"
            "  next(<@int> w):\n    v = ADD <@int> w x\n    RET v\n}\n");
  Loaded again = load(printed);
  ASSERT_TRUE(again.bundle) << again.errors();
  EXPECT_EQ(canonicalText(*again.bundle), canonicalText(*loaded.bundle));
}

TEST(Muc, VersionsComeAfterTheSignature) {
  Loaded loaded = load(
      ".funcdef @f VERSION %v1 <() -> ()> { %e(): COMMINST @uvm.thread_exit }\n"
      ".funcdef @g VERSION @of.g <() -> ()> { %e(): RET }");
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  EXPECT_EQ(print(*loaded.bundle, kMuc),
            "\n.funcdef f <() -> ()> VERSION v1 {\n  e():\n    COMMINST uvm.thread_exit ()\n}\n"
            "\n.funcdef g <() -> ()> VERSION @of.g {\n  e():\n    RET\n}\n");
}

TEST(Spec, AliasesBecomeWhatTheyStandFor) {
  Loaded loaded = load(".typedef @a = @b\n.typedef @b = ref<@c>\n.typedef @c = struct<@a>");
  ASSERT_TRUE(loaded.bundle) << loaded.errors();
  EXPECT_EQ(print(*loaded.bundle, kSpec),
            ".typedef @a = ref<@c>\n.typedef @b = ref<@c>\n.typedef @c = struct<@a>\n");
}

}  // namespace
}  // namespace gaur::ir::test
