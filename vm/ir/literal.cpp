// Conversions of literals. Integers are built digit group by digit group in words; floating point uses
// <charconv>, which is exact.
#include "vm/ir/literal.h"

#include <bit>
#include <charconv>
#include <cstdio>
#include <limits>

namespace gaur::ir {

namespace {

constexpr unsigned kWordBits = 64;

unsigned digitValue(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return 99;
}

struct Digits {
  bool isNegative = false;
  unsigned base = 10;
  std::string_view text;
};

Digits splitLiteral(std::string_view text) {
  Digits digits;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    digits.isNegative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.starts_with("0x")) {
    digits.base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    digits.base = 8;
    text.remove_prefix(1);
  }
  digits.text = text;
  return digits;
}

/// words = words * factor + addend
void multiplyAdd(std::vector<std::uint64_t>& words, std::uint64_t factor, std::uint64_t addend) {
  __extension__ using Wide = unsigned __int128;
  Wide carry = addend;
  for (std::uint64_t& word : words) {
    carry += static_cast<Wide>(word) * factor;
    word = static_cast<std::uint64_t>(carry);
    carry >>= kWordBits;
  }
  if (carry != 0) words.push_back(static_cast<std::uint64_t>(carry));
}

void negate(std::vector<std::uint64_t>& words) {
  bool carry = true;
  for (std::uint64_t& word : words) {
    word = ~word + (carry ? 1 : 0);
    carry = carry && word == 0;
  }
}

/// Overflowing and underflowing literals are far from 1, so the decimal exponent of the first digit tells
/// which it is.
bool isBig(std::string_view text) {
  long exponent = 0;
  std::size_t mark = text.find_first_of("eE");
  if (mark != std::string_view::npos) {
    std::string_view tail = text.substr(mark + 1);
    bool isNegative = tail.starts_with('-');
    if (tail.starts_with('+') || isNegative) tail.remove_prefix(1);
    auto parsed = std::from_chars(tail.data(), tail.data() + tail.size(), exponent);
    if (parsed.ec != std::errc{}) return !isNegative;
    if (isNegative) exponent = -exponent;
  }
  std::string_view digits = text.substr(0, mark);
  std::size_t point = digits.find('.');
  std::size_t first = digits.find_first_not_of("0.");
  if (first == std::string_view::npos) return false;
  return exponent + static_cast<long>(point) - static_cast<long>(first) > 0;
}

template <class F>
F parseFloating(std::string_view text) {
  bool isNegative = text.starts_with('-');
  if (isNegative || text.starts_with('+')) text.remove_prefix(1);
  F value = 0;
  if (text == "inf") {
    value = std::numeric_limits<F>::infinity();
  } else if (text == "nan") {
    value = std::numeric_limits<F>::quiet_NaN();
  } else if (std::from_chars(text.data(), text.data() + text.size(), value).ec ==
             std::errc::result_out_of_range) {
    value = isBig(text) ? std::numeric_limits<F>::infinity() : F{0};
  }
  return isNegative ? -value : value;
}

template <class F>
std::string finiteLiteral(F value) {
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string text(buffer, end);
  // The grammar wants digits on both sides of a point.
  std::size_t mark = text.find('e');
  if (text.find('.') == std::string::npos) text.insert(mark == std::string::npos ? text.size() : mark, ".0");
  return text;
}

template <class F, class Bits>
std::string floatingLiteral(Bits bits, const char* suffix, const char* bitsForm) {
  F value = std::bit_cast<F>(bits);
  if (value == std::numeric_limits<F>::infinity()) return std::string("+inf ") + suffix;
  if (value == -std::numeric_limits<F>::infinity()) return std::string("-inf ") + suffix;
  if (value == value) return finiteLiteral(value) + " " + suffix;
  if (bits == std::bit_cast<Bits>(std::numeric_limits<F>::quiet_NaN())) return std::string("nan ") + suffix;
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, bitsForm, static_cast<unsigned long long>(bits));
  return buffer;
}

}  // namespace

bool parseInteger(std::string_view text, std::vector<std::uint64_t>& words) {
  Digits digits = splitLiteral(text);
  constexpr std::size_t kMaxDigits =
      kMaxLiteralBits * 100 / 332;  // decimal digits of so many bits; fewer for other bases
  if (digits.text.empty() || digits.text.size() > kMaxDigits) return false;
  words.assign(1, 0);
  std::uint64_t group = 0, factor = 1;
  for (char c : digits.text) {
    unsigned value = digitValue(c);
    if (value >= digits.base) return false;
    group = group * digits.base + value;
    factor *= digits.base;
    if (factor > std::numeric_limits<std::uint64_t>::max() / 256) {
      multiplyAdd(words, factor, group);
      group = 0;
      factor = 1;
    }
  }
  multiplyAdd(words, factor, group);
  bool isZero = words.size() == 1 && words[0] == 0;
  bool isNegative = digits.isNegative && !isZero;
  if (isNegative) negate(words);
  bool signBit = (words.back() >> (kWordBits - 1)) != 0;
  if (signBit != isNegative) words.push_back(isNegative ? ~std::uint64_t{0} : 0);
  return true;
}

bool parseUnsigned(std::string_view text, std::uint64_t& value) {
  std::vector<std::uint64_t> words;
  if (text.starts_with('-') || !parseInteger(text, words)) return false;
  if (words.size() > 2 || (words.size() == 2 && words[1] != 0)) return false;
  value = words[0];
  return true;
}

std::uint32_t parseFloatBits(std::string_view text) {
  return std::bit_cast<std::uint32_t>(parseFloating<float>(text));
}
std::uint64_t parseDoubleBits(std::string_view text) {
  return std::bit_cast<std::uint64_t>(parseFloating<double>(text));
}

std::string floatLiteral(std::uint32_t bits) { return floatingLiteral<float>(bits, "f", "bitsf(0x%08llx)"); }
std::string doubleLiteral(std::uint64_t bits) {
  return floatingLiteral<double>(bits, "d", "bitsd(0x%016llx)");
}

std::string integerLiteral(std::span<const std::uint64_t> words, std::uint64_t bits) {
  if (words.empty()) return "0";
  if (bits <= kWordBits) {
    std::uint64_t value = words[0];
    if (bits == 1) return std::to_string(value & 1);
    auto unused = static_cast<unsigned>(kWordBits - bits);
    return std::to_string(static_cast<std::int64_t>(value << unused) >> unused);
  }
  std::size_t last = words.size();
  while (last > 1 && words[last - 1] == 0) --last;
  char buffer[20];
  std::snprintf(buffer, sizeof buffer, "0x%llx", static_cast<unsigned long long>(words[last - 1]));
  std::string text = buffer;
  while (--last > 0) {
    std::snprintf(buffer, sizeof buffer, "%016llx", static_cast<unsigned long long>(words[last - 1]));
    text += buffer;
  }
  return text;
}

}  // namespace gaur::ir
