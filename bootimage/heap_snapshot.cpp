// Objects are numbered, that is, given their place, and copied when the first reference to them is met; their
// words are visited later. What an object refers to is copied right behind each other, and of these the first
// is gone into first: neighbours in the image are near in the graph.
#include "bootimage/heap_snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "gc/heap.h"
#include "vm/abi/function_record.h"
#include "vm/abi/layout.h"
#include "vm/support/check.h"
#include "vm/support/platform.h"

namespace gaur::bootimage {

using abi::ObjectHeader;

namespace {

/// Granules have 32-bit numbers, of which 0 stands for none.
constexpr std::uint64_t kMostBytes = ((std::uint64_t{1} << 32) - 2) * abi::kGranule;
constexpr std::uint64_t kLeastCapacity = std::uint64_t{1} << 26;
constexpr std::uint64_t kCellAlignment = 16;
constexpr std::uint64_t kBitsPerEntry = 64;
constexpr std::uint64_t kWordBytes = sizeof(std::uint64_t);
/// Paths are given for so many words; of the others their number is told.
constexpr std::size_t kMostDescribed = 20;

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "\n  " + line;
  return text;
}

}  // namespace

HeapSnapshot::HeapSnapshot(AddressSpace& addresses, const Options& options)
    : addresses_(addresses), options_(options) {
  // Address space only, but a process may be limited in that.
  for (capacity_ = platform::roundToPages(kMostBytes); !heap_; capacity_ /= 2) {
    GAUR_CHECK(capacity_ >= kLeastCapacity, "no address space for the objects of an image");
    heap_ = static_cast<std::byte*>(platform::reserveZeroed(capacity_));
    if (heap_) break;
  }
  memory_ = {heap_, [bytes = capacity_](void* memory) { platform::release(memory, bytes); }};
  platform::preferHugePages(heap_, capacity_);
}

HeapSnapshot::~HeapSnapshot() = default;

// --- Roots -----------------------------------------------------------------------------------------------

void HeapSnapshot::addCell(const ir::GlobalCell& cell, const void* memory) {
  const ir::Type* type = cell.cellType->type;
  std::uint64_t bytes = abi::LayoutTable::shared().of(type).size;
  std::uint64_t begin = (cellBytes_.size() + kCellAlignment - 1) & ~(kCellAlignment - 1);
  cellBytes_.resize(begin + bytes);
  std::memcpy(cellBytes_.data() + begin, memory, bytes);
  cellNumbers_.emplace(&cell, cells_.size());
  cells_.push_back({&cell, type, begin, bytes});
}

void HeapSnapshot::addObject(const void* ref, std::string_view name) {
  if (!ref) return;
  std::uint64_t address = copyOf(reinterpret_cast<std::uintptr_t>(ref));
  if (address != 0) roots_.push_back({address - kPreferredHeap, std::string(name)});
}

std::span<const std::byte> HeapSnapshot::cellBytes(std::size_t cell) const {
  return {cellBytes_.data() + cells_[cell].begin, cells_[cell].bytes};
}

// --- Copying ---------------------------------------------------------------------------------------------

/// Offset of a block; kMostBytes where the section is full.
std::uint64_t HeapSnapshot::allocate(std::uint64_t bytes) {
  std::uint64_t offset = usedBytes();
  if (bytes > std::min(capacity_, kMostBytes) - offset) {
    isTooBig_ = true;
    return kMostBytes;
  }
  for (std::uint64_t page = firstBlocks_.size(); page * gc::ImmortalRange::kPageBytes < offset + bytes;
       ++page)
    firstBlocks_.push_back(static_cast<std::uint32_t>(usedGranules_));
  usedGranules_ += bytes / abi::kGranule;
  ++objectCount_;
  std::uint64_t entries = (usedBytes() / kWordBytes + kBitsPerEntry - 1) / kBitsPerEntry;
  if (relocated_.size() < entries) relocated_.resize(entries);
  return offset;
}

/// What the address of field 0 will be in the image; 0 where the object has no room in it.
std::uint64_t HeapSnapshot::copyOf(std::uintptr_t ref) {
  std::uint32_t& number = numbers_[ref];
  // Field 0 of a wide object starts a granule; that of another lies in the middle of one.
  std::uint64_t within = ref % abi::kGranule;
  if (number != 0) return kPreferredHeap + (number - std::uint64_t{1}) * abi::kGranule + within;
  ObjectHeader header = ObjectHeader::of(reinterpret_cast<const void*>(ref));
  const WordMaps::ObjectMap& map = mapOf(header.typeIndex());
  std::uint64_t bytes = map.fixedBytes + header.length() * map.stride;
  bool lengthIsKnown = header.length() != ObjectHeader::kMaxLength || map.stride == 0;
  std::uint64_t block =
      lengthIsKnown ? allocate(abi::blockBytes(bytes + (map.variable ? 1 : 0), header.isWide())) : kMostBytes;
  if (block == kMostBytes) {
    isTooBig_ = true;
    return 0;
  }
  std::byte* copy = heap_ + block + header.prefix();
  *reinterpret_cast<std::uint64_t*>(heap_ + block) = header.bits();
  reinterpret_cast<std::uint64_t*>(copy)[-1] = header.bits();
  std::memcpy(copy, reinterpret_cast<const void*>(ref), bytes);
  std::uint64_t field0 = block + header.prefix();
  number = static_cast<std::uint32_t>(field0 / abi::kGranule + 1);
  if (!map.isEmpty()) pending_.push_back(static_cast<std::uint32_t>(block / abi::kGranule));
  return kPreferredHeap + field0;
}

/// Of an object of the runtime.
std::uint64_t HeapSnapshot::zeroedCopy(std::uintptr_t object, std::size_t bytes) {
  std::uint32_t& number = numbers_[object];
  const std::uint64_t within = object % abi::kGranule;
  if (number != 0) return kPreferredHeap + (number - std::uint64_t{1}) * abi::kGranule + within;
  const ObjectHeader header = ObjectHeader::of(reinterpret_cast<const void*>(object));
  std::uint64_t block = allocate(abi::blockBytes(bytes, header.isWide()));
  if (block == kMostBytes) return 0;
  *reinterpret_cast<std::uint64_t*>(heap_ + block) = header.bits();
  number = static_cast<std::uint32_t>((block + header.prefix()) / abi::kGranule + 1);
  return kPreferredHeap + block + header.prefix();
}

std::uint64_t HeapSnapshot::copyOfStack(const abi::StackObject& stack) {
  const auto address = reinterpret_cast<std::uintptr_t>(&stack);
  if (stack.savedPointer && numbers_.find(address) == 0) stacks_.push_back(&stack);
  return zeroedCopy(address, sizeof(abi::StackObject));
}

std::uint64_t HeapSnapshot::addFromFrame(const void* object, std::string_view name) {
  const std::uint32_t type = ObjectHeader::of(object).typeIndex();
  if (type == abi::kStackObjectType) return copyOfStack(*static_cast<const abi::StackObject*>(object));
  if (type == abi::kThreadObjectType)
    return zeroedCopy(reinterpret_cast<std::uintptr_t>(object), sizeof(abi::ThreadObject));
  if (type >= abi::kFirstRuntimeType) return 0;
  const std::uint64_t address = copyOf(reinterpret_cast<std::uintptr_t>(object));
  if (address != 0) roots_.push_back({address - kPreferredHeap, std::string(name)});
  return address;
}

const WordMaps::ObjectMap& HeapSnapshot::mapOf(std::uint32_t typeIndex) {
  if (typeIndex >= mapsByIndex_.size()) mapsByIndex_.resize(typeIndex + std::size_t{1});
  const WordMaps::ObjectMap*& map = mapsByIndex_[typeIndex];
  if (!map) {
    const ir::Type* type = abi::LayoutTable::shared().byIndex(typeIndex).type;
    GAUR_CHECK(type, "a reference to an object of the runtime that is no reference of its kind");
    map = &maps_.of(type);
  }
  return *map;
}

// --- Tracing ---------------------------------------------------------------------------------------------

void HeapSnapshot::trace() {
  for (;;) {
    for (; scannedCells_ < cells_.size(); ++scannedCells_) {
      const Cell& cell = cells_[scannedCells_];
      std::byte* base = cellBytes_.data() + cell.begin;
      forEachWord(maps_.of(cell.type).fixed, base, [&](std::uint64_t* word, WordKind kind) {
        visit(*word, kind,
              kFirstCellWord +
                  static_cast<std::uint64_t>(reinterpret_cast<std::byte*>(word) - cellBytes_.data()));
      });
    }
    if (pending_.empty()) return;
    std::uint32_t granule = pending_.back();
    pending_.pop_back();
    std::size_t found = pending_.size();
    scanObject(granule);
    std::reverse(pending_.begin() + static_cast<std::ptrdiff_t>(found), pending_.end());
  }
}

void HeapSnapshot::scanObject(std::uint32_t granule) {
  std::byte* block = heap_ + std::uint64_t{granule} * abi::kGranule;
  ObjectHeader header(*reinterpret_cast<const std::uint64_t*>(block));
  const WordMaps::ObjectMap& map = *mapsByIndex_[header.typeIndex()];
  auto visitWord = [this](std::uint64_t* word, WordKind kind) {
    visit(*word, kind, static_cast<std::uint64_t>(reinterpret_cast<std::byte*>(word) - heap_));
  };
  std::byte* base = block + header.prefix();
  forEachWord(map.fixed, base, visitWord);
  if (!map.variable || map.variable->isEmpty()) return;
  base += map.fixedBytes;
  for (std::uint64_t i = 0; i < header.length(); ++i)
    forEachWord(*map.variable, base + i * map.stride, visitWord);
}

void HeapSnapshot::visit(std::uint64_t& word, WordKind kind, WordPlace place) {
  if (word == 0) return;
  switch (kind) {
    case WordKind::Ref: setAddress(word, copyOf(word), place); break;
    case WordKind::Tagref:
      if (abi::tagrefHoldsRef(word)) {
        std::uint64_t address = abi::tagrefAddress(word);
        if (address == 0) break;
        // Addresses of an image are positive, so that nothing of them is in the sign.
        std::uint64_t rest = word & ~(abi::kTagrefAddressMask | abi::kTagrefSign);
        setAddress(word, rest | copyOf(address), place);
      }
      break;
    case WordKind::Weakref: weakWords_.push_back(place); break;
    case WordKind::Funcref:
      referOutside(
          word,
          {Location::Kind::Function, false, reinterpret_cast<const abi::FunctionRecord*>(word)->function, 0},
          place);
      break;
    case WordKind::Iref:
    case WordKind::Uptr:
    case WordKind::Ufuncptr: visitPointer(word, kind, place); break;
    case WordKind::Stackref:
      if (const auto* stack = reinterpret_cast<const abi::StackObject*>(word);
          stack->savedPointer || !stack->stack) {
        setAddress(word, copyOfStack(*stack), place);
      } else {
        refuse(word, kind, place);
      }
      break;
    case WordKind::Opaque: refuse(word, kind, place); break;
  }
}

void HeapSnapshot::visitPointer(std::uint64_t& word, WordKind kind, WordPlace place) {
  Location location = addresses_.locate(word);
  switch (location.kind) {
    case Location::Kind::Unknown:
      if (kind == WordKind::Iref) {
        refuse(word, kind, place);
      } else if (std::string name = kind == WordKind::Ufuncptr ? addresses_.symbolOf(word) : "";
                 !name.empty()) {
        namedPointers_.emplace_back(place, std::move(name));
      } else {
        unknownPointers_.push_back({place, kind, word});
      }
      break;
    case Location::Kind::Object:
      if (kind != WordKind::Iref && !location.isPinned) {
        pointers_.push_back({place, kind, word});
      } else if (std::uint64_t object = copyOf(reinterpret_cast<std::uintptr_t>(location.thing));
                 object != 0) {
        setAddress(word, object + location.offset, place);
      }
      break;
    default: referOutside(word, location, place); break;
  }
}

void HeapSnapshot::setAddress(std::uint64_t& word, std::uint64_t address, WordPlace place) {
  word = address;
  if (place >= kFirstCellWord) {
    relocatedCellWords_.push_back(place);
  } else {
    relocated_[place / kWordBytes / kBitsPerEntry] |= std::uint64_t{1} << place / kWordBytes % kBitsPerEntry;
  }
}

/// Until it is known where the thing lies, the word holds the distance from its start.
void HeapSnapshot::referOutside(std::uint64_t& word, const Location& location, WordPlace place) {
  auto [known, isNew] =
      outsideNumbers_.try_emplace(location.thing, static_cast<std::uint32_t>(outside_.size()));
  if (isNew) outside_.push_back({location.kind, location.thing});
  outsideWords_.push_back({place, known->second});
  word = location.offset;
}

void HeapSnapshot::refuse(std::uint64_t& word, WordKind kind, WordPlace place) {
  refused_.push_back({place, kind, word});
  word = 0;
}

// --- Finishing -------------------------------------------------------------------------------------------

std::uint64_t& HeapSnapshot::wordAt(WordPlace place) {
  std::byte* memory = place >= kFirstCellWord ? cellBytes_.data() + (place - kFirstCellWord) : heap_ + place;
  return *reinterpret_cast<std::uint64_t*>(memory);
}

Result<HeapSnapshot::Outcome> HeapSnapshot::finish(const Targets& targets,
                                                   std::span<const runtime::PointerRelocation> relocations) {
  GAUR_CHECK(targets.outside.size() == outside_.size() && targets.cells.size() == cells_.size(),
             "places of everything in the image are needed");
  if (isTooBig_)
    return makeError(ErrorId::ImageHeapTooBig, {std::to_string(std::min(capacity_, kMostBytes))});
  if (!refused_.empty())
    return makeError(ErrorId::ImageReference, {std::to_string(refused_.size()), joined(describe(refused_))});
  finishWeak();
  finishPointers();
  finishOutside(targets);
  Outcome outcome;
  outcome.symbols = finishSymbols(targets, relocations);
  for (auto& [place, name] : namedPointers_) outcome.names.push_back(std::move(name));
  finishDataRelocations(targets);
  for (const Target& cell : targets.cells) cellOffsets_.push_back(cell.value);
  if (unknownPointers_.empty()) return outcome;
  switch (options_.unknownPointers) {
    case UnknownPointers::Keep: break;
    case UnknownPointers::Warn: outcome.warnings = describe(unknownPointers_); break;
    case UnknownPointers::Error:
      return makeError(ErrorId::ImagePointer,
                       {std::to_string(unknownPointers_.size()), joined(describe(unknownPointers_))});
    case UnknownPointers::Null:
      for (const Word& word : unknownPointers_) wordAt(word.place) = 0;
      break;
  }
  return outcome;
}

void HeapSnapshot::finishWeak() {
  for (WordPlace place : weakWords_) {
    std::uint64_t& word = wordAt(place);
    std::uint64_t ref = abi::revealWeak(word);
    if (numbers_.find(ref) == 0) {
      word = 0;
    } else {
      setAddress(word, abi::hideWeak(copyOf(ref)), place);
    }
  }
}

void HeapSnapshot::finishPointers() {
  for (const Word& word : pointers_) {
    Location location = addresses_.locate(word.bits);
    auto object = reinterpret_cast<std::uintptr_t>(location.thing);
    if (location.kind == Location::Kind::Object && numbers_.find(object) != 0) {
      setAddress(wordAt(word.place), copyOf(object) + location.offset, word.place);
    } else {
      unknownPointers_.push_back(word);
    }
  }
}

void HeapSnapshot::finishOutside(const Targets& targets) {
  for (const OutsideWord& word : outsideWords_) {
    const Target& target = targets.outside[word.number];
    std::uint64_t base = target.kind == Target::Kind::Code ? targets.bases.code : targets.bases.data;
    std::uint64_t& memory = wordAt(word.place);
    setAddress(memory, base + target.value + memory, word.place);
  }
}

std::vector<SymbolRelocation> HeapSnapshot::finishSymbols(
    const Targets& targets, std::span<const runtime::PointerRelocation> relocations) {
  std::vector<SymbolRelocation> symbols;
  std::unordered_map<WordPlace, std::size_t> given;
  for (std::size_t i = 0; i < relocations.size(); ++i) {
    std::optional<WordPlace> place = placeOf(relocations[i].field);
    if (!place) continue;
    auto [known, isNew] = given.emplace(*place, symbols.size());
    if (isNew) symbols.emplace_back();
    symbols[known->second] = {placeInFile(*place, targets), static_cast<std::uint32_t>(i),
                              relocations[i].isWeak, relocations[i].addend};
    wordAt(*place) = 0;
    if (*place < kFirstCellWord)
      relocated_[*place / kWordBytes / kBitsPerEntry] &=
          ~(std::uint64_t{1} << *place / kWordBytes % kBitsPerEntry);
  }
  for (std::size_t i = 0; i < namedPointers_.size(); ++i) {
    const WordPlace place = namedPointers_[i].first;
    if (!given.emplace(place, symbols.size()).second) continue;
    symbols.push_back(
        {placeInFile(place, targets), static_cast<std::uint32_t>(relocations.size() + i), false, 0});
    wordAt(place) = 0;
  }
  if (symbols.empty()) return symbols;
  std::erase_if(relocatedCellWords_, [&](WordPlace place) { return given.contains(place); });
  std::erase_if(unknownPointers_, [&](const Word& word) { return given.contains(word.place); });
  std::sort(symbols.begin(), symbols.end(),
            [](const SymbolRelocation& a, const SymbolRelocation& b) { return a.place < b.place; });
  return symbols;
}

void HeapSnapshot::finishDataRelocations(const Targets& targets) {
  dataRelocations_.reserve(relocatedCellWords_.size());
  for (WordPlace place : relocatedCellWords_) dataRelocations_.push_back(placeInFile(place, targets).offset);
  std::sort(dataRelocations_.begin(), dataRelocations_.end());
}

std::optional<HeapSnapshot::WordPlace> HeapSnapshot::placeOf(std::uintptr_t address) const {
  Location location = addresses_.locate(address);
  if (location.kind == Location::Kind::Object) {
    auto ref = reinterpret_cast<std::uintptr_t>(location.thing);
    std::uint32_t number = numbers_.find(ref);
    if (number == 0) return std::nullopt;
    return (number - std::uint64_t{1}) * abi::kGranule + ref % abi::kGranule + location.offset;
  }
  if (location.kind == Location::Kind::Cell)
    if (auto cell = cellNumbers_.find(location.thing); cell != cellNumbers_.end())
      return kFirstCellWord + cells_[cell->second].begin + location.offset;
  return std::nullopt;
}

Place HeapSnapshot::placeInFile(WordPlace place, const Targets& targets) const {
  if (place < kFirstCellWord) return {Section::Heap, place};
  std::uint64_t offset = place - kFirstCellWord;
  auto next = std::upper_bound(cells_.begin(), cells_.end(), offset,
                               [](std::uint64_t a, const Cell& b) { return a < b.begin; });
  auto number = static_cast<std::size_t>(next - cells_.begin()) - 1;
  return {Section::Data, targets.cells[number].value + offset - cells_[number].begin};
}

std::optional<Target> HeapSnapshot::targetOf(std::uintptr_t address) const {
  std::optional<WordPlace> place = placeOf(address);
  if (!place) return std::nullopt;
  if (*place < kFirstCellWord) return Target{Target::Kind::Heap, *place};
  std::vector<Target> cells;
  for (std::uint64_t offset : cellOffsets_) cells.push_back({Target::Kind::Data, offset});
  return Target{Target::Kind::Data, placeInFile(*place, {{}, {}, cells}).offset};
}

std::vector<std::string> HeapSnapshot::describe(std::span<const Word> words) const {
  std::vector<std::string> lines;
  std::vector<WordPlace> places;
  for (const Word& word : words.first(std::min(words.size(), kMostDescribed))) places.push_back(word.place);
  ObjectGraph graph{heap(), kPreferredHeap, firstBlocks_, {}, roots_};
  for (const Cell& cell : cells_)
    graph.cells.push_back({cell.cell, cellBytes_.data() + cell.begin, cell.begin});
  std::vector<std::string> paths = ObjectPaths(std::move(graph)).find(places);
  for (std::size_t i = 0; i < paths.size(); ++i)
    lines.push_back(fmt::format("{} is the {} {:#x}", paths[i], text(words[i].kind), words[i].bits));
  if (words.size() > paths.size()) lines.push_back(fmt::format("and {} more", words.size() - paths.size()));
  return lines;
}

}  // namespace gaur::bootimage
