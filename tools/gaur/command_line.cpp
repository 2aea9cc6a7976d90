// The table of subcommands, and what is said of words that no subcommand knows.
#include "tools/gaur/command_line.h"

#include <algorithm>
#include <string_view>

#include "tools/gaur/subcommands.h"
#include "vm/support/near_name.h"

namespace {

using namespace gaur::tool;

std::string withSuggestion(std::string message, const gaur::NearName& finder, const std::string& prefix) {
  if (!finder.best().empty()) message += "; did you mean '" + prefix + finder.best() + "'?";
  return message;
}

struct Subcommand {
  std::string_view name;
  void (*add)(CLI::App& app, Invocation& invocation);
};

constexpr Subcommand kSubcommands[] = {
#if GAUR_JIT
    {"run", addRun},       {"heap", addHeap},
#endif
    {"check", addCheck},   {"fmt", addFmt},
#if GAUR_JIT
    {"dump", addDump},     {"test", addTest},       {"build", addBuild}, {"image", addImage},
#endif
    {"errors", addErrors}, {"version", addVersion},
};

/// That of this name, or all of them, with those that describe all: a start does not wait for options that it
/// will not read.
void addSubcommands(CLI::App& app, Invocation& invocation, std::string_view name) {
  for (const Subcommand& one : kSubcommands)
    if (one.name == name) return one.add(app, invocation);
  for (const Subcommand& one : kSubcommands) one.add(app, invocation);
  addSelfDescription(app);
}

/// A first word that is neither an option nor a subcommand would leave the parser with "a subcommand is
/// required".
void checkSubcommand(const CLI::App& app, const std::string& word) {
  gaur::NearName finder(word);
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == word) return;
    finder.offer(command->get_name());
  }
  throw Exit{kUsage, withSuggestion("there is no command '" + word + "'", finder, "") +
                         "\n  hint: gaur --help lists them"};
}

/// What to say about words that no option and no positional takes.
[[noreturn]] void refuseExtras(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* command = app.get_subcommands().front();
  for (const std::string& word : command->remaining()) {
    if (word.size() < 2 || word[0] != '-') continue;
    std::string name = word.substr(word.find_first_not_of('-'));
    name.resize(std::min(name.size(), name.find('=')));
    gaur::NearName finder(name);
    for (const CLI::Option* option : command->get_options())
      for (const std::string& known : option->get_lnames()) finder.offer(known);
    throw Exit{kUsage, withSuggestion("'" + words[1] + "' has no option '" + word + "'", finder, "--") +
                           "\n  hint: gaur " + words[1] + " --help lists them" +
                           (words[1] == "run" || words[1] == "heap"
                                ? "; words for the program that begin with - come after --"
                                : "")};
  }
  throw Exit{kUsage, "'" + words[1] + "' takes no argument '" + command->remaining().front() + "'"};
}

int runCommand(int argc, char** argv) {
  CLI::App app("Gaur, a Mu-style micro virtual machine", "gaur");
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help for all subcommands");
  app.set_version_flag("--version", "gaur " GAUR_VERSION);
  app.footer(
      "Exit status: 0 success, 1 a check or test failed, 2 usage, 3 parse or verify error, 4 image error, 5 "
      "out of resources,\n"
      "6 uncaught guest failure, 70 bug in the VM, 124 out of time (`run --timeout`); `run` otherwise passes "
      "on the program's own status.");
  Invocation invocation = beginInvocation();
  int own = static_cast<int>(std::find(argv, argv + argc, std::string_view("--")) - argv);
  if (own < argc) invocation.afterDashes.assign(argv + own + 1, argv + argc);
  std::vector<std::string> words = separateOptionValues(own, argv);
  addSubcommands(app, invocation, words.size() > 1 ? words[1] : "");
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    command->set_help_all_flag();
  if (words.size() > 1 && words[1][0] != '-') checkSubcommand(app, words[1]);
  try {
    // The parser takes words from the end.
    app.parse(std::vector<std::string>(words.rbegin(), words.rend() - 1));
  } catch (const CLI::ExtrasError&) {
    refuseExtras(app, words);
  } catch (const CLI::ParseError& error) {
    int status = app.exit(error);
    return status == 0 ? kOk : kUsage;
  }
  return kOk;
}

}  // namespace

int gaurCommandLine(int argc, char** argv) {
  return statusOf([&] { return runCommand(argc, argv); });
}
