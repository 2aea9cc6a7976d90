// The order of verification, and the rules that hold for every instruction alike: blocks and their ends,
// scopes of values, destinations, clauses. One pass over the bundle; nothing is allocated for an instruction.
#include "vm/ir/verifier.h"

#include <bit>

#include "vm/ir/verify_rules.h"

namespace gaur::ir {

void verify(const Bundle& bundle, Program& program, Diagnostics& diagnostics) {
  Verifier verifier(bundle, program, diagnostics);
  verifier.runTopLevel();
  verifier.runBodies();
}

void verifyTopLevel(const Bundle& bundle, Program& program, Diagnostics& diagnostics) {
  Verifier(bundle, program, diagnostics).runTopLevel();
}

void verifyBodies(const Bundle& bundle, Program& program, Diagnostics& diagnostics) {
  Verifier(bundle, program, diagnostics).runBodies();
}

// --- Passed instructions -------------------------------------------------------------------------

void PassedInstructions::restart(std::size_t count) {
  std::size_t wanted = std::bit_ceil(count * 2 + 2);
  if (wanted > slots_.size()) {
    slots_.assign(wanted, {});
    round_ = 0;
  }
  ++round_;
}

std::size_t PassedInstructions::slotOf(const Instruction* instruction) const {
  // Instructions are at least 16 bytes apart; multiplying spreads the rest over the upper half of the word.
  std::uint64_t mixed = (reinterpret_cast<std::uintptr_t>(instruction) >> 4) * 0x9e3779b97f4a7c15u;
  std::size_t mask = slots_.size() - 1;
  std::size_t slot = static_cast<std::size_t>(mixed >> 32) & mask;
  while (slots_[slot].round == round_ && slots_[slot].instruction != instruction) slot = (slot + 1) & mask;
  return slot;
}

void PassedInstructions::insert(const Instruction* instruction) {
  slots_[slotOf(instruction)] = {instruction, round_};
}

bool PassedInstructions::contains(const Instruction* instruction) const {
  return slots_[slotOf(instruction)].round == round_;
}

// --- Driver --------------------------------------------------------------------------------------

Verifier::Verifier(const Bundle& bundle, Program& program, Diagnostics& diagnostics)
    : bundle_(bundle),
      program_(program),
      types_(program.types()),
      diagnostics_(diagnostics),
      boolean_(types_.intType(1)),
      cookieType_(types_.intType(64)) {}

void Verifier::runTopLevel() {
  for (const TypeDef* def : bundle_.types) checkType(*def);
  for (const SignatureDef* def : bundle_.signatures) checkSignature(*def);
  for (const Constant* constant : bundle_.constants) checkConstant(*constant);
  for (const GlobalCell* global : bundle_.globals) checkGlobal(*global);
  for (const ExposedFunction* exposed : bundle_.exposed) checkExposed(*exposed);
}

void Verifier::runBodies() {
  for (const FunctionVersion* version : bundle_.versions) checkVersion(*version);
}

void Verifier::checkVersion(const FunctionVersion& version) {
  subject_ = &version;
  version_ = &version;
  if (version.blocks.empty()) {
    error(ErrorId::VerifyVersionEmpty, version.pos, {describe(version)});
    return;
  }
  checkEntry(version);
  for (const Use<BasicBlock>& use : version.blocks) checkBlock(*use.target);
}

void Verifier::checkEntry(const FunctionVersion& version) {
  const BasicBlock& entry = *version.entry();
  subject_ = &entry;
  if (entry.exceptionParameter)
    error(ErrorId::VerifyEntryException, entry.exceptionParameter->pos, {describe(entry)});
  const Function& function = *version.function.target;
  std::span<const Type* const> expected = function.signature->signature->parameters;
  if (entry.parameters.size() != expected.size()) {
    error(ErrorId::VerifyEntryCount, entry.pos,
          {describe(entry), std::to_string(entry.parameters.size()), toString(function.signature->signature),
           std::to_string(expected.size())});
    return;
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Parameter& parameter = entry.parameters[i];
    if (accepts(expected[i], parameter.type)) continue;
    error(ErrorId::VerifyEntryType, parameter.declaredType.pos,
          {std::to_string(i), toString(parameter.type), toString(expected[i])});
  }
}

void Verifier::checkBlock(const BasicBlock& block) {
  subject_ = &block;
  block_ = &block;
  checkParameters(block);
  if (block.instructions.empty()) {
    error(ErrorId::VerifyBlockEmpty, block.pos, {describe(block)});
    return;
  }
  passed_.restart(block.instructions.size());
  const Instruction* end = nullptr;
  for (const Use<Instruction>& use : block.instructions) {
    const Instruction& inst = *use.target;
    subject_ = current_ = &inst;
    if (end) {
      error(ErrorId::VerifyAfterTerminator, inst.pos, {nameOf(inst), nameOf(*end)});
      end = nullptr;
    }
    checkInstruction(inst);
    if (inst.isTerminator()) end = &inst;
  }
  const Instruction& last = *block.terminator();
  if (!last.isTerminator()) error(ErrorId::VerifyBlockOpen, last.pos, {describe(block), nameOf(last)});
  current_ = nullptr;
}

void Verifier::checkParameters(const BasicBlock& block) {
  for (const Parameter& parameter : block.parameters) {
    if (isNoValue(parameter.type)) {
      error(ErrorId::VerifyParameterType, parameter.declaredType.pos,
            {describe(parameter), toString(parameter.type)});
    } else {
      checkValueExtent(parameter.type, parameter.declaredType.pos);
    }
  }
}

void Verifier::checkInstruction(const Instruction& inst) {
  checkClauses(inst);
  for (const ValueUse& use : inst.operands) checkOperandScope(use);
  checkKeepalives(inst);
  dispatch(inst);
  for (const Result& result : inst.results)
    if (isComposite(result.type)) checkValueExtent(result.type, result.pos);
  checkDests(inst);
  passed_.insert(&inst);
}

void Verifier::dispatch(const Instruction& inst) {
  static constexpr void (Verifier::*kChecks[])(const Instruction&) = {
#define GAUR_OPCODE(Name, Text, Flags) &Verifier::check##Name,
#include "vm/ir/opcodes.def"
  };
  (this->*kChecks[static_cast<std::size_t>(inst.opcode)])(inst);
}

// --- Clauses -------------------------------------------------------------------------------------

void Verifier::checkClauses(const Instruction& inst) {
  const OpcodeInfo& row = info(inst.opcode);
  if (inst.hasExc && inst.opcode != Opcode::Watchpoint) {
    SourcePos pos = inst.dests.empty() ? 0 : inst.dests[0].pos;
    if (!has(row.properties, Property::ExcClause)) {
      error(ErrorId::VerifyExc, pos, {nameOf(inst)});
    } else if (inst.opcode == Opcode::BinOp &&
               classOf(static_cast<BinOperator>(inst.operation)) != BinOpClass::IntDivision) {
      error(ErrorId::VerifyExcOperator, pos, {nameOf(inst)});
    } else if (inst.opcode == Opcode::CommInst && !has(info(inst.common).properties, Property::ExcClause)) {
      error(ErrorId::VerifyExcCommon, pos, {info(inst.common).text});
    }
  }
  if (!inst.keepalives.empty() && !has(row.properties, Property::Keepalive))
    error(ErrorId::VerifyKeepalive, inst.keepalives[0].pos, {nameOf(inst)});
  if (inst.isPtr && !has(row.properties, Property::PtrForm))
    error(ErrorId::VerifyPtr, inst.pos, {nameOf(inst)});
}

void Verifier::checkKeepalives(const Instruction& inst) {
  for (const ValueUse& use : inst.keepalives) {
    if (use->isGlobalValue()) {
      error(ErrorId::VerifyKeepaliveGlobal, use.pos, {describe(*use.target)});
    } else {
      checkOperandScope(use);
    }
  }
}

// --- Scopes --------------------------------------------------------------------------------------

void Verifier::checkOperandScope(const ValueUse& use) {
  if (use->entityKind == EntityKind::Result &&
      static_cast<const Result*>(use.target)->instruction == current_) {
    error(ErrorId::VerifyScopeOwn, use.pos, {describe(*use.target)});
    return;
  }
  checkLocal(*use.target, use.pos);
}

void Verifier::checkLocal(const Value& value, SourcePos pos) {
  if (value.isGlobalValue()) return;
  const Instruction* definition = nullptr;
  const BasicBlock* owner = nullptr;
  if (value.entityKind == EntityKind::Parameter) {
    owner = static_cast<const Parameter&>(value).block;
  } else {
    definition = static_cast<const Result&>(value).instruction;
    owner = definition->block;
  }
  if (owner == block_) {
    if (definition && !passed_.contains(definition)) error(ErrorId::VerifyScopeOrder, pos, {describe(value)});
  } else {
    error(ErrorId::VerifyScopeBlock, pos, {describe(value), describe(*owner), describe(*block_)});
  }
}

// --- Destinations --------------------------------------------------------------------------------

void Verifier::checkDests(const Instruction& inst) {
  std::size_t count = inst.dests.size();
  for (std::size_t i = 0; i < count; ++i) {
    DestRole role = DestRole::Plain;
    if (inst.opcode == Opcode::Watchpoint) {
      role = i == 0 ? DestRole::Disabled : i == 1 ? DestRole::Normal : DestRole::Exceptional;
    } else if (inst.hasExc) {
      role = i + 1 == count ? DestRole::Exceptional : DestRole::Normal;
    }
    checkDest(inst, inst.dests[i], role);
  }
}

void Verifier::checkDest(const Instruction& inst, const Use<Dest>& use, DestRole role) {
  const Dest& dest = *use.target;
  const BasicBlock& block = *dest.block.target;
  SourcePos pos = dest.block.pos ? dest.block.pos : dest.pos ? dest.pos : use.pos;
  for (const ValueUse& argument : dest.arguments) checkArgumentScope(inst, argument, role);
  if (block.version != version_) {
    error(ErrorId::VerifyDestVersion, pos, {describe(block)});
    return;
  }
  if (&block == version_->entry()) error(ErrorId::VerifyEntryTarget, pos, {describe(block)});
  if (block.exceptionParameter && role != DestRole::Exceptional)
    error(ErrorId::VerifyDestException, pos, {describe(block)});
  if (dest.arguments.size() != block.parameters.size()) {
    error(ErrorId::VerifyDestCount, pos,
          {describe(block), std::to_string(block.parameters.size()), std::to_string(dest.arguments.size())});
    return;
  }
  for (std::size_t i = 0; i < dest.arguments.size(); ++i) {
    const ValueUse& argument = dest.arguments[i];
    const Type* expected = block.parameters[i].type;
    if (accepts(expected, argument->type)) continue;
    error(ErrorId::VerifyDestType, argument.pos,
          {std::to_string(i), describe(block), toString(expected), describe(*argument.target),
           toString(argument->type)});
  }
}

void Verifier::checkArgumentScope(const Instruction& inst, const ValueUse& use, DestRole role) {
  if (use->entityKind == EntityKind::Result && static_cast<const Result*>(use.target)->instruction == &inst) {
    switch (role) {
      case DestRole::Normal: return;
      case DestRole::Plain: error(ErrorId::VerifyScopeOwn, use.pos, {describe(*use.target)}); return;
      case DestRole::Exceptional:
        error(ErrorId::VerifyScopeExceptional, use.pos, {describe(*use.target)});
        return;
      case DestRole::Disabled: error(ErrorId::VerifyScopeDisabled, use.pos, {describe(*use.target)}); return;
    }
  }
  checkLocal(*use.target, use.pos);
}

// --- Reporting -----------------------------------------------------------------------------------

void Verifier::complete(Diagnostic& diagnostic, SourcePos pos) const {
  diagnostic.pos = pos ? pos : subject_->pos;
  if (diagnostic.pos != 0) return;
  diagnostic.subject = describe(*subject_);
  if (current_ && subject_ == current_) diagnostic.subject += " in " + describe(*block_);
  if (version_ && (current_ || subject_ == block_))
    diagnostic.subject += " of " + describe(*version_->function.target);
}

Diagnostic& Verifier::error(ErrorId id, SourcePos pos, Arguments arguments) {
  Diagnostic& diagnostic = diagnostics_.report(id, pos, arguments);
  complete(diagnostic, pos);
  return diagnostic;
}

void Verifier::operandError(ErrorId id, const ValueUse& use, const Type* expected) {
  error(id, use.pos, {toString(expected), describe(*use.target), toString(use->type)});
}

void Verifier::operandError(ErrorId id, std::string_view first, const ValueUse& use, const Type* expected) {
  error(id, use.pos, {first, toString(expected), describe(*use.target), toString(use->type)});
}

std::string Verifier::nameOf(const Instruction& inst) {
  switch (inst.opcode) {
    case Opcode::BinOp: return std::string(text(static_cast<BinOperator>(inst.operation)));
    case Opcode::Cmp: return std::string(text(static_cast<CmpOperator>(inst.operation)));
    case Opcode::Conv: return std::string(text(static_cast<ConvOperator>(inst.operation)));
    default: return std::string(info(inst.opcode).text);
  }
}

}  // namespace gaur::ir
