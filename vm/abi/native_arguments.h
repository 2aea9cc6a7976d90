// Where C passes the last argument of a native function, given those before it: what a trampoline that adds
// an argument has to know. System V x86-64 and AAPCS64.
#pragma once

#include <cstdint>
#include <optional>

#include "vm/abi/layout.h"

namespace gaur::abi {

/// Of a pointer that comes behind all parameters of a signature.
struct LastArgument {
  static constexpr std::uint32_t kOnStack = ~std::uint32_t{0};
  /// Number of the integer argument register, or kOnStack.
  std::uint32_t integerRegister = kOnStack;
  /// What the parameters take of the caller's argument area, a multiple of 8. The argument begins there, if
  /// it is on the stack.
  std::uint32_t stackBytes = 0;
};

/// Nothing where C has no such parameters: vectors beyond 16 bytes, integers beyond 128 bits.
std::optional<LastArgument> lastArgument(LayoutTable& layouts, const ir::Signature& signature);

}  // namespace gaur::abi
