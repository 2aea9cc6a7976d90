#include "vm/runtime/code_registry.h"

#include <algorithm>
#include <unordered_set>

#include "jit/code_map.h"
#include "jit/code_slab.h"
#include "vm/ir/instruction.h"
#include "vm/runtime/resumption.h"
#include "vm/runtime/watchpoints.h"
#include "vm/support/log.h"
#include "vm/support/platform.h"

namespace gaur::runtime {

namespace {

/// Without optimisation most of the cost is per unit, so a call compiles what it is going to call.
constexpr std::size_t kQuickBatch = 64;
constexpr std::size_t kEagerBatch = 256;
/// So many functions are compiled before a load that redefines them takes effect.
constexpr std::size_t kAwaited = 16;
/// What a small unit takes beside its code: rows, the linker's books, its IR.
constexpr std::size_t kUnitBytes = 4096;

/// The function that the instruction calls by name, or null.
const ir::Function* calledFunction(const ir::Instruction& instruction) {
  if (instruction.opcode != ir::Opcode::Call && instruction.opcode != ir::Opcode::TailCall) return nullptr;
  const ir::Value* callee = instruction.operands[0].target;
  return callee->entityKind == ir::EntityKind::Function ? static_cast<const ir::Function*>(callee) : nullptr;
}

/// Whether code of both may lie in one unit, which goes as a whole.
bool liveTogether(const ir::FunctionVersion& a, const ir::FunctionVersion& b) {
  return a.bundle == b.bundle || (!a.bundle->isCollectible && !b.bundle->isCollectible);
}

bool hasCodeOf(const abi::CodeBlock& block, Id version) {
  return std::any_of(block.functions.begin(), block.functions.end(),
                     [&](const abi::FunctionCode& code) { return code.version == version; });
}

OwnedRange rangeOf(const jit::CodeUnit& code) {
  return {reinterpret_cast<const void*>(code.block().begin), code.block().end - code.block().begin};
}

}  // namespace

CodeRegistry::CodeRegistry(jit::Environment& environment, jit::CodeSlab& slab, jit::CodeMap& map,
                           WatchpointTable& watchpoints, CodeOwners& owners, const Options& options)
    : environment_(environment),
      slab_(slab),
      map_(map),
      watchpoints_(watchpoints),
      options_(options),
      owners_(owners) {}

CodeRegistry::~CodeRegistry() {
  for (const auto& [block, unit] : units_) watchpoints_.remove(*block);
  units_.clear();
  for (const abi::CodeBlock* block : adopted_) {
    watchpoints_.remove(*block);
    map_.remove(*block);
  }
}

void CodeRegistry::adopt(const abi::CodeBlock& block, std::span<const jit::Inlining> inlinings) {
  std::lock_guard lock(mutex_);
  map_.add(block);
  watchpoints_.add(block);
  adopted_.push_back(&block);
  for (const jit::Inlining& inlining : inlinings)
    copies_[inlining.function].push_back(inlining.callerVersion);
}

void CodeRegistry::adoptHostCall(const ir::Signature* signature, void* code) {
  std::lock_guard lock(mutex_);
  hostCalls_.emplace(signature, code);
}

void CodeRegistry::adoptExposedAdapter(const ir::Signature* signature, void* code) {
  std::lock_guard lock(mutex_);
  exposedAdapters_.emplace(signature, code);
}

void CodeRegistry::adoptStartAdapter(const ir::Signature* signature, void* code) {
  std::lock_guard lock(mutex_);
  enter(signature, code);
}

void CodeRegistry::enter(const ir::Signature* signature, void* startAdapter) {
  auto& made = startAdapterList_.emplace_back(std::make_unique<StartAdapter>(
      StartAdapter{startAdapter, startMemoryBytes(environment_.layouts(), signature)}));
  startAdapters_.set(signature->index, made.get());
}

Result<jit::Compiler*> CodeRegistry::compiler() {
  if (!compiler_) {
    jit::CompilerOptions options;
    options.verify = GAUR_CHECK_LEVEL >= 2;
    GAUR_TRY_ASSIGN(compiler_, jit::openCompiler(environment_, slab_, map_, options));
  }
  return compiler_.get();
}

bool CodeRegistry::isCompiled(const ir::Function& function) {
  const abi::FunctionRecord* record = environment_.recordOf(function);
  return record->entry != record->lazyEntry;
}

CodeRegistry::Versions CodeRegistry::batchFrom(const ir::FunctionVersion& version) {
  Versions batch{&version};
  if (level() != jit::OptLevel::O0) return batch;
  std::unordered_set<const ir::Function*> seen{version.function.target};
  for (std::size_t i = 0; i < batch.size() && batch.size() < kQuickBatch; ++i) {
    ir::forEachInstruction(*batch[i], [&](const ir::Instruction& instruction) {
      const ir::Function* callee = calledFunction(instruction);
      if (!callee || batch.size() >= kQuickBatch || !seen.insert(callee).second || isCompiled(*callee))
        return;
      const ir::FunctionVersion* current = callee->current.load(std::memory_order_acquire);
      if (current && liveTogether(version, *current)) batch.push_back(current);
    });
  }
  return batch;
}

Result<void> CodeRegistry::compileUnit(const Versions& versions) {
  std::uint64_t start = platform::monotonicTime();
  GAUR_TRY(environment_.program().needBodies());
  GAUR_TRY_ASSIGN(jit::Compiler * compiler, this->compiler());
  GAUR_TRY_ASSIGN(auto unit, compiler->compile(versions, level()));
  Versions parts = versions;
  for (const jit::Inlining& inlining : unit->inlinings()) {
    copies_[inlining.function].push_back(inlining.callerVersion);
    const auto* copied = environment_.program().entityOfCode<ir::Function>(inlining.function);
    parts.push_back(copied->current.load(std::memory_order_relaxed));
  }
  Unit& kept = keep(std::move(unit), versions.front()->bundle, std::move(parts));
  for (const ir::FunctionVersion* version : versions)
    setEntry(environment_.recordOf(*version->function.target), kept.code->entryOf(version->id));
  std::uint64_t duration = platform::monotonicTime() - start;
  nanoseconds_.fetch_add(duration, std::memory_order_relaxed);
  compiled_.fetch_add(versions.size(), std::memory_order_relaxed);
  GAUR_LOG(Jit, Info, "{} and {} more in {} us", ir::describe(*versions.front()), versions.size() - 1,
           duration / 1000);
  return {};
}

Result<void> CodeRegistry::compile(const ir::Function& function) {
  std::lock_guard lock(mutex_);
  const ir::FunctionVersion* version = function.current.load(std::memory_order_acquire);
  if (isCompiled(function)) return {};
  if (!version) return compileUndefined(function);
  GAUR_TRY(environment_.program().needBodies());
  Versions batch = batchFrom(*version);
  auto result = compileUnit(batch);
  // What fails may be one of the others, which will not necessarily be called.
  if (!result && batch.size() > 1) result = compileUnit({version});
  return result;
}

Result<void> CodeRegistry::compileUndefined(const ir::Function& function) {
  GAUR_TRY_ASSIGN(jit::Compiler * compiler, this->compiler());
  GAUR_TRY_ASSIGN(auto unit, compiler->undefinedFunction(function));
  Unit& kept = keep(std::move(unit), collectibleBundleOf(function), {});
  setEntry(environment_.recordOf(function), kept.code->entryOf(kNoId));
  return {};
}

Result<void> CodeRegistry::compileAll(std::span<ir::FunctionVersion* const> versions) {
  std::lock_guard lock(mutex_);
  Versions left;
  for (const ir::FunctionVersion* version : versions) {
    const ir::Function& function = *version->function.target;
    if (function.current == version && !isCompiled(function)) left.push_back(version);
  }
  // All are of one bundle.
  for (std::size_t i = 0; i < left.size(); i += kEagerBatch) {
    auto end = left.begin() + static_cast<std::ptrdiff_t>(std::min(i + kEagerBatch, left.size()));
    GAUR_TRY(compileUnit(Versions(left.begin() + static_cast<std::ptrdiff_t>(i), end)));
  }
  return {};
}

void CodeRegistry::invalidate(const ir::Function& function) {
  abi::FunctionRecord* record = environment_.recordOf(function);
  setEntry(record, record->lazyEntry);
}

/// Of these functions, and of those that have a copy of their code, the ones that new calls still enter.
CodeRegistry::Versions CodeRegistry::staleAfter(std::span<ir::FunctionVersion* const> versions) {
  Versions stale;
  std::unordered_set<const ir::Function*> seen;
  auto add = [&](const ir::FunctionVersion& version) {
    if (isCompiled(*version.function.target) && seen.insert(version.function.target).second)
      stale.push_back(&version);
  };
  for (const ir::FunctionVersion* version : versions) {
    const ir::Function& function = *version->function.target;
    add(*version);
    auto copies = copies_.find(function.id);
    if (copies == copies_.end()) continue;
    for (Id callerVersion : copies->second) {
      auto* caller = environment_.program().entityOfCode<ir::FunctionVersion>(callerVersion);
      if (!caller || caller->function->current != caller) continue;
      GAUR_LOG(Code, Debug, "{} holds code of {}, which is redefined", ir::describe(*caller),
               ir::describe(function));
      add(*caller);
    }
    copies_.erase(copies);
  }
  return stale;
}

void CodeRegistry::replace(std::span<ir::FunctionVersion* const> versions) {
  const Versions stale = staleAfter(versions);
  const bool isAwaited = stale.size() <= kAwaited;
  for (const ir::FunctionVersion* version : stale)
    if (!isAwaited || !compileUnit({version})) invalidate(*version->function.target);
  for (const ir::FunctionVersion* version : versions)
    if (const ir::FunctionVersion* old = version->previous.load(std::memory_order_relaxed)) noteUnused(*old);
}

// --- The end of code -----------------------------------------------------------------------------------

CodeRegistry::Unit& CodeRegistry::keep(std::unique_ptr<jit::CodeUnit> code, const ir::Bundle* bundle,
                                       Versions versions) {
  auto owned = bundleOwners_.find(bundle);
  if (owned == bundleOwners_.end()) bundle = nullptr;
  watchpoints_.add(code->block());
  const abi::CodeBlock* block = &code->block();
  auto unit = std::make_unique<Unit>(Unit{std::move(code), this, 0, bundle, std::move(versions)});
  for (const ir::FunctionVersion* version : unit->versions) ++uses_[version];
  if (bundle) owners_.extend(*owned->second.owner, rangeOf(*unit->code));
  return *(units_[block] = std::move(unit));
}

CodeRegistry::Unit* CodeRegistry::unitAt(const void* code) {
  auto found = units_.find(map_.findFunction(reinterpret_cast<std::uintptr_t>(code)).block);
  return found == units_.end() ? nullptr : found->second.get();
}

void CodeRegistry::setEntry(abi::FunctionRecord* record, void* entry) {
  void* before = __atomic_exchange_n(&record->entry, entry, __ATOMIC_ACQ_REL);
  if (Unit* unit = unitAt(entry)) ++unit->current;
  if (Unit* unit = unitAt(before); unit && --unit->current == 0) retire(*unit);
}

/// No call reaches it any more. Threads may still be on their way, and frames active in it: its owner will
/// tell.
void CodeRegistry::retire(Unit& unit) {
  unit.isRetired = true;
  ++retiredCount_;
  retired_.push_back(&unit);
  hasGarbage_.store(true, std::memory_order_relaxed);
}

bool CodeRegistry::giveOwner(Thread& thread, Unit& unit) {
  OwnedRange range = rangeOf(*unit.code);
  auto owned = bundleOwners_.find(unit.bundle);
  const bool isOfBundle = owned != bundleOwners_.end();
  unit.hasOwner = owners_.add(thread, {&range, 1}, bury, &unit,
                              isOfBundle ? &owned->second.references : nullptr, kUnitBytes) != nullptr;
  // At each moment frames in the unit keep its bundle, by the one owner or the other.
  if (isOfBundle && unit.hasOwner) owners_.withdraw(*owned->second.owner, range);
  return unit.hasOwner;
}

/// The release function of a unit's owner. Compilation may be going on, so it only takes a note.
void CodeRegistry::bury(void* data) {
  auto* unit = static_cast<Unit*>(data);
  CodeRegistry& registry = *unit->registry;
  std::lock_guard lock(registry.buriedMutex_);
  registry.buried_.push_back(unit);
  registry.hasGarbage_.store(true, std::memory_order_relaxed);
}

void CodeRegistry::free(Unit& unit) {
  const abi::CodeBlock* block = &unit.code->block();
  watchpoints_.remove(*block);
  forgetVersions(unit);
  if (unit.isRetired) --retiredCount_;
  ++freedCount_;
  units_.erase(block);
}

void CodeRegistry::forgetVersions(Unit& unit) {
  for (const ir::FunctionVersion* version : unit.versions) {
    auto use = uses_.find(version);
    if (--use->second != 0) continue;
    uses_.erase(use);
    noteUnused(*version);
    // Where there is other code of it, that may hold copies as well.
    for (const jit::Inlining& inlining : unit.code->inlinings())
      if (inlining.callerVersion == version->id) forgetCopies(inlining);
  }
  unit.versions.clear();
}

void CodeRegistry::forgetCopies(const jit::Inlining& inlining) {
  auto copies = copies_.find(inlining.function);
  if (copies == copies_.end()) return;
  std::erase(copies->second, inlining.callerVersion);
  if (copies->second.empty()) copies_.erase(copies);
}

void CodeRegistry::noteUnused(const ir::FunctionVersion& version) {
  if (!version.bundle->isOnlyVersions() || version.bundle->isCollectible) return;
  candidates_.insert(version.bundle);
  hasGarbage_.store(true, std::memory_order_relaxed);
}

bool CodeRegistry::tidy(Thread& thread, std::span<ir::Bundle* const> dead,
                        std::vector<ir::Bundle*>& superseded) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return false;
  const std::uint64_t freedBefore = freedCount_;
  hasGarbage_.store(false, std::memory_order_relaxed);
  std::vector<Unit*> buried;
  {
    std::lock_guard buriedLock(buriedMutex_);
    buried.swap(buried_);
  }
  for (Unit* unit : buried) free(*unit);
  for (ir::Bundle* bundle : dead) free(*bundle);
  std::erase_if(retired_, [&](Unit* unit) { return giveOwner(thread, *unit); });
  auto isUsed = [&](const ir::FunctionVersion* version) {
    return version->function->current.load(std::memory_order_relaxed) == version || uses_.contains(version);
  };
  for (ir::Bundle* bundle : candidates_)
    if (std::none_of(bundle->versions.begin(), bundle->versions.end(), isUsed)) superseded.push_back(bundle);
  candidates_.clear();
  if (freedCount_ == freedBefore) return true;
  jit::CodeSlab::Statistics memory = slab_.statistics();
  GAUR_LOG(
      Code, Info,
      "freed {} units; {} KB of code in use, {} KB free in {} pieces, the largest of {} KB; {} KB of data",
      freedCount_ - freedBefore, memory.codeUsed >> 10, memory.codeFree >> 10, memory.codeFreePieces,
      memory.codeLargestFree >> 10, memory.dataUsed >> 10);
  return true;
}

void CodeRegistry::setOwner(const ir::Bundle& bundle, CodeOwner& owner, const void* anchor) {
  std::lock_guard lock(mutex_);
  BundleOwner& entry = bundleOwners_[&bundle];
  entry.owner = &owner;
  entry.anchor = std::make_unique<std::uintptr_t>(reinterpret_cast<std::uintptr_t>(anchor));
  entry.references.addresses = {entry.anchor.get(), 1};
}

/// What a bundle had compiled, when its owner has died.
void CodeRegistry::free(const ir::Bundle& bundle) {
  std::vector<Unit*> dying;
  for (const auto& [block, unit] : units_) {
    if (unit->bundle != &bundle) continue;
    // Its own owner is as dead, but may not have said so yet.
    if (unit->hasOwner) {
      forgetVersions(*unit);
      unit->bundle = nullptr;
    } else {
      dying.push_back(unit.get());
    }
  }
  std::erase_if(retired_, [&](const Unit* unit) { return unit->bundle == &bundle; });
  for (Unit* unit : dying) free(*unit);
  bundleOwners_.erase(&bundle);
}

const ir::Bundle* CodeRegistry::collectibleBundleOf(const ir::Function& function) {
  const CodeOwner* owner = owners_.ownerOf(environment_.recordOf(function));
  for (const auto& [bundle, known] : bundleOwners_)
    if (owner && known.owner == owner) return bundle;
  return nullptr;
}

std::vector<CodeRegistry::CodePlace> CodeRegistry::placesOf(const ir::FunctionVersion& version) {
  std::lock_guard lock(mutex_);
  std::vector<CodePlace> places;
  for (const auto& [block, unit] : units_) {
    const Versions& parts = unit->versions;
    if (std::find(parts.begin(), parts.end(), &version) == parts.end()) continue;
    CodePlace& place = places.emplace_back();
    place.hiddenBegin = ~block->begin;
    place.mayGo = unit->isRetired || unit->bundle;
    if (!hasCodeOf(*block, version.id)) place.copiedInto = holderOfCopy(*unit, *version.function.target);
    if (unit->isRetired) continue;
    auto isCurrent = [](const ir::FunctionVersion* part) {
      return part->function->current.load(std::memory_order_relaxed) == part;
    };
    auto part = std::find_if(parts.begin(), parts.end(), isCurrent);
    if (part != parts.end()) place.companion = (*part)->function.target;
  }
  return places;
}

/// The version in whose code of the unit a function was copied, or null.
const ir::FunctionVersion* CodeRegistry::holderOfCopy(const Unit& unit, const ir::Function& copied) const {
  for (const jit::Inlining& inlining : unit.code->inlinings())
    if (inlining.function == copied.id)
      return environment_.program().entityOfCode<ir::FunctionVersion>(inlining.callerVersion);
  return nullptr;
}

bool CodeRegistry::isInImage(const ir::FunctionVersion& version) {
  std::lock_guard lock(mutex_);
  return std::any_of(adopted_.begin(), adopted_.end(),
                     [&](const abi::CodeBlock* block) { return hasCodeOf(*block, version.id); });
}

std::optional<std::uintptr_t> CodeRegistry::hiddenAnchorOf(const ir::Bundle& bundle) {
  std::lock_guard lock(mutex_);
  auto owned = bundleOwners_.find(&bundle);
  if (owned == bundleOwners_.end()) return std::nullopt;
  return ~*owned->second.anchor;
}

CodeRegistry::Statistics CodeRegistry::statistics() {
  std::lock_guard lock(mutex_);
  return {units_.size(), retiredCount_, freedCount_};
}

// --- Adapters ------------------------------------------------------------------------------------------

Result<void*> CodeRegistry::adapter(
    Adapters& adapters, const ir::Signature* signature,
    Result<std::unique_ptr<jit::CodeUnit>> (jit::Compiler::*make)(const ir::Signature*)) {
  std::lock_guard lock(mutex_);
  if (auto known = adapters.find(signature); known != adapters.end()) return known->second;
  std::uint64_t start = platform::monotonicTime();
  GAUR_TRY_ASSIGN(jit::Compiler * compiler, this->compiler());
  GAUR_TRY_ASSIGN(auto unit, (compiler->*make)(signature));
  void* entry = unit->entryOf(kNoId);
  adapters.emplace(signature, entry);
  keepForGood(std::move(unit));
  nanoseconds_.fetch_add(platform::monotonicTime() - start, std::memory_order_relaxed);
  return entry;
}

Result<jit::HostCall> CodeRegistry::hostCall(const ir::Signature* signature) {
  GAUR_TRY_ASSIGN(void* entry, adapter(hostCalls_, signature, &jit::Compiler::hostCallAdapter));
  return reinterpret_cast<jit::HostCall>(entry);
}

Result<void*> CodeRegistry::exposedAdapter(const ir::Signature* signature) {
  return adapter(exposedAdapters_, signature, &jit::Compiler::exposedAdapter);
}

const ir::Signature* CodeRegistry::adapterSignature(const void* adapter) {
  std::lock_guard lock(mutex_);
  for (const auto* adapters : {&exposedAdapters_, &hostCalls_})
    for (const auto& [signature, code] : *adapters)
      if (code == adapter) return signature;
  return nullptr;
}

Result<const StartAdapter*> CodeRegistry::startAdapter(const ir::Signature* signature) {
  std::lock_guard lock(mutex_);
  if (const StartAdapter* known = startAdapters_.get(signature->index)) return known;
  GAUR_TRY_ASSIGN(jit::Compiler * compiler, this->compiler());
  GAUR_TRY_ASSIGN(auto unit, compiler->startAdapter(signature));
  enter(signature, unit->entryOf(kNoId));
  keepForGood(std::move(unit));
  return startAdapters_.get(signature->index);
}

Result<std::string> CodeRegistry::dump(const ir::FunctionVersion& version, jit::DumpStage stage) {
  std::lock_guard lock(mutex_);
  GAUR_TRY(environment_.program().needBodies());
  GAUR_TRY_ASSIGN(jit::Compiler * compiler, this->compiler());
  return compiler->dump(version, level(), stage);
}

}  // namespace gaur::runtime
