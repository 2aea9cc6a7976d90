/* Builders from their making to load or abort: IDs and names, the order of definitions, several at once, in
 * several threads, and what is left of one that has ended. */
#include <pthread.h>
#include <stdatomic.h>

#include "builder.h"

/* f returns its first argument plus `number`. Everything is defined after what refers to it. */
static void addition(const char* function, uint64_t number) {
  MuID version = fresh(), exposed = name(function), back = fresh(), add = fresh(), sum = fresh(),
       block = fresh(), x = fresh(), y = fresh(), f = fresh(), word = fresh(), sig = fresh(), constants[2];
  constants[0] = fresh();
  constants[1] = fresh();
  B(new_func_ver, version, f, &block, 1);
  B(new_bb, block, (MuID[]){x, y}, (MuID[]){word, word}, 2, MU_NO_ID, IDS(add, back));
  B(new_ret, back, &sum, 1);
  B(new_binop, add, sum, MU_BINOP_ADD, word, x, constants[0], MU_NO_ID);
  B(new_exp_func, exposed, f, MU_CC_DEFAULT, constants[1]);
  B(new_func, f, sig);
  B(new_funcsig, sig, (MuID[]){word, word}, 2, &word, 1);
  B(new_const_int, constants[0], word, number);
  B(new_const_int, constants[1], word, 0);
  B(new_type_int, word, 64);
}
static int64_t callNamed(const char* function, int64_t argument) {
  return exposedFunction(id(function))(argument, 0);
}

/* A blocks before functions, types last; symbols that are never defined or used. */
static void anyOrder(void) {
  int i;
  open();
  for (i = 0; i < 1000; ++i) CHECK(fresh() != MU_NO_ID);
  CHECK(name("@void.result.never") != MU_NO_ID);
  addition("@anyOrder", 5);
  b->load(b);
  NO_ERROR();
  CHECK(callNamed("anyOrder", 37) == 42);
  FAILS("A0008", id("void.result.never"));
}

/* Names with and without @, of everything in a function, and their IDs. */
static void names(void) {
  MuID word, again, f, version, block, x, sum, add, back, sig;
  open();
  word = name("names.i64");
  again = name("@names.i64");
  CHECK(word == again && word >= 65536);
  CHECK(fresh() != fresh());
  /* An empty name is none. */
  CHECK(name("") != name("@"));
  CHECK(name("@uvm.new_stack") == MU_CI_UVM_NEW_STACK);
  f = name("@names_f");
  version = name("@names_f.v1");
  block = name("@names_f.v1.blk0");
  x = name("@names_f.v1.blk0.x-1_5");
  sum = name("@names_f.v1.blk0.sum");
  add = name("@names_f.v1.blk0.add");
  back = fresh();
  sig = name("@names_sig");
  B(new_type_int, word, 64);
  B(new_funcsig, sig, &word, 1, &word, 1);
  B(new_func, f, sig);
  B(new_binop, add, sum, MU_BINOP_MUL, word, x, x, MU_NO_ID);
  B(new_ret, back, &sum, 1);
  B(new_bb, block, &x, &word, 1, MU_NO_ID, IDS(add, back));
  B(new_func_ver, version, f, &block, 1);
  /* Not known before it is loaded. */
  FAILS("A0008", id("names_f"));
  b->load(b);
  NO_ERROR();
  CHECK(id("names.i64") == word && id("@names_f") == f && id("@names_f.v1") == version &&
        id("@names_f.v1.blk0") == block);
  CHECK(id("@names_f.v1.blk0.x-1_5") == x && id("names_f.v1.blk0.sum") == sum &&
        id("names_f.v1.blk0.add") == add);
  CHECK(strcmp(ctx->name_of(ctx, sum), "@names_f.v1.blk0.sum") == 0 && ctx->name_of(ctx, back) == NULL);
  NO_ERROR();
  /* What is loaded gives its IDs to builders. */
  open();
  CHECK(name("@names_f") == f && name("names_f.v1.blk0.sum") == sum);
  b->abort(b);
  NO_ERROR();
}

/* Names with letters that text cannot have. */
static void strangeNames(void) {
  static const char* const kNames[] = {"@<lambda>",          "@with blank", "@quote\"d",
                                       "@\xc3\xa9t\xc3\xa9", "@new\nline",  "@@@"};
  MuID ids[6];
  size_t i;
  open();
  for (i = 0; i < 6; ++i) {
    ids[i] = name(kNames[i]);
    B(new_type_float, ids[i]);
  }
  b->load(b);
  NO_ERROR();
  for (i = 0; i < 6; ++i) CHECK(id(kNames[i]) == ids[i] && strcmp(ctx->name_of(ctx, ids[i]), kNames[i]) == 0);
}

/* Two at once: neither sees what the other has, one is given up. */
static void interleaved(void) {
  MuIRBuilder *first, *second;
  MuID one, two;
  open();
  first = b;
  open();
  second = b;
  CHECK(first != second);
  b = first;
  one = name("@interleaved.common");
  b = second;
  two = name("@interleaved.common");
  CHECK(one != two);
  b = first;
  addition("@interleaved.first", 1);
  b = second;
  addition("@interleaved.second", 2);
  B(new_type_double, two);
  b = first;
  addition("@interleaved.third", 3);
  b->load(b);
  NO_ERROR();
  CHECK(callNamed("interleaved.first", 1) == 2 && callNamed("interleaved.third", 1) == 4);
  FAILS("A0008", id("interleaved.second"));
  b = second;
  b->load(b);
  NO_ERROR();
  CHECK(callNamed("interleaved.second", 1) == 3 && id("interleaved.common") == two);
}

/* A reference by name to what another builder, or a text, brings before this one is loaded; IDs count for all
 * builders. */
static void acrossBundles(void) {
  MuIRBuilder *user, *giver;
  MuID byName, byId;
  open();
  user = b;
  byName = name("@across.sig");
  byId = fresh();
  B(new_func, name("@across.f"), byName);
  B(new_func, name("@across.g"), byId);
  open();
  giver = b;
  standardTypes();
  B(new_funcsig, name("@across.sig"), &i64, 1, &i64, 1);
  B(new_funcsig, byId, &i32, 1, &i64, 1);
  b->load(b);
  NO_ERROR();
  b = user;
  b->load(b);
  NO_ERROR();
  CHECK(function("across.f") && function("across.g"));
  (void)giver;
  /* One that refers to a text's names, and a text that refers to a builder's. */
  load(".typedef @across.text = int<64>\n.const @across.forty <@across.text> = 40");
  open();
  standardTypes();
  beginFunction();
  ret(binop(MU_BINOP_ADD, i64, argA, name("@across.forty")));
  endEntry();
  endFunction();
  B(new_exp_func, name("@across.h"), functionId, MU_CC_DEFAULT, constant(i64, 0));
  b->load(b);
  NO_ERROR();
  CHECK(callNamed("across.h", 2) == 42);
  load(".global @across.cell <@across.text>\n.funcdecl @across.f <@across.sig>");
}

/* A new version of a function that is loaded: calls go to it from then on. */
static void redefinition(void) {
  MuID f;
  Binary* function;
  int round;
  open();
  standardTypes();
  beginFunction();
  f = functionId;
  ret(argA);
  endEntry();
  endFunction();
  b->load(b);
  NO_ERROR();
  function = exposedFunction(exposedId);
  CHECK(function(7, 0) == 7);
  for (round = 1; round < 5; ++round) {
    MuID version, block, x, y;
    open();
    standardTypes();
    version = fresh();
    block = fresh();
    x = fresh();
    y = fresh();
    instructionCount = 0;
    ret(binop(MU_BINOP_MUL, i64, x, constant(i64, (uint64_t)round * 10)));
    endBlock(block, (MuID[]){x, y}, (MuID[]){i64, i64}, 2, MU_NO_ID);
    B(new_func_ver, version, f, &block, 1);
    b->load(b);
    NO_ERROR();
    CHECK(function(7, 0) == 70 * round);
  }
}

/* After load or abort every call is an error, also when other builders are made and ended meanwhile. */
static void ended(void) {
  MuIRBuilder* loaded;
  MuIRBuilder* aborted;
  int i;
  open();
  loaded = b;
  b->load(b);
  NO_ERROR();
  open();
  aborted = b;
  addition("@ended.never", 1);
  b->abort(b);
  NO_ERROR();
  FAILS("A0008", id("ended.never"));
  for (i = 0; i < 5; ++i) {
    open();
    b->abort(b);
  }
  for (i = 0; i < 2; ++i) {
    b = i == 0 ? loaded : aborted;
    FAILS("A0026", fresh());
    FAILS_VOID("A0026", B(new_type_int, 70000, 64));
    FAILS_VOID("A0026", B(new_bb, 70000, NULL, NULL, 0, MU_NO_ID, NULL, 0));
    FAILS_VOID("A0026", b->load(b));
    FAILS_VOID("A0026", b->abort(b));
  }
}

/* What is wrong changes nothing: no name of it is known, and the right one can be loaded under the same
 * names. */
static void allOrNothing(void) {
  int wrong;
  for (wrong = 1; wrong >= 0; --wrong) {
    open();
    addition("@nothing.f", 1);
    B(new_type_struct, name("@nothing.t"), wrong ? &(MuID){name("@nothing.unknown")} : NULL,
      (MuArraySize)wrong);
    if (!wrong) {
      /* A struct needs fields; another builder has them. */
      b->abort(b);
      open();
      addition("@nothing.f", 1);
      B(new_type_float, name("@nothing.t"));
    }
    mvm->clear_error(mvm);
    b->load(b);
    if (wrong) {
      CHECK(mvm->get_error(mvm, NULL));
      FAILS("A0008", id("nothing.f"));
      FAILS("A0008", id("nothing.t"));
    }
  }
  NO_ERROR();
  CHECK(callNamed("nothing.f", 1) == 2);
}

/* Many one after the other, of which some are given up. */
static void many(void) {
  char text[32];
  int i;
  for (i = 0; i < 300; ++i) {
    open();
    snprintf(text, sizeof text, "@many.%d", i);
    addition(text, (uint64_t)i);
    if (i % 3 == 0)
      b->abort(b);
    else
      b->load(b);
    NO_ERROR();
  }
  for (i = 0; i < 300; ++i) {
    snprintf(text, sizeof text, "many.%d", i);
    if (i % 3 == 0)
      FAILS("A0008", id(text));
    else if (i % 10 == 1)
      CHECK(callNamed(text, 1) == i + 1);
  }
}

/* --- Threads --- */

enum { kRounds = 40 };

static void* buildInThread(void* argument) {
  MuCtx* context = mvm->new_context(mvm);
  long thread = (long)(intptr_t)argument;
  int round;
  for (round = 0; round < kRounds; ++round) {
    MuIRBuilder* own = context->new_ir_builder(context);
    MuID word = own->gen_sym(own, NULL), sig = own->gen_sym(own, NULL), f = own->gen_sym(own, NULL),
         zero = own->gen_sym(own, NULL), exposed, version = own->gen_sym(own, NULL),
         block = own->gen_sym(own, NULL), x = own->gen_sym(own, NULL), y = own->gen_sym(own, NULL),
         sum = own->gen_sym(own, NULL), add = own->gen_sym(own, NULL), back = own->gen_sym(own, NULL),
         number = own->gen_sym(own, NULL);
    char text[40];
    Binary* function;
    snprintf(text, sizeof text, "@thread%ld.%d", thread, round);
    exposed = own->gen_sym(own, text);
    own->new_type_int(own, word, 64);
    own->new_funcsig(own, sig, (MuID[]){word, word}, 2, &word, 1);
    own->new_const_int(own, zero, word, 0);
    own->new_const_int(own, number, word, (uint64_t)(thread * 1000 + round));
    own->new_func(own, f, sig);
    own->new_exp_func(own, exposed, f, MU_CC_DEFAULT, zero);
    own->new_binop(own, add, sum, MU_BINOP_ADD, word, x, number, MU_NO_ID);
    own->new_ret(own, back, &sum, 1);
    own->new_bb(own, block, (MuID[]){x, y}, (MuID[]){word, word}, 2, MU_NO_ID, (MuID[]){add, back}, 2);
    own->new_func_ver(own, version, f, &block, 1);
    own->load(own);
    NO_ERROR();
    function = (Binary*)context->handle_to_fp(context, context->handle_from_expose(context, exposed));
    CHECK(function(1, 0) == thread * 1000 + round + 1);
    CHECK(context->id_of(context, text) == exposed);
  }
  context->close_context(context);
  return NULL;
}

static void threads(void) {
  pthread_t started[4];
  long i;
  for (i = 0; i < 4; ++i) CHECK(pthread_create(&started[i], NULL, buildInThread, (void*)(intptr_t)i) == 0);
  for (i = 0; i < 4; ++i) CHECK(pthread_join(started[i], NULL) == 0);
}

/* One builder in two threads at once: calls succeed, or fail because the other is in one. */
static atomic_int rejected;
static void* disturb(void* argument) {
  MuIRBuilder* shared = argument;
  int i;
  for (i = 0; i < 20000; ++i) {
    MuError error;
    MuID made = shared->gen_sym(shared, NULL);
    if (made != MU_NO_ID) shared->new_type_float(shared, made);
    if (mvm->get_error(mvm, &error)) {
      CHECK(strcmp(error.code, "A0027") == 0);
      ++rejected;
      mvm->clear_error(mvm);
    }
  }
  return NULL;
}
static void sharedByMistake(void) {
  pthread_t other;
  open();
  CHECK(pthread_create(&other, NULL, disturb, b) == 0);
  disturb(b);
  CHECK(pthread_join(other, NULL) == 0);
  b->abort(b);
  NO_ERROR();
}

/* One after the other it may pass from thread to thread. */
static void* finishBuilder(void* argument) {
  MuIRBuilder* passed = argument;
  passed->load(passed);
  return NULL;
}
static void handedOver(void) {
  pthread_t other;
  open();
  addition("@handed.over", 3);
  CHECK(pthread_create(&other, NULL, finishBuilder, b) == 0);
  CHECK(pthread_join(other, NULL) == 0);
  CHECK(callNamed("handed.over", 4) == 7);
}

int main(void) {
  start("");
  anyOrder();
  names();
  strangeNames();
  interleaved();
  acrossBundles();
  redefinition();
  ended();
  allOrNothing();
  many();
  threads();
  sharedByMistake();
  handedOver();
  finish();
  return 0;
}
