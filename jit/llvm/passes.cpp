#include "jit/llvm/passes.h"

#include <llvm/ADT/SetVector.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Module.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Utils/LoopSimplify.h>

#include "vm/support/check.h"

namespace gaur::jit {

namespace {

/// Emits an empty use of the value.
void use(llvm::Value* value, llvm::BasicBlock::iterator place) {
  llvm::IRBuilder<> builder(place->getParent(), place);
  auto* type = llvm::FunctionType::get(builder.getVoidTy(), {value->getType()}, false);
  auto* assembly = llvm::InlineAsm::get(type, "", "r", /*hasSideEffects=*/true);
  auto* call = builder.CreateCall(assembly, {value});
  // It must stay, but touches no memory that guest code knows.
  call->setDoesNotThrow();
  call->setMemoryEffects(llvm::MemoryEffects::inaccessibleMemOnly());
}

bool isBase(const llvm::Value* value, const llvm::Loop& loop) {
  if (!value->getType()->isPointerTy()) return false;
  // Cells in the frame and global cells are no matter of the collector.
  const llvm::Value* object = llvm::getUnderlyingObject(value);
  if (llvm::isa<llvm::AllocaInst>(object) || llvm::isa<llvm::Constant>(object)) return false;
  if (llvm::isa<llvm::Argument>(value)) return true;
  auto* instruction = llvm::dyn_cast<llvm::Instruction>(value);
  return instruction && !loop.contains(instruction);
}

void keepBases(const llvm::Loop& loop) {
  llvm::SetVector<llvm::Value*> bases;
  for (llvm::BasicBlock* block : loop.blocks())
    for (llvm::Instruction& instruction : *block) {
      if (auto* phi = llvm::dyn_cast<llvm::PHINode>(&instruction)) {
        // What comes in from outside is used on the way into the loop, and inside through the phi.
        for (unsigned i = 0; i < phi->getNumIncomingValues(); ++i)
          if (isBase(phi->getIncomingValue(i), loop)) bases.insert(phi->getIncomingValue(i));
        continue;
      }
      for (llvm::Value* operand : instruction.operands())
        if (isBase(operand, loop)) bases.insert(operand);
    }
  if (bases.empty()) return;

  llvm::SmallVector<llvm::BasicBlock*, 4> places;
  loop.getUniqueExitBlocks(places);
  // A loop that is never left holds its bases for ever.
  if (places.empty()) loop.getLoopLatches(places);
  for (llvm::BasicBlock* place : places) {
    auto at = place->getFirstInsertionPt();
    if (at == place->end()) continue;
    for (llvm::Value* base : bases) use(base, at);
  }
}

/// The managers that passes find their analyses through.
struct Analyses {
  explicit Analyses(llvm::PassBuilder& builder) {
    builder.registerModuleAnalyses(module);
    builder.registerCGSCCAnalyses(components);
    builder.registerFunctionAnalyses(function);
    builder.registerLoopAnalyses(loop);
    builder.crossRegisterProxies(loop, function, components, module);
  }
  llvm::LoopAnalysisManager loop;
  llvm::FunctionAnalysisManager function;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager module;
};

/// A few cheap passes over each function.
llvm::FunctionPassManager lightPipeline() {
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  passes.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/true));
  passes.addPass(llvm::InstCombinePass());
  passes.addPass(llvm::SimplifyCFGPass());
  return passes;
}

llvm::FunctionPassManager keepBasesPipeline() {
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::LoopSimplifyPass());
  passes.addPass(KeepBases());
  return passes;
}

}  // namespace

llvm::PreservedAnalyses KeepBases::run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses) {
  auto& loops = analyses.getResult<llvm::LoopAnalysis>(function);
  if (loops.empty()) return llvm::PreservedAnalyses::all();
  for (const llvm::Loop* loop : loops.getLoopsInPreorder()) keepBases(*loop);
  llvm::PreservedAnalyses preserved;
  preserved.preserveSet<llvm::CFGAnalyses>();
  return preserved;
}

void optimise(llvm::Module& module, OptLevel level, llvm::TargetMachine& machine) {
  if (level == OptLevel::O0) return;
  llvm::PassBuilder builder(&machine);
  Analyses analyses(builder);
  llvm::ModulePassManager passes;
  if (level == OptLevel::O1) {
    passes.addPass(llvm::AlwaysInlinerPass());
    passes.addPass(llvm::createModuleToFunctionPassAdaptor(lightPipeline()));
    passes.addPass(llvm::createModuleToFunctionPassAdaptor(keepBasesPipeline()));
  } else {
    // After the passes that make values loop-invariant, so that what is no object can be told, and before
    // those that leave only derived pointers in a loop: vectorisation, and strength reduction in the code
    // generator.
    builder.registerVectorizerStartEPCallback(
        [](llvm::FunctionPassManager& function, llvm::OptimizationLevel) {
          function.addPass(keepBasesPipeline());
        });
    passes.addPass(builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2));
  }
  passes.run(module, analyses.module);
}

}  // namespace gaur::jit
