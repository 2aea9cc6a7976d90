// Transitions on AArch64 (transitions.h).
#if defined(__aarch64__)
#include "vm/abi/asm_offsets.h"

.macro ENTRY name
  .globl \name
  .type \name, %function
  .p2align 4
\name:
.endm
.macro END name
  .size \name, . - \name
.endm
.macro PUSH_CALLEE_SAVED
  stp x29, x30, [sp, #-160]!
  mov x29, sp
  stp x19, x20, [sp, #16]
  stp x21, x22, [sp, #32]
  stp x23, x24, [sp, #48]
  stp x25, x26, [sp, #64]
  stp x27, x28, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
.endm
// Everything that can hold an argument, the indirect result and the static chain.
.macro SAVE_ARGUMENTS
  stp x29, x30, [sp, #-224]!
  mov x29, sp
  stp x0, x1, [sp, #16]
  stp x2, x3, [sp, #32]
  stp x4, x5, [sp, #48]
  stp x6, x7, [sp, #64]
  stp x8, x18, [sp, #80]
  stp q0, q1, [sp, #96]
  stp q2, q3, [sp, #128]
  stp q4, q5, [sp, #160]
  stp q6, q7, [sp, #192]
.endm
.macro RESTORE_ARGUMENTS
  ldp x0, x1, [sp, #16]
  ldp x2, x3, [sp, #32]
  ldp x4, x5, [sp, #48]
  ldp x6, x7, [sp, #64]
  ldp x8, x18, [sp, #80]
  ldp q0, q1, [sp, #96]
  ldp q2, q3, [sp, #128]
  ldp q4, q5, [sp, #160]
  ldp q6, q7, [sp, #192]
  ldp x29, x30, [sp], #224
.endm

  .text

ENTRY gaur_enterStack
  PUSH_CALLEE_SAVED
  mov x9, sp
  str x9, [x1]
  mov sp, x0
  mov x0, x3
  blr x2
  mov sp, x29
  mov w0, #0
.Lreturn:
  ldp x19, x20, [sp, #16]
  ldp x21, x22, [sp, #32]
  ldp x23, x24, [sp, #48]
  ldp x25, x26, [sp, #64]
  ldp x27, x28, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  ldp x29, x30, [sp], #160
  ret
END gaur_enterStack

ENTRY gaur_callGuarded
  PUSH_CALLEE_SAVED
  mov x9, sp
  str x9, [x0]
  mov x0, x2
  blr x1
  mov w0, #0
  b .Lreturn
END gaur_callGuarded

ENTRY gaur_abandon
  mov sp, x0
  mov w0, #1
  b .Lreturn
END gaur_abandon

// gaur_throw(exception): the caller's registers, stack pointer and return address are where unwinding begins.
ENTRY gaur_throw
  mov x9, sp
  mov x1, x0
  sub sp, sp, #176
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  stp x9, x30, [sp, #160]
  mov x0, sp
  bl gaur_unwind
  mov x1, #0
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  ldp x9, x10, [sp, #160]
  mov sp, x9
  br x10
END gaur_throw

// gaur_throw(NULL), for a stack overflow.
ENTRY gaur_stackOverflow
  stp x29, x30, [sp, #-16]!
  mov x29, sp
  bl gaur_noteStackOverflow
  ldp x29, x30, [sp], #16
  mov x0, xzr
  b gaur_throw
END gaur_stackOverflow

// --- Switching between stacks. Called by compiled code with the convention that keeps only x29 and x30: x20 the stack to go to, x21 where this one wants
// its results if they come in memory, x22 and x23 the words to pass, v0 and v1 the vectors.

// The thread's block, in x9. Uses x10.
.macro CURRENT_THREAD
  adrp x9, :gottprel:gaur_currentThread
  ldr x9, [x9, #:gottprel_lo12:gaur_currentThread]
  mrs x10, tpidr_el0
  ldr x9, [x9, x10]
.endm
// Sets `to` to the object of the stack that the stack pointer lies in. x9 refers to the thread's block. Uses x10.
.macro CURRENT_STACK to
  mov x10, sp
  lsr x10, x10, #GAUR_STACK_SLOT_SHIFT
  ldr \to, [x9, #GAUR_BLOCK_STACKS]
  ldr \to, [\to, x10, lsl #3]
  ldr \to, [\to]
.endm
// Checks the target and leaves the current stack, which x11 then refers to, READY.
.macro LEAVE_STACK refused
  cbz x20, \refused
  ldr x9, [x20, #GAUR_STACK_SAVED_POINTER]
  cbz x9, \refused
  stp x29, x30, [sp, #-16]!
  CURRENT_THREAD
  CURRENT_STACK x11
  str x21, [x11, #GAUR_STACK_VALUE_MEMORY]
  mov x10, sp
  str x10, [x11, #GAUR_STACK_SAVED_POINTER]
.endm
// Binds the thread to the stack in x20 and takes its place, which the field tells.
.macro TAKE_STACK from=GAUR_STACK_SAVED_POINTER
  ldr x10, [x20, #\from]
  mov sp, x10
  str xzr, [x20, #\from]
.endm
// The same, going on as the image at x19 tells.
.macro RESUME from=GAUR_STACK_SAVED_POINTER
  CURRENT_THREAD
  ldr x10, [x19, #GAUR_IMAGE_THROWS]
  cbnz x10, 1f
  ldp x22, x23, [x19, #GAUR_IMAGE_WORDS]
  ldp q0, q1, [x19, #GAUR_IMAGE_VECTORS]
  TAKE_STACK \from
  str xzr, [x9, #GAUR_BLOCK_STACK]
  mov x0, x22
  mov x1, x23
  CONTINUE
1:
  ldr x0, [x19, #GAUR_IMAGE_EXCEPTION]
  TAKE_STACK \from
  str xzr, [x9, #GAUR_BLOCK_STACK]
  CONTINUE_THROWING
.endm
// Goes on in the frame that the stack stands at.
.macro CONTINUE
  ldp x29, x30, [sp], #16
  br x30
.endm
// Throws the exception in x0 as if from the call that the frame waits in.
.macro CONTINUE_THROWING
  ldp x29, x30, [sp], #16
  b gaur_throw
.endm
// The stack in x11 is over; the values to pass survive in x22, x23 and on the stack.
.macro BURY
  stp q0, q1, [sp, #-32]!
  mov x0, x11
  bl gaur_buryStack
  ldp q0, q1, [sp], #32
.endm

ENTRY gaur_swapStack
  LEAVE_STACK .Lrefused
  TAKE_STACK
  mov x0, x22
  mov x1, x23
  CONTINUE
END gaur_swapStack

// gaur_swapThrow: x22 is the exception.
ENTRY gaur_swapThrow
  LEAVE_STACK .Lrefused
  TAKE_STACK
  mov x0, x22
  CONTINUE_THROWING
END gaur_swapThrow

ENTRY gaur_swapKill
  LEAVE_STACK .Lrefused
  TAKE_STACK
  BURY
  mov x0, x22
  mov x1, x23
  CONTINUE
END gaur_swapKill

ENTRY gaur_swapKillThrow
  LEAVE_STACK .Lrefused
  TAKE_STACK
  BURY
  mov x0, x22
  CONTINUE_THROWING
END gaur_swapKillThrow

.Lrefused:
  stp x29, x30, [sp, #-16]!
  mov x29, sp
  mov x0, x20
  bl gaur_refuseSwap

// gaur_trap: x20 is where the results are wanted if they come in memory. The handler runs on the native stack of the thread.
ENTRY gaur_trap
  stp x29, x30, [sp, #-16]!
  CURRENT_THREAD
  CURRENT_STACK x0
  str x20, [x0, #GAUR_STACK_VALUE_MEMORY]
  mov x10, sp
  str x10, [x0, #GAUR_STACK_SAVED_POINTER]
  ldr x10, [x9, #GAUR_BLOCK_NATIVE_STACK_POINTER]
  sub sp, x10, #64
  mov x1, sp
  mov x29, xzr
  // Returns the stack to go on with; the image at x19 tells how.
  bl gaur_handleTrap
  mov x20, x0
  mov x19, sp
  RESUME
END gaur_trap

ENTRY gaur_enterResumed
  PUSH_CALLEE_SAVED
  mov x9, sp
  str x9, [x1]
  mov x20, x0
  mov x19, x2
  RESUME GAUR_STACK_LEFT_POINTER
END gaur_enterResumed

// The frame of a function that has not begun: its StartFrame begins 16 bytes below the stack pointer, and the values are in the result registers.
ENTRY gaur_startFrame
  ldp x9, x20, [sp]
  ldp x21, x24, [sp, #16]
  mov x22, x0
  mov x23, x1
  sub sp, sp, #16
  blr x9
  .globl gaur_startReturn
gaur_startReturn:
  ldr x9, [sp, #48]
  mov sp, x9
  CONTINUE
END gaur_startFrame

// A frame whose callee was popped: its registers lie at the stack pointer, then the place to go on and the stack pointer there.
ENTRY gaur_resumeFrame
  ldp x19, x20, [sp], #16
  ldp x21, x22, [sp], #16
  ldp x23, x24, [sp], #16
  ldp x25, x26, [sp], #16
  ldp x27, x28, [sp], #16
  ldp d8, d9, [sp], #16
  ldp d10, d11, [sp], #16
  ldp d12, d13, [sp], #16
  ldp d14, d15, [sp], #16
  ldp x9, x10, [sp]
  mov sp, x10
  br x9
END gaur_resumeFrame

// The lowest function of a stack has returned.
ENTRY gaur_stackBottom
  mov x29, xzr
  bl gaur_stackReturned
END gaur_stackBottom

ENTRY gaur_lazyEntry
  SAVE_ARGUMENTS
  mov x0, x18
  bl gaur_compileFunction
  mov x16, x0
  RESTORE_ARGUMENTS
  br x16
END gaur_lazyEntry

ENTRY gaur_exposedEntry
  adrp x16, :gottprel:gaur_currentThread
  ldr x16, [x16, #:gottprel_lo12:gaur_currentThread]
  mrs x17, tpidr_el0
  ldr x16, [x16, x17]
  cbz x16, 1f
  ldr x16, [x18, #16]
  cbz x16, 1f
  br x16
1:
  SAVE_ARGUMENTS
  mov x0, x18
  bl gaur_prepareExposed
  mov x16, x0
  RESTORE_ARGUMENTS
  br x16
END gaur_exposedEntry

// The LinkedExport is in x17.
ENTRY gaur_resolve_export
  SAVE_ARGUMENTS
  mov x0, x17
  ldr x16, [x17, #GAUR_EXPORT_IMAGE]
  ldr x16, [x16, #GAUR_LINKED_BIND]
  blr x16
  mov x16, x0
  RESTORE_ARGUMENTS
  br x16
END gaur_resolve_export

// Copies so many bytes, whole words, to the stack pointer.
.macro COPY_STACK_ARGUMENTS from, bytes, word
8:
  cbz \bytes, 9f
  sub \bytes, \bytes, #8
  ldr \word, [\from, \bytes]
  str \word, [sp, \bytes]
  b 8b
9:
.endm

ENTRY gaur_hostOnStack
  .cfi_startproc
  stp x29, x30, [sp, #-16]!
  .cfi_def_cfa_offset 16
  .cfi_offset x29, -16
  .cfi_offset x30, -8
  mov x29, sp
  .cfi_def_cfa x29, 16
  ldr w9, [x18, #GAUR_HOST_STACK_BYTES]
  add x10, x9, #23
  and x10, x10, #-16
  sub sp, sp, x10
  ldr x11, [x18, #GAUR_HOST_ENVIRONMENT]
  str x11, [sp, x9]
  add x10, x29, #16
  COPY_STACK_ARGUMENTS x10, x9, x11
  ldr x16, [x18, #GAUR_HOST_CODE]
  blr x16
  mov sp, x29
  ldp x29, x30, [sp], #16
  .cfi_def_cfa sp, 0
  .cfi_restore x29
  .cfi_restore x30
  ret
  .cfi_endproc
END gaur_hostOnStack

ENTRY gaur_hostOfPlainCall
  .cfi_startproc
  ldr x9, [x18, #GAUR_NATIVE_SLOT_TARGET]
  add x10, x18, #GAUR_NATIVE_SLOT_OWN
  cmp x9, x10
  b.ne 1f
  // The name has got a plain function since.
  ldr x16, [x10]
  br x16
1:
  stp x29, x30, [sp, #-32]!
  .cfi_def_cfa_offset 32
  .cfi_offset x29, -32
  .cfi_offset x30, -24
  mov x29, sp
  .cfi_def_cfa x29, 32
  ldr x16, [x18, #GAUR_NATIVE_SLOT_ADDRESS]
  str x16, [sp, #16]
  ldr w10, [x9, #GAUR_HOST_STACK_BYTES]
  add x11, x10, #15
  and x11, x11, #-16
  sub sp, sp, x11
  add x11, x29, #32
  COPY_STACK_ARGUMENTS x11, x10, x12
  blr x16
  mov sp, x29
  ldp x29, x30, [sp], #32
  .cfi_def_cfa sp, 0
  .cfi_restore x29
  .cfi_restore x30
  ret
  .cfi_endproc
END gaur_hostOfPlainCall

ENTRY gaur_hostDisposed
  .cfi_startproc
  stp x29, x30, [sp, #-16]!
  .cfi_def_cfa_offset 16
  .cfi_offset x29, -16
  .cfi_offset x30, -8
  mov x29, sp
  .cfi_def_cfa x29, 16
  mov x0, x18
  bl gaur_callDisposed
  .cfi_endproc
END gaur_hostDisposed

ENTRY gaur_throwAt
  mov x9, x0
  mov x0, x1
  ldp x19, x20, [x9, #0]
  ldp x21, x22, [x9, #16]
  ldp x23, x24, [x9, #32]
  ldp x25, x26, [x9, #48]
  ldp x27, x28, [x9, #64]
  ldr x29, [x9, #80]
  ldp d8, d9, [x9, #96]
  ldp d10, d11, [x9, #112]
  ldp d12, d13, [x9, #128]
  ldp d14, d15, [x9, #144]
  ldr x10, [x9, #160]
  ldr x30, [x9, #168]
  mov sp, x10
  b gaur_throw
END gaur_throwAt

// Runtime entries that may throw do so with the registers of their caller: the work is done by a function that tells whether it failed.
.macro THROWING_ENTRY name, implementation
ENTRY \name
  stp x29, x30, [sp, #-16]!
  mov x29, sp
  bl \implementation
  ldp x29, x30, [sp], #16
  cbz x0, 2f
  ret
2:
  b gaur_throw
END \name
.endm

THROWING_ENTRY gaur_expose, gaur_exposeOrNull
THROWING_ENTRY gaur_loadBundle, gaur_loadBundleOrFail
THROWING_ENTRY gaur_loadHail, gaur_loadHailOrFail
THROWING_ENTRY gaur_irBuilder, gaur_irBuilderOrFail

  .section .note.GNU-stack, "", %progbits
#endif
