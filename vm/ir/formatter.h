// Canonical white space for a text, comments and inline forms kept as written.
#pragma once

#include <optional>
#include <string>

#include "vm/ir/lexer.h"

namespace gaur::ir {

/// The text with one definition, label or instruction a line, canonical blanks and indentation, runs of
/// trailing comments aligned, and at most one empty line in a row. Lines that an author has broken within a
/// statement stay broken. Formatting what it returns changes nothing. Needs no linking; malformed tokens are
/// reported, and then there is no text.
std::optional<std::string> format(const SourceText& source, Diagnostics& diagnostics,
                                  TextLanguage language = TextLanguage::Ir);

}  // namespace gaur::ir
