// What the collector has to be told beyond the heap and the threads' own stacks.
#pragma once

#include <atomic>
#include <span>

#include "gc/roots.h"
#include "vm/abi/layout.h"
#include "vm/runtime/pins.h"
#include "vm/runtime/stack.h"
#include "vm/runtime/trap.h"

namespace gaur::runtime {

class Roots final : public gc::RootProvider {
 public:
  struct Cell {
    const abi::GcMap* map;
    void* base;
  };

  Roots(StackArena& stacks, const TrapHandlers& trapHandlers) : stacks_(stacks), trapHandlers_(trapHandlers) {}
  ~Roots() override;

  PinTable& pins() { return pins_; }
  /// Global cells of a bundle; they stay roots for good.
  void addCells(std::span<const Cell> cells);

  gc::StackRange muStackOf(std::uintptr_t sp) override { return stacks_.rangeAt(sp); }
  void pushRoots(gc::RootSink& sink) override;
  void afterMarking(bool (*isReachable)(const void* object)) override { stacks_.endUnreachable(isReachable); }

 private:
  struct CellList {
    CellList* next;
    std::size_t count;
    Cell* cells;
  };

  StackArena& stacks_;
  const TrapHandlers& trapHandlers_;
  PinTable pins_;
  std::atomic<CellList*> cells_{nullptr};
};

}  // namespace gaur::runtime
