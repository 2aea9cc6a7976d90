#include "jit/library_calls.h"

#include <string>
#include <unordered_map>

// Only their addresses are taken. Each gets a name of our own bound to the library's symbol, so that no
// declaration of the system's headers, no overload and no builtin stands in the way.
extern "C" {
#define GAUR_LIBRARY_CALL(name, Use) void gaurCall_##name() __asm__(#name);
#include "jit/library_calls.def"
}

// Called by the prologue of every compiled function when the stack is used up; written in assembly by the
// runtime, which may be absent where objects are linked without being run.
extern "C" {
[[gnu::weak]] void __morestack();
[[gnu::weak]] void __morestack_allocate_stack_space();
}

namespace gaur::jit {

namespace {

enum class Use { Support, Known };

struct Row {
  std::uintptr_t address = 0;
  Use use = Use::Support;
};

const Row* find(std::string_view name) {
  static const std::unordered_map<std::string_view, Row> table{
#define GAUR_LIBRARY_CALL(name, Use_) \
  {#name, Row{reinterpret_cast<std::uintptr_t>(&gaurCall_##name), Use::Use_}},
#include "jit/library_calls.def"
      {"__morestack", Row{reinterpret_cast<std::uintptr_t>(&__morestack), Use::Support}},
      {"__morestack_allocate_stack_space",
       Row{reinterpret_cast<std::uintptr_t>(&__morestack_allocate_stack_space), Use::Support}},
  };
  auto known = table.find(name);
  return known != table.end() ? &known->second : nullptr;
}

}  // namespace

std::optional<std::uintptr_t> libraryCall(std::string_view name) {
  const Row* row = find(name);
  return row ? std::optional(row->address) : std::nullopt;
}

bool isKnownFunction(std::string_view name, const void* address) {
  const Row* row = find(name);
  return row && row->use == Use::Known && row->address == reinterpret_cast<std::uintptr_t>(address);
}

}  // namespace gaur::jit
