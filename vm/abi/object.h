// Shape of heap objects. One word before field 0 holds the object's type and, for hybrids, its length; a
// reference is the address of field 0 and nothing else is hidden, so that clients may compute C-like
// addresses (map, 14.21). The collector, the allocator, compiled code and the image writer all read this word
// and nothing more.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gaur::abi {

/// The word before an object. Bit 0 is set in live objects, which tells them from the links of free lists.
class ObjectHeader {
 public:
  static constexpr unsigned kTypeShift = 4;
  static constexpr unsigned kTypeBits = 24;
  static constexpr unsigned kLengthShift = kTypeShift + kTypeBits;
  static constexpr std::uint64_t kLiveBit = 1;
  /// The object starts 16 bytes after its block (types of alignment 16), and the header stands twice: at the
  /// block and before field 0.
  static constexpr std::uint64_t kWideBit = 2;
  static constexpr std::uint64_t kMaxTypeIndex = (std::uint64_t{1} << kTypeBits) - 1;
  /// A longer hybrid keeps this number, and its length is found from its block's size.
  static constexpr std::uint64_t kMaxLength = (std::uint64_t{1} << (64 - kLengthShift)) - 1;

  explicit constexpr ObjectHeader(std::uint64_t bits) : bits_(bits) {}
  static constexpr ObjectHeader make(std::uint32_t typeIndex, bool wide, std::uint64_t length = 0) {
    return ObjectHeader(kLiveBit | (wide ? kWideBit : 0) | std::uint64_t{typeIndex} << kTypeShift |
                        (length < kMaxLength ? length : kMaxLength) << kLengthShift);
  }

  constexpr std::uint64_t bits() const { return bits_; }
  constexpr bool isLive() const { return (bits_ & kLiveBit) != 0; }
  constexpr bool isWide() const { return (bits_ & kWideBit) != 0; }
  constexpr std::uint32_t typeIndex() const {
    return static_cast<std::uint32_t>(bits_ >> kTypeShift & kMaxTypeIndex);
  }
  constexpr std::uint64_t length() const { return bits_ >> kLengthShift; }
  constexpr ObjectHeader withType(std::uint32_t typeIndex) const {
    return ObjectHeader((bits_ & ~(kMaxTypeIndex << kTypeShift)) | std::uint64_t{typeIndex} << kTypeShift);
  }
  /// From the start of the block to field 0.
  constexpr std::size_t prefix() const { return isWide() ? kWidePrefix : kPrefix; }

  static constexpr std::size_t kPrefix = 8;
  static constexpr std::size_t kWidePrefix = 16;

  static ObjectHeader of(const void* ref) { return ObjectHeader(static_cast<const std::uint64_t*>(ref)[-1]); }

 private:
  std::uint64_t bits_;
};
static_assert(sizeof(ObjectHeader) == ObjectHeader::kPrefix);

// Blocks come in multiples of a granule; small ones from per-thread free lists, one a size class (granules)
// and kind.
inline constexpr std::size_t kGranule = 16;
inline constexpr std::size_t kSmallGranules = 32;  // up to 512 bytes
inline constexpr std::size_t kSmallBytes = kGranule * kSmallGranules;

enum class BlockKind : std::uint32_t { Traced = 0, PointerFree = 1 };
inline constexpr std::size_t kBlockKinds = 2;

/// Bytes of the block for `payload` bytes of fields.
constexpr std::uint64_t blockBytes(std::uint64_t payload, bool wide) {
  std::uint64_t prefix = wide ? ObjectHeader::kWidePrefix : ObjectHeader::kPrefix;
  return (payload + prefix + kGranule - 1) & ~std::uint64_t{kGranule - 1};
}

// tagref64 (map, 1.4): a double, a 52-bit integer or a reference with a 6-bit tag in one word.
inline constexpr std::uint64_t kTagrefExponent = 0x7ff0000000000000;
inline constexpr std::uint64_t kTagrefIntMask = kTagrefExponent | 1;
inline constexpr std::uint64_t kTagrefRefMask = kTagrefExponent | 3;
inline constexpr std::uint64_t kTagrefRefBits = kTagrefExponent | 2;
inline constexpr std::uint64_t kTagrefAddressMask = 0x7ffffffffff8;
inline constexpr std::uint64_t kTagrefSign = std::uint64_t{1} << 63;
/// Bits 47 to 63 of an address are equal; the sign stands for them.
inline constexpr std::uint64_t kTagrefAddressHigh = 0xffff800000000000;
/// What every NaN becomes, the sign kept.
inline constexpr std::uint64_t kTagrefNan = kTagrefExponent | 8;
/// Integers: 51 bits from bit 1 on, bit 51 in the sign.
inline constexpr unsigned kTagrefIntShift = 1;
inline constexpr unsigned kTagrefIntLowBits = 51;
/// Tags: bit 0 in bit 2, bits 1 to 5 in bits 47 to 51.
inline constexpr std::uint64_t kTagrefTagHighMask = 0x3e;
inline constexpr unsigned kTagrefTagHighShift = 46;
inline constexpr unsigned kTagrefTagLowShift = 2;

constexpr bool tagrefHoldsRef(std::uint64_t bits) { return (bits & kTagrefRefMask) == kTagrefRefBits; }
/// Requires: tagrefHoldsRef.
constexpr std::uint64_t tagrefAddress(std::uint64_t bits) {
  std::uint64_t low = bits & kTagrefAddressMask;
  return (bits >> 63) != 0 ? low | 0xffff800000000000 : low;
}

// Values of the three kinds as bits.
constexpr std::uint64_t tagrefFromDouble(std::uint64_t bits) {
  constexpr std::uint64_t kFraction = ~(kTagrefExponent | kTagrefSign);
  const bool isNan = (bits & kTagrefExponent) == kTagrefExponent && (bits & kFraction) != 0;
  return isNan ? kTagrefNan | (bits & kTagrefSign) : bits;
}
/// Of bits 0 to 51.
constexpr std::uint64_t tagrefFromInt(std::uint64_t number) {
  const std::uint64_t low = number & ((std::uint64_t{1} << kTagrefIntLowBits) - 1);
  const bool isHigh = (number >> kTagrefIntLowBits & 1) != 0;
  return kTagrefIntMask | low << kTagrefIntShift | (isHigh ? kTagrefSign : 0);
}
/// `tag`: bits 0 to 5.
constexpr std::uint64_t tagrefFromRef(std::uint64_t address, std::uint64_t tag) {
  return kTagrefRefBits | (address & (kTagrefAddressMask | kTagrefSign)) |
         (tag & kTagrefTagHighMask) << kTagrefTagHighShift | (tag & 1) << kTagrefTagLowShift;
}

// weakref<T> in memory: the complement of the address, so that conservative scanning does not see it; 0 is
// NULL. On a stack a weak reference is stored plain and is strong there: the collector could not clear it.
constexpr std::uint64_t hideWeak(std::uint64_t address) { return address == 0 ? 0 : ~address; }
constexpr std::uint64_t revealWeak(std::uint64_t word) { return (word >> 63) != 0 ? ~word : word; }

}  // namespace gaur::abi
