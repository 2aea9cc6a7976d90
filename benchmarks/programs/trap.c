// trap N: a client in C whose program traps N times; its handler resumes the trapped stack with nothing.
// Prints N and ns per trap. Needs libgaur.
#include "checksum.h"
#include "mu/gaur.h"

static const char program[] =
    ".typedef @i64 = int<64>\n"
    ".const @i64_0 <@i64> = 0\n"
    ".const @i64_1 <@i64> = 1\n"
    ".funcsig @loop.sig = (@i64) -> (@i64)\n"
    ".funcdef @loop VERSION %v <@loop.sig> {\n"
    "  %entry(<@i64> %n):\n"
    "    BRANCH %again(@i64_0 %n)\n"
    "  %again(<@i64> %i <@i64> %n):\n"
    "    TRAP <>\n"
    "    %i2 = ADD <@i64> %i @i64_1\n"
    "    %more = SLT <@i64> %i2 %n\n"
    "    BRANCH2 %more %again(%i2 %n) %done(%i2)\n"
    "  %done(<@i64> %i):\n"
    "    RET (%i)\n"
    "}\n"
    ".const @cookie <@i64> = 0\n"
    ".expose @loop_for_c = @loop #DEFAULT @cookie\n";

typedef int64_t Loop(int64_t);
#pragma GCC diagnostic ignored "-Wcast-function-type"  // MuCFP stands for functions of every type

static void resume(MuCtx* context, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid,
                   MuTrapHandlerResult* result, MuStackRefValue* newStack, MuValue** values,
                   MuArraySize* valueCount, MuValuesFreer* freer, MuCPtr* freerData, MuRefValue* exception,
                   MuCPtr userData) {
  (void)context, (void)thread, (void)wpid, (void)freer, (void)freerData, (void)exception;
  *result = MU_REBIND_PASS_VALUES;
  *newStack = stack;
  *values = NULL;
  *valueCount = 0;
  ++*(int64_t*)userData;
}

int main(int argc, char** argv) {
  int64_t n = sizeArgument(argc, argv, 1);
  int64_t traps = 0;
  MuVM* vm = gaur_new(NULL);
  if (!vm) return fprintf(stderr, "%s\n", gaur_new_error()), 1;
  vm->set_trap_handler(vm, resume, &traps);
  MuCtx* context = vm->new_context(vm);
  context->load_bundle(context, (char*)program, sizeof program - 1);
  MuID id = context->id_of(context, "loop_for_c");
  Loop* loop = (Loop*)context->handle_to_fp(context, context->handle_from_expose(context, id));
  MuError error;
  if (vm->get_error(vm, &error)) return fprintf(stderr, "[%s] %s\n", error.code, error.message), 1;
  loop(100);
  traps = 0;
  int64_t start = processNanoseconds();
  loop(n);
  int64_t end = processNanoseconds();
  printInteger(traps);
  printDouble((double)(end - start) / (double)n);
  context->close_context(context);
  vm->close(vm);
  return 0;
}
