// A context's life, its bundles and names, and what the slots share.
#include "api/context.h"

#include <atomic>
#include <utility>

#include "api/ir_builder.h"

namespace gaur::api {

namespace {

/// Tags of contexts, so that a handle is told to be another context's, or of an earlier life of this one.
std::uint16_t nextTag() {
  static std::atomic<std::uint32_t> last{0};
  std::uint16_t tag = 0;
  while (tag == 0) tag = static_cast<std::uint16_t>(last.fetch_add(1, std::memory_order_relaxed) + 1);
  return tag;
}

}  // namespace

Context::Context(Machine& machine) : table_{kContextTable, this}, machine_(machine) {}

Context::~Context() { delete pins_.load(); }

Context* Context::openOne(const char* slot, MuCtx* ctx) {
  if (!ctx) {
    reportNull(slot, "ctx");
    return nullptr;
  }
  Context* context = static_cast<Table*>(ctx)->owner;
  if (ctx->header) return context;
  context->machine_.report(slot, makeError(ErrorId::ApiContextClosed));
  return nullptr;
}

Context* Context::enter(const char* slot, MuCtx* ctx) {
  Context* context = openOne(slot, ctx);
  if (!context || context->beginUse()) return context;
  context->machine_.report(slot, makeError(ErrorId::ApiContextBusy));
  return nullptr;
}

void Context::open(bool isHandlers) {
  isHandlers_ = isHandlers;
  handles_.open(nextTag());
  table_.header = this;
}

void Context::close() {
  table_.header = nullptr;
  handles_.clear();
  if (pins_.load(std::memory_order_relaxed)) delete pins_.exchange(nullptr);
}

void Context::push(gc::RootSink& sink) const {
  handles_.push(sink);
  if (const runtime::PinTable* pins = pins_.load(std::memory_order_acquire)) pins->push(sink);
}

Result<void> Context::closeContext() {
  if (isHandlers_) return makeError(ErrorId::ApiHandlerContext);
  if (isThreads_) return makeError(ErrorId::ApiThreadContext);
  close();
  machine_.giveBack(*this);
  return {};
}

template <class Load>
Result<void> Context::loadText(const char* name, char* text, MuArraySize bytes, Load load) {
  if (!text && bytes != 0) return makeError(ErrorId::ApiNull, {"buf"});
  SourceText source{name, std::string_view(text, bytes)};
  Diagnostics diagnostics(machine_.vm().options().errorLimit);
  if (load(source, diagnostics)) return {};
  for (const Diagnostic& diagnostic : diagnostics.list()) {
    if (diagnostic.severity != Severity::Error) continue;
    if (diagnostic.pos != 0) errorPosition = lineColumn(source.text, diagnostic.pos);
    return Error{diagnostic.id, render(diagnostics, source)};
  }
  return makeError(ErrorId::NotAvailable, {name});
}

Result<void> Context::loadBundle(char* text, MuArraySize bytes) {
  // Names in the program refer to the arena of the bundle, not to this text.
  return loadText("bundle", text, bytes, [this](const SourceText& source, Diagnostics& diagnostics) {
    return machine_.vm().load(source, diagnostics) != nullptr;
  });
}

Result<void> Context::loadCollectible(char* text, MuArraySize bytes) {
  return loadText("bundle", text, bytes, [this](const SourceText& source, Diagnostics& diagnostics) {
    return machine_.vm().load(source, diagnostics, true) != nullptr;
  });
}

Result<void> Context::makeCollectible(MuIRBuilder* builder) {
  if (!builder) return makeError(ErrorId::ApiNull, {"b"});
  return IrBuilder::of(builder).builder().makeCollectible();
}

Result<void> Context::unload(MuID member) { return machine_.vm().unload(member); }

Result<MuCString> Context::why(MuID entity) { return answer(runtime::whyAlive(machine_.vm(), entity)); }

Result<MuCString> Context::answer(Result<runtime::KeepPath> path) {
  if (!path) return path.error();
  why_ = path->text();
  whyJson_ = path->json();
  return why_.data();
}

/// The complement, since the pointer itself would keep the function as long as it lies on the stack.
[[gnu::noinline]] Result<std::uintptr_t> Context::hiddenPointerOf(MuValue function) const {
  GAUR_TRY(hostFunction(function));
  GAUR_TRY_ASSIGN(const Handle* pointer, operand(function, "func"));
  return ~reinterpret_cast<std::uintptr_t>(pointer->address());
}

Result<MuCString> Context::whyHostFunction(MuValue function) {
  GAUR_TRY_ASSIGN(std::uintptr_t hidden, hiddenPointerOf(function));
  return answer(runtime::whyAliveHost(machine_.vm(), hidden, 1));
}

Result<MuCString> Context::whyJson() {
  if (whyJson_.empty()) return makeError(ErrorId::ApiNothingTold);
  return whyJson_.data();
}

Result<void> Context::loadHail(char* text, MuArraySize bytes) {
  return loadText("hail", text, bytes, [this](const SourceText& source, Diagnostics& diagnostics) {
    return machine_.vm().loadHail(source, diagnostics);
  });
}

Result<MuIRBuilder*> Context::newIrBuilder() { return machine_.openBuilder().table(); }

// --- What the slots share ----------------------------------------------------------------------------

std::string oneOf(ir::TypeKind kind) {
  const std::string name(ir::text(kind));
  const bool isVowel = std::string_view("aei").find(name[0]) != std::string_view::npos;
  return (isVowel ? "an " : "a ") + name;
}

Result<Handle*> Context::operand(MuValue value, std::string_view name) const {
  if (!value) return makeError(ErrorId::ApiNull, {name});
  if (Handle* handle = handles_.find(value)) return handle;
  return makeError(ErrorId::ApiHandle, {name});
}

Result<Handle*> Context::operand(MuValue value, std::string_view name, ir::TypeKind kind) const {
  GAUR_TRY_ASSIGN(Handle * handle, operand(value, name));
  if (handle->type()->is(kind)) return handle;
  return makeError(ErrorId::ApiKind, {name, ir::toString(handle->type()), oneOf(kind)});
}

Result<const ir::Type*> Context::typeWithId(MuID id) const {
  GAUR_TRY_ASSIGN(const ir::TypeDef* definition, entity<ir::TypeDef>(id));
  return definition->type;
}

Result<const ir::Type*> Context::typeWithId(MuID id, ir::TypeKind kind) const {
  GAUR_TRY_ASSIGN(const ir::TypeDef* definition, entity<ir::TypeDef>(id));
  if (definition->type->is(kind)) return definition->type;
  return makeError(ErrorId::ApiTypeKind,
                   {ir::describe(*definition), ir::toString(definition->type), oneOf(kind)});
}

}  // namespace gaur::api
