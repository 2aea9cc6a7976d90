/* What the big clients of 2017 do: loose types, names by value, recursion, sizes, pins by the hundred
 * thousand. */
#include "builder.h"

/* --- Loose types: all of this stands in programs that ran on other machines. --- */

/* One NULL for all references. */
static MuID sharedNull(void) {
  MuID object = fresh(), null = fresh(), refF64 = refTo(f64);
  B(new_const_null, null, refF64);
  B(new_new, next(), object, i64, MU_NO_ID);
  return conv(MU_CONV_ZEXT, i1, i64, cmp(MU_CMP_NE, refI64, object, null));
}
/* Raw pointers to other types, as values of malloc are passed around. */
static MuID pointersOfAnyType(void) {
  MuID bytes = fresh(), pBytes, pWords = uptrTo(f64), mallocSig, freeSig, mallocType = fresh(),
       freeType = fresh(), allocate = fresh(), release = fresh(), memory = fresh(), block = newBlock(),
       words = fresh(), loaded = fresh();
  B(new_type_hybrid, bytes, NONE, i8);
  pBytes = uptrTo(bytes);
  mallocSig = signature(&i64, 1, &pBytes, 1);
  freeSig = signature(&uptrI64, 1, NONE);
  B(new_type_ufuncptr, mallocType, mallocSig);
  B(new_type_ufuncptr, freeType, freeSig);
  B(new_const_extern, allocate, mallocType, "malloc");
  B(new_const_extern, release, freeType, "free");
  B(new_ccall, next(), &memory, 1, MU_CC_DEFAULT, mallocType, mallocSig, allocate, IDS(constant(i64, 64)),
    MU_NO_ID, MU_NO_ID);
  B(new_store, next(), 1, MU_ORD_NOT_ATOMIC, i64, memory, argA, MU_NO_ID);
  branch(dest(block, &memory, 1));
  endEntry();
  B(new_load, next(), loaded, 1, MU_ORD_NOT_ATOMIC, i64, words, MU_NO_ID);
  B(new_ccall, next(), NONE, MU_CC_DEFAULT, freeType, freeSig, release, &words, 1, MU_NO_ID, MU_NO_ID);
  ret(loaded);
  endBlock(block, &words, &pWords, 1, MU_NO_ID);
  return MU_NO_ID;
}
static MuID truncToTheSame(void) { return conv(MU_CONV_TRUNC, i64, i64, conv(MU_CONV_ZEXT, i64, i64, argA)); }
/* REFCAST names another type than its operand has. */
static MuID refcastFromAnother(void) {
  MuID object = fresh(), place = fresh(), loaded = fresh(), refF64 = refTo(f64), again;
  B(new_new, next(), object, i64, MU_NO_ID);
  again = conv(MU_CONV_REFCAST, refF64, refI64, conv(MU_CONV_REFCAST, refI64, refVoid, object));
  B(new_getiref, next(), place, i64, again);
  B(new_store, next(), 0, MU_ORD_NOT_ATOMIC, i64, place, argB, MU_NO_ID);
  B(new_load, next(), loaded, 0, MU_ORD_NOT_ATOMIC, i64, place, MU_NO_ID);
  return loaded;
}
/* A thread-local that is a reference to a struct. */
static MuID threadLocal(void) {
  MuID type = structOf(IDS(i64, f64)), object = fresh(), local;
  B(new_new, next(), object, type, MU_NO_ID);
  common(MU_CI_UVM_SET_THREADLOCAL, 0, &object, 1);
  local = common(MU_CI_UVM_GET_THREADLOCAL, 1, NONE);
  return conv(MU_CONV_ZEXT, i1, i64,
              cmp(MU_CMP_EQ, refVoid, local, conv(MU_CONV_REFCAST, refTo(type), refVoid, object)));
}
/* The reference's type where the referent's belongs. */
static MuID irefOfReferenceType(void) {
  MuID object = fresh(), place = fresh(), loaded = fresh();
  B(new_new, next(), object, i64, MU_NO_ID);
  B(new_getiref, next(), place, refI64, object);
  B(new_atomicrmw, next(), loaded, 0, MU_ORD_SEQ_CST, MU_ARMW_ADD, i64, place, argA, MU_NO_ID);
  B(new_load, next(), (loaded = fresh()), 0, MU_ORD_NOT_ATOMIC, i64, place, MU_NO_ID);
  return loaded;
}
/* A location of a shorter integer, read as a longer one. */
static MuID loadOfShorter(void) {
  MuID type = structOf(IDS(i8, i64)), object = fresh(), place = fresh(), field = fresh(), loaded = fresh();
  B(new_new, next(), object, type, MU_NO_ID);
  B(new_getiref, next(), place, type, object);
  B(new_getfieldiref, next(), field, 0, type, 0, place);
  B(new_store, next(), 0, MU_ORD_NOT_ATOMIC, i8, field, constant(i8, 77), MU_NO_ID);
  B(new_load, next(), loaded, 0, MU_ORD_NOT_ATOMIC, i64, field, MU_NO_ID);
  return binop(MU_BINOP_AND, i64, loaded, constant(i64, 255));
}
static MuID constantsCompared(void) {
  return conv(MU_CONV_ZEXT, i1, i64, cmp(MU_CMP_EQ, i64, constant(i64, 4), constant(i64, 4)));
}
static MuID pointerNull(void) {
  MuID null = constant(uptrI64, 0);
  return conv(MU_CONV_ZEXT, i1, i64,
              cmp(MU_CMP_EQ, uptrI64, null, conv(MU_CONV_PTRCAST, i64, uptrI64, argA)));
}
/* Weak references in structs, and a load through one. */
static MuID weakField(void) {
  MuID weak = fresh(), type, object = fresh(), target = fresh(), place = fresh(), field = fresh(),
       loaded = fresh();
  B(new_type_weakref, weak, nothing);
  type = structOf(IDS(i64, weak));
  B(new_new, next(), target, i64, MU_NO_ID);
  B(new_new, next(), object, type, MU_NO_ID);
  B(new_getiref, next(), place, type, object);
  B(new_getfieldiref, next(), field, 0, type, 1, place);
  target = conv(MU_CONV_REFCAST, refI64, refVoid, target);
  B(new_store, next(), 0, MU_ORD_NOT_ATOMIC, weak, field, target, MU_NO_ID);
  B(new_load, next(), loaded, 0, MU_ORD_NOT_ATOMIC, weak, field, MU_NO_ID);
  return conv(MU_CONV_ZEXT, i1, i64, cmp(MU_CMP_EQ, refVoid, loaded, target));
}
/* A void object: what structs without fields become. */
static MuID voidObject(void) {
  MuID first = fresh(), second = fresh();
  B(new_new, next(), first, nothing, MU_NO_ID);
  B(new_new, next(), second, nothing, MU_NO_ID);
  return conv(MU_CONV_ZEXT, i1, i64, cmp(MU_CMP_NE, refVoid, first, second));
}
/* The size of a struct by pointer arithmetic from 0, as clients compute sizes. */
static MuID sizeByOffset(void) {
  MuID type = structOf(IDS(i64, i8, f64)), second = fresh(), null = constant(uptrTo(type), 0);
  B(new_shiftiref, next(), second, 1, type, i64, null, constant(i64, 1));
  return conv(MU_CONV_PTRCAST, uptrTo(type), i64, second);
}

/* --- Programs --- */

/* fib(a): recursion with two calls, and names for everything. */
static MuID fibonacci(void) {
  MuID base = newBlock(), more = newBlock(), n = fresh(), z = fresh(), one, two, x = fresh(), y = fresh(),
       sum = name("@fib.v1.blk2.sum");
  B(new_branch2, next(), cmp(MU_CMP_SLT, i64, argA, constant(i64, 2)), dest(base, &argA, 1),
    dest(more, IDS(argA, argB)));
  endEntry();
  ret(n);
  endBlock(base, &n, &i64, 1, MU_NO_ID);
  n = fresh();
  one = binop(MU_BINOP_SUB, i64, n, constant(i64, 1));
  two = binop(MU_BINOP_SUB, i64, n, constant(i64, 2));
  B(new_call, next(), &x, 1, binary, functionId, IDS(one, z), MU_NO_ID, MU_NO_ID);
  B(new_call, next(), &y, 1, binary, functionId, IDS(two, z), MU_NO_ID, MU_NO_ID);
  B(new_binop, next(), sum, MU_BINOP_ADD, i64, x, y, MU_NO_ID);
  ret(sum);
  endBlock(more, (MuID[]){n, z}, (MuID[]){i64, i64}, 2, MU_NO_ID);
  return MU_NO_ID;
}
/* A block of 1,131 instructions. */
static MuID longBlock(void) {
  MuID sum = argA, one = constant(i64, 1);
  int i;
  for (i = 0; i < 1131; ++i) sum = binop(i % 2 ? MU_BINOP_ADD : MU_BINOP_XOR, i64, sum, i % 2 ? one : argB);
  return sum;
}
/* 170 blocks, the last first. */
static MuID manyBlocks(void) {
  MuID made[170], x[170], one = constant(i64, 1);
  int i;
  for (i = 0; i < 170; ++i) {
    made[i] = newBlock();
    x[i] = fresh();
  }
  branch(dest(made[0], &argA, 1));
  endEntry();
  for (i = 169; i >= 0; --i) {
    MuID sum = binop(MU_BINOP_ADD, i64, x[i], one);
    if (i == 169)
      ret(sum);
    else
      branch(dest(made[i + 1], &sum, 1));
    endBlock(made[i], &x[i], &i64, 1, MU_NO_ID);
  }
  return MU_NO_ID;
}
/* A switch of 34 cases, all of which go to one block with arguments of their own. */
static MuID manyCases(void) {
  MuID end = newBlock(), cases[34], dests[34], x = fresh();
  int i;
  for (i = 0; i < 34; ++i) {
    cases[i] = constant(i64, (uint64_t)(i * 3));
    dests[i] = dest(end, IDS(constant(i64, (uint64_t)i)));
  }
  B(new_switch, next(), i64, argA, dest(end, &argB, 1), cases, dests, 34);
  endEntry();
  ret(x);
  endBlock(end, &x, &i64, 1, MU_NO_ID);
  return MU_NO_ID;
}
/* A call with eight arguments. */
static MuID eightArguments(void) {
  MuID types[8], x[8], block = fresh(), g = fresh(), version = fresh(), sig, steps[8], sum, result = fresh();
  int i;
  for (i = 0; i < 8; ++i) {
    types[i] = i64;
    x[i] = fresh();
    steps[i] = fresh();
  }
  sig = signature(types, 8, &i64, 1);
  sum = x[0];
  for (i = 1; i < 8; ++i) {
    MuID more = fresh();
    B(new_binop, steps[i - 1], more, MU_BINOP_SUB, i64, x[i], sum, MU_NO_ID);
    sum = more;
  }
  B(new_ret, steps[7], &sum, 1);
  B(new_bb, block, x, types, 8, MU_NO_ID, steps, 8);
  B(new_func, g, sig);
  B(new_func_ver, version, g, &block, 1);
  B(new_call, next(), &result, 1, sig, g, IDS(argA, argB, argA, argB, argA, argB, argA, argB), MU_NO_ID,
    MU_NO_ID);
  return result;
}
/* The same clause in two instructions. */
static MuID clauseTwice(void) {
  MuID end = newBlock(), other = newBlock(), shared = dest(end, NONE);
  B(new_branch2, next(), cmp(MU_CMP_EQ, i64, argA, argB), shared, dest(other, NONE));
  endEntry();
  branch(shared);
  endBlock(other, NULL, NULL, 0, MU_NO_ID);
  ret(constant(i64, 12));
  endBlock(end, NULL, NULL, 0, MU_NO_ID);
  return MU_NO_ID;
}
/* An exception that goes through frames without clauses. */
static MuID deepThrow(void) {
  MuID functions[12], caught = newBlock(), fine = newBlock(), x = fresh(), result = fresh();
  int i;
  for (i = 0; i < 12; ++i) functions[i] = fresh();
  for (i = 0; i < 12; ++i) {
    MuID block = fresh(), p = fresh(), r = fresh(), first = fresh(), second = fresh(), object = fresh();
    B(new_func, functions[i], unary);
    if (i == 11) {
      B(new_new, first, object, i64, MU_NO_ID);
      B(new_throw, second, object);
    } else {
      B(new_call, first, &r, 1, unary, functions[i + 1], &p, 1, MU_NO_ID, MU_NO_ID);
      B(new_ret, second, &r, 1);
    }
    B(new_bb, block, &p, &i64, 1, MU_NO_ID, IDS(first, second));
    B(new_func_ver, fresh(), functions[i], &block, 1);
  }
  B(new_call, next(), &result, 1, unary, functions[0], &argA, 1,
    excClause(dest(fine, &result, 1), dest(caught, &argB, 1)), MU_NO_ID);
  endEntry();
  ret(x);
  endBlock(fine, &x, &i64, 1, MU_NO_ID);
  x = fresh();
  ret(x);
  endBlock(caught, &x, &i64, 1, MU_NO_ID);
  return MU_NO_ID;
}
/* Thousands of symbols, long names, types and constants that nothing uses. */
static MuID muchUnused(void) {
  char text[160];
  int i;
  for (i = 0; i < 5000; ++i) CHECK(fresh());
  for (i = 0; i < 200; ++i) {
    memset(text, 'n', sizeof text);
    snprintf(text + 120, 40, "-1_%p.%d", (void*)&text, (int)functionId + i);
    text[0] = '@';
    B(new_const_int, name(text), intType(i + 1), (uint64_t)i);
    signature((MuID[]){i64, f64, refVoid}, 3, &uptrI64, 1);
  }
  B(new_func, fresh(), binary);
  return argB;
}

static const Case kCases[] = {
    {"one NULL for all", sharedNull, 0, 0, 1},
    {"pointers of any type", pointersOfAnyType, 4242, 0, 4242},
    {"TRUNC to the same width", truncToTheSame, -6, 0, -6},
    {"REFCAST from another type", refcastFromAnother, 0, 88, 88},
    {"thread-local of another type", threadLocal, 0, 0, 1},
    {"GETIREF of the reference's type", irefOfReferenceType, 31, 0, 31},
    {"LOAD of a shorter location", loadOfShorter, 0, 0, 77},
    {"constants compared", constantsCompared, 0, 0, 1},
    {"a NULL pointer", pointerNull, 0, 0, 1},
    {"no NULL pointer", pointerNull, 8, 0, 0},
    {"weakref field", weakField, 0, 0, 1},
    {"void objects", voidObject, 0, 0, 1},
    {"a size by offset", sizeByOffset, 0, 0, 24},
    {"fibonacci", fibonacci, 20, 0, 6765},
    {"a long block", longBlock, 0, 0, 565},
    {"many blocks", manyBlocks, 1, 0, 171},
    {"many cases, the last", manyCases, 99, 5, 33},
    {"many cases, none", manyCases, 100, 5, 5},
    {"eight arguments", eightArguments, 1, 10, 36},
    {"a clause used twice", clauseTwice, 1, 2, 12},
    {"a deep throw", deepThrow, 0, 23, 23},
    {"much unused", muchUnused, 0, 9, 9},
};

/* Handles are never deleted, objects pinned again and again. */
static void pins(void) {
  MuRefValue objects[3];
  MuID word;
  int i;
  open();
  word = name("@pins.word");
  B(new_type_int, word, 64);
  b->load(b);
  NO_ERROR();
  for (i = 0; i < 3; ++i) objects[i] = ctx->new_fixed(ctx, word);
  for (i = 0; i < 100000; ++i) {
    CHECK(ctx->pin(ctx, objects[i % 3]));
    if (i % 7 == 0) ctx->pin(ctx, objects[i % 3]), ctx->unpin(ctx, objects[i % 3]);
    ctx->unpin(ctx, objects[i % 3]);
  }
  NO_ERROR();
  FAILS_VOID("A0016", ctx->unpin(ctx, objects[0]));
}

int main(void) {
  start("");
  runCases(kCases, sizeof kCases / sizeof *kCases);
  pins();
  finish();
  return 0;
}
