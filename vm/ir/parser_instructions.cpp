// The parts of each instruction after its word: one function an opcode, most of them a line of the families
// they belong to.
#include <limits>

#include "vm/ir/text_parser.h"

namespace gaur::ir {

namespace {
constexpr std::uint64_t kMaxImmediate = std::numeric_limits<std::uint32_t>::max();
}

void TextParser::parseParts(Instr i) {
  using Method = void (TextParser::*)(Instr);
  static constexpr Method kMethods[] = {
#define GAUR_OPCODE(Name, Text, Flags) &TextParser::parse##Name,
#include "vm/ir/opcodes.def"
  };
  types_.clear();
  sigs_.clear();
  operands_.clear();
  keepalives_.clear();
  dests_.clear();
  (this->*kMethods[static_cast<std::size_t>(i.opcode)])(i);
  clauses(i);
  i.types = builder_.uses(std::span<const TypeUse>(types_));
  i.sigs = builder_.uses(std::span<const SigUse>(sigs_));
  i.operands = builder_.uses(std::span<const ValueUse>(operands_));
  i.dests = builder_.uses(std::span<const Use<Dest>>(dests_));
  i.keepalives = builder_.uses(std::span<const ValueUse>(keepalives_));
}

// --- Parts that several opcodes share ------------------------------------------------------------

void TextParser::typesOpen(std::string_view what) {
  if (accept(TokenKind::Less)) return;
  if (atWord("PTR")) return failAt(token_.pos, ErrorId::ParsePtrNotAllowed, {word_});
  if (atWord("WEAK")) return failAt(token_.pos, ErrorId::ParseWeakNotAllowed, {word_});
  if (at(TokenKind::Word) && memoryOrder(token_.text)) return fail(ErrorId::ParseOrderNotAllowed, word_);
  fail(ErrorId::ParseTypeListOpen, word_, what);
}

void TextParser::types(Instr, unsigned count, std::string_view what) {
  typesOpen(what);
  for (unsigned n = 0; n < count; ++n) types_.push_back(type(word_));
  expect(TokenKind::Greater, ErrorId::ParseTypeListClose, word_);
}

void TextParser::typeList(Instr, std::vector<TypeUse>& out) {
  typesOpen("types");
  while (atType()) out.push_back(type(word_));
  expect(TokenKind::Greater, ErrorId::ParseTypeListClose, word_);
}

void TextParser::callSignature(Instr) {
  typesOpen("a signature");
  sigs_.push_back(signature(word_));
  expect(TokenKind::Greater, ErrorId::ParseTypeListClose, word_);
}

void TextParser::typeAndIndex(Instr i) {
  typesOpen("a type and an index");
  types_.push_back(type(word_));
  std::uint64_t index = 0;
  unsignedNumber(ErrorId::ParseIndexExpected, ErrorId::ParseIndexRange, word_, index, kMaxImmediate);
  i.immediate = static_cast<std::uint32_t>(index);
  expect(TokenKind::Greater, ErrorId::ParseTypeListClose, word_);
}

void TextParser::ptrFlag(Instr i) { i.isPtr = acceptWord("PTR"); }

void TextParser::order(Instr, MemoryOrder& out, bool isRequired) {
  if (!at(TokenKind::Word)) {
    if (isRequired) fail(ErrorId::ParseOrderExpected, word_);
    return;
  }
  auto found = memoryOrder(token_.text);
  if (!found) {
    std::vector<std::string_view> words;
#define GAUR_ORDER(Name, Text, Code) words.push_back(Text);
#include "vm/ir/operators.def"
    if (token_.text == "WEAK") return failAt(token_.pos, ErrorId::ParseWeakNotAllowed, {word_});
    return fail(ErrorId::ParseOrderUnknown, word_, nearHint(token_.text, words));
  }
  out = *found;
  advance();
}

void TextParser::statusFlags(Instr i) {
  if (!at(TokenKind::LeftBracket)) return;
  later(Later::StatusFlags, token_.pos);
  advance();
  while (at(TokenKind::Flag)) {
    auto flag = statusFlag(token_.content());
    if (!flag) return fail(ErrorId::ParseStatusFlagUnknown, word_);
    auto bit = static_cast<std::uint8_t>(*flag);
    if ((i.status & bit) != 0) return fail(ErrorId::ParseStatusFlagTwice, word_);
    i.status |= bit;
    advance();
  }
  expect(TokenKind::RightBracket, ErrorId::ParseStatusFlagsClose, word_);
}

void TextParser::callRest(Instr i) {
  operands(i, {"the function to call"});
  expect(TokenKind::LeftParen, ErrorId::ParseArgumentsOpen, word_);
  arguments(operands_, word_);
}

void TextParser::watchpointId(Instr i) {
  std::uint64_t id = 0;
  unsignedNumber(ErrorId::ParseWatchpointId, ErrorId::ParseWatchpointIdRange, word_, id, kMaxImmediate);
  i.immediate = static_cast<std::uint32_t>(id);
}

// --- Arithmetic ----------------------------------------------------------------------------------

void TextParser::parseBinOp(Instr i) {
  statusFlags(i);
  types(i, 1, "the type of the operands");
  operands(i, {"the first operand", "the second operand"});
}

void TextParser::parseCmp(Instr i) {
  types(i, 1, "the type of the operands");
  operands(i, {"the first operand", "the second operand"});
}

void TextParser::parseConv(Instr i) {
  types(i, 2, "the types to convert from and to");
  operands(i, {"the value"});
}

void TextParser::parseSelect(Instr i) {
  types(i, 2, "the types of the condition and the values");
  operands(i, {"the condition", "the value if true", "the value if false"});
}

// --- Control flow --------------------------------------------------------------------------------

void TextParser::parseBranch(Instr i) { dest(i); }

void TextParser::parseBranch2(Instr i) {
  operands(i, {"the condition"});
  dest(i);
  dest(i);
}

void TextParser::switchCases(Instr i) {
  while (!at(TokenKind::RightBrace) && !failed()) {
    if (!token_.isName() && !at(TokenKind::Less)) {
      bool isLiteral = at(TokenKind::Int) || at(TokenKind::Float);
      return fail(isLiteral ? ErrorId::ParseBareLiteral : ErrorId::ParseSwitchCase);
    }
    if (at(TokenKind::Less)) {
      operands_.push_back(inlineConstant());
    } else {
      // Each case may stand on a line of its own, so that what looks like a label is none.
      Token name = token_;
      if (peek().kind == TokenKind::Equals || peek().kind == TokenKind::LeftParen)
        return fail(ErrorId::ParseSwitchCase);
      advance();
      operands_.push_back(name.kind == TokenKind::GlobalName ? globalUse(name) : localValue(name));
    }
    dest(i);
  }
}

void TextParser::parseSwitch(Instr i) {
  types(i, 1, "the type of the value");
  operands(i, {"the value"});
  dest(i);
  if (!expect(TokenKind::LeftBrace, ErrorId::ParseSwitchOpen)) return;
  switchBraces_ = 1;
  switchCases(i);
  if (failed()) return;
  switchBraces_ = 0;
  advance();
}

void TextParser::parseCall(Instr i) {
  callSignature(i);
  callRest(i);
}

void TextParser::parseTailCall(Instr i) {
  callSignature(i);
  callRest(i);
}

void TextParser::parseRet(Instr) {
  if (at(TokenKind::LeftParen) && !atResultList()) {
    advance();
    return arguments(operands_, word_);
  }
  if (!atOperand()) {
    if (at(TokenKind::Int) || at(TokenKind::Float)) return fail(ErrorId::ParseBareLiteral);
    return later(Later::BareRet, token_.pos);
  }
  while (atOperand() && !failed()) {
    // An operand is never followed by these, but a label or a statement on the same line is.
    if (token_.isName() && (peek().kind == TokenKind::LeftParen || peek().kind == TokenKind::Colon ||
                            peek().kind == TokenKind::Equals))
      break;
    operands_.push_back(operand(word_, "a value"));
  }
}

void TextParser::parseThrow(Instr i) { operands(i, {"the exception"}); }

// --- Composite values ----------------------------------------------------------------------------

void TextParser::parseExtractValue(Instr i) {
  typeAndIndex(i);
  operands(i, {"the struct"});
}

void TextParser::parseInsertValue(Instr i) {
  typeAndIndex(i);
  operands(i, {"the struct", "the new value"});
}

void TextParser::parseExtractElement(Instr i) {
  types(i, 2, "the types of the sequence and the index");
  operands(i, {"the sequence", "the index"});
}

void TextParser::parseInsertElement(Instr i) {
  types(i, 2, "the types of the sequence and the index");
  operands(i, {"the sequence", "the index", "the new value"});
}

void TextParser::parseShuffleVector(Instr i) {
  types(i, 2, "the types of the vectors and the mask");
  operands(i, {"the first vector", "the second vector", "the mask"});
}

// --- Allocation and addresses --------------------------------------------------------------------

void TextParser::parseNew(Instr i) { types(i, 1, "the type to allocate"); }
void TextParser::parseAlloca(Instr i) { types(i, 1, "the type to allocate"); }

void TextParser::parseNewHybrid(Instr i) {
  types(i, 2, "the types to allocate and of the length");
  operands(i, {"the length"});
}

void TextParser::parseAllocaHybrid(Instr i) {
  types(i, 2, "the types to allocate and of the length");
  operands(i, {"the length"});
}

void TextParser::parseGetIref(Instr i) {
  types(i, 1, "the referent type");
  operands(i, {"the reference"});
}

void TextParser::parseGetFieldIref(Instr i) {
  ptrFlag(i);
  typeAndIndex(i);
  operands(i, {"the location"});
}

void TextParser::parseGetElemIref(Instr i) {
  ptrFlag(i);
  types(i, 2, "the types of the sequence and the index");
  operands(i, {"the location", "the index"});
}

void TextParser::parseShiftIref(Instr i) {
  ptrFlag(i);
  types(i, 2, "the types of the element and the offset");
  operands(i, {"the location", "the offset"});
}

void TextParser::parseGetVarPartIref(Instr i) {
  ptrFlag(i);
  types(i, 1, "the hybrid type");
  operands(i, {"the location"});
}

// --- Memory --------------------------------------------------------------------------------------

void TextParser::parseLoad(Instr i) {
  ptrFlag(i);
  order(i, i.order, false);
  types(i, 1, "the referent type");
  operands(i, {"the location"});
}

void TextParser::parseStore(Instr i) {
  ptrFlag(i);
  order(i, i.order, false);
  types(i, 1, "the referent type");
  operands(i, {"the location", "the new value"});
}

void TextParser::parseCmpXchg(Instr i) {
  ptrFlag(i);
  i.isWeak = acceptWord("WEAK");
  order(i, i.order, true);
  order(i, i.failureOrder, true);
  types(i, 1, "the referent type");
  operands(i, {"the location", "the expected value", "the desired value"});
}

void TextParser::parseAtomicRmw(Instr i) {
  ptrFlag(i);
  order(i, i.order, true);
  if (!at(TokenKind::Word)) return fail(ErrorId::ParseRmwOperatorExpected);
  auto op = rmwOperator(token_.text);
  if (!op) {
    std::vector<std::string_view> words;
#define GAUR_RMWOP(Name, Text, Code) words.push_back(Text);
#include "vm/ir/operators.def"
    return fail(ErrorId::ParseRmwOperatorUnknown, nearHint(token_.text, words));
  }
  i.operation = static_cast<std::uint8_t>(*op);
  advance();
  types(i, 1, "the referent type");
  operands(i, {"the location", "the operand"});
}

void TextParser::parseFence(Instr i) { order(i, i.order, true); }

// --- Traps, native calls, threads ----------------------------------------------------------------

void TextParser::parseTrap(Instr i) { typeList(i, types_); }

void TextParser::parseWatchpoint(Instr i) {
  watchpointId(i);
  typeList(i, types_);
  dest(i);
  dest(i);
  wpExcClause(i);
}

void TextParser::parseWpBranch(Instr i) {
  watchpointId(i);
  dest(i);
  dest(i);
}

void TextParser::parseCCall(Instr i) {
  if (!at(TokenKind::Flag)) return fail(ErrorId::ParseConventionExpected, word_);
  auto convention = callConv(token_.content());
  if (!convention) return fail(ErrorId::ParseConventionUnknown, word_);
  i.convention = *convention;
  advance();
  typesOpen("the type of the callee and its signature");
  types_.push_back(type(word_));
  sigs_.push_back(signature(word_));
  expect(TokenKind::Greater, ErrorId::ParseTypeListClose, word_);
  callRest(i);
}

void TextParser::parseNewThread(Instr i) {
  operands(i, {"the stack"});
  if (acceptWord("THREADLOCAL")) {
    expect(TokenKind::LeftParen, ErrorId::ParseClauseOpen, "THREADLOCAL");
    operands(i, {"the thread-local reference"});
    i.hasThreadLocal = true;
    expect(TokenKind::RightParen, ErrorId::ParseClauseClose, "THREADLOCAL");
  }
  newStackClause(i);
}

void TextParser::parseSwapStack(Instr i) {
  operands(i, {"the stack"});
  if (acceptWord("KILL_OLD")) {
    i.killOld = true;
  } else if (acceptWord("RET_WITH")) {
    typeList(i, types_);
  } else {
    return fail(ErrorId::ParseCurStackExpected);
  }
  i.immediate = static_cast<std::uint32_t>(types_.size());
  newStackClause(i);
}

std::vector<CallConv> TextParser::commonInstFlags() {
  std::vector<CallConv> flags;
  if (!at(TokenKind::LeftBracket)) return flags;
  // Without flags and arguments, this may be the name of the next instruction.
  if (TokenKind next = peek().kind; next == TokenKind::LocalName || next == TokenKind::GlobalName)
    return flags;
  advance();
  while (at(TokenKind::Flag)) {
    auto convention = callConv(token_.content());
    if (!convention) {
      fail(ErrorId::ParseConventionUnknown, word_);
      return flags;
    }
    flags.push_back(*convention);
    advance();
  }
  expect(TokenKind::RightBracket, ErrorId::ParseCommonInstFlagsClose);
  return flags;
}

void TextParser::parseCommInst(Instr i) {
  if (!at(TokenKind::GlobalName) && !at(TokenKind::Word)) return fail(ErrorId::ParseCommonInstName);
  const CommonInstInfo* common = commonInst(token_.content());
  if (!common) {
    std::vector<std::string_view> names;
#define GAUR_COMMINST(Name, Text, ...) names.push_back(Text);
#include "vm/ir/common_insts.def"
    return fail(ErrorId::ParseCommonInstUnknown, nearHint(token_.content(), names));
  }
  i.common = common->id;
  advance();
  i.flags = builder_.arena().copy(std::span<const CallConv>(commonInstFlags()));
  if (at(TokenKind::Less)) typeList(i, types_);
  if (accept(TokenKind::LessBracket)) {
    while (atSignature()) sigs_.push_back(signature(word_));
    expect(TokenKind::BracketGreater, ErrorId::ParseSigListClose);
  }
  if (at(TokenKind::LeftParen) && !atResultList()) {
    advance();
    arguments(operands_, word_);
  }
}

}  // namespace gaur::ir
