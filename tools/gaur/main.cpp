// The command `gaur`: the table of subcommands, and the one place where it ends.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "tools/gaur/command.h"
#include "vm/support/log.h"

namespace {

using namespace gaur::tool;

/// Colour on terminals, unless NO_COLOR says otherwise (no-color convention).
bool wantsColour() { return isatty(STDERR_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr; }

int runCommand(int argc, char** argv) {
  CLI::App app("Gaur, a Mu-style micro virtual machine", "gaur");
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help for all subcommands");
  app.option_defaults()->always_capture_default(false);
  app.footer("Exit status: 0 success, 1 a check or test failed, 2 usage, 3 parse or verify error, 4 image error, 5 out of resources,\n"
             "6 uncaught guest failure, 70 bug in the VM; `run` otherwise passes on the program's own status.");
  Invocation invocation;
  invocation.colour = wantsColour();
  if (auto fromEnvironment = gaur::setOptionsFromEnvironment(invocation.options); !fromEnvironment)
    throw Exit{kUsage, fromEnvironment.error().message};
#if GAUR_JIT
  addRun(app, invocation);
#endif
  addCheck(app, invocation);
  addFmt(app, invocation);
#if GAUR_JIT
  addDump(app, invocation);
  addTest(app, invocation);
#endif
  addVersion(app, invocation);
  addSelfDescription(app);
  int own = static_cast<int>(std::find(argv, argv + argc, std::string_view("--")) - argv);
  if (own < argc) invocation.afterDashes.assign(argv + own + 1, argv + argc);
  try {
    app.parse(own, argv);
  } catch (const CLI::ParseError& error) {
    int status = app.exit(error);
    return status == 0 ? kOk : kUsage;
  }
  return kOk;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return runCommand(argc, argv);
  } catch (const Exit& exit) {
    if (!exit.message.empty()) std::fprintf(stderr, "gaur: %s\n", exit.message.c_str());
    return exit.code;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "gaur: out of memory\n");
    return kResources;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gaur: bug in the command: %s\n", error.what());
    return kInternal;
  }
}
