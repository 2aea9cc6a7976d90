// `gaur completion SHELL` and `gaur man`: made from the table of subcommands and options that the parser itself uses.
#include <algorithm>
#include <cstdio>

#include "tools/gaur/command.h"

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
  std::printf("  if [ \"$COMP_CWORD\" = 1 ]; then COMPREPLY=($(compgen -W '%s' -- \"$word\")); return; fi\n", joined(names(app)).c_str());
  std::printf("  case \"$word\" in -*) case \"$command\" in\n");
  for (const CLI::App* command : subcommands(app))
    std::printf("    %s) COMPREPLY=($(compgen -W '%s' -- \"$word\"));;\n", command->get_name().c_str(), joined(flagsOf(*command)).c_str());
  std::printf("  esac;; *) COMPREPLY=($(compgen -f -- \"$word\"));; esac\n}\ncomplete -F _gaur gaur\n");
}

void printZsh(const CLI::App& app) {
  std::printf("#compdef gaur\n_gaur() {\n  if (( CURRENT == 2 )); then compadd -- %s; return; fi\n", joined(names(app)).c_str());
  std::printf("  if [[ $words[CURRENT] != -* ]]; then _files; return; fi\n  case $words[2] in\n");
  for (const CLI::App* command : subcommands(app))
    std::printf("    %s) compadd -- %s;;\n", command->get_name().c_str(), joined(flagsOf(*command)).c_str());
  std::printf("  esac\n}\n_gaur\n");
}

void printFish(const CLI::App& app) {
  for (const CLI::App* command : subcommands(app)) {
    std::printf("complete -c gaur -n __fish_use_subcommand -a %s -d '%s'\n", command->get_name().c_str(), command->get_description().c_str());
    for (const CLI::Option* option : command->get_options())
      for (const std::string& name : option->get_lnames())
        std::printf("complete -c gaur -n '__fish_seen_subcommand_from %s' -l %s -d \"%s\"\n", command->get_name().c_str(), name.c_str(),
                    option->get_description().c_str());
  }
}

/// Text for roff: backslashes and leading dots mean something there.
std::string roff(std::string text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '-') out += '\\';
    out += c;
  }
  if (!out.empty() && (out[0] == '.' || out[0] == '\'')) out.insert(0, "\\&");
  return out;
}

void printMan(const CLI::App& app) {
  std::printf(".TH GAUR 1 \"\" \"gaur %s\" \"User Commands\"\n.SH NAME\ngaur \\- %s\n.SH SYNOPSIS\n.B gaur\nCOMMAND [OPTION]... [ARGUMENT]...\n", GAUR_VERSION,
              roff(app.get_description()).c_str());
  for (const CLI::App* command : subcommands(app)) {
    std::printf(".SH %s\n%s\n", roff(command->get_name()).c_str(), roff(command->get_description()).c_str());
    for (const CLI::Option* option : command->get_options())
      std::printf(".TP\n.B %s\n%s\n", roff(option->get_name(true)).c_str(), roff(option->get_description()).c_str());
  }
  std::printf(".SH EXIT STATUS\n%s\n", roff(app.get_footer()).c_str());
}

}  // namespace

void addSelfDescription(CLI::App& app) {
  CLI::App* completion = app.add_subcommand("completion", "Completion script for a shell");
  auto shell = std::make_shared<std::string>();
  completion->add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([shell, &app] {
    if (*shell == "bash") printBash(app);
    if (*shell == "zsh") printZsh(app);
    if (*shell == "fish") printFish(app);
  });
  app.add_subcommand("man", "The manual page, for `man -l -`")->callback([&app] { printMan(app); });
}

}  // namespace gaur::tool
