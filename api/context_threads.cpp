// Stacks, threads, frame cursors, on-stack replacement and watchpoints (chapter "Threads and stacks").
#include <array>
#include <span>
#include <vector>

#include "api/context.h"
#include "vm/abi/runtime_entries.h"
#include "vm/runtime/keepalives.h"
#include "vm/runtime/osr.h"
#include "vm/runtime/resumption.h"
#include "vm/runtime/thread.h"

namespace gaur::api {

using ir::TypeKind;
using runtime::Thread;

namespace {

Thread& here() { return *Thread::current(); }

/// A thread that was started is bound to its stack before it goes there; until then the stack still stands
/// where it stood.
bool isBound(runtime::MicroVm& vm, const abi::StackObject& stack) {
  bool isFound = false;
  vm.threads().forEach([&](Thread& thread) { isFound |= thread.block().stack == &stack; });
  return isFound;
}

}  // namespace

// --- Stacks ------------------------------------------------------------------------------------------

Result<abi::StackObject*> Context::readyStack(MuValue value, std::string_view name) const {
  GAUR_TRY_ASSIGN(const Handle* handle, operand(value, name, TypeKind::Stackref));
  auto* stack = static_cast<abi::StackObject*>(handle->address());
  if (!stack) return makeError(ErrorId::ApiNullReference, {name});
  if (!runtime::isReady(*stack) || isBound(machine_.vm(), *stack)) return makeError(ErrorId::StackNotReady);
  return stack;
}

Result<MuValue> Context::newStack(MuValue function) {
  GAUR_TRY_ASSIGN(const Handle* handle, operand(function, "func", TypeKind::Funcref));
  if (!handle->address()) return makeError(ErrorId::ApiNullReference, {"func"});
  abi::StackObject* stack = runtime::newStack(here(), static_cast<abi::FunctionRecord*>(handle->address()));
  if (!stack) return makeError(ErrorId::OutOfMemory, {"a stack"});
  return add(TypeKind::Stackref, stack);
}

Result<void> Context::killStack(MuValue stack) {
  GAUR_TRY_ASSIGN(abi::StackObject * killed, readyStack(stack, "stack"));
  here().buryStack(*killed);
  return {};
}

// --- Threads -----------------------------------------------------------------------------------------

Error Context::wrongValue(std::size_t index, MuValue value, const ir::Type* wanted) const {
  const std::string name = "value " + std::to_string(index);
  Result<Handle*> found = operand(value, name);
  if (!found) return std::move(found).takeError();
  return makeError(ErrorId::ApiKind, {name, ir::toString((*found)->type()), ir::toString(wanted)});
}

Result<void> Context::passValues(abi::StackObject& stack, const MuValue* values, MuArraySize count,
                                 abi::ResumeImage& image) const {
  if (!values && count != 0) return makeError(ErrorId::ApiNull, {"the array of values"});
  GAUR_TRY_ASSIGN(runtime::TypeList types, runtime::expectedTypes(machine_.vm(), stack));
  if (types.size() != count)
    return makeError(ErrorId::ApiValueCount, {std::to_string(types.size()), std::to_string(count)});
  constexpr std::size_t kFew = 8;
  std::array<const void*, kFew> few;
  std::vector<const void*> many(count > kFew ? count : 0);
  const std::span<const void*> bytes = count > kFew ? std::span(many) : std::span(few).first(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Handle* value = handles_.find(values[i]);
    if (!value || !ir::accepts(types[i], value->type())) return wrongValue(i, values[i], types[i]);
    bytes[i] = value->bytes();
  }
  runtime::setValues(abi::LayoutTable::shared(), stack, types, bytes, image);
  return {};
}

Result<void> Context::throwException(MuValue exception, abi::ResumeImage& image) const {
  GAUR_TRY_ASSIGN(const Handle* thrown, operand(exception, "exception", TypeKind::Ref));
  runtime::setException(thrown->address(), image);
  return {};
}

Result<void*> Context::threadLocalOf(MuValue value) const {
  if (!value) return nullptr;
  GAUR_TRY_ASSIGN(const Handle* handle, operand(value, "threadlocal", TypeKind::Ref));
  return handle->address();
}

Result<MuValue> Context::startThread(abi::StackObject& stack, MuValue threadLocal,
                                     const abi::ResumeImage& image) {
  GAUR_TRY_ASSIGN(void* object, threadLocalOf(threadLocal));
  abi::ThreadObject* thread = Thread::start(machine_.vm(), stack, object, image);
  if (!thread) return makeError(ErrorId::OutOfMemory, {"a thread"});
  return add(TypeKind::Threadref, thread);
}

Result<MuValue> Context::newThreadWithValues(MuValue stack, MuValue threadLocal, MuValue* values,
                                             MuArraySize count) {
  GAUR_TRY_ASSIGN(abi::StackObject * resumed, readyStack(stack, "stack"));
  GAUR_TRY(threadLocalOf(threadLocal));
  abi::ResumeImage image{};
  GAUR_TRY(passValues(*resumed, values, count, image));
  return startThread(*resumed, threadLocal, image);
}

Result<MuValue> Context::newThreadWithException(MuValue stack, MuValue threadLocal, MuValue exception) {
  GAUR_TRY_ASSIGN(abi::StackObject * resumed, readyStack(stack, "stack"));
  abi::ResumeImage image{};
  GAUR_TRY(throwException(exception, image));
  return startThread(*resumed, threadLocal, image);
}

namespace {

Result<void> isCallers(const Handle& thread) {
  const auto* object = static_cast<const abi::ThreadObject*>(thread.address());
  if (!object) return makeError(ErrorId::ApiNullReference, {"thread"});
  if (object->thread != &here()) return makeError(ErrorId::ApiOtherThread);
  return {};
}

}  // namespace

Result<void> Context::setThreadLocal(MuValue thread, MuValue threadLocal) {
  GAUR_TRY_ASSIGN(const Handle* handle, operand(thread, "thread", TypeKind::Threadref));
  GAUR_TRY_ASSIGN(const Handle* object, operand(threadLocal, "threadlocal", TypeKind::Ref));
  GAUR_TRY(isCallers(*handle));
  here().block().threadLocal = object->address();
  return {};
}

Result<MuValue> Context::getThreadLocal(MuValue thread) {
  GAUR_TRY_ASSIGN(const Handle* handle, operand(thread, "thread", TypeKind::Threadref));
  GAUR_TRY(isCallers(*handle));
  return add(types().ref(types().voidType()), here().block().threadLocal);
}

// --- Looking into stacks -----------------------------------------------------------------------------

Result<runtime::FrameCursor*> Context::cursorOf(MuValue value) const {
  GAUR_TRY_ASSIGN(const Handle* handle, operand(value, "cursor", TypeKind::Framecursorref));
  auto* cursor = static_cast<runtime::FrameCursor*>(handle->address());
  if (!cursor) return makeError(ErrorId::ApiNullReference, {"cursor"});
  return cursor;
}

Result<MuValue> Context::newCursor(MuValue stack) {
  GAUR_TRY_ASSIGN(abi::StackObject * seen, readyStack(stack, "stack"));
  GAUR_TRY_ASSIGN(runtime::FrameCursor * cursor, runtime::newCursor(here(), seen));
  return add(TypeKind::Framecursorref, cursor);
}

Result<void> Context::nextFrame(MuValue value) {
  GAUR_TRY_ASSIGN(runtime::FrameCursor * cursor, cursorOf(value));
  return runtime::nextFrame(here(), cursor);
}

Result<MuValue> Context::copyCursor(MuValue value) {
  GAUR_TRY_ASSIGN(runtime::FrameCursor * cursor, cursorOf(value));
  GAUR_TRY_ASSIGN(runtime::FrameCursor * copy, runtime::copyCursor(here(), cursor));
  return add(TypeKind::Framecursorref, copy);
}

Result<void> Context::closeCursor(MuValue value) {
  GAUR_TRY_ASSIGN(runtime::FrameCursor * cursor, cursorOf(value));
  return runtime::closeCursor(cursor);
}

Result<runtime::FrameIds> Context::idsAt(MuValue value) const {
  GAUR_TRY_ASSIGN(runtime::FrameCursor * cursor, cursorOf(value));
  return runtime::idsOf(here(), cursor);
}

Result<MuID> Context::currentFunction(MuValue cursor) {
  GAUR_TRY_ASSIGN(runtime::FrameIds ids, idsAt(cursor));
  return ids.function;
}

Result<MuID> Context::currentVersion(MuValue cursor) {
  GAUR_TRY_ASSIGN(runtime::FrameIds ids, idsAt(cursor));
  return ids.version;
}

Result<MuID> Context::currentInstruction(MuValue cursor) {
  GAUR_TRY_ASSIGN(runtime::FrameIds ids, idsAt(cursor));
  return ids.instruction;
}

Result<void> Context::dumpKeepalives(MuValue value, MuValue* results) {
  GAUR_TRY_ASSIGN(runtime::FrameCursor * cursor, cursorOf(value));
  GAUR_TRY_ASSIGN(const runtime::FramePosition* position, runtime::frameOf(cursor));
  GAUR_TRY_ASSIGN(runtime::KeepaliveValues values, runtime::readKeepalives(machine_.vm(), *position));
  if (!results && values.size() != 0) return makeError(ErrorId::ApiNull, {"results"});
  for (std::size_t i = 0; i < values.size(); ++i) results[i] = addCopy(values.type(i), values.value(i));
  return {};
}

// --- On-stack replacement ----------------------------------------------------------------------------

Result<void> Context::popFramesTo(MuValue value) {
  GAUR_TRY_ASSIGN(runtime::FrameCursor * cursor, cursorOf(value));
  return runtime::popFramesTo(here(), cursor);
}

Result<void> Context::pushFrame(MuValue stack, MuValue function) {
  GAUR_TRY_ASSIGN(abi::StackObject * changed, readyStack(stack, "stack"));
  GAUR_TRY_ASSIGN(const Handle* handle, operand(function, "func", TypeKind::Funcref));
  if (!handle->address()) return makeError(ErrorId::ApiNullReference, {"func"});
  return runtime::pushFrame(here(), changed, static_cast<abi::FunctionRecord*>(handle->address()));
}

// --- Watchpoints -------------------------------------------------------------------------------------

Result<void> Context::setWatchpoint(MuWPID id, bool enabled) {
  if (id == 0) return makeError(ErrorId::ApiWatchpoint);
  machine_.vm().watchpoints().set(id, enabled);
  return {};
}

}  // namespace gaur::api
