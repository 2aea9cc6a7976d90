// The C programs of `gaur dump --stage=builder-c`: for every bundle of the repository, the program is
// printed, compiled, and run on a machine; what it builds is the bundle. Many go into one file for the C
// compiler, and every one builds on a machine of its own.
//
// usage: builder_c_test FOLDER-FOR-FILES
#include <dlfcn.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <thread>
#include <vector>

#include "api/machine.h"
#include "api/mu/gaur.h"
#include "tools/gaur/builder_c.h"
#include "vm/ir/canonical.h"
#include "vm/ir/parser.h"

namespace gaur {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kThreads = 2;
/// Files for the C compiler; enough that they are done side by side, few enough that headers cost little.
constexpr unsigned kGroups = 16;

using BuildFunction = void (*)(MuCtx*);

struct Text {
  fs::path path;
  std::string text;
  /// The bundle that it is a second part of, or null.
  const Text* before = nullptr;
  std::unique_ptr<ir::Program> program;
  ir::Bundle* bundle = nullptr;
  std::string name;
  unsigned group = 0;
  BuildFunction build = nullptr;
};

std::string readFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

ir::Bundle* load(ir::Program& program, const Text& text) {
  Diagnostics diagnostics;
  SourceText source{text.path.string(), text.text};
  ir::Builder builder(program, text.path.filename().string());
  ir::parse(source, builder, diagnostics);
  if (diagnostics.failed()) return nullptr;
  std::lock_guard lock(program.loadMutex());
  auto bundle = builder.finish(diagnostics);
  return bundle ? program.publish(std::move(bundle)) : nullptr;
}

/// Every bundle that can be loaded, the first parts before the second ones.
std::vector<std::unique_ptr<Text>> loadedTexts() {
  std::map<fs::path, std::unique_ptr<Text>> byPath;
  for (const char* folder : {"examples", "benchmarks", "tests/conformance"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(GAUR_SOURCE_DIR) / folder)) {
      if (entry.path().extension() != ".uir") continue;
      auto text = std::make_unique<Text>();
      text->path = entry.path();
      text->text = readFile(entry.path());
      byPath.emplace(entry.path(), std::move(text));
    }
  }
  for (auto& [path, text] : byPath) {
    constexpr std::string_view kDirective = "// part: of ";
    std::size_t at = text->text.find(kDirective);
    if (at != std::string::npos) {
      std::size_t begin = at + kDirective.size();
      fs::path first =
          path.parent_path() / text->text.substr(begin, text->text.find_first_of(" \n", begin) - begin);
      if (auto found = byPath.find(first); found != byPath.end()) text->before = found->second.get();
    }
    text->program = std::make_unique<ir::Program>();
    if (text->before && !load(*text->program, *text->before)) continue;
    text->bundle = load(*text->program, *text);
  }
  std::vector<std::unique_ptr<Text>> good;
  for (auto& [path, text] : byPath)
    if (text->bundle) good.push_back(std::move(text));
  return good;
}

/// Runs f(0), ..., f(count - 1) on all threads.
template <class F>
void inParallel(unsigned count, F f) {
  std::atomic<unsigned> next{0};
  auto work = [&] {
    for (unsigned i = next++; i < count; i = next++) f(i);
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
}

struct Failures {
  std::atomic<int> count{0};
  void add(const std::string& what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    ++count;
  }
};

/// Prints and compiles them all, and looks the functions up.
void compile(std::vector<std::unique_ptr<Text>>& texts, const fs::path& folder, Failures& failures) {
  std::vector<std::string> sources(kGroups);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Text& text = *texts[i];
    text.name = "k" + std::to_string(i);
    text.group = static_cast<unsigned>(i % kGroups);
    tool::BuilderCOptions options;
    options.name = text.name;
    options.hasMain = false;
    sources[text.group] += tool::builderC(*text.bundle, options);
  }
  std::vector<void*> libraries(kGroups);
  inParallel(kGroups, [&](unsigned group) {
    fs::path source = folder / ("group" + std::to_string(group) + ".c");
    fs::path library = folder / ("group" + std::to_string(group) + ".so");
    std::ofstream(source, std::ios::binary) << sources[group];
    std::string command = "cc -std=c99 -O0 -Wall -Wextra -Werror -pedantic -shared -fPIC -I" GAUR_SOURCE_DIR
                          "/api -o " +
                          library.string() + " " + source.string();
    if (std::system(command.c_str()) != 0) return failures.add("failed: " + command);
    libraries[group] = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!libraries[group]) failures.add(dlerror());
  });
  for (auto& text : texts) {
    if (void* library = libraries[text->group])
      text->build = reinterpret_cast<BuildFunction>(dlsym(library, text->name.c_str()));
  }
}

std::map<std::string, std::string> namesOf(const ir::Bundle& bundle) {
  std::map<std::string, std::string> names;
  std::istringstream lines(ir::localNames(bundle));
  for (std::string line; std::getline(lines, line);) {
    std::size_t at = line.find(" = ");
    names[line.substr(0, at)] = line.substr(at + 3);
  }
  return names;
}

/// Names are as they were, but for what two locals share, or a version with an older one of its function: IDs
/// go with names, so there a client can name only one.
std::string lostName(const ir::Bundle& original, const ir::Bundle& built) {
  for (const ir::FunctionVersion* version : original.versions)
    if (version->previous) return {};
  auto before = namesOf(original), after = namesOf(built);
  std::map<std::string, unsigned> uses;
  for (const auto& [place, name] : before) ++uses[name];
  for (const auto& [place, name] : before)
    if (uses[name] == 1 && after[place] != name) return place + " is " + after[place] + ", not " + name;
  return {};
}

/// Empty where the program builds what the text says.
std::string failureOf(const Text& text) {
  if (!text.build) return "there is no program";
  MuVM* machine = gaur_new("opt=0 heap=32M");
  if (!machine) return gaur_new_error();
  MuCtx* context = machine->new_context(machine);
  if (text.before) text.before->build(context);
  text.build(context);
  std::string failure;
  if (MuError error; machine->get_error(machine, &error)) {
    failure = std::string(error.code) + " " + error.message;
  } else {
    const ir::Bundle& built = *api::Machine::of(machine).program().bundles().back();
    if (ir::canonicalText(built) != ir::canonicalText(*text.bundle))
      failure = "it builds another program:\n" + ir::canonicalText(built) + "and not:\n" +
                ir::canonicalText(*text.bundle);
    if (failure.empty()) failure = lostName(*text.bundle, built);
  }
  machine->close(machine);
  return failure;
}

int run(const fs::path& folder) {
  fs::remove_all(folder);
  fs::create_directories(folder);
  auto texts = loadedTexts();
  Failures failures;
  compile(texts, folder, failures);
  inParallel(static_cast<unsigned>(texts.size()), [&](unsigned i) {
    std::string failure = failureOf(*texts[i]);
    if (!failure.empty()) failures.add(texts[i]->path.string() + ": " + failure);
  });
  constexpr std::size_t kAtLeast = 1000;
  if (texts.size() < kAtLeast)
    failures.add("only " + std::to_string(texts.size()) + " texts could be loaded");
  std::printf("%zu bundles rebuilt by their C programs, %d failures\n", texts.size(), failures.count.load());
  return failures.count == 0 ? 0 : 1;
}

}  // namespace
}  // namespace gaur

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: builder_c_test FOLDER\n");
    return 2;
  }
  return gaur::run(arguments[1]);
}
