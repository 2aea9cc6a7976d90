#include "gc/marked_range.h"

#include <utility>

#include "gc/owner_map.h"

namespace gaur::gc {

MarkedRange::MarkedRange(std::uintptr_t begin, std::size_t cells, unsigned cellShift,
                         std::shared_ptr<std::atomic<CellMark>[]> marks)
    : begin_(begin), bytes_(cells << cellShift), shift_(cellShift), marks_(std::move(marks)) {
  enter(measureOwnedSpan);
}

MarkedRange::~MarkedRange() { leave(measureOwnedSpan); }

void MarkedRange::clear() {
  for (std::size_t i = 0; i < bytes_ >> shift_; ++i)
    marks_[i].store(CellMark::None, std::memory_order_relaxed);
}

void markCells(std::uintptr_t address, CellMark how) {
  MarkedRange::forEach([&](MarkedRange& range) { range.mark(address, how); });
}

}  // namespace gaur::gc
