// The parser proper, private to the parser's files. Recursive descent with one token of look-ahead. After the
// first error in a statement the current token becomes TokenKind::Error, which nothing accepts: every loop
// ends and nothing more is reported until recovery takes up the real token again at the next statement.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "vm/ir/lexer.h"
#include "vm/ir/name_map.h"
#include "vm/ir/parser.h"
#include "vm/support/near_name.h"

namespace gaur::ir {

class TextParser {
 public:
  TextParser(const SourceText& source, Builder& builder, Diagnostics& diagnostics,
             const ParseOptions& options);
  void run();

 private:
  using Instr = Instruction&;

  // --- Tokens (parser.cpp) -----------------------------------------------------------------------
  bool at(TokenKind kind) const { return token_.kind == kind; }
  bool atWord(std::string_view word) const { return at(TokenKind::Word) && token_.text == word; }
  const Token& peek();
  void advance();
  bool accept(TokenKind kind);
  bool acceptWord(std::string_view word);
  /// Consumes a token of this kind; otherwise reports `id` with the token found as {0} and `context`,
  /// `detail` as {1}, {2}.
  bool expect(TokenKind kind, ErrorId id, std::string_view context = {}, std::string_view detail = {});
  void fail(ErrorId id, std::string_view context = {}, std::string_view detail = {});
  /// Reports at another place than the current token.
  void failAt(SourcePos pos, ErrorId id, std::initializer_list<std::string_view> arguments);
  /// A wrong meaning in a well-formed statement, which goes on.
  void complain(SourcePos pos, ErrorId id, std::initializer_list<std::string_view> arguments);
  bool failed() const { return panic_; }
  void skipToken();
  void endPanic();
  /// Warns, once for each kind of thing, about what only the later dialect has.
  enum class Later {
    BareName,
    InlineType,
    InlineSignature,
    InlineConstant,
    Version,
    BareRet,
    StatusFlags,
    Extern,
    Count
  };
  void later(Later what, SourcePos pos);
  bool wantsHints() const;
  std::string instructionHint(std::string_view word) const;

  // --- Definitions (parser.cpp) ------------------------------------------------------------------
  void definition();
  void unknownDefinition();
  void recoverToDefinition();
  void typeDefinition();
  void signatureDefinition();
  void constantDefinition();
  void globalDefinition();
  void functionDeclaration();
  void functionDefinition();
  void exposeDefinition();
  /// Consumes the name of a definition; kNoId after an error. `pos` gets its place.
  Id definitionName(std::string_view directive, SourcePos& pos);

  // --- Types and signatures (parser_types.cpp) ---------------------------------------------------
  TypeUse type(std::string_view context);
  bool atType() const { return token_.isName(); }
  SigUse signature(std::string_view context);
  bool atSignature() const { return token_.isName() || at(TokenKind::LeftParen); }
  TypeUse typeConstructor(TypeKind kind);
  /// Arguments of a constructor, after its word: length and signature into `shape`, element types onto
  /// typeStack_.
  void typeArguments(TypeDef& shape);
  void lengthArgument(TypeDef& shape);
  SigUse inlineSignature(SourcePos pos);
  /// Parameter and result types onto typeStack_, the results from `middle` on.
  bool signatureParts(std::size_t& middle);
  void signatureTypes(ErrorId unclosed);
  TypeUse internType(const TypeDef& shape, std::span<const TypeUse> elements, SourcePos pos);
  SigUse internSignature(std::span<const TypeUse> parameters, std::span<const TypeUse> results,
                         SourcePos pos);
  /// A number from 0 to `max` into `value`.
  bool unsignedNumber(ErrorId missing, ErrorId range, std::string_view context, std::uint64_t& value,
                      std::uint64_t max = std::numeric_limits<std::uint64_t>::max());

  // --- Constants (parser_constants.cpp) ----------------------------------------------------------
  struct ConstantValue {
    ConstantKind kind = ConstantKind::Int;
    std::vector<std::uint64_t> words;
    std::vector<ValueUse> elements;
    std::string_view symbol;
  };
  bool constantValue(ConstantValue& value);
  bool floatValue(ConstantValue& value);
  bool wordConstant(ConstantValue& value);
  bool bitsValue(ConstantValue& value, bool isDouble);
  bool listValue(ConstantValue& value);
  void fillConstant(Constant& constant, const ConstantValue& value);
  ValueUse inlineConstant();
  ValueUse globalValue();

  // --- Function bodies (parser_body.cpp) ---------------------------------------------------------
  void body(FunctionVersion& version, std::string_view functionName);
  void finishBody(FunctionVersion& version);
  bool atLabel();
  BasicBlock* label(FunctionVersion& version);
  void labelParameters(BasicBlock& block);
  void exceptionParameter(BasicBlock& block);
  void blockInstructions(BasicBlock& block);
  void recoverInBody(SourcePos statementStart);
  bool atStatementStart();
  void instruction(BasicBlock& block);
  bool resultNames();
  bool atResultList();
  void unknownInstruction();
  /// Makes the results usable; those of an instruction with destinations before these are read. Null: poisons
  /// them.
  void enterResults(Instruction* instruction);
  void defineLocal(const Token& name, Entity* entity);
  void nameEntity(Entity& entity, const Token& name);
  Id idForName(const Token& name);

  // --- Parts of instructions (parser_body.cpp) ---------------------------------------------------
  ValueUse operand(std::string_view context, std::string_view what);
  bool atOperand();
  ValueUse localValue(const Token& name);
  ValueUse globalUse(const Token& name);
  void operands(Instr i, std::initializer_list<std::string_view> what);
  void arguments(std::vector<ValueUse>& out, std::string_view context);
  void dest(Instr i);

  // --- Clauses (parser_clauses.cpp) --------------------------------------------------------------
  void clauses(Instr i);
  void excClause(Instr i);
  void wpExcClause(Instr i);
  void keepaliveClause(Instr i);
  void newStackClause(Instr i);
  void wrongClause(Instr i);

  // --- Instructions, a function an opcode (parser_instructions.cpp); an opcode without one does not link
#define GAUR_OPCODE(Name, Text, Flags) void parse##Name(Instr i);
#include "vm/ir/opcodes.def"
  void parseParts(Instr i);
  /// The '<' before `what`; tells flags that do not belong there from other errors.
  void typesOpen(std::string_view what);
  void types(Instr i, unsigned count, std::string_view what);
  void typeList(Instr i, std::vector<TypeUse>& out);
  void callSignature(Instr i);
  void typeAndIndex(Instr i);
  void ptrFlag(Instr i);
  void order(Instr i, MemoryOrder& out, bool isRequired);
  void statusFlags(Instr i);
  void callRest(Instr i);
  void switchCases(Instr i);
  void watchpointId(Instr i);
  std::vector<CallConv> commonInstFlags();
  /// Word of the current instruction, for messages.
  std::string_view word_;

  Id symbol(std::string_view name);

  SourceText source_;
  Builder& builder_;
  Diagnostics& diagnostics_;
  ParseOptions options_;
  Lexer lexer_;
  Token token_, ahead_;
  bool hasAhead_ = false;
  bool panic_ = false;
  Token panicToken_;
  unsigned depth_ = 0;
  std::array<bool, static_cast<std::size_t>(Later::Count)> warnedLater_{};

  NameMap<Id> symbols_;
  NameMap<Entity*> locals_;  // of the block; null: in error, reported already
  struct BlockName {
    Id id = kNoId;
    BasicBlock* block = nullptr;
    SourcePos firstUse = 0;
  };
  NameMap<BlockName> blocks_;  // of the function
  BlockName& blockName(const Token& name);
  /// The name at this place with its sigil, if it has one, in quotes.
  std::string shownName(SourcePos pos, std::string_view name) const;
  /// What stands before the local names of the function and of the block in their full names: "f.v.",
  /// "f.v.b.".
  std::string bodyPrefix_, blockPrefix_;
  /// Destinations whose name may be the full one of a block of this function.
  std::vector<Dest*> fullNameDests_;
  bool localsPoisoned_ = false;
  bool blocksPoisoned_ = false;
  unsigned switchBraces_ = 0;

  // Parts of the instruction being read, reused from one to the next.
  std::vector<Token> resultNames_;
  bool resultsEntered_ = false;
  std::vector<Id> resultIds_;
  std::vector<SourcePos> resultPositions_;
  std::vector<TypeUse> types_;
  std::vector<SigUse> sigs_;
  std::vector<ValueUse> operands_, arguments_, keepalives_;
  std::vector<Use<Dest>> dests_;
  std::vector<Use<Instruction>> instructions_;
  std::vector<Use<BasicBlock>> blockList_;
  std::vector<TypeUse> typeStack_;
  ConstantValue scratch_;

  /// Anonymous entities of inline forms by the hash of their parts; each chain is short.
  std::unordered_multimap<std::size_t, TypeDef*> inlineTypes_;
  std::unordered_multimap<std::size_t, SignatureDef*> inlineSignatures_;
  std::unordered_multimap<std::size_t, Constant*> inlineConstants_;
};

/// The constructor with this word.
std::optional<TypeKind> typeKind(std::string_view word);

/// "did you mean 'x'?" with the nearest of `candidates`, or empty.
template <class Range>
std::string nearHint(std::string_view word, const Range& candidates) {
  NearName finder(word);
  for (std::string_view candidate : candidates) finder.offer(candidate);
  return finder.best().empty() ? std::string() : "did you mean '" + finder.best() + "'?";
}

/// Deepest nesting of inline types and constants.
inline constexpr unsigned kMaxNesting = 200;

}  // namespace gaur::ir
