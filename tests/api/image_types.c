/* Images in a process that has given other types the numbers of theirs: beside machines with programs of
 * their own, and beside each other. The images are made by processes that have nothing else. */
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

static const char* const bundle =
    ".typedef @i64 = int<64> .typedef @i8 = int<8> .typedef @double = double .typedef @stack = stackref\n"
    ".typedef @node = struct<@i64 @list @wide> .typedef @list = ref<@node> .typedef @wide = ref<@vec>\n"
    ".typedef @vec = vector<@double 4> .typedef @h = hybrid<@i64 @list> .typedef @href = ref<@h>\n"
    ".typedef @weak = weakref<@node> .const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @5 <@i64> = 5\n"
    ".funcsig @v = () -> () .funcsig @get = () -> (@i64) .funcsig @i_i = (@i64) -> (@i64) .funcsig @si_v = "
    "(@stack @i64) -> ()\n"
    ".global @first <@list> .global @table <@href> .global @lost <@weak> .global @kept <@stack> .global "
    "@word <@i64>\n"
    ".const @half <@double> = 0.5 d .const @halves <@vec> = {@half @half @half @half} .const @none <@list> = "
    "NULL\n"
    ".funcsig @make.sig = (@list @i64) -> (@list)\n"
    ".funcdef @make VERSION %v <@make.sig> { %entry(<@list> %rest <@i64> %x): %o = NEW <@node> %w = NEW "
    "<@vec>\n"
    "  %i = GETIREF <@node> %o %a = GETFIELDIREF <@node 0> %i %b = GETFIELDIREF <@node 1> %i %c = "
    "GETFIELDIREF <@node 2> %i\n"
    "  %wi = GETIREF <@vec> %w STORE <@vec> %wi @halves STORE <@i64> %a %x STORE <@list> %b %rest STORE "
    "<@wide> %c %w RET %o }\n"
    /* Puts nodes n, n-1, ... 1 in front of the list and into the table. */
    ".funcdef @push VERSION %v <@i_i> { %entry(<@i64> %n): %h = NEWHYBRID <@h @i64> %n STORE <@href> @table "
    "%h BRANCH %loop(%n %h)\n"
    "  %loop(<@i64> %n <@href> %h): %old = LOAD <@list> @first %new = CALL <@make.sig> @make (%old %n) STORE "
    "<@list> @first %new\n"
    "    %m = SUB <@i64> %n @1 %hi = GETIREF <@h> %h %e = GETVARPARTIREF <@h> %hi %f = SHIFTIREF <@list "
    "@i64> %e %m\n"
    "    STORE <@list> %f %new %more = NE <@i64> %m @0 BRANCH2 %more %loop(%m %h) %end()\n"
    "  %end(): RET @1 }\n"
    ".funcdef @sum VERSION %v <@i_i> { %entry(<@i64> %x): %o = LOAD <@list> @first BRANCH %loop(%o %x)\n"
    "  %loop(<@list> %o <@i64> %s): %nil = EQ <@list> %o @none BRANCH2 %nil %end(%s) %go(%o %s)\n"
    "  %go(<@list> %o <@i64> %s): %i = GETIREF <@node> %o %a = GETFIELDIREF <@node 0> %i %b = GETFIELDIREF "
    "<@node 1> %i\n"
    "    %c = GETFIELDIREF <@node 2> %i %w = LOAD <@wide> %c %wi = GETIREF <@vec> %w %v = LOAD <@vec> %wi %d "
    "= FADD <@vec> %v %v\n"
    "    %e = EXTRACTELEMENT <@vec @i64> %d @1 %one = FPTOSI <@double @i64> %e\n"
    "    %x = LOAD <@i64> %a %y = MUL <@i64> %x %one %t = ADD <@i64> %s %y %n = LOAD <@list> %b BRANCH "
    "%loop(%n %t)\n"
    "  %end(<@i64> %s): RET %s }\n"
    ".funcdef @give VERSION %v <@si_v> { %entry(<@stack> %to <@i64> %x): BRANCH %loop(%to %x)\n"
    "  %loop(<@stack> %to <@i64> %x): %next = SWAPSTACK %to RET_WITH <@stack> PASS_VALUES <@i64> (%x)\n"
    "    %y = ADD <@i64> %x @1 BRANCH %loop(%next %y) }\n"
    ".funcdef @begin VERSION %v <@i_i> { %entry(<@i64> %x): %here = COMMINST @uvm.current_stack () %s = LOAD "
    "<@stack> @kept\n"
    "  %y = SWAPSTACK %s RET_WITH <@i64> PASS_VALUES <@stack @i64> (%here %x) RET %y }\n"
    ".expose @call_push = @push #DEFAULT @0 .expose @call_sum = @sum #DEFAULT @0 .expose @call_begin = "
    "@begin #DEFAULT @0\n";

/* Types in another order, and others. */
static const char* const others =
    ".typedef @i64 = int<64> .typedef @a = struct<@i64 @i64 @i64> .typedef @b = array<@a 7> .typedef @c = "
    "ref<@b>\n"
    ".typedef @list = struct<@i64 @next> .typedef @next = ref<@list> .typedef @double = double .typedef @v4 "
    "= vector<@double 4>\n"
    ".funcsig @f = (@c @next) -> (@v4) .typedef @g = funcref<@f> .global @cell <@g>\n";

static char path[] = "/tmp/gaur-image.XXXXXX";

typedef int64_t Function(int64_t);
static int64_t call(const char* name, int64_t argument) {
  return ((Function*)ctx->handle_to_fp(ctx, ctx->handle_from_expose(ctx, id(name))))(argument);
}

enum Stack { kNone, kFresh, kBegun };

static void writeImage(enum Stack stack) {
  MuID whitelist[3];
  whitelist[0] = id("call_push");
  whitelist[1] = id("call_sum");
  whitelist[2] = id("call_begin");
  if (stack != kNone) {
    ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->handle_from_global(ctx, id("kept")),
               ctx->new_stack(ctx, function("give")));
    if (stack == kBegun) CHECK(call("call_begin", 1) == 1);
  }
  ctx->make_boot_image(ctx, whitelist, 3, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0, path);
  NO_ERROR();
}

static void makeApart(enum Stack stack) {
  int status = 1;
  pid_t child = fork();
  if (child == 0) {
    start(NULL);
    load(bundle);
    call("call_push", 100);
    writeImage(stack);
    exit(0);
  }
  waitpid(child, &status, 0);
  CHECK(status == 0);
}

static void loadImage(void) {
  mvm = gaur_load_image(path, NULL, NULL, 0);
  if (!mvm) fprintf(stderr, "%s\n", gaur_new_error());
  CHECK(mvm);
  ctx = mvm->new_context(mvm);
}

static void collect(void) {
  int i;
  for (i = 0; i < 20; ++i)
    ctx->delete_value(ctx, ctx->new_hybrid(ctx, id("h"), ctx->handle_from_uint64(ctx, 100000, 64)));
}

/* Objects of the image have their types, and so do new ones; what the image holds lives, and what it lets go
 * dies. */
static void use(int times) {
  int i;
  for (i = 0; i < times; ++i) {
    CHECK(call("call_sum", 0) == 5050 * (i + 1));
    collect();
    CHECK(call("call_push", 100) == 1);
  }
  collect();
  CHECK(call("call_sum", 0) == 5050 * (times + 1));
}

int main(void) {
  MuVM* first;
  MuCtx* context;
  int file = mkstemp(path);
  CHECK(file >= 0);
  close(file);
  /* Frames need the code that they return to, and that knows other numbers. */
  {
    int status = 1;
    pid_t child = fork();
    if (child == 0) {
      makeApart(kBegun);
      start(NULL);
      load(others);
      CHECK(gaur_load_image(path, NULL, NULL, 0) == NULL && strstr(gaur_new_error(), "stacks with frames"));
      exit(0);
    }
    waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  makeApart(kFresh);
  start(NULL);
  load(others);
  first = mvm;
  context = ctx;
  /* Beside a machine with a program of its own. */
  loadImage();
  use(3);
  CHECK(call("call_begin", 7) == 7);
  {
    MuVM* second = mvm;
    MuCtx* secondContext = ctx;
    /* And beside another one of the same image. */
    loadImage();
    use(1);
    finish();
    mvm = second;
    ctx = secondContext;
  }
  CHECK(call("call_sum", 0) == 5050 * 4);
  /* Its image in turn, here, where the numbers are those of this process. */
  writeImage(kFresh);
  finish();
  loadImage();
  CHECK(call("call_sum", 0) == 5050 * 4);
  CHECK(call("call_begin", 7) == 7);
  finish();
  mvm = first;
  ctx = context;
  finish();
  unlink(path);
  return 0;
}
