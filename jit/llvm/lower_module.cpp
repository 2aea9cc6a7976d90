// What the functions of one module share: types, signatures, symbols at fixed addresses, and calls of the
// runtime.
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/TargetParser/Triple.h>

#include "jit/llvm/lowering.h"
#include "jit/llvm/value_parts.h"
#include "vm/abi/thread_block.h"
#include "vm/abi/value_passing.h"
#include "vm/support/check.h"

namespace gaur::jit {

using ir::TypeKind;

namespace {

constexpr const char* kLinkTable = "gaur.links";
constexpr unsigned kThreadPointerSpace = 257;  // x86-64: relative to fs

struct RuntimeDeclaration {
  llvm::FunctionType* type;
  abi::Effect effects;
};

template <class T>
llvm::Type* nativeType(llvm::LLVMContext& context) {
  if constexpr (std::is_void_v<T>)
    return llvm::Type::getVoidTy(context);
  else if constexpr (std::is_pointer_v<T>)
    return llvm::PointerType::getUnqual(context);
  else if constexpr (std::is_same_v<T, bool>)
    return llvm::Type::getInt1Ty(context);
  else if constexpr (std::is_integral_v<T>)
    return llvm::Type::getIntNTy(context, sizeof(T) * 8);
  else if constexpr (std::is_same_v<T, double>)
    return llvm::Type::getDoubleTy(context);
  else {
    static_assert(std::is_same_v<T, float>);
    return llvm::Type::getFloatTy(context);
  }
}

template <class R, class... A>
llvm::FunctionType* nativeSignature(llvm::LLVMContext& context, R (*)(A...)) {
  return llvm::FunctionType::get(nativeType<R>(context), {nativeType<A>(context)...}, false);
}

RuntimeDeclaration declarationOf(llvm::LLVMContext& context, abi::RuntimeEntry entry) {
  using abi::Effect;
  constexpr auto None = Effect::None, Throws = Effect::Throws, NoReturn = Effect::NoReturn,
                 Cold = Effect::Cold, CallSite = Effect::CallSite;
  switch (entry) {
#define GAUR_RUNTIME_ENTRY(name, Effects) \
  case abi::RuntimeEntry::name:           \
    return {nativeSignature(context, decltype(&::name){}), Effects};
#include "vm/abi/runtime_entries.def"
  }
  GAUR_UNREACHABLE("no such runtime entry");
}

/// Bytes that a tailcc callee with these parameters takes off the stack when it returns: all of them are
/// scalars or vectors in registers.
std::uint16_t poppedBytes(const llvm::Triple& target, llvm::ArrayRef<llvm::Type*> parameters) {
  constexpr std::uint64_t kWord = 8;
  constexpr std::uint64_t kStackAlignment = 16;
  const bool isX86 = target.isX86();
  const std::uint64_t wordRegisters = isX86 ? 6 : 8;
  constexpr std::uint64_t kVectorRegisters = 8;
  std::uint64_t words = 0;
  std::uint64_t vectors = 0;
  for (llvm::Type* type : parameters) {
    if (type->isVectorTy())
      vectors += (type->getPrimitiveSizeInBits() + 127) / 128;
    else
      ++(type->isFloatingPointTy() ? vectors : words);
  }
  std::uint64_t bytes = 0;
  if (words > wordRegisters) bytes += kWord * (words - wordRegisters);
  if (vectors > kVectorRegisters) bytes += kWord * (vectors - kVectorRegisters);
  // The stack is aligned where a call has pushed its return address.
  std::uint64_t pushed = isX86 ? kWord : 0;
  return static_cast<std::uint16_t>(llvm::alignTo(bytes + pushed, kStackAlignment) - pushed);
}

}  // namespace

std::uint64_t placeInMemory(abi::LayoutTable& layouts, std::span<const ir::Type* const> types,
                            llvm::SmallVectorImpl<std::uint64_t>& offsets) {
  std::uint64_t end = 0;
  for (const ir::Type* type : types) {
    offsets.push_back(end);
    end += abi::placeBytes(layouts.of(type));
  }
  return end;
}

ModuleLowering::ModuleLowering(llvm::Module& module, Environment& environment, OptLevel level)
    : module_(module), environment_(environment), level_(level) {}

llvm::Type* ModuleLowering::valueType(const ir::Type* type) {
  if (llvm::Type* known = valueTypes_.lookup(type)) return known;
  auto& c = context();
  llvm::Type* result = nullptr;
  switch (type->kind) {
    case TypeKind::Int: result = llvm::Type::getIntNTy(c, static_cast<unsigned>(type->length)); break;
    case TypeKind::Float: result = llvm::Type::getFloatTy(c); break;
    case TypeKind::Double: result = llvm::Type::getDoubleTy(c); break;
    case TypeKind::Tagref64: result = llvm::Type::getInt64Ty(c); break;
    case TypeKind::Struct: {
      llvm::SmallVector<llvm::Type*, 8> fields;
      for (const ir::Type* field : type->elements) fields.push_back(valueType(field));
      result = llvm::StructType::get(c, fields);
      break;
    }
    case TypeKind::Array: result = llvm::ArrayType::get(valueType(type->element()), type->length); break;
    case TypeKind::Vector:
      result = llvm::FixedVectorType::get(valueType(type->element()), static_cast<unsigned>(type->length));
      break;
    default: result = llvm::PointerType::getUnqual(c); break;
  }
  return valueTypes_[type] = result;
}

MuSignature ModuleLowering::signatureOf(const ir::Signature* signature) {
  if (auto known = signatures_.find(signature); known != signatures_.end()) return known->second;
  MuSignature lowered = resultsOf(signature->results);
  llvm::SmallVector<llvm::Type*, 8> parameters;
  if (lowered.resultsInMemory) parameters.push_back(llvm::PointerType::getUnqual(context()));
  ParameterParts parts;
  for (const ir::Type* type : signature->parameters) parts.appendTypes(valueType(type), parameters);
  lowered.type = llvm::FunctionType::get(lowered.type->getReturnType(), parameters, false);
  lowered.calleePops = poppedBytes(llvm::Triple(module_.getTargetTriple()), parameters);
  signatures_[signature] = lowered;
  return lowered;
}

MuSignature ModuleLowering::resultsOf(std::span<const ir::Type* const> types) {
  MuSignature lowered;
  lowered.resultsInMemory = !abi::travelInRegisters(environment_.layouts(), types);
  llvm::Type* returned = llvm::Type::getVoidTy(context());
  if (lowered.resultsInMemory)
    lowered.resultBytes = placeInMemory(environment_.layouts(), types, lowered.resultOffsets);
  else if (types.size() == 1)
    returned = valueType(types[0]);
  else if (types.size() == 2)
    returned = llvm::StructType::get(valueType(types[0]), valueType(types[1]));
  lowered.type = llvm::FunctionType::get(returned, false);
  return lowered;
}

void ModuleLowering::setAttributes(llvm::Function& function) {
  function.addFnAttr("frame-pointer", "all");
  function.setUWTableKind(llvm::UWTableKind::Async);
  // The prologue compares the stack pointer with the limit of the current stack and calls __morestack, which
  // throws.
  function.addFnAttr("split-stack");
  // An access through NULL is a failure that gets reported, not leave for the optimiser to drop the path.
  function.addFnAttr(llvm::Attribute::NullPointerIsValid);
  function.setDSOLocal(true);
}

llvm::Function* ModuleLowering::functionFor(const ir::FunctionVersion& version) {
  std::string name = "f" + std::to_string(version.id);
  if (llvm::Function* known = module_.getFunction(name)) return known;
  auto* function = llvm::Function::Create(signatureOf(version.function->signature->signature).type,
                                          llvm::GlobalValue::ExternalLinkage, name, module_);
  function->setCallingConv(llvm::CallingConv::Tail);
  function->addFnAttr(llvm::Attribute::NoInline);
  setAttributes(*function);
  return function;
}

void ModuleLowering::lower(const ir::FunctionVersion& version) {
  FunctionLowering(*this, version, functionFor(version)).run();
}

llvm::Function* ModuleLowering::inlineCopy(const ir::FunctionVersion& leaf,
                                           const ir::FunctionVersion& caller) {
  inlinings_.push_back({caller.id, leaf.function->id});
  if (llvm::Function* known = inlineCopies_.lookup(&leaf)) return known;
  auto* function =
      llvm::Function::Create(signatureOf(leaf.function->signature->signature).type,
                             llvm::GlobalValue::InternalLinkage, "leaf" + std::to_string(leaf.id), module_);
  function->setCallingConv(llvm::CallingConv::Tail);
  function->addFnAttr(llvm::Attribute::AlwaysInline);
  setAttributes(*function);
  inlineCopies_[&leaf] = function;
  FunctionLowering(*this, leaf, function).run();
  return function;
}

llvm::Constant* ModuleLowering::externalSymbol(const std::string& name, std::uintptr_t address,
                                               llvm::Type* type) {
  if (llvm::GlobalVariable* known = module_.getNamedGlobal(name)) return known;
  externals_[name] = address;
  auto* symbol =
      new llvm::GlobalVariable(module_, type, false, llvm::GlobalValue::ExternalLinkage, nullptr, name);
  symbol->setDSOLocal(true);
  return symbol;
}

llvm::Constant* ModuleLowering::recordSymbol(const ir::Function& function) {
  auto* record = environment_.recordOf(function);
  return externalSymbol("record" + std::to_string(function.id), reinterpret_cast<std::uintptr_t>(record),
                        llvm::ArrayType::get(llvm::Type::getInt8Ty(context()), sizeof(abi::FunctionRecord)));
}

llvm::Constant* ModuleLowering::cellSymbol(const ir::GlobalCell& cell) {
  const abi::Layout& layout = layoutOf(cell.cellType->type);
  return externalSymbol("cell" + std::to_string(cell.id),
                        reinterpret_cast<std::uintptr_t>(environment_.addressOf(cell)),
                        llvm::ArrayType::get(llvm::Type::getInt8Ty(context()), layout.size));
}

llvm::Constant* ModuleLowering::slotSymbol(const std::string& name, void* address) {
  return externalSymbol(name, reinterpret_cast<std::uintptr_t>(address),
                        llvm::PointerType::getUnqual(context()));
}

llvm::Constant* ModuleLowering::externSymbol(std::string_view symbol, abi::NativeSlot* slot) {
  return externalSymbol("extern." + std::string(symbol), reinterpret_cast<std::uintptr_t>(slot),
                        llvm::ArrayType::get(llvm::Type::getInt8Ty(context()), sizeof(abi::NativeSlot)));
}

llvm::CallBase* ModuleLowering::callRuntime(llvm::IRBuilder<>& builder, abi::RuntimeEntry entry,
                                            llvm::ArrayRef<llvm::Value*> arguments, Id instruction,
                                            llvm::BasicBlock* unwind) {
  auto declaration = declarationOf(context(), entry);
  llvm::Value* callee = entryAddress(builder, entry);
  llvm::SmallVector<llvm::OperandBundleDef, 1> bundles;
  bool throws = abi::has(declaration.effects, abi::Effect::Throws);
  bool isSite = throws || abi::has(declaration.effects, abi::Effect::CallSite);
  if (isSite) bundles.emplace_back("deopt", llvm::ArrayRef<llvm::Value*>{});
  llvm::CallBase* call = nullptr;
  if (unwind) {
    auto* next = llvm::BasicBlock::Create(context(), "next", builder.GetInsertBlock()->getParent());
    call = builder.CreateInvoke(declaration.type, callee, next, unwind, arguments, bundles);
    builder.SetInsertPoint(next);
  } else {
    call = builder.CreateCall(declaration.type, callee, arguments, bundles);
    if (!throws) call->setDoesNotThrow();
  }
  if (isSite) call->addFnAttr(llvm::Attribute::get(context(), "statepoint-id", std::to_string(instruction)));
  if (abi::has(declaration.effects, abi::Effect::NoReturn)) call->setDoesNotReturn();
  if (abi::has(declaration.effects, abi::Effect::Cold)) call->addFnAttr(llvm::Attribute::Cold);
  // C++ returns bool in a byte whose upper bits are zero, and takes small integers extended.
  for (unsigned i = 0; i < arguments.size(); ++i)
    if (auto* integer = llvm::dyn_cast<llvm::IntegerType>(declaration.type->getParamType(i));
        integer && integer->getBitWidth() < 32)
      call->addParamAttr(i, llvm::Attribute::ZExt);
  return call;
}

llvm::Value* ModuleLowering::loadInvariant(llvm::IRBuilder<>& builder, llvm::Type* type, llvm::Value* address,
                                           const llvm::Twine& name) {
  auto* loaded = builder.CreateLoad(type, address, name);
  loaded->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(context(), {}));
  return loaded;
}

llvm::Value* ModuleLowering::linkField(llvm::IRBuilder<>& builder, llvm::Type* type, std::uint64_t offset,
                                       const llvm::Twine& name) {
  llvm::Type* byte = builder.getInt8Ty();
  llvm::Constant* table =
      externalSymbol(kLinkTable, reinterpret_cast<std::uintptr_t>(environment_.linkTable()),
                     llvm::ArrayType::get(byte, sizeof(abi::LinkTable)));
  return loadInvariant(builder, type, builder.CreateConstInBoundsGEP1_64(byte, table, offset), name);
}

llvm::Value* ModuleLowering::entryAddress(llvm::IRBuilder<>& builder, abi::RuntimeEntry entry) {
  constexpr std::uint64_t kBytes = sizeof(abi::LinkTable::entries[0]);
  return linkField(builder, builder.getPtrTy(),
                   offsetof(abi::LinkTable, entries) + static_cast<std::uint64_t>(entry) * kBytes, "entry");
}

llvm::Value* ModuleLowering::standsOnStack(llvm::IRBuilder<>& builder) {
  llvm::Type* word = builder.getInt64Ty();
  llvm::Value* begin =
      linkField(builder, word, offsetof(abi::LinkTable, stacks) + offsetof(abi::StackTable, begin), "begin");
  llvm::Value* bytes =
      linkField(builder, word, offsetof(abi::LinkTable, stacks) + offsetof(abi::StackTable, bytes), "bytes");
  return builder.CreateICmpULT(builder.CreateSub(frameAddress(builder), begin), bytes);
}

llvm::Value* ModuleLowering::currentStack(llvm::IRBuilder<>& builder) {
  static_assert(offsetof(abi::StackMemory, object) == 0);
  auto* pointer = builder.getPtrTy();
  llvm::Value* memories = linkField(
      builder, pointer, offsetof(abi::LinkTable, stacks) + offsetof(abi::StackTable, memories), "memories");
  llvm::Value* slot = builder.CreateLShr(frameAddress(builder), abi::StackTable::kSlotShift);
  // A frame stays on its stack, so this is the same in the whole activation.
  llvm::Value* memory = loadInvariant(builder, pointer, builder.CreateGEP(pointer, memories, slot), "memory");
  return loadInvariant(builder, pointer, memory, "stack");
}

bool ModuleLowering::isAArch64() const { return llvm::Triple(module_.getTargetTriple()).isAArch64(); }

llvm::Value* ModuleLowering::frameAddress(llvm::IRBuilder<>& builder) {
  llvm::Value* frame =
      builder.CreateIntrinsic(llvm::Intrinsic::frameaddress, {builder.getPtrTy()}, {builder.getInt32(0)});
  return builder.CreatePtrToInt(frame, builder.getInt64Ty());
}

llvm::Value* ModuleLowering::currentThread(llvm::IRBuilder<>& builder) {
  auto* pointer = llvm::PointerType::getUnqual(context());
  const std::intptr_t offset = abi::currentThreadOffset();
  llvm::Value* place = nullptr;
  if (!isAArch64()) {
    place = builder.CreateIntToPtr(builder.getInt64(static_cast<std::uint64_t>(offset)),
                                   llvm::PointerType::get(context(), kThreadPointerSpace));
  } else {
    // The intrinsic is free of side effects, so it could be moved across a call that comes back on another
    // thread; this cannot.
    auto* read =
        llvm::InlineAsm::get(llvm::FunctionType::get(pointer, false), "mrs $0, tpidr_el0", "=r", true);
    place = builder.CreateConstGEP1_64(builder.getInt8Ty(), builder.CreateCall(read), offset);
  }
  return builder.CreateLoad(pointer, place, "thread");
}

llvm::Constant* ModuleLowering::personality() {
  auto callee = module_.getOrInsertFunction("gaur_personality",
                                            llvm::FunctionType::get(llvm::Type::getInt32Ty(context()), true));
  return llvm::cast<llvm::Constant>(callee.getCallee());
}

}  // namespace gaur::jit
