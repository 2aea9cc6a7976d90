// Rules for operators, control flow and calls. Operators are checked by their class (operators.def), not one
// by one.
#include <algorithm>
#include <bit>

#include "vm/ir/verify_rules.h"

namespace gaur::ir {

namespace {

bool isIntLike(const Type* type) { return scalarOf(type)->is(TypeKind::Int); }
bool isFloatLike(const Type* type) { return isFloating(scalarOf(type)); }

/// Scalars both, or vectors of one length.
bool isSameShape(const Type* a, const Type* b) {
  if (a->is(TypeKind::Vector) != b->is(TypeKind::Vector)) return false;
  return !a->is(TypeKind::Vector) || a->length == b->length;
}

unsigned floatBits(const Type* type) { return type->is(TypeKind::Float) ? 32 : 64; }

bool isCastableReference(const Type* type) {
  return type->is(TypeKind::Ref) || type->is(TypeKind::Iref) || type->is(TypeKind::Funcref);
}

bool isNull(const Value& value) {
  return value.entityKind == EntityKind::Constant &&
         static_cast<const Constant&>(value).kind == ConstantKind::Null;
}

/// One NULL serves all reference types in comparisons and cases (map, 14.13).
bool isNullFor(const Type* type, const Value& value) { return isGeneralReference(type) && isNull(value); }

}  // namespace

bool Verifier::hasShape(const Instruction& inst, const Shape& shape) {
  bool fits = true;
  auto require = [&](ErrorId id, std::size_t wanted, std::size_t found) {
    if (wanted == kAny || wanted == found) return;
    fits = false;
    error(id, inst.pos, {nameOf(inst), std::to_string(wanted), std::to_string(found)});
  };
  require(ErrorId::VerifyTypeCount, shape.types, inst.types.size());
  require(ErrorId::VerifySignatureCount, shape.signatures, inst.sigs.size());
  require(ErrorId::VerifyOperandCount, shape.operands, inst.operands.size());
  std::size_t own = shape.dests;
  if (own != kAny && inst.hasExc) own += inst.opcode == Opcode::Watchpoint ? 1 : 2;
  require(ErrorId::VerifyDestinationCount, own, inst.dests.size());
  return fits;
}

// --- Binary operations ---------------------------------------------------------------------------

void Verifier::checkBinOp(const Instruction& inst) {
  if (!hasShape(inst, {.types = 1, .operands = 2})) return;
  BinOp op = as<BinOp>(inst);
  const Type* type = op.type();
  bool isFloat = classOf(op.op()) == BinOpClass::Float;
  if (isFloat && !isFloatLike(type)) {
    error(ErrorId::VerifyBinOpFloat, inst.types[0].pos, {text(op.op()), toString(type)});
    return;
  }
  if (!isFloat && !isIntLike(type)) {
    error(ErrorId::VerifyBinOpInt, inst.types[0].pos, {text(op.op()), toString(type)});
    return;
  }
  for (const ValueUse& operand : inst.operands)
    if (operand->type != type) operandError(ErrorId::VerifyBinOpOperand, text(op.op()), operand, type);
  if (inst.status != 0) checkStatus(inst);
}

void Verifier::checkStatus(const Instruction& inst) {
  BinOp op = as<BinOp>(inst);
  unsigned known = 0;
  for (StatusFlag flag : kStatusFlags) known |= static_cast<unsigned>(flag);
  if (inst.status & ~known) {
    error(ErrorId::VerifyStatusUnknown, inst.pos, {std::to_string(inst.status)});
    return;
  }
  if (classOf(op.op()) == BinOpClass::Float) {
    error(ErrorId::VerifyStatusFloat, inst.pos, {text(op.op())});
    return;
  }
  if (op.type()->is(TypeKind::Vector))
    error(ErrorId::VerifyStatusVector, inst.types[0].pos, {text(op.op()), toString(op.type())});
  bool overflows = op.op() == BinOperator::Add || op.op() == BinOperator::Sub || op.op() == BinOperator::Mul;
  for (StatusFlag flag : {StatusFlag::C, StatusFlag::V})
    if (op.wants(flag) && !overflows)
      error(ErrorId::VerifyStatusOverflow, inst.pos, {text(op.op()), text(flag)});
}

// --- Comparisons ---------------------------------------------------------------------------------

void Verifier::checkCmp(const Instruction& inst) {
  if (!hasShape(inst, {.types = 1, .operands = 2})) return;
  Cmp cmp = as<Cmp>(inst);
  const Type* type = cmp.type();
  auto require = [&](bool fits, ErrorId id) {
    if (!fits) error(id, inst.types[0].pos, {text(cmp.op()), toString(type)});
    return fits;
  };
  bool fits = false;
  switch (classOf(cmp.op())) {
    case CmpClass::Eq: fits = require(isEqComparable(type), ErrorId::VerifyCmpEq); break;
    case CmpClass::Signed: fits = require(isIntLike(type), ErrorId::VerifyCmpSigned); break;
    case CmpClass::Ult: fits = require(isUltComparable(type), ErrorId::VerifyCmpUlt); break;
    case CmpClass::Float: fits = require(isFloatLike(type), ErrorId::VerifyCmpFloat); break;
  }
  if (!fits) return;
  for (const ValueUse& operand : inst.operands)
    if (!accepts(type, operand->type) && !isNullFor(type, *operand.target))
      operandError(ErrorId::VerifyCmpOperand, text(cmp.op()), operand, type);
}

// --- Conversions ---------------------------------------------------------------------------------

void Verifier::checkConv(const Instruction& inst) {
  if (!hasShape(inst, {.types = 2, .operands = 1})) return;
  Conv conv = as<Conv>(inst);
  if (!isSameShape(conv.from(), conv.to())) {
    error(ErrorId::VerifyConvShape, inst.types[1].pos,
          {text(conv.op()), toString(conv.from()), toString(conv.to())});
    return;
  }
  std::size_t errors = diagnostics_.errorTotal();
  checkConvTypes(inst, scalarOf(conv.from()), scalarOf(conv.to()));
  if (diagnostics_.errorTotal() != errors) return;
  // The source type that REFCAST names is often another reference type than its operand has (map, 14.16).
  const Type* actual = conv.value()->type;
  bool isLoose = conv.op() == ConvOperator::Refcast && actual->kind == conv.from()->kind;
  if (!isLoose && !accepts(conv.from(), actual))
    operandError(ErrorId::VerifyConvOperand, text(conv.op()), inst.operands[0], conv.from());
}

void Verifier::checkConvTypes(const Instruction& inst, const Type* from, const Type* to) {
  Conv conv = as<Conv>(inst);
  auto fail = [&](ErrorId id, std::size_t which, bool namesOperator) {
    SourcePos pos = inst.types[which].pos;
    if (namesOperator) {
      error(id, pos, {text(conv.op()), toString(conv.from()), toString(conv.to())});
    } else {
      error(id, pos, {toString(conv.from()), toString(conv.to())});
    }
  };
  bool fromInt = from->is(TypeKind::Int), toInt = to->is(TypeKind::Int);
  bool fromFloat = isFloating(from), toFloat = isFloating(to);
  switch (conv.op()) {
    case ConvOperator::Trunc:
    case ConvOperator::Zext:
    case ConvOperator::Sext:
      // Equal widths stand in real programs and do nothing (map, 14.15).
      if (!fromInt || !toInt) {
        fail(ErrorId::VerifyConvInt, fromInt ? 1 : 0, true);
      } else if (conv.op() == ConvOperator::Trunc && to->length > from->length) {
        fail(ErrorId::VerifyTruncWidens, 1, false);
      } else if (conv.op() != ConvOperator::Trunc && to->length < from->length) {
        fail(ErrorId::VerifyExtendNarrows, 1, true);
      }
      return;
    case ConvOperator::FpTrunc:
      if (!from->is(TypeKind::Double) || !to->is(TypeKind::Float)) fail(ErrorId::VerifyFpTrunc, 0, false);
      return;
    case ConvOperator::FpExt:
      if (!from->is(TypeKind::Float) || !to->is(TypeKind::Double)) fail(ErrorId::VerifyFpExt, 0, false);
      return;
    case ConvOperator::FpToUi:
    case ConvOperator::FpToSi:
      if (!fromFloat || !toInt) fail(ErrorId::VerifyFpToInt, fromFloat ? 1 : 0, true);
      return;
    case ConvOperator::UiToFp:
    case ConvOperator::SiToFp:
      if (!fromInt || !toFloat) fail(ErrorId::VerifyIntToFp, fromInt ? 1 : 0, true);
      return;
    case ConvOperator::Bitcast: {
      bool isPair = (fromInt && toFloat) || (fromFloat && toInt);
      if (!isPair) {
        fail(ErrorId::VerifyBitcastTypes, 0, false);
      } else if (fromInt ? from->length != floatBits(to) : to->length != floatBits(from)) {
        fail(ErrorId::VerifyBitcastWidth, 1, false);
      }
      return;
    }
    case ConvOperator::Refcast:
      if (!isCastableReference(from) || !isCastableReference(to)) {
        std::size_t wrong = isCastableReference(from) ? 1 : 0;
        error(ErrorId::VerifyRefcastTypes, inst.types[wrong].pos, {toString(conv.type(wrong))});
      } else if (from->kind != to->kind) {
        fail(ErrorId::VerifyRefcastKinds, 1, false);
      }
      return;
    case ConvOperator::Ptrcast:
      for (std::size_t i = 0; i < 2; ++i) {
        const Type* type = i == 0 ? from : to;
        if (type->is(TypeKind::Int) || isRawPointer(type)) continue;
        error(ErrorId::VerifyPtrcastTypes, inst.types[i].pos, {toString(conv.type(i))});
        return;
      }
      return;
  }
}

void Verifier::checkSelect(const Instruction& inst) {
  if (!hasShape(inst, {.types = 2, .operands = 3})) return;
  Select select = as<Select>(inst);
  const Type* condition = select.conditionType();
  const Type* type = select.valueType();
  if (scalarOf(condition) != boolean_) {
    error(ErrorId::VerifySelectCondition, inst.types[0].pos, {toString(condition)});
    return;
  }
  if (condition->is(TypeKind::Vector) && !isSameShape(condition, type)) {
    error(ErrorId::VerifySelectLength, inst.types[1].pos, {toString(condition), toString(type)});
    return;
  }
  if (isNoValue(type)) {
    error(ErrorId::VerifySelectType, inst.types[1].pos, {toString(type)});
    return;
  }
  if (select.condition()->type != condition)
    operandError(ErrorId::VerifySelectConditionOperand, inst.operands[0], condition);
  for (std::size_t i = 1; i < 3; ++i)
    if (!accepts(type, inst.operands[i]->type))
      operandError(ErrorId::VerifySelectOperand, inst.operands[i], type);
}

// --- Control flow --------------------------------------------------------------------------------

void Verifier::checkBranch(const Instruction& inst) { hasShape(inst, {.dests = 1}); }

void Verifier::checkBranch2(const Instruction& inst) {
  if (!hasShape(inst, {.operands = 1, .dests = 2})) return;
  const ValueUse& condition = inst.operands[0];
  if (condition->type != boolean_)
    error(ErrorId::VerifyBranchCondition, condition.pos,
          {describe(*condition.target), toString(condition->type)});
}

void Verifier::checkSwitch(const Instruction& inst) {
  if (!hasShape(inst,
                {.types = 1, .operands = kAny, .dests = std::max<std::size_t>(inst.operands.size(), 1)}))
    return;
  if (inst.operands.empty()) {
    error(ErrorId::VerifyOperandCount, inst.pos, {nameOf(inst), "1", "0"});
    return;
  }
  const Type* type = inst.type();
  if (!type->is(TypeKind::Int) && !isRawPointer(type) && !isGeneralReference(type)) {
    error(ErrorId::VerifySwitchType, inst.types[0].pos, {toString(type)});
    return;
  }
  if (!accepts(type, inst.operands[0]->type))
    operandError(ErrorId::VerifySwitchOperand, inst.operands[0], type);
  caseValues_.clear();
  for (std::size_t i = 1; i < inst.operands.size(); ++i) {
    const ValueUse& use = inst.operands[i];
    const Value& value = *use.target;
    if (value.entityKind != EntityKind::Constant) {
      error(ErrorId::VerifySwitchCaseVariable, use.pos, {describe(value)});
      continue;
    }
    const Constant& constant = static_cast<const Constant&>(value);
    if (!accepts(type, value.type) && !isNullFor(type, value)) {
      error(ErrorId::VerifySwitchCaseType, use.pos,
            {std::to_string(i - 1), toString(type), toString(value.type)});
    } else if (constant.kind != ConstantKind::Int && constant.kind != ConstantKind::Null) {
      error(ErrorId::VerifySwitchCaseKind, use.pos, {describe(value)});
    } else {
      caseValues_.emplace_back(constant.words, i);
    }
  }
  auto less = [](const auto& a, const auto& b) {
    auto order = std::lexicographical_compare_three_way(a.first.begin(), a.first.end(), b.first.begin(),
                                                        b.first.end());
    return order != 0 ? order < 0 : a.second < b.second;
  };
  std::sort(caseValues_.begin(), caseValues_.end(), less);
  for (std::size_t i = 1; i < caseValues_.size(); ++i) {
    const auto& [words, index] = caseValues_[i];
    if (!std::ranges::equal(words, caseValues_[i - 1].first)) continue;
    error(ErrorId::VerifySwitchCaseTwice, inst.operands[index].pos, {std::to_string(index - 1)});
  }
}

void Verifier::checkRet(const Instruction& inst) {
  if (!hasShape(inst, {.operands = kAny})) return;
  std::span<const Type* const> expected = version_->function->signature->signature->results;
  if (inst.operands.size() != expected.size()) {
    error(ErrorId::VerifyRetCount, inst.pos,
          {std::to_string(expected.size()), std::to_string(inst.operands.size())});
    return;
  }
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (!accepts(expected[i], inst.operands[i]->type))
      operandError(ErrorId::VerifyRetType, std::to_string(i), inst.operands[i], expected[i]);
}

void Verifier::checkThrow(const Instruction& inst) {
  if (!hasShape(inst, {.operands = 1})) return;
  const ValueUse& exception = inst.operands[0];
  if (!exception->type->is(TypeKind::Ref))
    error(ErrorId::VerifyThrow, exception.pos, {describe(*exception.target), toString(exception->type)});
}

// --- Calls ---------------------------------------------------------------------------------------

void Verifier::checkArguments(const Instruction& inst) {
  const Signature* signature = inst.signature();
  std::span<const Type* const> expected = signature->parameters;
  std::span<const ValueUse> arguments = inst.operands.subspan(1);
  if (arguments.size() != expected.size()) {
    error(ErrorId::VerifyArgumentCount, inst.operands[0].pos,
          {nameOf(inst), describe(*inst.operands[0].target), std::to_string(expected.size()),
           std::to_string(arguments.size())});
    return;
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const ValueUse& use = arguments[i];
    if (accepts(expected[i], use->type)) continue;
    error(
        ErrorId::VerifyArgumentType, use.pos,
        {nameOf(inst), std::to_string(i), toString(expected[i]), describe(*use.target), toString(use->type)});
  }
}

void Verifier::checkCall(const Instruction& inst) {
  if (!hasShape(inst, {.signatures = 1, .operands = std::max<std::size_t>(inst.operands.size(), 1)})) return;
  const ValueUse& callee = inst.operands[0];
  const Type* type = callee->type;
  if (!type->is(TypeKind::Funcref)) {
    error(ErrorId::VerifyCallee, callee.pos, {nameOf(inst), describe(*callee.target), toString(type)});
    return;
  }
  if (!accepts(inst.signature(), type->signature)) {
    error(ErrorId::VerifyCalleeSignature, callee.pos,
          {nameOf(inst), describe(*callee.target), toString(type->signature), toString(inst.signature())});
    return;
  }
  checkArguments(inst);
}

void Verifier::checkTailCall(const Instruction& inst) {
  std::size_t errors = diagnostics_.errorTotal();
  checkCall(inst);
  if (diagnostics_.errorTotal() != errors) return;
  const Signature* own = version_->function->signature->signature;
  bool same = std::ranges::equal(inst.signature()->results, own->results,
                                 [](const Type* a, const Type* b) { return accepts(a, b); });
  if (!same)
    error(ErrorId::VerifyTailCallResults, inst.sigs[0].pos, {toString(inst.signature()), toString(own)});
}

void Verifier::checkCCall(const Instruction& inst) {
  if (!hasShape(inst,
                {.types = 1, .signatures = 1, .operands = std::max<std::size_t>(inst.operands.size(), 1)}))
    return;
  const Type* type = inst.type();
  std::string_view convention = text(inst.convention);
  if (!type->is(TypeKind::Ufuncptr)) {
    error(ErrorId::VerifyCCallType, inst.types[0].pos, {convention, toString(type)});
    return;
  }
  if (!accepts(type->signature, inst.signature())) {
    error(ErrorId::VerifyCCallSignature, inst.sigs[0].pos, {toString(type), toString(inst.signature())});
    return;
  }
  if (inst.signature()->results.size() > 1)
    error(ErrorId::VerifyCCallResults, inst.sigs[0].pos, {convention, toString(inst.signature())});
  if (!accepts(type, inst.operands[0]->type))
    operandError(ErrorId::VerifyCCallCallee, inst.operands[0], type);
  checkArguments(inst);
}

}  // namespace gaur::ir
