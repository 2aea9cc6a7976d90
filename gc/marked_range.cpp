#include "gc/marked_range.h"

#include <gc/gc.h>

#include <algorithm>
#include <utility>

namespace gaur::gc {

namespace {

/// Changes only with the collector's lock held.
MarkedRange* ranges = nullptr;

template <class F>
void withCollectorLock(F f) {
  GC_call_with_alloc_lock(
      [](void* function) -> void* {
        (*static_cast<F*>(function))();
        return nullptr;
      },
      &f);
}

}  // namespace

MarkedRange::MarkedRange(std::uintptr_t begin, std::size_t cells, unsigned cellShift, std::shared_ptr<std::atomic<CellMark>[]> marks)
    : begin_(begin), bytes_(cells << cellShift), shift_(cellShift), marks_(std::move(marks)) {
  withCollectorLock([this] {
    next_ = ranges;
    ranges = this;
  });
}

MarkedRange::~MarkedRange() {
  withCollectorLock([this] {
    MarkedRange** link = &ranges;
    while (*link != this) link = &(*link)->next_;
    *link = next_;
  });
}

void clearMarkedRanges() {
  for (MarkedRange* range = ranges; range; range = range->next_)
    std::fill_n(reinterpret_cast<std::uint8_t*>(range->marks_.get()), range->bytes_ >> range->shift_, std::uint8_t{0});
}

void markCells(std::uintptr_t address, CellMark how) {
  for (MarkedRange* range = ranges; range; range = range->next_) range->mark(address, how);
}

}  // namespace gaur::gc
