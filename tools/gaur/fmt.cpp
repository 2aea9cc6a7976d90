// `gaur fmt FILE...`: canonical white space, in place where asked.
#include <cstdio>
#include <fstream>

#include "tools/gaur/command.h"
#include "vm/ir/formatter.h"

namespace gaur::tool {

void addFmt(CLI::App& app, Invocation& invocation) {
  struct Arguments {
    std::vector<std::string> files;
    bool inPlace = false;
    bool check = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("fmt", "Format bundles; comments and inline forms stay as written");
  command->add_option("FILE", arguments->files, "Bundles (.uir); - is standard input")->required();
  command->add_flag("-i,--in-place", arguments->inPlace, "Write the files instead of standard output");
  command->add_flag("--check", arguments->check, "Write nothing; fail where a file is not formatted");
  command->callback([arguments, &invocation] {
    int status = kOk;
    for (const std::string& file : arguments->files) {
      Source source(file, invocation.options.errorLimit);
      auto text = ir::format(source.view(), source.diagnostics);
      if (!text) {
        // The other files are formatted all the same.
        report(source, invocation);
        status = kBadSource;
        continue;
      }
      if (arguments->check) {
        if (*text == source.text) continue;
        std::fprintf(stderr, "%s is not formatted\n", file.c_str());
        if (status == kOk) status = kProgramFailed;
      } else if (arguments->inPlace && file != "-") {
        if (*text == source.text) continue;
        std::ofstream out(file, std::ios::binary | std::ios::trunc);
        if (!(out << *text).flush()) throw Exit{kResources, "cannot write '" + file + "'"};
      } else {
        std::fwrite(text->data(), 1, text->size(), stdout);
      }
    }
    throw Exit{status, ""};
  });
}

}  // namespace gaur::tool
