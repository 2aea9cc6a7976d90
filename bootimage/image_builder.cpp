#include "bootimage/image_builder.h"

#include <algorithm>
#include <array>
#include <map>

#include "bootimage/compression.h"
#include "bootimage/image_loader.h"
#include "bootimage/image_object.h"
#include "bootimage/machine_addresses.h"
#include "bootimage/shadow_program.h"
#include "bootimage/stack_snapshot.h"
#include "bootimage/start.h"
#include "vm/abi/layout.h"
#include "vm/ir/reachable.h"
#include "vm/ir/snapshot_writer.h"
#include "vm/runtime/resumption.h"

namespace gaur::bootimage {

namespace {

/// One build: the closure over IR and heap, then its code, then the sections.
class ImageBuilder {
 public:
  ImageBuilder(runtime::MicroVm& vm, const BuildRequest& request, ImageContents& contents,
               LinkInterface* interface)
      : vm_(vm),
        request_(request),
        contents_(contents),
        interface_(interface),
        addresses_(vm),
        reachable_(vm.program()),
        heap_(addresses_, {request.unknownPointers}),
        stacks_(vm, addresses_, heap_),
        shadow_(vm) {}

  Result<BuildReport> run() {
    GAUR_TRY(addRoots());
    GAUR_TRY(close());
    GAUR_TRY(compile());
    GAUR_TRY(finishHeap());
    if (interface_) writeInterface();
    GAUR_TRY(writeProgram());
    writeNamedCells();
    writeTables();
    return report_;
  }

 private:
  Result<void> addRoots() {
    for (Id id : request_.whitelist) {
      const ir::Entity* entity = vm_.program().entity(id);
      if (!entity) return makeError(ErrorId::ImageWhitelist, {std::to_string(id)});
      reachable_.add(*entity);
    }
    if (request_.primordialFunction != kNoId) {
      primordial_ = vm_.program().entityOf<ir::Function>(request_.primordialFunction);
      if (!primordial_)
        return makeError(ErrorId::ImageWhitelist, {std::to_string(request_.primordialFunction)});
      reachable_.add(*primordial_);
    }
    findNamedCells();
    if (request_.threadLocal) heap_.addObject(request_.threadLocal, "the thread-local");
    if (!request_.primordialStack) return {};
    GAUR_TRY_ASSIGN(runtime::TypeList types, runtime::expectedTypes(vm_, *request_.primordialStack));
    if (!isMainParameters(types))
      return makeError(ErrorId::ImageStack, {"waits for values that no process has when it begins"});
    heap_.addFromFrame(request_.primordialStack, "the primordial stack");
    return {};
  }

  /// Objects lead to functions and cells, whose definitions lead to more cells, which lead to more objects.
  Result<void> close() {
    std::size_t cells = 0, outside = 0, outsideStacks = 0, versions = 0;
    while (true) {
      GAUR_TRY(reachable_.drain());
      for (; cells < reachable_.globals().size(); ++cells) {
        const ir::GlobalCell& cell = *reachable_.globals()[cells];
        heap_.addCell(cell, vm_.entities().addressOf(cell));
      }
      heap_.trace();
      if (!stacks_.isTraced()) {
        GAUR_TRY(stacks_.trace());
        continue;
      }
      const bool isClosed = outside == heap_.outside().size() && outsideStacks == stacks_.outside().size() &&
                            versions == stacks_.versions().size();
      if (isClosed && reachable_.isDrained()) break;
      for (; outside < heap_.outside().size(); ++outside) addOutside(heap_.outside()[outside]);
      for (; outsideStacks < stacks_.outside().size(); ++outsideStacks)
        addOutside(stacks_.outside()[outsideStacks]);
      for (; versions < stacks_.versions().size(); ++versions) reachable_.add(*stacks_.versions()[versions]);
    }
    report_.functions = reachable_.functions().size();
    report_.objects = heap_.objectCount();
    return {};
  }

  void addOutside(const Outside& outside) {
    switch (outside.kind) {
      case Location::Kind::Function: return reachable_.add(*static_cast<const ir::Function*>(outside.thing));
      case Location::Kind::Cell: return reachable_.add(*static_cast<const ir::GlobalCell*>(outside.thing));
      case Location::Kind::ExposedFunction:
        return reachable_.add(*static_cast<const ir::ExposedFunction*>(outside.thing));
      case Location::Kind::Exposure:
        return reachable_.add(*addresses_.exposureAt(outside.thing).function->function);
      case Location::Kind::Unknown:
      case Location::Kind::Object: return;
    }
  }

  Target targetOf(const Outside& outside) {
    switch (outside.kind) {
      case Location::Kind::Function:
        return shadow_.functionTarget(*static_cast<const ir::Function*>(outside.thing));
      case Location::Kind::Cell:
        return shadow_.cellTarget(*static_cast<const ir::GlobalCell*>(outside.thing));
      case Location::Kind::ExposedFunction:
        return shadow_.exposedTarget(*static_cast<const ir::ExposedFunction*>(outside.thing));
      case Location::Kind::Exposure:
        return shadow_.exposureTarget(outside.thing, addresses_.exposureAt(outside.thing));
      case Location::Kind::Unknown:
      case Location::Kind::Object: break;
    }
    GAUR_UNREACHABLE("a word refers to something outside of the heap that has no place in an image");
  }

  Result<void> compile() {
    shadow_.placeNamedCells(namedCells_);
    // Everything gets its place, whether compiled code refers to it or not.
    for (const ir::Function* function : reachable_.functions()) shadow_.functionTarget(*function);
    for (const ir::GlobalCell* cell : reachable_.globals()) shadow_.cellTarget(*cell);
    for (const ir::ExposedFunction* exposed : reachable_.exposed()) shadow_.exposedTarget(*exposed);
    for (const Outside& outside : heap_.outside()) outsideTargets_.push_back(targetOf(outside));
    if (interface_) findOffered();
    for (const Outside& outside : stacks_.outside()) stackTargets_.push_back(targetOf(outside));
    const auto running = static_cast<jit::OptLevel>(vm_.options().optLevel);
    const std::array<jit::OptLevel, 5> levels{running, request_.level, jit::OptLevel::O0, jit::OptLevel::O1,
                                              jit::OptLevel::O2};
    GAUR_TRY(stacks_.compile(shadow_, levels));
    if (request_.code == CodePolicy::None) return {};
    std::vector<const ir::FunctionVersion*> versions;
    for (const ir::FunctionVersion* version : reachable_.versions())
      if (version->function->current.load(std::memory_order_acquire) == version) versions.push_back(version);
    auto progress = [&](std::size_t done) {
      if (request_.progress) request_.progress("compiling", done, versions.size());
    };
    if (primordial_) GAUR_TRY(shadow_.addHostCall(primordial_->signature->signature));
    GAUR_TRY(shadow_.compile(versions, request_.level, progress));
    return compileOffered();
  }

  // --- Cells that C knows by names
  // ------------------------------------------------------------------------------------------

  /// They are roots. Other locations have no name: where they lie nothing tells before the image begins.
  void findNamedCells() {
    if (!interface_) return;
    for (const BuildRequest::NamedLocation& named : request_.symbols) {
      const Location location = addresses_.locate(named.address);
      const auto* cell = static_cast<const ir::GlobalCell*>(location.thing);
      if (location.kind != Location::Kind::Cell || !isOffered(named.symbol)) {
        report_.warnings.push_back("'" + named.symbol + "' becomes no symbol: " +
                                   (isOffered(named.symbol) ? "it is for no part of a global cell"
                                                            : "it is no name that C can have for a cell"));
        continue;
      }
      reachable_.add(*cell);
      if (std::find(namedCells_.begin(), namedCells_.end(), cell) == namedCells_.end())
        namedCells_.push_back(cell);
      namedLocations_.push_back({named.symbol, cell, location.offset, named.bytes});
    }
  }

  void writeNamedCells() {
    const std::span<std::byte> cells = shadow_.namedCells();
    if (cells.empty()) return;
    interface_->cells.assign(cells.begin(), cells.end());
    const std::uint64_t begin = shadow_.namedCellsOffset();
    auto clear = [&](std::uint64_t offset) {
      if (offset - begin >= cells.size()) return;
      std::fill_n(interface_->cells.begin() + static_cast<std::ptrdiff_t>(offset - begin),
                  sizeof(std::uint64_t), std::byte{0});
    };
    for (std::uint64_t offset : heap_.dataRelocations()) clear(offset);
    for (const SymbolWord& word : symbolWords_)
      if (word.section == static_cast<std::uint32_t>(Section::Data)) clear(word.offset);
  }

  void offerNamedCells() {
    for (const NamedLocation& named : namedLocations_) {
      const std::uint64_t offset = shadow_.cellTarget(*named.cell).value + named.offset;
      interface_->data.push_back({named.symbol, offset - shadow_.namedCellsOffset(), named.bytes});
    }
  }

  // --- What a linker has to know
  // ------------------------------------------------------------------------------------------

  static bool canBeOffered(const ir::Signature* signature) {
    return ir::isNativeSafe(signature) && signature->results.size() <= 1;
  }

  void findOffered() {
    for (const ir::ExposedFunction* exposed : reachable_.exposed()) {
      std::string name = ir::fullName(*exposed);
      if (isOffered(name)) interface_->offered.push_back({std::move(name), exposed->id});
    }
    for (const ir::Function* function : reachable_.functions()) {
      std::string name = ir::fullName(*function);
      const bool isDefined = function->current.load(std::memory_order_acquire) != nullptr;
      if (isDefined && isOffered(name) && canBeOffered(function->signature->signature))
        interface_->offered.push_back({std::move(name), function->id});
    }
    // Of a stack it has been checked.
    interface_->hasMain =
        request_.primordialStack || (primordial_ && isMainSignature(primordial_->signature->signature));
  }

  /// A function that no adapter can be made for is not offered.
  Result<void> compileOffered() {
    if (!interface_) return {};
    std::erase_if(interface_->offered, [this](const LinkInterface::Offered& offered) {
      const auto* function = vm_.program().entityOf<ir::Function>(offered.id);
      return function && !shadow_.addExposedAdapter(function->signature->signature);
    });
    return {};
  }

  void writeInterface() {
    // A symbol is weak where nothing needs it.
    std::map<std::string, bool> wanted;
    auto want = [&wanted](std::string_view symbol, bool isWeak) {
      auto [known, isNew] = wanted.try_emplace(std::string(symbol), isWeak);
      known->second = known->second && isWeak;
    };
    for (const std::string& symbol : shadow_.externs()) want(symbol, false);
    // Code that is compiled when it runs asks then.
    if (request_.code == CodePolicy::None)
      for (const ir::Constant* constant : reachable_.constants())
        if (constant->kind == ir::ConstantKind::Extern) want(constant->symbol, true);
    for (std::string_view symbol : stacks_.symbols()) want(symbol, false);
    for (const SymbolWord& word : symbolWords_)
      want(contents_.stringAt(word.symbol), (word.flags & kWeakSymbol) != 0);
    for (const auto& [symbol, isWeak] : wanted) interface_->wanted.push_back({symbol, isWeak});
    // A name that the image wants from outside is not its own.
    offerNamedCells();
    std::map<std::string, bool> isTaken;
    auto isRefused = [&](const std::string& what, const std::string& symbol) {
      const bool isWanted = wanted.contains(symbol);
      if (!isWanted && isTaken.try_emplace(symbol, true).second) return false;
      report_.warnings.push_back(
          what + " is not offered to C: " +
          (isWanted ? "the image wants a symbol of that name from outside" : "a cell has that name"));
      return true;
    };
    std::erase_if(interface_->data, [&](const LinkInterface::Datum& datum) {
      return isRefused("'" + datum.symbol + "'", datum.symbol);
    });
    std::erase_if(interface_->offered, [&](const LinkInterface::Offered& offered) {
      return isRefused("@" + offered.symbol, offered.symbol);
    });
  }

  Result<void> finishHeap() {
    std::vector<Target> cells;
    for (const ir::GlobalCell* cell : reachable_.globals()) cells.push_back(shadow_.cellTarget(*cell));
    std::vector<runtime::PointerRelocation> relocations = vm_.pointerRelocations().entries();
    // What this build asks for replaces what was registered.
    relocations.insert(relocations.end(), request_.relocations.begin(), request_.relocations.end());
    GAUR_TRY_ASSIGN(auto outcome,
                    heap_.finish({ShadowProgram::bases(), outsideTargets_, cells}, relocations));
    report_.warnings.insert(report_.warnings.end(), outcome.warnings.begin(), outcome.warnings.end());
    for (std::size_t i = 0; i < cells.size(); ++i)
      shadow_.setCell(*reachable_.globals()[i], heap_.cellBytes(i));
    contents_.refer(SectionKind::Heap, heap_.heap(), heap_.heapMemory());
    contents_.set<SectionKind::HeapPages>(heap_.firstBlocks());
    contents_.set<SectionKind::HeapWords>(heap_.heapRelocations());
    for (const SymbolRelocation& symbol : outcome.symbols) {
      const bool isGiven = symbol.symbol < relocations.size();
      const std::string& name =
          isGiven ? relocations[symbol.symbol].symbol : outcome.names[symbol.symbol - relocations.size()];
      const std::string library = isGiven ? relocations[symbol.symbol].library : "";
      symbolWords_.push_back({static_cast<std::uint32_t>(symbol.place.section), contents_.string(name),
                              symbol.place.offset, symbol.addend, symbol.isWeak ? kWeakSymbol : 0u,
                              contents_.string(library)});
    }
    contents_.set<SectionKind::SymbolWords>(symbolWords_);
    report_.symbols = symbolWords_.size();
    stacks_.write(contents_, ShadowProgram::bases(), stackTargets_);
    return {};
  }

  Result<void> writeProgram() {
    GAUR_TRY(shadow_.write(contents_, heap_.dataRelocations()));
    contents_.set<SectionKind::Ir>(ir::writeSnapshot(reachable_));
    StartRow start{};
    start.function = primordial_ ? primordial_->id : kNoId;
    start.threadLocal = objectOffset(request_.threadLocal);
    start.stack = objectOffset(request_.primordialStack);
    start.namedCells = shadow_.namedCellsOffset();
    start.namedCellBytes = shadow_.namedCells().size();
    contents_.set<SectionKind::Start>(std::span(&start, 1));
    report_.heapBytes = contents_.bytes(SectionKind::Heap).size();
    report_.codeBytes = contents_.bytes(SectionKind::Code).size();
    // The shadow's memory goes with it.
    contents_.own(SectionKind::Data);
    contents_.own(SectionKind::Code);
    return {};
  }

  std::uint64_t objectOffset(const void* object) const {
    if (!object) return kNoObject;
    auto target = heap_.targetOf(reinterpret_cast<std::uintptr_t>(object));
    return target ? target->value : kNoObject;
  }

  void writeTables() {
    std::vector<std::uint32_t> layouts;
    for (std::uint32_t type = 0; type < vm_.program().types().count(); ++type)
      if (abi::LayoutTable::shared().knows(type)) layouts.push_back(type);
    contents_.set<SectionKind::LayoutTypes>(layouts);
    std::vector<std::uint32_t> libraries;
    for (const std::string& path : vm_.nativeSymbols().libraries())
      libraries.push_back(contents_.string(path));
    contents_.set<SectionKind::Libraries>(libraries);
    auto watchpoints = vm_.watchpoints().enabled();
    contents_.set<SectionKind::EnabledWatchpoints>(watchpoints);
  }

  runtime::MicroVm& vm_;
  const BuildRequest& request_;
  ImageContents& contents_;
  LinkInterface* interface_;
  MachineAddresses addresses_;
  ir::Reachable reachable_;
  HeapSnapshot heap_;
  StackSnapshot stacks_;
  ShadowProgram shadow_;
  const ir::Function* primordial_ = nullptr;
  std::vector<Target> outsideTargets_, stackTargets_;
  std::vector<SymbolWord> symbolWords_;
  struct NamedLocation {
    std::string symbol;
    const ir::GlobalCell* cell;
    std::uint64_t offset, bytes;
  };
  std::vector<const ir::GlobalCell*> namedCells_;
  std::vector<NamedLocation> namedLocations_;
  BuildReport report_;
};

}  // namespace

std::vector<Id> everythingIn(const ir::Program& program) {
  std::vector<Id> ids;
  auto add = [&ids](const auto& entities) {
    for (const auto* entity : entities)
      if (entity->id >= kFirstClientId) ids.push_back(entity->id);
  };
  for (const auto& bundle : program.bundles()) {
    add(bundle->types);
    add(bundle->signatures);
    add(bundle->constants);
    add(bundle->globals);
    add(bundle->functions);
    add(bundle->exposed);
  }
  return ids;
}

Result<BuildReport> collectImage(runtime::MicroVm& vm, const BuildRequest& request, ImageContents& contents,
                                 LinkInterface* interface) {
  std::lock_guard lock(vm.program().loadMutex());
  gc::CollectionPause pause(vm.heap());
  return ImageBuilder(vm, request, contents, interface).run();
}

Result<BuildReport> buildImage(runtime::MicroVm& vm, const BuildRequest& request, const std::string& path) {
  ImageContents contents;
  GAUR_TRY_ASSIGN(BuildReport report, collectImage(vm, request, contents));
  ImageContents::File file = contents.finish();
  report.imageBytes = file.bytes;
  if (!request.compress) {
    GAUR_TRY(writeAtomically(path, file.pieces));
    return report;
  }
  GAUR_TRY_ASSIGN(std::vector<std::byte> packed, compress(file.pieces, path));
  report.imageBytes = packed.size();
  const ImageContents::Piece piece{packed, 0};
  GAUR_TRY(writeAtomically(path, {&piece, 1}));
  return report;
}

}  // namespace gaur::bootimage
