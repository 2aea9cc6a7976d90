#include "tools/gaur/relocation.h"

#include <algorithm>

#include "vm/abi/layout.h"

namespace gaur::tool {

namespace {

/// One step from a location of a type to that of a field or an element; null where there is none.
const ir::Type* stepInto(const ir::Type* type, std::uint64_t index, std::uint64_t& offset) {
  const abi::Layout& layout = abi::LayoutTable::shared().of(type);
  if (type->is(ir::TypeKind::Struct)) {
    if (index >= type->elements.size()) return nullptr;
    offset += layout.offsets[index];
    return type->elements[index];
  }
  if (!type->is(ir::TypeKind::Array) || index >= type->length) return nullptr;
  offset += index * layout.stride;
  return type->element();
}

}  // namespace

runtime::PointerRelocation readRelocation(Machine& machine, const std::string& text) {
  auto refuse = [&text](const char* why) -> Exit { return {kUsage, "--reloc '" + text + "': " + why}; };
  const std::size_t equals = text.rfind('=');
  const std::size_t way = std::min(text.find('['), equals);
  if (equals == std::string::npos || equals + 1 == text.size())
    throw refuse("CELL[INDEX]...=SYMBOL is wanted");
  auto* cell =
      machine.vm().program().entityOf<ir::GlobalCell>(machine.vm().program().idOf(text.substr(0, way)));
  if (!cell) throw refuse("there is no such global cell");
  const ir::Type* type = cell->cellType->type;
  std::uint64_t offset = 0;
  for (std::size_t at = way; at < equals && type;) {
    const std::size_t end = text.find(']', at);
    if (text[at] != '[' || end == std::string::npos || end == at + 1 || end > equals)
      throw refuse("an index is [NUMBER]");
    const std::string digits = text.substr(at + 1, end - at - 1);
    if (digits.size() > 18 || digits.find_first_not_of("0123456789") != std::string::npos)
      throw refuse("an index is [NUMBER]");
    type = stepInto(type, std::stoull(digits), offset);
    at = end + 1;
  }
  if (!type || !ir::isRawPointer(type)) throw refuse("there is no field of type uptr or ufuncptr");
  auto* memory = static_cast<char*>(machine.vm().entities().addressOf(*cell));
  runtime::PointerRelocation relocation =
      runtime::relocationTo(reinterpret_cast<std::uintptr_t>(memory + offset), text.substr(equals + 1));
  if (relocation.symbol.empty()) throw refuse("CELL[INDEX]...=SYMBOL is wanted");
  return relocation;
}

const std::map<std::string, bootimage::UnknownPointers>& unknownPointerWords() {
  using bootimage::UnknownPointers;
  static const std::map<std::string, UnknownPointers> words{{"keep", UnknownPointers::Keep},
                                                            {"warn", UnknownPointers::Warn},
                                                            {"error", UnknownPointers::Error},
                                                            {"null", UnknownPointers::Null}};
  return words;
}

}  // namespace gaur::tool
