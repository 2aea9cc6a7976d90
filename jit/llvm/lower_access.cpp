// How values lie in memory: plain and atomic loads and stores of every type, and addresses of parts.
#include <llvm/Support/Alignment.h>

#include "jit/llvm/lowering.h"

namespace gaur::jit {

using ir::TypeKind;

namespace {

/// Reads and writes are at most this aligned: larger vectors lie at multiples of 16.
llvm::Align alignmentOf(const abi::Layout& layout) { return llvm::Align(layout.alignment); }

/// int<n> in memory fills whole bytes with zeros above.
unsigned memoryBits(const ir::Type* type) { return static_cast<unsigned>(abi::intBytes(type->length) * 8); }

/// LLVM packs odd integers in vectors to bits; in Mu memory each lane has whole bytes, so such vectors go
/// lane by lane.
bool isPacked(const ir::Type* vector) {
  return vector->element()->is(TypeKind::Int) && vector->element()->length != memoryBits(vector->element());
}

}  // namespace

llvm::Value* MemoryLowering::byteOffset(llvm::Value* address, std::uint64_t bytes) {
  return builder_.CreateConstGEP1_64(builder_.getInt8Ty(), address, bytes);
}

llvm::Value* MemoryLowering::elementAddress(llvm::Value* address, llvm::Value* index,
                                            const ir::Type* element) {
  const abi::Layout& layout = module_.layoutOf(element);
  // With the stride as the GEP's element type LLVM sees an array access.
  return builder_.CreateGEP(llvm::ArrayType::get(builder_.getInt8Ty(), layout.size), address,
                            builder_.CreateSExtOrTrunc(index, builder_.getInt64Ty()));
}

llvm::Value* MemoryLowering::loadPlain(const ir::Type* type, llvm::Value* address) {
  const abi::Layout& layout = module_.layoutOf(type);
  switch (type->kind) {
    case TypeKind::Int: {
      auto* memory = builder_.getIntNTy(memoryBits(type));
      return builder_.CreateTrunc(builder_.CreateAlignedLoad(memory, address, alignmentOf(layout)),
                                  module_.valueType(type));
    }
    case TypeKind::Weakref: return module_.callRuntime(builder_, abi::RuntimeEntry::gaur_weakLoad, {address});
    case TypeKind::Struct: {
      llvm::Value* whole = llvm::PoisonValue::get(module_.valueType(type));
      for (unsigned i = 0; i < type->elements.size(); ++i)
        whole = builder_.CreateInsertValue(
            whole, loadPlain(type->elements[i], byteOffset(address, layout.offsets[i])), i);
      return whole;
    }
    case TypeKind::Array: {
      llvm::Value* whole = llvm::PoisonValue::get(module_.valueType(type));
      for (unsigned i = 0; i < type->length; ++i)
        whole = builder_.CreateInsertValue(
            whole, loadPlain(type->element(), byteOffset(address, i * layout.stride)), i);
      return whole;
    }
    case TypeKind::Vector: {
      if (!isPacked(type))
        return builder_.CreateAlignedLoad(module_.valueType(type), address, alignmentOf(layout));
      llvm::Value* whole = llvm::PoisonValue::get(module_.valueType(type));
      for (unsigned i = 0; i < type->length; ++i)
        whole = builder_.CreateInsertElement(
            whole, loadPlain(type->element(), byteOffset(address, i * layout.stride)), i);
      return whole;
    }
    default: return builder_.CreateAlignedLoad(module_.valueType(type), address, alignmentOf(layout));
  }
}

void MemoryLowering::storePlain(const ir::Type* type, llvm::Value* address, llvm::Value* value) {
  const abi::Layout& layout = module_.layoutOf(type);
  switch (type->kind) {
    case TypeKind::Int:
      builder_.CreateAlignedStore(builder_.CreateZExt(value, builder_.getIntNTy(memoryBits(type))), address,
                                  alignmentOf(layout));
      break;
    case TypeKind::Weakref:
      module_.callRuntime(builder_, abi::RuntimeEntry::gaur_weakStore, {address, value});
      break;
    case TypeKind::Struct:
      for (unsigned i = 0; i < type->elements.size(); ++i)
        storePlain(type->elements[i], byteOffset(address, layout.offsets[i]),
                   builder_.CreateExtractValue(value, i));
      break;
    case TypeKind::Array:
      for (unsigned i = 0; i < type->length; ++i)
        storePlain(type->element(), byteOffset(address, i * layout.stride),
                   builder_.CreateExtractValue(value, i));
      break;
    case TypeKind::Vector:
      if (!isPacked(type)) {
        builder_.CreateAlignedStore(value, address, alignmentOf(layout));
        break;
      }
      for (unsigned i = 0; i < type->length; ++i)
        storePlain(type->element(), byteOffset(address, i * layout.stride),
                   builder_.CreateExtractElement(value, i));
      break;
    default: builder_.CreateAlignedStore(value, address, alignmentOf(layout)); break;
  }
}

llvm::Type* MemoryLowering::atomicType(const ir::Type* type) {
  switch (type->kind) {
    case TypeKind::Int: return builder_.getIntNTy(memoryBits(type));
    case TypeKind::Float: return builder_.getInt32Ty();
    case TypeKind::Double: return builder_.getInt64Ty();
    default: return module_.valueType(type);
  }
}

llvm::Value* MemoryLowering::toAtomic(const ir::Type* type, llvm::Value* value) {
  llvm::Type* raw = atomicType(type);
  if (raw == value->getType()) return value;
  return type->is(TypeKind::Int) ? builder_.CreateZExt(value, raw) : builder_.CreateBitCast(value, raw);
}

llvm::Value* MemoryLowering::fromAtomic(const ir::Type* type, llvm::Value* raw) {
  llvm::Type* wanted = module_.valueType(type);
  if (raw->getType() == wanted) return raw;
  return type->is(TypeKind::Int) ? builder_.CreateTrunc(raw, wanted) : builder_.CreateBitCast(raw, wanted);
}

}  // namespace gaur::jit
