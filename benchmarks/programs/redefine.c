// redefine WHAT N: what those notice who run code while code comes and goes. Needs libgaur.
//   pause  four threads call a function over and over, which is redefined N times: prints how many pauses
//   there
//          were (one a thread and redefinition: its longest call, less the time that it waited for a
//          processor), and the 99th percentile of them in ns
//   used   N calls between permanent functions after collectible bundles came and went, one is there, and one
//          function was redefined: prints N and ns a call        unused  the same without all that
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "checksum.h"
#include "mu/gaur.h"

enum { kThreads = 4, kRounds = 20000, kBundles = 100 };

static const char program[] =
    ".typedef @i64 = int<64> .const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @3 <@i64> = 3\n"
    ".funcsig @sig = (@i64) -> (@i64) .typedef @fr = funcref<@sig> .global @callee <@fr>\n"
    ".funcdef @f VERSION %v <@sig> { %entry(<@i64> %x): %y = ADD <@i64> %x @1 RET %y }\n"
    // Through a value, so that it is called and not copied.
    ".funcdef @loop VERSION %v <@sig> { %entry(<@i64> %n): STORE <@fr> @callee @f BRANCH %again(%n @0)\n"
    "  %again(<@i64> %i <@i64> %x): %f = LOAD <@fr> @callee %y = CALL <@sig> %f (%x) %j = SUB <@i64> %i @1\n"
    "    %more = SGT <@i64> %j @0 BRANCH2 %more %again(%j %y) %end(%y) %end(<@i64> %y): RET %y }\n"
    ".funcdecl @other <@sig> .expose @loop.c = @loop #DEFAULT @0\n";
static char version[] =
    ".funcdef @f VERSION %next <@sig> { %entry(<@i64> %x): %a = MUL <@i64> %x @3 %y = ADD <@i64> %a @1 RET "
    "%y }\n";
static char otherVersion[] = ".funcdef @other VERSION %v <@sig> { %entry(<@i64> %x): RET %x }\n";
static char plugin[] =
    ".global @plugin.cell <@i64>\n"
    ".funcdef @plugin VERSION %v <@sig> { %entry(<@i64> %x): STORE <@i64> @plugin.cell %x RET %x }\n";

typedef int64_t Function(int64_t);
#pragma GCC diagnostic ignored "-Wcast-function-type"  // MuCFP stands for functions of every type

static MuVM* vm;
static MuCtx* context;
static Function* loop;
static int64_t redefinitions;
static volatile int64_t redefined;
static int64_t* longest[kThreads];

// How long the calling thread has waited for a processor: the second number of its schedstat.
static int64_t waited(int file) {
  char text[96] = "";
  if (pread(file, text, sizeof text - 1, 0) <= 0) return 0;
  const char* second = strchr(text, ' ');
  return second ? strtoll(second, NULL, 10) : 0;
}

static void* run(void* argument) {
  int64_t* pauses = argument;
  const int file = open("/proc/thread-self/schedstat", O_RDONLY);
  while (redefined < redefinitions) {
    const int64_t number = redefined;
    // The waits are counted from before the time is taken until after it: none is taken for a pause.
    const int64_t before = waited(file), start = wallNanoseconds();
    loop(kRounds);
    const int64_t end = wallNanoseconds(), after = waited(file);
    const int64_t pause = end - start - (after - before);
    if (number < redefinitions && pause > pauses[number]) pauses[number] = pause;
  }
  close(file);
  return NULL;
}

static void pauses(int64_t n) {
  pthread_t threads[kThreads];
  const size_t samples = (size_t)(n * kThreads);
  int64_t* all = calloc(samples, sizeof *all);
  if (!all) abort();
  redefinitions = n;
  for (int i = 0; i < kThreads; ++i) {
    longest[i] = all + i * n;
    if (pthread_create(&threads[i], NULL, run, longest[i]) != 0) abort();
  }
  for (int64_t i = 0; i < n; ++i) {
    usleep(5000);
    context->load_bundle(context, version, sizeof version - 1);
    usleep(5000);
    redefined = i + 1;
  }
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  printInteger((int64_t)samples);
  printDouble((double)percentile(all, (int64_t)samples, 99));
  free(all);
}

static void comeAndGo(void) {
  for (int i = 0; i < kBundles; ++i) {
    context->load_collectible(context, plugin, sizeof plugin - 1);
    if (i + 1 < kBundles) context->unload(context, context->id_of(context, "plugin"));
    context->load_bundle(context, otherVersion, sizeof otherVersion - 1);
  }
  vm->collect(vm);
}

int main(int argc, char** argv) {
  const int64_t n = sizeArgument(argc, argv, 2);
  vm = gaur_new(NULL);
  if (!vm) return fprintf(stderr, "%s\n", gaur_new_error()), 1;
  context = vm->new_context(vm);
  context->load_bundle(context, (char*)program, sizeof program - 1);
  loop = (Function*)context->handle_to_fp(
      context, context->handle_from_expose(context, context->id_of(context, "loop.c")));
  MuError error;
  if (vm->get_error(vm, &error)) return fprintf(stderr, "[%s] %s\n", error.code, error.message), 1;
  if (strcmp(argv[1], "used") == 0) comeAndGo();
  loop(100);
  if (strcmp(argv[1], "pause") == 0) {
    pauses(n);
  } else {
    const int64_t start = processNanoseconds();
    loop(n);
    const int64_t end = processNanoseconds();
    printInteger(n);
    printDouble((double)(end - start) / (double)n);
  }
  if (vm->get_error(vm, &error)) return fprintf(stderr, "[%s] %s\n", error.code, error.message), 1;
  context->close_context(context);
  vm->close(vm);
  return 0;
}
