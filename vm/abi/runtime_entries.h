// Declarations of the functions in runtime_entries.def. The compiler derives their LLVM types from these
// declarations.
#pragma once

#include <cstdint>

namespace gaur::abi {

struct ExposedRecord;
struct FunctionRecord;
struct StackObject;
struct ThreadObject;
struct ResumeImage;

enum class Effect : std::uint32_t { None = 0, Throws = 1, NoReturn = 2, Cold = 4, Quiet = 8, CallSite = 16 };
constexpr Effect operator|(Effect a, Effect b) {
  return static_cast<Effect>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool has(Effect set, Effect one) {
  return (static_cast<std::uint32_t>(set) & static_cast<std::uint32_t>(one)) != 0;
}

/// What went wrong in guest code that has no EXC clause for it, or cannot have one. Numbers are passed by
/// compiled code.
enum class GuestFailure : std::uint32_t {
  DivisionByZero,
  AllocationFailed,
  StackExhausted,
  NullAccess,
  NullCallee,
  Unreachable,
  ThreadNotStarted,
};

}  // namespace gaur::abi

extern "C" {

/// Slow path of allocation. `block`: bytes with prefix; `kind`: BlockKind. Returns the reference (header
/// written, fields zero), or null.
void* gaur_allocate(std::uint64_t header, std::uint64_t block, std::uint32_t kind);
/// A hybrid with `length` elements in its variable part, or null where that cannot be had.
void* gaur_allocateHybrid(std::uint32_t typeIndex, std::uint64_t length);
/// Unwinds to the nearest frame with an exception clause.
[[noreturn]] void gaur_throw(void* exception);
/// gaur_throw(NULL), where the stack is used up.
[[noreturn]] void gaur_stackOverflow();
/// Reports a guest failure at an instruction and ends the thread's program with exit class 6.
[[noreturn]] void gaur_failure(std::uint32_t failure, std::uint32_t instruction);
/// A Mu exception reached a frame of native code.
[[noreturn]] void gaur_escapedException(void* exception);
/// Whether `bytes` more fit on the current stack.
bool gaur_stackSpace(std::uint64_t bytes);

// weakref locations (vm/abi/object.h tells their form). Orders are always SEQ_CST.
void* gaur_weakLoad(std::uint64_t* location);
void gaur_weakStore(std::uint64_t* location, void* value);
/// Returns the old value; `*success` tells.
void* gaur_weakCompareExchange(std::uint64_t* location, void* expected, void* desired, std::uint8_t* success);
void* gaur_weakExchange(std::uint64_t* location, void* value);

/// A native call with aggregates by value. `description`: made by the runtime for the signature; `values`:
/// one pointer an argument.
void gaur_nativeCall(void* description, void* function, void* result, void** values);

void gaur_pin(void* address);
void gaur_unpin(void* address);
/// Native code address of a new exposed function.
void* gaur_expose(gaur::abi::FunctionRecord* function, std::uint64_t cookie);
void gaur_unexpose(void* address);
[[noreturn]] void gaur_threadExit();

/// Arguments and results are ref<@uvm.meta.bytes>.
std::uint32_t gaur_idOf(void* name);
void* gaur_nameOf(std::uint32_t id);
void gaur_loadBundle(void* text);
void gaur_loadHail(void* text);
/// @uvm.irbuilder.*, by its number. `operands`: a word each, shorter values with zeros above. Returns the
/// result, if there is one. Throws NULL where it fails and the instruction has a handler.
std::uint64_t gaur_irBuilder(std::uint32_t instruction, const std::uint64_t* operands);

// @uvm.futex.*; results as there. Expected values are zero-extended; `bytes`: size of the location.
std::int32_t gaur_futexWait(void* location, std::uint64_t expected, std::uint32_t bytes);
std::int32_t gaur_futexWaitTimeout(void* location, std::uint64_t expected, std::uint32_t bytes,
                                   std::uint64_t nanoseconds);
std::int32_t gaur_futexWake(void* location, std::int32_t count);
std::int32_t gaur_futexRequeue(void* source, void* target, std::uint64_t expected, std::uint32_t bytes,
                               std::int32_t count);
/// An exposed function called by native code on no Mu stack: calls it on a new one. Arguments and results lie
/// in memory as for a call from the host.
void gaur_callFromNative(const gaur::abi::ExposedRecord* exposed, const void* arguments, void* results);

/// A stack READY with the parameters of the function; null where there is no memory.
gaur::abi::StackObject* gaur_newStack(gaur::abi::FunctionRecord* function);
void gaur_killStack(gaur::abi::StackObject* stack);
/// A thread that resumes the stack; null where the system gives none.
gaur::abi::ThreadObject* gaur_newThread(gaur::abi::StackObject* stack, void* threadLocal,
                                        const gaur::abi::ResumeImage* image);
// In assembly, with conventions of their own (vm/runtime/transitions_<target>.S): the stack to go to and what
// to pass; the memory for results.
void gaur_swapStack();
void gaur_swapThrow();
void gaur_swapKill();
void gaur_swapKillThrow();
void gaur_trap();
/// A swap to what is not READY: the program has failed.
[[noreturn]] void gaur_refuseSwap(gaur::abi::StackObject* target);
/// @uvm.meta.set_trap_handler.
void gaur_setMuTrapHandler(gaur::abi::FunctionRecord* function, void* userData);

// @uvm.meta.new_cursor to @uvm.meta.push_frame. Cursors are framecursorrefs.
void* gaur_newCursor(gaur::abi::StackObject* stack);
void gaur_nextFrame(void* cursor);
void* gaur_copyCursor(void* cursor);
void gaur_closeCursor(void* cursor);
std::uint32_t gaur_frameFunction(void* cursor);
std::uint32_t gaur_frameVersion(void* cursor);
std::uint32_t gaur_frameInstruction(void* cursor);
/// Returns a ref<@uvm.meta.refs>.
void* gaur_dumpKeepalives(void* cursor);
void gaur_popFramesTo(void* cursor);
void gaur_pushFrame(gaur::abi::StackObject* stack, gaur::abi::FunctionRecord* function);

/// All watchpoints of the VM with the ID, in code that is loaded and in code to come.
void gaur_enableWatchpoint(std::uint32_t watchpoint);
void gaur_disableWatchpoint(std::uint32_t watchpoint);
[[noreturn]] void gaur_notAvailable(std::uint32_t instruction);

}  // extern "C"
