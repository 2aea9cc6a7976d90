/* Traps: what a handler is told, all that it can answer, and functions without a version. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

static const char* const bundle =
    ".typedef @i32 = int<32> .typedef @i64 = int<64> .typedef @double = double .typedef @void = void "
    ".typedef @rv = ref<@void>\n"
    ".typedef @stack = stackref .typedef @vec = vector<@double 2> .typedef @pair = struct<@i64 @rv>\n"
    ".const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @half <@double> = 0.5 d .const @zero <@double> = 0.0 d "
    ".const @null <@rv> = NULL\n"
    ".funcsig @v = () -> () .funcsig @i_i = (@i64) -> (@i64) .funcsig @ii_i = (@i64 @i64) -> (@i64) .funcsig "
    "@v_i = () -> (@i64) .funcsig @s_v = (@stack) -> ()\n"
    ".global @kept <@stack> .global @sum <@i64> .global @object <@rv>\n"

    ".funcdef @value VERSION %v <@i_i> { %entry(<@i64> %x): %y = [%trap] TRAP <@i64> KEEPALIVE(%x) %z = ADD "
    "<@i64> %y @1 RET %z }\n"
    /* Two frames. */
    ".funcdef @outer VERSION %v <@i_i> { %entry(<@i64> %x): %two = ADD <@i64> %x @1\n"
    "  %y = [%call] CALL <@i_i> @value (%x) KEEPALIVE(%x %two) %z = MUL <@i64> %y %two RET %z }\n"
    /* All sorts of values kept, and given back. */
    ".funcdef @many VERSION %v <@i_i> { %entry(<@i64> %x):\n"
    "  %d = SITOFP <@i64 @double> %x %h = FADD <@double> @half @zero %o = NEW <@void> %p0 = LOAD <@pair> "
    "@start %p1 = INSERTVALUE <@pair 0> "
    "%p0 %x %p = INSERTVALUE <@pair 1> %p1 %o\n"
    "  (%a %b %c) = TRAP <@i64 @pair @double> KEEPALIVE(%x %d %o %p %h)\n"
    "  %same = EXTRACTVALUE <@pair 1> %b STORE <@rv> @object %same\n"
    "  %q = EXTRACTVALUE <@pair 0> %b %s = ADD <@i64> %a %q %i = FPTOSI <@double @i64> %c %t = ADD <@i64> %s "
    "%i RET %t }\n"
    ".global @start <@pair>\n"
    ".funcdef @caught VERSION %v <@i_i> { %entry(<@i64> %x): %y = TRAP <@i64> EXC(%ok(%y) %bad())\n"
    "  %ok(<@i64> %y): RET %y %bad() [%e]: STORE <@rv> @object %e RET @0 }\n"
    /* Without EXC the exception goes to the caller. */
    ".funcdef @passed VERSION %v <@i_i> { %entry(<@i64> %x): %y = CALL <@i_i> @value (%x) EXC(%ok(%y) "
    "%bad())\n"
    "  %ok(<@i64> %y): RET %y %bad() [%e]: STORE <@rv> @object %e RET @1 }\n"
    ".funcdef @ends VERSION %v <@v> { %entry(): %y = TRAP <@i64> STORE <@i64> @sum %y RET () }\n"
    ".funcdef @other VERSION %v <@i_i> { %entry(<@i64> %x): STORE <@i64> @sum %x COMMINST @uvm.thread_exit "
    "() }\n"
    ".funcdecl @undefined <@ii_i>\n"
    ".funcdef @calls_undefined VERSION %v <@i_i> { %entry(<@i64> %x): %y = CALL <@ii_i> @undefined (%x @1) "
    "RET %y }\n"
    ".expose @call_value = @value #DEFAULT @0 .expose @call_outer = @outer #DEFAULT @0 .expose @call_many = "
    "@many #DEFAULT @0\n"
    ".expose @call_caught = @caught #DEFAULT @0 .expose @call_passed = @passed #DEFAULT @0 .expose "
    "@call_calls_undefined = @calls_undefined #DEFAULT @0\n";

typedef int64_t Function(int64_t);

static int64_t call(const char* name, int64_t argument) {
  Function* f = (Function*)ctx->handle_to_fp(ctx, ctx->handle_from_expose(ctx, id(name)));
  return f(argument);
}

/* --- Handlers: `context` is theirs --- */

static int calls, frees;
#define HANDLER(name)                                                                                    \
  static void name(MuCtx* context, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid,          \
                   MuTrapHandlerResult* result, MuStackRefValue* new_stack, MuValue** values,            \
                   MuArraySize* nvalues, MuValuesFreer* freer, MuCPtr* freerdata, MuRefValue* exception, \
                   MuCPtr userdata)
#define UNUSED()                                                                                       \
  ((void)context, (void)thread, (void)stack, (void)wpid, (void)new_stack, (void)values, (void)nvalues, \
   (void)freer, (void)freerdata, (void)exception, (void)userdata)

static void freeValues(MuValue* values, MuCPtr data) {
  CHECK(data == &frees);
  free(values);
  __atomic_fetch_add(&frees, 1, __ATOMIC_RELAXED);
}

/* Gives back twice what is kept. */
HANDLER(doubles) {
  MuFCRefValue cursor = context->new_cursor(context, stack);
  MuValue kept;
  UNUSED();
  CHECK(userdata == &calls && wpid == 0);
  CHECK(context->cur_func(context, cursor) == id("value") &&
        context->cur_func_ver(context, cursor) == id("value.v"));
  CHECK(context->cur_inst(context, cursor) == id("value.v.entry.trap"));
  context->dump_keepalives(context, cursor, &kept);
  context->close_cursor(context, cursor);
  *result = MU_REBIND_PASS_VALUES;
  *values = malloc(sizeof **values);
  **values = context->handle_from_sint64(context, 2 * context->handle_to_sint64(context, kept), 64);
  *nvalues = 1;
  *freer = freeValues;
  *freerdata = &frees;
  __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
}

static void passValues(void) {
  MuStackRefValue nothing = NULL;
  (void)nothing;
  mvm->set_trap_handler(mvm, doubles, &calls);
  CHECK(call("call_value", 21) == 43 && calls == 1 && frees == 1);
  CHECK(call("call_outer", 4) == (2 * 4 + 1) * (4 + 1) && calls == 2);
  NO_ERROR();
}

/* Walks two frames, and uses what it must not. */
HANDLER(walks) {
  MuFCRefValue cursor = context->new_cursor(context, stack), copy = context->copy_cursor(context, cursor);
  MuValue kept[2];
  UNUSED();
  context->next_frame(context, cursor);
  CHECK(context->cur_func(context, copy) == id("value") && context->cur_func(context, cursor) == id("outer"));
  CHECK(context->cur_inst(context, cursor) == id("outer.v.entry.call"));
  context->dump_keepalives(context, cursor, kept);
  CHECK(context->handle_to_sint64(context, kept[0]) == 6 && context->handle_to_sint64(context, kept[1]) == 7);
  NO_ERROR();
  FAILS_VOID("A0001", context->dump_keepalives(context, cursor, NULL));
  FAILS_VOID("A0003", ctx->next_frame(ctx, cursor));
  FAILS_VOID("A0019", context->close_context(context));
  FAILS("A0022", context->new_thread_nor(context, stack, NULL, NULL, 0));
  FAILS_VOID("A0020", mvm->detach_current_thread(mvm));
  FAILS_VOID("A0020", mvm->execute(mvm));
  FAILS_VOID("A0020", mvm->close(mvm));
  /* From the outer frame: the call's result comes from here. */
  context->pop_frames_to(context, cursor);
  FAILS("R0024", context->cur_func(context, copy));
  context->close_cursor(context, copy);
  context->close_cursor(context, cursor);
  *result = MU_REBIND_PASS_VALUES;
  kept[0] = context->handle_from_sint64(context, 100, 64);
  *values = malloc(sizeof **values);
  **values = kept[0];
  *nvalues = 1;
  *freer = freeValues;
  *freerdata = &frees;
}

static void frames(void) {
  mvm->set_trap_handler(mvm, walks, NULL);
  CHECK(call("call_outer", 6) == 100 * 7);
  NO_ERROR();
}

HANDLER(everyType) {
  static MuValue answers[3];
  MuValue kept[5], cursor = context->new_cursor(context, stack);
  UNUSED();
  context->dump_keepalives(context, cursor, kept);
  context->close_cursor(context, cursor);
  CHECK(context->handle_to_sint64(context, kept[0]) == 9 &&
        context->handle_to_double(context, kept[1]) == 9.0);
  CHECK(context->ref_eq(context, context->extract_value(context, kept[3], 1), kept[2]));
  CHECK(context->handle_to_double(context, kept[4]) == 0.5);
  answers[0] = context->handle_from_sint64(context, 1000, 64);
  answers[1] = kept[3];
  answers[2] = context->handle_from_double(context, 30.75);
  context->store(context, MU_ORD_NOT_ATOMIC, context->handle_from_global(context, id("object")), kept[2]);
  *result = MU_REBIND_PASS_VALUES;
  *values = answers;
  *nvalues = 3;
}

static void allTypes(void) {
  MuValue object = ctx->handle_from_global(ctx, id("object")), before;
  mvm->set_trap_handler(mvm, everyType, NULL);
  CHECK(call("call_many", 9) == 1000 + 9 + 30);
  before = ctx->load(ctx, MU_ORD_NOT_ATOMIC, object);
  CHECK(!ctx->ref_eq(ctx, before, ctx->handle_from_const(ctx, id("null"))));
  NO_ERROR();
}

HANDLER(throws) {
  UNUSED();
  *result = MU_REBIND_THROW_EXC;
  *exception = context->new_fixed(context, id("void"));
  context->store(context, MU_ORD_SEQ_CST, context->handle_from_global(context, id("object")),
                 context->handle_from_const(context, id("null")));
}

static void exceptions(void) {
  MuValue object = ctx->handle_from_global(ctx, id("object"));
  mvm->set_trap_handler(mvm, throws, NULL);
  CHECK(call("call_caught", 1) == 0);
  CHECK(!ctx->ref_eq(ctx, ctx->load(ctx, MU_ORD_SEQ_CST, object), ctx->handle_from_const(ctx, id("null"))));
  CHECK(call("call_passed", 1) == 1);
  CHECK(!ctx->ref_eq(ctx, ctx->load(ctx, MU_ORD_SEQ_CST, object), ctx->handle_from_const(ctx, id("null"))));
  NO_ERROR();
}

/* Ends the thread; the stack stays READY, and whoever has it can let it go on. */
HANDLER(exits) {
  UNUSED();
  context->store(context, MU_ORD_SEQ_CST, context->handle_from_global(context, id("kept")), stack);
  *result = MU_THREAD_EXIT;
}

static void threadExit(void) {
  MuValue stack, value = int64(77), sum = ctx->handle_from_global(ctx, id("sum"));
  mvm->set_trap_handler(mvm, exits, NULL);
  CHECK(ctx->new_thread_nor(ctx, ctx->new_stack(ctx, function("ends")), NULL, NULL, 0));
  mvm->execute(mvm);
  stack = ctx->load(ctx, MU_ORD_SEQ_CST, ctx->handle_from_global(ctx, id("kept")));
  CHECK(ctx->new_thread_nor(ctx, stack, NULL, &value, 1));
  mvm->execute(mvm);
  CHECK(ctx->handle_to_sint64(ctx, ctx->load(ctx, MU_ORD_SEQ_CST, sum)) == 77);
  NO_ERROR();
}

/* Goes on with another stack. */
HANDLER(rebinds) {
  static MuValue value;
  UNUSED();
  *new_stack = context->new_stack(context, context->handle_from_func(context, id("other")));
  context->kill_stack(context, stack);
  value = context->handle_from_sint64(context, 555, 64);
  *values = &value;
  *nvalues = 1;
  *result = MU_REBIND_PASS_VALUES;
}

static void rebinding(void) {
  MuValue sum = ctx->handle_from_global(ctx, id("sum"));
  mvm->set_trap_handler(mvm, rebinds, NULL);
  CHECK(ctx->new_thread_nor(ctx, ctx->new_stack(ctx, function("ends")), NULL, NULL, 0));
  mvm->execute(mvm);
  CHECK(ctx->handle_to_sint64(ctx, ctx->load(ctx, MU_ORD_SEQ_CST, sum)) == 555);
  NO_ERROR();
}

HANDLER(threadLocals) {
  MuValue object = context->new_fixed(context, id("void"));
  UNUSED();
  context->set_threadlocal(context, thread, object);
  CHECK(context->ref_eq(context, context->get_threadlocal(context, thread), object));
  *result = MU_THREAD_EXIT;
  ++calls;
}

static void threadLocal(void) {
  calls = 0;
  mvm->set_trap_handler(mvm, threadLocals, NULL);
  CHECK(ctx->new_thread_nor(ctx, ctx->new_stack(ctx, function("ends")), NULL, NULL, 0));
  mvm->execute(mvm);
  CHECK(calls == 1);
  NO_ERROR();
}

/* A function without a version: its arguments are what is kept; once it has one, the call goes on. */
HANDLER(defines) {
  char text[] =
      ".funcdef @undefined VERSION %v <@ii_i> { %entry(<@i64> %a <@i64> %b): %c = MUL <@i64> %a @seven %d = "
      "ADD <@i64> %c %b RET %d } .const @seven <@i64> = 7";
  MuValue cursor = context->new_cursor(context, stack), kept[2];
  UNUSED();
  CHECK(context->cur_func(context, cursor) == id("undefined"));
  CHECK(context->cur_func_ver(context, cursor) == 0 && context->cur_inst(context, cursor) == 0);
  context->dump_keepalives(context, cursor, kept);
  CHECK(context->handle_to_sint64(context, kept[0]) == 6 && context->handle_to_sint64(context, kept[1]) == 1);
  context->close_cursor(context, cursor);
  context->load_bundle(context, text, strlen(text));
  *result = MU_REBIND_PASS_VALUES;
  ++calls;
}

static void undefinedFunction(void) {
  calls = 0;
  mvm->set_trap_handler(mvm, defines, NULL);
  CHECK(call("call_calls_undefined", 6) == 43 && calls == 1);
  CHECK(call("call_calls_undefined", 1) == 8 && calls == 1);
  NO_ERROR();
}

/* --- What ends the process: in a child --- */

HANDLER(tooMany) {
  static MuValue answer[2];
  UNUSED();
  answer[0] = answer[1] = context->handle_from_sint64(context, 1, 64);
  *values = answer;
  *nvalues = 2;
  *result = MU_REBIND_PASS_VALUES;
}

HANDLER(nonsense) {
  UNUSED();
  *result = 17;
}

HANDLER(deadStack) {
  UNUSED();
  context->kill_stack(context, stack);
  *result = MU_REBIND_THROW_EXC;
  *exception = context->handle_from_const(context, id("null"));
}

/* The client may end the process from anywhere. */
HANDLER(leaves) {
  UNUSED();
  *result = MU_THREAD_EXIT;
  exit(3);
}

/* On a thread that Mu started, or on the host's own. */
static void endsProcess(MuTrapHandler handler, int started, int expected) {
  int status;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    start(NULL);
    load(bundle);
    if (!freopen("/dev/null", "w", stderr)) _exit(99);
    mvm->set_trap_handler(mvm, handler, NULL);
    if (started) ctx->new_thread_nor(ctx, ctx->new_stack(ctx, function("ends")), NULL, NULL, 0);
    if (!started) call("call_value", 1);
    mvm->execute(mvm);
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  if (WEXITSTATUS(status) != expected) fprintf(stderr, "the child ended with %d\n", WEXITSTATUS(status));
  CHECK(WEXITSTATUS(status) == expected);
}

/* --- Several threads --- */

static void* trapOften(void* argument) {
  MuCtx* threadContext = mvm->new_context(mvm);
  Function* f = (Function*)threadContext->handle_to_fp(
      threadContext, threadContext->handle_from_expose(threadContext, id("call_value")));
  int64_t i;
  (void)argument;
  for (i = 0; i < 2000; ++i) CHECK(f(i) == 2 * i + 1);
  threadContext->close_context(threadContext);
  return NULL;
}

static void manyThreads(void) {
  enum { kThreads = 6 };
  pthread_t threads[kThreads];
  int i;
  calls = frees = 0;
  mvm->set_trap_handler(mvm, doubles, &calls);
  for (i = 0; i < kThreads; ++i) CHECK(pthread_create(&threads[i], NULL, trapOften, NULL) == 0);
  for (i = 0; i < kThreads; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(calls == kThreads * 2000 && frees == calls);
  mvm->set_trap_handler(mvm, NULL, NULL);
  NO_ERROR();
}

int main(void) {
  int started;
  for (started = 0; started < 2; ++started) {
    endsProcess(tooMany, started, 6);
    endsProcess(nonsense, started, 6);
    endsProcess(deadStack, started, 6);
    endsProcess(NULL, started, 6);
    endsProcess(leaves, started, 3);
  }
  start(NULL);
  load(bundle);
  passValues();
  frames();
  allTypes();
  exceptions();
  threadExit();
  rebinding();
  threadLocal();
  undefinedFunction();
  manyThreads();
  finish();
  return 0;
}
