// WATCHPOINT and WPBRANCH: an instruction that does nothing until the runtime makes it a jump. What is done
// while the watchpoint is enabled lies out of the way, so that a disabled one costs a no-operation.
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/TargetParser/Triple.h>

#include "jit/llvm/lowering.h"
#include "jit/llvm/watchpoint_sites.h"

namespace gaur::jit {

namespace {

llvm::InlineAsm* assembly(llvm::LLVMContext& context, const std::string& text, const char* constraints) {
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), false);
  return llvm::InlineAsm::get(type, text, constraints, /*hasSideEffects=*/true);
}

/// The assembly stays where it is, but accesses to memory may move across it: those of a loop out of the
/// loop.
void letMemoryPass(llvm::CallBase& call) {
  call.setDoesNotThrow();
  call.setMemoryEffects(llvm::MemoryEffects::inaccessibleMemOnly());
}

}  // namespace

void FunctionLowering::watchpointSite(std::uint32_t watchpoint, const ir::Dest* disabled) {
  llvm::LLVMContext& context = module_.context();
  llvm::BasicBlock* off = newBlock("disabled");
  llvm::BasicBlock* on = newBlock("enabled");
  auto text = watchpointAssembly(llvm::Triple(module_.module().getTargetTriple()), watchpoint);
  llvm::InlineAsm* site = assembly(context, text, "!i");
  auto* branch = builder_.CreateCallBr(site->getFunctionType(), site, off, {on}, {});
  letMemoryPass(*branch);
  branch->setMetadata(llvm::LLVMContext::MD_prof, llvm::MDBuilder(context).createLikelyBranchWeights());

  // Both ways begin in a block of their own that is not empty, so that LLVM never joins them with others: it
  // cannot split such an edge again, nor bring a loop into shape that has one as its back edge.
  builder_.SetInsertPoint(off);
  llvm::InlineAsm* nothing = assembly(context, "", "");
  letMemoryPass(*builder_.CreateCall(nothing->getFunctionType(), nothing));
  branchTo(disabled);
  builder_.SetInsertPoint(on);
  // Who enables a watchpoint has something to tell: it has happened before what runs here.
  builder_.CreateFence(llvm::AtomicOrdering::Acquire);
}

void FunctionLowering::lowerWpBranch(ir::WpBranch inst) {
  watchpointSite(inst.watchpointId(), inst.disabled());
  branchTo(inst.enabled());
}

void FunctionLowering::lowerWatchpoint(ir::Watchpoint inst) {
  watchpointSite(inst.watchpointId(), inst.disabled());
  trapCall(inst.inst);
  branchTo(inst.enabled());
}

}  // namespace gaur::jit
