#include "gc/marked_range.h"

#include <utility>

#include "gc/collector_lock.h"
#include "gc/owner_map.h"

namespace gaur::gc {

namespace {

/// Changes only with the collector's lock held.
MarkedRange* ranges = nullptr;

}  // namespace

MarkedRange::MarkedRange(std::uintptr_t begin, std::size_t cells, unsigned cellShift,
                         std::shared_ptr<std::atomic<CellMark>[]> marks)
    : begin_(begin), bytes_(cells << cellShift), shift_(cellShift), marks_(std::move(marks)) {
  withCollectorLock([this] {
    next_ = ranges;
    ranges = this;
    measureOwnedSpan();
  });
}

MarkedRange::~MarkedRange() {
  withCollectorLock([this] {
    MarkedRange** link = &ranges;
    while (*link != this) link = &(*link)->next_;
    *link = next_;
    measureOwnedSpan();
  });
}

MarkedRange* MarkedRange::first() { return ranges; }

void MarkedRange::clear() {
  for (std::size_t i = 0; i < bytes_ >> shift_; ++i)
    marks_[i].store(CellMark::None, std::memory_order_relaxed);
}

void markCells(std::uintptr_t address, CellMark how) {
  for (MarkedRange* range = ranges; range; range = range->next()) range->mark(address, how);
}

}  // namespace gaur::gc
