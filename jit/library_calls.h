// Functions outside of the slab that code generation calls on its own: what the target has no instructions
// for, and what a prologue calls when the stack is used up. Linking finds them here, and so does the start of
// a boot image, which has no compiler.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gaur::jit {

/// Address of a support function; nothing where the name is none. The stack overflow entry is at 0 where the
/// runtime is not linked in.
std::optional<std::uintptr_t> libraryCall(std::string_view name);

/// Whether a native symbol is the well-known function of that name, and not one that a client put in its
/// place.
bool isKnownFunction(std::string_view name, const void* address);

}  // namespace gaur::jit
