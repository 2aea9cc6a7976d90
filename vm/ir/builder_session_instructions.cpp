// Instructions: each is its parts in the order of the text, as instruction.h has them.
#include "vm/ir/builder_session.h"

namespace gaur::ir {

Instruction& BuilderSession::make(Id id, Opcode opcode, const Parts& parts) {
  Instruction& instruction = *builder_.newInstruction(id, opcode);
  instruction.types = builder_.uses<TypeDef>(parts.types);
  instruction.sigs = builder_.uses<SignatureDef>(parts.signatures);
  instruction.operands = builder_.uses<Value>(parts.operands);
  instruction.dests = builder_.uses<Dest>(parts.dests);
  instruction.isPtr = parts.isPtr != 0;
  if (parts.exc != kNoId || parts.keepalive != kNoId) {
    instruction.pending = builder_.arena().make<PendingClauses>();
    instruction.pending->exc.id = parts.exc;
    instruction.pending->keepalive.id = parts.keepalive;
  }
  if (!parts.results.empty()) {
    for (Id result : parts.results)
      if (result != kNoId) checkId(result);
    builder_.newResults(&instruction, parts.results);
  }
  return instruction;
}

IdList BuilderSession::joined(std::vector<Id>& buffer, Id first, IdList rest) {
  buffer.assign(1, first);
  buffer.insert(buffer.end(), rest.begin(), rest.end());
  return buffer;
}

// --- Arithmetic --------------------------------------------------------------------------------------

void BuilderSession::newBinOp(Id id, Id result, Number op, Id type, Id lhs, Id rhs, Id exc) {
  newBinOpWithStatus(id, result, {}, op, 0, type, lhs, rhs, exc);
}

void BuilderSession::newBinOpWithStatus(Id id, Id result, IdList statusResults, Number op, Number flags,
                                        Id type, Id lhs, Id rhs, Id exc) {
  Instruction& made = make(id, Opcode::BinOp,
                           {.results = joined(joinedOthers_, result, statusResults),
                            .types = {{type}},
                            .operands = {{lhs, rhs}},
                            .exc = exc});
  made.operation = static_cast<std::uint8_t>(numbered(binOperator(op), "binary operation", op));
  made.status = static_cast<std::uint8_t>(numbered(statusFlags(flags), "set of status flags", flags));
}

void BuilderSession::newCmp(Id id, Id result, Number op, Id type, Id lhs, Id rhs) {
  Instruction& made =
      make(id, Opcode::Cmp, {.results = {{result}}, .types = {{type}}, .operands = {{lhs, rhs}}});
  made.operation = static_cast<std::uint8_t>(numbered(cmpOperator(op), "comparison", op));
}

void BuilderSession::newConv(Id id, Id result, Number op, Id from, Id to, Id value) {
  Instruction& made =
      make(id, Opcode::Conv, {.results = {{result}}, .types = {{from, to}}, .operands = {{value}}});
  made.operation = static_cast<std::uint8_t>(numbered(convOperator(op), "conversion", op));
}

void BuilderSession::newSelect(Id id, Id result, Id conditionType, Id type, Id condition, Id ifTrue,
                               Id ifFalse) {
  make(id, Opcode::Select,
       {.results = {{result}}, .types = {{conditionType, type}}, .operands = {{condition, ifTrue, ifFalse}}});
}

// --- Control flow ------------------------------------------------------------------------------------

void BuilderSession::newBranch(Id id, Id dest) { make(id, Opcode::Branch, {.dests = {{dest}}}); }

void BuilderSession::newBranch2(Id id, Id condition, Id ifTrue, Id ifFalse) {
  make(id, Opcode::Branch2, {.operands = {{condition}}, .dests = {{ifTrue, ifFalse}}});
}

void BuilderSession::newSwitch(Id id, Id type, Id value, Id defaultDest, PairedIds casesAndDests) {
  make(id, Opcode::Switch,
       {.types = {{type}},
        .operands = joined(joinedOperands_, value, casesAndDests.first),
        .dests = joined(joinedOthers_, defaultDest, casesAndDests.second)});
}

void BuilderSession::newCall(Id id, IdList results, Id signature, Id callee, IdList arguments, Id exc,
                             Id keepalive) {
  make(id, Opcode::Call,
       {.results = results,
        .signatures = {{signature}},
        .operands = joined(joinedOperands_, callee, arguments),
        .exc = exc,
        .keepalive = keepalive});
}

void BuilderSession::newTailCall(Id id, Id signature, Id callee, IdList arguments) {
  make(id, Opcode::TailCall,
       {.signatures = {{signature}}, .operands = joined(joinedOperands_, callee, arguments)});
}

void BuilderSession::newRet(Id id, IdList values) { make(id, Opcode::Ret, {.operands = values}); }

void BuilderSession::newThrow(Id id, Id exception) { make(id, Opcode::Throw, {.operands = {{exception}}}); }

// --- Composite values --------------------------------------------------------------------------------

void BuilderSession::newExtractValue(Id id, Id result, Id type, int index, Id value) {
  make(id, Opcode::ExtractValue, {.results = {{result}}, .types = {{type}}, .operands = {{value}}})
      .immediate = indexOf(index);
}

void BuilderSession::newInsertValue(Id id, Id result, Id type, int index, Id value, Id field) {
  make(id, Opcode::InsertValue, {.results = {{result}}, .types = {{type}}, .operands = {{value, field}}})
      .immediate = indexOf(index);
}

void BuilderSession::newExtractElement(Id id, Id result, Id type, Id indexType, Id value, Id index) {
  make(id, Opcode::ExtractElement,
       {.results = {{result}}, .types = {{type, indexType}}, .operands = {{value, index}}});
}

void BuilderSession::newInsertElement(Id id, Id result, Id type, Id indexType, Id value, Id index,
                                      Id element) {
  make(id, Opcode::InsertElement,
       {.results = {{result}}, .types = {{type, indexType}}, .operands = {{value, index, element}}});
}

void BuilderSession::newShuffleVector(Id id, Id result, Id type, Id maskType, Id first, Id second, Id mask) {
  make(id, Opcode::ShuffleVector,
       {.results = {{result}}, .types = {{type, maskType}}, .operands = {{first, second, mask}}});
}

// --- Addresses ---------------------------------------------------------------------------------------

void BuilderSession::newGetIref(Id id, Id result, Id type, Id ref) {
  make(id, Opcode::GetIref, {.results = {{result}}, .types = {{type}}, .operands = {{ref}}});
}

void BuilderSession::newGetFieldIref(Id id, Id result, int isPtr, Id type, int index, Id location) {
  make(id, Opcode::GetFieldIref,
       {.results = {{result}}, .types = {{type}}, .operands = {{location}}, .isPtr = isPtr})
      .immediate = indexOf(index);
}

void BuilderSession::newGetVarPartIref(Id id, Id result, int isPtr, Id type, Id location) {
  make(id, Opcode::GetVarPartIref,
       {.results = {{result}}, .types = {{type}}, .operands = {{location}}, .isPtr = isPtr});
}

// --- Memory ------------------------------------------------------------------------------------------

void BuilderSession::newLoad(Id id, Id result, int isPtr, Number order, Id type, Id location, Id exc) {
  make(id, Opcode::Load,
       {.results = {{result}}, .types = {{type}}, .operands = {{location}}, .exc = exc, .isPtr = isPtr})
      .order = orderOf(order);
}

void BuilderSession::newStore(Id id, int isPtr, Number order, Id type, Id location, Id value, Id exc) {
  make(id, Opcode::Store, {.types = {{type}}, .operands = {{location, value}}, .exc = exc, .isPtr = isPtr})
      .order = orderOf(order);
}

void BuilderSession::newCmpXchg(Id id, Id valueResult, Id successResult, int isPtr, int isWeak,
                                Number successOrder, Number failureOrder, Id type, Id location, Id expected,
                                Id desired, Id exc) {
  Instruction& made = make(id, Opcode::CmpXchg,
                           {.results = {{valueResult, successResult}},
                            .types = {{type}},
                            .operands = {{location, expected, desired}},
                            .exc = exc,
                            .isPtr = isPtr});
  made.isWeak = isWeak != 0;
  made.order = orderOf(successOrder);
  made.failureOrder = orderOf(failureOrder);
}

void BuilderSession::newAtomicRmw(Id id, Id result, int isPtr, Number order, Number op, Id type, Id location,
                                  Id value, Id exc) {
  Instruction& made = make(id, Opcode::AtomicRmw,
                           {.results = {{result}},
                            .types = {{type}},
                            .operands = {{location, value}},
                            .exc = exc,
                            .isPtr = isPtr});
  made.order = orderOf(order);
  made.operation = static_cast<std::uint8_t>(numbered(rmwOperator(op), "operation of ATOMICRMW", op));
}

void BuilderSession::newFence(Id id, Number order) { make(id, Opcode::Fence, {}).order = orderOf(order); }

// --- Traps, native calls, threads ----------------------------------------------------------------------

void BuilderSession::newTrap(Id id, PairedIds resultsAndTypes, Id exc, Id keepalive) {
  make(id, Opcode::Trap,
       {.results = resultsAndTypes.first,
        .types = resultsAndTypes.second,
        .exc = exc,
        .keepalive = keepalive});
}

void BuilderSession::newWatchpoint(Id id, Number watchpoint, PairedIds resultsAndTypes, Id disabled,
                                   Id enabled, Id exceptional, Id keepalive) {
  const Id dests[] = {disabled, enabled, exceptional};
  Instruction& made = make(id, Opcode::Watchpoint,
                           {.results = resultsAndTypes.first,
                            .types = resultsAndTypes.second,
                            .dests = IdList(dests).first(exceptional == kNoId ? 2 : 3),
                            .keepalive = keepalive});
  made.immediate = watchpoint;
  made.hasExc = exceptional != kNoId;
}

void BuilderSession::newWpBranch(Id id, Number watchpoint, Id disabled, Id enabled) {
  make(id, Opcode::WpBranch, {.dests = {{disabled, enabled}}}).immediate = watchpoint;
}

void BuilderSession::newCCall(Id id, IdList results, Number convention, Id calleeType, Id signature,
                              Id callee, IdList arguments, Id exc, Id keepalive) {
  make(id, Opcode::CCall,
       {.results = results,
        .types = {{calleeType}},
        .signatures = {{signature}},
        .operands = joined(joinedOperands_, callee, arguments),
        .exc = exc,
        .keepalive = keepalive})
      .convention = conventionOf(convention);
}

void BuilderSession::newNewThread(Id id, Id result, Id stack, Id threadLocal, Id newStack, Id exc) {
  const Id operands[] = {stack, threadLocal};
  Instruction& made = make(
      id, Opcode::NewThread,
      {.results = {{result}}, .operands = IdList(operands).first(threadLocal == kNoId ? 1 : 2), .exc = exc});
  made.hasThreadLocal = threadLocal != kNoId;
  if (!made.pending) made.pending = builder_.arena().make<PendingClauses>();
  made.pending->newStack.id = newStack;
}

void BuilderSession::newSwapStack(Id id, IdList results, Id stack, Id curStack, Id newStack, Id exc,
                                  Id keepalive) {
  Instruction& made = make(id, Opcode::SwapStack,
                           {.results = results, .operands = {{stack}}, .exc = exc, .keepalive = keepalive});
  if (!made.pending) made.pending = builder_.arena().make<PendingClauses>();
  made.pending->curStack.id = curStack;
  made.pending->newStack.id = newStack;
}

void BuilderSession::newCommInst(Id id, IdList results, Number opcode, IdList flags, IdList types,
                                 IdList signatures, IdList arguments, Id exc, Id keepalive) {
  Instruction& made = make(id, Opcode::CommInst,
                           {.results = results,
                            .types = types,
                            .signatures = signatures,
                            .operands = arguments,
                            .exc = exc,
                            .keepalive = keepalive});
  if (const CommonInstInfo* row = commonInst(opcode)) {
    made.common = row->id;
  } else {
    refuse(ErrorId::ApiOperation, {"common instruction", std::to_string(opcode)});
  }
  made.flags = builder_.arena().makeArray<CallConv>(flags.size());
  for (std::size_t i = 0; i < flags.size(); ++i) made.flags[i] = conventionOf(flags[i]);
}

}  // namespace gaur::ir
