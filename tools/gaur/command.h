// What the subcommands share: exit codes, options of the VM, and reading of source files with diagnostics.
// One file a subcommand beside this one.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "vm/ir/builder.h"
#include "vm/support/options.h"
#include "vm/support/source.h"

namespace gaur::tool {

/// Exit codes of the command (man page, "EXIT STATUS"). A program's own status passes through as it is.
inline constexpr int kOk = 0;
inline constexpr int kProgramFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kBadSource = 3;
inline constexpr int kBadImage = 4;
inline constexpr int kResources = 5;
inline constexpr int kGuestFailure = 6;
inline constexpr int kInternal = 70;
/// As of timeout(1).
inline constexpr int kTimeout = 124;

/// Leaves the command with a status and a message on stderr (none if empty).
struct Exit {
  int code;
  std::string message;
};

/// State of one run of the command: filled by the parser, read by the subcommand that was chosen.
struct Invocation {
  Options options;
  bool json = false;
  bool colour = false;
  /// Words of the command line after "--".
  std::vector<std::string> afterDashes;
};

/// Adds the subcommand to the app; its body runs as the subcommand's callback and ends by throwing Exit.
void addRun(CLI::App& app, Invocation& invocation);
void addHeap(CLI::App& app, Invocation& invocation);
void addCheck(CLI::App& app, Invocation& invocation);
void addFmt(CLI::App& app, Invocation& invocation);
void addDump(CLI::App& app, Invocation& invocation);
void addTest(CLI::App& app, Invocation& invocation);
void addBuild(CLI::App& app, Invocation& invocation);
void addImage(CLI::App& app, Invocation& invocation);
void addVersion(CLI::App& app, Invocation& invocation);
/// `completion SHELL` and `man`: made from the app itself, so that they never go stale.
void addSelfDescription(CLI::App& app);

/// Adds options.def's rows to a subcommand, in a group of their own.
void addVmOptions(CLI::App& command, Options& options);
inline constexpr const char* kVmGroup = "Virtual machine";

/// The words of a command line, with "=1" after options whose number is left out, so that `--gc-stress FILE`
/// means what it says.
std::vector<std::string> separateOptionValues(int argc, char** argv);

/// Message of an error and, in a second line, its hint.
std::string adviceFor(ErrorId id, std::initializer_list<std::string_view> arguments);

/// The same of an error that was made elsewhere.
std::string withHint(const Error& error);

/// Text of a file ("-" is standard input). Throws Exit where it cannot be read.
std::string readFile(const std::string& path);

/// One source text with its diagnostics, which refer to the text.
struct Source {
  /// `path` "-" is standard input.
  Source(const std::string& path, std::size_t errorLimit);
  SourceText view() const { return {path, text}; }
  /// A HAIL script, and not a bundle: known by its name.
  bool isHail() const { return path.ends_with(".hail"); }

  std::string path;
  std::string text;
  Diagnostics diagnostics;
};

/// Parses, links, verifies and publishes; nothing is compiled. Null where the text is wrong: the diagnostics,
/// in order, are in `source`.
ir::Bundle* loadInto(ir::Program& program, Source& source);
/// The same for files that others build on: reports what is wrong, and throws Exit.
void loadBefore(ir::Program& program, const std::vector<std::string>& files, const Invocation& invocation);

/// Prints diagnostics to stderr, or as JSON to stdout.
void report(const Source& source, const Invocation& invocation);
/// Diagnostics as a JSON array of {file, line, column, severity, code, name, message, hint, notes}.
nlohmann::json diagnosticsJson(const Source& source);
/// Prints to stdout, indented; bytes that are no UTF-8 are replaced.
void printJson(const nlohmann::json& value);

}  // namespace gaur::tool
