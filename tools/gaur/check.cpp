// `gaur check FILE...`: parse, link and verify, without running anything. Several files are bundles of one
// program, loaded in order.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/gaur/command.h"
#include "vm/ir/parser.h"

namespace gaur::tool {

namespace {

/// Loads the source into the program; false where it is wrong.
bool load(ir::Program& program, Source& source) {
  ir::Builder builder(program, source.path);
  parse(source.view(), builder, source.diagnostics);
  std::lock_guard lock(program.loadMutex());
  std::unique_ptr<ir::Bundle> bundle;
  if (!source.diagnostics.failed()) bundle = builder.finish(source.diagnostics);
  source.diagnostics.sortByPosition();
  if (!bundle) return false;
  program.publish(std::move(bundle));
  return true;
}

}  // namespace

void addCheck(CLI::App& app, Invocation& invocation) {
  struct Arguments {
    std::vector<std::string> files;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("check", "Parse and verify bundles");
  command->add_option("FILE", arguments->files, "Bundles (.uir), loaded in order; - is standard input")
      ->required();
  command->add_flag("--json", invocation.json, "Diagnostics as JSON on standard output");
  command->add_option("--error-limit", invocation.options.errorLimit, "Errors shown of one file")
      ->check(CLI::PositiveNumber);
  command->callback([arguments, &invocation] {
    ir::Program program;
    nlohmann::json said = nlohmann::json::array();
    bool isGood = true;
    // Later bundles may use what earlier ones define, so the first wrong one ends it.
    for (auto file = arguments->files.begin(); isGood && file != arguments->files.end(); ++file) {
      Source source(*file, invocation.options.errorLimit);
      isGood = load(program, source);
      if (invocation.json) {
        for (auto& diagnostic : diagnosticsJson(source)) said.push_back(std::move(diagnostic));
      } else {
        report(source, invocation);
      }
    }
    if (invocation.json) printJson(said);
    if (!isGood) throw Exit{kBadSource, ""};
  });
}

}  // namespace gaur::tool
