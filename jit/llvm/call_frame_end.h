// A machine pass that mends what the fast register allocator does to calls whose callees take their arguments
// off the stack.
#pragma once

#include <llvm/CodeGen/MachineFunctionPass.h>

namespace gaur::jit {

/// Puts the end of a call frame right behind its call. The allocator puts reloads between the two, where the
/// stack pointer is not what it is elsewhere, and AArch64 finds spill slots by that. To run after the
/// allocator, before frames are laid out.
class CallFrameEnd : public llvm::MachineFunctionPass {
 public:
  static char ID;
  CallFrameEnd() : MachineFunctionPass(ID) {}

  llvm::StringRef getPassName() const override { return "Ends of call frames"; }
  void getAnalysisUsage(llvm::AnalysisUsage& usage) const override;
  bool runOnMachineFunction(llvm::MachineFunction& function) override;
};

}  // namespace gaur::jit
