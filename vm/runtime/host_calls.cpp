#include "vm/runtime/host_calls.h"

#include <cstdio>
#include <cstdlib>

#include "jit/code_map.h"
#include "vm/runtime/guest_failure.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/native_unwind.h"
#include "vm/runtime/thread.h"
#include "vm/runtime/transitions.h"

namespace gaur::runtime {

namespace {

/// The registers with which the call in Mu code goes on. `thread` stands on the stack of that code.
Result<UnwindRegisters> registersOfCaller(Thread& thread) {
  UnwindRegisters registers{};
  GAUR_TRY_ASSIGN(NativeEnd end, unwindHere(thread.vm().codeMap(), registers));
  if (end == NativeEnd::CompiledCode) return registers;
  return makeError(ErrorId::NoMuCaller);
}

/// Leaves the native frames between here and that call.
[[noreturn]] void throwAt(Thread& thread, UnwindRegisters registers, void* exception) {
  thread.stack()->forgetFrames();
  gaur_throwAt(&registers, exception);
}

}  // namespace

Result<FrameIds> nativeCaller() {
  Thread* thread = Thread::current();
  if (!thread || !thread->isOnStack()) return makeError(ErrorId::NoMuCaller);
  GAUR_TRY_ASSIGN(UnwindRegisters registers, registersOfCaller(*thread));
  const jit::CodeSite site = thread->vm().codeMap().findReturn(registers.pc);
  FrameIds ids;
  ids.version = site.function->version;
  if (site.function->record) ids.function = site.function->record->id;
  if (site.row) ids.instruction = site.row->instruction;
  return ids;
}

Error throwFromNative(void* exception) {
  Thread* thread = Thread::current();
  if (!thread || !thread->isOnStack()) return makeError(ErrorId::NoMuCaller);
  auto registers = registersOfCaller(*thread);
  if (!registers) return registers.error();
  throwAt(*thread, *registers, exception);
}

[[gnu::no_sanitize("address", "undefined")]] bool isIdle(MicroVm& vm, const abi::HostRecord& record,
                                                         const void* caller) {
  std::size_t threads = 0;
  vm.threads().forEach([&](Thread&) { ++threads; });
  Thread* thread = Thread::current();
  if (threads != 1 || thread->runsMuCode()) return false;
  std::size_t stacks = 0;
  // That which the thread keeps for exposed functions is empty now.
  const abi::StackObject* own = thread->block().hostStack;
  vm.stacks().forEach([&](const Stack& stack) { stacks += stack.object && stack.object != own ? 1 : 0; });
  if (stacks != 0) return false;
  const auto* pointer = vm.hostFunctions().pointerOf(record);
  for (const auto* word = static_cast<void* const*>(caller);
       thread->isNativeStack(reinterpret_cast<std::uintptr_t>(word)); ++word)
    if (*word == pointer || *word == &record || (*word == record.target.environment && *word)) return false;
  return true;
}

}  // namespace gaur::runtime

using namespace gaur;
using namespace gaur::runtime;

namespace {

/// What to say of a call that finds no function.
std::string deadCall(Thread* thread, const void* target) {
  HostFunctions* functions = thread ? &thread->vm().hostFunctions() : nullptr;
  const abi::HostRecord* record = functions ? functions->recordAt(target) : nullptr;
  if (!record)
    return "a call of a native function that is gone: its host function is disposed, or its name stands for "
           "nothing any more";
  return "a call of the host function '" + functions->nameOf(*record) + "', which is disposed";
}

}  // namespace

/// Work of gaur_hostDisposed.
extern "C" [[noreturn]] void gaur_callDisposed(const void* target) {
  Thread* thread = Thread::current();
  if (thread && thread->isOnStack()) {
    auto registers = registersOfCaller(*thread);
    if (registers && thread->vm().codeMap().findReturn(registers->pc).landingPad() != 0)
      throwAt(*thread, *registers, nullptr);
    failHere(deadCall(thread, target));
  }
  const std::string report = "gaur: " + deadCall(thread, target) + "\n";
  if (thread) thread->fail(report);
  std::fputs(report.c_str(), stderr);
  std::_Exit(kGuestFailureExit);
}
