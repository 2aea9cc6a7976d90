// Transitions on AArch64 (transitions.h). Prologues there do not check the stack: overflow meets the guard page.
#if defined(__aarch64__)

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

  .section .note.GNU-stack, "", %progbits
#endif
