// `gaur fmt FILE...`: canonical white space, in place where asked; with --dialect, the program that a text
// means, written in one of the two dialects.
#include <cstdio>
#include <fstream>

#include "tools/gaur/subcommands.h"
#include "vm/ir/formatter.h"
#include "vm/ir/printer.h"

namespace gaur::tool {

namespace {

struct FmtArguments {
  std::vector<std::string> files;
  std::vector<std::string> before;
  std::string dialect;
  bool inPlace = false;
  bool check = false;
};

/// The bundle in the dialect, formatted; nothing where the text cannot be loaded.
std::optional<std::string> translated(Source& source, const FmtArguments& arguments,
                                      const Invocation& invocation) {
  ir::Program program;
  loadBefore(program, arguments.before, invocation);
  const ir::Bundle* bundle = loadInto(program, source);
  if (!bundle) return std::nullopt;
  ir::PrintOptions options{arguments.dialect == "muc" ? ir::PrintOptions::Dialect::Muc
                                                      : ir::PrintOptions::Dialect::Spec};
  std::string text = ir::print(*bundle, options);
  Diagnostics none;
  return ir::format({source.path, text}, none);
}

void fmt(const FmtArguments& arguments, const Invocation& invocation) {
  int status = kOk;
  for (const std::string& file : arguments.files) {
    Source source(file, invocation.options.errorLimit);
    const auto language = source.isHail() ? ir::TextLanguage::Hail : ir::TextLanguage::Ir;
    auto text = arguments.dialect.empty() ? ir::format(source.view(), source.diagnostics, language)
                                          : translated(source, arguments, invocation);
    if (!text) {
      // The other files are formatted all the same.
      report(source, invocation);
      status = kBadSource;
      continue;
    }
    if (arguments.check) {
      if (*text == source.text) continue;
      std::fprintf(stderr, "%s is not formatted\n", file.c_str());
      if (status == kOk) status = kProgramFailed;
    } else if (arguments.inPlace && file != "-") {
      if (*text == source.text) continue;
      std::ofstream out(file, std::ios::binary | std::ios::trunc);
      if (!(out << *text).flush()) throw Exit{kResources, "cannot write '" + file + "'"};
    } else {
      std::fwrite(text->data(), 1, text->size(), stdout);
    }
  }
  throw Exit{status, ""};
}

}  // namespace

void addFmt(CLI::App& app, Invocation& invocation) {
  auto arguments = std::make_shared<FmtArguments>();
  CLI::App* command =
      app.add_subcommand("fmt", "Format bundles and HAIL scripts; comments and inline forms stay as written");
  command
      ->add_option("FILE", arguments->files, "Bundles (.uir) and HAIL scripts (.hail); - is standard input")
      ->required();
  command->add_flag("-i,--in-place", arguments->inPlace, "Write the files instead of standard output");
  command->add_flag("--check", arguments->check, "Write nothing; fail where a file is not formatted");
  auto* dialect =
      command
          ->add_option("--dialect", arguments->dialect,
                       "Write the program in this dialect, without comments: spec (2016: sigils, a name for "
                       "everything) or muc (2017: bare names, inline types and constants)")
          ->check(CLI::IsMember({"spec", "muc"}));
  command->add_option("--after", arguments->before, "Bundles that FILE refers to, loaded before it")
      ->needs(dialect)
      ->allow_extra_args(false);
  command->callback([arguments, &invocation] { fmt(*arguments, invocation); });
}

}  // namespace gaur::tool
