// The hand-written instructions of objects with an image, for each machine that objects are made for. Nothing
// in them changes when they are linked but distances: they are fit for shared objects, and no page of them is
// ever written.
#pragma once

#include <cstdint>
#include <span>

#include "bootimage/elf_object.h"

namespace gaur::bootimage {

/// What an instruction of a stub refers to.
enum class StubOperand : std::uint8_t {
  /// The stub's own abi::LinkedExport.
  Export,
  /// The abi::LinkedImage.
  Image,
  /// The stub MainStub.
  Main,
  /// A word with the address of __libc_start_main.
  LibcStart,
};

struct StubSite {
  std::uint32_t offset;
  ElfRelocation kind;
  StubOperand operand;
  std::int64_t addend;
};

struct Stub {
  std::span<const std::uint8_t> code;
  std::span<const StubSite> sites;
};

inline constexpr std::size_t kStubAlignment = 32;

/// Goes on to LinkedExport::entry; its second half, at unresolvedOffset, to LinkedImage::resolve.
Stub exportStub(ElfMachine machine);
std::uint64_t unresolvedOffset(ElfMachine machine);
/// int main(int, char**): LinkedImage::main with the image.
Stub mainStub(ElfMachine machine);
/// Returns the LinkedImage.
Stub imageStub(ElfMachine machine);
/// Where a program begins that is linked without the compiler's start files.
Stub startStub(ElfMachine machine);

}  // namespace gaur::bootimage
