// A handler only decides whose fault it is. If the guest's, the interrupted thread goes on in
// gaur_reportFault on its native stack, as if called by the faulting instruction, so that no work is done
// inside the handler.
#include "vm/runtime/signals.h"

#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "jit/code_map.h"
#include "vm/runtime/guest_failure.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/native_unwind.h"
#include "vm/runtime/symbol_guards.h"
#include "vm/runtime/thread.h"
#include "vm/support/platform.h"
#include "vm/support/thread_owned.h"

namespace gaur::runtime {

namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE};
struct sigaction previousActions[std::size(kSignals)];

constexpr std::size_t kSignalStackBytes = std::size_t{64} << 10;
/// What a leaf function may use below its stack pointer.
constexpr std::uintptr_t kRedZone = 256;

/// The registers of an interrupted thread that matter here.
struct Interrupted {
  explicit Interrupted(void* context) : machine(static_cast<ucontext_t*>(context)->uc_mcontext) {}
  mcontext_t& machine;

#if defined(__x86_64__)
  auto& word(int index) const { return machine.gregs[index]; }
  std::uintptr_t pc() const { return static_cast<std::uintptr_t>(word(REG_RIP)); }
  std::uintptr_t stackPointer() const { return static_cast<std::uintptr_t>(word(REG_RSP)); }
  std::uintptr_t framePointer() const { return static_cast<std::uintptr_t>(word(REG_RBP)); }
  /// Where the function returns to that was just called.
  std::uintptr_t returnAddress() const { return *reinterpret_cast<std::uintptr_t*>(stackPointer()); }

  void call(void (*function)(std::uintptr_t, std::uintptr_t, std::uintptr_t), std::uintptr_t stack,
            std::uintptr_t a, std::uintptr_t b, std::uintptr_t c) const {
    word(REG_RDI) = static_cast<greg_t>(a);
    word(REG_RSI) = static_cast<greg_t>(b);
    word(REG_RDX) = static_cast<greg_t>(c);
    word(REG_RSP) = static_cast<greg_t>((stack & ~std::uintptr_t{15}) - sizeof(std::uintptr_t));
    word(REG_RIP) = reinterpret_cast<greg_t>(function);
  }
  /// Goes on as if the call that returns with these registers had called gaur_throw(NULL).
  void throwNull(const UnwindRegisters& at) const {
    word(REG_RBX) = static_cast<greg_t>(at.rbx);
    word(REG_RBP) = static_cast<greg_t>(at.rbp);
    word(REG_R12) = static_cast<greg_t>(at.r12);
    word(REG_R13) = static_cast<greg_t>(at.r13);
    word(REG_R14) = static_cast<greg_t>(at.r14);
    word(REG_R15) = static_cast<greg_t>(at.r15);
    auto* returnAddress = reinterpret_cast<std::uintptr_t*>(at.stackPointer) - 1;
    *returnAddress = at.pc;
    word(REG_RSP) = reinterpret_cast<greg_t>(returnAddress);
    word(REG_RDI) = 0;
    word(REG_RIP) = reinterpret_cast<greg_t>(&gaur_throw);
  }
#elif defined(__aarch64__)
  std::uintptr_t pc() const { return machine.pc; }
  std::uintptr_t stackPointer() const { return machine.sp; }
  std::uintptr_t framePointer() const { return machine.regs[29]; }
  std::uintptr_t returnAddress() const { return machine.regs[30]; }

  void call(void (*function)(std::uintptr_t, std::uintptr_t, std::uintptr_t), std::uintptr_t stack,
            std::uintptr_t a, std::uintptr_t b, std::uintptr_t c) const {
    machine.regs[0] = a;
    machine.regs[1] = b;
    machine.regs[2] = c;
    machine.sp = stack & ~std::uintptr_t{15};
    machine.pc = reinterpret_cast<std::uintptr_t>(function);
  }
  void throwNull(const UnwindRegisters& at) const {
    for (unsigned i = 0; i < 12; ++i) machine.regs[19 + i] = at.x19to30[i];
    machine.regs[30] = at.pc;
    machine.sp = at.stackPointer;
    machine.regs[0] = 0;
    machine.pc = reinterpret_cast<std::uintptr_t>(&gaur_throw);
  }
#endif
};

[[noreturn]] void reportFault(std::uintptr_t failure, std::uintptr_t pc, std::uintptr_t framePointer) {
  failAt(describe(static_cast<abi::GuestFailure>(failure)), pc, framePointer);
}

[[noreturn]] void reportMissing(std::uintptr_t address, std::uintptr_t pc, std::uintptr_t framePointer) {
  failAt("the symbol '" + std::string(symbolGuardedAt(address)) + "' was used, which nobody has", pc,
         framePointer);
}

/// A missing symbol was used by native code, to which there is no way back.
[[noreturn]] void endWithMissing(const char* symbol) {
  for (std::string_view text : {std::string_view("gaur: the symbol '"), std::string_view(symbol),
                                std::string_view("' was used by native code, and nobody has it\n")})
    if (write(STDERR_FILENO, text.data(), text.size()) < 0) break;
  _exit(kGuestFailureExit);
}

/// Native code that Mu code called has used up its stack: the call throws NULL, as a call of a Mu function
/// does. False where the native frames cannot be passed.
bool throwOverflow(Thread& thread, void* context) {
  UnwindRegisters registers{};
  auto end = unwindFromSignal(thread.vm().codeMap(), context, registers);
  if (end != NativeEnd::CompiledCode) return false;
  thread.overflowPending = true;
  Interrupted(context).throwNull(registers);
  return true;
}

/// Lets the thread go on in a function that reports, which gets `what`.
void goOnIn(void (*report)(std::uintptr_t, std::uintptr_t, std::uintptr_t), std::uintptr_t what,
            std::uintptr_t pc, Thread& thread, const Interrupted& interrupted) {
  std::uintptr_t stack = interrupted.stackPointer() - kRedZone;
  if (abi::StackObject* bound = thread.vm().stacks().objectAt(interrupted.stackPointer())) {
    stack = reinterpret_cast<std::uintptr_t>(thread.block().nativeStackPointer);
    thread.block().stack = bound;
  }
  interrupted.call(report, stack, what, pc, interrupted.framePointer());
}

/// A fault at an address that stands for a symbol.
bool blameMissing(std::uintptr_t address, Thread* thread, const Interrupted& interrupted) {
  const char* symbol = symbolGuardedAt(address);
  if (!symbol) return false;
  std::uintptr_t pc = interrupted.pc();
  if (!thread) endWithMissing(symbol);
  if (pc == address && thread->vm().codeMap().findReturn(interrupted.returnAddress()))
    pc = interrupted.returnAddress();
  if (!thread->vm().codeMap().findFunction(pc)) endWithMissing(symbol);
  goOnIn(reportMissing, address, pc, *thread, interrupted);
  return true;
}

/// Lets the thread go on in reportFault; false where the fault is not the guest's.
bool blameGuest(int signal, const siginfo_t& info, void* context) {
  Thread* thread = Thread::current();
  Interrupted interrupted(context);
  const bool isMemory = signal == SIGSEGV || signal == SIGBUS;
  auto address = reinterpret_cast<std::uintptr_t>(info.si_addr);
  if (isMemory && blameMissing(address, thread, interrupted)) return true;
  if (!thread) return false;
  std::uintptr_t pc = interrupted.pc();
  const bool inCode = static_cast<bool>(thread->vm().codeMap().findFunction(pc));
  abi::GuestFailure failure;
  if (Stack* stack = isMemory ? thread->vm().stacks().find(address) : nullptr;
      stack && stack->isGuard(address)) {
    if (!inCode && throwOverflow(*thread, context)) {
      stack->forgetFrames();
      return true;
    }
    failure = abi::GuestFailure::StackExhausted;
  } else if (isMemory && inCode && address < kNullBytes) {
    failure = abi::GuestFailure::NullAccess;
  } else if (isMemory && pc < kNullBytes && thread->vm().codeMap().findReturn(interrupted.returnAddress())) {
    failure = abi::GuestFailure::NullCallee;
    pc = interrupted.returnAddress();
  } else if (signal == SIGFPE && inCode) {
    failure = abi::GuestFailure::DivisionByZero;
  } else {
    return false;
  }
  goOnIn(reportFault, static_cast<std::uintptr_t>(failure), pc, *thread, interrupted);
  return true;
}

void handle(int signal, siginfo_t* info, void* context) {
  if (blameGuest(signal, *info, context)) return;
  std::size_t index = 0;
  while (kSignals[index] != signal) ++index;
  const struct sigaction& previous = previousActions[index];
  if ((previous.sa_flags & SA_SIGINFO) != 0) return previous.sa_sigaction(signal, info, context);
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) return previous.sa_handler(signal);
  // The instruction faults again, with the action that the process had. A signal that was sent is sent again.
  sigaction(signal, &previous, nullptr);
  if (info->si_code <= 0) raise(signal);
}

/// A signal stack that this made, in use as long as the native thread lives.
struct SignalStack {
  std::unique_ptr<char[]> memory = std::make_unique_for_overwrite<char[]>(kSignalStackBytes);

  ~SignalStack() {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
  }
};

ThreadOwned<SignalStack>& signalStacks() {
  static auto* owned = new ThreadOwned<SignalStack>;
  return *owned;
}

}  // namespace

void installFaultHandlers() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    // The collector's signal has to wait: it takes the stack that it finds the thread on for the one to scan.
    sigfillset(&action.sa_mask);
    for (int signal : kSignals) sigdelset(&action.sa_mask, signal);
    for (std::size_t i = 0; i < std::size(kSignals); ++i)
      sigaction(kSignals[i], &action, &previousActions[i]);
  });
}

void useSignalStack() {
  stack_t present;
  if (sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0) return;
  stack_t stack{};
  stack.ss_sp = signalStacks().get().memory.get();
  stack.ss_size = kSignalStackBytes;
  sigaltstack(&stack, nullptr);
}

}  // namespace gaur::runtime
