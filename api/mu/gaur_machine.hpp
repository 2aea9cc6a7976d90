// The part of gaur.hpp that has machines: their life, the traps and errors that they tell of, and the native
// threads that are attached to them.
//
//   auto vm = mu::Vm::create().value();
//   vm.onError([](const mu::Error& error) { log(error.message); }).value();
//   vm.onTrap([](mu::Trap& trap) { trap.resume(); }).value();
//   std::thread worker([&vm] {
//     const mu::Attachment here(vm);
//     ...
//   });
//
// Handlers run on the threads that trap or fail, maybe in several at once, and must not throw.
#include "gaur.hpp"  // which includes this file in its turn

#ifndef MU_GAUR_MACHINE_HPP
#define MU_GAUR_MACHINE_HPP

#include <functional>
#include <mutex>

namespace mu {

// --- Traps --------------------------------------------------------------------------------------------

/// What a trap handler is asked about, and how it says how to go on. Its values are given up when it returns.
class Trap {
 public:
  ContextRef& context() { return context_; }
  const Value& thread() const { return thread_; }
  /// READY: it can be looked into, changed, killed.
  const Value& stack() const { return stack_; }
  /// 0: a TRAP, or a function without a version.
  MuWPID watchpoint() const { return watchpoint_; }
  Cursor frames() const { return Cursor(stack_); }

  /// The thread ends; the stack stays. So it is where nothing else is said.
  void exitThread() { result_ = MU_THREAD_EXIT; }
  /// The trapped stack goes on, with these values as the results of what it waits in.
  template <class... Values>
  void resume(Values... values) {
    resumeStack(nullptr, std::move(values)...);
  }
  /// Another READY stack goes on in this thread.
  template <class... Values>
  void resumeOn(Value stack, Values... values) {
    resumeStack(keep(std::move(stack)), std::move(values)...);
  }
  /// The trapped stack goes on by throwing.
  void raise(Value exception) { raiseOnStack(nullptr, std::move(exception)); }
  /// Another READY stack goes on in this thread by throwing.
  void raiseOn(Value stack, Value exception) { raiseOnStack(keep(std::move(stack)), std::move(exception)); }

 private:
  friend class Vm;
  Trap(MuVM* vm, MuCtx* ctx, MuThreadRefValue thread, MuStackRefValue stack, MuWPID watchpoint)
      : context_(vm, ctx), thread_(vm, ctx, thread), stack_(vm, ctx, stack), watchpoint_(watchpoint) {}
  /// The handles of the answer are still needed when the handler has returned; the context gives them up.
  ~Trap() {
    thread_.release();
    stack_.release();
  }
  static MuValue keep(Value value) { return value.release(); }
  template <class... Values>
  void resumeStack(MuValue stack, Values... values) {
    result_ = MU_REBIND_PASS_VALUES;
    next_ = stack;
    answer_.clear();
    (answer_.push_back(keep(std::move(values))), ...);
  }
  void raiseOnStack(MuValue stack, Value exception) {
    result_ = MU_REBIND_THROW_EXC;
    next_ = stack;
    answer_.clear();
    exception_ = keep(std::move(exception));
  }

  ContextRef context_;
  Value thread_;
  Value stack_;
  MuWPID watchpoint_;
  MuTrapHandlerResult result_ = MU_THREAD_EXIT;
  MuValue next_ = nullptr;
  MuValue exception_ = nullptr;
  std::vector<MuValue> answer_;
};

// --- Machines -----------------------------------------------------------------------------------------

/// A machine; closed at its end, after all Mu threads.
class [[nodiscard]] Vm {
 public:
  /// Options as gaur_new takes them.
  static Expected<Vm> create(const char* options = nullptr) { return made(gaur_new(options)); }
  /// What a boot image holds. The symbols come before those of the process.
  static Expected<Vm> fromImage(const char* path, const char* options = nullptr,
                                const std::vector<GaurSymbol>& symbols = {}) {
    return made(gaur_load_image(path, options, symbols.data(), symbols.size()));
  }
  /// That of an image that is part of the program or of a shared object. Options and symbols count where it
  /// begins only now.
  static Expected<Vm> ofLinkedImage(GaurLinkedImage* image, const char* options = nullptr,
                                    const std::vector<GaurSymbol>& symbols = {}) {
    return made(gaur_start_image(image, options, symbols.data(), symbols.size()));
  }
  /// One that other entry points have made, such as mu_fastimpl_new; closed like the others.
  static Vm adopt(MuVM* vm) { return Vm(vm); }

  Vm(Vm&& other) noexcept : vm_(std::exchange(other.vm_, nullptr)), handlers_(std::move(other.handlers_)) {}
  Vm& operator=(Vm&& other) noexcept {
    std::swap(vm_, other.vm_);
    std::swap(handlers_, other.handlers_);
    return *this;
  }
  ~Vm() {
    if (vm_) vm_->close(vm_);
  }

  MuVM* get() const { return vm_; }
  /// The machine, which is the caller's to close now. It has no trap or error handler any more.
  MuVM* release() {
    if (vm_) {
      vm_->set_trap_handler(vm_, nullptr, nullptr);
      vm_->set_error_handler(vm_, nullptr, nullptr);
    }
    return std::exchange(vm_, nullptr);
  }

  // --- Errors ---
  std::optional<Error> lastError() const { return detail::lastError(vm_); }
  /// A word that becomes 1 with each error of any thread; it may be set to 0.
  int* errorFlag() const { return vm_->get_mu_error_ptr(vm_); }

  // --- Contexts and names ---
  Expected<Context> context() const {
    auto made = detail::checked(vm_, [&] { return vm_->new_context(vm_); });
    if (!made) return made.error();
    return Context(vm_, *made);
  }
  /// The one of the calling thread, which ends when the thread detaches: for code that Mu code called.
  Expected<ContextRef> currentContext() const {
    auto found = detail::checked(vm_, [&] { return vm_->current_context(vm_); });
    if (!found) return found.error();
    return ContextRef(vm_, *found);
  }
  Expected<MuID> id(const char* name) const {
    return detail::checked(vm_, [&] { return vm_->id_of(vm_, detail::text(name)); });
  }
  /// With its @; empty where it has none.
  Expected<std::string> name(MuID id) const {
    return detail::checked(vm_, [&] { return detail::string(vm_->name_of(vm_, id)); });
  }

  // --- Images ---
  /// The exit status of the image's program.
  Expected<int> runImage(int argc, char** argv) const {
    return detail::checked(vm_, [&] { return gaur_run_image(vm_, argc, argv); });
  }
  Status compileToSharedlib(const char* name, const std::vector<const char*>& extraSources = {}) const {
    return detail::checked(vm_, [&] {
      vm_->compile_to_sharedlib(vm_, detail::text(name), const_cast<char**>(extraSources.data()),
                                extraSources.size());
    });
  }

  // --- Threads ---
  /// Attaches the calling thread until it ends or detaches; nothing where it is attached. Each call of the
  /// interface does so too. An Attachment detaches by itself.
  Status attach() const {
    return detail::checked(vm_, [&] { vm_->attach_current_thread(vm_); });
  }
  /// Contexts of the thread's own (currentContext) and its thread-local end. Fails where the thread runs Mu
  /// code.
  Status detach() const {
    return detail::checked(vm_, [&] { vm_->detach_current_thread(vm_); });
  }
  /// Attaches the calling thread, and makes the object at this address, or NULL, its thread-local in Mu.
  Status setThreadLocal(void* object) const {
    return detail::checked(vm_, [&] { vm_->current_thread_as_mu_thread(vm_, object); });
  }
  /// Waits until all Mu threads have ended.
  Status wait() const {
    return detail::checked(vm_, [&] { vm_->execute(vm_); });
  }

  /// Collects garbage now.
  Status collect() const {
    return detail::checked(vm_, [&] { vm_->collect(vm_); });
  }

  // --- Handlers ---
  /// From now on traps call this; an empty one: nobody, and a trap ends its thread's program with a report.
  Status onTrap(std::function<void(Trap&)> handler) {
    auto* kept = handlers_->keep(handlers_->traps, vm_, std::move(handler));
    return detail::checked(vm_, [&] { vm_->set_trap_handler(vm_, kept ? &callTrapHandler : nullptr, kept); });
  }
  /// From now on errors call this too, before the call that failed returns; an empty one: nobody. It may use
  /// the machine; what the call returns is still the error that it was told.
  Status onError(std::function<void(const Error&)> handler) {
    auto* kept = handlers_->keep(handlers_->errors, vm_, std::move(handler));
    return detail::checked(vm_,
                           [&] { vm_->set_error_handler(vm_, kept ? &callErrorHandler : nullptr, kept); });
  }

 private:
  template <class Function>
  struct Handler {
    MuVM* vm;
    Function function;
  };
  using TrapHandler = Handler<std::function<void(Trap&)>>;
  using ErrorHandler = Handler<std::function<void(const Error&)>>;
  /// All that were ever set: an older one may still be running.
  struct Handlers {
    template <class Function>
    Handler<Function>* keep(std::vector<std::unique_ptr<Handler<Function>>>& list, MuVM* vm,
                            Function function) {
      if (!function) return nullptr;
      const std::lock_guard<std::mutex> lock(mutex);
      list.push_back(std::make_unique<Handler<Function>>(Handler<Function>{vm, std::move(function)}));
      return list.back().get();
    }
    std::mutex mutex;
    std::vector<std::unique_ptr<TrapHandler>> traps;
    std::vector<std::unique_ptr<ErrorHandler>> errors;
  };
  explicit Vm(MuVM* vm) : vm_(vm) {}
  static Expected<Vm> made(MuVM* vm) {
    if (vm) return Vm(vm);
    return Error{"", gaur_new_error(), 0, 0};
  }

  static void callErrorHandler(MuVM*, MuError* error, MuCPtr data) {
    static_cast<const ErrorHandler*>(data)->function(detail::copyOf(*error));
  }
  static void freeValues(MuValue* values, MuCPtr) { std::free(values); }
  static void callTrapHandler(MuCtx* ctx, MuThreadRefValue thread, MuStackRefValue stack, MuWPID watchpoint,
                              MuTrapHandlerResult* result, MuStackRefValue* next, MuValue** values,
                              MuArraySize* count, MuValuesFreer* freer, MuCPtr*, MuRefValue* exception,
                              MuCPtr data) {
    const auto* handler = static_cast<const TrapHandler*>(data);
    Trap trap(handler->vm, ctx, thread, stack, watchpoint);
    handler->function(trap);
    *result = trap.result_;
    if (trap.next_) *next = trap.next_;
    *exception = trap.exception_;
    if (trap.answer_.empty()) return;
    *values = static_cast<MuValue*>(std::malloc(trap.answer_.size() * sizeof(MuValue)));
    if (!*values) std::abort();
    for (MuValue value : trap.answer_) (*values)[(*count)++] = value;
    *freer = freeValues;
  }

  MuVM* vm_;
  std::unique_ptr<Handlers> handlers_ = std::make_unique<Handlers>();
};

/// The calling thread is attached to the machine until the end of this, which is in the same thread. Where it
/// was attached before, it stays so. The machine cannot be closed meanwhile.
class [[nodiscard]] Attachment {
 public:
  explicit Attachment(const Vm& vm) : vm_(vm), isOwn_(gaur_current_vm() != vm.get()), status_(vm.attach()) {}
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  ~Attachment() {
    if (isOwn_ && status_) static_cast<void>(vm_.detach());
  }
  const Status& status() const { return status_; }

 private:
  const Vm& vm_;
  bool isOwn_;
  Status status_;
};

}  // namespace mu

#endif  // MU_GAUR_MACHINE_HPP
