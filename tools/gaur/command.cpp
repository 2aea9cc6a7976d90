// Options from rows, reading of files, and the two forms of diagnostics.
#include "tools/gaur/command.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "vm/ir/parser.h"
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

std::string withHint(const Error& error) {
  std::string_view hint = errorInfo(error.id).hint;
  return hint.empty() ? error.message : error.message + "\n  hint: " + std::string(hint);
}

std::string adviceFor(ErrorId id, std::initializer_list<std::string_view> arguments) {
  std::string text = makeError(id, arguments).message;
  std::string hint = substitute(errorInfo(id).hint, arguments);
  return hint.empty() ? text : text + "\n  hint: " + hint;
}

std::string readFile(const std::string& path) {
  auto text = platform::readFile(path);
  if (!text) throw Exit{kUsage, text.error().message};
  return std::move(*text);
}

Source::Source(const std::string& p, std::size_t errorLimit)
    : path(p == "-" ? "<stdin>" : p), text(readFile(p)), diagnostics(errorLimit) {}

ir::Bundle* loadInto(ir::Program& program, Source& source) {
  ir::Builder builder(program, source.path);
  ir::parse(source.view(), builder, source.diagnostics);
  std::lock_guard lock(program.loadMutex());
  std::unique_ptr<ir::Bundle> bundle;
  if (!source.diagnostics.failed()) bundle = builder.finish(source.diagnostics);
  source.diagnostics.sortByPosition();
  return bundle ? program.publish(std::move(bundle)) : nullptr;
}

void loadBefore(ir::Program& program, const std::vector<std::string>& files, const Invocation& invocation) {
  for (const std::string& file : files) {
    Source source(file, invocation.options.errorLimit);
    if (loadInto(program, source)) continue;
    report(source, invocation);
    throw Exit{kBadSource, ""};
  }
}

nlohmann::json diagnosticsJson(const Source& source) {
  nlohmann::json list = nlohmann::json::array();
  for (const Diagnostic& diagnostic : source.diagnostics.list()) {
    LineColumn at = lineColumn(source.text, diagnostic.pos);
    nlohmann::json notes = nlohmann::json::array();
    for (const Note& note : diagnostic.notes) {
      LineColumn place = lineColumn(source.text, note.pos);
      notes.push_back({{"line", place.line}, {"column", place.column}, {"message", note.message}});
    }
    list.push_back({{"file", source.path},
                    {"line", at.line},
                    {"column", at.column},
                    {"severity", diagnostic.severity == Severity::Error ? "error" : "warning"},
                    {"code", errorInfo(diagnostic.id).code},
                    {"name", errorInfo(diagnostic.id).name},
                    {"message", diagnostic.message},
                    {"hint", diagnostic.hint},
                    {"notes", notes}});
  }
  return list;
}

void printJson(const nlohmann::json& value) {
  std::printf("%s\n", value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void report(const Source& source, const Invocation& invocation) {
  if (invocation.json) {
    printJson(diagnosticsJson(source));
    return;
  }
  std::fputs(render(source.diagnostics, source.view(), invocation.colour).c_str(), stderr);
}

}  // namespace gaur::tool
