/* Types, constants, cells, functions and exposed functions as builders make them, seen through a context
 * afterwards. */
#include "builder.h"

/* Every type, each from the parts before it, and each defined after the ones that refer to it. */
static void types(void) {
  MuID sig, weak, funcref, ufuncptr, tagged, thread, stack, cursor, builder, hybrid, array, vector, node,
      refNode, all, nodeRef;
  MuRefValue object;
  MuIRefValue place;
  open();
  /* Recursive: a node holds a reference to a node. */
  node = name("@node");
  refNode = name("@refNode");
  B(new_type_struct, node, IDS(name("@word"), refNode));
  B(new_type_ref, refNode, node);
  B(new_type_int, name("@word"), 64);

  standardTypes();
  sig = name("@sig");
  ufuncptr = name("@ufuncptr");
  funcref = name("@funcref");
  B(new_type_ufuncptr, ufuncptr, sig);
  B(new_type_funcref, funcref, sig);
  /* A signature of a pointer to a function of this signature. */
  B(new_funcsig, sig, IDS(funcref, i32), IDS(ufuncptr));
  weak = name("@weak");
  B(new_type_weakref, weak, node);
  tagged = name("@tagged");
  B(new_type_tagref64, tagged);
  thread = name("@thread");
  B(new_type_threadref, thread);
  stack = name("@stack");
  B(new_type_stackref, stack);
  cursor = name("@cursor");
  B(new_type_framecursorref, cursor);
  builder = name("@builder");
  B(new_type_irbuilderref, builder);
  array = name("@array");
  B(new_type_array, array, i8, 3);
  vector = name("@vector");
  B(new_type_vector, vector, f32, 4);
  hybrid = name("@hybrid");
  B(new_type_hybrid, hybrid, IDS(i64, array), f64);
  all = name("@all");
  B(new_type_struct, all,
    IDS(i1, i6, i52, f32, f64, uptrI64, ufuncptr, array, vector, refNode, irefI64, weak, funcref, tagged,
        thread, stack, cursor, builder));
  nodeRef = refTo(all);
  b->load(b);
  NO_ERROR();
  CHECK(id("node") == node && id("@all") == all && strcmp(ctx->name_of(ctx, hybrid), "@hybrid") == 0);
  CHECK(ctx->name_of(ctx, nodeRef) == NULL);
  NO_ERROR();
  object = ctx->new_fixed(ctx, all);
  CHECK(object);
  place = ctx->get_field_iref(ctx, ctx->get_iref(ctx, object), 11);
  CHECK(ctx->load(ctx, MU_ORD_NOT_ATOMIC, place));
  object = ctx->new_fixed(ctx, node);
  place = ctx->get_field_iref(ctx, ctx->get_iref(ctx, object), 1);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, place, object);
  CHECK(ctx->ref_eq(ctx, ctx->load(ctx, MU_ORD_NOT_ATOMIC, place), object));
  place = ctx->get_iref(ctx, ctx->new_hybrid(ctx, hybrid, int64(5)));
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->shift_iref(ctx, ctx->get_var_part_iref(ctx, place), int64(4)),
             ctx->handle_from_double(ctx, 1.5));
  NO_ERROR();
}

/* Integers: bits above the type's are cut off, missing ones are zero. */
static const struct {
  int bits;
  uint64_t value, wanted;
} kIntegers[] = {
    {1, 1, 1},
    {1, 2, 0},
    {8, 0xff, 0xff},
    {8, 0x123, 0x23},
    {16, 0x8000, 0x8000},
    {32, UINT64_MAX, 0xffffffff},
    {52, UINT64_MAX, 0xfffffffffffff},
    {64, UINT64_MAX, UINT64_MAX},
    {64, 0, 0},
    {128, UINT64_MAX, UINT64_MAX},
};

static void integers(void) {
  size_t i, n = sizeof kIntegers / sizeof *kIntegers;
  MuID made[16];
  open();
  for (i = 0; i < n; ++i) made[i] = constant(intType(kIntegers[i].bits), kIntegers[i].value);
  b->load(b);
  NO_ERROR();
  for (i = 0; i < n; ++i) {
    MuIntValue value = ctx->handle_from_const(ctx, made[i]);
    CHECK(ctx->handle_to_uint64(ctx, value) == kIntegers[i].wanted);
    /* The words above are zero: the sign of a longer one is positive. */
    if (kIntegers[i].bits == 128) CHECK(ctx->handle_to_sint64(ctx, value) == -1);
  }
}

/* Longer ones by words, the lowest first: a function returns bits 64 to 127 and 0 to 63 of the same constant.
 */
static void wideIntegers(void) {
  static uint64_t words[] = {0x0123456789abcdef, 0xfedcba9876543210}, negative[] = {UINT64_MAX - 4};
  MuID i128, wide, low, extended, shifted, sum;
  open();
  standardTypes();
  i128 = intType(128);
  wide = fresh();
  B(new_const_int_ex, wide, i128, words, 2);
  low = name("@mp64");
  B(new_const_int_ex, low, i64, words, 2);
  /* Fewer words than the type has: their sign goes on. */
  extended = fresh();
  B(new_const_int_ex, extended, i128, negative, 1);
  beginFunction();
  shifted = binop(MU_BINOP_LSHR, i128, wide, constant(i128, 64));
  sum =
      binop(MU_BINOP_XOR, i64, conv(MU_CONV_TRUNC, i128, i64, shifted), conv(MU_CONV_TRUNC, i128, i64, wide));
  sum = binop(MU_BINOP_ADD, i64, sum,
              conv(MU_CONV_TRUNC, i128, i64, binop(MU_BINOP_ASHR, i128, extended, constant(i128, 100))));
  ret(sum);
  endEntry();
  endFunction();
  b->load(b);
  NO_ERROR();
  CHECK((uint64_t)exposedFunction(exposedId)(0, 0) == (words[0] ^ words[1]) - 1);
  CHECK(ctx->handle_to_uint64(ctx, ctx->handle_from_const(ctx, id("mp64"))) == words[0]);
}

static void otherConstants(void) {
  MuID single, twice, null, pair, nested, address, text, structType, outer, zero, pointerSig;
  MuValue value;
  open();
  standardTypes();
  /* Names of a client that calls its constants by their values. */
  single = name("@0.0009765625d_flt");
  twice = name("@1.0e-06d_dbl");
  null = name("@NULL-ref");
  B(new_const_float, single, f32, 0.0009765625f);
  B(new_const_double, twice, f64, -1.0e-06);
  B(new_const_null, null, refI64);
  structType = structOf(IDS(i64, f64));
  outer = structOf(IDS(structType, refI64));
  pair = fresh();
  nested = fresh();
  B(new_const_seq, nested, outer, IDS(pair, null));
  B(new_const_seq, pair, structType, IDS(constant(i64, (uint64_t)-9), twice));
  zero = constant(uptrI64, 0);
  pointerSig = fresh();
  B(new_type_ufuncptr, pointerSig, unary);
  address = fresh();
  B(new_const_extern, address, pointerSig, "labs");
  text = fresh();
  B(new_const_extern, text, uptrI64, "environ");
  b->load(b);
  NO_ERROR();
  CHECK(ctx->handle_to_float(ctx, ctx->handle_from_const(ctx, id("0.0009765625d_flt"))) == 0.0009765625f);
  CHECK(ctx->handle_to_double(ctx, ctx->handle_from_const(ctx, twice)) == -1.0e-06);
  CHECK(ctx->ref_eq(ctx, ctx->handle_from_const(ctx, null), ctx->handle_from_const(ctx, null)));
  value = ctx->extract_value(ctx, ctx->handle_from_const(ctx, nested), 0);
  CHECK(ctx->handle_to_sint64(ctx, ctx->extract_value(ctx, value, 0)) == -9);
  CHECK(ctx->handle_to_double(ctx, ctx->extract_value(ctx, value, 1)) == -1.0e-06);
  CHECK(ctx->handle_to_ptr(ctx, ctx->handle_from_const(ctx, zero)) == NULL);
  {
    int64_t (*absolute)(int64_t) =
        (int64_t(*)(int64_t))ctx->handle_to_fp(ctx, ctx->handle_from_const(ctx, address));
    CHECK(absolute(-5) == 5);
  }
  CHECK(ctx->handle_to_ptr(ctx, ctx->handle_from_const(ctx, text)));
  NO_ERROR();
}

/* A vtable in a global cell; its address, got without pinning, in a field of an object, as one client has all
 * of its raw structures. */
static void cells(void) {
  MuID vtable, object, cell, function, slotType;
  MuIRefValue place, field;
  MuUPtrValue address;
  MuRefValue instance;
  open();
  standardTypes();
  slotType = fresh();
  B(new_type_funcref, slotType, unary);
  vtable = structOf(IDS(i64, slotType));
  object = name("@instance");
  B(new_type_struct, object, IDS(i64, uptrTo(vtable)));
  cell = name("@vtable.main");
  B(new_global_cell, cell, vtable);
  B(new_global_cell, name("@nothing"), nothing);
  function = name("@method");
  /* A function with no version is only declared. */
  B(new_func, function, unary);
  b->load(b);
  NO_ERROR();
  place = ctx->handle_from_global(ctx, cell);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->get_field_iref(ctx, place, 0), int64(4711));
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->get_field_iref(ctx, place, 1),
             ctx->handle_from_func(ctx, function));
  address = ctx->get_addr(ctx, place);
  instance = ctx->new_fixed(ctx, object);
  field = ctx->get_field_iref(ctx, ctx->get_iref(ctx, instance), 1);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, field, address);
  NO_ERROR();
  CHECK(*(int64_t*)ctx->handle_to_ptr(ctx, ctx->load(ctx, MU_ORD_NOT_ATOMIC, field)) == 4711);
  CHECK(ctx->handle_from_global(ctx, id("nothing")));
}

/* IDs of exposed functions, with a cookie that the function asks for. */
static void exposed(void) {
  MuID cookie;
  open();
  standardTypes();
  beginFunction();
  cookie = common(MU_CI_UVM_NATIVE_GET_COOKIE, 1, NONE);
  ret(binop(MU_BINOP_ADD, i64, cookie, argA));
  endEntry();
  endFunction();
  B(new_exp_func, name("@more"), functionId, MU_CC_DEFAULT, name("@cookie"));
  B(new_const_int, name("@cookie"), i64, 1000);
  b->load(b);
  NO_ERROR();
  CHECK(exposedFunction(exposedId)(1, 0) == 1);
  CHECK(exposedFunction(id("more"))(1, 0) == 1001);
}

int main(void) {
  start("");
  types();
  integers();
  wideIntegers();
  otherConstants();
  cells();
  exposed();
  finish();
  return 0;
}
