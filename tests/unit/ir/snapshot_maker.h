// Taking snapshots of loaded texts and reading them into other programs, for the tests of snapshots.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/ir/text_loader.h"
#include "vm/ir/printer.h"
#include "vm/ir/snapshot_reader.h"
#include "vm/ir/snapshot_writer.h"

namespace gaur::ir::test {

/// Calls `f` with every top-level entity and version of the bundle.
template <class F>
void forEachListed(const Bundle& bundle, F&& f) {
  for (const Entity* entity : bundle.types) f(*entity);
  for (const Entity* entity : bundle.signatures) f(*entity);
  for (const Entity* entity : bundle.constants) f(*entity);
  for (const Entity* entity : bundle.globals) f(*entity);
  for (const Entity* entity : bundle.functions) f(*entity);
  for (const Entity* entity : bundle.exposed) f(*entity);
  for (const Entity* entity : bundle.versions) f(*entity);
}

/// Calls `f` with every entity in the bodies of the bundle.
template <class F>
void forEachLocal(const Bundle& bundle, F&& f) {
  for (const FunctionVersion* version : bundle.versions) {
    for (const Use<BasicBlock>& block : version->blocks) {
      f(*block.target);
      for (const Parameter& parameter : block->parameters) f(parameter);
      if (block->exceptionParameter) f(*block->exceptionParameter);
      for (const Use<Instruction>& instruction : block->instructions) {
        f(*instruction.target);
        for (const ir::Result& result : instruction->results) f(result);
      }
    }
  }
}

/// Everything that the bundle defines.
inline std::vector<std::byte> snapshotOf(const Program& program, const Bundle& bundle) {
  std::lock_guard lock(program.loadMutex());
  Reachable reachable(program);
  forEachListed(bundle, [&](const Entity& entity) { reachable.add(entity); });
  auto drained = reachable.drain();
  EXPECT_TRUE(drained);
  return writeSnapshot(reachable);
}

/// What the named entities need.
inline std::vector<std::byte> snapshotOf(const Program& program,
                                         std::initializer_list<std::string_view> names) {
  std::lock_guard lock(program.loadMutex());
  Reachable reachable(program);
  for (std::string_view name : names) {
    const Entity* entity = program.entity(program.idOf(name));
    EXPECT_NE(entity, nullptr) << name;
    if (entity) reachable.add(*entity);
  }
  auto drained = reachable.drain();
  EXPECT_TRUE(drained);
  return writeSnapshot(reachable);
}

/// A program that a snapshot was read into.
struct Restored {
  std::vector<std::byte> bytes;
  std::unique_ptr<Program> program = std::make_unique<Program>();
  SnapshotIndex index;
  std::string error;

  const Bundle& bundle() const { return *index.bundle; }
  template <class T>
  T* entity(std::string_view name) const {
    return program->entityOf<T>(program->idOf(name));
  }
};

inline Restored restore(std::vector<std::byte> bytes) {
  Restored restored;
  restored.bytes = std::move(bytes);
  auto index = readSnapshot(*restored.program, restored.bytes);
  if (index) {
    restored.index = std::move(*index);
  } else {
    restored.error = index.error().message;
  }
  return restored;
}

/// The order of a snapshot: by ID.
inline void sortById(Bundle& bundle) {
  auto sort = [](auto& list) {
    std::ranges::sort(list, {}, [](const Entity* entity) { return entity->id; });
  };
  sort(bundle.types);
  sort(bundle.signatures);
  sort(bundle.constants);
  sort(bundle.globals);
  sort(bundle.functions);
  sort(bundle.exposed);
  sort(bundle.versions);
}

}  // namespace gaur::ir::test
