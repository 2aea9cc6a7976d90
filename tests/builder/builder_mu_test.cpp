// Mu programs that build Mu programs: for small bundles of every folder of the conformance suite, a program
// is written that makes the bundle with @uvm.irbuilder.*, and run; what it builds is the bundle, as what the
// C interface builds is (builder_c_test). Together they use every call of a builder.
#include <cstdio>
#include <cstring>
#include <map>
#include <set>

#include "tests/builder/texts.h"
#include "tools/gaur/builder_calls.h"
#include "vm/ir/opcode.h"
#include "vm/runtime/micro_vm.h"

namespace gaur::test {
namespace {

/// Smaller texts than this, so many a folder.
constexpr std::size_t kLongestText = 3000;
constexpr unsigned kOfFolder = 4;

constexpr const char* kEntry = "test.build";

/// Writes the calls as instructions. IDs are known when it runs, so they are kept in a global cell.
class MuText {
 public:
  // --- As BuilderCalls wants it ----------------------------------------------------------------------
  tool::Symbol symbol(const std::string& name) {
    std::string id = result("COMMINST @uvm.irbuilder.gen_sym (builder " + operand(name.c_str()) + ")");
    std::string number = std::to_string(symbolCount_++);
    line("STORE <int<32>> " + place(number) + " " + id);
    return {static_cast<std::uint32_t>(symbolCount_)};
  }

  void begin(const std::string&) {}

  template <auto slot, class... A>
  void call(tool::Slot<slot> to, const A&... arguments) {
    std::string name = std::string("uvm.irbuilder.") + to.name;
    patterns_ = ir::commonInst(name)->parameters;
    nextPattern();  // the builder
    std::string operands;
    ((operands += argument(arguments)), ...);
    line("COMMINST @" + name + " (builder" + operands + ")");
    used_.insert(to.name);
    if (++callsInPart_ == kMostCalls) endPart();
  }

  /// Slots of the calls so far.
  const std::set<std::string>& used() const { return used_; }

  std::string text() {
    endPart();
    std::string out = ".typedef @test.cells = array<int<32> " + std::to_string(symbolCount_ + 1) +
                      ">\n.global @test.ids <@test.cells>\n.global @test.builder <irbuilderref>\n" + parts_ +
                      "\n.funcdef @" + kEntry +
                      " <() -> ()> {\n  entry():\n    builder = COMMINST @uvm.irbuilder.new_ir_builder ()\n"
                      "    STORE <irbuilderref> @test.builder builder\n";
    for (unsigned part = 0; part < partCount_; ++part)
      out += "    CALL <() -> ()> @test.part" + std::to_string(part) + " ()\n";
    return out + "    COMMINST @uvm.irbuilder.load (builder)\n    RET\n}\n";
  }

 private:
  /// Of one function, so that none is very long.
  static constexpr unsigned kMostCalls = 40;

  // --- Lines -----------------------------------------------------------------------------------------
  void line(const std::string& instruction) {
    if (!isOpen_) {
      parts_ += "\n.funcdef @test.part" + std::to_string(partCount_++) +
                " <() -> ()> {\n  entry():\n    builder = LOAD <irbuilderref> @test.builder\n";
      isOpen_ = true;
    }
    parts_ += "    " + instruction + "\n";
  }
  std::string result(const std::string& instruction) {
    std::string name = "x" + std::to_string(resultCount_++);
    line(name + " = " + instruction);
    return name;
  }
  void endPart() {
    if (isOpen_) parts_ += "    RET\n}\n";
    isOpen_ = false;
    callsInPart_ = 0;
  }

  // --- Arguments ---------------------------------------------------------------------------------------
  std::string_view nextPattern() {
    std::size_t blank = patterns_.find(' ');
    std::string_view word = patterns_.substr(0, blank);
    patterns_ = blank == std::string_view::npos ? std::string_view{} : patterns_.substr(blank + 1);
    return word;
  }

  /// With a blank before it. Lists know their lengths, so counts are left out.
  std::string argument(tool::Count) { return ""; }
  std::string argument(std::uint64_t number) {
    return " <" + std::string(nextPattern()) + "> " + std::to_string(number);
  }
  template <class T>
  requires(!std::is_integral_v<T>) std::string argument(const T& value) {
    nextPattern();
    return " " + operand(value);
  }

  std::string place(const std::string& number) {
    return result("GETELEMIREF <@test.cells int<64>> @test.ids <int<64>> " + number);
  }
  std::string operand(tool::Symbol symbol) {
    if (symbol.number == 0) return "<int<32>> 0";
    return result("LOAD <int<32>> " + place(std::to_string(symbol.number - 1)));
  }
  static std::string operand(const tool::Flag& flag) { return "<int<32>> " + std::to_string(flag.value); }
  static std::string operand(tool::FloatBits value) {
    return "<float> bitsf(" + std::to_string(value.bits) + ")";
  }
  static std::string operand(tool::DoubleBits value) {
    return "<double> bitsd(" + std::to_string(value.bits) + ")";
  }

  std::string operand(const tool::Symbols& list) { return listOf("@uvm.irbuilder.ids", "int<32>", list); }
  std::string operand(const tool::Flags& list) { return listOf("@uvm.irbuilder.ids", "int<32>", list); }
  std::string operand(const tool::Words& list) { return listOf("@uvm.irbuilder.words", "int<64>", list); }
  std::string operand(std::uint64_t word) { return "<int<64>> " + std::to_string(word); }
  /// Its letters, eight at a time.
  std::string operand(const char* text) {
    std::size_t length = std::strlen(text);
    if (length == 0) return "<@uvm.meta.bytes.r> NULL";
    tool::Words words((length + 7) / 8);
    std::memcpy(words.data(), text, length);
    return filled("@uvm.meta.bytes", "int<8>", "int<64>", words, words.size() * 8, length);
  }

  template <class T>
  std::string listOf(const std::string& type, const std::string& element, const std::vector<T>& list) {
    if (list.empty()) return "<" + type + ".r> NULL";
    return filled(type, element, element, list, list.size(), list.size());
  }

  /// A new object of the hybrid type, with a length and elements that are stored as `stored`.
  template <class T>
  std::string filled(const std::string& type, const std::string& element, const std::string& stored,
                     const std::vector<T>& list, std::size_t room, std::size_t length) {
    std::string object = result("NEWHYBRID <" + type + " int<64>> <int<64>> " + std::to_string(room));
    std::string start = result("GETIREF <" + type + "> " + object);
    line("STORE <int<64>> " + result("GETFIELDIREF <" + type + " 0> " + start) + " <int<64>> " +
         std::to_string(length));
    std::string first = result("GETVARPARTIREF <" + type + "> " + start);
    if (element != stored) first = result("REFCAST <iref<" + element + "> iref<" + stored + ">> " + first);
    for (std::size_t i = 0; i < list.size(); ++i) {
      std::string value = operand(list[i]);
      std::string at =
          result("SHIFTIREF <" + stored + " int<64>> " + first + " <int<64>> " + std::to_string(i));
      line("STORE <" + stored + "> " + at + " " + value);
    }
    return object;
  }

  std::set<std::string> used_{"gen_sym"};
  std::string parts_;
  std::string_view patterns_;
  std::size_t symbolCount_ = 0;
  std::size_t resultCount_ = 0;
  unsigned partCount_ = 0;
  unsigned callsInPart_ = 0;
  bool isOpen_ = false;
};

struct Program {
  const Text* text;
  std::string source;
};

/// Small ones of every folder, and those that make a call which none before them makes; `used` becomes all
/// calls of them.
std::vector<Program> programsOf(const std::vector<std::unique_ptr<Text>>& texts,
                                std::set<std::string>& used) {
  std::vector<Program> programs;
  std::map<fs::path, unsigned> countOf;
  for (const auto& text : texts) {
    if (text->text.size() > kLongestText || text->before) continue;
    MuText sink;
    tool::BuilderCalls<MuText>(*text->bundle, sink).run();
    const std::size_t known = used.size();
    const bool isWanted = countOf[text->path.parent_path()] < kOfFolder;
    used.insert(sink.used().begin(), sink.used().end());
    if (!isWanted && used.size() == known) continue;
    ++countOf[text->path.parent_path()];
    programs.push_back({text.get(), sink.text()});
  }
  return programs;
}

/// Empty where the Mu program builds what the text says.
std::string failureOf(const Program& program) {
  Options options;
  (void)setOption(options, "opt", "0");
  (void)setOption(options, "heap", "32M");
  auto vm = runtime::MicroVm::create(options);
  if (!vm) return vm.error().message;
  const std::string name = program.text->path.filename().string();
  SourceText source{name, program.source};
  Diagnostics diagnostics;
  if (!(*vm)->load(source, diagnostics)) return render(diagnostics, source);
  const auto* entry = (*vm)->program().entityOf<ir::Function>((*vm)->program().idOf(kEntry));
  runtime::CallOutcome outcome = (*vm)->call(*entry, nullptr, nullptr);
  if (outcome.kind != runtime::CallOutcome::Kind::Returned) return "did not return:\n" + outcome.report;
  return difference(*program.text->bundle, *(*vm)->program().bundles().back());
}

int run() {
  const auto texts = loadedTexts();
  std::set<std::string> used;
  const std::vector<Program> programs = programsOf(texts, used);
  Failures failures;
  inParallel(static_cast<unsigned>(programs.size()), [&](unsigned i) {
    std::string failure = failureOf(programs[i]);
    if (!failure.empty()) failures.add(programs[i].text->path.string() + ": " + failure);
  });
  for (const char* call : {
#define GAUR_BUILDER_CALL(slot, method) #slot,
#include "vm/ir/builder_calls.def"
       })
    if (!used.contains(call)) failures.add(std::string("no program uses @uvm.irbuilder.") + call);
  std::printf("%zu bundles rebuilt by Mu programs with %zu calls, %d failures\n", programs.size(),
              used.size(), failures.count.load());
  return failures.count == 0 ? 0 : 1;
}

}  // namespace
}  // namespace gaur::test

int main() { return gaur::test::run(); }
