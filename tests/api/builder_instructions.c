/* Each instruction as a builder makes it: a function of two numbers for each case, which is called. */
#include "builder.h"

/* --- Arithmetic --- */

static MuID makeBinop(void) { return binop(MU_BINOP_SUB, i64, argA, argB); }
static MuID makeDivision(void) {
  MuID result = fresh(), good = newBlock(), bad = newBlock(), quotient = fresh(), exception = fresh();
  B(new_binop, next(), result, MU_BINOP_SDIV, i64, argA, argB,
    excClause(dest(good, IDS(result)), dest(bad, NONE)));
  endEntry();
  ret(quotient);
  endBlock(good, &quotient, &i64, 1, MU_NO_ID);
  ret(constant(i64, (uint64_t)-1));
  endBlock(bad, NULL, NULL, 0, exception);
  return MU_NO_ID;
}
/* The flags come in the order N, Z, C, V, whichever are asked for. */
static MuID status(MuBinOptr operation, MuBinOpStatus flags, int count) {
  MuID sum = fresh(), bits[4], i, all = constant(i64, 0);
  for (i = 0; i < 4; ++i) bits[i] = fresh();
  B(new_binop_with_status, next(), sum, bits, (MuArraySize)count, operation, flags, i64, argA, argB,
    MU_NO_ID);
  for (i = 0; i < (MuID)count; ++i)
    all = binop(MU_BINOP_OR, i64, binop(MU_BINOP_SHL, i64, all, constant(i64, 1)),
                conv(MU_CONV_ZEXT, i1, i64, bits[i]));
  return all;
}
static MuID makeStatus(void) { return status(MU_BINOP_ADD, MU_BOS_N | MU_BOS_Z | MU_BOS_C | MU_BOS_V, 4); }
static MuID makeStatusOfMul(void) { return status(MU_BINOP_MUL, MU_BOS_V, 1); }
static MuID makeStatusPart(void) { return status(MU_BINOP_SUB, MU_BOS_Z | MU_BOS_C, 2); }
static MuID makeCmp(void) { return conv(MU_CONV_ZEXT, i1, i64, cmp(MU_CMP_SLT, i64, argA, argB)); }
static MuID makeConv(void) { return conv(MU_CONV_SEXT, i8, i64, conv(MU_CONV_TRUNC, i64, i8, argA)); }
static MuID makeFloat(void) {
  MuID sum = fresh();
  B(new_binop, next(), sum, MU_BINOP_FDIV, f64, conv(MU_CONV_SITOFP, i64, f64, argA),
    conv(MU_CONV_SITOFP, i64, f64, argB), MU_NO_ID);
  return conv(MU_CONV_BITCAST, f64, i64, sum);
}
static MuID makeSelect(void) {
  MuID result = fresh();
  B(new_select, next(), result, i1, i64, cmp(MU_CMP_UGT, i64, argA, argB), argA, argB);
  return result;
}

/* --- Control flow --- */

static MuID makeBranches(void) {
  MuID more = newBlock(), less = newBlock(), end = newBlock(), x = fresh(), y = fresh();
  B(new_branch2, next(), cmp(MU_CMP_SGE, i64, argA, argB), dest(more, IDS(argA, argB)),
    dest(less, IDS(argB)));
  endEntry();
  {
    MuID p = fresh(), q = fresh();
    branch(dest(end, IDS(binop(MU_BINOP_SUB, i64, p, q))));
    endBlock(more, (MuID[]){p, q}, (MuID[]){i64, i64}, 2, MU_NO_ID);
  }
  branch(dest(end, IDS(binop(MU_BINOP_MUL, i64, x, constant(i64, 1000)))));
  endBlock(less, &x, &i64, 1, MU_NO_ID);
  ret(y);
  endBlock(end, &y, &i64, 1, MU_NO_ID);
  return MU_NO_ID;
}
static MuID makeSwitch(void) {
  MuID one = newBlock(), two = newBlock(), other = newBlock(), x = fresh();
  B(new_switch, next(), i64, argA, dest(other, IDS(argB)), (MuID[]){constant(i64, 1), constant(i64, 2)},
    (MuID[]){dest(one, NONE), dest(two, NONE)}, 2);
  endEntry();
  ret(constant(i64, 100));
  endBlock(one, NULL, NULL, 0, MU_NO_ID);
  ret(constant(i64, 200));
  endBlock(two, NULL, NULL, 0, MU_NO_ID);
  ret(x);
  endBlock(other, &x, &i64, 1, MU_NO_ID);
  return MU_NO_ID;
}
/* Another function g(a) = a + 1. */
static MuID successor(void) {
  MuID g = fresh(), version = fresh(), block = fresh(), parameter = fresh(), sum = fresh(), add = fresh(),
       back = fresh();
  B(new_func, g, unary);
  B(new_binop, add, sum, MU_BINOP_ADD, i64, parameter, constant(i64, 1), MU_NO_ID);
  B(new_ret, back, &sum, 1);
  B(new_bb, block, &parameter, &i64, 1, MU_NO_ID, IDS(add, back));
  B(new_func_ver, version, g, &block, 1);
  return g;
}
static MuID makeCall(void) {
  MuID result = fresh(), kept = fresh();
  B(new_keepalive_clause, kept, IDS(argA, argB));
  B(new_call, next(), &result, 1, unary, successor(), &argB, 1, MU_NO_ID, kept);
  return binop(MU_BINOP_MUL, i64, argA, result);
}
static MuID makeTailCall(void) {
  B(new_tailcall, next(), unary, successor(), &argA, 1);
  endEntry();
  return MU_NO_ID;
}
/* g throws a ref<int<64>> that holds its argument; f catches it. */
static MuID makeThrow(void) {
  MuID g = fresh(), version = fresh(), block = fresh(), parameter = fresh(), object = fresh(),
       place = fresh(), steps[4], i;
  MuID caught = newBlock(), fine = newBlock(), x = fresh(), exception = fresh(), result = fresh(),
       loaded = fresh(), location = fresh();
  for (i = 0; i < 4; ++i) steps[i] = fresh();
  B(new_func, g, unary);
  B(new_new, steps[0], object, i64, MU_NO_ID);
  B(new_getiref, steps[1], place, i64, object);
  B(new_store, steps[2], 0, MU_ORD_NOT_ATOMIC, i64, place, parameter, MU_NO_ID);
  B(new_throw, steps[3], object);
  B(new_bb, block, &parameter, &i64, 1, MU_NO_ID, steps, 4);
  B(new_func_ver, version, g, &block, 1);

  B(new_call, next(), &result, 1, unary, g, &argA, 1, excClause(dest(fine, IDS(result)), dest(caught, NONE)),
    MU_NO_ID);
  endEntry();
  ret(x);
  endBlock(fine, &x, &i64, 1, MU_NO_ID);
  {
    MuID typed = conv(MU_CONV_REFCAST, refVoid, refI64, exception);
    B(new_getiref, next(), location, i64, typed);
    B(new_load, next(), loaded, 0, MU_ORD_NOT_ATOMIC, i64, location, MU_NO_ID);
    ret(loaded);
  }
  endBlock(caught, NULL, NULL, 0, exception);
  return MU_NO_ID;
}

/* --- Composite values --- */

static MuID makeStruct(void) {
  MuID pair = structOf(IDS(i64, i64)), zero = fresh(), first = fresh(), second = fresh(), x = fresh(),
       y = fresh();
  B(new_const_seq, zero, pair, IDS(constant(i64, 0), constant(i64, 7)));
  B(new_insertvalue, next(), first, pair, 0, zero, argA);
  B(new_extractvalue, next(), x, pair, 0, first);
  B(new_extractvalue, next(), y, pair, 1, first);
  (void)second;
  return binop(MU_BINOP_MUL, i64, x, y);
}
static MuID makeSequence(void) {
  MuID array = fresh(), zero = fresh(), with = fresh(), x = fresh();
  B(new_type_array, array, i64, 2);
  B(new_const_seq, zero, array, IDS(constant(i64, 5), constant(i64, 6)));
  B(new_insertelement, next(), with, array, i64, zero, constant(i64, 0), argA);
  B(new_extractelement, next(), x, array, i64, with, argB);
  return x;
}
static MuID makeShuffle(void) {
  MuID vector = fresh(), maskType = fresh(), left = fresh(), right = fresh(), mask = fresh(), with = fresh(),
       mixed = fresh(), x = fresh();
  B(new_type_vector, vector, i32, 4);
  B(new_type_vector, maskType, i32, 4);
  B(new_const_seq, left, vector,
    IDS(constant(i32, 10), constant(i32, 11), constant(i32, 12), constant(i32, 13)));
  B(new_const_seq, right, vector,
    IDS(constant(i32, 20), constant(i32, 21), constant(i32, 22), constant(i32, 23)));
  B(new_const_seq, mask, maskType,
    IDS(constant(i32, 7), constant(i32, 0), constant(i32, 4), constant(i32, 3)));
  B(new_insertelement, next(), with, vector, i64, left, constant(i64, 0),
    conv(MU_CONV_TRUNC, i64, i32, argB));
  B(new_shufflevector, next(), mixed, vector, maskType, with, right, mask);
  B(new_extractelement, next(), x, vector, i64, mixed, argA);
  return conv(MU_CONV_ZEXT, i32, i64, x);
}

/* --- Memory --- */

static MuID store(MuID location, MuID value) {
  B(new_store, next(), 0, MU_ORD_NOT_ATOMIC, i64, location, value, MU_NO_ID);
  return location;
}
static MuID load64(MuID location) {
  MuID result = fresh();
  B(new_load, next(), result, 0, MU_ORD_NOT_ATOMIC, i64, location, MU_NO_ID);
  return result;
}
static MuID makeNew(void) {
  MuID pair = structOf(IDS(i8, i64)), object = fresh(), place = fresh(), field = fresh();
  B(new_new, next(), object, pair, MU_NO_ID);
  B(new_getiref, next(), place, pair, object);
  B(new_getfieldiref, next(), field, 0, pair, 1, place);
  store(field, argA);
  return load64(field);
}
static MuID hybridSum(MuID hybrid, MuID place) {
  MuID variable = fresh(), second = fresh();
  B(new_getvarpartiref, next(), variable, 0, hybrid, place);
  store(variable, argA);
  B(new_shiftiref, next(), second, 0, i64, i64, variable, constant(i64, 1));
  store(second, argB);
  return binop(MU_BINOP_ADD, i64, load64(variable), load64(second));
}
static MuID makeNewHybrid(void) {
  MuID hybrid = fresh(), object = fresh(), place = fresh();
  B(new_type_hybrid, hybrid, IDS(i8), i64);
  /* The length has another type than is said: clients are loose about it. */
  B(new_newhybrid, next(), object, hybrid, i64, constant(i32, 2), MU_NO_ID);
  B(new_getiref, next(), place, hybrid, object);
  return hybridSum(hybrid, place);
}
static MuID makeAllocaHybrid(void) {
  MuID hybrid = fresh(), place = fresh();
  B(new_type_hybrid, hybrid, NONE, i64);
  B(new_allocahybrid, next(), place, hybrid, i64, constant(i64, 2), MU_NO_ID);
  return hybridSum(hybrid, place);
}
static MuID makeAlloca(void) {
  MuID array = fresh(), place = fresh(), element = fresh();
  B(new_type_array, array, i64, 4);
  B(new_alloca, next(), place, array, MU_NO_ID);
  B(new_getelemiref, next(), element, 0, array, i64, place, argA);
  return load64(store(element, argB));
}
static MuID makeLoadNull(void) {
  MuID null = fresh(), good = newBlock(), bad = newBlock(), x = fresh(), loaded = fresh();
  B(new_const_null, null, irefI64);
  B(new_load, next(), loaded, 0, MU_ORD_NOT_ATOMIC, i64, null,
    excClause(dest(good, IDS(loaded)), dest(bad, IDS(argB))));
  endEntry();
  ret(x);
  endBlock(good, &x, &i64, 1, MU_NO_ID);
  x = fresh();
  ret(x);
  endBlock(bad, &x, &i64, 1, MU_NO_ID);
  return MU_NO_ID;
}
static MuID makeCmpxchg(void) {
  MuID place = fresh(), old = fresh(), success = fresh();
  B(new_alloca, next(), place, i64, MU_NO_ID);
  store(place, argA);
  B(new_cmpxchg, next(), old, success, 0, 0, MU_ORD_SEQ_CST, MU_ORD_RELAXED, i64, place, argB,
    constant(i64, 77), MU_NO_ID);
  return binop(MU_BINOP_ADD, i64, load64(place), conv(MU_CONV_ZEXT, i1, i64, success));
}
static MuID makeAtomicrmw(void) {
  MuID place = fresh(), old = fresh();
  B(new_alloca, next(), place, i64, MU_NO_ID);
  store(place, argA);
  B(new_atomicrmw, next(), old, 0, MU_ORD_ACQ_REL, MU_ARMW_MAX, i64, place, argB, MU_NO_ID);
  B(new_fence, next(), MU_ORD_SEQ_CST);
  return binop(MU_BINOP_SUB, i64, load64(place), old);
}
/* The same through a raw pointer: every PTR form. */
static MuID makePtr(void) {
  MuID pair = structOf(IDS(i64, i64)), pointerType = uptrTo(pair), object = fresh(), raw = fresh(),
       field = fresh(), other = fresh(), loaded = fresh(), old = fresh(), value = fresh(), success = fresh(),
       refPair = refTo(pair);
  B(new_new, next(), object, pair, MU_NO_ID);
  B(new_comminst, next(), &raw, 1, MU_CI_UVM_NATIVE_PIN, NONE, &refPair, 1, NONE, &object, 1, MU_NO_ID,
    MU_NO_ID);
  B(new_getfieldiref, next(), field, 1, pair, 0, raw);
  B(new_shiftiref, next(), other, 1, i64, i64, field, constant(i64, 1));
  B(new_store, next(), 1, MU_ORD_RELEASE, i64, other, argA, MU_NO_ID);
  B(new_atomicrmw, next(), old, 1, MU_ORD_RELAXED, MU_ARMW_ADD, i64, other, argB, MU_NO_ID);
  B(new_cmpxchg, next(), value, success, 1, 1, MU_ORD_RELAXED, MU_ORD_RELAXED, i64, field, argA, argB,
    MU_NO_ID);
  B(new_load, next(), loaded, 1, MU_ORD_ACQUIRE, i64, other, MU_NO_ID);
  B(new_comminst, next(), NONE, MU_CI_UVM_NATIVE_UNPIN, NONE, &refPair, 1, NONE, &object, 1, MU_NO_ID,
    MU_NO_ID);
  (void)pointerType;
  return loaded;
}
static MuID makeRawOffsets(void) {
  MuID hybrid = fresh(), array = fresh(), null = fresh(), hybridPtr, variable = fresh(), arrayPtr,
       element = fresh();
  B(new_type_hybrid, hybrid, IDS(i64, i8), i32);
  hybridPtr = uptrTo(hybrid);
  B(new_type_array, array, i32, 8);
  arrayPtr = uptrTo(array);
  B(new_const_int, null, hybridPtr, 0);
  B(new_getvarpartiref, next(), variable, 1, hybrid, null);
  B(new_getelemiref, next(), element, 1, array, i64, conv(MU_CONV_PTRCAST, uptrTo(i32), arrayPtr, variable),
    argA);
  return conv(MU_CONV_PTRCAST, uptrTo(i32), i64, element);
}

/* --- Traps, native calls, threads --- */

static int64_t trapped;
static MuValue passed[1];
static void onTrap(MuCtx* handlers, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid,
                   MuTrapHandlerResult* result, MuStackRefValue* newStack, MuValue** values,
                   MuArraySize* count, MuValuesFreer* freer, MuCPtr* freerdata, MuRefValue* exception,
                   MuCPtr userdata) {
  MuFCRefValue cursor = handlers->new_cursor(handlers, stack);
  MuValue kept[2];
  handlers->dump_keepalives(handlers, cursor, kept);
  trapped = handlers->handle_to_sint64(handlers, kept[0]) * 1000 + (int64_t)wpid;
  handlers->close_cursor(handlers, cursor);
  passed[0] = handlers->handle_from_sint64(handlers, handlers->handle_to_sint64(handlers, kept[1]) + 1, 64);
  *values = passed;
  *count = 1;
  *result = MU_REBIND_PASS_VALUES;
  (void)thread, (void)newStack, (void)freer, (void)freerdata, (void)exception, (void)userdata;
}
static MuID makeTrap(void) {
  MuID result = fresh(), kept = fresh();
  B(new_keepalive_clause, kept, IDS(argA, argB));
  B(new_trap, next(), &result, &i64, 1, MU_NO_ID, kept);
  return result;
}
static MuID watchpoint(MuWPID number) {
  MuID result = fresh(), kept = fresh(), off = newBlock(), on = newBlock(), thrown = newBlock(), x = fresh(),
       exception = fresh();
  B(new_keepalive_clause, kept, IDS(argA, argB));
  B(new_watchpoint, next(), number, &result, &i64, 1, dest(off, NONE), dest(on, IDS(result)),
    dest(thrown, NONE), kept);
  endEntry();
  ret(constant(i64, (uint64_t)-2));
  endBlock(off, NULL, NULL, 0, MU_NO_ID);
  ret(x);
  endBlock(on, &x, &i64, 1, MU_NO_ID);
  ret(constant(i64, (uint64_t)-3));
  endBlock(thrown, NULL, NULL, 0, exception);
  return MU_NO_ID;
}
static MuID makeWatchpointOff(void) { return watchpoint(5); }
static MuID makeWatchpointOn(void) { return watchpoint(6); }
static MuID makeWpbranch(void) {
  MuID off = newBlock(), on = newBlock();
  B(new_wpbranch, next(), 6, dest(off, NONE), dest(on, NONE));
  endEntry();
  ret(constant(i64, 0));
  endBlock(off, NULL, NULL, 0, MU_NO_ID);
  ret(constant(i64, 1));
  endBlock(on, NULL, NULL, 0, MU_NO_ID);
  return MU_NO_ID;
}
static MuID makeCcall(void) {
  MuID functionType = fresh(), labs = fresh(), result = fresh();
  B(new_type_ufuncptr, functionType, unary);
  B(new_const_extern, labs, functionType, "labs");
  B(new_ccall, next(), &result, 1, MU_CC_DEFAULT, functionType, unary, labs, &argA, 1, MU_NO_ID, MU_NO_ID);
  return result;
}
/* A coroutine g(main, x) that swaps back to main with x + 1, killing itself. */
static MuID coroutine(MuID stackref, MuID sig) {
  MuID g = fresh(), version = fresh(), block = fresh(), main = fresh(), x = fresh(), sum = fresh(),
       add = fresh(), swap = fresh(), kill = fresh(), pass = fresh();
  B(new_func, g, sig);
  B(new_binop, add, sum, MU_BINOP_ADD, i64, x, constant(i64, 1), MU_NO_ID);
  B(new_csc_kill_old, kill);
  B(new_nsc_pass_values, pass, &i64, &sum, 1);
  B(new_swapstack, swap, NONE, main, kill, pass, MU_NO_ID, MU_NO_ID);
  B(new_bb, block, (MuID[]){main, x}, (MuID[]){stackref, i64}, 2, MU_NO_ID, IDS(add, swap));
  B(new_func_ver, version, g, &block, 1);
  return g;
}
static MuID newStack(MuID sig, MuID function) {
  MuID stack = fresh();
  B(new_comminst, next(), &stack, 1, MU_CI_UVM_NEW_STACK, NONE, NONE, &sig, 1, &function, 1, MU_NO_ID,
    MU_NO_ID);
  return stack;
}
static MuID makeSwapstack(void) {
  MuID stackref = fresh(), sig, stack, main, result = fresh(), back = fresh(), pass = fresh();
  B(new_type_stackref, stackref);
  sig = signature(IDS(stackref, i64), NONE);
  stack = newStack(sig, coroutine(stackref, sig));
  main = common(MU_CI_UVM_CURRENT_STACK, 1, NONE);
  B(new_csc_ret_with, back, &i64, 1);
  B(new_nsc_pass_values, pass, (MuID[]){stackref, i64}, (MuID[]){main, argA}, 2);
  B(new_swapstack, next(), &result, 1, stack, back, pass, MU_NO_ID, MU_NO_ID);
  return result;
}
/* A coroutine that is thrown into has no handler and dies; its exception goes to who swapped, who is thrown
 * to. */
static MuID makeSwapThrow(void) {
  MuID stackref = fresh(), sig, stack, object = fresh(), back = fresh(), throwing = fresh(), g = fresh(),
       version = fresh(), block = fresh(), main = fresh(), caught = fresh(), exception = fresh(),
       result = fresh(), call = fresh(), swap = fresh(), kill = fresh(), rethrow = fresh(), normal = fresh(),
       stop = fresh();
  MuID good = newBlock(), bad = newBlock(), x = fresh(), y = fresh(), self = fresh(), selfInst = fresh(),
       keep = fresh(), first = fresh(), firstSwap = fresh(), main2 = fresh();
  B(new_type_stackref, stackref);
  sig = signature(IDS(stackref), NONE);
  /* g: gives control back once, then waits for an exception, which it throws at main. */
  B(new_func, g, sig);
  B(new_comminst, selfInst, &self, 1, MU_CI_UVM_CURRENT_STACK, NONE, NONE, NONE, NONE, MU_NO_ID, MU_NO_ID);
  B(new_csc_ret_with, keep, NONE);
  B(new_nsc_pass_values, first, NULL, NULL, 0);
  B(new_swapstack, firstSwap, NONE, main, keep, first, excClause(dest(normal, NONE), dest(caught, IDS(main))),
    MU_NO_ID);
  B(new_bb, block, &main, &stackref, 1, MU_NO_ID, IDS(selfInst, firstSwap));
  B(new_comminst, stop, NONE, MU_CI_UVM_THREAD_EXIT, NONE, NONE, NONE, NONE, MU_NO_ID, MU_NO_ID);
  B(new_bb, normal, NULL, NULL, 0, MU_NO_ID, &stop, 1);
  B(new_csc_kill_old, kill);
  B(new_nsc_throw_exc, rethrow, exception);
  B(new_swapstack, swap, NONE, main2, kill, rethrow, MU_NO_ID, MU_NO_ID);
  B(new_bb, caught, &main2, &stackref, 1, exception, &swap, 1);
  B(new_func_ver, version, g, IDS(block, normal, caught));

  stack = newStack(sig, g);
  {
    MuID here = common(MU_CI_UVM_CURRENT_STACK, 1, NONE), pass = fresh(), wait = fresh();
    B(new_csc_ret_with, wait, NONE);
    B(new_nsc_pass_values, pass, &stackref, &here, 1);
    B(new_swapstack, next(), NONE, stack, wait, pass, MU_NO_ID, MU_NO_ID);
  }
  B(new_new, next(), object, i64, MU_NO_ID);
  B(new_csc_ret_with, back, &i64, 1);
  B(new_nsc_throw_exc, throwing, object);
  B(new_swapstack, next(), &result, 1, stack, back, throwing,
    excClause(dest(good, IDS(result)), dest(bad, IDS(argB))), MU_NO_ID);
  endEntry();
  ret(x);
  endBlock(good, &x, &i64, 1, MU_NO_ID);
  ret(y);
  endBlock(bad, &y, &i64, 1, fresh());
  (void)call;
  return MU_NO_ID;
}
/* A thread stores its argument in a cell, with its thread-local's number added, and wakes whoever waits. */
static MuID makeNewthread(void) {
  MuID sig = signature(IDS(i64), NONE), g = fresh(), version = fresh(), block = fresh(), x = fresh(),
       cell = fresh(), steps[7], i, local = fresh(), typed = fresh(), place = fresh(), number = fresh(),
       sum = fresh(), object, stack, pass = fresh(), thread = fresh(), again = newBlock(), done = newBlock(),
       seen = fresh();
  for (i = 0; i < 7; ++i) steps[i] = fresh();
  B(new_global_cell, cell, i64);
  B(new_func, g, sig);
  B(new_comminst, steps[0], &local, 1, MU_CI_UVM_GET_THREADLOCAL, NONE, NONE, NONE, NONE, MU_NO_ID, MU_NO_ID);
  B(new_conv, steps[1], typed, MU_CONV_REFCAST, refVoid, refI64, local);
  B(new_getiref, steps[2], place, i64, typed);
  B(new_load, steps[3], number, 0, MU_ORD_NOT_ATOMIC, i64, place, MU_NO_ID);
  B(new_binop, steps[4], sum, MU_BINOP_ADD, i64, x, number, MU_NO_ID);
  B(new_store, steps[5], 0, MU_ORD_RELEASE, i64, cell, sum, MU_NO_ID);
  B(new_comminst, steps[6], NONE, MU_CI_UVM_THREAD_EXIT, NONE, NONE, NONE, NONE, MU_NO_ID, MU_NO_ID);
  B(new_bb, block, &x, &i64, 1, MU_NO_ID, steps, 7);
  B(new_func_ver, version, g, &block, 1);

  object = fresh();
  B(new_new, next(), object, i64, MU_NO_ID);
  {
    MuID location = fresh();
    B(new_getiref, next(), location, i64, object);
    store(location, argB);
  }
  stack = newStack(sig, g);
  B(new_nsc_pass_values, pass, &i64, &argA, 1);
  B(new_newthread, next(), thread, stack, conv(MU_CONV_REFCAST, refI64, refVoid, object), pass, MU_NO_ID);
  branch(dest(again, NONE));
  endEntry();
  B(new_load, next(), seen, 0, MU_ORD_ACQUIRE, i64, cell, MU_NO_ID);
  B(new_branch2, next(), cmp(MU_CMP_EQ, i64, seen, constant(i64, 0)), dest(again, NONE),
    dest(done, IDS(seen)));
  endBlock(again, NULL, NULL, 0, MU_NO_ID);
  x = fresh();
  ret(x);
  endBlock(done, &x, &i64, 1, MU_NO_ID);
  return MU_NO_ID;
}

/* --- Common instructions --- */

static MuID makeTagged(void) {
  MuID tagged = common(MU_CI_UVM_TR64_FROM_INT, 1, IDS(conv(MU_CONV_TRUNC, i64, i52, argA)));
  MuID isInt = common(MU_CI_UVM_TR64_IS_INT, 1, &tagged, 1),
       number = common(MU_CI_UVM_TR64_TO_INT, 1, &tagged, 1);
  return binop(MU_BINOP_ADD, i64, conv(MU_CONV_SEXT, i52, i64, number), conv(MU_CONV_ZEXT, i1, i64, isInt));
}
/* @uvm.native.expose has a flag, a signature and two arguments. */
static MuID makeExpose(void) {
  MuID native = fresh(), functionType = fresh(), result = fresh(), flag = MU_CC_DEFAULT;
  B(new_type_ufuncptr, functionType, unary);
  B(new_comminst, next(), &native, 1, MU_CI_UVM_NATIVE_EXPOSE, &flag, 1, NONE, &unary, 1,
    IDS(successor(), constant(i64, 0)), MU_NO_ID, MU_NO_ID);
  B(new_ccall, next(), &result, 1, MU_CC_DEFAULT, functionType, unary, native, &argA, 1, MU_NO_ID, MU_NO_ID);
  B(new_comminst, next(), NONE, MU_CI_UVM_NATIVE_UNEXPOSE, &flag, 1, NONE, NONE, &native, 1, MU_NO_ID,
    MU_NO_ID);
  return result;
}
static MuID makeKillDependency(void) {
  MuID result = fresh();
  B(new_comminst, next(), &result, 1, MU_CI_UVM_KILL_DEPENDENCY, NONE, &i64, 1, NONE, &argB, 1, MU_NO_ID,
    MU_NO_ID);
  return result;
}
/* A result that nobody wants needs no ID. */
static MuID makeUnused(void) {
  B(new_call, next(), NONE, unary, successor(), &argA, 1, MU_NO_ID, MU_NO_ID);
  B(new_binop, next(), MU_NO_ID, MU_BINOP_ADD, i64, argA, argB, MU_NO_ID);
  return argB;
}

static const Case kCases[] = {
    {"binop", makeBinop, 30, 12, 18},
    {"binop with exc", makeDivision, -7, 2, -3},
    {"binop with exc taken", makeDivision, 7, 0, -1},
    {"status, negative", makeStatus, -5, 2, 8},
    {"status, zero and carry", makeStatus, -2, 2, 6},
    {"status, overflow", makeStatus, INT64_MAX, 1, 9},
    {"status of MUL", makeStatusOfMul, INT64_MAX, 2, 1},
    {"status of MUL, none", makeStatusOfMul, 3, 2, 0},
    {"two flags", makeStatusPart, 4, 4, 2},
    {"two flags, borrow", makeStatusPart, 3, 4, 1},
    {"cmp", makeCmp, -1, 0, 1},
    {"conv", makeConv, 0x1ff, 0, -1},
    {"double", makeFloat, 1, 4, 0x3fd0000000000000},
    {"select", makeSelect, 3, -1, -1},
    {"branch2, true", makeBranches, 9, 4, 5},
    {"branch2, false", makeBranches, 4, 9, 9000},
    {"switch 1", makeSwitch, 1, 5, 100},
    {"switch 2", makeSwitch, 2, 5, 200},
    {"switch default", makeSwitch, 3, 5, 5},
    {"call", makeCall, 6, 6, 42},
    {"tailcall", makeTailCall, 41, 0, 42},
    {"throw", makeThrow, 99, 0, 99},
    {"struct", makeStruct, 6, 0, 42},
    {"array, changed", makeSequence, 9, 0, 9},
    {"array, kept", makeSequence, 9, 1, 6},
    {"shufflevector, second", makeShuffle, 0, 1, 23},
    {"shufflevector, first", makeShuffle, 1, 50, 50},
    {"new", makeNew, 12345, 0, 12345},
    {"newhybrid", makeNewHybrid, 4, 5, 9},
    {"allocahybrid", makeAllocaHybrid, 40, 2, 42},
    {"alloca", makeAlloca, 3, 17, 17},
    {"load of NULL", makeLoadNull, 0, 55, 55},
    {"cmpxchg", makeCmpxchg, 5, 5, 78},
    {"cmpxchg, other", makeCmpxchg, 5, 6, 5},
    {"atomicrmw", makeAtomicrmw, 3, 10, 7},
    {"ptr", makePtr, 20, 22, 42},
    {"offsets", makeRawOffsets, 3, 0, 24},
    {"trap", makeTrap, 8, 41, 42},
    {"watchpoint, disabled", makeWatchpointOff, 0, 0, -2},
    {"watchpoint, enabled", makeWatchpointOn, 3, 4, 5},
    {"wpbranch", makeWpbranch, 0, 0, 1},
    {"ccall", makeCcall, -17, 0, 17},
    {"swapstack", makeSwapstack, 41, 0, 42},
    {"swapstack that throws", makeSwapThrow, 0, 31, 31},
    {"newthread", makeNewthread, 40, 2, 42},
    {"tagref64", makeTagged, -5, 0, -4},
    {"expose", makeExpose, 41, 0, 42},
    {"kill_dependency", makeKillDependency, 0, 6, 6},
    {"results without IDs", makeUnused, 1, 2, 2},
};

int main(void) {
  start("");
  mvm->set_trap_handler(mvm, onTrap, NULL);
  ctx->enable_watchpoint(ctx, 6);
  runCases(kCases, sizeof kCases / sizeof *kCases);
  CHECK(trapped == 3006);
  finish();
  return 0;
}
