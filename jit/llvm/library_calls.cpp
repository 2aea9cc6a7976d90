#include "jit/llvm/library_calls.h"

#include <llvm/ADT/StringMap.h>

// Only their addresses are taken. Each gets a name of our own bound to the library's symbol, so that no declaration of the system's headers,
// no overload and no builtin stands in the way.
extern "C" {
#define GAUR_LIBRARY_CALL(name, Use) void gaurCall_##name() __asm__(#name);
#include "jit/llvm/library_calls.def"
}

namespace gaur::jit {

namespace {

enum class Use { Support, Known };

struct Row {
  std::uintptr_t address = 0;
  Use use = Use::Support;
};

Row find(llvm::StringRef name) {
  static const llvm::StringMap<Row> table{
#define GAUR_LIBRARY_CALL(name, Use_) {#name, Row{reinterpret_cast<std::uintptr_t>(&gaurCall_##name), Use::Use_}},
#include "jit/llvm/library_calls.def"
  };
  return table.lookup(name);
}

}  // namespace

std::uintptr_t libraryCall(llvm::StringRef name) { return find(name).address; }

bool isKnownFunction(llvm::StringRef name, const void* address) {
  Row row = find(name);
  return row.use == Use::Known && row.address == reinterpret_cast<std::uintptr_t>(address);
}

}  // namespace gaur::jit
