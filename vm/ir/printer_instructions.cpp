// How each instruction is written: the counterpart of parser_instructions.cpp, one function an opcode.
#include "vm/ir/text_printer.h"

namespace gaur::ir {

void TextPrinter::line(Instr i) {
  using Method = void (TextPrinter::*)(Instr);
  static constexpr Method kMethods[] = {
#define GAUR_OPCODE(Name, Text, Flags) &TextPrinter::print##Name,
#include "vm/ir/opcodes.def"
  };
  results(i);
  if (i.nameLength != 0) {
    out_ += '[';
    localName(i);
    out_ += "] ";
  }
  out_ += info(i.opcode).text;
  (this->*kMethods[static_cast<std::size_t>(i.opcode)])(i);
  clauses(i);
}

// --- Parts that several opcodes share ------------------------------------------------------------

void TextPrinter::results(Instr i) {
  if (i.results.empty()) return;
  const Result& first = i.results[0];
  // All have names, own or generated, or none has.
  if (first.nameLength == 0 && !valueTexts_.contains(&first)) return;
  if (i.results.size() > 1) out_ += '(';
  for (const Result& result : i.results) {
    if (result.index != 0) out_ += ' ';
    localName(result);
  }
  if (i.results.size() > 1) out_ += ')';
  out_ += " = ";
}

void TextPrinter::word(std::string_view text) {
  out_ += ' ';
  out_ += text;
}

void TextPrinter::operand(Instr i, std::size_t index) {
  out_ += ' ';
  value(*i.operands[index]);
}

void TextPrinter::operandsFrom(Instr i, std::size_t first) {
  for (std::size_t k = first; k < i.operands.size(); ++k) operand(i, k);
}

void TextPrinter::arguments(std::span<const ValueUse> values) {
  out_ += '(';
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (k != 0) out_ += ' ';
    value(*values[k]);
  }
  out_ += ')';
}

void TextPrinter::types(std::span<const TypeUse> list) {
  out_ += '<';
  for (std::size_t k = 0; k < list.size(); ++k) {
    if (k != 0) out_ += ' ';
    type(*list[k]);
  }
  out_ += '>';
}

void TextPrinter::typesAndOperands(Instr i) {
  out_ += ' ';
  types(i.types);
  operandsFrom(i, 0);
}

void TextPrinter::typeAndIndex(Instr i) {
  out_ += " <";
  type(*i.types[0]);
  word(std::to_string(i.immediate));
  out_ += '>';
}

void TextPrinter::signatureOf(Instr i) {
  out_ += " <";
  signature(*i.sigs[0]);
  out_ += '>';
}

void TextPrinter::dest(const Dest& dest) {
  localName(*dest.block);
  arguments(dest.arguments);
}

void TextPrinter::destsFrom(Instr i, std::size_t first, std::size_t count) {
  for (std::size_t k = first; k < first + count; ++k) {
    out_ += ' ';
    dest(*i.dests[k]);
  }
}

void TextPrinter::ptrFlag(Instr i) {
  if (i.isPtr) word("PTR");
}

void TextPrinter::order(Instr i) {
  if (i.order != MemoryOrder::NotAtomic) word(text(i.order));
}

void TextPrinter::newStackClause(Instr i, std::span<const TypeUse> passed, std::span<const ValueUse> values) {
  if (i.throwExc) {
    word("THROW_EXC ");
    value(*values[0]);
    return;
  }
  word("PASS_VALUES ");
  types(passed);
  out_ += ' ';
  arguments(values);
}

void TextPrinter::clauses(Instr i) {
  if (i.hasExc) {
    std::size_t first = i.dests.size() - 2;
    bool isWatchpoint = i.opcode == Opcode::Watchpoint;
    word(isWatchpoint ? "WPEXC(" : "EXC(");
    if (!isWatchpoint) {
      dest(*i.dests[first]);
      out_ += ' ';
    }
    dest(*i.dests[first + 1]);
    out_ += ')';
  }
  if (!i.keepalives.empty()) {
    word("KEEPALIVE");
    arguments(i.keepalives);
  }
}

// --- Arithmetic ----------------------------------------------------------------------------------

void TextPrinter::printBinOp(Instr i) {
  out_ += text(static_cast<BinOperator>(i.operation));
  if (i.status != 0) {
    out_ += " [";
    bool isFirst = true;
    for (StatusFlag flag : kStatusFlags) {
      if ((i.status & static_cast<std::uint8_t>(flag)) == 0) continue;
      if (!isFirst) out_ += ' ';
      isFirst = false;
      out_ += '#';
      out_ += text(flag);
    }
    out_ += ']';
  }
  typesAndOperands(i);
}

void TextPrinter::printCmp(Instr i) {
  out_ += text(static_cast<CmpOperator>(i.operation));
  typesAndOperands(i);
}

void TextPrinter::printConv(Instr i) {
  out_ += text(static_cast<ConvOperator>(i.operation));
  typesAndOperands(i);
}

void TextPrinter::printSelect(Instr i) { typesAndOperands(i); }

// --- Control flow --------------------------------------------------------------------------------

void TextPrinter::printBranch(Instr i) { destsFrom(i, 0, 1); }

void TextPrinter::printBranch2(Instr i) {
  operand(i, 0);
  destsFrom(i, 0, 2);
}

void TextPrinter::printSwitch(Instr i) {
  out_ += ' ';
  types(i.types);
  operand(i, 0);
  destsFrom(i, 0, 1);
  out_ += " {";
  for (std::size_t k = 1; k < i.operands.size(); ++k) {
    out_ += "\n     ";
    operand(i, k);
    destsFrom(i, k, 1);
  }
  out_ += "\n    }";
}

void TextPrinter::printCall(Instr i) {
  signatureOf(i);
  operand(i, 0);
  out_ += ' ';
  arguments(i.operands.subspan(1));
}

void TextPrinter::printTailCall(Instr i) { printCall(i); }

void TextPrinter::printRet(Instr i) {
  if (!hasSigils_ && i.operands.empty()) return;
  if (!hasSigils_ && i.operands.size() == 1) return operand(i, 0);
  out_ += ' ';
  arguments(i.operands);
}

void TextPrinter::printThrow(Instr i) { operand(i, 0); }

// --- Composite values ----------------------------------------------------------------------------

void TextPrinter::printExtractValue(Instr i) {
  typeAndIndex(i);
  operandsFrom(i, 0);
}

void TextPrinter::printInsertValue(Instr i) {
  typeAndIndex(i);
  operandsFrom(i, 0);
}

void TextPrinter::printExtractElement(Instr i) { typesAndOperands(i); }
void TextPrinter::printInsertElement(Instr i) { typesAndOperands(i); }
void TextPrinter::printShuffleVector(Instr i) { typesAndOperands(i); }

// --- Allocation and addresses --------------------------------------------------------------------

void TextPrinter::printNew(Instr i) { typesAndOperands(i); }
void TextPrinter::printNewHybrid(Instr i) { typesAndOperands(i); }
void TextPrinter::printAlloca(Instr i) { typesAndOperands(i); }
void TextPrinter::printAllocaHybrid(Instr i) { typesAndOperands(i); }
void TextPrinter::printGetIref(Instr i) { typesAndOperands(i); }

void TextPrinter::printGetFieldIref(Instr i) {
  ptrFlag(i);
  typeAndIndex(i);
  operandsFrom(i, 0);
}

void TextPrinter::printGetElemIref(Instr i) {
  ptrFlag(i);
  typesAndOperands(i);
}

void TextPrinter::printShiftIref(Instr i) {
  ptrFlag(i);
  typesAndOperands(i);
}

void TextPrinter::printGetVarPartIref(Instr i) {
  ptrFlag(i);
  typesAndOperands(i);
}

// --- Memory --------------------------------------------------------------------------------------

void TextPrinter::printLoad(Instr i) {
  ptrFlag(i);
  order(i);
  typesAndOperands(i);
}

void TextPrinter::printStore(Instr i) {
  ptrFlag(i);
  order(i);
  typesAndOperands(i);
}

void TextPrinter::printCmpXchg(Instr i) {
  ptrFlag(i);
  if (i.isWeak) word("WEAK");
  word(text(i.order));
  word(text(i.failureOrder));
  typesAndOperands(i);
}

void TextPrinter::printAtomicRmw(Instr i) {
  ptrFlag(i);
  word(text(i.order));
  word(text(static_cast<RmwOperator>(i.operation)));
  typesAndOperands(i);
}

void TextPrinter::printFence(Instr i) { word(text(i.order)); }

// --- Traps, native calls, threads ----------------------------------------------------------------

void TextPrinter::printTrap(Instr i) { typesAndOperands(i); }

void TextPrinter::printWatchpoint(Instr i) {
  word(std::to_string(i.immediate));
  out_ += ' ';
  types(i.types);
  destsFrom(i, 0, 2);
}

void TextPrinter::printWpBranch(Instr i) {
  word(std::to_string(i.immediate));
  destsFrom(i, 0, 2);
}

void TextPrinter::printCCall(Instr i) {
  word("#");
  out_ += text(i.convention);
  out_ += " <";
  type(*i.types[0]);
  out_ += ' ';
  signature(*i.sigs[0]);
  out_ += '>';
  operand(i, 0);
  out_ += ' ';
  arguments(i.operands.subspan(1));
}

void TextPrinter::printNewThread(Instr i) {
  operand(i, 0);
  if (i.hasThreadLocal) {
    word("THREADLOCAL(");
    value(*i.operands[1]);
    out_ += ')';
  }
  newStackClause(i, i.types, i.operands.subspan(i.hasThreadLocal ? 2 : 1));
}

void TextPrinter::printSwapStack(Instr i) {
  operand(i, 0);
  if (i.killOld) {
    word("KILL_OLD");
  } else {
    word("RET_WITH ");
    types(i.types.first(i.immediate));
  }
  newStackClause(i, i.types.subspan(i.immediate), i.operands.subspan(1));
}

void TextPrinter::printCommInst(Instr i) {
  out_ += ' ';
  sigiled('@', info(i.common).text);
  if (!i.flags.empty()) {
    out_ += " [";
    for (std::size_t k = 0; k < i.flags.size(); ++k) {
      out_ += k == 0 ? "#" : " #";
      out_ += text(i.flags[k]);
    }
    out_ += ']';
  }
  if (!i.types.empty()) {
    out_ += ' ';
    types(i.types);
  }
  if (!i.sigs.empty()) {
    out_ += " <[";
    for (std::size_t k = 0; k < i.sigs.size(); ++k) {
      if (k != 0) out_ += ' ';
      signature(*i.sigs[k]);
    }
    out_ += "]>";
  }
  out_ += ' ';
  arguments(i.operands);
}

}  // namespace gaur::ir
