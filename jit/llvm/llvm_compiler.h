// The compiler of jit/compiler.h, made with LLVM: one method is the pipeline, one call a stage.
#pragma once

#include "jit/code_map.h"
#include "jit/code_slab.h"
#include "jit/llvm/session.h"

namespace llvm {
class Function;
class Module;
}  // namespace llvm

namespace gaur::jit {

class LlvmCompiler : public Compiler {
 public:
  static Result<std::unique_ptr<Compiler>> create(Environment& environment, CodeSlab& slab, CodeMap& map,
                                                  const CompilerOptions& options);

  Result<std::unique_ptr<CodeUnit>> compile(std::span<const ir::FunctionVersion* const> versions,
                                            OptLevel level) override;
  Result<std::unique_ptr<CodeUnit>> hostCallAdapter(const ir::Signature* signature) override;
  Result<std::unique_ptr<CodeUnit>> exposedAdapter(const ir::Signature* signature) override;
  Result<std::unique_ptr<CodeUnit>> startAdapter(const ir::Signature* signature) override;
  Result<std::unique_ptr<CodeUnit>> undefinedFunction(const ir::Function& function) override;
  Result<std::string> dump(const ir::FunctionVersion& version, OptLevel level, DumpStage stage) override;

 private:
  struct Observer;
  using Lower = llvm::function_ref<void(ModuleLowering&, LinkedSymbols&)>;
  using LowerAdapter = llvm::Function* (*)(ModuleLowering&, const ir::Signature*);

  LlvmCompiler(Environment& environment, std::unique_ptr<Session> session, const CompilerOptions& options)
      : environment_(environment), session_(std::move(session)), options_(options) {}

  /// The pipeline: lower, optimise, generate code, link. `what` names it in errors. `observer` may be null.
  Result<std::unique_ptr<CodeUnit>> run(Lower lower, OptLevel level, const std::string& what,
                                        Observer* observer);
  Result<std::unique_ptr<CodeUnit>> compileObserved(std::span<const ir::FunctionVersion* const> versions,
                                                    OptLevel level, Observer* observer);
  Result<std::unique_ptr<CodeUnit>> adapter(LowerAdapter lower, const ir::Signature* signature,
                                            abi::CodeKind kind, const std::string& what);
  void verify(const llvm::Module& module, const char* stage) const;

  Environment& environment_;
  std::unique_ptr<Session> session_;
  CompilerOptions options_;
};

}  // namespace gaur::jit
