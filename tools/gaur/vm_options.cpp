// The options of the VM as those of a command: rows of options.def.
#include <algorithm>
#include <cctype>
#include <map>

#include "tools/gaur/subcommands.h"
#include "vm/support/platform.h"

namespace gaur::tool {

namespace {

std::string shown(bool) { return ""; }
std::string shown(const std::string& text) { return text; }
std::string shown(const std::vector<std::string>&) { return ""; }
std::string shown(std::uint64_t number) {
  bool isMegabytes = number != 0 && number % kMegabyte == 0;
  return isMegabytes ? std::to_string(number / kMegabyte) + "M" : std::to_string(number);
}

/// What each option is when nobody sets it, for --help; empty where that goes without saying.
const std::map<std::string_view, std::string>& defaults() {
  static const Options untouched;
  static const std::map<std::string_view, std::string> table = {
#define GAUR_OPTION(member, Name, Kind, Default, Least, Most, Environment, Help) \
  {Name, shown(untouched.member)},
#include "vm/support/options.def"
  };
  return table;
}

}  // namespace

void addVmOptions(CLI::App& command, Options& options) {
  for (const OptionInfo& row : optionInfos()) {
    std::string help(row.help);
    if (const std::string& value = defaults().at(row.name); !value.empty()) help += " [" + value + "]";
    auto set = [&options, name = std::string(row.name)](const std::string& value) {
      if (auto result = setOption(options, name, value); !result) throw Exit{kUsage, result.error().message};
    };
    std::string flag = "--" + std::string(row.name);
    if (row.kind == OptionKind::Flag) {
      command
          .add_flag_callback(
              flag, [set] { set(""); }, help)
          ->group(kVmGroup);
      continue;
    }
    auto* option = command.add_option_function<std::string>(flag, set, help)->group(kVmGroup);
    option->type_name(row.kind == OptionKind::Size ? "SIZE" : row.kind == OptionKind::Number ? "N" : "TEXT");
    if (row.kind == OptionKind::Number) option->expected(0, 1);
  }
}

std::vector<std::string> separateOptionValues(int argc, char** argv) {
  std::vector<std::string> words(argv, argv + argc);
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const OptionInfo& row : optionInfos()) {
      if (row.kind != OptionKind::Number || words[i] != "--" + std::string(row.name)) continue;
      bool hasValue =
          i + 1 < words.size() && std::all_of(words[i + 1].begin(), words[i + 1].end(),
                                              [](unsigned char c) { return std::isdigit(c) != 0; });
      if (!hasValue) words[i] += "=1";
    }
  }
  return words;
}

}  // namespace gaur::tool
