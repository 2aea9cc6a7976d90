/* The interface where threads end and when the process exits: in destructors of thread-specific keys, which
 * come after those of C++, and in functions that exit calls. Errors, calls and collections work there, and
 * what a thread attached so late is detached all the same. */
#include <pthread.h>

#include "client.h"

static const char* const bundle =
    ".typedef @i64 = int<64> .typedef @void = void .const @0 <@i64> = 0 .const @1 <@i64> = 1 .funcsig @i_i = "
    "(@i64) -> (@i64)\n"
    ".funcdef @next VERSION %v <@i_i> { %entry(<@i64> %n): %o = NEW <@void> %m = ADD <@i64> %n @1 RET %m } "
    ".expose @next_c = @next #DEFAULT @0\n";

typedef int64_t Function(int64_t);
static Function* next;
static pthread_key_t early, late;
static int ended;

/* An error with a message of some length, twice, and a call. */
static void useAll(void) {
  static const char unknown[] = "a_name_that_is_too_long_for_the_place_in_a_string_itself";
  MuError error;
  int i;
  for (i = 0; i < 2; ++i) {
    CHECK(mvm->id_of(mvm, (MuName)(uintptr_t)unknown) == 0);
    CHECK(mvm->get_error(mvm, &error));
    CHECK(strcmp(error.code, "A0008") == 0 && strstr(error.message, unknown));
  }
  mvm->clear_error(mvm);
  CHECK(!mvm->get_error(mvm, NULL));
  CHECK(next(41) == 42);
  CHECK(gaur_new("nonsense=1") == NULL);
  CHECK(strstr(gaur_new_error(), "nonsense"));
}

static void atEnd(void* value) {
  useAll();
  __atomic_fetch_add(&ended, 1, __ATOMIC_SEQ_CST);
  (void)value;
}

static void* thread(void* isQuiet) {
  CHECK(pthread_setspecific(early, &ended) == 0);
  CHECK(pthread_setspecific(late, &ended) == 0);
  /* One is not attached before its destructors run. */
  if (!isQuiet) useAll();
  return NULL;
}

static void threads(void) {
  enum { kThreads = 20 };
  pthread_t handles[kThreads];
  int i;
  for (i = 0; i < kThreads; ++i)
    CHECK(pthread_create(&handles[i], NULL, thread, i % 2 == 0 ? &ended : NULL) == 0);
  for (i = 0; i < kThreads; ++i) CHECK(pthread_join(handles[i], NULL) == 0);
  CHECK(ended == 2 * kThreads);
  /* A collection would wait for a thread that is gone and still attached. */
  for (i = 0; i < 200000; ++i) next(i);
}

/* Nobody else is attached, or this would be an error. */
static void atExit(void) {
  useAll();
  CHECK(ctx->id_of(ctx, (MuName)(uintptr_t) "next") != 0);
  ctx->close_context(ctx);
  mvm->close(mvm);
  /* It is gone; an error would have left it. */
  mvm = NULL;
}

int main(void) {
  CHECK(pthread_key_create(&early, atEnd) == 0);
  start(NULL);
  load(bundle);
  next = (Function*)ctx->handle_to_fp(ctx, ctx->handle_from_expose(ctx, id("next_c")));
  useAll();
  CHECK(pthread_key_create(&late, atEnd) == 0);
  threads();
  CHECK(atexit(atExit) == 0);
  return 0;
}
