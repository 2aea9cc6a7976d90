/* Values of every type into the machine and out again. */
#include <math.h>

#include "client.h"

static const char* const bundle =
    ".typedef @i1 = int<1> .typedef @i6 = int<6> .typedef @i8 = int<8> .typedef @i16 = int<16> .typedef @i32 "
    "= int<32> .typedef @i64 = int<64>\n"
    ".typedef @i128 = int<128> .typedef @i200 = int<200> .typedef @float = float .typedef @double = double\n"
    ".typedef @void = void .typedef @ptr = uptr<@void> .funcsig @sig = (@i64) -> (@i64) .typedef @fp = "
    "ufuncptr<@sig>\n"
    ".typedef @rv = ref<@void> .typedef @r64 = ref<@i64> .typedef @ir64 = iref<@i64> .typedef @irv = "
    "iref<@void> .typedef @fr = funcref<@sig>\n"
    ".funcsig @sig0 = () -> () .typedef @fr0 = funcref<@sig0>\n"
    ".typedef @pair = struct<@i8 @double> .typedef @deep = struct<@i64 @pair @rv @i8 @i8> .typedef @arr = "
    "array<@i16 5> .typedef @vec = vector<@float 4>\n"
    ".typedef @pairs = array<@pair 3>\n"
    ".const @minus2 <@i16> = -2 .const @big <@i128> = 0x0123456789abcdef0fedcba987654321 .const @pi "
    "<@double> = 3.25 d .const @half <@float> = 0.5 f\n"
    ".const @null <@rv> = NULL .const @nullptr <@ptr> = 0 .const @seven <@i8> = 7 .const @p <@pair> = { "
    "@seven @pi } .const @ps <@pairs> = { @p @p @p }\n"
    ".const @write <@fp> = EXTERN \"write\" .const @nowhere <@ptr> = EXTERN \"gaur_there_is_no_such_symbol\" "
    ".const @0 <@i64> = 0 .const @9 <@i64> = 9\n"
    ".global @cell <@i64> .funcdecl @undefined <@sig>\n"
    ".funcdef @twice VERSION %v <@sig> { %entry(<@i64> %x): %y = ADD <@i64> %x %x RET %y }\n"
    ".expose @twice_native = @twice #DEFAULT @9\n";

static void integers(void) {
  uint64_t words[4] = {0x1111111111111111u, 0x2222222222222222u, 0xfffffffffffffff3u, 0x44u};
  MuIntValue v;
  CHECK(ctx->handle_to_sint8(ctx, ctx->handle_from_sint8(ctx, -5, 8)) == -5);
  CHECK(ctx->handle_to_uint8(ctx, ctx->handle_from_uint8(ctx, 250, 8)) == 250);
  CHECK(ctx->handle_to_sint16(ctx, ctx->handle_from_sint16(ctx, -30000, 16)) == -30000);
  CHECK(ctx->handle_to_uint16(ctx, ctx->handle_from_uint16(ctx, 60000, 16)) == 60000);
  CHECK(ctx->handle_to_sint32(ctx, ctx->handle_from_sint32(ctx, -2000000000, 32)) == -2000000000);
  CHECK(ctx->handle_to_uint32(ctx, ctx->handle_from_uint32(ctx, 4000000000u, 32)) == 4000000000u);
  CHECK(ctx->handle_to_sint64(ctx, ctx->handle_from_sint64(ctx, INT64_MIN, 64)) == INT64_MIN);
  CHECK(ctx->handle_to_uint64(ctx, ctx->handle_from_uint64(ctx, UINT64_MAX, 64)) == UINT64_MAX);
  /* Longer and shorter than what they come from. */
  CHECK(ctx->handle_to_sint64(ctx, ctx->handle_from_sint8(ctx, -1, 64)) == -1);
  CHECK(ctx->handle_to_uint64(ctx, ctx->handle_from_uint8(ctx, 255, 64)) == 255);
  CHECK(ctx->handle_to_uint64(ctx, ctx->handle_from_sint64(ctx, -1, 6)) == 63);
  CHECK(ctx->handle_to_sint64(ctx, ctx->handle_from_uint64(ctx, 63, 6)) == -1);
  CHECK(ctx->handle_to_sint8(ctx, ctx->handle_from_sint64(ctx, 0x1234, 16)) == 0x34);
  CHECK(ctx->handle_to_uint32(ctx, ctx->handle_from_uint32(ctx, 7, 1)) == 1);
  CHECK(ctx->handle_to_sint32(ctx, ctx->handle_from_uint32(ctx, 7, 1)) == -1);
  /* More than a word: the low one comes out; the rest is told by what Mu code would see. */
  v = ctx->handle_from_uint64s(ctx, words, 4, 200);
  CHECK(ctx->handle_to_uint64(ctx, v) == words[0]);
  v = ctx->handle_from_uint64s(ctx, words, 1, 128);
  CHECK(ctx->handle_to_sint64(ctx, v) == 0x1111111111111111);
  CHECK(ctx->handle_to_uint64(ctx, ctx->handle_from_uint64s(ctx, NULL, 0, 64)) == 0);
  CHECK(ctx->handle_to_uint64(ctx, ctx->handle_from_uint64s(ctx, words, 1, 7)) == 0x11);
  CHECK(ctx->handle_to_sint64(ctx, ctx->handle_from_sint64(ctx, -9, 4096)) == -9);
  FAILS("A0009", ctx->handle_from_sint8(ctx, 1, 0));
  FAILS("A0009", ctx->handle_from_sint8(ctx, 1, -3));
  FAILS("A0009", ctx->handle_from_uint64(ctx, 1, 4097));
  FAILS("A0009", ctx->handle_from_uint64s(ctx, words, 1, 100000));
  FAILS("A0001", ctx->handle_from_uint64s(ctx, NULL, 2, 64));
  NO_ERROR();
}

static int64_t nativeFunction(int64_t x) { return x; }

static void numbersAndPointers(void) {
  int place = 0;
  CHECK(ctx->handle_to_float(ctx, ctx->handle_from_float(ctx, -1.5f)) == -1.5f);
  CHECK(ctx->handle_to_double(ctx, ctx->handle_from_double(ctx, 1e300)) == 1e300);
  CHECK(isnan(ctx->handle_to_double(ctx, ctx->handle_from_double(ctx, NAN))));
  CHECK(ctx->handle_to_ptr(ctx, ctx->handle_from_ptr(ctx, id("ptr"), &place)) == &place);
  CHECK(ctx->handle_to_ptr(ctx, ctx->handle_from_ptr(ctx, id("@ptr"), NULL)) == NULL);
  NO_ERROR();
  CHECK((int64_t(*)(int64_t))ctx->handle_to_fp(
            ctx, ctx->handle_from_fp(ctx, id("fp"), (MuCFP)nativeFunction)) == nativeFunction);
  CHECK(ctx->handle_to_fp(ctx, ctx->handle_from_fp(ctx, id("fp"), NULL)) == NULL);
  NO_ERROR();
  FAILS("A0007", ctx->handle_from_ptr(ctx, id("fp"), &place));
  FAILS("A0007", ctx->handle_from_fp(ctx, id("ptr"), (MuCFP)nativeFunction));
  FAILS("A0006", ctx->handle_from_ptr(ctx, id("sig"), &place));
  FAILS("A0005", ctx->handle_from_ptr(ctx, 999999, &place));
  FAILS("A0005", ctx->handle_from_ptr(ctx, 0, &place));
}

static void wrongKinds(void) {
  MuValue number = int64(1), fp = ctx->handle_from_double(ctx, 1.0);
  FAILS("A0004", ctx->handle_to_sint64(ctx, fp));
  FAILS("A0004", ctx->handle_to_uint8(ctx, fp));
  FAILS("A0004", ctx->handle_to_float(ctx, fp) != 0);
  FAILS("A0004", ctx->handle_to_double(ctx, number) != 0);
  FAILS("A0004", ctx->handle_to_ptr(ctx, number));
  FAILS("A0004", ctx->handle_to_fp(ctx, number) != NULL);
  FAILS("A0001", ctx->handle_to_sint64(ctx, NULL));
  FAILS("A0003", ctx->handle_to_sint64(ctx, (MuValue)(uintptr_t)0x1234567));
  FAILS("A0003", ctx->handle_to_sint64(ctx, (MuValue)&number));
  FAILS("A0003", ctx->handle_to_sint64(ctx, (MuValue)(UINTPTR_MAX - 2)));
  /* After deletion, also when something new lies in the place. */
  ctx->delete_value(ctx, number);
  FAILS("A0003", ctx->handle_to_sint64(ctx, number));
  FAILS_VOID("A0003", ctx->delete_value(ctx, number));
  CHECK(ctx->handle_to_sint64(ctx, int64(5)) == 5);
  FAILS("A0003", ctx->handle_to_sint64(ctx, number));
  FAILS_VOID("A0001", ctx->delete_value(ctx, NULL));
}

static void definitions(void) {
  MuValue pairs, pair;
  int64_t (*twice)(int64_t);
  CHECK(ctx->handle_to_sint16(ctx, ctx->handle_from_const(ctx, id("minus2"))) == -2);
  CHECK(ctx->handle_to_uint64(ctx, ctx->handle_from_const(ctx, id("big"))) == 0x0fedcba987654321u);
  CHECK(ctx->handle_to_double(ctx, ctx->handle_from_const(ctx, id("pi"))) == 3.25);
  CHECK(ctx->handle_to_float(ctx, ctx->handle_from_const(ctx, id("half"))) == 0.5f);
  CHECK(ctx->handle_to_ptr(ctx, ctx->handle_from_const(ctx, id("nullptr"))) == NULL);
  CHECK(ctx->handle_to_fp(ctx, ctx->handle_from_const(ctx, id("write"))) != NULL);
  pairs = ctx->handle_from_const(ctx, id("ps"));
  pair = ctx->extract_element(ctx, pairs, int64(2));
  CHECK(ctx->handle_to_sint8(ctx, ctx->extract_value(ctx, pair, 0)) == 7);
  CHECK(ctx->handle_to_double(ctx, ctx->extract_value(ctx, pair, 1)) == 3.25);
  CHECK(ctx->handle_from_global(ctx, id("cell")) != NULL);
  CHECK(ctx->handle_from_func(ctx, id("undefined")) != NULL);
  twice = (int64_t(*)(int64_t))ctx->handle_to_fp(ctx, ctx->handle_from_expose(ctx, id("twice_native")));
  CHECK(twice(21) == 42);
  NO_ERROR();
  FAILS("R0009", ctx->handle_from_const(ctx, id("nowhere")));
  FAILS("A0006", ctx->handle_from_const(ctx, id("cell")));
  FAILS("A0006", ctx->handle_from_global(ctx, id("twice")));
  FAILS("A0006", ctx->handle_from_func(ctx, id("twice_native")));
  FAILS("A0006", ctx->handle_from_expose(ctx, id("twice")));
  FAILS("A0005", ctx->handle_from_func(ctx, 0xffffffffu));
  FAILS("A0008", id("nobody"));
  FAILS("A0001", id(NULL));
}

static void references(void) {
  MuValue a = ctx->new_fixed(ctx, id("i64")), b = ctx->new_fixed(ctx, id("i64")),
          null = ctx->handle_from_const(ctx, id("null"));
  MuValue any = ctx->refcast(ctx, a, id("rv")), iref = ctx->get_iref(ctx, a), f = function("twice");
  CHECK(ctx->ref_eq(ctx, a, a) && !ctx->ref_eq(ctx, a, b) && ctx->ref_eq(ctx, a, any) &&
        !ctx->ref_eq(ctx, a, null));
  CHECK(ctx->ref_eq(ctx, f, function("twice")) && !ctx->ref_eq(ctx, f, function("undefined")));
  CHECK(ctx->ref_eq(ctx, ctx->refcast(ctx, f, id("fr0")), f));
  CHECK(ctx->ref_eq(ctx, ctx->refcast(ctx, ctx->refcast(ctx, iref, id("irv")), id("ir64")), iref));
  CHECK(!ctx->ref_ult(ctx, iref, iref));
  NO_ERROR();
  FAILS("A0004", ctx->ref_eq(ctx, a, iref));
  FAILS("A0004", ctx->ref_eq(ctx, int64(1), int64(1)));
  FAILS("A0004", ctx->ref_ult(ctx, a, iref));
  FAILS("A0007", ctx->refcast(ctx, a, id("ir64")));
  FAILS("A0007", ctx->refcast(ctx, f, id("rv")));
  FAILS("A0004", ctx->refcast(ctx, int64(1), id("rv")));
  FAILS("A0005", ctx->refcast(ctx, a, 0));
}

static void composites(void) {
  MuValue p = ctx->handle_from_const(ctx, id("p")), q, deep, array, vector, object, where;
  q = ctx->insert_value(ctx, p, 1, ctx->handle_from_double(ctx, -1.0));
  CHECK(ctx->handle_to_double(ctx, ctx->extract_value(ctx, p, 1)) == 3.25);
  CHECK(ctx->handle_to_double(ctx, ctx->extract_value(ctx, q, 1)) == -1.0);
  CHECK(ctx->handle_to_sint8(ctx, ctx->extract_value(ctx, q, 0)) == 7);
  NO_ERROR();
  FAILS("A0010", ctx->extract_value(ctx, p, 2));
  FAILS("A0010", ctx->extract_value(ctx, p, -1));
  FAILS("A0010", ctx->insert_value(ctx, p, 7, p));
  FAILS("A0004", ctx->insert_value(ctx, p, 1, int64(3)));
  FAILS("A0004", ctx->extract_value(ctx, int64(3), 0));
  /* Structures in structures, with references: through memory, since only constants make composites of
   * nothing. */
  object = ctx->new_fixed(ctx, id("deep"));
  where = ctx->get_iref(ctx, object);
  deep = ctx->load(ctx, MU_ORD_NOT_ATOMIC, where);
  deep = ctx->insert_value(ctx, deep, 1, q);
  deep = ctx->insert_value(ctx, deep, 2, ctx->refcast(ctx, object, id("rv")));
  deep = ctx->insert_value(ctx, deep, 4, ctx->handle_from_sint8(ctx, -8, 8));
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, where, deep);
  deep = ctx->load(ctx, MU_ORD_NOT_ATOMIC, where);
  CHECK(ctx->handle_to_double(ctx, ctx->extract_value(ctx, ctx->extract_value(ctx, deep, 1), 1)) == -1.0);
  CHECK(ctx->ref_eq(ctx, ctx->extract_value(ctx, deep, 2), object));
  CHECK(ctx->handle_to_sint8(ctx, ctx->extract_value(ctx, deep, 3)) == 0);
  CHECK(ctx->handle_to_sint8(ctx, ctx->extract_value(ctx, deep, 4)) == -8);
  /* Arrays and vectors. */
  array = ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->get_iref(ctx, ctx->new_fixed(ctx, id("arr"))));
  array = ctx->insert_element(ctx, array, ctx->handle_from_uint8(ctx, 4, 8),
                              ctx->handle_from_sint16(ctx, -4, 16));
  CHECK(ctx->handle_to_sint16(ctx, ctx->extract_element(ctx, array, int64(4))) == -4);
  CHECK(ctx->handle_to_sint16(ctx, ctx->extract_element(ctx, array, int64(3))) == 0);
  vector = ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->get_iref(ctx, ctx->new_fixed(ctx, id("vec"))));
  vector = ctx->insert_element(ctx, vector, int64(1), ctx->handle_from_float(ctx, 2.5f));
  CHECK(ctx->handle_to_float(ctx, ctx->extract_element(ctx, vector, int64(1))) == 2.5f);
  NO_ERROR();
  FAILS("A0011", ctx->extract_element(ctx, array, int64(5)));
  FAILS("A0011", ctx->extract_element(ctx, array, int64(-1)));
  FAILS("A0011", ctx->insert_element(ctx, array, ctx->handle_from_sint8(ctx, -1, 8),
                                     ctx->handle_from_sint16(ctx, 1, 16)));
  FAILS("A0011", ctx->extract_element(ctx, array, ctx->handle_from_sint64(ctx, -1, 4096)));
  FAILS("A0004", ctx->insert_element(ctx, array, int64(1), int64(1)));
  FAILS("A0004", ctx->extract_element(ctx, p, int64(0)));
  FAILS("A0004", ctx->extract_element(ctx, array, ctx->handle_from_double(ctx, 0)));
}

static void tagrefs(void) {
  MuValue object = ctx->new_fixed(ctx, id("i64")), tag = ctx->handle_from_uint8(ctx, 0x2b, 6), t;
  static const uint64_t ints[] = {0, 1, 0xfffffffffffff, 0x5555555555555, 0xaaaaaaaaaaaaa, 0x8000000000000};
  size_t i;
  for (i = 0; i < sizeof ints / sizeof *ints; ++i) {
    t = ctx->tr64_from_int(ctx, ctx->handle_from_uint64(ctx, ints[i], 52));
    CHECK(ctx->tr64_is_int(ctx, t) && !ctx->tr64_is_fp(ctx, t) && !ctx->tr64_is_ref(ctx, t));
    CHECK(ctx->handle_to_uint64(ctx, ctx->tr64_to_int(ctx, t)) == ints[i]);
  }
  t = ctx->tr64_from_fp(ctx, ctx->handle_from_double(ctx, -0.25));
  CHECK(ctx->tr64_is_fp(ctx, t) && !ctx->tr64_is_int(ctx, t) && !ctx->tr64_is_ref(ctx, t));
  CHECK(ctx->handle_to_double(ctx, ctx->tr64_to_fp(ctx, t)) == -0.25);
  CHECK(isnan(ctx->handle_to_double(
      ctx, ctx->tr64_to_fp(ctx, ctx->tr64_from_fp(ctx, ctx->handle_from_double(ctx, NAN))))));
  CHECK(isinf(ctx->handle_to_double(
      ctx, ctx->tr64_to_fp(ctx, ctx->tr64_from_fp(ctx, ctx->handle_from_double(ctx, INFINITY))))));
  NO_ERROR();
  FAILS("A0018", ctx->tr64_to_int(ctx, t));
  FAILS("A0018", ctx->tr64_to_ref(ctx, t));
  FAILS("A0018", ctx->tr64_to_tag(ctx, t));
  t = ctx->tr64_from_ref(ctx, ctx->refcast(ctx, object, id("rv")), tag);
  CHECK(ctx->tr64_is_ref(ctx, t) && !ctx->tr64_is_fp(ctx, t) && !ctx->tr64_is_int(ctx, t));
  CHECK(ctx->ref_eq(ctx, ctx->tr64_to_ref(ctx, t), object));
  CHECK(ctx->handle_to_uint8(ctx, ctx->tr64_to_tag(ctx, t)) == 0x2b);
  NO_ERROR();
  FAILS("A0018", ctx->tr64_to_fp(ctx, t));
  FAILS("A0004", ctx->tr64_from_int(ctx, int64(1)));
  FAILS("A0004", ctx->tr64_from_ref(ctx, object, int64(1)));
  FAILS("A0004", ctx->tr64_from_ref(ctx, int64(1), tag));
  FAILS("A0004", ctx->tr64_is_fp(ctx, int64(1)));
  FAILS("A0004", ctx->tr64_from_fp(ctx, int64(1)));
}

/* What only a handle refers to stays alive, also behind a tag; many more than the first chunk of handles
 * holds. */
static void handlesKeepObjects(void) {
  enum { kCount = 2000 };
  static MuValue plain[kCount], tagged[kCount];
  MuValue tag = ctx->handle_from_uint8(ctx, 5, 6);
  int i;
  for (i = 0; i < kCount; ++i) {
    MuValue object = ctx->new_fixed(ctx, id("i64")), other = ctx->new_fixed(ctx, id("i64")),
            iref = ctx->get_iref(ctx, other);
    MuValue value = int64(i);
    ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->get_iref(ctx, object), value);
    ctx->store(ctx, MU_ORD_NOT_ATOMIC, iref, value);
    plain[i] = object;
    tagged[i] = ctx->tr64_from_ref(ctx, other, tag);
    ctx->delete_value(ctx, other);
    ctx->delete_value(ctx, iref);
  }
  for (i = 0; i < kCount; ++i) {
    MuValue other = ctx->refcast(ctx, ctx->tr64_to_ref(ctx, tagged[i]), id("r64"));
    CHECK(ctx->handle_to_sint64(ctx, ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->get_iref(ctx, plain[i]))) == i);
    CHECK(ctx->handle_to_sint64(ctx, ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->get_iref(ctx, other))) == i);
  }
  NO_ERROR();
}

int main(void) {
  start(NULL);
  load(bundle);
  integers();
  numbersAndPointers();
  wrongKinds();
  definitions();
  references();
  composites();
  tagrefs();
  handlesKeepObjects();
  finish();
  return 0;
}
