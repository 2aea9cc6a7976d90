// Rules for traps, threads, stacks and common instructions.
#include <algorithm>

#include "vm/ir/linker.h"
#include "vm/ir/verify_rules.h"

namespace gaur::ir {

namespace {

/// The next word of a pattern of common_insts.def; removes it.
std::string_view nextWord(std::string_view& pattern) {
  std::size_t start = pattern.find_first_not_of(' ');
  if (start == std::string_view::npos) {
    pattern = {};
    return {};
  }
  std::size_t end = pattern.find(' ', start);
  std::string_view word = pattern.substr(start, end == std::string_view::npos ? end : end - start);
  pattern = end == std::string_view::npos ? std::string_view{} : pattern.substr(end);
  return word;
}

/// "ref<*>": any type of the constructor.
bool isAnyOf(std::string_view word) { return word.ends_with("<*>"); }
bool fitsAnyOf(std::string_view word, const Type* type) {
  return word.substr(0, word.size() - 3) == text(type->kind);
}

bool isFutexInt(const Type* type) {
  return type->is(TypeKind::Int) &&
         (type->length == 8 || type->length == 16 || type->length == 32 || type->length == 64);
}

}  // namespace

void Verifier::checkResultTypes(const Instruction& inst, std::span<const TypeUse> types, ErrorId id) {
  for (const TypeUse& use : types) {
    if (!isNoValue(use->type)) continue;
    if (id == ErrorId::VerifyRetWithType) {
      error(id, use.pos, {toString(use->type)});
    } else {
      error(id, use.pos, {nameOf(inst), toString(use->type)});
    }
  }
}

// --- Traps ---------------------------------------------------------------------------------------

void Verifier::checkWatchpointId(const Instruction& inst) {
  if (inst.immediate == 0) error(ErrorId::VerifyWatchpointZero, inst.pos, {nameOf(inst)});
}

void Verifier::checkTrap(const Instruction& inst) {
  if (hasShape(inst, {.types = kAny})) checkResultTypes(inst, inst.types, ErrorId::VerifyTrapType);
}

void Verifier::checkWatchpoint(const Instruction& inst) {
  if (!hasShape(inst, {.types = kAny, .dests = 2})) return;
  checkResultTypes(inst, inst.types, ErrorId::VerifyTrapType);
  checkWatchpointId(inst);
}

void Verifier::checkWpBranch(const Instruction& inst) {
  if (hasShape(inst, {.dests = 2})) checkWatchpointId(inst);
}

// --- Threads and stacks --------------------------------------------------------------------------

/// PASS_VALUES<T...>(v...) or THROW_EXC v.
void Verifier::checkPassedValues(const Instruction& inst, std::span<const TypeUse> types,
                                 std::span<const ValueUse> values) {
  std::string name = nameOf(inst);
  if (inst.throwExc) {
    if (values.size() != 1) {
      error(ErrorId::VerifyOperandCount, inst.pos, {name + " THROW_EXC", "1", std::to_string(values.size())});
    } else if (!values[0]->type->is(TypeKind::Ref)) {
      error(ErrorId::VerifyThrowExc, values[0].pos,
            {name, describe(*values[0].target), toString(values[0]->type)});
    }
    return;
  }
  checkResultTypes(inst, types, ErrorId::VerifyPassNotValue);
  if (values.size() != types.size()) {
    error(ErrorId::VerifyPassCount, inst.pos,
          {name, std::to_string(types.size()), std::to_string(values.size())});
    return;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Type* expected = types[i]->type;
    if (accepts(expected, values[i]->type)) continue;
    error(ErrorId::VerifyPassType, values[i].pos,
          {name, std::to_string(i), toString(expected), describe(*values[i].target),
           toString(values[i]->type)});
  }
}

void Verifier::checkNewThread(const Instruction& inst) {
  std::size_t least = inst.hasThreadLocal ? 2 : 1;
  if (!hasShape(inst, {.types = kAny, .operands = std::max(inst.operands.size(), least)})) return;
  const ValueUse& stack = inst.operands[0];
  if (!stack->type->is(TypeKind::Stackref))
    error(ErrorId::VerifyNewThreadStack, stack.pos, {describe(*stack.target), toString(stack->type)});
  if (inst.hasThreadLocal && !inst.operands[1]->type->is(TypeKind::Ref)) {
    const ValueUse& local = inst.operands[1];
    error(ErrorId::VerifyThreadLocal, local.pos, {describe(*local.target), toString(local->type)});
  }
  checkPassedValues(inst, inst.types, as<NewThread>(inst).values());
}

void Verifier::checkSwapStack(const Instruction& inst) {
  if (!hasShape(inst, {.types = std::max<std::size_t>(inst.types.size(), inst.immediate),
                       .operands = std::max<std::size_t>(inst.operands.size(), 1)}))
    return;
  SwapStack swap = as<SwapStack>(inst);
  const ValueUse& stack = inst.operands[0];
  if (!stack->type->is(TypeKind::Stackref))
    error(ErrorId::VerifySwapStackOperand, stack.pos, {describe(*stack.target), toString(stack->type)});
  if (inst.killOld) {
    if (inst.hasExc) error(ErrorId::VerifyKillOldExc, inst.dests[0].pos);
    if (!inst.keepalives.empty()) error(ErrorId::VerifyKillOldKeepalive, inst.keepalives[0].pos);
  } else {
    checkResultTypes(inst, swap.returnTypes(), ErrorId::VerifyRetWithType);
  }
  checkPassedValues(inst, swap.passTypes(), swap.values());
}

// --- Common instructions -------------------------------------------------------------------------

void Verifier::checkCommonTypes(const Instruction& inst, const CommonInstInfo& row) {
  if (row.types == 0) return;
  const Type* type = inst.type();
  SourcePos pos = inst.types[0].pos;
  switch (row.id) {
    case CommonInst::UvmFutexWait:
    case CommonInst::UvmFutexWaitTimeout:
    case CommonInst::UvmFutexWake:
    case CommonInst::UvmFutexCmpRequeue:
      if (!isFutexInt(type)) error(ErrorId::VerifyFutexType, pos, {row.text, toString(type)});
      return;
    case CommonInst::UvmNativePin:
    case CommonInst::UvmNativeUnpin:
    case CommonInst::UvmNativeGetAddr:
      if (!type->is(TypeKind::Ref) && !type->is(TypeKind::Iref))
        error(ErrorId::VerifyPinType, pos, {row.text, toString(type)});
      return;
    default:
      if (isNoValue(type)) error(ErrorId::VerifyCommonValue, pos, {row.text, toString(type)});
      return;
  }
}

void Verifier::checkCommInst(const Instruction& inst) {
  const CommonInstInfo& row = info(inst.common);
  if (!hasShape(inst, {.types = row.types, .signatures = row.sigs, .operands = kAny})) return;
  std::size_t errors = diagnostics_.errorTotal();
  if (inst.flags.size() != row.flags)
    error(ErrorId::VerifyCommonFlags, inst.pos,
          {row.text, std::to_string(row.flags), std::to_string(inst.flags.size())});
  checkCommonTypes(inst, row);
  if (diagnostics_.errorTotal() != errors) return;

  std::size_t count = 0;
  std::string_view rest = row.parameters;
  while (!nextWord(rest).empty()) ++count;
  if (inst.operands.size() != count) {
    error(ErrorId::VerifyCommonCount, inst.pos,
          {row.text, std::to_string(count), std::to_string(inst.operands.size())});
    return;
  }
  rest = row.parameters;
  for (std::size_t i = 0; i < count; ++i) {
    std::string_view word = nextWord(rest);
    const ValueUse& use = inst.operands[i];
    if (word == "*") continue;
    const Type* expected = isAnyOf(word) ? nullptr : resolvePattern(types_, program_, inst, word);
    bool fits = expected ? accepts(expected, use->type) : fitsAnyOf(word, use->type);
    if (fits) continue;
    error(ErrorId::VerifyCommonArgument, use.pos,
          {row.text, std::to_string(i), expected ? toString(expected) : std::string(word),
           describe(*use.target), toString(use->type)});
  }
}

}  // namespace gaur::ir
