// Values of constants, in .const definitions and inline as `<type> value`.
#include <limits>

#include "vm/ir/literal.h"
#include "vm/ir/text_parser.h"

namespace gaur::ir {

bool TextParser::constantValue(ConstantValue& value) {
  value.words.clear();
  value.elements.clear();
  value.symbol = {};
  switch (token_.kind) {
    case TokenKind::Int:
      value.kind = ConstantKind::Int;
      if (!parseInteger(token_.text, value.words)) {
        fail(ErrorId::ParseIntegerTooLong, std::to_string(kMaxLiteralBits));
        return false;
      }
      advance();
      break;
    case TokenKind::Float: return floatValue(value);
    case TokenKind::LeftBrace: return listValue(value);
    case TokenKind::Word: return wordConstant(value);
    default: fail(ErrorId::ParseConstantExpected); return false;
  }
  return !failed();
}

bool TextParser::floatValue(ConstantValue& value) {
  std::string_view number = token_.text;
  advance();
  if (atWord("f")) {
    value.kind = ConstantKind::Float;
    value.words.push_back(parseFloatBits(number));
  } else if (atWord("d")) {
    value.kind = ConstantKind::Double;
    value.words.push_back(parseDoubleBits(number));
  } else {
    fail(ErrorId::ParseFloatSuffix);
    return false;
  }
  advance();
  return !failed();
}

bool TextParser::wordConstant(ConstantValue& value) {
  std::string_view word = token_.text;
  if (word == "nan") return floatValue(value);
  if (word == "NULL") {
    value.kind = ConstantKind::Null;
    advance();
    return !failed();
  }
  if (word == "EXTERN") {
    later(Later::Extern, token_.pos);
    advance();
    value.kind = ConstantKind::Extern;
    value.symbol = token_.text;
    if (!expect(TokenKind::String, ErrorId::ParseExternString)) return false;
    value.symbol = value.symbol.substr(1, value.symbol.size() - 2);
    return !failed();
  }
  if (word == "bitsf" || word == "bitsd") return bitsValue(value, word == "bitsd");
  if (word == "inf") {
    fail(ErrorId::ParseInfinitySign);
  } else {
    fail(ErrorId::ParseConstantExpected);
  }
  return false;
}

bool TextParser::bitsValue(ConstantValue& value, bool isDouble) {
  std::string_view word = token_.text;
  value.kind = isDouble ? ConstantKind::Double : ConstantKind::Float;
  advance();
  expect(TokenKind::LeftParen, ErrorId::ParseBitsOpen, word);
  std::uint64_t bits = 0;
  std::uint64_t max =
      isDouble ? std::numeric_limits<std::uint64_t>::max() : std::numeric_limits<std::uint32_t>::max();
  unsignedNumber(ErrorId::ParseBitsNumber, ErrorId::ParseBitsRange, word, bits, max);
  value.words.push_back(bits);
  return expect(TokenKind::RightParen, ErrorId::ParseBitsClose, word) && !failed();
}

bool TextParser::listValue(ConstantValue& value) {
  if (depth_ >= kMaxNesting) {
    fail(ErrorId::ParseConstantTooDeep, std::to_string(kMaxNesting));
    return false;
  }
  ++depth_;
  value.kind = ConstantKind::Sequence;
  advance();
  while (!at(TokenKind::RightBrace) && !failed()) {
    if (at(TokenKind::LocalName)) {
      fail(ErrorId::ParseListElementLocal);
    } else if (at(TokenKind::GlobalName) || at(TokenKind::Word) || at(TokenKind::Less)) {
      ValueUse element = globalValue();
      value.elements.push_back(element);
    } else {
      fail(ErrorId::ParseListElement);
    }
  }
  advance();
  if (!failed()) --depth_;
  return !failed();
}

void TextParser::fillConstant(Constant& constant, const ConstantValue& value) {
  Arena& arena = builder_.arena();
  constant.words = arena.copy(std::span<const std::uint64_t>(value.words));
  constant.elements = builder_.uses(std::span<const ValueUse>(value.elements));
  constant.symbol = arena.copy(value.symbol);
}

ValueUse TextParser::globalValue() {
  if (at(TokenKind::Less)) return inlineConstant();
  ValueUse use{nullptr, symbol(token_.content()), token_.pos};
  advance();
  return use;
}

ValueUse TextParser::inlineConstant() {
  SourcePos pos = token_.pos;
  later(Later::InlineConstant, pos);
  advance();
  TypeUse declared = type("constant");
  expect(TokenKind::Greater, ErrorId::ParseInlineConstantClose);
  // Elements of a list are read while the list is being collected.
  ConstantValue nested;
  ConstantValue& value = depth_ == 0 ? scratch_ : nested;
  if (failed() || !constantValue(value)) return {};

  std::size_t hash = std::hash<std::string_view>{}(value.symbol) ^ (declared.id * std::size_t{31}) ^
                     static_cast<std::size_t>(value.kind);
  for (std::uint64_t word : value.words) hash = hash * 0x100000001B3u + word;
  for (const ValueUse& element : value.elements) hash = hash * 0x100000001B3u + element.id;
  auto [first, last] = inlineConstants_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    Constant* known = it->second;
    bool isSame =
        known->declaredType.id == declared.id && known->kind == value.kind && known->symbol == value.symbol &&
        std::equal(known->words.begin(), known->words.end(), value.words.begin(), value.words.end()) &&
        std::equal(known->elements.begin(), known->elements.end(), value.elements.begin(),
                   value.elements.end(), [](const ValueUse& a, const ValueUse& b) { return a.id == b.id; });
    if (isSame) return {known, known->id, pos};
  }
  Constant* constant = builder_.newConstant(builder_.fresh(), value.kind, declared.id, pos);
  constant->declaredType = declared;
  fillConstant(*constant, value);
  inlineConstants_.emplace(hash, constant);
  return {constant, constant->id, pos};
}

}  // namespace gaur::ir
