// Bundles that go: those that a client unloads, and those of which nothing is left but superseded versions.
// From the moment nothing can reach one it is taken apart on a thread that holds no lock, and its IR, which
// VM functions on other threads may be looking at, is freed when a collection has found no address in it on
// any stack.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "gc/watched_memory.h"
#include "vm/ir/program.h"
#include "vm/runtime/code_owners.h"
#include "vm/runtime/code_registry.h"
#include "vm/runtime/entity_data.h"

namespace gaur::runtime {

class CollectibleBundles {
 public:
  CollectibleBundles(ir::Program& program, jit::CodeSlab& slab, EntityData& entities, CodeRegistry& code,
                     CodeOwners& owners)
      : program_(program), slab_(slab), entities_(entities), code_(code), owners_(owners) {}
  ~CollectibleBundles();
  CollectibleBundles(const CollectibleBundles&) = delete;
  CollectibleBundles& operator=(const CollectibleBundles&) = delete;

  // Requires: loadMutex held, for these four.
  /// Prepares a collectible bundle that is about to be published, and keeps it until it is unloaded.
  Result<void> prepare(Thread& thread, ir::Bundle& bundle);
  /// What a bundle that has just been published, of any sort, refers to and replaces.
  void notePublished(const ir::Bundle& bundle);
  /// The bundle of a top-level entity, or null where that is of none, or unloaded.
  ir::Bundle* bundleOf(Id entity) const;
  /// Its names and IDs are free from now on, and all of it goes when nothing reaches it.
  void unload(ir::Bundle& bundle);

  /// Whether `tidy` has something to do.
  bool hasWork() const { return hasWork_.load(std::memory_order_relaxed); }
  /// Takes apart what died and frees what nobody looks at any more. Does nothing while a bundle is being
  /// loaded or code compiled. On the native stack of an attached thread without locks.
  void tidy(Thread& thread);

  /// Lives while IR is referred to from memory that collections do not look at.
  class Reading {
   public:
    explicit Reading(CollectibleBundles& all) : all_(all) { all_.readers_.fetch_add(1); }
    ~Reading() { all_.readers_.fetch_sub(1); }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

   private:
    CollectibleBundles& all_;
  };

  // --- In a collection -----------------------------------------------------------------------------------
  void afterMarking() {
    if (isLingering_.load(std::memory_order_relaxed)) hasWork_.store(true, std::memory_order_relaxed);
  }

 private:
  struct References : abi::OwnedReferences {
    /// Anchors of other bundles that live with it; one more often than once, where there are several reasons.
    std::vector<std::uintptr_t> anchors;
    References(std::span<const abi::OwnedCell> ownedCells, std::vector<std::uintptr_t> others)
        : abi::OwnedReferences{ownedCells, {}}, anchors(std::move(others)) {
      addresses = anchors;
    }
  };
  struct Member {
    CollectibleBundles* all;
    ir::Bundle* bundle;
    /// Memory that the bundle has in any case.
    void* anchor;
    CodeOwner* owner = nullptr;
    std::vector<abi::OwnedCell> cells;
    std::unique_ptr<References> references;
  };
  /// IR that is in no table any more.
  struct Lingering {
    std::vector<std::unique_ptr<ir::Bundle>> bundles;
    std::unique_ptr<gc::WatchedMemory> watch;
  };

  static void bury(void* member);
  Member* memberOf(const ir::Bundle& bundle) const;
  /// `holder`, null for a permanent bundle, keeps `kept` from now on, or no longer.
  void keep(Member* holder, Member& kept);
  void letGo(Member* holder, Member& kept);
  void setAnchors(Member& member, std::vector<std::uintptr_t> anchors);
  Member* memberOwning(const ir::Function& function) const;
  void linger(std::vector<std::unique_ptr<ir::Bundle>> bundles);
  void freeForgotten();

  ir::Program& program_;
  jit::CodeSlab& slab_;
  EntityData& entities_;
  CodeRegistry& code_;
  CodeOwners& owners_;
  // Changed with loadMutex held.
  std::unordered_map<const ir::Bundle*, std::unique_ptr<Member>> members_;
  /// Top-level entities of those that are not unloaded.
  std::unordered_map<Id, Member*> byEntity_;
  std::vector<Lingering> lingering_;
  /// Whose owner died.
  std::mutex buriedMutex_;
  std::vector<Member*> buried_;
  std::atomic<bool> hasWork_{false};
  std::atomic<bool> isLingering_{false};
  std::atomic<int> readers_{0};
};

}  // namespace gaur::runtime
