// A C program that rebuilds a bundle through MuIRBuilder, as clients that write C do.
#pragma once

#include <string>

#include "vm/ir/bundle.h"

namespace gaur::tool {

struct BuilderCOptions {
  /// The function that builds, `void NAME(MuCtx *ctx)`, and the beginning of every other name.
  std::string name = "bundle";
  /// With a `main` that makes a machine and builds; it fails where building does.
  bool hasMain = true;
  /// Function that `main` starts a thread with, or null. It takes nothing, or argc and argv.
  const ir::Function* entry = nullptr;
};

/// C99 text that needs only muapi.h, and gaur.h where it has a `main`. One function of it for each function
/// of the bundle.
std::string builderC(const ir::Bundle& bundle, const BuilderCOptions& options);

}  // namespace gaur::tool
