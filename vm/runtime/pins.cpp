#include "vm/runtime/pins.h"

#include <cstdlib>

#include "vm/support/check.h"

namespace gaur::runtime {

namespace {

constexpr std::size_t kFirstEntries = 256;

/// Memory as the collector sees it when this thread is stopped: nothing before moves behind.
void publish() { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

}  // namespace

PinTable::PinTable() : table_(make(kFirstEntries)) {}
PinTable::~PinTable() { std::free(table_); }

PinTable::Table* PinTable::make(std::size_t entries) {
  auto* table = static_cast<Table*>(std::calloc(1, sizeof(Table) + entries * sizeof(Entry)));
  GAUR_CHECK(table != nullptr, "no memory for pins");
  table->mask = entries - 1;
  return table;
}

PinTable::Entry& PinTable::find(std::uintptr_t address) const {
  for (std::size_t i = place(address);; ++i) {
    Entry& entry = (*table_)[i];
    if (entry.address == address || entry.address == 0) return entry;
  }
}

void PinTable::pin(void* address) {
  auto word = reinterpret_cast<std::uintptr_t>(address);
  if (word == 0) return;
  std::lock_guard lock(mutex_);
  Entry* entry = &find(word);
  if (entry->address == 0) {
    if ((used_ + 1) * 2 > table_->mask) {
      grow();
      entry = &find(word);
    }
    entry->address = word;
    ++used_;
  }
  ++entry->count;
}

std::vector<const void*> PinTable::addresses() const {
  std::lock_guard lock(mutex_);
  std::vector<const void*> pinned;
  for (std::size_t i = 0; i <= table_->mask; ++i)
    if ((*table_)[i].address != 0) pinned.push_back(reinterpret_cast<const void*>((*table_)[i].address));
  return pinned;
}

bool PinTable::unpin(void* address) {
  auto word = reinterpret_cast<std::uintptr_t>(address);
  if (word == 0) return true;
  std::lock_guard lock(mutex_);
  Entry& entry = find(word);
  if (entry.address == 0) return false;
  if (--entry.count == 0) remove(entry);
  return true;
}

void PinTable::grow() {
  Table* old = table_;
  Table* larger = make((old->mask + 1) * 2);
  for (std::size_t i = 0; i <= old->mask; ++i) {
    if ((*old)[i].address == 0) continue;
    std::size_t at = place((*old)[i].address);
    while ((*larger)[at].address != 0) ++at;
    (*larger)[at] = (*old)[i];
  }
  publish();
  table_ = larger;
  publish();
  std::free(old);
}

/// Moves later entries of the chain down over the hole, each copied before it is cleared.
void PinTable::remove(Entry& entry) {
  std::size_t mask = table_->mask;
  auto hole = static_cast<std::size_t>(&entry - &(*table_)[0]);
  for (std::size_t i = (hole + 1) & mask; (*table_)[i].address != 0; i = (i + 1) & mask) {
    std::size_t home = place((*table_)[i].address) & mask;
    bool mayMove = ((i - home) & mask) >= ((i - hole) & mask);
    if (!mayMove) continue;
    (*table_)[hole] = (*table_)[i];
    publish();
    hole = i;
  }
  (*table_)[hole] = {};
  --used_;
}

template <class F>
void PinTable::forEachAddress(F&& f) const {
  Table* table = table_;
  for (std::size_t i = 0; i <= table->mask; ++i)
    if (std::uintptr_t address = (*table)[i].address) f(address);
}

void PinTable::push(gc::RootSink& sink) const {
  forEachAddress([&](std::uintptr_t address) { sink.word(address); });
}

void PinTable::pushOwned(gc::RootSink& sink) const {
  forEachAddress([&](std::uintptr_t address) { sink.owned(address); });
}

}  // namespace gaur::runtime
