// Values as text: reading arguments, printing results, and comparing results with what a test expects. The
// forms are those of constants in the IR, chosen by type, with `nan` for any NaN, NULL and `nonnull` for
// references, and {a b c} for values with parts.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "vm/abi/layout.h"
#include "vm/support/result.h"

namespace gaur::tool {

/// A text that is read from the left.
struct Cursor {
  std::string_view rest;

  void skipBlanks();
  bool atEnd();
  /// Takes `token` if it comes next.
  bool take(std::string_view token);
  /// Takes what comes before the next blank, comma or bracket.
  std::string_view word();
};

/// Reads a literal of `type` from the cursor and writes it to `memory` in the type's layout. Error:
/// EntryArgumentValue without its place.
Result<void> readLiteral(Cursor& cursor, const ir::Type* type, std::byte* memory);

/// Reads a literal and tells whether the value in `memory` is that one.
Result<bool> matchLiteral(Cursor& cursor, const ir::Type* type, const std::byte* memory);

/// The value as a literal. Integers are signed decimal.
std::string printLiteral(const ir::Type* type, const std::byte* memory);

/// Whether values of the type have a literal form (references only as NULL).
bool hasLiteral(const ir::Type* type);

}  // namespace gaur::tool
