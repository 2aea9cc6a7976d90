/* A host function in the middle of which the stack goes away, traps, or is killed: what it captured stays
 * until no frame is in it. */
#include "host.h"

/* @drive begins @work on a stack of its own, which calls the host function, which calls @pause, which swaps
 * back here. @resume lets it go on. */
static const char* const stacksBundle =
    ".typedef @stack = stackref .funcsig @work.sig = () -> () .funcsig @go.sig = () -> (@i64) .global @mine "
    "<@stack> .global @away <@stack>\n"
    ".global @result <@i64>\n"
    ".funcdef @work VERSION %v <@work.sig> { %entry(): %r = CCALL #DEFAULT <@fp @sig> @named (@1) STORE "
    "<@i64> @result %r\n"
    "  %s = LOAD <@stack> @mine SWAPSTACK %s KILL_OLD PASS_VALUES <> () }\n"
    ".funcdef @pause VERSION %v <@work.sig> { %entry(): %me = COMMINST @uvm.current_stack STORE <@stack> "
    "@away %me\n"
    "  %s = LOAD <@stack> @mine SWAPSTACK %s RET_WITH <> PASS_VALUES <> () RET () }\n"
    ".funcdef @drive VERSION %v <@work.sig> { %entry(): %me = COMMINST @uvm.current_stack STORE <@stack> "
    "@mine %me\n"
    "  %s = COMMINST @uvm.new_stack <[@work.sig]> (@work) SWAPSTACK %s RET_WITH <> PASS_VALUES <> () RET () "
    "}\n"
    ".funcdef @resume VERSION %v <@go.sig> { %entry(): %me = COMMINST @uvm.current_stack STORE <@stack> "
    "@mine %me\n"
    "  %s = LOAD <@stack> @away SWAPSTACK %s RET_WITH <> PASS_VALUES <> () %r = LOAD <@i64> @result RET %r "
    "}\n"
    ".const @nostack <@stack> = NULL\n"
    ".funcdef @forget VERSION %v <@work.sig> { %entry(): STORE <@stack> @away @nostack STORE <@stack> @mine "
    "@nostack RET () }\n"
    ".funcdef @trap VERSION %v <@work.sig> { %entry(): [%here] TRAP <> RET () }\n"
    ".expose @c_pause = @pause #DEFAULT @0 .expose @c_drive = @drive #DEFAULT @0 .expose @c_resume = @resume "
    "#DEFAULT @0\n"
    ".expose @c_forget = @forget #DEFAULT @0 .expose @c_trap = @trap #DEFAULT @0\n";

typedef void Work(void);
static Work *pauseHere, *drive, *forget, *trap;
static int64_t (*resume)(void);

static int64_t pausing(int64_t x, MuCPtr data) {
  Environment* environment = data;
  pauseHere();
  CHECK(environment->magic == kMagic);
  return x + environment->number;
}
static int64_t trapping(int64_t x, MuCPtr data) {
  Environment* environment = data;
  trap();
  CHECK(environment->magic == kMagic);
  return x + environment->number;
}

static __attribute__((noinline)) void bindOne(int64_t (*code)(int64_t, MuCPtr), int64_t number) {
  MuUFPValue f = makeWith(code, newEnvironment(number), "pausing");
  bind("host_named", f);
  ctx->delete_value(ctx, f);
}
static __attribute__((noinline)) void wipe(void) {
  volatile char space[8192];
  size_t i;
  for (i = 0; i < sizeof space; ++i) space[i] = 0;
}
static void collect(void) {
  int i;
  wipe();
  for (i = 0; i < 3; ++i) mvm->collect(mvm);
}

/* The stack is away, and nothing but its frame refers to the function: nobody knows it any more when it comes
 * back. */
static void swappedAway(int64_t number) {
  const int64_t before = finalised;
  bindOne(pausing, number);
  drive();
  bind("host_named", NULL);
  collect();
  CHECK(finalised == before);
  CHECK(resume() == number + 1);
  forget();
  collect();
  CHECK(finalised == before + 1);
}

/* It never comes back. */
static void lost(void) {
  const int64_t before = finalised;
  bindOne(pausing, 1);
  drive();
  bind("host_named", NULL);
  collect();
  CHECK(finalised == before);
  forget();
  collect();
  collect();
  CHECK(finalised == before + 1);
}

static int traps;
static void onTrap(MuCtx* handler, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid,
                   MuTrapHandlerResult* result, MuStackRefValue* next, MuValue** values, MuArraySize* count,
                   MuValuesFreer* freer, MuCPtr* freerData, MuRefValue* exception, MuCPtr data) {
  const int64_t before = finalised;
  (void)handler, (void)thread, (void)stack, (void)wpid, (void)next, (void)values, (void)count, (void)freer,
      (void)freerData, (void)exception, (void)data;
  bind("host_named", NULL);
  collect();
  CHECK(finalised == before);
  *result = MU_REBIND_PASS_VALUES;
  ++traps;
}
static void trapped(void) {
  const int64_t before = finalised;
  mvm->set_trap_handler(mvm, onTrap, NULL);
  bindOne(trapping, 4);
  CHECK(((Number*)native("c_caught"))(1) == 5 && traps == 1);
  collect();
  CHECK(finalised == before + 1);
}

int main(void) {
  int i;
  start(NULL);
  load(hostBundle);
  load(stacksBundle);
  pauseHere = (Work*)native("c_pause");
  drive = (Work*)native("c_drive");
  forget = (Work*)native("c_forget");
  trap = (Work*)native("c_trap");
  resume = (int64_t(*)(void))native("c_resume");
  for (i = 0; i < 50; ++i) swappedAway(i);
  lost();
  trapped();
  finish();
  return 0;
}
