// The list of every error a client can cause. One row of errors.def each: the enumerator, the stable code
// printed in brackets, the message and the hint.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace gaur {

enum class ErrorId : std::uint16_t {
#define GAUR_ERROR(Name, Code, Message, Hint) Name,
#include "vm/support/errors.def"
};

struct ErrorInfo {
  std::string_view name;
  /// "P0101": letter of the stage (P parse, L link, V verify, H HAIL, R run, I image, O option, A API) and
  /// number.
  std::string_view code;
  /// Template of the message: {0}, {1}, ... are replaced.
  std::string_view message;
  /// One line of advice with the same arguments, or empty.
  std::string_view hint;
};

ErrorInfo errorInfo(ErrorId id);
std::size_t errorCount();

/// Replaces {0}, {1}, ... in `text`.
std::string substitute(std::string_view text, std::initializer_list<std::string_view> arguments);

}  // namespace gaur
