#include "api/machine.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "api/context.h"
#include "api/ir_builder.h"
#include "api/linked_image.h"
#include "api/trap_handler.h"
#include "vm/support/log.h"
#include "vm/support/thread_owned.h"

namespace gaur::api {

// --- Errors ----------------------------------------------------------------------------------------

namespace {

ThreadOwned<ThreadError>& threadErrors() {
  static auto* owned = new ThreadOwned<ThreadError>;
  return *owned;
}

}  // namespace

ThreadError& ThreadError::current() { return threadErrors().get(); }
ThreadError* ThreadError::present() { return threadErrors().find(); }

void ThreadError::set(MuVM* vm, std::string_view slot, const Error& error, LineColumn at) {
  machine = vm;
  code = errorInfo(error.id).code;
  message = slot.empty() ? error.message : std::string(slot) + ": " + error.message;
  position = at;
  isSet = true;
}

MuError ThreadError::view() { return {code.data(), message.data(), position.line, position.column}; }

void reportNull(std::string_view slot, std::string_view argument) {
  ThreadError::current().set(nullptr, slot, makeError(ErrorId::ApiNull, {argument}));
}

void Machine::report(std::string_view slot, const Error& error, LineColumn position) {
  ThreadError& record = ThreadError::current();
  record.set(&table_, slot, error, position);
  __atomic_store_n(&errorFlag_, 1, __ATOMIC_RELAXED);
  GAUR_LOG(Api, Debug, "{} {}", record.code, record.message);
  MuErrorHandler handler = nullptr;
  MuCPtr userdata = nullptr;
  {
    std::lock_guard lock(errorHandlerMutex_);
    handler = errorHandler_;
    userdata = errorUserdata_;
  }
  if (!handler) return;
  // Whatever the handler calls or clears, this error stays as it is: for the handler, and afterwards for
  // get_error.
  ThreadError told = record;
  MuError view = told.view();
  handler(&table_, &view, userdata);
  ThreadError::current() = std::move(told);
}

Result<void> Machine::setErrorHandler(MuErrorHandler handler, MuCPtr userdata) {
  std::lock_guard lock(errorHandlerMutex_);
  errorHandler_ = handler;
  errorUserdata_ = userdata;
  return {};
}

MuBool Machine::error(MuError* error) {
  ThreadError* record = ThreadError::present();
  const bool isOurs = record && record->concerns(&table_);
  if (error) *error = isOurs ? record->view() : MuError{};
  return isOurs;
}

void Machine::clearError() {
  ThreadError* record = ThreadError::present();
  if (record && record->concerns(&table_)) record->isSet = false;
}

// --- Life --------------------------------------------------------------------------------------------

Result<MuVM*> Machine::create(const Options& options) {
  GAUR_TRY_ASSIGN(std::unique_ptr<runtime::MicroVm> vm, runtime::MicroVm::create(options));
  return &(new Machine(std::move(vm)))->table_;
}

Result<MuVM*> Machine::create(bootimage::LoadedImage image, abi::LinkedImage* linked) {
  auto* machine = new Machine(std::move(image.vm));
  machine->primordial_ = image.primordial;
  machine->linked_ = linked;
  return &machine->table_;
}

int Machine::runImage(int argc, char** argv) {
  if (primordial_.stack) {
    auto outcome = bootimage::runPrimordial(*vm_, *primordial_.stack, primordial_.threadLocal, argc, argv);
    return outcome ? 0 : (report("gaur_run_image", outcome.error()), -1);
  }
  const bool isMain =
      primordial_.function && bootimage::isMainSignature(primordial_.function->signature->signature);
  if (!isMain) return report("gaur_run_image", makeError(ErrorId::ImageNoStart)), -1;
  int status = 0;
  auto outcome =
      bootimage::callPrimordial(*vm_, *primordial_.function, primordial_.threadLocal, argc, argv, status);
  if (outcome.kind == runtime::CallOutcome::Kind::ThreadExited) vm_->threads().waitForStarted();
  if (outcome.kind == runtime::CallOutcome::Kind::Returned ||
      outcome.kind == runtime::CallOutcome::Kind::ThreadExited)
    return status;
  std::fprintf(stderr, "%s", outcome.report.c_str());
  constexpr int kGuestFailure = 6;
  return kGuestFailure;
}

Machine::Machine(std::unique_ptr<runtime::MicroVm> vm) : table_(kMachineTable), vm_(std::move(vm)) {
  table_.header = this;
  vm_->setClientRoots(this);
}

Machine::~Machine() {
  vm_->setClientRoots(nullptr);
  vm_.reset();
  for (Context* context = contexts_.load(); context;) delete std::exchange(context, context->nextOfAll);
}

void Machine::close() {
  // A thread that runs Mu code would wait for itself.
  if (runsHere()) return report("close", makeError(ErrorId::ApiThreadBusy));
  vm_->threads().waitForStarted();
  runtime::detachFrom(*vm_);
  std::size_t others = 0;
  vm_->threads().forEach([&](runtime::Thread&) { ++others; });
  if (others != 0) return report("close", makeError(ErrorId::ApiThreadsAttached, {std::to_string(others)}));
  if (linked_) forgetMachine(*linked_);
  // Finalisers may call the machine, which attaches the thread again.
  vm_->hostFunctions().finaliseAll();
  runtime::detachFrom(*vm_);
  delete this;
}

void Machine::detach() {
  if (runsHere()) return report("detach_current_thread", makeError(ErrorId::ApiThreadBusy));
  runtime::detachFrom(*vm_);
}

bool Machine::runsHere() const {
  runtime::Thread* thread = runtime::Thread::current();
  return thread && &thread->vm() == vm_.get() && thread->runsMuCode();
}

Result<void> Machine::execute() {
  if (runsHere()) return makeError(ErrorId::ApiThreadBusy);
  vm_->threads().waitForStarted();
  return {};
}

void Machine::push(gc::RootSink& sink) const {
  for (const Context* context = contexts_.load(std::memory_order_acquire); context;
       context = context->nextOfAll)
    context->push(sink);
}

// --- Contexts ----------------------------------------------------------------------------------------

Context& Machine::openContext(bool isHandlers) {
  Context* context = isHandlers ? idleHandlers_.exchange(nullptr, std::memory_order_acquire) : nullptr;
  if (!context) {
    std::lock_guard lock(contextsMutex_);
    // Some closed ones rest, so that clients that use one after closing it are told.
    constexpr std::size_t kResting = 8;
    std::deque<Context*>& closed = isHandlers ? closedHandlers_ : closed_;
    if (closed.size() > (isHandlers ? 0 : kResting)) {
      context = closed.front();
      closed.pop_front();
    }
  }
  if (!context) {
    context = new Context(*this);
    context->nextOfAll = contexts_.load(std::memory_order_relaxed);
    while (!contexts_.compare_exchange_weak(context->nextOfAll, context, std::memory_order_release,
                                            std::memory_order_relaxed)) {
    }
  }
  context->open(isHandlers);
  return *context;
}

void Machine::giveBack(Context& context) {
  Context* none = nullptr;
  if (context.isHandlers() && idleHandlers_.compare_exchange_strong(none, &context, std::memory_order_release,
                                                                    std::memory_order_relaxed))
    return;
  std::lock_guard lock(contextsMutex_);
  (context.isHandlers() ? closedHandlers_ : closed_).push_back(&context);
}

Result<MuCtx*> Machine::newContext() { return openContext().table(); }

Result<MuCtx*> Machine::currentContext() {
  void*& data = runtime::Thread::current()->clientData;
  if (!data) {
    Context& context = openContext();
    context.setThreads(true);
    data = &context;
  }
  return static_cast<Context*>(data)->table();
}

void Machine::threadEnds(void* data) const {
  auto& context = *static_cast<Context*>(data);
  context.setThreads(false);
  context.close();
  context.machine().giveBack(context);
}

Machine* Machine::current() {
  runtime::Thread* thread = runtime::Thread::current();
  const runtime::ClientRoots* client = thread ? thread->vm().roots().client() : nullptr;
  // Nothing else has such roots.
  return const_cast<Machine*>(static_cast<const Machine*>(client));
}

// --- Host functions ------------------------------------------------------------------------------------

Result<void> Machine::collect() {
  vm_->heap().collect();
  return {};
}

void Machine::runFinalisers() {
  ThreadError& error = ThreadError::current();
  const ThreadError before = error;
  vm_->hostFunctions().runFinalisers();
  error = before;
}

// --- Builders ----------------------------------------------------------------------------------------

IrBuilder& Machine::openBuilder() {
  IrBuilder* builder = nullptr;
  {
    std::lock_guard lock(buildersMutex_);
    // Some that have ended rest, so that clients that use one afterwards are told.
    constexpr std::size_t kResting = 16;
    if (endedBuilders_.size() > kResting) {
      builder = endedBuilders_.front();
      endedBuilders_.pop_front();
    } else {
      builder = builders_.emplace_back(std::make_unique<IrBuilder>(*this)).get();
    }
  }
  builder->open();
  return *builder;
}

void Machine::giveBack(IrBuilder& builder) {
  std::lock_guard lock(buildersMutex_);
  endedBuilders_.push_back(&builder);
}

// --- Names -------------------------------------------------------------------------------------------

Result<MuID> Machine::idOf(MuName name) {
  if (!name) return makeError(ErrorId::ApiNull, {"name"});
  const Id id = program().idOf(name);
  if (id == kNoId) return makeError(ErrorId::ApiUnknownName, {name});
  return id;
}

Result<MuName> Machine::nameOf(MuID id) {
  std::string name = program().nameOf(id);
  if (name.empty()) {
    if (!program().entity(id)) return makeError(ErrorId::ApiUnknownId, {std::to_string(id)});
    return MuName{nullptr};
  }
  std::lock_guard lock(namesMutex_);
  return names_.try_emplace(id, std::move(name)).first->second.data();
}

// --- Traps -------------------------------------------------------------------------------------------

Result<void> Machine::setTrapHandler(MuTrapHandler handler, MuCPtr userdata) {
  if (!handler) {
    vm_->trapHandlers().set(nullptr, nullptr);
    return {};
  }
  std::lock_guard lock(trapHandlersMutex_);
  trapHandlers_.push_back(std::make_unique<ClientTrapHandler>(ClientTrapHandler{*this, handler, userdata}));
  vm_->trapHandlers().set(callTrapHandler, trapHandlers_.back().get());
  return {};
}

// --- Threads -----------------------------------------------------------------------------------------

Result<void> Machine::attachWithThreadLocal(MuCPtr threadLocal) {
  runtime::Thread::current()->block().threadLocal = threadLocal;
  return {};
}

const abi::Layout& Machine::intLayout(std::uint64_t bits) {
  if (bits > kCachedIntBits) return layoutOf(program().types().intType(bits));
  const abi::Layout* layout = intLayouts_[bits].load(std::memory_order_acquire);
  if (!layout) {
    layout = &layoutOf(program().types().intType(bits));
    intLayouts_[bits].store(layout, std::memory_order_release);
  }
  return *layout;
}

const abi::Layout& Machine::plainLayout(ir::TypeKind kind) {
  std::atomic<const abi::Layout*>& known = plainLayouts_[static_cast<std::size_t>(kind)];
  const abi::Layout* layout = known.load(std::memory_order_acquire);
  if (!layout) {
    layout = &layoutOf(program().types().get(kind));
    known.store(layout, std::memory_order_release);
  }
  return *layout;
}

}  // namespace gaur::api
