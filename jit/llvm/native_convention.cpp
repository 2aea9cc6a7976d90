#include "jit/llvm/native_convention.h"

#include <llvm/TargetParser/Triple.h>

#include <algorithm>

namespace gaur::jit {

using ir::TypeKind;
using Way = NativePassing::Way;

namespace {

constexpr std::uint64_t kWord = 8;
/// Bigger aggregates do not travel in registers, save homogeneous ones on AArch64.
constexpr std::uint64_t kMostInRegisters = 16;

/// A scalar or vector inside an aggregate.
struct Member {
  const ir::Type* type;
  std::uint64_t offset;
  std::uint64_t size;
};

void flatten(abi::LayoutTable& layouts, const ir::Type* type, std::uint64_t offset,
             llvm::SmallVectorImpl<Member>& out) {
  const abi::Layout& layout = layouts.of(type);
  if (type->is(TypeKind::Struct)) {
    for (std::size_t i = 0; i < type->elements.size(); ++i)
      flatten(layouts, type->elements[i], offset + layout.offsets[i], out);
  } else if (type->is(TypeKind::Array)) {
    for (std::uint64_t i = 0; i < type->length; ++i)
      flatten(layouts, type->element(), offset + i * layout.stride, out);
  } else {
    out.push_back({type, offset, layout.size});
  }
}

bool usesVectorRegister(const ir::Type* type) {
  return type->is(TypeKind::Float) || type->is(TypeKind::Double) || type->is(TypeKind::Vector);
}

/// Counts registers from left to right, as callers do.
class Classifier {
 public:
  virtual ~Classifier() = default;
  NativePassing parameter(const ir::Type* type) {
    return isNativeAggregate(type) ? aggregateParameter(type) : scalar(type);
  }
  virtual NativePassing result(const ir::Type* type) = 0;

 protected:
  explicit Classifier(ModuleLowering& module) : module_(module) {}
  virtual NativePassing aggregateParameter(const ir::Type* type) = 0;
  virtual NativePassing scalar(const ir::Type* type) = 0;

  std::uint64_t sizeOf(const ir::Type* type) { return module_.layoutOf(type).size; }
  llvm::SmallVector<Member, 8> membersOf(const ir::Type* type) {
    llvm::SmallVector<Member, 8> members;
    flatten(module_.environment().layouts(), type, 0, members);
    return members;
  }

  ModuleLowering& module_;
};

/// System V: each eightbyte of an aggregate of up to 16 bytes goes to an integer or a vector register, all of
/// them or none.
class SystemV : public Classifier {
 public:
  explicit SystemV(ModuleLowering& module) : Classifier(module) {}

  NativePassing result(const ir::Type* type) override {
    if (!isNativeAggregate(type)) return {};
    if (sizeOf(type) <= kMostInRegisters) return {Way::Pieces, eightbytes(type)};
    --words_;  // the address of the memory for it
    return {Way::ByReference, {}};
  }

 private:
  NativePassing aggregateParameter(const ir::Type* type) override {
    if (sizeOf(type) > kMostInRegisters) return {Way::OnStack, {}};
    auto pieces = eightbytes(type);
    auto words =
        static_cast<int>(llvm::count_if(pieces, [](llvm::Type* piece) { return piece->isIntegerTy(); }));
    int vectors = static_cast<int>(pieces.size()) - words;
    if (words > words_ || vectors > vectors_) return {Way::OnStack, {}};
    words_ -= words;
    vectors_ -= vectors;
    return {Way::Pieces, pieces};
  }
  NativePassing scalar(const ir::Type* type) override {
    int& left = usesVectorRegister(type) ? vectors_ : words_;
    left = std::max(0, left - (type->is(TypeKind::Int) && type->length > 64 ? 2 : 1));
    return {};
  }

  llvm::SmallVector<llvm::Type*, 4> eightbytes(const ir::Type* type) {
    auto members = membersOf(type);
    if (members.size() == 1 && members[0].type->is(TypeKind::Vector))
      return {module_.valueType(members[0].type)};
    llvm::SmallVector<llvm::Type*, 4> pieces;
    for (std::uint64_t begin = 0; begin < sizeOf(type); begin += kWord) {
      bool isInteger = llvm::any_of(members, [&](const Member& member) {
        return !usesVectorRegister(member.type) && member.offset < begin + kWord &&
               member.offset + member.size > begin;
      });
      pieces.push_back(isInteger ? llvm::Type::getInt64Ty(module_.context())
                                 : llvm::Type::getDoubleTy(module_.context()));
    }
    return pieces;
  }

  int words_ = 6;
  int vectors_ = 8;
};

/// AAPCS64: up to four members of one floating-point or vector type in vector registers; else up to 16 bytes
/// in integer registers. LLVM sees to it that an array of such parts is in registers as a whole or not at
/// all.
class Aapcs64 : public Classifier {
 public:
  explicit Aapcs64(ModuleLowering& module) : Classifier(module) {}

  NativePassing result(const ir::Type* type) override {
    return isNativeAggregate(type) ? aggregateParameter(type) : NativePassing{};
  }

 private:
  static constexpr std::size_t kMostHomogeneous = 4;

  NativePassing aggregateParameter(const ir::Type* type) override {
    auto members = membersOf(type);
    const ir::Type* first = members[0].type;
    bool isHomogeneous = members.size() <= kMostHomogeneous && usesVectorRegister(first) &&
                         llvm::all_of(members, [&](const Member& member) { return member.type == first; });
    if (isHomogeneous)
      return {Way::Pieces, llvm::SmallVector<llvm::Type*, 4>(members.size(), module_.valueType(first))};
    if (sizeOf(type) > kMostInRegisters) return {Way::ByReference, {}};
    std::size_t words = (sizeOf(type) + kWord - 1) / kWord;
    return {Way::Pieces, llvm::SmallVector<llvm::Type*, 4>(words, llvm::Type::getInt64Ty(module_.context()))};
  }
  NativePassing scalar(const ir::Type*) override { return {}; }
};

/// Memory big enough to be read and written in whole pieces.
llvm::Value* makeSlot(ModuleLowering& module, llvm::Function& function, const ir::Type* type) {
  llvm::BasicBlock& entry = function.getEntryBlock();
  llvm::IRBuilder<> builder(&entry, entry.begin());
  std::uint64_t bytes = llvm::alignTo(module.layoutOf(type).size, kMostInRegisters);
  auto* slot =
      builder.CreateAlloca(llvm::ArrayType::get(builder.getInt8Ty(), std::max(bytes, kMostInRegisters)));
  slot->setAlignment(llvm::Align(kMostInRegisters));
  return slot;
}

/// Calls f(place, type, index) for the pieces of a value in memory.
template <class F>
void forEachPiece(ModuleLowering& module, llvm::IRBuilder<>& builder, llvm::Value* memory,
                  llvm::ArrayRef<llvm::Type*> pieces, F&& f) {
  std::uint64_t offset = 0;
  for (unsigned i = 0; i < pieces.size(); ++i) {
    f(builder.CreateConstGEP1_64(builder.getInt8Ty(), memory, offset), pieces[i], i);
    offset += module.module().getDataLayout().getTypeStoreSize(pieces[i]);
  }
}

}  // namespace

NativeCallee::NativeCallee(ModuleLowering& module, const ir::Signature* signature)
    : module_(module), signature_(signature) {
  auto* pointer = llvm::PointerType::getUnqual(module.context());
  SystemV systemV(module);
  Aapcs64 aapcs(module);
  Classifier& classifier = module.isAArch64() ? static_cast<Classifier&>(aapcs) : systemV;

  llvm::SmallVector<llvm::Type*, 8> types{pointer};
  llvm::Type* returned = llvm::Type::getVoidTy(module.context());
  if (!signature->results.empty()) {
    result_ = classifier.result(signature->results[0]);
    if (result_.way == Way::ByReference)
      types.push_back(pointer);
    else if (result_.way == Way::Pieces)
      returned = result_.pieces.size() == 1 ? result_.pieces[0]
                                            : llvm::StructType::get(module.context(), result_.pieces);
    else
      returned = module.valueType(signature->results[0]);
  }
  for (const ir::Type* type : signature->parameters) {
    firstParameter_.push_back(static_cast<unsigned>(types.size()));
    NativePassing& passing = parameters_.emplace_back(classifier.parameter(type));
    if (passing.way == Way::Direct)
      types.push_back(module.valueType(type));
    else if (passing.way != Way::Pieces)
      types.push_back(pointer);
    else if (module.isAArch64())
      types.push_back(llvm::ArrayType::get(passing.pieces[0], passing.pieces.size()));
    else
      types.append(passing.pieces.begin(), passing.pieces.end());
  }
  type_ = llvm::FunctionType::get(returned, types, false);
}

void NativeCallee::setAttributes(llvm::Function& function) const {
  auto& context = module_.context();
  function.addParamAttr(0, llvm::Attribute::Nest);
  auto bytesOf = [&](const ir::Type* type) {
    return llvm::ArrayType::get(llvm::Type::getInt8Ty(context), module_.layoutOf(type).size);
  };
  if (result_.way == Way::ByReference)
    function.addParamAttr(1, llvm::Attribute::getWithStructRetType(context, bytesOf(signature_->results[0])));
  if (!signature_->results.empty() && isNarrowInt(signature_->results[0]))
    function.addRetAttr(llvm::Attribute::ZExt);
  for (unsigned i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].way != Way::OnStack) continue;
    const ir::Type* type = signature_->parameters[i];
    function.addParamAttr(firstParameter_[i], llvm::Attribute::getWithByValType(context, bytesOf(type)));
    std::uint64_t alignment = std::max<std::uint64_t>(kWord, module_.layoutOf(type).alignment);
    function.addParamAttr(firstParameter_[i],
                          llvm::Attribute::getWithAlignment(context, llvm::Align(alignment)));
  }
}

llvm::Value* NativeCallee::parameter(llvm::IRBuilder<>& builder, llvm::Function& function,
                                     unsigned index) const {
  const NativePassing& passing = parameters_[index];
  const ir::Type* type = signature_->parameters[index];
  unsigned first = firstParameter_[index];
  if (passing.way == Way::Direct) return function.getArg(first);
  MemoryLowering memory(module_, builder);
  if (passing.way != Way::Pieces) return memory.loadPlain(type, function.getArg(first));
  llvm::Value* slot = makeSlot(module_, function, type);
  forEachPiece(module_, builder, slot, passing.pieces, [&](llvm::Value* place, llvm::Type*, unsigned i) {
    bool isArray = function.getArg(first)->getType()->isArrayTy();
    builder.CreateStore(
        isArray ? builder.CreateExtractValue(function.getArg(first), i) : function.getArg(first + i), place);
  });
  return memory.loadPlain(type, slot);
}

void NativeCallee::ret(llvm::IRBuilder<>& builder, llvm::Function& function, llvm::Value* result) const {
  if (signature_->results.empty()) {
    builder.CreateRetVoid();
    return;
  }
  const ir::Type* type = signature_->results[0];
  MemoryLowering memory(module_, builder);
  if (result_.way == Way::Direct) {
    builder.CreateRet(result);
  } else if (result_.way == Way::ByReference) {
    memory.storePlain(type, function.getArg(1), result);
    builder.CreateRetVoid();
  } else {
    llvm::Value* slot = makeSlot(module_, function, type);
    memory.storePlain(type, slot, result);
    llvm::Value* whole = llvm::PoisonValue::get(type_->getReturnType());
    forEachPiece(module_, builder, slot, result_.pieces,
                 [&](llvm::Value* place, llvm::Type* piece, unsigned i) {
                   llvm::Value* part = builder.CreateLoad(piece, place);
                   whole = result_.pieces.size() == 1 ? part : builder.CreateInsertValue(whole, part, i);
                 });
    builder.CreateRet(whole);
  }
}

}  // namespace gaur::jit
