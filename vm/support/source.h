// Source texts and diagnostics: positions, the collecting of errors, and their printing with line, caret and
// hint.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "vm/support/errors.h"
#include "vm/support/ids.h"

namespace gaur {

/// A text with a name for messages. Does not own the text.
struct SourceText {
  std::string_view name;
  std::string_view text;
};

struct LineColumn {
  unsigned line = 0;    // from 1; 0 = unknown
  unsigned column = 0;  // from 1, in bytes
};

LineColumn lineColumn(std::string_view text, SourcePos pos);

enum class Severity : std::uint8_t { Error, Warning };

struct Note {
  SourcePos pos = 0;
  std::string message;
};

struct Diagnostic {
  ErrorId id;
  Severity severity = Severity::Error;
  SourcePos pos = 0;
  /// Where there is no text (builder API): name or ID of the entity that is wrong.
  std::string subject;
  std::string message;
  std::string hint;
  std::vector<Note> notes;
};

/// Collects the errors of one load. Recording goes on after the first so that independent errors are all
/// reported.
class Diagnostics {
 public:
  /// `limit`: errors kept; the others are only counted.
  explicit Diagnostics(std::size_t limit = 20) : limit_(limit) {}

  Diagnostic& report(ErrorId id, SourcePos pos, std::initializer_list<std::string_view> arguments = {});
  Diagnostic& warn(ErrorId id, SourcePos pos, std::initializer_list<std::string_view> arguments = {});

  bool failed() const { return errors_ != 0; }
  std::size_t errorTotal() const { return errors_; }
  const std::vector<Diagnostic>& list() const { return list_; }
  /// Orders by position; stable.
  void sortByPosition();

 private:
  Diagnostic& add(ErrorId id, Severity severity, SourcePos pos,
                  std::initializer_list<std::string_view> arguments);

  std::size_t limit_;
  std::size_t errors_ = 0;
  std::vector<Diagnostic> list_;
  Diagnostic dropped_{};
};

/// One diagnostic as text: `file:line:column: error[V0203]: message`, the source line, a caret line, hint and
/// notes. Control characters of the source are escaped.
std::string render(const Diagnostic& diagnostic, const SourceText& source, bool colour = false);
/// All of them, and how many were not kept.
std::string render(const Diagnostics& diagnostics, const SourceText& source, bool colour = false);

}  // namespace gaur
