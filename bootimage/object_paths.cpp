#include "bootimage/object_paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "gc/heap.h"
#include "gc/immortal_ranges.h"
#include "vm/abi/layout.h"
#include "vm/ir/program.h"

namespace gaur::bootimage {

using abi::kGranule;
using abi::ObjectHeader;

namespace {

/// Of a longer way the middle is left out.
constexpr std::size_t kFirstSteps = 6;
constexpr std::size_t kLastSteps = 6;

}  // namespace

std::uint64_t ObjectPaths::blockAfter(std::uint64_t block) const {
  if (graph_.heap.size() - block < kGranule) return kNoBlock;
  const ObjectHeader header(*reinterpret_cast<const std::uint64_t*>(graph_.heap.data() + block));
  const abi::LayoutTable& layouts = abi::LayoutTable::shared();
  std::uint64_t payload = 0;
  const bool isSane = header.isLive() && layouts.knows(header.typeIndex()) &&
                      layouts.byIndex(header.typeIndex()).payload(header.length(), payload);
  const std::uint64_t bytes = isSane ? abi::blockBytes(payload, header.isWide()) : 0;
  return isSane && bytes <= graph_.heap.size() - block ? block + bytes : kNoBlock;
}

/// The block that holds the byte.
std::uint64_t ObjectPaths::blockAt(std::uint64_t offset) const {
  const std::size_t page = offset / gc::ImmortalRange::kPageBytes;
  if (offset >= graph_.heap.size() || page >= graph_.firstBlocks.size()) return kNoBlock;
  std::uint64_t block = std::uint64_t{graph_.firstBlocks[page]} * kGranule;
  while (block <= offset) {
    const std::uint64_t next = blockAfter(block);
    if (next == kNoBlock || next > offset) return next == kNoBlock ? kNoBlock : block;
    block = next;
  }
  return kNoBlock;
}

void ObjectPaths::reach(std::uint64_t block, Origin origin) {
  if (block == kNoBlock) return;
  Origin& known = origins_[block / kGranule];
  if (known != kUnseen) return;
  known = origin;
  queue_.push_back(block);
}

void ObjectPaths::visit(const std::byte* memory, WordKind kind, std::uint64_t place) {
  bool isStrong = kind != WordKind::Weakref && kind != WordKind::Funcref && kind != WordKind::Opaque;
  std::uint64_t word = *reinterpret_cast<const std::uint64_t*>(memory);
  if (!isStrong || (kind == WordKind::Tagref && !abi::tagrefHoldsRef(word))) return;
  std::uint64_t offset = (kind == WordKind::Tagref ? abi::tagrefAddress(word) : word) - graph_.base;
  if (offset >= graph_.heap.size()) return;
  std::uint64_t block = blockAt(offset);
  // Where a block starts, no object has a field: it is the end of the object before.
  reach(block == offset && block != 0 ? blockAt(offset - 1) : block, place);
}

void ObjectPaths::search(std::span<const std::uint64_t> places) {
  std::unordered_set<std::uint64_t> wanted;
  for (std::uint64_t place : places)
    if (place < ObjectGraph::kFirstCellWord) wanted.insert(blockAt(place));
  origins_.assign(wanted.empty() ? 0 : graph_.heap.size() / kGranule, kUnseen);
  if (wanted.empty()) return;
  for (const ObjectGraph::Cell& cell : graph_.cells)
    forEachWord(
        maps_.of(cell.cell->cellType->type).fixed, cell.memory,
        [&](const std::uint64_t* word, WordKind kind) {
          const auto* memory = reinterpret_cast<const std::byte*>(word);
          visit(memory, kind,
                ObjectGraph::kFirstCellWord + cell.begin + static_cast<std::uint64_t>(memory - cell.memory));
        });
  for (std::size_t i = 0; i < graph_.roots.size(); ++i) reach(blockAt(graph_.roots[i].object), kRoot + i);
  for (std::size_t next = 0; next < queue_.size() && !wanted.empty(); ++next) {
    std::uint64_t block = queue_[next];
    wanted.erase(block);
    const std::byte* base = graph_.heap.data() + block;
    ObjectHeader header(*reinterpret_cast<const std::uint64_t*>(base));
    const ir::Type* type = abi::LayoutTable::shared().byIndex(header.typeIndex()).type;
    if (!type) continue;
    base += header.prefix();
    auto follow = [&](const std::uint64_t* word, WordKind kind) {
      const auto* memory = reinterpret_cast<const std::byte*>(word);
      visit(memory, kind, static_cast<std::uint64_t>(memory - graph_.heap.data()));
    };
    const WordMaps::ObjectMap& map = maps_.of(type);
    forEachWord(map.fixed, base, follow);
    if (!map.variable || map.variable->isEmpty()) continue;
    for (std::uint64_t i = 0; i < header.length(); ++i)
      forEachWord(*map.variable, base + map.fixedBytes + i * map.stride, follow);
  }
}

std::string ObjectPaths::pathTo(std::uint64_t place) const {
  std::vector<std::string> steps;  // the last one first
  while (place < ObjectGraph::kFirstCellWord) {
    std::uint64_t block = blockAt(place);
    if (block == kNoBlock) return "something";
    ObjectHeader header(*reinterpret_cast<const std::uint64_t*>(graph_.heap.data() + block));
    const ir::Type* type = abi::LayoutTable::shared().byIndex(header.typeIndex()).type;
    steps.push_back(type ? fieldPath(type, place - block - header.prefix()) : "");
    Origin origin = origins_[block / kGranule];
    if (origin == kUnseen) return "something";
    if ((origin & kRoot) != 0) {
      steps.back() = graph_.roots[origin - kRoot].name + steps.back();
      break;
    }
    place = origin;
  }
  if (place >= ObjectGraph::kFirstCellWord) {
    std::uint64_t offset = place - ObjectGraph::kFirstCellWord;
    auto next = std::upper_bound(graph_.cells.begin(), graph_.cells.end(), offset,
                                 [](std::uint64_t a, const ObjectGraph::Cell& c) { return a < c.begin; });
    const ObjectGraph::Cell& cell = *--next;
    steps.push_back(ir::describe(*cell.cell) + fieldPath(cell.cell->cellType->type, offset - cell.begin));
  }
  std::string path;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i != 0) path += " -> ";
    if (i == kFirstSteps && steps.size() > kFirstSteps + kLastSteps + 1) {
      std::size_t skipped = steps.size() - kFirstSteps - kLastSteps;
      path += fmt::format("... ({} more) -> ", skipped);
      i += skipped;
    }
    path += steps[steps.size() - 1 - i];
  }
  return path;
}

std::vector<std::string> ObjectPaths::find(std::span<const std::uint64_t> places) {
  search(places);
  std::vector<std::string> paths;
  for (std::uint64_t place : places) paths.push_back(pathTo(place));
  return paths;
}

}  // namespace gaur::bootimage
