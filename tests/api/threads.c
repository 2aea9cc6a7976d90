/* Stacks and threads driven from C: generators, values and exceptions into READY stacks, thread-locals, every
 * misuse that can be seen. */
#include "client.h"

static const char* const bundle =
    ".typedef @i8 = int<8> .typedef @i32 = int<32> .typedef @i64 = int<64> .typedef @double = double "
    ".typedef @void = void .typedef @rv = ref<@void>\n"
    ".typedef @r64 = ref<@i64> .typedef @stack = stackref .typedef @thread = threadref .typedef @pair = "
    "struct<@i64 @double>\n"
    ".typedef @ptr = uptr<@void> .const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @1_32 <@i32> = 1 .const "
    "@null <@rv> = NULL\n"
    ".const @nullstack <@stack> = NULL .const @nullthread <@thread> = NULL\n"
    ".funcsig @v = () -> () .funcsig @i_v = (@i64) -> () .funcsig @i_i = (@i64) -> (@i64) .funcsig @s_i = "
    "(@stack) -> (@i64)\n"
    ".funcsig @many = (@i64 @double @pair @rv @i8 @stack) -> () .funcsig @si_v = (@stack @i64) -> () "
    ".typedef @fr = funcref<@v> .const @nullfunc <@fr> = NULL\n"
    ".global @kept <@stack> .global @sum <@i64> .global @number <@double> .global @word <@i32> .global "
    "@object <@rv> .global @byte <@i8>\n"

    /* Wakes whoever waits for @word to become 1. */
    ".funcdef @tell VERSION %v <@v> { %entry(): STORE SEQ_CST <@i32> @word @1_32\n"
    "  %n = COMMINST @uvm.futex.wake <@i32> (@word @1_32) RET () }\n"

    ".funcdef @set VERSION %v <@i_v> { %entry(<@i64> %x): STORE SEQ_CST <@i64> @sum %x CALL <@v> @tell () "
    "RET () }\n"

    /* Gives n, n-1, ... 1 to whoever swaps to it, then 0 for ever. */
    ".funcdef @generator VERSION %v <@si_v> {\n"
    "  %entry(<@stack> %consumer <@i64> %n): BRANCH %loop(%consumer %n)\n"
    "  %loop(<@stack> %consumer <@i64> %n): %done = EQ <@i64> %n @0 BRANCH2 %done %zero(%consumer) "
    "%give(%consumer %n)\n"
    "  %give(<@stack> %consumer <@i64> %n):\n"
    "    [%swap] SWAPSTACK %consumer RET_WITH <> PASS_VALUES <@i64> (%n) KEEPALIVE(%n %consumer)\n"
    "    %m = SUB <@i64> %n @1 BRANCH %loop(%consumer %m)\n"
    "  %zero(<@stack> %consumer): SWAPSTACK %consumer RET_WITH <> PASS_VALUES <@i64> (@0) BRANCH "
    "%zero(%consumer) }\n"

    /* Adds what a generator gives. */
    ".funcdef @consume VERSION %v <@i_v> {\n"
    "  %entry(<@i64> %n): %here = COMMINST @uvm.current_stack ()\n"
    "    %g = COMMINST @uvm.new_stack <[@si_v]> (@generator)\n"
    "    %x = SWAPSTACK %g RET_WITH <@i64> PASS_VALUES <@stack @i64> (%here %n) BRANCH %loop(%g %x @0)\n"
    "  %loop(<@stack> %g <@i64> %x <@i64> %sum): %done = EQ <@i64> %x @0 BRANCH2 %done %end(%sum) %next(%g "
    "%x %sum)\n"
    "  %next(<@stack> %g <@i64> %x <@i64> %sum): %s = ADD <@i64> %sum %x\n"
    "    %y = SWAPSTACK %g RET_WITH <@i64> PASS_VALUES <> () BRANCH %loop(%g %y %s)\n"
    "  %end(<@i64> %sum): STORE SEQ_CST <@i64> @sum %sum CALL <@v> @tell () RET () }\n"

    ".funcdef @take_many VERSION %v <@many> { %entry(<@i64> %a <@double> %b <@pair> %c <@rv> %d <@i8> %e "
    "<@stack> %f):\n"
    "  %c0 = EXTRACTVALUE <@pair 0> %c %c1 = EXTRACTVALUE <@pair 1> %c %i = ADD <@i64> %a %c0 %n = FADD "
    "<@double> %b %c1\n"
    "  STORE SEQ_CST <@i64> @sum %i STORE SEQ_CST <@double> @number %n STORE SEQ_CST <@rv> @object %d STORE "
    "SEQ_CST <@i8> @byte %e\n"
    "  CALL <@v> @tell () RET () }\n"

    /* Stores what a call that traps gives or throws. */
    ".funcdef @receive VERSION %v <@v> {\n"
    "  %entry(): %x = CALL <@i_i> @trapping (@0) EXC(%fine(%x) %caught())\n"
    "  %fine(<@i64> %x): STORE SEQ_CST <@i64> @sum %x CALL <@v> @tell () RET ()\n"
    "  %caught() [%e]: STORE SEQ_CST <@rv> @object %e CALL <@v> @tell () RET () }\n"
    ".funcdef @trapping VERSION %v <@i_i> { %entry(<@i64> %x): %y = [%trap] TRAP <@i64> KEEPALIVE(%x) RET %y "
    "}\n"

    /* Counts down for one consumer after the other; @pull gets the next number from it. */
    ".funcdef @countdown VERSION %v <@si_v> { %entry(<@stack> %consumer <@i64> %n): BRANCH %loop(%consumer "
    "%n)\n"
    "  %loop(<@stack> %consumer <@i64> %n):\n"
    "    %other = [%give] SWAPSTACK %consumer RET_WITH <@stack> PASS_VALUES <@i64> (%n) KEEPALIVE(%n)\n"
    "    %m = SUB <@i64> %n @1 BRANCH %loop(%other %m) }\n"
    ".funcdef @begin VERSION %v <@i_i> { %entry(<@i64> %n): %g = LOAD <@stack> @kept\n"
    "  %here = COMMINST @uvm.current_stack ()\n"
    "  %x = SWAPSTACK %g RET_WITH <@i64> PASS_VALUES <@stack @i64> (%here %n) RET %x }\n"
    ".funcdef @pull VERSION %v <@i_i> { %entry(<@i64> %n): %g = LOAD <@stack> @kept\n"
    "  %here = COMMINST @uvm.current_stack ()\n"
    "  %x = SWAPSTACK %g RET_WITH <@i64> PASS_VALUES <@stack> (%here) RET %x }\n"
    ".expose @call_begin = @begin #DEFAULT @0 .expose @call_pull = @pull #DEFAULT @0\n"
    ".funcdef @twice VERSION %v <@i_i> { %entry(<@i64> %x): %y = ADD <@i64> %x %x RET %y }\n"
    ".funcdef @next VERSION %v <@i_i> { %entry(<@i64> %x): %y = ADD <@i64> %x @1 RET %y }\n"
    ".funcdef @local VERSION %v <@v> { %entry(): %l = COMMINST @uvm.get_threadlocal () STORE SEQ_CST <@rv> "
    "@object %l CALL <@v> @tell () RET () }\n";

static MuValue cell(const char* name) { return ctx->handle_from_global(ctx, id(name)); }
static MuValue get(const char* name) { return ctx->load(ctx, MU_ORD_SEQ_CST, cell(name)); }

static void clear(void) {
  ctx->store(ctx, MU_ORD_SEQ_CST, cell("word"), ctx->handle_from_sint32(ctx, 0, 32));
  ctx->store(ctx, MU_ORD_SEQ_CST, cell("sum"), int64(-1));
  ctx->store(ctx, MU_ORD_SEQ_CST, cell("object"), ctx->handle_from_const(ctx, id("null")));
}

static MuThreadRefValue startThread(const char* name, MuValue* values, MuArraySize count) {
  MuThreadRefValue thread;
  clear();
  thread = ctx->new_thread_nor(ctx, ctx->new_stack(ctx, function(name)), NULL, values, count);
  CHECK(thread);
  return thread;
}

static int64_t sumAfter(const char* name, MuValue* values, MuArraySize count) {
  startThread(name, values, count);
  mvm->execute(mvm);
  CHECK(ctx->handle_to_sint32(ctx, get("word")) == 1);
  return ctx->handle_to_sint64(ctx, get("sum"));
}

static void values(void) {
  MuValue one = int64(123), many[6];
  CHECK(sumAfter("set", &one, 1) == 123);
  one = int64(1000);
  CHECK(sumAfter("consume", &one, 1) == 500500);
  many[0] = int64(40);
  many[1] = ctx->handle_from_double(ctx, 0.5);
  many[2] = ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->get_iref(ctx, ctx->new_fixed(ctx, id("pair"))));
  many[2] = ctx->insert_value(ctx, many[2], 0, int64(2));
  many[2] = ctx->insert_value(ctx, many[2], 1, ctx->handle_from_double(ctx, 0.25));
  many[3] = ctx->new_fixed(ctx, id("void"));
  many[4] = ctx->handle_from_sint8(ctx, -7, 8);
  many[5] = ctx->handle_from_const(ctx, id("nullstack"));
  CHECK(sumAfter("take_many", many, 6) == 42);
  CHECK(ctx->handle_to_double(ctx, get("number")) == 0.75);
  CHECK(ctx->ref_eq(ctx, get("object"), many[3]));
  CHECK(ctx->handle_to_sint8(ctx, get("byte")) == -7);
  NO_ERROR();
}

static void keepStack(MuCtx* context, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid,
                      MuTrapHandlerResult* result, MuStackRefValue* new_stack, MuValue** values,
                      MuArraySize* nvalues, MuValuesFreer* freer, MuCPtr* freerdata, MuRefValue* exception,
                      MuCPtr userdata) {
  context->store(context, MU_ORD_SEQ_CST, context->handle_from_global(context, id("kept")), stack);
  *result = MU_THREAD_EXIT;
  (void)thread, (void)wpid, (void)new_stack, (void)values, (void)nvalues, (void)freer, (void)freerdata,
      (void)exception, (void)userdata;
}

/* A stack that waits in a trap, below it a call with a handler; its thread has ended. */
static MuStackRefValue waiting(void) {
  mvm->set_trap_handler(mvm, keepStack, NULL);
  startThread("receive", NULL, 0);
  mvm->execute(mvm);
  return get("kept");
}

static void goOn(MuStackRefValue stack, MuValue value) {
  CHECK(ctx->new_thread_nor(ctx, stack, NULL, &value, 1));
  mvm->execute(mvm);
  NO_ERROR();
}

static void goOnThrowing(MuStackRefValue stack, MuValue exception) {
  CHECK(ctx->new_thread_exc(ctx, stack, NULL, exception));
  mvm->execute(mvm);
  CHECK(ctx->ref_eq(ctx, get("object"), exception));
  NO_ERROR();
}

/* Values and exceptions into a trap, and into functions that were pushed on it or put in its place. */
static void resuming(void) {
  MuValue exception = ctx->new_fixed(ctx, id("void")), stack, cursor;
  goOn(waiting(), int64(5));
  CHECK(ctx->handle_to_sint64(ctx, get("sum")) == 5);
  goOnThrowing(waiting(), exception);
  goOnThrowing(waiting(), ctx->handle_from_const(ctx, id("null")));

  /* Pushed frames: each one's result is the next one's value. */
  stack = waiting();
  ctx->push_frame(ctx, stack, function("twice"));
  ctx->push_frame(ctx, stack, function("next"));
  cursor = ctx->new_cursor(ctx, stack);
  CHECK(ctx->cur_func(ctx, cursor) == id("next") && ctx->cur_inst(ctx, cursor) == 0);
  ctx->next_frame(ctx, cursor);
  CHECK(ctx->cur_func(ctx, cursor) == id("twice"));
  ctx->next_frame(ctx, cursor);
  CHECK(ctx->cur_func(ctx, cursor) == id("trapping") &&
        ctx->cur_inst(ctx, cursor) == id("trapping.v.entry.trap"));
  ctx->next_frame(ctx, cursor);
  CHECK(ctx->cur_func(ctx, cursor) == id("receive"));
  FAILS_VOID("R0028", ctx->push_frame(ctx, stack, function("set")));
  goOn(stack, int64(20));
  CHECK(ctx->handle_to_sint64(ctx, get("sum")) == 42);
  FAILS("R0014", ctx->cur_func(ctx, cursor));

  /* A function that has not begun lets an exception pass. */
  stack = waiting();
  ctx->push_frame(ctx, stack, function("twice"));
  goOnThrowing(stack, exception);

  /* The trapped frame is replaced. */
  stack = waiting();
  cursor = ctx->new_cursor(ctx, stack);
  ctx->next_frame(ctx, cursor);
  ctx->pop_frames_to(ctx, cursor);
  ctx->close_cursor(ctx, cursor);
  ctx->push_frame(ctx, stack, function("next"));
  goOn(stack, int64(8));
  CHECK(ctx->handle_to_sint64(ctx, get("sum")) == 9);
  mvm->set_trap_handler(mvm, NULL, NULL);
  NO_ERROR();
}

static void threadLocals(void) {
  MuValue object = ctx->new_fixed(ctx, id("void"));
  clear();
  CHECK(ctx->new_thread_nor(ctx, ctx->new_stack(ctx, function("local")), object, NULL, 0));
  mvm->execute(mvm);
  CHECK(ctx->ref_eq(ctx, get("object"), object));
  NO_ERROR();
}

static void misuse(void) {
  MuValue stack = ctx->new_stack(ctx, function("set")), one = int64(1),
          wrong = ctx->handle_from_double(ctx, 1), two[2], thread, cursor, other;
  MuValue null = ctx->handle_from_const(ctx, id("null")), exception = ctx->new_fixed(ctx, id("void"));
  two[0] = two[1] = one;
  FAILS("A0022", ctx->new_thread_nor(ctx, stack, NULL, NULL, 0));
  FAILS("A0022", ctx->new_thread_nor(ctx, stack, NULL, two, 2));
  FAILS("A0004", ctx->new_thread_nor(ctx, stack, NULL, &wrong, 1));
  FAILS("A0001", ctx->new_thread_nor(ctx, stack, NULL, NULL, 1));
  FAILS("A0001", ctx->new_thread_nor(ctx, NULL, NULL, &one, 1));
  FAILS("A0004", ctx->new_thread_nor(ctx, stack, one, &one, 1));
  FAILS("A0004", ctx->new_thread_nor(ctx, one, NULL, &one, 1));
  FAILS("A0004", ctx->new_thread_exc(ctx, stack, NULL, one));
  FAILS("A0001", ctx->new_thread_exc(ctx, stack, NULL, NULL));
  FAILS("A0012", ctx->new_thread_exc(ctx, ctx->handle_from_const(ctx, id("nullstack")), NULL, exception));
  FAILS("A0012", ctx->new_stack(ctx, ctx->handle_from_const(ctx, id("nullfunc"))));
  FAILS("A0004", ctx->new_stack(ctx, one));
  FAILS_VOID("A0012", ctx->set_threadlocal(ctx, ctx->handle_from_const(ctx, id("nullthread")), null));
  /* The stack is as good as before. */
  other = ctx->new_stack(ctx, function("set"));
  cursor = ctx->new_cursor(ctx, stack);
  CHECK(ctx->cur_func(ctx, cursor) == id("set") && ctx->cur_func_ver(ctx, cursor) == id("set.v") &&
        ctx->cur_inst(ctx, cursor) == 0);
  ctx->next_frame(ctx, cursor);
  FAILS_VOID("R0023", ctx->next_frame(ctx, cursor));
  FAILS("R0023", ctx->cur_func(ctx, cursor));
  ctx->close_cursor(ctx, cursor);
  FAILS_VOID("R0022", ctx->close_cursor(ctx, cursor));
  FAILS("R0022", ctx->copy_cursor(ctx, cursor));
  FAILS("A0004", ctx->copy_cursor(ctx, stack));
  clear();
  thread = ctx->new_thread_nor(ctx, stack, NULL, &one, 1);
  CHECK(thread);
  FAILS("R0014", ctx->new_thread_nor(ctx, stack, NULL, &one, 1));
  FAILS_VOID("R0014", ctx->kill_stack(ctx, stack));
  mvm->execute(mvm);
  CHECK(ctx->handle_to_sint64(ctx, get("sum")) == 1);
  /* It is dead now. */
  FAILS("R0014", ctx->new_thread_nor(ctx, stack, NULL, &one, 1));
  FAILS("R0014", ctx->new_cursor(ctx, stack));
  FAILS_VOID("R0014", ctx->kill_stack(ctx, stack));
  FAILS_VOID("R0014", ctx->push_frame(ctx, stack, function("set")));
  FAILS("A0023", ctx->get_threadlocal(ctx, thread));
  FAILS_VOID("A0023", ctx->set_threadlocal(ctx, thread, null));
  FAILS("A0004", ctx->get_threadlocal(ctx, stack));
  ctx->kill_stack(ctx, other);
  FAILS_VOID("R0014", ctx->kill_stack(ctx, other));
  NO_ERROR();
}

/* A generator that lives as long as C wants values from it, looked into between two of them. */
static void generator(void) {
  int64_t (*begin)(int64_t) =
      (int64_t(*)(int64_t))ctx->handle_to_fp(ctx, ctx->handle_from_expose(ctx, id("call_begin")));
  int64_t (*pull)(int64_t) =
      (int64_t(*)(int64_t))ctx->handle_to_fp(ctx, ctx->handle_from_expose(ctx, id("call_pull")));
  MuValue stack = ctx->new_stack(ctx, function("countdown")), cursor, kept;
  int64_t i;
  ctx->store(ctx, MU_ORD_SEQ_CST, cell("kept"), stack);
  CHECK(begin(5000) == 5000);
  for (i = 4999; i > 0; --i) {
    if (i % 50 == 0) {
      cursor = ctx->new_cursor(ctx, stack);
      CHECK(ctx->cur_inst(ctx, cursor) == id("countdown.v.loop.give"));
      ctx->dump_keepalives(ctx, cursor, &kept);
      CHECK(ctx->handle_to_sint64(ctx, kept) == i + 1);
      ctx->next_frame(ctx, cursor);
      ctx->close_cursor(ctx, cursor);
      ctx->delete_value(ctx, cursor);
    }
    CHECK(pull(0) == i);
  }
  ctx->kill_stack(ctx, stack);
  NO_ERROR();
}

/* Many stacks that only handles keep, some killed, some run, the others left to the collector. */
static void manyStacks(void) {
  enum { kStacks = 3000 };
  static MuValue stacks[kStacks];
  MuValue one = int64(1);
  int i;
  for (i = 0; i < kStacks; ++i) stacks[i] = ctx->new_stack(ctx, function("set"));
  for (i = 0; i < kStacks; i += 3) ctx->kill_stack(ctx, stacks[i]);
  for (i = 1; i < 100; i += 3) CHECK(ctx->new_thread_nor(ctx, stacks[i], NULL, &one, 1));
  mvm->execute(mvm);
  for (i = 0; i < kStacks; ++i) ctx->delete_value(ctx, stacks[i]);
  for (i = 0; i < 1000; ++i) ctx->delete_value(ctx, ctx->new_stack(ctx, function("set")));
  NO_ERROR();
}

int main(void) {
  start(NULL);
  load(bundle);
  values();
  resuming();
  threadLocals();
  generator();
  misuse();
  manyStacks();
  finish();
  return 0;
}
