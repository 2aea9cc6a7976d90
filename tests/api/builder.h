/* What the clients that build share: one builder at a time, the usual types, and functions of two int<64>
 * that are called through a C pointer. */
#ifndef GAUR_TESTS_BUILDER_H
#define GAUR_TESTS_BUILDER_H

#include <stdarg.h>

#include "client.h"

static MuIRBuilder* b;
/* A call of a slot of the builder. */
#define B(slot, ...) b->slot(b, __VA_ARGS__)
/* A list of IDs and how many there are. */
#define IDS(...) (MuID[]){__VA_ARGS__}, sizeof((MuID[]){__VA_ARGS__}) / sizeof(MuID)
#define NONE     NULL, 0

/* IDs of what standardTypes makes. */
static MuID i1, i6, i8, i32, i52, i64, f32, f64, nothing, refVoid, refI64, irefI64, uptrI64, binary, unary;

static inline MuID name(const char* text) { return b->gen_sym(b, (MuCString)(uintptr_t)text); }
static inline MuID fresh(void) { return b->gen_sym(b, NULL); }
static inline void open(void) {
  b = ctx->new_ir_builder(ctx);
  CHECK(b);
#ifdef BUILDER_WRAP
  b = BUILDER_WRAP(b);
#endif
}

static inline MuID intType(int bits) {
  MuID type = fresh();
  B(new_type_int, type, bits);
  return type;
}
static inline MuID pointer(void (*slot)(MuIRBuilder*, MuID, MuID), MuID to) {
  MuID type = fresh();
  slot(b, type, to);
  return type;
}
static inline MuID refTo(MuID type) { return pointer(b->new_type_ref, type); }
static inline MuID irefTo(MuID type) { return pointer(b->new_type_iref, type); }
static inline MuID uptrTo(MuID type) { return pointer(b->new_type_uptr, type); }
static inline MuID structOf(MuID* fields, MuArraySize count) {
  MuID type = fresh();
  B(new_type_struct, type, fields, count);
  return type;
}
static inline MuID signature(MuID* parameters, MuArraySize parameterCount, MuID* results,
                             MuArraySize resultCount) {
  MuID sig = fresh();
  B(new_funcsig, sig, parameters, parameterCount, results, resultCount);
  return sig;
}
static inline MuID constant(MuID type, uint64_t value) {
  MuID made = fresh();
  B(new_const_int, made, type, value);
  return made;
}

static inline void standardTypes(void) {
  i1 = intType(1);
  i6 = intType(6);
  i8 = intType(8);
  i32 = intType(32);
  i52 = intType(52);
  i64 = intType(64);
  f32 = fresh();
  B(new_type_float, f32);
  f64 = fresh();
  B(new_type_double, f64);
  nothing = fresh();
  B(new_type_void, nothing);
  refVoid = refTo(nothing);
  refI64 = refTo(i64);
  irefI64 = irefTo(i64);
  uptrI64 = uptrTo(i64);
  binary = signature(IDS(i64, i64), IDS(i64));
  unary = signature(IDS(i64), IDS(i64));
}

/* --- A block: instructions in the order they are made. --- */

static MuID instructions[2048];
static MuArraySize instructionCount;

/* The ID of the next instruction. */
static inline MuID next(void) { return instructions[instructionCount++] = fresh(); }
static inline void endBlock(MuID block, MuID* parameters, MuID* types, MuArraySize count, MuID exception) {
  B(new_bb, block, parameters, types, count, exception, instructions, instructionCount);
  instructionCount = 0;
}
static inline MuID dest(MuID block, MuID* arguments, MuArraySize count) {
  MuID clause = fresh();
  B(new_dest_clause, clause, block, arguments, count);
  return clause;
}
static inline MuID excClause(MuID normal, MuID exceptional) {
  MuID clause = fresh();
  B(new_exc_clause, clause, normal, exceptional);
  return clause;
}
static inline void ret(MuID value) { B(new_ret, next(), &value, 1); }
static inline void branch(MuID to) { B(new_branch, next(), to); }
static inline MuID binop(MuBinOptr operation, MuID type, MuID left, MuID right) {
  MuID result = fresh();
  B(new_binop, next(), result, operation, type, left, right, MU_NO_ID);
  return result;
}
static inline MuID cmp(MuCmpOptr operation, MuID type, MuID left, MuID right) {
  MuID result = fresh();
  B(new_cmp, next(), result, operation, type, left, right);
  return result;
}
static inline MuID conv(MuConvOptr operation, MuID from, MuID to, MuID value) {
  MuID result = fresh();
  B(new_conv, next(), result, operation, from, to, value);
  return result;
}
/* A common instruction of one result, or none, that takes only arguments. */
static inline MuID common(MuCommInst opcode, int hasResult, MuID* arguments, MuArraySize count) {
  MuID result = fresh();
  B(new_comminst, next(), hasResult ? &result : NULL, (MuArraySize)hasResult, opcode, NONE, NONE, NONE,
    arguments, count, MU_NO_ID, MU_NO_ID);
  return result;
}

/* --- A function f(a, b) of int<64>, exposed as a C function. --- */

typedef int64_t Binary(int64_t, int64_t);

/* Entry block, its parameters, and the blocks of the function, of which a body may add others. */
static MuID entry, argA, argB, blocks[256], functionId, exposedId;
static MuArraySize blockCount;

static inline void beginFunction(void) {
  MuID cookie = constant(i64, 0);
  functionId = fresh();
  exposedId = fresh();
  B(new_func, functionId, binary);
  B(new_exp_func, exposedId, functionId, MU_CC_DEFAULT, cookie);
  entry = blocks[0] = fresh();
  blockCount = 1;
  instructionCount = 0;
  argA = fresh();
  argB = fresh();
}
static inline MuID newBlock(void) { return blocks[blockCount++] = fresh(); }
/* Ends the entry block with what was made since beginFunction. */
static inline void endEntry(void) { endBlock(entry, (MuID[]){argA, argB}, (MuID[]){i64, i64}, 2, MU_NO_ID); }
static inline void endFunction(void) {
  MuID version = fresh();
  B(new_func_ver, version, functionId, blocks, blockCount);
}
static inline Binary* exposedFunction(MuID exposed) {
  MuUFPValue value = ctx->handle_from_expose(ctx, exposed);
  CHECK(value);
  return (Binary*)ctx->handle_to_fp(ctx, value);
}

/* A body of f, arguments to call it with, and what it returns. */
typedef struct Case {
  const char* what;
  /* The value to return; MU_NO_ID where it has ended all blocks. */
  MuID (*make)(void);
  int64_t a, b, wanted;
} Case;

static inline void runCases(const Case* cases, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) {
    MuID value;
    int64_t got;
    open();
    standardTypes();
    beginFunction();
    value = cases[i].make();
    if (value != MU_NO_ID) {
      ret(value);
      endEntry();
    }
    endFunction();
    b->load(b);
    if (mvm->get_error(mvm, NULL)) fprintf(stderr, "case %s\n", cases[i].what);
    NO_ERROR();
    got = exposedFunction(exposedId)(cases[i].a, cases[i].b);
    if (got == cases[i].wanted) continue;
    fprintf(stderr, "case %s: %lld instead of %lld\n", cases[i].what, (long long)got,
            (long long)cases[i].wanted);
    exit(1);
  }
}

/* Whether the last error's message has this text. */
static inline int tells(const char* text) {
  MuError error;
  return mvm->get_error(mvm, &error) && strstr(error.message, text) != NULL;
}

#endif
