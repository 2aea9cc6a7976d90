// Functions that the code generator may call on its own: what the target has no instructions for.
#pragma once

#include <llvm/ADT/StringRef.h>

#include <cstdint>

namespace gaur::jit {

/// Address of a support function, or 0 where the name is none.
std::uintptr_t libraryCall(llvm::StringRef name);

/// Whether a native symbol is the well-known function of that name, and not one that a client put in its place.
bool isKnownFunction(llvm::StringRef name, const void* address);

}  // namespace gaur::jit
