// What a conservative scan of the native stack must not find.
#pragma once

#include <cstddef>
#include <cstring>

namespace gaur {

/// Overwrites what calls before left below on the stack; all of it, also where AddressSanitizer would leave
/// gaps about the variable.
template <std::size_t kBytes = 16384>
[[gnu::noinline, gnu::no_sanitize("address")]] void clearStackBelow() {
  char bytes[kBytes];
  std::memset(bytes, 0, sizeof bytes);
  asm volatile("" ::"r"(bytes) : "memory");
}

}  // namespace gaur
