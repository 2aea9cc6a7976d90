// How values travel where control passes: results of a call, values that resume a stack. One rule, so that a
// frame that waits in a call can be resumed like one that waits in a swap. At most two scalars travel in
// registers; anything else in memory that the receiver provides.
#pragma once

#include <cstdint>
#include <span>

#include "vm/abi/layout.h"
#include "vm/ir/type.h"

namespace gaur::abi {

/// Registers of results, counted by class: integer words (rax, rdx; x0, x1) and vector registers (xmm0, xmm1;
/// v0, v1).
enum class RegisterClass : std::uint8_t { Word, TwoWords, Vector };

/// Of a type whose values travel in registers.
RegisterClass registerClassOf(const ir::Type* type);

/// Whether the values travel in registers. Otherwise they lie in memory, each at the next multiple of 16
/// bytes.
bool travelInRegisters(LayoutTable& layouts, std::span<const ir::Type* const> types);

/// Whether native callers pass all arguments of the signature, and the address for a result in memory, in
/// registers. May say no where it is so: of aggregates by value it does not look what is in them.
bool nativeArgumentsInRegisters(LayoutTable& layouts, const ir::Signature& signature);

/// Bytes from one value in memory to the next.
inline std::uint64_t placeBytes(const Layout& layout) { return (layout.size + 15) & ~std::uint64_t{15}; }

/// Bytes that make room for the values in memory.
std::uint64_t memoryBytes(LayoutTable& layouts, std::span<const ir::Type* const> types);

/// Bytes from the begin of the first value in memory to the end of the last: what is written of that room.
std::uint64_t writtenBytes(LayoutTable& layouts, std::span<const ir::Type* const> types);

}  // namespace gaur::abi
