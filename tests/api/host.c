/* Host functions: what they are called with, by whom, what they can do, and what goes wrong. Their ends are
 * in host_life.c. */
#include <sys/wait.h>

#include "host.h"

/* --- Calls --- */

static int64_t six(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f, MuCPtr data) {
  return a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f + *(int64_t*)data;
}
static double many(int64_t a, double b, int64_t c, int64_t d, int64_t e, int64_t f, int64_t g, int64_t h,
                   int64_t i, double j, uint8_t k, MuCPtr data) {
  CHECK(a == 1 && c == 3 && d == 4 && e == 5 && f == 6 && g == 7 && h == 8 && i == 9 && k == 250);
  return b + j + (double)*(int64_t*)data;
}
typedef struct Pair {
  int64_t a;
  double b;
} Pair;
typedef struct Big {
  int64_t a, b, c;
} Big;
static Big structs(Pair pair, Big big, int64_t c, MuCPtr data) {
  Big result = {pair.a + (int64_t)pair.b, big.a + big.b + big.c, c + *(int64_t*)data};
  return result;
}

static MuUFPValue bound(const char* name, const char* sig, MuCFP code, MuCPtr environment) {
  MuUFPValue made = ctx->new_host_function(ctx, id(sig), code, environment, NULL, NULL);
  CHECK(made);
  bind(name, made);
  return made;
}

static int64_t plainSix(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f) {
  return a + b + c + d + e + f;
}
static double plainMany(int64_t a, double b, int64_t c, int64_t d, int64_t e, int64_t f, int64_t g, int64_t h,
                        int64_t i, double j, uint8_t k) {
  return (double)(a + c + d + e + f + g + h + i + k) + b + j;
}
static Big plainStructs(Pair pair, Big big, int64_t c) {
  Big result = {pair.a, big.a, c};
  return result;
}
static void boundPlain(const char* name, const char* type, MuCFP code) {
  bind(name, ctx->handle_from_fp(ctx, id(type), code));
}

/* Twice: by name from Mu, and through its pointer from C. `isPlainFirst`: from code that was compiled while
 * the names stood for functions without an environment. */
static void arguments(int isPlainFirst) {
  int64_t number = 1000000;
  Pair pair = {5, 2.0};
  Big big = {1, 2, 3}, result;
  MuUFPValue f = bound("host_six", "six.sig", (MuCFP)six, &number);
  typedef int64_t Six(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);
  typedef double Many(int64_t, double, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, double,
                      uint8_t);
  typedef Big Structs(Pair, Big, int64_t);
  if (isPlainFirst) {
    boundPlain("host_six", "six.fp", (MuCFP)plainSix);
    boundPlain("host_many", "many.fp", (MuCFP)plainMany);
    boundPlain("host_struct", "struct.fp", (MuCFP)plainStructs);
    CHECK(((Six*)native("c_six"))(1, 2, 3, 4, 5, 6) == 21);
    CHECK(((Many*)native("c_many"))(1, 0.5, 3, 4, 5, 6, 7, 8, 9, 0.25, 250) == 293.75);
    result = ((Structs*)native("c_struct"))(pair, big, 7);
    CHECK(result.a == 5 && result.b == 1 && result.c == 7);
    bind("host_six", f);
  }
  CHECK(((Six*)native("c_six"))(1, 2, 3, 4, 5, 6) == 1654321);
  CHECK(((Six*)ctx->handle_to_fp(ctx, f))(1, 2, 3, 4, 5, 6) == 1654321);
  f = bound("host_many", "many.sig", (MuCFP)many, &number);
  CHECK(((Many*)native("c_many"))(1, 0.5, 3, 4, 5, 6, 7, 8, 9, 0.25, 250) == 1000000.75);
  CHECK(((Many*)ctx->handle_to_fp(ctx, f))(1, 0.5, 3, 4, 5, 6, 7, 8, 9, 0.25, 250) == 1000000.75);
  f = bound("host_struct", "struct.sig", (MuCFP)structs, &number);
  result = ((Structs*)native("c_struct"))(pair, big, 7);
  CHECK(result.a == 7 && result.b == 6 && result.c == 1000007);
  result = ((Structs*)ctx->handle_to_fp(ctx, f))(pair, big, 7);
  CHECK(result.a == 7 && result.b == 6 && result.c == 1000007);
  NO_ERROR();
}

static int64_t plain(int64_t x) { return -x; }

/* Code that has run sees what the name stands for now. */
static void names(void) {
  Number* byName;
  MuUFPValue one = make(1), two = make(2), negative;
  bind("host_named", one);
  byName = (Number*)native("c_byName");
  CHECK(byName(10) == 11);
  bind("host_named", two);
  CHECK(byName(10) == 12);
  negative = ctx->handle_from_fp(ctx, id("fp"), (MuCFP)plain);
  bind("host_named", negative);
  CHECK(byName(10) == -10);
  bind("host_named", one);
  CHECK(byName(10) == 11);
  /* A name of the C library, in code that was compiled for that. */
  CHECK(((Number*)native("c_labs"))(-5) == 5);
  bind("imaxabs", two);
  CHECK(((Number*)native("c_labs"))(-5) == -3);
  bind("imaxabs", NULL);
  CHECK(((Number*)native("c_labs"))(-5) == 5);
  CHECK(((Through*)native("c_through"))(ctx->handle_to_fp(ctx, two), 40) == 42);
  NO_ERROR();
}

/* --- A closure as a callback of the C library --- */

static int compare(const void* a, const void* b, MuCPtr data) {
  ++*(int64_t*)data;
  return (*(const int32_t*)a > *(const int32_t*)b) - (*(const int32_t*)a < *(const int32_t*)b);
}

static void callbacks(void) {
  static const char* const text =
      ".typedef @c.i32 = int<32> .typedef @c.i64 = int<64> .typedef @c.void = void .typedef @c.ptr = "
      "uptr<@c.void>\n"
      ".funcsig @compare.sig = (@c.ptr @c.ptr) -> (@c.i32)\n";
  int32_t numbers[100], key = 42, i;
  int64_t calls = 0;
  MuUFPValue f;
  load(text);
  for (i = 0; i < 100; ++i) numbers[i] = (i * 37) % 100;
  f = ctx->new_host_function(ctx, id("compare.sig"), (MuCFP)compare, &calls, NULL, "compare");
  qsort(numbers, 100, sizeof *numbers, (int (*)(const void*, const void*))ctx->handle_to_fp(ctx, f));
  for (i = 0; i < 100; ++i) CHECK(numbers[i] == i);
  CHECK(calls > 100);
  CHECK(bsearch(&key, numbers, 100, sizeof *numbers,
                (int (*)(const void*, const void*))ctx->handle_to_fp(ctx, f)) == numbers + 42);
  NO_ERROR();
}

/* --- What a host function can do --- */

static int64_t throwing(int64_t x, MuCPtr data) {
  MuVM* vm = gaur_current_vm();
  MuCtx* here = vm->current_context(vm);
  MuRefValue object = here->new_fixed(here, here->id_of(here, "i64"));
  MuIRefValue iref = here->get_iref(here, object);
  MuIntValue number = here->handle_from_sint64(here, x + (data != NULL), 64);
  CHECK(here == vm->current_context(vm));
  here->store(here, MU_ORD_NOT_ATOMIC, iref, number);
  here->delete_value(here, iref);
  here->delete_value(here, number);
  if (x == 0) return 0;
  here->throw_exception(here, object);
  return -100;
}

static int64_t asking(int64_t x, MuCPtr data) {
  MuVM* vm = data;
  MuCtx* here = vm->current_context(vm);
  MuID function = 0, version = 0, instruction = 0;
  CHECK(vm == gaur_current_vm());
  CHECK(here->get_caller(here, &function, &version, &instruction));
  CHECK(strcmp(here->name_of(here, function), "@byName") == 0 && version != 0 && instruction != 0);
  return x + 1;
}

/* Back into Mu, which calls the same function again. */
static int64_t recursive(int64_t x, MuCPtr data) { return x == 0 ? 0 : x + (*(Number**)data)(x - 1); }

static void abilities(void) {
  Number* byName = (Number*)native("c_byName");
  Number* caught = (Number*)native("c_caught");
  MuUFPValue f = bound("host_named", "sig", (MuCFP)throwing, mvm);
  MuID none;
  int i;
  for (i = 1; i < 2000; ++i) CHECK(caught(i) == i + 1);
  CHECK(((Through*)native("c_throughCaught"))(ctx->handle_to_fp(ctx, f), 5) == -1);
  bound("host_named", "sig", (MuCFP)asking, mvm);
  CHECK(byName(3) == 4);
  bound("host_named", "sig", (MuCFP)recursive, &byName);
  CHECK(byName(100) == 5050);
  FAILS("R0040", ctx->get_caller(ctx, &none, &none, &none));
  FAILS_VOID("R0040", ctx->throw_exception(ctx, ctx->new_fixed(ctx, id("i64"))));
  NO_ERROR();
}

/* --- Ends that the client makes --- */

static MuUFPValue itself;
static int64_t disposing(int64_t x, MuCPtr data) {
  Environment* environment = data;
  MuCtx* here = mvm->current_context(mvm);
  here->dispose_host_function(ctx, itself);
  CHECK(environment->magic == kMagic);
  mvm->collect(mvm);
  /* A frame is in it: this one. */
  CHECK(environment->magic == kMagic);
  return x + environment->number;
}
static int64_t rebinding(int64_t x, MuCPtr data) {
  Environment* environment = data;
  MuUFPValue next = make(1000);
  bind("host_named", next);
  ctx->delete_value(ctx, next);
  mvm->collect(mvm);
  CHECK(environment->magic == kMagic);
  return x + environment->number;
}

static void disposal(void) {
  Number* caught = (Number*)native("c_caught");
  const int64_t before = finalised;
  MuUFPValue f = make(7);
  bind("host_named", f);
  CHECK(caught(1) == 8);
  ctx->dispose_host_function(ctx, f);
  CHECK(finalised == before + 1);
  CHECK(caught(1) == -1);
  CHECK(((Through*)native("c_throughCaught"))(ctx->handle_to_fp(ctx, f), 5) == -1);
  FAILS_VOID("A0042", ctx->dispose_host_function(ctx, f));
  /* While it runs. */
  itself = makeWith(disposing, newEnvironment(5), "disposing");
  bind("host_named", itself);
  CHECK(caught(1) == 6 && caught(1) == -1);
  mvm->collect(mvm);
  CHECK(finalised == before + 2);
  f = makeWith(rebinding, newEnvironment(9), "rebinding");
  bind("host_named", f);
  ctx->delete_value(ctx, f);
  CHECK(caught(1) == 10 && caught(1) == 1001);
  mvm->collect(mvm);
  CHECK(finalised == before + 3);
  /* A name that stands for nothing any more. */
  bind("host_named", NULL);
  CHECK(caught(1) == -1);
  mvm->collect(mvm);
  CHECK(finalised == before + 4);
  NO_ERROR();
}

/* Without a handler the program is told by name. */
static void report(void) {
  char text[2000] = "";
  int ends[2], status;
  pid_t child;
  MuUFPValue f = make(1);
  bind("host_named", f);
  CHECK(pipe(ends) == 0);
  child = fork();
  if (child == 0) {
    dup2(ends[1], 2);
    ctx->dispose_host_function(ctx, f);
    ((Number*)native("c_byName"))(1);
    _exit(0);
  }
  close(ends[1]);
  CHECK(read(ends[0], text, sizeof text - 1) > 0);
  close(ends[0]);
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 6);
  CHECK(strstr(text, "'adder'") && strstr(text, "disposed") && strstr(text, "@byName"));
}

static void mistakes(void) {
  MuUFPValue plainValue = ctx->handle_from_fp(ctx, id("fp"), (MuCFP)plain);
  MuUFPValue f = make(1);
  char* name = "a name";
  FAILS("A0005", ctx->new_host_function(ctx, 0, (MuCFP)addNumber, NULL, NULL, NULL));
  FAILS("A0006", ctx->new_host_function(ctx, id("fp"), (MuCFP)addNumber, NULL, NULL, NULL));
  FAILS("A0001", ctx->new_host_function(ctx, id("sig"), NULL, NULL, NULL, NULL));
  load(
      ".typedef @m.i64 = int<64> .typedef @m.ref = ref<@m.i64> .funcsig @takesRef = (@m.ref) -> () .funcsig "
      "@two = () -> (@m.i64 @m.i64)");
  FAILS("R0006", ctx->new_host_function(ctx, id("takesRef"), (MuCFP)addNumber, NULL, finalise, NULL));
  FAILS("R0006", ctx->new_host_function(ctx, id("two"), (MuCFP)addNumber, NULL, finalise, NULL));
  FAILS_VOID("A0040", ctx->dispose_host_function(ctx, plainValue));
  FAILS("A0040", ctx->pin_host_function(ctx, plainValue));
  FAILS_VOID("A0040", ctx->unpin_host_function(ctx, plainValue));
  FAILS_VOID("A0041", ctx->unpin_host_function(ctx, f));
  FAILS_VOID("A0001", ctx->bind_symbol(ctx, NULL, f));
  FAILS_VOID("A0012", ctx->bind_symbol(ctx, name, ctx->handle_from_fp(ctx, id("fp"), NULL)));
  FAILS_VOID("A0043", mvm->current_context(mvm)->close_context(mvm->current_context(mvm)));
  ctx->bind_symbol(ctx, name, NULL);
  NO_ERROR();
}

static void weakReferences(void) {
  MuRefValue ref = ctx->new_fixed(ctx, id("i64"));
  MuValue weak = ctx->weak_ref(ctx, ref);
  MuRefValue again = ctx->strong_ref(ctx, weak);
  CHECK(ctx->ref_eq(ctx, ref, again));
  mvm->collect(mvm);
  ctx->delete_value(ctx, again);
  again = ctx->strong_ref(ctx, weak);
  CHECK(ctx->ref_eq(ctx, ref, again));
  CHECK(ctx->ref_eq(ctx, ctx->strong_ref(ctx, ctx->weak_ref(ctx, ctx->handle_from_const(ctx, id("null")))),
                    ctx->handle_from_const(ctx, id("null"))));
  NO_ERROR();
}

int main(void) {
  start(NULL);
  load(hostBundle);
  arguments(0);
  names();
  callbacks();
  abilities();
  disposal();
  report();
  mistakes();
  weakReferences();
  finish();
  start(NULL);
  load(hostBundle);
  arguments(1);
  finish();
  return 0;
}
