// From code address to function and call site. Look-ups take no lock and touch no other module's state, so that the unwinder and signal handlers
// may use them while other threads load code.
#pragma once

#include <cstdint>
#include <memory>

#include "vm/abi/code_map.h"

namespace gaur::jit {

class CodeSlab;

struct CodeSite {
  const abi::CodeBlock* block = nullptr;
  const abi::FunctionCode* function = nullptr;
  /// Null where the address is no recorded return address.
  const abi::CallSiteRow* row = nullptr;

  explicit operator bool() const { return function != nullptr; }
  std::uintptr_t landingPad() const { return row && row->landingPadOffset ? block->begin + row->landingPadOffset : 0; }
};

class CodeMap {
 public:
  explicit CodeMap(const CodeSlab& slab);
  ~CodeMap();

  /// Enters a block; it must stay as it is until `remove`.
  void add(const abi::CodeBlock& block);
  void remove(const abi::CodeBlock& block);

  /// The function that contains `pc`. Signal-safe.
  CodeSite findFunction(std::uintptr_t pc) const;
  /// The call site that returns to `returnAddress`, or at least its function. Signal-safe.
  CodeSite findReturn(std::uintptr_t returnAddress) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gaur::jit
