#include "vm/runtime/roots.h"

#include <algorithm>
#include <utility>

#include "vm/runtime/collectible_bundles.h"

namespace gaur::runtime {

Roots::~Roots() {
  for (CellList* list = cells_; list;) {
    delete[] list->cells;
    delete std::exchange(list, list->next);
  }
}

void Roots::addCells(std::span<const Cell> cells) {
  if (cells.empty()) return;
  auto* list = new CellList{cells_.load(std::memory_order_relaxed), cells.size(), new Cell[cells.size()]};
  std::copy(cells.begin(), cells.end(), list->cells);
  while (
      !cells_.compare_exchange_weak(list->next, list, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

void Roots::pushRoots(gc::RootSink& sink) {
  for (const CellList* list = cells_.load(std::memory_order_acquire); list; list = list->next)
    for (std::size_t i = 0; i < list->count; ++i) sink.cell(*list->cells[i].map, list->cells[i].base);
  if (const ClientRoots* client = client_.load(std::memory_order_acquire)) client->push(sink);
  pins_.push(sink);
  owners_.pushRoots(sink);
  sink.word(reinterpret_cast<std::uintptr_t>(trapHandlers_.userData()));
  sink.owned(reinterpret_cast<std::uintptr_t>(trapHandlers_.muFunction()));
}

void Roots::afterMarking(bool (*isReachable)(const void* object)) {
  stacks_.endUnreachable(isReachable);
  pointerRelocations_.afterMarking(isReachable);
  owners_.afterMarking(isReachable);
  hostFunctions_.afterMarking();
  if (auto* bundles = bundles_.load(std::memory_order_acquire)) bundles->afterMarking();
  if (auto* observer = observer_.load(std::memory_order_acquire)) observer->observe();
}

}  // namespace gaur::runtime
