// Tokens with panic mode, and the definitions at top level.
#include "vm/ir/parser.h"

#include <limits>

#include "vm/ir/text_parser.h"

namespace gaur::ir {

namespace {

constexpr std::string_view kDirectives[] = {".typedef",  ".funcsig", ".const", ".global",
                                            ".funcdecl", ".funcdef", ".expose"};
constexpr char kBinaryMagic = '\x7F';
/// Hints need a search through all names; beyond so many errors they are left out.
constexpr std::size_t kErrorsWithHints = 50;

}  // namespace

void parse(const SourceText& source, Builder& builder, Diagnostics& diagnostics,
           const ParseOptions& options) {
  if (source.text.size() >= std::numeric_limits<SourcePos>::max()) {
    diagnostics.report(ErrorId::ParseTextTooLong, 0);
    return;
  }
  if (!source.text.empty() && source.text[0] == kBinaryMagic) {
    diagnostics.report(ErrorId::ParseBinaryIr, 1);
    return;
  }
  TextParser(source, builder, diagnostics, options).run();
}

TextParser::TextParser(const SourceText& source, Builder& builder, Diagnostics& diagnostics,
                       const ParseOptions& options)
    : source_(source),
      builder_(builder),
      diagnostics_(diagnostics),
      options_(options),
      lexer_(source.text, diagnostics) {}

void TextParser::run() {
  skipToken();
  while (!at(TokenKind::End)) {
    if (!panic_) definition();
    if (panic_) recoverToDefinition();
  }
  diagnostics_.sortByPosition();
}

// --- Tokens --------------------------------------------------------------------------------------

const Token& TextParser::peek() {
  if (panic_) return token_;
  if (!hasAhead_) {
    ahead_ = lexer_.next();
    hasAhead_ = true;
  }
  return ahead_;
}

void TextParser::skipToken() {
  token_ = hasAhead_ ? ahead_ : lexer_.next();
  hasAhead_ = false;
}

void TextParser::advance() {
  if (panic_) return;
  skipToken();
  if (token_.kind == TokenKind::Error) {  // reported by the lexer
    panic_ = true;
    panicToken_ = token_;
  }
}

bool TextParser::accept(TokenKind kind) {
  if (!at(kind)) return false;
  advance();
  return true;
}

bool TextParser::acceptWord(std::string_view word) {
  if (!atWord(word)) return false;
  advance();
  return true;
}

bool TextParser::expect(TokenKind kind, ErrorId id, std::string_view context, std::string_view detail) {
  if (accept(kind)) return true;
  fail(id, context, detail);
  return false;
}

void TextParser::fail(ErrorId id, std::string_view context, std::string_view detail) {
  failAt(token_.pos, id, {describe(token_), context, detail});
}

void TextParser::failAt(SourcePos pos, ErrorId id, std::initializer_list<std::string_view> arguments) {
  if (panic_) return;
  if (!at(TokenKind::Error)) diagnostics_.report(id, pos, arguments);
  panic_ = true;
  panicToken_ = token_;
  token_.kind = TokenKind::Error;
}

void TextParser::complain(SourcePos pos, ErrorId id, std::initializer_list<std::string_view> arguments) {
  if (!panic_) diagnostics_.report(id, pos, arguments);
}

void TextParser::endPanic() {
  panic_ = false;
  token_ = panicToken_;
  typeStack_.clear();
  depth_ = 0;
}

void TextParser::later(Later what, SourcePos pos) {
  if (!options_.warnAboutDialect) return;
  bool& warned = warnedLater_[static_cast<std::size_t>(what)];
  if (warned) return;
  warned = true;
  constexpr std::string_view kWhat[] = {"a name without @ or %",
                                        "a type in place of its name",
                                        "a signature in place of its name",
                                        "a constant in place of its name",
                                        "a function without VERSION before its signature",
                                        "RET without operands or parentheses",
                                        "status flags",
                                        "EXTERN"};
  diagnostics_.warn(ErrorId::ParseLaterDialect, pos, {kWhat[static_cast<std::size_t>(what)]});
}

bool TextParser::wantsHints() const { return !panic_ && diagnostics_.errorTotal() < kErrorsWithHints; }

Id TextParser::symbol(std::string_view name) {
  auto [entry, isNew] = symbols_.insert(name, kNoId);
  if (isNew) entry->value = builder_.symbol(name);
  return entry->value;
}

// --- Definitions ---------------------------------------------------------------------------------

void TextParser::recoverToDefinition() {
  endPanic();
  lexer_.setQuiet(true);
  while (!at(TokenKind::Directive) && !at(TokenKind::End)) skipToken();
  lexer_.setQuiet(false);
}

void TextParser::definition() {
  if (!at(TokenKind::Directive)) return unknownDefinition();
  std::string_view word = token_.text;
  if (word == ".typedef") return typeDefinition();
  if (word == ".funcsig") return signatureDefinition();
  if (word == ".const") return constantDefinition();
  if (word == ".global") return globalDefinition();
  if (word == ".funcdecl") return functionDeclaration();
  if (word == ".funcdef") return functionDefinition();
  if (word == ".expose") return exposeDefinition();
  std::string hint = nearHint(word, kDirectives);
  fail(ErrorId::ParseDirectiveUnknown, hint);
  // Recovery stops at directives: this one must not stop it again.
  panicToken_.kind = TokenKind::Error;
}

void TextParser::unknownDefinition() {
  if (at(TokenKind::RightBrace)) {
    complain(token_.pos, ErrorId::ParseBraceStray, {});
    return advance();
  }
  bool isInstruction = at(TokenKind::Word) ? instructionWord(token_.text).has_value()
                                           : token_.isName() && peek().kind == TokenKind::Equals;
  bool isLabel = token_.isName() && peek().kind == TokenKind::LeftParen;
  fail(isInstruction || isLabel ? ErrorId::ParseInstructionOutside : ErrorId::ParseDefinitionExpected);
}

Id TextParser::definitionName(std::string_view directive, SourcePos& pos) {
  pos = token_.pos;
  if (at(TokenKind::LocalName)) {
    fail(ErrorId::ParseDefinitionNameLocal, directive);
    return kNoId;
  }
  if (!token_.isName()) {
    fail(ErrorId::ParseDefinitionName, directive);
    return kNoId;
  }
  if (at(TokenKind::Word)) later(Later::BareName, pos);
  Id id = symbol(token_.content());
  advance();
  return id;
}

void TextParser::typeDefinition() {
  advance();
  SourcePos pos = 0;
  Id id = definitionName(".typedef", pos);
  expect(TokenKind::Equals, ErrorId::ParseDefinitionEquals, ".typedef");
  if (failed()) return;
  auto kind = at(TokenKind::Word) ? typeKind(token_.text) : std::nullopt;
  if (kind) {
    advance();
    TypeDef shape{};
    shape.kind = *kind;
    std::size_t base = typeStack_.size();
    typeArguments(shape);
    if (failed()) return;
    TypeDef* def = builder_.newType(id, *kind, pos);
    def->length = shape.length;
    def->signature = shape.signature;
    def->elements = builder_.uses(std::span<const TypeUse>(typeStack_).subspan(base));
    typeStack_.resize(base);
    return;
  }
  TypeUse aliased = type(".typedef");
  if (failed()) return;
  TypeDef* def = builder_.newType(id, TypeKind::Void, pos);
  def->isAlias = true;
  def->elements = builder_.uses(std::span<const TypeUse>(&aliased, 1));
}

void TextParser::signatureDefinition() {
  advance();
  SourcePos pos = 0;
  Id id = definitionName(".funcsig", pos);
  expect(TokenKind::Equals, ErrorId::ParseDefinitionEquals, ".funcsig");
  if (!at(TokenKind::LeftParen)) return fail(ErrorId::ParseSignatureOpen);
  std::size_t base = typeStack_.size(), middle = 0;
  if (!signatureParts(middle)) return;
  std::span<const TypeUse> all(typeStack_);
  SignatureDef* def = builder_.newSignature(id, pos);
  def->parameters = builder_.uses(all.subspan(base, middle - base));
  def->results = builder_.uses(all.subspan(middle));
  typeStack_.resize(base);
}

void TextParser::constantDefinition() {
  advance();
  SourcePos pos = 0;
  Id id = definitionName(".const", pos);
  expect(TokenKind::Less, ErrorId::ParseConstTypeOpen);
  TypeUse declared = type(".const");
  expect(TokenKind::Greater, ErrorId::ParseConstTypeClose);
  expect(TokenKind::Equals, ErrorId::ParseDefinitionEquals, ".const");
  ConstantValue value;
  if (failed() || !constantValue(value)) return;
  Constant* constant = builder_.newConstant(id, value.kind, declared.id, pos);
  constant->declaredType = declared;
  fillConstant(*constant, value);
}

void TextParser::globalDefinition() {
  advance();
  SourcePos pos = 0;
  Id id = definitionName(".global", pos);
  expect(TokenKind::Less, ErrorId::ParseGlobalTypeOpen);
  TypeUse cellType = type(".global");
  expect(TokenKind::Greater, ErrorId::ParseGlobalTypeClose);
  if (failed()) return;
  builder_.newGlobal(id, cellType.id, pos)->cellType = cellType;
}

void TextParser::functionDeclaration() {
  advance();
  SourcePos pos = 0;
  Id id = definitionName(".funcdecl", pos);
  expect(TokenKind::Less, ErrorId::ParseFuncdeclSigOpen);
  SigUse sig = signature(".funcdecl");
  expect(TokenKind::Greater, ErrorId::ParseFuncdeclSigClose);
  if (failed()) return;
  builder_.declareFunction(id, sig, pos);
  if (at(TokenKind::LeftBrace)) fail(ErrorId::ParseBodyInDeclaration);
}

void TextParser::functionDefinition() {
  advance();
  std::string_view name = token_.text;
  SourcePos pos = 0;
  Id id = definitionName(".funcdef", pos);
  Token versionName;
  SigUse sig;
  SourcePos sigPos = 0;
  while (!failed() && !at(TokenKind::LeftBrace)) {
    if (atWord("VERSION")) {
      if (versionName.pos != 0) return fail(ErrorId::ParseVersionTwice);
      if (sigPos != 0) later(Later::Version, token_.pos);
      advance();
      versionName = token_;
      if (!token_.isName()) return fail(ErrorId::ParseVersionName);
      advance();
    } else if (at(TokenKind::Less)) {
      if (sigPos != 0) return fail(ErrorId::ParseFuncdefSigTwice);
      advance();
      sigPos = token_.pos;
      sig = signature(".funcdef");
      expect(TokenKind::Greater, ErrorId::ParseFuncdefSigClose);
    } else {
      return fail(ErrorId::ParseFuncdefParts);
    }
  }
  if (sigPos == 0) fail(ErrorId::ParseFuncdefSigMissing);
  if (failed()) return;
  advance();
  if (versionName.pos == 0) later(Later::Version, pos);
  builder_.declareFunction(id, sig, pos);
  bool isNamed = versionName.pos != 0;
  FunctionVersion* version = builder_.newVersion(isNamed ? idForName(versionName) : builder_.fresh(), id,
                                                 isNamed ? versionName.pos : pos);
  version->function.pos = pos;
  version->signature = sig;
  if (isNamed) nameEntity(*version, versionName);
  bool hasOwnName = versionName.kind == TokenKind::GlobalName;
  std::string_view bareName = name.starts_with('@') ? name.substr(1) : name;
  bodyPrefix_ = hasOwnName ? std::string() : std::string(bareName) + ".";
  if (isNamed) bodyPrefix_ += std::string(versionName.content()) + ".";
  body(*version, name);
}

void TextParser::exposeDefinition() {
  advance();
  SourcePos pos = 0;
  Id id = definitionName(".expose", pos);
  expect(TokenKind::Equals, ErrorId::ParseDefinitionEquals, ".expose");
  if (!at(TokenKind::GlobalName) && !at(TokenKind::Word)) return fail(ErrorId::ParseExposeFunction);
  SourcePos functionPos = token_.pos;
  Id function = symbol(token_.content());
  advance();
  if (!at(TokenKind::Flag)) return fail(ErrorId::ParseExposeConvention);
  auto convention = callConv(token_.content());
  if (!convention) return fail(ErrorId::ParseConventionUnknown, ".expose");
  advance();
  if (!at(TokenKind::GlobalName) && !at(TokenKind::Word) && !at(TokenKind::Less))
    return fail(ErrorId::ParseExposeCookie);
  ValueUse cookie = globalValue();
  if (failed()) return;
  ExposedFunction* exposed = builder_.newExposed(id, function, *convention, cookie.id, pos);
  exposed->function.pos = functionPos;
  exposed->cookie.pos = cookie.pos;
}

}  // namespace gaur::ir
