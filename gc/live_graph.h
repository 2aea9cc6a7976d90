// What the collector found, for whoever wants to know why something is alive: at the end of a collection,
// with the world still stopped (RootProvider::afterMarking). Takes no lock and no memory.
#pragma once

#include <cstdint>

#include "gc/owner_map.h"
#include "vm/abi/object.h"

namespace gaur::gc {

/// Told of roots in the place of the collector.
class RootVisitor {
 public:
  /// Of memory that may hold anything, `place` is where the word lies; null where that is nowhere in
  /// particular. `fit`: of an address of memory with an owner, whose it may be.
  virtual void word(std::uintptr_t value, const void* place, Fit fit) = 0;

 protected:
  ~RootVisitor() = default;
};

/// While one exists, what is given to a RootSink goes to its visitor; of several, to that of the innermost.
class VisitRoots {
 public:
  explicit VisitRoots(RootVisitor& visitor);
  ~VisitRoots();
  VisitRoots(const VisitRoots&) = delete;
  VisitRoots& operator=(const VisitRoots&) = delete;

 private:
  RootVisitor* before_;
};

/// The stacks that attached threads stand on, and what lies below them on their native ones.
void visitThreadStacks(RootVisitor& visitor);
/// What their blocks refer to: thread-locals and their like.
void visitThreadBlocks(RootVisitor& visitor);
/// Written pages of boot images.
void visitImages(RootVisitor& visitor);

/// Calls visit(ref, data) for each object of the heap that was reached.
void forEachReachable(void (*visit)(void* ref, void* data), void* data);

}  // namespace gaur::gc
