#include "jit/llvm/value_parts.h"

#include <bit>

namespace gaur::jit {

namespace {

constexpr unsigned kWordBits = 64;
/// xmm0 to xmm7, v0 to v7.
constexpr unsigned kVectorRegisters = 8;
constexpr unsigned kVectorRegisterBits = 128;

bool isWideInteger(llvm::Type* type) { return type->isIntegerTy() && type->getIntegerBitWidth() > kWordBits; }

unsigned wordCount(llvm::Type* type) { return (type->getIntegerBitWidth() + kWordBits - 1) / kWordBits; }

/// Vectors of odd lengths or odd lanes: LLVM takes them apart, into parts that keep the alignment of the
/// whole, and does not always find all their lanes again. They are passed lane by lane.
bool isOddVector(llvm::Type* type) {
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(type);
  if (!vector) return false;
  bool oddLanes = vector->getElementType()->isIntegerTy() && (vector->getScalarSizeInBits() % 8 != 0);
  return oddLanes || !std::has_single_bit(vector->getNumElements());
}

bool hasFields(llvm::Type* type) { return type->isAggregateType() || isOddVector(type); }

unsigned fieldCount(llvm::Type* type) {
  if (auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(type)) return vector->getNumElements();
  return type->isStructTy() ? type->getStructNumElements()
                            : static_cast<unsigned>(type->getArrayNumElements());
}

llvm::Type* fieldType(llvm::Type* type, unsigned i) {
  if (type->isVectorTy()) return type->getScalarType();
  return type->isStructTy() ? type->getStructElementType(i) : type->getArrayElementType();
}

llvm::Value* field(llvm::IRBuilder<>& builder, llvm::Value* whole, unsigned i) {
  if (whole->getType()->isVectorTy()) return builder.CreateExtractElement(whole, i);
  return builder.CreateExtractValue(whole, i);
}

llvm::Value* withField(llvm::IRBuilder<>& builder, llvm::Value* whole, llvm::Value* part, unsigned i) {
  if (whole->getType()->isVectorTy()) return builder.CreateInsertElement(whole, part, i);
  return builder.CreateInsertValue(whole, part, i);
}

/// The lanes as integers: pointers cannot be cast to bits directly.
llvm::FixedVectorType* laneBits(llvm::Type* type) {
  auto* vector = llvm::cast<llvm::FixedVectorType>(type);
  unsigned bits = vector->getElementType()->isPointerTy() ? kWordBits : vector->getScalarSizeInBits();
  return llvm::FixedVectorType::get(llvm::IntegerType::get(type->getContext(), bits),
                                    vector->getNumElements());
}

llvm::IntegerType* vectorBits(llvm::Type* type) {
  llvm::FixedVectorType* lanes = laneBits(type);
  return llvm::IntegerType::get(type->getContext(), lanes->getScalarSizeInBits() * lanes->getNumElements());
}

llvm::Value* toBits(llvm::IRBuilder<>& builder, llvm::Value* vector) {
  llvm::Type* type = vector->getType();
  if (type->isPtrOrPtrVectorTy()) vector = builder.CreatePtrToInt(vector, laneBits(type));
  return builder.CreateBitCast(vector, vectorBits(type));
}

llvm::Value* fromBits(llvm::IRBuilder<>& builder, llvm::Type* type, llvm::Value* bits) {
  llvm::Value* lanes = builder.CreateBitCast(bits, laneBits(type));
  return type->isPtrOrPtrVectorTy() ? builder.CreateIntToPtr(lanes, type)
                                    : builder.CreateBitCast(lanes, type);
}

void appendWords(llvm::IRBuilder<>& builder, llvm::Value* integer, llvm::SmallVectorImpl<llvm::Value*>& out) {
  if (!isWideInteger(integer->getType())) return out.push_back(integer);
  for (unsigned i = 0; i < wordCount(integer->getType()); ++i)
    out.push_back(builder.CreateTrunc(builder.CreateLShr(integer, i * kWordBits), builder.getInt64Ty()));
}

llvm::Value* takeWords(llvm::IRBuilder<>& builder, llvm::Type* type, llvm::ArrayRef<llvm::Value*>& parts) {
  unsigned count = isWideInteger(type) ? wordCount(type) : 1;
  llvm::Value* whole = builder.CreateZExtOrTrunc(parts.front(), type);
  for (unsigned i = 1; i < count; ++i)
    whole =
        builder.CreateOr(whole, builder.CreateShl(builder.CreateZExtOrTrunc(parts[i], type), i * kWordBits));
  parts = parts.drop_front(count);
  return whole;
}

}  // namespace

bool ParameterParts::fitsRegisters(llvm::Type* type) {
  if (!type->isVectorTy()) {
    vectorRegisters_ += type->isFloatingPointTy();
    return true;
  }
  unsigned needed = (vectorBits(type)->getBitWidth() + kVectorRegisterBits - 1) / kVectorRegisterBits;
  if (vectorRegisters_ + needed > kVectorRegisters) return false;
  vectorRegisters_ += needed;
  return true;
}

void ParameterParts::appendTypes(llvm::Type* type, llvm::SmallVectorImpl<llvm::Type*>& out) {
  if (hasFields(type)) {
    for (unsigned i = 0; i < fieldCount(type); ++i) appendTypes(fieldType(type, i), out);
    return;
  }
  if (!fitsRegisters(type)) type = vectorBits(type);
  if (isWideInteger(type))
    out.append(wordCount(type), llvm::Type::getInt64Ty(type->getContext()));
  else
    out.push_back(type);
}

void ParameterParts::append(llvm::IRBuilder<>& builder, llvm::Value* value,
                            llvm::SmallVectorImpl<llvm::Value*>& out) {
  llvm::Type* type = value->getType();
  if (hasFields(type)) {
    for (unsigned i = 0; i < fieldCount(type); ++i) append(builder, field(builder, value, i), out);
    return;
  }
  appendWords(builder, fitsRegisters(type) ? value : toBits(builder, value), out);
}

llvm::Value* ParameterParts::take(llvm::IRBuilder<>& builder, llvm::Type* type,
                                  llvm::ArrayRef<llvm::Value*>& parts) {
  if (hasFields(type)) {
    llvm::Value* whole = llvm::PoisonValue::get(type);
    for (unsigned i = 0; i < fieldCount(type); ++i)
      whole = withField(builder, whole, take(builder, fieldType(type, i), parts), i);
    return whole;
  }
  if (!fitsRegisters(type)) return fromBits(builder, type, takeWords(builder, vectorBits(type), parts));
  if (isWideInteger(type)) return takeWords(builder, type, parts);
  llvm::Value* part = parts.front();
  parts = parts.drop_front();
  return part;
}

void appendScalars(llvm::IRBuilder<>& builder, llvm::Value* value, llvm::SmallVectorImpl<llvm::Value*>& out) {
  llvm::Type* type = value->getType();
  if (type->isAggregateType() || type->isVectorTy()) {
    for (unsigned i = 0; i < fieldCount(type); ++i) appendScalars(builder, field(builder, value, i), out);
  } else {
    appendWords(builder, value, out);
  }
}

}  // namespace gaur::jit
