#include "jit/llvm/call_frame_end.h"

#include <llvm/CodeGen/MachineBasicBlock.h>
#include <llvm/CodeGen/MachineFunction.h>
#include <llvm/CodeGen/MachineInstr.h>
#include <llvm/CodeGen/TargetInstrInfo.h>
#include <llvm/CodeGen/TargetSubtargetInfo.h>

#include <iterator>

namespace gaur::jit {

namespace {

/// Whether the callee has moved the stack pointer by then.
bool isMoved(const llvm::MachineInstr& end) { return end.getOperand(1).getImm() != 0; }

}  // namespace

char CallFrameEnd::ID = 0;

void CallFrameEnd::getAnalysisUsage(llvm::AnalysisUsage& usage) const {
  usage.setPreservesCFG();
  MachineFunctionPass::getAnalysisUsage(usage);
}

bool CallFrameEnd::runOnMachineFunction(llvm::MachineFunction& function) {
  const unsigned end = function.getSubtarget().getInstrInfo()->getCallFrameDestroyOpcode();
  bool hasChanged = false;
  for (llvm::MachineBasicBlock& block : function) {
    auto call = block.end();
    for (auto it = block.begin(); it != block.end();) {
      const auto here = it++;
      if (here->isCall()) call = here;
      if (here->getOpcode() != end) continue;
      if (call != block.end() && isMoved(*here) && std::next(call) != here) {
        block.splice(std::next(call), &block, here);
        hasChanged = true;
      }
      call = block.end();
    }
  }
  return hasChanged;
}

}  // namespace gaur::jit
