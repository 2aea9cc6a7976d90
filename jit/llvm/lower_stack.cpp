// Stacks, threads and traps. Whatever suspends a frame is a call of an assembly stub with a convention that
// keeps no register but the frame pointer, so that LLVM saves what is live and nothing else; it returns as
// any call does, with the values that the stack is resumed with.
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/TargetParser/Triple.h>

#include <algorithm>

#include "jit/llvm/lowering.h"
#include "jit/llvm/swap_sites.h"
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
void appendWords(llvm::IRBuilder<>& builder, const ir::Type* type, llvm::Value* value,
                 llvm::SmallVectorImpl<llvm::Value*>& out) {
  llvm::Type* word = builder.getInt64Ty();
  if (value->getType()->isPointerTy()) value = builder.CreatePtrToInt(value, word);
  out.push_back(builder.CreateZExtOrTrunc(value, word));
  if (abi::registerClassOf(type) == abi::RegisterClass::TwoWords)
    out.push_back(builder.CreateZExtOrTrunc(builder.CreateLShr(value, 64), word));
}

/// Whether values of the types travel in integer registers, or there are none.
bool travelAsWords(abi::LayoutTable& layouts, std::span<const ir::Type* const> types) {
  return abi::travelInRegisters(layouts, types) &&
         std::all_of(types.begin(), types.end(), [](const ir::Type* type) {
           return abi::registerClassOf(type) == abi::RegisterClass::Word;
         });
}

}  // namespace

llvm::Value* FunctionLowering::resultMemory(const MuSignature& signature) {
  if (!signature.resultsInMemory) return nullptr;
  return frameSlot(llvm::ArrayType::get(builder_.getInt8Ty(), signature.resultBytes), 16);
}

llvm::SmallVector<llvm::Value*, 2> FunctionLowering::passValues(llvm::Value* stack,
                                                                std::span<const ir::TypeUse> uses,
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
  auto* memory = builder_.CreateLoad(builder_.getPtrTy(),
                                     memory_.byteOffset(stack, offsetof(abi::StackObject, valueMemory)));
  llvm::SmallVector<std::uint64_t, 4> offsets;
  placeInMemory(module_.environment().layouts(), types, offsets);
  for (std::size_t i = 0; i < types.size(); ++i)
    memory_.storePlain(types[i], memory_.byteOffset(memory, offsets[i]), value(values[i].target));
  return registers;
}

void FunctionLowering::suspend(const ir::Instruction& instruction, RuntimeEntry entry,
                               llvm::ArrayRef<llvm::Value*> passed,
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
  auto* call = callSite(instruction, type, module_.entryAddress(builder_, entry), arguments,
                        llvm::CallingConv::PreserveNone, {0, memory});
  setCallResults(instruction, results, call, memory);
}

bool FunctionLowering::swapInPlace(ir::SwapStack inst) {
  auto& layouts = module_.environment().layouts();
  auto passedTypes = typesOf(inst.passTypes());
  auto resultTypes = typesOf(inst.returnTypes());
  if (module_.level() == OptLevel::O0 || inst.inst.throwExc || inst.inst.killOld ||
      !inst.inst.keepalives.empty() || !hasSwapAssembly(llvm::Triple(module_.module().getTargetTriple())) ||
      !travelAsWords(layouts, passedTypes) || !travelAsWords(layouts, resultTypes))
    return false;

  llvm::Value* target = value(inst.stack());
  auto field = [&](llvm::Value* object, std::uint64_t offset) {
    return builder_.CreateLoad(builder_.getPtrTy(), memory_.byteOffset(object, offset));
  };
  llvm::BasicBlock* refused = newBlock("refused");
  auto refuseIf = [&](llvm::Value* condition) {
    llvm::BasicBlock* next = newBlock("swap");
    builder_.CreateCondBr(condition, refused, next,
                          llvm::MDBuilder(module_.context()).createUnlikelyBranchWeights());
    builder_.SetInsertPoint(next);
  };
  refuseIf(builder_.CreateIsNull(target));
  llvm::Value* saved = field(target, offsetof(abi::StackObject, savedPointer));
  refuseIf(builder_.CreateIsNull(saved));
  {
    llvm::IRBuilder<>::InsertPointGuard guard(builder_);
    builder_.SetInsertPoint(refused);
    module_.callRuntime(builder_, RuntimeEntry::gaur_refuseSwap, {target}, inst.inst.id);
    builder_.CreateUnreachable();
  }

  llvm::SmallVector<llvm::Value*, kSwapOperands> operands;
  operands.append(passValues(target, inst.passTypes(), inst.values()));
  operands.resize(2, llvm::PoisonValue::get(builder_.getInt64Ty()));
  operands.append(
      {target, saved, field(target, offsetof(abi::StackObject, limit)), module_.currentStack(builder_)});
  llvm::SmallVector<llvm::Type*, kSwapOperands> types;
  for (llvm::Value* operand : operands) types.push_back(operand->getType());
  auto* type = llvm::FunctionType::get(llvm::StructType::get(module_.context(), types), types, false);
  auto* assembly =
      llvm::InlineAsm::get(type, swapAssembly({inst.inst.id}), swapConstraints(), /*hasSideEffects=*/true,
                           /*isAlignStack=*/true, llvm::InlineAsm::AD_ATT, /*canThrow=*/true);
  llvm::Value* words = nullptr;
  if (inst.inst.hasExc) {
    llvm::BasicBlock* next = newBlock("next");
    words = builder_.CreateInvoke(type, assembly, next, landingPad(inst.inst.exceptionalDest()), operands);
    builder_.SetInsertPoint(next);
  } else {
    words = builder_.CreateCall(type, assembly, operands);
  }
  for (unsigned i = 0; i < resultTypes.size(); ++i) {
    llvm::Value* word = builder_.CreateExtractValue(words, i);
    llvm::Type* wanted = typeOf(resultTypes[i]);
    setResult(
        inst.inst, i,
        wanted->isPointerTy() ? builder_.CreateIntToPtr(word, wanted) : builder_.CreateTrunc(word, wanted));
  }
  return true;
}

void FunctionLowering::lowerSwapStack(ir::SwapStack inst) {
  if (swapInPlace(inst)) return finish(inst.inst);
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
  suspend(inst.inst, throws ? RuntimeEntry::gaur_swapThrow : RuntimeEntry::gaur_swapStack, passed,
          inst.returnTypes());
  finish(inst.inst);
}

void FunctionLowering::trapCall(const ir::Instruction& instruction) {
  suspend(instruction, RuntimeEntry::gaur_trap, {}, instruction.types);
}

void FunctionLowering::lowerTrap(ir::Trap inst) {
  trapCall(inst.inst);
  finish(inst.inst);
}

llvm::Value* FunctionLowering::resumeImage(llvm::Value* stack, ir::NewThread inst) {
  llvm::Value* image = frameSlot(llvm::ArrayType::get(builder_.getInt8Ty(), sizeof(abi::ResumeImage)),
                                 alignof(abi::ResumeImage));
  auto set = [&](llvm::Value* field, std::uint64_t offset) {
    builder_.CreateStore(field, memory_.byteOffset(image, offset));
  };
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
  llvm::Value* local =
      inst.threadLocal() ? value(inst.threadLocal()) : llvm::ConstantPointerNull::get(builder_.getPtrTy());
  llvm::Value* thread =
      module_.callRuntime(builder_, RuntimeEntry::gaur_newThread, {stack, local, resumeImage(stack, inst)});
  failIf(builder_.CreateIsNull(thread), inst.inst, abi::GuestFailure::ThreadNotStarted);
  setResult(inst.inst, 0, thread);
  finish(inst.inst);
}

void FunctionLowering::lowerStack(ir::CommInst inst) {
  switch (inst.id()) {
    case CommonInst::UvmNewStack: {
      llvm::Value* stack =
          module_.callRuntime(builder_, RuntimeEntry::gaur_newStack, {value(inst.operand(0))});
      failIf(builder_.CreateIsNull(stack), inst.inst, abi::GuestFailure::AllocationFailed);
      return setResult(inst.inst, 0, stack);
    }
    case CommonInst::UvmKillStack:
      module_.callRuntime(builder_, RuntimeEntry::gaur_killStack, {value(inst.operand(0))});
      return;
    case CommonInst::UvmMetaSetTrapHandler:
      module_.callRuntime(builder_, RuntimeEntry::gaur_setMuTrapHandler,
                          {value(inst.operand(0)), value(inst.operand(1))});
      return;
    default: {
      llvm::Value* stack = module_.currentStack(builder_);
      builder_.CreateStore(builder_.getInt32(1),
                           memory_.byteOffset(stack, offsetof(abi::StackObject, isShared)));
      return setResult(inst.inst, 0, stack);
    }
  }
}

}  // namespace gaur::jit
