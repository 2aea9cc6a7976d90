// Damaged bundles: every text of the conformance suite and the examples, truncated or with flipped bits, must
// load or be refused with a diagnostic. A crash, a hang or a failed check ends the process, and the seed that
// was running is printed.
//   stress_damaged_text FIRST_SEED COUNT
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "vm/ir/parser.h"

namespace {

using namespace gaur;

std::vector<std::string> readTexts() {
  std::vector<std::filesystem::path> paths;
  for (const char* folder : {"tests/conformance", "examples", "benchmarks"})
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::filesystem::path(GAUR_SOURCE_DIR) / folder))
      if (entry.path().extension() == ".uir") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> texts;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return texts;
}

std::string damage(std::string text, std::mt19937_64& random) {
  auto position = [&] { return random() % text.size(); };
  if (text.empty()) return text;
  switch (random() % 4) {
    case 0: text.resize(position()); break;
    case 1:
      for (std::uint64_t flips = 1 + random() % 8; flips > 0; --flips)
        text[position()] ^= static_cast<char>(1 << random() % 8);
      break;
    case 2: text.erase(position(), 1 + random() % 40); break;
    default: {
      std::string part = text.substr(position(), 1 + random() % 200);
      text.insert(position(), part);
      break;
    }
  }
  return text;
}

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
  unsigned long first = std::strtoul(argv[1], nullptr, 10), count = std::strtoul(argv[2], nullptr, 10);
  auto texts = readTexts();
  // What the parent shows when the child dies.
  auto* running = static_cast<unsigned long*>(
      mmap(nullptr, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (running == MAP_FAILED || texts.empty()) return 2;
  pid_t child = fork();
  if (child == 0) {
    unsigned long accepted = 0;
    for (unsigned long seed = first; seed < first + count; ++seed) {
      *running = seed;
      std::mt19937_64 random(seed);
      alarm(30);
      accepted += load(damage(texts[random() % texts.size()], random));
    }
    std::printf("%lu texts, %lu still valid\n", count, accepted);
    return 0;
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (status == 0) return 0;
  std::printf("seed %lu: status %d\n", *running, status);
  return 1;
}
