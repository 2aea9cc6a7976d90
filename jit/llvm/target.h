// The machine to compile for, and the code generator for it.
#pragma once

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>

#include "jit/compiler.h"

namespace llvm {
class AsmPrinter;
class Module;
}  // namespace llvm

namespace gaur::jit {

/// A target machine with its passes, for one module after the other: to set up the passes takes as long as to
/// compile a small function.
class CodeGenerator {
 public:
  explicit CodeGenerator(OptLevel level);

  llvm::TargetMachine& machine() { return *machine_; }
  /// An object file in memory. Consumes what is in the module.
  std::unique_ptr<llvm::MemoryBuffer> emitObject(llvm::Module& module);

 private:
  std::unique_ptr<llvm::TargetMachine> machine_;
  llvm::SmallVector<char, 0> bytes_;
  llvm::raw_svector_ostream stream_{bytes_};
  llvm::legacy::PassManager passes_;
  /// One of them.
  llvm::AsmPrinter* printer_;
};

/// That of this thread for a level. Making one takes a millisecond, so each thread keeps its own.
CodeGenerator& codeGenerator(OptLevel level);

/// Sets triple and data layout of a fresh module.
void setTarget(llvm::Module& module, const llvm::TargetMachine& machine);

}  // namespace gaur::jit
