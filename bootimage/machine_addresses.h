// What the addresses in a running VM are: of objects, of cells, of functions' records, of native entries.
#pragma once

#include <map>
#include <set>

#include "bootimage/heap_snapshot.h"
#include "vm/runtime/micro_vm.h"

namespace gaur::bootimage {

/// As of when it is made. Requires: the program's loadMutex held as long as it is used.
class MachineAddresses final : public AddressSpace {
 public:
  explicit MachineAddresses(runtime::MicroVm& vm);

  Location locate(std::uintptr_t address) override;
  /// The name of a host function that is bound to one, by its pointer.
  std::string symbolOf(std::uintptr_t address) override;
  /// Of a Location::Kind::Exposure.
  const abi::ExposedRecord& exposureAt(const void* address) const {
    return *exposures_.at(reinterpret_cast<std::uintptr_t>(address));
  }

 private:
  struct Range {
    std::uintptr_t end;
    Location location;
  };
  void add(const void* begin, std::size_t bytes, Location::Kind kind, const void* thing);

  runtime::MicroVm& vm_;
  /// By the begin of each.
  std::map<std::uintptr_t, Range> ranges_;
  std::map<std::uintptr_t, const abi::ExposedRecord*> exposures_;
  std::set<const void*> pinned_;
};

}  // namespace gaur::bootimage
