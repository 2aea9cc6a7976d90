// IR to text. What is printed parses back to the same IR.
#pragma once

#include <string>

#include "vm/ir/program.h"

namespace gaur::ir {

struct PrintOptions {
  /// Spec: 2016 form, sigils, named types. Muc: later dialect, inline types and constants where they have no name.
  enum class Dialect { Spec, Muc } dialect = Dialect::Spec;
};

std::string print(const Bundle& bundle, const PrintOptions& options = {});
std::string print(const FunctionVersion& version, const PrintOptions& options = {});
std::string print(const Instruction& instruction, const PrintOptions& options = {});

}  // namespace gaur::ir
