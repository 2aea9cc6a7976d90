// The table behind ErrorId, and the replacing of arguments in message templates.
#include "vm/support/errors.h"

#include <iterator>

#include "vm/support/result.h"

namespace gaur {

namespace {
constexpr ErrorInfo kErrors[] = {
#define GAUR_ERROR(Name, Code, Message, Hint) {#Name, Code, Message, Hint},
#include "vm/support/errors.def"
};
}  // namespace

const ErrorInfo& errorInfo(ErrorId id) { return kErrors[static_cast<std::size_t>(id)]; }

std::size_t errorCount() { return std::size(kErrors); }

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
