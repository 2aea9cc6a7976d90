// Types and signatures, by name and inline. Inline ones become anonymous definitions, one for all equal
// spellings in the text.
#include "vm/ir/literal.h"
#include "vm/ir/text_parser.h"

namespace gaur::ir {

namespace {

constexpr std::string_view kTypeWords[] = {
#define GAUR_TYPE(Kind, Text, Properties) Text,
#include "vm/ir/types.def"
};

bool takesArguments(TypeKind kind) {
  switch (kind) {
    case TypeKind::Int:
    case TypeKind::Uptr:
    case TypeKind::Ufuncptr:
    case TypeKind::Struct:
    case TypeKind::Hybrid:
    case TypeKind::Array:
    case TypeKind::Vector:
    case TypeKind::Ref:
    case TypeKind::Iref:
    case TypeKind::Weakref:
    case TypeKind::Funcref: return true;
    default: return false;
  }
}

std::size_t mix(std::size_t hash, std::uint64_t value) {
  hash ^= value + 0x9E3779B97F4A7C15u + (hash << 6) + (hash >> 2);
  return hash * 0xFF51AFD7ED558CCDu;
}

bool sameIds(std::span<const TypeUse> a, std::span<const TypeUse> b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].id != b[i].id) return false;
  return true;
}

std::size_t hashIds(std::size_t hash, std::span<const TypeUse> uses) {
  for (const TypeUse& use : uses) hash = mix(hash, use.id);
  return mix(hash, uses.size());
}

}  // namespace

std::optional<TypeKind> typeKind(std::string_view word) {
  for (std::size_t i = 0; i < std::size(kTypeWords); ++i)
    if (kTypeWords[i] == word) return static_cast<TypeKind>(i);
  // The 2016 name of what the later interface calls irbuilderref.
  if (word == "irnoderef") return TypeKind::Irbuilderref;
  return std::nullopt;
}

TypeUse TextParser::type(std::string_view context) {
  SourcePos pos = token_.pos;
  if (at(TokenKind::GlobalName)) {
    TypeUse use{nullptr, symbol(token_.content()), pos};
    advance();
    return use;
  }
  if (at(TokenKind::LocalName)) {
    fail(ErrorId::ParseTypeLocal);
    return {};
  }
  if (!at(TokenKind::Word)) {
    fail(ErrorId::ParseTypeExpected, context);
    return {};
  }
  if (auto kind = typeKind(token_.text)) {
    later(Later::InlineType, pos);
    advance();
    return typeConstructor(*kind);
  }
  Token name = token_;
  advance();
  if (at(TokenKind::Less) && name.text.find_first_of("0123456789_.") == std::string_view::npos) {
    std::string hint = nearHint(name.text, kTypeWords);
    failAt(pos, ErrorId::ParseTypeUnknown, {describe(name), hint});
    return {};
  }
  later(Later::BareName, pos);
  return {nullptr, symbol(name.text), pos};
}

TypeUse TextParser::typeConstructor(TypeKind kind) {
  SourcePos pos = token_.pos;
  TypeDef shape{};
  shape.kind = kind;
  std::size_t base = typeStack_.size();
  typeArguments(shape);
  if (failed()) return {};
  TypeUse use = internType(shape, std::span<const TypeUse>(typeStack_).subspan(base), pos);
  typeStack_.resize(base);
  return use;
}

void TextParser::lengthArgument(TypeDef& shape) {
  unsignedNumber(ErrorId::ParseLengthExpected, ErrorId::ParseLengthRange, text(shape.kind), shape.length);
}

void TextParser::typeArguments(TypeDef& shape) {
  if (!takesArguments(shape.kind)) return;
  std::string_view word = text(shape.kind);
  if (depth_ >= kMaxNesting) return fail(ErrorId::ParseTypeTooDeep, std::to_string(kMaxNesting));
  expect(TokenKind::Less, ErrorId::ParseTypeArguments, word);
  ++depth_;
  switch (shape.kind) {
    case TypeKind::Int:
      unsignedNumber(ErrorId::ParseIntWidth, ErrorId::ParseLengthRange, word, shape.length);
      break;
    case TypeKind::Ufuncptr:
    case TypeKind::Funcref: shape.signature = signature(word); break;
    case TypeKind::Struct:
      while (atType()) typeStack_.push_back(type(word));
      break;
    case TypeKind::Hybrid: {
      std::size_t before = typeStack_.size();
      while (atType()) typeStack_.push_back(type(word));
      if (at(TokenKind::Greater) && typeStack_.size() == before) fail(ErrorId::ParseHybridEmpty);
      break;
    }
    case TypeKind::Array:
    case TypeKind::Vector: {
      // The stack may grow while the element is read.
      TypeUse element = type(word);
      typeStack_.push_back(element);
      lengthArgument(shape);
      break;
    }
    default: {
      TypeUse referent = type(word);
      typeStack_.push_back(referent);
      break;
    }
  }
  expect(TokenKind::Greater, ErrorId::ParseTypeClose, word);
  if (!failed()) --depth_;
}

TypeUse TextParser::internType(const TypeDef& shape, std::span<const TypeUse> elements, SourcePos pos) {
  std::size_t hash =
      mix(mix(mix(0, static_cast<std::uint64_t>(shape.kind)), shape.length), shape.signature.id);
  hash = hashIds(hash, elements);
  auto [first, last] = inlineTypes_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    TypeDef* known = it->second;
    bool isSame = known->kind == shape.kind && known->length == shape.length &&
                  known->signature.id == shape.signature.id;
    if (isSame && sameIds(known->elements, elements)) return {known, known->id, pos};
  }
  TypeDef* def = builder_.newType(builder_.fresh(), shape.kind, pos);
  def->length = shape.length;
  def->signature = shape.signature;
  def->elements = builder_.uses(elements);
  inlineTypes_.emplace(hash, def);
  return {def, def->id, pos};
}

SigUse TextParser::signature(std::string_view context) {
  SourcePos pos = token_.pos;
  if (at(TokenKind::LeftParen)) {
    later(Later::InlineSignature, pos);
    return inlineSignature(pos);
  }
  if (at(TokenKind::LocalName)) {
    fail(ErrorId::ParseTypeLocal);
    return {};
  }
  if (!at(TokenKind::GlobalName) && !at(TokenKind::Word)) {
    fail(ErrorId::ParseSignatureExpected, context);
    return {};
  }
  SigUse use{nullptr, symbol(token_.content()), pos};
  advance();
  return use;
}

void TextParser::signatureTypes(ErrorId unclosed) {
  while (atType()) {
    TypeUse use = type("signature");
    typeStack_.push_back(use);
  }
  expect(TokenKind::RightParen, unclosed);
}

bool TextParser::signatureParts(std::size_t& middle) {
  if (depth_ >= kMaxNesting) {
    fail(ErrorId::ParseTypeTooDeep, std::to_string(kMaxNesting));
    return false;
  }
  ++depth_;
  advance();
  signatureTypes(ErrorId::ParseSignatureParameters);
  middle = typeStack_.size();
  expect(TokenKind::Arrow, ErrorId::ParseSignatureArrow);
  expect(TokenKind::LeftParen, ErrorId::ParseSignatureResultsOpen);
  signatureTypes(ErrorId::ParseSignatureResults);
  if (failed()) return false;
  --depth_;
  return true;
}

SigUse TextParser::inlineSignature(SourcePos pos) {
  std::size_t base = typeStack_.size(), middle = 0;
  if (!signatureParts(middle)) return {};
  std::span<const TypeUse> all(typeStack_);
  SigUse use = internSignature(all.subspan(base, middle - base), all.subspan(middle), pos);
  typeStack_.resize(base);
  return use;
}

SigUse TextParser::internSignature(std::span<const TypeUse> parameters, std::span<const TypeUse> results,
                                   SourcePos pos) {
  std::size_t hash = hashIds(hashIds(0, parameters), results);
  auto [first, last] = inlineSignatures_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    SignatureDef* known = it->second;
    if (sameIds(known->parameters, parameters) && sameIds(known->results, results))
      return {known, known->id, pos};
  }
  SignatureDef* def = builder_.newSignature(builder_.fresh(), pos);
  def->parameters = builder_.uses(parameters);
  def->results = builder_.uses(results);
  inlineSignatures_.emplace(hash, def);
  return {def, def->id, pos};
}

bool TextParser::unsignedNumber(ErrorId missing, ErrorId range, std::string_view context,
                                std::uint64_t& value, std::uint64_t max) {
  if (!at(TokenKind::Int)) {
    fail(missing, context);
    return false;
  }
  if (!parseUnsigned(token_.text, value) || value > max) {
    fail(range, context);
    return false;
  }
  advance();
  return true;
}

}  // namespace gaur::ir
