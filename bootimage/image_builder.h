// Making a boot image of what a VM has loaded and allocated (specification, "Boot images"; map, section 9).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bootimage/heap_snapshot.h"
#include "bootimage/image_writer.h"
#include "bootimage/link_interface.h"
#include "jit/compiler.h"
#include "vm/abi/stack_object.h"
#include "vm/runtime/micro_vm.h"

namespace gaur::bootimage {

enum class CodePolicy : std::uint8_t {
  /// All functions of the image are compiled.
  Linked,
  /// IR alone: functions are compiled when they are called.
  None,
};

struct BuildRequest {
  /// Top-level entities that the image must have; all that they, the objects and the primordial function need
  /// comes along.
  std::vector<Id> whitelist;
  /// Called when a process starts from the image; kNoId: none.
  Id primordialFunction = kNoId;
  /// In its place: a READY stack. Null: none.
  const abi::StackObject* primordialStack = nullptr;
  /// Thread-local reference of the first thread; null: none.
  const void* threadLocal = nullptr;
  /// Fields (addresses of uptr or ufuncptr locations) that get the address of a symbol when a process starts,
  /// beside those of MicroVm::pointerRelocations.
  std::vector<runtime::PointerRelocation> relocations;
  /// Locations that C gets to know by names, in the forms that a linker knows.
  struct NamedLocation {
    std::uintptr_t address;
    std::uint64_t bytes;
    std::string symbol;
  };
  std::vector<NamedLocation> symbols;
  UnknownPointers unknownPointers = UnknownPointers::Warn;
  CodePolicy code = CodePolicy::Linked;
  jit::OptLevel level = jit::OptLevel::O2;
  /// With zstd.
  bool compress = false;
  /// Told what is done and how much of it: for a progress bar. May be empty.
  std::function<void(std::string_view stage, std::size_t done, std::size_t all)> progress;
};

struct BuildReport {
  std::vector<std::string> warnings;
  std::size_t functions = 0, objects = 0, symbols = 0;
  std::uint64_t heapBytes = 0, codeBytes = 0, imageBytes = 0;
};

/// What an image of the VM holds. The VM is not changed; that nobody changes it meanwhile is up to the
/// caller. On an attached thread that stands on its native stack. `interface`, if not null, is told what a
/// linker has to know; then functions that C can call bring what such calls need.
Result<BuildReport> collectImage(runtime::MicroVm& vm, const BuildRequest& request, ImageContents& contents,
                                 LinkInterface* interface = nullptr);

/// All top-level entities that clients have defined: a whitelist.
std::vector<Id> everythingIn(const ir::Program& program);

/// collectImage, written to a file as it is.
Result<BuildReport> buildImage(runtime::MicroVm& vm, const BuildRequest& request, const std::string& path);

}  // namespace gaur::bootimage
