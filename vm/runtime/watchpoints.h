// Which watchpoints of a VM are enabled, and where their instructions are in the code that is loaded.
// Enabling one patches all of them; code that is loaded later comes patched.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "vm/abi/code_map.h"

namespace gaur::jit {
class CodeSlab;
}

namespace gaur::runtime {

/// Thread-safe; other threads may run the code that is patched. Nothing here needs more stack than the
/// reserve of a Mu stack.
class WatchpointTable {
 public:
  /// `slab`: where the code lies.
  explicit WatchpointTable(const jit::CodeSlab& slab) : slab_(slab) {}
  WatchpointTable(const WatchpointTable&) = delete;
  WatchpointTable& operator=(const WatchpointTable&) = delete;

  /// Enables or disables a watchpoint, which needs no code yet (map, WP-1). Executions by any thread that
  /// begin after the return see it.
  void set(std::uint32_t watchpoint, bool enabled);
  bool isEnabled(std::uint32_t watchpoint) const;
  /// Those that are enabled, in order.
  std::vector<std::uint32_t> enabled() const;

  /// Code that is not published yet: its sites of enabled watchpoints are patched. It must stay as it is
  /// until `remove`.
  void add(const abi::CodeBlock& block);
  /// Forgets the sites of code that is about to be freed.
  void remove(const abi::CodeBlock& block);

  /// Held over a fork of the process.
  std::mutex& forkLock() { return mutex_; }

 private:
  struct Watchpoint {
    bool enabled = false;
    /// The code that has sites of it.
    std::unordered_set<const abi::CodeBlock*> blocks;
  };

  /// Requires: mutex_ held.
  void patch(const abi::CodeBlock& block, std::uint32_t watchpoint, bool enabled);

  const jit::CodeSlab& slab_;
  mutable std::mutex mutex_;
  /// By ID. One that is neither enabled nor in any code has no entry.
  std::unordered_map<std::uint32_t, Watchpoint> watchpoints_;
};

}  // namespace gaur::runtime
