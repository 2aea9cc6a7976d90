// Linking of a bundle: IDs to entities, types to canonical types, clauses into instructions, and the types of
// all values.
#pragma once

#include "vm/ir/builder.h"

namespace gaur::ir {

/// Resolves everything in `builder`. Reports every reference to an undefined or wrong kind of entity,
/// duplicate definitions, and types that contain themselves. After success all Use targets and all Value
/// types of the bundle are set.
void link(Builder& builder, Diagnostics& diagnostics);

/// Appends to `out` the canonical types of the results of an instruction whose types and signatures are
/// linked. Operands are not looked at. False where the parts do not fit the opcode, which is reported.
bool inferResultTypes(TypeTable& types, const Program& program, const Instruction& instruction,
                      Diagnostics& diagnostics, std::vector<const Type*>& out);

/// The type that one pattern of common_insts.def stands for with the instruction's types and signatures. Null
/// where the pattern leaves something open (`*`) or does not fit (`pointer(T0)` with T0 neither ref
/// nor iref).
const Type* resolvePattern(TypeTable& types, const Program& program, const Instruction& instruction,
                           std::string_view pattern);

}  // namespace gaur::ir
