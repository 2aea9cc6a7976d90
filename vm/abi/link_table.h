// The table through which compiled code calls the runtime, one address a row of runtime_entries.def, and
// finds the stack it stands on.
#pragma once

#include <cstddef>
#include <string_view>

#include "vm/abi/stack_object.h"

namespace gaur::abi {

enum class RuntimeEntry : std::size_t {
#define GAUR_RUNTIME_ENTRY(name, Effects) name,
#include "vm/abi/runtime_entries.def"
};
inline constexpr std::size_t kRuntimeEntryCount = 0
#define GAUR_RUNTIME_ENTRY(...) +1
#include "vm/abi/runtime_entries.def"
    ;

struct LinkTable {
  void* entries[kRuntimeEntryCount];
  StackTable stacks;
};

}  // namespace gaur::abi
