/* Two machines in one thread that call each other through C, however deep: on coroutines, out of trap
 * handlers, with collections; each runs as itself. What fails in the inner one ends the call of the outer
 * one. And each machine is called where the other one's code waits, through the interface too. */
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

static const char* const bundle =
    ".typedef @i64 = int<64> .typedef @void = void .typedef @rv = ref<@void> .typedef @stack = stackref "
    ".typedef @i1 = int<1>\n"
    ".typedef @cell = struct<@i64 @cell_ref> .typedef @cell_ref = ref<@cell> .const @none <@cell_ref> = NULL "
    ".const @null <@rv> = NULL\n"
    ".const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @2 <@i64> = 2 .const @50 <@i64> = 50\n"
    ".funcsig @i_i = (@i64) -> (@i64) .typedef @fp = ufuncptr<@i_i> .funcsig @v_i = () -> (@i64)\n"
    ".funcsig @si_v = (@stack @i64) -> () .global @other <@fp>\n"

    /* Sum of a list of so many, made anew. */
    ".funcdef @work VERSION %v <@i_i> {\n"
    "  %entry(<@i64> %n): BRANCH %make(%n @none)\n"
    "  %make(<@i64> %n <@cell_ref> %list): %o = NEW <@cell> %i = GETIREF <@cell> %o\n"
    "    %v = GETFIELDIREF <@cell 0> %i %l = GETFIELDIREF <@cell 1> %i STORE <@i64> %v %n STORE <@cell_ref> "
    "%l %list\n"
    "    %m = SUB <@i64> %n @1 %end = EQ <@i64> %m @0 BRANCH2 %end %sum(%o @0) %make(%m %o)\n"
    "  %sum(<@cell_ref> %list <@i64> %s): %i = GETIREF <@cell> %list %v = GETFIELDIREF <@cell 0> %i\n"
    "    %l = GETFIELDIREF <@cell 1> %i %x = LOAD <@i64> %v %t = ADD <@i64> %s %x %next = LOAD <@cell_ref> "
    "%l\n"
    "    %end = EQ <@cell_ref> %next @none BRANCH2 %end %done(%t) %sum(%next %t)\n"
    "  %done(<@i64> %s): RET %s }\n"

    /* n, and what the other machine says for n - 1; an object is alive all the while. */
    ".funcdef @step VERSION %v <@i_i> {\n"
    "  %entry(<@i64> %n): %o = NEW <@cell> %i = GETIREF <@cell> %o %v = GETFIELDIREF <@cell 0> %i STORE "
    "<@i64> %v %n\n"
    "    %m = SUB <@i64> %n @1 %f = LOAD <@fp> @other %r = CCALL #DEFAULT <@fp @i_i> %f (%m)\n"
    "    %w = CALL <@i_i> @work (@50) %j = GETIREF <@cell> %o %p = GETFIELDIREF <@cell 0> %j %x = LOAD "
    "<@i64> %p\n"
    "    %s = ADD <@i64> %r %x RET %s }\n"
    ".funcdef @body VERSION %v <@si_v> { %entry(<@stack> %back <@i64> %n): %r = CALL <@i_i> @step (%n)\n"
    "    SWAPSTACK %back KILL_OLD PASS_VALUES <@i64> (%r) }\n"
    /* Odd ones on a stack of their own. */
    ".funcdef @down VERSION %v <@i_i> {\n"
    "  %entry(<@i64> %n): %is0 = EQ <@i64> %n @0 BRANCH2 %is0 %end() %more(%n)\n"
    "  %end(): RET @0\n"
    "  %more(<@i64> %n): %bit = AND <@i64> %n @1 %odd = EQ <@i64> %bit @1 BRANCH2 %odd %aside(%n) %here(%n)\n"
    "  %here(<@i64> %n): %r = CALL <@i_i> @step (%n) RET %r\n"
    "  %aside(<@i64> %n): %me = COMMINST @uvm.current_stack () %s = COMMINST @uvm.new_stack <[@si_v]> "
    "(@body)\n"
    "    %r = SWAPSTACK %s RET_WITH <@i64> PASS_VALUES <@stack @i64> (%me %n) RET %r }\n"

    /* 1 where the thread-local is still that of this machine's thread after the other one has set its own. */
    ".funcdef @local VERSION %v <@i_i> {\n"
    "  %entry(<@i64> %n): %o = NEW <@void> COMMINST @uvm.set_threadlocal (%o)\n"
    "    %is0 = EQ <@i64> %n @0 BRANCH2 %is0 %end(%o) %more(%n %o)\n"
    "  %more(<@i64> %n <@rv> %o): %m = SUB <@i64> %n @1 %f = LOAD <@fp> @other\n"
    "    %r = CCALL #DEFAULT <@fp @i_i> %f (%m) %one = EQ <@i64> %r @1 BRANCH2 %one %end(%o) %wrong()\n"
    "  %end(<@rv> %o): %l = COMMINST @uvm.get_threadlocal () %same = EQ <@rv> %l %o BRANCH2 %same %right() "
    "%wrong()\n"
    "  %right(): RET @1\n"
    "  %wrong(): RET @0 }\n"

    ".funcdef @traps VERSION %v <@i_i> { %entry(<@i64> %n): %r = [%trap] TRAP <@i64> KEEPALIVE(%n) %w = CALL "
    "<@i_i> @work (@50)\n"
    "    %s = ADD <@i64> %r %w RET %s }\n"
    ".funcdef @calls VERSION %v <@i_i> { %entry(<@i64> %n): %f = LOAD <@fp> @other %r = CCALL #DEFAULT <@fp "
    "@i_i> %f (%n)\n"
    "    %w = CALL <@i_i> @work (@50) %s = ADD <@i64> %r %w RET %s }\n"
    ".funcdef @throws VERSION %v <@i_i> { %entry(<@i64> %n): %o = NEW <@cell> THROW %o }\n"
    ".funcdef @divides VERSION %v <@i_i> { %entry(<@i64> %n): %r = SDIV <@i64> %n @0 RET %r }\n"
    ".expose @down_c = @down #DEFAULT @0 .expose @local_c = @local #DEFAULT @0 .expose @calls_c = @calls "
    "#DEFAULT @0\n"
    ".expose @traps_c = @traps #DEFAULT @0 .expose @work_c = @work #DEFAULT @0 .expose @throws_c = @throws "
    "#DEFAULT @0\n"
    ".expose @divides_c = @divides #DEFAULT @0\n";

typedef int64_t Function(int64_t);
enum { kMachines = 2, kWork = 50 * 51 / 2 };
static MuVM* machines[kMachines];
static MuCtx* contexts[kMachines];

static void use(int machine) {
  mvm = machines[machine];
  ctx = contexts[machine];
}

static Function* exposed(int machine, const char* name) {
  Function* f;
  use(machine);
  f = (Function*)ctx->handle_to_fp(ctx, ctx->handle_from_expose(ctx, id(name)));
  CHECK(f);
  return f;
}

/* What the Mu code of a machine calls for the other one. */
static void connect(int machine, Function* f) {
  use(machine);
  ctx->store(ctx, MU_ORD_SEQ_CST, ctx->handle_from_global(ctx, id("other")),
             ctx->handle_from_fp(ctx, id("fp"), (MuCFP)f));
  NO_ERROR();
}

static Function *down[kMachines], *local[kMachines];
static int64_t downSecond(int64_t n) { return down[1](n); }
static int64_t downFirst(int64_t n) { return down[0](n); }
static int64_t localSecond(int64_t n) { return local[1](n); }
static int64_t localFirst(int64_t n) { return local[0](n); }

static void deep(void) {
  enum { kDepth = 40 };
  int i;
  for (i = 0; i < kMachines; ++i) down[i] = exposed(i, "down_c");
  connect(0, downSecond);
  connect(1, downFirst);
  for (i = 0; i < 3; ++i) {
    CHECK(down[0](kDepth) == kDepth * (kDepth + 1) / 2);
    CHECK(down[1](kDepth) == kDepth * (kDepth + 1) / 2);
  }
}

static void threadLocals(void) {
  int i;
  for (i = 0; i < kMachines; ++i) local[i] = exposed(i, "local_c");
  connect(0, localSecond);
  connect(1, localFirst);
  CHECK(local[0](9) == 1);
  CHECK(local[1](8) == 1);
}

/* The second machine traps while the first one waits below, and its handler calls the first one again. */
static int64_t trapSecond(int64_t n) { return exposed(1, "traps_c")(n); }

static void callsFirst(MuCtx* context, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid,
                       MuTrapHandlerResult* result, MuStackRefValue* new_stack, MuValue** values,
                       MuArraySize* nvalues, MuValuesFreer* freer, MuCPtr* freerdata, MuRefValue* exception,
                       MuCPtr userdata) {
  static MuValue answer;
  MuValue kept, cursor = context->new_cursor(context, stack);
  int64_t n;
  context->dump_keepalives(context, cursor, &kept);
  context->close_cursor(context, cursor);
  n = context->handle_to_sint64(context, kept);
  answer = context->handle_from_sint64(context, n + exposed(0, "work_c")(50) + exposed(1, "work_c")(50), 64);
  *result = MU_REBIND_PASS_VALUES;
  *values = &answer;
  *nvalues = 1;
  (void)thread, (void)wpid, (void)new_stack, (void)freer, (void)freerdata, (void)exception, (void)userdata;
}

static void traps(void) {
  connect(0, trapSecond);
  machines[1]->set_trap_handler(machines[1], callsFirst, NULL);
  CHECK(exposed(0, "calls_c")(7) == 7 + 4 * kWork);
  machines[1]->set_trap_handler(machines[1], NULL, NULL);
}

/* The interface of one machine, on a stack of the other one: loading takes more room than such a stack has.
 */
static int64_t loadsSecond(int64_t n) {
  enum { kFunctions = 3000, kBytes = 128 };
  char* text = malloc(kFunctions * kBytes);
  char* end = text;
  char name[32];
  static int loads;
  int i;
  ++loads;
  use(1);
  for (i = 0; i < kFunctions; ++i)
    end += sprintf(end, ".funcdef @f%d_%d VERSION %%v <@i_i> { %%entry(<@i64> %%n): RET %%n }\n", loads, i);
  end += sprintf(end, ".expose @f%d_c = @f%d_%d #DEFAULT @0\n", loads, loads, kFunctions - 1);
  load(text);
  free(text);
  sprintf(name, "f%d_c", loads);
  return exposed(1, name)(n);
}

static void interface(void) {
  connect(0, loadsSecond);
  CHECK(exposed(0, "calls_c")(5) == 5 + kWork);
  CHECK(exposed(0, "calls_c")(6) == 6 + kWork);
}

/* --- Ends --- */

static int64_t throwSecond(int64_t n) { return exposed(1, "throws_c")(n); }
static int64_t divideSecond(int64_t n) { return exposed(1, "divides_c")(n); }

/* In a process of its own: what the second machine does ends it, with a report that names the text. */
static void ends(Function* f, const char* text) {
  char report[4096];
  size_t length = 0;
  ssize_t bytes;
  int status, both[2];
  pid_t child;
  CHECK(pipe(both) == 0);
  child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    dup2(both[1], STDERR_FILENO);
    connect(0, f);
    exposed(0, "calls_c")(1);
    _exit(0);
  }
  close(both[1]);
  while ((bytes = read(both[0], report + length, sizeof report - 1 - length)) > 0) length += (size_t)bytes;
  report[length] = '\0';
  close(both[0]);
  CHECK(waitpid(child, &status, 0) == child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 6 || !strstr(report, text))
    fprintf(stderr, "status %x, report:\n%s", (unsigned)status, report);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
  CHECK(strstr(report, text));
}

int main(void) {
  int i;
  for (i = 0; i < kMachines; ++i) {
    start(NULL);
    load(bundle);
    machines[i] = mvm;
    contexts[i] = ctx;
  }
  deep();
  threadLocals();
  traps();
  interface();
  ends(throwSecond, "@throws");
  ends(divideSecond, "@divides");
  deep();
  for (i = 0; i < kMachines; ++i) {
    use(i);
    finish();
  }
  return 0;
}
