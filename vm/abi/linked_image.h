// A boot image that is part of a program or shared object: what its object file holds beside the image's
// bytes, and the runtime reads and writes. The layout is a contract with objects that were linked long ago: a
// change raises kLinkedImageVersion.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vm/abi/asm_offsets.h"
#include "vm/support/ids.h"

namespace gaur::abi {

inline constexpr std::uint64_t kLinkedImageVersion = 2;

struct LinkedImage;

/// A function under the plain C convention. Its stub in the object jumps to `entry`: at first the stub's own
/// second half, which goes to LinkedImage::resolve with the export in a register.
struct LinkedExport {
  void* entry;
  LinkedImage* image;
  /// What `entry` is before the first call.
  void* unresolved;
  /// Of the function, or of the exposed function.
  std::uint64_t id;
};

/// An external symbol that the image wants, with the address that the linker has found; null for a weak one
/// that is nowhere.
struct LinkedSymbol {
  const char* name;
  void* address;
};

struct LinkedImage {
  /// gaur_resolve_export, gaur_bind_export and gaur_image_main of the library, which the linker fills in.
  void* resolve;
  void* (*bind)(LinkedExport* exported);
  int (*main)(int argc, char** argv, LinkedImage* image);
  std::uint64_t version;
  /// The image, as in a file; at a multiple of a page.
  const std::byte* bytes;
  std::uint64_t byteCount;
  const LinkedSymbol* symbols;
  std::uint64_t symbolCount;
  LinkedExport* exports;
  std::uint64_t exportCount;
  /// For messages.
  const char* name;
  /// Null until it is started; the library's.
  void* machine;
  /// Global cells with symbols of their own: whole pages, null where there are none.
  std::byte* cells;
  std::uint64_t cellBytes;
};

static_assert(offsetof(LinkedExport, image) == GAUR_EXPORT_IMAGE);
static_assert(offsetof(LinkedImage, resolve) == 0, "stubs jump to it without an offset");
static_assert(offsetof(LinkedImage, bind) == GAUR_LINKED_BIND);

}  // namespace gaur::abi
