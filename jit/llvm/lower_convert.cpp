// Conversions, lane-wise on vectors. Floating point to integer saturates and takes NaN to 0 (map, 3.3).
#include "jit/llvm/lowering.h"

namespace gaur::jit {

using ir::ConvOperator;

void FunctionLowering::lowerConv(ir::Conv inst) {
  llvm::Value* from = value(inst.value());
  llvm::Type* to = typeOf(inst.to());
  llvm::Value* result = nullptr;
  switch (inst.op()) {
    case ConvOperator::Trunc:
    case ConvOperator::Zext: result = builder_.CreateZExtOrTrunc(from, to); break;
    case ConvOperator::Sext: result = builder_.CreateSExtOrTrunc(from, to); break;
    case ConvOperator::FpTrunc: result = builder_.CreateFPTrunc(from, to); break;
    case ConvOperator::FpExt: result = builder_.CreateFPExt(from, to); break;
    case ConvOperator::FpToUi:
      result = builder_.CreateIntrinsic(llvm::Intrinsic::fptoui_sat, {to, from->getType()}, {from});
      break;
    case ConvOperator::FpToSi:
      result = builder_.CreateIntrinsic(llvm::Intrinsic::fptosi_sat, {to, from->getType()}, {from});
      break;
    case ConvOperator::UiToFp: result = builder_.CreateUIToFP(from, to); break;
    case ConvOperator::SiToFp: result = builder_.CreateSIToFP(from, to); break;
    case ConvOperator::Bitcast: result = builder_.CreateBitCast(from, to); break;
    case ConvOperator::Refcast: result = from; break;
    case ConvOperator::Ptrcast:
      if (from->getType() == to) {
        result = from;
      } else if (to->isPtrOrPtrVectorTy()) {
        result = builder_.CreateIntToPtr(builder_.CreateZExtOrTrunc(from, builder_.getInt64Ty()), to);
      } else if (from->getType()->isPtrOrPtrVectorTy()) {
        result = builder_.CreateZExtOrTrunc(builder_.CreatePtrToInt(from, builder_.getInt64Ty()), to);
      } else {
        result = builder_.CreateZExtOrTrunc(from, to);
      }
      break;
  }
  setResult(inst.inst, 0, result);
}

}  // namespace gaur::jit
