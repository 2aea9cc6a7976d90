// A conformance case: a bundle or a HAIL script with directives in comments (tests/conformance/README.md
// describes them).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/gaur/trap_directive.h"
#include "vm/support/result.h"

namespace gaur::tool {

struct ExpectedDiagnostic {
  bool isWarning = false;
  std::string code;
  unsigned line = 0;
  unsigned column = 0;
};

/// One `run:` line, or a line that changes the machine between runs.
struct Step {
  /// Exits: the run's thread ends. Ends: the process does.
  /// Image: what comes next happens in a process that starts from an image of this one, in the modes that
  /// have images.
  /// LoadCollectible and what follows: case_lifetime.h.
  enum class Kind {
    Returns,
    Throws,
    Fails,
    Exits,
    Ends,
    Load,
    Enable,
    Disable,
    Image,
    LoadCollectible,
    Unload,
    Kept,
    Gone,
    Host,
    NoHost,
    Disposed,
    Finalised
  };
  Kind kind = Kind::Returns;
  unsigned line = 0;
  std::string function;   // without '@'; the entity, or the host function's name
  std::string arguments;  // text between the brackets; what a host function does
  std::string expected;   // results, or the text a report or path contains, or the file to load
  bool throwsNull = false;
  int status = 0;                   // Ends
  std::vector<ExpectedTrap> traps;  // in the order in which they come
  bool trapsInAnyOrder = false;
  std::vector<std::uint32_t> watchpoints;  // Enable, Disable
  std::int64_t number = 0;                 // Host, Finalised
  // Image; `expected` is the text of the error, where there is to be one.
  std::vector<std::string> roots, relocations;
  std::string unknownPointers = "warn";
  bool isRun() const { return kind <= Kind::Ends; }
  bool isAboutLifetime() const { return kind >= Kind::LoadCollectible; }
};

/// The mode of cases that only load a text, for its errors; it has to be named.
inline constexpr const char* kCheckMode = "check";
/// The mode in which a client's calls build what the text says. It runs what O0 runs.
inline constexpr const char* kBuilderMode = "builder";

struct TestCase {
  std::string path;
  std::string text;
  std::string title;
  /// Empty: all.
  std::vector<std::string> modes;
  std::vector<std::string> programArguments;
  /// Bundles of the case's folder that are loaded before its own text.
  std::vector<std::string> bundles;
  /// Options of the VM for this case: names and values.
  std::vector<std::pair<std::string, std::string>> options;
  std::vector<Step> steps;
  std::vector<ExpectedDiagnostic> diagnostics;
  std::optional<std::string> output;

  /// Without a `modes:` directive, in all but kCheckMode.
  bool runsIn(std::string_view mode) const;
  /// Whether the bundle is to be loaded without an error and then run: what an image can be made of.
  bool hasRuns() const;
};

/// Reads the directives. Error: a malformed directive, with its line.
Result<TestCase> readTestCase(std::string path, std::string text);

}  // namespace gaur::tool
