// The border of the collector: what the runtime and compiled code ask of a heap. Nothing of a particular
// collector shows here. README.md in this folder tells how objects, free lists and roots work together.
#pragma once

#include <cstdint>
#include <memory>

#include "vm/abi/object.h"
#include "vm/abi/thread_block.h"
#include "vm/support/check.h"

namespace gaur::gc {

class RootProvider;

struct HeapOptions {
  /// Bytes of heap before the first collection; address space until they are used.
  std::uint64_t initialBytes = std::uint64_t{8} << 20;
  /// The heap does not grow beyond this; 0 is no limit. One limit holds for the whole process: the last one
  /// given.
  std::uint64_t maxBytes = 0;
  /// N: every N-th call of allocateBlock collects first, and the free lists stay empty, so that each
  /// allocation of compiled code is such a call. 0: off.
  std::uint32_t stressInterval = 0;
  /// Check every reachable object at each collection.
  bool verify = GAUR_CHECK_LEVEL >= 3;
};

struct HeapStatistics {
  /// Since the process started.
  std::uint64_t collections = 0;
  std::uint64_t allocatedBytes = 0;
  std::uint64_t collectionNanoseconds = 0;
  /// Longest time the threads were stopped.
  std::uint64_t longestPauseNanoseconds = 0;
  /// Obtained from the system.
  std::uint64_t heapBytes = 0;
  /// Of the objects the last collection found reachable, blocks on free lists included.
  std::uint64_t liveBytes = 0;
};

/// Objects of a boot image, mapped by whoever adds them: blocks side by side from `begin` on. They never
/// move, never die, and may be written to; what the collector has to know of them it learns from their
/// headers and from `firstBlocks`.
struct ImmortalRange {
  static constexpr std::size_t kPageBytes = 4096;
  /// A multiple of the page size.
  std::uintptr_t begin = 0;
  /// Of the last block.
  std::uintptr_t end = 0;
  /// For each kPageBytes of the range the block that holds its first byte: granules from `begin` on to where
  /// that block starts. Must stay there.
  const std::uint32_t* firstBlocks = nullptr;
};

/// A heap of one VM. All functions but the constructor's are called on attached threads, and may collect:
/// whatever the caller holds must lie where the collector looks (its stack or registers, or what RootProvider
/// pushes).
class Heap {
 public:
  using Finalizer = void (*)(void* block, void* data);

  virtual ~Heap() = default;
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  /// A zeroed block of `bytes` (abi::blockBytes), except that its first word may still be the link of a free
  /// list: the caller writes the header before anything else. For small sizes it comes from `lists`, refilled
  /// if need be; of the blocks that stay there only the link is defined, and whoever takes one without this
  /// function zeroes the rest before it writes the header. Null when memory is exhausted.
  virtual void* allocateBlock(abi::AllocationLists& lists, abi::BlockKind kind, std::uint64_t bytes) = 0;

  /// Makes this thread known, with its native stack from here on and the block that compiled code uses on it.
  /// The free lists, the thread-local and the exception in the block are roots until the thread is detached.
  /// Call on the native stack. A thread may be attached to several heaps, each with its own block;
  /// attachments nest.
  virtual void attachThread(abi::ThreadBlock& block) = 0;
  /// Blocks left in the free lists are given up. Call on the native stack.
  virtual void detachThread(abi::ThreadBlock& block) = 0;

  virtual void collect() = 0;
  /// Collects and runs finalizers until none are left to run.
  virtual void collectAll() = 0;
  /// Takes time in proportion to the reachable objects.
  virtual HeapStatistics statistics() = 0;

  /// Calls f(block, data) from runFinalizers() once `block`, the start of a block of this heap, is reachable
  /// from no root. Objects that reach each other in a cycle are finalized all the same, in no order; the
  /// block itself is freed by a later collection. Of an object of an image that never happens.
  virtual void onUnreachable(void* block, Finalizer f, void* data) = 0;
  virtual bool hasFinalizersToRun() = 0;
  /// Runs finalizers that are due; no lock of the heap is held, so that they may allocate.
  virtual void runFinalizers() = 0;

  /// Makes the objects of an image part of this heap for as long as it exists. Their types must have layouts
  /// (abi::LayoutTable::of). Each collection takes as roots what was written to the range since it was
  /// mapped: best a private mapping of a file (or of a memfd, where the image had to be changed before), of
  /// which untouched pages cost next to nothing; of other memory every page that was ever touched is looked
  /// at.
  virtual void addImmortal(const ImmortalRange& range) = 0;

  /// Reference to the live object that `address` points into, from field 0 to just behind its last byte; null
  /// where there is none. Objects that are dead and not yet reused are not told from others. The heap that
  /// only grows does not know, and says null.
  virtual void* objectContaining(std::uintptr_t address) = 0;
  /// Whether it belongs to an image.
  virtual bool isImmortal(const void* object) = 0;

  /// No collection takes place between the two; memory grows instead. They nest.
  virtual void suspendCollections() = 0;
  virtual void resumeCollections() = 0;

 protected:
  Heap() = default;
};

/// No collection as long as it lives.
class CollectionPause {
 public:
  explicit CollectionPause(Heap& heap) : heap_(heap) { heap_.suspendCollections(); }
  ~CollectionPause() { heap_.resumeCollections(); }
  CollectionPause(const CollectionPause&) = delete;
  CollectionPause& operator=(const CollectionPause&) = delete;

 private:
  Heap& heap_;
};

/// The conservative, non-moving collector. `roots` must outlive the heap. Several such heaps share the memory
/// of the process, and each keeps what its own provider pushes.
std::unique_ptr<Heap> makeBoehmHeap(const HeapOptions& options, RootProvider& roots);

/// A heap that only grows: for bringing up the machine without a collector and for telling collector bugs
/// from others.
std::unique_ptr<Heap> makeNullHeap(const HeapOptions& options);

}  // namespace gaur::gc
