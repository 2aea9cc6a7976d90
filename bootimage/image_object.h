// An image as an object file: its bytes as a section that can be mapped, what abi::LinkedImage has, ordinary
// relocations to the symbols that it wants, and symbols for the functions and global cells that it offers.
#pragma once

#include <string_view>

#include "bootimage/elf_object.h"
#include "bootimage/link_interface.h"

namespace gaur::bootimage {

/// The section with the bytes of the image, in objects and in all that is linked of them.
inline constexpr std::string_view kPayloadSection = ".gaur.image";
/// Whole pages of global cells that C knows by names.
inline constexpr std::string_view kCellsSection = ".gaur.cells";
/// Instructions reach their data by 32-bit distances, and the image may come to lie between the two.
inline constexpr std::uint64_t kMostPayload = std::uint64_t{1} << 30;

struct ObjectRequest {
  ElfMachine machine = thisMachine();
  /// Of the output, for messages.
  std::string_view name;
  /// `main` begins the image.
  bool hasMain = false;
  /// `_start` too: nothing else has it.
  bool hasStart = false;
  /// What is linked of the object is all that may call its functions.
  bool hidesOffered = false;
};

/// Adds everything. `image` has to stay until the object is written.
void addImage(ElfObject& object, const ObjectRequest& request, const ImageContents::File& image,
              const LinkInterface& interface);

}  // namespace gaur::bootimage
