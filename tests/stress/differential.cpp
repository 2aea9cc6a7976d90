// Random valid programs (vm/ir/random.h) must compute the same at O0 and at O2.
//   stress_differential FIRST_SEED COUNT
//   stress_differential SEED             prints the program
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "vm/ir/random.h"
#include "vm/runtime/micro_vm.h"

namespace {

using namespace gaur;

/// What @main returns, or a text that says how it ended.
std::string run(const std::string& text, std::uint64_t optLevel) {
  Options options;
  options.optLevel = optLevel;
  options.heapSize = std::uint64_t{16} << 20;
  auto vm = runtime::MicroVm::create(options);
  if (!vm) return vm.error().message;
  Diagnostics diagnostics;
  SourceText source{"random", text};
  if (!(*vm)->load(source, diagnostics)) return render(diagnostics, source);
  auto* main = (*vm)->program().entityOf<ir::Function>((*vm)->program().idOf("main"));
  alignas(16) std::uint64_t result[2] = {};
  auto outcome = (*vm)->call(*main, nullptr, result);
  if (outcome.kind != runtime::CallOutcome::Kind::Returned) return outcome.report;
  return std::to_string(result[0]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2) return std::fputs(ir::randomBundle(std::strtoul(argv[1], nullptr, 10)).c_str(), stdout) < 0;
  if (argc != 3) return 2;
  unsigned long first = std::strtoul(argv[1], nullptr, 10), count = std::strtoul(argv[2], nullptr, 10);
  int failures = 0;
  for (unsigned long seed = first; seed < first + count; ++seed) {
    // A process each: a crash is one failure, and the next seed starts clean.
    std::fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      alarm(60);
      std::string text = ir::randomBundle(seed);
      std::string fast = run(text, 0), full = run(text, 2);
      if (fast != full) std::printf("seed %lu: O0 gives %s, O2 gives %s\n", seed, fast.c_str(), full.c_str());
      std::fflush(stdout);
      _exit(fast == full ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) std::printf("seed %lu: signal %d\n", seed, WTERMSIG(status));
    failures += status != 0;
  }
  std::printf("%lu programs, %d failures\n", count, failures);
  return failures == 0 ? 0 : 1;
}
