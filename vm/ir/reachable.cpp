// The worklist of Reachable.
#include "vm/ir/reachable.h"

#include "vm/ir/uses.h"

namespace gaur::ir {

namespace {

/// The version that a local entity is in.
const FunctionVersion* versionOf(const Entity& entity) {
  const BasicBlock* block = nullptr;
  switch (entity.entityKind) {
    case EntityKind::BasicBlock: block = static_cast<const BasicBlock*>(&entity); break;
    case EntityKind::Parameter: block = static_cast<const Parameter&>(entity).block; break;
    case EntityKind::Instruction: block = static_cast<const Instruction&>(entity).block; break;
    case EntityKind::Result: block = static_cast<const Result&>(entity).instruction->block; break;
    default: return nullptr;
  }
  return block->version;
}

}  // namespace

void Reachable::add(const Entity& entity) {
  if (const FunctionVersion* version = versionOf(entity)) return add(*version);
  GAUR_CHECK(entity.id != kNoId, "an entity without an ID cannot be in an image");
  if (contains(entity)) return;
  found_.set(entity.id, &entity);
  if (entity.id < kFirstClientId) {
    predefined_.push_back(&entity);
    return;
  }
  list(entity);
  waiting_.push_back(&entity);
}

void Reachable::list(const Entity& entity) {
  switch (entity.entityKind) {
    case EntityKind::Type: return types_.push_back(static_cast<const TypeDef*>(&entity));
    case EntityKind::Signature: return signatures_.push_back(static_cast<const SignatureDef*>(&entity));
    case EntityKind::Constant: return constants_.push_back(static_cast<const Constant*>(&entity));
    case EntityKind::Global: return globals_.push_back(static_cast<const GlobalCell*>(&entity));
    case EntityKind::Function: return functions_.push_back(static_cast<const Function*>(&entity));
    case EntityKind::ExposedFunction: return exposed_.push_back(static_cast<const ExposedFunction*>(&entity));
    case EntityKind::FunctionVersion:
      return versions_.push_back(static_cast<const FunctionVersion*>(&entity));
    default: GAUR_UNREACHABLE("a clause is no part of a program");
  }
}

gaur::Result<void> Reachable::drain() {
  if (!waiting_.empty()) GAUR_TRY(program_.needBodies());
  while (!waiting_.empty()) {
    const Entity* entity = waiting_.back();
    waiting_.pop_back();
    visit(*entity);
  }
  return {};
}

void Reachable::visit(const Entity& entity) {
  forEachUse(entity, [this](const Entity& used) { add(used); });
  if (entity.entityKind != EntityKind::Function) return;
  const auto& function = static_cast<const Function&>(entity);
  if (const FunctionVersion* current = function.current.load(std::memory_order_acquire)) add(*current);
}

}  // namespace gaur::ir
