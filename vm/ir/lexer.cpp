// The lexer. One table of character classes; everything else is decided by the first one or two characters of
// a token.
#include "vm/ir/lexer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace gaur::ir {

namespace {

enum CharacterClass : std::uint8_t {
  kOther = 0,
  kBlank = 1,
  kDigit = 2,
  kHexLetter = 4,
  kNamePart = 8,
  kCapital = 16,
};

constexpr std::array<std::uint8_t, 256> makeClasses() {
  std::array<std::uint8_t, 256> classes{};
  for (char c : {' ', '\t', '\r', '\n', '\f', '\v'}) classes[static_cast<unsigned char>(c)] = kBlank;
  for (unsigned c = '0'; c <= '9'; ++c) classes[c] = kDigit | kNamePart;
  for (unsigned c = 'a'; c <= 'z'; ++c) classes[c] = kNamePart;
  for (unsigned c = 'A'; c <= 'Z'; ++c) classes[c] = kNamePart | kCapital;
  for (unsigned c = 'a'; c <= 'f'; ++c) classes[c] |= kHexLetter;
  for (unsigned c = 'A'; c <= 'F'; ++c) classes[c] |= kHexLetter;
  for (char c : {'_', '.', '-'}) classes[static_cast<unsigned char>(c)] = kNamePart;
  return classes;
}
constexpr auto kClasses = makeClasses();

bool is(char c, unsigned classes) { return (kClasses[static_cast<unsigned char>(c)] & classes) != 0; }

/// Length of the longest prefix of `text` from `from` on in these classes.
std::size_t run(std::string_view text, std::size_t from, unsigned classes) {
  std::size_t i = from;
  while (i < text.size() && is(text[i], classes)) ++i;
  return i - from;
}

enum class NumberShape { Int, Float, BadHex, BadOctal, BadFloat, Bad };

/// Shape of a literal without its sign; for floats `length` is set to the part before the suffix.
NumberShape classify(std::string_view body, std::size_t& length) {
  length = body.size();
  if (body.starts_with("0x")) {
    std::size_t digits = run(body, 2, kDigit | kHexLetter);
    return digits != 0 && digits + 2 == body.size() ? NumberShape::Int : NumberShape::BadHex;
  }
  std::size_t whole = run(body, 0, kDigit);
  if (whole == body.size()) {
    bool isOctal = body[0] == '0';
    return isOctal && body.find_first_of("89") != std::string_view::npos ? NumberShape::BadOctal
                                                                         : NumberShape::Int;
  }
  auto isSuffix = [&](std::size_t at) {
    return at == body.size() || (at + 1 == body.size() && (body[at] == 'f' || body[at] == 'd'));
  };
  if (body[whole] == '.') {
    std::size_t at = whole + 1;
    std::size_t fraction = run(body, at, kDigit);
    at += fraction;
    if (fraction == 0) return NumberShape::BadFloat;
    if (at < body.size() && (body[at] == 'e' || body[at] == 'E')) {
      std::size_t exponent = at + 1;
      if (exponent < body.size() && (body[exponent] == '+' || body[exponent] == '-')) ++exponent;
      std::size_t digits = run(body, exponent, kDigit);
      if (digits == 0) return NumberShape::BadFloat;
      at = exponent + digits;
    }
    length = at;
    return isSuffix(at) ? NumberShape::Float : NumberShape::Bad;
  }
  if (body[whole] == 'e' || body[whole] == 'E') {
    std::size_t exponent = whole + 1;
    if (exponent < body.size() && (body[exponent] == '+' || body[exponent] == '-')) ++exponent;
    std::size_t digits = run(body, exponent, kDigit);
    if (digits != 0 && isSuffix(exponent + digits)) return NumberShape::BadFloat;
  }
  return isSuffix(whole) ? NumberShape::BadFloat : NumberShape::Bad;
}

std::string describeCharacter(char c) {
  char buffer[16];
  auto byte = static_cast<unsigned char>(c);
  std::snprintf(buffer, sizeof buffer, byte > ' ' && byte < 0x7F ? "'%c'" : "0x%02x", byte);
  return buffer;
}

}  // namespace

bool isNameCharacter(char c) { return is(c, kNamePart); }

std::string describe(const Token& token) {
  constexpr std::size_t kLongest = 60;
  if (token.kind == TokenKind::End) return "the end of the text";
  std::string shown(token.text.substr(0, kLongest));
  if (token.text.size() > kLongest) shown += "...";
  return "'" + shown + "'";
}

Lexer::Lexer(std::string_view text, Diagnostics& diagnostics, TextLanguage language)
    : start_(text.data()),
      cursor_(start_),
      end_(start_ + text.size()),
      diagnostics_(&diagnostics),
      language_(language) {
  if (text.starts_with("\xEF\xBB\xBF")) cursor_ += 3;  // byte order mark
}

Token Lexer::take(TokenKind kind, std::size_t length) {
  Token token{kind, false, static_cast<SourcePos>(offset() + 1), {cursor_, length}};
  cursor_ += length;
  return token;
}

Token Lexer::error(ErrorId id, std::size_t length, std::string_view argument) {
  Token token = take(TokenKind::Error, length);
  if (!quiet_) diagnostics_->report(id, token.pos, {argument});
  return token;
}

void Lexer::skipBlockComment() {
  const char* opening = cursor_;
  cursor_ += 2;
  while (cursor_ < end_) {
    const void* star = std::memchr(cursor_, '*', static_cast<std::size_t>(end_ - cursor_));
    cursor_ = star ? static_cast<const char*>(star) + 1 : end_;
    if (cursor_ < end_ && *cursor_ == '/') {
      ++cursor_;
      return;
    }
  }
  if (!quiet_)
    diagnostics_->report(ErrorId::ParseCommentUnterminated, static_cast<SourcePos>(opening - start_ + 1));
}

bool Lexer::skipBlanks() {
  bool newLine = cursor_ == start_;
  while (cursor_ < end_) {
    if (is(*cursor_, kBlank)) {
      newLine |= *cursor_ == '\n';
      ++cursor_;
    } else if (*cursor_ == '/' && at(1) == '/') {
      const void* end = std::memchr(cursor_, '\n', static_cast<std::size_t>(end_ - cursor_));
      cursor_ = end ? static_cast<const char*>(end) : end_;
    } else if (*cursor_ == '/' && at(1) == '*') {
      const char* before = cursor_;
      skipBlockComment();
      newLine |= std::memchr(before, '\n', static_cast<std::size_t>(cursor_ - before)) != nullptr;
    } else {
      break;
    }
  }
  return newLine;
}

Token Lexer::name(TokenKind kind, ErrorId missing) {
  std::size_t length = 1;
  while (is(at(length), kNamePart)) ++length;
  if (length == 1) return error(missing, 1, {});
  return take(kind, length);
}

Token Lexer::directive() {
  return name(TokenKind::Directive,
              isHail() ? ErrorId::HailDirectiveMissing : ErrorId::ParseDirectiveMissing);
}

Token Lexer::word() {
  std::size_t length = 1;
  while (is(at(length), kNamePart)) ++length;
  return take(TokenKind::Word, length);
}

Token Lexer::number() {
  bool isSigned = *cursor_ == '+' || *cursor_ == '-';
  std::size_t length = isSigned ? 1 : 0;
  while (is(at(length), kNamePart)) {
    char c = at(length);
    ++length;
    // The sign of an exponent belongs to the number; '-' is a name character anyway.
    if ((c == 'e' || c == 'E') && at(length) == '+' && is(at(length + 1), kDigit)) ++length;
  }
  std::string_view whole(cursor_, length);
  std::string_view body = whole.substr(isSigned ? 1 : 0);
  if (isSigned && (body == "inf" || body == "inff" || body == "infd")) return take(TokenKind::Float, 4);
  if (body.empty() || !is(body[0], kDigit)) return error(ErrorId::ParseNumberMalformed, length, whole);
  std::size_t bodyLength = 0;
  switch (classify(body, bodyLength)) {
    case NumberShape::Int: return take(TokenKind::Int, length);
    case NumberShape::Float: return take(TokenKind::Float, bodyLength + (isSigned ? 1 : 0));
    case NumberShape::BadHex: return error(ErrorId::ParseHexMalformed, length, whole);
    case NumberShape::BadOctal: return error(ErrorId::ParseOctalMalformed, length, whole);
    case NumberShape::BadFloat: return error(ErrorId::ParseFloatMalformed, length, whole);
    case NumberShape::Bad: break;
  }
  return error(ErrorId::ParseNumberMalformed, length, whole);
}

Token Lexer::flag() {
  std::size_t length = 1;
  while (is(at(length), kCapital) || at(length) == '_') ++length;
  bool isWhole = length > 1 && !is(at(length), kNamePart);
  while (is(at(length), kNamePart)) ++length;
  return isWhole ? take(TokenKind::Flag, length)
                 : error(ErrorId::ParseFlagMalformed, length, {cursor_, length});
}

Token Lexer::string() {
  std::string_view rest(cursor_ + 1, static_cast<std::size_t>(end_ - cursor_ - 1));
  std::size_t end = rest.find_first_of("\"\n");
  if (end == std::string_view::npos || rest[end] == '\n') {
    return error(ErrorId::ParseStringUnterminated, 1 + std::min(end, rest.size()), {});
  }
  std::string_view content = rest.substr(0, end);
  if (content.empty()) return error(ErrorId::ParseStringEmpty, 2, {});
  for (char c : content) {
    if (c == '\\') return error(ErrorId::ParseStringEscape, end + 2, {});
    if (c <= ' ' || c == 0x7F) return error(ErrorId::ParseStringCharacter, end + 2, describeCharacter(c));
  }
  return take(TokenKind::String, end + 2);
}

Token Lexer::badCharacter() {
  char c = *cursor_;
  std::size_t length = 1;
  if (c == '\0') {
    while (offset() + length < static_cast<std::size_t>(end_ - start_) && at(length) == '\0') ++length;
    return error(ErrorId::ParseNulByte, length, {});
  }
  if (static_cast<unsigned char>(c) >= 0x80) {
    while (static_cast<unsigned char>(at(length)) >= 0x80) ++length;
    return error(ErrorId::ParseNotAscii, length, describeCharacter(c));
  }
  if (c == ',') return error(ErrorId::ParseCommaInText, 1, {});
  if (c == ';') return error(ErrorId::ParseSemicolonInText, 1, {});
  return error(ErrorId::ParseCharacterUnexpected, 1, describeCharacter(c));
}

Token Lexer::next() {
  bool atLineStart = skipBlanks();
  auto scan = [&]() -> Token {
    if (cursor_ == end_) return take(TokenKind::End, 0);
    char c = *cursor_;
    switch (c) {
      case '@': return name(TokenKind::GlobalName, ErrorId::ParseGlobalNameMissing);
      case '%': return name(TokenKind::LocalName, ErrorId::ParseLocalNameMissing);
      case '(': return take(TokenKind::LeftParen, 1);
      case ')': return take(TokenKind::RightParen, 1);
      case '<': return at(1) == '[' ? take(TokenKind::LessBracket, 2) : take(TokenKind::Less, 1);
      case '>': return take(TokenKind::Greater, 1);
      case '[': return take(TokenKind::LeftBracket, 1);
      case ']': return at(1) == '>' ? take(TokenKind::BracketGreater, 2) : take(TokenKind::RightBracket, 1);
      case '{': return take(TokenKind::LeftBrace, 1);
      case '}': return take(TokenKind::RightBrace, 1);
      case '=': return take(TokenKind::Equals, 1);
      case ':': return take(TokenKind::Colon, 1);
      case '#': return flag();
      case '"': return string();
      case '-':
        if (at(1) == '>') return take(TokenKind::Arrow, 2);
        return number();
      case '+': return number();
      case '.': return directive();
      case '$':
        if (isHail()) return name(TokenKind::ObjectName, ErrorId::HailNameMissing);
        break;
      case '&':
        if (isHail()) return take(TokenKind::Ampersand, 1);
        break;
      case '*':
        if (isHail()) return take(TokenKind::Star, 1);
        break;
      default: break;
    }
    if (is(c, kDigit)) return number();
    if (is(c, kNamePart)) return word();
    return badCharacter();
  };
  Token token = scan();
  token.atLineStart = atLineStart;
  return token;
}

}  // namespace gaur::ir
