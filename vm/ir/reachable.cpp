// The worklist of Reachable, and what the definition of each kind of entity refers to.
#include "vm/ir/reachable.h"

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
  switch (entity.entityKind) {
    case EntityKind::Type: {
      const auto& type = static_cast<const TypeDef&>(entity);
      addAll(type.elements);
      return add(type.signature);
    }
    case EntityKind::Signature: {
      const auto& signature = static_cast<const SignatureDef&>(entity);
      addAll(signature.parameters);
      return addAll(signature.results);
    }
    case EntityKind::Constant: {
      const auto& constant = static_cast<const Constant&>(entity);
      add(constant.declaredType);
      return addAll(constant.elements);
    }
    case EntityKind::Global: return add(static_cast<const GlobalCell&>(entity).cellType);
    case EntityKind::Function: {
      const auto& function = static_cast<const Function&>(entity);
      add(function.signature);
      if (const FunctionVersion* current = function.current.load(std::memory_order_acquire)) add(*current);
      return;
    }
    case EntityKind::ExposedFunction: {
      const auto& exposed = static_cast<const ExposedFunction&>(entity);
      add(exposed.function);
      return add(exposed.cookie);
    }
    case EntityKind::FunctionVersion: return visitBody(static_cast<const FunctionVersion&>(entity));
    default: GAUR_UNREACHABLE("only top-level entities and versions are listed");
  }
}

void Reachable::visitBody(const FunctionVersion& version) {
  add(version.function);
  add(version.signature);
  for (const Use<BasicBlock>& block : version.blocks) {
    for (const Parameter& parameter : block->parameters) add(parameter.declaredType);
    for (const Use<Instruction>& instruction : block->instructions) visitInstruction(*instruction.target);
  }
}

void Reachable::visitInstruction(const Instruction& instruction) {
  addAll(instruction.types);
  addAll(instruction.sigs);
  addValues(instruction.operands);
  addValues(instruction.keepalives);
  for (const Use<Dest>& dest : instruction.dests) addValues(dest->arguments);
}

void Reachable::addValues(std::span<const ValueUse> values) {
  for (const ValueUse& value : values)
    if (value->isGlobalValue()) add(value);
}

}  // namespace gaur::ir
