#include "jit/llvm/link_plugin.h"

#include <llvm/ExecutionEngine/JITLink/aarch64.h>
#include <llvm/ExecutionEngine/JITLink/x86_64.h>

#include <algorithm>
#include <cstring>

#include "jit/library_calls.h"
#include "jit/llvm/swap_sites.h"
#include "jit/llvm/watchpoint_sites.h"

namespace gaur::jit {

namespace {

namespace jitlink = llvm::jitlink;

constexpr llvm::StringLiteral kStackMaps = ".llvm_stackmaps";
constexpr llvm::StringLiteral kFrames = ".eh_frame";
constexpr llvm::StringLiteral kHandlers = ".gcc_except_table";
/// Indirect references to the personality, which is never called.
constexpr llvm::StringLiteral kPersonalityReferences = ".data.DW.ref.";
constexpr llvm::StringLiteral kPersonality = "gaur_personality";
constexpr llvm::StringLiteral kOffsetTable = "_GLOBAL_OFFSET_TABLE_";

TargetRegisters registersOf(const jitlink::LinkGraph& graph) {
  if (graph.getTargetTriple().isAArch64()) return {29, 31, 30};
  return {6, 7, 16};
}

bool isExecutable(const jitlink::Section& section) { return bridge::isExecutable(section.getMemProt()); }

/// Hides all symbols, so that units cannot clash or share, and adds the one that stands for the unit. Without
/// this weak symbols would be taken from other units, which may be unloaded. Code is live as a whole, and so
/// is the stack map.
llvm::Error claim(jitlink::LinkGraph& graph, const std::string& unitSymbol) {
  jitlink::Block* code = nullptr;
  for (auto* symbol : graph.defined_symbols()) {
    auto& section = symbol->getBlock().getSection();
    symbol->setScope(jitlink::Scope::Local);
    if (isExecutable(section) || section.getName() == kStackMaps) symbol->setLive(true);
    if (isExecutable(section) && !code) code = &symbol->getBlock();
  }
  if (!code) return llvm::createStringError("the object contains no code");
  bridge::addExported(graph, *code, unitSymbol);
  return llvm::Error::success();
}

void setLifetimes(jitlink::LinkGraph& graph) {
  for (auto& section : graph.sections()) {
    llvm::StringRef name = section.getName();
    if (name == kStackMaps)
      section.setMemLifetime(bridge::MemLifetime::NoAlloc);
    else if (name == kFrames || name.starts_with(kHandlers) || name.starts_with(kPersonalityReferences))
      section.setMemLifetime(bridge::MemLifetime::Finalize);
  }
}

llvm::Expected<std::uintptr_t> addressOf(llvm::StringRef name, const ExternalAddresses& externals) {
  if (auto known = externals.find(name); known != externals.end()) return known->second;
  if (auto address = libraryCall(name)) return *address;
  if (name == kPersonality) return 0;
  return llvm::createStringError("compiled code refers to the unknown symbol '" + name + "'");
}

/// Gives every symbol from outside its address. JITLink then makes stubs and table entries for those that are
/// out of reach.
llvm::Error resolve(jitlink::LinkGraph& graph, const ExternalAddresses& externals) {
  auto range = graph.external_symbols();
  for (auto* symbol : std::vector<jitlink::Symbol*>(range.begin(), range.end())) {
    if (bridge::nameOf(*symbol) == kOffsetTable) continue;
    auto address = addressOf(bridge::nameOf(*symbol), externals);
    if (!address) return address.takeError();
    graph.makeAbsolute(*symbol, llvm::orc::ExecutorAddr(*address));
    symbol->setScope(jitlink::Scope::Local);
  }
  return llvm::Error::success();
}

llvm::Error collectFrames(jitlink::LinkGraph& graph, const TargetRegisters& registers,
                          std::vector<FunctionFrames>& frames) {
  auto* section = graph.findSectionByName(kFrames);
  if (!section) return llvm::Error::success();
  for (auto* block : section->blocks()) {
    // The section is data of this process: entries are read where they are.
    const auto* entry = block->getAddress().toPtr<const std::uint8_t*>();
    std::uint32_t words[2];
    if (block->getSize() < sizeof(words)) continue;  // terminator
    std::memcpy(words, entry, sizeof(words));
    bool isDescription = words[0] != 0 && words[1] != 0;
    if (!isDescription) continue;
    auto function = readFrames(entry, entry + sizeof(words[0]) - words[1], registers);
    if (!function) return function.takeError();
    frames.push_back(std::move(*function));
  }
  return llvm::Error::success();
}

llvm::Error collectSites(jitlink::LinkGraph& graph, const TargetRegisters& registers,
                         std::vector<StackMapSite>& sites) {
  auto* section = graph.findSectionByName(kStackMaps);
  if (!section) return llvm::Error::success();
  for (auto* block : section->blocks())
    if (auto error = readStackMap(block->getContent(), registers.stackPointer, registers.framePointer, sites))
      return error;
  return llvm::Error::success();
}

/// An address in less than a word: such code cannot be moved.
bool isTruncatedAddress(const jitlink::LinkGraph& graph, jitlink::Edge::Kind kind) {
  if (graph.getTargetTriple().isAArch64())
    return kind == jitlink::aarch64::Pointer32 || kind == jitlink::aarch64::MoveWide16;
  namespace x86 = jitlink::x86_64;
  return kind == x86::Pointer32 || kind == x86::Pointer32Signed || kind == x86::Pointer16 ||
         kind == x86::Pointer8;
}

bool isKept(const jitlink::Section& section) {
  return section.getMemLifetime() != bridge::MemLifetime::NoAlloc &&
         section.getMemLifetime() != bridge::MemLifetime::Finalize;
}

/// Both targets number it as the first of their own kinds.
constexpr jitlink::Edge::Kind kAbsoluteWord = jitlink::x86_64::Pointer64;
static_assert(static_cast<int>(jitlink::x86_64::Pointer64) == static_cast<int>(jitlink::aarch64::Pointer64));

llvm::Error collectAbsoluteWords(jitlink::LinkGraph& graph, LinkJob& job) {
  auto movesAlong = [&job](std::uintptr_t address) {
    return address - job.movableWithin->dataBegin() < CodeSlab::kDataBytes + CodeSlab::kCodeBytes;
  };
  for (auto* block : graph.blocks()) {
    if (!isKept(block->getSection())) continue;
    for (const auto& edge : block->edges()) {
      if (!edge.isRelocation()) continue;
      const jitlink::Symbol& symbol = edge.getTarget();
      // Not the sum with the addend, which for a distance has to do with the end of the instruction.
      const bool isInside = movesAlong(symbol.getAddress().getValue());
      const std::uintptr_t place = block->getAddress().getValue() + edge.getOffset();
      if (isExecutable(block->getSection())) job.linkedPlaces.push_back(place);
      const std::string name = symbol.hasName() ? bridge::nameOf(symbol).str() : std::string();
      if (edge.getKind() == kAbsoluteWord) {
        if (name == kPersonality) continue;
        const std::uintptr_t target =
            symbol.getAddress().getValue() + static_cast<std::uint64_t>(edge.getAddend());
        job.absoluteWords.push_back({place, target, isInside ? std::string() : name});
        if (isInside || !name.empty()) continue;
      } else if (isInside && !isTruncatedAddress(graph, edge.getKind())) {
        continue;
      }
      return llvm::createStringError("code for an image refers to " + (name.empty() ? "an address" : name) +
                                     " directly");
    }
  }
  return llvm::Error::success();
}

void collectExtent(jitlink::LinkGraph& graph, LinkJob& job) {
  job.begin = ~std::uintptr_t{0};
  for (auto* block : graph.blocks()) {
    if (!isExecutable(block->getSection()) || block->getSize() == 0) continue;
    job.begin = std::min<std::uintptr_t>(job.begin, block->getRange().Start.getValue());
    job.end = std::max<std::uintptr_t>(job.end, block->getRange().End.getValue());
  }
}

void nameFunctions(jitlink::LinkGraph& graph, LinkJob& job) {
  for (auto* symbol : graph.defined_symbols()) {
    if (!symbol->hasName()) continue;
    auto known = job.symbols->find(bridge::nameOf(*symbol));
    if (known == job.symbols->end()) continue;
    std::uintptr_t address = symbol->getAddress().getValue();
    job.entries.emplace_back(known->second.version, address);
    for (auto& function : job.rows.functions) {
      if (job.begin + function.beginOffset != address) continue;
      function.kind = known->second.kind;
      function.version = known->second.version;
      function.record = known->second.record;
    }
  }
  std::sort(job.entries.begin(), job.entries.end());
}

llvm::Error collect(jitlink::LinkGraph& graph, LinkJob& job) {
  TargetRegisters registers = registersOf(graph);
  std::vector<FunctionFrames> frames;
  std::vector<StackMapSite> sites;
  if (auto error = collectFrames(graph, registers, frames)) return error;
  if (auto error = collectSites(graph, registers, sites)) return error;
  if (auto error = addSwapSites(graph, frames, sites)) return error;
  collectExtent(graph, job);
  auto rows = makeRows(job.begin, frames, sites, registers);
  if (!rows) return rows.takeError();
  job.rows = std::move(*rows);
  auto watchpoints = readWatchpoints(graph, job.begin, job.end);
  if (!watchpoints) return watchpoints.takeError();
  job.rows.watchpoints = std::move(*watchpoints);
  nameFunctions(graph, job);
  return job.movableWithin ? collectAbsoluteWords(graph, job) : llvm::Error::success();
}

/// A pass that keeps the text of its failure.
template <class F>
auto pass(LinkJob& job, F&& function) {
  return [&job, function](jitlink::LinkGraph& graph) -> llvm::Error {
    llvm::Error error = function(graph);
    if (!error) return error;
    job.error = llvm::toString(std::move(error));
    return llvm::createStringError(job.error);
  };
}

}  // namespace

void LinkPlugin::enter(const std::string& unitSymbol, LinkJob& job) {
  std::lock_guard lock(mutex_);
  jobs_.emplace(unitSymbol, &job);
}

void LinkPlugin::leave(const std::string& unitSymbol) {
  std::lock_guard lock(mutex_);
  jobs_.erase(unitSymbol);
}

void LinkPlugin::modifyPassConfig(llvm::orc::MaterializationResponsibility& responsibility,
                                  jitlink::LinkGraph&, jitlink::PassConfiguration& passes) {
  std::string unitSymbol((*responsibility.getSymbols().begin()->first).str());
  std::lock_guard lock(mutex_);
  LinkJob& job = *jobs_.find(unitSymbol)->second;
  // In front, before the layer looks for symbols that it could share.
  passes.PrePrunePasses.insert(passes.PrePrunePasses.begin(),
                               pass(job, [&job, unitSymbol](jitlink::LinkGraph& graph) -> llvm::Error {
                                 if (auto error = claim(graph, unitSymbol)) return error;
                                 setLifetimes(graph);
                                 keepWatchpoints(graph);
                                 keepSwapSites(graph);
                                 return resolve(graph, *job.externals);
                               }));
  passes.PostFixupPasses.push_back(
      pass(job, [&job](jitlink::LinkGraph& graph) { return collect(graph, job); }));
}

}  // namespace gaur::jit
