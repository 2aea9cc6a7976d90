// Function bodies: blocks, the frame around each instruction (results and name), local names, and recovery
// after an error.
#include <cctype>

#include "vm/ir/text_parser.h"

namespace gaur::ir {

namespace {

/// Long functions are not searched to the end for a name that is near.
constexpr std::size_t kHintCandidates = 4096;
/// Any single letter is near to any other.
constexpr std::size_t kShortestHint = 2;

/// `isCandidate` tells of a value whether its name may be proposed.
template <class V, class F>
std::string nearName(NameMap<V>& names, std::string_view sigil, std::string_view name, F isCandidate) {
  if (name.size() < kShortestHint) return {};
  NearName finder(name);
  std::size_t left = kHintCandidates;
  for (const auto& entry : names.entries()) {
    if (left-- == 0) break;
    if (isCandidate(entry.value)) finder.offer(entry.name);
  }
  if (finder.best().empty()) return {};
  return "did you mean '" + std::string(sigil) + finder.best() + "'?";
}

constexpr std::string_view sigilOf(const Token& name) { return name.kind == TokenKind::LocalName ? "%" : ""; }

}  // namespace

// --- Names ---------------------------------------------------------------------------------------

Id TextParser::idForName(const Token& name) {
  return name.kind == TokenKind::GlobalName ? symbol(name.content()) : builder_.fresh();
}

void TextParser::nameEntity(Entity& entity, const Token& name) {
  // Global names come with the ID.
  if (name.kind != TokenKind::GlobalName) builder_.setName(entity, name.content(), true);
}

void TextParser::defineLocal(const Token& name, Entity* entity) {
  if (name.kind == TokenKind::GlobalName) return;
  if (name.kind == TokenKind::Word) later(Later::BareName, name.pos);
  auto [entry, isNew] = locals_.insert(name.content(), entity);
  if (isNew) return;
  if (entry->value && entity) {
    Diagnostic& warning = diagnostics_.warn(ErrorId::ParseLocalTwice, name.pos, {describe(name)});
    warning.notes.push_back({entry->value->pos, "the definition before"});
  }
  entry->value = entity;
}

ValueUse TextParser::globalUse(const Token& name) {
  // A local value may also be called by its full name, here or in any other bundle.
  std::string_view text = name.content();
  if (text.size() > blockPrefix_.size() && !blockPrefix_.empty() && text.starts_with(blockPrefix_)) {
    auto* entry = locals_.find(text.substr(blockPrefix_.size()));
    bool isValue = entry && entry->value && entry->value->entityKind != EntityKind::Instruction;
    if (isValue) return {static_cast<Value*>(entry->value), entry->value->id, name.pos};
  }
  return {nullptr, symbol(text), name.pos};
}

ValueUse TextParser::localValue(const Token& name) {
  if (auto* entry = locals_.find(name.content())) {
    Entity* entity = entry->value;
    if (!entity) return {};
    if (entity->entityKind == EntityKind::Instruction) {
      complain(name.pos, ErrorId::ParseLocalNotValue, {describe(name)});
      return {};
    }
    return {static_cast<Value*>(entity), entity->id, name.pos};
  }
  if (name.kind == TokenKind::Word) {
    later(Later::BareName, name.pos);
    return globalUse(name);
  }
  if (localsPoisoned_) return {};
  auto* block = blocks_.find(name.content());
  if (block && block->value.block) {
    complain(name.pos, ErrorId::ParseLocalIsBlock, {describe(name)});
  } else {
    std::string hint = wantsHints() ? nearName(locals_, sigilOf(name), name.content(),
                                               [](Entity* e) { return e != nullptr; })
                                    : std::string();
    complain(name.pos, ErrorId::ParseLocalUndefined, {describe(name), hint});
  }
  locals_.insert(name.content(), nullptr);
  return {};
}

// --- Blocks --------------------------------------------------------------------------------------

void TextParser::body(FunctionVersion& version, std::string_view functionName) {
  blocks_.clear();
  blockList_.clear();
  fullNameDests_.clear();
  blocksPoisoned_ = false;
  std::string shownFunction = "'" + std::string(functionName) + "'";
  if (at(TokenKind::RightBrace)) {
    complain(version.pos, ErrorId::ParseBodyEmpty, {shownFunction});
  }
  while (!at(TokenKind::RightBrace) && !at(TokenKind::End) && !at(TokenKind::Directive)) {
    BasicBlock* block = nullptr;
    SourcePos start = token_.pos;
    locals_.clear();
    localsPoisoned_ = false;
    switchBraces_ = 0;
    if (atLabel()) {
      block = label(version);
    } else {
      fail(ErrorId::ParseLabelExpected);
      localsPoisoned_ = true;
    }
    if (panic_) {
      localsPoisoned_ = true;
      blocksPoisoned_ |= block == nullptr;
      recoverInBody(start);
    }
    // Instructions without a block are still read, to find their errors.
    if (!block) block = builder_.arena().make<BasicBlock>();
    blockInstructions(*block);
  }
  version.blocks = builder_.uses(std::span<const Use<BasicBlock>>(blockList_));
  finishBody(version);
  if (at(TokenKind::RightBrace)) return advance();
  fail(ErrorId::ParseBodyUnclosed, shownFunction);
}

void TextParser::finishBody(FunctionVersion& version) {
  version.bundle = &builder_.bundle();
  for (Dest* dest : fullNameDests_) {
    std::string_view name = builder_.symbolName(dest->block.id);
    auto* entry = name.size() > bodyPrefix_.size() ? blocks_.find(name.substr(bodyPrefix_.size())) : nullptr;
    if (entry && entry->value.block) dest->block = {entry->value.block, entry->value.id, dest->block.pos};
  }
  if (blocksPoisoned_) return;
  for (const auto& entry : blocks_.entries()) {
    if (entry.value.block) continue;
    std::string_view sigil = source_.text[entry.value.firstUse - 1] == '%' ? "%" : "";
    std::string hint;
    if (wantsHints())
      hint =
          nearName(blocks_, sigil, entry.name, [](const BlockName& other) { return other.block != nullptr; });
    std::string shown = shownName(entry.value.firstUse, entry.name);
    complain(entry.value.firstUse, ErrorId::ParseBlockUndefined, {shown, hint});
  }
}

std::string TextParser::shownName(SourcePos pos, std::string_view name) const {
  char first = source_.text[pos - 1];
  std::string sigil = first == '%' || first == '@' ? std::string(1, first) : std::string();
  return "'" + sigil + std::string(name) + "'";
}

TextParser::BlockName& TextParser::blockName(const Token& name) {
  auto [entry, isNew] = blocks_.insert(name.content(), {kNoId, nullptr, name.pos});
  if (isNew) entry->value.id = builder_.fresh();
  return entry->value;
}

bool TextParser::atLabel() {
  if (!token_.isName()) return false;
  TokenKind after = peek().kind;
  if (after == TokenKind::Colon) return true;
  if (after != TokenKind::LeftParen) return false;
  if (!at(TokenKind::Word)) return true;
  if (instructionWord(token_.text)) return false;
  // `CAL (%x)` is a misspelt instruction rather than a block.
  bool isAllCapitals =
      token_.text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string_view::npos;
  return !isAllCapitals || instructionHint(token_.text).empty();
}

BasicBlock* TextParser::label(FunctionVersion& version) {
  Token name = token_;
  advance();
  BlockName* known = nullptr;
  if (name.kind != TokenKind::GlobalName) {
    known = &blockName(name);
    if (known->block) {
      Diagnostic& error = diagnostics_.report(ErrorId::ParseBlockTwice, name.pos, {describe(name)});
      error.notes.push_back({known->block->pos, "the first definition"});
      known->id = builder_.fresh();
    }
  }
  BasicBlock* block = builder_.newBlock(known ? known->id : symbol(name.content()), name.pos);
  if (known) known->block = block;
  nameEntity(*block, name);
  bool isGlobal = name.kind == TokenKind::GlobalName;
  blockPrefix_ = (isGlobal ? "" : bodyPrefix_) + std::string(name.content()) + ".";
  block->version = &version;
  block->index = static_cast<std::uint32_t>(blockList_.size());
  blockList_.push_back({block, block->id, name.pos});
  if (accept(TokenKind::LeftParen)) labelParameters(*block);
  if (accept(TokenKind::LeftBracket)) exceptionParameter(*block);
  expect(TokenKind::Colon, ErrorId::ParseLabelColon);
  return block;
}

void TextParser::labelParameters(BasicBlock& block) {
  types_.clear();
  resultNames_.clear();
  while (!at(TokenKind::RightParen) && !failed()) {
    expect(TokenKind::Less, ErrorId::ParseLabelParameter);
    TypeUse declared = type("label");
    expect(TokenKind::Greater, ErrorId::ParseLabelTypeClose);
    Token name = token_;
    if (!token_.isName()) fail(ErrorId::ParseLabelParameterName);
    advance();
    if (failed() && !name.isName()) break;
    types_.push_back(declared);
    resultNames_.push_back(name);
  }
  accept(TokenKind::RightParen);
  block.parameters = builder_.arena().makeArray<Parameter>(types_.size());
  for (std::size_t i = 0; i < types_.size(); ++i) {
    Parameter& parameter = block.parameters[i];
    const Token& name = resultNames_[i];
    parameter.entityKind = EntityKind::Parameter;
    parameter.id = idForName(name);
    parameter.pos = name.pos;
    parameter.declaredType = types_[i];
    parameter.block = &block;
    parameter.index = static_cast<std::uint32_t>(i);
    builder_.define(&parameter);
    nameEntity(parameter, name);
    defineLocal(name, &parameter);
  }
}

void TextParser::exceptionParameter(BasicBlock& block) {
  Token name = token_;
  if (!token_.isName()) fail(ErrorId::ParseLabelExcName);
  advance();
  expect(TokenKind::RightBracket, ErrorId::ParseLabelExcClose);
  if (failed()) return;
  auto* parameter = builder_.arena().make<Parameter>();
  parameter->entityKind = EntityKind::Parameter;
  parameter->id = idForName(name);
  parameter->pos = name.pos;
  parameter->block = &block;
  parameter->index = static_cast<std::uint32_t>(block.parameters.size());
  builder_.define(parameter);
  nameEntity(*parameter, name);
  defineLocal(name, parameter);
  block.exceptionParameter = parameter;
}

void TextParser::blockInstructions(BasicBlock& block) {
  instructions_.clear();
  bool isComplete = !localsPoisoned_;
  while (!at(TokenKind::RightBrace) && !at(TokenKind::End) && !at(TokenKind::Directive) && !atLabel()) {
    SourcePos start = token_.pos;
    resultNames_.clear();
    resultsEntered_ = false;
    switchBraces_ = 0;
    instruction(block);
    if (!panic_) continue;
    isComplete = false;
    if (!resultsEntered_) enterResults(nullptr);
    recoverInBody(start);
  }
  block.instructions = builder_.uses(std::span<const Use<Instruction>>(instructions_));
  if (block.instructions.empty() && isComplete) {
    complain(block.pos, ErrorId::ParseBlockEmpty, {shownName(block.pos, block.name())});
  }
}

bool TextParser::atStatementStart() {
  if (!token_.atLineStart) return false;
  switch (token_.kind) {
    case TokenKind::LeftBracket:
    case TokenKind::LeftParen: return true;
    case TokenKind::Word:
      if (instructionWord(token_.text)) return true;
      [[fallthrough]];
    case TokenKind::GlobalName:
    case TokenKind::LocalName: {
      TokenKind after = peek().kind;
      return after == TokenKind::Equals || after == TokenKind::LeftParen || after == TokenKind::Colon;
    }
    default: return false;
  }
}

void TextParser::recoverInBody(SourcePos statementStart) {
  endPanic();
  lexer_.setQuiet(true);
  bool mustMove = token_.pos == statementStart;
  for (;; skipToken()) {
    if (mustMove && token_.pos == statementStart && !at(TokenKind::End)) continue;
    if (at(TokenKind::End) || at(TokenKind::Directive)) break;
    if (at(TokenKind::LeftBrace)) ++switchBraces_;
    if (at(TokenKind::RightBrace)) {
      if (switchBraces_ == 0) break;
      --switchBraces_;
      continue;
    }
    // The cases of a SWITCH look like labels.
    if (switchBraces_ == 0 && atStatementStart()) break;
  }
  lexer_.setQuiet(false);
}

// --- Instructions --------------------------------------------------------------------------------

bool TextParser::resultNames() {
  if (accept(TokenKind::LeftParen)) {
    while (token_.isName()) {
      resultNames_.push_back(token_);
      advance();
    }
    if (!expect(TokenKind::RightParen, ErrorId::ParseResultName)) return false;
    return expect(TokenKind::Equals, ErrorId::ParseResultEquals);
  }
  if (at(TokenKind::Word) && peek().kind != TokenKind::Equals) return true;
  if (!token_.isName()) return true;
  resultNames_.push_back(token_);
  advance();
  return expect(TokenKind::Equals, ErrorId::ParseResultEquals);
}

bool TextParser::atResultList() {
  if (!at(TokenKind::LeftParen) || !token_.atLineStart) return false;
  Token token = peek();
  Lexer ahead = lexer_;
  ahead.setQuiet(true);
  while (token.isName()) token = ahead.next();
  return token.kind == TokenKind::RightParen && ahead.next().kind == TokenKind::Equals;
}

std::string TextParser::instructionHint(std::string_view word) const {
  static const std::vector<std::string_view> words = [] {
    std::vector<std::string_view> all;
#define GAUR_OPCODE(Name, Text, Flags) \
  if (!std::string_view(Text).empty()) all.push_back(Text);
#include "vm/ir/opcodes.def"
#define GAUR_BINOP(Name, Text, Code, Class) all.push_back(Text);
#define GAUR_CMPOP(Name, Text, Code, Class) all.push_back(Text);
#define GAUR_CONVOP(Name, Text, Code)       all.push_back(Text);
#include "vm/ir/operators.def"
    return all;
  }();
  std::string capitals(word);
  for (char& c : capitals) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (instructionWord(capitals)) return "did you mean '" + capitals + "'?";
  return nearHint(capitals, words);
}

void TextParser::unknownInstruction() {
  if (!at(TokenKind::Word)) return fail(ErrorId::ParseInstructionExpected);
  if (peek().kind == TokenKind::Equals) return fail(ErrorId::ParseInstructionExpected);
  std::string hint = wantsHints() ? instructionHint(token_.text) : std::string();
  fail(ErrorId::ParseInstructionUnknown, hint);
}

void TextParser::enterResults(Instruction* instruction) {
  resultsEntered_ = true;
  for (std::size_t i = 0; i < resultNames_.size(); ++i) {
    defineLocal(resultNames_[i], instruction ? &instruction->results[i] : nullptr);
  }
}

void TextParser::instruction(BasicBlock& block) {
  SourcePos start = token_.pos;
  if (!resultNames()) {
    localsPoisoned_ = true;
    return;
  }
  Token name;
  if (accept(TokenKind::LeftBracket)) {
    name = token_;
    if (!token_.isName()) return fail(ErrorId::ParseInstructionName);
    advance();
    expect(TokenKind::RightBracket, ErrorId::ParseInstructionNameClose);
  }
  auto word = at(TokenKind::Word) ? instructionWord(token_.text) : std::nullopt;
  if (!word || peek().kind == TokenKind::Equals) {
    // A misspelt word at the start of a statement gives no results; anything else may have been meant to.
    localsPoisoned_ |= resultNames_.empty() && token_.pos == start && !at(TokenKind::Word);
    return unknownInstruction();
  }
  word_ = token_.text;
  bool isNamed = name.pos != 0;
  Instruction* instruction = builder_.newInstruction(isNamed ? idForName(name) : builder_.fresh(),
                                                     word->opcode, isNamed ? name.pos : token_.pos);
  advance();
  instruction->operation = word->operation;
  instruction->block = &block;
  if (isNamed) {
    nameEntity(*instruction, name);
    defineLocal(name, instruction);
  }
  resultIds_.clear();
  resultPositions_.clear();
  for (const Token& result : resultNames_) {
    resultIds_.push_back(idForName(result));
    resultPositions_.push_back(result.pos);
  }
  std::span<Result> results = builder_.newResults(instruction, resultIds_, resultPositions_);
  for (std::size_t i = 0; i < results.size(); ++i) nameEntity(results[i], resultNames_[i]);
  parseParts(*instruction);
  instructions_.push_back({instruction, instruction->id, instruction->pos});
}

// --- Operands ------------------------------------------------------------------------------------

bool TextParser::atOperand() {
  if (at(TokenKind::Less)) return true;
  if (!token_.isName()) return false;
  // A name on a new line may begin the next statement or block, but only where such a thing follows it.
  if (token_.atLineStart) {
    if (at(TokenKind::Word) && instructionWord(token_.text) && !locals_.find(token_.text)) return false;
    TokenKind after = peek().kind;
    return after != TokenKind::Equals && after != TokenKind::LeftParen && after != TokenKind::Colon;
  }
  return true;
}

ValueUse TextParser::operand(std::string_view context, std::string_view what) {
  if (!atOperand()) {
    if (at(TokenKind::Int) || at(TokenKind::Float)) {
      fail(ErrorId::ParseBareLiteral);
    } else {
      fail(ErrorId::ParseOperandExpected, context, what);
    }
    return {};
  }
  if (at(TokenKind::Less)) return inlineConstant();
  Token name = token_;
  advance();
  if (name.kind == TokenKind::Word && name.text == "NULL" && !locals_.find(name.text)) {
    failAt(name.pos, ErrorId::ParseBareLiteral, {describe(name)});
    return {};
  }
  return name.kind == TokenKind::GlobalName ? globalUse(name) : localValue(name);
}

void TextParser::operands(Instr, std::initializer_list<std::string_view> what) {
  for (std::string_view part : what) operands_.push_back(operand(word_, part));
}

void TextParser::arguments(std::vector<ValueUse>& out, std::string_view context) {
  while (!at(TokenKind::RightParen) && !failed()) {
    if (!token_.isName() && !at(TokenKind::Less)) {
      bool isLiteral = at(TokenKind::Int) || at(TokenKind::Float);
      return fail(isLiteral ? ErrorId::ParseBareLiteral : ErrorId::ParseArgumentExpected, context);
    }
    out.push_back(operand(context, "an argument"));
  }
  accept(TokenKind::RightParen);
}

void TextParser::dest(Instr i) {
  if (!resultsEntered_) enterResults(&i);
  bool isName =
      token_.isName() && !(at(TokenKind::Word) && token_.atLineStart && instructionWord(token_.text));
  if (!isName) return fail(ErrorId::ParseDestExpected, word_);
  Token name = token_;
  advance();
  if (!at(TokenKind::LeftParen)) return fail(ErrorId::ParseDestOpen, word_);
  Dest* dest = builder_.newDest(kNoId, name.pos);
  dest->block.pos = name.pos;
  if (name.kind == TokenKind::GlobalName) {
    dest->block.id = symbol(name.content());
    if (name.content().starts_with(bodyPrefix_)) fullNameDests_.push_back(dest);
  } else {
    const BlockName& block = blockName(name);
    dest->block = {block.block, block.id, name.pos};
  }
  advance();
  arguments_.clear();
  arguments(arguments_, describe(name));
  dest->arguments = builder_.uses(std::span<const ValueUse>(arguments_));
  dests_.push_back({dest, kNoId, name.pos});
}

}  // namespace gaur::ir
