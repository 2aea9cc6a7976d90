/* Stacks in boot images: as what a process begins with, and as objects of the graph; fresh ones, and ones
 * that were left in the middle of what they do. */
#include <unistd.h>

#include "client.h"

static const char* const bundle =
    ".typedef @i32 = int<32> .typedef @i64 = int<64> .typedef @i8 = int<8> .typedef @double = double\n"
    ".typedef @void = void .typedef @rv = ref<@void> .typedef @r64 = ref<@i64> .typedef @p64 = iref<@i64>\n"
    ".typedef @cstr = uptr<@i8> .typedef @argv = uptr<@cstr> .typedef @stack = stackref\n"
    ".typedef @list = struct<@i64 @next> .typedef @next = ref<@list> .typedef @tag = tagref64\n"
    ".const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @3 <@i64> = 3 .const @0_32 <@i32> = 0\n"
    ".const @null <@rv> = NULL .const @nolist <@next> = NULL .const @half <@double> = 0.5 d\n"
    ".funcsig @v = () -> () .funcsig @main.sig = (@i32 @argv) -> () .funcsig @i_i = (@i64) -> (@i64)\n"
    ".funcsig @s_v = (@stack) -> () .funcsig @si_v = (@stack @i64) -> () .funcsig @l_i = (@next) -> (@i64)\n"
    ".funcsig @sii_v = (@stack @i64 @i64) -> () .funcsig @labs.sig = (@i64) -> (@i64)\n"
    ".typedef @labs.type = ufuncptr<@labs.sig> .const @labs <@labs.type> = EXTERN \"labs\"\n"
    ".global @kept <@stack> .global @other <@stack> .global @sum <@i64> .global @count <@i32> .global "
    "@object "
    "<@rv>\n"

    ".funcdef @main VERSION %v <@main.sig> { %entry(<@i32> %argc <@argv> %argv):\n"
    "  STORE SEQ_CST <@i32> @count %argc %l = COMMINST @uvm.get_threadlocal ()\n"
    "  STORE SEQ_CST <@rv> @object %l RET () }\n"
    ".funcdef @wants VERSION %v <@i_i> { %entry(<@i64> %x): RET %x }\n"

    /* Gives what lies at the end of five frames of itself, whose sums it makes on the way back: in each an
     * object, memory of ALLOCA, a number that is no address, a cell, a native function. */
    ".funcsig @deep.sig = (@stack @i64) -> (@stack @i64)\n"
    ".funcdef @deep VERSION %v <@deep.sig> { %entry(<@stack> %s <@i64> %n):\n"
    "    %o = NEW <@i64> %oi = GETIREF <@i64> %o STORE <@i64> %oi %n %a = ALLOCA <@i64> STORE <@i64> %a %n\n"
    "    %c = NEW <@list> %ci = GETIREF <@list> %c %cf = GETFIELDIREF <@list 0> %ci STORE <@i64> %cf %n\n"
    "    %f = LOAD <@labs.type> @function %d = SITOFP <@i64 @double> %n\n"
    "    %done = EQ <@i64> %n @0 BRANCH2 %done %give(%s %n) %more(%s %n %oi %a %c %f %d)\n"
    "  %give(<@stack> %s <@i64> %n): %t = SWAPSTACK %s RET_WITH <@stack> PASS_VALUES <@i64> (%n)\n"
    "    RET (%t %n)\n"
    "  %more(<@stack> %s <@i64> %n <@p64> %oi <@p64> %a <@next> %c <@labs.type> %f <@double> %d):\n"
    "    %m = SUB <@i64> %n @1 (%t %r) = CALL <@deep.sig> @deep (%s %m)\n"
    "    %x = LOAD <@i64> %oi %y = LOAD <@i64> %a %ci = GETIREF <@list> %c %cf = GETFIELDIREF <@list 0> %ci\n"
    "    %z = LOAD <@i64> %cf %r1 = ADD <@i64> %r %x %r2 = ADD <@i64> %r1 %y %r3 = ADD <@i64> %r2 %z\n"
    "    %minus = SUB <@i64> @0 %x %r4 = CCALL #DEFAULT <@labs.type @labs.sig> %f (%minus)\n"
    "    %i = FPTOSI <@double @i64> %d %r5 = ADD <@i64> %r3 %r4 %r6 = ADD <@i64> %r5 %i RET (%t %r6) }\n"
    ".global @function <@labs.type>\n"
    ".funcdef @begin_deep VERSION %v <@si_v> { %entry(<@stack> %s <@i64> %n):\n"
    "    (%t %r) = CALL <@deep.sig> @deep (%s %n) BRANCH %loop(%t %r)\n"
    "  %loop(<@stack> %t <@i64> %r): %u = SWAPSTACK %t RET_WITH <@stack> PASS_VALUES <@i64> (%r)\n"
    "    BRANCH %loop(%u %r) }\n"

    /* Counts down for one consumer after the other. */
    ".funcdef @countdown VERSION %v <@si_v> { %entry(<@stack> %consumer <@i64> %n): BRANCH %loop(%consumer "
    "%n)\n"
    "  %loop(<@stack> %consumer <@i64> %n):\n"
    "    %other = SWAPSTACK %consumer RET_WITH <@stack> PASS_VALUES <@i64> (%n)\n"
    "    %m = SUB <@i64> %n @1 BRANCH %loop(%other %m) }\n"
    /* Ends when it is thrown at, with what it counted. */
    ".funcdef @catches VERSION %v <@si_v> { %entry(<@stack> %consumer <@i64> %n):\n"
    "  (%t %r) = CALL <@deep.sig> @deep (%consumer %n) EXC(%fine() %caught(%n))\n"
    "  %fine(): RET () %caught(<@i64> %n) [%e]: STORE SEQ_CST <@i64> @sum %n STORE SEQ_CST <@rv> @object %e "
    "RET () }\n"
    ".funcdef @begin VERSION %v <@i_i> { %entry(<@i64> %n): %g = LOAD <@stack> @kept\n"
    "  %here = COMMINST @uvm.current_stack ()\n"
    "  %x = SWAPSTACK %g RET_WITH <@i64> PASS_VALUES <@stack @i64> (%here %n) RET %x }\n"
    ".funcdef @pull VERSION %v <@i_i> { %entry(<@i64> %n): %g = LOAD <@stack> @kept\n"
    "  %here = COMMINST @uvm.current_stack ()\n"
    "  %x = SWAPSTACK %g RET_WITH <@i64> PASS_VALUES <@stack> (%here) RET %x }\n"
    ".funcdef @keep_here VERSION %v <@i_i> { %entry(<@i64> %n): %h = COMMINST @uvm.current_stack ()\n"
    "  STORE <@stack> @other %h %f = LOAD <@labs.type> @function\n"
    "  %r = CCALL #DEFAULT <@labs.type @labs.sig> %f (%n) RET %r }\n";

static const char* const trapping =
    /* Traps in a thread of its own; what comes after, @sum and @object tell. */
    ".funcdef @traps VERSION %v <@i_i> { %entry(<@i64> %n): %o = NEW <@i64> %i = GETIREF <@i64> %o\n"
    "  STORE <@i64> %i %n [%trap] TRAP <> KEEPALIVE(%n) %x = LOAD <@i64> %i %s = ADD <@i64> %x %n RET %s }\n"
    ".funcdef @calls_traps VERSION %v <@main.sig> { %entry(<@i32> %argc <@argv> %argv): %n = SEXT <@i32 "
    "@i64> "
    "%argc\n"
    "  %x = CALL <@i_i> @traps (%n) STORE SEQ_CST <@i64> @sum %x %l = COMMINST @uvm.get_threadlocal ()\n"
    "  STORE SEQ_CST <@rv> @object %l RET () }\n"
    ".funcdecl @undefined <@main.sig>\n"
    ".expose @call_begin = @begin #DEFAULT @0 .expose @call_pull = @pull #DEFAULT @0 .expose @call_keep_here "
    "= "
    "@keep_here #DEFAULT @0\n";

static char path[] = "/tmp/gaur-image.XXXXXX";

typedef int64_t Function(int64_t);
static int64_t call(const char* name, int64_t argument) {
  return ((Function*)ctx->handle_to_fp(ctx, ctx->handle_from_expose(ctx, id(name))))(argument);
}
static MuValue cell(const char* name) { return ctx->handle_from_global(ctx, id(name)); }
static MuValue get(const char* name) { return ctx->load(ctx, MU_ORD_SEQ_CST, cell(name)); }
static void set(const char* name, MuValue value) { ctx->store(ctx, MU_ORD_SEQ_CST, cell(name), value); }
static int64_t sum(void) { return ctx->handle_to_sint64(ctx, get("sum")); }

static MuID whitelist[32];
static int listed;
/* All that the tests ask for by name. */
static void list(void) {
  static const char* const names[] = {
      "call_begin", "call_pull", "call_keep_here",     "kept", "other",     "sum",  "count",   "object",
      "function",   "null",      "traps.v.entry.trap", "main", "countdown", "void", "catches", "begin_deep"};
  for (listed = 0; listed < (int)(sizeof(names) / sizeof(names[0])); ++listed)
    whitelist[listed] = id(names[listed]);
}

static void writeImage(MuValue function, MuValue stack, MuValue threadLocal) {
  list();
  ctx->make_boot_image(ctx, whitelist, listed, function, stack, threadLocal, NULL, NULL, 0, NULL, NULL, 0,
                       path);
}

static void loadImage(void) {
  mvm = gaur_load_image(path, NULL, NULL, 0);
  if (!mvm) fprintf(stderr, "%s\n", gaur_new_error());
  CHECK(mvm);
  ctx = mvm->new_context(mvm);
}

static void begin(void) {
  start(NULL);
  load(bundle);
  load(trapping);
  set("function", ctx->handle_from_const(ctx, id("labs")));
}

static void reload(void) {
  finish();
  loadImage();
}

/* A stack of main, not begun: it gets argc and argv, and the thread-local. */
static void freshPrimordial(void) {
  char* arguments[] = {"program", "x", NULL};
  MuValue local;
  begin();
  local = ctx->new_fixed(ctx, id("void"));
  set("object", local);
  writeImage(NULL, ctx->new_stack(ctx, function("main")), local);
  NO_ERROR();
  reload();
  local = get("object");
  set("object", ctx->handle_from_const(ctx, id("null")));
  CHECK(gaur_run_image(mvm, 2, arguments) == 0);
  CHECK(ctx->handle_to_sint32(ctx, get("count")) == 2 && ctx->ref_eq(ctx, get("object"), local));
  /* It has run. */
  CHECK(gaur_run_image(mvm, 2, arguments) == -1);
  mvm->clear_error(mvm);
  finish();
}

/* The thread-local goes with a function likewise. */
static void threadLocalOfFunction(void) {
  MuValue local;
  begin();
  local = ctx->new_fixed(ctx, id("void"));
  set("object", local);
  writeImage(function("main"), NULL, local);
  NO_ERROR();
  reload();
  local = get("object");
  set("object", ctx->handle_from_const(ctx, id("null")));
  CHECK(gaur_run_image(mvm, 0, NULL) == 0);
  CHECK(ctx->ref_eq(ctx, get("object"), local));
  finish();
}

/* A generator goes on in the next machine, and from its image in the one after that, while the machines
 * before still have the places that an image prefers. */
static void generator(void) {
  MuVM* machines[4];
  MuCtx* contexts[4];
  int i;
  begin();
  set("kept", ctx->new_stack(ctx, function("countdown")));
  CHECK(call("call_begin", 100) == 100);
  CHECK(call("call_pull", 0) == 99);
  for (i = 0; i < 4; ++i) {
    writeImage(NULL, NULL, NULL);
    NO_ERROR();
    CHECK(call("call_pull", 0) == 98 - i);
    machines[i] = mvm;
    contexts[i] = ctx;
    loadImage();
    CHECK(call("call_pull", 0) == 98 - i);
  }
  finish();
  while (i-- > 0) {
    mvm = machines[i];
    ctx = contexts[i];
    CHECK(call("call_pull", 0) == 97 - i);
    finish();
  }
}

/* All bytes of the image; the caller frees them. */
static char* bytesOfImage(size_t* count) {
  FILE* file = fopen(path, "rb");
  char* bytes;
  CHECK(file && fseek(file, 0, SEEK_END) == 0);
  *count = (size_t)ftell(file);
  bytes = malloc(*count);
  rewind(file);
  CHECK(bytes && fread(bytes, 1, *count, file) == *count);
  fclose(file);
  return bytes;
}

/* What an image is made of does not tell in it, from the image of an image on: also with frames of a stack.
 */
static void imagesOfImages(void) {
  enum { kDepth = 5, kImages = 4 };
  char* last = NULL;
  size_t lastCount = 0;
  int i;
  begin();
  set("kept", ctx->new_stack(ctx, function("begin_deep")));
  CHECK(call("call_begin", kDepth) == 0);
  for (i = 0; i < kImages; ++i) {
    size_t count;
    char* bytes;
    writeImage(NULL, NULL, NULL);
    NO_ERROR();
    bytes = bytesOfImage(&count);
    if (i > 1) CHECK(count == lastCount && memcmp(bytes, last, count) == 0);
    free(last);
    last = bytes;
    lastCount = count;
    reload();
  }
  free(last);
  CHECK(call("call_pull", 0) == 5 * kDepth * (kDepth + 1) / 2);
  finish();
}

/* Frames with all sorts of values, to which the values come back. Not begun, it begins in the next machine.
 */
static void deepFrames(int begins) {
  enum { kDepth = 5 };
  begin();
  set("kept", ctx->new_stack(ctx, function("begin_deep")));
  if (begins) CHECK(call("call_begin", kDepth) == 0);
  writeImage(NULL, NULL, NULL);
  NO_ERROR();
  reload();
  if (!begins) CHECK(call("call_begin", kDepth) == 0);
  /* Five times each of 1 to 5. */
  CHECK(call("call_pull", 0) == 5 * kDepth * (kDepth + 1) / 2);
  CHECK(call("call_pull", 0) == 5 * kDepth * (kDepth + 1) / 2);
  finish();
}

/* An exception finds its way over the frames. */
static void exceptions(void) {
  MuValue object;
  begin();
  set("kept", ctx->new_stack(ctx, function("catches")));
  CHECK(call("call_begin", 7) == 0);
  writeImage(NULL, NULL, NULL);
  NO_ERROR();
  reload();
  object = ctx->new_fixed(ctx, id("void"));
  CHECK(ctx->new_thread_exc(ctx, get("kept"), NULL, object));
  mvm->execute(mvm);
  CHECK(sum() == 7 && ctx->ref_eq(ctx, get("object"), object));
  finish();
}

/* --- Stacks that have trapped --- */

static int answers;
static void saves(MuCtx* context, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid,
                  MuTrapHandlerResult* result, MuStackRefValue* newStack, MuValue** values,
                  MuArraySize* count, MuValuesFreer* freer, MuCPtr* freerData, MuRefValue* exception,
                  MuCPtr userdata) {
  MuCtx* outer = ctx;
  (void)thread, (void)wpid, (void)newStack, (void)values, (void)count, (void)freer, (void)freerData,
      (void)exception, (void)userdata;
  ctx = context;
  ++answers;
  writeImage(NULL, stack, ctx->new_fixed(ctx, id("void")));
  ctx = outer;
  *result = MU_THREAD_EXIT;
}

/* The image is made in the middle of a program, by its trap handler; the process that starts goes on there.
 */
static void atTrap(void) {
  char** argv = NULL;
  MuValue arguments[2];
  begin();
  mvm->set_trap_handler(mvm, saves, NULL);
  arguments[0] = ctx->handle_from_sint32(ctx, 21, 32);
  arguments[1] = ctx->handle_from_ptr(ctx, id("argv"), argv);
  answers = 0;
  CHECK(ctx->new_thread_nor(ctx, ctx->new_stack(ctx, function("calls_traps")), NULL, arguments, 2));
  mvm->execute(mvm);
  CHECK(answers == 1 && sum() == 0);
  NO_ERROR();
  reload();
  CHECK(gaur_run_image(mvm, 0, NULL) == 0);
  CHECK(sum() == 42 && !ctx->ref_eq(ctx, get("object"), ctx->handle_from_const(ctx, id("null"))));
  finish();
}

/* The same of a function without a version: it has one when it goes on. */
static void atUndefined(void) {
  char* arguments[] = {"program", NULL};
  MuValue values[2];
  begin();
  mvm->set_trap_handler(mvm, saves, NULL);
  values[0] = ctx->handle_from_sint32(ctx, 21, 32);
  values[1] = ctx->handle_from_ptr(ctx, id("argv"), NULL);
  answers = 0;
  CHECK(ctx->new_thread_nor(ctx, ctx->new_stack(ctx, function("undefined")), NULL, values, 2));
  mvm->execute(mvm);
  CHECK(answers == 1);
  NO_ERROR();
  reload();
  load(
      ".funcdef @undefined VERSION %v <@main.sig> { %entry(<@i32> %argc <@argv> %argv): STORE SEQ_CST <@i32> "
      "@count %argc RET () }");
  CHECK(gaur_run_image(mvm, 1, arguments) == 0);
  CHECK(ctx->handle_to_sint32(ctx, get("count")) == 21);
  finish();
}

/* --- What is refused, and what is dead --- */

static int64_t makesImage(int64_t number) {
  writeImage(NULL, NULL, NULL);
  return number;
}

static void refused(void) {
  begin();
  /* Waits for an integer. */
  list();
  FAILS_VOID("I0013",
             ctx->make_boot_image(ctx, whitelist, listed, NULL, ctx->new_stack(ctx, function("wants")), NULL,
                                  NULL, NULL, 0, NULL, NULL, 0, path));
  FAILS_VOID("I0013", ctx->make_boot_image(ctx, whitelist, listed, function("main"),
                                           ctx->new_stack(ctx, function("main")), NULL, NULL, NULL, 0, NULL,
                                           NULL, 0, path));
  /* A thread is on it. */
  set("function", ctx->handle_from_fp(ctx, id("labs.type"), (MuCFP)makesImage));
  mvm->clear_error(mvm);
  CHECK(call("call_keep_here", 5) == 5);
  failed("I0101", __FILE__, __LINE__);
  /* It is dead: so is its copy. */
  writeImage(NULL, NULL, NULL);
  NO_ERROR();
  reload();
  FAILS("R0014", ctx->new_cursor(ctx, get("other")));
  finish();
}

static int64_t pulls(int64_t number) {
  (void)number;
  return call("call_pull", 0);
}

/* A stack that stands in a call from native code cannot be taken along. */
static void nativeFrames(void) {
  MuValue stack;
  begin();
  load(
      ".funcdef @native VERSION %v <@si_v> { %entry(<@stack> %s <@i64> %n): STORE <@stack> @kept %s %f = "
      "LOAD <@labs.type> @function\n"
      "  %r = CCALL #DEFAULT <@labs.type @labs.sig> %f (%n) RET () }");
  stack = ctx->new_stack(ctx, function("native"));
  set("kept", stack);
  set("other", stack);
  set("function", ctx->handle_from_fp(ctx, id("labs.type"), (MuCFP)pulls));
  /* @begin swaps to @native, which calls C, which calls @pull, which swaps back here. */
  call("call_begin", 1);
  list();
  FAILS_VOID("I0016", ctx->make_boot_image(ctx, whitelist, listed, NULL, NULL, NULL, NULL, NULL, 0, NULL,
                                           NULL, 0, path));
  ctx->kill_stack(ctx, stack);
  finish();
}

int main(void) {
  int file = mkstemp(path);
  CHECK(file >= 0);
  close(file);
  freshPrimordial();
  threadLocalOfFunction();
  generator();
  imagesOfImages();
  deepFrames(1);
  deepFrames(0);
  exceptions();
  atTrap();
  atUndefined();
  refused();
  nativeFrames();
  unlink(path);
  return 0;
}
