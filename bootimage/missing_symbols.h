// One report of all symbols that an image wants and nobody has: who wants them, where they were looked for,
// and what has a name like theirs.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bootimage/image_file.h"
#include "bootimage/image_memory.h"
#include "bootimage/object_paths.h"
#include "vm/ir/snapshot_reader.h"
#include "vm/runtime/entity_data.h"
#include "vm/runtime/native_symbols.h"

namespace gaur::bootimage {

class MissingSymbols {
 public:
  /// Cells and objects of the image, where they lie now.
  struct Objects {
    const runtime::EntityData& entities;
    const HeapMemory& heap;
  };
  MissingSymbols(const ImageFile& image, const ir::SnapshotIndex& index, Objects objects)
      : image_(image), index_(index), objects_(objects) {}

  /// An EXTERN constant in compiled code.
  void addCode(std::string_view symbol) { wanted_[std::string(symbol)].isCode = true; }
  void addField(std::string_view symbol, const SymbolWord& field) {
    wanted_[std::string(symbol)].fields.push_back(&field);
  }

  bool isEmpty() const { return wanted_.empty(); }
  Error report(runtime::NativeSymbols& symbols) const;

 private:
  struct Wanted {
    bool isCode = false;
    std::vector<const SymbolWord*> fields;
  };
  ObjectGraph graph() const;
  /// Where a field lies in the graph.
  std::uint64_t placeOf(const ObjectGraph& graph, const SymbolWord& field) const;

  const ImageFile& image_;
  const ir::SnapshotIndex& index_;
  const Objects objects_;
  /// By symbol.
  std::map<std::string, Wanted> wanted_;
};

}  // namespace gaur::bootimage
