// All compiled code of a VM: what gets compiled when, what a redefinition makes stale, and when code goes: a
// unit that no function's entry leads into any more gets an owner (code_owners.h), and is freed when no frame
// is active in it.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "jit/compiler.h"
#include "vm/runtime/code_owners.h"
#include "vm/support/id_table.h"
#include "vm/support/options.h"

namespace gaur::runtime {

class Thread;
class WatchpointTable;
/// Code that passes values on as arguments (abi::StartFrame), and the memory it needs for them.
struct StartAdapter {
  void* code;
  std::uint64_t memoryBytes;
};

class CodeRegistry {
 public:
  CodeRegistry(jit::Environment& environment, jit::CodeSlab& slab, jit::CodeMap& map,
               WatchpointTable& watchpoints, CodeOwners& owners, const Options& options);
  ~CodeRegistry();
  CodeRegistry(const CodeRegistry&) = delete;
  CodeRegistry& operator=(const CodeRegistry&) = delete;

  /// Compiles the current version of the function, unless it is compiled, and what is worth compiling with
  /// it. Without a version the function gets code that traps. Needs more stack than the reserve of a Mu
  /// stack, as all functions here. Thread-safe.
  Result<void> compile(const ir::Function& function);
  /// Compiles them all.
  Result<void> compileAll(std::span<ir::FunctionVersion* const> versions);

  /// Calls `publish`, which gives these functions new versions, and lets new calls of them, and of functions
  /// that have a copy of their code, enter new code. Where they are few, that is compiled first, and whoever
  /// calls them meanwhile runs the old code instead of waiting; where they are many, each call compiles.
  template <class F>
  void redefine(std::span<ir::FunctionVersion* const> versions, F publish) {
    // No compilation that sees old versions may end after this.
    std::lock_guard lock(mutex_);
    publish();
    replace(versions);
  }

  /// Whether `tidy` has something to do.
  bool hasGarbage() const { return hasGarbage_.load(std::memory_order_relaxed); }
  /// Gives owners to units that are retired, and frees those whose owner died, and all code of bundles in
  /// `dead`, whose owners died. Bundles that brought nothing but versions, none of which is current or in any
  /// code, go to `superseded`: nothing refers to them but the program. False where another thread compiles:
  /// then nothing is done. On the native stack of an attached thread.
  bool tidy(Thread& thread, std::span<ir::Bundle* const> dead, std::vector<ir::Bundle*>& superseded);

  /// Code of a collectible bundle belongs to the bundle's owner; `anchor` is an address of its memory. Before
  /// any of its functions can be called.
  void setOwner(const ir::Bundle& bundle, CodeOwner& owner, const void* anchor);

  /// Memory with code of a version.
  struct CodePlace {
    /// The complement of its address, which as such keeps nothing.
    std::uintptr_t hiddenBegin = 0;
    /// False where a unit stays as long as calls enter it.
    bool mayGo = false;
    /// Where there are only copies of it, a version that has one.
    const ir::FunctionVersion* copiedInto = nullptr;
    /// A function that new calls still enter there; null: there is none.
    const ir::Function* companion = nullptr;
  };
  /// Where code of the version lies, save in boot images. It stays there until a `tidy`.
  std::vector<CodePlace> placesOf(const ir::FunctionVersion& version);
  /// Whether a boot image has code of it.
  bool isInImage(const ir::FunctionVersion& version);
  /// The complement of an address of a collectible bundle's memory; nothing where it is none.
  std::optional<std::uintptr_t> hiddenAnchorOf(const ir::Bundle& bundle);

  struct Statistics {
    /// Units, those retired and not freed yet, and units freed since the VM was made.
    std::uint64_t units, retired, freed;
  };
  Statistics statistics();

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
  const StartAdapter* knownStartAdapter(std::uint32_t signatureIndex) const {
    return startAdapters_.get(signatureIndex);
  }
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
  struct Unit {
    std::unique_ptr<jit::CodeUnit> code;
    CodeRegistry* registry = nullptr;
    /// Functions whose entry is in it; one more of code that stays.
    std::size_t current = 0;
    /// The collectible bundle whose code it is, or null.
    const ir::Bundle* bundle = nullptr;
    /// What its code was made of: versions of its own, and those that were copied into it.
    Versions versions = {};
    bool isRetired = false;
    bool hasOwner = false;
  };
  struct BundleOwner {
    CodeOwner* owner;
    /// By these references retired units of the bundle keep it.
    std::unique_ptr<std::uintptr_t> anchor;
    abi::OwnedReferences references;
  };

  Result<void> compileUnit(const Versions& versions);
  /// `bundle`: where its function or versions come from.
  Unit& keep(std::unique_ptr<jit::CodeUnit> code, const ir::Bundle* bundle, Versions versions);
  void keepForGood(std::unique_ptr<jit::CodeUnit> code) { ++keep(std::move(code), nullptr, {}).current; }
  /// Calls of the function go there from now on.
  void setEntry(abi::FunctionRecord* record, void* entry);
  Unit* unitAt(const void* code);
  void retire(Unit& unit);
  bool giveOwner(Thread& thread, Unit& unit);
  void free(Unit& unit);
  void free(const ir::Bundle& bundle);
  const ir::FunctionVersion* holderOfCopy(const Unit& unit, const ir::Function& copied) const;
  void forgetVersions(Unit& unit);
  void forgetCopies(const jit::Inlining& inlining);
  const ir::Bundle* collectibleBundleOf(const ir::Function& function);
  void noteUnused(const ir::FunctionVersion& version);
  static void bury(void* unit);
  Result<void> compileUndefined(const ir::Function& function);
  Result<void*> adapter(Adapters& adapters, const ir::Signature* signature,
                        Result<std::unique_ptr<jit::CodeUnit>> (jit::Compiler::*make)(const ir::Signature*));
  void enter(const ir::Signature* signature, void* startAdapter);
  Versions batchFrom(const ir::FunctionVersion& version);
  bool isCompiled(const ir::Function& function);
  /// New calls of the function no longer enter its code.
  void invalidate(const ir::Function& function);
  Versions staleAfter(std::span<ir::FunctionVersion* const> versions);
  void replace(std::span<ir::FunctionVersion* const> versions);
  jit::OptLevel level() const { return static_cast<jit::OptLevel>(options_.optLevel); }

  jit::Environment& environment_;
  jit::CodeSlab& slab_;
  jit::CodeMap& map_;
  WatchpointTable& watchpoints_;
  const Options& options_;
  std::mutex mutex_;
  std::unique_ptr<jit::Compiler> compiler_;
  CodeOwners& owners_;
  std::unordered_map<const abi::CodeBlock*, std::unique_ptr<Unit>> units_;
  /// No entry leads to them, and they have no owner yet.
  std::vector<Unit*> retired_;
  std::uint64_t retiredCount_ = 0;
  std::uint64_t freedCount_ = 0;
  /// In how many units there is code of a version.
  std::unordered_map<const ir::FunctionVersion*, std::size_t> uses_;
  /// Bundles that brought nothing but versions, of which one was replaced or lost its code.
  std::unordered_set<ir::Bundle*> candidates_;
  std::unordered_map<const ir::Bundle*, BundleOwner> bundleOwners_;
  /// Units whose owner died.
  std::mutex buriedMutex_;
  std::vector<Unit*> buried_;
  std::atomic<bool> hasGarbage_{false};
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
