#include "bootimage/missing_symbols.h"

#include <algorithm>

#include "vm/abi/layout.h"
#include "vm/support/near_name.h"

namespace gaur::bootimage {

namespace {

/// More places of one symbol say nothing new.
constexpr std::size_t kPlacesShown = 3;

}  // namespace

ObjectGraph MissingSymbols::graph() const {
  const HeapMemory& heap = objects_.heap;
  ObjectGraph graph{{heap.begin(), heap.bytes()},
                    reinterpret_cast<std::uintptr_t>(heap.begin()),
                    image_.get<SectionKind::HeapPages>(),
                    {},
                    {}};
  std::uint64_t begin = 0;
  for (const ir::GlobalCell* cell : index_.bundle->globals) {
    graph.cells.push_back({cell, static_cast<const std::byte*>(objects_.entities.addressOf(*cell)), begin});
    begin += abi::LayoutTable::shared().of(cell->cellType->type).size + 1;
  }
  for (const StartRow& start : image_.get<SectionKind::Start>()) {
    if (start.threadLocal < heap.bytes()) graph.roots.push_back({start.threadLocal, "the thread-local"});
    if (start.stack < heap.bytes()) graph.roots.push_back({start.stack, "the primordial stack"});
  }
  return graph;
}

std::uint64_t MissingSymbols::placeOf(const ObjectGraph& graph, const SymbolWord& field) const {
  if (field.section == static_cast<std::uint32_t>(Section::Heap)) return field.offset;
  for (const CellRow& row : image_.get<SectionKind::Cells>())
    for (const ObjectGraph::Cell& cell : graph.cells) {
      const bool isBefore = cell.cell->id == row.id && field.offset >= row.memory;
      if (isBefore &&
          field.offset - row.memory < abi::LayoutTable::shared().of(cell.cell->cellType->type).size)
        return ObjectGraph::kFirstCellWord + cell.begin + field.offset - row.memory;
    }
  // Of no cell: the name of something is not found there.
  return graph.heap.size();
}

Error MissingSymbols::report(runtime::NativeSymbols& symbols) const {
  ObjectGraph objects = graph();
  std::vector<std::uint64_t> places;
  for (const auto& [symbol, wanted] : wanted_)
    for (std::size_t i = 0; i < std::min(wanted.fields.size(), kPlacesShown); ++i)
      places.push_back(placeOf(objects, *wanted.fields[i]));
  const std::vector<std::string> paths = ObjectPaths(std::move(objects)).find(places);
  std::string text;
  std::size_t path = 0;
  for (const auto& [symbol, wanted] : wanted_) {
    text += "\n  " + symbol + ", wanted by " + (wanted.isCode ? "compiled code (EXTERN)" : "");
    for (std::size_t i = 0; i < std::min(wanted.fields.size(), kPlacesShown); ++i)
      text += (i != 0 || wanted.isCode ? ", " : "") + paths[path++];
    if (wanted.fields.size() > kPlacesShown)
      text += " and " + std::to_string(wanted.fields.size() - kPlacesShown) + " more";
    NearName near(symbol);
    symbols.offerNames(near);
    if (!near.best().empty()) text += " (did you mean '" + std::string(near.best()) + "'?)";
  }
  std::string searched = "the process, libc, libm, libutil, librt, libdl";
  for (const std::string& library : symbols.libraries()) searched += ", " + library;
  return makeError(ErrorId::ImageSymbols, {image_.name(), std::to_string(wanted_.size()), text, searched});
}

}  // namespace gaur::bootimage
