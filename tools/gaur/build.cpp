// `gaur build FILE... -o OUT`: loads bundles and makes a boot image of them. With --init a function runs
// first, and what it leaves in global cells and the heap is in the image.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "bootimage/image_output.h"
#include "tools/gaur/machine.h"
#include "tools/gaur/relocation.h"
#include "tools/gaur/subcommands.h"
#include "vm/runtime/thread.h"

namespace gaur::tool {

namespace {

struct BuildArguments {
  std::vector<std::string> files;
  std::string output;
  std::string entry;
  std::string init;
  std::vector<std::string> roots;
  std::vector<std::string> relocations;
  std::vector<std::string> sources;
  /// As the name of the output says, if nothing else does.
  std::optional<bootimage::ImageFormat> format;
  bootimage::UnknownPointers unknownPointers = bootimage::UnknownPointers::Warn;
  bootimage::CodePolicy code = bootimage::CodePolicy::Linked;
  bool compress = false;
  bool time = false;
};

bootimage::ImageFormat formatOf(const BuildArguments& arguments) {
  return arguments.format ? *arguments.format : bootimage::formatOfFile(arguments.output);
}

/// Shows how far a long build is, on a terminal, in a line that goes away.
class ProgressBar {
 public:
  ~ProgressBar() {
    if (lastPercent_ >= 0) std::fprintf(stderr, "\r\033[K");
  }
  void show(std::string_view stage, std::size_t done, std::size_t all) {
    constexpr int kWidth = 40;
    static const std::string kBar(kWidth, '#');
    const int percent = all ? static_cast<int>(done * 100 / all) : 100;
    if (!isTerminal_ || percent == lastPercent_) return;
    lastPercent_ = percent;
    const int filled = percent * kWidth / 100;
    std::fprintf(stderr, "\r%s [%.*s%*s] %3d%%", std::string(stage).c_str(), filled, kBar.c_str(),
                 kWidth - filled, "", percent);
  }

 private:
  bool isTerminal_ = isatty(STDERR_FILENO) != 0;
  int lastPercent_ = -1;
};

/// Calls a function without parameters. Throws Exit where it does not return.
void runInitialiser(Machine& machine, const std::string& name) {
  const ir::Function& function = machine.function(name);
  const ir::Signature* signature = function.signature->signature;
  if (!signature->parameters.empty())
    throw Exit{kUsage, makeError(ErrorId::EntryArguments,
                                 {ir::describe(function), std::to_string(signature->parameters.size()), "0"})
                           .message};
  CallMemory results(signature->results);
  auto outcome = machine.vm().call(function, nullptr, results.bytes());
  if (outcome.kind == runtime::CallOutcome::Kind::Returned) return;
  std::fprintf(stderr, "%s", outcome.report.c_str());
  throw Exit{outcome.kind == runtime::CallOutcome::Kind::NotStarted ? kResources : kGuestFailure,
             ir::describe(function) + " did not return"};
}

/// The function that a process begins with: the one asked for, else @main, if that is to be in the image;
/// kNoId where there is neither.
Id primordialFunction(Machine& machine, const BuildArguments& arguments) {
  if (!arguments.entry.empty()) return machine.function(arguments.entry).id;
  const ir::Program& program = machine.vm().program();
  const auto* main = program.entityOf<ir::Function>(program.idOf(kMain));
  auto isMain = [&](const std::string& name) {
    return program.entityOf<ir::Function>(program.idOf(name)) == main;
  };
  const bool isWanted =
      arguments.roots.empty() || std::any_of(arguments.roots.begin(), arguments.roots.end(), isMain);
  return main && isWanted ? main->id : kNoId;
}

std::vector<Id> whitelist(Machine& machine, const BuildArguments& arguments) {
  std::vector<Id> ids;
  for (const std::string& name : arguments.roots) {
    const Id id = machine.vm().program().idOf(name);
    if (id == kNoId) throw Exit{kUsage, makeError(ErrorId::ImageWhitelist, {name}).message};
    ids.push_back(id);
  }
  return ids.empty() ? bootimage::everythingIn(machine.vm().program()) : ids;
}

void printReport(const bootimage::BuildReport& report, const BuildArguments& arguments, bool json,
                 double seconds) {
  if (json) {
    nlohmann::ordered_json object{{"output", arguments.output},      {"functions", report.functions},
                                  {"objects", report.objects},       {"symbols", report.symbols},
                                  {"heapBytes", report.heapBytes},   {"codeBytes", report.codeBytes},
                                  {"imageBytes", report.imageBytes}, {"seconds", seconds},
                                  {"warnings", report.warnings}};
    return printJson(object);
  }
  for (const std::string& warning : report.warnings)
    std::fprintf(stderr, "gaur: warning: %s\n", warning.c_str());
  if (arguments.time)
    std::fprintf(stderr, "%zu functions, %zu objects, %zu symbols: %llu bytes in %.3f s\n", report.functions,
                 report.objects, report.symbols, static_cast<unsigned long long>(report.imageBytes), seconds);
}

void build(const BuildArguments& arguments, Invocation& invocation) {
  Machine machine(invocation.options);
  machine.loadAll(arguments.files, invocation);
  bootimage::BuildRequest request;
  request.primordialFunction = primordialFunction(machine, arguments);
  if (!arguments.init.empty()) runInitialiser(machine, arguments.init);
  request.whitelist = whitelist(machine, arguments);
  for (const std::string& text : arguments.relocations)
    request.relocations.push_back(readRelocation(machine, text));
  request.unknownPointers = arguments.unknownPointers;
  request.code = arguments.code;
  request.level = static_cast<jit::OptLevel>(invocation.options.optLevel);
  request.compress = arguments.compress;
  auto start = std::chrono::steady_clock::now();
  Result<bootimage::BuildReport> report = makeError(ErrorId::NotAvailable);
  {
    ProgressBar bar;
    request.progress = [&bar](std::string_view stage, std::size_t done, std::size_t all) {
      bar.show(stage, done, all);
    };
    runtime::Thread thread(machine.vm());
    report = bootimage::buildOutput(machine.vm(), request,
                                    {arguments.output, formatOf(arguments), arguments.sources});
  }
  if (!report) throw Exit{kBadImage, withHint(report.error())};
  printReport(*report, arguments, invocation.json,
              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace

void addBuild(CLI::App& app, Invocation& invocation) {
  auto arguments = std::make_shared<BuildArguments>();
  CLI::App* command = app.add_subcommand("build", "Make a boot image of bundles and what HAIL scripts make");
  command->add_option("FILE", arguments->files, "Bundles (.uir) and HAIL scripts (.hail), loaded in order")
      ->required();
  command
      ->add_option("-o,--output", arguments->output,
                   "The image: x.o is an object file, x.so a shared object, x a program, all others files "
                   "for `gaur run`")
      ->required();
  command->add_option("--entry", arguments->entry,
                      "Function that a process begins with: (int<32>, uptr<...>), or any that --entry of "
                      "`run` can call [@main, where there is one]");
  command->add_option(
      "--init", arguments->init,
      "Function to call before the image is made: what it leaves in the heap is in the image");
  command
      ->add_option("--root", arguments->roots,
                   "Entity to put into the image, with all that it needs [everything]")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command
      ->add_option("--reloc", arguments->relocations,
                   "Field of a global cell that gets the address of a native symbol at each start; SYMBOL?: "
                   "NULL where it is missing")
      ->type_name("CELL[INDEX]=SYMBOL")
      ->allow_extra_args(false);
  command
      ->add_option("--source", arguments->sources,
                   "C source that becomes part of a shared object or a program")
      ->type_name("FILE.c")
      ->allow_extra_args(false);
  using bootimage::ImageFormat;
  const std::map<std::string, ImageFormat> formats{{"img", ImageFormat::Image},
                                                   {"o", ImageFormat::Object},
                                                   {"so", ImageFormat::SharedObject},
                                                   {"exe", ImageFormat::Program}};
  command->add_option("--format", arguments->format, "What the output is, whatever its name")
      ->transform(CLI::CheckedTransformer(formats, CLI::ignore_case).description(""))
      ->type_name("img|o|so|exe");
  command
      ->add_option("--uptr", arguments->unknownPointers,
                   "What becomes of raw pointers that refer to nothing in the image [warn]")
      ->transform(CLI::CheckedTransformer(unknownPointerWords(), CLI::ignore_case).description(""))
      ->type_name("keep|warn|error|null");
  const std::map<std::string, bootimage::CodePolicy> code{{"linked", bootimage::CodePolicy::Linked},
                                                          {"none", bootimage::CodePolicy::None}};
  command
      ->add_option("--code", arguments->code,
                   "linked: compiled now; none: the IR alone, compiled when it runs [linked]")
      ->transform(CLI::CheckedTransformer(code, CLI::ignore_case).description(""))
      ->type_name("linked|none");
  command->add_flag("--compress", arguments->compress,
                    "Compress the image with zstd: a start has to unpack all of it");
  command->add_flag("--time", arguments->time, "Print what was built and how long it took to standard error");
  command->add_flag("--json", invocation.json, "The report as JSON");
  addVmOptions(*command, invocation.options);
  command->footer(
      "The image is run with `gaur run IMAGE ARGS`, in all of its forms; a program runs by itself. Functions "
      "whose names are C identifiers are C functions in objects "
      "and shared objects: `cc user.c x.o -lgaur`. Words for fields that no symbol is named for keep their "
      "bits.");
  command->callback([arguments, &invocation] { build(*arguments, invocation); });
}

}  // namespace gaur::tool
