// The command `gaur`. A program that is run without options needs nothing of what reads command lines, which
// would be a sixth of the time that a small image takes to start; so that is in a library of its own, for all
// else.
#include <algorithm>
#include <cstdio>
#include <string_view>

#include "tools/gaur/command_line.h"
#if GAUR_JIT
#include <dlfcn.h>

#include "tools/gaur/run_program.h"
#endif

#if GAUR_JIT
namespace {

using namespace gaur::tool;

/// `gaur run FILE WORDS`, where no word looks like an option.
bool isPlainRun(int argc, char** argv) {
  return argc > 2 && std::string_view(argv[1]) == "run" &&
         std::none_of(argv + 2, argv + argc, [](const char* word) { return *word == '-'; });
}

int commandLine(int argc, char** argv) {
  void* library = dlopen("libgaur-cli.so", RTLD_NOW | RTLD_LOCAL);
  void* function = library ? dlsym(library, "gaurCommandLine") : nullptr;
  if (function) return reinterpret_cast<decltype(&gaurCommandLine)>(function)(argc, argv);
  std::fprintf(stderr, "gaur: the installation is not whole: %s\n", dlerror());
  return kResources;
}

}  // namespace
#endif

int main(int argc, char** argv) {
#if GAUR_JIT
  if (!isPlainRun(argc, argv)) return commandLine(argc, argv);
  return statusOf([&]() -> int {
    Invocation invocation = beginInvocation();
    RunArguments arguments;
    arguments.words.assign(argv + 2, argv + argc);
    runProgram(arguments, invocation);
  });
#else
  return gaurCommandLine(argc, argv);
#endif
}
