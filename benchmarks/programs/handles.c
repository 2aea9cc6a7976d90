// handles WHAT N: what clients of the C interface do most, N times. Prints N and ns each. Needs libgaur.
//   make   a handle of an int<64>, deleted at once      close  the same, deleted all together by closing
//   their context call   an exposed function, called where no Mu code is below      pointer  a C function
//   through a pointer pin    an object pinned and unpinned; 100,000 others are pinned
#include <string.h>

#include "checksum.h"
#include "mu/gaur.h"

static const char program[] =
    ".typedef @i64 = int<64>\n"
    ".const @i64_1 <@i64> = 1\n"
    ".funcsig @sig = (@i64) -> (@i64)\n"
    ".funcdef @increment VERSION %v <@sig> { %entry(<@i64> %x): %y = ADD <@i64> %x @i64_1 RET %y }\n"
    ".expose @increment_for_c = @increment #DEFAULT @i64_1\n";

typedef int64_t Function(int64_t);
#pragma GCC diagnostic ignored "-Wcast-function-type"  // MuCFP stands for functions of every type

__attribute__((noinline)) static int64_t increment(int64_t x) {
  __asm__ volatile("" : "+r"(x));
  return x + 1;
}

static int64_t call(Function* volatile* function, int64_t n) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; ++i) sum = (*function)(sum);
  return sum;
}

static void make(MuCtx* context, int64_t n) {
  for (int64_t i = 0; i < n; ++i) context->delete_value(context, context->handle_from_sint64(context, i, 64));
}

static void fill(MuCtx* context, int64_t n) {
  for (int64_t i = 0; i < n; ++i) context->handle_from_sint64(context, i, 64);
}

static void pin(MuCtx* context, MuValue object, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    context->delete_value(context, context->pin(context, object));
    context->unpin(context, object);
  }
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "make";
  int64_t n = sizeArgument(argc, argv, 2);
  MuVM* vm = gaur_new(NULL);
  if (!vm) return fprintf(stderr, "%s\n", gaur_new_error()), 1;
  MuCtx *context = vm->new_context(vm), *other = vm->new_context(vm);
  context->load_bundle(context, (char*)program, sizeof program - 1);
  Function* exposed = (Function*)context->handle_to_fp(
      context, context->handle_from_expose(context, context->id_of(context, "increment_for_c")));
  Function* volatile function = strcmp(what, "pointer") == 0 ? increment : exposed;
  MuID type = context->id_of(context, "i64");
  MuValue object = context->new_fixed(context, type);
  if (strcmp(what, "pin") == 0)
    for (int i = 0; i < 100000; ++i) context->pin(context, context->new_fixed(context, type));
  if (strcmp(what, "close") == 0) fill(other, n);
  make(context, 100);
  call(&function, 100);
  int64_t start = processNanoseconds();
  if (strcmp(what, "make") == 0) make(context, n);
  if (strcmp(what, "close") == 0) other->close_context(other);
  if (strcmp(what, "call") == 0 || strcmp(what, "pointer") == 0) call(&function, n);
  if (strcmp(what, "pin") == 0) pin(context, object, n);
  int64_t end = processNanoseconds();
  MuError error;
  if (vm->get_error(vm, &error)) return fprintf(stderr, "[%s] %s\n", error.code, error.message), 1;
  printInteger(n);
  printDouble((double)(end - start) / (double)n);
  context->close_context(context);
  vm->close(vm);
  return 0;
}
