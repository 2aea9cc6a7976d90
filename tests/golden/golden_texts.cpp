// Golden texts: the rendered diagnostics of every parse-error case and of every HAIL script with errors, and
// the printed and formatted form of every case of the later dialect. One golden file a chapter. `--rewrite`
// replaces them by what is produced now.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <vector>

#include "vm/ir/formatter.h"
#include "vm/ir/hail.h"
#include "vm/ir/parser.h"
#include "vm/ir/printer.h"

namespace gaur::ir {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = GAUR_SOURCE_DIR;

struct Case {
  std::string name;
  std::string text;
  SourceText source() const { return {name, text}; }
};

std::string readFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<Case> casesOf(const char* chapter, const char* extension = ".uir") {
  std::vector<Case> cases;
  fs::path folder = kRoot / "tests/conformance" / chapter;
  if (!fs::exists(folder)) return cases;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == extension)
      cases.push_back({entry.path().filename().string(), readFile(entry.path())});
  }
  std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.name < b.name; });
  return cases;
}

std::unique_ptr<Bundle> load(Program& program, const Case& one, Diagnostics& diagnostics) {
  Builder builder(program, one.name);
  parse(one.source(), builder, diagnostics);
  if (diagnostics.failed()) return nullptr;
  std::lock_guard lock(program.loadMutex());
  return builder.finish(diagnostics);
}

std::string heading(const Case& one) { return "=== " + one.name + "\n"; }

std::string diagnosticsOf(const std::vector<Case>& cases) {
  std::string out;
  for (const Case& one : cases) {
    Program program;
    Diagnostics diagnostics(1000);
    load(program, one, diagnostics);
    out += heading(one) + render(diagnostics, one.source());
  }
  return out;
}

/// Scripts, each with the bundles that its directives name.
std::string hailDiagnostics(const std::vector<Case>& cases) {
  static constexpr std::string_view kBundle = "// bundle: ";
  std::string out;
  for (const Case& one : cases) {
    if (one.text.find("\n// error: ") == std::string::npos) continue;
    Program program;
    Diagnostics diagnostics(1000);
    std::istringstream lines(one.text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(kBundle)) continue;
      const std::string name = line.substr(kBundle.size());
      const Case bundle{name, readFile(kRoot / "tests/conformance/hail" / name)};
      if (auto loaded = load(program, bundle, diagnostics)) program.publish(std::move(loaded));
    }
    readHail(one.source(), program, diagnostics);
    if (!diagnostics.failed()) continue;  // the evaluation would find something
    out += heading(one) + render(diagnostics, one.source());
  }
  return out;
}

std::string printed(const std::vector<Case>& cases, PrintOptions::Dialect dialect) {
  std::string out;
  for (const Case& one : cases) {
    Program program;
    Diagnostics diagnostics;
    auto bundle = load(program, one, diagnostics);
    out += heading(one) + (bundle ? print(*bundle, {dialect}) : render(diagnostics, one.source()));
  }
  return out;
}

std::string formatted(const std::vector<Case>& cases) {
  std::string out;
  for (const Case& one : cases) {
    Diagnostics diagnostics;
    out += heading(one) + format(one.source(), diagnostics).value_or("malformed\n");
  }
  return out;
}

void showFirstDifference(const std::string& expected, const std::string& found) {
  std::istringstream a(expected), b(found);
  std::string section, lineA, lineB;
  for (unsigned number = 1;; ++number) {
    bool moreA = static_cast<bool>(std::getline(a, lineA));
    bool moreB = static_cast<bool>(std::getline(b, lineB));
    if (moreA && moreB && lineA == lineB) {
      if (lineA.starts_with("=== ")) section = lineA;
      continue;
    }
    std::printf("%s\n  line %u\n  expected: %s\n  found:    %s\n", section.c_str(), number,
                moreA ? lineA.c_str() : "(end)", moreB ? lineB.c_str() : "(end)");
    return;
  }
}

/// Number of golden files that differ: 0 or 1.
int compare(const char* path, const std::string& found, bool rewrite) {
  fs::path file = kRoot / "tests/golden" / path;
  if (rewrite) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << found;
    return 0;
  }
  std::string expected = readFile(file);
  if (expected == found && !found.empty()) return 0;
  std::printf("%s differs; rewrite it with golden_texts --rewrite if the change is wanted\n", file.c_str());
  showFirstDifference(expected, found);
  return 1;
}

int run(bool rewrite) {
  auto parseCases = casesOf("parse");
  auto dialectCases = casesOf("dialect");
  int different = compare("diagnostics/parse.txt", diagnosticsOf(parseCases), rewrite);
  different += compare("diagnostics/hail.txt", hailDiagnostics(casesOf("hail", ".hail")), rewrite);
  different +=
      compare("printed/dialect_spec.txt", printed(dialectCases, PrintOptions::Dialect::Spec), rewrite);
  different += compare("printed/dialect_muc.txt", printed(dialectCases, PrintOptions::Dialect::Muc), rewrite);
  different += compare("formatted/dialect.txt", formatted(dialectCases), rewrite);
  return different;
}

}  // namespace
}  // namespace gaur::ir

int main(int count, char** arguments) {
  bool rewrite = count > 1 && std::strcmp(arguments[1], "--rewrite") == 0;
  if (count > 1 && !rewrite) {
    std::fprintf(stderr, "usage: golden_texts [--rewrite]\n");
    return 2;
  }
  return gaur::ir::run(rewrite) == 0 ? 0 : 1;
}
