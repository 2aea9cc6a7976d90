/* HAIL scripts: what they leave in the heap and in global cells, seen through handles; mistakes, with their
 * places; scripts in two threads at once. */
#include <pthread.h>

#include "client.h"

static const char* kBundle =
    ".typedef @i8 = int<8> .typedef @i64 = int<64> .typedef @void = void .typedef @ref = ref<@void>\n"
    ".typedef @node = struct<@i64 @node_ref> .typedef @node_ref = ref<@node>\n"
    ".typedef @string = hybrid<@i64 @i8> .typedef @string_ref = ref<@string>\n"
    ".typedef @weak = weakref<@node> .typedef @tagref = tagref64 .typedef @cells = array<@i64 4>\n"
    ".const @three <@i64> = 3\n"
    ".global @list <@node_ref> .global @text <@string_ref> .global @weak_list <@weak>\n"
    ".global @tagged <@tagref> .global @numbers <@cells> .global @other <@node_ref>\n";

static void evaluate(const char* script) {
  char* copy = malloc(strlen(script) + 1);
  strcpy(copy, script);
  ctx->load_hail(ctx, copy, strlen(script));
  /* The machine keeps nothing of it. */
  memset(copy, 'x', strlen(script));
  free(copy);
}

static MuValue loadCell(const char* name) {
  return ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->handle_from_global(ctx, id(name)));
}

static MuValue field(MuValue object, int number) {
  return ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->get_field_iref(ctx, ctx->get_iref(ctx, object), number));
}

static void objects(void) {
  evaluate(
      ".new $a <@node> .new $b <@node> .init $a = { 1 $b } .init $b = { 2 $a } .init @list = $a\n"
      ".newhybrid $s <@string> @three .init $s = { 3 { 0x61 0x62 0x63 } } .init @text = $s\n"
      ".init @weak_list = $b .init @tagged = { $b 33 } .init @numbers = { 10 20 } .init @numbers[3] = 40");
  NO_ERROR();

  MuValue a = loadCell("@list"), b = field(a, 1);
  CHECK(ctx->handle_to_sint64(ctx, field(a, 0)) == 1);
  CHECK(ctx->handle_to_sint64(ctx, field(b, 0)) == 2);
  CHECK(ctx->ref_eq(ctx, field(b, 1), a));
  CHECK(ctx->ref_eq(ctx, loadCell("@weak_list"), b));

  MuValue tagged = loadCell("@tagged");
  CHECK(ctx->tr64_is_ref(ctx, tagged));
  CHECK(ctx->handle_to_uint8(ctx, ctx->tr64_to_tag(ctx, tagged)) == 33);
  CHECK(ctx->ref_eq(ctx, ctx->refcast(ctx, ctx->tr64_to_ref(ctx, tagged), id("@node_ref")), b));

  MuValue text = ctx->get_iref(ctx, loadCell("@text"));
  MuValue letters = ctx->get_var_part_iref(ctx, text);
  for (int i = 0; i < 3; ++i) {
    MuValue letter = ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->shift_iref(ctx, letters, int64(i)));
    CHECK(ctx->handle_to_sint8(ctx, letter) == 'a' + i);
  }
  MuValue numbers = loadCell("@numbers");
  static const int64_t kExpected[] = {10, 20, 0, 40};
  for (int i = 0; i < 4; ++i)
    CHECK(ctx->handle_to_sint64(ctx, ctx->extract_element(ctx, numbers, int64(i))) == kExpected[i]);
  NO_ERROR();
}

/* The next script goes on with what the last one left. */
static void severalScripts(void) {
  for (int i = 0; i < 50; ++i) {
    char script[200];
    snprintf(script, sizeof script, ".new $n <@node> .init $n = { %d *@list } .init @list = $n", i);
    evaluate(script);
    NO_ERROR();
  }
  MuValue node = loadCell("@list");
  for (int i = 49; i >= 0; --i) {
    CHECK(ctx->handle_to_sint64(ctx, field(node, 0)) == i);
    node = field(node, 1);
  }
}

static void fails(const char* code, int line, int column, const char* script) {
  MuError error;
  mvm->clear_error(mvm);
  evaluate(script);
  CHECK(mvm->get_error(mvm, &error));
  CHECK(strcmp(error.code, code) == 0);
  CHECK((int)error.line == line && (int)error.column == column);
  mvm->clear_error(mvm);
}

static void mistakes(void) {
  FAILS_VOID("A0001", ctx->load_hail(ctx, NULL, 3));
  ctx->load_hail(ctx, NULL, 0);
  evaluate("");
  evaluate("// nothing");
  NO_ERROR();
  evaluate(".init @numbers = { 1 2 3 4 }");
  fails("H0201", 2, 7, ".init @numbers = { 9 }\n.init @nubmers = { 9 }");
  fails("H0303", 1, 15, ".init @list = 5");
  fails("H0117", 1, 21, ".init @numbers = { 1");
  fails("H0101", 1, 1, "\177HAI");
  fails("R0010", 2, 12, ".init @numbers = { 9 }\n.newhybrid $x <@string> 0xffffffffffffff");
  /* Nothing of them has happened. */
  MuValue first = ctx->extract_element(ctx, loadCell("@numbers"), int64(0));
  CHECK(ctx->handle_to_sint64(ctx, first) == 1);

  /* All mistakes are told. */
  evaluate(".init @list = 5 .init @text = 6 .init @nothing = 7");
  MuError error;
  CHECK(mvm->get_error(mvm, &error));
  CHECK(strstr(error.message, "H0303") && strstr(error.message, "the integer 6") &&
        strstr(error.message, "H0201"));
  mvm->clear_error(mvm);
}

static void* inThread(void* cell) {
  MuCtx* context = mvm->new_context(mvm);
  for (int round = 0; round < 30; ++round) {
    char script[4000];
    int length = 0;
    for (int i = 0; i < 30; ++i)
      length += snprintf(script + length, sizeof script - (size_t)length,
                         ".new $n%d <@node> .init $n%d = { %d $n%d }\n", i, i, i, (i + 1) % 30);
    length += snprintf(script + length, sizeof script - (size_t)length, ".init %s = $n0", (const char*)cell);
    context->load_hail(context, script, (MuArraySize)length);
    MuValue node = context->load(context, MU_ORD_NOT_ATOMIC,
                                 context->handle_from_global(context, context->id_of(context, cell)));
    for (int i = 0; i < 60; ++i) {
      MuValue place = context->get_iref(context, node);
      MuValue number = context->load(context, MU_ORD_NOT_ATOMIC, context->get_field_iref(context, place, 0));
      CHECK(context->handle_to_sint64(context, number) == i % 30);
      node = context->load(context, MU_ORD_NOT_ATOMIC, context->get_field_iref(context, place, 1));
    }
  }
  NO_ERROR();
  context->close_context(context);
  return NULL;
}

static void twoThreads(void) {
  pthread_t threads[2];
  static char cells[2][8] = {"@list", "@other"};
  for (int i = 0; i < 2; ++i) CHECK(pthread_create(&threads[i], NULL, inThread, cells[i]) == 0);
  for (int i = 0; i < 2; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(void) {
  start("");
  CHECK(gaur_has_feature("hail"));
  load(kBundle);
  objects();
  severalScripts();
  mistakes();
  twoThreads();
  finish();
  return 0;
}
