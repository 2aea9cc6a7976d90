// What is done to a lowered module before code is generated from it.
#pragma once

#include <llvm/IR/PassManager.h>

#include "jit/compiler.h"

namespace llvm {
class Module;
class TargetMachine;
}  // namespace llvm

namespace gaur::jit {

/// Runs the passes of a level. At O0 there are none.
void optimise(llvm::Module& module, OptLevel level, llvm::TargetMachine& machine);

/// Keeps the base of every pointer that a loop may only hold in derived form. The optimiser can turn accesses
/// of an object into a running pointer that lies outside of it, and the collector, which may stop the thread
/// at any instruction, would find nothing that keeps the object alive. So each pointer from outside of a loop
/// that is used inside gets one more use behind the loop, at every exit: an empty piece of assembly, which
/// costs a register or a frame slot during the loop and no instruction, and does not hinder vectorisation.
/// Requires loops in simple form.
class KeepBases : public llvm::PassInfoMixin<KeepBases> {
 public:
  llvm::PreservedAnalyses run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses);
};

}  // namespace gaur::jit
