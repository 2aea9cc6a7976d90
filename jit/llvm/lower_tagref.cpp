// Operations on tagref64; the bit format is vm/abi/object.h's.
#include "jit/llvm/lowering.h"
#include "vm/abi/object.h"

namespace gaur::jit {

using ir::CommonInst;
using llvm::Value;

namespace {

struct Tagref {
  llvm::IRBuilder<>& b;

  Value* matches(Value* bits, std::uint64_t mask, std::uint64_t wanted) {
    return b.CreateICmpEQ(b.CreateAnd(bits, mask), b.getInt64(wanted));
  }
  Value* isInt(Value* bits) { return matches(bits, abi::kTagrefIntMask, abi::kTagrefIntMask); }
  Value* isRef(Value* bits) { return matches(bits, abi::kTagrefRefMask, abi::kTagrefRefBits); }

  Value* fromFp(Value* number) {
    Value* bits = b.CreateBitCast(number, b.getInt64Ty());
    Value* nan = b.CreateOr(b.CreateAnd(bits, abi::kTagrefSign), abi::kTagrefNan);
    return b.CreateSelect(b.CreateFCmpUNO(number, number), nan, bits);
  }
  Value* fromInt(Value* number) {
    Value* wide = b.CreateZExt(number, b.getInt64Ty());
    constexpr std::uint64_t lowMask = (std::uint64_t{1} << abi::kTagrefIntLowBits) - 1;
    Value* low = b.CreateShl(b.CreateAnd(wide, lowMask), abi::kTagrefIntShift);
    Value* sign = b.CreateShl(b.CreateLShr(wide, abi::kTagrefIntLowBits), 63);
    return b.CreateOr(b.CreateOr(low, sign), abi::kTagrefIntMask);
  }
  Value* toInt(Value* bits) {
    constexpr std::uint64_t lowMask = (std::uint64_t{1} << abi::kTagrefIntLowBits) - 1;
    Value* low = b.CreateAnd(b.CreateLShr(bits, abi::kTagrefIntShift), lowMask);
    Value* high = b.CreateShl(b.CreateLShr(bits, 63), abi::kTagrefIntLowBits);
    return b.CreateTrunc(b.CreateOr(low, high), b.getIntNTy(abi::kTagrefIntLowBits + 1));
  }
  Value* fromRef(Value* reference, Value* tag) {
    Value* address = b.CreatePtrToInt(reference, b.getInt64Ty());
    Value* wide = b.CreateZExt(tag, b.getInt64Ty());
    Value* tagHigh = b.CreateShl(b.CreateAnd(wide, abi::kTagrefTagHighMask), abi::kTagrefTagHighShift);
    Value* tagLow = b.CreateShl(b.CreateAnd(wide, 1), abi::kTagrefTagLowShift);
    Value* place = b.CreateAnd(address, abi::kTagrefAddressMask | abi::kTagrefSign);
    return b.CreateOr(b.CreateOr(place, b.CreateOr(tagHigh, tagLow)), abi::kTagrefRefBits);
  }
  Value* toRef(Value* bits) {
    Value* high = b.CreateAnd(b.CreateAShr(bits, 63), abi::kTagrefAddressHigh);
    return b.CreateIntToPtr(b.CreateOr(b.CreateAnd(bits, abi::kTagrefAddressMask), high), b.getPtrTy());
  }
  Value* toTag(Value* bits) {
    Value* high = b.CreateAnd(b.CreateLShr(bits, abi::kTagrefTagHighShift), abi::kTagrefTagHighMask);
    Value* low = b.CreateAnd(b.CreateLShr(bits, abi::kTagrefTagLowShift), 1);
    return b.CreateTrunc(b.CreateOr(high, low), b.getIntNTy(6));
  }
};

}  // namespace

void FunctionLowering::lowerTagref(ir::CommInst inst) {
  Tagref tagref{builder_};
  Value* operand = value(inst.operand(0));
  Value* result = nullptr;
  switch (inst.id()) {
    case CommonInst::UvmTr64IsFp:
      result = builder_.CreateNot(builder_.CreateOr(tagref.isInt(operand), tagref.isRef(operand)));
      break;
    case CommonInst::UvmTr64IsInt: result = tagref.isInt(operand); break;
    case CommonInst::UvmTr64IsRef: result = tagref.isRef(operand); break;
    case CommonInst::UvmTr64FromFp: result = tagref.fromFp(operand); break;
    case CommonInst::UvmTr64FromInt: result = tagref.fromInt(operand); break;
    case CommonInst::UvmTr64FromRef: result = tagref.fromRef(operand, value(inst.operand(1))); break;
    case CommonInst::UvmTr64ToFp: result = builder_.CreateBitCast(operand, builder_.getDoubleTy()); break;
    case CommonInst::UvmTr64ToInt: result = tagref.toInt(operand); break;
    case CommonInst::UvmTr64ToRef: result = tagref.toRef(operand); break;
    default: result = tagref.toTag(operand); break;
  }
  setResult(inst.inst, 0, result);
}

}  // namespace gaur::jit
