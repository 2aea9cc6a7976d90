// `gaur check FILE...`: parse, link and verify, without running anything. Several files are bundles of one program, loaded in order.
#include <cstdio>

#include "tools/gaur/command.h"
#include "vm/ir/parser.h"

namespace gaur::tool {

void addCheck(CLI::App& app, Invocation& invocation) {
  struct Arguments {
    std::vector<std::string> files;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("check", "Parse and verify bundles");
  command->add_option("FILE", arguments->files, "Bundles (.uir), loaded in order; - is standard input")->required();
  command->add_flag("--json", invocation.json, "Diagnostics as JSON on standard output");
  command->add_option("--error-limit", invocation.options.errorLimit, "Errors shown of one file")->check(CLI::PositiveNumber);
  command->callback([arguments, &invocation] {
    ir::Program program;
    for (const std::string& file : arguments->files) {
      Source source(file, invocation.options.errorLimit);
      ir::Builder builder(program, file);
      parse(source.view(), builder, source.diagnostics);
      std::lock_guard lock(program.loadMutex());
      std::unique_ptr<ir::Bundle> bundle;
      if (!source.diagnostics.failed()) bundle = builder.finish(source.diagnostics);
      source.diagnostics.sortByPosition();
      if (invocation.json || !source.diagnostics.list().empty()) report(source, invocation);
      if (!bundle) throw Exit{kBadSource, ""};
      program.publish(std::move(bundle));
    }
  });
}

}  // namespace gaur::tool
