// What a bundle means, apart from the way it was written or built: the measure of whether two texts, or a
// text and the calls of a client, are the same program.
#pragma once

#include <string>

#include "vm/ir/bundle.h"

namespace gaur::ir {

/// The same for two bundles that hold the same program, whatever the order of their definitions, their
/// dialect, and whether types, signatures and constants were named or written in place. Types, signatures and
/// constants are numbered as they are met; local entities are called by their place ("b1", "p0", "i3.0").
/// Definitions that have no name and no user are left out, and so are names as the printer makes them for
/// what has none.
std::string canonicalText(const Bundle& bundle);

/// One line for each entity of a function version that has a name: its place as in canonicalText, and its
/// full name. Sorted by function.
std::string localNames(const Bundle& bundle);

}  // namespace gaur::ir
