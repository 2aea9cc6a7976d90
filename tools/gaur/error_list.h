// `gaur errors`, which is of use to clients of the library too.
#pragma once

#include "tools/gaur/command.h"

namespace gaur::tool {

void addErrors(CLI::App& app, Invocation& invocation);

}  // namespace gaur::tool
