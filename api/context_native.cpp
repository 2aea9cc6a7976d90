// Pins, addresses, exposed functions and fields that images relocate (chapter "Native interface").
#include "api/context.h"

namespace gaur::api {

using ir::TypeKind;

Result<const Handle*> Context::pinnable(MuValue location) {
  GAUR_TRY_ASSIGN(const Handle* handle, operand(location, "loc"));
  if (handle->type()->is(TypeKind::Ref) || handle->type()->is(TypeKind::Iref)) return handle;
  return makeError(ErrorId::ApiKind, {"loc", ir::toString(handle->type()), "a ref or iref"});
}

MuValue Context::addressOf(const Handle& location) {
  return add(types().uptr(location.type()->referent()), location.word());
}

Result<MuValue> Context::pin(MuValue location) {
  GAUR_TRY_ASSIGN(const Handle* handle, pinnable(location));
  if (!pins_.load(std::memory_order_relaxed)) pins_.store(new runtime::PinTable, std::memory_order_release);
  pins_.load(std::memory_order_relaxed)->pin(handle->address());
  return addressOf(*handle);
}

Result<void> Context::unpin(MuValue location) {
  GAUR_TRY_ASSIGN(const Handle* handle, pinnable(location));
  if (!handle->address()) return {};
  runtime::PinTable* pins = pins_.load(std::memory_order_relaxed);
  if (!pins || !pins->unpin(handle->address())) return makeError(ErrorId::ApiNotPinned, {"loc"});
  return {};
}

Result<MuValue> Context::getAddress(MuValue location) {
  GAUR_TRY_ASSIGN(const Handle* handle, pinnable(location));
  return addressOf(*handle);
}

namespace {

Result<void> isConvention(MuCallConv number) {
  if (number == static_cast<MuCallConv>(ir::CallConv::Default)) return {};
  return makeError(ErrorId::ApiOperation, {"calling convention", std::to_string(number)});
}

}  // namespace

Result<MuValue> Context::expose(MuValue function, MuCallConv convention, MuValue cookie) {
  GAUR_TRY_ASSIGN(const Handle* exposed, operand(function, "func", TypeKind::Funcref));
  GAUR_TRY_ASSIGN(const Handle* number, operand(cookie, "cookie", TypeKind::Int));
  GAUR_TRY(isConvention(convention));
  if (!exposed->address()) return makeError(ErrorId::ApiNullReference, {"func"});
  const ir::Signature* signature = exposed->type()->signature;
  if (signature->results.size() > 1)
    return makeError(ErrorId::ApiKind,
                     {"func", ir::toString(exposed->type()), "a function with at most one result"});
  void* address = machine_.vm().entities().expose(static_cast<abi::FunctionRecord*>(exposed->address()),
                                                  lowWord(*number));
  if (!address) return makeError(ErrorId::OutOfMemory, {"code memory"});
  return add(types().ufuncptr(signature), address);
}

Result<void> Context::unexpose(MuCallConv convention, MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* exposed, operand(value, "value", TypeKind::Ufuncptr));
  GAUR_TRY(isConvention(convention));
  if (!machine_.vm().entities().unexpose(exposed->address()))
    return makeError(ErrorId::ApiNotExposed, {"value"});
  return {};
}

}  // namespace gaur::api
