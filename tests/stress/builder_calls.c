/* Bundles at random: calls of builders with IDs of all sorts, right and wrong, several builders at once in
 * several threads, which are then loaded, given up, or used after that. Nothing may crash or hang; a bundle
 * that does load is one that the machine can run.
 *
 *   stress_builder_calls SECONDS SEED [THREADS [OPTIONS]]
 */
#define _GNU_SOURCE
#include <stddef.h>

#define CLIENT_THREAD _Thread_local
#include "random_calls.h"

/* Slots with what they make and what they take, a letter each:
 *   n fresh ID   t type   s signature   f function   o constant or other global   v any value   b block   i
 * instruction   d x k c w clauses j int   y Boolean   e flag   p watchpoint   q word   z symbol   # length of
 * the arrays before it, which are capital letters Those with floating-point parameters are called by hand. */
/* clang-format off */
#define BUILDER_SLOTS(X) \
  X(new_type_int, 't', "nj") \
  X(new_type_float, 't', "n") \
  X(new_type_double, 't', "n") \
  X(new_type_uptr, 't', "nt") \
  X(new_type_ufuncptr, 't', "ns") \
  X(new_type_struct, 't', "nT#") \
  X(new_type_hybrid, 't', "nT#t") \
  X(new_type_array, 't', "ntq") \
  X(new_type_vector, 't', "ntq") \
  X(new_type_void, 't', "n") \
  X(new_type_ref, 't', "nt") \
  X(new_type_iref, 't', "nt") \
  X(new_type_weakref, 't', "nt") \
  X(new_type_funcref, 't', "ns") \
  X(new_type_tagref64, 't', "n") \
  X(new_type_threadref, 't', "n") \
  X(new_type_stackref, 't', "n") \
  X(new_type_framecursorref, 't', "n") \
  X(new_type_irbuilderref, 't', "n") \
  X(new_funcsig, 's', "nT#T#") \
  X(new_const_int, 'o', "ntq") \
  X(new_const_int_ex, 'o', "ntQ#") \
  X(new_const_null, 'o', "nt") \
  X(new_const_seq, 'o', "ntO#") \
  X(new_const_extern, 'o', "ntz") \
  X(new_global_cell, 'v', "nt") \
  X(new_func, 'f', "ns") \
  X(new_exp_func, 'v', "nfeo") \
  X(new_func_ver, 'n', "nfB#") \
  X(new_bb, 'b', "nNT#nI#") \
  X(new_dest_clause, 'd', "nbV#") \
  X(new_exc_clause, 'x', "ndd") \
  X(new_keepalive_clause, 'k', "nV#") \
  X(new_csc_ret_with, 'c', "nT#") \
  X(new_csc_kill_old, 'c', "n") \
  X(new_nsc_pass_values, 'w', "nTV#") \
  X(new_nsc_throw_exc, 'w', "nv") \
  X(new_binop, 'i', "nnetvvx") \
  X(new_binop_with_status, 'i', "nnN#eetvvx") \
  X(new_cmp, 'i', "nnetvv") \
  X(new_conv, 'i', "nnettv") \
  X(new_select, 'i', "nnttvvv") \
  X(new_branch, 'i', "nd") \
  X(new_branch2, 'i', "nvdd") \
  X(new_switch, 'i', "ntvdOD#") \
  X(new_call, 'i', "nN#svV#xk") \
  X(new_tailcall, 'i', "nsvV#") \
  X(new_ret, 'i', "nV#") \
  X(new_throw, 'i', "nv") \
  X(new_extractvalue, 'i', "nntjv") \
  X(new_insertvalue, 'i', "nntjvv") \
  X(new_extractelement, 'i', "nnttvv") \
  X(new_insertelement, 'i', "nnttvvv") \
  X(new_shufflevector, 'i', "nnttvvv") \
  X(new_new, 'i', "nntx") \
  X(new_newhybrid, 'i', "nnttvx") \
  X(new_alloca, 'i', "nntx") \
  X(new_allocahybrid, 'i', "nnttvx") \
  X(new_getiref, 'i', "nntv") \
  X(new_getfieldiref, 'i', "nnytjv") \
  X(new_getelemiref, 'i', "nnyttvv") \
  X(new_shiftiref, 'i', "nnyttvv") \
  X(new_getvarpartiref, 'i', "nnytv") \
  X(new_load, 'i', "nnyetvx") \
  X(new_store, 'i', "nyetvvx") \
  X(new_cmpxchg, 'i', "nnnyyeetvvvx") \
  X(new_atomicrmw, 'i', "nnyeetvvx") \
  X(new_fence, 'i', "ne") \
  X(new_trap, 'i', "nNT#xk") \
  X(new_watchpoint, 'i', "npNT#dddk") \
  X(new_wpbranch, 'i', "npdd") \
  X(new_ccall, 'i', "nN#etsvV#xk") \
  X(new_newthread, 'i', "nnvvwx") \
  X(new_swapstack, 'i', "nN#vcwxk") \
  X(new_comminst, 'i', "nN#eE#T#S#V#xk")
/* clang-format on */

enum { kMostArguments = 15, kMostArrays = 5, kMostItems = 4, kKept = 12, kMostBuilding = 8 };

typedef struct Slot {
  const char* name;
  size_t offset;
  char makes;
  const char* takes;
} Slot;
#define ROW(slot, makes, takes) {#slot, offsetof(MuIRBuilder, slot), makes, takes},
static const Slot kSlots[] = {BUILDER_SLOTS(ROW)};
enum { kSlotCount = sizeof kSlots / sizeof *kSlots };

/* All slots return nothing and take words, as far as the calling convention sees. */
typedef void AnySlot(MuIRBuilder*, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                     uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                     uintptr_t);

static const char* const bundle =
    ".typedef @i1 = int<1> .typedef @i64 = int<64> .typedef @double = double .typedef @void = void .typedef "
    "@rv = ref<@void> .typedef @ir = iref<@i64>\n"
    ".typedef @pair = struct<@i64 @rv> .typedef @vec = vector<@i64 2> .typedef @hybrid = hybrid<@i64 @i64> "
    ".typedef @stack = stackref\n"
    ".const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @null <@rv> = NULL .const @half <@double> = 0.5 d "
    ".global @cell <@i64>\n"
    ".funcsig @v = () -> () .funcsig @i_i = (@i64) -> (@i64) .typedef @fr = funcref<@i_i>\n"
    ".funcdef @next VERSION %v <@i_i> { %entry(<@i64> %x): %y = ADD <@i64> %x @1 RET %y }\n";

typedef struct Kind {
  char letter;
  const char* loaded[10];
} Kind;
static const Kind kKinds[] = {
    {'t', {"i1", "i64", "double", "void", "rv", "ir", "pair", "vec", "hybrid", "stack"}},
    {'s', {"v", "i_i"}},
    {'f', {"next"}},
    {'o', {"0", "1", "null", "half", "cell", "next"}},
    {'v', {"0", "1", "null", "cell", "next"}},
    {'b', {NULL}},
    {'i', {NULL}},
    {'d', {NULL}},
    {'x', {NULL}},
    {'k', {NULL}},
    {'c', {NULL}},
    {'w', {NULL}}};
enum { kKindCount = sizeof kKinds / sizeof *kKinds };

static _Thread_local struct {
  MuIRBuilder* builder;
  MuID made[kKindCount][kKept];
  unsigned long bundles, loaded, calls;
} my;

static int kindOf(char letter) {
  int i;
  for (i = 0; i < kKindCount; ++i)
    if (kKinds[i].letter == letter) return i;
  return -1;
}

static void keep(char letter, MuID made) {
  const int kind = kindOf(letter);
  if (kind >= 0) my.made[kind][below(kKept)] = made;
  /* Values are also operands of values. */
  if (letter == 'f' || letter == 'o') my.made[kindOf('v')][below(kKept)] = made;
}

static MuID fresh(void) {
  static const char* const names[] = {"@a",    "@b.c", "@-1_i64", "@0.5d_dbl", "@i64",
                                      "@next", "",     "@",       "no at",     "@next.v.entry.x"};
  if (!oneIn(12)) return my.builder->gen_sym(my.builder, NULL);
  return my.builder->gen_sym(my.builder, (char*)(uintptr_t)names[below(sizeof names / sizeof *names)]);
}

static MuID some(char letter) {
  const int kind = kindOf(oneIn(25) ? kKinds[below(kKindCount)].letter : letter);
  MuID made;
  unsigned count = 0;
  if (letter == 'n') return fresh();
  if (oneIn(60)) return oneIn(2) ? (MuID)next() : below(400);
  if (strchr("xk", letter) && !oneIn(4)) return 0;
  made = my.made[kind][below(kKept)];
  if (made && !oneIn(3)) return made;
  while (count < 10 && kKinds[kind].loaded[count]) ++count;
  if (count != 0) return id(kKinds[kind].loaded[below(count)]);
  /* Made later, or never. */
  made = fresh();
  keep(letter, made);
  return made;
}

static void oneCall(void) {
  const Slot* slot = &kSlots[below(kSlotCount)];
  static const char* const symbols[] = {"getpid", "nowhere_to_be_found", ""};
  static const unsigned flags[] = {0,    1,    2,    3,    4,    5,    6,     7,     0x20,  0x21,  0x29,
                                   0x30, 0x31, 0x39, 0xb0, 0xc0, 0xca, 0x201, 0x204, 0x206, 0x240, 0x25e};
  uintptr_t arguments[kMostArguments] = {0};
  uint64_t words[3] = {next(), next(), next()};
  MuID items[kMostArrays][kMostItems], made = 0;
  unsigned arrays = 0, length = below(kMostItems), i, j;
  AnySlot* call = *(AnySlot**)((char*)my.builder + slot->offset);
  for (i = 0; i < strlen(slot->takes); ++i) {
    const char letter = slot->takes[i];
    switch (letter) {
      case '#':
        arguments[i] = length;
        length = below(kMostItems);
        break;
      case 'j': arguments[i] = oneIn(8) ? (uintptr_t)(int)next() : below(70); break;
      case 'y': arguments[i] = below(2); break;
      case 'e': arguments[i] = flags[below(sizeof flags / sizeof *flags)]; break;
      case 'p': arguments[i] = below(3); break;
      case 'q': arguments[i] = oneIn(4) ? next() : below(9); break;
      case 'z': arguments[i] = (uintptr_t)(oneIn(10) ? NULL : symbols[below(3)]); break;
      case 'Q': arguments[i] = (uintptr_t)words; break;
      default:
        if (letter >= 'a') {
          arguments[i] = some(letter);
          /* What it makes is its first ID; results are values. */
          if (letter == 'n' && i == 0) made = (MuID)arguments[i];
          if (letter == 'n' && i != 0) keep('v', (MuID)arguments[i]);
        } else if (oneIn(40)) {
          arguments[i] = 0;
        } else {
          for (j = 0; j < kMostItems; ++j) {
            items[arrays][j] = letter == 'E' ? below(3) : some((char)(letter - 'A' + 'a'));
            if (letter == 'N') keep('v', items[arrays][j]);
          }
          arguments[i] = (uintptr_t)items[arrays++];
        }
    }
  }
  if (made && slot->makes != 'n') keep(slot->makes, made);
  call(my.builder, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5],
       arguments[6], arguments[7], arguments[8], arguments[9], arguments[10], arguments[11], arguments[12],
       arguments[13], arguments[14]);
  ++my.calls;
}

/* A function that is right, for what is random to refer to. */
static void oneFunction(void) {
  MuIRBuilder* b = my.builder;
  MuID i64 = id("i64"), f = b->gen_sym(b, NULL), version = b->gen_sym(b, NULL), block = b->gen_sym(b, NULL),
       x = b->gen_sym(b, NULL), y = b->gen_sym(b, NULL), insts[2], number = b->gen_sym(b, NULL);
  insts[0] = b->gen_sym(b, NULL);
  insts[1] = b->gen_sym(b, NULL);
  b->new_const_int(b, number, i64, next());
  b->new_const_double(b, b->gen_sym(b, NULL), id("double"), 1.5);
  b->new_binop(b, insts[0], y, MU_BINOP_ADD, i64, x, number, 0);
  b->new_ret(b, insts[1], &y, 1);
  b->new_bb(b, block, &x, &i64, 1, 0, insts, 2);
  b->new_func(b, f, id("i_i"));
  b->new_func_ver(b, version, f, &block, 1);
  keep('o', number);
  keep('f', f);
  keep('b', block);
  keep('v', x);
  keep('i', insts[0]);
}

static int isAlone;

static void oneBundle(void) {
  unsigned i, steps = 1 + below(oneIn(4) ? 120 : 12);
  memset(my.made, 0, sizeof my.made);
  my.builder = ctx->new_ir_builder(ctx);
  CHECK(my.builder);
  ++my.bundles;
  if (oneIn(2)) oneFunction();
  for (i = 0; i < steps; ++i) oneCall();
  mvm->clear_error(mvm);
  if (oneIn(5)) {
    my.builder->abort(my.builder);
  } else {
    my.builder->load(my.builder);
    if (!mvm->get_error(mvm, NULL)) ++my.loaded;
  }
  /* It is over: whatever is asked of it now is an error, until it is another builder, which may be one of
   * another thread. */
  if (isAlone && oneIn(4)) {
    mvm->clear_error(mvm);
    my.builder->gen_sym(my.builder, NULL);
    CHECK(mvm->get_error(mvm, NULL));
    oneCall();
    mvm->clear_error(mvm);
    my.builder->load(my.builder);
    CHECK(mvm->get_error(mvm, NULL));
  }
  mvm->clear_error(mvm);
}

static unsigned long bundles, loaded, calls;

static void* run(void* argument) {
  const double end = now() + lasts;
  seedThread((uintptr_t)argument);
  ctx = mvm->new_context(mvm);
  while (now() < end) oneBundle();
  ctx->close_context(ctx);
  __atomic_fetch_add(&bundles, my.bundles, __ATOMIC_RELAXED);
  __atomic_fetch_add(&loaded, my.loaded, __ATOMIC_RELAXED);
  __atomic_fetch_add(&calls, my.calls, __ATOMIC_RELAXED);
  return NULL;
}

int main(int argc, char** argv) {
  if (!startCalls(argc, argv, 1, kMostBuilding)) return 2;
  isAlone = threadCount == 1;
  load(bundle);
  runThreads(run);
  printf("seed %llu: %lu calls, %lu bundles, %lu of them loaded\n", (unsigned long long)firstSeed, calls,
         bundles, loaded);
  CHECK(loaded > 0 && loaded < bundles);
  mvm->clear_error(mvm);
  finish();
  return 0;
}
