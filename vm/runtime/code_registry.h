// All compiled code of a VM: what gets compiled when, who owns it, and what a redefinition makes stale.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "jit/compiler.h"
#include "vm/support/id_table.h"
#include "vm/support/options.h"

namespace gaur::runtime {

class WatchpointTable;
/// Code that passes values on as arguments (abi::StartFrame), and the memory it needs for them.
struct StartAdapter {
  void* code;
  std::uint64_t memoryBytes;
};

class CodeRegistry {
 public:
  CodeRegistry(jit::Environment& environment, jit::CodeSlab& slab, jit::CodeMap& map, WatchpointTable& watchpoints,
               const Options& options);
  ~CodeRegistry();
  CodeRegistry(const CodeRegistry&) = delete;
  CodeRegistry& operator=(const CodeRegistry&) = delete;

  /// Compiles the current version of the function, unless it is compiled, and what is worth compiling with it. Without a version the function gets
  /// code that traps. Needs more stack than the reserve of a Mu stack, as all functions here. Thread-safe.
  Result<void> compile(const ir::Function& function);
  /// Compiles them all.
  Result<void> compileAll(std::span<ir::FunctionVersion* const> versions);

  /// Calls `publish`, which gives these functions new versions, and lets new calls of them, and of functions that have a copy of their
  /// code, compile again.
  template <class F>
  void redefine(std::span<ir::FunctionVersion* const> versions, F publish) {
    // No compilation that sees old versions may end after this.
    std::lock_guard lock(mutex_);
    publish();
    for (const ir::FunctionVersion* version : versions) invalidate(*version->function.target);
  }

  /// Takes over linked code of a boot image, which stays for ever. Its records point to it already.
  void adopt(const abi::CodeBlock& block, std::span<const jit::Inlining> inlinings);
  /// Adapters of it.
  void adoptHostCall(const ir::Signature* signature, void* code);
  void adoptExposedAdapter(const ir::Signature* signature, void* code);
  void adoptStartAdapter(const ir::Signature* signature, void* code);

  Result<jit::HostCall> hostCall(const ir::Signature* signature);
  Result<void*> exposedAdapter(const ir::Signature* signature);
  /// The signature whose hostCall or exposedAdapter the code is, or null.
  const ir::Signature* adapterSignature(const void* adapter);
  /// How functions of the signature begin on a stack of their own.
  Result<const StartAdapter*> startAdapter(const ir::Signature* signature);
  /// The same if it has been made, by Signature::index; else null. Takes no lock.
  const StartAdapter* knownStartAdapter(std::uint32_t signatureIndex) const { return startAdapters_.get(signatureIndex); }
  Result<std::string> dump(const ir::FunctionVersion& version, jit::DumpStage stage);

  /// Held over a fork of the process.
  std::mutex& forkLock() { return mutex_; }

  std::uint64_t compileNanoseconds() const { return nanoseconds_.load(std::memory_order_relaxed); }
  std::uint64_t compiledFunctions() const { return compiled_.load(std::memory_order_relaxed); }

 private:
  using Versions = std::vector<const ir::FunctionVersion*>;
  using Adapters = std::unordered_map<const ir::Signature*, void*>;

  // Requires: mutex_ held, for all of these.
  Result<jit::Compiler*> compiler();
  Result<void> compileUnit(const Versions& versions);
  Result<void> compileUndefined(const ir::Function& function);
  Result<void*> adapter(Adapters& adapters, const ir::Signature* signature,
                        Result<std::unique_ptr<jit::CodeUnit>> (jit::Compiler::*make)(const ir::Signature*));
  void enter(const ir::Signature* signature, void* startAdapter);
  Versions batchFrom(const ir::FunctionVersion& version);
  bool isCompiled(const ir::Function& function);
  void invalidate(const ir::Function& function);
  jit::OptLevel level() const { return static_cast<jit::OptLevel>(options_.optLevel); }

  jit::Environment& environment_;
  jit::CodeSlab& slab_;
  jit::CodeMap& map_;
  WatchpointTable& watchpoints_;
  const Options& options_;
  std::mutex mutex_;
  std::unique_ptr<jit::Compiler> compiler_;
  /// Code stays until the VM goes: frames may be active in it.
  std::vector<std::unique_ptr<jit::CodeUnit>> units_;
  /// Of a boot image.
  std::vector<const abi::CodeBlock*> adopted_;
  Adapters hostCalls_;
  Adapters exposedAdapters_;
  IdTable<const StartAdapter> startAdapters_;
  std::vector<std::unique_ptr<StartAdapter>> startAdapterList_;
  /// By function: versions that its code was copied into.
  std::unordered_map<Id, std::vector<Id>> copies_;
  std::atomic<std::uint64_t> nanoseconds_{0};
  std::atomic<std::uint64_t> compiled_{0};
};

}  // namespace gaur::runtime
