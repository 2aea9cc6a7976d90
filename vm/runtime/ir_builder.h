// The life of a client's builder, and what the metacircular one is. A session ends with load or abort;
// whoever holds it afterwards finds out.
#pragma once

#include <atomic>
#include <memory>

#include "vm/ir/builder_session.h"

namespace gaur::runtime {

class MicroVm;

class IrBuilder {
 public:
  explicit IrBuilder(MicroVm& vm) : vm_(vm) {}

  /// Begins a new session. Requires: there is none.
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
    friend class IrBuilder;
    IrBuilder& builder_;
    const bool isAlone_;
  };

  /// What it loads can be unloaded. An error where the session has ended.
  Result<void> makeCollectible();
  /// Ends the session and loads what it has. The error lists all that is wrong.
  Result<void> load();
  /// Ends the session.
  Result<void> abort();

 private:
  Result<std::unique_ptr<ir::BuilderSession>> takeSession();

  MicroVm& vm_;
  /// Null once it has ended.
  std::unique_ptr<ir::BuilderSession> session_;
  std::atomic<bool> isBusy_{false};
  bool isCollectible_ = false;
};

/// Builders that irbuilderrefs refer to and that nothing has found to be unreachable yet.
std::size_t guestBuilderCount();

}  // namespace gaur::runtime
