// What the command and its subcommands share: exit codes, what was asked for, and reading of source files
// with diagnostics.
#pragma once

#include <functional>
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

/// What is so before the first word of the command line: colour by the terminal (and NO_COLOR), options by
/// the environment. Throws Exit where that is wrong.
Invocation beginInvocation();

/// Calls the body, and makes a message and an exit status of what it throws.
int statusOf(const std::function<int()>& body);

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
