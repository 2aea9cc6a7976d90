// The table behind ErrorId, and the replacing of arguments in message templates.
#include "vm/support/errors.h"

#include <array>
#include <cstdint>
#include <iterator>

#include "vm/support/result.h"

namespace gaur {

namespace {

/// All texts, one behind the other: a table of addresses would have to be written to at each start of a
/// process.
constexpr char kTexts[] =
#define GAUR_ERROR(Name, Code, Message, Hint) #Name Code Message Hint
#include "vm/support/errors.def"
    ;

struct Lengths {
  std::uint16_t name, code, message, hint;
};
constexpr Lengths kLengths[] = {
#define GAUR_ERROR(Name, Code, Message, Hint) \
  {sizeof(#Name) - 1, sizeof(Code) - 1, sizeof(Message) - 1, sizeof(Hint) - 1},
#include "vm/support/errors.def"
};

constexpr auto kBegins = [] {
  std::array<std::uint32_t, std::size(kLengths)> begins{};
  std::uint32_t end = 0;
  for (std::size_t i = 0; i < begins.size(); ++i) {
    begins[i] = end;
    end += std::uint32_t{kLengths[i].name} + kLengths[i].code + kLengths[i].message + kLengths[i].hint;
  }
  return begins;
}();

}  // namespace

ErrorInfo errorInfo(ErrorId id) {
  const auto number = static_cast<std::size_t>(id);
  const Lengths& lengths = kLengths[number];
  std::string_view rest(kTexts + kBegins[number]);
  auto next = [&rest](std::size_t length) {
    std::string_view text = rest.substr(0, length);
    rest.remove_prefix(length);
    return text;
  };
  // In a list between braces the calls come in order.
  return {next(lengths.name), next(lengths.code), next(lengths.message), next(lengths.hint)};
}

std::size_t errorCount() { return std::size(kLengths); }

std::string substitute(std::string_view text, std::initializer_list<std::string_view> arguments) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool isPlace = text[i] == '{' && i + 2 < text.size() && text[i + 2] == '}' && text[i + 1] >= '0' &&
                   text[i + 1] <= '9';
    if (!isPlace) {
      out += text[i];
      continue;
    }
    std::size_t index = static_cast<std::size_t>(text[i + 1] - '0');
    if (index < arguments.size()) out += arguments.begin()[index];
    i += 2;
  }
  return out;
}

Error makeError(ErrorId id, std::initializer_list<std::string_view> arguments) {
  return {id, substitute(errorInfo(id).message, arguments)};
}

}  // namespace gaur
