// The metacircular builder: its eighty instructions are one entry of the runtime, which gets the operands in
// memory.
#include "jit/llvm/lowering.h"

namespace gaur::jit {

void FunctionLowering::lowerIrBuilder(ir::CommInst inst) {
  const ir::Instruction& instruction = inst.inst;
  llvm::Type* word = builder_.getInt64Ty();
  auto* operands =
      frameSlot(llvm::ArrayType::get(word, std::max<std::size_t>(instruction.operands.size(), 1)),
                alignof(std::uint64_t));
  for (std::size_t i = 0; i < instruction.operands.size(); ++i) {
    llvm::Value* operand = value(inst.operand(i));
    if (operand->getType()->isFloatTy()) operand = builder_.CreateBitCast(operand, builder_.getInt32Ty());
    if (operand->getType()->isIntegerTy()) operand = builder_.CreateZExt(operand, word);
    builder_.CreateStore(operand, builder_.CreateConstInBoundsGEP1_64(word, operands, i));
  }
  llvm::BasicBlock* pad = instruction.hasExc ? landingPad(instruction.exceptionalDest()) : nullptr;
  llvm::Value* result = module_.callRuntime(
      builder_, abi::RuntimeEntry::gaur_irBuilder,
      {builder_.getInt32(static_cast<std::uint32_t>(inst.id())), operands}, instruction.id, pad);
  if (instruction.results.empty()) return;
  llvm::Type* type = typeOf(instruction.results[0].type);
  setResult(instruction, 0,
            type->isPointerTy() ? builder_.CreateIntToPtr(result, type) : builder_.CreateTrunc(result, type));
}

}  // namespace gaur::jit
