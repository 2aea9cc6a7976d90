// Random programs by their seeds, each in a process of its own, and what they compute.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "vm/runtime/micro_vm.h"

namespace gaur::stress {

/// What @main returns, or a text that says how it ended. `handler`: of its traps.
inline std::string resultOf(const std::string& text, std::uint64_t optLevel,
                            runtime::TrapFunction handler = nullptr) {
  Options options;
  options.optLevel = optLevel;
  options.heapSize = std::uint64_t{16} << 20;
  auto vm = runtime::MicroVm::create(options);
  if (!vm) return vm.error().message;
  if (handler) (*vm)->trapHandlers().set(handler, nullptr);
  Diagnostics diagnostics;
  SourceText source{"random", text};
  if (!(*vm)->load(source, diagnostics)) return render(diagnostics, source);
  auto* main = (*vm)->program().entityOf<ir::Function>((*vm)->program().idOf("main"));
  alignas(16) std::uint64_t result[2] = {};
  auto outcome = (*vm)->call(*main, nullptr, result);
  if (outcome.kind != runtime::CallOutcome::Kind::Returned) return outcome.report;
  return std::to_string(result[0]);
}

/// The main function of a stress test whose words are FIRST_SEED and COUNT, or a SEED to print: textOf(seed)
/// is the program, agrees(seed) the test, which prints what is wrong.
template <class TextOf, class Agrees>
int runSeeds(int argc, char** argv, TextOf textOf, Agrees agrees) {
  auto number = [&](int i) { return std::strtoul(argv[i], nullptr, 10); };
  if (argc == 2) return std::fputs(textOf(number(1)).c_str(), stdout) < 0;
  if (argc != 3) return 2;
  const unsigned long first = number(1), count = number(2);
  int failures = 0;
  for (unsigned long seed = first; seed < first + count; ++seed) {
    // A process each: a crash is one failure, and the next seed starts clean.
    std::fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      alarm(60);
      const bool isGood = agrees(seed);
      std::fflush(stdout);
      _exit(isGood ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) std::printf("seed %lu: signal %d\n", seed, WTERMSIG(status));
    failures += status != 0;
  }
  std::printf("%lu programs, %d failures\n", count, failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace gaur::stress
