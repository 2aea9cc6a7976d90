/* Objects, locations in them, every kind of access, pins and addresses. */
#include <pthread.h>

#include "client.h"

static const char* const bundle =
    ".typedef @i1 = int<1> .typedef @i8 = int<8> .typedef @i16 = int<16> .typedef @i32 = int<32> .typedef "
    "@i64 = int<64> .typedef @i128 = int<128>\n"
    ".typedef @i52 = int<52> .typedef @float = float .typedef @double = double .typedef @void = void "
    ".typedef @ptr = uptr<@void> .typedef @t64 = tagref64\n"
    ".typedef @rv = ref<@void> .typedef @wv = weakref<@void> .typedef @irv = iref<@void> .typedef @r64 = "
    "ref<@i64> .typedef @ir64 = iref<@i64>\n"
    ".funcsig @sig = (@i64) -> (@i64) .typedef @fr = funcref<@sig> .funcdef @id VERSION %v <@sig> { "
    "%entry(<@i64> %x): RET %x }\n"
    ".typedef @weak = struct<@i64 @wv> .typedef @row = array<@i32 4> .typedef @vec = vector<@float 4>\n"
    ".typedef @all = struct<@i8 @i16 @i32 @i64 @i128 @float @double @ptr @rv @irv @fr @t64 @row @vec @i1 "
    "@i52>\n"
    ".typedef @bytes = hybrid<@i64 @i8> .typedef @refs = hybrid<@rv> .typedef @links = hybrid<@i64 @i64 "
    "@rv>\n"
    ".typedef @rall = ref<@all> .global @cell <@i64> .global @holder <@rv>\n"
    ".const @null <@rv> = NULL .const @nullir <@ir64> = NULL .const @nullref <@r64> = NULL\n";

static MuValue object;
static MuValue field(int i) { return ctx->get_field_iref(ctx, ctx->get_iref(ctx, object), i); }
static MuValue loaded(MuValue location) { return ctx->load(ctx, MU_ORD_NOT_ATOMIC, location); }
static void stored(MuValue location, MuValue value) { ctx->store(ctx, MU_ORD_NOT_ATOMIC, location, value); }

static void everyType(void) {
  static const MuMemOrd loads[] = {MU_ORD_NOT_ATOMIC, MU_ORD_RELAXED, MU_ORD_CONSUME, MU_ORD_ACQUIRE,
                                   MU_ORD_SEQ_CST};
  static const MuMemOrd stores[] = {MU_ORD_NOT_ATOMIC, MU_ORD_RELAXED, MU_ORD_RELEASE, MU_ORD_SEQ_CST};
  int place = 0;
  size_t i, j;
  object = ctx->new_fixed(ctx, id("all"));
  /* New memory is zero. */
  CHECK(ctx->handle_to_uint64(ctx, loaded(field(3))) == 0 &&
        ctx->handle_to_ptr(ctx, loaded(field(7))) == NULL);
  CHECK(ctx->ref_eq(ctx, loaded(field(8)), ctx->handle_from_const(ctx, id("null"))));
  CHECK(ctx->tr64_is_fp(ctx, loaded(field(11))) &&
        ctx->handle_to_double(ctx, ctx->tr64_to_fp(ctx, loaded(field(11)))) == 0.0);
  for (i = 0; i < sizeof loads / sizeof *loads; ++i) {
    for (j = 0; j < sizeof stores / sizeof *stores; ++j) {
      ctx->store(ctx, stores[j], field(0), ctx->handle_from_sint8(ctx, (int8_t)(-1 - (int)i), 8));
      CHECK(ctx->handle_to_sint8(ctx, ctx->load(ctx, loads[i], field(0))) == -1 - (int)i);
      ctx->store(ctx, stores[j], field(1), ctx->handle_from_sint16(ctx, -300, 16));
      CHECK(ctx->handle_to_sint16(ctx, ctx->load(ctx, loads[i], field(1))) == -300);
      ctx->store(ctx, stores[j], field(2), ctx->handle_from_sint32(ctx, -70000, 32));
      CHECK(ctx->handle_to_sint32(ctx, ctx->load(ctx, loads[i], field(2))) == -70000);
      ctx->store(ctx, stores[j], field(3), int64(-5000000000));
      CHECK(ctx->handle_to_sint64(ctx, ctx->load(ctx, loads[i], field(3))) == -5000000000);
      ctx->store(ctx, stores[j], field(5), ctx->handle_from_float(ctx, 1.25f));
      CHECK(ctx->handle_to_float(ctx, ctx->load(ctx, loads[i], field(5))) == 1.25f);
      ctx->store(ctx, stores[j], field(6), ctx->handle_from_double(ctx, -1.25));
      CHECK(ctx->handle_to_double(ctx, ctx->load(ctx, loads[i], field(6))) == -1.25);
      ctx->store(ctx, stores[j], field(7), ctx->handle_from_ptr(ctx, id("ptr"), &place));
      CHECK(ctx->handle_to_ptr(ctx, ctx->load(ctx, loads[i], field(7))) == &place);
      ctx->store(ctx, stores[j], field(8), object);
      CHECK(ctx->ref_eq(ctx, ctx->load(ctx, loads[i], field(8)), object));
      ctx->store(ctx, stores[j], field(9), field(3));
      CHECK(ctx->ref_eq(ctx, ctx->load(ctx, loads[i], field(9)), field(3)));
      ctx->store(ctx, stores[j], field(10), function("id"));
      CHECK(ctx->ref_eq(ctx, ctx->load(ctx, loads[i], field(10)), function("id")));
      ctx->store(ctx, stores[j], field(11), ctx->tr64_from_int(ctx, ctx->handle_from_uint64(ctx, 77, 52)));
      CHECK(ctx->handle_to_uint64(ctx, ctx->tr64_to_int(ctx, ctx->load(ctx, loads[i], field(11)))) == 77);
    }
  }
  /* What has no atomic access. */
  stored(field(4), ctx->handle_from_sint64(ctx, -6, 128));
  CHECK(ctx->handle_to_sint64(ctx, loaded(field(4))) == -6);
  stored(field(14), ctx->handle_from_uint8(ctx, 1, 1));
  CHECK(ctx->handle_to_uint8(ctx, loaded(field(14))) == 1);
  stored(field(15), ctx->handle_from_sint64(ctx, -2, 52));
  CHECK(ctx->handle_to_sint64(ctx, loaded(field(15))) == -2);
  stored(field(12),
         ctx->insert_element(ctx, loaded(field(12)), int64(3), ctx->handle_from_sint32(ctx, 33, 32)));
  CHECK(ctx->handle_to_sint32(ctx, ctx->extract_element(ctx, loaded(field(12)), int64(3))) == 33);
  NO_ERROR();
  FAILS("A0015", ctx->load(ctx, MU_ORD_RELAXED, field(4)));
  FAILS("A0015", ctx->load(ctx, MU_ORD_SEQ_CST, field(12)));
  FAILS_VOID("A0015", ctx->store(ctx, MU_ORD_SEQ_CST, field(15), ctx->handle_from_sint64(ctx, -2, 52)));
  FAILS("A0013", ctx->load(ctx, MU_ORD_RELEASE, field(3)));
  FAILS("A0013", ctx->load(ctx, MU_ORD_ACQ_REL, field(3)));
  FAILS_VOID("A0013", ctx->store(ctx, MU_ORD_ACQUIRE, field(3), int64(1)));
  FAILS("A0014", ctx->load(ctx, 7, field(3)));
  FAILS_VOID("A0004", stored(field(3), ctx->handle_from_sint32(ctx, 1, 32)));
  FAILS_VOID("A0004", stored(field(6), int64(1)));
  FAILS_VOID("A0004", stored(field(8), field(3)));
  FAILS_VOID("A0001", stored(field(3), NULL));
  FAILS("A0004", loaded(object));
  FAILS("A0001", loaded(NULL));
  FAILS("A0012", loaded(ctx->handle_from_const(ctx, id("nullir"))));
  FAILS("A0015", loaded(ctx->get_iref(ctx, ctx->refcast(ctx, object, id("rv")))));
  FAILS_VOID("A0012", stored(ctx->handle_from_const(ctx, id("nullir")), int64(1)));
  NO_ERROR();
}

static void addresses(void) {
  MuValue whole = ctx->get_iref(ctx, object), row = field(12), first, hybrid, part;
  int i;
  CHECK(ctx->ref_ult(ctx, field(0), field(1)) && ctx->ref_ult(ctx, field(1), field(2)) &&
        !ctx->ref_ult(ctx, field(3), field(2)));
  for (i = 0; i < 4; ++i)
    stored(ctx->get_elem_iref(ctx, row, int64(i)), ctx->handle_from_sint32(ctx, i * 10, 32));
  first = ctx->get_elem_iref(ctx, row, ctx->handle_from_uint8(ctx, 0, 8));
  for (i = 0; i < 4; ++i)
    CHECK(ctx->handle_to_sint32(ctx, loaded(ctx->shift_iref(ctx, first, int64(i)))) == i * 10);
  CHECK(ctx->ref_eq(
      ctx, ctx->shift_iref(ctx, ctx->get_elem_iref(ctx, row, int64(3)), ctx->handle_from_sint8(ctx, -3, 8)),
      first));
  hybrid = ctx->new_hybrid(ctx, id("bytes"), int64(5));
  stored(ctx->get_field_iref(ctx, ctx->get_iref(ctx, hybrid), 0), int64(5));
  part = ctx->get_var_part_iref(ctx, ctx->get_iref(ctx, hybrid));
  for (i = 0; i < 5; ++i)
    stored(ctx->shift_iref(ctx, part, int64(i)), ctx->handle_from_uint8(ctx, (uint8_t)('a' + i), 8));
  CHECK(memcmp(ctx->handle_to_ptr(ctx, ctx->pin(ctx, part)), "abcde", 5) == 0);
  ctx->unpin(ctx, part);
  CHECK(ctx->new_hybrid(ctx, id("refs"), ctx->handle_from_uint8(ctx, 0, 8)));
  CHECK(ctx->get_field_iref(
      ctx, ctx->get_iref(ctx, ctx->new_hybrid(ctx, id("links"), ctx->handle_from_uint8(ctx, 255, 8))), 1));
  CHECK(ctx->new_fixed(ctx, id("void")));
  NO_ERROR();
  FAILS("A0010", ctx->get_field_iref(ctx, whole, 16));
  FAILS("A0010", ctx->get_field_iref(ctx, whole, -1));
  FAILS("A0010", ctx->get_field_iref(ctx, ctx->get_iref(ctx, hybrid), 1));
  FAILS("A0015", ctx->get_field_iref(ctx, field(3), 0));
  FAILS("A0015", ctx->get_elem_iref(ctx, field(3), int64(0)));
  FAILS("A0015", ctx->get_var_part_iref(ctx, whole));
  FAILS("A0015", ctx->shift_iref(ctx, ctx->get_iref(ctx, hybrid), int64(1)));
  FAILS("A0004", ctx->shift_iref(ctx, first, ctx->handle_from_double(ctx, 1)));
  FAILS("A0012", ctx->get_iref(ctx, ctx->handle_from_const(ctx, id("nullref"))));
  FAILS("A0012", ctx->shift_iref(ctx, ctx->handle_from_const(ctx, id("nullir")), int64(1)));
  FAILS("A0004", ctx->get_iref(ctx, whole));
  FAILS("A0004", ctx->get_field_iref(ctx, object, 0));
  FAILS("A0007", ctx->new_fixed(ctx, id("bytes")));
  FAILS("A0007", ctx->new_hybrid(ctx, id("all"), int64(1)));
  FAILS("A0006", ctx->new_fixed(ctx, id("cell")));
  FAILS("A0004", ctx->new_hybrid(ctx, id("bytes"), object));
  FAILS("R0010", ctx->new_hybrid(ctx, id("bytes"), int64(-1)));
  FAILS("R0010", ctx->new_hybrid(ctx, id("links"), ctx->handle_from_uint64(ctx, UINT64_MAX / 4, 64)));
}

static void updates(void) {
  static const struct {
    MuAtomicRMWOptr operation;
    int8_t old, operand, after;
  } cases[] = {{MU_ARMW_XCHG, 5, 7, 7},   {MU_ARMW_ADD, 120, 10, -126}, {MU_ARMW_SUB, 5, 7, -2},
               {MU_ARMW_AND, 12, 10, 8},  {MU_ARMW_NAND, 12, 10, -9},   {MU_ARMW_OR, 12, 10, 14},
               {MU_ARMW_XOR, 12, 10, 6},  {MU_ARMW_MAX, -1, 1, 1},      {MU_ARMW_MIN, -1, 1, -1},
               {MU_ARMW_UMAX, -1, 1, -1}, {MU_ARMW_UMIN, -1, 1, 1}};
  size_t i;
  MuBool success = 2;
  for (i = 0; i < sizeof cases / sizeof *cases; ++i) {
    int width;
    for (width = 0; width < 4; ++width) {
      int bits = 8 << width;
      stored(field(width), ctx->handle_from_sint8(ctx, cases[i].old, bits));
      CHECK(ctx->handle_to_sint8(ctx, ctx->atomicrmw(ctx, MU_ORD_SEQ_CST, cases[i].operation, field(width),
                                                     ctx->handle_from_sint8(ctx, cases[i].operand, bits))) ==
            cases[i].old);
      CHECK(ctx->handle_to_sint8(ctx, loaded(field(width))) == cases[i].after);
    }
  }
  stored(field(3), int64(10));
  CHECK(ctx->handle_to_sint64(ctx, ctx->cmpxchg(ctx, MU_ORD_ACQ_REL, MU_ORD_ACQUIRE, 0, field(3), int64(10),
                                                int64(11), &success)) == 10);
  CHECK(success == 1);
  CHECK(ctx->handle_to_sint64(ctx, ctx->cmpxchg(ctx, MU_ORD_SEQ_CST, MU_ORD_SEQ_CST, 1, field(3), int64(10),
                                                int64(12), &success)) == 11);
  CHECK(success == 0 && ctx->handle_to_sint64(ctx, loaded(field(3))) == 11);
  stored(field(8), object);
  CHECK(ctx->ref_eq(ctx,
                    ctx->cmpxchg(ctx, MU_ORD_RELAXED, MU_ORD_RELAXED, 0, field(8), object,
                                 ctx->handle_from_const(ctx, id("null")), &success),
                    object));
  CHECK(success == 1);
  CHECK(ctx->ref_eq(ctx, ctx->atomicrmw(ctx, MU_ORD_RELEASE, MU_ARMW_XCHG, field(8), object),
                    ctx->handle_from_const(ctx, id("null"))));
  ctx->fence(ctx, MU_ORD_SEQ_CST);
  ctx->fence(ctx, MU_ORD_ACQUIRE);
  NO_ERROR();
  FAILS_VOID("A0013", ctx->fence(ctx, MU_ORD_RELAXED));
  FAILS_VOID("A0014", ctx->fence(ctx, 99));
  FAILS("A0014", ctx->atomicrmw(ctx, MU_ORD_SEQ_CST, 11, field(3), int64(1)));
  FAILS("A0013", ctx->atomicrmw(ctx, MU_ORD_NOT_ATOMIC, MU_ARMW_ADD, field(3), int64(1)));
  FAILS("A0015", ctx->atomicrmw(ctx, MU_ORD_SEQ_CST, MU_ARMW_ADD, field(8), object));
  FAILS("A0015",
        ctx->atomicrmw(ctx, MU_ORD_SEQ_CST, MU_ARMW_XCHG, field(4), ctx->handle_from_sint8(ctx, 1, 127)));
  FAILS("A0004",
        ctx->atomicrmw(ctx, MU_ORD_SEQ_CST, MU_ARMW_ADD, field(3), ctx->handle_from_sint8(ctx, 1, 8)));
  FAILS("A0015",
        ctx->cmpxchg(ctx, MU_ORD_SEQ_CST, MU_ORD_SEQ_CST, 0, field(6), int64(1), int64(1), &success));
  FAILS("A0013",
        ctx->cmpxchg(ctx, MU_ORD_SEQ_CST, MU_ORD_RELEASE, 0, field(3), int64(1), int64(1), &success));
  FAILS("A0013",
        ctx->cmpxchg(ctx, MU_ORD_NOT_ATOMIC, MU_ORD_RELAXED, 0, field(3), int64(1), int64(1), &success));
  FAILS("A0001", ctx->cmpxchg(ctx, MU_ORD_SEQ_CST, MU_ORD_SEQ_CST, 0, field(3), int64(1), int64(1), NULL));
  FAILS("A0004", ctx->cmpxchg(ctx, MU_ORD_SEQ_CST, MU_ORD_SEQ_CST, 0, field(3), object, int64(1), &success));
}

/* A weakref location gives and takes strong references, and loses its target once nothing else has it. */
static void weakReferences(void) {
  MuValue holder = ctx->new_fixed(ctx, id("weak")),
          slot = ctx->get_field_iref(ctx, ctx->get_iref(ctx, holder), 1);
  MuValue target = ctx->refcast(ctx, ctx->new_fixed(ctx, id("i64")), id("rv")),
          null = ctx->handle_from_const(ctx, id("null")), value;
  MuBool success = 0;
  ctx->store(ctx, MU_ORD_SEQ_CST, slot, target);
  value = ctx->load(ctx, MU_ORD_SEQ_CST, slot);
  CHECK(ctx->ref_eq(ctx, value, target));
  CHECK(ctx->ref_eq(ctx, ctx->cmpxchg(ctx, MU_ORD_SEQ_CST, MU_ORD_SEQ_CST, 0, slot, target, null, &success),
                    target) &&
        success);
  CHECK(ctx->ref_eq(ctx, ctx->atomicrmw(ctx, MU_ORD_SEQ_CST, MU_ARMW_XCHG, slot, target), null));
  NO_ERROR();
  FAILS_VOID("A0004", ctx->store(ctx, MU_ORD_NOT_ATOMIC, slot, int64(1)));
}

static void pins(void) {
  MuValue cell = ctx->handle_from_global(ctx, id("cell")), p = ctx->pin(ctx, object),
          q = ctx->pin(ctx, field(3));
  int64_t* raw = ctx->handle_to_ptr(ctx, q);
  CHECK((char*)ctx->handle_to_ptr(ctx, p) == (char*)ctx->handle_to_ptr(ctx, ctx->get_addr(ctx, object)));
  *raw = 1234;
  CHECK(ctx->handle_to_sint64(ctx, loaded(field(3))) == 1234);
  ctx->pin(ctx, object);
  ctx->unpin(ctx, object);
  ctx->unpin(ctx, object);
  ctx->unpin(ctx, field(3));
  CHECK(ctx->handle_to_ptr(ctx, ctx->get_addr(ctx, cell)) != NULL);
  CHECK(ctx->handle_to_ptr(ctx, ctx->pin(ctx, ctx->handle_from_const(ctx, id("null")))) == NULL);
  ctx->unpin(ctx, ctx->handle_from_const(ctx, id("null")));
  NO_ERROR();
  FAILS_VOID("A0016", ctx->unpin(ctx, object));
  FAILS("A0004", ctx->pin(ctx, int64(1)));
  FAILS("A0004", ctx->get_addr(ctx, function("id")));
  FAILS_VOID("A0001", ctx->unpin(ctx, NULL));
}

/* A pinned object lives without handles; closing the context lets it go. */
static void pinsKeepObjects(void) {
  MuCtx* otherContext = mvm->new_context(mvm);
  MuValue made = otherContext->new_fixed(otherContext, id("i64"));
  int64_t* raw = otherContext->handle_to_ptr(otherContext, otherContext->pin(otherContext, made));
  int i;
  *raw = 42;
  otherContext->delete_value(otherContext, made);
  for (i = 0; i < 20000; ++i) ctx->delete_value(ctx, ctx->new_fixed(ctx, id("i64")));
  CHECK(*raw == 42);
  /* Handles belong to their contexts. */
  FAILS("A0003", loaded(ctx->get_iref(ctx, object) ? made : NULL));
  made = otherContext->new_fixed(otherContext, id("i64"));
  FAILS("A0003", ctx->get_iref(ctx, made));
  otherContext->close_context(otherContext);
  NO_ERROR();
}

static void* addAll(void* argument) {
  MuCtx* threadContext = mvm->new_context(mvm);
  MuValue cell = threadContext->handle_from_global(threadContext, id("cell"));
  MuValue one = threadContext->handle_from_sint64(threadContext, 1, 64);
  int i;
  (void)argument;
  for (i = 0; i < 20000; ++i) {
    threadContext->delete_value(
        threadContext, threadContext->atomicrmw(threadContext, MU_ORD_RELAXED, MU_ARMW_ADD, cell, one));
    if (i % 100 == 0)
      threadContext->delete_value(threadContext, threadContext->new_fixed(threadContext, id("all")));
  }
  threadContext->close_context(threadContext);
  return NULL;
}

static void manyThreads(void) {
  enum { kThreads = 8 };
  pthread_t threads[kThreads];
  int i;
  for (i = 0; i < kThreads; ++i) CHECK(pthread_create(&threads[i], NULL, addAll, NULL) == 0);
  for (i = 0; i < kThreads; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(ctx->handle_to_sint64(ctx, loaded(ctx->handle_from_global(ctx, id("cell")))) == kThreads * 20000);
  NO_ERROR();
}

int main(void) {
  start(NULL);
  load(bundle);
  everyType();
  addresses();
  updates();
  weakReferences();
  pins();
  pinsKeepObjects();
  manyThreads();
  finish();
  return 0;
}
