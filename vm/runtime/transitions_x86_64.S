// Transitions on x86-64 (transitions.h). Frame pointers are set wherever C++ is called, so that backtraces pass through.
#if defined(__x86_64__)
#include "vm/abi/asm_offsets.h"

.macro ENTRY name
  .globl \name
  .type \name, @function
  .p2align 4
\name:
.endm
.macro END name
  .size \name, . - \name
.endm
.macro PUSH_CALLEE_SAVED
  pushq %rbp
  movq %rsp, %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  subq $8, %rsp
.endm
// What PUSH_CALLEE_SAVED did, for who unwinds native frames.
.macro DESCRIBE_CALLEE_SAVED
  .cfi_def_cfa %rbp, 16
  .cfi_offset %rbp, -16
  .cfi_offset %rbx, -24
  .cfi_offset %r12, -32
  .cfi_offset %r13, -40
  .cfi_offset %r14, -48
  .cfi_offset %r15, -56
.endm
// Everything that can hold an argument, and the static chain.
.macro SAVE_ARGUMENTS
  pushq %rbp
  movq %rsp, %rbp
  pushq %rdi
  pushq %rsi
  pushq %rdx
  pushq %rcx
  pushq %r8
  pushq %r9
  pushq %rax
  pushq %r10
  subq $128, %rsp
  movups %xmm0, 0(%rsp)
  movups %xmm1, 16(%rsp)
  movups %xmm2, 32(%rsp)
  movups %xmm3, 48(%rsp)
  movups %xmm4, 64(%rsp)
  movups %xmm5, 80(%rsp)
  movups %xmm6, 96(%rsp)
  movups %xmm7, 112(%rsp)
.endm
.macro RESTORE_ARGUMENTS
  movups 0(%rsp), %xmm0
  movups 16(%rsp), %xmm1
  movups 32(%rsp), %xmm2
  movups 48(%rsp), %xmm3
  movups 64(%rsp), %xmm4
  movups 80(%rsp), %xmm5
  movups 96(%rsp), %xmm6
  movups 112(%rsp), %xmm7
  addq $128, %rsp
  popq %r10
  popq %rax
  popq %r9
  popq %r8
  popq %rcx
  popq %rdx
  popq %rsi
  popq %rdi
  popq %rbp
.endm

  .text

ENTRY gaur_enterStack
  // To who unwinds a stack, this is where it ends.
  .cfi_startproc
  .cfi_undefined %rip
  PUSH_CALLEE_SAVED
  movq %rsp, (%rsi)
  movq %rdi, %rsp
  movq %rcx, %rdi
  call *%rdx
  leaq -48(%rbp), %rsp
  xorl %eax, %eax
.Lreturn:
  addq $8, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .cfi_endproc
END gaur_enterStack

ENTRY gaur_callGuarded
  .cfi_startproc
  PUSH_CALLEE_SAVED
  DESCRIBE_CALLEE_SAVED
  movq %rsp, (%rdi)
  movq %rdx, %rdi
  call *%rsi
  xorl %eax, %eax
  jmp .Lreturn
  .cfi_endproc
END gaur_callGuarded

ENTRY gaur_abandon
  movq %rdi, %rsp
  movl $1, %eax
  jmp .Lreturn
END gaur_abandon

// gaur_throw(exception): the caller's registers, stack pointer and return address are where unwinding begins.
ENTRY gaur_throw
  movq (%rsp), %rax
  leaq 8(%rsp), %rdx
  movq %rdi, %rsi
  subq $72, %rsp
  movq %rbx, 0(%rsp)
  movq %rbp, 8(%rsp)
  movq %r12, 16(%rsp)
  movq %r13, 24(%rsp)
  movq %r14, 32(%rsp)
  movq %r15, 40(%rsp)
  movq %rdx, 48(%rsp)
  movq %rax, 56(%rsp)
  movq %rsp, %rdi
  call gaur_unwind
  // The exception is in rax. The selector in rdx is of no use to anybody, but defined.
  xorl %edx, %edx
  movq 0(%rsp), %rbx
  movq 8(%rsp), %rbp
  movq 16(%rsp), %r12
  movq 24(%rsp), %r13
  movq 32(%rsp), %r14
  movq 40(%rsp), %r15
  movq 56(%rsp), %rcx
  movq 48(%rsp), %rsp
  jmp *%rcx
END gaur_throw

// Called by a prologue that finds the stack too small: at the top of the stack lies an address in that function, then the return address into its
// caller, whose registers are untouched. The overflow is thrown as if by the call there.
ENTRY __morestack
  addq $8, %rsp
  jmp gaur_stackOverflow
END __morestack

// gaur_throw(NULL), for a stack overflow.
ENTRY gaur_stackOverflow
  pushq %rbp
  movq %rsp, %rbp
  call gaur_noteStackOverflow
  popq %rbp
  xorl %edi, %edi
  jmp gaur_throw
END gaur_stackOverflow

// Called where an ALLOCA passed the check of gaur_stackSpace and then still found the stack too small.
ENTRY __morestack_allocate_stack_space
  pushq %rbp
  movq %rsp, %rbp
  call gaur_allocaOverflow
END __morestack_allocate_stack_space

// --- Switching between stacks. Called by compiled code with the convention that keeps only rbp: r12 the stack to go to, r13 where this one wants its
// results if they come in memory, r14 and r15 the words to pass, xmm0 and xmm1 the vectors.

// Sets `to` to the object of the stack that the stack pointer lies in. rax refers to the thread's block.
.macro CURRENT_STACK to, scratch
  movq %rsp, \scratch
  shrq $GAUR_STACK_SLOT_SHIFT, \scratch
  movq GAUR_BLOCK_STACKS(%rax), \to
  movq (\to, \scratch, 8), \to
  movq (\to), \to
.endm
// Checks the target and leaves the current stack, which r11 then refers to, READY. Uses rax, rcx, r11.
.macro LEAVE_STACK refused
  testq %r12, %r12
  je \refused
  cmpq $0, GAUR_STACK_SAVED_POINTER(%r12)
  je \refused
  pushq %rbp
  movq gaur_currentThread@gottpoff(%rip), %rax
  movq %fs:(%rax), %rax
  CURRENT_STACK %r11, %rcx
  movq %r13, GAUR_STACK_VALUE_MEMORY(%r11)
  movq %rsp, GAUR_STACK_SAVED_POINTER(%r11)
.endm
// Binds the thread to the stack in r12 and takes its place, which the field tells.
.macro TAKE_STACK from=GAUR_STACK_SAVED_POINTER
  movq GAUR_STACK_LIMIT(%r12), %rcx
  movq %rcx, %fs:0x70
  movq \from(%r12), %rsp
  movq $0, \from(%r12)
.endm
// The same, going on as the image at rsi tells.
.macro RESUME from=GAUR_STACK_SAVED_POINTER
  movq gaur_currentThread@gottpoff(%rip), %rax
  movq %fs:(%rax), %rax
  cmpq $0, GAUR_IMAGE_THROWS(%rsi)
  jne 1f
  movq GAUR_IMAGE_WORDS(%rsi), %r14
  movq GAUR_IMAGE_WORDS+8(%rsi), %rdx
  movups GAUR_IMAGE_VECTORS(%rsi), %xmm0
  movups GAUR_IMAGE_VECTORS+16(%rsi), %xmm1
  TAKE_STACK \from
  movq $0, GAUR_BLOCK_STACK(%rax)
  movq %r14, %rax
  CONTINUE
1:
  movq GAUR_IMAGE_EXCEPTION(%rsi), %rdi
  TAKE_STACK \from
  movq $0, GAUR_BLOCK_STACK(%rax)
  CONTINUE_THROWING
.endm
// Goes on in the frame that the stack stands at.
.macro CONTINUE
  popq %rbp
  popq %rcx
  jmp *%rcx
.endm
// Throws the exception in rdi as if from the call that the frame waits in.
.macro CONTINUE_THROWING
  popq %rbp
  jmp gaur_throw
.endm
// The stack in r11 is over; the values to pass survive in r14, r15 and on the stack.
.macro BURY
  subq $32, %rsp
  movups %xmm0, (%rsp)
  movups %xmm1, 16(%rsp)
  movq %r11, %rdi
  call gaur_buryStack
  movups (%rsp), %xmm0
  movups 16(%rsp), %xmm1
  addq $32, %rsp
.endm

ENTRY gaur_swapStack
  LEAVE_STACK .Lrefused
  movq GAUR_BLOCK_LEFT_FRAME_POINTER(%rax), %rdi
  movq %rbp, GAUR_BLOCK_LEFT_FRAME_POINTER(%rax)
  TAKE_STACK
  movq %r14, %rax
  movq %r15, %rdx
  cmpq %rdi, (%rsp)
  jne 1f
  // As CONTINUE, but not waiting for the frame pointer to be loaded.
  movq %rdi, %rbp
  addq $16, %rsp
  jmp *-8(%rsp)
1:
  CONTINUE
END gaur_swapStack

// gaur_swapThrow: r14 is the exception.
ENTRY gaur_swapThrow
  LEAVE_STACK .Lrefused
  TAKE_STACK
  movq %r14, %rdi
  CONTINUE_THROWING
END gaur_swapThrow

ENTRY gaur_swapKill
  LEAVE_STACK .Lrefused
  TAKE_STACK
  BURY
  movq %r14, %rax
  movq %r15, %rdx
  CONTINUE
END gaur_swapKill

ENTRY gaur_swapKillThrow
  LEAVE_STACK .Lrefused
  TAKE_STACK
  BURY
  movq %r14, %rdi
  CONTINUE_THROWING
END gaur_swapKillThrow

.Lrefused:
  pushq %rbp
  movq %rsp, %rbp
  movq %r12, %rdi
  call gaur_refuseSwap

// gaur_trap: r12 is where the results are wanted if they come in memory. The handler runs on the native stack of the thread.
ENTRY gaur_trap
  pushq %rbp
  movq gaur_currentThread@gottpoff(%rip), %rax
  movq %fs:(%rax), %rax
  CURRENT_STACK %rdi, %rcx
  movq %r12, GAUR_STACK_VALUE_MEMORY(%rdi)
  movq %rsp, GAUR_STACK_SAVED_POINTER(%rdi)
  movq GAUR_BLOCK_NATIVE_STACK_POINTER(%rax), %rsp
  movq $0, %fs:0x70
  subq $64, %rsp
  movq %rsp, %rsi
  xorl %ebp, %ebp
  // Returns the stack to go on with; the image at rsi tells how.
  call gaur_handleTrap
  movq %rax, %r12
  movq %rsp, %rsi
  RESUME
END gaur_trap

ENTRY gaur_enterResumed
  PUSH_CALLEE_SAVED
  movq %rsp, (%rsi)
  movq %rdi, %r12
  movq %rdx, %rsi
  RESUME GAUR_STACK_LEFT_POINTER
END gaur_enterResumed

// The frame of a function that has not begun: its StartFrame begins 16 bytes below the stack pointer, and the values are in the result registers.
ENTRY gaur_startFrame
  movq (%rsp), %rcx
  movq 8(%rsp), %r12
  movq 16(%rsp), %r13
  movq 24(%rsp), %rdi
  movq %rax, %r14
  movq %rdx, %r15
  subq $16, %rsp
  call *%rcx
  .globl gaur_startReturn
gaur_startReturn:
  movq 48(%rsp), %rsp
  CONTINUE
END gaur_startFrame

// A frame whose callee was popped: its registers lie at the stack pointer, then the place to go on and the stack pointer there.
ENTRY gaur_resumeFrame
  popq %rbx
  popq %r12
  popq %r13
  popq %r14
  popq %r15
  popq %rcx
  movq (%rsp), %rsp
  jmp *%rcx
END gaur_resumeFrame

// The lowest function of a stack has returned.
ENTRY gaur_stackBottom
  xorl %ebp, %ebp
  andq $-16, %rsp
  call gaur_stackReturned
END gaur_stackBottom

ENTRY gaur_lazyEntry
  SAVE_ARGUMENTS
  movq %r10, %rdi
  call gaur_compileFunction
  movq %rax, %r11
  RESTORE_ARGUMENTS
  jmp *%r11
END gaur_lazyEntry

// The static chain refers to the ExposedFunctionData.
ENTRY gaur_exposedEntry
  // To who unwinds a stack, this is where it ends.
  .cfi_startproc
  .cfi_undefined %rip
  movq %fs:GAUR_CURRENT_THREAD_WORD, %rax
  testq %rax, %rax
  je 3f
  cmpq $0, GAUR_BLOCK_NATIVE_STACK_POINTER(%rax)
  jne 2f
  cmpq $0, GAUR_EXPOSED_HOST_ADAPTER(%r10)
  je 2f
  movq GAUR_EXPOSED_VM(%r10), %r11
  cmpq %r11, GAUR_BLOCK_VM(%rax)
  jne 2f
  movq GAUR_BLOCK_HOST_STACK(%rax), %r11
  testq %r11, %r11
  je 2f

  // No Mu code is below: the adapter is called on the stack that the thread keeps for that. Nobody comes back here but by returning, so there is no
  // need of the registers that PUSH_CALLEE_SAVED keeps.
  pushq %rbp
  movq %rsp, %rbp
  pushq %fs:0x70
  subq $8, %rsp
  movq %rsp, GAUR_BLOCK_NATIVE_STACK_POINTER(%rax)
  movq GAUR_STACK_LIMIT(%r11), %rax
  movq %rax, %fs:0x70
  movq GAUR_STACK_TOP(%r11), %rax
  leaq -16(%rax), %rsp
  call *GAUR_EXPOSED_HOST_ADAPTER(%r10)
  // The stack may have gone to another thread meanwhile.
  movq %fs:GAUR_CURRENT_THREAD_WORD, %rcx
  leaq -16(%rbp), %r11
  cmpq %r11, GAUR_BLOCK_NATIVE_STACK_POINTER(%rcx)
  jne 4f
  movq %r11, %rsp
  movq $0, GAUR_BLOCK_NATIVE_STACK_POINTER(%rcx)
  movq GAUR_BLOCK_HOST_STACK(%rcx), %r11
  addq $8, %rsp
  popq %fs:0x70
  cmpl $0, GAUR_STACK_IS_SHARED(%r11)
  jne 1f
  popq %rbp
  ret
1:
  subq $64, %rsp
  movups %xmm0, (%rsp)
  movups %xmm1, 16(%rsp)
  movq %rax, 32(%rsp)
  movq %rdx, 40(%rsp)
  call gaur_replaceHostStack
  movups (%rsp), %xmm0
  movups 16(%rsp), %xmm1
  movq 32(%rsp), %rax
  movq 40(%rsp), %rdx
  movq %rbp, %rsp
  popq %rbp
  ret

2:
  movq GAUR_EXPOSED_ADAPTER(%r10), %r11
  testq %r11, %r11
  je 3f
  jmp *%r11
3:
  SAVE_ARGUMENTS
  movq %r10, %rdi
  call gaur_prepareExposed
  movq %rax, %r11
  RESTORE_ARGUMENTS
  jmp *%r11
4:
  call gaur_stackReturned
  .cfi_endproc
END gaur_exposedEntry

// The LinkedExport is in r10, its image in r11.
ENTRY gaur_resolve_export
  SAVE_ARGUMENTS
  movq %r10, %rdi
  call *GAUR_LINKED_BIND(%r11)
  movq %rax, %r11
  RESTORE_ARGUMENTS
  jmp *%r11
END gaur_resolve_export

// Pushes so many bytes, whole words, of the arguments of a frame that has nothing but the saved frame pointer.
.macro PUSH_STACK_ARGUMENTS bytes, bytes32
8:
  testl \bytes32, \bytes32
  je 9f
  pushq 8(%rbp, \bytes)
  subl $8, \bytes32
  jmp 8b
9:
.endm

ENTRY gaur_hostOnStack
  .cfi_startproc
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register %rbp
  // An even number of words keeps the stack aligned.
  movl GAUR_HOST_STACK_BYTES(%r10), %r11d
  testl $8, %r11d
  jne 1f
  subq $8, %rsp
1:
  pushq GAUR_HOST_ENVIRONMENT(%r10)
  PUSH_STACK_ARGUMENTS %r11, %r11d
  call *GAUR_HOST_CODE(%r10)
  leave
  .cfi_def_cfa %rsp, 8
  ret
  .cfi_endproc
END gaur_hostOnStack

ENTRY gaur_hostOfPlainCall
  .cfi_startproc
  movq GAUR_NATIVE_SLOT_TARGET(%r10), %r11
  addq $GAUR_NATIVE_SLOT_OWN, %r10
  cmpq %r10, %r11
  jne 1f
  // The name has got a plain function since.
  jmp *(%r10)
1:
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register %rbp
  pushq GAUR_NATIVE_SLOT_ADDRESS - GAUR_NATIVE_SLOT_OWN(%r10)
  // An even number of words keeps the stack aligned.
  movl GAUR_HOST_STACK_BYTES(%r11), %r10d
  testl $8, %r10d
  jne 2f
  pushq -8(%rbp)
2:
  PUSH_STACK_ARGUMENTS %r10, %r10d
  call *-8(%rbp)
  leave
  .cfi_def_cfa %rsp, 8
  ret
  .cfi_endproc
END gaur_hostOfPlainCall

ENTRY gaur_hostDisposed
  .cfi_startproc
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register %rbp
  movq %r10, %rdi
  call gaur_callDisposed
  .cfi_endproc
END gaur_hostDisposed

ENTRY gaur_throwAt
  movq 0(%rdi), %rbx
  movq 8(%rdi), %rbp
  movq 16(%rdi), %r12
  movq 24(%rdi), %r13
  movq 32(%rdi), %r14
  movq 40(%rdi), %r15
  movq 48(%rdi), %rsp
  pushq 56(%rdi)
  movq %rsi, %rdi
  jmp gaur_throw
END gaur_throwAt

// Runtime entries that may throw do so with the registers of their caller: the work is done by a function that tells whether it failed.
.macro THROWING_ENTRY name, implementation
ENTRY \name
  pushq %rbp
  movq %rsp, %rbp
  call \implementation
  popq %rbp
  testq %rax, %rax
  je 2f
  ret
2:
  xorl %edi, %edi
  jmp gaur_throw
END \name
.endm

THROWING_ENTRY gaur_expose, gaur_exposeOrNull
THROWING_ENTRY gaur_loadBundle, gaur_loadBundleOrFail
THROWING_ENTRY gaur_loadHail, gaur_loadHailOrFail
THROWING_ENTRY gaur_irBuilder, gaur_irBuilderOrFail

  .section .note.GNU-stack, "", @progbits
#endif
