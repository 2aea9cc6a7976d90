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

/// The block that holds the byte.
std::uint64_t ObjectPaths::blockAt(std::uint64_t offset) const {
  std::uint64_t block =
      std::uint64_t{snapshot_.firstBlocks_[offset / gc::ImmortalRange::kPageBytes]} * kGranule;
  for (;;) {
    ObjectHeader header(*reinterpret_cast<const std::uint64_t*>(snapshot_.heap_ + block));
    std::uint64_t next = block + gc::immortalBlockBytes(header);
    if (next > offset) return block;
    block = next;
  }
}

void ObjectPaths::reach(std::uint64_t block, Origin origin) {
  Origin& known = origins_[block / kGranule];
  if (known != kUnseen) return;
  known = origin;
  queue_.push_back(block);
}

void ObjectPaths::visit(const std::byte* memory, WordKind kind, std::uint64_t place) {
  bool isStrong = kind != WordKind::Weakref && kind != WordKind::Funcref && kind != WordKind::Opaque;
  std::uint64_t word = *reinterpret_cast<const std::uint64_t*>(memory);
  if (!isStrong || (kind == WordKind::Tagref && !abi::tagrefHoldsRef(word))) return;
  std::uint64_t offset = (kind == WordKind::Tagref ? abi::tagrefAddress(word) : word) - kPreferredHeap;
  if (offset >= snapshot_.usedBytes()) return;
  std::uint64_t block = blockAt(offset);
  // Where a block starts, no object has a field: it is the end of the object before.
  reach(block == offset && block != 0 ? blockAt(offset - 1) : block, place);
}

void ObjectPaths::search(std::span<const std::uint64_t> places) {
  std::unordered_set<std::uint64_t> wanted;
  for (std::uint64_t place : places)
    if (place < HeapSnapshot::kFirstCellWord) wanted.insert(blockAt(place));
  origins_.assign(wanted.empty() ? 0 : snapshot_.usedGranules_, kUnseen);
  if (wanted.empty()) return;
  for (const HeapSnapshot::Cell& cell : snapshot_.cells_)
    forEachWord(maps_.of(cell.type).fixed, snapshot_.cellBytes_.data() + cell.begin,
                [&](const std::uint64_t* word, WordKind kind) {
                  const auto* memory = reinterpret_cast<const std::byte*>(word);
                  visit(memory, kind,
                        HeapSnapshot::kFirstCellWord +
                            static_cast<std::uint64_t>(memory - snapshot_.cellBytes_.data()));
                });
  for (std::size_t i = 0; i < snapshot_.roots_.size(); ++i)
    reach(blockAt(snapshot_.roots_[i].object), kRoot + i);
  for (std::size_t next = 0; next < queue_.size() && !wanted.empty(); ++next) {
    std::uint64_t block = queue_[next];
    wanted.erase(block);
    const std::byte* base = snapshot_.heap_ + block;
    ObjectHeader header(*reinterpret_cast<const std::uint64_t*>(base));
    const ir::Type* type = abi::LayoutTable::shared().byIndex(header.typeIndex()).type;
    if (!type) continue;
    base += header.prefix();
    auto follow = [&](const std::uint64_t* word, WordKind kind) {
      const auto* memory = reinterpret_cast<const std::byte*>(word);
      visit(memory, kind, static_cast<std::uint64_t>(memory - snapshot_.heap_));
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
  while (place < HeapSnapshot::kFirstCellWord) {
    std::uint64_t block = blockAt(place);
    ObjectHeader header(*reinterpret_cast<const std::uint64_t*>(snapshot_.heap_ + block));
    const ir::Type* type = abi::LayoutTable::shared().byIndex(header.typeIndex()).type;
    steps.push_back(type ? fieldPath(type, place - block - header.prefix()) : "");
    Origin origin = origins_[block / kGranule];
    if (origin == kUnseen) return "something";
    if ((origin & kRoot) != 0) {
      steps.back() = snapshot_.roots_[origin - kRoot].name + steps.back();
      break;
    }
    place = origin;
  }
  if (place >= HeapSnapshot::kFirstCellWord) {
    std::uint64_t offset = place - HeapSnapshot::kFirstCellWord;
    auto next = std::upper_bound(snapshot_.cells_.begin(), snapshot_.cells_.end(), offset,
                                 [](std::uint64_t a, const HeapSnapshot::Cell& b) { return a < b.begin; });
    const HeapSnapshot::Cell& cell = *--next;
    steps.push_back(ir::describe(*cell.cell) + fieldPath(cell.type, offset - cell.begin));
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
