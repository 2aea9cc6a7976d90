// What the compiler asks of the runtime, without a runtime.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "jit/code_slab.h"
#include "jit/compiler.h"
#include "vm/abi/layout.h"
#include "vm/abi/link_table.h"
#include "vm/ir/parser.h"
#include "vm/ir/verifier.h"

namespace gaur::jit {

/// Records, cells and slots as the runtime would make them, in the slab; nothing is ever compiled lazily.
class TestEnvironment : public Environment {
 public:
  explicit TestEnvironment(CodeSlab& slab) : slab_(slab), links_(make<abi::LinkTable>()) {}

  ir::Program& program() override { return program_; }
  abi::LayoutTable& layouts() override { return abi::LayoutTable::shared(); }
  abi::FunctionRecord* recordOf(const ir::Function& function) override {
    auto*& record = records_[function.id];
    if (!record) {
      record = make<abi::FunctionRecord>();
      record->id = function.id;
    }
    return record;
  }
  void* addressOf(const ir::GlobalCell& cell) override {
    void*& place = cells_[cell.id];
    if (!place) place = slab_.allocateData(layouts().of(cell.cellType->type).size, 16);
    return place;
  }
  Result<abi::NativeSlot*> externSlot(std::string_view symbol) override {
    return makeError(ErrorId::SymbolUnknown, {symbol});
  }
  void** exposedSlot(const ir::ExposedFunction&) override { return make<void*>(); }
  abi::LinkTable* linkTable() override { return links_; }
  Result<void**> nativeCallSlot(const ir::Signature*) override { return make<void*>(); }

  /// Loads a bundle; false, with the errors, where it is wrong.
  bool load(const std::string& text, Diagnostics& diagnostics) {
    SourceText source{"test.uir", text};
    ir::Builder builder(program_, "test.uir");
    ir::parse(source, builder, diagnostics);
    std::lock_guard lock(program_.loadMutex());
    std::unique_ptr<ir::Bundle> bundle;
    if (!diagnostics.failed()) bundle = builder.finish(diagnostics);
    if (bundle) ir::verify(*bundle, program_, diagnostics);
    if (diagnostics.failed()) return false;
    program_.publish(std::move(bundle));
    return true;
  }
  ir::Function& function(std::string_view name) {
    return *program_.entityOf<ir::Function>(program_.idOf(name));
  }

 private:
  template <class T>
  T* make() {
    return static_cast<T*>(slab_.allocateData(sizeof(T), 16));
  }

  CodeSlab& slab_;
  ir::Program program_;
  abi::LinkTable* links_;
  std::map<Id, abi::FunctionRecord*> records_;
  std::map<Id, void*> cells_;
};

}  // namespace gaur::jit
