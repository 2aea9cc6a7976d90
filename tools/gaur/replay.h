// A bundle made again by a client: its calls of MuIRBuilder, on a machine of the C interface.
#pragma once

#include <optional>
#include <string>

#include "api/mu/muapi.h"
#include "vm/ir/bundle.h"

namespace gaur::tool {

/// Builds and loads what the bundle, of another program, holds; what it refers to has to be loaded. The
/// message of the first call that failed, if one did.
std::optional<std::string> replay(const ir::Bundle& bundle, MuVM* machine);

}  // namespace gaur::tool
