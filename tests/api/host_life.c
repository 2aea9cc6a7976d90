/* How host functions end: six ways of losing one, each with its finaliser counted and memory that stays; a
 * million made and dropped; with all sorts of things that keep one first; and from four threads. Arguments:
 * how many rounds, and how many for the million. */
#include <pthread.h>

#define CLIENT_THREAD _Thread_local
#include "host.h"

static int64_t rounds = 100000;

/* Pointers that C holds lie on its stack, where they keep what they point to: tests overwrite it. */
static __attribute__((noinline)) void wipe(void) {
  volatile char space[8192];
  size_t i;
  for (i = 0; i < sizeof space; ++i) space[i] = 0;
}
/* Runs `round` so often; each makes one function. All of them end, once, and memory is as it was after half
 * of them. */
static void lose(const char* what, void (*round)(void), int64_t count) {
  const int64_t before = finalised;
  int64_t warm = 0, grown, i;
  for (i = 0; i < count; ++i) {
    round();
    if (i == count / 2) warm = resident();
  }
  for (i = 0; i < 3; ++i) {
    wipe();
    mvm->collect(mvm);
  }
  grown = resident() - warm;
  if (finalised - before != count || grown > 1 << 20)
    fprintf(stderr, "%s: %lld of %lld finalised, %lld bytes grown\n", what, (long long)(finalised - before),
            (long long)count, (long long)grown);
  CHECK(finalised - before == count);
  CHECK(grown <= 1 << 20);
  NO_ERROR();
}

static void dropHandle(void) { ctx->delete_value(ctx, make(1)); }

static void closeContext(void) {
  MuCtx* outer = ctx;
  ctx = mvm->new_context(mvm);
  make(1);
  ctx->close_context(ctx);
  ctx = outer;
}

static Number* caught;

static int64_t raising(int64_t x, MuCPtr data) {
  MuCtx* here = mvm->current_context(mvm);
  CHECK(x == 1 && ((Environment*)data)->magic == kMagic);
  here->throw_exception(here, here->new_fixed(here, here->id_of(here, "i64")));
  return 0;
}
static void throwOut(void) {
  MuUFPValue f = makeWith(raising, newEnvironment(1), "raising");
  bind("host_named", f);
  CHECK(caught(1) == 0);
  bind("host_named", NULL);
  ctx->delete_value(ctx, f);
}

static int64_t disposing(int64_t x, MuCPtr data) {
  Environment* environment = data;
  ctx->dispose_host_function(ctx, environment->self);
  CHECK(environment->magic == kMagic);
  return x + environment->number;
}
static void disposeItself(void) {
  Environment* environment = newEnvironment(5);
  MuUFPValue f = environment->self = makeWith(disposing, environment, "disposing");
  bind("host_named", f);
  CHECK(caught(1) == 6 && caught(1) == -1);
  bind("host_named", NULL);
  ctx->delete_value(ctx, f);
}

/* A name of the C library, in code that was compiled while it stood for the library's function. */
static Number* absolute;

static void plainName(void) {
  MuUFPValue f = make(3);
  bind("imaxabs", f);
  CHECK(absolute(-5) == -2);
  bind("imaxabs", NULL);
  ctx->delete_value(ctx, f);
  CHECK(absolute(-5) == 5);
}

static int64_t unbinding(int64_t x, MuCPtr data) {
  Environment* environment = data;
  bind("imaxabs", NULL);
  mvm->collect(mvm);
  mvm->collect(mvm);
  CHECK(environment->magic == kMagic);
  return x + environment->number;
}
static __attribute__((noinline)) void bindUnbinding(void) {
  MuUFPValue f = makeWith(unbinding, newEnvironment(7), "unbinding");
  bind("imaxabs", f);
  ctx->delete_value(ctx, f);
}
static void plainNameInside(void) {
  bindUnbinding();
  CHECK(absolute(-5) == 2 && absolute(-5) == 5);
}

static void (*hold)(MuCFP), (*drop)(void);

/* Environment -> weak handle -> Mu object -> function -> environment. */
static int64_t useWeak(int64_t x, MuCPtr data) {
  MuRefValue object = ctx->strong_ref(ctx, ((Environment*)data)->weak);
  MuIRefValue iref = ctx->get_iref(ctx, object);
  CHECK(iref);
  ctx->delete_value(ctx, iref);
  ctx->delete_value(ctx, object);
  return x;
}
static void finaliseWeak(MuCPtr data) {
  ctx->delete_value(ctx, ((Environment*)data)->weak);
  finalise(data);
}
static void cycle(void) {
  Environment* environment = newEnvironment(1);
  MuUFPValue f = ctx->new_host_function(ctx, id("sig"), (MuCFP)useWeak, environment, finaliseWeak, "weak");
  MuValue object, cell = ctx->handle_from_global(ctx, id("held"));
  hold(ctx->handle_to_fp(ctx, f));
  object = ctx->load(ctx, MU_ORD_NOT_ATOMIC, cell);
  environment->weak = ctx->weak_ref(ctx, object);
  CHECK(((Through*)native("c_through"))(ctx->handle_to_fp(ctx, f), 3) == 3);
  drop();
  ctx->delete_value(ctx, object);
  ctx->delete_value(ctx, cell);
  ctx->delete_value(ctx, f);
}

/* --- What keeps one --- */

static void noneEnds(const char* what) {
  const int64_t before = finalised;
  int i;
  for (i = 0; i < 3; ++i) mvm->collect(mvm);
  if (finalised != before) fprintf(stderr, "%s\n", what);
  CHECK(finalised == before);
}
static void oneEnds(const char* what) {
  const int64_t before = finalised;
  int i;
  for (i = 0; i < 3 && finalised == before; ++i) mvm->collect(mvm);
  if (finalised != before + 1) fprintf(stderr, "%s\n", what);
  CHECK(finalised == before + 1);
}

static MuCFP dropped(void) {
  MuUFPValue f = make(1);
  MuCFP pointer = ctx->handle_to_fp(ctx, f);
  ctx->delete_value(ctx, f);
  return pointer;
}
static __attribute__((noinline)) void holdOne(void) { hold(dropped()); }
static __attribute__((noinline)) void pinOne(MuCFP* hidden) {
  MuUFPValue f = make(1);
  *hidden = (MuCFP) ~(uintptr_t)ctx->pin_host_function(ctx, f);
  ctx->delete_value(ctx, f);
}
static __attribute__((noinline)) void unpinOne(MuCFP hidden) {
  MuUFPValue f = ctx->handle_from_fp(ctx, id("fp"), (MuCFP) ~(uintptr_t)hidden);
  ctx->unpin_host_function(ctx, f);
  ctx->delete_value(ctx, f);
}
static __attribute__((noinline)) void bindOne(void) {
  MuUFPValue f = make(1);
  bind("host_named", f);
  ctx->delete_value(ctx, f);
}
static __attribute__((noinline)) void storeOne(void) {
  MuValue cell = ctx->handle_from_global(ctx, id("cell")), f = make(1);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, cell, f);
  ctx->delete_value(ctx, f);
  ctx->delete_value(ctx, cell);
}
static __attribute__((noinline)) void storeNone(void) {
  MuValue cell = ctx->handle_from_global(ctx, id("cell")), f = ctx->handle_from_fp(ctx, id("fp"), NULL);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, cell, f);
  ctx->delete_value(ctx, f);
  ctx->delete_value(ctx, cell);
}

static void keepers(void) {
  MuCFP hidden = NULL;
  MuUFPValue f = make(1);
  wipe();
  noneEnds("a handle keeps it");
  ctx->delete_value(ctx, f);
  wipe();
  oneEnds("a deleted handle does not");
  holdOne();
  wipe();
  noneEnds("an object keeps it");
  drop();
  wipe();
  oneEnds("a dropped object does not");
  storeOne();
  wipe();
  noneEnds("a cell keeps it");
  storeNone();
  wipe();
  oneEnds("a cell with something else does not");
  pinOne(&hidden);
  wipe();
  noneEnds("a pin keeps it");
  unpinOne(hidden);
  wipe();
  oneEnds("a pin that is taken back does not");
  bindOne();
  wipe();
  noneEnds("a name keeps it");
  CHECK(caught(1) == 2);
  bind("host_named", NULL);
  wipe();
  oneEnds("a name that stands for something else does not");
  NO_ERROR();
}

/* --- Threads --- */

static _Atomic int failures;
static void* worker(void* argument) {
  const int64_t mine = (int64_t)(intptr_t)argument;
  Through* through;
  int64_t i;
  ctx = mvm->new_context(mvm);
  through = (Through*)native("c_through");
  for (i = 0; i < mine; ++i) {
    MuUFPValue f = make(i);
    if (through(ctx->handle_to_fp(ctx, f), 1) != i + 1) ++failures;
    if (i % 3 == 0) ctx->dispose_host_function(ctx, f);
    ctx->delete_value(ctx, f);
    if (i % 1000 == 999) mvm->collect(mvm);
  }
  ctx->close_context(ctx);
  mvm->detach_current_thread(mvm);
  return NULL;
}
static void inThreads(int64_t each) {
  pthread_t threads[4];
  const int64_t before = finalised;
  int i;
  for (i = 0; i < 4; ++i) CHECK(pthread_create(&threads[i], NULL, worker, (void*)(intptr_t)each) == 0);
  for (i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  CHECK(failures == 0);
  for (i = 0; i < 3; ++i) {
    wipe();
    mvm->collect(mvm);
  }
  CHECK(finalised - before == 4 * each);
}

/* Those that are left when the machine closes; a finaliser may still call it. */
static void closeMachine(int64_t count) {
  int64_t before, i;
  start(NULL);
  load(hostBundle);
  caught = (Number*)native("c_caught");
  before = finalised;
  for (i = 1; i < count; ++i) make(i);
  bindOne();
  finish();
  CHECK(finalised - before == count);
}

int main(int argc, char** argv) {
  int64_t million = argc > 2 ? atoll(argv[2]) : 0, warm = 0, i;
  if (getenv("GAUR_GC_STRESS")) rounds = 300;
  if (argc > 1) rounds = atoll(argv[1]);
  start(NULL);
  load(hostBundle);
  caught = (Number*)native("c_caught");
  hold = (void (*)(MuCFP))native("c_hold");
  drop = (void (*)(void))native("c_drop");
  keepers();
  lose("handle", dropHandle, rounds);
  lose("context", closeContext, rounds);
  lose("exception", throwOut, rounds);
  lose("disposed inside itself", disposeItself, rounds);
  lose("cycle", cycle, rounds);
  absolute = (Number*)native("c_labs");
  CHECK(absolute(-5) == 5);
  lose("plain name", plainName, rounds);
  lose("plain name, inside", plainNameInside, rounds / 100);
  if (million > 0) lose("million", dropHandle, million);
  inThreads(rounds / 10);
  finish();
  for (i = 0; i < 10; ++i) {
    if (i == 5) warm = resident();
    closeMachine(rounds / 10);
  }
  CHECK(resident() - warm <= 4 << 20);
  return 0;
}
