/* What a builder refuses: in a call, at once; or in load, which tells all that is wrong. Each case makes one
 * mistake in a bundle that is right otherwise, in a function f(a, b) of int<64>. */
#include "builder.h"

/* --- Mistakes in one call: the code of the call's error. load fails with the same. --- */

static MuID one(void) { return constant(i64, 1); }

static void idNone(void) { B(new_type_int, MU_NO_ID, 64); }
static void idUnknown(void) { B(new_type_int, 4000000000u, 64); }
static void idOfMachine(void) { B(new_func, MU_CI_UVM_NEW_STACK, binary); }
static void idOfResult(void) { B(new_binop, next(), 17, MU_BINOP_ADD, i64, argA, argB, MU_NO_ID); }
static void idOfParameter(void) { B(new_bb, fresh(), (MuID[]){3}, &i64, 1, MU_NO_ID, NONE); }
static void negativeLength(void) { B(new_type_int, fresh(), -1); }
static void negativeIndex(void) { B(new_extractvalue, next(), fresh(), i64, -1, argA); }
static void negativeField(void) { B(new_getfieldiref, next(), fresh(), 0, i64, -5, argA); }
static void nullSymbol(void) { B(new_const_extern, fresh(), uptrI64, NULL); }

static void nullFields(void) { B(new_type_struct, fresh(), NULL, 2); }
static void nullFixed(void) { B(new_type_hybrid, fresh(), NULL, 1, i64); }
static void nullParameters(void) { B(new_funcsig, fresh(), NULL, 1, NONE); }
static void nullResults(void) { B(new_funcsig, fresh(), NONE, NULL, 1); }
static void nullWords(void) { B(new_const_int_ex, fresh(), i64, NULL, 2); }
static void nullElements(void) { B(new_const_seq, fresh(), i64, NULL, 1); }
static void nullBlocks(void) { B(new_func_ver, fresh(), functionId, NULL, 3); }
static void nullBlockParameters(void) { B(new_bb, fresh(), NULL, &i64, 1, MU_NO_ID, NONE); }
static void nullBlockTypes(void) { B(new_bb, fresh(), &argA, NULL, 1, MU_NO_ID, NONE); }
static void nullInstructions(void) { B(new_bb, fresh(), NULL, NULL, 0, MU_NO_ID, NULL, 1); }
static void nullDestArguments(void) { B(new_dest_clause, fresh(), entry, NULL, 1); }
static void nullKeepalives(void) { B(new_keepalive_clause, fresh(), NULL, 1); }
static void nullRetWith(void) { B(new_csc_ret_with, fresh(), NULL, 1); }
static void nullPassed(void) { B(new_nsc_pass_values, fresh(), &i64, NULL, 1); }
static void nullStatus(void) {
  B(new_binop_with_status, next(), fresh(), NULL, 1, MU_BINOP_ADD, MU_BOS_N, i64, argA, argB, MU_NO_ID);
}
static void nullCases(void) { B(new_switch, next(), i64, argA, MU_NO_ID, NULL, &argA, 1); }
static void nullArguments(void) {
  B(new_call, next(), NONE, binary, functionId, NULL, 2, MU_NO_ID, MU_NO_ID);
}
static void nullCallResults(void) {
  B(new_call, next(), NULL, 1, binary, functionId, NONE, MU_NO_ID, MU_NO_ID);
}
static void nullReturned(void) { B(new_ret, next(), NULL, 1); }
static void nullTrapTypes(void) { B(new_trap, next(), &argA, NULL, 1, MU_NO_ID, MU_NO_ID); }
static void nullFlags(void) {
  B(new_comminst, next(), NONE, MU_CI_UVM_NATIVE_GET_COOKIE, NULL, 1, NONE, NONE, NONE, MU_NO_ID, MU_NO_ID);
}
static void hugeCount(void) { B(new_ret, next(), &argA, UINT64_MAX / 2); }
static void hugeWords(void) { B(new_const_int_ex, fresh(), i64, (uint64_t[]){1}, (MuArraySize)1 << 61); }

static void noSuchBinop(void) { binop(0xff, i64, argA, argB); }
static void cmpAsBinop(void) { binop(MU_CMP_EQ, i64, argA, argB); }
static void noSuchCmp(void) { cmp(0, i64, argA, argB); }
static void noSuchConv(void) { conv(0x1030, i64, i64, argA); }
static void noSuchStatus(void) {
  B(new_binop_with_status, next(), fresh(), NONE, MU_BINOP_ADD, 0x10, i64, argA, argB, MU_NO_ID);
}
static void noSuchLoadOrder(void) { B(new_load, next(), fresh(), 0, 7, i64, argA, MU_NO_ID); }
static void noSuchStoreOrder(void) { B(new_store, next(), 0, 99, i64, argA, argB, MU_NO_ID); }
static void noSuchFailureOrder(void) {
  B(new_cmpxchg, next(), fresh(), fresh(), 0, 0, MU_ORD_SEQ_CST, 0x100, i64, argA, argA, argA, MU_NO_ID);
}
static void noSuchRmw(void) {
  B(new_atomicrmw, next(), fresh(), 0, MU_ORD_SEQ_CST, 11, i64, argA, argB, MU_NO_ID);
}
static void noSuchFence(void) { B(new_fence, next(), 0xffffffff); }
static void noSuchConvention(void) {
  B(new_ccall, next(), NONE, 3, i64, unary, argA, NONE, MU_NO_ID, MU_NO_ID);
}
static void noSuchExposedConvention(void) { B(new_exp_func, fresh(), functionId, 1, one()); }
static void noSuchFlag(void) {
  B(new_comminst, next(), NONE, MU_CI_UVM_NATIVE_UNEXPOSE, (MuFlag[]){9}, 1, NONE, NONE, NONE, MU_NO_ID,
    MU_NO_ID);
}
static void noSuchCommon(void) { common(0x999, 0, NONE); }
static void noSuchCommon2016(void) { common(0x358, 0, NONE); }

static const struct {
  const char* what;
  void (*make)(void);
  const char* code;
} kCalls[] = {
    {"the ID is none", idNone, "L0040"},
    {"the ID is unknown", idUnknown, "L0040"},
    {"the ID is the machine's", idOfMachine, "L0040"},
    {"the result's ID is unknown", idOfResult, "L0040"},
    {"the parameter's ID is unknown", idOfParameter, "L0040"},
    {"a negative length", negativeLength, "L0041"},
    {"a negative index", negativeIndex, "L0041"},
    {"a negative field", negativeField, "L0041"},
    {"no symbol", nullSymbol, "A0001"},
    {"NULL fields", nullFields, "L0042"},
    {"NULL fixed fields", nullFixed, "L0042"},
    {"NULL parameters", nullParameters, "L0042"},
    {"NULL result types", nullResults, "L0042"},
    {"NULL words", nullWords, "L0042"},
    {"NULL elements", nullElements, "L0042"},
    {"NULL blocks", nullBlocks, "L0042"},
    {"NULL block parameters", nullBlockParameters, "L0042"},
    {"NULL types of block parameters", nullBlockTypes, "L0042"},
    {"NULL instructions", nullInstructions, "L0042"},
    {"NULL arguments of a destination", nullDestArguments, "L0042"},
    {"NULL kept values", nullKeepalives, "L0042"},
    {"NULL types to return with", nullRetWith, "L0042"},
    {"NULL values to pass", nullPassed, "L0042"},
    {"NULL status results", nullStatus, "L0042"},
    {"NULL cases", nullCases, "L0042"},
    {"NULL arguments", nullArguments, "L0042"},
    {"NULL results", nullCallResults, "L0042"},
    {"NULL returned values", nullReturned, "L0042"},
    {"NULL types of a trap", nullTrapTypes, "L0042"},
    {"NULL flags", nullFlags, "L0042"},
    {"too many values", hugeCount, "L0043"},
    {"too many words", hugeWords, "L0043"},
    {"binary operation 0xff", noSuchBinop, "A0014"},
    {"a comparison as a binary operation", cmpAsBinop, "A0014"},
    {"comparison 0", noSuchCmp, "A0014"},
    {"conversion 0x1030", noSuchConv, "A0014"},
    {"a fifth status flag", noSuchStatus, "A0014"},
    {"memory order 7", noSuchLoadOrder, "A0014"},
    {"memory order 99", noSuchStoreOrder, "A0014"},
    {"memory order 0x100", noSuchFailureOrder, "A0014"},
    {"ATOMICRMW 11", noSuchRmw, "A0014"},
    {"fence of no order", noSuchFence, "A0014"},
    {"calling convention 3", noSuchConvention, "A0014"},
    {"calling convention 1", noSuchExposedConvention, "A0014"},
    {"flag 9", noSuchFlag, "A0014"},
    {"common instruction 0x999", noSuchCommon, "A0014"},
    {"a common instruction of 2016", noSuchCommon2016, "A0014"},
};

/* --- Mistakes that load finds. --- */

static MuID unknown;

static void undefinedType(void) { refTo(unknown); }
static void undefinedSignature(void) { B(new_func, fresh(), unknown); }
static void undefinedFunction(void) { B(new_exp_func, fresh(), unknown, MU_CC_DEFAULT, one()); }
static void undefinedCookie(void) { B(new_exp_func, fresh(), functionId, MU_CC_DEFAULT, unknown); }
static void undefinedBlock(void) { blocks[blockCount++] = unknown; }
static void undefinedInstruction(void) { instructions[instructionCount++] = unknown; }
static void undefinedValue(void) { binop(MU_BINOP_ADD, i64, argA, unknown); }
static void undefinedElement(void) { B(new_const_seq, fresh(), structOf(&i64, 1), &unknown, 1); }
static void undefinedDest(void) { branch(unknown); }
static void undefinedDestBlock(void) { branch(dest(unknown, NONE)); }
static void undefinedExc(void) { B(new_new, next(), fresh(), i64, unknown); }
static void undefinedKeepalive(void) { B(new_trap, next(), NULL, NULL, 0, MU_NO_ID, unknown); }
static void wrongKindType(void) { refTo(binary); }
static void wrongKindValue(void) { binop(MU_BINOP_ADD, i64, argA, i64); }
static void wrongKindSignature(void) { B(new_func, fresh(), i64); }
static void wrongKindClause(void) { branch(entry); }
static void wrongKindConstant(void) { B(new_exp_func, fresh(), functionId, MU_CC_DEFAULT, functionId); }
static void wrongKindInstruction(void) { instructions[instructionCount++] = i64; }
static void wrongKindCommon(void) { refTo(MU_CI_UVM_NEW_STACK); }
static void missingType(void) { refTo(MU_NO_ID); }
static void missingOperand(void) { binop(MU_BINOP_ADD, i64, argA, MU_NO_ID); }
static void missingDest(void) { branch(MU_NO_ID); }
static void missingSignature(void) { B(new_type_funcref, fresh(), MU_NO_ID); }
static void missingExcDest(void) { B(new_new, next(), fresh(), i64, excClause(MU_NO_ID, MU_NO_ID)); }
static MuID stackOf(void) { return common(MU_CI_UVM_CURRENT_STACK, 1, NONE); }
static void missingCurStack(void) {
  MuID pass = fresh();
  B(new_nsc_pass_values, pass, NULL, NULL, 0);
  B(new_swapstack, next(), NONE, stackOf(), MU_NO_ID, pass, MU_NO_ID, MU_NO_ID);
}
static void missingNewStack(void) {
  B(new_newthread, next(), fresh(), stackOf(), MU_NO_ID, MU_NO_ID, MU_NO_ID);
}
static void definedTwice(void) { B(new_type_float, i64); }
static void resultTwice(void) {
  MuID same = fresh();
  B(new_binop, next(), same, MU_BINOP_ADD, i64, argA, argB, MU_NO_ID);
  B(new_binop, next(), same, MU_BINOP_ADD, i64, argA, argB, MU_NO_ID);
}
static void resultOfItself(void) {
  MuID same = next();
  B(new_binop, same, same, MU_BINOP_ADD, i64, argA, argB, MU_NO_ID);
}
static void parameterTwice(void) {
  MuID x = fresh(), block = newBlock(), back = fresh();
  B(new_ret, back, &x, 1);
  B(new_bb, block, (MuID[]){x, x}, (MuID[]){i64, i64}, 2, MU_NO_ID, &back, 1);
}
static void loadedAlready(void) { B(new_type_int, name("@loaded"), 64); }
static void functionLoadedAlready(void) { B(new_func, name("@loadedFunction"), binary); }
static void typeInItself(void) {
  MuID type = fresh();
  B(new_type_struct, type, IDS(i64, type));
}
static void versionTwice(void) { B(new_func_ver, fresh(), functionId, &entry, 1); }
static void blockTwice(void) { blocks[blockCount++] = entry; }
static void instructionTwice(void) {
  binop(MU_BINOP_ADD, i64, argA, argB);
  instructions[instructionCount] = instructions[instructionCount - 1];
  ++instructionCount;
}
static void leftOut(void) {
  MuID result = fresh();
  B(new_binop, fresh(), result, MU_BINOP_ADD, i64, argA, argB, MU_NO_ID);
  binop(MU_BINOP_ADD, i64, argA, result);
}
static void tooManyResults(void) {
  B(new_call, next(), IDS(fresh(), fresh()), binary, functionId, IDS(argA, argB), MU_NO_ID, MU_NO_ID);
}
static void tooFewStatus(void) {
  B(new_binop_with_status, next(), fresh(), IDS(fresh()), MU_BINOP_ADD, MU_BOS_N | MU_BOS_V, i64, argA, argB,
    MU_NO_ID);
}
static void resultOfStatement(void) {
  B(new_comminst, next(), IDS(fresh()), MU_CI_UVM_SET_THREADLOCAL, NONE, NONE, NONE, NONE, MU_NO_ID,
    MU_NO_ID);
}
static void commonParts(void) {
  B(new_comminst, next(), IDS(fresh()), MU_CI_UVM_NATIVE_PIN, NONE, NONE, NONE, &argA, 1, MU_NO_ID, MU_NO_ID);
}
static void fieldBeyond(void) { B(new_getfieldiref, next(), fresh(), 0, structOf(&i64, 1), 1, argA); }
static void fieldOfInt(void) { B(new_getfieldiref, next(), fresh(), 0, i64, 0, argA); }

static void intOfNoBits(void) { intType(0); }
static void intTooLong(void) { intType(5000); }
static void emptyStruct(void) { structOf(NONE); }
static void voidField(void) { structOf(&nothing, 1); }
static void emptyArray(void) { B(new_type_array, fresh(), i64, 0); }
static void vectorOfVoid(void) { B(new_type_vector, fresh(), nothing, 4); }
static void hybridOfVoid(void) { B(new_type_hybrid, fresh(), NONE, nothing); }
static void voidParameter(void) { signature(&nothing, 1, NONE); }
static void voidResult(void) { signature(NONE, &nothing, 1); }
static void intOfDouble(void) { constant(f64, 1); }
static void floatOfInt(void) { B(new_const_float, fresh(), i64, 1); }
static void doubleOfFloat(void) { B(new_const_double, fresh(), f32, 1); }
static void nullOfInt(void) { B(new_const_null, fresh(), i64); }
static void nullOfPointer(void) { B(new_const_null, fresh(), uptrI64); }
static void sequenceOfInt(void) { B(new_const_seq, fresh(), i64, NONE); }
static void sequenceTooShort(void) { B(new_const_seq, fresh(), structOf(IDS(i64, i64)), IDS(one())); }
static void sequenceOfWrongType(void) { B(new_const_seq, fresh(), structOf(&i32, 1), IDS(one())); }
static void sequenceOfLocal(void) { B(new_const_seq, fresh(), structOf(&i64, 1), &argA, 1); }
static void sequenceOfItself(void) {
  MuID same = fresh();
  B(new_const_seq, same, structOf(&i64, 1), &same, 1);
}
static void externOfInt(void) { B(new_const_extern, fresh(), i64, "labs"); }
static void externEmpty(void) { B(new_const_extern, fresh(), uptrI64, ""); }
static void externWithBlank(void) { B(new_const_extern, fresh(), uptrI64, "two words"); }
static void externWithQuote(void) { B(new_const_extern, fresh(), uptrI64, "a\"b"); }
static void externNotAscii(void) { B(new_const_extern, fresh(), uptrI64, "\xc3\xa9"); }
static void cellOfHybrid(void) {
  MuID hybrid = fresh();
  B(new_type_hybrid, hybrid, NONE, i64);
  B(new_global_cell, fresh(), hybrid);
}
static void cookieOfInt32(void) { B(new_exp_func, fresh(), functionId, MU_CC_DEFAULT, constant(i32, 0)); }

/* Another function g with these blocks and nothing else. */
static void another(MuID sig, MuID* blocksOfIt, MuArraySize count) {
  MuID g = fresh();
  B(new_func, g, sig);
  B(new_func_ver, fresh(), g, blocksOfIt, count);
}
static void noBlocks(void) { another(binary, NONE); }
static void noInstructions(void) {
  MuID block = fresh();
  B(new_bb, block, (MuID[]){fresh(), fresh()}, (MuID[]){i64, i64}, 2, MU_NO_ID, NONE);
  another(binary, &block, 1);
}
static void openBlock(void) {
  MuID block = fresh(), fence = fresh();
  B(new_fence, fence, MU_ORD_SEQ_CST);
  B(new_bb, block, NULL, NULL, 0, MU_NO_ID, &fence, 1);
  another(signature(NONE, NONE), &block, 1);
}
static void entryOf(MuID* types, MuArraySize count, MuID exception) {
  MuID block = fresh(), back = fresh(), ids[3] = {fresh(), fresh(), fresh()};
  B(new_ret, back, NONE);
  B(new_bb, block, ids, types, count, exception, &back, 1);
  another(signature(&i64, 1, NONE), &block, 1);
}
static void entryCount(void) { entryOf((MuID[]){i64, i64}, 2, MU_NO_ID); }
static void entryType(void) { entryOf(&i32, 1, MU_NO_ID); }
static void entryException(void) { entryOf(&i64, 1, fresh()); }
static void branchToEntry(void) { branch(dest(entry, IDS(argA, argB))); }
static void afterTerminator(void) { ret(argA); }
static void otherBlocksValue(void) {
  MuID block = newBlock(), back = fresh();
  B(new_ret, back, &argA, 1);
  B(new_bb, block, NULL, NULL, 0, MU_NO_ID, &back, 1);
}
static void usedBefore(void) {
  MuID result = fresh();
  binop(MU_BINOP_ADD, i64, argA, result);
  B(new_binop, next(), result, MU_BINOP_ADD, i64, argA, argB, MU_NO_ID);
}
static void usedByItself(void) {
  MuID result = fresh();
  B(new_binop, next(), result, MU_BINOP_ADD, i64, argA, result, MU_NO_ID);
}
static MuID returning(MuID* parameters, MuID* types, MuArraySize count, MuID exception) {
  MuID block = newBlock(), back = fresh();
  B(new_ret, back, IDS(one()));
  B(new_bb, block, parameters, types, count, exception, &back, 1);
  return block;
}
static void destCount(void) { branch(dest(returning(NULL, NULL, 0, MU_NO_ID), &argA, 1)); }
static void destType(void) {
  MuID x = fresh();
  branch(dest(returning(&x, &i32, 1, MU_NO_ID), &argA, 1));
}
static void destException(void) { branch(dest(returning(NULL, NULL, 0, fresh()), NONE)); }
static void excOfAdd(void) {
  MuID to = returning(NULL, NULL, 0, MU_NO_ID);
  B(new_binop, next(), fresh(), MU_BINOP_ADD, i64, argA, argB, excClause(dest(to, NONE), dest(to, NONE)));
}
static void keptConstant(void) {
  MuID kept = fresh();
  B(new_keepalive_clause, kept, IDS(one()));
  B(new_trap, next(), NULL, NULL, 0, MU_NO_ID, kept);
}
static void operandType(void) { binop(MU_BINOP_ADD, i64, argA, constant(i32, 1)); }
static void floatOperation(void) { binop(MU_BINOP_FADD, i64, argA, argB); }
static void statusOfFloat(void) {
  MuID x = fresh();
  B(new_const_double, x, f64, 1);
  B(new_binop_with_status, next(), fresh(), IDS(fresh()), MU_BINOP_FADD, MU_BOS_N, f64, x, x, MU_NO_ID);
}
static void statusOfAnd(void) {
  B(new_binop_with_status, next(), fresh(), IDS(fresh()), MU_BINOP_AND, MU_BOS_V, i64, argA, argB, MU_NO_ID);
}
static void truncWidens(void) { conv(MU_CONV_TRUNC, i32, i64, constant(i32, 1)); }
static void condition(void) {
  MuID to = returning(NULL, NULL, 0, MU_NO_ID);
  B(new_branch2, next(), argA, dest(to, NONE), dest(to, NONE));
}
static void caseTwice(void) {
  MuID to = returning(NULL, NULL, 0, MU_NO_ID);
  B(new_switch, next(), i64, argA, dest(to, NONE), (MuID[]){one(), one()},
    (MuID[]){dest(to, NONE), dest(to, NONE)}, 2);
}
static void calleeType(void) { B(new_call, next(), NONE, unary, argA, &argB, 1, MU_NO_ID, MU_NO_ID); }
static void calleeSignature(void) {
  B(new_call, next(), NONE, unary, functionId, &argB, 1, MU_NO_ID, MU_NO_ID);
}
static void argumentCount(void) {
  B(new_call, next(), NONE, binary, functionId, &argB, 1, MU_NO_ID, MU_NO_ID);
}
static void argumentType(void) {
  B(new_call, next(), NONE, binary, functionId, IDS(argA, constant(i8, 0)), MU_NO_ID, MU_NO_ID);
}
static void tailResults(void) { B(new_tailcall, next(), signature(&i64, 1, NONE), functionId, &argA, 1); }
static void returnedCount(void) { B(new_ret, next(), NONE); }
static void returnedType(void) { ret(constant(i32, 0)); }
static void thrownType(void) { B(new_throw, next(), argA); }
static void calledType(void) {
  B(new_ccall, next(), NONE, MU_CC_DEFAULT, i64, unary, argA, &argA, 1, MU_NO_ID, MU_NO_ID);
}
static void allocatedHybrid(void) {
  MuID hybrid = fresh();
  B(new_type_hybrid, hybrid, NONE, i64);
  B(new_new, next(), fresh(), hybrid, MU_NO_ID);
}
static void allocatedNoHybrid(void) { B(new_newhybrid, next(), fresh(), i64, i64, argA, MU_NO_ID); }
static void irefOfInt(void) { B(new_getiref, next(), fresh(), i64, argA); }
static void loadOfInt(void) { B(new_load, next(), fresh(), 0, MU_ORD_NOT_ATOMIC, i64, argA, MU_NO_ID); }
static void loadRelease(void) {
  B(new_load, next(), fresh(), 1, MU_ORD_RELEASE, i64, constant(uptrI64, 0), MU_NO_ID);
}
static void storedType(void) {
  B(new_store, next(), 1, MU_ORD_NOT_ATOMIC, i64, constant(uptrI64, 0), constant(i32, 0), MU_NO_ID);
}
static void fenceConsume(void) { B(new_fence, next(), MU_ORD_CONSUME); }
static void watchpointZero(void) {
  MuID to = returning(NULL, NULL, 0, MU_NO_ID);
  B(new_wpbranch, next(), 0, dest(to, NONE), dest(to, NONE));
}
static void swappedInt(void) {
  MuID back = fresh(), pass = fresh();
  B(new_csc_ret_with, back, NONE);
  B(new_nsc_pass_values, pass, NULL, NULL, 0);
  B(new_swapstack, next(), NONE, argA, back, pass, MU_NO_ID, MU_NO_ID);
}
static void killedWithExc(void) {
  MuID kill = fresh(), pass = fresh(), to = returning(NULL, NULL, 0, MU_NO_ID);
  B(new_csc_kill_old, kill);
  B(new_nsc_pass_values, pass, NULL, NULL, 0);
  B(new_swapstack, next(), NONE, stackOf(), kill, pass, excClause(dest(to, NONE), dest(to, NONE)), MU_NO_ID);
}
static void commonFlags(void) {
  B(new_comminst, next(), NONE, MU_CI_UVM_CURRENT_STACK, (MuFlag[]){MU_CC_DEFAULT}, 1, NONE, NONE, NONE,
    MU_NO_ID, MU_NO_ID);
}
static void commonCount(void) { common(MU_CI_UVM_KILL_STACK, 0, NONE); }
static void commonArgument(void) { common(MU_CI_UVM_KILL_STACK, 0, &argA, 1); }

static const struct {
  const char* what;
  void (*make)(void);
  const char* code;
} kLoads[] = {
    {"undefined type", undefinedType, "L0001"},
    {"undefined signature", undefinedSignature, "L0001"},
    {"undefined function", undefinedFunction, "L0001"},
    {"undefined cookie", undefinedCookie, "L0001"},
    {"undefined block", undefinedBlock, "L0001"},
    {"undefined instruction", undefinedInstruction, "L0001"},
    {"undefined value", undefinedValue, "L0001"},
    {"undefined element", undefinedElement, "L0001"},
    {"undefined destination", undefinedDest, "L0001"},
    {"undefined block of a destination", undefinedDestBlock, "L0001"},
    {"undefined exception clause", undefinedExc, "L0001"},
    {"undefined keep-alive clause", undefinedKeepalive, "L0001"},
    {"a signature for a type", wrongKindType, "L0002"},
    {"a type for a value", wrongKindValue, "L0002"},
    {"a type for a signature", wrongKindSignature, "L0002"},
    {"a block for a destination", wrongKindClause, "L0002"},
    {"a function for a constant", wrongKindConstant, "L0002"},
    {"a type for an instruction", wrongKindInstruction, "L0002"},
    {"a common instruction for a type", wrongKindCommon, "L0001"},
    {"no type", missingType, "L0003"},
    {"no operand", missingOperand, "L0003"},
    {"no destination", missingDest, "L0003"},
    {"no signature", missingSignature, "L0003"},
    {"no destinations of an exception clause", missingExcDest, "L0003"},
    {"no current stack clause", missingCurStack, "L0003"},
    {"no new stack clause", missingNewStack, "L0003"},
    {"a type defined twice", definedTwice, "L0004"},
    {"a result defined twice", resultTwice, "L0004"},
    {"a result with the instruction's ID", resultOfItself, "L0004"},
    {"a parameter defined twice", parameterTwice, "L0004"},
    {"a type that is loaded", loadedAlready, "L0005"},
    {"a function that is loaded", functionLoadedAlready, "L0005"},
    {"a type in itself", typeInItself, "L0011"},
    {"two versions", versionTwice, "L0022"},
    {"a block listed twice", blockTwice, "L0023"},
    {"an instruction listed twice", instructionTwice, "L0024"},
    {"a result of what is left out", leftOut, "L0027"},
    {"too many results", tooManyResults, "L0030"},
    {"too few status results", tooFewStatus, "L0030"},
    {"a result of what gives none", resultOfStatement, "L0030"},
    {"a common instruction without its type", commonParts, "L0031"},
    {"a field of an int", fieldOfInt, "L0032"},
    {"a field beyond the last", fieldBeyond, "L0033"},
    {"int<0>", intOfNoBits, "V0001"},
    {"int<5000>", intTooLong, "V0002"},
    {"a struct of nothing", emptyStruct, "V0003"},
    {"a void field", voidField, "V0004"},
    {"an array of nothing", emptyArray, "V0006"},
    {"a vector of void", vectorOfVoid, "V0011"},
    {"a hybrid of void", hybridOfVoid, "V0014"},
    {"a void parameter", voidParameter, "V0016"},
    {"a void result", voidResult, "V0019"},
    {"an integer constant of double", intOfDouble, "V0101"},
    {"a float constant of int", floatOfInt, "V0102"},
    {"a double constant of float", doubleOfFloat, "V0103"},
    {"NULL of int", nullOfInt, "V0104"},
    {"NULL of a raw pointer", nullOfPointer, "V0104"},
    {"a sequence of type int", sequenceOfInt, "V0105"},
    {"a sequence too short", sequenceTooShort, "V0106"},
    {"a sequence of a wrong type", sequenceOfWrongType, "V0107"},
    {"a sequence of a local value", sequenceOfLocal, "V0108"},
    {"a sequence of itself", sequenceOfItself, "V0109"},
    {"an extern of int", externOfInt, "V0110"},
    {"an empty symbol", externEmpty, "V0111"},
    {"a symbol with a blank", externWithBlank, "V0112"},
    {"a symbol with a quote", externWithQuote, "V0112"},
    {"a symbol beyond ASCII", externNotAscii, "V0112"},
    {"a cell of a hybrid", cellOfHybrid, "V0114"},
    {"a cookie of int<32>", cookieOfInt32, "V0115"},
    {"a function version of no blocks", noBlocks, "V0201"},
    {"a block of no instructions", noInstructions, "V0206"},
    {"a block without an end", openBlock, "V0207"},
    {"parameters of the entry", entryCount, "V0202"},
    {"a parameter type of the entry", entryType, "V0203"},
    {"an exception parameter of the entry", entryException, "V0204"},
    {"a branch to the entry", branchToEntry, "V0205"},
    {"an instruction behind the end", afterTerminator, "V0208"},
    {"a value of another block", otherBlocksValue, "V0301"},
    {"a value used before", usedBefore, "V0302"},
    {"a value used by itself", usedByItself, "V0303"},
    {"arguments of a destination", destCount, "V0307"},
    {"an argument type of a destination", destType, "V0308"},
    {"a branch to a handler", destException, "V0309"},
    {"an exception clause of ADD", excOfAdd, "V0311"},
    {"a constant kept alive", keptConstant, "V0314"},
    {"an operand's type", operandType, "V0403"},
    {"FADD of int", floatOperation, "V0402"},
    {"status of FADD", statusOfFloat, "V0404"},
    {"overflow of AND", statusOfAnd, "V0405"},
    {"TRUNC that widens", truncWidens, "V0415"},
    {"a condition of int<64>", condition, "V0501"},
    {"a case twice", caseTwice, "V0507"},
    {"calling an int", calleeType, "V0508"},
    {"the callee's signature", calleeSignature, "V0509"},
    {"too few arguments", argumentCount, "V0510"},
    {"an argument's type", argumentType, "V0511"},
    {"results of a tail call", tailResults, "V0509"},
    {"returning nothing", returnedCount, "V0513"},
    {"returning another type", returnedType, "V0514"},
    {"throwing an int", thrownType, "V0515"},
    {"a native call of an int", calledType, "V0516"},
    {"NEW of a hybrid", allocatedHybrid, "V0701"},
    {"NEWHYBRID of an int", allocatedNoHybrid, "V0702"},
    {"GETIREF of an int", irefOfInt, "V0705"},
    {"LOAD of an int", loadOfInt, "V0710"},
    {"LOAD RELEASE", loadRelease, "V0803"},
    {"STORE of another type", storedType, "V0813"},
    {"FENCE CONSUME", fenceConsume, "V0808"},
    {"watchpoint 0", watchpointZero, "V0902"},
    {"SWAPSTACK of an int", swappedInt, "V0909"},
    {"KILL_OLD with EXC", killedWithExc, "V0910"},
    {"flags of a common instruction", commonFlags, "V0913"},
    {"arguments of a common instruction", commonCount, "V0914"},
    {"an argument of a common instruction", commonArgument, "V0915"},
};

static void begin(void) {
  open();
  standardTypes();
  unknown = fresh();
  beginFunction();
}
/* The rest of the function: what the mistake made stands before it. */
static void complete(void) {
  ret(argA);
  endEntry();
  endFunction();
}

static void wrong(const char* what, const char* code) {
  MuError error;
  if (mvm->get_error(mvm, &error) && strcmp(error.code, code) == 0) {
    mvm->clear_error(mvm);
    return;
  }
  fprintf(stderr, "case %s: wanted %s\n", what, code);
  CHECK(0);
}

/* The mistakes of a load are told in the order of linking; the first is what MuError.code has. */
static void cases(void) {
  size_t i;
  for (i = 0; i < sizeof kCalls / sizeof *kCalls; ++i) {
    begin();
    NO_ERROR();
    kCalls[i].make();
    wrong(kCalls[i].what, kCalls[i].code);
    complete();
    NO_ERROR();
    b->load(b);
    wrong(kCalls[i].what, kCalls[i].code);
  }
  for (i = 0; i < sizeof kLoads / sizeof *kLoads; ++i) {
    begin();
    kLoads[i].make();
    complete();
    NO_ERROR();
    b->load(b);
    wrong(kLoads[i].what, kLoads[i].code);
  }
}

/* Two builders that name different things the same: the second to load is refused. */
static void nameTaken(void) {
  MuIRBuilder* other;
  open();
  B(new_type_float, name("@taken"));
  other = b;
  open();
  B(new_type_double, name("@taken"));
  b->load(b);
  NO_ERROR();
  FAILS_VOID("L0006", other->load(other));
}

/* All that is wrong is listed, each with the name or the ID of what is wrong. */
static void allListed(void) {
  MuID nameless;
  char text[32];
  begin();
  B(new_type_struct, name("@bad.struct"), &unknown, 1);
  nameless = fresh();
  B(new_type_ref, nameless, binary);
  branch(name("@bad.dest"));
  B(new_const_int, name("@bad.constant"), name("@bad.type"), 1);
  complete();
  b->load(b);
  CHECK(tells("@bad.struct") && tells("L0001") && tells("L0002") && tells("@bad.dest") &&
        tells("@bad.constant") && tells("@bad.type"));
  snprintf(text, sizeof text, "#%u", nameless);
  CHECK(tells(text));
  mvm->clear_error(mvm);

  begin();
  B(new_func_ver, name("@f.bad"), functionId, NONE);
  (void)name;
  B(new_binop, (instructions[instructionCount++] = name("@f.v.add")), fresh(), MU_BINOP_ADD, i32, argA, argB,
    MU_NO_ID);
  B(new_binop, (instructions[instructionCount++] = name("@f.v.fadd")), fresh(), MU_BINOP_FADD, i64, argA,
    argB, MU_NO_ID);
  B(new_type_int, name("@bad.int"), 0);
  ret(argA);
  endEntry();
  b->load(b);
  CHECK(tells("V0001") && tells("@bad.int") && tells("V0201") && tells("@f.bad"));
  mvm->clear_error(mvm);

  begin();
  B(new_binop, (instructions[instructionCount++] = name("@g.v.add")), fresh(), MU_BINOP_ADD, i32, argA, argB,
    MU_NO_ID);
  B(new_binop, (instructions[instructionCount++] = name("@g.v.fadd")), fresh(), MU_BINOP_FADD, i64, argA,
    argB, MU_NO_ID);
  complete();
  b->load(b);
  CHECK(tells("V0403") && tells("@g.v.add") && tells("V0402") && tells("@g.v.fadd"));
  mvm->clear_error(mvm);

  /* Refused calls and what load finds, together; a name nearly right is hinted at. */
  begin();
  binop(0xff, i64, argA, argB);
  mvm->clear_error(mvm);
  B(new_type_float, name("@spectrum"));
  refTo(name("@spectrun"));
  complete();
  b->load(b);
  CHECK(tells("binary operation with number 255") && tells("@spectrun") && tells("did you mean @spectrum?"));
  mvm->clear_error(mvm);
}

/* Without a builder. */
static void noBuilder(void) {
  open();
  FAILS_VOID("A0001", b->load(NULL));
  FAILS_VOID("A0001", b->abort(NULL));
  FAILS("A0001", b->gen_sym(NULL, "@x"));
  FAILS_VOID("A0001", b->new_type_int(NULL, 70000, 8));
  FAILS_VOID("A0001", b->new_func_ver(NULL, 70000, 70001, NULL, 0));
  b->abort(b);
  NO_ERROR();
}

/* The error handler is told at the call, and may use the builder. */
static int told;
static void tell(MuVM* machine, MuError* error, MuCPtr userdata) {
  CHECK(machine == mvm && strcmp(error->code, "L0042") == 0);
  ++told;
  CHECK(fresh() != MU_NO_ID);
  (void)userdata;
}
static void handler(void) {
  open();
  mvm->set_error_handler(mvm, tell, NULL);
  B(new_type_struct, fresh(), NULL, 1);
  mvm->set_error_handler(mvm, NULL, NULL);
  CHECK(told == 1);
  b->abort(b);
  mvm->clear_error(mvm);
}

int main(void) {
  start("");
  load(".typedef @loaded = int<64>\n.funcdecl @loadedFunction <(@loaded)->()>");
  cases();
  nameTaken();
  allListed();
  noBuilder();
  handler();
  finish();
  return 0;
}
