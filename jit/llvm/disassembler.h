// Linked code as assembly text, with the names of what it refers to and what the code map knows of each call.
#pragma once

#include <map>
#include <string>

#include "jit/code_map_text.h"
#include "jit/llvm/lowering.h"

namespace gaur::jit {

using AddressNames = std::map<std::uintptr_t, std::string>;

/// Names for comments: the external symbols of a compilation and the entries of the link table.
AddressNames nameAddresses(Environment& environment, const ExternalAddresses& externals);

std::string disassemble(const abi::CodeBlock& block, const AddressNames& names, const EntityName& nameOf);

}  // namespace gaur::jit
