/* Functions that C calls where no Mu code is below, which run on a stack that the thread keeps for that:
 * values of all kinds in and out, cookies, callbacks to and fro, stack overflow, collections, references to
 * the stack that outlive the call, stacks that leave the thread, threads never seen before, several machines,
 * and what ends the process. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

static const char* const first =
    ".typedef @i64 = int<64> .typedef @node = struct<@i64 ref<@node>> .typedef @pi = struct<@i64 @i64> "
    ".typedef @pd = "
    "struct<double double>\n"
    ".typedef @big = struct<@i64 @i64 double @i64> .typedef @s = stackref .const @0 <@i64> = 0 .const @1 "
    "<@i64> = 1 "
    ".const @77 <@i64> = 77\n"
    ".global @kept <@s> .global @word <@i64> .global @sum <@i64>\n"
    ".funcdef @next <(@i64)->(@i64)> { entry(<@i64> x): y = ADD <@i64> x @1 RET y }\n"
    ".funcdef @bits <(int<8> int<16> int<32> float double)->(double)> {\n"
    "  entry(<int<8>> a <int<16>> b <int<32>> c <float> d <double> e):\n"
    "    a2 = SEXT <int<8> @i64> a b2 = SEXT <int<16> @i64> b c2 = SEXT <int<32> @i64> c s = ADD <@i64> a2 "
    "b2 t = ADD "
    "<@i64> s c2\n"
    "    u = SITOFP <@i64 double> t v = FPEXT <float double> d w = FADD <double> u v x = FADD <double> w e "
    "RET x }\n"
    ".funcdef @narrow <(int<8>)->(int<8>)> { entry(<int<8>> x): y = ADD <int<8>> x <int<8>> 1 RET y }\n"
    ".funcdef @nothing <()->()> { entry(): STORE <@i64> @word @77 RET () }\n"
    /* More arguments than registers: these lie in the caller's frame. */
    ".funcdef @seven <(@i64 @i64 @i64 @i64 @i64 @i64 @i64 double)->(@i64)> {\n"
    "  entry(<@i64> a <@i64> b <@i64> c <@i64> d <@i64> e <@i64> f <@i64> g <double> h):\n"
    "    i = FPTOSI <double @i64> h j = MUL <@i64> g i k = SUB <@i64> j a l = ADD <@i64> k f RET l }\n"
    /* Aggregates, with a reference to the stack taken: what returns in registers has to outlive the care for
       that. */
    ".funcdef @pair <(@i64)->(@pi)> { entry(<@i64> x): s = COMMINST @uvm.current_stack () STORE <@s> @kept "
    "s\n"
    "    y = ADD <@i64> x @1 p = INSERTVALUE <@pi 0> <@pi> {@0 @0} x q = INSERTVALUE <@pi 1> p y RET q }\n"
    ".const @pd0 <@pd> = {@d0 @d0} .const @d0 <double> = 0.0 d .const @big0 <@big> = {@0 @0 @d0 @0}\n"
    ".funcdef @doubles <(double)->(@pd)> { entry(<double> x): s = COMMINST @uvm.current_stack () STORE <@s> "
    "@kept s\n"
    "    y = FADD <double> x <double> 1.0 d p = INSERTVALUE <@pd 0> @pd0 x q = INSERTVALUE <@pd 1> p y RET q "
    "}\n"
    ".funcdef @large <(@big @i64)->(@big)> { entry(<@big> b <@i64> x): s = COMMINST @uvm.current_stack () "
    "STORE <@s> "
    "@kept s\n"
    "    c = INSERTVALUE <@big 3> b x RET c }\n"
    ".funcdef @made <(@i64)->(@big)> { entry(<@i64> x): c = INSERTVALUE <@big 1> @big0 x RET c }\n"
    ".funcdef @cookie <()->(@i64)> { entry(): c = COMMINST @uvm.native.get_cookie () RET c }\n"
    /* C and Mu in turn, n deep; the cookie is the own one before and after. */
    ".funcsig @down.sig = (@i64 ufuncptr<@step>) -> (@i64) .funcsig @step = (@i64) -> (@i64)\n"
    ".funcdef @down <@down.sig> { entry(<@i64> n <ufuncptr<@step>> f): z = EQ <@i64> n @0 BRANCH2 z bottom() "
    "more(n f)\n"
    "  bottom(): RET @0\n"
    "  more(<@i64> n <ufuncptr<@step>> f): m = SUB <@i64> n @1 b = COMMINST @uvm.native.get_cookie ()\n"
    "    r = CCALL #DEFAULT <ufuncptr<@step> @step> f (m) a = COMMINST @uvm.native.get_cookie ()\n"
    "    d = SUB <@i64> a b s = ADD <@i64> r @1 t = ADD <@i64> s d RET t }\n";

static const char* const second =
    ".funcdef @forever <@step> { entry(<@i64> n): m = ADD <@i64> n @1 r = CALL <@step> @forever (m) s = ADD "
    "<@i64> r m "
    "RET s }\n"
    ".funcdef @overflows <@step> { entry(<@i64> n): r = CALL <@step> @forever (n) EXC(fine(r) caught(n))\n"
    "  fine(<@i64> r): RET r\n  caught(<@i64> n) [e]: z = EQ <ref<void>> e <ref<void>> NULL w = ZEXT <int<1> "
    "@i64> z s = "
    "ADD <@i64> n w RET s }\n"
    /* A list that is referred to from here alone while C has others made and dropped. */
    ".funcdef @list <@down.sig> { entry(<@i64> n <ufuncptr<@step>> f): o = NEW <@node> BRANCH loop(n f o)\n"
    "  loop(<@i64> n <ufuncptr<@step>> f <ref<@node>> l): z = EQ <@i64> n @0 BRANCH2 z add(l @0) more(n f "
    "l)\n"
    "  more(<@i64> n <ufuncptr<@step>> f <ref<@node>> l): o = NEW <@node> i = GETIREF <@node> o\n"
    "    v = GETFIELDIREF <@node 0> i STORE <@i64> v n x = GETFIELDIREF <@node 1> i STORE <ref<@node>> x l\n"
    "    m = SUB <@i64> n @1 c = CCALL #DEFAULT <ufuncptr<@step> @step> f (m) BRANCH loop(m f o)\n"
    "  add(<ref<@node>> l <@i64> s): z = EQ <ref<@node>> l <ref<@node>> NULL BRANCH2 z end(s) node(l s)\n"
    "  node(<ref<@node>> l <@i64> s): i = GETIREF <@node> l v = GETFIELDIREF <@node 0> i n = LOAD <@i64> v t "
    "= ADD "
    "<@i64> s n\n"
    "    x = GETFIELDIREF <@node 1> i y = LOAD <ref<@node>> x BRANCH add(y t)\n  end(<@i64> s): RET s }\n"
    ".funcdef @garbage <@step> { entry(<@i64> n): o = NEW <@node> p = NEW <@big> BRANCH loop(n)\n"
    "  loop(<@i64> n): q = NEW <@node> z = SLE <@i64> n @0 BRANCH2 z end() more(n)\n"
    "  more(<@i64> n): m = SUB <@i64> n @77 BRANCH loop(m)\n  end(): RET @0 }\n"
    ".funcdef @share <@step> { entry(<@i64> n): s = COMMINST @uvm.current_stack () STORE <@s> @kept s RET n "
    "}\n"
    ".funcdef @trapping <@step> { entry(<@i64> n): y = [trap] TRAP <@i64> KEEPALIVE(n) RET y }\n"
    ".funcdef @throws <@step> { entry(<@i64> n): z = EQ <@i64> n @77 BRANCH2 z yes() no(n)\n"
    "  yes(): o = NEW <@node> THROW o\n  no(<@i64> n): RET n }\n"
    ".funcdef @exits <@step> { entry(<@i64> n): z = EQ <@i64> n @77 BRANCH2 z yes() no(n)\n"
    "  yes(): COMMINST @uvm.thread_exit ()\n  no(<@i64> n): RET n }\n"
    ".funcdef @traps <@step> { entry(<@i64> n): z = EQ <@i64> n @77 BRANCH2 z yes() no(n)\n"
    "  yes(): TRAP <> BRANCH no(@77)\n  no(<@i64> n): RET n }\n"
    /* The stack that C called on goes to a thread of its own; this one stays with another stack for good. */
    ".funcdef @leaves <@step> { entry(<@i64> n): s = COMMINST @uvm.current_stack () STORE <@s> @kept s\n"
    "    b = COMMINST @uvm.new_stack <[()->()]> (@stays) x = SWAPSTACK b RET_WITH <@i64> PASS_VALUES <> ()\n"
    "    STORE SEQ_CST <@i64> @sum x RET x }\n"
    ".funcdef @stays <()->()> { entry(): STORE SEQ_CST <@i64> @word @1 BRANCH wait()\n"
    "  wait(): w = COMMINST @uvm.futex.wait <@i64> (@word @1) BRANCH wait() }\n"
    ".expose @c_next = @next #DEFAULT @0 .expose @c_bits = @bits #DEFAULT @0 .expose @c_narrow = @narrow "
    "#DEFAULT @0\n"
    ".expose @c_nothing = @nothing #DEFAULT @0 .expose @c_seven = @seven #DEFAULT @0 .expose @c_pair = @pair "
    "#DEFAULT @0\n"
    ".expose @c_doubles = @doubles #DEFAULT @0 .expose @c_large = @large #DEFAULT @0 .expose @c_made = @made "
    "#DEFAULT @0\n"
    ".expose @c_cookie = @cookie #DEFAULT @77 .expose @c_cookie1 = @cookie #DEFAULT @1 .expose @c_down = "
    "@down #DEFAULT "
    "@77\n"
    ".expose @c_overflows = @overflows #DEFAULT @0 .expose @c_list = @list #DEFAULT @0 .expose @c_garbage = "
    "@garbage "
    "#DEFAULT @0\n"
    ".expose @c_share = @share #DEFAULT @0 .expose @c_trapping = @trapping #DEFAULT @0 .expose @c_throws = "
    "@throws "
    "#DEFAULT @0\n"
    ".expose @c_exits = @exits #DEFAULT @0 .expose @c_leaves = @leaves #DEFAULT @0 .expose @c_traps = @traps "
    "#DEFAULT @0\n";

typedef int64_t Step(int64_t);
typedef int64_t Down(int64_t, Step*);
typedef struct {
  int64_t a, b;
} Pair;
typedef struct {
  double a, b;
} Doubles;
typedef struct {
  int64_t a, b;
  double c;
  int64_t d;
} Big;

static void loadBoth(MuCtx* context) {
  context->load_bundle(context, (char*)(uintptr_t)first, strlen(first));
  context->load_bundle(context, (char*)(uintptr_t)second, strlen(second));
  NO_ERROR();
}

static MuCFP find(MuCtx* context, const char* name) {
  MuID expose = context->id_of(context, (char*)(uintptr_t)name);
  return context->handle_to_fp(context, context->handle_from_expose(context, expose));
}
#define FIND(type, name) ((type*)find(ctx, name))

/* --- Values: each function more than once, since the first call of a thread goes another way --- */

static void values(void) {
  Step* next = FIND(Step, "c_next");
  double (*bits)(int8_t, int16_t, int32_t, float, double) =
      (double (*)(int8_t, int16_t, int32_t, float, double))find(ctx, "c_bits");
  int8_t (*narrow)(int8_t) = (int8_t(*)(int8_t))find(ctx, "c_narrow");
  void (*nothing)(void) = (void (*)(void))find(ctx, "c_nothing");
  int64_t (*seven)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, double) =
      (int64_t(*)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, double))find(ctx, "c_seven");
  Pair (*pair)(int64_t) = (Pair(*)(int64_t))find(ctx, "c_pair");
  Doubles (*doubles)(double) = (Doubles(*)(double))find(ctx, "c_doubles");
  Big (*large)(Big, int64_t) = (Big(*)(Big, int64_t))find(ctx, "c_large");
  Big (*made)(int64_t) = (Big(*)(int64_t))find(ctx, "c_made");
  Step *cookie = FIND(Step, "c_cookie"), *cookie1 = FIND(Step, "c_cookie1");
  MuIRefValue word = ctx->handle_from_global(ctx, id("word"));
  int64_t i, sum = 0;
  for (i = 0; i < 5; ++i) {
    Big big = {1, 2, 3.5, 4}, other;
    Pair p;
    Doubles d;
    CHECK(next(i) == i + 1);
    CHECK(bits((int8_t)-i, -1000, 100000, 0.5f, 0.25) == 99000.75 - (double)i);
    CHECK(narrow(127) == -128);
    ctx->store(ctx, MU_ORD_NOT_ATOMIC, word, int64(0));
    nothing();
    CHECK(ctx->handle_to_sint64(ctx, ctx->load(ctx, MU_ORD_NOT_ATOMIC, word)) == 77);
    CHECK(seven(i, 2, 3, 4, 5, 6, 7, 8.0) == 56 - i + 6);
    p = pair(i);
    CHECK(p.a == i && p.b == i + 1);
    d = doubles((double)i);
    CHECK(d.a == (double)i && d.b == (double)i + 1);
    other = large(big, i);
    CHECK(other.a == 1 && other.b == 2 && other.c == 3.5 && other.d == i);
    other = made(i);
    CHECK(other.a == 0 && other.b == i && other.d == 0);
    CHECK(cookie(0) == 77 && cookie1(0) == 1);
  }
  for (i = 0; i < 100000; ++i) sum += next(i);
  CHECK(sum == (int64_t)100000 * 100001 / 2);
  NO_ERROR();
}

/* --- To and fro --- */

static Down* downAgain;
static int64_t step(int64_t n) { return downAgain(n, step); }
static Step* makeGarbage;
static int64_t drop(int64_t n) { return makeGarbage(n); }

static void nests(void) {
  Step *overflows = FIND(Step, "c_overflows"), *next = FIND(Step, "c_next");
  Down* list = FIND(Down, "c_list");
  int i;
  downAgain = FIND(Down, "c_down");
  makeGarbage = FIND(Step, "c_garbage");
  CHECK(downAgain(0, step) == 0 && downAgain(1, step) == 1 && downAgain(300, step) == 300);
  for (i = 0; i < 5; ++i) CHECK(overflows(i) == i + 1 && next(i) == i + 1);
  for (i = 0; i < 5; ++i) CHECK(list(100, drop) == 5050);
  NO_ERROR();
}

/* --- The stack as a value --- */

static MuValue kept(void) {
  return ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->handle_from_global(ctx, id("kept")));
}

static int frames;
static void handler(MuCtx* context, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid,
                    MuTrapHandlerResult* result, MuStackRefValue* new_stack, MuValue** answers,
                    MuArraySize* count, MuValuesFreer* freer, MuCPtr* freerdata, MuRefValue* exception,
                    MuCPtr userdata) {
  static MuValue answer;
  MuFCRefValue cursor = context->new_cursor(context, stack);
  MuValue argument;
  CHECK(context->cur_inst(context, cursor) == id("trapping.trapping.entry.trap") ||
        context->cur_func(context, cursor) == id("trapping"));
  context->dump_keepalives(context, cursor, &argument);
  /* Nothing but the function is on the stack: the host is no part of the program. */
  FAILS_VOID("R0023", (context->next_frame(context, cursor), context->next_frame(context, cursor)));
  context->close_cursor(context, cursor);
  /* Native code on its native stack, with Mu code below: this goes to another stack. */
  answer = context->handle_from_sint64(
      context, FIND(Step, "c_next")(context->handle_to_sint64(context, argument)), 64);
  context->store(context, MU_ORD_NOT_ATOMIC, context->handle_from_global(context, id("kept")), stack);
  ++frames;
  *result = MU_REBIND_PASS_VALUES;
  *answers = &answer;
  *count = 1;
  (void)thread, (void)wpid, (void)new_stack, (void)freer, (void)freerdata, (void)exception, (void)userdata;
}

static void references(void) {
  Step *share = FIND(Step, "c_share"), *next = FIND(Step, "c_next"), *trapping = FIND(Step, "c_trapping");
  MuValue before = NULL, now;
  int i;
  mvm->set_trap_handler(mvm, handler, NULL);
  for (i = 0; i < 10; ++i) {
    CHECK(i % 2 == 0 ? share(i) == i : trapping(i) == i + 1);
    now = kept();
    if (before) CHECK(!ctx->ref_eq(ctx, before, now));
    /* What it referred to is over, also while other calls run. */
    FAILS("R0014", ctx->new_cursor(ctx, now));
    CHECK(next(i) == i + 1 && next(i) == i + 1);
    FAILS_VOID("R0014", ctx->kill_stack(ctx, now));
    before = now;
  }
  CHECK(frames == 5);
  mvm->set_trap_handler(mvm, NULL, NULL);
  NO_ERROR();
}

/* --- Threads --- */

static void* stranger(void* argument) {
  const int64_t rounds = *(int64_t*)argument;
  MuCtx* own = mvm->new_context(mvm);
  Step *next = (Step*)find(own, "c_next"), *share = (Step*)find(own, "c_share");
  Down *list = (Down*)find(own, "c_list"), *down = (Down*)find(own, "c_down");
  int64_t i;
  own->close_context(own);
  for (i = 0; i < rounds; ++i) {
    CHECK(next(i) == i + 1);
    if (i % 16 == 0) CHECK(share(i) == i && down(10, step) == 10 && list(20, drop) == 210);
  }
  return NULL;
}

static void strangers(void) {
  enum { kThreads = 8, kGenerations = 3 };
  pthread_t threads[kThreads];
  int64_t rounds = getenv("GAUR_GC_STRESS") ? 32 : 500;
  int i, generation;
  for (generation = 0; generation < kGenerations; ++generation) {
    for (i = 0; i < kThreads; ++i) CHECK(pthread_create(&threads[i], NULL, stranger, &rounds) == 0);
    for (i = 0; i < kThreads; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  }
  NO_ERROR();
}

/* --- Machines --- */

static Down* otherDown;
static int64_t stepToOther(int64_t n);
static int64_t stepBack(int64_t n) { return downAgain(n, stepToOther); }
static int64_t stepToOther(int64_t n) { return otherDown(n, stepBack); }

static void machines(void) {
  MuVM* other = gaur_new(NULL);
  MuCtx* context = other->new_context(other);
  Step *next = FIND(Step, "c_next"), *share = FIND(Step, "c_share"), *otherNext, *otherShare;
  int64_t i;
  loadBoth(context);
  otherNext = (Step*)find(context, "c_next");
  otherShare = (Step*)find(context, "c_share");
  otherDown = (Down*)find(context, "c_down");
  for (i = 0; i < 100; ++i) CHECK(next(i) == i + 1 && otherNext(i) == i + 1);
  CHECK(share(1) == 1 && otherShare(2) == 2 && next(1) == 2 && otherNext(2) == 3);
  CHECK(downAgain(20, stepToOther) == 20 && otherDown(21, stepBack) == 21);
  /* Attached to both, the other one last. */
  other->attach_current_thread(other);
  for (i = 0; i < 10; ++i) CHECK(otherNext(i) == i + 1 && next(i) == i + 1 && otherShare(i) == i);
  other->detach_current_thread(other);
  for (i = 0; i < 10; ++i) CHECK(next(i) == i + 1 && otherNext(i) == i + 1);
  other->close(other);
  for (i = 0; i < 10; ++i) CHECK(next(i) == i + 1);
  NO_ERROR();
}

/* --- The end of the process, and what it says --- */

static void* callLeaves(void* function) {
  ((Step*)(uintptr_t)function)(1);
  return NULL;
}

/* `calls`: how often it has returned before. */
static void ends(const char* name, int64_t calls, const char* wanted) {
  char text[8192];
  size_t length = 0;
  ssize_t count;
  int status, pipes[2];
  pid_t child;
  CHECK(pipe(pipes) == 0);
  child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    Step* function;
    int64_t i;
    start(NULL);
    loadBoth(ctx);
    dup2(pipes[1], 2);
    function = FIND(Step, name);
    for (i = 0; i < calls; ++i)
      if (function(i) != i) _exit(97);
    function(77);
    _exit(98);
  }
  close(pipes[1]);
  while ((count = read(pipes[0], text + length, sizeof text - 1 - length)) > 0) length += (size_t)count;
  text[length] = 0;
  close(pipes[0]);
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
  if (WEXITSTATUS(status) != 6 || !strstr(text, wanted))
    fprintf(stderr, "%d: %s\n", WEXITSTATUS(status), text);
  CHECK(WEXITSTATUS(status) == 6 && strstr(text, wanted));
}

/* The call never comes back, and the stack ends on another thread. */
static void moves(void) {
  int status;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    pthread_t thread;
    MuValue value, word, sum;
    Step* next;
    start(NULL);
    loadBoth(ctx);
    next = FIND(Step, "c_next");
    CHECK(next(1) == 2);
    word = ctx->handle_from_global(ctx, id("word"));
    sum = ctx->handle_from_global(ctx, id("sum"));
    CHECK(pthread_create(&thread, NULL, callLeaves, (void*)(uintptr_t)FIND(Step, "c_leaves")) == 0);
    while (ctx->handle_to_sint64(ctx, ctx->load(ctx, MU_ORD_SEQ_CST, word)) != 1) {
    }
    value = int64(42);
    CHECK(ctx->new_thread_nor(ctx, kept(), NULL, &value, 1));
    mvm->execute(mvm);
    CHECK(ctx->handle_to_sint64(ctx, ctx->load(ctx, MU_ORD_SEQ_CST, sum)) == 42);
    CHECK(next(1) == 2);
    NO_ERROR();
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
  int i;
  for (i = 0; i < 5; i += 2) {
    ends("c_throws", i, "an exception reached native code");
    ends("c_exits", i, "thread_exit in a function that native code called");
    ends("c_traps", i, "there is no trap handler");
  }
  moves();
  /* One machine after the other, on a thread that knows those before. */
  for (i = 0; i < 2; ++i) {
    start(NULL);
    loadBoth(ctx);
    frames = 0;
    values();
    nests();
    references();
    strangers();
    machines();
    finish();
  }
  return 0;
}
