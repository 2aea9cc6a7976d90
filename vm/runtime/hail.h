// Evaluation of HAIL scripts: allocates the objects, then initialises in the order of the text (vm/ir/hail.h
// tells what a script means).
#pragma once

#include "vm/ir/hail.h"

namespace gaur::runtime {

class Thread;

/// False, with errors in `diagnostics`, where memory or a native symbol is not to be had: then nothing that
/// the program knows has changed. Stores are not atomic. May collect. Requires: the thread is the current one
/// and stands on its native stack; the script is checked against the program of its VM.
bool evaluateHail(Thread& thread, const ir::HailScript& script, Diagnostics& diagnostics);

}  // namespace gaur::runtime
