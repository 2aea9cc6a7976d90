// The subcommands, each in a file of its name, and what describes all of them. Only what declares options
// includes this: the parser's headers make objects in every file that sees them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tools/gaur/command.h"

namespace gaur::tool {

/// Each adds the subcommand to the app; its body runs as the subcommand's callback and ends by throwing Exit.
void addRun(CLI::App& app, Invocation& invocation);
void addHeap(CLI::App& app, Invocation& invocation);
void addCheck(CLI::App& app, Invocation& invocation);
void addFmt(CLI::App& app, Invocation& invocation);
void addDump(CLI::App& app, Invocation& invocation);
void addTest(CLI::App& app, Invocation& invocation);
void addBuild(CLI::App& app, Invocation& invocation);
void addImage(CLI::App& app, Invocation& invocation);
void addErrors(CLI::App& app, Invocation& invocation);
void addVersion(CLI::App& app, Invocation& invocation);
/// `completion SHELL` and `man`: made from the app itself, so that they never go stale.
void addSelfDescription(CLI::App& app);

/// Adds options.def's rows to a subcommand, in a group of their own.
void addVmOptions(CLI::App& command, Options& options);
inline constexpr const char* kVmGroup = "Virtual machine";

/// The words of a command line, with "=1" after options whose number is left out, so that `--gc-stress FILE`
/// means what it says.
std::vector<std::string> separateOptionValues(int argc, char** argv);

}  // namespace gaur::tool
