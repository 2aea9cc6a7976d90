// Which entities an image needs: what is asked for, and everything that their definitions refer to.
#pragma once

#include <span>
#include <vector>

#include "vm/ir/program.h"

namespace gaur::ir {

/// The closure of some entities under "its definition refers to". A function brings its current version, with
/// everything in its body; a local entity brings the version that it is in. Predefined entities are part of
/// every program and not listed.
///
/// The caller alternates: add() what else it has found (the functions that a heap object refers to), drain(),
/// look at what is new in the lists by index. Requires: the program's loadMutex held from the first add to
/// the last use.
class Reachable {
 public:
  explicit Reachable(const Program& program) : program_(program) {}

  const Program& program() const { return program_; }

  /// A loaded entity of the program, of any kind. Its definition is not looked at before drain().
  void add(const Entity& entity);
  /// Adds what the definitions of everything added so far refer to, until nothing is new. An error where the
  /// program itself came from an image whose function bodies turn out to be damaged.
  gaur::Result<void> drain();
  /// Everything added has been looked at.
  bool isDrained() const { return waiting_.empty(); }

  bool contains(const Entity& entity) const { return found_.get(entity.id) != nullptr; }

  // In the order in which they were found; a list only grows at its end. The order depends on the program and
  // on what was added alone.
  std::span<const TypeDef* const> types() const { return types_; }
  std::span<const SignatureDef* const> signatures() const { return signatures_; }
  std::span<const Constant* const> constants() const { return constants_; }
  std::span<const GlobalCell* const> globals() const { return globals_; }
  std::span<const Function* const> functions() const { return functions_; }
  std::span<const ExposedFunction* const> exposed() const { return exposed_; }
  /// The current ones of functions(), and those that were added themselves.
  std::span<const FunctionVersion* const> versions() const { return versions_; }
  /// Predefined types and signatures that something refers to.
  std::span<const Entity* const> predefined() const { return predefined_; }

 private:
  void list(const Entity& entity);
  void visit(const Entity& entity);

  const Program& program_;
  IdTable<const Entity> found_;
  std::vector<const Entity*> waiting_;
  std::vector<const TypeDef*> types_;
  std::vector<const SignatureDef*> signatures_;
  std::vector<const Constant*> constants_;
  std::vector<const GlobalCell*> globals_;
  std::vector<const Function*> functions_;
  std::vector<const ExposedFunction*> exposed_;
  std::vector<const FunctionVersion*> versions_;
  std::vector<const Entity*> predefined_;
};

}  // namespace gaur::ir
