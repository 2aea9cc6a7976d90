// What the linker has to know about an image: the symbols that it wants from outside, and the functions that
// it offers.
#pragma once

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
  std::vector<Wanted> wanted;
  std::vector<Offered> offered;
  /// The image has a beginning that a program can have.
  bool hasMain = false;
};

/// Whether C can call a function by this name, as far as we can offer it: not `main`, nor what objects with
/// an image and the start of a program define.
bool isOffered(std::string_view name);

}  // namespace gaur::bootimage
