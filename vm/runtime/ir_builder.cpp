#include "vm/runtime/ir_builder.h"

#include "vm/runtime/micro_vm.h"

namespace gaur::runtime {

void IrBuilder::open() {
  isCollectible_ = false;
  session_ = std::make_unique<ir::BuilderSession>(vm_.program(), "builder", vm_.options().errorLimit);
}

Result<ir::BuilderSession*> IrBuilder::Entered::session() const {
  if (!isAlone_) return makeError(ErrorId::ApiBuilderBusy);
  if (!builder_.session_) return makeError(ErrorId::ApiBuilderEnded);
  return builder_.session_.get();
}

Result<std::unique_ptr<ir::BuilderSession>> IrBuilder::takeSession() {
  Entered entered(*this);
  GAUR_TRY(entered.session());
  return std::move(session_);
}

Result<void> IrBuilder::load() {
  GAUR_TRY_ASSIGN(std::unique_ptr<ir::BuilderSession> session, takeSession());
  if (vm_.load(*session, isCollectible_)) return {};
  const Diagnostics& diagnostics = session->diagnostics();
  for (const Diagnostic& diagnostic : diagnostics.list())
    if (diagnostic.severity == Severity::Error)
      return Error{diagnostic.id, render(diagnostics, {session->builder().name(), {}})};
  return makeError(ErrorId::NotAvailable, {"the bundle"});
}

Result<void> IrBuilder::makeCollectible() {
  Entered entered(*this);
  GAUR_TRY(entered.session());
  isCollectible_ = true;
  return {};
}

Result<void> IrBuilder::abort() {
  GAUR_TRY(takeSession());
  return {};
}

}  // namespace gaur::runtime
