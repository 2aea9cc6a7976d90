// `gaur errors`: every error a client can cause, by its code: what muapi.h's MuError::code stands for.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/gaur/subcommands.h"
#include "vm/support/errors.h"
#include "vm/support/near_name.h"

namespace gaur::tool {

namespace {

std::vector<ErrorInfo> errorsOf(const std::vector<std::string>& wanted) {
  std::vector<ErrorInfo> all, chosen;
  for (std::size_t i = 0; i < errorCount(); ++i) all.push_back(errorInfo(static_cast<ErrorId>(i)));
  if (wanted.empty()) return all;
  for (const std::string& code : wanted) {
    NearName finder(code);
    const std::size_t before = chosen.size();
    for (const ErrorInfo& info : all) {
      finder.offer(std::string(info.code));
      // A stage, "P", or a part of one, "P03", too.
      if (info.code.starts_with(code)) chosen.push_back(info);
    }
    if (chosen.size() == before)
      throw Exit{kUsage, "there is no error '" + code + "'" +
                             (finder.best().empty() ? "" : "; did you mean '" + finder.best() + "'?")};
  }
  return chosen;
}

void print(const std::vector<ErrorInfo>& errors, bool json) {
  if (json) {
    nlohmann::json list = nlohmann::json::array();
    for (const ErrorInfo& info : errors)
      list.push_back({{"code", info.code}, {"message", info.message}, {"hint", info.hint}});
    return printJson(list);
  }
  for (const ErrorInfo& info : errors) {
    std::printf("%.*s  %.*s\n", static_cast<int>(info.code.size()), info.code.data(),
                static_cast<int>(info.message.size()), info.message.data());
    if (!info.hint.empty())
      std::printf("       hint: %.*s\n", static_cast<int>(info.hint.size()), info.hint.data());
  }
}

}  // namespace

void addErrors(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("errors", "What the codes of errors mean");
  auto codes = std::make_shared<std::vector<std::string>>();
  command
      ->add_option(
          "CODE", *codes,
          "Codes, such as P0103, or their beginnings: P parsing, L linking, V verifying, H HAIL, R running, "
          "I images, O options, A calls of the C interface [all]")
      ->type_name("TEXT");
  command->add_flag("--json", invocation.json, "As JSON");
  command->callback([&invocation, codes] { print(errorsOf(*codes), invocation.json); });
}

}  // namespace gaur::tool
