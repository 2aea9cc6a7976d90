// HAIL, the heap allocation and initialisation language (specification, chapter of that name; map, HA-*): a
// script as it is read, with its names resolved and its types checked against a program. Decides what a
// script means; nothing here knows of memory, which vm/runtime/hail.h fills.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vm/ir/program.h"
#include "vm/support/source.h"

namespace gaur::ir {

/// What lies at a location: a value of `type`; or the variable part of a hybrid, `length` elements of `type`.
struct HailExtent {
  const Type* type = nullptr;
  bool isVariablePart = false;
  /// Elements of the variable part, also where `type` is a whole hybrid.
  std::uint64_t length = 0;

  /// How many parts an index can select; 0 for what has none.
  std::uint64_t parts() const;
  /// Requires: index < parts().
  HailExtent part(std::uint64_t index) const;
};

/// `.new` and `.newhybrid`: an object of the script.
struct HailObject {
  std::string_view name;  // without '$', a part of the text
  /// Of the definition; while there is none, of the first use.
  SourcePos pos = 0;
  bool isDefined = false;
  /// Null where the definition is wrong.
  const Type* type = nullptr;
  /// Elements of a hybrid's variable part.
  std::uint64_t length = 0;
};

struct HailIndex {
  std::uint64_t value;
  SourcePos pos;
};

/// A location: a global cell or an object, and the indices that select a part of it.
struct HailPlace {
  SourcePos pos = 0;
  /// Null: it is an object, or wrong.
  const GlobalCell* cell = nullptr;
  std::uint32_t object = kNoObject;
  std::uint32_t firstIndex = 0;
  std::uint32_t indexCount = 0;
  /// Set by the check; its type is null where the place is wrong.
  HailExtent extent;

  static constexpr std::uint32_t kNoObject = ~std::uint32_t{0};
};

enum class HailForm : std::uint8_t {
  Int,      // payload: bits 0 to 63, and the sign above them in `negative`
  LongInt,  // payload: place in `words`, where the count precedes the words (parseInteger's form)
  Float,    // payload: the bits
  Double,   // payload: the bits
  Null,
  Global,   // payload: number of the global value
  Object,   // payload: number of the object
  Address,  // payload: number of the place
  Content,  // payload: number of the place
  List,     // followed by its items
  Wrong,    // reported already
};

/// A value, or the head of a list whose items follow it.
struct HailValue {
  SourcePos pos = 0;
  HailForm form = HailForm::Wrong;
  /// Of Int.
  bool negative = false;
  /// Of List; a list may have 2^32 - 1 items.
  std::uint64_t payload = 0;

  std::uint32_t items() const { return static_cast<std::uint32_t>(payload); }
  /// Values in the list, those of inner lists included.
  std::uint32_t span() const { return static_cast<std::uint32_t>(payload >> kSpanShift); }
  static constexpr unsigned kSpanShift = 32;
};
static_assert(sizeof(HailValue) == 16);

/// `.init`.
struct HailInit {
  std::uint32_t place;
  std::uint32_t value;
};

/// A global value that the script uses, with its first use.
struct HailGlobal {
  const Value* value;
  SourcePos pos;
};

/// Refers to the text it was read from.
struct HailScript {
  std::vector<HailObject> objects;  // in the order of first mention
  std::vector<HailInit> inits;      // in the order of the text
  std::vector<HailPlace> places;
  std::vector<HailIndex> indices;
  std::vector<HailValue> values;
  std::vector<HailGlobal> globals;
  std::vector<std::uint64_t> words;

  /// The value that comes after this one and its items.
  std::uint32_t next(std::uint32_t value) const {
    return value + 1 + (values[value].form == HailForm::List ? values[value].span() : 0);
  }
};

/// Whether a hybrid without fixed part is given its elements without the braces of the variable part, as the
/// specification's example does: its list does not begin with what could be the variable part as a whole.
bool listsElements(const HailScript& script, const Type* hybrid, std::uint32_t list);

/// What a value that is stored in a tagref64 is before it is tagged: double, int<52>, a struct of a reference
/// and an int<6>, or tagref64 itself. Null where it can be none of them. A list has no type: see HailForm.
const Type* typeInTagref(const HailScript& script, const HailValue& value, TypeTable& types);

/// Bits of the integers and of the tags that a tagref64 takes.
inline constexpr std::uint64_t kTagrefIntBits = 52;
inline constexpr std::uint64_t kTagrefTagBits = 6;

/// Deepest nesting of lists; that of types is less.
inline constexpr unsigned kMaxHailNesting = 300;

/// Reads and checks a script against what is loaded. Nothing, and all errors in `diagnostics`, where it is
/// wrong. Thread-safe.
std::optional<HailScript> readHail(const SourceText& source, Program& program, Diagnostics& diagnostics);

/// The part of readHail that needs no types; for the parser's users within this layer.
void parseHail(const SourceText& source, const Program& program, HailScript& script,
               Diagnostics& diagnostics);
/// The other part. Requires: parseHail, also of a script with errors.
void checkHail(HailScript& script, Program& program, Diagnostics& diagnostics);

/// The value as messages show it: "the integer 5", "$x".
std::string describe(const HailScript& script, const HailValue& value);

}  // namespace gaur::ir
