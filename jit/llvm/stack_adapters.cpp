// Functions that stand at the edge of a stack: the one that begins a Mu function there, and the one that runs
// in place of a function without a version.
#include "jit/llvm/adapters.h"
#include "jit/llvm/value_parts.h"
#include "vm/abi/stack_object.h"
#include "vm/abi/value_passing.h"

namespace gaur::jit {

namespace {

/// Parameters of a start adapter, in the order in which gaur_startFrame fills registers.
enum StartParameter : unsigned { kRecord, kValueMemory, kFirstWord, kSecondWord, kBelowMemory, kFirstVector };

llvm::CallInst* callSite(ModuleLowering& module, llvm::IRBuilder<>& builder, llvm::FunctionType* type,
                         llvm::Value* callee, llvm::ArrayRef<llvm::Value*> arguments,
                         llvm::CallingConv::ID convention, llvm::ArrayRef<llvm::Value*> keepalives) {
  auto* call = builder.CreateCall(type, callee, arguments, llvm::OperandBundleDef("deopt", keepalives));
  call->setCallingConv(convention);
  call->addFnAttr(llvm::Attribute::get(module.context(), "statepoint-id", "0"));
  return call;
}

llvm::Value* loadEntry(llvm::IRBuilder<>& builder, llvm::Value* record) {
  auto* entry = builder.CreateLoad(
      builder.getPtrTy(),
      builder.CreateConstGEP1_64(builder.getInt8Ty(), record, offsetof(abi::FunctionRecord, entry)));
  entry->setAtomic(llvm::AtomicOrdering::Monotonic);
  entry->setAlignment(llvm::Align(8));
  return entry;
}

void returnResult(llvm::IRBuilder<>& builder, llvm::Value* result) {
  if (result->getType()->isVoidTy())
    builder.CreateRetVoid();
  else
    builder.CreateRet(result);
}

/// The values that a start adapter was resumed with.
llvm::SmallVector<llvm::Value*, 8> takeValues(ModuleLowering& module, llvm::IRBuilder<>& builder,
                                              llvm::Function& function, const ir::Signature* signature) {
  auto& layouts = module.environment().layouts();
  llvm::SmallVector<llvm::Value*, 8> values;
  if (!abi::travelInRegisters(layouts, signature->parameters)) {
    MemoryLowering memory(module, builder);
    llvm::SmallVector<std::uint64_t, 8> offsets;
    placeInMemory(layouts, signature->parameters, offsets);
    for (std::size_t i = 0; i < offsets.size(); ++i)
      values.push_back(memory.loadPlain(signature->parameters[i],
                                        memory.byteOffset(function.getArg(kValueMemory), offsets[i])));
    return values;
  }
  unsigned word = kFirstWord;
  unsigned vector = kFirstVector;
  for (const ir::Type* type : signature->parameters) {
    llvm::Type* wanted = module.valueType(type);
    switch (abi::registerClassOf(type)) {
      case abi::RegisterClass::Vector: values.push_back(function.getArg(vector++)); break;
      case abi::RegisterClass::Word: {
        llvm::Value* bits = function.getArg(word++);
        values.push_back(wanted->isPointerTy() ? builder.CreateIntToPtr(bits, wanted)
                                               : builder.CreateTrunc(bits, wanted));
        break;
      }
      case abi::RegisterClass::TwoWords: {
        llvm::Type* wide = builder.getInt128Ty();
        llvm::Value* high = builder.CreateShl(builder.CreateZExt(function.getArg(kSecondWord), wide), 64);
        values.push_back(builder.CreateTrunc(
            builder.CreateOr(builder.CreateZExt(function.getArg(kFirstWord), wide), high), wanted));
        break;
      }
    }
  }
  return values;
}

}  // namespace

llvm::Function* lowerStartAdapter(ModuleLowering& module, const ir::Signature* signature) {
  auto& context = module.context();
  auto* pointer = llvm::PointerType::getUnqual(context);
  auto* word = llvm::Type::getInt64Ty(context);
  MuSignature mu = module.signatureOf(signature);
  llvm::SmallVector<llvm::Type*, 8> parameters{pointer, pointer, word, word, pointer};
  if (abi::travelInRegisters(module.environment().layouts(), signature->parameters))
    for (const ir::Type* type : signature->parameters)
      if (abi::registerClassOf(type) == abi::RegisterClass::Vector)
        parameters.push_back(module.valueType(type));
  auto* function =
      llvm::Function::Create(llvm::FunctionType::get(mu.type->getReturnType(), parameters, false),
                             llvm::GlobalValue::ExternalLinkage, kAdapterName, module.module());
  function->setCallingConv(llvm::CallingConv::PreserveNone);
  function->addFnAttr("frame-pointer", "all");
  function->setUWTableKind(llvm::UWTableKind::Async);

  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "entry", function));
  llvm::SmallVector<llvm::Value*, 8> arguments;
  if (mu.resultsInMemory) arguments.push_back(function->getArg(kBelowMemory));
  ParameterParts parts;
  for (llvm::Value* value : takeValues(module, builder, *function, signature))
    parts.append(builder, value, arguments);
  returnResult(builder, callSite(module, builder, mu.type, loadEntry(builder, function->getArg(kRecord)),
                                 arguments, llvm::CallingConv::Tail, {}));
  return function;
}

llvm::Function* lowerUndefinedFunction(ModuleLowering& module, const ir::Function& undefined) {
  auto& context = module.context();
  const ir::Signature* signature = undefined.signature->signature;
  MuSignature mu = module.signatureOf(signature);
  auto* function =
      llvm::Function::Create(mu.type, llvm::GlobalValue::ExternalLinkage, kAdapterName, module.module());
  function->setCallingConv(llvm::CallingConv::Tail);
  module.setAttributes(*function);

  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "entry", function));
  llvm::SmallVector<llvm::Value*, 8> arguments;
  for (llvm::Argument& argument : function->args()) arguments.push_back(&argument);
  llvm::ArrayRef<llvm::Value*> rest = llvm::ArrayRef(arguments).drop_front(mu.resultsInMemory ? 1 : 0);
  llvm::SmallVector<llvm::Value*, 8> keepalives;
  ParameterParts parts;
  for (const ir::Type* type : signature->parameters)
    appendScalars(builder, parts.take(builder, module.valueType(type), rest), keepalives);

  auto* pointer = builder.getPtrTy();
  auto* trapType = llvm::FunctionType::get(builder.getVoidTy(), {pointer}, false);
  callSite(module, builder, trapType, module.entryAddress(builder, abi::RuntimeEntry::gaur_trap),
           {llvm::ConstantPointerNull::get(pointer)}, llvm::CallingConv::PreserveNone, keepalives);
  auto* again = builder.CreateCall(mu.type, loadEntry(builder, module.recordSymbol(undefined)), arguments);
  again->setCallingConv(llvm::CallingConv::Tail);
  again->setTailCallKind(llvm::CallInst::TCK_Tail);
  returnResult(builder, again);
  return function;
}

}  // namespace gaur::jit
