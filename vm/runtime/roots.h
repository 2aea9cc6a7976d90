// What the collector has to be told beyond the heap and the threads' own stacks.
#pragma once

#include <atomic>
#include <span>

#include "gc/roots.h"
#include "vm/abi/layout.h"
#include "vm/runtime/code_owners.h"
#include "vm/runtime/host_functions.h"
#include "vm/runtime/pins.h"
#include "vm/runtime/pointer_relocations.h"
#include "vm/runtime/stack.h"
#include "vm/runtime/trap.h"

namespace gaur::runtime {

/// What the client's side of a machine holds: handles.
class ClientRoots {
 public:
  /// In a collection, as gc::RootProvider::pushRoots.
  virtual void push(gc::RootSink& sink) const = 0;
  /// A thread that the client has given data (Thread::clientData) ends.
  virtual void threadEnds(void* data) const = 0;

 protected:
  ~ClientRoots() = default;
};

class CollectibleBundles;

class Roots final : public gc::RootProvider {
 public:
  struct Cell {
    const abi::GcMap* map;
    void* base;
  };

  Roots(StackArena& stacks, const TrapHandlers& trapHandlers, CodeOwners& owners,
        HostFunctions& hostFunctions)
      : stacks_(stacks), trapHandlers_(trapHandlers), owners_(owners), hostFunctions_(hostFunctions) {}
  ~Roots() override;

  PinTable& pins() { return pins_; }
  PointerRelocations& pointerRelocations() { return pointerRelocations_; }
  void setClient(const ClientRoots* client) { client_.store(client, std::memory_order_release); }
  /// Null for none.
  const ClientRoots* client() const { return client_.load(std::memory_order_acquire); }
  void setBundles(CollectibleBundles* bundles) { bundles_.store(bundles, std::memory_order_release); }
  /// Global cells of a bundle; they stay roots for good.
  void addCells(std::span<const Cell> cells);

  gc::StackRange muStackOf(std::uintptr_t sp) override { return stacks_.rangeAt(sp); }
  void pushRoots(gc::RootSink& sink) override;
  void afterMarking(bool (*isReachable)(const void* object)) override;

  /// Sees the stacks while no thread runs, at the end of each collection. Takes no lock and no memory.
  class Observer {
   public:
    virtual void observe() = 0;

   protected:
    ~Observer() = default;
  };
  /// Null for none.
  void setObserver(Observer* observer) { observer_.store(observer, std::memory_order_release); }

 private:
  struct CellList {
    CellList* next;
    std::size_t count;
    Cell* cells;
  };

  StackArena& stacks_;
  const TrapHandlers& trapHandlers_;
  CodeOwners& owners_;
  HostFunctions& hostFunctions_;
  std::atomic<CollectibleBundles*> bundles_{nullptr};
  std::atomic<Observer*> observer_{nullptr};
  PinTable pins_;
  PointerRelocations pointerRelocations_;
  std::atomic<CellList*> cells_{nullptr};
  std::atomic<const ClientRoots*> client_{nullptr};
};

}  // namespace gaur::runtime
