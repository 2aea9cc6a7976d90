// What the definition of a top-level entity refers to.
#pragma once

#include "vm/ir/instruction.h"

namespace gaur::ir {

namespace detail {

template <class F>
void forEachGlobalValue(std::span<const ValueUse> values, F&& f) {
  for (const ValueUse& value : values)
    if (value->isGlobalValue()) f(static_cast<const Entity&>(*value.target));
}

template <class F>
void forEachUseInBody(const FunctionVersion& version, F&& f) {
  auto one = [&](const auto& use) {
    if (use.target) f(static_cast<const Entity&>(*use.target));
  };
  one(version.function);
  one(version.signature);
  for (const Use<BasicBlock>& block : version.blocks) {
    for (const Parameter& parameter : block->parameters) one(parameter.declaredType);
    for (const Use<Instruction>& instruction : block->instructions) {
      for (const TypeUse& type : instruction->types) one(type);
      for (const SigUse& signature : instruction->sigs) one(signature);
      forEachGlobalValue(instruction->operands, f);
      forEachGlobalValue(instruction->keepalives, f);
      for (const Use<Dest>& dest : instruction->dests) forEachGlobalValue(dest->arguments, f);
    }
  }
}

}  // namespace detail

/// Calls f(entity) for each top-level entity that the definition names, as often as it does; for a function
/// not its versions. Requires: linked; of versions of an image, Program::needBodies.
template <class F>
void forEachUse(const Entity& entity, F&& f) {
  auto one = [&](const auto& use) {
    if (use.target) f(static_cast<const Entity&>(*use.target));
  };
  auto all = [&](const auto& uses) {
    for (const auto& use : uses) one(use);
  };
  switch (entity.entityKind) {
    case EntityKind::Type: {
      const auto& type = static_cast<const TypeDef&>(entity);
      all(type.elements);
      return one(type.signature);
    }
    case EntityKind::Signature: {
      const auto& signature = static_cast<const SignatureDef&>(entity);
      all(signature.parameters);
      return all(signature.results);
    }
    case EntityKind::Constant: {
      const auto& constant = static_cast<const Constant&>(entity);
      one(constant.declaredType);
      return all(constant.elements);
    }
    case EntityKind::Global: return one(static_cast<const GlobalCell&>(entity).cellType);
    case EntityKind::Function: return one(static_cast<const Function&>(entity).signature);
    case EntityKind::ExposedFunction: {
      const auto& exposed = static_cast<const ExposedFunction&>(entity);
      one(exposed.function);
      return one(exposed.cookie);
    }
    case EntityKind::FunctionVersion:
      return detail::forEachUseInBody(static_cast<const FunctionVersion&>(entity), f);
    default: return;
  }
}

}  // namespace gaur::ir
