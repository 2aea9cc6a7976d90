// hostcall WHAT N: host functions with an environment, N times. Prints N and ns each. Needs libgaur and
// libffi.
//   name  called by name from Mu code    plain  a C function with one more argument, called likewise
//   pointer  called from C through its pointer    thunk  a thunk made by hand that adds the argument
//   drop  made and dropped    ffi  a closure of libffi made and freed    grow  bytes of resident memory that
//   making and dropping N takes, in place of ns
#include <ffi.h>
#include <string.h>
#include <sys/mman.h>

#include "checksum.h"
#include "mu/gaur.h"
#include "process_memory.h"

static const char program[] =
    ".typedef @i64 = int<64> .typedef @void = void .typedef @ptr = uptr<@void> .const @0 <@i64> = 0 .const "
    "@1 <@i64> = 1 .const @environment <@ptr> = 4096\n"
    ".funcsig @sig = (@i64) -> (@i64) .typedef @fp = ufuncptr<@sig> .const @host <@fp> = EXTERN "
    "\"bench_host\"\n"
    ".funcsig @more = (@i64 @ptr) -> (@i64) .typedef @more.fp = ufuncptr<@more> .const @plain <@more.fp> = "
    "EXTERN \"bench_plain\"\n"
    ".funcdef @name VERSION %v <@sig> { %entry(<@i64> %n): BRANCH %loop(%n @0)\n"
    "  %loop(<@i64> %i <@i64> %x): %y = CCALL #DEFAULT <@fp @sig> @host (%x) %j = SUB <@i64> %i @1 %more = "
    "SGT <@i64> %j @0\n"
    "    BRANCH2 %more %loop(%j %y) %end(%y) %end(<@i64> %y): RET %y }\n"
    ".funcdef @named VERSION %v <@sig> { %entry(<@i64> %n): BRANCH %loop(%n @0)\n"
    "  %loop(<@i64> %i <@i64> %x): %y = CCALL #DEFAULT <@more.fp @more> @plain (%x @environment) %j = SUB "
    "<@i64> %i @1 %more = SGT <@i64> %j @0\n"
    "    BRANCH2 %more %loop(%j %y) %end(%y) %end(<@i64> %y): RET %y }\n"
    ".expose @name.c = @name #DEFAULT @0 .expose @plain.c = @named #DEFAULT @0\n";

typedef int64_t Function(int64_t);
#pragma GCC diagnostic ignored "-Wcast-function-type"  // MuCFP stands for functions of every type

static int64_t increment(int64_t x, void* environment) {
  __asm__ volatile("" : : "r"(environment));
  return x + 1;
}

static int64_t call(Function* volatile* function, int64_t n) {
  int64_t x = 0;
  for (int64_t i = 0; i < n; ++i) x = (*function)(x);
  return x;
}

// The argument as a constant, and on.
static Function* makeThunk(void* environment) {
  unsigned char* code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) abort();
  void* target = (void*)increment;
  memcpy(code, "\x48\xbe", 2);  // mov rsi, environment
  memcpy(code + 2, &environment, 8);
  memcpy(code + 10, "\x48\xb8", 2);  // mov rax, target
  memcpy(code + 12, &target, 8);
  memcpy(code + 20, "\xff\xe0", 2);  // jmp rax
  mprotect(code, 4096, PROT_READ | PROT_EXEC);
  return (Function*)(void*)code;
}

static void drop(MuCtx* context, MuID sig, int64_t n) {
  static int64_t environment;
  for (int64_t i = 0; i < n; ++i)
    context->delete_value(
        context, context->new_host_function(context, sig, (MuCFP)increment, &environment, NULL, NULL));
}

static void onCall(ffi_cif* cif, void* result, void** arguments, void* environment) {
  (void)cif;
  *(int64_t*)result = increment(*(int64_t*)arguments[0], environment);
}
static void ffi(int64_t n) {
  static int64_t environment;
  ffi_cif cif;
  ffi_type* parameters[] = {&ffi_type_sint64};
  if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 1, &ffi_type_sint64, parameters) != FFI_OK) abort();
  for (int64_t i = 0; i < n; ++i) {
    void* code = NULL;
    ffi_closure* closure = ffi_closure_alloc(sizeof *closure, &code);
    if (!closure || ffi_prep_closure_loc(closure, &cif, onCall, &environment, code) != FFI_OK) abort();
    ffi_closure_free(closure);
  }
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "name";
  const int64_t n = sizeArgument(argc, argv, 2);
  static int64_t environment;
  MuVM* vm = gaur_new(NULL);
  if (!vm) return fprintf(stderr, "%s\n", gaur_new_error()), 1;
  MuCtx* context = vm->new_context(vm);
  context->load_bundle(context, (char*)program, sizeof program - 1);
  const MuID sig = context->id_of(context, "sig");
  MuValue host = context->new_host_function(context, sig, (MuCFP)increment, &environment, NULL, "increment");
  context->bind_symbol(context, "bench_host", host);
  context->bind_symbol(
      context, "bench_plain",
      context->handle_from_fp(context, context->id_of(context, "more.fp"), (MuCFP)increment));
  const char* exposed = strcmp(what, "plain") == 0 ? "plain.c" : "name.c";
  Function* loop = (Function*)context->handle_to_fp(
      context, context->handle_from_expose(context, context->id_of(context, (char*)exposed)));
  Function* volatile function =
      strcmp(what, "thunk") == 0 ? makeThunk(&environment) : (Function*)context->handle_to_fp(context, host);
  loop(100);
  call(&function, 100);
  int64_t start = processNanoseconds();
  if (strcmp(what, "name") == 0 || strcmp(what, "plain") == 0) loop(n);
  if (strcmp(what, "pointer") == 0 || strcmp(what, "thunk") == 0) call(&function, n);
  if (strcmp(what, "drop") == 0) drop(context, sig, n);
  if (strcmp(what, "ffi") == 0) ffi(n);
  double figure = (double)(processNanoseconds() - start) / (double)n;
  if (strcmp(what, "grow") == 0) {
    drop(context, sig, n / 10);
    vm->collect(vm);
    const int64_t before = residentBytes();
    drop(context, sig, n);
    vm->collect(vm);
    figure = (double)(residentBytes() - before);
  }
  MuError error;
  if (vm->get_error(vm, &error)) return fprintf(stderr, "[%s] %s\n", error.code, error.message), 1;
  printInteger(n);
  printDouble(figure);
  context->close_context(context);
  vm->close(vm);
  return 0;
}
