// One report of all symbols that an image wants and nobody has: who wants them, where they were looked for, and what has a name like theirs.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bootimage/image_file.h"
#include "vm/ir/snapshot_reader.h"
#include "vm/runtime/native_symbols.h"

namespace gaur::bootimage {

class MissingSymbols {
 public:
  MissingSymbols(const ImageFile& image, const ir::SnapshotIndex& index) : image_(image), index_(index) {}

  /// An EXTERN constant in compiled code.
  void addCode(std::string_view symbol) { wanted_[std::string(symbol)].push_back("compiled code (EXTERN)"); }
  void addField(std::string_view symbol, const SymbolWord& field);

  bool isEmpty() const { return wanted_.empty(); }
  Error report(runtime::NativeSymbols& symbols) const;

 private:
  std::string describe(const SymbolWord& field) const;

  const ImageFile& image_;
  const ir::SnapshotIndex& index_;
  /// By symbol: who wants it.
  std::map<std::string, std::vector<std::string>> wanted_;
};

}  // namespace gaur::bootimage
