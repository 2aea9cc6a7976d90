// A builder as clients see it: the MuIRBuilder structure, and behind it the session that the calls go to,
// until load or abort. The structure itself lasts as long as the machine, so that a call afterwards finds
// out.
#pragma once

#include <atomic>
#include <memory>

#include "api/machine.h"
#include "vm/ir/builder_session.h"

namespace gaur::api {

class IrBuilder {
 public:
  explicit IrBuilder(Machine& machine);

  static IrBuilder& of(MuIRBuilder* b) { return *static_cast<IrBuilder*>(b->header); }
  MuIRBuilder* table() { return &table_; }
  Machine& machine() { return machine_; }
  void open();

  /// Keeps other threads out for the time of a call.
  class Entered {
   public:
    explicit Entered(IrBuilder& builder)
        : builder_(builder), isAlone_(!builder.isBusy_.exchange(true, std::memory_order_acquire)) {}
    ~Entered() {
      if (isAlone_) builder_.isBusy_.store(false, std::memory_order_release);
    }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

    /// The session; an error where it has ended or another thread is in a call.
    Result<ir::BuilderSession*> session() const;

   private:
    IrBuilder& builder_;
    const bool isAlone_;
  };

  // --- Slots; the others are those of the session ----------------------------------------------------
  Result<void> load();
  Result<void> abort();

 private:
  /// Takes the session away and gives the structure back.
  Result<std::unique_ptr<ir::BuilderSession>> takeSession();

  MuIRBuilder table_;
  Machine& machine_;
  /// Null once it has ended.
  std::unique_ptr<ir::BuilderSession> session_;
  std::atomic<bool> isBusy_{false};
};

/// The structure with all slots of a builder, but its header.
extern const MuIRBuilder kBuilderTable;

}  // namespace gaur::api
