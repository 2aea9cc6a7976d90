/* What the C clients of the tests share: one machine and one context, checks that tell where they failed, and
 * what an error was. Plain C, and nothing but the headers that clients have. */
#ifndef GAUR_TESTS_CLIENT_H
#define GAUR_TESTS_CLIENT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mu/gaur.h"

/* A client of several threads defines it as _Thread_local. */
#ifndef CLIENT_THREAD
#define CLIENT_THREAD
#endif
static MuVM* mvm;
static CLIENT_THREAD MuCtx* ctx;

#define CHECK(condition) check((condition) != 0, #condition, __FILE__, __LINE__)
/* The call fails with the error of this code, and returns nothing. */
#define FAILS(code, call)             \
  do {                                \
    mvm->clear_error(mvm);            \
    CHECK((call) == 0);               \
    failed(code, __FILE__, __LINE__); \
  } while (0)
#define FAILS_VOID(code, call)        \
  do {                                \
    mvm->clear_error(mvm);            \
    call;                             \
    failed(code, __FILE__, __LINE__); \
  } while (0)
/* Nothing has failed since the last check. */
#define NO_ERROR() noError(__FILE__, __LINE__)

static inline void check(int holds, const char* what, const char* file, int line) {
  MuError error;
  if (holds) return;
  fprintf(stderr, "%s:%d: %s\n", file, line, what);
  if (mvm && mvm->get_error(mvm, &error)) fprintf(stderr, "last error: [%s] %s\n", error.code, error.message);
  exit(1);
}

static inline void failed(const char* code, const char* file, int line) {
  MuError error;
  check(mvm->get_error(mvm, &error), "no error is recorded", file, line);
  if (strcmp(error.code, code) != 0) {
    fprintf(stderr, "wanted %s\n", code);
    check(0, "another error", file, line);
  }
  mvm->clear_error(mvm);
}

static inline void noError(const char* file, int line) {
  check(!mvm->get_error(mvm, NULL), "an error is recorded", file, line);
}

static inline void start(const char* options) {
  mvm = gaur_new(options);
  if (!mvm) fprintf(stderr, "%s\n", gaur_new_error());
  CHECK(mvm);
  ctx = mvm->new_context(mvm);
  CHECK(ctx);
}

static inline void finish(void) {
  NO_ERROR();
  ctx->close_context(ctx);
  NO_ERROR();
  mvm->close(mvm);
  mvm = NULL;
}

static inline void load(const char* text) {
  char* copy = malloc(strlen(text) + 1);
  strcpy(copy, text);
  ctx->load_bundle(ctx, copy, strlen(text));
  NO_ERROR();
  /* The machine keeps nothing of it. */
  memset(copy, 'x', strlen(text));
  free(copy);
}

static inline void writeFile(const char* path, const char* text) {
  FILE* file = fopen(path, "w");
  CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static inline MuID id(const char* name) { return ctx->id_of(ctx, (char*)(uintptr_t)name); }
static inline MuIntValue int64(int64_t number) { return ctx->handle_from_sint64(ctx, number, 64); }
static inline MuFuncRefValue function(const char* name) { return ctx->handle_from_func(ctx, id(name)); }

#endif
