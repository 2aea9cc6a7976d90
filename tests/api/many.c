/* As many handles and pins as the largest clients have: 200,000 handles alive at once, 100,000 objects
 * pinned, and what they hold stays while the heap is collected. With a collection at every allocation fewer
 * of them do. */
#include "client.h"

static const char* const bundle =
    ".typedef @i64 = int<64> .typedef @void = void .typedef @rv = ref<@void> .typedef @node = struct<@i64 "
    "@rv>\n"
    ".typedef @big = struct<@i64 @rv @i64 @i64>\n"
    ".const @0 <@i64> = 0 .const @1 <@i64> = 1 .funcsig @i_i = (@i64) -> (@i64)\n"
    ".funcdef @allocate VERSION %v <@i_i> { %entry(<@i64> %n): BRANCH %loop(%n @0)\n"
    "  %loop(<@i64> %n <@i64> %i): %done = SGE <@i64> %i %n BRANCH2 %done %end(%i) %next(%n %i)\n"
    "  %next(<@i64> %n <@i64> %i): %o = NEW <@node> %j = ADD <@i64> %i @1 BRANCH %loop(%n %j)\n"
    "  %end(<@i64> %i): RET %i } .expose @allocate_native = @allocate #DEFAULT @0\n";

static int count = 200000;
static int64_t (*allocate)(int64_t);

static MuRefValue newNode(int64_t number) {
  MuRefValue node = ctx->new_fixed(ctx, id("node"));
  MuIRefValue iref = ctx->get_iref(ctx, node), field = ctx->get_field_iref(ctx, iref, 0);
  MuIntValue value = int64(number);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, field, value);
  ctx->delete_value(ctx, iref);
  ctx->delete_value(ctx, field);
  ctx->delete_value(ctx, value);
  return node;
}

static int64_t numberIn(MuRefValue node) {
  MuIRefValue iref = ctx->get_iref(ctx, node), field = ctx->get_field_iref(ctx, iref, 0);
  MuIntValue value = ctx->load(ctx, MU_ORD_NOT_ATOMIC, field);
  const int64_t number = ctx->handle_to_sint64(ctx, value);
  ctx->delete_value(ctx, iref);
  ctx->delete_value(ctx, field);
  ctx->delete_value(ctx, value);
  return number;
}

/* Handle i is of a number, an object or a composite, by i. */
static MuValue make(int i) {
  MuValue whole, number, result;
  switch (i % 4) {
    case 0: return int64(i);
    case 1: return newNode(i);
    case 2: return ctx->handle_from_double(ctx, i);
    default:
      whole = ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->get_iref(ctx, ctx->new_fixed(ctx, id("big"))));
      number = int64(i);
      result = ctx->insert_value(ctx, whole, 3, number);
      ctx->delete_value(ctx, whole);
      ctx->delete_value(ctx, number);
      return result;
  }
}

static void holds(MuValue value, int i) {
  switch (i % 4) {
    case 0: CHECK(ctx->handle_to_sint64(ctx, value) == i); break;
    case 1: CHECK(numberIn(value) == i); break;
    case 2: CHECK(ctx->handle_to_double(ctx, value) == i); break;
    default: CHECK(ctx->handle_to_sint64(ctx, ctx->extract_value(ctx, value, 3)) == i);
  }
}

static void handles(void) {
  MuValue* values = malloc((size_t)count * sizeof *values);
  int i;
  for (i = 0; i < count; ++i) values[i] = make(i);
  allocate(count * 10);
  for (i = 0; i < count; ++i) holds(values[i], i);
  /* Every other one goes, and another takes its place. */
  for (i = 0; i < count; i += 2) ctx->delete_value(ctx, values[i]);
  for (i = 0; i < count; i += 2) values[i] = make(i + 2);
  allocate(count * 10);
  for (i = 0; i < count; ++i) holds(values[i], i % 2 == 0 ? i + 2 : i);
  NO_ERROR();
  ctx->close_context(ctx);
  ctx = mvm->new_context(mvm);
  /* All are gone: none is taken for one of the new context. */
  for (i = 0; i < count; i += 1000) FAILS_VOID("A0003", ctx->delete_value(ctx, values[i]));
  free(values);
}

static void pins(void) {
  const int pinned = count / 2;
  MuRefValue* objects = malloc((size_t)pinned * sizeof *objects);
  int64_t** addresses = malloc((size_t)pinned * sizeof *addresses);
  int i;
  for (i = 0; i < pinned; ++i) {
    MuUPtrValue address;
    objects[i] = newNode(i);
    address = ctx->pin(ctx, objects[i]);
    addresses[i] = ctx->handle_to_ptr(ctx, address);
    ctx->delete_value(ctx, address);
    /* The pin alone keeps every third one. */
    if (i % 3 == 0) ctx->delete_value(ctx, objects[i]);
  }
  allocate(count * 10);
  for (i = 0; i < pinned; ++i) CHECK(*addresses[i] == i);
  for (i = 0; i < pinned; ++i) {
    if (i % 3 == 0) continue;
    CHECK(ctx->handle_to_ptr(ctx, ctx->pin(ctx, objects[i])) == (MuCPtr)addresses[i]);
    ctx->unpin(ctx, objects[i]);
    ctx->unpin(ctx, objects[i]);
  }
  NO_ERROR();
  for (i = 1; i < pinned; i += 999) FAILS_VOID("A0016", ctx->unpin(ctx, objects[i]));
  allocate(count * 10);
  for (i = 0; i < pinned; i += 3) CHECK(*addresses[i] == i);
  free(objects);
  free(addresses);
}

int main(void) {
  const char* stress = getenv("GAUR_GC_STRESS");
  if (stress && strcmp(stress, "0") != 0) count = 200;
  start(NULL);
  load(bundle);
  allocate = (int64_t(*)(int64_t))ctx->handle_to_fp(ctx, ctx->handle_from_expose(ctx, id("allocate_native")));
  handles();
  pins();
  finish();
  return 0;
}
