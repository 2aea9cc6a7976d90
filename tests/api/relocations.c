/* Fields that images give addresses of symbols: which are accepted, and that the running machine takes no
 * notice. What images make of them is tested with images. */
#include "client.h"

static const char* const bundle =
    ".typedef @i64 = int<64> .typedef @void = void .typedef @ptr = uptr<@void> .funcsig @plain = () -> ()\n"
    ".typedef @code = ufuncptr<@plain> .typedef @refp = ref<@ptr> .typedef @irefp = iref<@ptr>\n"
    ".typedef @inner = struct<@i64 @ptr> .typedef @three = array<@inner 3> .typedef @desc = struct<@i64 "
    "@three @code @i64>\n"
    ".typedef @row = hybrid<@i64 @ptr> .global @cell <@inner> .global @escaped <@irefp>\n"
    ".const @null <@irefp> = NULL\n"
    ".funcdef @leak VERSION %v <@plain> { %entry(): %memory = ALLOCA <@ptr> STORE <@irefp> @escaped %memory "
    "RET () }\n"
    ".expose @leakNow = @leak #DEFAULT @zero .const @zero <@i64> = 0\n";

static MuValue field(MuValue iref, int i) { return ctx->get_field_iref(ctx, iref, i); }
static void* loaded(MuValue location) {
  return ctx->handle_to_ptr(ctx, ctx->load(ctx, MU_ORD_NOT_ATOMIC, location));
}

static void accepted(void) {
  int place = 0;
  MuValue object = ctx->get_iref(ctx, ctx->new_fixed(ctx, id("desc")));
  MuValue nested = field(ctx->get_elem_iref(ctx, field(object, 1), int64(2)), 1);
  MuValue row = ctx->new_hybrid(ctx, id("row"), int64(100));
  MuValue last = ctx->shift_iref(ctx, ctx->get_var_part_iref(ctx, ctx->get_iref(ctx, row)), int64(99));
  MuValue cell = field(ctx->handle_from_global(ctx, id("cell")), 1);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, nested, ctx->handle_from_ptr(ctx, id("ptr"), &place));
  ctx->add_ptr_reloc(ctx, nested, "stdout");
  ctx->add_ptr_reloc(ctx, nested, "stdin");
  ctx->add_ptr_reloc(ctx, field(object, 2), "abort");
  ctx->add_ptr_reloc(ctx, last, "no such symbol");
  ctx->add_ptr_reloc(ctx, cell, "ffi_type_sint32");
  NO_ERROR();
  CHECK(loaded(nested) == &place && loaded(last) == NULL && loaded(cell) == NULL);
}

static void refused(void) {
  MuValue object = ctx->get_iref(ctx, ctx->new_fixed(ctx, id("desc")));
  MuValue leak = ctx->handle_from_expose(ctx, id("leakNow"));
  FAILS_VOID("A0015", ctx->add_ptr_reloc(ctx, object, "stdin"));
  FAILS_VOID("A0015", ctx->add_ptr_reloc(ctx, field(object, 0), "stdin"));
  FAILS_VOID("A0015", ctx->add_ptr_reloc(ctx, field(object, 1), "stdin"));
  FAILS_VOID("A0004", ctx->add_ptr_reloc(ctx, ctx->new_fixed(ctx, id("ptr")), "stdin"));
  FAILS_VOID("A0012", ctx->add_ptr_reloc(ctx, ctx->handle_from_const(ctx, id("null")), "stdin"));
  FAILS_VOID("A0001", ctx->add_ptr_reloc(ctx, field(object, 2), NULL));
  FAILS_VOID("A0001", ctx->add_ptr_reloc(ctx, NULL, "stdin"));
  ctx->handle_to_fp(ctx, leak)();
  FAILS_VOID("I0104", ctx->add_ptr_reloc(
                          ctx, ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->handle_from_global(ctx, id("escaped"))),
                          "stdin"));
}

/* Entries of objects that are gone, at addresses that others have now. */
static void manyThatGo(void) {
  int i;
  for (i = 0; i < 20000; ++i) {
    MuValue ref = ctx->new_fixed(ctx, id("ptr"));
    MuValue iref = ctx->get_iref(ctx, ref);
    ctx->add_ptr_reloc(ctx, iref, i % 2 == 0 ? "stdin" : "stdout");
    ctx->delete_value(ctx, iref);
    ctx->delete_value(ctx, ref);
  }
}

int main(void) {
  start(NULL);
  load(bundle);
  accepted();
  refused();
  manyThatGo();
  finish();
  return 0;
}
