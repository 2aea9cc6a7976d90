// The one symbol that libgaur.so looks up in libgaur-llvm.so.
#pragma once

#include "jit/compiler.h"

extern "C" {

/// Sets `result` to a new compiler, or to why there is none.
void gaur_createCompiler(gaur::jit::Environment& environment, gaur::jit::CodeSlab& slab,
                         gaur::jit::CodeMap& map, const gaur::jit::CompilerOptions& options,
                         gaur::Result<std::unique_ptr<gaur::jit::Compiler>>& result);
}
