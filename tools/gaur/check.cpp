// `gaur check FILE...`: parse, link and verify, without running anything. Several files are bundles of one
// program, loaded in order; HAIL scripts are checked against those before them.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/gaur/subcommands.h"
#include "vm/ir/hail.h"

namespace gaur::tool {

void addCheck(CLI::App& app, Invocation& invocation) {
  struct Arguments {
    std::vector<std::string> files;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("check", "Parse and verify bundles and HAIL scripts");
  command
      ->add_option("FILE", arguments->files,
                   "Bundles (.uir) and HAIL scripts (.hail), loaded in order; - is standard input")
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
      isGood = source.isHail() ? ir::readHail(source.view(), program, source.diagnostics).has_value()
                               : loadInto(program, source) != nullptr;
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
