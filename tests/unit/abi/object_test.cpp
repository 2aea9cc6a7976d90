// The word before an object, block sizes, tagged and weak references.
#include "vm/abi/object.h"

#include <gtest/gtest.h>

namespace gaur::abi {
namespace {

TEST(ObjectHeader, KeepsTypeWidthAndLength) {
  for (std::uint32_t type : {0u, 1u, 4711u, static_cast<std::uint32_t>(ObjectHeader::kMaxTypeIndex)}) {
    for (bool wide : {false, true}) {
      for (std::uint64_t length :
           {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32, ObjectHeader::kMaxLength}) {
        ObjectHeader header = ObjectHeader::make(type, wide, length);
        EXPECT_TRUE(header.isLive());
        EXPECT_EQ(header.isWide(), wide);
        EXPECT_EQ(header.prefix(), wide ? 16u : 8u);
        EXPECT_EQ(header.typeIndex(), type);
        EXPECT_EQ(header.length(), length);
        EXPECT_EQ(ObjectHeader(header.bits()).bits(), header.bits());
      }
    }
  }
}

TEST(ObjectHeader, LongLengthsSaturate) {
  EXPECT_EQ(ObjectHeader::make(5, false, ObjectHeader::kMaxLength + 1).length(), ObjectHeader::kMaxLength);
  EXPECT_EQ(ObjectHeader::make(5, false, ~std::uint64_t{0}).length(), ObjectHeader::kMaxLength);
  EXPECT_EQ(ObjectHeader::make(5, false, ~std::uint64_t{0}).typeIndex(), 5u);
}

TEST(ObjectHeader, LinksAndEmptyBlocksAreNotLive) {
  alignas(16) char block[16];
  EXPECT_FALSE(ObjectHeader(0).isLive());
  EXPECT_FALSE(ObjectHeader(reinterpret_cast<std::uint64_t>(block)).isLive());
}

TEST(ObjectHeader, LiesBeforeTheReference) {
  std::uint64_t object[3] = {0, ObjectHeader::make(9, true, 3).bits(), 0};
  EXPECT_EQ(ObjectHeader::of(&object[2]).typeIndex(), 9u);
  EXPECT_EQ(ObjectHeader::of(&object[2]).length(), 3u);
}

TEST(Blocks, HoldPrefixAndPayloadInGranules) {
  EXPECT_EQ(blockBytes(0, false), 16u);
  EXPECT_EQ(blockBytes(8, false), 16u);
  EXPECT_EQ(blockBytes(9, false), 32u);
  EXPECT_EQ(blockBytes(24, false), 32u);
  EXPECT_EQ(blockBytes(0, true), 16u);
  EXPECT_EQ(blockBytes(16, true), 32u);
  EXPECT_EQ(blockBytes(17, true), 48u);
  for (std::uint64_t payload = 0; payload < 2000; ++payload) {
    for (bool wide : {false, true}) {
      std::uint64_t bytes = blockBytes(payload, wide);
      EXPECT_EQ(bytes % kGranule, 0u);
      EXPECT_GE(bytes, payload + (wide ? 16 : 8));
      EXPECT_LT(bytes, payload + (wide ? 16 : 8) + kGranule);
    }
  }
}

TEST(TaggedReference, TellsReferencesFromNumbers) {
  std::uint64_t reference = kTagrefRefBits | 0x7f1234567890;
  EXPECT_TRUE(tagrefHoldsRef(reference));
  EXPECT_EQ(tagrefAddress(reference), 0x7f1234567890u);
  // The tag lies in bits 2 and 47 to 51 and does not touch the address.
  std::uint64_t tagged = reference | std::uint64_t{0x1f} << 47 | 4;
  EXPECT_TRUE(tagrefHoldsRef(tagged));
  EXPECT_EQ(tagrefAddress(tagged), 0x7f1234567890u);
  // Doubles, among them infinities and the canonical NaN, and integers (bit 0) are none.
  for (double value : {0.0, -0.0, 1.5, -1e300, 5e-324})
    EXPECT_FALSE(tagrefHoldsRef(__builtin_bit_cast(std::uint64_t, value)));
  EXPECT_FALSE(tagrefHoldsRef(kTagrefExponent));
  EXPECT_FALSE(tagrefHoldsRef(kTagrefExponent | std::uint64_t{1} << 63));
  EXPECT_FALSE(tagrefHoldsRef(kTagrefExponent | 0x8000000000000));
  EXPECT_FALSE(tagrefHoldsRef(kTagrefExponent | 1));
  EXPECT_FALSE(tagrefHoldsRef(kTagrefExponent | 3));
  // Addresses of the kernel's half keep their sign.
  EXPECT_EQ(tagrefAddress(std::uint64_t{1} << 63 | kTagrefRefBits | 0x7ffffffffff8), 0xfffffffffffffff8u);
}

TEST(WeakReference, HidesAndReveals) {
  EXPECT_EQ(hideWeak(0), 0u);
  EXPECT_EQ(revealWeak(0), 0u);
  EXPECT_EQ(revealWeak(hideWeak(0x7f1234567890)), 0x7f1234567890u);
  EXPECT_NE(hideWeak(0x7f1234567890), 0x7f1234567890u);
  EXPECT_EQ(revealWeak(0x7f1234567890), 0x7f1234567890u);  // as it is on a stack
}

}  // namespace
}  // namespace gaur::abi
