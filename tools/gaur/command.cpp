// Options from rows, reading of files, and the two forms of diagnostics.
#include "tools/gaur/command.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

namespace gaur::tool {

void addVmOptions(CLI::App& command, Options& options) {
  for (const OptionInfo& row : optionInfos()) {
    std::string help(row.help);
    if (!row.defaultText.empty()) help += " [" + std::string(row.defaultText) + "]";
    auto set = [&options, name = std::string(row.name)](const std::string& value) {
      if (auto result = setOption(options, name, value); !result) throw CLI::ValidationError("--" + name, result.error().message);
    };
    std::string flag = "--" + std::string(row.name);
    if (row.kind == OptionKind::Flag) {
      command.add_flag_callback(flag, [set] { set(""); }, help);
      continue;
    }
    auto* option = command.add_option_function<std::string>(flag, set, help)->group("Virtual machine");
    option->type_name(row.kind == OptionKind::Size ? "SIZE" : row.kind == OptionKind::Number ? "N" : "TEXT");
    if (row.kind == OptionKind::Number) option->expected(0, 1);
  }
}

std::string readFile(const std::string& path) {
  if (path == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  // Reading a folder succeeds with nothing in it and an error in the stream.
  if (!file || (text.str().empty() && file.peek() != std::ifstream::traits_type::eof()))
    throw Exit{kUsage, makeError(ErrorId::FileUnreadable, {path, errno ? std::strerror(errno) : "not a file"}).message};
  return std::move(text).str();
}

Source::Source(std::string p, std::size_t errorLimit) : path(std::move(p)), text(readFile(path)), diagnostics(errorLimit) {}

std::string diagnosticsJson(const Source& source) {
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
  return list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

void report(const Source& source, const Invocation& invocation) {
  if (invocation.json) {
    std::printf("%s\n", diagnosticsJson(source).c_str());
    return;
  }
  std::fputs(render(source.diagnostics, source.view(), invocation.colour).c_str(), stderr);
}

}  // namespace gaur::tool
