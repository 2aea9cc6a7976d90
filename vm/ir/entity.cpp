// Words and small questions about entities and instructions.
#include "vm/ir/entity.h"

#include "vm/ir/instruction.h"

namespace gaur::ir {

std::string_view text(EntityKind kind) {
  switch (kind) {
    case EntityKind::Type: return "type";
    case EntityKind::Signature: return "signature";
    case EntityKind::Constant: return "constant";
    case EntityKind::Global: return "global cell";
    case EntityKind::Function: return "function";
    case EntityKind::FunctionVersion: return "function version";
    case EntityKind::ExposedFunction: return "exposed function";
    case EntityKind::BasicBlock: return "basic block";
    case EntityKind::Parameter: return "parameter";
    case EntityKind::Result: return "result";
    case EntityKind::Instruction: return "instruction";
    case EntityKind::DestClause: return "destination clause";
    case EntityKind::ExcClause: return "exception clause";
    case EntityKind::KeepaliveClause: return "keep-alive clause";
    case EntityKind::CurStackClause: return "current stack clause";
    case EntityKind::NewStackClause: return "new stack clause";
  }
  GAUR_UNREACHABLE("no such entity kind");
}

std::string word(const Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::BinOp: return std::string(text(static_cast<BinOperator>(instruction.operation)));
    case Opcode::Cmp: return std::string(text(static_cast<CmpOperator>(instruction.operation)));
    case Opcode::Conv: return std::string(text(static_cast<ConvOperator>(instruction.operation)));
    case Opcode::CommInst: return "@" + std::string(info(instruction.common).text);
    default: return std::string(info(instruction.opcode).text);
  }
}

bool Instruction::isTerminator() const {
  if (hasExc || has(info(opcode).properties, Property::Terminator)) return true;
  if (opcode == Opcode::SwapStack) return killOld;
  return opcode == Opcode::CommInst && has(info(common).properties, Property::Terminator);
}

}  // namespace gaur::ir
