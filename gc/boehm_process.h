// Boehm's collector exists once a process. This is that one: it is started by the first heap, and holds the
// block kinds, the hooks, the threads and the root providers of all heaps.
#pragma once

#include <gc/gc.h>
#include <gc/gc_mark.h>
#include <signal.h>

#include <atomic>
#include <cstdint>
#include <optional>

#include "gc/block_supply.h"
#include "gc/heap.h"
#include "gc/immortal_ranges.h"
#include "gc/live_graph.h"
#include "gc/roots.h"
#include "vm/abi/object.h"
#include "vm/abi/thread_block.h"

namespace gaur::gc {

/// Boehm's numbers of the kinds, by abi::BlockKind. Listed blocks come from free lists, and only their first
/// word says anything; single ones come zeroed.
struct BoehmKinds {
  int listed[abi::kBlockKinds];
  int single[abi::kBlockKinds];
};

struct CollectionTimes {
  std::uint64_t totalNanoseconds = 0;
  std::uint64_t longestPauseNanoseconds = 0;
};

class BoehmProcess {
 public:
  /// Started on first use, then there for the rest of the process.
  static BoehmProcess& instance();

  int singleKind(abi::BlockKind kind) const { return kinds_.single[static_cast<unsigned>(kind)]; }

  void addProvider(RootProvider& provider, const HeapOptions& options);
  /// All threads that were attached for it are detached.
  void removeProvider(RootProvider& provider);

  void attachThread(RootProvider& provider, abi::ThreadBlock& block);
  void detachThread(abi::ThreadBlock& block);
  static bool isAttached();

  /// Until the provider is removed.
  void addImmortal(RootProvider& provider, const ImmortalRange& range);
  /// The range that the address lies in (or is the end of), or null. Lock-free.
  const ImmortalRange* immortalRangeAt(std::uintptr_t address) const;
  /// As Heap::objectContaining.
  void* objectContaining(std::uintptr_t address) const;

  /// Puts blocks on the empty free list of this kind and size; false when memory is exhausted.
  bool refill(abi::AllocationLists& lists, abi::BlockKind kind, std::uint64_t bytes);

  CollectionTimes times() const { return times_; }

  // --- At the end of a collection: live_graph.h ---
  void visitThreadStacks(RootVisitor& visitor);
  void visitThreadBlocks(RootVisitor& visitor);
  void visitImages() { pushImages(); }
  /// Whether a block is one of objects.
  bool isOurs(int kind) const;

  /// Call before asking Boehm for blocks: enlarges the heap if the last collection found it tight.
  void growIfTight() {
    if (wantedBytes_.load(std::memory_order_relaxed) != 0) grow();
  }

 private:
  struct Attachment;
  struct NativeThread;
  struct Provider;
  struct Image;

  BoehmProcess();
  void surviveForks();
  static void handleSuspension(int signal, siginfo_t* info, void* context);
  static void handleEvent(GC_EventType event);
  static void pushOtherRoots();
  void pushRoots();
  void pushImages();
  void verify() const;
  template <class F>
  void forEachWrittenRun(F&& f) const;
  void* objectHolding(std::uintptr_t address) const;
  std::uint64_t wantedSize(std::uint64_t live);
  /// The next allocation enlarges the heap to this size, if it is smaller.
  void want(std::uint64_t bytes);
  void grow();
  void expandTo(std::uint64_t bytes);
  template <class F>
  void forEachStackPart(const NativeThread& thread, F&& f);
  StackRange muStackOf(std::uintptr_t sp, const Attachment*& found) const;

  static thread_local NativeThread* currentThread_;

  BoehmKinds kinds_ = {};
  // Lists that the hooks walk; changed with the allocation lock held, so that no collection can be going on.
  NativeThread* threads_ = nullptr;
  std::atomic<unsigned> threadCount_{0};
  Provider* providers_ = nullptr;
  std::atomic<Image*> images_{nullptr};
  std::optional<WrittenPages> writtenPages_;
  GC_push_other_roots_proc pushThreadStacks_ = nullptr;
  struct sigaction suspensionAction_ = {};
  std::uint64_t maxBytes_ = 0;
  /// Size the heap should have; 0 when it is big enough.
  std::atomic<std::uint64_t> wantedBytes_{0};
  /// So many lists fit into what Boehm begins with: who needs no more does not wait for a bigger heap.
  std::atomic<int> firstLists_{8};
  BlockSupply supply_;
  CollectionTimes times_;
  std::uint64_t startTime_ = 0;
  std::uint64_t stopTime_ = 0;
  std::uint64_t pause_ = 0;
};

}  // namespace gaur::gc
