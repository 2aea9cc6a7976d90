#include "bootimage/image_loader.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "bootimage/image_memory.h"
#include "bootimage/missing_symbols.h"
#include "bootimage/named_cells.h"
#include "jit/code_stubs.h"
#include "jit/library_calls.h"
#include "vm/abi/layout.h"
#include "vm/ir/snapshot_reader.h"
#include "vm/runtime/stack_code.h"
#include "vm/support/log.h"
#include "vm/support/platform.h"

namespace gaur::bootimage {

namespace {

/// What stays of an image as long as its VM: the file (the IR and the rows are read where they lie), its
/// heap, and rows with addresses.
struct Residue {
  explicit Residue(ImageFile image) : file(std::move(image)) {}

  ImageFile file;
  HeapMemory heap;
  NamedCells namedCells;
  std::vector<abi::FunctionCode> functions;
  std::vector<abi::CodeBlock> blocks;
};

class Loader {
 public:
  Loader(std::shared_ptr<Residue> residue, const Options& options, const LoadOptions& loading)
      : residue_(std::move(residue)), image_(residue_->file), options_(options), loading_(loading) {}

  Result<LoadedImage> run() {
    GAUR_TRY(makeVm());
    GAUR_TRY(readProgram());
    GAUR_TRY(placeHeap());
    GAUR_TRY(placeLinkedProgram());
    GAUR_TRY(adoptEntities());
    GAUR_TRY(adoptExposures());
    GAUR_TRY(resolve());
    GAUR_TRY(shareNamedCells());
    for (std::uint32_t id : image_.get<SectionKind::EnabledWatchpoints>()) vm().watchpoints().set(id, true);
    if (usesCode_) GAUR_TRY(adoptCode());
    GAUR_TRY(adoptHeap());
    GAUR_TRY(placeStacks());
    return start();
  }

 private:
  runtime::MicroVm& vm() { return *loaded_.vm; }
  std::size_t dataBytes() const { return image_.get<SectionKind::Data>().size(); }
  std::size_t codeBytes() const { return image_.get<SectionKind::Code>().size(); }

  // Places in the slab; null where the image has nothing like that there.
  template <class T>
  T* inData(std::uint64_t offset) {
    if (offset % alignof(T) != 0 || offset > dataBytes() || sizeof(T) > dataBytes() - offset) return nullptr;
    return reinterpret_cast<T*>(vm().slab().dataBegin() + offset);
  }
  void* inCode(std::uint64_t offset, std::size_t bytes = 1) {
    if (offset > codeBytes() || bytes > codeBytes() - offset) return nullptr;
    return reinterpret_cast<void*>(vm().slab().codeBegin() + offset);
  }
  const ir::Signature* signature(std::uint32_t number) const {
    return number < index_.signatures.size() ? index_.signatures[number] : nullptr;
  }

  Result<void> makeVm() {
    if (dataBytes() < sizeof(abi::LinkTable) || dataBytes() > jit::CodeSlab::kDataBytes ||
        codeBytes() > jit::CodeSlab::kCodeBytes)
      return image_.damaged("its linked program has an impossible size");
    jit::SlabPlacement placement;
    placement.preferredBase = loading_.elsewhere ? 0 : kPreferredSlab;
    placement.dataBytes = platform::roundToPages(dataBytes());
    placement.codeBytes = platform::roundToPages(codeBytes());
    GAUR_TRY_ASSIGN(loaded_.vm, runtime::MicroVm::create(options_, placement));
    vm().keep(residue_);
    for (const auto& [name, address] : loading_.symbols) vm().nativeSymbols().registerSymbol(name, address);
    for (std::uint32_t offset : image_.get<SectionKind::Libraries>())
      GAUR_TRY(vm().nativeSymbols().addLibrary(std::string(image_.string(offset))));
    return {};
  }

  Result<void> placeHeap() {
    GAUR_TRY_ASSIGN(residue_->heap, HeapMemory::map(image_, loading_.elsewhere));
    if (residue_->heap.begin())
      distances_.heap = reinterpret_cast<std::uintptr_t>(residue_->heap.begin()) - kPreferredHeap;
    distances_.slab = vm().slab().dataBegin() - kPreferredSlab;
    const bool isAsBuilt = distances_.none() && index_.typesAreIdentical;
    const std::span<const ir::Type* const> renumbered =
        index_.typesAreIdentical ? std::span<const ir::Type* const>() : index_.types;
    if (!isAsBuilt && residue_->heap.begin())
      GAUR_TRY(residue_->heap.relocate(image_, distances_, renumbered));
    return {};
  }

  /// Data and code to the front of both halves of the slab.
  Result<void> placeLinkedProgram() {
    auto data = image_.get<SectionKind::Data>();
    auto* dataBegin = reinterpret_cast<std::byte*>(vm().slab().dataBegin());
    void* mapping = MAP_FAILED;
    if (image_.descriptor() >= 0)
      mapping = mmap(dataBegin, platform::roundToPages(data.size()), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_FIXED, image_.descriptor(),
                     static_cast<off_t>(image_.fileOffset(*image_.find(SectionKind::Data))));
    if (mapping == MAP_FAILED) std::memcpy(dataBegin, data.data(), data.size());
    runtime::fillLinkTable(*inData<abi::LinkTable>(0), vm().stacks());
    if (!distances_.none()) GAUR_TRY(relocateData());
    auto code = image_.get<SectionKind::Code>();
    if (code.empty() || !usesCode_) return {};
    auto* codeBegin = reinterpret_cast<void*>(vm().slab().codeBegin());
    std::memcpy(vm().slab().writable(codeBegin), code.data(), code.size());
    jit::flushCode(codeBegin, vm().slab().writable(codeBegin), code.size());
    return {};
  }

  Result<void> relocateData() {
    for (std::uint32_t number : image_.get<SectionKind::DataWords>()) {
      auto* word = inData<std::uint64_t>(std::uint64_t{number} * sizeof(std::uint64_t));
      if (!word || !distances_.apply(*word, residue_->heap.bytes()))
        return image_.damaged("a word of its data holds no address of the image");
    }
    return {};
  }

  Result<void> readProgram() {
    GAUR_TRY_ASSIGN(index_, ir::readSnapshot(vm().program(), image_.get<SectionKind::Ir>()));
    // The code makes objects of types by their numbers. It is compiled again, as it is called, where they are
    // others.
    usesCode_ = index_.typesAreIdentical;
    for (std::uint32_t number : image_.get<SectionKind::LayoutTypes>()) {
      if (number >= index_.types.size()) return image_.damaged("it names a type that it does not have");
      abi::LayoutTable::shared().of(index_.types[number]);
    }
    return {};
  }

  template <class T>
  T* entity(Id id) {
    return vm().program().entityOf<T>(id);
  }

  Result<void> adoptEntities() {
    for (const FunctionRow& row : image_.get<SectionKind::Functions>()) {
      auto* function = entity<ir::Function>(row.id);
      auto* record = inData<abi::FunctionRecord>(row.record);
      void* trampoline = inCode(row.trampoline, jit::kTrampolineBytes);
      if (!function || !record || !trampoline) return image_.damaged("a function has no place in it");
      vm().entities().adopt(*function, record, trampoline, row.isCompiled != 0 && usesCode_);
    }
    for (const CellRow& row : image_.get<SectionKind::Cells>()) {
      auto* cell = entity<ir::GlobalCell>(row.id);
      if (!cell || !inData<char>(row.memory)) return image_.damaged("a global cell has no place in it");
      const std::uint64_t size = abi::LayoutTable::shared().of(cell->cellType->type).size;
      if (size > dataBytes() - row.memory) return image_.damaged("a global cell does not fit in it");
      vm().entities().adopt(*cell, inData<char>(row.memory));
    }
    for (const ir::Function* function : index_.bundle->functions)
      if (!vm().entities().recordOf(*function)) return image_.damaged("a function has no record");
    for (const ir::GlobalCell* cell : index_.bundle->globals)
      if (!vm().entities().addressOf(*cell)) return image_.damaged("a global cell has no memory");
    vm().entities().addRoots(*index_.bundle);
    return {};
  }

  Result<void> adoptExposures() {
    for (const ExposureRow& row : image_.get<SectionKind::Exposures>()) {
      auto* data = inData<runtime::ExposedFunctionData>(row.data);
      void* trampoline = inCode(row.trampoline, jit::kTrampolineBytes);
      if (!data || !trampoline || !signature(row.signature))
        return image_.damaged("an exposed function has no place in it");
      auto* function = functionAt(data->record.function);
      if (!function) return image_.damaged("an exposed function exposes nothing");
      vm().entities().adopt(data, trampoline, function, usesCode_ ? data->adapter : nullptr);
      if (row.id == kNoId) continue;
      auto* exposed = entity<ir::ExposedFunction>(row.id);
      auto** slot = inData<void*>(row.slot);
      if (!exposed || !slot) return image_.damaged("an exposed function has no slot");
      vm().entities().adopt(*exposed, slot);
    }
    return {};
  }

  /// The record at an address that the file holds; null where there is none.
  abi::FunctionRecord* functionAt(abi::FunctionRecord* record) {
    const std::uint64_t offset = reinterpret_cast<std::uintptr_t>(record) - vm().slab().dataBegin();
    if (!record || inData<abi::FunctionRecord>(offset) != record) return nullptr;
    auto* function = entity<ir::Function>(record->id);
    return function && vm().entities().recordOf(*function) == record ? record : nullptr;
  }

  Result<void> resolve() {
    MissingSymbols missing(image_, index_, {vm().entities(), residue_->heap});
    for (const NativeSlotRow& row : image_.get<SectionKind::NativeSlots>()) {
      auto* slot = inData<abi::NativeSlot>(row.slot);
      if (!slot) return image_.damaged("an EXTERN constant has no slot");
      std::string_view symbol = image_.string(row.symbol);
      if (vm().nativeSymbols().adopt(symbol, slot)) continue;
      missing.addCode(symbol);
      if (options_.lazyPtr && vm().nativeSymbols().registerMissing(symbol))
        vm().nativeSymbols().adopt(symbol, slot);
    }
    for (const SymbolWord& row : image_.get<SectionKind::SymbolWords>()) {
      std::uint64_t* word = wordAt(row);
      if (!word) return image_.damaged("a field for a symbol is outside of it");
      void* address = addressOf(row);
      if (!address && (row.flags & kWeakSymbol) == 0) {
        missing.addField(image_.string(row.symbol), row);
        if (options_.lazyPtr)
          address = found_[{row.symbol, row.library}] =
              vm().nativeSymbols().registerMissing(image_.string(row.symbol));
      }
      *word =
          address ? reinterpret_cast<std::uintptr_t>(address) + static_cast<std::uint64_t>(row.addend) : 0;
    }
    if (!missing.isEmpty()) {
      Error report = missing.report(vm().nativeSymbols());
      if (!options_.lazyPtr) return report;
      GAUR_LOG(Image, Warn, "{}", report.message);
    }
    inheritSymbolWords();
    for (const SymbolWord& row : image_.get<SectionKind::SupportWords>()) {
      std::uint64_t* word = wordAt(row);
      auto address = jit::libraryCall(image_.string(row.symbol));
      if (!word || !address) return image_.damaged("its code calls an unknown support function");
      *word = *address;
    }
    for (const NativeCallSlotRow& row : image_.get<SectionKind::NativeCallSlots>()) {
      auto** slot = inData<void*>(row.slot);
      if (!slot || !signature(row.signature)) return image_.damaged("a native call has no slot");
      GAUR_TRY(vm().nativeCalls().adopt(signature(row.signature), slot));
    }
    return {};
  }

  /// Whoever refers to them by name sees the cells of this machine.
  Result<void> shareNamedCells() {
    if (loading_.namedCells.empty()) return {};
    auto rows = image_.get<SectionKind::Start>();
    const std::uint64_t begin = rows.empty() ? 0 : rows.front().namedCells;
    const std::uint64_t bytes = rows.empty() ? 0 : rows.front().namedCellBytes;
    const std::uint64_t page = platform::pageSize();
    const auto inObject = reinterpret_cast<std::uintptr_t>(loading_.namedCells.data());
    const bool fits =
        bytes == loading_.namedCells.size() && begin <= dataBytes() && bytes <= dataBytes() - begin;
    if (!fits || begin % page != 0 || bytes % page != 0 || inObject % page != 0)
      return image_.damaged("the pages of its named cells are none");
    constexpr std::uint64_t kWord = sizeof(std::uint64_t);
    std::vector<bool> isFixed(bytes / kWord);
    auto fix = [&](std::uint64_t offset) {
      if (offset - begin < bytes) isFixed[(offset - begin) / kWord] = true;
    };
    for (std::uint32_t number : image_.get<SectionKind::DataWords>()) fix(number * kWord);
    for (const SymbolWord& row : image_.get<SectionKind::SymbolWords>())
      if (row.section == static_cast<std::uint32_t>(Section::Data)) fix(row.offset);
    return residue_->namedCells.share({inData<std::byte>(begin), bytes}, loading_.namedCells, isFixed);
  }

  /// Of a field's symbol; null where it is missing. Many fields have the same: each is looked up once.
  void* addressOf(const SymbolWord& row) {
    auto [known, isNew] = found_.try_emplace({row.symbol, row.library});
    if (isNew)
      known->second = vm().nativeSymbols().find(image_.string(row.symbol), image_.string(row.library));
    return known->second;
  }

  /// Images that this VM makes have the same fields and symbols.
  void inheritSymbolWords() {
    if (image_.get<SectionKind::SymbolWords>().empty()) return;
    // Both stay as long as the VM does.
    vm().pointerRelocations().inherit([residue = residue_.get(), data = vm().slab().dataBegin()] {
      std::vector<runtime::PointerRelocation> relocations;
      for (const SymbolWord& row : residue->file.get<SectionKind::SymbolWords>()) {
        const bool isInHeap = row.section == static_cast<std::uint32_t>(Section::Heap);
        const std::uintptr_t base = isInHeap ? reinterpret_cast<std::uintptr_t>(residue->heap.begin()) : data;
        relocations.push_back({base + row.offset, std::string(residue->file.string(row.symbol)), row.addend,
                               (row.flags & kWeakSymbol) != 0,
                               std::string(residue->file.string(row.library))});
      }
      return relocations;
    });
  }

  std::uint64_t* wordAt(const SymbolWord& row) {
    constexpr std::size_t kWord = sizeof(std::uint64_t);
    if (row.section == static_cast<std::uint32_t>(Section::Data)) return inData<std::uint64_t>(row.offset);
    const bool isInHeap = row.section == static_cast<std::uint32_t>(Section::Heap) && row.offset % kWord == 0;
    if (!isInHeap || row.offset > residue_->heap.bytes() || kWord > residue_->heap.bytes() - row.offset)
      return nullptr;
    return reinterpret_cast<std::uint64_t*>(residue_->heap.begin() + row.offset);
  }

  Result<void> adoptCode() {
    GAUR_TRY(makeFunctionCodes());
    std::vector<jit::Inlining> inlinings;
    for (const InliningRow& row : image_.get<SectionKind::Inlinings>())
      inlinings.push_back({row.callerVersion, row.function});
    residue_->blocks.reserve(image_.get<SectionKind::CodeBlocks>().size());
    for (const CodeBlockRow& row : image_.get<SectionKind::CodeBlocks>()) {
      if (row.begin >= row.end || row.end > codeBytes())
        return image_.damaged("a block of code is outside of it");
      abi::CodeBlock block{
          vm().slab().codeBegin() + row.begin, vm().slab().codeBegin() + row.end, {}, {}, {}, {}, {}};
      bool fits =
          slice(std::span<const abi::FunctionCode>(residue_->functions), row.firstFunction, row.functionCount,
                block.functions) &&
          slice(image_.get<SectionKind::CallSites>(), row.firstRow, row.rowCount, block.rows) &&
          slice(image_.get<SectionKind::SavedRegisters>(), row.firstSaved, row.savedCount, block.saved) &&
          slice(image_.get<SectionKind::Keepalives>(), row.firstKeepalive, row.keepaliveCount,
                block.keepalives) &&
          slice(image_.get<SectionKind::WatchpointSites>(), row.firstWatchpoint, row.watchpointCount,
                block.watchpoints);
      if (!fits || !isSound(block)) return image_.damaged("the rows of a block of code are wrong");
      residue_->blocks.push_back(block);
    }
    if (doOverlap(residue_->blocks)) return image_.damaged("its blocks of code overlap");
    for (const abi::CodeBlock& block : residue_->blocks) {
      vm().code().adopt(block, inlinings);
      inlinings.clear();
    }
    return adoptAdapters();
  }

  template <class T>
  static bool slice(std::span<const T> all, std::uint64_t first, std::uint64_t count,
                    std::span<const T>& part) {
    if (first > all.size() || count > all.size() - first) return false;
    part = all.subspan(first, count);
    return true;
  }

  /// Whether two of them have a granule of the slab in common, or one does not begin with one.
  static bool doOverlap(std::span<const abi::CodeBlock> blocks) {
    constexpr std::uintptr_t kGranule = 64;
    std::vector<std::pair<std::uintptr_t, std::uintptr_t>> ranges;
    for (const abi::CodeBlock& block : blocks) {
      if (block.begin % kGranule != 0) return true;
      ranges.emplace_back(block.begin / kGranule, (block.end - 1) / kGranule);
    }
    std::sort(ranges.begin(), ranges.end());
    return std::adjacent_find(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) {
             return b.first <= a.second;
           }) != ranges.end();
  }

  /// What look-ups count on.
  static bool isSound(const abi::CodeBlock& block) {
    const std::uint64_t size = block.end - block.begin;
    std::uint32_t last = 0;
    for (const abi::FunctionCode& f : block.functions) {
      const bool fits = f.beginOffset >= last && f.beginOffset <= f.endOffset && f.endOffset <= size;
      if (!fits || f.firstRow > block.rows.size() || f.rowCount > block.rows.size() - f.firstRow)
        return false;
      if (f.firstSaved > block.saved.size() || f.savedCount > block.saved.size() - f.firstSaved) return false;
      last = f.beginOffset;
    }
    for (const abi::CallSiteRow& row : block.rows) {
      if (row.returnOffset > size || row.landingPadOffset >= size) return false;
      if (row.firstKeepalive > block.keepalives.size() ||
          row.keepaliveCount > block.keepalives.size() - row.firstKeepalive)
        return false;
    }
    return std::all_of(block.watchpoints.begin(), block.watchpoints.end(),
                       [size](const abi::WatchpointSite& site) {
                         return site.siteOffset < size && site.targetOffset < size;
                       });
  }

  Result<void> makeFunctionCodes() {
    for (const FunctionCodeRow& row : image_.get<SectionKind::FunctionCodes>()) {
      auto* record = row.record == kNoRecord ? nullptr : inData<abi::FunctionRecord>(row.record);
      const bool isKnown = row.record == kNoRecord || (record && functionAt(record));
      if (!isKnown || row.kind > static_cast<std::uint32_t>(abi::CodeKind::NativeAdapter))
        return image_.damaged("code belongs to no function");
      residue_->functions.push_back({row.beginOffset, row.endOffset, row.bodyOffset, row.cfaOffset,
                                     row.version, static_cast<abi::CodeKind>(row.kind), record, row.firstRow,
                                     row.rowCount, row.firstSaved, row.savedCount});
    }
    return {};
  }

  Result<void> adoptAdapters() {
    for (const AdapterRow& row : image_.get<SectionKind::Adapters>()) {
      void* code = inCode(row.code);
      const ir::Signature* known = signature(row.signature);
      if (!code || !known) return image_.damaged("an adapter has no code");
      switch (row.kind) {
        case AdapterKind::HostCall: vm().code().adoptHostCall(known, code); break;
        case AdapterKind::Exposed: vm().code().adoptExposedAdapter(known, code); break;
        case AdapterKind::Start: vm().code().adoptStartAdapter(known, code); break;
        default: return image_.damaged("it has an adapter of an unknown kind");
      }
    }
    return {};
  }

  Result<void> adoptHeap() {
    const HeapMemory& heap = residue_->heap;
    if (!heap.begin()) return {};
    auto pages = image_.get<SectionKind::HeapPages>();
    if (pages.size() * gc::ImmortalRange::kPageBytes < heap.bytes())
      return image_.damaged("the table of its heap's pages is too short");
    if (heap.bytes() % abi::kGranule != 0) return image_.damaged("its heap does not end with an object");
    const auto begin = reinterpret_cast<std::uintptr_t>(heap.begin());
    vm().heap().addImmortal({begin, begin + heap.bytes(), pages.data()});
    return {};
  }

  /// Whether the address is that of an exposed function, which is there whatever becomes of the code.
  bool isNativeEntry(std::uintptr_t address) {
    auto rows = image_.get<SectionKind::Exposures>();
    return std::any_of(rows.begin(), rows.end(), [&](const ExposureRow& row) {
      return vm().slab().codeBegin() + row.trampoline == address;
    });
  }

  /// Field 0 of the object at the offset; null where there is no header before it.
  void* objectAt(std::uint64_t offset) {
    constexpr std::uint64_t kPrefix = abi::ObjectHeader::kPrefix;
    if (offset % kPrefix != 0 || offset < kPrefix || offset >= residue_->heap.bytes()) return nullptr;
    void* object = residue_->heap.begin() + offset;
    const abi::ObjectHeader header = abi::ObjectHeader::of(object);
    return header.isLive() && abi::LayoutTable::shared().knows(header.typeIndex()) ? object : nullptr;
  }

  /// Memory for all stacks first, since they may refer to each other.
  Result<void> placeStacks() {
    auto words = image_.get<SectionKind::StackWords>();
    for (const StackRow& row : image_.get<SectionKind::Stacks>()) {
      auto* object = static_cast<abi::StackObject*>(objectAt(row.object));
      std::span<const std::uint64_t> own;
      const bool isStack = object && row.object + sizeof(abi::StackObject) <= residue_->heap.bytes() &&
                           abi::ObjectHeader::of(object).typeIndex() == abi::kStackObjectType &&
                           !object->stack;
      if (!isStack || !slice(words, row.firstWord, row.wordCount, own))
        return image_.damaged("a stack is outside of it");
      const std::size_t bytes = own.size_bytes();
      // A StackObject stands at a SavedFrame, aligned as all of them.
      constexpr std::size_t kAlignment = 16;
      if (bytes < sizeof(abi::SavedFrame) || bytes % kAlignment != 0 || bytes > row.room ||
          (row.valueMemory != kNoObject && row.valueMemory >= bytes))
        return image_.damaged("a stack has an impossible size");
      runtime::Stack* memory = vm().stacks().take(row.room);
      if (!memory) return makeError(ErrorId::OutOfMemory, {"a stack"});
      memory->begin(*object);
      auto* begin = reinterpret_cast<std::uint64_t*>(object->top) - own.size();
      std::copy(own.begin(), own.end(), begin);
      stacks_.push_back({&row, object, begin});
    }
    for (const PlacedStack& stack : stacks_) GAUR_TRY(mend(stack));
    for (const PlacedStack& stack : stacks_) {
      stack.object->cookie = stack.row->cookie;
      if (stack.row->valueMemory != kNoObject)
        stack.object->valueMemory = reinterpret_cast<char*>(stack.begin) + stack.row->valueMemory;
      stack.object->savedPointer = stack.begin;
    }
    return {};
  }

  struct PlacedStack {
    const StackRow* row;
    abi::StackObject* object;
    std::uint64_t* begin;
  };

  Result<void> mend(const PlacedStack& stack) {
    std::span<const StackFix> fixes;
    if (!slice(image_.get<SectionKind::StackFixes>(), stack.row->firstFix, stack.row->fixCount, fixes))
      return image_.damaged("a stack has no fixes");
    for (const StackFix& fix : fixes) {
      if (fix.word >= stack.row->wordCount) return image_.damaged("a word of a stack is outside of it");
      GAUR_TRY_ASSIGN(bool isSound, mend(stack.begin[fix.word], fix));
      if (!isSound) return image_.damaged("a word of a stack is none that it can have");
    }
    return {};
  }

  Result<bool> mend(std::uint64_t& word, const StackFix& fix) {
    auto stubs = runtime::stackStubs();
    switch (fix.kind) {
      case StackFix::Kind::Address:
        if (!distances_.apply(word, residue_->heap.bytes())) return false;
        if (!usesCode_ && vm().slab().isCode(word) && !isNativeEntry(word))
          return makeError(ErrorId::ImageTypes, {image_.name()});
        return true;
      case StackFix::Kind::Stack:
      case StackFix::Kind::Memory: {
        if (fix.other >= stacks_.size()) return false;
        const PlacedStack& other = stacks_[fix.other];
        const auto* memory =
            static_cast<const abi::StackMemory*>(static_cast<runtime::Stack*>(other.object->stack));
        const bool isMemory = fix.kind == StackFix::Kind::Memory;
        word = isMemory ? reinterpret_cast<std::uintptr_t>(memory)
                        : reinterpret_cast<std::uintptr_t>(other.begin) + fix.value;
        return isMemory || fix.value <= other.row->wordCount * sizeof(word);
      }
      case StackFix::Kind::Stub:
        if (fix.value >= stubs.size()) return false;
        word = reinterpret_cast<std::uintptr_t>(stubs[fix.value]);
        return true;
      case StackFix::Kind::Link:
        if (fix.value >= sizeof(abi::LinkTable) / sizeof(word)) return false;
        word = reinterpret_cast<const std::uint64_t*>(&vm().links())[fix.value];
        return true;
      case StackFix::Kind::Symbol: {
        // With a slot it is known as a symbol to images that are made of this machine.
        GAUR_TRY_ASSIGN(const abi::NativeSlot* slot,
                        vm().nativeSymbols().slot(image_.string(static_cast<std::uint32_t>(fix.value))));
        word = reinterpret_cast<std::uintptr_t>(slot->address);
        return true;
      }
      case StackFix::Kind::StartAdapter: {
        const ir::Signature* starts = signature(static_cast<std::uint32_t>(fix.value));
        if (!starts) return false;
        GAUR_TRY_ASSIGN(const runtime::StartAdapter* adapter, vm().code().startAdapter(starts));
        word = reinterpret_cast<std::uintptr_t>(adapter->code);
        return true;
      }
    }
    return false;
  }

  Result<LoadedImage> start() {
    auto rows = image_.get<SectionKind::Start>();
    if (rows.size() != 1) return image_.damaged("it does not tell how to begin");
    const StartRow& row = rows.front();
    if (row.function != kNoId) {
      loaded_.primordial.function = entity<ir::Function>(row.function);
      if (!loaded_.primordial.function) return image_.damaged("its primordial function is missing");
    }
    if (row.threadLocal != kNoObject) {
      loaded_.primordial.threadLocal = objectAt(row.threadLocal);
      if (!loaded_.primordial.threadLocal) return image_.damaged("its thread-local is no object of it");
    }
    if (row.stack != kNoObject) {
      auto stack = std::find_if(stacks_.begin(), stacks_.end(),
                                [&](const PlacedStack& placed) { return placed.row->object == row.stack; });
      if (stack == stacks_.end()) return image_.damaged("its primordial stack is none of its stacks");
      loaded_.primordial.stack = stack->object;
    }
    GAUR_LOG(Image, Info, "{}: {} functions, {} bytes of objects, {} bytes of code{}", image_.name(),
             index_.bundle->functions.size(), residue_->heap.bytes(), codeBytes(),
             distances_.none() ? "" : ", moved");
    return std::move(loaded_);
  }

  std::shared_ptr<Residue> residue_;
  const ImageFile& image_;
  const Options& options_;
  const LoadOptions& loading_;
  LoadedImage loaded_;
  ir::SnapshotIndex index_;
  Distances distances_;
  /// By the texts of symbol and library.
  std::map<std::pair<std::uint32_t, std::uint32_t>, void*> found_;
  bool usesCode_ = true;
  std::vector<PlacedStack> stacks_;
};

}  // namespace

Result<LoadedImage> loadImage(ImageFile image, const Options& options, const LoadOptions& loading) {
  return Loader(std::make_shared<Residue>(std::move(image)), options, loading).run();
}

}  // namespace gaur::bootimage
