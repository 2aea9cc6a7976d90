// One virtual machine: a program, its heap and its code, and what ties them together. Several may exist in a
// process.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "gc/heap.h"
#include "jit/code_map.h"
#include "jit/code_slab.h"
#include "jit/compiler.h"
#include "vm/ir/builder_session.h"
#include "vm/ir/program.h"
#include "vm/runtime/code_registry.h"
#include "vm/runtime/collectible_bundles.h"
#include "vm/runtime/entity_data.h"
#include "vm/runtime/host_functions.h"
#include "vm/runtime/native_call.h"
#include "vm/runtime/native_symbols.h"
#include "vm/runtime/roots.h"
#include "vm/runtime/stack.h"
#include "vm/runtime/thread.h"
#include "vm/runtime/trap.h"
#include "vm/runtime/watchpoints.h"
#include "vm/support/options.h"
#include "vm/support/source.h"

namespace gaur::runtime {

struct VmStatistics {
  double parseSeconds = 0;
  /// Linking, verifying and preparing of bundles.
  double linkSeconds = 0;
  double compileSeconds = 0;
  std::uint64_t compiledFunctions = 0;
  double gcSeconds = 0;
  std::uint64_t collections = 0;
};

/// Fills a table through which code calls the runtime and finds the stack it stands on.
void fillLinkTable(abi::LinkTable& table, const StackArena& stacks);

class MicroVm final : private jit::Environment {
 public:
  /// Fails where a library that the options name cannot be opened.
  /// With a `placement` for a boot image, whose parts are taken over before anything else is done with the
  /// VM.
  static Result<std::unique_ptr<MicroVm>> create(const Options& options,
                                                 const jit::SlabPlacement& placement = {});
  /// Waits for the threads that the program has started. Requires: no other thread is attached.
  ~MicroVm() override;
  MicroVm(const MicroVm&) = delete;
  MicroVm& operator=(const MicroVm&) = delete;

  /// Loads a bundle from text. Null, with the errors in `diagnostics`, where it is wrong; then nothing has
  /// changed. Thread-safe. Uses more stack than the reserve of a Mu stack. A collectible bundle can be
  /// unloaded.
  ir::Bundle* load(const SourceText& source, Diagnostics& diagnostics, bool isCollectible = false);

  /// Loads what a client has built; errors are added to the session's. The session is used up either way.
  ir::Bundle* load(ir::BuilderSession& session, bool isCollectible = false);

  /// Unloads the collectible bundle that brought the top-level entity: its names are free at once, and its
  /// IDs are nobody's; its code, IR, cells and all else go when no funcref, iref, native entry or frame is
  /// left by which a thread could reach it. Fails where the entity is of no collectible bundle, or of one
  /// that is unloaded. Thread-safe; waits while another thread loads.
  Result<void> unload(Id member);

  /// Evaluates a HAIL script. False, with the errors in `diagnostics`, where it is wrong or memory is
  /// exhausted; then nothing that the program knows has changed. Thread-safe. Threads that are not attached
  /// are for the time of the call; others stand on their native stack.
  bool loadHail(const SourceText& source, Diagnostics& diagnostics);

  /// Calls a function. Arguments and results lie in memory as jit::HostCall tells. Threads that are not
  /// attached are for the time of the call. `cookie`: what @uvm.native.get_cookie gives in there.
  CallOutcome call(const ir::Function& function, const void* arguments, void* results,
                   std::uint64_t cookie = 0);

  /// The text of a stage of the compilation of a version.
  Result<std::string> dump(const ir::FunctionVersion& version, jit::DumpStage stage) {
    return code_.dump(version, stage);
  }

  /// On any thread.
  VmStatistics statistics();

  /// Lives as long as the VM, and goes after everything else of it: memory of a boot image.
  void keep(std::shared_ptr<void> thing) { kept_.push_back(std::move(thing)); }

  const Options& options() const { return options_; }
  ir::Program& program() override { return program_; }
  const jit::CodeMap& codeMap() const { return codeMap_; }
  gc::Heap& heap() { return *heap_; }
  StackArena& stacks() { return stacks_; }
  const StackArena& stacks() const { return stacks_; }
  /// What the collector asks for more roots from now on; null: nobody.
  void setClientRoots(const ClientRoots* client) { roots_.setClient(client); }
  PinTable& pins() { return roots_.pins(); }
  PointerRelocations& pointerRelocations() { return roots_.pointerRelocations(); }
  /// Enters what an image made later gives to a uptr or ufuncptr field; an earlier entry for it is replaced.
  /// Fails where the field is part of neither a heap object nor a global cell. The thread is attached.
  Result<void> relocatePointer(PointerRelocation relocation);
  Roots& roots() { return roots_; }
  CodeOwners& owners() { return owners_; }
  /// Whether some memory of the code slab may be taken back; `tidy` does it. On any stack of a thread that
  /// holds no lock of the VM.
  bool wantsTidying() const {
    return owners_.hasWork() || code_.hasGarbage() || bundles_.hasWork() || hostFunctions_.hasWork();
  }
  void tidy(Thread& thread);
  /// A collection after which all is released that it found dead: what was superseded has its owners before.
  /// On any stack of a thread that holds no lock of the VM.
  void collectAndTidy(Thread& thread);
  CollectibleBundles& bundles() { return bundles_; }
  ThreadList& threads() { return threads_; }
  TrapHandlers& trapHandlers() { return trapHandlers_; }
  EntityData& entities() { return entities_; }
  CodeRegistry& code() { return code_; }
  WatchpointTable& watchpoints() { return watchpoints_; }
  NativeSymbols& nativeSymbols() { return nativeSymbols_; }
  NativeCallTable& nativeCalls() { return nativeCalls_; }
  HostFunctions& hostFunctions() { return hostFunctions_; }
  /// The name stands for the function with this pointer, which may be a host function's; null: again for what
  /// libraries say. Code that has been compiled sees the change.
  void bindSymbol(std::string_view name, void* pointer);
  jit::CodeSlab& slab() { return slab_; }
  const abi::LinkTable& links() const { return *linkTable_; }
  /// For forks.cpp, in that order: no other thread changes the VM between the first and one of the others.
  void beforeFork();
  void afterForkInParent();
  /// The code is that of the child alone; other threads than the one that the parent knew as `forker` are
  /// gone.
  void afterForkInChild(int forker);
  /// Canonical type of @uvm.meta.bytes.
  const ir::Type* bytesType() const { return bytesType_; }
  /// Of @uvm.meta.refs.
  const ir::Type* refsType() const { return refsType_; }

 private:
  MicroVm(const Options& options, const jit::SlabPlacement& placement);
  /// Links, verifies and publishes. Requires: loadMutex held.
  ir::Bundle* finish(ir::Builder& builder, Diagnostics& diagnostics, bool isCollectible);

  Result<void> prepare(ir::Bundle& bundle);
  void tidyHere();
  std::array<std::mutex*, 6> forkLocks();

  // jit::Environment
  abi::LayoutTable& layouts() override { return abi::LayoutTable::shared(); }
  abi::FunctionRecord* recordOf(const ir::Function& function) override {
    return entities_.recordOf(function);
  }
  void* addressOf(const ir::GlobalCell& cell) override { return entities_.addressOf(cell); }
  Result<abi::NativeSlot*> externSlot(std::string_view symbol) override {
    return nativeSymbols_.slot(symbol);
  }
  void** exposedSlot(const ir::ExposedFunction& exposed) override { return entities_.exposedSlot(exposed); }
  abi::LinkTable* linkTable() override { return linkTable_; }
  Result<void**> nativeCallSlot(const ir::Signature* signature) override {
    return nativeCalls_.slot(signature);
  }

  std::vector<std::shared_ptr<void>> kept_;
  const Options options_;
  ir::Program program_;
  jit::CodeSlab slab_;
  jit::CodeMap codeMap_{slab_};
  StackArena stacks_;
  ThreadList threads_;
  TrapHandlers trapHandlers_;
  CodeOwners owners_{slab_};
  HostFunctions hostFunctions_{slab_};
  Roots roots_{stacks_, trapHandlers_, owners_, hostFunctions_};
  NativeSymbols nativeSymbols_{slab_};
  NativeCallTable nativeCalls_{slab_};
  EntityData entities_{*this, slab_, roots_};
  abi::LinkTable* linkTable_ = nullptr;
  const ir::Type* bytesType_ = nullptr;
  const ir::Type* refsType_ = nullptr;
  std::unique_ptr<gc::Heap> heap_;
  WatchpointTable watchpoints_{slab_};
  CodeRegistry code_{*this, slab_, codeMap_, watchpoints_, owners_, options_};
  CollectibleBundles bundles_{program_, slab_, entities_, code_, owners_};
  std::atomic<std::uint64_t> parseNanoseconds_{0};
  std::atomic<std::uint64_t> linkNanoseconds_{0};
};

}  // namespace gaur::runtime
