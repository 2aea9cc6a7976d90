// What the bytes of an image file mean: a header, a table of sections, and the sections, each at a multiple
// of a page. All numbers are little-endian. Offsets are relative to the section they are in; addresses are
// those for the preferred places of heap and slab.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "bootimage/relocation.h"
#include "vm/abi/code_map.h"
#include "vm/support/ids.h"

namespace gaur::bootimage {

inline constexpr std::array<char, 8> kMagic{'\x7f', 'G', 'a', 'u', 'r', 'i', 'm', 'g'};
/// Raised with every change of what follows.
inline constexpr std::uint32_t kFormatVersion = 3;
/// Sections begin at multiples of this in the file, so that they can be mapped.
inline constexpr std::size_t kPageBytes = 4096;

/// XXH3, 128 bits.
using Hash = std::array<std::uint64_t, 2>;

enum class SectionKind : std::uint32_t {
#define GAUR_IMAGE_SECTION(Name, Element, Checked) Name,
#include "bootimage/sections.def"
};
inline constexpr std::size_t kSectionCount = 0
#define GAUR_IMAGE_SECTION(...) +1
#include "bootimage/sections.def"
    ;

struct SectionHeader {
  SectionKind kind;
  /// sizeof its element: another one is another format.
  std::uint32_t elementBytes;
  std::uint64_t offset;
  std::uint64_t bytes;
  Hash hash;
};

struct Header {
  std::array<char, 8> magic;
  std::uint32_t formatVersion;
  std::uint32_t sectionCount;
  /// "x86_64-linux"
  std::array<char, 24> target;
  /// Of all that compiled code and the runtime agree on (abiFingerprint()).
  Hash fingerprint;
  std::uint64_t fileBytes;
  /// Identifies what was built: the hash of all section hashes.
  Hash buildId;
  /// Version of the program that wrote it.
  std::array<char, 24> creator;
  /// Of the header, with this field zero, and the section table, which comes next.
  Hash hash;
};

// --- Elements of sections ---------------------------------------------------------------------------------

/// abi::CodeBlock with ranges instead of spans.
struct CodeBlockRow {
  std::uint64_t begin, end;  // in Code
  std::uint32_t firstFunction, functionCount;
  std::uint32_t firstRow, rowCount;
  std::uint32_t firstSaved, savedCount;
  std::uint32_t firstKeepalive, keepaliveCount;
  std::uint32_t firstWatchpoint, watchpointCount;
};
inline constexpr std::uint64_t kNoRecord = ~std::uint64_t{0};
/// abi::FunctionCode; its record, if any, by its offset in Data.
struct FunctionCodeRow {
  std::uint32_t beginOffset, endOffset, bodyOffset;
  std::int32_t cfaOffset;
  Id version;
  std::uint32_t kind;
  std::uint64_t record;
  std::uint32_t firstRow, rowCount;
  std::uint32_t firstSaved, savedCount;
};
struct FunctionRow {
  Id id;
  /// The code is that of the current version; else the record still points to its trampoline.
  std::uint32_t isCompiled;
  std::uint64_t record;      // in Data
  std::uint64_t trampoline;  // in Code
};
struct CellRow {
  Id id;
  std::uint32_t padding;
  std::uint64_t memory;  // in Data
};
/// An exposed function: an entity, or one that the program exposed while it ran (id 0).
struct ExposureRow {
  Id id;
  std::uint32_t signature;
  std::uint64_t data;        // in Data: runtime::ExposedFunctionData
  std::uint64_t slot;        // in Data; of an entity
  std::uint64_t trampoline;  // in Code
};
struct NativeSlotRow {
  std::uint64_t slot;    // in Data
  std::uint32_t symbol;  // in Strings
  std::uint32_t padding;
};
struct NativeCallSlotRow {
  std::uint64_t slot;  // in Data
  std::uint32_t signature;
  std::uint32_t padding;
};
enum SymbolFlags : std::uint32_t {
  /// NULL where the symbol is missing.
  kWeakSymbol = 1,
};
/// A word that gets the address of a symbol, plus the addend.
struct SymbolWord {
  std::uint32_t section;  // Section
  std::uint32_t symbol;   // in Strings
  std::uint64_t offset;
  std::int64_t addend;
  std::uint32_t flags;
  /// In Strings: where to look first, as the client said; empty text: anywhere.
  std::uint32_t library;
};
enum class AdapterKind : std::uint32_t { HostCall, Exposed, Start };
struct AdapterRow {
  AdapterKind kind;
  std::uint32_t signature;
  std::uint64_t code;  // in Code
};
/// A READY stack. Its words, from where it stands to its end, lie in StackWords.
struct StackRow {
  std::uint64_t object;     // in Heap
  std::uint64_t firstWord;  // in StackWords
  std::uint64_t wordCount;
  /// What abi::StackObject::valueMemory is, from where the stack stands; kNoObject: NULL.
  std::uint64_t valueMemory;
  std::uint64_t cookie;
  /// For compiled code, below its end.
  std::uint64_t room;
  std::uint32_t firstFix, fixCount;  // in StackFixes
};
/// A word of a stack that is another one in each process.
struct StackFix {
  enum class Kind : std::uint32_t {
    /// An address (relocation.h) of the heap, the data or the code, as the file assumes it.
    Address,
    /// `value` bytes from where the stack with the number `other` stands.
    Stack,
    /// The memory (abi::StackMemory) of the stack `other`.
    Memory,
    /// runtime::stackStubs()[value].
    Stub,
    /// Word `value` of abi::LinkTable.
    Link,
    /// The symbol at `value` in Strings.
    Symbol,
    /// The code that begins functions of the signature `value`.
    StartAdapter,
  };
  Kind kind;
  std::uint32_t other;
  /// Of the word, from where its stack stands.
  std::uint64_t word;
  std::uint64_t value;
};
struct InliningRow {
  Id callerVersion;
  Id function;
};
inline constexpr std::uint64_t kNoObject = ~std::uint64_t{0};
/// How a process begins.
struct StartRow {
  /// Of the function to call; kNoId: none.
  Id function;
  std::uint32_t padding;
  std::uint64_t threadLocal;  // in Heap
  std::uint64_t stack;        // in Heap
  /// Whole pages with the cells that C knows by names (named_cells.h).
  std::uint64_t namedCells, namedCellBytes;  // in Data
};

template <SectionKind kind>
struct ElementOf;
#define GAUR_IMAGE_SECTION(Name, Element, Checked)        \
  template <>                                             \
  struct ElementOf<SectionKind::Name> {                   \
    using type = Element;                                 \
    static_assert(std::is_trivially_copyable_v<Element>); \
  };
#include "bootimage/sections.def"

std::string_view text(SectionKind kind);
std::uint32_t elementBytes(SectionKind kind);
/// Whether it is verified at each start.
bool isAlwaysChecked(SectionKind kind);

/// Of what the runtime that calls this and compiled code agree on: layouts, runtime entries in their order,
/// numbers.
Hash abiFingerprint();
/// "x86_64-linux".
std::string_view thisTarget();

}  // namespace gaur::bootimage
