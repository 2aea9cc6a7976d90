#include "vm/ir/builder_session.h"

#include <array>
#include <bit>
#include <limits>

namespace gaur::ir {

void BuilderSession::begin(Id id) {
  problem_.reset();
  subject_ = id;
  checkId(id);
}

void BuilderSession::checkId(Id id) {
  if (!builder_.program().isClientId(id)) refuse(ErrorId::BuilderId, {std::to_string(id)});
}

void BuilderSession::refuse(ErrorId id, std::initializer_list<std::string_view> arguments) {
  if (!problem_) problem_ = makeError(id, arguments);
  Diagnostic& diagnostic = diagnostics_.report(id, 0, arguments);
  if (subject_ == kNoId) return;
  std::string_view name = builder_.symbolName(subject_);
  diagnostic.subject = name.empty() ? "#" + std::to_string(subject_) : "@" + std::string(name);
}

bool BuilderSession::isList(const void* elements, std::uint64_t count) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 28;
  if (!elements) {
    refuse(ErrorId::BuilderArray, {std::to_string(count)});
    return false;
  }
  if (count <= kMost) return true;
  refuse(ErrorId::BuilderArrayLength, {std::to_string(count), std::to_string(kMost)});
  return false;
}

MemoryOrder BuilderSession::orderOf(Number number) {
  return numbered(memoryOrder(number), "memory order", number);
}

CallConv BuilderSession::conventionOf(Number number) {
  return numbered(callConv(number), "calling convention", number);
}

std::uint32_t BuilderSession::indexOf(int index) {
  if (index < 0) refuse(ErrorId::BuilderNegative, {"index", std::to_string(index)});
  return static_cast<std::uint32_t>(index);
}

// --- Symbols ---------------------------------------------------------------------------------------

Id BuilderSession::genSym(Text name) {
  return name && !withoutSigil(*name).empty() ? builder_.symbol(*name) : builder_.fresh();
}

// --- Types -----------------------------------------------------------------------------------------

void BuilderSession::newTypeInt(Id id, int bits) {
  if (bits < 0) refuse(ErrorId::BuilderNegative, {"length", std::to_string(bits)});
  builder_.newType(id, TypeKind::Int)->length = static_cast<std::uint64_t>(bits);
}

void BuilderSession::newComposite(Id id, TypeKind kind, Listed elements, std::uint64_t length) {
  TypeDef* type = builder_.newType(id, kind);
  type->elements = builder_.uses<TypeDef>(elements);
  type->length = length;
}

void BuilderSession::newTypeHybrid(Id id, IdList fixed, Id variable) {
  TypeDef* type = builder_.newType(id, TypeKind::Hybrid);
  type->elements = builder_.arena().makeArray<TypeUse>(fixed.size() + 1);
  for (std::size_t i = 0; i < fixed.size(); ++i) type->elements[i].id = fixed[i];
  type->elements.back().id = variable;
}

void BuilderSession::newSignature(Id id, IdList parameters, IdList results) {
  SignatureDef* signature = builder_.newSignature(id);
  signature->parameters = builder_.uses<TypeDef>(parameters);
  signature->results = builder_.uses<TypeDef>(results);
}

// --- Constants -------------------------------------------------------------------------------------

void BuilderSession::newConstInt(Id id, Id type, std::uint64_t value) {
  const std::uint64_t words[] = {value, 0};
  // The last word has the sign.
  newConstIntWords(id, type, WordList(words).first(value >> 63 == 0 ? 1 : 2));
}

void BuilderSession::newConstIntWords(Id id, Id type, WordList words) {
  Constant* constant = builder_.newConstant(id, ConstantKind::Int, type);
  constant->words = builder_.arena().copy(words);
}

void BuilderSession::newConstFloat(Id id, Id type, float value) {
  Constant* constant = builder_.newConstant(id, ConstantKind::Float, type);
  const std::uint64_t words[] = {std::bit_cast<std::uint32_t>(value)};
  constant->words = builder_.arena().copy(WordList(words));
}

void BuilderSession::newConstDouble(Id id, Id type, double value) {
  Constant* constant = builder_.newConstant(id, ConstantKind::Double, type);
  const std::uint64_t words[] = {std::bit_cast<std::uint64_t>(value)};
  constant->words = builder_.arena().copy(WordList(words));
}

void BuilderSession::newConstSequence(Id id, Id type, IdList elements) {
  builder_.newConstant(id, ConstantKind::Sequence, type)->elements = builder_.uses<Value>(elements);
}

void BuilderSession::newConstExtern(Id id, Id type, Text symbol) {
  if (!symbol) refuse(ErrorId::ApiNull, {"symbol"});
  builder_.newConstant(id, ConstantKind::Extern, type)->symbol = builder_.arena().copy(symbol.value_or(""));
}

// --- Functions -------------------------------------------------------------------------------------

void BuilderSession::newExposed(Id id, Id function, Number convention, Id cookie) {
  builder_.newExposed(id, function, conventionOf(convention), cookie);
}

void BuilderSession::newVersion(Id id, Id function, IdList blocks) {
  builder_.newVersion(id, function)->blocks = builder_.uses<BasicBlock>(blocks);
}

void BuilderSession::newBlock(Id id, PairedIds parameters, Id exceptionParameter, IdList instructions) {
  BasicBlock* block = builder_.newBlock(id);
  auto define = [&](Parameter& parameter, Id parameterId, std::size_t index) {
    parameter.entityKind = EntityKind::Parameter;
    if (parameterId != kNoId) checkId(parameterId);
    parameter.id = parameterId == kNoId ? builder_.fresh() : parameterId;
    parameter.block = block;
    parameter.index = static_cast<std::uint32_t>(index);
    builder_.define(&parameter);
  };
  const std::size_t count = parameters.first.size();
  block->parameters = builder_.arena().makeArray<Parameter>(count);
  for (std::size_t i = 0; i < count; ++i) {
    block->parameters[i].declaredType.id = parameters.second[i];
    define(block->parameters[i], parameters.first[i], i);
  }
  if (exceptionParameter != kNoId) {
    block->exceptionParameter = builder_.arena().make<Parameter>();
    define(*block->exceptionParameter, exceptionParameter, count);
  }
  block->instructions = builder_.uses<Instruction>(instructions);
}

// --- Clauses ---------------------------------------------------------------------------------------

void BuilderSession::newDest(Id id, Id block, IdList arguments) {
  Dest* dest = builder_.newDest(id);
  dest->block.id = block;
  dest->arguments = builder_.uses<Value>(arguments);
}

void BuilderSession::newExcClause(Id id, Id normal, Id exceptional) {
  ExcClause* clause = builder_.newExcClause(id);
  clause->normal.id = normal;
  clause->exceptional.id = exceptional;
}

void BuilderSession::newKeepaliveClause(Id id, IdList values) {
  builder_.newKeepaliveClause(id)->values = builder_.uses<Value>(values);
}

void BuilderSession::newRetWith(Id id, IdList types) {
  builder_.newCurStackClause(id)->types = builder_.uses<TypeDef>(types);
}

void BuilderSession::newPassValues(Id id, PairedIds typesAndValues) {
  NewStackClause* clause = builder_.newNewStackClause(id);
  clause->types = builder_.uses<TypeDef>(typesAndValues.first);
  clause->values = builder_.uses<Value>(typesAndValues.second);
}

void BuilderSession::newThrowExc(Id id, Id exception) {
  NewStackClause* clause = builder_.newNewStackClause(id);
  clause->throwExc = true;
  clause->values = builder_.uses<Value>(Listed{exception});
}

}  // namespace gaur::ir
