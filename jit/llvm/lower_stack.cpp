// Stacks, threads and traps. Whatever suspends a frame is a call of an assembly stub with a convention that keeps no register but the frame pointer, so
// that LLVM saves what is live and nothing else; it returns as any call does, with the values that the stack is resumed with.
#include "jit/llvm/lowering.h"
#include "vm/abi/thread_block.h"
#include "vm/abi/value_passing.h"

namespace gaur::jit {

using abi::RuntimeEntry;
using ir::CommonInst;

namespace {

llvm::SmallVector<const ir::Type*, 4> typesOf(std::span<const ir::TypeUse> uses) {
  llvm::SmallVector<const ir::Type*, 4> types;
  for (const ir::TypeUse& use : uses) types.push_back(use->type);
  return types;
}

/// A value that travels in integer registers, as its words.
void appendWords(llvm::IRBuilder<>& builder, const ir::Type* type, llvm::Value* value, llvm::SmallVectorImpl<llvm::Value*>& out) {
  llvm::Type* word = builder.getInt64Ty();
  if (value->getType()->isPointerTy()) value = builder.CreatePtrToInt(value, word);
  out.push_back(builder.CreateZExtOrTrunc(value, word));
  if (abi::registerClassOf(type) == abi::RegisterClass::TwoWords) out.push_back(builder.CreateZExtOrTrunc(builder.CreateLShr(value, 64), word));
}

}  // namespace

llvm::Value* FunctionLowering::resultMemory(const MuSignature& signature) {
  if (!signature.resultsInMemory) return nullptr;
  return frameSlot(llvm::ArrayType::get(builder_.getInt8Ty(), signature.resultBytes), 16);
}

llvm::SmallVector<llvm::Value*, 2> FunctionLowering::passValues(llvm::Value* stack, std::span<const ir::TypeUse> uses,
                                                                std::span<const ir::ValueUse> values) {
  auto types = typesOf(uses);
  llvm::SmallVector<llvm::Value*, 2> registers;
  if (abi::travelInRegisters(module_.environment().layouts(), types)) {
    for (std::size_t i = 0; i < types.size(); ++i) {
      llvm::Value* passed = value(values[i].target);
      if (abi::registerClassOf(types[i]) == abi::RegisterClass::Vector)
        registers.push_back(passed);
      else
        appendWords(builder_, types[i], passed, registers);
    }
    return registers;
  }
  auto* memory = builder_.CreateLoad(builder_.getPtrTy(), memory_.byteOffset(stack, offsetof(abi::StackObject, valueMemory)));
  llvm::SmallVector<std::uint64_t, 4> offsets;
  placeInMemory(module_.environment().layouts(), types, offsets);
  for (std::size_t i = 0; i < types.size(); ++i) memory_.storePlain(types[i], memory_.byteOffset(memory, offsets[i]), value(values[i].target));
  return registers;
}

void FunctionLowering::suspend(const ir::Instruction& instruction, RuntimeEntry entry, llvm::ArrayRef<llvm::Value*> passed,
                               std::span<const ir::TypeUse> resultTypes) {
  MuSignature results = module_.resultsOf(typesOf(resultTypes));
  llvm::Value* memory = resultMemory(results);
  llvm::SmallVector<llvm::Value*, 4> arguments(passed);
  // Where the stubs expect it: behind the stack to go to, which a trap has none of.
  llvm::Value* place = memory ? memory : llvm::ConstantPointerNull::get(builder_.getPtrTy());
  arguments.insert(arguments.begin() + (passed.empty() ? 0 : 1), place);
  llvm::SmallVector<llvm::Type*, 4> types;
  for (llvm::Value* argument : arguments) types.push_back(argument->getType());
  auto* type = llvm::FunctionType::get(results.type->getReturnType(), types, false);
  auto* call = callSite(instruction, type, module_.entryAddress(builder_, entry), arguments, llvm::CallingConv::PreserveNone, {0, memory});
  setCallResults(instruction, results, call, memory);
}

void FunctionLowering::lowerSwapStack(ir::SwapStack inst) {
  llvm::SmallVector<llvm::Value*, 4> passed{value(inst.stack())};
  const bool throws = inst.inst.throwExc;
  if (throws)
    passed.push_back(value(inst.values()[0].target));
  else
    passed.append(passValues(passed[0], inst.passTypes(), inst.values()));
  if (inst.inst.killOld) {
    suspend(inst.inst, throws ? RuntimeEntry::gaur_swapKillThrow : RuntimeEntry::gaur_swapKill, passed, {});
    builder_.CreateUnreachable();
    return;
  }
  suspend(inst.inst, throws ? RuntimeEntry::gaur_swapThrow : RuntimeEntry::gaur_swapStack, passed, inst.returnTypes());
  finish(inst.inst);
}

void FunctionLowering::trapCall(const ir::Instruction& instruction) { suspend(instruction, RuntimeEntry::gaur_trap, {}, instruction.types); }

void FunctionLowering::lowerTrap(ir::Trap inst) {
  trapCall(inst.inst);
  finish(inst.inst);
}

llvm::Value* FunctionLowering::resumeImage(llvm::Value* stack, ir::NewThread inst) {
  llvm::Value* image = frameSlot(llvm::ArrayType::get(builder_.getInt8Ty(), sizeof(abi::ResumeImage)), alignof(abi::ResumeImage));
  auto set = [&](llvm::Value* field, std::uint64_t offset) { builder_.CreateStore(field, memory_.byteOffset(image, offset)); };
  set(builder_.getInt64(inst.inst.throwExc ? 1 : 0), offsetof(abi::ResumeImage, throws));
  if (inst.inst.throwExc) {
    set(value(inst.values()[0].target), offsetof(abi::ResumeImage, exception));
    return image;
  }
  std::uint64_t word = offsetof(abi::ResumeImage, words);
  std::uint64_t vector = offsetof(abi::ResumeImage, vectors);
  for (llvm::Value* passed : passValues(stack, inst.inst.types, inst.values())) {
    const bool isWord = passed->getType()->isIntegerTy();
    std::uint64_t& place = isWord ? word : vector;
    set(passed, place);
    place += isWord ? sizeof(std::uint64_t) : sizeof(abi::ResumeImage::vectors[0]);
  }
  return image;
}

void FunctionLowering::lowerNewThread(ir::NewThread inst) {
  llvm::Value* stack = value(inst.stack());
  llvm::Value* local = inst.threadLocal() ? value(inst.threadLocal()) : llvm::ConstantPointerNull::get(builder_.getPtrTy());
  llvm::Value* thread = module_.callRuntime(builder_, RuntimeEntry::gaur_newThread, {stack, local, resumeImage(stack, inst)});
  failIf(builder_.CreateIsNull(thread), inst.inst, abi::GuestFailure::ThreadNotStarted);
  setResult(inst.inst, 0, thread);
  finish(inst.inst);
}

void FunctionLowering::lowerStack(ir::CommInst inst) {
  switch (inst.id()) {
    case CommonInst::UvmNewStack: {
      llvm::Value* stack = module_.callRuntime(builder_, RuntimeEntry::gaur_newStack, {value(inst.operand(0))});
      failIf(builder_.CreateIsNull(stack), inst.inst, abi::GuestFailure::AllocationFailed);
      return setResult(inst.inst, 0, stack);
    }
    case CommonInst::UvmKillStack: module_.callRuntime(builder_, RuntimeEntry::gaur_killStack, {value(inst.operand(0))}); return;
    case CommonInst::UvmMetaSetTrapHandler:
      module_.callRuntime(builder_, RuntimeEntry::gaur_setMuTrapHandler, {value(inst.operand(0)), value(inst.operand(1))});
      return;
    default: return setResult(inst.inst, 0, builder_.CreateLoad(builder_.getPtrTy(), threadField(offsetof(abi::ThreadBlock, stack))));
  }
}

}  // namespace gaur::jit
