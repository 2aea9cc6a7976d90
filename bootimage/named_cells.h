// Global cells that C knows by names (sym_fields of make_boot_image). Compiled code wants them in the data of
// its slab, the linker in a section of the object: both are one memory, at two addresses, once the image has
// begun.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "vm/support/result.h"

namespace gaur::bootimage {

class NamedCells {
 public:
  NamedCells() = default;
  NamedCells(const NamedCells&) = delete;
  NamedCells& operator=(const NamedCells&) = delete;
  /// The memory in the object stays as it is.
  ~NamedCells();

  /// Puts one memory behind both, which are whole pages of one size. What is in the data is as the image
  /// wants it; words with `isFixed` keep that. The others keep what is in the object, where C may have
  /// written to it by now, unless an image that has ended used it before. After a fork each process has its
  /// own.
  Result<void> share(std::span<std::byte> inData, std::span<std::byte> inObject,
                     const std::vector<bool>& isFixed);

 private:
  /// Null: none.
  std::byte* inObject_ = nullptr;
};

}  // namespace gaur::bootimage
