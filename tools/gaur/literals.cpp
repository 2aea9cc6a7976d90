// Integers of any width are handled as little-endian words here, so that int<128> and wider need nothing
// special.
#include "tools/gaur/literals.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace gaur::tool {

using ir::Type;
using ir::TypeKind;

namespace {

using Words = std::vector<std::uint64_t>;

Error notAValue(std::string_view text, const Type* type) {
  return makeError(ErrorId::LiteralValue, {text, ir::toString(type)});
}

void multiplyAdd(Words& words, std::uint64_t factor, std::uint64_t addend) {
  __extension__ typedef unsigned __int128 Wide;
  Wide carry = addend;
  for (std::uint64_t& word : words) {
    carry += Wide{word} * factor;
    word = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
}

void negate(Words& words) {
  bool carry = true;
  for (std::uint64_t& word : words) {
    word = ~word + (carry ? 1 : 0);
    carry = carry && word == 0;
  }
}

bool readInteger(std::string_view text, Words& words) {
  bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  unsigned base = 10;
  if (text.substr(0, 2) == "0x" || text.substr(0, 2) == "0X") {
    base = 16;
    text.remove_prefix(2);
  }
  if (text.empty()) return false;
  for (char c : text) {
    unsigned digit = c >= '0' && c <= '9' ? static_cast<unsigned>(c - '0') : 99;
    if (base == 16 && c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a' + 10);
    if (base == 16 && c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A' + 10);
    if (digit >= base) return false;
    multiplyAdd(words, base, digit);
  }
  if (negative) negate(words);
  return true;
}

std::uint64_t integerBits(const Type* type) { return type->is(TypeKind::Int) ? type->length : 64; }

void truncate(Words& words, std::uint64_t bits) {
  if (bits % 64 != 0) words.back() &= ~std::uint64_t{0} >> (64 - bits % 64);
}

Words integerAt(const Type* type, const std::byte* memory) {
  Words words((integerBits(type) + 63) / 64);
  std::memcpy(words.data(), memory,
              std::min<std::uint64_t>(words.size() * 8, abi::LayoutTable::shared().of(type).size));
  truncate(words, integerBits(type));
  return words;
}

bool isIntegerLike(const Type* type) {
  return type->is(TypeKind::Int) || type->is(TypeKind::Uptr) || type->is(TypeKind::Ufuncptr) ||
         type->is(TypeKind::Tagref64);
}

bool isReference(const Type* type) { return ir::isGeneralReference(type) || type->is(TypeKind::Weakref); }

/// Bits of a floating-point literal; `anyNan` where it is just `nan`.
bool readFloating(std::string_view text, bool isDouble, std::uint64_t& bits, bool& anyNan) {
  anyNan = text == "nan";
  std::string_view prefix = isDouble ? "bitsd(" : "bitsf(";
  if (text.substr(0, prefix.size()) == prefix) {
    Words words(1);
    text.remove_prefix(prefix.size());
    if (!text.empty() && text.back() == ')') text.remove_suffix(1);
    bool ok = readInteger(text, words);
    bits = words[0];
    return ok;
  }
  if (text.size() > 1 && (text.back() == (isDouble ? 'd' : 'f')) && text != "+inf" && text != "-inf")
    text.remove_suffix(1);
  std::string_view digits = !text.empty() && text[0] == '+' ? text.substr(1) : text;
  auto parse = [&](auto& number) {
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error != std::errc::invalid_argument && end == digits.data() + digits.size();
  };
  if (isDouble) {
    double number = 0;
    if (!parse(number)) return false;
    bits = std::bit_cast<std::uint64_t>(number);
  } else {
    float number = 0;
    if (!parse(number)) return false;
    bits = std::bit_cast<std::uint32_t>(number);
  }
  return true;
}

bool isNanBits(std::uint64_t bits, bool isDouble) {
  return isDouble ? std::isnan(std::bit_cast<double>(bits))
                  : std::isnan(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
}

/// Calls part(type, offset) for the parts of a value with parts; false for one without, or when a part fails.
template <class F>
bool forEachPart(const Type* type, F&& part) {
  const abi::Layout& layout = abi::LayoutTable::shared().of(type);
  if (type->is(TypeKind::Struct)) {
    for (std::size_t i = 0; i < type->elements.size(); ++i)
      if (!part(type->elements[i], layout.offsets[i])) return false;
    return true;
  }
  for (std::uint64_t i = 0; i < type->length; ++i)
    if (!part(type->element(), i * layout.stride)) return false;
  return true;
}

bool hasParts(const Type* type) {
  return type->is(TypeKind::Struct) || type->is(TypeKind::Array) || type->is(TypeKind::Vector);
}

std::string printInteger(Words words, std::uint64_t bits) {
  bool negative = bits > 1 && (words[(bits - 1) / 64] >> ((bits - 1) % 64) & 1) != 0;
  if (negative) {
    negate(words);
    truncate(words, bits);
  }
  std::string digits;
  while (std::any_of(words.begin(), words.end(), [](std::uint64_t word) { return word != 0; })) {
    __extension__ typedef unsigned __int128 Wide;
    Wide remainder = 0;
    for (std::size_t i = words.size(); i-- > 0;) {
      remainder = remainder << 64 | words[i];
      words[i] = static_cast<std::uint64_t>(remainder / 10);
      remainder %= 10;
    }
    digits += static_cast<char>('0' + static_cast<int>(remainder));
  }
  if (digits.empty()) digits = "0";
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

template <class T>
std::string printFloating(const std::byte* memory) {
  T number;
  std::memcpy(&number, memory, sizeof number);
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "+inf";
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

void Cursor::skipBlanks() {
  while (!rest.empty() && (rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r')) rest.remove_prefix(1);
}

bool Cursor::atEnd() {
  skipBlanks();
  return rest.empty();
}

bool Cursor::take(std::string_view token) {
  skipBlanks();
  if (rest.substr(0, token.size()) != token) return false;
  rest.remove_prefix(token.size());
  return true;
}

std::string_view Cursor::word() {
  skipBlanks();
  std::size_t end = 0;
  int depth = 0;
  for (; end < rest.size(); ++end) {
    char c = rest[end];
    if (c == '(') ++depth;
    if (c == ')' && depth-- == 0) break;
    if (depth == 0 && (c == ' ' || c == ',' || c == '}' || c == '{' || c == '\t' || c == '\r')) break;
  }
  std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(end);
  return taken;
}

Result<void> readLiteral(Cursor& cursor, const Type* type, std::byte* memory) {
  const abi::Layout& layout = abi::LayoutTable::shared().of(type);
  if (hasParts(type)) {
    if (!cursor.take("{")) return notAValue(cursor.word(), type);
    Result<void> failure;
    bool done = forEachPart(type, [&](const Type* part, std::uint64_t offset) {
      cursor.take(",");
      failure = readLiteral(cursor, part, memory + offset);
      return static_cast<bool>(failure);
    });
    if (!done) return failure;
    return cursor.take("}") ? Result<void>() : notAValue(cursor.word(), type);
  }
  std::string_view text = cursor.word();
  std::uint64_t word = 0;
  bool anyNan = false;
  if (isIntegerLike(type)) {
    Words words((integerBits(type) + 63) / 64);
    if (!readInteger(text, words)) return notAValue(text, type);
    truncate(words, integerBits(type));
    std::memset(memory, 0, layout.size);
    std::memcpy(memory, words.data(), std::min<std::uint64_t>(words.size() * 8, layout.size));
    return {};
  }
  if (ir::isFloating(type)) {
    bool isDouble = type->is(TypeKind::Double);
    if (!readFloating(text, isDouble, word, anyNan)) return notAValue(text, type);
  } else if (!isReference(type) || text != "NULL") {
    return notAValue(text, type);
  }
  std::memcpy(memory, &word, layout.size);
  return {};
}

Result<bool> matchLiteral(Cursor& cursor, const Type* type, const std::byte* memory) {
  if (hasParts(type)) {
    if (!cursor.take("{")) return notAValue(cursor.word(), type);
    bool equal = true;
    std::optional<Error> failure;
    forEachPart(type, [&](const Type* part, std::uint64_t offset) {
      cursor.take(",");
      auto same = matchLiteral(cursor, part, memory + offset);
      if (!same)
        failure = same.error();
      else
        equal = equal && *same;
      return !failure;
    });
    if (failure) return *failure;
    if (!cursor.take("}")) return notAValue(cursor.word(), type);
    return equal;
  }
  if (isReference(type)) {
    std::uint64_t word = 0;
    std::memcpy(&word, memory, sizeof word);
    std::string_view text = cursor.word();
    if (text != "NULL" && text != "nonnull") return notAValue(text, type);
    return (text == "NULL") == (word == 0);
  }
  if (ir::isFloating(type)) {
    bool isDouble = type->is(TypeKind::Double), anyNan = false;
    std::uint64_t expected = 0, found = 0;
    std::string_view text = cursor.word();
    if (!readFloating(text, isDouble, expected, anyNan)) return notAValue(text, type);
    std::memcpy(&found, memory, isDouble ? 8 : 4);
    return anyNan ? isNanBits(found, isDouble) : expected == found;
  }
  std::string_view text = cursor.word();
  Words expected((integerBits(type) + 63) / 64);
  if (!isIntegerLike(type) || !readInteger(text, expected)) return notAValue(text, type);
  truncate(expected, integerBits(type));
  return expected == integerAt(type, memory);
}

std::string printLiteral(const Type* type, const std::byte* memory) {
  if (hasParts(type)) {
    std::string out = "{";
    forEachPart(type, [&](const Type* part, std::uint64_t offset) {
      out += (out.size() > 1 ? " " : "") + printLiteral(part, memory + offset);
      return true;
    });
    return out + "}";
  }
  if (type->is(TypeKind::Float)) return printFloating<float>(memory);
  if (type->is(TypeKind::Double)) return printFloating<double>(memory);
  if (type->is(TypeKind::Int)) return printInteger(integerAt(type, memory), type->length);
  std::uint64_t word = 0;
  std::memcpy(&word, memory, sizeof word);
  if (isReference(type)) return word == 0 ? "NULL" : "nonnull";
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "0x%llx", static_cast<unsigned long long>(word));
  return buffer;
}

bool hasLiteral(const Type* type) {
  if (hasParts(type)) return std::all_of(type->elements.begin(), type->elements.end(), hasLiteral);
  return isIntegerLike(type) || ir::isFloating(type) || isReference(type);
}

}  // namespace gaur::tool
