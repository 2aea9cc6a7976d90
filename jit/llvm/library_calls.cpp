#include "jit/llvm/library_calls.h"

#include <llvm/ADT/StringMap.h>

// Only their addresses are taken. Each gets a name of our own bound to the library's symbol, so that no declaration of the system's headers,
// no overload and no builtin stands in the way.
extern "C" {
#define GAUR_LIBRARY_CALL(name) void gaurCall_##name() __asm__(#name);
#include "jit/llvm/library_calls.def"
}

namespace gaur::jit {

std::uintptr_t libraryCall(llvm::StringRef name) {
  static const llvm::StringMap<std::uintptr_t> table{
#define GAUR_LIBRARY_CALL(name) {#name, reinterpret_cast<std::uintptr_t>(&gaurCall_##name)},
#include "jit/llvm/library_calls.def"
  };
  return table.lookup(name);
}

}  // namespace gaur::jit
