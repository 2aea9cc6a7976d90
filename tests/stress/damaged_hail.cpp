// Damaged HAIL scripts: those of the conformance suite, truncated or with flipped bits, must be evaluated or
// refused with a diagnostic, one after another in one VM that collects all the time. A crash, a hang or a
// failed check ends the process, and the seed that was running is printed.
//   stress_damaged_hail FIRST_SEED COUNT
#include <cstdlib>

#include "tests/stress/damage.h"
#include "vm/runtime/micro_vm.h"

namespace {

using namespace gaur;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

std::unique_ptr<runtime::MicroVm> makeMachine() {
  Options options;
  options.gcStress = 5;
  options.maxHeap = std::uint64_t{256} << 20;  // lengths are damaged too
  auto made = runtime::MicroVm::create(options);
  if (!made) die(made.error().message);
  for (const std::string& text : stress::readTexts({"tests/conformance/hail"}, ".uir")) {
    Diagnostics diagnostics;
    if (!(*made)->load({"bundle", text}, diagnostics)) die(render(diagnostics, {"bundle", text}));
  }
  return std::move(*made);
}

bool evaluate(runtime::MicroVm& vm, const std::string& text) {
  Diagnostics diagnostics;
  SourceText source{"damaged", text};
  if (vm.loadHail(source, diagnostics)) return true;
  if (!diagnostics.failed() || render(diagnostics, source).empty()) die("refused without a diagnostic");
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto texts = stress::readTexts({"tests/conformance/hail"}, ".hail");
  if (texts.empty()) return 2;
  std::unique_ptr<runtime::MicroVm> vm;
  return stress::workThroughSeeds(
      std::strtoul(argv[1], nullptr, 10), std::strtoul(argv[2], nullptr, 10), [&](std::mt19937_64& random) {
        if (!vm) vm = makeMachine();  // in the child: threads do not survive the fork
        return evaluate(*vm, stress::damage(texts[random() % texts.size()], random));
      });
}
