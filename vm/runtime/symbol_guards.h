// Addresses for symbols that nobody has, so that a program can begin without them: memory that nobody can
// use, by which a fault tells the symbol's name.
#pragma once

#include <cstdint>
#include <string_view>

namespace gaur::runtime {

/// The address for a symbol, the same each time; null where there are too many. Thread-safe.
void* guardOf(std::string_view symbol);
/// The symbol whose guard the address lies in, or null. Signal-safe.
const char* symbolGuardedAt(std::uintptr_t address);

}  // namespace gaur::runtime
