// `gaur completion SHELL` and `gaur man`: made from the table of subcommands and options that the parser
// itself uses.
#include <algorithm>
#include <cstdio>

#include "tools/gaur/subcommands.h"

namespace gaur::tool {

namespace {

std::vector<std::string> flagsOf(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  return flags;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::vector<const CLI::App*> subcommands(const CLI::App& app) {
  auto list = app.get_subcommands([](const CLI::App*) { return true; });
  return {list.begin(), list.end()};
}

std::vector<std::string> names(const CLI::App& app) {
  std::vector<std::string> list;
  for (const CLI::App* command : subcommands(app)) list.push_back(command->get_name());
  return list;
}

void printBash(const CLI::App& app) {
  std::printf("_gaur() {\n  local word=\"${COMP_WORDS[COMP_CWORD]}\" command=\"${COMP_WORDS[1]}\"\n");
  std::printf("  if [ \"$COMP_CWORD\" = 1 ]; then COMPREPLY=($(compgen -W '%s' -- \"$word\")); return; fi\n",
              joined(names(app)).c_str());
  std::printf("  case \"$word\" in -*) case \"$command\" in\n");
  for (const CLI::App* command : subcommands(app))
    std::printf("    %s) COMPREPLY=($(compgen -W '%s' -- \"$word\"));;\n", command->get_name().c_str(),
                joined(flagsOf(*command)).c_str());
  std::printf("  esac;; *) COMPREPLY=($(compgen -f -- \"$word\"));; esac\n}\ncomplete -F _gaur gaur\n");
}

void printZsh(const CLI::App& app) {
  std::printf("#compdef gaur\n_gaur() {\n  if (( CURRENT == 2 )); then compadd -- %s; return; fi\n",
              joined(names(app)).c_str());
  std::printf("  if [[ $words[CURRENT] != -* ]]; then _files; return; fi\n  case $words[2] in\n");
  for (const CLI::App* command : subcommands(app))
    std::printf("    %s) compadd -- %s;;\n", command->get_name().c_str(), joined(flagsOf(*command)).c_str());
  std::printf("  esac\n}\n_gaur\n");
}

/// In a fish string in single quotes.
std::string fishQuoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\\' || c == '\'') out += '\\';
    out += c;
  }
  return out + "'";
}

void printFish(const CLI::App& app) {
  for (const CLI::App* command : subcommands(app)) {
    const char* name = command->get_name().c_str();
    std::printf("complete -c gaur -n __fish_use_subcommand -f -a %s -d %s\n", name,
                fishQuoted(command->get_description()).c_str());
    for (const CLI::Option* option : command->get_options())
      for (const std::string& flag : option->get_lnames())
        std::printf("complete -c gaur -n '__fish_seen_subcommand_from %s' -l %s -d %s\n", name, flag.c_str(),
                    fishQuoted(option->get_description()).c_str());
  }
}

/// Text for roff: backslashes, hyphens and leading dots mean something there.
std::string roff(const std::string& text) {
  std::string out;
  bool isLineStart = true;
  for (char c : text) {
    if (isLineStart && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    isLineStart = c == '\n';
  }
  return out;
}

/// "-i, --in-place", "--heap SIZE", "FILE".
std::string synopsis(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name();
  std::string out;
  for (const std::string& name : option.get_snames()) out += (out.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames()) out += (out.empty() ? "--" : ", --") + name;
  // The name of the type goes on with the values it may have, which the description tells.
  std::string type = option.get_type_name();
  if (option.get_items_expected_max() > 0) out += " " + type.substr(0, type.find(':'));
  return out;
}

void printManOptions(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group() == kVmGroup) continue;
    std::printf(".TP\n.B %s\n%s\n", roff(synopsis(*option)).c_str(), roff(option->get_description()).c_str());
  }
}

/// The options of the VM, once for all subcommands, each with its environment variable.
void printManVmOptions(const CLI::App& app) {
  for (const CLI::App* command : subcommands(app)) {
    std::vector<const CLI::Option*> options =
        command->get_options([](const CLI::Option* o) { return o->get_group() == kVmGroup; });
    if (options.empty()) continue;
    std::printf(
        ".SH OPTIONS OF THE VIRTUAL MACHINE\nSubcommands that run or compile programs take these too.\n");
    for (const CLI::Option* option : options) {
      std::string environment;
      for (const OptionInfo& row : optionInfos())
        if (row.name == option->get_lnames().front()) environment = std::string(row.environment);
      std::printf(".TP\n.B %s\n%s. Environment: %s.\n", roff(synopsis(*option)).c_str(),
                  roff(option->get_description()).c_str(), environment.c_str());
    }
    return;
  }
}

void printMan(const CLI::App& app) {
  std::printf(
      ".TH GAUR 1 \"\" \"gaur %s\" \"User Commands\"\n.SH NAME\ngaur \\- a Mu-style micro virtual machine\n",
      GAUR_VERSION);
  std::printf(".SH SYNOPSIS\n.B gaur\nCOMMAND [OPTION]... [ARGUMENT]...\n");
  std::printf(
      ".SH DESCRIPTION\nGaur runs programs in Mu IR, a small typed SSA language that compilers of managed "
      "languages target:\n"
      "it checks them, compiles them while they run, collects their garbage and unwinds their "
      "exceptions.\n.SH COMMANDS\n");
  for (const CLI::App* command : subcommands(app)) {
    std::printf(".SS gaur %s\n%s.\n", roff(command->get_name()).c_str(),
                roff(command->get_description()).c_str());
    if (command->get_footer() != app.get_footer()) std::printf("%s\n", roff(command->get_footer()).c_str());
    printManOptions(*command);
  }
  printManVmOptions(app);
  std::printf(".SH EXIT STATUS\n%s\n", roff(app.get_footer()).c_str());
  std::printf(
      ".SH EXAMPLES\n.nf\ngaur run examples/sha256.uir README.md\ngaur run f.uir \\-\\-entry @f 20 \\-\\- "
      "\\-3\n"
      "gaur dump \\-\\-stage=asm f.uir @f\ngaur check \\-\\-json f.uir\n.fi\n");
}

}  // namespace

void addSelfDescription(CLI::App& app) {
  CLI::App* completion = app.add_subcommand("completion", "Completion script for a shell");
  auto shell = std::make_shared<std::string>();
  completion->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([shell, &app] {
    if (*shell == "bash") printBash(app);
    if (*shell == "zsh") printZsh(app);
    if (*shell == "fish") printFish(app);
  });
  app.add_subcommand("man", "The manual page, for `man -l -`")->callback([&app] { printMan(app); });
}

}  // namespace gaur::tool
