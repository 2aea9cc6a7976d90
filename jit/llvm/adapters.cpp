// Adapters are the frames at which unwinding ends: every one catches what the Mu function throws.
#include "jit/llvm/adapters.h"

#include "jit/llvm/native_convention.h"
#include "jit/llvm/value_parts.h"
#include "vm/abi/stack_object.h"
#include "vm/abi/value_passing.h"

namespace gaur::jit {

using ir::TypeKind;

namespace {

/// What both adapters need while they call the Mu function.
class AdapterLowering {
 public:
  AdapterLowering(ModuleLowering& module, const ir::Signature* signature, llvm::FunctionType* type)
      : module_(module), builder(module.context()), mu_(module.signatureOf(signature)) {
    function =
        llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, kAdapterName, module.module());
    function->addFnAttr("frame-pointer", "all");
    function->setUWTableKind(llvm::UWTableKind::Async);
    function->setPersonalityFn(module.personality());
    builder.SetInsertPoint(block("entry"));
  }

  llvm::BasicBlock* block(const char* name) {
    return llvm::BasicBlock::Create(module_.context(), name, function);
  }

  llvm::Value* at(llvm::Value* address, std::uint64_t offset) {
    return builder.CreateConstGEP1_64(builder.getInt8Ty(), address, offset);
  }

  /// Calls the function of `record`; goes on in the normal continuation. `exception` is what was thrown, in
  /// the block `pad`. Whoever passes the frame finds the values of `keepalives`, and can resume it in place
  /// of the function: `resultMemory` is the first argument where results come in memory.
  llvm::Value* call(llvm::Value* record, llvm::ArrayRef<llvm::Value*> arguments, llvm::Value* resultMemory,
                    llvm::ArrayRef<llvm::Value*> keepalives = {}) {
    auto* pointer = builder.getPtrTy();
    llvm::SmallVector<llvm::Value*, 2> told(keepalives);
    if (mu_.resultsInMemory) told.insert(told.begin(), resultMemory);
    const abi::CallSiteId id{kNoId, mu_.calleePops, mu_.resultsInMemory};
    auto* entry = builder.CreateLoad(pointer, at(record, offsetof(abi::FunctionRecord, entry)));
    llvm::BasicBlock* next = block("returned");
    pad = block("thrown");
    auto* invoke = builder.CreateInvoke(mu_.type, entry, next, pad, arguments,
                                        llvm::OperandBundleDef("deopt", llvm::ArrayRef<llvm::Value*>(told)));
    invoke->setCallingConv(llvm::CallingConv::Tail);
    invoke->addFnAttr(llvm::Attribute::get(module_.context(), "statepoint-id", std::to_string(id.bits())));
    builder.SetInsertPoint(pad);
    auto* landing = builder.CreateLandingPad(llvm::StructType::get(pointer, builder.getInt32Ty()), 1);
    landing->addClause(llvm::ConstantPointerNull::get(pointer));
    exception = builder.CreateExtractValue(landing, 0);
    builder.SetInsertPoint(next);
    return invoke;
  }

  ModuleLowering& module_;
  llvm::IRBuilder<> builder;
  llvm::Function* function = nullptr;
  llvm::BasicBlock* pad = nullptr;
  llvm::Value* exception = nullptr;
  MuSignature mu_;
};

}  // namespace

llvm::Function* lowerHostCallAdapter(ModuleLowering& module, const ir::Signature* signature) {
  auto* pointer = llvm::PointerType::getUnqual(module.context());
  auto* boolean = llvm::Type::getInt8Ty(module.context());
  AdapterLowering adapter(module, signature,
                          llvm::FunctionType::get(boolean, {pointer, pointer, pointer, pointer}, false));
  auto& builder = adapter.builder;
  llvm::Function* function = adapter.function;
  llvm::Value* argumentMemory = function->getArg(1);
  llvm::Value* resultMemory = function->getArg(2);
  MemoryLowering memory(module, builder);

  llvm::SmallVector<llvm::Value*, 8> arguments;
  if (adapter.mu_.resultsInMemory) arguments.push_back(resultMemory);
  llvm::SmallVector<std::uint64_t, 8> offsets;
  placeInMemory(module.environment().layouts(), signature->parameters, offsets);
  ParameterParts parts;
  for (std::size_t i = 0; i < offsets.size(); ++i)
    parts.append(builder, memory.loadPlain(signature->parameters[i], adapter.at(argumentMemory, offsets[i])),
                 arguments);

  llvm::Value* returned = adapter.call(function->getArg(0), arguments, resultMemory);
  if (!adapter.mu_.resultsInMemory) {
    llvm::SmallVector<std::uint64_t, 2> places;
    placeInMemory(module.environment().layouts(), signature->results, places);
    for (unsigned i = 0; i < places.size(); ++i) {
      llvm::Value* result = places.size() == 1 ? returned : builder.CreateExtractValue(returned, i);
      memory.storePlain(signature->results[i], adapter.at(resultMemory, places[i]), result);
    }
  }
  builder.CreateRet(llvm::ConstantInt::get(boolean, 1));

  builder.SetInsertPoint(adapter.pad);
  builder.CreateStore(adapter.exception, function->getArg(3));
  builder.CreateRet(llvm::ConstantInt::get(boolean, 0));
  return function;
}

llvm::Function* lowerExposedAdapter(ModuleLowering& module, const ir::Signature* signature) {
  NativeCallee native(module, signature);
  const ir::Type* resultType = signature->results.empty() ? nullptr : signature->results[0];
  AdapterLowering adapter(module, signature, native.type());
  auto& builder = adapter.builder;
  llvm::Function* function = adapter.function;
  native.setAttributes(*function);

  auto* pointer = builder.getPtrTy();
  llvm::Value* exposed = function->getArg(0);
  MemoryLowering memory(module, builder);
  auto cell = [&](std::uint64_t bytes) {
    auto* slot =
        builder.CreateAlloca(llvm::ArrayType::get(builder.getInt8Ty(), std::max<std::uint64_t>(bytes, 16)));
    slot->setAlignment(llvm::Align(16));
    return slot;
  };
  llvm::Value* resultMemory = cell(abi::memoryBytes(module.environment().layouts(), signature->results));
  llvm::SmallVector<std::uint64_t, 8> offsets;
  llvm::Value* argumentMemory =
      cell(placeInMemory(module.environment().layouts(), signature->parameters, offsets));
  llvm::SmallVector<llvm::Value*, 8> values;
  for (unsigned i = 0; i < signature->parameters.size(); ++i)
    values.push_back(native.parameter(builder, *function, i));

  llvm::BasicBlock* here = adapter.block("here");
  llvm::BasicBlock* elsewhere = adapter.block("elsewhere");
  builder.CreateCondBr(module.standsOnStack(builder), here, elsewhere);

  // Native code that no Mu code called: the function gets a stack of its own.
  builder.SetInsertPoint(elsewhere);
  for (unsigned i = 0; i < offsets.size(); ++i)
    memory.storePlain(signature->parameters[i], adapter.at(argumentMemory, offsets[i]), values[i]);
  module.callRuntime(builder, abi::RuntimeEntry::gaur_callFromNative,
                     {exposed, argumentMemory, resultMemory});
  native.ret(builder, *function, resultType ? memory.loadPlain(resultType, resultMemory) : nullptr);

  // The callee sees this activation's cookie; callbacks may nest, so the one before is put back.
  builder.SetInsertPoint(here);
  llvm::Value* cookie = adapter.at(module.currentStack(builder), offsetof(abi::StackObject, cookie));
  llvm::Value* outer = builder.CreateLoad(builder.getInt64Ty(), cookie);
  builder.CreateStore(
      builder.CreateLoad(builder.getInt64Ty(), adapter.at(exposed, offsetof(abi::ExposedRecord, cookie))),
      cookie);
  llvm::Value* record =
      builder.CreateLoad(pointer, adapter.at(exposed, offsetof(abi::ExposedRecord, function)));
  llvm::SmallVector<llvm::Value*, 8> arguments;
  if (adapter.mu_.resultsInMemory) arguments.push_back(resultMemory);
  ParameterParts parts;
  for (llvm::Value* value : values) parts.append(builder, value, arguments);
  llvm::Value* result = adapter.call(record, arguments, resultMemory, {outer});
  builder.CreateStore(outer, cookie);
  native.ret(builder, *function,
             adapter.mu_.resultsInMemory ? memory.loadPlain(resultType, resultMemory) : result);

  builder.SetInsertPoint(adapter.pad);
  module.callRuntime(builder, abi::RuntimeEntry::gaur_escapedException, {adapter.exception});
  builder.CreateUnreachable();
  return function;
}

}  // namespace gaur::jit
