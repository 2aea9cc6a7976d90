/* clang-format off */
/* The Mu client interface: how a C program, or anything that can call C, embeds a Mu virtual machine. Every function is a member of one of three
 * structures: MuVM (a machine), MuCtx (a holder of values for one thread), MuIRBuilder (code under construction). Members have the places that
 * clients of 2017 know, so that such clients run unmodified; what Gaur adds stands behind the last of them. gaur.h makes machines.
 *
 * Values. A MuValue, or one of the types below it, is an opaque handle. The context that returned it owns it, and keeps alive what it refers to, until
 *   delete_value or close_context. It is good for that context only. Every function that returns a value returns a new handle.
 * Errors. Wrong arguments (NULL, a handle that is deleted or of another context, a value of the wrong type, an ID that names nothing) change nothing:
 *   the function returns NULL or 0, and the error is kept for MuVM.get_error and told to the error handler. Where a member below says "error",
 *   this happens.
 * Threads. A MuVM serves any number of threads at once. A context, its handles, and a builder serve one thread at a time (but id_of and
 *   name_of of a context are those of its machine); another one that is in a call is told so, an error. A thread is attached to
 *   the machine by its first call, until it ends or detaches. Unless a member says so, it may be called anywhere: from the host, in a trap handler,
 *   in native code that Mu code called.
 * Arrays. A pointer and a count: where the count is 0 the pointer may be NULL. Nothing is kept of them after the call.
 * Optional arguments are marked in the comments after MUAPIPARSER, which generators of bindings read: `p:array:n` says that n counts the elements
 *   of p; `optional`, that NULL or 0 stands for none; `out`, that the function writes there.
 * Chapters named below are those of the Mu specification. */
#ifndef MU_MUAPI_H
#define MU_MUAPI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Handles (chapter "Client interface"). Names tell people, not the compiler, what is expected. ---- */

typedef void *MuValue;                 /* any value */
typedef MuValue MuIntValue;            /* int<n> */
typedef MuValue MuFloatValue;          /* float */
typedef MuValue MuDoubleValue;         /* double */
typedef MuValue MuUPtrValue;           /* uptr<T> */
typedef MuValue MuUFPValue;            /* ufuncptr<sig> */
typedef MuValue MuStructValue;         /* struct<...> */
typedef MuValue MuSeqValue;            /* array<T n> or vector<T n> */
typedef MuSeqValue MuArrayValue;
typedef MuSeqValue MuVectorValue;
typedef MuValue MuGenRefValue;         /* a reference that can be NULL in Mu; its handle is never NULL */
typedef MuGenRefValue MuRefValue;      /* ref<T> */
typedef MuGenRefValue MuIRefValue;     /* iref<T> */
typedef MuGenRefValue MuTagRef64Value; /* tagref64 */
typedef MuGenRefValue MuFuncRefValue;  /* funcref<sig> */
typedef MuGenRefValue MuThreadRefValue;/* threadref */
typedef MuGenRefValue MuStackRefValue; /* stackref */
typedef MuGenRefValue MuFCRefValue;    /* framecursorref */
typedef MuGenRefValue MuIBRefValue;    /* irbuilderref; C programs use MuIRBuilder instead */

/* ---- Plain types ---- */

typedef char *MuCString;               /* ends with NUL */
typedef uint32_t MuID;                 /* of anything that can be named; chapter "Identifiers and names" */
typedef MuCString MuName;              /* global name; a leading @ may be left out */
#define MU_NO_ID ((MuID)0)

typedef void *MuCPtr;
#if defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#endif
typedef void MuCFPFunc();              /* any function */
#if defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC diagnostic pop
#endif
typedef MuCFPFunc *MuCFP;
typedef int MuBool;                    /* 0 is false */
typedef uintptr_t MuArraySize;
typedef uint32_t MuWPID;               /* names a set of watchpoints; 0 stands for a TRAP */
typedef uint32_t MuFlag;

typedef struct MuVM MuVM;
typedef struct MuCtx MuCtx;
typedef struct MuIRBuilder MuIRBuilder;

/* ---- Traps (chapter "Threads and stacks") ---- */

typedef MuFlag MuTrapHandlerResult;
#define MU_THREAD_EXIT        ((MuTrapHandlerResult)0x00) /* the thread ends; the stack stays READY */
#define MU_REBIND_PASS_VALUES ((MuTrapHandlerResult)0x01) /* *new_stack goes on, with *values */
#define MU_REBIND_THROW_EXC   ((MuTrapHandlerResult)0x02) /* *new_stack goes on by throwing *exception */

/* Called by the machine after it has copied the values of MU_REBIND_PASS_VALUES. */
typedef void MuValuesFreerFunc(MuValue *values, MuCPtr freerdata);
typedef MuValuesFreerFunc *MuValuesFreer;

/* Called on the thread that ran into a TRAP, an enabled WATCHPOINT (wpid is its ID) or a function without a version. `ctx` and its handles last until
 * the handler returns. `stack` is READY: it can be looked into, changed, killed. On entry *result is MU_THREAD_EXIT, *new_stack the trapped
 * stack, *nvalues 0, *freer and *exception NULL. Handles in outputs belong to `ctx`. Handlers can run in several threads at once. */
typedef void MuTrapHandlerFunc(MuCtx *ctx, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid, MuTrapHandlerResult *result, MuStackRefValue *new_stack, MuValue **values, MuArraySize *nvalues, MuValuesFreer *freer, MuCPtr *freerdata, MuRefValue *exception, MuCPtr userdata);
typedef MuTrapHandlerFunc *MuTrapHandler;

/* ---- Errors: of Gaur ---- */

typedef struct MuError {
    MuCString code;     /* such as "A0003": stable; `gaur errors` lists them all */
    MuCString message;  /* one line, or for bundles a report with a line for each mistake */
    uint32_t line;      /* of the first mistake in the text, from 1; 0 where there is no text */
    uint32_t column;
} MuError;
/* Called on the thread that made the error, before the function returns. It may call the machine; `error` lasts until it returns, and stays what get_error tells. */
typedef void MuErrorHandlerFunc(MuVM *mvm, MuError *error, MuCPtr userdata);
typedef MuErrorHandlerFunc *MuErrorHandler;

/* ---- Host functions: of Gaur ---- */

/* Called once for each host function with an environment, when nothing can call it any more: on a thread that is in a call of the machine, or closes it, with no lock held.
 * It may call the machine. */
typedef void MuHostFinaliserFunc(MuCPtr environment);
typedef MuHostFinaliserFunc *MuHostFinaliser;

/* ---- Operators, orders, conventions (chapter "Instruction set") ---- */

typedef MuFlag MuBinOpStatus; /* flags of binary operations: negative, zero, unsigned overflow or borrow, signed overflow */
#define MU_BOS_N ((MuBinOpStatus)0x01)
#define MU_BOS_Z ((MuBinOpStatus)0x02)
#define MU_BOS_C ((MuBinOpStatus)0x04)
#define MU_BOS_V ((MuBinOpStatus)0x08)

typedef MuFlag MuBinOptr;
#define MU_BINOP_ADD  ((MuBinOptr)0x01)
#define MU_BINOP_SUB  ((MuBinOptr)0x02)
#define MU_BINOP_MUL  ((MuBinOptr)0x03)
#define MU_BINOP_SDIV ((MuBinOptr)0x04)
#define MU_BINOP_SREM ((MuBinOptr)0x05)
#define MU_BINOP_UDIV ((MuBinOptr)0x06)
#define MU_BINOP_UREM ((MuBinOptr)0x07)
#define MU_BINOP_SHL  ((MuBinOptr)0x08)
#define MU_BINOP_LSHR ((MuBinOptr)0x09)
#define MU_BINOP_ASHR ((MuBinOptr)0x0A)
#define MU_BINOP_AND  ((MuBinOptr)0x0B)
#define MU_BINOP_OR   ((MuBinOptr)0x0C)
#define MU_BINOP_XOR  ((MuBinOptr)0x0D)
#define MU_BINOP_FADD ((MuBinOptr)0xB0)
#define MU_BINOP_FSUB ((MuBinOptr)0xB1)
#define MU_BINOP_FMUL ((MuBinOptr)0xB2)
#define MU_BINOP_FDIV ((MuBinOptr)0xB3)
#define MU_BINOP_FREM ((MuBinOptr)0xB4)

typedef MuFlag MuCmpOptr;
#define MU_CMP_EQ     ((MuCmpOptr)0x20)
#define MU_CMP_NE     ((MuCmpOptr)0x21)
#define MU_CMP_SGE    ((MuCmpOptr)0x22)
#define MU_CMP_SGT    ((MuCmpOptr)0x23)
#define MU_CMP_SLE    ((MuCmpOptr)0x24)
#define MU_CMP_SLT    ((MuCmpOptr)0x25)
#define MU_CMP_UGE    ((MuCmpOptr)0x26)
#define MU_CMP_UGT    ((MuCmpOptr)0x27)
#define MU_CMP_ULE    ((MuCmpOptr)0x28)
#define MU_CMP_ULT    ((MuCmpOptr)0x29)
#define MU_CMP_FFALSE ((MuCmpOptr)0xC0)
#define MU_CMP_FTRUE  ((MuCmpOptr)0xC1)
#define MU_CMP_FUNO   ((MuCmpOptr)0xC2)
#define MU_CMP_FUEQ   ((MuCmpOptr)0xC3)
#define MU_CMP_FUNE   ((MuCmpOptr)0xC4)
#define MU_CMP_FUGT   ((MuCmpOptr)0xC5)
#define MU_CMP_FUGE   ((MuCmpOptr)0xC6)
#define MU_CMP_FULT   ((MuCmpOptr)0xC7)
#define MU_CMP_FULE   ((MuCmpOptr)0xC8)
#define MU_CMP_FORD   ((MuCmpOptr)0xC9)
#define MU_CMP_FOEQ   ((MuCmpOptr)0xCA)
#define MU_CMP_FONE   ((MuCmpOptr)0xCB)
#define MU_CMP_FOGT   ((MuCmpOptr)0xCC)
#define MU_CMP_FOGE   ((MuCmpOptr)0xCD)
#define MU_CMP_FOLT   ((MuCmpOptr)0xCE)
#define MU_CMP_FOLE   ((MuCmpOptr)0xCF)

typedef MuFlag MuConvOptr;
#define MU_CONV_TRUNC   ((MuConvOptr)0x30)
#define MU_CONV_ZEXT    ((MuConvOptr)0x31)
#define MU_CONV_SEXT    ((MuConvOptr)0x32)
#define MU_CONV_FPTRUNC ((MuConvOptr)0x33)
#define MU_CONV_FPEXT   ((MuConvOptr)0x34)
#define MU_CONV_FPTOUI  ((MuConvOptr)0x35)
#define MU_CONV_FPTOSI  ((MuConvOptr)0x36)
#define MU_CONV_UITOFP  ((MuConvOptr)0x37)
#define MU_CONV_SITOFP  ((MuConvOptr)0x38)
#define MU_CONV_BITCAST ((MuConvOptr)0x39)
#define MU_CONV_REFCAST ((MuConvOptr)0x3A)
#define MU_CONV_PTRCAST ((MuConvOptr)0x3B)

typedef MuFlag MuMemOrd; /* chapter "Memory model" */
#define MU_ORD_NOT_ATOMIC ((MuMemOrd)0x00)
#define MU_ORD_RELAXED    ((MuMemOrd)0x01)
#define MU_ORD_CONSUME    ((MuMemOrd)0x02)
#define MU_ORD_ACQUIRE    ((MuMemOrd)0x03)
#define MU_ORD_RELEASE    ((MuMemOrd)0x04)
#define MU_ORD_ACQ_REL    ((MuMemOrd)0x05)
#define MU_ORD_SEQ_CST    ((MuMemOrd)0x06)

typedef MuFlag MuAtomicRMWOptr;
#define MU_ARMW_XCHG ((MuAtomicRMWOptr)0x00)
#define MU_ARMW_ADD  ((MuAtomicRMWOptr)0x01)
#define MU_ARMW_SUB  ((MuAtomicRMWOptr)0x02)
#define MU_ARMW_AND  ((MuAtomicRMWOptr)0x03)
#define MU_ARMW_NAND ((MuAtomicRMWOptr)0x04)
#define MU_ARMW_OR   ((MuAtomicRMWOptr)0x05)
#define MU_ARMW_XOR  ((MuAtomicRMWOptr)0x06)
#define MU_ARMW_MAX  ((MuAtomicRMWOptr)0x07)
#define MU_ARMW_MIN  ((MuAtomicRMWOptr)0x08)
#define MU_ARMW_UMAX ((MuAtomicRMWOptr)0x09)
#define MU_ARMW_UMIN ((MuAtomicRMWOptr)0x0A)

typedef MuFlag MuCallConv;
#define MU_CC_DEFAULT ((MuCallConv)0x00)

typedef MuFlag MuCommInst; /* numbers at the end of this file */

/* ---- A machine. gaur_new and mu_fastimpl_new make one. ---- */

struct MuVM {
    void *header; /* the machine's own */

    /* A new context; close_context ends it. Errors: out of memory. */
    MuCtx* (*new_context)(MuVM *mvm);
    /* The ID of what a loaded bundle calls `name`, also of predefined things such as "uvm.new_stack". Error and 0: unknown. */
    MuID (*id_of)(MuVM *mvm, MuName name);
    /* The name with its @; NULL where the entity has none. Belongs to the machine, for good. Error: no such entity. */
    MuName (*name_of)(MuVM *mvm, MuID id);
    /* From now on traps call this handler; NULL: none, and a trap ends its thread's program with a report. */
    void (*set_trap_handler)(MuVM *mvm, MuTrapHandler trap_handler, MuCPtr userdata); /// MUAPIPARSER trap_handler:optional;userdata:optional
    /* Makes a shared object `lib_name`, in the folder of the option aot-emit-dir, of all that is loaded and the heap that global cells lead to. Each
     * function whose name is a C identifier, if it has a version and C can pass its values, and each exposed function is a C function there. extra_srcs
     * are C sources that become part of it. The machine is not changed; the shared object has one of its own in each process that calls it
     * (gaur_start_image). Error: no C compiler or linker, or it fails; the message has its words. */
    void (*compile_to_sharedlib)(MuVM *mvm, MuCString lib_name, MuCString *extra_srcs, MuArraySize n_extra_srcs); /// MUAPIPARSER extra_srcs:array:n_extra_srcs
    /* Attaches the thread, and makes the object at this address, or NULL, its thread-local. Only needed to set the latter. */
    void (*current_thread_as_mu_thread)(MuVM *mvm, MuCPtr threadlocal); /// MUAPIPARSER threadlocal:optional

    /* Behind this line: additions of Gaur. gaur_api_level tells how far they go. Level 1: */

    /* Waits for all Mu threads, then gives the machine up, with its contexts; pointers and handles to it are then no good. Not from Mu threads. */
    void (*close)(MuVM *mvm);
    /* Waits until no thread made by new_thread_* or NEWTHREAD is left. */
    void (*execute)(MuVM *mvm);
    /* Attaches the calling thread; nothing where it is attached. */
    void (*attach_current_thread)(MuVM *mvm);
    /* Detaches the calling thread. Error: it runs Mu code. */
    void (*detach_current_thread)(MuVM *mvm);
    /* Whether the calling thread has made an error since clear_error; if so, *error tells the last. Texts last until its next error. */
    MuBool (*get_error)(MuVM *mvm, MuError *error); /// MUAPIPARSER error:out;error:optional
    /* Forgets the error of the calling thread. */
    void (*clear_error)(MuVM *mvm);
    /* From now on errors call this handler too; NULL: none. */
    void (*set_error_handler)(MuVM *mvm, MuErrorHandler error_handler, MuCPtr userdata); /// MUAPIPARSER error_handler:optional;userdata:optional
    /* A word that becomes 1 with each error in any thread; the client may set it to 0. Lasts as long as the machine. */
    int* (*get_mu_error_ptr)(MuVM *mvm);

    /* Level 2: */

    /* The context of the calling thread, for native code that Mu code called and that has none at hand: the same each time, until the thread detaches. Handles made with
     * it last until they are deleted. Not to be closed: error. */
    MuCtx* (*current_context)(MuVM *mvm);
    /* Collects garbage now, and runs the finalisers of host functions that are found dead. */
    void (*collect)(MuVM *mvm);
};

/* ---- A context ---- */

struct MuCtx {
    void *header; /* the machine's own; NULL once it is closed */

    /* As in MuVM. */
    MuID (*id_of)(MuCtx *ctx, MuName name);
    MuName (*name_of)(MuCtx *ctx, MuID id);
    /* Gives up all handles and pins of the context. Not for the context of a trap handler: error. */
    void (*close_context)(MuCtx *ctx);
    /* Loads a bundle from text (chapter "Intermediate representation"), all or nothing. Error: the text is wrong; the message lists the mistakes. */
    void (*load_bundle)(MuCtx *ctx, char *buf, MuArraySize sz); /// MUAPIPARSER buf:array:sz
    /* Evaluates a HAIL script (chapter "Heap allocation and initialisation language"): allocates its objects, then initialises in the order of the
     * text; all of it is done on return. The machine keeps nothing of the text. Error: the script is wrong, or memory is exhausted; then nothing is
     * initialised, and the message lists the mistakes. */
    void (*load_hail)(MuCtx *ctx, char *buf, MuArraySize sz); /// MUAPIPARSER buf:array:sz

    /* --- From C values --- An int<len> that has the number's low bits, the sign repeated or zeros above. Error: len is not from 1 to 4096. */
    MuIntValue (*handle_from_sint8)(MuCtx *ctx, int8_t num, int len);
    MuIntValue (*handle_from_uint8)(MuCtx *ctx, uint8_t num, int len);
    MuIntValue (*handle_from_sint16)(MuCtx *ctx, int16_t num, int len);
    MuIntValue (*handle_from_uint16)(MuCtx *ctx, uint16_t num, int len);
    MuIntValue (*handle_from_sint32)(MuCtx *ctx, int32_t num, int len);
    MuIntValue (*handle_from_uint32)(MuCtx *ctx, uint32_t num, int len);
    MuIntValue (*handle_from_sint64)(MuCtx *ctx, int64_t num, int len);
    MuIntValue (*handle_from_uint64)(MuCtx *ctx, uint64_t num, int len);
    /* The same from words, the lowest first; zeros above the last. */
    MuIntValue (*handle_from_uint64s)(MuCtx *ctx, uint64_t *nums, MuArraySize nnums, int len); /// MUAPIPARSER nums:array:nnums
    MuFloatValue (*handle_from_float)(MuCtx *ctx, float num);
    MuDoubleValue (*handle_from_double)(MuCtx *ctx, double num);
    /* mu_type: ID of a type uptr<T>, or ufuncptr<sig>. */
    MuUPtrValue (*handle_from_ptr)(MuCtx *ctx, MuID mu_type, MuCPtr ptr); /// MUAPIPARSER ptr:optional
    MuUFPValue (*handle_from_fp)(MuCtx *ctx, MuID mu_type, MuCFP fp); /// MUAPIPARSER fp:optional

    /* --- To C values --- The low bits of an int of any length; a shorter one is extended by its sign, or by zeros. */
    int8_t (*handle_to_sint8)(MuCtx *ctx, MuIntValue opnd);
    uint8_t (*handle_to_uint8)(MuCtx *ctx, MuIntValue opnd);
    int16_t (*handle_to_sint16)(MuCtx *ctx, MuIntValue opnd);
    uint16_t (*handle_to_uint16)(MuCtx *ctx, MuIntValue opnd);
    int32_t (*handle_to_sint32)(MuCtx *ctx, MuIntValue opnd);
    uint32_t (*handle_to_uint32)(MuCtx *ctx, MuIntValue opnd);
    int64_t (*handle_to_sint64)(MuCtx *ctx, MuIntValue opnd);
    uint64_t (*handle_to_uint64)(MuCtx *ctx, MuIntValue opnd);
    float (*handle_to_float)(MuCtx *ctx, MuFloatValue opnd);
    double (*handle_to_double)(MuCtx *ctx, MuDoubleValue opnd);
    MuCPtr (*handle_to_ptr)(MuCtx *ctx, MuUPtrValue opnd);
    MuCFP (*handle_to_fp)(MuCtx *ctx, MuUFPValue opnd);

    /* --- From what bundles define --- Error: the ID is none of such an entity. */
    MuValue (*handle_from_const)(MuCtx *ctx, MuID id);       /* also composite ones and EXTERN; error: no such symbol */
    MuIRefValue (*handle_from_global)(MuCtx *ctx, MuID id);  /* iref<T> of the cell */
    MuFuncRefValue (*handle_from_func)(MuCtx *ctx, MuID id); /* also of a function without a version */
    MuValue (*handle_from_expose)(MuCtx *ctx, MuID id);      /* ufuncptr<sig> */

    /* Gives the handle up. */
    void (*delete_value)(MuCtx *ctx, MuValue opnd);

    /* Whether two references of one kind (ref, iref, funcref, threadref, stackref, framecursorref, irbuilderref) are the same. */
    MuBool (*ref_eq)(MuCtx *ctx, MuGenRefValue lhs, MuGenRefValue rhs);
    /* Whether one iref lies before the other; says something for two in one array. */
    MuBool (*ref_ult)(MuCtx *ctx, MuIRefValue lhs, MuIRefValue rhs);

    /* --- Composite values --- Fields from 0. insert_*: a copy with another field or element, of exactly its type. Indices of elements are
     * unsigned. Error: no such field or element. */
    MuValue (*extract_value)(MuCtx *ctx, MuStructValue str, int index);
    MuStructValue (*insert_value)(MuCtx *ctx, MuStructValue str, int index, MuValue newval);
    MuValue (*extract_element)(MuCtx *ctx, MuSeqValue str, MuIntValue index);
    MuSeqValue (*insert_element)(MuCtx *ctx, MuSeqValue str, MuIntValue index, MuValue newval);

    /* --- Heap --- ref<T> of a new object full of zeros. NULL where memory is exhausted, an error too. `length` is unsigned. */
    MuRefValue (*new_fixed)(MuCtx *ctx, MuID mu_type);
    MuRefValue (*new_hybrid)(MuCtx *ctx, MuID mu_type, MuIntValue length);

    /* The same reference with another referent or signature: ref to ref, iref to iref, funcref to funcref. new_type: ID of the new type. */
    MuGenRefValue (*refcast)(MuCtx *ctx, MuGenRefValue opnd, MuID new_type);

    /* --- Addressing (chapter "Memory") --- As the instructions GETIREF to GETVARPARTIREF. Indices and offsets are signed; elements of
     * arrays and vectors. Error: NULL operand, no such field. */
    MuIRefValue (*get_iref)(MuCtx *ctx, MuRefValue opnd);
    MuIRefValue (*get_field_iref)(MuCtx *ctx, MuIRefValue opnd, int field);
    MuIRefValue (*get_elem_iref)(MuCtx *ctx, MuIRefValue opnd, MuIntValue index);
    MuIRefValue (*shift_iref)(MuCtx *ctx, MuIRefValue opnd, MuIntValue offset);
    MuIRefValue (*get_var_part_iref)(MuCtx *ctx, MuIRefValue opnd);

    /* --- Memory access (chapter "Memory model") --- Error: NULL location, an order that the operation cannot have, an atomic access of a type that
     * has none, a value of another type than the location's. A weakref location gives and takes ref<T>. */
    MuValue (*load)(MuCtx *ctx, MuMemOrd ord, MuIRefValue loc);
    void (*store)(MuCtx *ctx, MuMemOrd ord, MuIRefValue loc, MuValue newval);
    /* Returns the value found; *is_succ tells whether it was as expected and has been replaced. */
    MuValue (*cmpxchg)(MuCtx *ctx, MuMemOrd ord_succ, MuMemOrd ord_fail, MuBool weak, MuIRefValue loc, MuValue expected, MuValue desired, MuBool *is_succ); /// MUAPIPARSER is_succ:out
    /* Returns the value before. */
    MuValue (*atomicrmw)(MuCtx *ctx, MuMemOrd ord, MuAtomicRMWOptr op, MuIRefValue loc, MuValue opnd);
    void (*fence)(MuCtx *ctx, MuMemOrd ord);

    /* --- Threads and stacks (chapter "Threads and stacks") --- */
    /* A stack READY for the parameters of the function. NULL where memory is exhausted. It lives as long as something refers to it. */
    MuStackRefValue (*new_stack)(MuCtx *ctx, MuFuncRefValue func);
    /* A thread that goes on with a READY stack, which gets the values; their number and types must be those it waits for. */
    MuThreadRefValue (*new_thread_nor)(MuCtx *ctx, MuStackRefValue stack, MuRefValue threadlocal, MuValue *vals, MuArraySize nvals); /// MUAPIPARSER threadlocal:optional;vals:array:nvals
    /* A thread that goes on with a READY stack by throwing there. */
    MuThreadRefValue (*new_thread_exc)(MuCtx *ctx, MuStackRefValue stack, MuRefValue threadlocal, MuRefValue exc); /// MUAPIPARSER threadlocal:optional
    /* A READY stack becomes dead; its memory is given up. */
    void (*kill_stack)(MuCtx *ctx, MuStackRefValue stack);
    /* The thread-local of the thread; in a trap handler, of the trapped thread only. */
    void (*set_threadlocal)(MuCtx *ctx, MuThreadRefValue thread, MuRefValue threadlocal);
    MuRefValue (*get_threadlocal)(MuCtx *ctx, MuThreadRefValue thread);

    /* --- Looking into a READY stack --- A cursor stands at a frame, first at the top one, and is good until the stack goes on or is changed below it.
     * Error: the stack is not READY, the cursor is closed or has left the stack. */
    MuFCRefValue (*new_cursor)(MuCtx *ctx, MuStackRefValue stack);
    void (*next_frame)(MuCtx *ctx, MuFCRefValue cursor);      /* towards the bottom; error: there is none */
    MuFCRefValue (*copy_cursor)(MuCtx *ctx, MuFCRefValue cursor);
    void (*close_cursor)(MuCtx *ctx, MuFCRefValue cursor);
    MuID (*cur_func)(MuCtx *ctx, MuFCRefValue cursor);        /* 0 for native frames */
    MuID (*cur_func_ver)(MuCtx *ctx, MuFCRefValue cursor);    /* 0 also for a function without a version */
    MuID (*cur_inst)(MuCtx *ctx, MuFCRefValue cursor);        /* 0 also for a function that has not begun */
    /* Writes a handle for each value of the frame's KEEPALIVE clause; the caller knows how many. Of a function without a version: its arguments. */
    void (*dump_keepalives)(MuCtx *ctx, MuFCRefValue cursor, MuValue *results); /// MUAPIPARSER results:out

    /* --- On-stack replacement --- Frames above the cursor's are gone; it is READY for the results of the instruction it stands at. */
    void (*pop_frames_to)(MuCtx *ctx, MuFCRefValue cursor);
    /* A new top frame that begins the function; its results go to the frame below. Error: that one waits for other types. */
    void (*push_frame)(MuCtx *ctx, MuStackRefValue stack, MuFuncRefValue func);

    /* --- tagref64 --- Errors: tr64_to_* of a value of another form; from_int wants int<52>, tags are int<6>. */
    MuBool (*tr64_is_fp)(MuCtx *ctx, MuTagRef64Value value);
    MuBool (*tr64_is_int)(MuCtx *ctx, MuTagRef64Value value);
    MuBool (*tr64_is_ref)(MuCtx *ctx, MuTagRef64Value value);
    MuDoubleValue (*tr64_to_fp)(MuCtx *ctx, MuTagRef64Value value);
    MuIntValue (*tr64_to_int)(MuCtx *ctx, MuTagRef64Value value);
    MuRefValue (*tr64_to_ref)(MuCtx *ctx, MuTagRef64Value value); /* ref<void> */
    MuIntValue (*tr64_to_tag)(MuCtx *ctx, MuTagRef64Value value);
    MuTagRef64Value (*tr64_from_fp)(MuCtx *ctx, MuDoubleValue value);
    MuTagRef64Value (*tr64_from_int)(MuCtx *ctx, MuIntValue value);
    MuTagRef64Value (*tr64_from_ref)(MuCtx *ctx, MuRefValue ref, MuIntValue tag);

    /* All watchpoints of this ID, of code loaded later too, in all threads, for executions that begin later. Error: 0. */
    void (*enable_watchpoint)(MuCtx *ctx, MuWPID wpid);
    void (*disable_watchpoint)(MuCtx *ctx, MuWPID wpid);

    /* --- Native interface --- `loc` is a ref<T> or iref<T>; the address has type uptr<T>. The context counts its pins. Error: unpin of what it has not pinned. */
    MuUPtrValue (*pin)(MuCtx *ctx, MuValue loc);
    void (*unpin)(MuCtx *ctx, MuValue loc);
    MuUPtrValue (*get_addr)(MuCtx *ctx, MuValue loc); /* good while something else pins it; cells are always */
    /* A ufuncptr<sig> that native code can call, until unexpose. cookie: int<64>. Error: NULL function, unknown convention. */
    MuValue (*expose)(MuCtx *ctx, MuFuncRefValue func, MuCallConv call_conv, MuIntValue cookie);
    void (*unexpose)(MuCtx *ctx, MuCallConv call_conv, MuValue value);

    /* A new builder, with nothing in it. load or abort ends it; it does not end with the context. */
    MuIRBuilder* (*new_ir_builder)(MuCtx *ctx);

    /* Writes a boot image: the entities of the whitelist, with all that they, the objects they reach, and the primordial function or stack need. A process that starts
     * from it (`gaur run FILE`, gaur_load_image) calls the function, with (argc, argv) where it takes them, or resumes the READY stack, which waits for these or for
     * nothing; both are optional. Stacks go along with their frames and values, where none of them is of native code; those that threads are on cannot. reloc_fields:
     * as add_ptr_reloc, for this image. sym_fields[i] refers to a global cell or a part of one: in objects,
     * shared objects and programs it is the C variable sym_strings[i]; what else it refers to gives a warning, and in other images it has no effect. EXTERN constants are looked up when a process starts. The machine is not changed; nobody may change
     * it meanwhile. Errors: an unknown ID, a field of another type, a reference that an image cannot hold, the file cannot be written; then a file of that name stays
     * as it was. (Chapter "Boot images".) */
    void (*make_boot_image)(MuCtx *ctx, MuID *whitelist, MuArraySize whitelist_sz, MuFuncRefValue primordial_func, MuStackRefValue primordial_stack, MuRefValue primordial_threadlocal, MuIRefValue *sym_fields, MuCString *sym_strings, MuArraySize nsyms, MuIRefValue *reloc_fields, MuCString *reloc_strings, MuArraySize nrelocs, MuCString output_file); /// MUAPIPARSER whitelist:array:whitelist_sz;sym_fields:array:nsyms;sym_strings:array:nsyms;reloc_fields:array:nrelocs;reloc_strings:array:nrelocs;primordial_func:optional;primordial_stack:optional;primordial_threadlocal:optional

    /* --- Additions of Gaur behind the slots of 2017 (levels as in MuVM). Level 1 --- */

    /* `field` is an iref<uptr<T>> or iref<ufuncptr<sig>> into a heap object or a global cell. Nothing changes now; in every image made from here on the field has the
     * address of `symbol`, looked up each time a process starts from the image; where there is no such symbol, the process does not start, unless a '?' stands behind
     * the name ("symbol?"): then the field is NULL. Given again for a field,
     * the later symbol counts. The entry goes when the object dies, that of a cell never. Error: another type, NULL, memory of ALLOCA. */
    void (*add_ptr_reloc)(MuCtx *ctx, MuIRefValue field, MuCString symbol);

    /* --- Level 2: host functions (api/README.md, "Host functions") --- Native code with an environment of its own, which Mu code calls by CCALL and native code through a
     * pointer. It stays as long as its pointer is in any Mu value or handle, a name is bound to it, it is pinned, or a frame is in it. */

    /* A new one. sig: ID of a signature; code: a C function with these parameters, then the environment. finaliser gets the environment exactly once, at the end;
     * NULL: it needs none. name is for messages. Error: a signature that C does not have; then the finaliser will not run. */
    MuUFPValue (*new_host_function)(MuCtx *ctx, MuID sig, MuCFP code, MuCPtr environment, MuHostFinaliser finaliser, MuCString name); /// MUAPIPARSER environment:optional;finaliser:optional;name:optional
    /* Ends it, whatever refers to it: a later call throws NULL where the CCALL has an EXC clause, else is a failure that tells its name. The finaliser runs as soon as
     * no frame is in it: before this returns, where the calling thread is the only one attached, runs no Mu code, and there are no stacks; else after a collection.
     * func: its pointer. Error: no pointer of a host function, or disposed already. */
    void (*dispose_host_function)(MuCtx *ctx, MuUFPValue func);
    /* The pointer, for native code to keep: good until as many calls of unpin_host_function. Pins are the machine's, not the context's. */
    MuCFP (*pin_host_function)(MuCtx *ctx, MuUFPValue func);
    void (*unpin_host_function)(MuCtx *ctx, MuUFPValue func);
    /* From now on `name` stands for func, a host function's pointer or any other, before the process and its libraries: for EXTERN constants, also in code that runs
     * already. A bound host function stays until the name is bound anew. NULL: again what libraries say; code that calls a name which stands for nothing fails. */
    void (*bind_symbol)(MuCtx *ctx, MuCString name, MuUFPValue func); /// MUAPIPARSER func:optional
    /* In native code that Mu code called, on its stack: the function, version and instruction that did. 0 and error: nobody. */
    MuBool (*get_caller)(MuCtx *ctx, MuID *func, MuID *func_ver, MuID *inst); /// MUAPIPARSER func:out;func_ver:out;inst:out
    /* The same: goes back to that instruction, which throws exc (NULL: NULL in Mu), and gives its handle up. Native frames on the way are gone as by longjmp. Returns only with an error. */
    void (*throw_exception)(MuCtx *ctx, MuRefValue exc); /// MUAPIPARSER exc:optional
    /* A weakref<T>: a handle that keeps nothing alive, so that an environment may refer to an object that refers to its function. */
    MuValue (*weak_ref)(MuCtx *ctx, MuRefValue ref);
    /* What it refers to; NULL in Mu once that is gone. */
    MuRefValue (*strong_ref)(MuCtx *ctx, MuValue weakref);

    /* --- Level 2: bundles that come and go --- */

    /* As load_bundle, of a bundle that unload takes out again. */
    void (*load_collectible)(MuCtx *ctx, char *buf, MuArraySize sz); /// MUAPIPARSER buf:array:sz
    /* The bundle that the builder, which has not ended, is going to load can be unloaded. */
    void (*make_collectible)(MuCtx *ctx, MuIRBuilder *b);
    /* Unloads the collectible bundle that brought the top-level entity. Its names are free at once, also for the next version of the bundle, and its IDs are nobody's.
     * Its code, IR, constants, cells and all else go when the last way to it is gone: funcrefs, irefs to its cells, exposed functions (until unexpose), frames, and
     * bundles that name its entities; a permanent bundle that does keeps it for good. Native code must not call what it exposes by definition any more. Error:
     * the entity is of no collectible bundle, or of one that is unloaded. */
    void (*unload)(MuCtx *ctx, MuID member);
    /* What keeps a function, a version or a global cell of a bundle that was unloaded, or a version that was superseded: the shortest way to it, a line a step, from
     * the root (a cell, handle, pin, stack with the frame, ...) through the objects on it. Other entities stay for good, and the text says so. Good until the
     * next call of why with this context. Collects. Error: there is no such ID. */
    MuCString (*why)(MuCtx *ctx, MuID entity);
    /* The same of a host function, whose pointer func is: a name that is bound to it, a pin, or the shortest way from a root; the handle func itself does not count.
     * Good as long as that of why. Error: no pointer of a host function. */
    MuCString (*why_host_function)(MuCtx *ctx, MuUFPValue func);
    /* What why or why_host_function told last with this context, as JSON: {"permanent":true|false,"path":["the root",...]}, where path has the steps one by one.
     * permanent: it stays for good; without it, nothing reaches what has an empty path. Good as long as that. Error: they have told nothing yet. */
    MuCString (*why_json)(MuCtx *ctx);
};

/* ---- A builder: one bundle. IDs of what it makes and refers to; anything may be referred to before it is made. ----
 * Any number of builders may be in use at once; IDs count for all of them. Definitions come in any order; what belongs together is checked by load.
 * Errors of a call are a NULL array, an ID that gen_sym has not given, and numbers that stand for nothing; then load fails too.
 * Results that nobody uses may have MU_NO_ID, or be left out all together where they come as an array. Instructions and blocks that no block or
 * function lists are left out. */

typedef MuID MuTypeNode;        /* type */
typedef MuID MuFuncSigNode;     /* function signature */
typedef MuID MuVarNode;         /* any operand: what MuGlobalVarNode and MuLocalVarNode are */
typedef MuID MuGlobalVarNode;   /* constant, global cell, function, exposed function */
typedef MuID MuLocalVarNode;    /* parameter, result of an instruction */
typedef MuID MuConstNode;       /* constant */
typedef MuID MuFuncNode;        /* function */
typedef MuID MuFuncVerNode;     /* function version */
typedef MuID MuBBNode;          /* basic block */
typedef MuID MuInstNode;        /* instruction */
typedef MuID MuDestClause;      /* block with arguments */
typedef MuID MuExcClause;       /* EXC(...) */
typedef MuID MuKeepaliveClause; /* KEEPALIVE(...) */
typedef MuID MuCurStackClause;  /* RET_WITH or KILL_OLD */
typedef MuID MuNewStackClause;  /* PASS_VALUES or THROW_EXC */

struct MuIRBuilder {
    void *header; /* the machine's own */

    /* Checks and loads the bundle, all or nothing, and ends the builder, also with an error: something is wrong; the message lists the mistakes, each
     * with the name or ID of what is wrong. Any call of a builder that has ended is an error. */
    void (*load)(MuIRBuilder *b);
    /* Ends the builder; nothing of the bundle stays. */
    void (*abort)(MuIRBuilder *b);
    /* An ID for something new, or the ID of what has this name already: loaded, or in this builder. NULL: a new one without a name. */
    MuID (*gen_sym)(MuIRBuilder *b, MuCString name); /// MUAPIPARSER name:optional

    /* --- Types (chapter "Type system") --- `id` is always the ID, of gen_sym, that the new thing gets. */
    void (*new_type_int)(MuIRBuilder *b, MuID id, int len);
    void (*new_type_float)(MuIRBuilder *b, MuID id);
    void (*new_type_double)(MuIRBuilder *b, MuID id);
    void (*new_type_uptr)(MuIRBuilder *b, MuID id, MuTypeNode ty);
    void (*new_type_ufuncptr)(MuIRBuilder *b, MuID id, MuFuncSigNode sig);
    void (*new_type_struct)(MuIRBuilder *b, MuID id, MuTypeNode *fieldtys, MuArraySize nfieldtys); /// MUAPIPARSER fieldtys:array:nfieldtys
    void (*new_type_hybrid)(MuIRBuilder *b, MuID id, MuTypeNode *fixedtys, MuArraySize nfixedtys, MuTypeNode varty); /// MUAPIPARSER fixedtys:array:nfixedtys
    void (*new_type_array)(MuIRBuilder *b, MuID id, MuTypeNode elemty, uint64_t len);
    void (*new_type_vector)(MuIRBuilder *b, MuID id, MuTypeNode elemty, uint64_t len);
    void (*new_type_void)(MuIRBuilder *b, MuID id);
    void (*new_type_ref)(MuIRBuilder *b, MuID id, MuTypeNode ty);
    void (*new_type_iref)(MuIRBuilder *b, MuID id, MuTypeNode ty);
    void (*new_type_weakref)(MuIRBuilder *b, MuID id, MuTypeNode ty);
    void (*new_type_funcref)(MuIRBuilder *b, MuID id, MuFuncSigNode sig);
    void (*new_type_tagref64)(MuIRBuilder *b, MuID id);
    void (*new_type_threadref)(MuIRBuilder *b, MuID id);
    void (*new_type_stackref)(MuIRBuilder *b, MuID id);
    void (*new_type_framecursorref)(MuIRBuilder *b, MuID id);
    void (*new_type_irbuilderref)(MuIRBuilder *b, MuID id);
    void (*new_funcsig)(MuIRBuilder *b, MuID id, MuTypeNode *paramtys, MuArraySize nparamtys, MuTypeNode *rettys, MuArraySize nrettys); /// MUAPIPARSER paramtys:array:nparamtys;rettys:array:nrettys

    /* --- Constants --- */
    void (*new_const_int)(MuIRBuilder *b, MuID id, MuTypeNode ty, uint64_t value); /* int of up to 64 bits, uptr, ufuncptr */
    void (*new_const_int_ex)(MuIRBuilder *b, MuID id, MuTypeNode ty, uint64_t *values, MuArraySize nvalues); /// MUAPIPARSER values:array:nvalues
    void (*new_const_float)(MuIRBuilder *b, MuID id, MuTypeNode ty, float value);
    void (*new_const_double)(MuIRBuilder *b, MuID id, MuTypeNode ty, double value);
    void (*new_const_null)(MuIRBuilder *b, MuID id, MuTypeNode ty); /* of reference types; raw pointers take new_const_int */
    void (*new_const_seq)(MuIRBuilder *b, MuID id, MuTypeNode ty, MuGlobalVarNode *elems, MuArraySize nelems); /// MUAPIPARSER elems:array:nelems
    void (*new_const_extern)(MuIRBuilder *b, MuID id, MuTypeNode ty, MuCString symbol); /* address of a native symbol */

    /* --- Cells and functions --- */
    void (*new_global_cell)(MuIRBuilder *b, MuID id, MuTypeNode ty);
    void (*new_func)(MuIRBuilder *b, MuID id, MuFuncSigNode sig);
    void (*new_exp_func)(MuIRBuilder *b, MuID id, MuFuncNode func, MuCallConv callconv, MuConstNode cookie);
    /* The first block is the entry. */
    void (*new_func_ver)(MuIRBuilder *b, MuID id, MuFuncNode func, MuBBNode *bbs, MuArraySize nbbs); /// MUAPIPARSER bbs:array:nbbs
    void (*new_bb)(MuIRBuilder *b, MuID id, MuID *nor_param_ids, MuTypeNode *nor_param_types, MuArraySize n_nor_params, MuID exc_param_id, MuInstNode *insts, MuArraySize ninsts); /// MUAPIPARSER nor_param_ids:array:n_nor_params;nor_param_types:array:n_nor_params;exc_param_id:optional;insts:array:ninsts

    /* --- Clauses --- */
    void (*new_dest_clause)(MuIRBuilder *b, MuID id, MuBBNode dest, MuVarNode *vars, MuArraySize nvars); /// MUAPIPARSER vars:array:nvars
    void (*new_exc_clause)(MuIRBuilder *b, MuID id, MuDestClause nor, MuDestClause exc);
    void (*new_keepalive_clause)(MuIRBuilder *b, MuID id, MuLocalVarNode *vars, MuArraySize nvars); /// MUAPIPARSER vars:array:nvars
    void (*new_csc_ret_with)(MuIRBuilder *b, MuID id, MuTypeNode *rettys, MuArraySize nrettys); /// MUAPIPARSER rettys:array:nrettys
    void (*new_csc_kill_old)(MuIRBuilder *b, MuID id);
    void (*new_nsc_pass_values)(MuIRBuilder *b, MuID id, MuTypeNode *tys, MuVarNode *vars, MuArraySize ntysvars); /// MUAPIPARSER tys:array:ntysvars;vars:array:ntysvars
    void (*new_nsc_throw_exc)(MuIRBuilder *b, MuID id, MuVarNode exc);

    /* --- Instructions (chapter "Instruction set") --- Results get the IDs given for them. `refty` of memory operations is the referent's type; `is_ptr`
     * says that the location is a uptr. */
    void (*new_binop)(MuIRBuilder *b, MuID id, MuID result_id, MuBinOptr optr, MuTypeNode ty, MuVarNode opnd1, MuVarNode opnd2, MuExcClause exc_clause); /// MUAPIPARSER exc_clause:optional
    void (*new_binop_with_status)(MuIRBuilder *b, MuID id, MuID result_id, MuID *status_result_ids, MuArraySize n_status_result_ids, MuBinOptr optr, MuBinOpStatus status_flags, MuTypeNode ty, MuVarNode opnd1, MuVarNode opnd2, MuExcClause exc_clause); /// MUAPIPARSER status_result_ids:array:n_status_result_ids;exc_clause:optional
    void (*new_cmp)(MuIRBuilder *b, MuID id, MuID result_id, MuCmpOptr optr, MuTypeNode ty, MuVarNode opnd1, MuVarNode opnd2);
    void (*new_conv)(MuIRBuilder *b, MuID id, MuID result_id, MuConvOptr optr, MuTypeNode from_ty, MuTypeNode to_ty, MuVarNode opnd);
    void (*new_select)(MuIRBuilder *b, MuID id, MuID result_id, MuTypeNode cond_ty, MuTypeNode opnd_ty, MuVarNode cond, MuVarNode if_true, MuVarNode if_false);
    void (*new_branch)(MuIRBuilder *b, MuID id, MuDestClause dest);
    void (*new_branch2)(MuIRBuilder *b, MuID id, MuVarNode cond, MuDestClause if_true, MuDestClause if_false);
    void (*new_switch)(MuIRBuilder *b, MuID id, MuTypeNode opnd_ty, MuVarNode opnd, MuDestClause default_dest, MuConstNode *cases, MuDestClause *dests, MuArraySize ncasesdests); /// MUAPIPARSER cases:array:ncasesdests;dests:array:ncasesdests
    void (*new_call)(MuIRBuilder *b, MuID id, MuID *result_ids, MuArraySize n_result_ids, MuFuncSigNode sig, MuVarNode callee, MuVarNode *args, MuArraySize nargs, MuExcClause exc_clause, MuKeepaliveClause keepalive_clause); /// MUAPIPARSER result_ids:array:n_result_ids;args:array:nargs;exc_clause:optional;keepalive_clause:optional
    void (*new_tailcall)(MuIRBuilder *b, MuID id, MuFuncSigNode sig, MuVarNode callee, MuVarNode *args, MuArraySize nargs); /// MUAPIPARSER args:array:nargs
    void (*new_ret)(MuIRBuilder *b, MuID id, MuVarNode *rvs, MuArraySize nrvs); /// MUAPIPARSER rvs:array:nrvs
    void (*new_throw)(MuIRBuilder *b, MuID id, MuVarNode exc);
    void (*new_extractvalue)(MuIRBuilder *b, MuID id, MuID result_id, MuTypeNode strty, int index, MuVarNode opnd);
    void (*new_insertvalue)(MuIRBuilder *b, MuID id, MuID result_id, MuTypeNode strty, int index, MuVarNode opnd, MuVarNode newval);
    void (*new_extractelement)(MuIRBuilder *b, MuID id, MuID result_id, MuTypeNode seqty, MuTypeNode indty, MuVarNode opnd, MuVarNode index);
    void (*new_insertelement)(MuIRBuilder *b, MuID id, MuID result_id, MuTypeNode seqty, MuTypeNode indty, MuVarNode opnd, MuVarNode index, MuVarNode newval);
    void (*new_shufflevector)(MuIRBuilder *b, MuID id, MuID result_id, MuTypeNode vecty, MuTypeNode maskty, MuVarNode vec1, MuVarNode vec2, MuVarNode mask);
    void (*new_new)(MuIRBuilder *b, MuID id, MuID result_id, MuTypeNode allocty, MuExcClause exc_clause); /// MUAPIPARSER exc_clause:optional
    void (*new_newhybrid)(MuIRBuilder *b, MuID id, MuID result_id, MuTypeNode allocty, MuTypeNode lenty, MuVarNode length, MuExcClause exc_clause); /// MUAPIPARSER exc_clause:optional
    void (*new_alloca)(MuIRBuilder *b, MuID id, MuID result_id, MuTypeNode allocty, MuExcClause exc_clause); /// MUAPIPARSER exc_clause:optional
    void (*new_allocahybrid)(MuIRBuilder *b, MuID id, MuID result_id, MuTypeNode allocty, MuTypeNode lenty, MuVarNode length, MuExcClause exc_clause); /// MUAPIPARSER exc_clause:optional
    void (*new_getiref)(MuIRBuilder *b, MuID id, MuID result_id, MuTypeNode refty, MuVarNode opnd);
    void (*new_getfieldiref)(MuIRBuilder *b, MuID id, MuID result_id, MuBool is_ptr, MuTypeNode refty, int index, MuVarNode opnd);
    void (*new_getelemiref)(MuIRBuilder *b, MuID id, MuID result_id, MuBool is_ptr, MuTypeNode refty, MuTypeNode indty, MuVarNode opnd, MuVarNode index);
    void (*new_shiftiref)(MuIRBuilder *b, MuID id, MuID result_id, MuBool is_ptr, MuTypeNode refty, MuTypeNode offty, MuVarNode opnd, MuVarNode offset);
    void (*new_getvarpartiref)(MuIRBuilder *b, MuID id, MuID result_id, MuBool is_ptr, MuTypeNode refty, MuVarNode opnd);
    void (*new_load)(MuIRBuilder *b, MuID id, MuID result_id, MuBool is_ptr, MuMemOrd ord, MuTypeNode refty, MuVarNode loc, MuExcClause exc_clause); /// MUAPIPARSER exc_clause:optional
    void (*new_store)(MuIRBuilder *b, MuID id, MuBool is_ptr, MuMemOrd ord, MuTypeNode refty, MuVarNode loc, MuVarNode newval, MuExcClause exc_clause); /// MUAPIPARSER exc_clause:optional
    void (*new_cmpxchg)(MuIRBuilder *b, MuID id, MuID value_result_id, MuID succ_result_id, MuBool is_ptr, MuBool is_weak, MuMemOrd ord_succ, MuMemOrd ord_fail, MuTypeNode refty, MuVarNode loc, MuVarNode expected, MuVarNode desired, MuExcClause exc_clause); /// MUAPIPARSER exc_clause:optional
    void (*new_atomicrmw)(MuIRBuilder *b, MuID id, MuID result_id, MuBool is_ptr, MuMemOrd ord, MuAtomicRMWOptr optr, MuTypeNode ref_ty, MuVarNode loc, MuVarNode opnd, MuExcClause exc_clause); /// MUAPIPARSER exc_clause:optional
    void (*new_fence)(MuIRBuilder *b, MuID id, MuMemOrd ord);
    void (*new_trap)(MuIRBuilder *b, MuID id, MuID *result_ids, MuTypeNode *rettys, MuArraySize nretvals, MuExcClause exc_clause, MuKeepaliveClause keepalive_clause); /// MUAPIPARSER result_ids:array:nretvals;rettys:array:nretvals;exc_clause:optional;keepalive_clause:optional
    void (*new_watchpoint)(MuIRBuilder *b, MuID id, MuWPID wpid, MuID *result_ids, MuTypeNode *rettys, MuArraySize nretvals, MuDestClause dis, MuDestClause ena, MuDestClause exc, MuKeepaliveClause keepalive_clause); /// MUAPIPARSER result_ids:array:nretvals;rettys:array:nretvals;exc:optional;keepalive_clause:optional
    void (*new_wpbranch)(MuIRBuilder *b, MuID id, MuWPID wpid, MuDestClause dis, MuDestClause ena);
    void (*new_ccall)(MuIRBuilder *b, MuID id, MuID *result_ids, MuArraySize n_result_ids, MuCallConv callconv, MuTypeNode callee_ty, MuFuncSigNode sig, MuVarNode callee, MuVarNode *args, MuArraySize nargs, MuExcClause exc_clause, MuKeepaliveClause keepalive_clause); /// MUAPIPARSER result_ids:array:n_result_ids;args:array:nargs;exc_clause:optional;keepalive_clause:optional
    void (*new_newthread)(MuIRBuilder *b, MuID id, MuID result_id, MuVarNode stack, MuVarNode threadlocal, MuNewStackClause new_stack_clause, MuExcClause exc_clause); /// MUAPIPARSER threadlocal:optional;exc_clause:optional
    void (*new_swapstack)(MuIRBuilder *b, MuID id, MuID *result_ids, MuArraySize n_result_ids, MuVarNode swappee, MuCurStackClause cur_stack_clause, MuNewStackClause new_stack_clause, MuExcClause exc_clause, MuKeepaliveClause keepalive_clause); /// MUAPIPARSER result_ids:array:n_result_ids;exc_clause:optional;keepalive_clause:optional
    void (*new_comminst)(MuIRBuilder *b, MuID id, MuID *result_ids, MuArraySize n_result_ids, MuCommInst opcode, MuFlag *flags, MuArraySize nflags, MuTypeNode *tys, MuArraySize ntys, MuFuncSigNode *sigs, MuArraySize nsigs, MuVarNode *args, MuArraySize nargs, MuExcClause exc_clause, MuKeepaliveClause keepalive_clause); /// MUAPIPARSER result_ids:array:n_result_ids;flags:array:nflags;tys:array:ntys;sigs:array:nsigs;args:array:nargs;exc_clause:optional;keepalive_clause:optional
};

/* ---- Common instructions (chapter "Common instructions"); the number of each is its ID too ---- */

#define MU_CI_UVM_NEW_STACK                         ((MuCommInst)0x201) /// MUAPIPARSER muname:@uvm.new_stack
#define MU_CI_UVM_KILL_STACK                        ((MuCommInst)0x202) /// MUAPIPARSER muname:@uvm.kill_stack
#define MU_CI_UVM_THREAD_EXIT                       ((MuCommInst)0x203) /// MUAPIPARSER muname:@uvm.thread_exit
#define MU_CI_UVM_CURRENT_STACK                     ((MuCommInst)0x204) /// MUAPIPARSER muname:@uvm.current_stack
#define MU_CI_UVM_SET_THREADLOCAL                   ((MuCommInst)0x205) /// MUAPIPARSER muname:@uvm.set_threadlocal
#define MU_CI_UVM_GET_THREADLOCAL                   ((MuCommInst)0x206) /// MUAPIPARSER muname:@uvm.get_threadlocal
#define MU_CI_UVM_TR64_IS_FP                        ((MuCommInst)0x211) /// MUAPIPARSER muname:@uvm.tr64.is_fp
#define MU_CI_UVM_TR64_IS_INT                       ((MuCommInst)0x212) /// MUAPIPARSER muname:@uvm.tr64.is_int
#define MU_CI_UVM_TR64_IS_REF                       ((MuCommInst)0x213) /// MUAPIPARSER muname:@uvm.tr64.is_ref
#define MU_CI_UVM_TR64_FROM_FP                      ((MuCommInst)0x214) /// MUAPIPARSER muname:@uvm.tr64.from_fp
#define MU_CI_UVM_TR64_FROM_INT                     ((MuCommInst)0x215) /// MUAPIPARSER muname:@uvm.tr64.from_int
#define MU_CI_UVM_TR64_FROM_REF                     ((MuCommInst)0x216) /// MUAPIPARSER muname:@uvm.tr64.from_ref
#define MU_CI_UVM_TR64_TO_FP                        ((MuCommInst)0x217) /// MUAPIPARSER muname:@uvm.tr64.to_fp
#define MU_CI_UVM_TR64_TO_INT                       ((MuCommInst)0x218) /// MUAPIPARSER muname:@uvm.tr64.to_int
#define MU_CI_UVM_TR64_TO_REF                       ((MuCommInst)0x219) /// MUAPIPARSER muname:@uvm.tr64.to_ref
#define MU_CI_UVM_TR64_TO_TAG                       ((MuCommInst)0x21A) /// MUAPIPARSER muname:@uvm.tr64.to_tag
#define MU_CI_UVM_FUTEX_WAIT                        ((MuCommInst)0x220) /// MUAPIPARSER muname:@uvm.futex.wait
#define MU_CI_UVM_FUTEX_WAIT_TIMEOUT                ((MuCommInst)0x221) /// MUAPIPARSER muname:@uvm.futex.wait_timeout
#define MU_CI_UVM_FUTEX_WAKE                        ((MuCommInst)0x222) /// MUAPIPARSER muname:@uvm.futex.wake
#define MU_CI_UVM_FUTEX_CMP_REQUEUE                 ((MuCommInst)0x223) /// MUAPIPARSER muname:@uvm.futex.cmp_requeue
#define MU_CI_UVM_KILL_DEPENDENCY                   ((MuCommInst)0x230) /// MUAPIPARSER muname:@uvm.kill_dependency
#define MU_CI_UVM_NATIVE_PIN                        ((MuCommInst)0x240) /// MUAPIPARSER muname:@uvm.native.pin
#define MU_CI_UVM_NATIVE_UNPIN                      ((MuCommInst)0x241) /// MUAPIPARSER muname:@uvm.native.unpin
#define MU_CI_UVM_NATIVE_GET_ADDR                   ((MuCommInst)0x242) /// MUAPIPARSER muname:@uvm.native.get_addr
#define MU_CI_UVM_NATIVE_EXPOSE                     ((MuCommInst)0x243) /// MUAPIPARSER muname:@uvm.native.expose
#define MU_CI_UVM_NATIVE_UNEXPOSE                   ((MuCommInst)0x244) /// MUAPIPARSER muname:@uvm.native.unexpose
#define MU_CI_UVM_NATIVE_GET_COOKIE                 ((MuCommInst)0x245) /// MUAPIPARSER muname:@uvm.native.get_cookie
#define MU_CI_UVM_META_ID_OF                        ((MuCommInst)0x250) /// MUAPIPARSER muname:@uvm.meta.id_of
#define MU_CI_UVM_META_NAME_OF                      ((MuCommInst)0x251) /// MUAPIPARSER muname:@uvm.meta.name_of
#define MU_CI_UVM_META_LOAD_BUNDLE                  ((MuCommInst)0x252) /// MUAPIPARSER muname:@uvm.meta.load_bundle
#define MU_CI_UVM_META_LOAD_HAIL                    ((MuCommInst)0x253) /// MUAPIPARSER muname:@uvm.meta.load_hail
#define MU_CI_UVM_META_NEW_CURSOR                   ((MuCommInst)0x254) /// MUAPIPARSER muname:@uvm.meta.new_cursor
#define MU_CI_UVM_META_NEXT_FRAME                   ((MuCommInst)0x255) /// MUAPIPARSER muname:@uvm.meta.next_frame
#define MU_CI_UVM_META_COPY_CURSOR                  ((MuCommInst)0x256) /// MUAPIPARSER muname:@uvm.meta.copy_cursor
#define MU_CI_UVM_META_CLOSE_CURSOR                 ((MuCommInst)0x257) /// MUAPIPARSER muname:@uvm.meta.close_cursor
#define MU_CI_UVM_META_CUR_FUNC                     ((MuCommInst)0x258) /// MUAPIPARSER muname:@uvm.meta.cur_func
#define MU_CI_UVM_META_CUR_FUNC_VER                 ((MuCommInst)0x259) /// MUAPIPARSER muname:@uvm.meta.cur_func_Ver
#define MU_CI_UVM_META_CUR_INST                     ((MuCommInst)0x25A) /// MUAPIPARSER muname:@uvm.meta.cur_inst
#define MU_CI_UVM_META_DUMP_KEEPALIVES              ((MuCommInst)0x25B) /// MUAPIPARSER muname:@uvm.meta.dump_keepalives
#define MU_CI_UVM_META_POP_FRAMES_TO                ((MuCommInst)0x25C) /// MUAPIPARSER muname:@uvm.meta.pop_frames_to
#define MU_CI_UVM_META_PUSH_FRAME                   ((MuCommInst)0x25D) /// MUAPIPARSER muname:@uvm.meta.push_frame
#define MU_CI_UVM_META_ENABLE_WATCHPOINT            ((MuCommInst)0x25E) /// MUAPIPARSER muname:@uvm.meta.enable_watchpoint
#define MU_CI_UVM_META_DISABLE_WATCHPOINT           ((MuCommInst)0x25F) /// MUAPIPARSER muname:@uvm.meta.disable_watchpoint
#define MU_CI_UVM_META_SET_TRAP_HANDLER             ((MuCommInst)0x260) /// MUAPIPARSER muname:@uvm.meta.set_trap_handler
#define MU_CI_UVM_IRBUILDER_NEW_IR_BUILDER          ((MuCommInst)0x270) /// MUAPIPARSER muname:@uvm.irbuilder.new_ir_builder
#define MU_CI_UVM_IRBUILDER_LOAD                    ((MuCommInst)0x300) /// MUAPIPARSER muname:@uvm.irbuilder.load
#define MU_CI_UVM_IRBUILDER_ABORT                   ((MuCommInst)0x301) /// MUAPIPARSER muname:@uvm.irbuilder.abort
#define MU_CI_UVM_IRBUILDER_GEN_SYM                 ((MuCommInst)0x302) /// MUAPIPARSER muname:@uvm.irbuilder.gen_sym
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_INT            ((MuCommInst)0x303) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_int
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_FLOAT          ((MuCommInst)0x304) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_float
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_DOUBLE         ((MuCommInst)0x305) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_double
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_UPTR           ((MuCommInst)0x306) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_uptr
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_UFUNCPTR       ((MuCommInst)0x307) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_ufuncptr
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_STRUCT         ((MuCommInst)0x308) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_struct
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_HYBRID         ((MuCommInst)0x309) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_hybrid
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_ARRAY          ((MuCommInst)0x30A) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_array
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_VECTOR         ((MuCommInst)0x30B) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_vector
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_VOID           ((MuCommInst)0x30C) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_void
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_REF            ((MuCommInst)0x30D) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_ref
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_IREF           ((MuCommInst)0x30E) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_iref
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_WEAKREF        ((MuCommInst)0x30F) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_weakref
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_FUNCREF        ((MuCommInst)0x310) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_funcref
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_TAGREF64       ((MuCommInst)0x311) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_tagref64
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_THREADREF      ((MuCommInst)0x312) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_threadref
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_STACKREF       ((MuCommInst)0x313) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_stackref
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_FRAMECURSORREF ((MuCommInst)0x314) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_framecursorref
#define MU_CI_UVM_IRBUILDER_NEW_TYPE_IRBUILDERREF   ((MuCommInst)0x315) /// MUAPIPARSER muname:@uvm.irbuilder.new_type_irbuilderref
#define MU_CI_UVM_IRBUILDER_NEW_FUNCSIG             ((MuCommInst)0x316) /// MUAPIPARSER muname:@uvm.irbuilder.new_funcsig
#define MU_CI_UVM_IRBUILDER_NEW_CONST_INT           ((MuCommInst)0x317) /// MUAPIPARSER muname:@uvm.irbuilder.new_const_int
#define MU_CI_UVM_IRBUILDER_NEW_CONST_INT_EX        ((MuCommInst)0x318) /// MUAPIPARSER muname:@uvm.irbuilder.new_const_int_ex
#define MU_CI_UVM_IRBUILDER_NEW_CONST_FLOAT         ((MuCommInst)0x319) /// MUAPIPARSER muname:@uvm.irbuilder.new_const_float
#define MU_CI_UVM_IRBUILDER_NEW_CONST_DOUBLE        ((MuCommInst)0x31A) /// MUAPIPARSER muname:@uvm.irbuilder.new_const_double
#define MU_CI_UVM_IRBUILDER_NEW_CONST_NULL          ((MuCommInst)0x31B) /// MUAPIPARSER muname:@uvm.irbuilder.new_const_null
#define MU_CI_UVM_IRBUILDER_NEW_CONST_SEQ           ((MuCommInst)0x31C) /// MUAPIPARSER muname:@uvm.irbuilder.new_const_seq
#define MU_CI_UVM_IRBUILDER_NEW_CONST_EXTERN        ((MuCommInst)0x31D) /// MUAPIPARSER muname:@uvm.irbuilder.new_const_extern
#define MU_CI_UVM_IRBUILDER_NEW_GLOBAL_CELL         ((MuCommInst)0x31E) /// MUAPIPARSER muname:@uvm.irbuilder.new_global_cell
#define MU_CI_UVM_IRBUILDER_NEW_FUNC                ((MuCommInst)0x31F) /// MUAPIPARSER muname:@uvm.irbuilder.new_func
#define MU_CI_UVM_IRBUILDER_NEW_EXP_FUNC            ((MuCommInst)0x320) /// MUAPIPARSER muname:@uvm.irbuilder.new_exp_func
#define MU_CI_UVM_IRBUILDER_NEW_FUNC_VER            ((MuCommInst)0x321) /// MUAPIPARSER muname:@uvm.irbuilder.new_func_ver
#define MU_CI_UVM_IRBUILDER_NEW_BB                  ((MuCommInst)0x322) /// MUAPIPARSER muname:@uvm.irbuilder.new_bb
#define MU_CI_UVM_IRBUILDER_NEW_DEST_CLAUSE         ((MuCommInst)0x323) /// MUAPIPARSER muname:@uvm.irbuilder.new_dest_clause
#define MU_CI_UVM_IRBUILDER_NEW_EXC_CLAUSE          ((MuCommInst)0x324) /// MUAPIPARSER muname:@uvm.irbuilder.new_exc_clause
#define MU_CI_UVM_IRBUILDER_NEW_KEEPALIVE_CLAUSE    ((MuCommInst)0x325) /// MUAPIPARSER muname:@uvm.irbuilder.new_keepalive_clause
#define MU_CI_UVM_IRBUILDER_NEW_CSC_RET_WITH        ((MuCommInst)0x326) /// MUAPIPARSER muname:@uvm.irbuilder.new_csc_ret_with
#define MU_CI_UVM_IRBUILDER_NEW_CSC_KILL_OLD        ((MuCommInst)0x327) /// MUAPIPARSER muname:@uvm.irbuilder.new_csc_kill_old
#define MU_CI_UVM_IRBUILDER_NEW_NSC_PASS_VALUES     ((MuCommInst)0x328) /// MUAPIPARSER muname:@uvm.irbuilder.new_nsc_pass_values
#define MU_CI_UVM_IRBUILDER_NEW_NSC_THROW_EXC       ((MuCommInst)0x329) /// MUAPIPARSER muname:@uvm.irbuilder.new_nsc_throw_exc
#define MU_CI_UVM_IRBUILDER_NEW_BINOP               ((MuCommInst)0x32A) /// MUAPIPARSER muname:@uvm.irbuilder.new_binop
#define MU_CI_UVM_IRBUILDER_NEW_BINOP_WITH_STATUS   ((MuCommInst)0x32B) /// MUAPIPARSER muname:@uvm.irbuilder.new_binop_with_status
#define MU_CI_UVM_IRBUILDER_NEW_CMP                 ((MuCommInst)0x32C) /// MUAPIPARSER muname:@uvm.irbuilder.new_cmp
#define MU_CI_UVM_IRBUILDER_NEW_CONV                ((MuCommInst)0x32D) /// MUAPIPARSER muname:@uvm.irbuilder.new_conv
#define MU_CI_UVM_IRBUILDER_NEW_SELECT              ((MuCommInst)0x32E) /// MUAPIPARSER muname:@uvm.irbuilder.new_select
#define MU_CI_UVM_IRBUILDER_NEW_BRANCH              ((MuCommInst)0x32F) /// MUAPIPARSER muname:@uvm.irbuilder.new_branch
#define MU_CI_UVM_IRBUILDER_NEW_BRANCH2             ((MuCommInst)0x330) /// MUAPIPARSER muname:@uvm.irbuilder.new_branch2
#define MU_CI_UVM_IRBUILDER_NEW_SWITCH              ((MuCommInst)0x331) /// MUAPIPARSER muname:@uvm.irbuilder.new_switch
#define MU_CI_UVM_IRBUILDER_NEW_CALL                ((MuCommInst)0x332) /// MUAPIPARSER muname:@uvm.irbuilder.new_call
#define MU_CI_UVM_IRBUILDER_NEW_TAILCALL            ((MuCommInst)0x333) /// MUAPIPARSER muname:@uvm.irbuilder.new_tailcall
#define MU_CI_UVM_IRBUILDER_NEW_RET                 ((MuCommInst)0x334) /// MUAPIPARSER muname:@uvm.irbuilder.new_ret
#define MU_CI_UVM_IRBUILDER_NEW_THROW               ((MuCommInst)0x335) /// MUAPIPARSER muname:@uvm.irbuilder.new_throw
#define MU_CI_UVM_IRBUILDER_NEW_EXTRACTVALUE        ((MuCommInst)0x336) /// MUAPIPARSER muname:@uvm.irbuilder.new_extractvalue
#define MU_CI_UVM_IRBUILDER_NEW_INSERTVALUE         ((MuCommInst)0x337) /// MUAPIPARSER muname:@uvm.irbuilder.new_insertvalue
#define MU_CI_UVM_IRBUILDER_NEW_EXTRACTELEMENT      ((MuCommInst)0x338) /// MUAPIPARSER muname:@uvm.irbuilder.new_extractelement
#define MU_CI_UVM_IRBUILDER_NEW_INSERTELEMENT       ((MuCommInst)0x339) /// MUAPIPARSER muname:@uvm.irbuilder.new_insertelement
#define MU_CI_UVM_IRBUILDER_NEW_SHUFFLEVECTOR       ((MuCommInst)0x33A) /// MUAPIPARSER muname:@uvm.irbuilder.new_shufflevector
#define MU_CI_UVM_IRBUILDER_NEW_NEW                 ((MuCommInst)0x33B) /// MUAPIPARSER muname:@uvm.irbuilder.new_new
#define MU_CI_UVM_IRBUILDER_NEW_NEWHYBRID           ((MuCommInst)0x33C) /// MUAPIPARSER muname:@uvm.irbuilder.new_newhybrid
#define MU_CI_UVM_IRBUILDER_NEW_ALLOCA              ((MuCommInst)0x33D) /// MUAPIPARSER muname:@uvm.irbuilder.new_alloca
#define MU_CI_UVM_IRBUILDER_NEW_ALLOCAHYBRID        ((MuCommInst)0x33E) /// MUAPIPARSER muname:@uvm.irbuilder.new_allocahybrid
#define MU_CI_UVM_IRBUILDER_NEW_GETIREF             ((MuCommInst)0x33F) /// MUAPIPARSER muname:@uvm.irbuilder.new_getiref
#define MU_CI_UVM_IRBUILDER_NEW_GETFIELDIREF        ((MuCommInst)0x340) /// MUAPIPARSER muname:@uvm.irbuilder.new_getfieldiref
#define MU_CI_UVM_IRBUILDER_NEW_GETELEMIREF         ((MuCommInst)0x341) /// MUAPIPARSER muname:@uvm.irbuilder.new_getelemiref
#define MU_CI_UVM_IRBUILDER_NEW_SHIFTIREF           ((MuCommInst)0x342) /// MUAPIPARSER muname:@uvm.irbuilder.new_shiftiref
#define MU_CI_UVM_IRBUILDER_NEW_GETVARPARTIREF      ((MuCommInst)0x343) /// MUAPIPARSER muname:@uvm.irbuilder.new_getvarpartiref
#define MU_CI_UVM_IRBUILDER_NEW_LOAD                ((MuCommInst)0x344) /// MUAPIPARSER muname:@uvm.irbuilder.new_load
#define MU_CI_UVM_IRBUILDER_NEW_STORE               ((MuCommInst)0x345) /// MUAPIPARSER muname:@uvm.irbuilder.new_store
#define MU_CI_UVM_IRBUILDER_NEW_CMPXCHG             ((MuCommInst)0x346) /// MUAPIPARSER muname:@uvm.irbuilder.new_cmpxchg
#define MU_CI_UVM_IRBUILDER_NEW_ATOMICRMW           ((MuCommInst)0x347) /// MUAPIPARSER muname:@uvm.irbuilder.new_atomicrmw
#define MU_CI_UVM_IRBUILDER_NEW_FENCE               ((MuCommInst)0x348) /// MUAPIPARSER muname:@uvm.irbuilder.new_fence
#define MU_CI_UVM_IRBUILDER_NEW_TRAP                ((MuCommInst)0x349) /// MUAPIPARSER muname:@uvm.irbuilder.new_trap
#define MU_CI_UVM_IRBUILDER_NEW_WATCHPOINT          ((MuCommInst)0x34A) /// MUAPIPARSER muname:@uvm.irbuilder.new_watchpoint
#define MU_CI_UVM_IRBUILDER_NEW_WPBRANCH            ((MuCommInst)0x34B) /// MUAPIPARSER muname:@uvm.irbuilder.new_wpbranch
#define MU_CI_UVM_IRBUILDER_NEW_CCALL               ((MuCommInst)0x34C) /// MUAPIPARSER muname:@uvm.irbuilder.new_ccall
#define MU_CI_UVM_IRBUILDER_NEW_NEWTHREAD           ((MuCommInst)0x34D) /// MUAPIPARSER muname:@uvm.irbuilder.new_newthread
#define MU_CI_UVM_IRBUILDER_NEW_SWAPSTACK           ((MuCommInst)0x34E) /// MUAPIPARSER muname:@uvm.irbuilder.new_swapstack
#define MU_CI_UVM_IRBUILDER_NEW_COMMINST            ((MuCommInst)0x34F) /// MUAPIPARSER muname:@uvm.irbuilder.new_comminst

#ifdef __cplusplus
}
#endif

#endif /* MU_MUAPI_H */
