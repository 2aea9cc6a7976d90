/* What keeps a host function, as why_host_function and why_json tell it. */
#include "host.h"

static const char* const nothing = "nothing reaches it: it goes when a thread comes to it\n";

/* Pointers that C holds lie on its stack, where they keep what they point to: tests overwrite it. */
static __attribute__((noinline)) void wipe(void) {
  volatile char space[8192];
  size_t i;
  for (i = 0; i < sizeof space; ++i) space[i] = 0;
}
static __attribute__((noinline)) void hold(MuUFPValue f) {
  ((void (*)(MuCFP))native("c_hold"))(ctx->handle_to_fp(ctx, f));
}
static __attribute__((noinline)) void store(MuUFPValue f) {
  MuValue cell = ctx->handle_from_global(ctx, id("cell"));
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, cell, f);
  ctx->delete_value(ctx, cell);
}
static __attribute__((noinline)) void storeNone(void) {
  MuUFPValue none = ctx->handle_from_fp(ctx, id("fp"), NULL);
  store(none);
  ctx->delete_value(ctx, none);
}
static __attribute__((noinline)) MuUFPValue again(MuUFPValue f) {
  return ctx->handle_from_fp(ctx, id("fp"), ctx->handle_to_fp(ctx, f));
}
static __attribute__((noinline)) void pin(MuUFPValue f) { CHECK(ctx->pin_host_function(ctx, f) != NULL); }

static void tells(MuUFPValue f, const char* text, const char* json) {
  MuCString way;
  wipe();
  way = ctx->why_host_function(ctx, f);
  NO_ERROR();
  if (strcmp(way, text) != 0) fprintf(stderr, "%swanted: %s", way, text);
  CHECK(strcmp(way, text) == 0);
  CHECK(strcmp(ctx->why_json(ctx), json) == 0);
}

/* Through every sort of root. */
static void roots(void) {
  MuUFPValue f = make(1), second;
  tells(f, nothing, "{\"permanent\":false,\"path\":[]}");
  second = again(f);
  tells(f, "a handle of the client, or what the runtime holds\n",
        "{\"permanent\":false,\"path\":[\"a handle of the client, or what the runtime holds\"]}");
  ctx->delete_value(ctx, second);
  tells(f, nothing, "{\"permanent\":false,\"path\":[]}");
  store(f);
  tells(f, "global cell @cell\n", "{\"permanent\":false,\"path\":[\"global cell @cell\"]}");
  storeNone();
  hold(f);
  tells(f,
        "global cell @held\n  -> an object of type struct<int<64> ufuncptr<(int<64>)->(int<64>)>>, at offset "
        "8\n",
        "{\"permanent\":false,\"path\":[\"global cell @held\",\"an object of type struct<int<64> "
        "ufuncptr<(int<64>)->(int<64>)>>, at offset 8\"]}");
  ((void (*)(void))native("c_drop"))();
  pin(f);
  tells(f, "a pin of the host function\n", "{\"permanent\":false,\"path\":[\"a pin of the host function\"]}");
  bind("host_named", f);
  tells(f, "the name 'host_named', which it is bound to\n",
        "{\"permanent\":false,\"path\":[\"the name 'host_named', which it is bound to\"]}");
  bind("a \"name\"\n", f);
  bind("host_named", NULL);
  tells(f, "the name 'a \"name\"\n', which it is bound to\n",
        "{\"permanent\":false,\"path\":[\"the name 'a \\\"name\\\"\\u000a', which it is bound to\"]}");
  bind("a \"name\"\n", NULL);
  ctx->unpin_host_function(ctx, f);
  tells(f, nothing, "{\"permanent\":false,\"path\":[]}");
  ctx->delete_value(ctx, f);
  NO_ERROR();
}

/* The names of the function that runs, and of the versions between whose calls its frame lies. */
static const char *nameInside, *callsInside;

static int64_t asking(int64_t x, MuCPtr data) {
  Environment* environment = data;
  MuCString way;
  bind(nameInside, NULL);
  wipe();
  way = ctx->why_host_function(ctx, environment->self);
  NO_ERROR();
  if (strncmp(way, "the stack of a thread, 0x", 25) != 0 || !strstr(way, callsInside))
    fprintf(stderr, "%swanted: %s\n", way, callsInside);
  CHECK(strncmp(way, "the stack of a thread, 0x", 25) == 0 && strstr(way, callsInside));
  CHECK(strncmp(ctx->why_json(ctx), "{\"permanent\":false,\"path\":[\"the stack of a thread, 0x", 52) == 0);
  return x + environment->number;
}
static void frame(const char* name, Number* call, const char* calls) {
  Environment* environment = newEnvironment(7);
  MuUFPValue f = environment->self = makeWith(asking, environment, "asking");
  nameInside = name;
  callsInside = calls;
  bind(name, f);
  CHECK(call(-5) == 2);
  tells(f, nothing, "{\"permanent\":false,\"path\":[]}");
  ctx->delete_value(ctx, f);
}

static void mistakes(void) {
  MuCtx* outer = ctx;
  MuUFPValue exposed;
  ctx = mvm->new_context(mvm);
  FAILS("A0044", ctx->why_json(ctx));
  exposed = ctx->handle_from_expose(ctx, id("c_byName"));
  FAILS("A0040", ctx->why_host_function(ctx, exposed));
  FAILS("A0044", ctx->why_json(ctx));
  CHECK(strcmp(ctx->why(ctx, id("cell")), "nothing ever asked for its end\n") == 0);
  CHECK(strcmp(ctx->why_json(ctx), "{\"permanent\":true,\"path\":[]}") == 0);
  FAILS("A0005", ctx->why(ctx, 0));
  CHECK(strcmp(ctx->why_json(ctx), "{\"permanent\":true,\"path\":[]}") == 0);
  ctx->close_context(ctx);
  ctx = outer;
}

int main(void) {
  Number* labs;
  start(NULL);
  load(hostBundle);
  labs = (Number*)native("c_labs");
  CHECK(labs(-5) == 5);
  mistakes();
  roots();
  frame("host_named", (Number*)native("c_byName"), "a call in @byName.v\n");
  /* Code that was compiled while the name stood for the library's function has one more frame. */
  frame("imaxabs", labs, "inside of a call in @labsOf.v\n");
  CHECK(labs(-5) == 5);
  finish();
  return 0;
}
