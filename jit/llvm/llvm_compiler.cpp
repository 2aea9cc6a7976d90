#include "jit/llvm/llvm_compiler.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include "jit/code_map_text.h"
#include "jit/compiler_factory.h"
#include "jit/llvm/adapters.h"
#include "jit/llvm/disassembler.h"
#include "jit/llvm/passes.h"
#include "jit/llvm/target.h"
#include "vm/support/check.h"

namespace gaur::jit {

namespace {

std::string textOf(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return text;
}

/// "@f" or "@f and 3 more".
std::string describeAll(std::span<const ir::FunctionVersion* const> versions) {
  std::string text = ir::describe(*versions.front()->function.target);
  if (versions.size() > 1) text += " and " + std::to_string(versions.size() - 1) + " more";
  return text;
}

}  // namespace

/// Texts of the stages, for dumps.
struct LlvmCompiler::Observer {
  DumpStage stage;
  std::string text;
  ExternalAddresses externals;
};

Result<std::unique_ptr<Compiler>> LlvmCompiler::create(Environment& environment, CodeSlab& slab, CodeMap& map,
                                                       const CompilerOptions& options) {
  auto session = Session::create(slab, map, options.keepAbsoluteWords);
  if (!session) return std::move(session).takeError();
  return std::unique_ptr<Compiler>(new LlvmCompiler(environment, std::move(*session), options));
}

void LlvmCompiler::verify(const llvm::Module& module, const char* stage) const {
  if (!options_.verify) return;
  std::string problem;
  llvm::raw_string_ostream stream(problem);
  bool broken = llvm::verifyModule(module, &stream);
  GAUR_CHECK(!broken, std::string("LLVM IR is wrong ") + stage + ":\n" + problem + "\n" + textOf(module));
}

Result<std::unique_ptr<CodeUnit>> LlvmCompiler::run(Lower lower, OptLevel level, const std::string& what,
                                                    Observer* observer) {
  // A fresh context each time: types and metadata stay in a context for as long as it lives.
  llvm::LLVMContext context;
  context.setDiscardValueNames(!observer);
  CodeGenerator& generator = codeGenerator(level);
  llvm::Module module(what, context);
  setTarget(module, generator.machine());

  ModuleLowering lowering(module, environment_, level);
  LinkedSymbols symbols;
  lower(lowering, symbols);
  if (lowering.failure()) return *lowering.failure();
  verify(module, "after lowering");
  if (observer && observer->stage == DumpStage::Llvm) observer->text = textOf(module);

  optimise(module, level, generator.machine());
  verify(module, "after optimisation");
  if (observer && observer->stage == DumpStage::LlvmOptimised) observer->text = textOf(module);

  auto object = generator.emitObject(module);
  if (observer) observer->externals = lowering.externals();
  return session_->link(std::move(object), lowering.externals(), symbols, lowering.inlinings(), what);
}

Result<std::unique_ptr<CodeUnit>> LlvmCompiler::compileObserved(
    std::span<const ir::FunctionVersion* const> versions, OptLevel level, Observer* observer) {
  GAUR_CHECK(!versions.empty());
  auto lower = [&](ModuleLowering& lowering, LinkedSymbols& symbols) {
    for (const ir::FunctionVersion* version : versions) {
      lowering.lower(*version);
      symbols[lowering.functionFor(*version)->getName()] = {abi::CodeKind::Function, version->id,
                                                            environment_.recordOf(*version->function)};
    }
  };
  return run(lower, level, describeAll(versions), observer);
}

Result<std::unique_ptr<CodeUnit>> LlvmCompiler::compile(std::span<const ir::FunctionVersion* const> versions,
                                                        OptLevel level) {
  return compileObserved(versions, level, nullptr);
}

Result<std::unique_ptr<CodeUnit>> LlvmCompiler::adapter(LowerAdapter lower, const ir::Signature* signature,
                                                        abi::CodeKind kind, const std::string& what) {
  auto lowerOne = [&](ModuleLowering& lowering, LinkedSymbols& symbols) {
    symbols[lower(lowering, signature)->getName()] = {kind};
  };
  // Adapters are small and made once for a signature: the cheap code is not worth its cost at each call.
  return run(lowerOne, OptLevel::O2, what, nullptr);
}

Result<std::unique_ptr<CodeUnit>> LlvmCompiler::hostCallAdapter(const ir::Signature* signature) {
  return adapter(&lowerHostCallAdapter, signature, abi::CodeKind::NativeAdapter, "a call adapter");
}

Result<std::unique_ptr<CodeUnit>> LlvmCompiler::exposedAdapter(const ir::Signature* signature) {
  return adapter(&lowerExposedAdapter, signature, abi::CodeKind::NativeAdapter,
                 "an adapter for native callers");
}

Result<std::unique_ptr<CodeUnit>> LlvmCompiler::startAdapter(const ir::Signature* signature) {
  return adapter(&lowerStartAdapter, signature, abi::CodeKind::StartAdapter, "an adapter for new stacks");
}

Result<std::unique_ptr<CodeUnit>> LlvmCompiler::undefinedFunction(const ir::Function& function) {
  auto lower = [&](ModuleLowering& lowering, LinkedSymbols& symbols) {
    symbols[lowerUndefinedFunction(lowering, function)->getName()] = {abi::CodeKind::Undefined, kNoId,
                                                                      environment_.recordOf(function)};
  };
  return run(lower, OptLevel::O0, ir::describe(function), nullptr);
}

Result<std::string> LlvmCompiler::dump(const ir::FunctionVersion& version, OptLevel level, DumpStage stage) {
  Observer observer{stage, {}, {}};
  const ir::FunctionVersion* only = &version;
  auto unit = compileObserved({&only, 1}, level, &observer);
  if (!unit) return std::move(unit).takeError();
  auto nameOf = [this](Id id) { return environment_.program().nameOf(id); };
  switch (stage) {
    case DumpStage::Llvm:
    case DumpStage::LlvmOptimised: return observer.text;
    case DumpStage::Assembly:
      return disassemble((*unit)->block(), nameAddresses(environment_, observer.externals), nameOf);
    case DumpStage::CodeMap: return describeCode((*unit)->block(), nameOf);
  }
  GAUR_UNREACHABLE("no such stage");
}

}  // namespace gaur::jit

void gaur_createCompiler(gaur::jit::Environment& environment, gaur::jit::CodeSlab& slab,
                         gaur::jit::CodeMap& map, const gaur::jit::CompilerOptions& options,
                         gaur::Result<std::unique_ptr<gaur::jit::Compiler>>& result) {
  result = gaur::jit::LlvmCompiler::create(environment, slab, map, options);
}
