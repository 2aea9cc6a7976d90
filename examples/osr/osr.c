/* On-stack replacement: a running interpreter is replaced by compiled code.
 *
 *   osr INTERPRETER.uir [N]
 *
 * A little language has six registers and the operations of `enum Operation`. Its interpreter is a Mu
 * function, @interpret. When it has jumped backwards a thousand times it traps; the handler here then
 *   1. reads, from the trapped frame, where the interpreter is and what the registers hold (KEEPALIVE),
 *   2. compiles the program: it writes a Mu function whose registers are SSA values and that begins in the
 * middle of the loop, and loads it,
 *   3. takes the interpreter's frame off the stack, which leaves the frame of @main that called it,
 *   4. puts a frame of the compiled function in its place, and lets the stack go on with the registers'
 * values as its arguments.
 * @main never hears of it: the call returns what the compiled function returns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mu/gaur.h"

/* --- The language --- */

enum { kRegisters = 6 };
enum Operation { kAdd, kMul, kRem, kJumpLess, kEnd };

/* Add, Mul, Rem: register a becomes b op c. JumpLess: if a < b, go on at c. End: the result is a. */
typedef struct {
  int64_t operation, a, b, c;
} Instruction;

/* r0 = the sum of r1 * r1 rem r5 for r1 from 0 to r2 - 1. The host sets r2 to N, r4 to 1, r5 to 7. */
static const Instruction program[] = {
    {kMul, 3, 1, 1}, {kRem, 3, 3, 5}, {kAdd, 0, 0, 3}, {kAdd, 1, 1, 4}, {kJumpLess, 1, 2, 0}, {kEnd, 0, 0, 0},
};
enum { kInstructions = sizeof program / sizeof *program };

/* --- Its interpreter: interpreter.uir beside this file --- */

static char* readFile(const char* path, size_t* bytes) {
  char* text = malloc(1 << 16);
  FILE* in = fopen(path, "rb");
  if (!text || !in) return fprintf(stderr, "cannot read %s\n", path), exit(2), NULL;
  *bytes = fread(text, 1, 1 << 16, in);
  fclose(in);
  return text;
}

/* --- Its compiler: one block for each instruction, with the registers as parameters --- */

static void writeRegisters(FILE* out, int changed) {
  int r;
  for (r = 0; r < kRegisters; ++r) fprintf(out, " %s%d", r == changed ? "%new" : "%r", r);
}

static char* compile(int64_t entry) {
  static const char* const operations[] = {"ADD", "MUL", "UREM"};
  static const char parameters[] = "<@i64> %r0 <@i64> %r1 <@i64> %r2 <@i64> %r3 <@i64> %r4 <@i64> %r5";
  char* text = NULL;
  size_t bytes = 0;
  FILE* out = open_memstream(&text, &bytes);
  int i;
  fprintf(out, ".funcdef @compiled VERSION %%v <@compiled.sig> {\n  %%entry(%s): BRANCH %%at%d(", parameters,
          (int)entry);
  writeRegisters(out, -1);
  fprintf(out, ")\n");
  for (i = 0; i < kInstructions; ++i) {
    const Instruction* inst = &program[i];
    int a = (int)inst->a, b = (int)inst->b, c = (int)inst->c;
    fprintf(out, "  %%at%d(%s): ", i, parameters);
    switch (inst->operation) {
      case kEnd: fprintf(out, "RET %%r%d\n", a); break;
      case kJumpLess:
        fprintf(out, "%%less = SLT <@i64> %%r%d %%r%d BRANCH2 %%less %%at%d(", a, b, c);
        writeRegisters(out, -1);
        fprintf(out, ") %%at%d(", i + 1);
        writeRegisters(out, -1);
        fprintf(out, ")\n");
        break;
      default:
        fprintf(out, "%%new%d = %s <@i64> %%r%d %%r%d BRANCH %%at%d(", a, operations[inst->operation], b, c,
                i + 1);
        writeRegisters(out, a);
        fprintf(out, ")\n");
    }
  }
  fprintf(out, "}\n");
  fclose(out);
  return text;
}

/* --- The replacement --- */

static void mustWork(MuVM* mvm, const char* what) {
  MuError error;
  if (!mvm->get_error(mvm, &error)) return;
  fprintf(stderr, "%s: [%s] %s\n", what, error.code, error.message);
  exit(1);
}

static int replacements;

static void whenHot(MuCtx* ctx, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid,
                    MuTrapHandlerResult* result, MuStackRefValue* new_stack, MuValue** values,
                    MuArraySize* nvalues, MuValuesFreer* freer, MuCPtr* freerdata, MuRefValue* exception,
                    MuCPtr userdata) {
  static MuValue registers[kRegisters];
  MuVM* mvm = userdata;
  MuValue kept[2], all;
  char* text;
  int r;

  /* 1. The frame on top is the interpreter's. */
  MuFCRefValue cursor = ctx->new_cursor(ctx, stack);
  if (ctx->cur_func(ctx, cursor) != ctx->id_of(ctx, "interpret")) abort();
  ctx->dump_keepalives(ctx, cursor, kept);
  all = ctx->get_iref(ctx, kept[1]);
  for (r = 0; r < kRegisters; ++r)
    registers[r] =
        ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->get_elem_iref(ctx, all, ctx->handle_from_sint64(ctx, r, 64)));

  /* 2. */
  text = compile(ctx->handle_to_sint64(ctx, kept[0]));
  ctx->load_bundle(ctx, text, strlen(text));
  free(text);
  mustWork(mvm, "compiling the loop");

  /* 3. and 4. */
  ctx->next_frame(ctx, cursor);
  ctx->pop_frames_to(ctx, cursor);
  ctx->close_cursor(ctx, cursor);
  ctx->push_frame(ctx, stack, ctx->handle_from_func(ctx, ctx->id_of(ctx, "compiled")));
  mustWork(mvm, "replacing the frame");

  *result = MU_REBIND_PASS_VALUES;
  *new_stack = stack;
  *values = registers;
  *nvalues = kRegisters;
  ++replacements;
  (void)thread, (void)wpid, (void)freer, (void)freerdata, (void)exception;
}

/* --- The host --- */

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int argc, char** argv) {
  int64_t n = argc > 2 ? atoll(argv[2]) : 10000000, expected = 0, i, results[2];
  double times[2];
  int run;
  MuVM* mvm = gaur_new(NULL);
  MuCtx* ctx;
  int64_t (*call)(int64_t);
  size_t bytes;
  char* interpreter;
  if (argc < 2) return fprintf(stderr, "usage: osr INTERPRETER.uir [N]\n"), 2;
  if (!mvm) return fprintf(stderr, "%s\n", gaur_new_error()), 1;
  ctx = mvm->new_context(mvm);
  interpreter = readFile(argv[1], &bytes);
  ctx->load_bundle(ctx, interpreter, bytes);
  free(interpreter);
  mustWork(mvm, "loading the interpreter");
  /* A global cell never moves: C may write to it. */
  memcpy(ctx->handle_to_ptr(ctx, ctx->get_addr(ctx, ctx->handle_from_global(ctx, ctx->id_of(ctx, "code")))),
         program, sizeof program);
  call =
      (int64_t(*)(int64_t))ctx->handle_to_fp(ctx, ctx->handle_from_expose(ctx, ctx->id_of(ctx, "call_main")));
  mvm->set_trap_handler(mvm, whenHot, mvm);
  mustWork(mvm, "preparing");

  for (i = 0; i < n; ++i) expected += i * i % 7;
  for (run = 0; run < 2; ++run) {
    int64_t threshold = run == 0 ? -1 : 1000; /* the first time it never gets hot */
    double start = seconds();
    ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->handle_from_global(ctx, ctx->id_of(ctx, "threshold")),
               ctx->handle_from_sint64(ctx, threshold, 64));
    results[run] = call(n);
    times[run] = seconds() - start;
  }
  printf("interpreted: %lld in %.3f s\n", (long long)results[0], times[0]);
  printf("replaced:    %lld in %.3f s, %d replacement\n", (long long)results[1], times[1], replacements);
  mustWork(mvm, "running");
  ctx->close_context(ctx);
  mvm->close(mvm);
  return results[0] == expected && results[1] == expected && replacements == (n > 1000) ? 0 : 1;
}
