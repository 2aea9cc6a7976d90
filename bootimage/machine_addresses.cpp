#include "bootimage/machine_addresses.h"

#include "jit/code_stubs.h"
#include "vm/abi/layout.h"

namespace gaur::bootimage {

MachineAddresses::MachineAddresses(runtime::MicroVm& vm) : vm_(vm) {
  runtime::EntityData& entities = vm.entities();
  for (const auto& bundle : vm.program().bundles()) {
    for (const ir::Function* function : bundle->functions)
      add(entities.recordOf(*function), sizeof(abi::FunctionRecord), Location::Kind::Function, function);
    for (const ir::GlobalCell* cell : bundle->globals)
      // One past the last byte is still the cell's.
      add(entities.addressOf(*cell), abi::LayoutTable::shared().of(cell->cellType->type).size + 1,
          Location::Kind::Cell, cell);
    for (const ir::ExposedFunction* exposed : bundle->exposed)
      add(*entities.exposedSlot(*exposed), jit::kTrampolineBytes, Location::Kind::ExposedFunction, exposed);
  }
  for (const auto& exposure : entities.exposures()) {
    exposures_.emplace(reinterpret_cast<std::uintptr_t>(exposure.address), exposure.record);
    add(exposure.address, jit::kTrampolineBytes, Location::Kind::Exposure, exposure.address);
  }
  for (const void* address : vm.pins().addresses())
    pinned_.insert(vm.heap().objectContaining(reinterpret_cast<std::uintptr_t>(address)));
}

void MachineAddresses::add(const void* begin, std::size_t bytes, Location::Kind kind, const void* thing) {
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  // Entities come before the native entries that stand behind them.
  ranges_.emplace(address, Range{address + bytes, {kind, true, thing, 0}});
}

Location MachineAddresses::locate(std::uintptr_t address) {
  auto next = ranges_.upper_bound(address);
  if (next != ranges_.begin()) {
    auto [begin, range] = *std::prev(next);
    if (address < range.end) {
      Location found = range.location;
      found.offset = address - begin;
      return found;
    }
  }
  void* object = vm_.heap().objectContaining(address);
  if (!object) return {};
  const bool isPinned = vm_.heap().isImmortal(object) || pinned_.contains(object);
  return {Location::Kind::Object, isPinned, object, address - reinterpret_cast<std::uintptr_t>(object)};
}

std::string MachineAddresses::symbolOf(std::uintptr_t address) {
  const abi::HostRecord* host = vm_.hostFunctions().find(reinterpret_cast<const void*>(address));
  return host ? vm_.nativeSymbols().nameOf(*host) : std::string();
}

}  // namespace gaur::bootimage
