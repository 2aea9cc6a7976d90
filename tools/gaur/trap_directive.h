// `trap:` lines of conformance cases: what a trap of the next run looks like, and the answer to it. Only the
// text is read here; trap_player.h holds it against a real trap.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/gaur/literals.h"
#include "vm/support/result.h"

namespace gaur::tool {

/// A frame of the trapped stack.
struct ExpectedFrame {
  /// Named: the name is that of its function, of its version or of the instruction it stands at. Undefined: a
  /// function without a version. Native: native frames, however many.
  enum class Kind { Named, Undefined, Native };
  Kind kind = Kind::Named;
  std::string name;                       // without '@'
  std::optional<std::string> keepalives;  // text between the brackets; nothing: not looked at
};

/// What the handler does before the thread goes on. One member is set.
struct TrapAction {
  std::uint32_t pop = 0;  // frames from the top of the trapped stack
  std::string push;       // the function of a new top frame
  std::string load;       // a bundle of the same folder
};

/// How a trapped thread goes on.
struct TrapAnswer {
  enum class Kind { Pass, Throw, ThrowNull, Exit };
  Kind kind = Kind::Pass;
  std::vector<TrapAction> actions;
  std::string values;      // Pass: text between the brackets
  std::string freshStack;  // the function of the fresh stack to go on with, or empty: the trapped one
};

struct ExpectedTrap {
  unsigned line = 0;
  std::uint32_t times = 1;
  std::uint32_t watchpoint = 0;  // 0: none
  /// From the top; frames further out are not looked at.
  std::vector<ExpectedFrame> frames;
  TrapAnswer answer;
};

/// Takes "(...)" with balanced brackets, and returns what is between; nothing, and takes nothing, where the
/// list does not begin or has no end.
std::optional<std::string> takeBrackets(Cursor& cursor);

/// Takes a decimal number.
std::optional<std::uint32_t> takeNumber(Cursor& cursor);

/// Reads what stands behind `trap:`. Null, or what is wrong with it.
const char* readTrap(Cursor cursor, ExpectedTrap& trap);

}  // namespace gaur::tool
