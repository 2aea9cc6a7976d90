/* Watchpoints from C: enabled and disabled, in code that is loaded before and after, while other threads run
 * it. */
#include <pthread.h>

#include "client.h"

static const char* const bundle =
    ".typedef @i64 = int<64> .typedef @void = void .typedef @rv = ref<@void>\n"
    ".const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @2 <@i64> = 2 .funcsig @i_i = (@i64) -> (@i64)\n"
    ".funcdef @branches VERSION %v <@i_i> { %entry(<@i64> %x): WPBRANCH 7 %dis(%x) %ena()\n"
    "  %dis(<@i64> %x): RET %x %ena(): RET @1 }\n"
    ".funcdef @watched VERSION %v <@i_i> { %entry(<@i64> %x):\n"
    "  %y = [%watch] WATCHPOINT 9 <@i64> %dis(%x) %ena(%y) WPEXC(%exc()) KEEPALIVE(%x)\n"
    "  %dis(<@i64> %x): RET %x %ena(<@i64> %y): RET %y %exc(): RET @2 }\n"
    ".expose @call_branches = @branches #DEFAULT @0 .expose @call_watched = @watched #DEFAULT @0\n";

static const char* const later =
    ".funcdef @late VERSION %v <@i_i> { %entry(<@i64> %x): WPBRANCH 7 %dis(%x) %ena()\n"
    "  %dis(<@i64> %x): RET %x %ena(): RET @1 } .expose @call_late = @late #DEFAULT @0\n";

typedef int64_t Function(int64_t);
static Function *branches, *watched;
static int throwing;

static Function* exposed(const char* name) {
  return (Function*)ctx->handle_to_fp(ctx, ctx->handle_from_expose(ctx, id(name)));
}

static void handle(MuCtx* context, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid,
                   MuTrapHandlerResult* result, MuStackRefValue* new_stack, MuValue** values,
                   MuArraySize* nvalues, MuValuesFreer* freer, MuCPtr* freerdata, MuRefValue* exception,
                   MuCPtr userdata) {
  static __thread MuValue answer;
  MuValue cursor = context->new_cursor(context, stack), kept;
  CHECK(wpid == 9 && context->cur_inst(context, cursor) == id("watched.v.entry.watch"));
  context->dump_keepalives(context, cursor, &kept);
  context->close_cursor(context, cursor);
  answer = context->handle_from_sint64(context, context->handle_to_sint64(context, kept) + 1000, 64);
  *values = &answer;
  *nvalues = 1;
  *exception = context->new_fixed(context, id("void"));
  *result = throwing ? MU_REBIND_THROW_EXC : MU_REBIND_PASS_VALUES;
  (void)thread, (void)new_stack, (void)freer, (void)freerdata, (void)userdata;
}

static volatile int isDone;

static void* runs(void* argument) {
  int64_t i;
  (void)argument;
  for (i = 0; !isDone; ++i) {
    int64_t branched = branches(0), seen = watched(5);
    CHECK(branched == 0 || branched == 1);
    CHECK(seen == 5 || seen == 1005);
  }
  return NULL;
}

static void whileOthersRun(void) {
  enum { kThreads = 3 };
  pthread_t threads[kThreads];
  int i;
  for (i = 0; i < kThreads; ++i) CHECK(pthread_create(&threads[i], NULL, runs, NULL) == 0);
  for (i = 0; i < 300; ++i) {
    ctx->enable_watchpoint(ctx, 7);
    ctx->enable_watchpoint(ctx, 9);
    CHECK(branches(0) == 1 && watched(1) == 1001);
    ctx->disable_watchpoint(ctx, 7);
    ctx->disable_watchpoint(ctx, 9);
    CHECK(branches(0) == 0 && watched(1) == 1);
  }
  isDone = 1;
  for (i = 0; i < kThreads; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(void) {
  start(NULL);
  load(bundle);
  branches = exposed("call_branches");
  watched = exposed("call_watched");
  mvm->set_trap_handler(mvm, handle, NULL);
  CHECK(branches(0) == 0 && watched(5) == 5);
  ctx->enable_watchpoint(ctx, 7);
  ctx->enable_watchpoint(ctx, 9);
  CHECK(branches(0) == 1 && watched(5) == 1005);
  throwing = 1;
  CHECK(watched(5) == 2);
  throwing = 0;
  /* Code that comes later, and IDs that no code has. */
  load(later);
  CHECK(exposed("call_late")(0) == 1);
  ctx->disable_watchpoint(ctx, 7);
  CHECK(exposed("call_late")(0) == 0 && branches(0) == 0 && watched(5) == 1005);
  ctx->disable_watchpoint(ctx, 9);
  ctx->enable_watchpoint(ctx, 123456);
  CHECK(watched(5) == 5);
  NO_ERROR();
  FAILS_VOID("A0024", ctx->enable_watchpoint(ctx, 0));
  FAILS_VOID("A0024", ctx->disable_watchpoint(ctx, 0));
  whileOthersRun();
  finish();
  return 0;
}
