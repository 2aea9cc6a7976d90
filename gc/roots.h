// How the runtime tells the collector where references are: everything that is neither in the heap nor on the
// stack of an attached thread is pushed through a RootSink.
#pragma once

#include <cstdint>

#include "vm/abi/layout.h"
#include "vm/abi/object.h"
#include "vm/abi/thread_block.h"

namespace gaur::gc {

/// Memory of a stack of the VM; a stack pointer equal to `end` is not in it.
struct StackRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  /// Reference to the heap object of the stack (abi::StackObject), or null. A thread that stands on a stack
  /// keeps it, also in the middle of a switch, where nothing else may.
  const void* owner = nullptr;
  bool isEmpty() const { return begin == end; }
};

/// Receives roots while the world is stopped. Only valid during RootProvider::pushRoots.
class RootSink {
 public:
  /// Memory that may hold anything: each word that looks like a reference, an interior reference or a
  /// tagref64 keeps its target.
  void conservative(const void* begin, const void* end);
  /// A reference, an interior reference or a tagref64; anything else does no harm.
  void word(std::uintptr_t value);
  /// The address of memory that may have an owner, and not just behind some: a function record.
  void owned(std::uintptr_t address);
  /// Memory of a known type outside the heap, a global cell: weak references in it are weak.
  void cell(const abi::GcMap& map, void* base);
  /// Blocks that were handed out and not yet used.
  void freeLists(const abi::AllocationLists& lists);
};

/// Implemented by the runtime. The functions are called in a collection, with all other threads stopped
/// wherever they were: they must not allocate memory of any sort, must not take locks that a stopped thread
/// may hold, and must be fast.
class RootProvider {
 public:
  virtual ~RootProvider() = default;

  /// The stack made by the VM that `sp` points into, from its lowest word to its top; empty when it is none
  /// of this VM's.
  virtual StackRange muStackOf(std::uintptr_t sp) = 0;
  /// Global cells, handles, what the runtime holds outside the heap. May be called more than once in a
  /// collection. A stack that does not run is no root: it is marked with its object.
  virtual void pushRoots(RootSink& sink) = 0;
  /// Called once a collection, after all marking, with the world still stopped. `isReachable` tells of a
  /// reference to an object that was alive before whether anything reached it; if not, nobody will see it
  /// again, save a finalizer: what is taken from such an object, as its memory from a stack, has to be taken
  /// out of its fields as well.
  virtual void afterMarking([[maybe_unused]] bool (*isReachable)(const void* object)) {}
};

}  // namespace gaur::gc
