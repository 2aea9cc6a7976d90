// Rendering of diagnostics. The underlined part is the token at the position, found by looking at the text
// again, so that nothing but the start has to be stored with every entity.
#include "vm/support/source.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace gaur {

namespace {

constexpr const char* kRed = "\033[1;31m";
constexpr const char* kMagenta = "\033[1;35m";
constexpr const char* kCyan = "\033[1;36m";
constexpr const char* kBold = "\033[1m";
constexpr const char* kReset = "\033[0m";

bool isNameChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-' || c == '@' ||
         c == '%';
}

std::size_t tokenLength(std::string_view text, std::size_t start) {
  if (start >= text.size()) return 1;
  if (text[start] == '"') {
    std::size_t end = text.find_first_of("\"\n", start + 1);
    return end == std::string_view::npos ? text.size() - start : end - start + 1;
  }
  std::size_t end = start + (std::string_view("#+$").find(text[start]) != std::string_view::npos ? 1 : 0);
  while (end < text.size() && isNameChar(text[end])) ++end;
  return std::max<std::size_t>(1, end - start);
}

/// Printable form of one line: tabs become one blank so that columns stay, other control and non-ASCII bytes
/// '?'.
std::string printable(std::string_view line) {
  std::string out(line);
  for (char& c : out) {
    if (c == '\t') c = ' ';
    if (!std::isprint(static_cast<unsigned char>(c))) c = '?';
  }
  return out;
}

void appendExcerpt(std::string& out, std::string_view text, SourcePos pos, const char* colour,
                   const char* reset) {
  constexpr std::size_t kWidest = 200;
  std::size_t offset = std::min<std::size_t>(pos - 1, text.size());
  std::size_t before = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  std::size_t lineStart = before == std::string_view::npos ? 0 : before + 1;
  std::size_t lineEnd = std::min(text.find('\n', offset), text.size());
  // Long lines are cut around the position.
  std::size_t from = offset - lineStart > kWidest / 2 ? offset - kWidest / 2 : lineStart;
  std::size_t to = std::min(lineEnd, from + kWidest);
  std::size_t length =
      std::min(tokenLength(text, offset), std::max<std::size_t>(1, to > offset ? to - offset : 1));
  char number[16];
  std::snprintf(number, sizeof number, "%5u | ", lineColumn(text, pos).line);
  out += number;
  out += printable(text.substr(from, to - from));
  out += "\n      | ";
  out += std::string(offset - from, ' ');
  out += colour;
  out += '^';
  out += std::string(length - 1, '~');
  out += reset;
  out += '\n';
}

}  // namespace

LineColumn lineColumn(std::string_view text, SourcePos pos) {
  if (pos == 0) return {};
  std::size_t offset = std::min<std::size_t>(pos - 1, text.size());
  LineColumn at{1, 1};
  for (std::size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
  }
  return at;
}

Diagnostic& Diagnostics::add(ErrorId id, Severity severity, SourcePos pos,
                             std::initializer_list<std::string_view> arguments) {
  const ErrorInfo info = errorInfo(id);
  Diagnostic diagnostic{
      id, severity, pos, {}, substitute(info.message, arguments), substitute(info.hint, arguments), {}};
  if (severity == Severity::Error && ++errors_ > limit_) return dropped_ = std::move(diagnostic);
  list_.push_back(std::move(diagnostic));
  return list_.back();
}

Diagnostic& Diagnostics::report(ErrorId id, SourcePos pos,
                                std::initializer_list<std::string_view> arguments) {
  return add(id, Severity::Error, pos, arguments);
}

Diagnostic& Diagnostics::warn(ErrorId id, SourcePos pos, std::initializer_list<std::string_view> arguments) {
  return add(id, Severity::Warning, pos, arguments);
}

void Diagnostics::sortByPosition() {
  std::stable_sort(list_.begin(), list_.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return a.pos < b.pos; });
}

std::string render(const Diagnostic& diagnostic, const SourceText& source, bool colour) {
  auto paint = [&](const char* code) { return colour ? code : ""; };
  bool isError = diagnostic.severity == Severity::Error;
  std::string out = paint(kBold);
  out += source.name;
  if (diagnostic.pos != 0) {
    LineColumn at = lineColumn(source.text, diagnostic.pos);
    out += ':' + std::to_string(at.line) + ':' + std::to_string(at.column);
  } else if (!diagnostic.subject.empty()) {
    out += ": " + diagnostic.subject;
  }
  out += ": ";
  const char* mark = isError ? kRed : kMagenta;
  out += paint(mark);
  out += isError ? "error[" : "warning[";
  out += errorInfo(diagnostic.id).code;
  out += "]";
  out += paint(kReset);
  out += ": " + printable(diagnostic.message) + "\n";
  if (diagnostic.pos != 0) appendExcerpt(out, source.text, diagnostic.pos, paint(mark), paint(kReset));
  if (!diagnostic.hint.empty())
    out += std::string("      = ") + paint(kCyan) + "hint" + paint(kReset) + ": " +
           printable(diagnostic.hint) + "\n";
  for (const Note& note : diagnostic.notes) {
    LineColumn at = lineColumn(source.text, note.pos);
    out += std::string("      = ") + paint(kCyan) + "note" + paint(kReset) + ": " + printable(note.message);
    if (at.line != 0) out += " (line " + std::to_string(at.line) + ":" + std::to_string(at.column) + ")";
    out += "\n";
  }
  return out;
}

std::string render(const Diagnostics& diagnostics, const SourceText& source, bool colour) {
  std::string out;
  std::size_t shown = 0;
  for (const Diagnostic& diagnostic : diagnostics.list()) {
    out += render(diagnostic, source, colour);
    shown += diagnostic.severity == Severity::Error;
  }
  if (diagnostics.errorTotal() > shown) {
    out +=
        "... and " + std::to_string(diagnostics.errorTotal() - shown) + " more errors (see --error-limit)\n";
  }
  return out;
}

}  // namespace gaur
