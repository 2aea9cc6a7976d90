#include "vm/runtime/host_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "gc/marked_range.h"
#include "jit/code_slab.h"
#include "jit/code_stubs.h"
#include "vm/abi/native_arguments.h"
#include "vm/runtime/transitions.h"
#include "vm/support/check.h"

namespace gaur::runtime {

namespace {

constexpr std::size_t kFunctionsInRegion = std::size_t{1} << 14;
constexpr unsigned kRecordShift = 6;
constexpr unsigned kTrampolineShift = 5;
static_assert(sizeof(abi::HostRecord) == std::size_t{1} << kRecordShift &&
              jit::kTrampolineBytes == std::size_t{1} << kTrampolineShift);

// What a place has for a trampoline: none while it was never in use.
constexpr std::uint8_t kStackTrampoline = 1;
constexpr std::uint8_t kFirstRegisterTrampoline = 2;

constexpr auto kEveryMark = gc::CellMark::Value | gc::CellMark::Stack;

void* const disposedEntry = reinterpret_cast<void*>(&gaur_hostDisposed);
void* const stackEntry = reinterpret_cast<void*>(&gaur_hostOnStack);

/// A copy in memory of malloc; null for none.
char* copyOf(std::string_view name) {
  if (name.empty()) return nullptr;
  auto* copy = static_cast<char*>(std::malloc(name.size() + 1));
  if (!copy) return nullptr;
  std::memcpy(copy, name.data(), name.size());
  copy[name.size()] = 0;
  return copy;
}

/// Where the environment travels; nothing where C has no such signature. Signatures are the process's, and a
/// client mostly makes many functions of one.
std::optional<abi::LastArgument> environmentPlace(const ir::Signature* signature) {
  thread_local const ir::Signature* known = nullptr;
  thread_local std::optional<abi::LastArgument> place;
  if (known == signature) return place;
  const bool isC = ir::isNativeSafe(signature) && signature->results.size() <= 1;
  place = isC ? abi::lastArgument(abi::LayoutTable::shared(), *signature) : std::nullopt;
  known = signature;
  return place;
}

}  // namespace

/// Records and trampolines side by side, as many as are made at a time.
struct HostFunctions::Region {
  Region(abi::HostRecord* r, char* t)
      : records(r),
        trampolines(t),
        marks(new std::atomic<gc::CellMark>[kFunctionsInRegion]()),
        states(new State[kFunctionsInRegion]()),
        written(new std::uint8_t[kFunctionsInRegion]()),
        markedRecords(reinterpret_cast<std::uintptr_t>(r), kFunctionsInRegion, kRecordShift, marks),
        markedTrampolines(reinterpret_cast<std::uintptr_t>(t), kFunctionsInRegion, kTrampolineShift, marks) {}

  std::size_t indexOf(const abi::HostRecord& record) const {
    return static_cast<std::size_t>(&record - records);
  }
  void* trampolineOf(std::size_t index) const { return trampolines + (index << kTrampolineShift); }

  abi::HostRecord* records;
  char* trampolines;
  /// Those from here on were never in use.
  std::size_t used = 0;
  std::shared_ptr<std::atomic<gc::CellMark>[]> marks;
  std::unique_ptr<State[]> states;
  std::unique_ptr<std::uint8_t[]> written;
  gc::MarkedRange markedRecords;
  gc::MarkedRange markedTrampolines;
};

HostFunctions::HostFunctions(jit::CodeSlab& slab) : slab_(slab) {}

HostFunctions::~HostFunctions() {
  finaliseAll();
  for (std::size_t i = 0; i < regionCount_; ++i)
    for (std::size_t j = 0; j < regions_[i]->used; ++j) std::free(regions_[i]->records[j].name);
}

// --- Places -----------------------------------------------------------------------------------------------

HostFunctions::Region* HostFunctions::regionOf(const abi::HostRecord& record) const {
  for (std::size_t i = 0; i < regionCount_.load(std::memory_order_acquire); ++i) {
    Region& region = *regions_[i];
    if (&record >= region.records && &record < region.records + kFunctionsInRegion) return &region;
  }
  return nullptr;
}

abi::HostRecord* HostFunctions::find(const void* pointer) const {
  for (std::size_t i = 0; i < regionCount_.load(std::memory_order_acquire); ++i) {
    const Region& region = *regions_[i];
    const auto offset =
        reinterpret_cast<std::uintptr_t>(pointer) - reinterpret_cast<std::uintptr_t>(region.trampolines);
    if (offset >= kFunctionsInRegion << kTrampolineShift || offset % jit::kTrampolineBytes != 0) continue;
    const std::size_t index = offset >> kTrampolineShift;
    std::lock_guard lock(mutex_);
    return region.states[index] == State::Free ? nullptr : &region.records[index];
  }
  return nullptr;
}

abi::HostRecord* HostFunctions::recordAt(const void* address) const {
  const auto* record = static_cast<const abi::HostRecord*>(address);
  Region* region = regionOf(*record);
  if (!region || reinterpret_cast<std::uintptr_t>(address) % sizeof(abi::HostRecord) != 0) return nullptr;
  return &region->records[region->indexOf(*record)];
}

void* HostFunctions::pointerOf(const abi::HostRecord& record) const {
  const Region* region = regionOf(record);
  GAUR_CHECK(region, "a host function is in no region");
  return region->trampolineOf(region->indexOf(record));
}

std::string HostFunctions::nameOf(const abi::HostRecord& record) const {
  return record.name ? record.name : fmt::format("at {}", pointerOf(record));
}

abi::HostRecord* HostFunctions::take() {
  if (free_) return std::exchange(free_, free_->nextFree);
  std::size_t count = regionCount_.load(std::memory_order_relaxed);
  if (count == 0 || regions_[count - 1]->used == kFunctionsInRegion) {
    if (count == kMostRegions) return nullptr;
    void* records = slab_.allocateData(kFunctionsInRegion << kRecordShift, sizeof(abi::HostRecord));
    void* trampolines = slab_.allocateCode(kFunctionsInRegion << kTrampolineShift);
    if (!records || !trampolines) return nullptr;
    regions_[count] =
        std::make_unique<Region>(static_cast<abi::HostRecord*>(records), static_cast<char*>(trampolines));
    regionCount_.store(++count, std::memory_order_release);
  }
  Region& region = *regions_[count - 1];
  return &region.records[region.used++];
}

// --- A function's life ------------------------------------------------------------------------------------

Result<void*> HostFunctions::make(const HostDefinition& definition) {
  const auto last = environmentPlace(definition.signature);
  if (!last)
    return makeError(ErrorId::NotAvailable,
                     {"a host function of signature " + ir::toString(definition.signature)});
  const bool isOnStack = last->integerRegister == abi::LastArgument::kOnStack;
  char* name = copyOf(definition.name);
  std::lock_guard lock(mutex_);
  if (sweepWanted_.load(std::memory_order_relaxed)) sweep();
  abi::HostRecord* record = take();
  if (!record) {
    std::free(name);
    return makeError(ErrorId::OutOfMemory, {"the code slab"});
  }
  Region& region = *regionOf(*record);
  const std::size_t index = region.indexOf(*record);
  void* trampoline = region.trampolineOf(index);
  const auto wanted = static_cast<std::uint8_t>(isOnStack ? kStackTrampoline
                                                          : kFirstRegisterTrampoline + last->integerRegister);
  // The function that had the place before mostly needed the same.
  if (std::exchange(region.written[index], wanted) != wanted) {
    void* writable = slab_.writable(trampoline);
    jit::writeHostTrampoline(writable, record, isOnStack ? 0 : last->integerRegister,
                             isOnStack ? stackEntry : nullptr);
    jit::flushCode(trampoline, writable, jit::kTrampolineBytes);
  }
  *record = {{definition.code, definition.environment},
             definition.finaliser,
             definition.signature,
             name,
             last->stackBytes,
             0,
             nullptr,
             0};
  // No collection before now has looked for it, and one that stops this thread here finds it on its stack.
  region.marks[index].store(kEveryMark, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  region.states[index] = State::Live;
  ++live_;
  made_.store(made_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return trampoline;
}

void HostFunctions::retain(abi::HostRecord& record) {
  std::lock_guard lock(mutex_);
  ++record.bindings;
}

void HostFunctions::release(abi::HostRecord& record) {
  std::lock_guard lock(mutex_);
  --record.bindings;
  forgetMarks(record);
}

void HostFunctions::pin(abi::HostRecord& record) {
  std::lock_guard lock(mutex_);
  ++record.pins;
}

bool HostFunctions::unpin(abi::HostRecord& record) {
  std::lock_guard lock(mutex_);
  if (record.pins == 0) return false;
  --record.pins;
  forgetMarks(record);
  return true;
}

HostFunctions::Keepers HostFunctions::keepersOf(const abi::HostRecord& record) const {
  std::lock_guard lock(mutex_);
  return {record.bindings, record.pins};
}

/// Collections that are over did not look for who has got it since, as something else kept it.
void HostFunctions::forgetMarks(const abi::HostRecord& record) {
  Region& region = *regionOf(record);
  region.marks[region.indexOf(record)].store(kEveryMark, std::memory_order_relaxed);
}

bool HostFunctions::dispose(abi::HostRecord& record, bool isIdle) {
  Region& region = *regionOf(record);
  const auto index = region.indexOf(record);
  std::lock_guard lock(mutex_);
  if (region.states[index] != State::Live) return false;
  __atomic_store_n(&record.target.code, disposedEntry, __ATOMIC_RELEASE);
  region.states[index] = State::Disposed;
  forgetMarks(record);
  --live_;
  if (isIdle) finish(region, index);
  return true;
}

/// The finaliser is due.
void HostFunctions::finish(Region& region, std::size_t index) {
  abi::HostRecord& record = region.records[index];
  if (record.finaliser) {
    due_.push_back({record.finaliser, record.target.environment});
    hasWork_.store(true, std::memory_order_release);
  }
  if (region.states[index] == State::Live) {
    __atomic_store_n(&record.target.code, disposedEntry, __ATOMIC_RELEASE);
    --live_;
  }
  region.states[index] = State::Finalised;
}

void HostFunctions::giveBack(Region& region, std::size_t index) {
  abi::HostRecord& record = region.records[index];
  std::free(std::exchange(record.name, nullptr));
  region.states[index] = State::Free;
  record.nextFree = free_;
  free_ = &record;
}

// --- Death ------------------------------------------------------------------------------------------------

void HostFunctions::afterMarking() {
  if (regionCount_.load(std::memory_order_acquire) == 0) return;
  made_.store(0, std::memory_order_relaxed);
  sweepWanted_.store(true, std::memory_order_relaxed);
  hasWork_.store(true, std::memory_order_release);
}

/// By the marks of the last collection. What it did not mark nobody has, so nobody has got it since.
void HostFunctions::sweep() {
  sweepWanted_.store(false, std::memory_order_relaxed);
  for (std::size_t i = 0; i < regionCount_.load(std::memory_order_relaxed); ++i) {
    Region& region = *regions_[i];
    for (std::size_t j = 0; j < region.used; ++j) {
      const State state = region.states[j];
      if (state == State::Free) continue;
      const gc::CellMark mark = region.marks[j].load(std::memory_order_relaxed);
      if (mark == kEveryMark) continue;
      const bool isReachable =
          mark != gc::CellMark::None || region.records[j].bindings != 0 || region.records[j].pins != 0;
      const bool isRunning = gc::has(mark, gc::CellMark::Stack);
      if (state == State::Live ? !isReachable : state == State::Disposed && !isRunning) finish(region, j);
      if (!isReachable && region.states[j] == State::Finalised) giveBack(region, j);
    }
  }
  collectAt_.store(std::max(kLeastToCollect, live_), std::memory_order_relaxed);
}

void HostFunctions::runFinalisers() {
  // Those that a finaliser makes due wait for the next time.
  thread_local bool isRunning = false;
  if (isRunning) return;
  isRunning = true;
  std::vector<Due> due;
  {
    std::lock_guard lock(mutex_);
    hasWork_.store(false, std::memory_order_relaxed);
    if (sweepWanted_.load(std::memory_order_relaxed)) sweep();
    due.swap(due_);
  }
  for (const Due& one : due) one.finaliser(one.environment);
  isRunning = false;
}

void HostFunctions::finaliseAll() {
  while (true) {
    {
      std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < regionCount_.load(std::memory_order_relaxed); ++i) {
        Region& region = *regions_[i];
        for (std::size_t j = 0; j < region.used; ++j)
          if (region.states[j] == State::Live || region.states[j] == State::Disposed) finish(region, j);
      }
      if (due_.empty()) return;
    }
    runFinalisers();
  }
}

}  // namespace gaur::runtime
