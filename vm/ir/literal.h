// Numbers as text and as bits, both ways and without loss. Shared by the parser, the printer, and tools that
// read literals.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gaur::ir {

/// Longest integer literal, in bits.
inline constexpr std::size_t kMaxLiteralBits = 65536;

/// An integer literal ([+-]? decimal, 0x hex, or 0 octal; specification, "Integer literal") as little-endian
/// 64-bit words in two's complement. The sign bit of the last word is that of the number, so that any wider
/// type is reached by repeating it and any narrower one by truncation. False: not a literal, or longer than
/// kMaxLiteralBits.
bool parseInteger(std::string_view text, std::vector<std::uint64_t>& words);
/// An unsigned number below 2^64; false otherwise.
bool parseUnsigned(std::string_view text, std::uint64_t& value);

/// Bits of a floating point literal without suffix, rounded to nearest even; overflow gives infinity. Also
/// "+inf", "-inf", "nan". Independent of the locale. Requires: well formed (the lexer's Float token).
std::uint32_t parseFloatBits(std::string_view text);
std::uint64_t parseDoubleBits(std::string_view text);

/// Literals with these bits, with suffix: "1.5 f", "+inf d", "bitsd(0x7ff8000000000001)".
std::string floatLiteral(std::uint32_t bits);
std::string doubleLiteral(std::uint64_t bits);
/// An integer of `bits` bits: signed decimal up to 64 bits (int<1> unsigned), hexadecimal beyond.
std::string integerLiteral(std::span<const std::uint64_t> words, std::uint64_t bits);

}  // namespace gaur::ir
