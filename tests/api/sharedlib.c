/* compile_to_sharedlib: a shared object with the functions, the cells and the heap of this machine, which
 * other processes (this program again, with an argument) open with and without a machine of their own; and
 * the forms of images that make_boot_image makes of names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "mu/mu-fastimpl.h"

static const char* const bundle =
    ".typedef @i64 = int<64> .typedef @i32 = int<32> .typedef @void = void .typedef @double = double\n"
    ".typedef @node = struct<@i64 @nodeRef> .typedef @nodeRef = ref<@node> .typedef @any = ref<@void>\n"
    ".global @root <@nodeRef> .global @counter <@i64>\n"
    ".const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @1000 <@i64> = 1000\n"
    ".funcsig @get.sig = () -> (@i64) .funcsig @one.sig = (@i64) -> (@i64) .funcsig @thrower.sig = (@i64) -> "
    "()\n"
    ".funcsig @many.sig = (@i64 @double @i64 @double @i64 @i64 @i64 @i64 @i64 @double) -> (@double)\n"
    ".funcsig @ref.sig = (@any) -> (@any) .typedef @helper.fp = ufuncptr<@one.sig>\n"
    ".const @helper <@helper.fp> = EXTERN \"helper_in_c\"\n"
    /* What the building process left in the heap. */
    ".funcdef @heap_value VERSION %v <@get.sig> { %entry(): %r = LOAD <@nodeRef> @root\n"
    "  %i = GETIREF <@node> %r %f = GETFIELDIREF <@node 0> %i %x = LOAD <@i64> %f RET (%x) }\n"
    ".funcdef @count VERSION %v <@get.sig> { %entry(): %old = ATOMICRMW SEQ_CST ADD <@i64> @counter @1 RET "
    "(%old) }\n"
    /* Allocates so many nodes, each referring to the one before, and sums them up again. */
    ".funcdef @sum VERSION %v <@one.sig> { %entry(<@i64> %n): %null = LOAD <@nodeRef> @root BRANCH %make(%n "
    "%null)\n"
    "  %make(<@i64> %n <@nodeRef> %last): %done = EQ <@i64> %n @0 BRANCH2 %done %walk(%last @0) %more(%n "
    "%last)\n"
    "  %more(<@i64> %n <@nodeRef> %last): %new = NEW <@node> %i = GETIREF <@node> %new\n"
    "    %f0 = GETFIELDIREF <@node 0> %i STORE <@i64> %f0 %n %f1 = GETFIELDIREF <@node 1> %i\n"
    "    STORE <@nodeRef> %f1 %last %rest = SUB <@i64> %n @1 BRANCH %make(%rest %new)\n"
    "  %walk(<@nodeRef> %node <@i64> %sum): %i = GETIREF <@node> %node %f0 = GETFIELDIREF <@node 0> %i\n"
    "    %x = LOAD <@i64> %f0 %s = ADD <@i64> %sum %x %f1 = GETFIELDIREF <@node 1> %i\n"
    "    %next = LOAD <@nodeRef> %f1 %same = EQ <@nodeRef> %next %node BRANCH2 %same %end(%s) %walk(%next "
    "%s)\n"
    "  %end(<@i64> %sum): RET (%sum) }\n"
    ".funcdef @thrower VERSION %v <@thrower.sig> { %entry(<@i64> %n): %new = NEW <@node> %i = GETIREF "
    "<@node> %new\n"
    "  %f = GETFIELDIREF <@node 0> %i STORE <@i64> %f %n THROW %new }\n"
    ".funcdef @caught VERSION %v <@one.sig> { %entry(<@i64> %n):\n"
    "    CALL <@thrower.sig> @thrower (%n) EXC(%no() %handler())\n"
    "  %no(): RET (@0)\n"
    "  %handler() [%e]: %r = REFCAST <@any @nodeRef> %e %i = GETIREF <@node> %r %f = GETFIELDIREF <@node 0> "
    "%i\n"
    "    %x = LOAD <@i64> %f RET (%x) }\n"
    ".funcdef @many VERSION %v <@many.sig> { %entry(<@i64> %a <@double> %b <@i64> %c <@double> %d <@i64> %e "
    "<@i64> %f\n"
    "    <@i64> %g <@i64> %h <@i64> %i <@double> %j): %bd = FADD <@double> %b %d %s = FADD <@double> %bd %j\n"
    "  %ac = ADD <@i64> %a %c %ef = ADD <@i64> %e %f %gh = ADD <@i64> %g %h %x = ADD <@i64> %ac %ef\n"
    "  %y = ADD <@i64> %gh %i %z = ADD <@i64> %x %y %zd = SITOFP <@i64 @double> %z %r = FADD <@double> %s "
    "%zd RET (%r) }\n"
    ".funcdef @calls_c VERSION %v <@one.sig> { %entry(<@i64> %n):\n"
    "  %r = CCALL #DEFAULT <@helper.fp @one.sig> @helper (%n) RET (%r) }\n"
    ".funcdef @same VERSION %v <@ref.sig> { %entry(<@any> %r): RET (%r) }\n"
    ".funcdef @not.an.identifier VERSION %v <@get.sig> { %entry(): RET (@0) }\n"
    ".expose @exposed = @caught #DEFAULT @0\n";

static const char* const helper =
    "#include <stdint.h>\n"
    "int64_t caught(int64_t n);\n"
    "int64_t helper_in_c(int64_t n) { return caught(n) * 3; }\n"
    "int64_t helper_of_clients(int64_t n) { return n + 1; }\n";

static char folder[] = "/tmp/gaur-sharedlib.XXXXXX";
static char library[64];

typedef int64_t Get(void);
typedef int64_t One(int64_t);
typedef double Many(int64_t, double, int64_t, double, int64_t, int64_t, int64_t, int64_t, int64_t, double);

/* Collecting at each allocation takes its time. */
static int rounds = 50;
static int64_t nodes = 1000;

static void* handle;
/* Data and functions are pointers of one size on the systems that have dlsym. */
#define FUNCTION(type, name) ((type*)(uintptr_t)dlsym(handle, name))

static void* callMany(void* argument) {
  One* sum = FUNCTION(One, "sum");
  Get* count = FUNCTION(Get, "count");
  int i;
  (void)argument;
  for (i = 0; i < rounds; ++i) {
    CHECK(sum(nodes) == nodes * (nodes + 1) / 2 + 42);
    count();
  }
  return NULL;
}

/* What every process that opens the library finds. */
static void use(void) {
  pthread_t threads[8];
  int i;
  CHECK(handle);
  for (i = 0; i < 8; ++i) CHECK(pthread_create(&threads[i], NULL, callMany, NULL) == 0);
  for (i = 0; i < 8; ++i) pthread_join(threads[i], NULL);
  CHECK(FUNCTION(Get, "count")() == 8 * rounds);
  CHECK(FUNCTION(Get, "heap_value")() == 42);
  CHECK(FUNCTION(One, "caught")(17) == 17 && FUNCTION(One, "exposed")(18) == 18);
  CHECK(FUNCTION(Many, "many")(1, 0.5, 2, 0.25, 3, 4, 5, 6, 7, 0.125) == 28.875);
  CHECK(FUNCTION(One, "calls_c")(5) == 15 && FUNCTION(One, "helper_of_clients")(5) == 6);
  CHECK(!dlsym(handle, "same") && !dlsym(handle, "not.an.identifier"));
}

static void child(const char* how) {
  GaurLinkedImage* (*image)(void);
  MuVM* machine;
  if (strcmp(how, "machine") == 0) start(NULL);
  handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) fprintf(stderr, "%s\n", dlerror());
  if (mvm) mvm->current_thread_as_mu_thread(mvm, NULL);
  use();
  image = (GaurLinkedImage * (*)(void))(uintptr_t)dlsym(handle, "gaur_linked_image");
  CHECK(image);
  machine = gaur_start_image(image(), "opt=0", NULL, 0);
  CHECK(machine && machine != mvm);
  if (strcmp(how, "again") == 0) {
    /* Another machine begins where the image was left, not where the first ended. */
    machine->close(machine);
    use();
    return;
  }
  if (!mvm) {
    /* The machine is as others: code can be loaded and redefined. */
    mvm = machine;
    ctx = mvm->new_context(mvm);
    load(".const @2 <@i64> = 2 .funcdef @heap_value VERSION %w <@get.sig> { %entry(): RET (@2) }");
    CHECK(FUNCTION(Get, "heap_value")() == 2);
    ctx->close_context(ctx);
  } else {
    finish();
  }
}

static void runChild(const char* self, const char* how) {
  int status;
  pid_t process = fork();
  if (process == 0) {
    execl(self, self, library, how, (char*)NULL);
    _exit(127);
  }
  CHECK(waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void fill(void) {
  MuValue node = ctx->new_fixed(ctx, id("node")), place = ctx->get_iref(ctx, node);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->get_field_iref(ctx, place, 0), int64(42));
  /* It is its own successor. */
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->get_field_iref(ctx, place, 1), node);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->handle_from_global(ctx, id("root")), node);
  NO_ERROR();
}

static void refused(void) {
  MuCString sources[1];
  char source[80], missing[80];
  struct stat status;
  sources[0] = NULL;
  FAILS_VOID("A0001", mvm->compile_to_sharedlib(mvm, NULL, NULL, 0));
  FAILS_VOID("A0001", mvm->compile_to_sharedlib(mvm, "x.so", NULL, 1));
  FAILS_VOID("A0001", mvm->compile_to_sharedlib(mvm, "x.so", sources, 1));
  snprintf(source, sizeof(source), "%s/wrong.c", folder);
  snprintf(missing, sizeof(missing), "%s/emit/x.so", folder);
  writeFile(source, "int wrong(void) { return undeclared_thing; }\n");
  sources[0] = source;
  FAILS_VOID("I0302", mvm->compile_to_sharedlib(mvm, "x.so", sources, 1));
  CHECK(stat(missing, &status) != 0);
}

/* By default the name tells the form; all of them can be loaded. */
static void forms(void) {
  static const char* const names[] = {"image.img", "image.o", "image.so", "image"};
  char path[80];
  size_t i;
  for (i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
    MuID whitelist[1];
    MuVM* loaded;
    whitelist[0] = id("heap_value");
    snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
    ctx->make_boot_image(ctx, whitelist, 1, function("heap_value"), NULL, NULL, NULL, NULL, 0, NULL, NULL, 0,
                         path);
    NO_ERROR();
    loaded = gaur_load_image(path, NULL, NULL, 0);
    if (!loaded) fprintf(stderr, "%s\n", gaur_new_error());
    CHECK(loaded && gaur_run_image(loaded, 0, NULL) == 42);
    loaded->close(loaded);
  }
  {
    int status;
    pid_t process = fork();
    if (process == 0) {
      execl(path, path, (char*)NULL);
      _exit(127);
    }
    CHECK(waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) == 42);
  }
}

int main(int argc, char** argv) {
  char source[80], options[120];
  MuCString sources[1];
  if (getenv("GAUR_GC_STRESS")) {
    rounds = 2;
    nodes = 10;
  }
  if (argc > 2) {
    snprintf(library, sizeof(library), "%s", argv[1]);
    child(argv[2]);
    return 0;
  }
  CHECK(mkdtemp(folder));
  snprintf(options, sizeof(options), "init_mu --log-level=none --aot-emit-dir=%s/emit\nopt=2", folder);
  snprintf(source, sizeof(source), "%s/helper.c", folder);
  snprintf(library, sizeof(library), "%s/emit/libtest.so", folder);
  writeFile(source, helper);
  mvm = mu_fastimpl_new_with_opts(options);
  CHECK(mvm && gaur_has_feature("sharedlib"));
  ctx = mvm->new_context(mvm);
  load(bundle);
  fill();
  sources[0] = source;
  mvm->compile_to_sharedlib(mvm, "libtest.so", sources, 1);
  NO_ERROR();
  runChild(argv[0], "alone");
  runChild(argv[0], "machine");
  runChild(argv[0], "again");
  /* In the process that made it, beside the machine that it was made of. */
  handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  use();
  CHECK(ctx->handle_to_sint64(
            ctx, ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->handle_from_global(ctx, id("counter")))) == 0);
  refused();
  forms();
  finish();
  snprintf(options, sizeof(options), "rm -rf %s", folder);
  CHECK(system(options) == 0);
  return 0;
}
