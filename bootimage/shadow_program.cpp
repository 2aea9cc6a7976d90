#include "bootimage/shadow_program.h"

#include <algorithm>
#include <atomic>

#include "bootimage/same_code.h"
#include "vm/abi/layout.h"
#include "vm/ir/instruction.h"
#include "vm/support/log.h"

namespace gaur::bootimage {

namespace {

/// Far from all libraries, which code would otherwise call directly, and from the places that images prefer.
constexpr std::uintptr_t kShadowSlabs = std::uintptr_t{0x2200} << 32;
constexpr std::uintptr_t kShadowStride = std::uintptr_t{4} << 30;
constexpr std::uint32_t kShadowPlaces = 64;

/// Versions that are compiled together: most of the cost of fast compilation is per unit.
constexpr std::size_t kBatch = 64;

jit::SlabPlacement nextPlacement() {
  static std::atomic<std::uint32_t> count{0};
  return {kShadowSlabs + kShadowStride * (count.fetch_add(1) % kShadowPlaces), 0, 0};
}

/// Where the thing ends up, given where it lies in the shadow.
constexpr std::uint64_t kCodeInSlab = jit::CodeSlab::kDataBytes;

}  // namespace

ShadowProgram::ShadowProgram(runtime::MicroVm& vm) : vm_(vm), slab_(nextPlacement()), map_(slab_) {
  // The first thing in the data, so that the start finds it without being told.
  linkTable_ = make<abi::LinkTable>();
}

ShadowProgram::~ShadowProgram() { units_.clear(); }

SectionBases ShadowProgram::bases() { return {kPreferredHeap, kPreferredSlab, kPreferredSlab + kCodeInSlab}; }

template <class T>
T* ShadowProgram::make(std::size_t bytes, std::size_t alignment) {
  void* data = slab_.allocateData(bytes, alignment);
  // The program goes on with memory that nothing reads; write() tells.
  if (!data) isFull_ = true;
  static std::max_align_t spare[64];
  return static_cast<T*>(data ? data : static_cast<void*>(spare));
}

void* ShadowProgram::trampoline() {
  // A process that begins writes what it leads to.
  void* code = slab_.makeTrampoline(nullptr, nullptr);
  if (!code) isFull_ = true;
  return code ? code : reinterpret_cast<void*>(slab_.codeBegin());
}

std::uint64_t ShadowProgram::inData(const void* address) const {
  return reinterpret_cast<std::uintptr_t>(address) - slab_.dataBegin();
}
std::uint64_t ShadowProgram::inCode(const void* address) const {
  return reinterpret_cast<std::uintptr_t>(address) - slab_.codeBegin();
}

abi::FunctionRecord* ShadowProgram::recordOf(const ir::Function& function) {
  auto& [known, record] = records_[function.id];
  if (!record) {
    known = &function;
    record = make<abi::FunctionRecord>();
    void* lazy = trampoline();
    *record = {lazy, nullptr, function.id, function.signature->signature->index, lazy};
  }
  return record;
}

void* ShadowProgram::addressOf(const ir::GlobalCell& cell) {
  auto& [known, memory] = cells_[cell.id];
  if (!memory) {
    known = &cell;
    memory = make<char>(runtime::cellBytes(cell), runtime::kCellAlignment);
  }
  return memory;
}

void ShadowProgram::placeNamedCells(std::span<const ir::GlobalCell* const> cells) {
  auto aligned = [](std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; };
  std::size_t bytes = 0;
  for (const ir::GlobalCell* cell : cells)
    bytes = aligned(bytes, runtime::kCellAlignment) + runtime::cellBytes(*cell);
  if (bytes == 0) return;
  bytes = aligned(bytes, kPageBytes);
  auto* memory = static_cast<std::byte*>(slab_.allocateData(bytes, kPageBytes));
  if (!memory) return static_cast<void>(isFull_ = true);
  namedCells_ = {memory, bytes};
  std::size_t offset = 0;
  for (const ir::GlobalCell* cell : cells) {
    offset = aligned(offset, runtime::kCellAlignment);
    cells_[cell->id] = {cell, memory + offset};
    offset += runtime::cellBytes(*cell);
  }
}

Result<abi::NativeSlot*> ShadowProgram::externSlot(std::string_view symbol) {
  auto known = externs_.find(symbol);
  if (known == externs_.end()) {
    known = externs_.emplace(std::string(symbol), make<abi::NativeSlot>()).first;
    // Which function a name means is settled when a process starts; here it only tells the compiler about
    // functions of libc that it knows, and about names that host functions have had so far.
    abi::NativeSlot& slot = *known->second;
    slot.address = vm_.nativeSymbols().find(symbol);
    slot.target = vm_.nativeSymbols().hostOf(symbol) ? nullptr : &slot.own;
  }
  return known->second;
}

Result<void**> ShadowProgram::nativeCallSlot(const ir::Signature* signature) {
  // The running machine tells whether there can be such a call.
  GAUR_TRY(vm_.nativeCalls().slot(signature));
  auto& [known, slot] = nativeCalls_[signature->index];
  if (!slot) {
    known = signature;
    slot = make<void*>();
  }
  return slot;
}

ShadowProgram::Exposed ShadowProgram::expose(const ir::Function& function, std::uint64_t cookie, Id id) {
  auto* data = make<runtime::ExposedFunctionData>();
  *data = {{recordOf(function), cookie}, nullptr, nullptr, nullptr};
  return {data, trampoline(), id != kNoId ? make<void*>() : nullptr, function.signature->signature, id};
}

void** ShadowProgram::exposedSlot(const ir::ExposedFunction& exposed) {
  auto known = exposed_.find(exposed.id);
  if (known == exposed_.end()) {
    known =
        exposed_.emplace(exposed.id, expose(*exposed.function.target, runtime::cookieOf(exposed), exposed.id))
            .first;
  }
  return known->second.slot;
}

Target ShadowProgram::functionTarget(const ir::Function& function) {
  return {Target::Kind::Data, inData(recordOf(function))};
}
Target ShadowProgram::cellTarget(const ir::GlobalCell& cell) {
  return {Target::Kind::Data, inData(addressOf(cell))};
}

Target ShadowProgram::exposedTarget(const ir::ExposedFunction& exposed) {
  exposedSlot(exposed);
  return {Target::Kind::Code, inCode(exposed_.at(exposed.id).trampoline)};
}

Target ShadowProgram::exposureTarget(const void* address, const abi::ExposedRecord& record) {
  auto known = exposures_.find(address);
  if (known == exposures_.end())
    known = exposures_.emplace(address, expose(*record.function->function, record.cookie, kNoId)).first;
  return {Target::Kind::Code, inCode(known->second.trampoline)};
}

// --- Code -------------------------------------------------------------------------------------------------

Result<jit::Compiler*> ShadowProgram::compiler() {
  if (!compiler_) {
    jit::CompilerOptions options;
    options.verify = GAUR_CHECK_LEVEL >= 2;
    options.keepAbsoluteWords = true;
    GAUR_TRY_ASSIGN(compiler_, jit::openCompiler(*this, slab_, map_, options));
  }
  return compiler_.get();
}

void ShadowProgram::keep(std::unique_ptr<jit::CodeUnit> unit) { units_.push_back(std::move(unit)); }

Result<void> ShadowProgram::compileBatch(std::span<const ir::FunctionVersion* const> versions,
                                         jit::OptLevel level) {
  GAUR_TRY_ASSIGN(jit::Compiler * compiler, this->compiler());
  auto unit = compiler->compile(versions, level);
  if (!unit && versions.size() > 1) {
    // One of them cannot be compiled: the others still can.
    for (const ir::FunctionVersion* version : versions) GAUR_TRY(compileBatch({&version, 1}, level));
    return {};
  }
  if (!unit) {
    GAUR_LOG(Image, Warn, "{} is left to be compiled when it is called: {}", ir::describe(*versions.front()),
             unit.error().message);
    return {};
  }
  for (const ir::FunctionVersion* version : versions)
    recordOf(*version->function.target)->entry = (*unit)->entryOf(version->id);
  keep(std::move(*unit));
  return {};
}

Result<void*> ShadowProgram::adapter(AdapterKind kind, const ir::Signature* signature) {
  void*& code = adapters_[{kind, signature->index}];
  if (code) return code;
  GAUR_TRY_ASSIGN(jit::Compiler * compiler, this->compiler());
  Result<std::unique_ptr<jit::CodeUnit>> unit = makeError(ErrorId::NotAvailable);
  switch (kind) {
    case AdapterKind::HostCall: unit = compiler->hostCallAdapter(signature); break;
    case AdapterKind::Exposed: unit = compiler->exposedAdapter(signature); break;
    case AdapterKind::Start: unit = compiler->startAdapter(signature); break;
  }
  if (!unit) return std::move(unit).takeError();
  code = (*unit)->entryOf(kNoId);
  keep(std::move(*unit));
  return code;
}

Result<std::uint64_t> ShadowProgram::recompile(const abi::CodeBlock& original, const ir::Signature* starts,
                                               std::span<const jit::OptLevel> levels) {
  GAUR_TRY_ASSIGN(jit::Compiler * compiler, this->compiler());
  GAUR_TRY(vm_.program().needBodies());
  std::vector<const ir::FunctionVersion*> versions;
  for (const abi::FunctionCode& function : original.functions)
    if (const auto* version = vm_.program().entityOf<ir::FunctionVersion>(function.version))
      versions.push_back(version);
  for (jit::OptLevel level : levels) {
    Result<std::unique_ptr<jit::CodeUnit>> unit = makeError(ErrorId::NotAvailable);
    if (starts)
      unit = compiler->startAdapter(starts);
    else if (versions.empty())
      unit = compiler->undefinedFunction(*original.functions.front().record->function);
    else
      unit = compiler->compile(versions, level);
    if (!unit) return std::move(unit).takeError();
    if (!isSameCode(original, **unit)) continue;
    const std::uint64_t begin = (*unit)->block().begin - slab_.codeBegin();
    keep(std::move(*unit));
    return begin;
  }
  const abi::FunctionRecord* record = original.functions.front().record;
  return makeError(ErrorId::ImageFrame,
                   {"a frame of " + (record ? ir::describe(*record->function) : std::string("an adapter")) +
                    ", whose code comes out different when it is compiled again"});
}

Result<void> ShadowProgram::addHostCall(const ir::Signature* signature) {
  GAUR_TRY(adapter(AdapterKind::HostCall, signature));
  return {};
}

Result<void> ShadowProgram::addExposedAdapter(const ir::Signature* signature) {
  GAUR_TRY(adapter(AdapterKind::Exposed, signature));
  return {};
}

std::vector<std::string> ShadowProgram::externs() const {
  std::vector<std::string> symbols;
  for (const auto& [symbol, slot] : externs_) symbols.push_back(symbol);
  return symbols;
}

Result<void> ShadowProgram::addAdaptersOf(const ir::FunctionVersion& version) {
  Result<void> outcome;
  ir::forEachInstruction(version, [&](const ir::Instruction& instruction) {
    if (instruction.opcode != ir::Opcode::CommInst || !outcome) return;
    const bool starts = instruction.common == ir::CommonInst::UvmNewStack ||
                        instruction.common == ir::CommonInst::UvmMetaPushFrame;
    const bool exposes = instruction.common == ir::CommonInst::UvmNativeExpose;
    if (!starts && !exposes) return;
    auto made = adapter(starts ? AdapterKind::Start : AdapterKind::Exposed, instruction.signature());
    if (!made) outcome = std::move(made).takeError();
  });
  return outcome;
}

Result<void> ShadowProgram::compile(std::span<const ir::FunctionVersion* const> versions, jit::OptLevel level,
                                    const std::function<void(std::size_t)>& progress) {
  for (std::size_t done = 0; done < versions.size(); done += kBatch) {
    GAUR_TRY(compileBatch(versions.subspan(done, std::min(kBatch, versions.size() - done)), level));
    if (progress) progress(std::min(done + kBatch, versions.size()));
  }
  for (const ir::FunctionVersion* version : versions) GAUR_TRY(addAdaptersOf(*version));
  for (auto& [id, exposed] : exposed_) {
    GAUR_TRY_ASSIGN(exposed.data->adapter, adapter(AdapterKind::Exposed, exposed.signature));
  }
  for (auto& [address, exposed] : exposures_) {
    GAUR_TRY_ASSIGN(exposed.data->adapter, adapter(AdapterKind::Exposed, exposed.signature));
  }
  return {};
}

void ShadowProgram::setCell(const ir::GlobalCell& cell, std::span<const std::byte> bytes) {
  std::copy(bytes.begin(), bytes.end(), static_cast<std::byte*>(addressOf(cell)));
}

// --- Into the image ---------------------------------------------------------------------------------------

/// Stores the address that something in the slab will have.
void ShadowProgram::setWord(void* place, const void* target) {
  const std::uint64_t address =
      target ? reinterpret_cast<std::uintptr_t>(target) - slab_.dataBegin() + kPreferredSlab : 0;
  *static_cast<std::uint64_t*>(place) = address;
  if (target) dataWords_.push_back(static_cast<std::uint32_t>(inData(place) / sizeof(address)));
}

void ShadowProgram::writeRecords(ImageContents& contents) {
  std::vector<FunctionRow> rows;
  for (auto& [id, entry] : records_) {
    abi::FunctionRecord* record = entry.second;
    rows.push_back({id, record->entry != record->lazyEntry, inData(record), inCode(record->lazyEntry)});
    setWord(&record->entry, record->entry);
    setWord(&record->lazyEntry, record->lazyEntry);
  }
  contents.set<SectionKind::Functions>(rows);
  std::vector<CellRow> cells;
  for (const auto& [id, entry] : cells_) cells.push_back({id, 0, inData(entry.second)});
  contents.set<SectionKind::Cells>(cells);
}

void ShadowProgram::writeExposures(ImageContents& contents) {
  std::vector<ExposureRow> rows;
  auto write = [&](Exposed& exposed) {
    rows.push_back({exposed.id, exposed.signature->index, inData(exposed.data),
                    exposed.slot ? inData(exposed.slot) : 0, inCode(exposed.trampoline)});
    setWord(&exposed.data->record.function, exposed.data->record.function);
    setWord(&exposed.data->adapter, exposed.data->adapter);
    if (exposed.slot) setWord(exposed.slot, exposed.trampoline);
  };
  for (auto& [id, exposed] : exposed_) write(exposed);
  for (auto& [address, exposed] : exposures_) write(exposed);
  contents.set<SectionKind::Exposures>(rows);
}

void ShadowProgram::writeSlots(ImageContents& contents) {
  std::vector<NativeSlotRow> externs;
  for (auto& [symbol, slot] : externs_) {
    externs.push_back({inData(slot), contents.string(symbol), 0});
    *slot = {nullptr, nullptr, {}, slot->hasPlainCalls};
  }
  contents.set<SectionKind::NativeSlots>(externs);
  std::vector<NativeCallSlotRow> calls;
  for (const auto& [index, entry] : nativeCalls_) calls.push_back({inData(entry.second), index, 0});
  contents.set<SectionKind::NativeCallSlots>(calls);
  std::vector<AdapterRow> adapters;
  for (const auto& [key, code] : adapters_) adapters.push_back({key.first, key.second, inCode(code)});
  contents.set<SectionKind::Adapters>(adapters);
}

Result<void> ShadowProgram::writeUnits(ImageContents& contents) {
  std::vector<SymbolWord> support;
  std::vector<InliningRow> inlinings;
  for (const auto& unit : units_) {
    for (const jit::AbsoluteWord& word : unit->absoluteWords()) {
      if (slab_.isCode(word.place)) return makeError(ErrorId::ImageCode, {"code holds an absolute address"});
      auto* place = reinterpret_cast<std::uint64_t*>(word.place);
      if (word.symbol.empty()) {
        setWord(place, reinterpret_cast<const void*>(word.target));
        continue;
      }
      *place = 0;
      support.push_back({static_cast<std::uint32_t>(Section::Data), contents.string(word.symbol),
                         inData(place), 0, 0, contents.string("")});
    }
    for (const jit::Inlining& inlining : unit->inlinings())
      inlinings.push_back({inlining.callerVersion, inlining.function});
  }
  contents.set<SectionKind::SupportWords>(support);
  contents.set<SectionKind::Inlinings>(inlinings);
  return {};
}

void ShadowProgram::writeRows(ImageContents& contents) {
  std::vector<CodeBlockRow> blocks;
  std::vector<FunctionCodeRow> functions;
  std::vector<abi::CallSiteRow> sites;
  std::vector<abi::SavedRegister> saved;
  std::vector<abi::KeepaliveLocation> keepalives;
  std::vector<abi::WatchpointSite> watchpoints;
  auto append = [](auto& all, const auto& some) {
    auto first = static_cast<std::uint32_t>(all.size());
    all.insert(all.end(), some.begin(), some.end());
    return first;
  };
  for (const auto& unit : units_) {
    const abi::CodeBlock& block = unit->block();
    CodeBlockRow row{};
    row.begin = block.begin - slab_.codeBegin();
    row.end = block.end - slab_.codeBegin();
    row.firstFunction = static_cast<std::uint32_t>(functions.size());
    row.functionCount = static_cast<std::uint32_t>(block.functions.size());
    for (const abi::FunctionCode& f : block.functions)
      functions.push_back({f.beginOffset, f.endOffset, f.bodyOffset, f.cfaOffset, f.version,
                           static_cast<std::uint32_t>(f.kind), f.record ? inData(f.record) : kNoRecord,
                           f.firstRow, f.rowCount, f.firstSaved, f.savedCount});
    row.firstRow = append(sites, block.rows);
    row.rowCount = static_cast<std::uint32_t>(block.rows.size());
    row.firstSaved = append(saved, block.saved);
    row.savedCount = static_cast<std::uint32_t>(block.saved.size());
    row.firstKeepalive = append(keepalives, block.keepalives);
    row.keepaliveCount = static_cast<std::uint32_t>(block.keepalives.size());
    row.firstWatchpoint = append(watchpoints, block.watchpoints);
    row.watchpointCount = static_cast<std::uint32_t>(block.watchpoints.size());
    blocks.push_back(row);
  }
  contents.set<SectionKind::CodeBlocks>(blocks);
  contents.set<SectionKind::FunctionCodes>(functions);
  contents.set<SectionKind::CallSites>(sites);
  contents.set<SectionKind::SavedRegisters>(saved);
  contents.set<SectionKind::Keepalives>(keepalives);
  contents.set<SectionKind::WatchpointSites>(watchpoints);
}

Result<void> ShadowProgram::write(ImageContents& contents, std::span<const std::uint64_t> cellWords) {
  if (isFull_) return makeError(ErrorId::ImageCode, {"the code slab is full"});
  writeRecords(contents);
  writeExposures(contents);
  writeSlots(contents);
  GAUR_TRY(writeUnits(contents));
  writeRows(contents);
  for (std::uint64_t offset : cellWords)
    dataWords_.push_back(static_cast<std::uint32_t>(offset / sizeof(std::uint64_t)));
  std::sort(dataWords_.begin(), dataWords_.end());
  contents.set<SectionKind::DataWords>(dataWords_);
  const jit::SlabPlacement extent = slab_.extent();
  contents.refer(SectionKind::Data,
                 {reinterpret_cast<const std::byte*>(slab_.dataBegin()), extent.dataBytes});
  contents.refer(SectionKind::Code,
                 {reinterpret_cast<const std::byte*>(slab_.codeBegin()), extent.codeBytes});
  return {};
}

}  // namespace gaur::bootimage
