// What the linker has to know about an image: the symbols that it wants from outside, and the functions and
// global cells that it offers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vm/support/ids.h"

namespace gaur::bootimage {

struct LinkInterface {
  struct Wanted {
    std::string symbol;
    /// The process starts without it.
    bool isWeak;
  };
  struct Offered {
    std::string symbol;
    /// A function or an exposed function.
    Id id;
  };
  /// A global cell, or a part of one.
  struct Datum {
    std::string symbol;
    /// In `cells`.
    std::uint64_t offset;
    std::uint64_t bytes;
  };
  std::vector<Wanted> wanted;
  std::vector<Offered> offered;
  std::vector<Datum> data;
  /// What the pages of these cells hold before the image begins: words with addresses are NULL.
  std::vector<std::byte> cells;
  /// The image has a beginning that a program can have.
  bool hasMain = false;
};

/// Whether C can call a function by this name, as far as we can offer it: not `main`, nor what objects with
/// an image and the start of a program define.
bool isOffered(std::string_view name);

}  // namespace gaur::bootimage
