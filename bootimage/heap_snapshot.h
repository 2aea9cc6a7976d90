// The objects of an image: everything that global cells and other roots reach, copied side by side, with
// every word that holds an address translated to what it is in the image. Two phases. Tracing finds objects
// and, as it goes, the functions and cells they refer to, which the caller has to make part of the image too
// and may find more roots by; finishing fills in what could not be known before: where those lie, and what
// was not reached after all.
//
// Nothing of the running machine is changed or kept. Its threads may run on, but the snapshot then is none of
// a single moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bootimage/object_numbers.h"
#include "bootimage/object_paths.h"
#include "bootimage/relocation.h"
#include "bootimage/word_map.h"
#include "vm/abi/stack_object.h"
#include "vm/ir/entity.h"
#include "vm/runtime/pointer_relocations.h"
#include "vm/support/result.h"

namespace gaur::bootimage {

/// What an address of the running machine is part of.
struct Location {
  enum class Kind : std::uint8_t {
    Unknown,
    Object,
    Cell,
    /// The record of a function, that is, a funcref.
    Function,
    ExposedFunction,
    /// Made by the EXPOSE instruction or the like: has no entity.
    Exposure,
  };
  Kind kind = Kind::Unknown;
  /// Object: a raw pointer is enough to keep it (it is pinned, or of an earlier image, where everything is
  /// for ever). Others become part of the image only where a reference leads to them.
  bool isPinned = false;
  /// Object: a reference to it. Cell: ir::GlobalCell. Function: ir::Function. ExposedFunction:
  /// ir::ExposedFunction. Exposure: its address.
  const void* thing = nullptr;
  /// From field 0, or from the start of the cell.
  std::uint64_t offset = 0;
};

/// Knows the running machine.
class AddressSpace {
 public:
  virtual ~AddressSpace() = default;
  virtual Location locate(std::uintptr_t address) = 0;
  /// The symbol that whoever starts the image has to give for an address that locate does not know; empty:
  /// none.
  virtual std::string symbolOf([[maybe_unused]] std::uintptr_t address) { return {}; }
};

/// What becomes of a raw pointer that is not NULL, refers to nothing in the image and has no relocation to a
/// symbol (option --uptr). The bits are kept, except by Null. Warn and Error report all of them.
enum class UnknownPointers : std::uint8_t { Keep, Warn, Error, Null };

/// Something outside the heap that its words refer to.
struct Outside {
  /// Not Unknown, not Object.
  Location::Kind kind;
  const void* thing;
  bool operator==(const Outside&) const = default;
};

class HeapSnapshot {
 public:
  struct Options {
    UnknownPointers unknownPointers = UnknownPointers::Warn;
  };

  /// The collector must not run until the snapshot is finished (gc::CollectionPause).
  HeapSnapshot(AddressSpace& addresses, const Options& options);
  ~HeapSnapshot();
  HeapSnapshot(const HeapSnapshot&) = delete;
  HeapSnapshot& operator=(const HeapSnapshot&) = delete;

  // --- Phase 1 -------------------------------------------------------------------------------------------

  /// A global cell of the image, and its memory. Each once.
  void addCell(const ir::GlobalCell& cell, const void* memory);
  /// An object that is to be in the image whatever else refers to it. `name` tells of it in messages. NULL is
  /// ignored.
  void addObject(const void* ref, std::string_view name);
  /// A word of a stack's frames that may be a reference to an object: in the image it is the address that is
  /// returned. An object of the runtime that ends with the process becomes a dead stack or an ended thread; 0
  /// for others of that sort.
  std::uint64_t addFromFrame(const void* object, std::string_view name);
  /// The READY stacks that references refer to, in the order in which they were found. It grows. Their
  /// objects are zeroed in the heap, that is, dead stacks: the caller sees to their frames.
  std::span<const abi::StackObject* const> stacks() const { return stacks_; }
  /// Follows everything that was added, until nothing new is found.
  void trace();
  /// Cells, functions, exposures that words refer to, in the order in which they were found. It grows; cells
  /// that were added are in it only if words refer to them.
  std::span<const Outside> outside() const { return outside_; }

  // --- Phase 2 -------------------------------------------------------------------------------------------

  struct Outcome {
    /// What wanted relocations to symbols: those given that lie in the image; `symbol` numbers `relocations`
    /// below, and behind them `names`.
    std::vector<SymbolRelocation> symbols;
    /// Of host functions that words refer to.
    std::vector<std::string> names;
    /// One line each.
    std::vector<std::string> warnings;
  };
  /// Where things lie in the file: that of outside()[i] and of the i-th cell.
  struct Targets {
    SectionBases bases;
    std::span<const Target> outside;
    std::span<const Target> cells;
  };
  /// Translates the remaining words. `relocations`: fields that get the address of a symbol
  /// (runtime::PointerRelocations::entries); those of objects and cells that are not in the image are left
  /// out, and of several for a field the last counts. The number of a symbol is the index of its entry. Fails
  /// where something refers to what an image cannot hold; the error tells the ways from roots.
  Result<Outcome> finish(const Targets& targets, std::span<const runtime::PointerRelocation> relocations);

  // --- The result ----------------------------------------------------------------------------------------

  /// The section: blocks side by side.
  std::span<const std::byte> heap() const { return {heap_, usedBytes()}; }
  /// As long as this lives, so does the section.
  std::shared_ptr<const void> heapMemory() const { return memory_; }
  std::size_t objectCount() const { return objectCount_; }
  /// As gc::ImmortalRange::firstBlocks.
  std::span<const std::uint32_t> firstBlocks() const { return firstBlocks_; }
  /// One bit for each word of the heap, the lowest first: whether it is an address (relocation.h) of the
  /// heap, the data or the code.
  std::span<const std::uint64_t> heapRelocations() const { return relocated_; }
  /// Of the i-th cell.
  std::span<const std::byte> cellBytes(std::size_t cell) const;
  /// The words of cells with addresses, as offsets in the data section, ascending.
  std::span<const std::uint64_t> dataRelocations() const { return dataRelocations_; }
  /// Where an address of the running machine lies in the image: an object or a part of one, a cell or a part.
  /// Nothing where it does not.
  std::optional<Target> targetOf(std::uintptr_t address) const;

 private:
  /// As ObjectGraph numbers them.
  using WordPlace = std::uint64_t;
  static constexpr WordPlace kFirstCellWord = ObjectGraph::kFirstCellWord;

  struct Cell {
    const ir::GlobalCell* cell;
    const ir::Type* type;
    /// In cells_.
    std::uint64_t begin;
    std::uint64_t bytes;
  };
  struct OutsideWord {
    WordPlace place;
    std::uint32_t number;
  };
  /// A word that its kind alone does not tell how to treat.
  struct Word {
    WordPlace place;
    WordKind kind;
    std::uint64_t bits;
  };

  std::uint64_t usedBytes() const { return usedGranules_ * abi::kGranule; }
  std::uint64_t& wordAt(WordPlace place);
  const WordMaps::ObjectMap& mapOf(std::uint32_t typeIndex);

  std::uint64_t allocate(std::uint64_t bytes);
  std::uint64_t copyOf(std::uintptr_t ref);
  std::uint64_t copyOfStack(const abi::StackObject& stack);
  std::uint64_t zeroedCopy(std::uintptr_t object, std::size_t bytes);
  void scanObject(std::uint32_t granule);
  void visit(std::uint64_t& word, WordKind kind, WordPlace place);
  void visitPointer(std::uint64_t& word, WordKind kind, WordPlace place);
  void setAddress(std::uint64_t& word, std::uint64_t address, WordPlace place);
  void referOutside(std::uint64_t& word, const Location& location, WordPlace place);
  void refuse(std::uint64_t& word, WordKind kind, WordPlace place);

  void finishWeak();
  void finishPointers();
  void finishOutside(const Targets& targets);
  std::vector<SymbolRelocation> finishSymbols(const Targets& targets,
                                              std::span<const runtime::PointerRelocation> relocations);
  void finishDataRelocations(const Targets& targets);
  std::optional<WordPlace> placeOf(std::uintptr_t address) const;
  Place placeInFile(WordPlace place, const Targets& targets) const;
  std::vector<std::string> describe(std::span<const Word> words) const;

  AddressSpace& addresses_;
  const Options options_;
  WordMaps maps_;
  std::vector<const WordMaps::ObjectMap*> mapsByIndex_;
  /// Of a copied object: where its copy's field 0 lies, in granules, plus one.
  ObjectNumbers numbers_;

  std::shared_ptr<void> memory_;
  std::byte* heap_ = nullptr;
  std::uint64_t capacity_ = 0;
  bool isTooBig_ = false;
  std::uint64_t usedGranules_ = 0;
  std::size_t objectCount_ = 0;
  std::vector<std::uint32_t> firstBlocks_;
  std::vector<std::uint64_t> relocated_;
  /// Blocks whose words have not been visited.
  std::vector<std::uint32_t> pending_;
  std::vector<const abi::StackObject*> stacks_;

  std::vector<Cell> cells_;
  std::unordered_map<const void*, std::size_t> cellNumbers_;
  std::vector<std::byte> cellBytes_;
  std::size_t scannedCells_ = 0;
  std::vector<ObjectGraph::Root> roots_;

  std::vector<Outside> outside_;
  std::unordered_map<const void*, std::uint32_t> outsideNumbers_;

  std::vector<WordPlace> weakWords_;
  std::vector<OutsideWord> outsideWords_;
  /// Raw pointers to objects that only references keep.
  std::vector<Word> pointers_;
  std::vector<Word> unknownPointers_;
  /// Pointers of host functions, and the names that stand for them.
  std::vector<std::pair<WordPlace, std::string>> namedPointers_;
  std::vector<Word> refused_;
  std::vector<WordPlace> relocatedCellWords_;
  std::vector<std::uint64_t> dataRelocations_;
  std::vector<std::uint64_t> cellOffsets_;
};

}  // namespace gaur::bootimage
