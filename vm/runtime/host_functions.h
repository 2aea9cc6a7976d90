// Functions of the host that Mu code calls, each with an environment of its own: where their records and
// pointers lie, who keeps them, and when the finaliser of an environment runs. A function is alive as long as
// it is pinned, bound to a name, or its pointer is in any value; the collector tells (gc::MarkedRange).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "vm/abi/native_target.h"
#include "vm/ir/type.h"
#include "vm/support/result.h"

namespace gaur::jit {
class CodeSlab;
}

namespace gaur::runtime {

using HostFinaliser = void (*)(void* environment);

/// What a host function is made of.
struct HostDefinition {
  const ir::Signature* signature;
  /// C code: the parameters of the signature, then the environment.
  void* code;
  void* environment;
  /// Null: the environment needs none.
  HostFinaliser finaliser;
  /// For messages; may be empty.
  std::string_view name;
};

class HostFunctions {
 public:
  explicit HostFunctions(jit::CodeSlab& slab);
  /// Runs the finalisers of all that are left.
  ~HostFunctions();
  HostFunctions(const HostFunctions&) = delete;
  HostFunctions& operator=(const HostFunctions&) = delete;

  /// A new function, and the pointer by which all code can call it (a value of type ufuncptr of the
  /// signature). From here on the finaliser will run, exactly once. Fails where the slab is full or C has no
  /// such signature; then it will not. The thread is attached. Thread-safe, as everything here.
  Result<void*> make(const HostDefinition& definition);
  /// The one with this pointer, or null.
  abi::HostRecord* find(const void* pointer) const;
  void* pointerOf(const abi::HostRecord& record) const;
  /// A copy for messages; of functions without a name, where they are.
  std::string nameOf(const abi::HostRecord& record) const;
  /// The function whose record lies there, or null: any address will do.
  abi::HostRecord* recordAt(const void* address) const;

  /// A name stands for it, or no longer.
  void retain(abi::HostRecord& record);
  void release(abi::HostRecord& record);
  void pin(abi::HostRecord& record);
  /// False where it is not pinned.
  bool unpin(abi::HostRecord& record);

  /// What keeps it beside values and frames.
  struct Keepers {
    std::uint32_t names;
    std::uint64_t pins;
  };
  Keepers keepersOf(const abi::HostRecord& record) const;

  /// From now on calls of it fail. The finaliser runs as soon as no frame is in the function: before this
  /// returns, if `isIdle` tells so. False where that was done before.
  bool dispose(abi::HostRecord& record, bool isIdle);

  /// Whether so many were made since the last collection that one may find dead ones: they are no load of the
  /// heap's that would start it.
  bool wantsCollection() const {
    return made_.load(std::memory_order_relaxed) > collectAt_.load(std::memory_order_relaxed);
  }
  /// With the world stopped, at the end of a collection: what it has not marked is found when finalisers are
  /// next run.
  void afterMarking();

  /// Whether runFinalisers may find something to do.
  bool hasWork() const { return hasWork_.load(std::memory_order_acquire); }
  /// Runs those that are due, on this thread and its present stack. No lock is held meanwhile. The thread
  /// holds no lock of the VM either.
  void runFinalisers();
  /// Runs those of all functions, which can be called no more.
  void finaliseAll();

 private:
  struct Region;
  struct Due {
    HostFinaliser finaliser;
    void* environment;
  };
  enum class State : std::uint8_t {
    Free,
    Live,
    /// Calls fail; the finaliser has not run, as there may be frames in the function.
    Disposed,
    /// The finaliser has run; there may be values.
    Finalised,
  };

  // Requires: mutex_ held, for all of these.
  abi::HostRecord* take();
  void finish(Region& region, std::size_t index);
  void giveBack(Region& region, std::size_t index);
  void forgetMarks(const abi::HostRecord& record);
  void sweep();

  Region* regionOf(const abi::HostRecord& record) const;

  static constexpr std::size_t kMostRegions = 1024;
  static constexpr std::size_t kLeastToCollect = 16384;

  jit::CodeSlab& slab_;
  mutable std::mutex mutex_;
  /// The first regionCount_ are made; none goes before the table does.
  std::unique_ptr<Region> regions_[kMostRegions];
  std::atomic<std::size_t> regionCount_{0};
  abi::HostRecord* free_ = nullptr;
  std::vector<Due> due_;
  std::size_t live_ = 0;
  std::atomic<std::size_t> made_{0};
  std::atomic<std::size_t> collectAt_{kLeastToCollect};
  std::atomic<bool> sweepWanted_{false};
  std::atomic<bool> hasWork_{false};
};

}  // namespace gaur::runtime
