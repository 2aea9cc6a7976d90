// The words of an image that hold addresses: where they lie, what they refer to, and how such a word changes
// when a section is not where the file assumes it.
#pragma once

#include <compare>
#include <cstdint>

#include "vm/abi/object.h"

namespace gaur::bootimage {

enum class Section : std::uint8_t { Heap, Data, Code };

/// An 8-byte word of an image. Ordered as relocations are applied.
struct Place {
  Section section = Section::Heap;
  /// Bytes from the section's start.
  std::uint64_t offset = 0;
  auto operator<=>(const Place&) const = default;
};

/// What a word refers to.
struct Target {
  enum class Kind : std::uint8_t { Heap, Data, Code, Symbol };
  Kind kind = Kind::Heap;
  /// Bytes from the section's start, or the number of the symbol.
  std::uint64_t value = 0;
  bool operator==(const Target&) const = default;
};

/// A word that gets the address of a symbol, plus `addend`, each time a process starts.
struct SymbolRelocation {
  Place place;
  std::uint32_t symbol = 0;
  /// NULL where the symbol does not exist; otherwise the process does not start then.
  bool isWeak = false;
  std::int64_t addend = 0;
};

/// Addresses that the words of a file assume for the sections.
struct SectionBases {
  std::uint64_t heap = 0;
  std::uint64_t data = 0;
  std::uint64_t code = 0;
};

inline constexpr std::uint64_t kPreferredHeap = 0x2100'0000'0000;
inline constexpr std::uint64_t kPreferredSlab = 0x2000'0000'0000;

/// What a relocated word of the heap or the data refers to in the addresses of the file, whichever form it
/// has: plain, hidden (weakref) or in a NaN (tagref64). Exact but for the low three bits of an address, which
/// a tagref64 has no room for.
constexpr std::uint64_t addressIn(std::uint64_t word) {
  if (abi::tagrefHoldsRef(word)) return abi::tagrefAddress(word);
  return abi::revealWeak(word);
}

/// The word when what it refers to lies `distance` bytes (a multiple of 16) further up.
constexpr std::uint64_t moved(std::uint64_t word, std::uint64_t distance) {
  // In a tagref64 the address has a field of its own, which no valid address overflows; a weakref is a
  // complement.
  bool isHidden = !abi::tagrefHoldsRef(word) && word >> 63 != 0;
  return isHidden ? word - distance : word + distance;
}

}  // namespace gaur::bootimage
