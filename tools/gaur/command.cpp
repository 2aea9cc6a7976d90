// How a command begins and ends, reading of files, and the two forms of diagnostics.
#include "tools/gaur/command.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>

#include "vm/ir/parser.h"
#include "vm/support/platform.h"

namespace gaur::tool {

namespace {

/// Colour on terminals, unless NO_COLOR says otherwise (no-color convention).
bool wantsColour() { return isatty(STDERR_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr; }

}  // namespace

Invocation beginInvocation() {
  Invocation invocation;
  invocation.colour = wantsColour();
  if (auto fromEnvironment = setOptionsFromEnvironment(invocation.options); !fromEnvironment)
    throw Exit{kUsage, fromEnvironment.error().message};
  return invocation;
}

int statusOf(const std::function<int()>& body) {
  try {
    return body();
  } catch (const Exit& exit) {
    if (!exit.message.empty()) std::fprintf(stderr, "gaur: %s\n", exit.message.c_str());
    return exit.code;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "gaur: out of memory\n");
    return kResources;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gaur: bug in the command: %s\n", error.what());
    return kInternal;
  }
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
