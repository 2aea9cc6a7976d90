// The VM's options (options.def): defaults, then the environment, then what the command line or the client
// says.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vm/support/result.h"

namespace gaur {

inline constexpr std::uint64_t kMegabyte = 1 << 20;

enum class OptionKind : std::uint8_t { Flag, Number, Size, List, Text };

template <OptionKind kind>
struct OptionValueType;
template <>
struct OptionValueType<OptionKind::Flag> {
  using Type = bool;
};
template <>
struct OptionValueType<OptionKind::Number> {
  using Type = std::uint64_t;
};
template <>
struct OptionValueType<OptionKind::Size> {
  using Type = std::uint64_t;  // bytes
};
template <>
struct OptionValueType<OptionKind::List> {
  using Type = std::vector<std::string>;
};
template <>
struct OptionValueType<OptionKind::Text> {
  using Type = std::string;
};

struct Options {
#define GAUR_OPTION(member, Name, Kind, Default, Least, Most, Environment, Help) \
  OptionValueType<OptionKind::Kind>::Type member = Default;
#include "vm/support/options.def"
};

/// One row, for those who show or parse options.
struct OptionInfo {
  std::string_view name;
  OptionKind kind;
  std::string_view defaultText;
  std::string_view environment;
  std::string_view help;
};
std::span<const OptionInfo> optionInfos();

/// Sets one option from text. `name` without dashes; an empty value is a bare name. Errors: unknown name,
/// value out of range.
Result<void> setOption(Options& options, std::string_view name, std::string_view value);

/// Takes what the environment says (GAUR_OPT=0, ...).
Result<void> setOptionsFromEnvironment(Options& options);

/// "64", "64K", "256M", "2G" (also "256MB", lower case) in bytes.
Result<std::uint64_t> parseSize(std::string_view text);

}  // namespace gaur
