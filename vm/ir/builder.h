// Making a bundle. The text parser and the C API both build through this class, so one linker and one
// verifier serve both. Everything is referred to by ID and may be referred to before it is defined; nothing
// is checked before finish().
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vm/ir/name_map.h"
#include "vm/ir/program.h"
#include "vm/support/source.h"

namespace gaur::ir {

class Builder {
 public:
  /// Not thread-safe itself; several may be in use at once for one program.
  Builder(Program& program, std::string bundleName);
  ~Builder();

  Program& program() { return program_; }
  Arena& arena() { return bundle_->arena(); }
  Bundle& bundle() { return *bundle_; }
  /// Of the bundle, for messages; also when the builder is used up.
  const std::string& name() const { return name_; }

  // --- Symbols ---------------------------------------------------------------------------------------------
  /// A fresh ID without a name.
  Id fresh() { return program_.allocateIds(); }
  /// The ID of a full global name ("@" optional): that of the loaded entity, else the one this builder gave
  /// it, else a fresh one.
  Id symbol(std::string_view name);
  /// Name given to `id` by symbol(), or empty.
  std::string_view symbolName(Id id) const {
    const std::string_view* name = symbolNames_.get(id);
    return name ? *name : std::string_view{};
  }
  /// From now on symbols are full names of local entities too, which text has without those of their owners.
  void useFullNames() { hasFullNames_ = true; }
  /// The entity that this builder (not the program) has defined so far for `id`, or null.
  Entity* defined(Id id) const { return definitions_.get(id); }

  // --- Definitions: each returns the entity for the caller to fill. Defining an ID twice is reported by
  // finish(). ------------
  TypeDef* newType(Id id, TypeKind kind, SourcePos pos = 0);
  SignatureDef* newSignature(Id id, SourcePos pos = 0);
  Constant* newConstant(Id id, ConstantKind kind, Id type, SourcePos pos = 0);
  GlobalCell* newGlobal(Id id, Id type, SourcePos pos = 0);
  /// In text a function may be declared again, also one that is loaded, with an equal signature: then nothing
  /// is made.
  void declareFunction(Id id, SigUse signature, SourcePos pos = 0);
  /// Builder API: a second definition is an error.
  Function* newFunction(Id id, Id signature, SourcePos pos = 0);
  ExposedFunction* newExposed(Id id, Id function, CallConv convention, Id cookie, SourcePos pos = 0);
  FunctionVersion* newVersion(Id id, Id function, SourcePos pos = 0);
  BasicBlock* newBlock(Id id, SourcePos pos = 0);
  Instruction* newInstruction(Id id, Opcode opcode, SourcePos pos = 0);
  /// Clauses with an ID are for the builder API; with kNoId they belong to the instruction that the caller
  /// puts them in.
  Dest* newDest(Id id, SourcePos pos = 0);
  ExcClause* newExcClause(Id id);
  KeepaliveClause* newKeepaliveClause(Id id);
  CurStackClause* newCurStackClause(Id id);
  NewStackClause* newNewStackClause(Id id);

  /// Enters an entity that lies in an array of its block or instruction (parameters; newResults does it for
  /// results), with the name that symbol() gave its ID, if any. Requires: entityKind and id are set.
  void define(Entity* entity);
  void setName(Entity& entity, std::string_view name, bool isLocal);

  // --- Arrays in the bundle's arena ------------------------------------------------------------------------
  template <class T>
  std::span<Use<T>> uses(std::span<const Id> ids) {
    auto array = arena().makeArray<Use<T>>(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) array[i].id = ids[i];
    return array;
  }
  template <class T>
  std::span<Use<T>> uses(std::span<const Use<T>> list) {
    return arena().copy(list);
  }
  /// Results of an instruction with these IDs, in order; types follow in linking. An ID of kNoId gets a fresh
  /// one.
  std::span<Result> newResults(Instruction* instruction, std::span<const Id> ids,
                               std::span<const SourcePos> positions = {});

  // --- End -------------------------------------------------------------------------------------------------
  /// Links and verifies. Returns the bundle, ready for Program::publish, or null with the errors in
  /// `diagnostics`; then nothing of the program has changed. The builder is used up either way. Requires:
  /// program().loadMutex() held.
  std::unique_ptr<Bundle> finish(Diagnostics& diagnostics);

 private:
  friend class Linker;
  friend class Program;

  struct Declaration {
    Id function;
    SigUse signature;
    SourcePos pos;
  };
  struct Duplicate {
    Entity* first;
    Entity* second;
  };

  template <class T>
  T* make(Id id, SourcePos pos);
  Id loadedSymbol(std::string_view name);

  Program& program_;
  const std::string name_;
  std::unique_ptr<Bundle> bundle_;
  std::unique_ptr<BuilderTables> tables_;
  IdTable<Entity>& definitions_ = tables_->definitions;
  NameMap<Id> symbols_;
  IdTable<const std::string_view>& symbolNames_ = tables_->symbolNames;
  /// What stands before the last dot of names under which nothing is loaded.
  std::string unknownOwner_;
  bool hasFullNames_ = false;
  std::vector<Declaration> declarations_;
  std::vector<Duplicate> duplicates_;
  // Everything made, in order, for linking.
  std::vector<BasicBlock*> blocks_;
  std::vector<Instruction*> instructions_;
};

}  // namespace gaur::ir
