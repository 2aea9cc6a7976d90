// One bundle: what one load brings. Owns the memory of its entities.
#pragma once

#include <string>
#include <vector>

#include "vm/ir/instruction.h"
#include "vm/support/arena.h"

namespace gaur::ir {

class Bundle {
 public:
  explicit Bundle(std::string name) : name_(std::move(name)) {}
  Bundle(const Bundle&) = delete;
  Bundle& operator=(const Bundle&) = delete;

  /// Of the file, for messages.
  const std::string& name() const { return name_; }
  Arena& arena() { return arena_; }
  const Arena& arena() const { return arena_; }
  /// It brought nothing but versions of functions of other bundles.
  bool isOnlyVersions() const {
    return types.empty() && signatures.empty() && constants.empty() && globals.empty() && functions.empty() &&
           exposed.empty();
  }
  /// A client may unload it.
  bool isCollectible = false;

  // Top-level entities in order of definition. Functions: only those that this bundle introduces.
  std::vector<TypeDef*> types;
  std::vector<SignatureDef*> signatures;
  std::vector<Constant*> constants;
  std::vector<GlobalCell*> globals;
  std::vector<Function*> functions;
  std::vector<FunctionVersion*> versions;
  std::vector<ExposedFunction*> exposed;

 private:
  std::string name_;
  Arena arena_;
};

}  // namespace gaur::ir
