/* Code whose last reference goes while something is still in it: four threads, each with a bundle of its own
 * that is unloaded before it runs, in all the places where others lost it, with collections all the time; in
 * a machine, and in one that begins with an image. Argument: how many rounds. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define CLIENT_THREAD _Thread_local
#include "client.h"

enum { kThreads = 4 };

typedef int64_t Plain(void);
typedef void Work(void);

static const char* const common =
    ".typedef @i64 = int<64> .typedef @i6 = int<6> .typedef @double = double .typedef @void = void\n"
    ".funcsig @i = () -> (@i64) .funcsig @ii = (@i64) -> (@i64) .funcsig @v = () -> ()\n"
    ".typedef @fp = ufuncptr<@v> .typedef @fr = funcref<@i> .typedef @box = struct<@i64 @fr>\n"
    ".typedef @rbox = ref<@box> .typedef @wbox = weakref<@box> .typedef @rv = ref<@void>\n"
    ".typedef @tag = tagref64 .typedef @stack = stackref\n"
    ".const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @7 <@i64> = 7 .const @five <@i6> = 5\n"
    ".const @zero <@double> = 0.0 d .const @nowhere <@fr> = NULL .const @nobox <@rbox> = NULL\n"
    ".const @nostack <@stack> = NULL .const @inside <@fp> = EXTERN \"code_traps_inside\"\n"
    ".funcdef @shared VERSION %v <@i> { %entry(): RET @0 }\n"
    ".funcdef @callShared VERSION %v <@i> { %entry(): %r = CALL <@i> @shared () RET %r }\n"
    ".expose @c_callShared = @callShared #DEFAULT @0\n";

/* What a thread has for good; '~' is its number. */
static const char* const home =
    ".global @held~ <@fr> .global @boxed~ <@rbox> .global @weak~ <@wbox> .global @tagged~ <@tag>\n"
    ".global @mine~ <@stack> .global @away~ <@stack> .global @result~ <@i64>\n"
    ".global @flag~ <@i64> .global @begun~ <@i64>\n"
    ".funcdef @callHeld~ VERSION %v <@i> { %entry(): %h = LOAD <@fr> @held~ %r = CALL <@i> %h () RET %r }\n"
    ".funcdef @enterHeld~ VERSION %v <@i> { %entry(): %h = LOAD <@fr> @held~ TAILCALL <@i> %h () }\n"
    ".funcdef @drop~ VERSION %v <@v> { %entry(): STORE <@fr> @held~ @nowhere STORE <@rbox> @boxed~ @nobox\n"
    "  STORE <@stack> @away~ @nostack STORE <@stack> @mine~ @nostack RET () }\n"
    ".funcdef @makeBox~ VERSION %v <@v> { %entry(): %o = NEW <@box> STORE <@rbox> @boxed~ %o RET () }\n"
    /* Between the cell and the object. */
    ".funcdef @fill~ VERSION %v <@v> { %entry(): %o = LOAD <@rbox> @boxed~ %p = GETIREF <@box> %o\n"
    "  %f = GETFIELDIREF <@box 1> %p %h = LOAD <@fr> @held~ STORE <@fr> %f %h STORE <@fr> @held~ @nowhere\n"
    "  RET () }\n"
    ".funcdef @empty~ VERSION %v <@v> { %entry(): %o = LOAD <@rbox> @boxed~ %p = GETIREF <@box> %o\n"
    "  %f = GETFIELDIREF <@box 1> %p %h = LOAD <@fr> %f STORE <@fr> @held~ %h STORE <@fr> %f @nowhere RET "
    "()\n"
    "}\n"
    ".funcdef @toTag~ VERSION %v <@v> { %entry(): %o = LOAD <@rbox> @boxed~ %v = REFCAST <@rbox @rv> %o\n"
    "  %t = COMMINST @uvm.tr64.from_ref (%v @five) STORE <@tag> @tagged~ %t STORE <@rbox> @boxed~ @nobox\n"
    "  RET () }\n"
    ".funcdef @fromTag~ VERSION %v <@v> { %entry(): %t = LOAD <@tag> @tagged~\n"
    "  %v = COMMINST @uvm.tr64.to_ref (%t) %o = REFCAST <@rv @rbox> %v STORE <@rbox> @boxed~ %o\n"
    "  %n = COMMINST @uvm.tr64.from_fp (@zero) STORE <@tag> @tagged~ %n RET () }\n"
    ".funcdef @toWeak~ VERSION %v <@v> { %entry(): %o = LOAD <@rbox> @boxed~ STORE <@wbox> @weak~ %o\n"
    "  STORE <@rbox> @boxed~ @nobox RET () }\n"
    ".funcdef @weakIsGone~ VERSION %v <@i> { %entry(): %o = LOAD <@wbox> @weak~\n"
    "  %c = EQ <@rbox> %o @nobox BRANCH2 %c %gone() %there() %gone(): RET @1 %there(): RET @0 }\n"
    /* @work~ runs what is held on a stack of its own; @pause~ leaves that, @resume~ goes back to it. */
    ".funcdef @work~ VERSION %v <@v> { %entry(): %r = CALL <@i> @enterHeld~ () STORE <@i64> @result~ %r\n"
    "  %s = LOAD <@stack> @mine~ SWAPSTACK %s KILL_OLD PASS_VALUES <> () }\n"
    ".funcdef @drive~ VERSION %v <@v> { %entry(): %me = COMMINST @uvm.current_stack\n"
    "  STORE <@stack> @mine~ %me %s = COMMINST @uvm.new_stack <[@v]> (@work~)\n"
    "  SWAPSTACK %s RET_WITH <> PASS_VALUES <> () RET () }\n"
    ".funcdef @pause~ VERSION %v <@v> { %entry(): %me = COMMINST @uvm.current_stack\n"
    "  STORE <@stack> @away~ %me %s = LOAD <@stack> @mine~ SWAPSTACK %s RET_WITH <> PASS_VALUES <> () RET "
    "()\n"
    "}\n"
    ".funcdef @resume~ VERSION %v <@i> { %entry(): %me = COMMINST @uvm.current_stack\n"
    "  STORE <@stack> @mine~ %me %s = LOAD <@stack> @away~ SWAPSTACK %s RET_WITH <> PASS_VALUES <> ()\n"
    "  %r = LOAD <@i64> @result~ RET %r }\n"
    ".funcdef @raises~ VERSION %v <@i> { %entry(): CCALL #DEFAULT <@fp @v> @inside () %o = NEW <@box>\n"
    "  THROW %o }\n"
    ".expose @c_callHeld~ = @callHeld~ #DEFAULT @0 .expose @c_enterHeld~ = @enterHeld~ #DEFAULT @0\n"
    ".expose @c_drop~ = @drop~ #DEFAULT @0 .expose @c_makeBox~ = @makeBox~ #DEFAULT @0\n"
    ".expose @c_fill~ = @fill~ #DEFAULT @0 .expose @c_empty~ = @empty~ #DEFAULT @0\n"
    ".expose @c_toTag~ = @toTag~ #DEFAULT @0 .expose @c_fromTag~ = @fromTag~ #DEFAULT @0\n"
    ".expose @c_toWeak~ = @toWeak~ #DEFAULT @0 .expose @c_weakIsGone~ = @weakIsGone~ #DEFAULT @0\n"
    ".expose @c_drive~ = @drive~ #DEFAULT @0 .expose @c_pause~ = @pause~ #DEFAULT @0\n"
    ".expose @c_resume~ = @resume~ #DEFAULT @0\n";
/* What a client asks the image machine for. */
static const char* const inImage[] = {"c_callHeld~", "c_enterHeld~", "c_drop~",    "c_makeBox~",   "c_fill~",
                                      "c_empty~",    "c_toTag~",     "c_fromTag~", "c_toWeak~",    "c_drive~",
                                      "c_pause~",    "c_resume~",    "flag~",      "begun~",       "held~",
                                      "boxed~",      "raises~",      "pause~",     "c_weakIsGone~"};
static const char* const sharedInImage[] = {
    "c_callShared", "shared", "callShared", "fp", "box", "fr", "i",
    "ii",           "v",      "i64",        "0",  "1",   "7",  "inside"};

static _Thread_local int number;
static _Thread_local void (*action)(void);

static void inside(void) { action(); }

/* The text with the thread's number in the place of '~'; good until the next call. */
static const char* own(const char* text) {
  static _Thread_local char* made;
  char* end;
  free(made);
  made = malloc(strlen(text) + 1);
  strcpy(made, text);
  for (end = made; *end; ++end)
    if (*end == '~') *end = (char)('0' + number);
  return made;
}

static MuCFP native(const char* name) {
  MuValue value = ctx->handle_from_expose(ctx, id(own(name)));
  MuCFP code = ctx->handle_to_fp(ctx, value);
  ctx->delete_value(ctx, value);
  CHECK(code);
  return code;
}
static void work(const char* name) { ((Work*)native(name))(); }
static int64_t call(const char* name) { return ((Plain*)native(name))(); }

static void setCell(const char* name, MuValue value) {
  MuValue cell = ctx->handle_from_global(ctx, id(own(name)));
  ctx->store(ctx, MU_ORD_SEQ_CST, cell, value);
  ctx->delete_value(ctx, value);
  ctx->delete_value(ctx, cell);
}
static int64_t cell(const char* name) {
  MuValue place = ctx->handle_from_global(ctx, id(own(name)));
  MuValue value = ctx->load(ctx, MU_ORD_SEQ_CST, place);
  int64_t result = ctx->handle_to_sint64(ctx, value);
  ctx->delete_value(ctx, value);
  ctx->delete_value(ctx, place);
  return result;
}

/* Words that functions have left below keep what they point to, and new threads get the stacks of old ones.
 * AddressSanitizer would leave gaps about the variable. */
static __attribute__((noinline, no_sanitize("address"))) void wipe(void) {
  char space[1 << 17];
  memset(space, 0, sizeof space);
  __asm__ volatile("" ::"r"(space) : "memory");
}
static void collect(void) {
  wipe();
  mvm->collect(mvm);
}

/* --- Plug-ins --- */

/* Loads a bundle with @plug~, which from now on nothing but @held~ refers to. */
static MuID install(const char* text) {
  const char* mine = own(text);
  MuID member;
  ctx->load_collectible(ctx, (char*)(uintptr_t)mine, strlen(mine));
  NO_ERROR();
  member = id(own("plug~"));
  setCell("held~", ctx->handle_from_func(ctx, member));
  ctx->unload(ctx, member);
  NO_ERROR();
  return member;
}

static int isKnown(MuID member) {
  int known;
  wipe();
  known = ctx->why(ctx, member) != NULL;
  mvm->clear_error(mvm);
  return known;
}
static int isThere(MuID member) {
  const char* way;
  collect();
  way = ctx->why(ctx, member);
  mvm->clear_error(mvm);
  return way && strncmp(way, "nothing reaches it", 18) != 0;
}

static const char* const looks =
    ".funcdef @plug~ VERSION %v <@i> { %entry(): CCALL #DEFAULT <@fp @v> @inside () RET @7 }";

/* Bundles that are to be gone afterwards. */
static _Thread_local MuID current, second;

/* The cell that referred to it has been overwritten, and it runs on. */
static void loseInside(void) {
  work("c_drop~");
  CHECK(isThere(current));
  CHECK(isThere(current));
}
static void activeFrame(void) {
  current = install(looks);
  action = loseInside;
  CHECK(call("c_callHeld~") == 7);
}

/* The cell refers to something else. */
static void overwrite(void) { setCell("held~", ctx->handle_from_func(ctx, id(own("raises~")))); }
static void swappedOut(const char* text) {
  current = install(text);
  work("c_drive~");
  overwrite();
  CHECK(isThere(current) && isThere(current));
  CHECK(call("c_resume~") == 7);
  work("c_drop~");
}
static void swappedOutStack(void) {
  swappedOut(".funcdef @plug~ VERSION %v <@i> { %entry(): CALL <@v> @pause~ () RET @7 }");
}
static void pauseInside(void) { work("c_pause~"); }
/* The native frame that called lies between. */
static void stackThroughNativeCode(void) {
  action = pauseInside;
  swappedOut(looks);
}
/* The stack never comes back. */
static void lostStack(void) {
  current = install(".funcdef @plug~ VERSION %v <@i> { %entry(): CALL <@v> @pause~ () RET @7 }");
  work("c_drive~");
  overwrite();
  CHECK(isThere(current));
  work("c_drop~");
}

static _Thread_local int answersByThrowing;
static _Thread_local int traps;
static void onTrap(MuCtx* handler, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid,
                   MuTrapHandlerResult* result, MuStackRefValue* next, MuValue** values, MuArraySize* count,
                   MuValuesFreer* freer, MuCPtr* freerData, MuRefValue* exception, MuCPtr data) {
  (void)thread, (void)stack, (void)wpid, (void)next, (void)values, (void)count, (void)freer, (void)freerData,
      (void)data;
  ++traps;
  loseInside();
  *result = answersByThrowing ? MU_REBIND_THROW_EXC : MU_REBIND_PASS_VALUES;
  if (answersByThrowing) *exception = handler->new_fixed(handler, handler->id_of(handler, "box"));
}
static void trapped(int throws) {
  const int before = traps;
  answersByThrowing = throws;
  current = install(
      ".funcdef @plug~ VERSION %v <@i> { %entry(): TRAP <> EXC(%on() %bad()) %on(): RET @7\n"
      "  %bad() [%e]: RET @1 }");
  CHECK(call("c_callHeld~") == (throws ? 1 : 7));
  CHECK(traps == before + 1);
}
static void trappedStack(void) { trapped(0); }
static void trappedStackToBeThrownInto(void) { trapped(1); }
static void frameToBeThrownInto(void) {
  current = install(
      ".funcdef @plug~ VERSION %v <@i> { %entry(): %r = CALL <@i> @raises~ () EXC(%on() %bad())\n"
      "  %on(): RET @1 %bad() [%e]: RET @7 }");
  action = loseInside;
  CHECK(call("c_callHeld~") == 7);
}

static void inObjects(void) {
  work("c_makeBox~");
  current = install(looks);
  action = wipe;
  work("c_fill~");
  CHECK(isThere(current));
  work("c_toTag~");
  CHECK(isThere(current) && isThere(current));
  work("c_fromTag~");
  work("c_empty~");
  CHECK(call("c_callHeld~") == 7);
  work("c_fill~");
  work("c_toWeak~");
}

/* In an object of the image, where @boxed~ points in a machine that begins with one. */
static void inImageObject(void) {
  current = install(looks);
  action = wipe;
  work("c_fill~");
  CHECK(isThere(current) && isThere(current));
  work("c_empty~");
  CHECK(call("c_callHeld~") == 7);
  work("c_fill~");
  CHECK(isThere(current));
  work("c_empty~");
  overwrite();
}

/* In the middle of a recursion, across two bundles that name each other. */
static void mutualRecursion(void) {
  const char* other;
  MuID second;
  const char* text =
      own(".funcdecl @odd~ <@ii>\n"
          ".funcdef @even~ VERSION %v <@ii> { %entry(<@i64> %n): %z = EQ <@i64> %n @0\n"
          "  BRANCH2 %z %end() %more(%n)\n"
          "  %end(): CCALL #DEFAULT <@fp @v> @inside () RET @7\n"
          "  %more(<@i64> %n): %m = SUB <@i64> %n @1 %r = CALL <@ii> @odd~ (%m) RET %r }\n"
          ".const @ten~ <@i64> = 10\n"
          ".funcdef @plug~ VERSION %v <@i> { %entry(): %r = CALL <@ii> @even~ (@ten~) RET %r }");
  ctx->load_collectible(ctx, (char*)(uintptr_t)text, strlen(text));
  NO_ERROR();
  other =
      own(".const @other~ <@i64> = 7 .funcdef @odd~ VERSION %v <@ii> {\n"
          "  %entry(<@i64> %n): %m = SUB <@i64> %n @1 %r = CALL <@ii> @even~ (%m) RET %r }");
  ctx->load_collectible(ctx, (char*)(uintptr_t)other, strlen(other));
  NO_ERROR();
  second = id(own("other~"));
  current = id(own("plug~"));
  setCell("held~", ctx->handle_from_func(ctx, current));
  ctx->unload(ctx, current);
  ctx->unload(ctx, second);
  NO_ERROR();
  action = loseInside;
  CHECK(call("c_callHeld~") == 7);
}

/* The code of one bundle lies in that of another, too. */
static void inlinedElsewhere(void) {
  const char* text = own(".funcdef @small~ VERSION %v <@i> { %entry(): RET @7 }");
  ctx->load_collectible(ctx, (char*)(uintptr_t)text, strlen(text));
  NO_ERROR();
  second = id(own("small~"));
  current = install(
      ".funcdef @plug~ VERSION %v <@i> { %entry(): %a = CALL <@i> @small~ ()\n"
      "  CCALL #DEFAULT <@fp @v> @inside () %b = CALL <@i> @small~ () %c = SUB <@i64> %a %b\n"
      "  %d = ADD <@i64> %c @7 RET %d }");
  ctx->unload(ctx, second);
  action = loseInside;
  CHECK(isThere(second));
  CHECK(call("c_callHeld~") == 7);
}

/* A leaf: no return address leads into it, and only the registers of the thread that is stopped there do. */
static void* spin(void* argument) {
  wipe();
  number = (int)(intptr_t)argument;
  ctx = mvm->new_context(mvm);
  CHECK(call("c_enterHeld~") == 7);
  ctx->close_context(ctx);
  mvm->detach_current_thread(mvm);
  return NULL;
}
static void signalFrame(void) {
  pthread_t thread;
  int i;
  setCell("flag~", int64(0));
  setCell("begun~", int64(0));
  current = install(
      ".funcdef @plug~ VERSION %v <@i> { %entry(): STORE SEQ_CST <@i64> @begun~ @1 BRANCH %loop()\n"
      "  %loop(): %f = LOAD SEQ_CST <@i64> @flag~ %c = EQ <@i64> %f @0 BRANCH2 %c %loop() %end()\n"
      "  %end(): RET @7 }");
  CHECK(pthread_create(&thread, NULL, spin, (void*)(intptr_t)number) == 0);
  while (cell("begun~") == 0) usleep(100);
  overwrite();
  for (i = 0; i < 5; ++i) CHECK(isThere(current));
  setCell("flag~", int64(1));
  pthread_join(thread, NULL);
}

/* --- Threads --- */

static int rounds = 2;
static int isOfImage;
static _Atomic int running;

typedef struct Trap {
  const char* what;
  void (*body)(void);
} Trap;
static const Trap all[] = {{"an active frame", activeFrame},
                           {"a stack that waits", swappedOutStack},
                           {"a stack with native frames", stackThroughNativeCode},
                           {"a stack that is lost", lostStack},
                           {"a trapped stack", trappedStack},
                           {"a trapped stack that goes on by throwing", trappedStackToBeThrownInto},
                           {"a frame that is thrown into", frameToBeThrownInto},
                           {"objects", inObjects},
                           {"mutual recursion", mutualRecursion},
                           {"code with a copy", inlinedElsewhere},
                           {"a thread in a leaf", signalFrame}};
enum { kTraps = sizeof all / sizeof all[0] };
#ifdef __SANITIZE_ADDRESS__
/* Frames have such wide gaps that a word in one of them may stay for as long as the other threads wait. */
enum { kPatience = 200, kMayStayInGaps = 1 };
#else
enum { kPatience = 5000, kMayStayInGaps = 0 };
#endif
static const Trap imageObject = {"an object of an image", inImageObject};

typedef struct Job {
  const Trap* trap;
  int number;
  MuID members[2];
} Job;
static void* doJob(void* argument) {
  Job* job = argument;
  wipe();
  number = job->number;
  ctx = mvm->new_context(mvm);
  job->trap->body();
  NO_ERROR();
  job->members[0] = current;
  job->members[1] = second;
  ctx->close_context(ctx);
  mvm->detach_current_thread(mvm);
  return NULL;
}
/* Another thread looks whether all is gone, whose stack has never had to do with it. */
static __attribute__((noinline)) void fallsInto(const Trap* trap) {
  Job job = {trap, number, {0, 0}};
  pthread_t thread;
  int i, j;
  CHECK(pthread_create(&thread, NULL, doJob, &job) == 0);
  pthread_join(thread, NULL);
  for (i = 0; i < 2 && job.members[i] != 0; ++i) {
    /* Gaps in the frames of others may hold a word of what was there before, as long as those are active. */
    for (j = 0; j < kPatience && isKnown(job.members[i]); ++j) {
      /* Nor shall this thread keep what another one waits for. */
      wipe();
      usleep(1000);
    }
    if (j == kPatience) {
      const char* way = ctx->why(ctx, job.members[i]);
      mvm->clear_error(mvm);
      if (kMayStayInGaps && (!way || strncmp(way, "the stack of a thread", 21) == 0)) continue;
      fprintf(stderr, "thread %d, %s: %s", number, trap->what, way);
      CHECK(!"it is gone");
    }
  }
  CHECK(call("c_weakIsGone~") == 1);
}

static void* worker(void* argument) {
  int round, i;
  int64_t last = 0;
  wipe();
  number = (int)(intptr_t)argument;
  ctx = mvm->new_context(mvm);
  if (isOfImage) fallsInto(&imageObject);
  for (round = 0; round < rounds; ++round)
    for (i = 0; i < kTraps; ++i) {
      wipe();
      fallsInto(&all[(i + number) % kTraps]);
    }
  --running;
  /* Enters what is being redefined, until the last version says so. */
  while (last >= 0) {
    const int64_t next = call("c_callShared");
    wipe();
    CHECK(next == -1 || next >= last);
    last = next;
  }
  ctx->close_context(ctx);
  mvm->detach_current_thread(mvm);
  return NULL;
}

static void redefine(int64_t result) {
  char text[200];
  static int versions;
  ++versions;
  sprintf(text,
          ".const @answer%d <@i64> = %lld .funcdef @shared VERSION %%v%d <@i> { %%entry(): RET @answer%d }",
          versions, (long long)result, versions, versions);
  load(text);
}

static void inThreads(void) {
  pthread_t threads[kThreads];
  int i;
  running = kThreads;
  for (i = 0; i < kThreads; ++i) CHECK(pthread_create(&threads[i], NULL, worker, (void*)(intptr_t)i) == 0);
  for (i = 0; running > 0 || i % 50 != 0; ++i) {
    redefine(i);
    collect();
    usleep(1000);
  }
  redefine(-1);
  for (i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
}

static void loadHomes(void) {
  load(common);
  for (number = 0; number < kThreads; ++number) load(own(home));
  number = 0;
}

static void inMachine(const char* options) {
  MuValue pointer;
  start(options);
  load(".typedef @early_void = void .funcsig @early_v = () -> () .typedef @early_fp = ufuncptr<@early_v>");
  pointer = ctx->handle_from_fp(ctx, id("early_fp"), (MuCFP)inside);
  ctx->bind_symbol(ctx, (char*)(uintptr_t) "code_traps_inside", pointer);
  loadHomes();
  mvm->set_trap_handler(mvm, onTrap, NULL);
  inThreads();
}

static void fromImage(const char* options) {
  static char path[] = "/tmp/gaur-code-traps.XXXXXX";
  const GaurSymbol given = {"code_traps_inside", (void*)(uintptr_t)inside};
  enum {
    kOwn = sizeof inImage / sizeof inImage[0],
    kShared = sizeof sharedInImage / sizeof sharedInImage[0]
  };
  MuID whitelist[kThreads * kOwn + kShared];
  size_t count = 0, i;
  int file = mkstemp(path);
  CHECK(file >= 0);
  close(file);
  start(NULL);
  loadHomes();
  for (number = 0; number < kThreads; ++number) {
    work("c_makeBox~");
    for (i = 0; i < kOwn; ++i) whitelist[count++] = id(own(inImage[i]));
  }
  number = 0;
  for (i = 0; i < kShared; ++i) whitelist[count++] = id(sharedInImage[i]);
  NO_ERROR();
  ctx->make_boot_image(ctx, whitelist, count, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0, path);
  finish();
  mvm = gaur_load_image(path, options, &given, 1);
  if (!mvm) fprintf(stderr, "%s\n", gaur_new_error());
  CHECK(mvm);
  unlink(path);
  ctx = mvm->new_context(mvm);
  mvm->set_trap_handler(mvm, onTrap, NULL);
  isOfImage = 1;
  inThreads();
  finish();
}

int main(int argc, char** argv) {
  const char* options = getenv("GAUR_GC_STRESS") ? NULL : "gc-stress=5";
  if (getenv("GAUR_GC_STRESS")) rounds = 1;
  if (argc > 1) rounds = atoi(argv[1]);
  inMachine(options);
  finish();
  fromImage(options);
  return 0;
}
