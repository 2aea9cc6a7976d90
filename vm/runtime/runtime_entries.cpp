// The functions that compiled code calls (vm/abi/runtime_entries.h), except those written in assembly.
#include <cstring>

#include "gc/heap.h"
#include "jit/code_map.h"
#include "vm/abi/layout.h"
#include "vm/abi/object.h"
#include "vm/runtime/allocation.h"
#include "vm/runtime/attachment.h"
#include "vm/runtime/guest_failure.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"
#include "vm/support/check.h"

using namespace gaur;
using namespace gaur::runtime;
using abi::ObjectHeader;

namespace {

Thread& here() { return *Thread::current(); }

/// What allocation does for memory that the heap does not know of, where nobody holds a lock.
Thread& tidied(Thread& thread) {
  if (thread.vm().wantsTidying()) [[unlikely]]
    thread.vm().tidy(thread);
  return thread;
}

/// Content of a ref<@uvm.meta.bytes>.
std::string_view textOf(const void* bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes, sizeof length);
  return {static_cast<const char*>(bytes) + sizeof length, length};
}

/// The form in which a weakref location holds a reference. Cells on stacks are not cleared, so they hold it
/// openly.
std::uint64_t weakForm(const void* location, const void* value) {
  auto word = reinterpret_cast<std::uint64_t>(value);
  auto address = reinterpret_cast<std::uintptr_t>(location);
  Thread& thread = here();
  bool onStack = thread.vm().stacks().contains(address) || thread.isNativeStack(address);
  return onStack ? word : abi::hideWeak(word);
}

/// Loads the text in a ref<@uvm.meta.bytes>. `frame`: of the entry, which a stub has called. Where it fails:
/// false if the instruction that called the stub has a handler.
template <class Load>
bool loadOrFail(void* text, std::string_view what, std::string_view name, const std::uintptr_t* frame,
                Load load) {
  Thread& thread = here();
  if (!text) {
    if (hasHandler(thread, frame)) return false;
    failHere("loading a NULL " + std::string(what));
  }
  bool loaded = false;
  std::string report;
  thread.onNativeStack([&] {
    // The program may change the text meanwhile.
    std::string copy(textOf(text));
    SourceText source{name, copy};
    Diagnostics diagnostics(thread.vm().options().errorLimit);
    loaded = load(thread.vm(), source, diagnostics);
    if (!loaded) report = render(diagnostics, source);
  });
  if (loaded) return true;
  if (hasHandler(thread, frame)) return false;
  failHere("loading a " + std::string(what) + " failed\n" + report);
}

void* revealed(std::uint64_t word) { return reinterpret_cast<void*>(abi::revealWeak(word)); }

}  // namespace

extern "C" {

void* gaur_allocate(std::uint64_t header, std::uint64_t block, std::uint32_t kind) {
  return allocateObject(tidied(here()), ObjectHeader(header), block, static_cast<abi::BlockKind>(kind));
}

void* gaur_allocateHybrid(std::uint32_t typeIndex, std::uint64_t length) {
  return allocateHybrid(tidied(here()), typeIndex, length);
}

void gaur_failure(std::uint32_t failure, std::uint32_t instruction) {
  failHere(describe(static_cast<abi::GuestFailure>(failure)), instruction);
}

void gaur_notAvailable(std::uint32_t instruction) {
  const auto* entity = here().vm().program().entityOfCode<ir::Instruction>(instruction);
  failHere((entity ? ir::word(*entity) : "an instruction") + " is not available", instruction);
}

void gaur_escapedException(void* exception) {
  std::string report = uncaughtReport(here(), exception);
  // The report of an exception that the host gets, told from where it met native code.
  failHere("an exception reached native code\n" + report.substr(0, report.size() - 1));
}

bool gaur_stackSpace(std::uint64_t bytes) {
  Thread& thread = here();
  if (!thread.isOnStack()) return true;
  std::uintptr_t sp = stackPointer();
  return sp > thread.stack()->limit() && bytes < sp - thread.stack()->limit();
}

/// Called by __morestack_allocate_stack_space.
void gaur_allocaOverflow() { failHere(describe(abi::GuestFailure::StackExhausted)); }

void* gaur_weakLoad(std::uint64_t* location) { return revealed(__atomic_load_n(location, __ATOMIC_SEQ_CST)); }

void gaur_weakStore(std::uint64_t* location, void* value) {
  __atomic_store_n(location, weakForm(location, value), __ATOMIC_SEQ_CST);
}

void* gaur_weakExchange(std::uint64_t* location, void* value) {
  return revealed(__atomic_exchange_n(location, weakForm(location, value), __ATOMIC_SEQ_CST));
}

void* gaur_weakCompareExchange(std::uint64_t* location, void* expected, void* desired,
                               std::uint8_t* success) {
  std::uint64_t wanted = weakForm(location, desired);
  std::uint64_t found = __atomic_load_n(location, __ATOMIC_SEQ_CST);
  while (revealed(found) == expected) {
    if (!__atomic_compare_exchange_n(location, &found, wanted, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
      continue;
    *success = 1;
    return expected;
  }
  *success = 0;
  return revealed(found);
}

void gaur_nativeCall(void* description, void* function, void* result, void** values) {
  static_cast<NativeCall*>(description)->call(function, result, values);
}

void gaur_pin(void* address) { here().vm().pins().pin(address); }

void gaur_unpin(void* address) {
  if (!here().vm().pins().unpin(address)) failHere("unpinning an object that is not pinned");
}

/// Work of gaur_expose: null makes it throw.
void* gaur_exposeOrNull(abi::FunctionRecord* function, std::uint64_t cookie) {
  if (!function) failHere("exposing a NULL function");
  Thread& thread = here();
  void* address = nullptr;
  tidied(thread);
  thread.onNativeStack([&] { address = thread.vm().entities().expose(function, cookie); });
  return address;
}

void gaur_unexpose(void* address) {
  if (!here().vm().entities().unexpose(address)) failHere("unexposing what is not exposed");
}

void gaur_threadExit() { here().exit(); }

std::uint32_t gaur_idOf(void* name) {
  if (!name) failHere("the ID of a NULL name");
  Thread& thread = here();
  Id id = kNoId;
  thread.onNativeStack([&] { id = thread.vm().program().idOf(textOf(name)); });
  if (id == kNoId) failHere("there is nothing named '" + std::string(textOf(name)) + "'");
  return id;
}

void* gaur_nameOf(std::uint32_t id) {
  Thread& thread = here();
  std::string name;
  thread.onNativeStack([&] { name = thread.vm().program().nameOf(id); });
  if (name.empty()) return nullptr;
  std::uint64_t length = name.size();
  void* bytes = allocateHybrid(thread, thread.vm().bytesType()->index, length);
  if (!bytes) return nullptr;
  std::memcpy(bytes, &length, sizeof length);
  std::memcpy(static_cast<char*>(bytes) + sizeof length, name.data(), length);
  return bytes;
}

/// Work of gaur_loadBundle: false makes it throw NULL, which it does where the instruction has a handler.
std::uintptr_t gaur_loadBundleOrFail(void* text) {
  auto* frame = static_cast<std::uintptr_t*>(__builtin_frame_address(0));
  return loadOrFail(text, "bundle", "@uvm.meta.load_bundle", frame,
                    [](MicroVm& vm, const SourceText& source, Diagnostics& diagnostics) {
                      return vm.load(source, diagnostics) != nullptr;
                    });
}

/// Work of gaur_loadHail, in the same way.
std::uintptr_t gaur_loadHailOrFail(void* text) {
  auto* frame = static_cast<std::uintptr_t*>(__builtin_frame_address(0));
  return loadOrFail(text, "HAIL script", "@uvm.meta.load_hail", frame,
                    [](MicroVm& vm, const SourceText& source, Diagnostics& diagnostics) {
                      return vm.loadHail(source, diagnostics);
                    });
}

void gaur_enableWatchpoint(std::uint32_t watchpoint) { here().vm().watchpoints().set(watchpoint, true); }

void gaur_disableWatchpoint(std::uint32_t watchpoint) { here().vm().watchpoints().set(watchpoint, false); }

/// Work of gaur_lazyEntry: returns the code to go on with.
void* gaur_compileFunction(abi::FunctionRecord* record) {
  Thread& thread = here();
  const ir::Function& function = *record->function;
  tidied(thread);
  Result<void> result;
  thread.onNativeStack([&] { result = thread.vm().code().compile(function); });
  if (!result) failHere(result.error().message);
  return __atomic_load_n(&record->entry, __ATOMIC_ACQUIRE);
}

/// Work of gaur_exposedEntry: returns the adapter to go on with.
void* gaur_prepareExposed(ExposedFunctionData* data) {
  if (!gaur_currentThread) attachForGood(*data->vm);
  if (void* known = __atomic_load_n(&data->adapter, __ATOMIC_ACQUIRE)) return known;
  Result<void*> adapter = makeError(ErrorId::NotAvailable);
  here().onNativeStack([&] {
    adapter = data->vm->code().exposedAdapter(data->record.function->function->signature->signature);
  });
  if (!adapter) failHere(adapter.error().message);
  data->setAdapter(*adapter);
  return *adapter;
}

/// Work of gaur_exposedEntry: the stack that the exposed function ran on is known to somebody, so the next
/// one needs another.
void gaur_replaceHostStack() { here().replaceHostStack(); }

void gaur_callFromNative(const abi::ExposedRecord* exposed, const void* arguments, void* results) {
  MicroVm& vm = *reinterpret_cast<const ExposedFunctionData*>(exposed)->vm;
  CallOutcome outcome = vm.call(*exposed->function->function, arguments, results, exposed->cookie);
  // The native caller, which may have come back on another thread, has no way to hear of any other end. It
  // may be one of another VM's.
  if (outcome.kind == CallOutcome::Kind::ThreadExited)
    here().fail("gaur: thread_exit in a function that native code called\n");
  if (outcome.kind == CallOutcome::Kind::Threw)
    here().fail("gaur: an exception reached native code\n" + outcome.report);
  if (outcome.kind != CallOutcome::Kind::Returned) here().fail(std::move(outcome.report));
  if (&here().vm() == &vm) here().keepHostStack();
}

}  // extern "C"
