// IR to text. What is printed parses back to the same IR.
#pragma once

#include <string>

#include "vm/ir/program.h"

namespace gaur::ir {

struct PrintOptions {
  /// Spec: 2016 form: sigils, and a name for every type, signature, constant and version. Muc: later dialect:
  /// no sigils where the meaning is clear, and types, signatures and constants in place where they have no
  /// name.
  enum class Dialect { Spec, Muc } dialect = Dialect::Spec;
};

std::string print(const Bundle& bundle, const PrintOptions& options = {});
std::string print(const FunctionVersion& version, const PrintOptions& options = {});
/// One line, with sigils and everything without a name in place.
std::string print(const Instruction& instruction, const PrintOptions& options = {});

/// Whether this is a name that printing makes for a type, signature, constant etc. that has none: "t.0".
bool isGeneratedName(EntityKind kind, std::string_view name);

}  // namespace gaur::ir
