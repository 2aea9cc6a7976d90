// Reading of option values, one function a kind.
#include "vm/support/options.h"

#include <cctype>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>

#include "vm/support/near_name.h"

namespace gaur {

namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

constexpr OptionInfo kOptions[] = {
#define GAUR_OPTION(member, Name, Kind, Default, Least, Most, Environment, Help) \
  {Name, OptionKind::Kind, #Default, Environment, Help},
#include "vm/support/options.def"
};

struct Range {
  std::uint64_t least;
  std::uint64_t most;
};

Error wrongValue(std::string_view name, std::string_view value, std::string_view wanted) {
  return makeError(ErrorId::OptionValue, {name, value, wanted});
}

std::optional<std::uint64_t> parseNumber(std::string_view text) {
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

Result<void> checkRange(std::string_view name, std::string_view value, std::uint64_t number, Range range) {
  if (number >= range.least && number <= range.most) return {};
  std::string wanted = "at least " + std::to_string(range.least);
  if (range.most != kMost) wanted = std::to_string(range.least) + " to " + std::to_string(range.most);
  return wrongValue(name, value, wanted);
}

template <OptionKind kind>
Result<void> assign(typename OptionValueType<kind>::Type& member, std::string_view name,
                    std::string_view value, Range range) {
  if constexpr (kind == OptionKind::Flag) {
    bool isOn = value.empty() || value == "1" || value == "true" || value == "yes" || value == "on";
    bool isOff = value == "0" || value == "false" || value == "no" || value == "off";
    if (!isOn && !isOff) return wrongValue(name, value, "yes or no");
    member = isOn;
  } else if constexpr (kind == OptionKind::Number) {
    std::optional<std::uint64_t> number = value.empty() ? 1 : parseNumber(value);
    if (!number) return wrongValue(name, value, "a number");
    GAUR_TRY(checkRange(name, value, *number, range));
    member = *number;
  } else if constexpr (kind == OptionKind::Size) {
    auto size = parseSize(value);
    if (!size) return wrongValue(name, value, "a size such as 64M or 2G");
    GAUR_TRY(checkRange(name, value, *size, range));
    member = *size;
  } else if constexpr (kind == OptionKind::List) {
    while (!value.empty()) {
      std::size_t colon = std::min(value.find(':'), value.size());
      if (colon != 0) member.emplace_back(value.substr(0, colon));
      value.remove_prefix(std::min(colon + 1, value.size()));
    }
  } else {
    member = std::string(value);
  }
  return {};
}

}  // namespace

std::span<const OptionInfo> optionInfos() { return kOptions; }

Result<std::uint64_t> parseSize(std::string_view text) {
  std::string_view digits = text;
  unsigned shift = 0;
  if (!digits.empty() && (digits.back() == 'B' || digits.back() == 'b')) digits.remove_suffix(1);
  if (!digits.empty()) {
    switch (std::toupper(static_cast<unsigned char>(digits.back()))) {
      case 'K': shift = 10; break;
      case 'M': shift = 20; break;
      case 'G': shift = 30; break;
      case 'T': shift = 40; break;
      default: break;
    }
  }
  if (shift != 0) digits.remove_suffix(1);
  auto number = parseNumber(digits);
  if (!number || *number > (kMost >> shift))
    return makeError(ErrorId::OptionValue, {"size", text, "a size such as 64M or 2G"});
  return *number << shift;
}

Result<void> setOption(Options& options, std::string_view name, std::string_view value) {
#define GAUR_OPTION(member, Name, Kind, Default, Least, Most, Environment, Help) \
  if (name == Name) return assign<OptionKind::Kind>(options.member, name, value, {Least, Most});
#include "vm/support/options.def"
  NearName finder(name);
  for (const OptionInfo& option : kOptions) finder.offer(option.name);
  Error error = makeError(ErrorId::OptionUnknown, {name});
  if (!finder.best().empty()) error.message += "; did you mean '" + finder.best() + "'?";
  return error;
}

Result<void> setOptionsFromEnvironment(Options& options) {
  for (const OptionInfo& option : kOptions) {
    const char* value = std::getenv(std::string(option.environment).c_str());
    if (!value) continue;
    auto result = setOption(options, option.name, value);
    if (!result) {
      Error error = std::move(result).takeError();
      error.message = std::string(option.environment) + ": " + error.message;
      return error;
    }
  }
  return {};
}

}  // namespace gaur
