// `gaur version`: what this build is, for bug reports.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/gaur/subcommands.h"
#include "vm/support/errors.h"

namespace gaur::tool {

namespace {
#if defined(__x86_64__)
constexpr const char* kTarget = "x86_64-linux";
#else
constexpr const char* kTarget = "aarch64-linux";
#endif
}  // namespace

void addVersion(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("version", "Version and build");
  command->add_flag("--json", invocation.json, "As JSON");
  command->callback([&invocation] {
    if (invocation.json) {
      nlohmann::json about{{"version", GAUR_VERSION},
                           {"target", kTarget},
                           {"checkLevel", GAUR_CHECK_LEVEL},
                           {"jit", GAUR_JIT != 0},
                           {"compiler", __VERSION__}};
      printJson(about);
    } else {
      std::printf("gaur %s (%s, checks %d, %s)\n", GAUR_VERSION, kTarget, GAUR_CHECK_LEVEL,
                  GAUR_JIT ? "with JIT" : "without JIT");
    }
  });
}

}  // namespace gaur::tool
