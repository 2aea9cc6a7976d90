// The rows of a block of code as text, for dumps.
#pragma once

#include <functional>
#include <string>

#include "vm/abi/code_map.h"

namespace gaur::jit {

/// Name of an entity, or an empty text.
using EntityName = std::function<std::string(Id)>;

/// "@name", or "#id" where it has none.
std::string nameOrId(const EntityName& nameOf, Id id);
/// "rbx" and the like, for the registers that rows speak of.
std::string registerName(unsigned dwarfNumber);
/// "[sp+16] 8 bytes", "42".
std::string describePlace(const abi::KeepaliveLocation& place);
std::string describeCode(const abi::CodeBlock& block, const EntityName& nameOf);

}  // namespace gaur::jit
