// Reads LLVM's stack map section: where the values of KEEPALIVE clauses lie at each call site.
#pragma once

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/Support/Error.h>

#include <vector>

#include "vm/abi/code_map.h"

namespace gaur::jit {

struct StackMapSite {
  std::uintptr_t returnAddress;
  abi::CallSiteId id;
  std::uint32_t frameSize;
  llvm::SmallVector<abi::KeepaliveLocation, 4> keepalives;
};

/// Appends the call sites of a section, whose addresses are final, to `sites`. `stackPointer` and
/// `framePointer`: DWARF numbers.
llvm::Error readStackMap(llvm::ArrayRef<char> section, unsigned stackPointer, unsigned framePointer,
                         std::vector<StackMapSite>& sites);

}  // namespace gaur::jit
