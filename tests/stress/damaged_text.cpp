// Damaged bundles: every text of the conformance suite and the examples, truncated or with flipped bits, must
// load or be refused with a diagnostic. A crash, a hang or a failed check ends the process, and the seed that
// was running is printed.
//   stress_damaged_text FIRST_SEED COUNT
#include <cstdlib>

#include "tests/stress/damage.h"
#include "vm/ir/parser.h"

namespace {

using namespace gaur;

/// Whether the text was accepted.
bool load(const std::string& text) {
  ir::Program program;
  ir::Builder builder(program, "damaged");
  Diagnostics diagnostics;
  SourceText source{"damaged", text};
  parse(source, builder, diagnostics);
  std::lock_guard lock(program.loadMutex());
  std::unique_ptr<ir::Bundle> bundle;
  if (!diagnostics.failed()) bundle = builder.finish(diagnostics);
  if (bundle) {
    program.publish(std::move(bundle));
    return true;
  }
  // A refusal says why, and can be shown.
  if (!diagnostics.failed() || render(diagnostics, source).empty()) {
    std::fprintf(stderr, "refused without a diagnostic\n");
    std::abort();
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto texts = stress::readTexts({"tests/conformance", "examples", "benchmarks"}, ".uir");
  if (texts.empty()) return 2;
  return stress::workThroughSeeds(
      std::strtoul(argv[1], nullptr, 10), std::strtoul(argv[2], nullptr, 10),
      [&](std::mt19937_64& random) { return load(stress::damage(texts[random() % texts.size()], random)); });
}
