// Identifiers of everything a client can name (types, functions, instructions, ...). One 32-bit space for the
// whole VM (specification, chapter "Identifiers and names"); 0 means "none", the low ranges belong to the VM
// itself.
#pragma once

#include <cstdint>

namespace gaur {

using Id = std::uint32_t;

inline constexpr Id kNoId = 0;
/// Common instructions and predefined entities lie below; the first ID a client can be given.
inline constexpr Id kFirstClientId = 65536;

/// A place in a source text: byte offset + 1, so that 0 means "not from text".
using SourcePos = std::uint32_t;

}  // namespace gaur
