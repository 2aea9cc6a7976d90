// The record behind a funcref: a funcref is its address. Calls load `entry` and jump there, so that lazy
// compilation, redefinition and boot images need nothing else. Records lie in the data half of the code slab,
// within 2 GB of all code.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vm/support/ids.h"

namespace gaur::ir {
struct Function;
}

namespace gaur::abi {

struct FunctionRecord {
  /// Code to run: the compiled current version, or the trampoline that compiles it, or the one for functions
  /// without a version.
  void* entry;
  ir::Function* function;
  Id id;
  std::uint32_t signatureIndex;
  /// Code for this function that calls compile lazily or report: stands in `entry` until there is something
  /// better.
  void* lazyEntry;
};
static_assert(offsetof(FunctionRecord, entry) == 0);
static_assert(sizeof(FunctionRecord) == 32);

/// Data of one exposed function: what its trampoline passes on.
struct ExposedRecord {
  FunctionRecord* function;
  std::uint64_t cookie;
};

}  // namespace gaur::abi
