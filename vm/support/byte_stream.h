// Writing and reading of compact binary data: little-endian words, variable-length integers, counted texts.
// The reader trusts nothing: once something does not fit, everything it gives is zero or empty, so that its
// user need look at failed() only where a wrong value could do harm.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace gaur {

static_assert(std::endian::native == std::endian::little);

/// Longest form of a 64-bit variable-length integer: seven bits a byte, the lowest first.
inline constexpr std::size_t kLongestVarint = 10;

class ByteWriter {
 public:
  std::size_t size() const { return used_; }

  void byte(std::uint8_t value) {
    reserve(1);
    bytes_[used_++] = std::byte{value};
  }

  template <class Word>
  void word(Word value) {
    reserve(sizeof value);
    std::memcpy(bytes_.data() + used_, &value, sizeof value);
    used_ += sizeof value;
  }
  /// Over what was written at `offset`.
  template <class Word>
  void wordAt(std::size_t offset, Word value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof value);
  }

  void varint(std::uint64_t value) {
    reserve(kLongestVarint);
    for (; value >= 0x80; value >>= 7) bytes_[used_++] = static_cast<std::byte>(value | 0x80);
    bytes_[used_++] = static_cast<std::byte>(value);
  }
  /// Short for small values of either sign.
  void signedVarint(std::int64_t value) {
    varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }

  void text(std::string_view text) {
    varint(text.size());
    raw(text);
  }
  /// The letters alone.
  void raw(std::string_view text) {
    if (text.empty()) return;
    reserve(text.size());
    std::memcpy(bytes_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }

  std::vector<std::byte> take() {
    bytes_.resize(used_);
    used_ = 0;
    return std::move(bytes_);
  }

 private:
  void reserve(std::size_t more) {
    if (used_ + more > bytes_.size()) bytes_.resize((bytes_.size() + more) * 2);
  }

  std::vector<std::byte> bytes_;
  std::size_t used_ = 0;
};

/// Reads from bytes that it does not own. Texts are views of them.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes)
      : at_(reinterpret_cast<const std::uint8_t*>(bytes.data())), end_(at_ + bytes.size()) {}

  bool failed() const { return failed_; }
  /// Everything was read, and nothing did not fit.
  bool isAtEnd() const { return !failed_ && at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  void fail() {
    failed_ = true;
    at_ = end_;
  }

  std::uint8_t byte() {
    if (at_ == end_) {
      fail();
      return 0;
    }
    return *at_++;
  }

  template <class Word>
  Word word() {
    Word value{};
    if (left() < sizeof value) {
      fail();
      return value;
    }
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  std::uint64_t varint() {
    if (at_ != end_ && *at_ < 0x80) [[likely]]
      return *at_++;
    return longVarint();
  }
  std::int64_t signedVarint() {
    std::uint64_t value = varint();
    return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1)));
  }
  /// A varint below `limit`.
  std::uint64_t below(std::uint64_t limit) {
    std::uint64_t value = varint();
    if (value < limit) [[likely]]
      return value;
    fail();
    return 0;
  }
  /// A number of things of which each takes at least one byte here: never more than there are bytes left.
  std::size_t count() {
    std::uint64_t value = varint();
    if (value <= left()) [[likely]]
      return static_cast<std::size_t>(value);
    fail();
    return 0;
  }

  std::string_view text() { return raw(count()); }
  std::string_view raw(std::size_t length) {
    if (length > left()) {
      fail();
      return {};
    }
    std::string_view text(reinterpret_cast<const char*>(at_), length);
    at_ += length;
    return text;
  }
  std::span<const std::byte> bytes(std::size_t length) { return std::as_bytes(std::span(raw(length))); }

 private:
  std::uint64_t longVarint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      std::uint64_t byte = this->byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return failed_ ? 0 : value;
    }
    fail();
    return 0;
  }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool failed_ = false;
};

}  // namespace gaur
