/* Every slot with every wrong operand, one at a time: NULL, deleted handles, handles of other contexts, words
 * that are no handles, values of every wrong type; closed and missing contexts; IDs of the wrong sort; dead
 * and bound stacks; cursors that are of no use any more. Each is an error and changes nothing. All of it in
 * two threads at once. */
#include <pthread.h>

#define CLIENT_THREAD _Thread_local
#include "client.h"
#include "slots.h"

static const char* const bundle =
    ".typedef @i6 = int<6> .typedef @i64 = int<64> .typedef @float = float .typedef @double = double "
    ".typedef @void = void\n"
    ".typedef @ptr = uptr<@void> .typedef @rv = ref<@void> .typedef @r64 = ref<@i64> .typedef @stack = "
    "stackref .typedef @thread = threadref\n"
    ".typedef @cursor = framecursorref .typedef @pair = struct<@i64 @double> .typedef @arr = array<@i64 3> "
    ".typedef @vec = vector<@float 4>\n"
    ".typedef @hybrid = hybrid<@i64 @i64> .typedef @ir64 = iref<@i64>\n"
    ".const @0 <@i64> = 0 .const @5 <@i64> = 5 .const @1_0 <@double> = 1.0 d .const @0_5 <@float> = 0.5 f "
    ".const @null <@rv> = NULL\n"
    ".const @nullstack <@stack> = NULL .const @nullthread <@thread> = NULL .const @nullcursor <@cursor> = "
    "NULL .const @nulliref <@ir64> = NULL\n"
    ".const @a_pair <@pair> = { @5 @1_0 } .const @an_array <@arr> = { @5 @0 @5 } .const @a_vector <@vec> = { "
    "@0_5 @0_5 @0_5 @0_5 }\n"
    ".funcsig @v = () -> () .funcsig @r_v = (@rv) -> () .funcsig @i_v = (@i64) -> () .typedef @fr = "
    "funcref<@v> .const @nullfunc <@fr> = NULL\n"
    ".typedef @fp = ufuncptr<@v> .global @cell <@i64>\n"
    ".funcdef @f VERSION %v <@v> { %entry(): RET () } .expose @f_native = @f #DEFAULT @0\n"
    ".funcdef @takes VERSION %v <@r_v> { %entry(<@rv> %x): RET () }\n"
    ".funcdef @sets VERSION %v <@i_v> { %entry(<@i64> %x): STORE <@i64> @cell %x RET () }\n";

/* What one thread works with. */
static _Thread_local struct {
  MuValue good[kKinds];
  MuValue deleted, foreign;
  MuCtx *other, *closed;
  Plain plain;
  MuValue results[4];
  int cases;
} my;

static MuValue constant(const char* name) { return ctx->handle_from_const(ctx, id(name)); }

static MuStackRefValue newStack(const char* name) { return ctx->new_stack(ctx, function(name)); }

static void prepare(void) {
  MuValue* good = my.good;
  MuValue stack, number;
  ctx = mvm->new_context(mvm);
  my.other = mvm->new_context(mvm);
  my.closed = mvm->new_context(mvm);
  my.closed->close_context(my.closed);
  my.plain = (Plain){.entity = id("cell"),
                     .bits = 64,
                     .order = MU_ORD_SEQ_CST,
                     .failure = MU_ORD_SEQ_CST,
                     .operation = MU_ARMW_ADD,
                     .watchpoint = 7,
                     .results = my.results,
                     .text = "i64",
                     .length = 3};
  good[kInt6] = ctx->handle_from_uint8(ctx, 0, 6);
  good[kInt52] = ctx->handle_from_uint64(ctx, 0, 52);
  good[kInt64] = int64(0);
  good[kFloat] = ctx->handle_from_float(ctx, 1.0f);
  good[kDouble] = ctx->handle_from_double(ctx, 1.0);
  good[kPointer] = ctx->handle_from_ptr(ctx, id("ptr"), &my);
  good[kFunctionPointer] = ctx->handle_from_expose(ctx, id("f_native"));
  good[kStruct] = constant("a_pair");
  good[kArray] = constant("an_array");
  good[kVector] = constant("a_vector");
  good[kRef] = ctx->refcast(ctx, ctx->new_fixed(ctx, id("i64")), id("rv"));
  good[kArrayIref] = ctx->get_iref(ctx, ctx->new_fixed(ctx, id("arr")));
  good[kIref] = ctx->get_iref(ctx, ctx->new_fixed(ctx, id("i64")));
  good[kFunction] = function("f");
  stack = newStack("sets");
  number = int64(1);
  good[kThread] = ctx->new_thread_nor(ctx, stack, NULL, &number, 1);
  good[kStack] = newStack("takes");
  good[kCursor] = ctx->new_cursor(ctx, newStack("f"));
  good[kTagInt] = ctx->tr64_from_int(ctx, good[kInt52]);
  good[kTagRef] = ctx->tr64_from_ref(ctx, good[kRef], good[kInt6]);
  good[kTagDouble] = ctx->tr64_from_fp(ctx, good[kDouble]);
  good[kWeakRef] = ctx->weak_ref(ctx, good[kRef]);
  my.deleted = int64(1);
  ctx->delete_value(ctx, my.deleted);
  my.foreign = my.other->handle_from_sint64(my.other, 1, 64);
  NO_ERROR();
}

/* The call with these operands is an error of this code and gives nothing. */
static void wrong(const Slot* slot, MuCtx* c, MuValue* operands, const char* code) {
  MuError error;
  uintptr_t result;
  mvm->clear_error(mvm);
  result = slot->call(ctx, c, operands, &my.plain);
  if (result != 0 || !mvm->get_error(mvm, &error) || strcmp(error.code, code) != 0 ||
      !strstr(error.message, slot->name))
    fprintf(stderr, "%s: wanted %s\n", slot->name, code);
  CHECK(mvm->get_error(mvm, &error) && strcmp(error.code, code) == 0 && strstr(error.message, slot->name));
  CHECK(result == 0);
  mvm->clear_error(mvm);
  ++my.cases;
}

static const char* codeOfWrongKind(char letter, int kind) {
  const unsigned tagged = kindsOf('t', kInt6);
  return (kindsOf(letter, kInt6) & tagged) && (BIT(kind) & tagged) ? "A0018" : "A0004";
}

static void oneSlot(const Slot* slot) {
  MuValue operands[kMostOperands + 1] = {NULL};
  enum Kind kinds[kMostOperands + 1];
  const size_t count = strlen(operandsOf(slot));
  size_t i;
  int kind;
  my.plain.type = id(strcmp(slot->name, "new_hybrid") == 0 ? "hybrid" : "r64");
  for (i = 0; i < count; ++i) {
    kinds[i] = firstKind(kindsOf(operandsOf(slot)[i], i ? kinds[i - 1] : kInt6));
    operands[i] = my.good[kinds[i]];
  }
  wrong(slot, NULL, operands, "A0001");
  wrong(slot, my.closed, operands, "A0002");
  for (i = 0; i < count; ++i) {
    const char letter = operandsOf(slot)[i];
    const unsigned right = kindsOf(letter, i ? kinds[i - 1] : kInt6);
    const MuValue is = operands[i];
    operands[i] = NULL;
    if (letter != 'o' && letter != 'v') wrong(slot, ctx, operands, "A0001");
    operands[i] = my.deleted;
    wrong(slot, ctx, operands, "A0003");
    operands[i] = my.foreign;
    wrong(slot, ctx, operands, "A0003");
    operands[i] = (MuValue)&my;
    wrong(slot, ctx, operands, "A0003");
    operands[i] = (MuValue)((uintptr_t)is ^ (uintptr_t)1 << 40);
    wrong(slot, ctx, operands, "A0003");
    for (kind = 0; kind < kKinds; ++kind) {
      if (right & BIT(kind) || (letter == 'l' && kind == kArrayIref)) continue;
      operands[i] = my.good[kind];
      wrong(slot, ctx, operands, codeOfWrongKind(letter, kind));
    }
    operands[i] = is;
  }
  if (!isQuiet(slot)) return;
  /* Nothing of all this has done any harm: the operands are still good. */
  slot->call(ctx, ctx, operands, &my.plain);
  NO_ERROR();
  ++my.cases;
}

/* --- IDs --- */

typedef struct IdRow {
  const char* slot;
  const char* good;      /* what it takes; NULL: it changes something */
  const char* wrongType; /* another type, for slots that want a certain one */
  int wantsType;
} IdRow;

static void ids(void) {
  static const IdRow rows[] = {
      {"handle_from_ptr", "ptr", "fp", 1}, {"handle_from_fp", "fp", "ptr", 1},
      {"handle_from_const", "5", NULL, 0}, {"handle_from_global", "cell", NULL, 0},
      {"handle_from_func", "f", NULL, 0},  {"handle_from_expose", "f_native", NULL, 0},
      {"new_fixed", "pair", "hybrid", 1},  {"new_hybrid", "hybrid", "pair", 1},
      {"refcast", "r64", "ir64", 1}};
  static const char* const entities[] = {"i64",      "v",   "5",         "cell",           "f",
                                         "f_native", "f.v", "f.v.entry", "takes.v.entry.x"};
  MuValue operands[kMostOperands + 1] = {NULL};
  size_t i, j;
  for (i = 0; i < sizeof rows / sizeof *rows; ++i) {
    const Slot* slot = kSlots;
    while (strcmp(slot->name, rows[i].slot) != 0) ++slot;
    operands[0] = strcmp(slot->name, "refcast") == 0 ? my.good[kRef] : my.good[kInt64];
    for (j = 0; j < sizeof entities / sizeof *entities; ++j) {
      my.plain.type = my.plain.entity = id(entities[j]);
      /* The IDs of this sort are good ones: i64 for types, the row's own otherwise. */
      if (rows[i].wantsType ? j == 0 : strcmp(entities[j], rows[i].good) == 0) continue;
      wrong(slot, ctx, operands, "A0006");
    }
    my.plain.type = my.plain.entity = MU_NO_ID;
    wrong(slot, ctx, operands, "A0005");
    my.plain.type = my.plain.entity = 0xfffffff0u;
    wrong(slot, ctx, operands, "A0005");
    if (rows[i].wrongType) {
      my.plain.type = id(rows[i].wrongType);
      wrong(slot, ctx, operands, "A0007");
    }
    my.plain.type = my.plain.entity = id(rows[i].good);
    CHECK(slot->call(ctx, ctx, operands, &my.plain));
    NO_ERROR();
    ++my.cases;
  }
  my.plain.entity = id("cell");
}

/* --- Lengths, indices, orders, numbers of operations --- */

static void wrongPlain(const char* name, Plain plain, const char* code) {
  MuValue operands[kMostOperands + 1] = {NULL};
  const Plain is = my.plain;
  const Slot* slot = kSlots;
  size_t i;
  while (strcmp(slot->name, name) != 0) ++slot;
  for (i = 0; i < strlen(operandsOf(slot)); ++i)
    operands[i] = my.good[firstKind(kindsOf(operandsOf(slot)[i], kInt6))];
  my.plain = plain;
  wrong(slot, ctx, operands, code);
  my.plain = is;
}
#define WITH(member, value) (plain = my.plain, plain.member = (value), plain)

static void plains(void) {
  static const char* const fromInts[] = {"handle_from_sint8",  "handle_from_uint8",  "handle_from_sint16",
                                         "handle_from_uint16", "handle_from_sint32", "handle_from_uint32",
                                         "handle_from_sint64", "handle_from_uint64", "handle_from_uint64s"};
  static const int lengths[] = {0, -1, -64, 4097, 1 << 20, (int)0x80000000u};
  static const MuMemOrd orders[] = {7, 0x60, 0xffffffffu};
  Plain plain;
  size_t i, j;
  for (i = 0; i < sizeof fromInts / sizeof *fromInts; ++i)
    for (j = 0; j < sizeof lengths / sizeof *lengths; ++j)
      wrongPlain(fromInts[i], WITH(bits, lengths[j]), "A0009");
  wrongPlain("extract_value", WITH(index, 2), "A0010");
  wrongPlain("extract_value", WITH(index, -1), "A0010");
  wrongPlain("insert_value", WITH(index, 0x7fffffff), "A0010");
  wrongPlain("get_field_iref", my.plain, "A0015");
  wrongPlain("get_var_part_iref", my.plain, "A0015");
  for (i = 0; i < sizeof orders / sizeof *orders; ++i) {
    wrongPlain("load", WITH(order, orders[i]), "A0014");
    wrongPlain("store", WITH(order, orders[i]), "A0014");
    wrongPlain("cmpxchg", WITH(order, orders[i]), "A0014");
    wrongPlain("cmpxchg", WITH(failure, orders[i]), "A0014");
    wrongPlain("atomicrmw", WITH(order, orders[i]), "A0014");
  }
  wrongPlain("load", WITH(order, MU_ORD_RELEASE), "A0013");
  wrongPlain("load", WITH(order, MU_ORD_ACQ_REL), "A0013");
  wrongPlain("store", WITH(order, MU_ORD_ACQUIRE), "A0013");
  wrongPlain("store", WITH(order, MU_ORD_CONSUME), "A0013");
  wrongPlain("store", WITH(order, MU_ORD_ACQ_REL), "A0013");
  wrongPlain("cmpxchg", WITH(order, MU_ORD_NOT_ATOMIC), "A0013");
  wrongPlain("cmpxchg", WITH(failure, MU_ORD_RELEASE), "A0013");
  wrongPlain("atomicrmw", WITH(order, MU_ORD_NOT_ATOMIC), "A0013");
  wrongPlain("atomicrmw", WITH(operation, 11), "A0014");
  wrongPlain("atomicrmw", WITH(operation, 0xffffffffu), "A0014");
  wrongPlain("enable_watchpoint", WITH(watchpoint, 0), "A0024");
  wrongPlain("disable_watchpoint", WITH(watchpoint, 0), "A0024");
  wrongPlain("expose", WITH(convention, 1), "A0014");
  wrongPlain("unexpose", WITH(convention, 0x40), "A0014");
  wrongPlain("id_of", WITH(text, NULL), "A0001");
  wrongPlain("id_of", WITH(text, ""), "A0008");
  wrongPlain("id_of", WITH(text, "@"), "A0008");
  wrongPlain("id_of", WITH(text, "\xff\xfe"), "A0008");
  wrongPlain("load_bundle", WITH(text, NULL), "A0001");
  wrongPlain("name_of", WITH(entity, 0), "A0005");
}

/* --- NULL references, dead stacks, useless cursors --- */

static void wrongWith(const char* name, int at, MuValue operand, const char* code) {
  MuValue operands[kMostOperands + 1] = {NULL};
  const Slot* slot = kSlots;
  size_t i;
  while (strcmp(slot->name, name) != 0) ++slot;
  for (i = 0; i < strlen(operandsOf(slot)); ++i)
    operands[i] = my.good[firstKind(kindsOf(operandsOf(slot)[i], kInt6))];
  operands[at] = operand;
  wrong(slot, ctx, operands, code);
}

static void nulls(void) {
  static const char* const onIref[] = {"get_field_iref", "get_elem_iref", "shift_iref", "get_var_part_iref",
                                       "load",           "store",         "cmpxchg",    "atomicrmw"};
  size_t i;
  for (i = 0; i < sizeof onIref / sizeof *onIref; ++i) wrongWith(onIref[i], 0, constant("nulliref"), "A0012");
  wrongWith("get_elem_iref", 0, my.good[kIref], "A0015");
  wrongWith("get_iref", 0, constant("null"), "A0012");
  wrongWith("new_stack", 0, constant("nullfunc"), "A0012");
  wrongWith("expose", 0, constant("nullfunc"), "A0012");
  wrongWith("push_frame", 1, constant("nullfunc"), "A0012");
  wrongWith("set_threadlocal", 0, constant("nullthread"), "A0012");
  wrongWith("get_threadlocal", 0, constant("nullthread"), "A0012");
  /* Of another thread than this one. */
  wrongWith("set_threadlocal", 0, my.good[kThread], "A0023");
  wrongWith("get_threadlocal", 0, my.good[kThread], "A0023");
  wrongWith("unpin", 0, ctx->new_fixed(ctx, id("i64")), "A0016");
  wrongWith("unexpose", 0, ctx->handle_from_fp(ctx, id("fp"), (MuCFP)nulls), "A0017");
  wrongWith("unexpose", 0, ctx->handle_from_fp(ctx, id("fp"), NULL), "A0017");
}

static void stacks(void) {
  static const char* const onStack[] = {"new_thread_nor", "new_thread_exc", "kill_stack", "new_cursor",
                                        "push_frame"};
  MuValue dead = newStack("f"), gone = newStack("f"), null = constant("nullstack");
  size_t i;
  ctx->kill_stack(ctx, dead);
  /* One that a thread has run to its end. */
  ctx->new_thread_nor(ctx, gone, NULL, NULL, 0);
  mvm->execute(mvm);
  NO_ERROR();
  for (i = 0; i < sizeof onStack / sizeof *onStack; ++i) {
    wrongWith(onStack[i], 0, dead, "R0014");
    wrongWith(onStack[i], 0, gone, "R0014");
    wrongWith(onStack[i], 0, null, "A0012");
  }
  /* Too many, too few and wrong values. */
  FAILS("A0022", ctx->new_thread_nor(ctx, my.good[kStack], NULL, NULL, 0));
  FAILS("A0022", ctx->new_thread_nor(ctx, my.good[kStack], NULL, my.good, 2));
  FAILS("A0001", ctx->new_thread_nor(ctx, my.good[kStack], NULL, NULL, 1));
  my.cases += 3;
}

static void cursors(void) {
  static const char* const onCursor[] = {"next_frame",   "copy_cursor", "close_cursor",    "cur_func",
                                         "cur_func_ver", "cur_inst",    "dump_keepalives", "pop_frames_to"};
  MuValue stack = newStack("f"), changed = newStack("f"), killed = newStack("f"),
          closed = ctx->new_cursor(ctx, stack), lost, orphan;
  size_t i;
  ctx->close_cursor(ctx, closed);
  orphan = ctx->new_cursor(ctx, killed);
  ctx->kill_stack(ctx, killed);
  /* The frame it stands at is popped, and so gone. */
  ctx->push_frame(ctx, changed, function("f"));
  lost = ctx->new_cursor(ctx, changed);
  {
    MuValue below = ctx->copy_cursor(ctx, lost);
    ctx->next_frame(ctx, below);
    ctx->pop_frames_to(ctx, below);
  }
  NO_ERROR();
  for (i = 0; i < sizeof onCursor / sizeof *onCursor; ++i) {
    wrongWith(onCursor[i], 0, constant("nullcursor"), "A0012");
    wrongWith(onCursor[i], 0, closed, "R0022");
    if (strcmp(onCursor[i], "close_cursor") == 0 || strcmp(onCursor[i], "copy_cursor") == 0) continue;
    wrongWith(onCursor[i], 0, orphan, "R0014");
    wrongWith(onCursor[i], 0, lost, "R0024");
  }
  /* One that has left the stack at the bottom. */
  lost = ctx->new_cursor(ctx, stack);
  ctx->next_frame(ctx, lost);
  for (i = 0; i < sizeof onCursor / sizeof *onCursor; ++i)
    if (strcmp(onCursor[i], "close_cursor") != 0 && strcmp(onCursor[i], "copy_cursor") != 0)
      wrongWith(onCursor[i], 0, lost, "R0023");
}

static void* everything(void* argument) {
  int i;
  prepare();
  for (i = 0; i < kSlotCount; ++i) oneSlot(&kSlots[i]);
  ids();
  plains();
  nulls();
  stacks();
  cursors();
  NO_ERROR();
  ctx->close_context(ctx);
  my.other->close_context(my.other);
  *(int*)argument = my.cases;
  return NULL;
}

/* --- The machine --- */

static int machineCases(void) {
  static int cases;
#define WITHOUT_MACHINE(call) \
  do {                        \
    mvm->clear_error(mvm);    \
    CHECK((call) == 0);       \
    ++cases;                  \
  } while (0)
  MuError error;
  WITHOUT_MACHINE(mvm->new_context(NULL));
  CHECK(mvm->get_error(mvm, &error) && strcmp(error.code, "A0001") == 0);
  WITHOUT_MACHINE(mvm->id_of(NULL, "i64"));
  WITHOUT_MACHINE(mvm->name_of(NULL, 1));
  WITHOUT_MACHINE((mvm->set_trap_handler(NULL, NULL, NULL), 0));
  WITHOUT_MACHINE((mvm->compile_to_sharedlib(NULL, "x", NULL, 0), 0));
  WITHOUT_MACHINE((mvm->current_thread_as_mu_thread(NULL, NULL), 0));
  WITHOUT_MACHINE((mvm->close(NULL), 0));
  WITHOUT_MACHINE((mvm->execute(NULL), 0));
  WITHOUT_MACHINE((mvm->attach_current_thread(NULL), 0));
  WITHOUT_MACHINE((mvm->detach_current_thread(NULL), 0));
  WITHOUT_MACHINE(mvm->get_error(NULL, NULL));
  WITHOUT_MACHINE((mvm->clear_error(NULL), 0));
  WITHOUT_MACHINE((mvm->set_error_handler(NULL, NULL, NULL), 0));
  WITHOUT_MACHINE(mvm->get_mu_error_ptr(NULL));
  WITHOUT_MACHINE(mvm->current_context(NULL));
  WITHOUT_MACHINE((mvm->collect(NULL), 0));
  FAILS("A0001", mvm->id_of(mvm, NULL));
  FAILS("A0008", mvm->id_of(mvm, "nobody"));
  FAILS("A0005", mvm->name_of(mvm, 0));
  FAILS("A0005", mvm->name_of(mvm, 0xffffffffu));
  mvm->clear_error(mvm);
  return cases + 4;
}

/* --- One context in two threads --- */

static MuCtx* shared;
static int isTold;

/* Loads bundle after bundle, until the other thread has been told. */
static void* loads(void* untold) {
  enum { kBundles = 1000, kLines = 5000, kLineBytes = 64 };
  char* text = malloc(kLines * kLineBytes);
  MuError error;
  int round, i;
  for (round = 0; round < kBundles && !__atomic_load_n(&isTold, __ATOMIC_ACQUIRE); ++round) {
    char* end = text;
    for (i = 0; i < kLines; ++i)
      end += sprintf(end, ".typedef @shared%d_%d = struct<@i64 @ptr @i64>\n", round, i);
    do {
      mvm->clear_error(mvm);
      shared->load_bundle(shared, text, strlen(text));
    } while (mvm->get_error(mvm, &error) && strcmp(error.code, "A0025") == 0);
    CHECK(!mvm->get_error(mvm, NULL));
  }
  free(text);
  CHECK(shared->id_of(shared, "shared0_4999") != 0);
  *(int*)untold = round == kBundles;
  __atomic_store_n(&isTold, 1, __ATOMIC_RELEASE);
  return NULL;
}

/* While one thread loads bundles, another is told that it cannot use that context. */
static void twoThreads(void) {
  pthread_t thread;
  MuError error;
  int untold = 1;
  shared = mvm->new_context(mvm);
  CHECK(pthread_create(&thread, NULL, loads, &untold) == 0);
  while (!__atomic_load_n(&isTold, __ATOMIC_ACQUIRE)) {
    CHECK(shared->id_of(shared, "i64") != 0); /* names can be asked for all the same */
    shared->fence(shared, MU_ORD_SEQ_CST);
    if (!mvm->get_error(mvm, &error)) continue;
    CHECK(strcmp(error.code, "A0025") == 0);
    mvm->clear_error(mvm);
    __atomic_store_n(&isTold, 1, __ATOMIC_RELEASE);
  }
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(!untold);
  shared->close_context(shared);
}

int main(void) {
  pthread_t threads[2];
  int cases[2], i, sum;
  start(NULL);
  load(bundle);
  sum = machineCases();
  twoThreads();
  for (i = 0; i < 2; ++i) CHECK(pthread_create(&threads[i], NULL, everything, &cases[i]) == 0);
  for (i = 0; i < 2; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(cases[0] == cases[1]);
  sum += cases[0];
  printf("%d cases, in each of two threads\n", sum);
  CHECK(sum >= 300);
  finish();
  return 0;
}
