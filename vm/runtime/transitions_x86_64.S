// Transitions on x86-64 (transitions.h). Frame pointers are set wherever C++ is called, so that backtraces pass through.
#if defined(__x86_64__)

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
END gaur_enterStack

ENTRY gaur_callGuarded
  PUSH_CALLEE_SAVED
  movq %rsp, (%rdi)
  movq %rdx, %rdi
  call *%rsi
  xorl %eax, %eax
  jmp .Lreturn
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
  pushq %rbp
  movq %rsp, %rbp
  subq $8, %rsp
  call gaur_noteStackOverflow
  addq $8, %rsp
  popq %rbp
  addq $8, %rsp
  xorl %edi, %edi
  jmp gaur_throw
END __morestack

// Called where an ALLOCA passed the check of gaur_stackSpace and then still found the stack too small.
ENTRY __morestack_allocate_stack_space
  pushq %rbp
  movq %rsp, %rbp
  call gaur_allocaOverflow
END __morestack_allocate_stack_space

ENTRY gaur_lazyEntry
  SAVE_ARGUMENTS
  movq %r10, %rdi
  call gaur_compileFunction
  movq %rax, %r11
  RESTORE_ARGUMENTS
  jmp *%r11
END gaur_lazyEntry

ENTRY gaur_exposedEntry
  movq gaur_currentThread@gottpoff(%rip), %r11
  cmpq $0, %fs:(%r11)
  je 1f
  movq 16(%r10), %r11
  testq %r11, %r11
  je 1f
  jmp *%r11
1:
  SAVE_ARGUMENTS
  movq %r10, %rdi
  call gaur_prepareExposed
  movq %rax, %r11
  RESTORE_ARGUMENTS
  jmp *%r11
END gaur_exposedEntry

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

  .section .note.GNU-stack, "", @progbits
#endif
