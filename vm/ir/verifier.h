// The rules of the IR that hold beyond linking: operand types, arities, orders, clauses, scopes, blocks. A
// distinct error id for every rule (errors_verify.def); all independent errors are reported.
#pragma once

#include "vm/ir/program.h"
#include "vm/support/source.h"

namespace gaur::ir {

/// Verifies a linked bundle that is not yet published. `program` is what was loaded before.
void verify(const Bundle& bundle, Program& program, Diagnostics& diagnostics);
/// The part of it that needs no bodies, and the bodies of the versions: what comes from an image is verified
/// in two steps.
void verifyTopLevel(const Bundle& bundle, Program& program, Diagnostics& diagnostics);
void verifyBodies(const Bundle& bundle, Program& program, Diagnostics& diagnostics);

}  // namespace gaur::ir
