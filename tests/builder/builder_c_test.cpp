// The C programs of `gaur dump --stage=builder-c`: for every bundle of the repository, the program is
// printed, compiled, and run on a machine; what it builds is the bundle. Many go into one file for the C
// compiler, and every one builds on a machine of its own.
//
// usage: builder_c_test FOLDER-FOR-FILES
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "api/machine.h"
#include "api/mu/gaur.h"
#include "tests/builder/texts.h"
#include "tools/gaur/builder_c.h"

namespace gaur::test {
namespace {

/// Files for the C compiler; enough that they are done side by side, few enough that headers cost little.
constexpr unsigned kGroups = 16;

using BuildFunction = void (*)(MuCtx*);

struct Program {
  const Text* text = nullptr;
  std::string name;
  unsigned group = 0;
  BuildFunction build = nullptr;
};

/// Prints and compiles them all, and looks the functions up.
void compile(std::vector<Program>& programs, const fs::path& folder, Failures& failures) {
  std::vector<std::string> sources(kGroups);
  for (std::size_t i = 0; i < programs.size(); ++i) {
    Program& program = programs[i];
    program.name = "k" + std::to_string(i);
    program.group = static_cast<unsigned>(i % kGroups);
    tool::BuilderCOptions options;
    options.name = program.name;
    options.hasMain = false;
    sources[program.group] += tool::builderC(*program.text->bundle, options);
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
  for (Program& program : programs) {
    if (void* library = libraries[program.group])
      program.build = reinterpret_cast<BuildFunction>(dlsym(library, program.name.c_str()));
  }
}

/// Empty where the program builds what the text says. `before` builds what it refers to.
std::string failureOf(const Program& program, BuildFunction before) {
  if (!program.build) return "there is no program";
  MuVM* machine = gaur_new("opt=0 heap=32M");
  if (!machine) return gaur_new_error();
  MuCtx* context = machine->new_context(machine);
  if (before) before(context);
  program.build(context);
  std::string failure;
  if (MuError error; machine->get_error(machine, &error)) {
    failure = std::string(error.code) + " " + error.message;
  } else {
    failure = difference(*program.text->bundle, *api::Machine::of(machine).program().bundles().back());
  }
  machine->close(machine);
  return failure;
}

int run(const fs::path& folder) {
  fs::remove_all(folder);
  fs::create_directories(folder);
  const auto texts = loadedTexts();
  std::vector<Program> programs;
  for (const auto& text : texts) programs.emplace_back().text = text.get();
  Failures failures;
  compile(programs, folder, failures);
  std::map<const Text*, BuildFunction> builds;
  for (const Program& program : programs) builds[program.text] = program.build;
  inParallel(static_cast<unsigned>(programs.size()), [&](unsigned i) {
    const Text* before = programs[i].text->before;
    std::string failure = failureOf(programs[i], before ? builds.at(before) : nullptr);
    if (!failure.empty()) failures.add(programs[i].text->path.string() + ": " + failure);
  });
  constexpr std::size_t kAtLeast = 1000;
  if (programs.size() < kAtLeast) failures.add("only " + std::to_string(programs.size()) + " bundles");
  std::printf("%zu bundles rebuilt by their C programs, %d failures\n", programs.size(),
              failures.count.load());
  return failures.count == 0 ? 0 : 1;
}

}  // namespace
}  // namespace gaur::test

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: builder_c_test FOLDER\n");
    return 2;
  }
  return gaur::test::run(arguments[1]);
}
