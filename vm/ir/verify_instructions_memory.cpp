// Rules for aggregate values, allocation, addressing and memory access. Which fields GETFIELDIREF and its
// like can name was settled when linking gave their results types.
#include "vm/ir/verify_rules.h"

namespace gaur::ir {

using enum MemoryOrder;

// --- Aggregate values ----------------------------------------------------------------------------

bool Verifier::checkStructAccess(const Instruction& inst) {
  const Type* type = inst.type();
  SourcePos pos = inst.types[0].pos;
  if (!type->is(TypeKind::Struct)) {
    error(ErrorId::VerifyStructType, pos, {nameOf(inst), toString(type)});
    return false;
  }
  if (isNoValue(type)) {
    error(ErrorId::VerifyAggregateValue, pos, {nameOf(inst), toString(type)});
    return false;
  }
  if (inst.operands[0]->type != type)
    operandError(ErrorId::VerifyStructOperand, nameOf(inst), inst.operands[0], type);
  if (inst.immediate < type->elements.size()) return true;
  error(
      ErrorId::VerifyStructIndex, pos,
      {nameOf(inst), toString(type), std::to_string(type->elements.size()), std::to_string(inst.immediate)});
  return false;
}

void Verifier::checkExtractValue(const Instruction& inst) {
  if (hasShape(inst, {.types = 1, .operands = 1})) checkStructAccess(inst);
}

void Verifier::checkInsertValue(const Instruction& inst) {
  if (!hasShape(inst, {.types = 1, .operands = 2}) || !checkStructAccess(inst)) return;
  const Type* field = inst.type()->elements[inst.immediate];
  if (!accepts(field, inst.operands[1]->type))
    operandError(ErrorId::VerifyInsertValue, std::to_string(inst.immediate), inst.operands[1], field);
}

bool Verifier::checkElementAccess(const Instruction& inst) {
  const Type* type = inst.type(0);
  const Type* index = inst.type(1);
  if (!type->is(TypeKind::Array) && !type->is(TypeKind::Vector)) {
    error(ErrorId::VerifySequenceOperation, inst.types[0].pos, {nameOf(inst), toString(type)});
    return false;
  }
  if (isNoValue(type)) {
    error(ErrorId::VerifyAggregateValue, inst.types[0].pos, {nameOf(inst), toString(type)});
    return false;
  }
  if (inst.operands[0]->type != type)
    operandError(ErrorId::VerifyElementOperand, nameOf(inst), inst.operands[0], type);
  if (!index->is(TypeKind::Int)) {
    error(ErrorId::VerifyElementIndexType, inst.types[1].pos, {nameOf(inst), toString(index)});
  } else if (inst.operands[1]->type != index) {
    operandError(ErrorId::VerifyElementIndex, nameOf(inst), inst.operands[1], index);
  }
  return true;
}

void Verifier::checkExtractElement(const Instruction& inst) {
  if (hasShape(inst, {.types = 2, .operands = 2})) checkElementAccess(inst);
}

void Verifier::checkInsertElement(const Instruction& inst) {
  if (!hasShape(inst, {.types = 2, .operands = 3}) || !checkElementAccess(inst)) return;
  const Type* element = inst.type()->element();
  if (!accepts(element, inst.operands[2]->type))
    operandError(ErrorId::VerifyInsertElement, inst.operands[2], element);
}

void Verifier::checkShuffleVector(const Instruction& inst) {
  if (!hasShape(inst, {.types = 2, .operands = 3})) return;
  ShuffleVector shuffle = as<ShuffleVector>(inst);
  const Type* type = shuffle.type();
  const Type* mask = shuffle.maskType();
  if (!mask->element()->is(TypeKind::Int)) {
    error(ErrorId::VerifyShuffleMaskType, inst.types[1].pos, {toString(mask)});
    return;
  }
  for (std::size_t i = 0; i < 2; ++i)
    if (inst.operands[i]->type != type) operandError(ErrorId::VerifyShuffleOperand, inst.operands[i], type);
  if (shuffle.mask()->type != mask) operandError(ErrorId::VerifyShuffleMask, inst.operands[2], mask);
}

// --- Allocation ----------------------------------------------------------------------------------

void Verifier::checkNew(const Instruction& inst) {
  if (!hasShape(inst, {.types = 1})) return;
  if (inst.type()->is(TypeKind::Hybrid))
    error(ErrorId::VerifyNewHybrid, inst.types[0].pos, {nameOf(inst), toString(inst.type())});
}

void Verifier::checkAlloca(const Instruction& inst) { checkNew(inst); }

/// The width of the length is taken from the operand: programs are loose about it (map, 13.14).
void Verifier::checkNewHybrid(const Instruction& inst) {
  if (!hasShape(inst, {.types = 2, .operands = 1})) return;
  const Type* type = inst.type(0);
  const Type* lengthType = inst.type(1);
  const ValueUse& length = inst.operands[0];
  if (!type->is(TypeKind::Hybrid))
    error(ErrorId::VerifyNewNotHybrid, inst.types[0].pos, {nameOf(inst), toString(type)});
  if (!lengthType->is(TypeKind::Int)) {
    error(ErrorId::VerifyLengthType, inst.types[1].pos, {nameOf(inst), toString(lengthType)});
  } else if (!length->type->is(TypeKind::Int)) {
    error(ErrorId::VerifyLengthOperand, length.pos,
          {nameOf(inst), describe(*length.target), toString(length->type)});
  }
}

void Verifier::checkAllocaHybrid(const Instruction& inst) { checkNewHybrid(inst); }

// --- Addressing ----------------------------------------------------------------------------------

void Verifier::checkGetIref(const Instruction& inst) {
  if (!hasShape(inst, {.types = 1, .operands = 1})) return;
  const Type* type = inst.type();
  const ValueUse& ref = inst.operands[0];
  if (!ref->type->is(TypeKind::Ref)) {
    error(ErrorId::VerifyGetIrefOperand, ref.pos, {describe(*ref.target), toString(ref->type)});
  } else if (ref->type->referent() != type) {
    operandError(ErrorId::VerifyGetIrefReferent, ref, types_.ref(type));
  }
}

bool Verifier::checkLocationKind(const Instruction& inst) {
  const ValueUse& location = inst.operands[0];
  bool fits = location->type->is(inst.isPtr ? TypeKind::Uptr : TypeKind::Iref);
  if (!fits) {
    error(inst.isPtr ? ErrorId::VerifyLocationUptr : ErrorId::VerifyLocationIref, location.pos,
          {nameOf(inst), describe(*location.target), toString(location->type)});
  }
  return fits;
}

void Verifier::checkLocation(const Instruction& inst) {
  if (!checkLocationKind(inst) || inst.isPtr) return;
  const ValueUse& location = inst.operands[0];
  if (location->type->referent() == inst.type()) return;
  operandError(ErrorId::VerifyLocationReferent, nameOf(inst), location, types_.iref(inst.type()));
}

void Verifier::checkIndex(const Instruction& inst) {
  const Type* index = inst.type(1);
  if (!index->is(TypeKind::Int)) {
    error(ErrorId::VerifyIndexType, inst.types[1].pos, {nameOf(inst), toString(index)});
  } else if (inst.operands[1]->type != index) {
    operandError(ErrorId::VerifyIndexOperand, nameOf(inst), inst.operands[1], index);
  }
}

void Verifier::checkGetFieldIref(const Instruction& inst) {
  if (hasShape(inst, {.types = 1, .operands = 1})) checkLocation(inst);
}

void Verifier::checkGetElemIref(const Instruction& inst) {
  if (!hasShape(inst, {.types = 2, .operands = 2})) return;
  checkLocation(inst);
  checkIndex(inst);
}

void Verifier::checkShiftIref(const Instruction& inst) {
  if (!hasShape(inst, {.types = 2, .operands = 2})) return;
  if (inst.type()->is(TypeKind::Void) || inst.type()->is(TypeKind::Hybrid)) {
    error(ErrorId::VerifyShiftType, inst.types[0].pos, {toString(inst.type())});
    return;
  }
  checkLocation(inst);
  checkIndex(inst);
}

void Verifier::checkGetVarPartIref(const Instruction& inst) {
  if (hasShape(inst, {.types = 1, .operands = 1})) checkLocation(inst);
}

// --- Access --------------------------------------------------------------------------------------

void Verifier::checkOrder(const Instruction& inst, MemoryOrder order, const OrderSet& legal, ErrorId id) {
  if (!legal.has(order)) error(id, inst.pos, {text(order)});
}

/// An iref to something else than the instruction says is an error, except between scalars of one kind: the
/// programs of the later dialect's own tests do that (map, 13.14 and 2.5).
void Verifier::checkAccess(const Instruction& inst) {
  if (!checkLocationKind(inst) || inst.isPtr) return;
  const ValueUse& location = inst.operands[0];
  const Type* type = inst.type();
  const Type* referent = location->type->referent();
  if (referent == type) return;
  bool isKnownHabit = referent->kind == type->kind && !isComposite(type);
  if (!isKnownHabit) {
    operandError(ErrorId::VerifyAccessReferent, nameOf(inst), location, types_.iref(type));
  } else if (!isRawPointer(type) && disagreements_++ < kMostDisagreements) {
    SourcePos pos = location.pos ? location.pos : inst.pos;
    complete(diagnostics_.warn(
                 ErrorId::VerifyAccessDisagrees, pos,
                 {nameOf(inst), toString(type), describe(*location.target), toString(location->type)}),
             pos);
  }
}

void Verifier::checkLoad(const Instruction& inst) {
  if (!hasShape(inst, {.types = 1, .operands = 1})) return;
  const Type* type = inst.type();
  if (isNoValue(types_.strong(type))) {
    error(ErrorId::VerifyLoadType, inst.types[0].pos, {toString(type)});
    return;
  }
  checkAccess(inst);
  checkOrder(inst, inst.order, kLoadOrders, ErrorId::VerifyLoadOrder);
  if (inst.order != NotAtomic && !isAtomic(type))
    error(ErrorId::VerifyAtomicType, inst.types[0].pos, {nameOf(inst), text(inst.order), toString(type)});
}

void Verifier::checkStore(const Instruction& inst) {
  if (!hasShape(inst, {.types = 1, .operands = 2})) return;
  const Type* type = inst.type();
  const Type* strong = types_.strong(type);
  if (isNoValue(strong)) {
    error(ErrorId::VerifyStoreType, inst.types[0].pos, {toString(type)});
    return;
  }
  checkAccess(inst);
  if (!accepts(strong, inst.operands[1]->type))
    operandError(ErrorId::VerifyStoreValue, inst.operands[1], strong);
  checkOrder(inst, inst.order, kStoreOrders, ErrorId::VerifyStoreOrder);
  if (inst.order != NotAtomic && !isAtomic(type))
    error(ErrorId::VerifyAtomicType, inst.types[0].pos, {nameOf(inst), text(inst.order), toString(type)});
}

void Verifier::checkCmpXchg(const Instruction& inst) {
  if (!hasShape(inst, {.types = 1, .operands = 3})) return;
  const Type* type = inst.type();
  if (!isExchangeable(type)) {
    error(ErrorId::VerifyCmpXchgType, inst.types[0].pos, {toString(type)});
    return;
  }
  const Type* strong = types_.strong(type);
  checkAccess(inst);
  if (!accepts(strong, inst.operands[1]->type))
    operandError(ErrorId::VerifyCmpXchgExpected, inst.operands[1], strong);
  if (!accepts(strong, inst.operands[2]->type))
    operandError(ErrorId::VerifyCmpXchgDesired, inst.operands[2], strong);
  checkOrder(inst, inst.order, kUpdateOrders, ErrorId::VerifyCmpXchgOrder);
  checkOrder(inst, inst.failureOrder, kFailureOrders, ErrorId::VerifyCmpXchgFailureOrder);
}

void Verifier::checkAtomicRmw(const Instruction& inst) {
  if (!hasShape(inst, {.types = 1, .operands = 2})) return;
  const Type* type = inst.type();
  RmwOperator op = as<AtomicRmw>(inst).op();
  if (op == RmwOperator::Xchg && !isExchangeable(type)) {
    error(ErrorId::VerifyRmwXchgType, inst.types[0].pos, {toString(type)});
    return;
  }
  if (op != RmwOperator::Xchg && !isWordInt(type)) {
    error(ErrorId::VerifyRmwIntType, inst.types[0].pos, {text(op), toString(type)});
    return;
  }
  const Type* strong = types_.strong(type);
  checkAccess(inst);
  if (!accepts(strong, inst.operands[1]->type))
    operandError(ErrorId::VerifyRmwValue, inst.operands[1], strong);
  checkOrder(inst, inst.order, kUpdateOrders, ErrorId::VerifyRmwOrder);
}

void Verifier::checkFence(const Instruction& inst) {
  if (hasShape(inst, {})) checkOrder(inst, inst.order, kFenceOrders, ErrorId::VerifyFenceOrder);
}

}  // namespace gaur::ir
