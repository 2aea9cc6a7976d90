// Common instructions other than those of tagref64: thread-local, native interface, meta; and the
// instructions of the threading chapters, which end the program with a report.
#include "jit/llvm/lowering.h"
#include "vm/abi/thread_block.h"

namespace gaur::jit {

using ir::CommonInst;

void FunctionLowering::lowerCommInst(ir::CommInst inst) {
  switch (inst.id()) {
    case CommonInst::UvmTr64IsFp:
    case CommonInst::UvmTr64IsInt:
    case CommonInst::UvmTr64IsRef:
    case CommonInst::UvmTr64FromFp:
    case CommonInst::UvmTr64FromInt:
    case CommonInst::UvmTr64FromRef:
    case CommonInst::UvmTr64ToFp:
    case CommonInst::UvmTr64ToInt:
    case CommonInst::UvmTr64ToRef:
    case CommonInst::UvmTr64ToTag: lowerTagref(inst); break;
    case CommonInst::UvmNativePin:
    case CommonInst::UvmNativeUnpin:
    case CommonInst::UvmNativeGetAddr:
    case CommonInst::UvmNativeExpose:
    case CommonInst::UvmNativeUnexpose:
    case CommonInst::UvmNativeGetCookie: lowerNative(inst); break;
    case CommonInst::UvmKillDependency: setResult(inst.inst, 0, value(inst.operand(0))); break;
    case CommonInst::UvmSetThreadlocal:
      builder_.CreateStore(value(inst.operand(0)), threadField(offsetof(abi::ThreadBlock, threadLocal)));
      break;
    case CommonInst::UvmGetThreadlocal:
      setResult(
          inst.inst, 0,
          builder_.CreateLoad(builder_.getPtrTy(), threadField(offsetof(abi::ThreadBlock, threadLocal))));
      break;
    case CommonInst::UvmThreadExit:
      module_.callRuntime(builder_, abi::RuntimeEntry::gaur_threadExit, {});
      builder_.CreateUnreachable();
      return;
    case CommonInst::UvmNewStack:
    case CommonInst::UvmKillStack:
    case CommonInst::UvmCurrentStack:
    case CommonInst::UvmMetaSetTrapHandler: lowerStack(inst); break;
    case CommonInst::UvmMetaIdOf:
    case CommonInst::UvmMetaNameOf:
    case CommonInst::UvmMetaLoadBundle:
    case CommonInst::UvmMetaLoadHail: lowerMeta(inst); break;
    case CommonInst::UvmFutexWait:
    case CommonInst::UvmFutexWaitTimeout:
    case CommonInst::UvmFutexWake:
    case CommonInst::UvmFutexCmpRequeue: lowerFutex(inst); break;
    case CommonInst::UvmMetaEnableWatchpoint:
      module_.callRuntime(builder_, abi::RuntimeEntry::gaur_enableWatchpoint, {value(inst.operand(0))});
      break;
    case CommonInst::UvmMetaDisableWatchpoint:
      module_.callRuntime(builder_, abi::RuntimeEntry::gaur_disableWatchpoint, {value(inst.operand(0))});
      break;
    case CommonInst::UvmMetaNewCursor:
    case CommonInst::UvmMetaNextFrame:
    case CommonInst::UvmMetaCopyCursor:
    case CommonInst::UvmMetaCloseCursor:
    case CommonInst::UvmMetaCurFunc:
    case CommonInst::UvmMetaCurFuncVer:
    case CommonInst::UvmMetaCurInst:
    case CommonInst::UvmMetaDumpKeepalives:
    case CommonInst::UvmMetaPopFramesTo:
    case CommonInst::UvmMetaPushFrame: lowerIntrospection(inst); break;
    default:
      if (info(inst.id()).text.starts_with("uvm.irbuilder.")) {
        lowerIrBuilder(inst);
        break;
      }
      return lowerNotAvailable(inst.inst);
  }
  finish(inst.inst);
}

llvm::Value* FunctionLowering::threadField(std::uint64_t offset) {
  return memory_.byteOffset(module_.currentThread(builder_), offset);
}

void FunctionLowering::lowerNative(ir::CommInst inst) {
  using abi::RuntimeEntry;
  auto call = [&](RuntimeEntry entry, llvm::ArrayRef<llvm::Value*> arguments) {
    llvm::BasicBlock* pad = inst.inst.hasExc ? landingPad(inst.inst.exceptionalDest()) : nullptr;
    return module_.callRuntime(builder_, entry, arguments, inst.inst.id, pad);
  };
  switch (inst.id()) {
    case CommonInst::UvmNativePin:
      module_.callRuntime(builder_, RuntimeEntry::gaur_pin, {value(inst.operand(0))});
      [[fallthrough]];
    case CommonInst::UvmNativeGetAddr: setResult(inst.inst, 0, value(inst.operand(0))); break;
    case CommonInst::UvmNativeUnpin:
      module_.callRuntime(builder_, RuntimeEntry::gaur_unpin, {value(inst.operand(0))});
      break;
    case CommonInst::UvmNativeExpose:
      setResult(inst.inst, 0,
                call(RuntimeEntry::gaur_expose, {value(inst.operand(0)), value(inst.operand(1))}));
      break;
    case CommonInst::UvmNativeUnexpose:
      module_.callRuntime(builder_, RuntimeEntry::gaur_unexpose, {value(inst.operand(0))});
      break;
    default: {
      llvm::Value* stack = module_.currentStack(builder_);
      setResult(inst.inst, 0,
                builder_.CreateLoad(builder_.getInt64Ty(),
                                    memory_.byteOffset(stack, offsetof(abi::StackObject, cookie))));
    }
  }
}

void FunctionLowering::lowerMeta(ir::CommInst inst) {
  using abi::RuntimeEntry;
  llvm::Value* argument = value(inst.operand(0));
  if (inst.id() == CommonInst::UvmMetaIdOf) {
    setResult(inst.inst, 0, module_.callRuntime(builder_, RuntimeEntry::gaur_idOf, {argument}));
  } else if (inst.id() == CommonInst::UvmMetaNameOf) {
    setResult(inst.inst, 0, module_.callRuntime(builder_, RuntimeEntry::gaur_nameOf, {argument}));
  } else {
    llvm::BasicBlock* pad = inst.inst.hasExc ? landingPad(inst.inst.exceptionalDest()) : nullptr;
    const bool isHail = inst.id() == CommonInst::UvmMetaLoadHail;
    module_.callRuntime(builder_, isHail ? RuntimeEntry::gaur_loadHail : RuntimeEntry::gaur_loadBundle,
                        {argument}, inst.inst.id, pad);
  }
}

void FunctionLowering::lowerNotAvailable(const ir::Instruction& instruction) {
  module_.callRuntime(builder_, abi::RuntimeEntry::gaur_notAvailable, {builder_.getInt32(instruction.id)});
  builder_.CreateUnreachable();
  if (instruction.isTerminator()) return;
  // What follows in the block is dead, but needs operands to refer to.
  builder_.SetInsertPoint(newBlock("dead"));
  for (std::size_t i = 0; i < instruction.results.size(); ++i)
    setResult(instruction, i, llvm::PoisonValue::get(typeOf(instruction.results[i].type)));
}

}  // namespace gaur::jit
