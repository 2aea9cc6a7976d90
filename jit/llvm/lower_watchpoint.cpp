// WATCHPOINT and WPBRANCH: an instruction that does nothing until the runtime makes it a jump. What is done
// while the watchpoint is enabled lies out of the way, so that a disabled one costs a no-operation.
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/TargetParser/Triple.h>

#include "jit/llvm/lowering.h"
#include "jit/llvm/watchpoint_sites.h"

namespace gaur::jit {

void FunctionLowering::watchpointSite(std::uint32_t watchpoint, llvm::BasicBlock* disabled) {
  llvm::BasicBlock* enabled = newBlock("enabled");
  auto* type = llvm::FunctionType::get(builder_.getVoidTy(), false);
  auto text = watchpointAssembly(llvm::Triple(module_.module().getTargetTriple()), watchpoint);
  auto* branch = builder_.CreateCallBr(type, llvm::InlineAsm::get(type, text, "!i", /*hasSideEffects=*/true),
                                       disabled, {enabled}, {});
  // It stays where it is, but accesses to memory may move across it: those of a loop out of the loop.
  branch->setDoesNotThrow();
  branch->setMemoryEffects(llvm::MemoryEffects::inaccessibleMemOnly());
  branch->setMetadata(llvm::LLVMContext::MD_prof,
                      llvm::MDBuilder(module_.context()).createLikelyBranchWeights());
  builder_.SetInsertPoint(enabled);
  // Who enables a watchpoint has something to tell: it has happened before what runs here.
  builder_.CreateFence(llvm::AtomicOrdering::Acquire);
}

void FunctionLowering::lowerWpBranch(ir::WpBranch inst) {
  watchpointSite(inst.watchpointId(), edgeBlock(inst.disabled()));
  branchTo(inst.enabled());
}

void FunctionLowering::lowerWatchpoint(ir::Watchpoint inst) {
  watchpointSite(inst.watchpointId(), edgeBlock(inst.disabled()));
  trapCall(inst.inst);
  branchTo(inst.enabled());
}

}  // namespace gaur::jit
