// The heap on Boehm's collector. Blocks come from kinds of our own (mark_procedure.h); what is common to all
// heaps of the process is in boehm_process.h.
#include <gc/gc.h>
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>

#include <atomic>
#include <cstring>

#include "gc/boehm_process.h"
#include "gc/heap.h"
#include "gc/roots.h"
#include "vm/support/check.h"

namespace gaur::gc {

namespace {

/// No block is as big as the address space.
constexpr std::uint64_t kLargestBlock = std::uint64_t{1} << 47;

class BoehmHeap final : public Heap {
 public:
  BoehmHeap(const HeapOptions& options, RootProvider& roots)
      : process_(BoehmProcess::instance()), options_(options), roots_(roots) {
    process_.addProvider(roots, options);
  }
  ~BoehmHeap() override { process_.removeProvider(roots_); }

  void* allocateBlock(abi::AllocationLists& lists, abi::BlockKind kind, std::uint64_t bytes) override {
    GAUR_CHECK(BoehmProcess::isAttached(), "allocation on a thread that is not attached");
    if (bytes >= kLargestBlock) return nullptr;
    if (options_.stressInterval != 0) return allocateUnderStress(kind, bytes);
    if (bytes > abi::kSmallBytes) return allocateSingle(kind, bytes);
    void*& head = lists.heads[static_cast<unsigned>(kind)][bytes / abi::kGranule];
    if (!head && !process_.refill(lists, kind, bytes)) {
      collect();
      if (!process_.refill(lists, kind, bytes)) return nullptr;
    }
    void* block = head;
    head = GC_NEXT(block);
    // While the first word is the link, nobody looks at the rest.
    std::memset(static_cast<char*>(block) + sizeof(void*), 0, bytes - sizeof(void*));
    return block;
  }

  void attachThread(abi::ThreadBlock& block) override { process_.attachThread(roots_, block); }
  void detachThread(abi::ThreadBlock& block) override { process_.detachThread(block); }

  void collect() override {
    GAUR_CHECK(BoehmProcess::isAttached(), "collection on a thread that is not attached");
    GC_gcollect();
  }

  void collectAll() override {
    do {
      collect();
      runFinalizers();
    } while (hasFinalizersToRun());
  }

  HeapStatistics statistics() override {
    CollectionTimes times = process_.times();
    HeapStatistics result;
    GC_prof_stats_s stats;
    GC_get_prof_stats(&stats, sizeof stats);
    result.collections = stats.gc_no;
    result.allocatedBytes = stats.allocd_bytes_before_gc + stats.bytes_allocd_since_gc;
    result.collectionNanoseconds = times.totalNanoseconds;
    result.longestPauseNanoseconds = times.longestPauseNanoseconds;
    result.heapBytes = stats.heapsize_full;
    GC_call_with_alloc_lock(
        [](void* live) -> void* {
          GC_enumerate_reachable_objects_inner(
              [](void*, std::size_t bytes, void* sum) { *static_cast<std::uint64_t*>(sum) += bytes; }, live);
          return nullptr;
        },
        &result.liveBytes);
    return result;
  }

  void onUnreachable(void* block, Finalizer f, void* data) override {
    if (GC_base(block)) GC_register_finalizer_no_order(block, f, data, nullptr, nullptr);
  }
  bool hasFinalizersToRun() override { return GC_should_invoke_finalizers() != 0; }
  void runFinalizers() override { GC_invoke_finalizers(); }

  void addImmortal(const ImmortalRange& range) override { process_.addImmortal(roots_, range); }
  void* objectContaining(std::uintptr_t address) override { return process_.objectContaining(address); }
  bool isImmortal(const void* object) override {
    return process_.immortalRangeAt(reinterpret_cast<std::uintptr_t>(object)) != nullptr;
  }
  void suspendCollections() override { GC_disable(); }
  void resumeCollections() override { GC_enable(); }

 private:
  void* allocateSingle(abi::BlockKind kind, std::uint64_t bytes) {
    // Boehm adds a byte, so that references just behind an object belong to it; hybrids bring theirs along
    // (abi::Layout::payload).
    process_.growIfTight();
    if (void* block = GC_generic_malloc(bytes - 1, process_.singleKind(kind))) return block;
    collect();
    return GC_generic_malloc(bytes - 1, process_.singleKind(kind));
  }

  void* allocateUnderStress(abi::BlockKind kind, std::uint64_t bytes) {
    if (allocations_.fetch_add(1, std::memory_order_relaxed) % options_.stressInterval == 0) collect();
    return allocateSingle(kind, bytes);
  }

  BoehmProcess& process_;
  const HeapOptions options_;
  RootProvider& roots_;
  std::atomic<std::uint64_t> allocations_{1};
};

}  // namespace

std::unique_ptr<Heap> makeBoehmHeap(const HeapOptions& options, RootProvider& roots) {
  return std::make_unique<BoehmHeap>(options, roots);
}

}  // namespace gaur::gc
