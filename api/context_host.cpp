// Host functions: making, naming, keeping and ending them, and what native code asks of its caller.
#include "api/context.h"
#include "api/entry.h"
#include "vm/abi/object.h"
#include "vm/runtime/host_calls.h"

namespace gaur::api {

using ir::TypeKind;

Result<MuValue> Context::newHostFunction(MuID signature, MuCFP code, MuCPtr environment,
                                         MuHostFinaliser finaliser, MuCString name) {
  GAUR_TRY_ASSIGN(const ir::SignatureDef* definition, entity<ir::SignatureDef>(signature));
  if (!code) return makeError(ErrorId::ApiNull, {"code"});
  runtime::MicroVm& vm = machine_.vm();
  if (vm.hostFunctions().wantsCollection()) vm.heap().collect();
  void* address = reinterpret_cast<void*>(code);
  GAUR_TRY_ASSIGN(void* pointer, vm.hostFunctions().make({definition->signature, address, environment,
                                                          finaliser, name ? name : ""}));
  if (!lastHostType_ || lastHostType_->signature != definition->signature)
    lastHostType_ = types().ufuncptr(definition->signature);
  return add(lastHostType_, pointer);
}

Result<abi::HostRecord*> Context::hostFunction(MuValue function) const {
  GAUR_TRY_ASSIGN(const Handle* pointer, operand(function, "func", TypeKind::Ufuncptr));
  if (abi::HostRecord* record = machine_.vm().hostFunctions().find(pointer->address())) return record;
  return makeError(ErrorId::ApiNotHost, {"func"});
}

Result<MuCFP> Context::pinHostFunction(MuValue function) {
  GAUR_TRY_ASSIGN(abi::HostRecord * record, hostFunction(function));
  runtime::HostFunctions& functions = machine_.vm().hostFunctions();
  functions.pin(*record);
  return reinterpret_cast<MuCFP>(functions.pointerOf(*record));
}

Result<void> Context::unpinHostFunction(MuValue function) {
  GAUR_TRY_ASSIGN(abi::HostRecord * record, hostFunction(function));
  if (!machine_.vm().hostFunctions().unpin(*record))
    return makeError(ErrorId::ApiFunctionNotPinned, {"func"});
  return {};
}

Result<void> Context::bindSymbol(MuCString name, MuValue function) {
  if (!name) return makeError(ErrorId::ApiNull, {"name"});
  void* pointer = nullptr;
  if (function) {
    GAUR_TRY_ASSIGN(const Handle* handle, operand(function, "func", TypeKind::Ufuncptr));
    if (!handle->address()) return makeError(ErrorId::ApiNullReference, {"func"});
    pointer = handle->address();
  }
  machine_.vm().bindSymbol(name, pointer);
  return {};
}

// The callee-saved registers of the caller are stored at the beginning, where isIdle finds what it has in
// them.
[[gnu::noinline]] void Context::disposeHostFunction(MuCtx* ctx, MuValue function) {
  __builtin_unwind_init();
  constexpr std::size_t kSavedRegisters = 8;
  const void* caller = static_cast<void**>(__builtin_frame_address(0)) - kSavedRegisters;
  constexpr const char* kSlot = "dispose_host_function";
  Context* context = enter(kSlot, ctx);
  if (!context) return;
  context->machine().run(kSlot, [&]() -> Result<void> {
    ContextCall call(*context);
    GAUR_TRY_ASSIGN(abi::HostRecord * record, context->hostFunction(function));
    runtime::MicroVm& vm = context->machine().vm();
    if (vm.hostFunctions().dispose(*record, runtime::isIdle(vm, *record, caller))) return {};
    return makeError(ErrorId::ApiDisposed, {vm.hostFunctions().nameOf(*record)});
  });
}

// --- The caller --------------------------------------------------------------------------------------

MuBool Context::getCaller(MuCtx* ctx, MuID* function, MuID* version, MuID* instruction) {
  constexpr const char* kSlot = "get_caller";
  Context* context = enter(kSlot, ctx);
  if (!context) return 0;
  auto caller = runtime::nativeCaller();
  return context->machine().run(kSlot, [&]() -> Result<MuBool> {
    ContextCall call(*context);
    if (!caller) return caller.error();
    if (function) *function = caller->function;
    if (version) *version = caller->version;
    if (instruction) *instruction = caller->instruction;
    return MuBool{1};
  });
}

void Context::throwException(MuCtx* ctx, MuValue exception) {
  constexpr const char* kSlot = "throw_exception";
  Context* context = enter(kSlot, ctx);
  if (!context) return;
  Machine& machine = context->machine();
  void* object = nullptr;
  const bool isGood = machine.run(kSlot, [&]() -> Result<bool> {
    ContextCall call(*context);
    Handle* handle = nullptr;
    if (exception) {
      GAUR_TRY_ASSIGN(handle, context->operand(exception, "exc", TypeKind::Ref));
    }
    if (runtime::Thread::current()->boundStack() == nullptr) return makeError(ErrorId::NoMuCaller);
    if (!handle) return true;
    object = handle->address();
    context->handles_.remove(exception, *handle);
    return true;
  });
  if (isGood) machine.report(kSlot, runtime::throwFromNative(object));
}

// --- Weak references ---------------------------------------------------------------------------------

Result<MuValue> Context::weakRef(MuValue ref) {
  GAUR_TRY_ASSIGN(const Handle* handle, operand(ref, "ref", TypeKind::Ref));
  return add(types().pointerLike(TypeKind::Weakref, handle->type()->referent()),
             abi::hideWeak(handle->word()));
}

Result<MuValue> Context::strongRef(MuValue weakref) {
  GAUR_TRY_ASSIGN(const Handle* handle, operand(weakref, "weakref", TypeKind::Weakref));
  // The collector may clear it at any time, but for what it finds in a register.
  const auto* location = static_cast<const std::uint64_t*>(handle->bytes());
  return add(types().ref(handle->type()->referent()),
             abi::revealWeak(__atomic_load_n(location, __ATOMIC_SEQ_CST)));
}

}  // namespace gaur::api
