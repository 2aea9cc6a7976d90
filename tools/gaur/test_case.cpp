// The directive language. Everything else in the file is the bundle's business.
#include "tools/gaur/test_case.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "tools/gaur/literals.h"
#include "vm/support/near_name.h"

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
    else if (cursor.take("load-after:"))
      test_.steps.push_back({Step::Kind::Load, line_, "", "", restOfLine(), false});
    else if (isMistyped(cursor.word()))
      return malformed("no directive has this name, though one has nearly");
    return {};
  }

  /// Whether a comment begins with what was meant to be a directive, such as "rum:".
  static bool isMistyped(std::string_view word) {
    static constexpr std::string_view kDirectives[] = {
        "test:", "spec:", "modes:", "run:", "args:", "out:", "error:", "warning:", "load-after:", "part:"};
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

  Result<void> readRun(Cursor cursor) {
    Step step;
    step.line = line_;
    cursor.take("@");
    std::size_t open = cursor.rest.find('(');
    if (open == std::string_view::npos) return malformed("run: @function(arguments) == results");
    step.function = std::string(cursor.rest.substr(0, open));
    std::size_t close = open + 1;
    for (int depth = 1; close < cursor.rest.size(); ++close) {
      depth += cursor.rest[close] == '(' ? 1 : cursor.rest[close] == ')' ? -1 : 0;
      if (depth == 0) break;
    }
    if (close >= cursor.rest.size()) return malformed("the list of arguments has no end");
    step.arguments = std::string(cursor.rest.substr(open + 1, close - open - 1));
    cursor.rest.remove_prefix(close + 1);
    if (cursor.take("==")) {
      cursor.skipBlanks();
      step.expected = std::string(cursor.rest);
    } else if (cursor.take("throws")) {
      step.kind = Step::Kind::Throws;
      step.throwsNull = cursor.take("NULL");
    } else if (cursor.take("fails")) {
      step.kind = Step::Kind::Fails;
      std::size_t first = cursor.rest.find('"'), last = cursor.rest.rfind('"');
      if (first == last) return malformed("fails \"text of the report\"");
      step.expected = std::string(cursor.rest.substr(first + 1, last - first - 1));
    } else if (!cursor.atEnd()) {
      return malformed("after the call comes ==, throws, fails or nothing");
    }
    test_.steps.push_back(std::move(step));
    return {};
  }

  TestCase& test_;
  unsigned line_ = 0;
};

}  // namespace

bool TestCase::runsIn(std::string_view mode) const {
  if (modes.empty()) return mode != kCheckMode;
  return std::find(modes.begin(), modes.end(), mode) != modes.end();
}

Result<TestCase> readTestCase(std::string path, std::string text) {
  TestCase test;
  test.path = std::move(path);
  test.text = std::move(text);
  GAUR_TRY(DirectiveReader(test).read());
  return test;
}

}  // namespace gaur::tool
