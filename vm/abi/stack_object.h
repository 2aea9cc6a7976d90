// What compiled code, the assembly and the collector know of a stack, and the shape of its top while it does
// not run. Whatever a READY stack waits in (a call, a swap, a trap, the start of a function), it is resumed
// in one way: README.md, "Stacks".
#pragma once

#include <cstddef>
#include <cstdint>

#include "vm/abi/asm_offsets.h"
#include "vm/abi/object.h"
#include "vm/ir/type.h"

namespace gaur::abi {

struct FunctionRecord;

/// The heap object that a stackref refers to: one for each life of a stack. Marking it marks what the stack
/// holds, conservatively, from savedPointer up to top, or from leftPointer where that is not null.
struct StackObject {
  /// Where the stack stands while it is READY: at a SavedFrame. Null while it is bound to a thread, and once
  /// it is dead.
  void* savedPointer;
  /// One past the last word. The stack pointer never gets here, where the next stack begins: by it the
  /// collector tells stacks apart.
  std::uintptr_t top;
  /// READY: where whoever resumes it stores the values, where they do not travel in registers
  /// (value_passing.h).
  void* valueMemory;
  /// Compiled code does not go below.
  std::uintptr_t limit;
  /// Cookie of the innermost exposed function that is active on it (map, NI-expose); 0 outside of one.
  std::uint64_t cookie;
  /// The runtime's Stack; null once it is dead.
  void* stack;
  /// Where the thread that is bound to it left it to work on its native stack, or will take it up when it
  /// begins; null while it stands on it. Such a stack is bound, whatever else that thread does meanwhile, and
  /// not READY.
  void* leftPointer;
  /// The same as top.
  std::uintptr_t leftTop;
  /// Counts frames popped and pushed from outside, so that who looked at the frames before can tell.
  std::uint32_t edits;
  /// Something has asked for a reference to it, which may outlive what it runs now: 1. Only told of stacks
  /// that are not made by new_stack.
  std::uint32_t isShared;
};
static_assert(offsetof(StackObject, savedPointer) == GAUR_STACK_SAVED_POINTER);
static_assert(offsetof(StackObject, top) == GAUR_STACK_TOP);
static_assert(offsetof(StackObject, valueMemory) == GAUR_STACK_VALUE_MEMORY);
static_assert(offsetof(StackObject, limit) == GAUR_STACK_LIMIT);
static_assert(offsetof(StackObject, leftPointer) == GAUR_STACK_LEFT_POINTER);
static_assert(offsetof(StackObject, isShared) == GAUR_STACK_IS_SHARED);

/// Memory of a stack, which serves one life after the other.
struct StackMemory {
  /// Of the present life; null while the memory is not in use. Hidden from the collector, so it may go while
  /// the stack is not bound.
  StackObject* object = nullptr;
};

/// The address space of stacks, in slots of equal size: from an address in a stack to its object are two
/// loads. Whoever stands on a Mu stack is bound to the one that his stack pointer lies in, and that is
/// written nowhere else.
struct StackTable {
  static constexpr unsigned kSlotShift = GAUR_STACK_SLOT_SHIFT;
  std::uintptr_t begin = 0;
  std::uintptr_t bytes = 0;
  /// By address >> kSlotShift; only elements of addresses from `begin` on exist.
  StackMemory* const* memories = nullptr;
};

/// The heap object that a threadref refers to.
struct ThreadObject {
  /// The runtime's Thread; null once it has ended.
  void* thread;
};

/// The heap object that a framecursorref refers to.
struct FrameCursorObject {
#if defined(__aarch64__)
  static constexpr std::size_t kWords = 26;
#else
  static constexpr std::size_t kWords = 12;
#endif
  /// Keeps the stack alive.
  StackObject* stack;
  /// The rest of the runtime's FrameCursor, which holds no other reference.
  std::uint64_t cursor[kWords];
};

/// The heap object that an irbuilderref refers to.
struct IrBuilderObject {
  /// The runtime's GuestBuilder.
  void* builder;
};

/// Type numbers of runtime objects: beyond those of any type of a program (ir::TypeTable::kMostTypes).
inline constexpr std::uint32_t kStackObjectType = ObjectHeader::kMaxTypeIndex;
inline constexpr std::uint32_t kThreadObjectType = ObjectHeader::kMaxTypeIndex - 1;
inline constexpr std::uint32_t kFrameCursorType = ObjectHeader::kMaxTypeIndex - 2;
inline constexpr std::uint32_t kIrBuilderType = ObjectHeader::kMaxTypeIndex - 3;
inline constexpr std::uint32_t kCodeOwnerType = ObjectHeader::kMaxTypeIndex - 4;  // code_owner.h
inline constexpr std::uint32_t kFirstRuntimeType = kCodeOwnerType;
static_assert(ir::TypeTable::kMostTypes <= kFirstRuntimeType);

/// The top of a READY stack, at StackObject::savedPointer, a multiple of 16. Resuming pops both, with the
/// values in the result registers, or goes to gaur_throw instead of `pc`, as if the call that returns to `pc`
/// threw.
struct SavedFrame {
  void* framePointer;
  /// Return address of a swap or trap in compiled code; gaur_startFrame, gaur_resumeFrame or
  /// gaur_stackBottom.
  void* pc;
};

/// pc = gaur_startFrame: a function that has not begun (new_stack, push_frame).
struct StartFrame {
  SavedFrame saved;
  /// Code that passes values on as arguments (jit::Compiler::startAdapter).
  void* adapter;
  FunctionRecord* record;
  /// Where values that do not travel in registers come in.
  void* valueMemory;
  /// StackObject::valueMemory of the frame below: where the results go if they do not travel in registers.
  void* belowMemory;
  /// The frame that gets the results.
  SavedFrame* below;
  void* padding;
};
static_assert(sizeof(StartFrame) % 16 == 0);

/// pc = gaur_resumeFrame: a frame that was uncovered by popping those above it. Its registers, and where it
/// goes on.
struct alignas(16) ResumeFrame {
  SavedFrame saved;
#if defined(__aarch64__)
  std::uintptr_t calleeSaved[10];   // x19 to x28
  std::uintptr_t floatingPoint[8];  // d8 to d15
#else
  std::uintptr_t calleeSaved[5];  // rbx, r12 to r15
#endif
  std::uintptr_t pc;
  /// Stack pointer to go on with; the callee has popped its arguments.
  std::uintptr_t stackPointer;
  /// Of an adapter, which goes on for the native frame that called it: that of the function whose results it
  /// waits for. Null of other code.
  const ir::Signature* signature;
};
static_assert(sizeof(ResumeFrame) % 16 == 0);

/// What a READY stack is resumed with, where it is not compiled code that does it: the result registers
/// (value_passing.h), or an exception.
struct ResumeImage {
  std::uint64_t words[2];
  alignas(16) unsigned char vectors[2][16];
  void* exception;
  std::uint64_t throws;
};
static_assert(offsetof(ResumeImage, words) == GAUR_IMAGE_WORDS &&
              offsetof(ResumeImage, vectors) == GAUR_IMAGE_VECTORS);
static_assert(offsetof(ResumeImage, exception) == GAUR_IMAGE_EXCEPTION &&
              offsetof(ResumeImage, throws) == GAUR_IMAGE_THROWS);

}  // namespace gaur::abi
