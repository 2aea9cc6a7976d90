// The directive language. Everything else in the file is the bundle's business.
#include "tools/gaur/test_case.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "vm/support/near_name.h"
#include "vm/support/options.h"

namespace gaur::tool {

namespace {

class DirectiveReader {
 public:
  explicit DirectiveReader(TestCase& test) : test_(test) {}

  Result<void> read() {
    std::size_t begin = 0;
    while (begin < test_.text.size()) {
      std::size_t end = std::min(test_.text.find('\n', begin), test_.text.size());
      ++line_;
      GAUR_TRY(readLine(std::string_view(test_.text).substr(begin, end - begin)));
      begin = end + 1;
    }
    if (test_.title.empty()) return malformed("the first line is `// test: what it shows`");
    if (!traps_.empty()) return malformed("no run follows the last trap");
    for (const Step& step : test_.steps)
      if (step.kind == Step::Kind::Ends && &step != &test_.steps.back())
        return malformed("the run that ends the process is the last");
    bool checks =
        !test_.steps.empty() || !test_.diagnostics.empty() || test_.output || test_.runsIn(kCheckMode);
    return checks ? Result<void>() : malformed("the case checks nothing");
  }

 private:
  Error malformed(std::string_view what) {
    return makeError(ErrorId::TestDirective, {test_.path, std::to_string(line_), what});
  }

  Result<void> readLine(std::string_view line) {
    Cursor cursor{line};
    if (!cursor.take("//")) return {};
    auto restOfLine = [&] {
      cursor.skipBlanks();
      while (!cursor.rest.empty() && (cursor.rest.back() == ' ' || cursor.rest.back() == '\r'))
        cursor.rest.remove_suffix(1);
      return std::string(cursor.rest);
    };
    if (cursor.take("test:"))
      test_.title = restOfLine();
    else if (cursor.take("modes:"))
      test_.modes = words(restOfLine());
    else if (cursor.take("bundle:"))
      test_.bundles.push_back(restOfLine());
    else if (cursor.take("args:"))
      test_.programArguments = words(restOfLine());
    else if (cursor.take("out:"))
      addOutput(cursor.rest);
    else if (cursor.take("error:"))
      return readDiagnostic(cursor, false);
    else if (cursor.take("warning:"))
      return readDiagnostic(cursor, true);
    else if (cursor.take("run:"))
      return readRun(cursor);
    else if (cursor.take("trap:"))
      return readTrapLine(cursor);
    else if (cursor.take("traps:"))
      return readTrapOrder(restOfLine());
    else if (cursor.take("enable:"))
      return readWatchpoints(cursor, Step::Kind::Enable);
    else if (cursor.take("disable:"))
      return readWatchpoints(cursor, Step::Kind::Disable);
    else if (cursor.take("image:"))
      return readImage(restOfLine());
    else if (cursor.take("options:"))
      return readOptions(restOfLine());
    else if (cursor.take("load-after:"))
      addStep(Step::Kind::Load).expected = restOfLine();
    else if (cursor.take("load-collectible:"))
      addStep(Step::Kind::LoadCollectible).expected = restOfLine();
    else if (cursor.take("unload:"))
      return readEntity(cursor, Step::Kind::Unload);
    else if (cursor.take("kept:"))
      return readEntity(cursor, Step::Kind::Kept);
    else if (cursor.take("gone:"))
      return readEntity(cursor, Step::Kind::Gone);
    else if (cursor.take("host:"))
      return readHost(words(restOfLine()));
    else if (cursor.take("finalised:"))
      return readFinalised(words(restOfLine()));
    else if (isMistyped(cursor.word()))
      return malformed("no directive has this name, though one has nearly");
    return {};
  }

  /// Whether a comment begins with what was meant to be a directive, such as "rum:".
  static bool isMistyped(std::string_view word) {
    static constexpr std::string_view kDirectives[] = {
        "test:",   "spec:",    "modes:",  "run:",     "args:",     "out:",
        "error:",  "warning:", "part:",   "image:",   "bundle:",   "load-after:",
        "trap:",   "traps:",   "enable:", "disable:", "options:",  "load-collectible:",
        "unload:", "kept:",    "gone:",   "host:",    "finalised:"};
    return word.ends_with(':') &&
           std::any_of(std::begin(kDirectives), std::end(kDirectives), [&](std::string_view known) {
             return word != known && editDistance(word, known, 1) == 1;
           });
  }

  static std::vector<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> list;
    for (std::string word; stream >> word;) list.push_back(word);
    return list;
  }

  void addOutput(std::string_view rest) {
    if (!rest.empty() && rest[0] == ' ') rest.remove_prefix(1);
    if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
    if (!test_.output) test_.output.emplace();
    *test_.output += std::string(rest) + "\n";
  }

  Result<void> readDiagnostic(Cursor cursor, bool isWarning) {
    ExpectedDiagnostic expected{isWarning, std::string(cursor.word()), 0, 0};
    std::string_view place = cursor.word();
    const char* end = place.data() + place.size();
    auto line = std::from_chars(place.data(), end, expected.line);
    if (line.ptr == end || *line.ptr != ':') return malformed("error: CODE LINE:COLUMN");
    auto column = std::from_chars(line.ptr + 1, end, expected.column);
    if (column.ptr != end || !cursor.atEnd()) return malformed("error: CODE LINE:COLUMN");
    test_.diagnostics.push_back(std::move(expected));
    return {};
  }

  Step& addStep(Step::Kind kind) {
    Step& step = test_.steps.emplace_back();
    step.kind = kind;
    step.line = line_;
    return step;
  }

  Result<void> readTrapLine(Cursor cursor) {
    ExpectedTrap& trap = traps_.emplace_back();
    trap.line = line_;
    if (const char* mistake = readTrap(cursor, trap)) return malformed(mistake);
    return {};
  }

  Result<void> readTrapOrder(const std::string& order) {
    if (order != "in any order") return malformed("traps: in any order");
    trapsInAnyOrder_ = true;
    return {};
  }

  Result<void> readWatchpoints(Cursor cursor, Step::Kind kind) {
    Step& step = addStep(kind);
    while (auto id = takeNumber(cursor)) step.watchpoints.push_back(*id);
    if (step.watchpoints.empty() || !cursor.atEnd()) return malformed("enable: ID ..., disable: ID ...");
    return {};
  }

  /// @entity, and for what is kept perhaps the text that the way to it contains.
  Result<void> readEntity(Cursor cursor, Step::Kind kind) {
    Step& step = addStep(kind);
    step.function = std::string(cursor.word());
    if (step.function.starts_with('@')) step.function.erase(0, 1);
    if (kind == Step::Kind::Kept && !cursor.atEnd() && !readQuoted(cursor, step.expected))
      return malformed("kept: @entity \"text of the way\"");
    return step.function.empty() ? Result<void>(malformed("the name of an entity is wanted"))
                                 : Result<void>();
  }

  Result<void> readHost(const std::vector<std::string>& text) {
    static constexpr const char* kForm =
        "host: NAME plus|throws|calls|unbinds|disposes|collects ..., host: "
        "NAME none, host: NAME disposed";
    if (text.size() < 2) return malformed(kForm);
    const std::string& word = text[1];
    Step& step = addStep(word == "none"       ? Step::Kind::NoHost
                         : word == "disposed" ? Step::Kind::Disposed
                                              : Step::Kind::Host);
    step.function = text[0];
    step.arguments = word;
    if (step.kind != Step::Kind::Host) return text.size() == 2 ? Result<void>() : malformed(kForm);
    const std::string operand = text.size() > 2 ? text[2] : "0";
    if (word == "calls")
      step.expected = operand;
    else
      step.number = std::strtoll(operand.c_str(), nullptr, 10);
    return {};
  }

  Result<void> readFinalised(const std::vector<std::string>& text) {
    if (text.size() != 2) return malformed("finalised: NAME COUNT");
    Step& step = addStep(Step::Kind::Finalised);
    step.function = text[0];
    step.number = std::strtoll(text[1].c_str(), nullptr, 10);
    return {};
  }

  Result<void> readImage(const std::string& text) {
    Step& step = addStep(Step::Kind::Image);
    const std::size_t fails = std::min(text.find("fails \""), text.size());
    if (fails != text.size() && !readQuoted(Cursor{std::string_view(text).substr(fails)}, step.expected))
      return malformed("fails \"text of the error\"");
    for (const std::string& word : words(text.substr(0, fails))) {
      const std::size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      if (equals == std::string::npos)
        return malformed("image: root=@entity reloc=@cell[1]=symbol uptr=WORD fails \"text\"");
      if (name == "root")
        step.roots.push_back(word.substr(equals + 1));
      else if (name == "reloc")
        step.relocations.push_back(word.substr(equals + 1));
      else if (name == "uptr")
        step.unknownPointers = word.substr(equals + 1);
      else
        return malformed("an image has root, reloc and uptr");
    }
    return {};
  }

  Result<void> readOptions(const std::string& text) {
    for (const std::string& word : words(text)) {
      std::size_t equals = word.find('=');
      if (equals == std::string::npos) return malformed("options: name=value ...");
      test_.options.emplace_back(word.substr(0, equals), word.substr(equals + 1));
      Options checked;
      auto known = setOption(checked, test_.options.back().first, test_.options.back().second);
      if (!known) return malformed(known.error().message);
    }
    return {};
  }

  Result<void> readRun(Cursor cursor) {
    Step& step = addStep(Step::Kind::Returns);
    step.traps = std::move(traps_);
    traps_.clear();
    step.trapsInAnyOrder = std::exchange(trapsInAnyOrder_, false);
    cursor.take("@");
    std::size_t open = cursor.rest.find('(');
    if (open == std::string_view::npos) return malformed("run: @function(arguments) == results");
    step.function = std::string(cursor.rest.substr(0, open));
    cursor.rest.remove_prefix(open);
    auto arguments = takeBrackets(cursor);
    if (!arguments) return malformed("the list of arguments has no end");
    step.arguments = *arguments;
    return readOutcome(cursor, step);
  }

  Result<void> readOutcome(Cursor cursor, Step& step) {
    if (cursor.take("==")) {
      cursor.skipBlanks();
      step.expected = std::string(cursor.rest);
    } else if (cursor.take("throws")) {
      step.kind = Step::Kind::Throws;
      step.throwsNull = cursor.take("NULL");
    } else if (cursor.take("fails")) {
      step.kind = Step::Kind::Fails;
      if (!readQuoted(cursor, step.expected)) return malformed("fails \"text of the report\"");
    } else if (cursor.take("exits")) {
      step.kind = Step::Kind::Exits;
    } else if (cursor.take("ends")) {
      step.kind = Step::Kind::Ends;
      auto status = takeNumber(cursor);
      if (!status || !readQuoted(cursor, step.expected))
        return malformed("ends STATUS \"text on standard error\"");
      step.status = static_cast<int>(*status);
    } else if (!cursor.atEnd()) {
      return malformed("after the call comes ==, throws, fails, exits, ends or nothing");
    }
    return {};
  }

  /// The text between the first and the last quotation mark.
  static bool readQuoted(Cursor cursor, std::string& text) {
    std::size_t first = cursor.rest.find('"'), last = cursor.rest.rfind('"');
    if (first == last) return false;
    text = std::string(cursor.rest.substr(first + 1, last - first - 1));
    return true;
  }

  TestCase& test_;
  unsigned line_ = 0;
  // What the next run will have.
  std::vector<ExpectedTrap> traps_;
  bool trapsInAnyOrder_ = false;
};

}  // namespace

bool TestCase::runsIn(std::string_view mode) const {
  if (mode == kBuilderMode) return runsIn("O0");
  if (modes.empty()) return mode != kCheckMode;
  return std::find(modes.begin(), modes.end(), mode) != modes.end();
}

bool TestCase::hasRuns() const {
  return !steps.empty() &&
         std::all_of(diagnostics.begin(), diagnostics.end(), [](const auto& d) { return d.isWarning; });
}

Result<TestCase> readTestCase(std::string path, std::string text) {
  TestCase test;
  test.path = std::move(path);
  test.text = std::move(text);
  GAUR_TRY(DirectiveReader(test).read());
  return test;
}

}  // namespace gaur::tool
