/* Whatever a READY stack waits in, every way to resume it does, with a value and with an exception: fresh,
 * swapped out, trapped, at a watchpoint, popped to a call, with a frame pushed, above native frames, popped
 * to a native frame, and popped below native frames; by new threads of the interface and of NEWTHREAD, by all
 * forms of SWAPSTACK, and as the answer to a trap of another stack. */
#include "client.h"

static const char* const bundle =
    ".typedef @i32 = int<32> .typedef @i64 = int<64> .typedef @void = void .typedef @rv = ref<@void> "
    ".typedef "
    "@stack = stackref\n"
    ".const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @-1 <@i64> = -1 .funcsig @v = () -> () .funcsig @i_v = "
    "(@i64) -> ()\n"
    ".funcsig @i_i = (@i64) -> (@i64) .funcsig @si_v = (@stack @i64) -> () .funcsig @sr_v = (@stack @rv) -> "
    "() .typedef @fp = ufuncptr<@i_i>\n"
    ".global @kept <@stack> .global @result <@i64> .global @object <@rv> .global @native <@fp>\n"
    ".funcdef @exits VERSION %v <@v> { %entry(): COMMINST @uvm.thread_exit () }\n"
    ".funcdef @keeps VERSION %v <@v> { %entry(): %s = COMMINST @uvm.current_stack () STORE SEQ_CST <@stack> "
    "@kept %s RET () }\n"
    /* What came of it; the thread ends. */
    ".funcdef @ends VERSION %v <@i_v> { %entry(<@i64> %x): STORE SEQ_CST <@i64> @result %x COMMINST "
    "@uvm.thread_exit () }\n"
    ".funcdef @caught VERSION %v <@r_v> { %entry(<@rv> %e): STORE SEQ_CST <@rv> @object %e STORE SEQ_CST "
    "<@i64> @result @-1\n"
    "  COMMINST @uvm.thread_exit () } .funcsig @r_v = (@rv) -> ()\n"

    /* The stacks. An integer lives in each while it waits. */
    ".funcdef @fresh VERSION %v <@i_v> { %entry(<@i64> %x): CALL <@i_v> @ends (%x) RET () }\n"
    ".funcdef @swapped VERSION %v <@i_v> { %entry(<@i64> %n): CALL <@v> @keeps () %s = COMMINST "
    "@uvm.new_stack <[@v]> (@exits)\n"
    "    %x = SWAPSTACK %s RET_WITH <@i64> PASS_VALUES <> () EXC(%ok(%x %n) %bad()) KEEPALIVE(%n)\n"
    "  %ok(<@i64> %x <@i64> %n): %y = ADD <@i64> %x %n CALL <@i_v> @ends (%y) RET ()\n"
    "  %bad() [%e]: CALL <@r_v> @caught (%e) RET () }\n"
    ".funcdef @trapped VERSION %v <@i_v> {\n"
    "  %entry(<@i64> %n): %x = TRAP <@i64> EXC(%ok(%x %n) %bad()) KEEPALIVE(%n)\n"
    "  %ok(<@i64> %x <@i64> %n): %y = ADD <@i64> %x %n CALL <@i_v> @ends (%y) RET ()\n"
    "  %bad() [%e]: CALL <@r_v> @caught (%e) RET () }\n"
    ".funcdef @watched VERSION %v <@i_v> {\n"
    "  %entry(<@i64> %n): %x = WATCHPOINT 77 <@i64> %dis(%n) %ok(%x %n) WPEXC(%bad()) KEEPALIVE(%n)\n"
    "  %dis(<@i64> %n): CALL <@i_v> @ends (@0) RET ()\n"
    "  %ok(<@i64> %x <@i64> %n): %y = ADD <@i64> %x %n CALL <@i_v> @ends (%y) RET ()\n"
    "  %bad() [%e]: CALL <@r_v> @caught (%e) RET () }\n"
    ".funcdef @traps VERSION %v <@i_i> { %entry(<@i64> %n): %x = TRAP <@i64> KEEPALIVE(%n) %y = ADD <@i64> "
    "%x "
    "%n RET %y }\n"
    ".funcdef @swaps VERSION %v <@i_i> { %entry(<@i64> %n): CALL <@v> @keeps () %s = COMMINST @uvm.new_stack "
    "<[@v]> (@exits)\n"
    "    %x = SWAPSTACK %s RET_WITH <@i64> PASS_VALUES <> () EXC(%ok(%x %n) %bad()) KEEPALIVE(%n)\n"
    "  %ok(<@i64> %x <@i64> %n): %y = ADD <@i64> %x %n RET %y\n"
    "  %bad() [%e]: CALL <@r_v> @caught (%e) RET @0 }\n"
    ".funcdef @calls VERSION %v <@i_v> {\n"
    "  %entry(<@i64> %n): %x = CALL <@i_i> @traps (%n) EXC(%ok(%x %n) %bad()) KEEPALIVE(%n)\n"
    "  %ok(<@i64> %x <@i64> %n): %y = ADD <@i64> %x %n CALL <@i_v> @ends (%y) RET ()\n"
    "  %bad() [%e]: CALL <@r_v> @caught (%e) RET () }\n"
    ".funcdef @adds VERSION %v <@i_i> { %entry(<@i64> %x): %y = ADD <@i64> %x @1 RET %y }\n"
    ".funcdef @ccalls VERSION %v <@i_v> {\n"
    "  %entry(<@i64> %n): %f = LOAD <@fp> @native %x = CCALL #DEFAULT <@fp @i_i> %f (%n) EXC(%ok(%x %n) "
    "%bad()) KEEPALIVE(%n)\n"
    "  %ok(<@i64> %x <@i64> %n): %y = ADD <@i64> %x %n CALL <@i_v> @ends (%y) RET ()\n"
    "  %bad() [%e]: CALL <@r_v> @caught (%e) RET () }\n"
    ".expose @swaps_c = @swaps #DEFAULT @0 .expose @traps_c = @traps #DEFAULT @0\n"

    /* The ways. */
    ".funcdef @threads VERSION %v <@si_v> { %entry(<@stack> %s <@i64> %x): %t = NEWTHREAD %s PASS_VALUES "
    "<@i64> (%x) RET () }\n"
    ".funcdef @threads_exc VERSION %v <@sr_v> { %entry(<@stack> %s <@rv> %e): %t = NEWTHREAD %s THROW_EXC %e "
    "RET () }\n"
    ".funcdef @swaps_to VERSION %v <@si_v> { %entry(<@stack> %s <@i64> %x): SWAPSTACK %s RET_WITH <> "
    "PASS_VALUES <@i64> (%x) RET () }\n"
    ".funcdef @swaps_to_exc VERSION %v <@sr_v> { %entry(<@stack> %s <@rv> %e): SWAPSTACK %s RET_WITH <> "
    "THROW_EXC %e RET () }\n"
    ".funcdef @dies VERSION %v <@si_v> { %entry(<@stack> %s <@i64> %x): SWAPSTACK %s KILL_OLD PASS_VALUES "
    "<@i64> (%x) }\n"
    ".funcdef @dies_exc VERSION %v <@sr_v> { %entry(<@stack> %s <@rv> %e): SWAPSTACK %s KILL_OLD THROW_EXC "
    "%e }\n"
    ".funcdef @asks VERSION %v <@v> { %entry(): TRAP <> RET () }\n";

static MuValue cell(const char* name) { return ctx->handle_from_global(ctx, id(name)); }

/* --- Native frames --- */

typedef int64_t Function(int64_t);
static Function *swapsIn, *trapsIn;
static int64_t callsSwaps(int64_t n) { return swapsIn(n) + 100; }
static int64_t callsTraps(int64_t n) { return trapsIn(n) + 100; }

static void setNative(Function* f) {
  ctx->store(ctx, MU_ORD_SEQ_CST, cell("native"), ctx->handle_from_fp(ctx, id("fp"), (MuCFP)f));
}

/* --- Traps: of what becomes a waiting stack, or of what goes on with one --- */

static int64_t answer;
static int isAnswerException, isAsked;

static void handler(MuCtx* context, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid,
                    MuTrapHandlerResult* result, MuStackRefValue* new_stack, MuValue** values,
                    MuArraySize* nvalues, MuValuesFreer* freer, MuCPtr* freerdata, MuRefValue* exception,
                    MuCPtr userdata) {
  static MuValue passed;
  MuValue kept = context->handle_from_global(context, id("kept"));
  if (isAsked) {
    *new_stack = context->load(context, MU_ORD_SEQ_CST, kept);
    if (isAnswerException) {
      *result = MU_REBIND_THROW_EXC;
      *exception = context->load(context, MU_ORD_SEQ_CST, context->handle_from_global(context, id("object")));
    } else {
      *result = MU_REBIND_PASS_VALUES;
      passed = context->handle_from_sint64(context, answer, 64);
      *values = &passed;
      *nvalues = 1;
    }
  } else {
    context->store(context, MU_ORD_SEQ_CST, kept, stack);
    *result = MU_THREAD_EXIT;
  }
  (void)thread, (void)wpid, (void)freer, (void)freerdata, (void)userdata;
}

/* --- States: each gives a stack that waits for one integer --- */

enum { kOwn = 7 };

static MuStackRefValue ran(const char* name) {
  MuValue n = int64(kOwn);
  isAsked = 0;
  CHECK(ctx->new_thread_nor(ctx, ctx->new_stack(ctx, function(name)), NULL, &n, 1));
  mvm->execute(mvm);
  NO_ERROR();
  return ctx->load(ctx, MU_ORD_SEQ_CST, cell("kept"));
}

static MuStackRefValue popped(MuStackRefValue stack, int frames) {
  MuValue cursor = ctx->new_cursor(ctx, stack);
  while (frames-- != 0) ctx->next_frame(ctx, cursor);
  ctx->pop_frames_to(ctx, cursor);
  ctx->close_cursor(ctx, cursor);
  NO_ERROR();
  return stack;
}

static MuStackRefValue fresh(void) { return ctx->new_stack(ctx, function("fresh")); }
static MuStackRefValue swapped(void) { return ran("swapped"); }
static MuStackRefValue trapped(void) { return ran("trapped"); }
static MuStackRefValue watched(void) { return ran("watched"); }
static MuStackRefValue called(void) { return ran("calls"); }
static MuStackRefValue poppedToCall(void) { return popped(ran("calls"), 1); }
static MuStackRefValue pushed(void) {
  MuStackRefValue stack = poppedToCall();
  ctx->push_frame(ctx, stack, function("adds"));
  ctx->push_frame(ctx, stack, function("adds"));
  return stack;
}
static MuStackRefValue onNative(void) { return setNative(callsSwaps), ran("ccalls"); }
static MuStackRefValue trappedOnNative(void) { return setNative(callsTraps), ran("ccalls"); }
static MuStackRefValue poppedToNative(void) { return popped(trappedOnNative(), 1); }
static MuStackRefValue poppedNative(void) { return popped(trappedOnNative(), 2); }
static MuStackRefValue pushedOnNative(void) {
  MuStackRefValue stack = poppedToNative();
  ctx->push_frame(ctx, stack, function("adds"));
  return stack;
}

static const struct State {
  const char* name;
  MuStackRefValue (*make)(void);
  int adds;            /* to the integer that comes in */
  int takesExceptions; /* a frame of it has a handler, before any native one */
} states[] = {{"fresh", fresh, 0, 0},
              {"swapped out", swapped, kOwn, 1},
              {"trapped", trapped, kOwn, 1},
              {"at a watchpoint", watched, kOwn, 1},
              {"trapped in a callee", called, 2 * kOwn, 1},
              {"popped to a call", poppedToCall, kOwn, 1},
              {"pushed twice", pushed, kOwn + 2, 1},
              {"swapped out above native frames", onNative, 2 * kOwn + 100, 1},
              {"trapped above native frames", trappedOnNative, 2 * kOwn + 100, 0},
              {"popped to a native frame", poppedToNative, kOwn + 100, 0},
              {"pushed onto a native frame", pushedOnNative, kOwn + 101, 0},
              {"popped below native frames", poppedNative, kOwn, 1}};

/* --- Ways: the integer or exception comes to the stack on some thread --- */

static void start2(const char* name, MuValue first, MuValue second) {
  MuValue values[2];
  values[0] = first;
  values[1] = second;
  CHECK(ctx->new_thread_nor(ctx, ctx->new_stack(ctx, function(name)), NULL, values, 2));
}

static void byInterface(MuStackRefValue stack, MuValue value, int isException) {
  CHECK(isException ? ctx->new_thread_exc(ctx, stack, NULL, value)
                    : ctx->new_thread_nor(ctx, stack, NULL, &value, 1));
}
static void byNewThread(MuStackRefValue stack, MuValue value, int isException) {
  start2(isException ? "threads_exc" : "threads", stack, value);
}
static void bySwap(MuStackRefValue stack, MuValue value, int isException) {
  start2(isException ? "swaps_to_exc" : "swaps_to", stack, value);
}
static void byKillingSwap(MuStackRefValue stack, MuValue value, int isException) {
  start2(isException ? "dies_exc" : "dies", stack, value);
}
static void byTrap(MuStackRefValue stack, MuValue value, int isException) {
  ctx->store(ctx, MU_ORD_SEQ_CST, cell("kept"), stack);
  if (isException)
    ctx->store(ctx, MU_ORD_SEQ_CST, cell("object"), value);
  else
    answer = ctx->handle_to_sint64(ctx, value);
  isAnswerException = isException;
  isAsked = 1;
  CHECK(ctx->new_thread_nor(ctx, ctx->new_stack(ctx, function("asks")), NULL, NULL, 0));
}

static const struct Way {
  const char* name;
  void (*resume)(MuStackRefValue stack, MuValue value, int isException);
} ways[] = {{"new_thread", byInterface},
            {"NEWTHREAD", byNewThread},
            {"SWAPSTACK RET_WITH", bySwap},
            {"SWAPSTACK KILL_OLD", byKillingSwap},
            {"a trap's answer", byTrap}};

static void resumed(const struct State* state, const struct Way* way, int isException) {
  MuStackRefValue stack = state->make();
  MuValue value = isException ? ctx->new_fixed(ctx, id("void")) : int64(1000);
  const int64_t wanted = isException ? -1 : 1000 + state->adds;
  int64_t is;
  ctx->store(ctx, MU_ORD_SEQ_CST, cell("result"), int64(-2));
  way->resume(stack, value, isException);
  mvm->execute(mvm);
  NO_ERROR();
  is = ctx->handle_to_sint64(ctx, ctx->load(ctx, MU_ORD_SEQ_CST, cell("result")));
  if (is != wanted)
    fprintf(stderr, "%s, by %s, %s: %ld, not %ld\n", state->name, way->name,
            isException ? "an exception" : "a value", (long)is, (long)wanted);
  CHECK(is == wanted);
  if (isException) CHECK(ctx->ref_eq(ctx, ctx->load(ctx, MU_ORD_SEQ_CST, cell("object")), value));
  /* It is over, and says so. */
  FAILS("R0014", ctx->new_cursor(ctx, stack));
}

int main(void) {
  size_t state, way;
  int cases = 0;
  start(NULL);
  load(bundle);
  mvm->set_trap_handler(mvm, handler, NULL);
  ctx->enable_watchpoint(ctx, 77);
  swapsIn = (Function*)ctx->handle_to_fp(ctx, ctx->handle_from_expose(ctx, id("swaps_c")));
  trapsIn = (Function*)ctx->handle_to_fp(ctx, ctx->handle_from_expose(ctx, id("traps_c")));
  for (state = 0; state < sizeof states / sizeof *states; ++state)
    for (way = 0; way < sizeof ways / sizeof *ways; ++way) {
      resumed(&states[state], &ways[way], 0);
      ++cases;
      if (!states[state].takesExceptions) continue;
      resumed(&states[state], &ways[way], 1);
      ++cases;
    }
  printf("%d ways to resume a stack\n", cases);
  finish();
  return 0;
}
