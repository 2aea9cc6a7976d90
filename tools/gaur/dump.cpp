// `gaur dump --stage=S FILE [@f...]`: what a bundle looks like at each stage on its way to machine code.
#include <cctype>
#include <cstdio>

#include "tools/gaur/builder_c.h"
#include "tools/gaur/machine.h"
#include "tools/gaur/subcommands.h"
#include "vm/ir/canonical.h"
#include "vm/ir/printer.h"

namespace gaur::tool {

namespace {

struct DumpArguments {
  std::vector<std::string> words;
  std::string stage = "ir";
  std::string dialect = "spec";
  std::vector<std::string> before;
  std::string name;
  std::string entry;
};

std::string cProgram(const ir::Program& program, const ir::Bundle& bundle, const DumpArguments& arguments) {
  BuilderCOptions options;
  options.hasMain = arguments.name.empty();
  if (!arguments.name.empty()) options.name = arguments.name;
  if (!arguments.entry.empty()) {
    options.entry = program.entityOf<ir::Function>(program.idOf(arguments.entry));
    if (!options.entry) throw Exit{kUsage, adviceFor(ErrorId::EntryUnknown, {arguments.entry})};
    const ir::Signature* signature = options.entry->signature->signature;
    if (!signature->parameters.empty() && !isMain(signature))
      throw Exit{kUsage, arguments.entry + " takes other arguments than none or argc and argv"};
  }
  return builderC(bundle, options);
}

/// The stages that show the bundle as a whole and need no machine.
void dumpText(const DumpArguments& arguments, const Invocation& invocation) {
  if (arguments.words.size() > 1) throw Exit{kUsage, "--stage=" + arguments.stage + " shows whole bundles"};
  ir::Program program;
  loadBefore(program, arguments.before, invocation);
  Source source(arguments.words.front(), invocation.options.errorLimit);
  const ir::Bundle* bundle = loadInto(program, source);
  if (!source.diagnostics.list().empty()) report(source, invocation);
  if (!bundle) throw Exit{kBadSource, ""};
  std::string text = arguments.stage == "canonical" ? ir::canonicalText(*bundle)
                     : arguments.stage == "names"   ? ir::localNames(*bundle)
                                                    : cProgram(program, *bundle, arguments);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void dumpLayout(const ir::Bundle& bundle) {
  for (const ir::TypeDef* definition : bundle.types) {
    const ir::Type* type = definition->type;
    if (definition->name().empty() || type->is(ir::TypeKind::Void)) continue;
    const abi::Layout& layout = abi::LayoutTable::shared().of(type);
    std::printf("%s: %s\n  size %llu, alignment %u", ir::describe(*definition).c_str(),
                ir::toString(type).c_str(), static_cast<unsigned long long>(layout.size), layout.alignment);
    if (layout.stride != 0) std::printf(", stride %llu", static_cast<unsigned long long>(layout.stride));
    std::printf("%s\n", layout.isPointerFree() ? ", no references" : "");
    for (std::size_t i = 0; i < layout.offsets.size(); ++i)
      std::printf("  %6llu  field %zu: %s\n", static_cast<unsigned long long>(layout.offsets[i]), i,
                  ir::toString(type->elements[i]).c_str());
  }
}

void dumpVersion(Machine& machine, const ir::FunctionVersion& version, const DumpArguments& arguments) {
  static const std::vector<std::pair<std::string, jit::DumpStage>> stages = {
      {"llvm", jit::DumpStage::Llvm},
      {"llvm-opt", jit::DumpStage::LlvmOptimised},
      {"asm", jit::DumpStage::Assembly},
      {"codemap", jit::DumpStage::CodeMap}};
  for (const auto& [name, stage] : stages) {
    if (name != arguments.stage) continue;
    auto text = machine.vm().dump(version, stage);
    if (!text) throw Exit{kResources, text.error().message};
    std::fputs(text->c_str(), stdout);
  }
}

void dump(const DumpArguments& arguments, const Invocation& invocation) {
  bool isBuilder = arguments.stage == "builder-c";
  if (!isBuilder && !(arguments.name.empty() && arguments.entry.empty()))
    throw Exit{kUsage, "--name and --entry are of --stage=builder-c"};
  if (isBuilder || arguments.stage == "canonical" || arguments.stage == "names")
    return dumpText(arguments, invocation);
  if (!arguments.before.empty()) throw Exit{kUsage, "--after is of --stage=builder-c, canonical and names"};
  Source source(arguments.words.front(), invocation.options.errorLimit);
  Machine machine(invocation.options);
  ir::Bundle* bundle = machine.load(source);
  if (!source.diagnostics.list().empty()) report(source, invocation);
  if (!bundle) throw Exit{kBadSource, ""};

  std::vector<const ir::FunctionVersion*> versions(bundle->versions.begin(), bundle->versions.end());
  if (arguments.words.size() > 1) {
    versions.clear();
    for (std::size_t i = 1; i < arguments.words.size(); ++i) {
      const ir::FunctionVersion* version = machine.function(arguments.words[i]).current;
      if (!version) throw Exit{kUsage, arguments.words[i] + " has no version"};
      versions.push_back(version);
    }
  }
  ir::PrintOptions options{arguments.dialect == "muc" ? ir::PrintOptions::Dialect::Muc
                                                      : ir::PrintOptions::Dialect::Spec};
  if (arguments.stage == "ir" && arguments.words.size() == 1)
    return void(std::fputs(ir::print(*bundle, options).c_str(), stdout));
  if (arguments.stage == "layout") return dumpLayout(*bundle);
  for (const ir::FunctionVersion* version : versions) {
    if (arguments.stage == "ir")
      std::fputs(ir::print(*version, options).c_str(), stdout);
    else
      dumpVersion(machine, *version, arguments);
  }
}

}  // namespace

void addDump(CLI::App& app, Invocation& invocation) {
  auto arguments = std::make_shared<DumpArguments>();
  CLI::App* command = app.add_subcommand("dump", "Show a bundle at a stage of compilation");
  command->add_option("FILE", arguments->words, "Bundle (.uir), then functions; all where none is named")
      ->required();
  command
      ->add_option("--stage", arguments->stage,
                   "ir, canonical (the program without the way it is written), names (of local entities), "
                   "builder-c (a C program that rebuilds it), layout, llvm, llvm-opt, asm or codemap [ir]")
      ->check(CLI::IsMember(
          {"ir", "canonical", "names", "builder-c", "layout", "llvm", "llvm-opt", "asm", "codemap"}));
  command->add_option("--dialect", arguments->dialect, "Of the IR printed: spec or muc [spec]")
      ->check(CLI::IsMember({"spec", "muc"}));
  command
      ->add_option("--after", arguments->before, "builder-c, canonical, names: bundles that FILE refers to")
      ->allow_extra_args(false);
  auto isIdentifier = [](const std::string& name) {
    bool isGood = !std::isdigit(static_cast<unsigned char>(name[0]));
    for (char c : name) isGood = isGood && (std::isalnum(static_cast<unsigned char>(c)) || c == '_');
    return isGood ? "" : "'" + name + "' is no C identifier";
  };
  command
      ->add_option("--name", arguments->name,
                   "builder-c: only the function NAME(MuCtx*) that builds, no main")
      ->check(isIdentifier);
  command->add_option("--entry", arguments->entry, "builder-c: function that its main starts");
  addVmOptions(*command, invocation.options);
  command->callback([arguments, &invocation] { dump(*arguments, invocation); });
}

}  // namespace gaur::tool
