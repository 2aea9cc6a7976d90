// A builder as clients see it: the MuIRBuilder structure and the runtime's builder behind it. The structure
// lasts as long as the machine, so that a call after the builder's end finds out.
#pragma once

#include "api/machine.h"
#include "vm/runtime/ir_builder.h"

namespace gaur::api {

class IrBuilder {
 public:
  explicit IrBuilder(Machine& machine);

  static IrBuilder& of(MuIRBuilder* b) { return *static_cast<IrBuilder*>(b->header); }
  MuIRBuilder* table() { return &table_; }
  Machine& machine() { return machine_; }
  runtime::IrBuilder& builder() { return builder_; }
  void open() { builder_.open(); }

  // --- Slots; the others are those of the session ----------------------------------------------------
  Result<void> load() { return end(builder_.load()); }
  Result<void> abort() { return end(builder_.abort()); }

 private:
  /// After load and abort: gives the structure back, unless it was not they that ended the builder.
  Result<void> end(Result<void> outcome);

  MuIRBuilder table_;
  Machine& machine_;
  runtime::IrBuilder builder_;
};

/// The structure with all slots of a builder, but its header.
extern const MuIRBuilder kBuilderTable;

}  // namespace gaur::api
