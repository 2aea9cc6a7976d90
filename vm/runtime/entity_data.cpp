#include "vm/runtime/entity_data.h"

#include <algorithm>
#include <vector>

#include "jit/code_stubs.h"
#include "vm/abi/layout.h"
#include "vm/abi/value_passing.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/transitions.h"

namespace gaur::runtime {

namespace {

// What trampolines jump through.
void* const lazyEntry = reinterpret_cast<void*>(&gaur_lazyEntry);
void* const exposedEntry = reinterpret_cast<void*>(&gaur_exposedEntry);

}  // namespace

std::size_t cellBytes(const ir::GlobalCell& cell) {
  return std::max<std::size_t>(abi::LayoutTable::shared().of(cell.cellType->type).size, kCellAlignment);
}

std::uint64_t cookieOf(const ir::ExposedFunction& exposed) {
  // An int<64> constant.
  const ir::Constant* cookie = exposed.cookie.target;
  return cookie && !cookie->words.empty() ? cookie->words[0] : 0;
}

void ExposedFunctionData::setAdapter(void* code) {
  __atomic_store_n(&adapter, code, __ATOMIC_RELEASE);
  const ir::Signature& signature = *record.function->function->signature->signature;
  if (code && abi::nativeArgumentsInRegisters(abi::LayoutTable::shared(), signature))
    __atomic_store_n(&hostAdapter, code, __ATOMIC_RELEASE);
}

template <class T>
Result<T*> EntityData::make(std::size_t bytes, std::size_t alignment) {
  auto* data = static_cast<T*>(slab_.allocateData(bytes, alignment));
  if (!data) return makeError(ErrorId::OutOfMemory, {"data of the code slab"});
  return data;
}

Result<void> EntityData::makeAll(const ir::Bundle& bundle) {
  for (ir::Function* function : bundle.functions) GAUR_TRY(prepare(*function));
  for (const ir::ExposedFunction* exposed : bundle.exposed) GAUR_TRY(prepare(*exposed));
  for (const ir::GlobalCell* cell : bundle.globals) GAUR_TRY(prepare(*cell));
  return {};
}

Result<void> EntityData::prepare(const ir::Bundle& bundle) {
  GAUR_TRY(makeAll(bundle));
  addRoots(bundle);
  return {};
}

Result<EntityData::Owned> EntityData::prepareOwned(const ir::Bundle& bundle) {
  GAUR_TRY(makeAll(bundle));
  Owned owned;
  for (const ir::Function* function : bundle.functions) {
    abi::FunctionRecord* record = recordOf(*function);
    owned.ranges.push_back({record, sizeof *record});
    owned.ranges.push_back({record->lazyEntry, jit::kTrampolineBytes});
  }
  for (const ir::ExposedFunction* exposed : bundle.exposed) {
    void** slot = exposedSlot(*exposed);
    owned.ranges.push_back({slot, sizeof *slot});
    owned.ranges.push_back({*slot, jit::kTrampolineBytes});
  }
  for (const ir::GlobalCell* cell : bundle.globals) {
    const abi::Layout& layout = abi::LayoutTable::shared().of(cell->cellType->type);
    owned.ranges.push_back({addressOf(*cell), cellBytes(*cell)});
    if (!layout.map.isEmpty()) owned.cells.push_back({&layout.map, addressOf(*cell)});
  }
  return owned;
}

void EntityData::release(const ir::Bundle& bundle) {
  for (const ir::ExposedFunction* exposed : bundle.exposed) {
    void** slot = exposedSlot(*exposed);
    freeExposure(*slot);
    exposed_.set(exposed->id, nullptr);
    slab_.freeData(slot, sizeof *slot);
  }
  for (const ir::Function* function : bundle.functions) {
    abi::FunctionRecord* record = recordOf(*function);
    records_.set(function->id, nullptr);
    slab_.freeTrampoline(record->lazyEntry);
    slab_.freeData(record, sizeof *record);
  }
  for (const ir::GlobalCell* cell : bundle.globals) {
    void* memory = addressOf(*cell);
    cells_.set(cell->id, nullptr);
    {
      std::lock_guard lock(cellsMutex_);
      cellsByAddress_.erase(reinterpret_cast<std::uintptr_t>(memory));
    }
    const std::size_t bytes = cellBytes(*cell);
    slab_.freeData(memory, bytes);
  }
}

void EntityData::addRoots(const ir::Bundle& bundle) {
  std::vector<Roots::Cell> traced;
  for (const ir::GlobalCell* cell : bundle.globals) {
    const abi::Layout& layout = abi::LayoutTable::shared().of(cell->cellType->type);
    if (!layout.map.isEmpty()) traced.push_back({&layout.map, addressOf(*cell)});
  }
  roots_.addCells(traced);
}

void EntityData::adopt(ir::Function& function, abi::FunctionRecord* record, void* trampoline,
                       bool isCompiled) {
  slab_.rewriteTrampoline(trampoline, record, &lazyEntry);
  record->function = &function;
  record->signatureIndex = function.signature->signature->index;
  record->lazyEntry = trampoline;
  if (!isCompiled) record->entry = trampoline;
  records_.set(function.id, record);
}

void EntityData::adopt(ExposedFunctionData* data, void* trampoline, abi::FunctionRecord* function,
                       void* adapter) {
  data->record.function = function;
  data->vm = &vm_;
  data->setAdapter(adapter);
  slab_.rewriteTrampoline(trampoline, data, &exposedEntry);
  std::lock_guard lock(exposuresMutex_);
  exposures_.emplace(trampoline, data);
}

std::vector<EntityData::Exposure> EntityData::exposures() {
  std::vector<Exposure> all;
  {
    std::lock_guard lock(exposuresMutex_);
    for (const auto& [address, data] : exposures_) all.push_back({address, &data->record});
  }
  std::sort(all.begin(), all.end(),
            [](const Exposure& a, const Exposure& b) { return a.address < b.address; });
  return all;
}

Result<void> EntityData::prepare(ir::Function& function) {
  GAUR_TRY_ASSIGN(auto* record, make<abi::FunctionRecord>());
  void* trampoline = slab_.makeTrampoline(record, &lazyEntry);
  if (!trampoline) return makeError(ErrorId::OutOfMemory, {"code memory"});
  *record = {trampoline, &function, function.id, function.signature->signature->index, trampoline};
  records_.set(function.id, record);
  return {};
}

Result<void> EntityData::prepare(const ir::GlobalCell& cell) {
  GAUR_TRY_ASSIGN(auto* memory, make<char>(cellBytes(cell), kCellAlignment));
  adopt(cell, memory);
  return {};
}

void EntityData::adopt(const ir::GlobalCell& cell, void* memory) {
  cells_.set(cell.id, static_cast<char*>(memory));
  std::lock_guard lock(cellsMutex_);
  cellsByAddress_.emplace(reinterpret_cast<std::uintptr_t>(memory), &cell);
}

const ir::GlobalCell* EntityData::cellContaining(std::uintptr_t address) const {
  std::lock_guard lock(cellsMutex_);
  auto next = cellsByAddress_.upper_bound(address);
  if (next == cellsByAddress_.begin()) return nullptr;
  auto [begin, cell] = *--next;
  return address - begin < abi::LayoutTable::shared().of(cell->cellType->type).size ? cell : nullptr;
}

Result<void> EntityData::prepare(const ir::ExposedFunction& exposed) {
  GAUR_TRY_ASSIGN(void** slot, make<void*>());
  *slot = makeExposure(recordOf(*exposed.function.target), cookieOf(exposed));
  if (!*slot) return makeError(ErrorId::OutOfMemory, {"code memory"});
  exposed_.set(exposed.id, slot);
  return {};
}

void* EntityData::expose(abi::FunctionRecord* function, std::uint64_t cookie) {
  void* address = makeExposure(function, cookie);
  if (address) vm_.owners().hold(HoldKind::Exposed, function);
  return address;
}

void* EntityData::makeExposure(abi::FunctionRecord* function, std::uint64_t cookie) {
  auto data = make<ExposedFunctionData>();
  if (!data) return nullptr;
  **data = {{function, cookie}, nullptr, &vm_, nullptr};
  void* trampoline = slab_.makeTrampoline(*data, &exposedEntry);
  if (!trampoline) return nullptr;
  std::lock_guard lock(exposuresMutex_);
  exposures_.emplace(trampoline, *data);
  return trampoline;
}

bool EntityData::unexpose(void* address) {
  const abi::FunctionRecord* function = freeExposure(address);
  if (function) vm_.owners().letGo(HoldKind::Exposed, function);
  return function != nullptr;
}

/// The function, or null where nothing is exposed there.
const abi::FunctionRecord* EntityData::freeExposure(void* address) {
  std::lock_guard lock(exposuresMutex_);
  auto found = exposures_.find(address);
  if (found == exposures_.end()) return nullptr;
  const abi::FunctionRecord* function = found->second->record.function;
  slab_.freeTrampoline(address);
  slab_.freeData(found->second, sizeof(ExposedFunctionData));
  exposures_.erase(found);
  return function;
}

}  // namespace gaur::runtime
