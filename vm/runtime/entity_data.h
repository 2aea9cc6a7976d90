// What compiled code knows entities by: function records, memory of global cells, slots of exposed functions.
// All of it lies in the data half of the code slab.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "jit/code_slab.h"
#include "vm/abi/asm_offsets.h"
#include "vm/abi/function_record.h"
#include "vm/ir/program.h"
#include "vm/runtime/code_owners.h"
#include "vm/runtime/roots.h"
#include "vm/support/id_table.h"
#include "vm/support/result.h"

namespace gaur::runtime {

class MicroVm;

/// Data of an exposed function as gaur_exposedEntry wants it.
struct ExposedFunctionData {
  abi::ExposedRecord record;
  /// Null until it is first called.
  void* adapter;
  MicroVm* vm;
  /// The adapter again if it can be called on another stack than its caller's: no argument is passed in
  /// memory.
  void* hostAdapter;

  /// Thread-safe.
  void setAdapter(void* code);
};
static_assert(offsetof(ExposedFunctionData, adapter) == GAUR_EXPOSED_ADAPTER &&
              offsetof(ExposedFunctionData, vm) == GAUR_EXPOSED_VM);
static_assert(offsetof(ExposedFunctionData, hostAdapter) == GAUR_EXPOSED_HOST_ADAPTER);

/// Bytes of the memory of a global cell, at a multiple of 16.
std::size_t cellBytes(const ir::GlobalCell& cell);
inline constexpr std::size_t kCellAlignment = 16;
/// Of an exposed function; 0 where it has none.
std::uint64_t cookieOf(const ir::ExposedFunction& exposed);

class EntityData {
 public:
  EntityData(MicroVm& vm, jit::CodeSlab& slab, Roots& roots) : vm_(vm), slab_(slab), roots_(roots) {}

  /// Makes the data of all entities that the bundle introduces. Fails where the slab is full; then nothing of
  /// it is in use.
  Result<void> prepare(const ir::Bundle& bundle);
  /// The same for a collectible bundle, whose cells become no roots: what it takes, and what the collector
  /// has to look at.
  struct Owned {
    std::vector<OwnedRange> ranges;
    std::vector<abi::OwnedCell> cells;
  };
  Result<Owned> prepareOwned(const ir::Bundle& bundle);
  /// Takes back what it took. Requires: nothing can reach it; loadMutex held.
  void release(const ir::Bundle& bundle);

  /// Requires: prepared.
  abi::FunctionRecord* recordOf(const ir::Function& function) const { return records_.get(function.id); }
  void* addressOf(const ir::GlobalCell& cell) const { return cells_.get(cell.id); }
  /// The cell whose memory holds the byte, or null. Thread-safe.
  const ir::GlobalCell* cellContaining(std::uintptr_t address) const;
  void** exposedSlot(const ir::ExposedFunction& exposed) const { return exposed_.get(exposed.id); }

  // --- What a boot image brings: memory that lies in the slab already. Nothing else is in use yet.
  // -------------------
  /// A record, with the trampoline at `trampoline`; its entry becomes that unless it is code.
  void adopt(ir::Function& function, abi::FunctionRecord* record, void* trampoline, bool isCompiled);
  void adopt(const ir::GlobalCell& cell, void* memory);
  /// All cells of a bundle, which are in place: they become roots.
  void addRoots(const ir::Bundle& bundle);
  /// A native entry at `trampoline`. `adapter` is null where there is no code for it.
  void adopt(ExposedFunctionData* data, void* trampoline, abi::FunctionRecord* function, void* adapter);
  void adopt(const ir::ExposedFunction& exposed, void** slot) { exposed_.set(exposed.id, slot); }

  struct Exposure {
    void* address;
    const abi::ExposedRecord* record;
  };
  /// All native entries, in the order of their addresses. Thread-safe.
  std::vector<Exposure> exposures();

  /// A new native entry to a function, which keeps it until unexpose; null where the slab is full.
  /// Thread-safe.
  void* expose(abi::FunctionRecord* function, std::uint64_t cookie);
  /// False where the address is none that expose returned.
  bool unexpose(void* address);

 private:
  void* makeExposure(abi::FunctionRecord* function, std::uint64_t cookie);
  const abi::FunctionRecord* freeExposure(void* address);
  Result<void> makeAll(const ir::Bundle& bundle);
  Result<void> prepare(ir::Function& function);
  Result<void> prepare(const ir::GlobalCell& cell);
  Result<void> prepare(const ir::ExposedFunction& exposed);
  template <class T>
  Result<T*> make(std::size_t bytes = sizeof(T), std::size_t alignment = alignof(T));

  MicroVm& vm_;
  jit::CodeSlab& slab_;
  Roots& roots_;
  // Written with Program::loadMutex held.
  IdTable<abi::FunctionRecord> records_;
  IdTable<char> cells_;
  IdTable<void*> exposed_;
  mutable std::mutex cellsMutex_;
  std::map<std::uintptr_t, const ir::GlobalCell*> cellsByAddress_;
  std::mutex exposuresMutex_;
  std::unordered_map<void*, ExposedFunctionData*> exposures_;
};

}  // namespace gaur::runtime
