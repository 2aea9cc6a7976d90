// A machine as clients see it: the MuVM structure, the runtime's machine behind it, its contexts, and where
// errors go. Every call of the interface passes run(), the error boundary: what fails below comes out as a
// recorded error and a zero.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "api/mu/muapi.h"
#include "bootimage/start.h"
#include "vm/abi/linked_image.h"
#include "vm/runtime/attachment.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/roots.h"
#include "vm/support/source.h"

namespace gaur::bootimage {
struct BuildRequest;
struct Output;
}  // namespace gaur::bootimage

namespace gaur::api {

class Context;
class IrBuilder;
struct ClientTrapHandler;

/// What get_error tells: one a thread.
struct ThreadError {
  /// Null where a call named no machine; then it is told to whoever asks.
  MuVM* machine = nullptr;
  std::string code;
  std::string message;
  LineColumn position;
  bool isSet = false;

  static ThreadError& current();
  /// Null where nothing has failed on this thread.
  static ThreadError* present();
  void set(MuVM* vm, std::string_view slot, const Error& error, LineColumn at = {});
  MuError view();
  bool concerns(const MuVM* vm) const { return isSet && (!machine || machine == vm); }
};

/// Records a call without a machine or context, for whoever asks the thread.
void reportNull(std::string_view slot, std::string_view argument);

class Machine final : private runtime::ClientRoots {
 public:
  static Result<MuVM*> create(const Options& options);
  /// Of a boot image.
  static Result<MuVM*> create(bootimage::LoadedImage image, abi::LinkedImage* linked = nullptr);
  static Machine& of(MuVM* vm) { return *static_cast<Machine*>(vm->header); }
  /// The one that the calling thread is attached to, or null.
  static Machine* current();

  MuVM* table() { return &table_; }
  runtime::MicroVm& vm() { return *vm_; }
  ir::Program& program() { return vm_->program(); }

  /// A context for the client, or for one run of a trap handler. Throws std::bad_alloc.
  Context& openContext(bool isHandlers = false);
  void giveBack(Context& context);
  /// A builder with nothing in it. Throws std::bad_alloc.
  IrBuilder& openBuilder();
  void giveBack(IrBuilder& builder);

  const abi::Layout& layoutOf(const ir::Type* type) { return abi::LayoutTable::shared().of(type); }
  /// Requires: 1 to ir::kMaxIntBits.
  const abi::Layout& intLayout(std::uint64_t bits);

  /// Of a type without parts, such as stackref.
  const abi::Layout& plainLayout(ir::TypeKind kind);

  /// Makes an image in one of its forms; its warnings are logged. The thread is attached and stands on its
  /// native stack.
  Result<void> build(const bootimage::BuildRequest& request, const bootimage::Output& output);

  // --- Slots of MuVM ---------------------------------------------------------------------------------
  Result<MuCtx*> newContext();
  Result<MuID> idOf(MuName name);
  Result<MuName> nameOf(MuID id);
  Result<void> attachWithThreadLocal(MuCPtr threadLocal);
  Result<void> compileToSharedObject(MuCString name, MuCString* sources, MuArraySize count);
  Result<void> attach() { return {}; }
  Result<void> setTrapHandler(MuTrapHandler handler, MuCPtr userdata);
  Result<void> execute();
  Result<void> setErrorHandler(MuErrorHandler handler, MuCPtr userdata);
  Result<int*> errorPointer() { return &errorFlag_; }
  Result<MuCtx*> currentContext();
  Result<void> collect();
  /// Outside of run(): they may be called where no thread can be attached, or change what run() relies on.
  void close();
  /// Exit status of the image's primordial function or stack; -1, and reported, where there is none.
  int runImage(int argc, char** argv);
  void detach();
  MuBool error(MuError* error);
  void clearError();

  /// Records the error and tells the handler.
  void report(std::string_view slot, const Error& error, LineColumn position = {});

  /// Runs a slot's body, which returns a Result, on an attached thread and a native stack.
  template <class Body>
  auto run(std::string_view slot, Body body, LineColumn* position = nullptr) {
    using Outcome = decltype(body());
    std::optional<Outcome> outcome;
    attached([&](runtime::Thread& thread) {
      thread.onNativeStack([&] {
        try {
          outcome.emplace(body());
        } catch (const std::bad_alloc&) {
          outcome.emplace(makeError(ErrorId::OutOfMemory, {"memory of the C interface"}));
        }
        if (vm_->hostFunctions().hasWork()) runFinalisers();
      });
    });
    using Value = std::remove_cvref_t<decltype(valueOf(*outcome))>;
    if (*outcome) return valueOf(*outcome);
    report(slot, outcome->error(), position ? std::exchange(*position, {}) : LineColumn{});
    return Value();
  }

 private:
  /// Calls f(thread) with the thread's attachment to this machine: one that stays, or, where the thread is
  /// another machine's, for the time of a call.
  template <class F>
  void attached(F f) {
    if (!runtime::Thread::current()) runtime::attachForGood(*vm_);
    runtime::Thread::attachedTo(*vm_, f);
  }

  template <class T>
  static T valueOf(Result<T>& outcome) {
    return *outcome;
  }
  static void valueOf(Result<void>&) {}

  explicit Machine(std::unique_ptr<runtime::MicroVm> vm);
  ~Machine();
  void push(gc::RootSink& sink) const override;
  void threadEnds(void* data) const override;
  /// Of host functions. The thread's error stays as it is.
  void runFinalisers();
  /// Whether the calling thread has Mu code to go back to.
  bool runsHere() const;

  static constexpr std::size_t kCachedIntBits = 128;

  MuVM table_;
  std::unique_ptr<runtime::MicroVm> vm_;
  bootimage::Primordial primordial_;
  /// The one that began with the machine, if it is part of the process.
  abi::LinkedImage* linked_ = nullptr;
  int errorFlag_ = 0;
  std::atomic<const abi::Layout*> intLayouts_[kCachedIntBits + 1] = {};
  std::atomic<const abi::Layout*> plainLayouts_[static_cast<std::size_t>(ir::TypeKind::Irbuilderref) + 1] =
      {};

  std::mutex contextsMutex_;
  /// All that were ever made, for the collector; linked through Context::nextOfAll.
  std::atomic<Context*> contexts_{nullptr};
  /// An idle one for the next trap, so that a trap takes no lock.
  std::atomic<Context*> idleHandlers_{nullptr};
  /// Closed ones, the longest closed first: the later one comes back, the longer its use after closing is an
  /// error.
  std::deque<Context*> closed_;
  /// Idle ones of trap handlers.
  std::deque<Context*> closedHandlers_;

  std::mutex buildersMutex_;
  /// All that were ever made; those that have ended, the longest ended first.
  std::vector<std::unique_ptr<IrBuilder>> builders_;
  std::deque<IrBuilder*> endedBuilders_;

  std::mutex trapHandlersMutex_;
  std::vector<std::unique_ptr<ClientTrapHandler>> trapHandlers_;

  std::mutex namesMutex_;
  std::unordered_map<Id, std::string> names_;

  std::mutex errorHandlerMutex_;
  MuErrorHandler errorHandler_ = nullptr;
  MuCPtr errorUserdata_ = nullptr;
};

/// The structure with all slots of a machine, but its header.
extern const MuVM kMachineTable;

}  // namespace gaur::api
