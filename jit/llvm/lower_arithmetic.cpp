// Binary operations and comparisons. What LLVM leaves undefined and Mu defines (map, 3.11) is guarded here:
// division overflow, shift amounts, division by zero.
#include <bit>

#include "jit/llvm/lowering.h"

namespace gaur::jit {

using ir::BinOperator;
using ir::CmpOperator;
using ir::StatusFlag;
using llvm::Value;

namespace {

struct Division {
  llvm::IRBuilder<>& builder;
  Value* lhs;
  Value* rhs;

  unsigned width() const { return lhs->getType()->getScalarSizeInBits(); }
  llvm::Constant* zero() const { return llvm::Constant::getNullValue(lhs->getType()); }

  /// min / -1 = min and min % -1 = 0, where the hardware faults.
  Value* signedResult(bool remainder) const {
    if (width() == 1) return remainder ? zero() : lhs;  // the divisor is -1
    Value* isMinusOne = builder.CreateICmpEQ(rhs, llvm::Constant::getAllOnesValue(rhs->getType()));
    Value* divisor = builder.CreateSelect(isMinusOne, llvm::ConstantInt::get(rhs->getType(), 1), rhs);
    if (remainder) return builder.CreateSelect(isMinusOne, zero(), builder.CreateSRem(lhs, divisor));
    return builder.CreateSelect(isMinusOne, builder.CreateNeg(lhs), builder.CreateSDiv(lhs, divisor));
  }
};

/// The amount is masked to the bits that number the width's positions; where the width is no power of two it
/// can still be too large, and then everything is shifted out (map, 13.9).
Value* shift(llvm::IRBuilder<>& builder, BinOperator op, Value* lhs, Value* rhs) {
  llvm::Type* type = lhs->getType();
  unsigned width = type->getScalarSizeInBits();
  auto number = [&](std::uint64_t n) { return llvm::ConstantInt::get(type, n); };
  auto apply = [&](Value* amount) {
    if (op == BinOperator::Shl) return builder.CreateShl(lhs, amount);
    return op == BinOperator::LShr ? builder.CreateLShr(lhs, amount) : builder.CreateAShr(lhs, amount);
  };
  Value* amount = builder.CreateAnd(rhs, number(std::bit_ceil(width) - 1));
  if (std::has_single_bit(width)) return apply(amount);
  Value* tooLarge = builder.CreateICmpUGE(amount, number(width));
  if (op == BinOperator::AShr) return apply(builder.CreateSelect(tooLarge, number(width - 1), amount));
  return builder.CreateSelect(tooLarge, llvm::Constant::getNullValue(type),
                              apply(builder.CreateSelect(tooLarge, number(0), amount)));
}

llvm::Intrinsic::ID overflowIntrinsic(BinOperator op, bool isSigned) {
  using namespace llvm;
  switch (op) {
    case BinOperator::Add: return isSigned ? Intrinsic::sadd_with_overflow : Intrinsic::uadd_with_overflow;
    case BinOperator::Sub: return isSigned ? Intrinsic::ssub_with_overflow : Intrinsic::usub_with_overflow;
    default: return isSigned ? Intrinsic::smul_with_overflow : Intrinsic::umul_with_overflow;
  }
}

llvm::CmpInst::Predicate predicate(CmpOperator op) {
  using P = llvm::CmpInst;
  switch (op) {
    case CmpOperator::Eq: return P::ICMP_EQ;
    case CmpOperator::Ne: return P::ICMP_NE;
    case CmpOperator::Sge: return P::ICMP_SGE;
    case CmpOperator::Sgt: return P::ICMP_SGT;
    case CmpOperator::Sle: return P::ICMP_SLE;
    case CmpOperator::Slt: return P::ICMP_SLT;
    case CmpOperator::Uge: return P::ICMP_UGE;
    case CmpOperator::Ugt: return P::ICMP_UGT;
    case CmpOperator::Ule: return P::ICMP_ULE;
    case CmpOperator::Ult: return P::ICMP_ULT;
    case CmpOperator::FFalse: return P::FCMP_FALSE;
    case CmpOperator::FTrue: return P::FCMP_TRUE;
    case CmpOperator::FUno: return P::FCMP_UNO;
    case CmpOperator::FUeq: return P::FCMP_UEQ;
    case CmpOperator::FUne: return P::FCMP_UNE;
    case CmpOperator::FUgt: return P::FCMP_UGT;
    case CmpOperator::FUge: return P::FCMP_UGE;
    case CmpOperator::FUlt: return P::FCMP_ULT;
    case CmpOperator::FUle: return P::FCMP_ULE;
    case CmpOperator::FOrd: return P::FCMP_ORD;
    case CmpOperator::FOeq: return P::FCMP_OEQ;
    case CmpOperator::FOne: return P::FCMP_ONE;
    case CmpOperator::FOgt: return P::FCMP_OGT;
    case CmpOperator::FOge: return P::FCMP_OGE;
    case CmpOperator::FOlt: return P::FCMP_OLT;
    case CmpOperator::FOle: return P::FCMP_OLE;
  }
  return P::BAD_ICMP_PREDICATE;
}

Value* compute(llvm::IRBuilder<>& b, BinOperator op, Value* lhs, Value* rhs) {
  switch (op) {
    case BinOperator::Add: return b.CreateAdd(lhs, rhs);
    case BinOperator::Sub: return b.CreateSub(lhs, rhs);
    case BinOperator::Mul: return b.CreateMul(lhs, rhs);
    case BinOperator::SDiv: return Division{b, lhs, rhs}.signedResult(false);
    case BinOperator::SRem: return Division{b, lhs, rhs}.signedResult(true);
    case BinOperator::UDiv: return b.CreateUDiv(lhs, rhs);
    case BinOperator::URem: return b.CreateURem(lhs, rhs);
    case BinOperator::Shl:
    case BinOperator::LShr:
    case BinOperator::AShr: return shift(b, op, lhs, rhs);
    case BinOperator::And: return b.CreateAnd(lhs, rhs);
    case BinOperator::Or: return b.CreateOr(lhs, rhs);
    case BinOperator::Xor: return b.CreateXor(lhs, rhs);
    case BinOperator::FAdd: return b.CreateFAdd(lhs, rhs);
    case BinOperator::FSub: return b.CreateFSub(lhs, rhs);
    case BinOperator::FMul: return b.CreateFMul(lhs, rhs);
    case BinOperator::FDiv: return b.CreateFDiv(lhs, rhs);
    case BinOperator::FRem: return b.CreateFRem(lhs, rhs);
  }
  return nullptr;
}

}  // namespace

void FunctionLowering::lowerBinOp(ir::BinOp inst) {
  Value* lhs = value(inst.lhs());
  Value* rhs = value(inst.rhs());
  if (classOf(inst.op()) == ir::BinOpClass::IntDivision) {
    // A vector division fails where any lane does.
    Value* isZero = builder_.CreateICmpEQ(rhs, llvm::Constant::getNullValue(rhs->getType()));
    if (isZero->getType()->isVectorTy()) isZero = builder_.CreateOrReduce(isZero);
    failIf(isZero, inst.inst, abi::GuestFailure::DivisionByZero);
  }
  Value* result = compute(builder_, inst.op(), lhs, rhs);
  setResult(inst.inst, 0, result);

  std::size_t next = 1;
  for (StatusFlag flag : ir::kStatusFlags) {
    if (!inst.wants(flag)) continue;
    Value* bit = nullptr;
    switch (flag) {
      case StatusFlag::N:
        bit = builder_.CreateICmpSLT(result, llvm::Constant::getNullValue(result->getType()));
        break;
      case StatusFlag::Z:
        bit = builder_.CreateICmpEQ(result, llvm::Constant::getNullValue(result->getType()));
        break;
      case StatusFlag::C:
      case StatusFlag::V: {
        auto intrinsic = overflowIntrinsic(inst.op(), flag == StatusFlag::V);
        bit = builder_.CreateExtractValue(builder_.CreateBinaryIntrinsic(intrinsic, lhs, rhs), 1);
        break;
      }
    }
    setResult(inst.inst, next++, bit);
  }
  finish(inst.inst);
}

void FunctionLowering::lowerCmp(ir::Cmp inst) {
  setResult(inst.inst, 0, builder_.CreateCmp(predicate(inst.op()), value(inst.lhs()), value(inst.rhs())));
}

}  // namespace gaur::jit
