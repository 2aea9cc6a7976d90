// Values with parts: structs, arrays and vectors.
#include <llvm/IR/Constants.h>

#include "jit/llvm/lowering.h"

namespace gaur::jit {

using llvm::Value;

namespace {

/// An index operand, unsigned, as i64.
Value* position(llvm::IRBuilder<>& builder, Value* index) {
  return builder.CreateZExtOrTrunc(index, builder.getInt64Ty());
}

}  // namespace

void FunctionLowering::lowerExtractValue(ir::ExtractValue inst) {
  setResult(inst.inst, 0, builder_.CreateExtractValue(value(inst.aggregate()), inst.index()));
}

void FunctionLowering::lowerInsertValue(ir::InsertValue inst) {
  setResult(inst.inst, 0,
            builder_.CreateInsertValue(value(inst.aggregate()), value(inst.newValue()), inst.index()));
}

void FunctionLowering::lowerExtractElement(ir::ExtractElement inst) {
  Value* sequence = value(inst.sequence());
  Value* index = position(builder_, value(inst.index()));
  llvm::Type* type = sequence->getType();
  if (type->isVectorTy()) return setResult(inst.inst, 0, builder_.CreateExtractElement(sequence, index));
  auto* constantIndex = llvm::dyn_cast<llvm::ConstantInt>(index);
  if (constantIndex && constantIndex->getZExtValue() < type->getArrayNumElements())
    return setResult(
        inst.inst, 0,
        builder_.CreateExtractValue(sequence, static_cast<unsigned>(constantIndex->getZExtValue())));
  // LLVM takes only constant indices into array values: through memory.
  auto* cell = frameSlot(type, 16);
  builder_.CreateStore(sequence, cell);
  Value* place = builder_.CreateGEP(type->getArrayElementType(), cell, index);
  setResult(inst.inst, 0, builder_.CreateLoad(type->getArrayElementType(), place));
}

void FunctionLowering::lowerInsertElement(ir::InsertElement inst) {
  Value* sequence = value(inst.sequence());
  Value* index = position(builder_, value(inst.index()));
  Value* element = value(inst.newValue());
  llvm::Type* type = sequence->getType();
  if (type->isVectorTy())
    return setResult(inst.inst, 0, builder_.CreateInsertElement(sequence, element, index));
  auto* constantIndex = llvm::dyn_cast<llvm::ConstantInt>(index);
  if (constantIndex && constantIndex->getZExtValue() < type->getArrayNumElements())
    return setResult(
        inst.inst, 0,
        builder_.CreateInsertValue(sequence, element, static_cast<unsigned>(constantIndex->getZExtValue())));
  auto* cell = frameSlot(type, 16);
  builder_.CreateStore(sequence, cell);
  builder_.CreateStore(element, builder_.CreateGEP(type->getArrayElementType(), cell, index));
  setResult(inst.inst, 0, builder_.CreateLoad(type, cell));
}

void FunctionLowering::lowerShuffleVector(ir::ShuffleVector inst) {
  Value* first = value(inst.first());
  Value* second = value(inst.second());
  Value* mask = value(inst.mask());
  auto lanes = llvm::cast<llvm::FixedVectorType>(mask->getType())->getNumElements();

  // With a constant mask it is one LLVM instruction.
  llvm::SmallVector<int, 16> places;
  if (auto* constantMask = llvm::dyn_cast<llvm::Constant>(mask)) {
    auto inputLanes = 2 * llvm::cast<llvm::FixedVectorType>(first->getType())->getNumElements();
    for (unsigned i = 0; i < lanes; ++i) {
      auto* lane = llvm::dyn_cast_or_null<llvm::ConstantInt>(constantMask->getAggregateElement(i));
      if (!lane) break;
      places.push_back(lane->getValue().ult(inputLanes) ? static_cast<int>(lane->getZExtValue())
                                                        : llvm::PoisonMaskElem);
    }
    if (places.size() == lanes)
      return setResult(inst.inst, 0, builder_.CreateShuffleVector(first, second, places));
    places.clear();
  }

  unsigned inputs = llvm::cast<llvm::FixedVectorType>(first->getType())->getNumElements();
  for (unsigned i = 0; i < 2 * inputs; ++i) places.push_back(static_cast<int>(i));
  Value* both = builder_.CreateShuffleVector(first, second, places);
  Value* result =
      llvm::PoisonValue::get(llvm::FixedVectorType::get(first->getType()->getScalarType(), lanes));
  for (unsigned i = 0; i < lanes; ++i) {
    Value* lane = position(builder_, builder_.CreateExtractElement(mask, i));
    result = builder_.CreateInsertElement(result, builder_.CreateExtractElement(both, lane), i);
  }
  setResult(inst.inst, 0, result);
}

}  // namespace gaur::jit
