// Common instructions that look at frames of other stacks and edit them: calls of the runtime.
#include "jit/llvm/lowering.h"

namespace gaur::jit {

using abi::RuntimeEntry;
using ir::CommonInst;

namespace {

RuntimeEntry entryFor(CommonInst instruction) {
  switch (instruction) {
    case CommonInst::UvmMetaNewCursor: return RuntimeEntry::gaur_newCursor;
    case CommonInst::UvmMetaNextFrame: return RuntimeEntry::gaur_nextFrame;
    case CommonInst::UvmMetaCopyCursor: return RuntimeEntry::gaur_copyCursor;
    case CommonInst::UvmMetaCloseCursor: return RuntimeEntry::gaur_closeCursor;
    case CommonInst::UvmMetaCurFunc: return RuntimeEntry::gaur_frameFunction;
    case CommonInst::UvmMetaCurFuncVer: return RuntimeEntry::gaur_frameVersion;
    case CommonInst::UvmMetaCurInst: return RuntimeEntry::gaur_frameInstruction;
    case CommonInst::UvmMetaDumpKeepalives: return RuntimeEntry::gaur_dumpKeepalives;
    case CommonInst::UvmMetaPopFramesTo: return RuntimeEntry::gaur_popFramesTo;
    case CommonInst::UvmMetaPushFrame: return RuntimeEntry::gaur_pushFrame;
    default: GAUR_UNREACHABLE("not an instruction about frames");
  }
}

}  // namespace

void FunctionLowering::lowerIntrospection(ir::CommInst inst) {
  llvm::SmallVector<llvm::Value*, 2> arguments;
  for (const auto& operand : inst.inst.operands) arguments.push_back(value(operand.target));
  llvm::BasicBlock* pad = inst.inst.hasExc ? landingPad(inst.inst.exceptionalDest()) : nullptr;
  auto* call = module_.callRuntime(builder_, entryFor(inst.id()), arguments, inst.inst.id, pad);
  if (!inst.inst.results.empty()) setResult(inst.inst, 0, call);
}

}  // namespace gaur::jit
