/* Programs as the big client of 2017 makes them, which translates whole interpreters: objects whose layout it
 * computes itself, vtables in cells reached by raw addresses, arrays of references copied as bytes, its own
 * booleans, divisions and exceptions, what it calls of the C library, and a heap that is filled call by call.
 */
#include "builder.h"

/* --- What the bodies are made of --- */

static MuID hybridOf(MuID* fixed, MuArraySize count, MuID items) {
  MuID type = fresh();
  B(new_type_hybrid, type, fixed, count, items);
  return type;
}
static MuID newObject(MuID type) {
  MuID object = fresh();
  B(new_new, next(), object, type, MU_NO_ID);
  return object;
}
static MuID newArray(MuID type, MuID length) {
  MuID object = fresh();
  B(new_newhybrid, next(), object, type, i64, length, MU_NO_ID);
  return object;
}
/* The location of a field of a heap object. */
static MuID fieldOf(MuID type, MuID object, int index) {
  MuID place = fresh(), field = fresh();
  B(new_getiref, next(), place, type, object);
  B(new_getfieldiref, next(), field, 0, type, index, place);
  return field;
}
/* The location of an item of a heap array with items of type `item`. */
static MuID itemOf(MuID type, MuID item, MuID object, MuID index) {
  MuID place = fresh(), items = fresh(), found = fresh();
  B(new_getiref, next(), place, type, object);
  B(new_getvarpartiref, next(), items, 0, type, place);
  B(new_shiftiref, next(), found, 0, item, i64, items, index);
  return found;
}
static MuID loadFrom(int isPointer, MuID type, MuID from) {
  MuID value = fresh();
  B(new_load, next(), value, isPointer, MU_ORD_NOT_ATOMIC, type, from, MU_NO_ID);
  return value;
}
static void storeTo(int isPointer, MuID type, MuID to, MuID value) {
  B(new_store, next(), isPointer, MU_ORD_NOT_ATOMIC, type, to, value, MU_NO_ID);
}
static MuID selected(MuID type, MuID condition, MuID yes, MuID no) {
  MuID value = fresh();
  B(new_select, next(), value, i1, type, condition, yes, no);
  return value;
}
static MuID widened(MuID flag) { return conv(MU_CONV_ZEXT, i1, i64, flag); }
static MuID number(int64_t value) { return constant(i64, (uint64_t)value); }
/* A common instruction of one type argument. */
static MuID typed(MuCommInst opcode, int hasResult, MuID type, MuID argument) {
  MuID result = fresh();
  B(new_comminst, next(), hasResult ? &result : NULL, (MuArraySize)hasResult, opcode, NONE, &type, 1, NONE,
    &argument, 1, MU_NO_ID, MU_NO_ID);
  return result;
}
/* The address of a heap object's field 0, as a number. */
static MuID pinnedAddress(MuID type, MuID object) {
  return conv(MU_CONV_PTRCAST, uptrTo(type), i64, typed(MU_CI_UVM_NATIVE_PIN, 1, refTo(type), object));
}
static void unpinned(MuID type, MuID object) { typed(MU_CI_UVM_NATIVE_UNPIN, 0, refTo(type), object); }
/* A call of the C library. */
static MuID ccall(const char* symbol, MuID* types, MuID* arguments, MuArraySize count, MuID resultType) {
  MuID sig = signature(types, count, &resultType, 1), type = fresh(), callee = fresh(), result = fresh();
  B(new_type_ufuncptr, type, sig);
  B(new_const_extern, callee, type, (MuCString)(uintptr_t)symbol);
  B(new_ccall, next(), &result, 1, MU_CC_DEFAULT, type, sig, callee, arguments, count, MU_NO_ID, MU_NO_ID);
  return result;
}
/* --- Layout --- */

/* A string: hash, hash of the contents, length, characters at 24. The client writes by address, reads by
 * iref. */
static MuID stringByAddress(void) {
  MuID type = hybridOf((MuID[]){i64, i64, i64}, 3, i8), text = newArray(type, argA), address, byte, read;
  storeTo(0, i64, fieldOf(type, text, 2), argA);
  address = binop(MU_BINOP_ADD, i64, pinnedAddress(type, text), number(24));
  byte = conv(MU_CONV_PTRCAST, i64, uptrTo(i8), binop(MU_BINOP_ADD, i64, address, argB));
  storeTo(1, i8, byte, constant(i8, 65));
  unpinned(type, text);
  read = conv(MU_CONV_ZEXT, i8, i64, loadFrom(0, i8, itemOf(type, i8, text, argB)));
  return binop(MU_BINOP_ADD, i64, read, loadFrom(0, i64, fieldOf(type, text, 2)));
}
/* Items of an array lie at 16, of 8 bytes each. */
static MuID arrayLayout(void) {
  MuID type = hybridOf((MuID[]){i64, i64}, 2, refVoid), array = newArray(type, number(4));
  MuID base = pinnedAddress(type, array), last = itemOf(type, refVoid, array, number(3)),
       lastAddress = conv(MU_CONV_PTRCAST, uptrTo(refVoid), i64,
                          typed(MU_CI_UVM_NATIVE_GET_ADDR, 1, irefTo(refVoid), last));
  unpinned(type, array);
  return binop(MU_BINOP_SUB, i64, lastAddress, base);
}
/* A struct in a struct is padded at its end, as C's is. */
static MuID tailPadding(void) {
  MuID inner = structOf((MuID[]){i64, i8}, 2), outer = structOf((MuID[]){inner, i8}, 2),
       null = constant(uptrTo(outer), 0), field = fresh();
  B(new_getfieldiref, next(), field, 1, outer, 1, null);
  return conv(MU_CONV_PTRCAST, uptrTo(i8), i64, field);
}
/* References are copied as bytes; the collector finds them in the copy. */
static MuID copied(const char* with) {
  MuID type = hybridOf((MuID[]){i64, i64}, 2, refI64), from = newArray(type, number(8)),
       to = newArray(type, number(8)), box = newObject(i64), place = fresh(), target, source, loaded;
  B(new_getiref, next(), place, i64, box);
  storeTo(0, i64, place, argA);
  storeTo(0, refI64, itemOf(type, refI64, from, number(5)), box);
  target = binop(MU_BINOP_ADD, i64, pinnedAddress(type, to), number(16));
  source = binop(MU_BINOP_ADD, i64, pinnedAddress(type, from), number(16));
  ccall(with, (MuID[]){i64, i64, i64}, (MuID[]){target, source, number(64)}, 3, i64);
  unpinned(type, from);
  unpinned(type, to);
  newArray(type, number(1000));
  loaded = loadFrom(0, refI64, itemOf(type, refI64, to, number(5)));
  B(new_getiref, next(), (place = fresh()), i64, loaded);
  return loadFrom(0, i64, place);
}
static MuID copiedReferences(void) { return copied("memcpy"); }
static MuID movedReferences(void) { return copied("memmove"); }
/* The address, kept in field 0, is an object's hash for good. */
static MuID identityHash(void) {
  MuID type = structOf((MuID[]){i64, i64}, 2), one = newObject(type), two = newObject(type), same, other;
  storeTo(0, i64, fieldOf(type, one, 0), pinnedAddress(type, one));
  unpinned(type, one);
  newArray(hybridOf(NONE, i8), number(100000));
  same = cmp(MU_CMP_EQ, i64, loadFrom(0, i64, fieldOf(type, one, 0)), pinnedAddress(type, one));
  other = cmp(MU_CMP_NE, i64, loadFrom(0, i64, fieldOf(type, one, 0)), pinnedAddress(type, two));
  unpinned(type, one);
  unpinned(type, two);
  return binop(MU_BINOP_AND, i64, widened(same), widened(other));
}
static MuID nestedPins(void) {
  MuID object = newObject(i64), first = pinnedAddress(i64, object), again = pinnedAddress(i64, object), third;
  unpinned(i64, object);
  third = pinnedAddress(i64, object);
  unpinned(i64, object);
  unpinned(i64, object);
  return binop(MU_BINOP_AND, i64, widened(cmp(MU_CMP_EQ, i64, first, again)),
               widened(cmp(MU_CMP_EQ, i64, first, third)));
}
/* A C array of C strings: hybrids without a fixed part behind raw pointers. */
static MuID arrayOfStrings(void) {
  MuID characters = hybridOf(NONE, i8), text = uptrTo(characters), texts = hybridOf(NONE, text),
       memory = ccall("calloc", (MuID[]){i64, i64}, (MuID[]){number(3), number(8)}, 2, uptrTo(texts)),
       items = fresh(), second = fresh(), first = fresh(),
       copy = ccall("strdup", &uptrI64, (MuID[]){conv(MU_CONV_PTRCAST, i64, uptrI64, argA)}, 1, text), byte;
  B(new_getvarpartiref, next(), items, 1, texts, memory);
  B(new_shiftiref, next(), second, 1, text, i64, items, number(1));
  storeTo(1, text, second, copy);
  B(new_getvarpartiref, next(), first, 1, characters, loadFrom(1, text, second));
  byte = conv(MU_CONV_ZEXT, i8, i64, loadFrom(1, i8, first));
  ccall("free", &text, &copy, 1, i64);
  ccall("free", (MuID[]){uptrTo(texts)}, &memory, 1, i64);
  return byte;
}

/* --- Vtables and dispatch --- */

/* A function unary(x) that adds a number. */
static MuID adder(int64_t what) {
  MuID f = fresh(), block = fresh(), x = fresh(), sum = fresh(), first = fresh(), second = fresh();
  B(new_func, f, unary);
  B(new_binop, first, sum, MU_BINOP_ADD, i64, x, number(what), MU_NO_ID);
  B(new_ret, second, &sum, 1);
  B(new_bb, block, &x, &i64, 1, MU_NO_ID, IDS(first, second));
  B(new_func_ver, fresh(), f, &block, 1);
  return f;
}
static MuID called(MuID function, MuID argument) {
  MuID result = fresh();
  B(new_call, next(), &result, 1, unary, function, &argument, 1, MU_NO_ID, MU_NO_ID);
  return result;
}
/* The vtable lies in a cell; the object has its raw address. */
static MuID vtableInCell(void) {
  MuID method = fresh(), vtable, object, cell = name("@client.vtable"), type, field = fresh(), slot = fresh(),
       found, entryPoint;
  B(new_type_funcref, method, unary);
  vtable = structOf((MuID[]){i64, method}, 2);
  type = structOf((MuID[]){i64, uptrTo(vtable), i64}, 3);
  B(new_global_cell, cell, vtable);
  B(new_getfieldiref, next(), field, 0, vtable, 1, cell);
  storeTo(0, method, field, adder(1000));
  object = newObject(type);
  storeTo(0, uptrTo(vtable), fieldOf(type, object, 1),
          typed(MU_CI_UVM_NATIVE_GET_ADDR, 1, irefTo(vtable), cell));
  found = loadFrom(0, uptrTo(vtable), fieldOf(type, object, 1));
  B(new_getfieldiref, next(), slot, 1, vtable, 1, found);
  entryPoint = loadFrom(1, method, slot);
  return called(entryPoint, argA);
}
/* The other generation has references to vtables. */
static MuID vtableByReference(void) {
  MuID method = fresh(), vtable, type, object, table, chosen;
  B(new_type_funcref, method, unary);
  vtable = structOf((MuID[]){i64, method, method}, 3);
  type = structOf((MuID[]){i64, refTo(vtable)}, 2);
  table = newObject(vtable);
  storeTo(0, method, fieldOf(vtable, table, 1), adder(1));
  storeTo(0, method, fieldOf(vtable, table, 2), adder(2));
  object = newObject(type);
  storeTo(0, refTo(vtable), fieldOf(type, object, 1), table);
  table = loadFrom(0, refTo(vtable), fieldOf(type, object, 1));
  chosen =
      selected(method, cmp(MU_CMP_SGT, i64, argB, number(0)), loadFrom(0, method, fieldOf(vtable, table, 1)),
               loadFrom(0, method, fieldOf(vtable, table, 2)));
  return called(chosen, argA);
}
/* Whether a method is there: a function reference against NULL. */
static MuID absentMethod(void) {
  MuID method = fresh(), null = fresh(), object;
  B(new_type_funcref, method, unary);
  B(new_const_null, null, method);
  object = newObject(structOf((MuID[]){method}, 1));
  return widened(
      cmp(MU_CMP_EQ, method, loadFrom(0, method, fieldOf(structOf((MuID[]){method}, 1), object, 0)), null));
}

/* --- Arithmetic with the client's rules --- */

/* Division towards minus infinity, from the one towards 0. */
static MuID floorDivision(void) {
  MuID quotient = binop(MU_BINOP_SDIV, i64, argA, argB), rest = binop(MU_BINOP_SREM, i64, argA, argB),
       signs = cmp(MU_CMP_SLT, i64, binop(MU_BINOP_XOR, i64, rest, argB), number(0)),
       isInexact = cmp(MU_CMP_NE, i64, rest, number(0)),
       fix = binop(MU_BINOP_AND, i64, widened(signs), widened(isInexact));
  return binop(MU_BINOP_SUB, i64, quotient, fix);
}
static MuID floorRemainder(void) {
  MuID rest = binop(MU_BINOP_SREM, i64, argA, argB),
       signs = cmp(MU_CMP_SLT, i64, binop(MU_BINOP_XOR, i64, rest, argB), number(0)),
       isInexact = cmp(MU_CMP_NE, i64, rest, number(0)),
       fix = binop(MU_BINOP_AND, i64, widened(signs), widened(isInexact));
  return binop(MU_BINOP_ADD, i64, rest, selected(i64, cmp(MU_CMP_EQ, i64, fix, number(1)), argB, number(0)));
}
/* Booleans are bytes: one generation widens and compares, the other selects. */
static MuID booleanByZext(void) {
  MuID flag = conv(MU_CONV_ZEXT, i1, i8, cmp(MU_CMP_SLT, i64, argA, argB)), yes = newBlock(), no = newBlock();
  B(new_branch2, next(), cmp(MU_CMP_EQ, i8, flag, constant(i8, 1)), dest(yes, NONE), dest(no, NONE));
  endEntry();
  ret(number(10));
  endBlock(yes, NULL, NULL, 0, MU_NO_ID);
  ret(number(20));
  endBlock(no, NULL, NULL, 0, MU_NO_ID);
  return MU_NO_ID;
}
static MuID booleanBySelect(void) {
  MuID flag = selected(i8, cmp(MU_CMP_SLT, i64, argA, argB), constant(i8, 1), constant(i8, 0));
  return conv(MU_CONV_SEXT, i8, i64, flag);
}
/* A shift by any amount, where C leaves amounts from 64 on open. */
static MuID guardedShift(void) {
  return selected(i64, cmp(MU_CMP_ULT, i64, argB, number(64)), binop(MU_BINOP_SHL, i64, argA, argB),
                  number(0));
}
/* x + y, or -1 where it overflows, by the flag and a branch. */
static MuID checkedOperation(MuBinOptr operation) {
  MuID result = fresh(), overflow = fresh(), wrong = newBlock(), right = newBlock(), value = fresh();
  B(new_binop_with_status, next(), result, &overflow, 1, operation, MU_BOS_V, i64, argA, argB, MU_NO_ID);
  B(new_branch2, next(), overflow, dest(wrong, NONE), dest(right, &result, 1));
  endEntry();
  ret(number(-1));
  endBlock(wrong, NULL, NULL, 0, MU_NO_ID);
  ret(value);
  endBlock(right, &value, &i64, 1, MU_NO_ID);
  return MU_NO_ID;
}
static MuID checkedAdd(void) { return checkedOperation(MU_BINOP_ADD); }
static MuID checkedSub(void) { return checkedOperation(MU_BINOP_SUB); }
static MuID checkedMul(void) { return checkedOperation(MU_BINOP_MUL); }
/* The upper word of a product, in 128 bits; the constant by its words. */
static MuID upperWord(void) {
  MuID i128 = intType(128), bias = fresh(), product;
  uint64_t words[] = {0, 5};
  B(new_const_int_ex, bias, i128, words, 2);
  product =
      binop(MU_BINOP_MUL, i128, conv(MU_CONV_SEXT, i64, i128, argA), conv(MU_CONV_SEXT, i64, i128, argB));
  product = binop(MU_BINOP_ADD, i128, product, bias);
  return conv(MU_CONV_TRUNC, i128, i64, binop(MU_BINOP_ASHR, i128, product, constant(i128, 64)));
}
/* Negation of a float is 0.0 - x; != is FONE, false for NaN; constants have names of their numbers. */
static MuID floats(void) {
  MuID x = conv(MU_CONV_SITOFP, i64, f64, argA), zero = name("@0.0d_dbl"), small = name("@0.0009765625d_dbl"),
       nan, isOther, isNan;
  B(new_const_double, zero, f64, 0.0);
  B(new_const_double, small, f64, 0.0009765625);
  nan = binop(MU_BINOP_FDIV, f64, zero, zero);
  isOther = cmp(MU_CMP_FONE, f64, nan, nan);
  isNan = cmp(MU_CMP_FUNO, f64, nan, x);
  x = binop(MU_BINOP_FSUB, f64, zero, x);
  x = binop(MU_BINOP_FDIV, f64, x, small);
  return binop(MU_BINOP_ADD, i64, conv(MU_CONV_FPTOSI, f64, i64, x),
               binop(MU_BINOP_SUB, i64, widened(isNan), widened(isOther)));
}
/* Addresses are compared with their signs. */
static MuID addressOrder(void) {
  MuID pair = structOf((MuID[]){i64, i64}, 2), object = newObject(pair), field,
       base = pinnedAddress(pair, object);
  field = conv(MU_CONV_PTRCAST, uptrI64, i64,
               typed(MU_CI_UVM_NATIVE_GET_ADDR, 1, irefI64, fieldOf(pair, object, 1)));
  unpinned(pair, object);
  return widened(cmp(MU_CMP_SLT, i64, base, field));
}
/* x = x * 1000003 ^ i, a times: a loop whose state is its parameters. */
static MuID hashLoop(void) {
  MuID head = newBlock(), body = newBlock(), end = newBlock(), i = fresh(), x = fresh(), j = fresh(),
       y = fresh(), z = fresh(), stepped, mixed;
  branch(dest(head, IDS(number(0), argB)));
  endEntry();
  B(new_branch2, next(), cmp(MU_CMP_SLT, i64, i, number(5)), dest(body, IDS(i, x)), dest(end, &x, 1));
  endBlock(head, (MuID[]){i, x}, (MuID[]){i64, i64}, 2, MU_NO_ID);
  mixed = binop(MU_BINOP_XOR, i64, binop(MU_BINOP_MUL, i64, y, number(1000003)), j);
  stepped = binop(MU_BINOP_ADD, i64, j, number(1));
  branch(dest(head, IDS(stepped, mixed)));
  endBlock(body, (MuID[]){j, y}, (MuID[]){i64, i64}, 2, MU_NO_ID);
  ret(z);
  endBlock(end, &z, &i64, 1, MU_NO_ID);
  return MU_NO_ID;
}

/* --- Exceptions: objects of a hash, a vtable, a value --- */

static MuID exceptionWithValue(void) {
  MuID type = structOf((MuID[]){i64, uptrI64, refI64}, 3), thrower = fresh(), block = fresh(), x = fresh(),
       fine = newBlock(), caught = newBlock(), exception = fresh(), result = fresh(), value = fresh(), got,
       place = fresh(), kept[64];
  MuArraySize count;
  /* The thrower's instructions are its own. */
  MuArraySize before = instructionCount;
  {
    MuID object = newObject(type), box = newObject(i64), cell = fresh();
    B(new_getiref, next(), cell, i64, box);
    storeTo(0, i64, cell, x);
    storeTo(0, refI64, fieldOf(type, object, 2), box);
    B(new_throw, next(), conv(MU_CONV_REFCAST, refTo(type), refVoid, object));
  }
  count = instructionCount - before;
  memcpy(kept, instructions + before, count * sizeof *kept);
  instructionCount = before;
  B(new_func, thrower, unary);
  B(new_bb, block, &x, &i64, 1, MU_NO_ID, kept, count);
  B(new_func_ver, fresh(), thrower, &block, 1);
  B(new_call, next(), &result, 1, unary, thrower, &argA, 1, excClause(dest(fine, NONE), dest(caught, NONE)),
    MU_NO_ID);
  endEntry();
  ret(number(-1));
  endBlock(fine, NULL, NULL, 0, MU_NO_ID);
  value = conv(MU_CONV_REFCAST, refI64, refTo(type), exception);
  got = loadFrom(0, refI64, fieldOf(type, value, 2));
  B(new_getiref, next(), place, i64, got);
  ret(loadFrom(0, i64, place));
  endBlock(caught, NULL, NULL, 0, exception);
  return MU_NO_ID;
}

/* --- The C library --- */

/* errno is read right after the call, and kept in the thread-local struct. */
static MuID errnoAfterCall(void) {
  MuID local = structOf((MuID[]){i64, i32}, 2), object = newObject(local), universal, status, address, kept;
  universal = conv(MU_CONV_REFCAST, refTo(local), refVoid, object);
  common(MU_CI_UVM_SET_THREADLOCAL, 0, &universal, 1);
  status = ccall("close", &i32, (MuID[]){constant(i32, 0xffffffffu)}, 1, i32);
  address = ccall("__errno_location", NONE, 0, uptrTo(i32));
  universal = common(MU_CI_UVM_GET_THREADLOCAL, 1, NONE);
  object = conv(MU_CONV_REFCAST, refVoid, refTo(local), universal);
  storeTo(0, i32, fieldOf(local, object, 1), loadFrom(1, i32, address));
  kept = loadFrom(0, i32, fieldOf(local, object, 1));
  return binop(MU_BINOP_ADD, i64, conv(MU_CONV_SEXT, i32, i64, status), conv(MU_CONV_ZEXT, i32, i64, kept));
}
/* Cells by their addresses, as C gets them. */
static MuID timeOfDay(void) {
  MuID pair = structOf((MuID[]){i64, i64}, 2), cell = name("@client.timeval"), seconds = fresh(), isLate;
  MuID address = typed(MU_CI_UVM_NATIVE_GET_ADDR, 1, irefTo(pair), cell);
  B(new_global_cell, cell, pair);
  ccall("gettimeofday", (MuID[]){uptrTo(pair), i64}, (MuID[]){address, number(0)}, 2, i32);
  B(new_getfieldiref, next(), seconds, 0, pair, 0, cell);
  isLate = cmp(MU_CMP_SGT, i64, loadFrom(0, i64, seconds), number(1600000000));
  return widened(isLate);
}
static MuID squareRoot(void) {
  MuID root = ccall("sqrt", &f64, (MuID[]){conv(MU_CONV_SITOFP, i64, f64, argA)}, 1, f64);
  return conv(MU_CONV_FPTOSI, f64, i64, ccall("pow", (MuID[]){f64, f64}, (MuID[]){root, root}, 2, f64));
}

static const char kText[] = "text";

static const Case kCases[] = {
    {"a string by its address", stringByAddress, 12, 11, 77},
    {"items of an array", arrayLayout, 0, 0, 40},
    {"padding of a struct in a struct", tailPadding, 0, 0, 16},
    {"references copied by memcpy", copiedReferences, 4711, 0, 4711},
    {"references copied by memmove", movedReferences, -2, 0, -2},
    {"hash by identity", identityHash, 0, 0, 1},
    {"nested pins", nestedPins, 0, 0, 1},
    {"a vtable in a cell", vtableInCell, 5, 0, 1005},
    {"a vtable by reference, the first method", vtableByReference, 5, 1, 6},
    {"a vtable by reference, the second method", vtableByReference, 5, 0, 7},
    {"a method that is not there", absentMethod, 0, 0, 1},
    {"floor division, both positive", floorDivision, 7, 2, 3},
    {"floor division, negative divisor", floorDivision, 7, -2, -4},
    {"floor division, negative dividend", floorDivision, -7, 2, -4},
    {"floor division, both negative", floorDivision, -7, -2, 3},
    {"floor division, exact", floorDivision, -8, 2, -4},
    {"remainder, negative divisor", floorRemainder, 7, -2, -1},
    {"remainder, negative dividend", floorRemainder, -7, 2, 1},
    {"remainder, exact", floorRemainder, -8, 2, 0},
    {"a boolean widened, true", booleanByZext, 1, 2, 10},
    {"a boolean widened, false", booleanByZext, 2, 2, 20},
    {"a boolean selected, true", booleanBySelect, -1, 0, 1},
    {"a boolean selected, false", booleanBySelect, 0, -1, 0},
    {"a guarded shift", guardedShift, 3, 4, 48},
    {"a guarded shift, too far", guardedShift, 3, 64, 0},
    {"ADD without overflow", checkedAdd, INT64_MAX - 1, 1, INT64_MAX},
    {"ADD with overflow", checkedAdd, INT64_MAX, 1, -1},
    {"SUB without overflow", checkedSub, INT64_MIN + 1, 1, INT64_MIN},
    {"SUB with overflow", checkedSub, INT64_MIN, 1, -1},
    {"MUL without overflow", checkedMul, -3, 5, -15},
    {"MUL with overflow", checkedMul, INT64_MAX, 2, -1},
    {"MUL with signed overflow only", checkedMul, INT64_MIN, -1, -1},
    {"the upper word of a product", upperWord, INT64_MIN, 4, 3},
    {"floats", floats, 3, 0, -3071},
    {"the order of addresses", addressOrder, 0, 0, 1},
    {"a loop of hashes", hashLoop, 0, 1, 0},
    {"an exception with a value", exceptionWithValue, 321, 0, 321},
    {"errno after a call", errnoAfterCall, 0, 0, 8},
    {"the time of day", timeOfDay, 0, 0, 1},
    {"libm", squareRoot, 4, 0, 4},
};

/* What hashLoop computes. */
static int64_t hashOf(int64_t x) {
  uint64_t hash = (uint64_t)x;
  uint64_t i;
  for (i = 0; i < 5; ++i) hash = hash * 1000003 ^ i;
  return (int64_t)hash;
}

/* Everything that clients want of the process and of the libraries which they never name. */
static void symbols(void) {
  static const char* const names[] = {
      "write",        "read",    "open",    "close",  "malloc",  "calloc",  "realloc",       "free",
      "memcpy",       "memmove", "memset",  "memcmp", "strlen",  "_exit",   "exit",          "abort",
      "gettimeofday", "time",    "clock",   "getenv", "fork",    "execve",  "clock_gettime", "getrusage",
      "lseek",        "fstat",   "dup2",    "pipe",   "select",  "poll",    "socket",        "getpid",
      "environ",      "stdin",   "stdout",  "stderr", "sin",     "cos",     "tan",           "atan2",
      "pow",          "fmod",    "floor",   "ceil",   "exp",     "log",     "log1p",         "hypot",
      "frexp",        "ldexp",   "sqrt",    "lgamma", "openpty", "forkpty", "timer_create",  "mq_open",
      "dlopen",       "dlsym",   "dlclose", "dlerror"};
  enum { kCount = sizeof names / sizeof *names };
  MuID made[kCount];
  int i;
  open();
  standardTypes();
  for (i = 0; i < kCount; ++i) {
    made[i] = fresh();
    B(new_const_extern, made[i], uptrI64, (MuCString)(uintptr_t)names[i]);
  }
  b->load(b);
  NO_ERROR();
  for (i = 0; i < kCount; ++i) {
    MuValue address = ctx->handle_from_const(ctx, made[i]);
    if (!address) fprintf(stderr, "%s\n", names[i]);
    CHECK(address && ctx->handle_to_ptr(ctx, address));
  }
}

/* A heap that is filled through handles, none of which is deleted; Mu code walks through it. */
static void heapByHandles(void) {
  enum { kNodes = 20000 };
  MuID node, reference, head, f = MU_NO_ID;
  MuRefValue first;
  MuIRefValue place;
  int i;
  open();
  standardTypes();
  node = name("@client.node");
  reference = name("@client.node.r");
  head = name("@client.head");
  B(new_type_ref, reference, node);
  B(new_type_struct, node, IDS(i64, reference));
  B(new_global_cell, head, reference);
  beginFunction();
  {
    /* The sum of the numbers of all nodes. */
    MuID loop = newBlock(), more = newBlock(), end = newBlock(), null = fresh(), at = fresh(), sum = fresh(),
         at2 = fresh(), sum2 = fresh(), sum3 = fresh(), next1, added;
    B(new_const_null, null, reference);
    branch(dest(loop, IDS(loadFrom(0, reference, head), argA)));
    endEntry();
    B(new_branch2, next(), cmp(MU_CMP_EQ, reference, at, null), dest(end, &sum, 1), dest(more, IDS(at, sum)));
    endBlock(loop, (MuID[]){at, sum}, (MuID[]){reference, i64}, 2, MU_NO_ID);
    added = binop(MU_BINOP_ADD, i64, sum2, loadFrom(0, i64, fieldOf(node, at2, 0)));
    next1 = loadFrom(0, reference, fieldOf(node, at2, 1));
    branch(dest(loop, IDS(next1, added)));
    endBlock(more, (MuID[]){at2, sum2}, (MuID[]){reference, i64}, 2, MU_NO_ID);
    ret(sum3);
    endBlock(end, &sum3, &i64, 1, MU_NO_ID);
  }
  endFunction();
  f = exposedId;
  b->load(b);
  NO_ERROR();
  place = ctx->handle_from_global(ctx, head);
  for (i = 1; i <= kNodes; ++i) {
    first = ctx->new_fixed(ctx, node);
    ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->get_field_iref(ctx, ctx->get_iref(ctx, first), 0), int64(i));
    ctx->store(ctx, MU_ORD_NOT_ATOMIC, place, first);
    place = ctx->get_field_iref(ctx, ctx->get_iref(ctx, first), 1);
  }
  NO_ERROR();
  CHECK(exposedFunction(f)(0, 0) == (int64_t)kNodes * (kNodes + 1) / 2);
}

int main(void) {
  Case cases[sizeof kCases / sizeof *kCases + 1];
  size_t i, count = sizeof kCases / sizeof *kCases;
  memcpy(cases, kCases, sizeof kCases);
  for (i = 0; i < count; ++i)
    if (cases[i].make == hashLoop) cases[i].wanted = hashOf(cases[i].b);
  cases[count++] = (Case){"an array of strings", arrayOfStrings, (int64_t)(uintptr_t)kText, 0, 't'};
  start("");
  runCases(cases, count);
  symbols();
  heapByHandles();
  finish();
  return 0;
}
