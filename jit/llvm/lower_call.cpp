// Calls: CALL, TAILCALL and CCALL. Every one that may throw, trap or be looked at is a call site with a stack
// map record.
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/MDBuilder.h>

#include <algorithm>
#include <cmath>

#include "jit/library_calls.h"
#include "jit/llvm/lowering.h"
#include "jit/llvm/value_parts.h"
#include "vm/support/check.h"

namespace gaur::jit {

using ir::TypeKind;

namespace {

/// The C type of a scalar parameter or result (map, NI-map); null for aggregates by value.
llvm::Type* nativeScalar(ModuleLowering& module, const ir::Type* type) {
  return isNativeAggregate(type) ? nullptr : module.valueType(type);
}

bool hasAggregate(const ir::Signature* signature) {
  for (const ir::Type* type : signature->parameters)
    if (isNativeAggregate(type)) return true;
  for (const ir::Type* type : signature->results)
    if (isNativeAggregate(type)) return true;
  return false;
}

/// The symbol of a CCALL of an EXTERN constant; null where the callee is something else.
const ir::Constant* externCallee(ir::CCall call) {
  if (call.callee()->entityKind != ir::EntityKind::Constant) return nullptr;
  const auto* constant = static_cast<const ir::Constant*>(call.callee());
  return constant->kind == ir::ConstantKind::Extern ? constant : nullptr;
}

/// Whether the call is of the C library's own sqrt, which is one instruction on every target.
bool isSquareRoot(Environment& environment, ir::CCall call) {
  const ir::Constant* constant = externCallee(call);
  if (!constant || constant->symbol != "sqrt" || call.inst.hasExc || !call.inst.keepalives.empty())
    return false;
  const ir::Signature* signature = call.signature();
  if (signature->parameters.size() != 1 || signature->results.size() != 1 ||
      !signature->parameters[0]->is(TypeKind::Double) || !signature->results[0]->is(TypeKind::Double))
    return false;
  // A client may have put a function of its own in that place.
  auto slot = environment.externSlot("sqrt");
  return slot && (*slot)->address == reinterpret_cast<void*>(static_cast<double (*)(double)>(&::sqrt));
}

/// Whether an ALLOCA cell can be reached through values of the type alone.
bool mayReferToCell(const ir::Type* type) {
  switch (type->kind) {
    case TypeKind::Iref:
    case TypeKind::Uptr: return true;
    case TypeKind::Struct:
    case TypeKind::Array:
    case TypeKind::Vector: return std::any_of(type->elements.begin(), type->elements.end(), mayReferToCell);
    default: return false;
  }
}

/// An empty use of a pointer.
llvm::CallInst* use(llvm::IRBuilder<>& builder, llvm::Value* pointer) {
  auto* type = llvm::FunctionType::get(builder.getVoidTy(), {pointer->getType()}, false);
  auto* call = builder.CreateCall(llvm::InlineAsm::get(type, "", "r", /*hasSideEffects=*/true), {pointer});
  call->setDoesNotThrow();
  return call;
}

/// Whether a value is made while the program runs.
bool isLocal(const ir::Value& value) {
  switch (value.entityKind) {
    case ir::EntityKind::Constant:
    case ir::EntityKind::Global:
    case ir::EntityKind::Function:
    case ir::EntityKind::ExposedFunction: return false;
    default: return true;
  }
}

/// Who looks at the frame gets these pointers and may write through them. LLVM takes values of a stack map
/// for values that nobody writes through, but not those of an assembly, which here is empty.
void publish(llvm::IRBuilder<>& builder, llvm::ArrayRef<llvm::Value*> scalars) {
  for (llvm::Value* scalar : scalars) {
    if (!scalar->getType()->isPointerTy() || llvm::isa<llvm::Constant>(scalar)) continue;
    use(builder, scalar);
  }
}

}  // namespace

bool isNarrowInt(const ir::Type* type) { return type->is(TypeKind::Int) && type->length < 32; }
bool isNativeAggregate(const ir::Type* type) {
  return type->is(TypeKind::Struct) || type->is(TypeKind::Array);
}

llvm::CallBase* FunctionLowering::callSite(const ir::Instruction& instruction, llvm::FunctionType* type,
                                           llvm::Value* callee, llvm::ArrayRef<llvm::Value*> arguments,
                                           llvm::CallingConv::ID convention, const CallSiteShape& shape) {
  llvm::SmallVector<llvm::Value*, 8> keepalives;
  if (shape.resultMemory) keepalives.push_back(shape.resultMemory);
  for (const auto& use : instruction.keepalives) {
    std::size_t first = keepalives.size();
    appendScalars(builder_, value(use.target), keepalives);
    if (module_.level() != OptLevel::O0 && mayReferToCell(use->type))
      publish(builder_, llvm::ArrayRef(keepalives).drop_front(first));
  }
  llvm::OperandBundleDef bundle("deopt", llvm::ArrayRef<llvm::Value*>(keepalives));
  llvm::CallBase* call = nullptr;
  llvm::BasicBlock* next = nullptr;
  if (instruction.hasExc) {
    isolateTerminator();
    next = newBlock("next");
    call = builder_.CreateInvoke(type, callee, next, landingPad(instruction.exceptionalDest()), arguments,
                                 bundle);
  } else {
    call = builder_.CreateCall(type, callee, arguments, bundle);
  }
  call->setCallingConv(convention);
  abi::CallSiteId id{instruction.id, shape.calleePops, shape.resultMemory != nullptr};
  call->addFnAttr(llvm::Attribute::get(module_.context(), "statepoint-id", std::to_string(id.bits())));
  if (next) builder_.SetInsertPoint(next);
  return call;
}

llvm::Value* FunctionLowering::entryOf(llvm::Value* funcref) {
  static_assert(offsetof(abi::FunctionRecord, entry) == 0);
  auto* entry = builder_.CreateLoad(builder_.getPtrTy(), funcref, "entry");
  // A frame reads the current version RELAXED (map, MM-sync).
  entry->setAtomic(llvm::AtomicOrdering::Monotonic);
  entry->setAlignment(llvm::Align(8));
  return entry;
}

llvm::SmallVector<llvm::Value*, 8> FunctionLowering::callArguments(const MuSignature& signature,
                                                                   std::span<const ir::ValueUse> arguments,
                                                                   llvm::Value* resultMemory) {
  llvm::SmallVector<llvm::Value*, 8> values;
  if (signature.resultsInMemory) values.push_back(resultMemory);
  ParameterParts parts;
  for (const auto& argument : arguments) parts.append(builder_, value(argument.target), values);
  GAUR_CHECK(values.size() == signature.type->getNumParams());
  return values;
}

void FunctionLowering::setCallResults(const ir::Instruction& instruction, const MuSignature& signature,
                                      llvm::Value* returned, llvm::Value* memory) {
  auto results = instruction.results;
  if (signature.resultsInMemory) {
    for (std::size_t i = 0; i < results.size(); ++i)
      setResult(instruction, i,
                memory_.loadPlain(results[i].type, memory_.byteOffset(memory, signature.resultOffsets[i])));
  } else if (results.size() == 1) {
    setResult(instruction, 0, returned);
  } else {
    for (unsigned i = 0; i < results.size(); ++i)
      setResult(instruction, i, builder_.CreateExtractValue(returned, i));
  }
}

void FunctionLowering::lowerCall(ir::Call inst) {
  MuSignature signature = module_.signatureOf(inst.signature());
  llvm::Value* memory = resultMemory(signature);
  auto arguments = callArguments(signature, inst.arguments(), memory);

  bool full = module_.level() != OptLevel::O0;
  const ir::FunctionVersion* callee = directCallee(inst.inst);
  llvm::CallBase* call = nullptr;
  if (full && callee && analysis_.mayInline(inst.inst)) {
    call = builder_.CreateCall(module_.inlineCopy(*callee, version_), arguments);
    call->setCallingConv(llvm::CallingConv::Tail);
  } else if (full && callee == &version_ && analysis_.isQuiet()) {
    call = builder_.CreateCall(function_, arguments);
    call->setCallingConv(llvm::CallingConv::Tail);
  } else {
    call = callSite(inst.inst, signature.type, entryOf(value(inst.callee())), arguments,
                    llvm::CallingConv::Tail, {signature.calleePops, memory});
  }
  setCallResults(inst.inst, signature, call, memory);
  finish(inst.inst);
}

void FunctionLowering::lowerTailCall(ir::TailCall inst) {
  // The callee returns what this function returns, so it gets the same memory for results.
  MuSignature signature = module_.signatureOf(inst.signature());
  auto arguments =
      callArguments(signature, inst.arguments(), signature.resultsInMemory ? function_->getArg(0) : nullptr);
  llvm::Value* entry = entryOf(value(inst.callee()));
  isolateTerminator();
  auto* call = builder_.CreateCall(signature.type, entry, arguments);
  call->setCallingConv(llvm::CallingConv::Tail);
  call->setTailCallKind(llvm::CallInst::TCK_Tail);
  if (call->getType()->isVoidTy())
    builder_.CreateRetVoid();
  else
    builder_.CreateRet(call);
}

void FunctionLowering::lowerCCall(ir::CCall inst) {
  const ir::Signature* signature = inst.signature();
  if (hasAggregate(signature)) return lowerNativeAggregateCall(inst);
  if (module_.level() != OptLevel::O0 && isSquareRoot(module_.environment(), inst))
    return lowerSquareRoot(inst);
  llvm::SmallVector<llvm::Type*, 8> parameters;
  llvm::SmallVector<llvm::Value*, 8> arguments;
  for (const ir::Type* type : signature->parameters) parameters.push_back(nativeScalar(module_, type));
  for (const auto& argument : inst.arguments()) arguments.push_back(value(argument.target));
  llvm::Type* result =
      signature->results.empty() ? builder_.getVoidTy() : nativeScalar(module_, signature->results[0]);
  auto* nativeType = llvm::FunctionType::get(result, parameters, false);
  if (llvm::Function* known = knownFunction(inst, nativeType)) {
    auto* call = builder_.CreateCall(known, arguments);
    call->setDoesNotThrow();
    if (!inst.inst.results.empty()) setResult(inst.inst, 0, call);
    return finish(inst.inst);
  }
  const CalledCode callee = calledCode(inst);
  if (callee.target) {
    // It goes along where nothing is lost by it, for who has to tell which function it was.
    parameters.insert(parameters.begin(), builder_.getPtrTy());
    arguments.insert(arguments.begin(), callee.target);
    parameters.push_back(builder_.getPtrTy());
    llvm::Value* place = memory_.byteOffset(callee.target, offsetof(abi::NativeTarget, environment));
    arguments.push_back(builder_.CreateLoad(builder_.getPtrTy(), place, "environment"));
  }
  // A variadic callee reads how many vector registers hold arguments; others do not care. Vectors would
  // travel otherwise then.
  bool hasVector = llvm::any_of(parameters, [](llvm::Type* type) { return type->isVectorTy(); });
  bool isVariadic =
      !hasVector && llvm::any_of(parameters, [](llvm::Type* type) { return type->isFloatingPointTy(); });
  auto* callType = llvm::FunctionType::get(result, parameters, isVariadic);
  auto* call = callSite(inst.inst, callType, callee.code, arguments, llvm::CallingConv::C);
  if (callee.target) call->addParamAttr(0, llvm::Attribute::Nest);
  // C callees may rely on small integers being extended (map, NI-ext).
  for (unsigned i = 0; i < signature->parameters.size(); ++i)
    if (isNarrowInt(signature->parameters[i]))
      call->addParamAttr(callee.target ? i + 1 : i, llvm::Attribute::ZExt);
  keepCallees(inst, callee.target);
  if (!inst.inst.results.empty()) setResult(inst.inst, 0, call);
  finish(inst.inst);
}

namespace {

/// Whether calls by name may go to NativeSlot::own. The name may be given to a host function at any time,
/// also now: who does so looks afterwards whether there are such calls.
bool staysPlain(abi::NativeSlot& slot) {
  const bool wasPlain = __atomic_exchange_n(&slot.hasPlainCalls, true, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&slot.target, __ATOMIC_SEQ_CST) == &slot.own) return true;
  if (!wasPlain) __atomic_store_n(&slot.hasPlainCalls, false, __ATOMIC_SEQ_CST);
  return false;
}

}  // namespace

FunctionLowering::CalledCode FunctionLowering::calledCode(ir::CCall inst) {
  const ir::Constant* constant = externCallee(inst);
  auto slot =
      constant ? module_.environment().externSlot(constant->symbol) : Result<abi::NativeSlot*>(nullptr);
  if (!slot || !*slot) {
    llvm::Value* callee = value(inst.callee());
    return {callee->getType()->isIntegerTy() ? builder_.CreateIntToPtr(callee, builder_.getPtrTy()) : callee};
  }
  llvm::Constant* place = module_.externSymbol(constant->symbol, *slot);
  if (staysPlain(**slot)) {
    constexpr std::size_t kCode = offsetof(abi::NativeSlot, own) + offsetof(abi::NativeTarget, code);
    return {module_.loadInvariant(builder_, builder_.getPtrTy(), memory_.byteOffset(place, kCode), "code")};
  }
  // The name may be given to another one at any time; the two words of a target belong together.
  auto load = [&](llvm::Value* word, const char* name) {
    auto* loaded = builder_.CreateLoad(builder_.getPtrTy(), word, name);
    loaded->setAtomic(llvm::AtomicOrdering::Monotonic);
    loaded->setAlignment(llvm::Align(8));
    return loaded;
  };
  llvm::Value* target = load(memory_.byteOffset(place, offsetof(abi::NativeSlot, target)), "target");
  return {load(memory_.byteOffset(target, offsetof(abi::NativeTarget, code)), "code"), target};
}

void FunctionLowering::keepCallees(ir::CCall inst, llvm::Value* called) {
  auto keep = [&](llvm::Value* pointer) {
    use(builder_, pointer)->setMemoryEffects(llvm::MemoryEffects::inaccessibleMemOnly());
  };
  if (called && !llvm::isa<llvm::Constant>(called)) keep(called);
  auto keepFunction = [&](const ir::Value* pointer) {
    if (pointer->type->is(TypeKind::Ufuncptr) && isLocal(*pointer)) keep(value(pointer));
  };
  keepFunction(inst.callee());
  for (const auto& argument : inst.arguments()) keepFunction(argument.target);
}

void FunctionLowering::lowerSquareRoot(ir::CCall inst) {
  llvm::Value* argument = value(inst.arguments()[0].target);
  llvm::Type* type = argument->getType();
  llvm::Value* root = builder_.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, argument);
  // Below zero the C function sets errno, so it is called all the same.
  llvm::BasicBlock* start = builder_.GetInsertBlock();
  llvm::BasicBlock* negative = newBlock("negative");
  llvm::BasicBlock* next = newBlock("root");
  builder_.CreateCondBr(builder_.CreateFCmpOLT(argument, llvm::ConstantFP::getZero(type)), negative, next,
                        llvm::MDBuilder(module_.context()).createUnlikelyBranchWeights());
  builder_.SetInsertPoint(negative);
  llvm::Value* called = callSite(inst.inst, llvm::FunctionType::get(type, {type}, false),
                                 value(inst.callee()), {argument}, llvm::CallingConv::C);
  builder_.CreateBr(next);
  builder_.SetInsertPoint(next);
  auto* result = builder_.CreatePHI(type, 2);
  result->addIncoming(root, start);
  result->addIncoming(called, negative);
  if (!inst.inst.results.empty()) setResult(inst.inst, 0, result);
  finish(inst.inst);
}

llvm::Function* FunctionLowering::knownFunction(ir::CCall inst, llvm::FunctionType* type) {
  const ir::Constant* constant = externCallee(inst);
  if (module_.level() == OptLevel::O0 || !constant || !inst.inst.keepalives.empty()) return nullptr;
  auto slot = module_.environment().externSlot(constant->symbol);
  if (!slot || !isKnownFunction(constant->symbol, (*slot)->address)) return nullptr;
  auto* function =
      llvm::cast<llvm::Function>(module_.module().getOrInsertFunction(constant->symbol, type).getCallee());
  return function->getFunctionType() == type ? function : nullptr;
}

void FunctionLowering::lowerNativeAggregateCall(ir::CCall inst) {
  const ir::Signature* signature = inst.signature();
  auto slot = module_.environment().nativeCallSlot(signature);
  if (!slot) return module_.fail(slot.error());
  auto* pointer = builder_.getPtrTy();
  auto bytes = [&](std::uint64_t size) {
    return llvm::ArrayType::get(builder_.getInt8Ty(), std::max<std::uint64_t>(size, 16));
  };

  // One cell an argument, an array of their addresses, and one cell for the result.
  auto* addresses = frameSlot(llvm::ArrayType::get(pointer, signature->parameters.size() + 1), 8);
  for (unsigned i = 0; i < signature->parameters.size(); ++i) {
    const ir::Type* type = signature->parameters[i];
    llvm::Value* cell = frameSlot(bytes(module_.layoutOf(type).size), 16);
    memory_.storePlain(type, cell, value(inst.arguments()[i].target));
    builder_.CreateStore(cell, builder_.CreateConstInBoundsGEP1_64(pointer, addresses, i));
  }
  const ir::Type* resultType = signature->results.empty() ? nullptr : signature->results[0];
  llvm::Value* result = frameSlot(bytes(resultType ? module_.layoutOf(resultType).size : 0), 16);
  llvm::Value* description =
      builder_.CreateLoad(pointer, module_.slotSymbol("native" + std::to_string(signature->index), *slot));
  llvm::BasicBlock* pad = inst.inst.hasExc ? landingPad(inst.inst.exceptionalDest()) : nullptr;
  llvm::Value* callee = value(inst.callee());
  module_.callRuntime(builder_, abi::RuntimeEntry::gaur_nativeCall, {description, callee, result, addresses},
                      inst.inst.id, pad);
  keepCallees(inst, callee);
  if (resultType) setResult(inst.inst, 0, memory_.loadPlain(resultType, result));
  finish(inst.inst);
}

}  // namespace gaur::jit
