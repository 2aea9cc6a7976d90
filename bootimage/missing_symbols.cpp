#include "bootimage/missing_symbols.h"

#include "vm/abi/layout.h"
#include "vm/abi/object.h"
#include "vm/support/near_name.h"

namespace gaur::bootimage {

namespace {

/// More places of one symbol say nothing new.
constexpr std::size_t kPlacesShown = 3;

}  // namespace

void MissingSymbols::addField(std::string_view symbol, const SymbolWord& field) {
  wanted_[std::string(symbol)].push_back(describe(field));
}

std::string MissingSymbols::describe(const SymbolWord& field) const {
  if (field.section == static_cast<std::uint32_t>(Section::Heap)) return "a field of an object, at " + std::to_string(field.offset) + " in the heap";
  for (const CellRow& row : image_.get<SectionKind::Cells>())
    for (const ir::GlobalCell* cell : index_.bundle->globals) {
      if (cell->id != row.id || field.offset < row.memory) continue;
      const std::uint64_t inside = field.offset - row.memory;
      if (inside < abi::LayoutTable::shared().of(cell->cellType->type).size) return ir::describe(*cell) + " at byte " + std::to_string(inside);
    }
  return "a field of a global cell";
}

Error MissingSymbols::report(runtime::NativeSymbols& symbols) const {
  std::string text;
  for (const auto& [symbol, places] : wanted_) {
    text += "\n  " + symbol + ", wanted by ";
    for (std::size_t i = 0; i < places.size() && i < kPlacesShown; ++i) text += (i ? ", " : "") + places[i];
    if (places.size() > kPlacesShown) text += " and " + std::to_string(places.size() - kPlacesShown) + " more";
    NearName near(symbol);
    symbols.offerNames(near);
    if (!near.best().empty()) text += " (did you mean '" + std::string(near.best()) + "'?)";
  }
  std::string searched = "the process, libc, libm, libutil, librt, libdl";
  for (const std::string& library : symbols.libraries()) searched += ", " + library;
  return makeError(ErrorId::ImageSymbols, {image_.name(), std::to_string(wanted_.size()), text, searched});
}

}  // namespace gaur::bootimage
