/* Calls of the client interface at random, from several threads at once: any slot, mostly with operands that
 * fit, often with deleted, foreign and wrong ones. Nothing may crash, hang or be lost; a call that reports no
 * error has done what it should.
 *
 *   stress_api_calls SECONDS SEED [THREADS [OPTIONS]]
 *
 * What cannot be checked by the machine is not asked for: indices stay inside arrays, references are only
 * cast to ref<void>, and threads are only started where what waits can go on. */
#define _GNU_SOURCE
#include <unistd.h>

#define CLIENT_THREAD _Thread_local
#include "../api/slots.h"
#include "random_calls.h"

static const char* const bundle =
    ".typedef @i6 = int<6> .typedef @i32 = int<32> .typedef @i64 = int<64> .typedef @float = float .typedef "
    "@double = double .typedef @void = void\n"
    ".typedef @ptr = uptr<@void> .typedef @rv = ref<@void> .typedef @stack = stackref .typedef @thread = "
    "threadref .typedef @cursor = framecursorref\n"
    ".typedef @tag = tagref64 .typedef @weak = weakref<@void> .typedef @pair = struct<@i64 @double> .typedef "
    "@arr = array<@i64 8>\n"
    ".typedef @vec = vector<@float 4> .typedef @node = struct<@i64 @rv @weak @pair @arr @stack @tag @vec "
    "@i32 @cursor>\n"
    ".typedef @hybrid = hybrid<@i64 @rv @i64>\n"
    ".const @0 <@i64> = 0 .const @5 <@i64> = 5 .const @1_0 <@double> = 1.0 d .const @0_5 <@float> = 0.5 f "
    ".const @null <@rv> = NULL\n"
    ".const @nullstack <@stack> = NULL .const @nullthread <@thread> = NULL .const @nullcursor <@cursor> = "
    "NULL\n"
    ".const @a_pair <@pair> = { @5 @1_0 } .const @an_array <@arr> = { @5 @0 @5 @0 @5 @0 @5 @0 } .const "
    "@a_vector <@vec> = { @0_5 @0_5 @0_5 @0_5 }\n"
    ".funcsig @v = () -> () .funcsig @r_v = (@rv) -> () .funcsig @i_i = (@i64) -> (@i64) .typedef @fr = "
    "funcref<@v> .const @nullfunc <@fr> = NULL\n"
    ".typedef @fp = ufuncptr<@v> .const @getpid <@fp> = EXTERN \"getpid\" .global @cell <@i64> .global "
    "@object <@rv> .global @node_cell <@node>\n"
    ".funcdef @f VERSION %v <@v> { %entry(): RET () } .expose @f_native = @f #DEFAULT @0 .funcdecl "
    "@undefined <@v>\n"
    ".funcdef @keeps VERSION %v <@r_v> { %entry(<@rv> %x): STORE SEQ_CST <@rv> @object %x RET () }\n"
    ".funcdef @traps VERSION %v <@v> { %entry(): %o = NEW <@node> TRAP <> KEEPALIVE(%o) RET () }\n"
    ".funcdef @calls VERSION %v <@r_v> { %entry(<@rv> %x): CALL <@v> @traps () KEEPALIVE(%x) RET () }\n"
    ".funcdef @twice VERSION %v <@i_i> { %entry(<@i64> %x): %y = ADD <@i64> %x %x RET %y } .expose "
    "@twice_native = @twice #DEFAULT @0\n";

enum { kPool = 400, kContexts = 3 };

typedef struct Entry {
  MuValue value;
  enum Kind kind;
  int context; /* of those that the thread has */
} Entry;

static _Thread_local struct {
  Entry pool[kPool];
  MuCtx* contexts[kContexts];
  MuValue results[8];
  unsigned long calls, errors;
} my;

/* Handles of all threads, so that some are another thread's. */
static MuValue everybodys[256];

static void keep(int context, enum Kind kind, MuValue value) {
  const unsigned place = below(kPool);
  if (!value) return;
  my.pool[place] = (Entry){value, kind, context};
  __atomic_store_n(&everybodys[below(256)], value, __ATOMIC_RELAXED);
}

static MuID named(const char* const* names, unsigned count) {
  return my.contexts[0]->id_of(my.contexts[0], (char*)(uintptr_t)names[below(count)]);
}
#define ONE_OF(...) \
  named((const char* const[]){__VA_ARGS__}, sizeof((const char* const[]){__VA_ARGS__}) / sizeof(char*))

/* A fresh handle of the kind. */
static MuValue fresh(MuCtx* c, enum Kind kind) {
  const uint64_t number = next();
  switch (kind) {
    case kInt6: return c->handle_from_uint64(c, number, 6);
    case kInt52: return c->handle_from_uint64(c, number, 52);
    case kInt64: return c->handle_from_uint64(c, number, 64);
    case kFloat: return c->handle_from_float(c, (float)number);
    case kDouble: return c->handle_from_double(c, (double)number);
    case kPointer: return c->handle_from_ptr(c, ONE_OF("ptr"), &my);
    case kFunctionPointer: return c->handle_from_expose(c, ONE_OF("f_native", "twice_native"));
    case kStruct: return c->handle_from_const(c, ONE_OF("a_pair"));
    case kArray: return c->handle_from_const(c, ONE_OF("an_array"));
    case kVector: return c->handle_from_const(c, ONE_OF("a_vector"));
    case kRef:
      if (oneIn(3)) return c->handle_from_const(c, ONE_OF("null"));
      if (oneIn(3)) return c->new_hybrid(c, ONE_OF("hybrid"), c->handle_from_uint64(c, 1 + below(100), 64));
      return c->new_fixed(c, ONE_OF("node", "pair", "arr", "i64", "rv", "tag"));
    case kArrayIref: return c->get_iref(c, c->new_fixed(c, ONE_OF("arr")));
    case kIref:
      if (oneIn(3)) return c->handle_from_global(c, ONE_OF("cell", "object"));
      if (oneIn(2))
        return c->get_field_iref(c, c->get_iref(c, c->new_fixed(c, ONE_OF("node"))), (int)below(10));
      return c->get_iref(
          c, c->new_fixed(c, ONE_OF("i64", "rv", "tag", "i32", "double", "float", "weak", "pair")));
    case kFunction:
      return c->handle_from_func(c, ONE_OF("f", "keeps", "traps", "calls", "twice", "undefined"));
    case kThread: return c->handle_from_const(c, ONE_OF("nullthread"));
    case kStack:
      return c->new_stack(
          c, c->handle_from_func(c, ONE_OF("f", "keeps", "traps", "calls", "twice", "undefined")));
    case kCursor: return c->new_cursor(c, fresh(c, kStack));
    case kTagInt: return c->tr64_from_int(c, fresh(c, kInt52));
    case kTagRef: return c->tr64_from_ref(c, c->new_fixed(c, ONE_OF("pair")), fresh(c, kInt6));
    case kTagDouble: return c->tr64_from_fp(c, fresh(c, kDouble));
    case kWeakRef: return c->weak_ref(c, c->new_fixed(c, ONE_OF("pair")));
    default: return NULL;
  }
}

static MuValue fromPool(int context, unsigned kinds) {
  unsigned i, at = below(kPool);
  for (i = 0; i < kPool; ++i, ++at) {
    const Entry* entry = &my.pool[at % kPool];
    if (entry->value && entry->context == context && (BIT(entry->kind) & kinds)) return entry->value;
  }
  return NULL;
}

static MuValue operand(int context, char letter, enum Kind before) {
  const unsigned kinds = kindsOf(letter, before);
  enum Kind kind;
  MuValue value;
  if (letter == 'z')
    return my.contexts[context]->handle_from_uint64(my.contexts[context], 0, 1 + (int)below(64));
  if (letter == 'o' && oneIn(2)) return NULL;
  switch (below(40)) {
    case 0: return NULL;
    case 1: return (MuValue)(uintptr_t)next();
    case 2: return __atomic_load_n(&everybodys[below(256)], __ATOMIC_RELAXED);
    case 3:
    case 4: return my.pool[below(kPool)].value;
    default: break;
  }
  value = oneIn(4) ? NULL : fromPool(context, kinds);
  if (value) return value;
  do kind = (enum Kind)below(kKinds);
  while (!(kinds & BIT(kind)));
  value = fresh(my.contexts[context], kind);
  keep(context, kind, value);
  return value;
}

/* Slots whose good calls could do what no machine can check or survive: a thread with an exception that
 * nobody catches, code that is called after it was unexposed, addresses outside of objects. */
static int isSafe(const Slot* slot) {
  static const char* const unsafe[] = {
      "new_thread_nor", "new_thread_exc", "refcast",        "get_var_part_iref",
      "load_bundle",    "load_hail",      "close_context",  "unexpose",
      "shift_iref",     "fence",          "throw_exception"};
  size_t i;
  for (i = 0; i < sizeof unsafe / sizeof *unsafe; ++i)
    if (strcmp(slot->name, unsafe[i]) == 0) return 0;
  return 1;
}

/* What is gone is mostly forgotten, so that not every other call is an error. */
static void forget(int context, MuValue value) {
  unsigned i;
  for (i = 0; i < kPool; ++i)
    if (my.pool[i].context == context && (!value || my.pool[i].value == value) && !oneIn(8))
      my.pool[i].value = NULL;
}

/* The ID of an entity that the slot takes. */
static MuID entityFor(const char* slot) {
  static const char* const rows[][2] = {{"handle_from_const", "a_pair"}, {"handle_from_global", "cell"},
                                        {"handle_from_func", "f"},       {"handle_from_expose", "f_native"},
                                        {"handle_from_ptr", "ptr"},      {"handle_from_fp", "fp"},
                                        {"new_fixed", "node"},           {"new_hybrid", "hybrid"}};
  size_t i;
  for (i = 0; i < sizeof rows / sizeof *rows; ++i)
    if (strcmp(rows[i][0], slot) == 0) return named(&rows[i][1], 1);
  return MU_NO_ID;
}

static int resultKind(const char* name) {
  static const struct {
    const char* slot;
    enum Kind kind;
  } rows[] = {{"new_stack", kStack},      {"new_cursor", kCursor},      {"copy_cursor", kCursor},
              {"get_iref", kIref},        {"get_field_iref", kIref},    {"get_elem_iref", kIref},
              {"pin", kPointer},          {"get_addr", kPointer},       {"insert_value", kStruct},
              {"tr64_to_fp", kDouble},    {"tr64_to_int", kInt52},      {"tr64_to_tag", kInt6},
              {"tr64_to_ref", kRef},      {"tr64_from_fp", kTagDouble}, {"tr64_from_int", kTagInt},
              {"tr64_from_ref", kTagRef}, {"weak_ref", kWeakRef},       {"strong_ref", kRef}};
  size_t i;
  for (i = 0; i < sizeof rows / sizeof *rows; ++i)
    if (strcmp(rows[i].slot, name) == 0) return rows[i].kind;
  return -1;
}

static void oneCall(void) {
  const Slot* slot = &kSlots[below(kSlotCount)];
  const int context = (int)below(kContexts);
  MuCtx* c = my.contexts[context];
  MuValue operands[kMostOperands + 1] = {NULL};
  enum Kind before = kRef;
  uintptr_t result;
  size_t i;
  Plain plain = {.bits = oneIn(20) ? (int)next() : (int)below(200),
                 .index = oneIn(10) ? (int)next() : (int)below(3),
                 .order = below(oneIn(10) ? 9 : 7),
                 .failure = below(7),
                 .operation = below(12),
                 .convention = oneIn(10),
                 .watchpoint = below(50),
                 .words = {next(), next(), next(), next()},
                 .results = my.results,
                 .text = "node",
                 .length = 4};
  if (!isSafe(slot)) return;
  plain.type =
      ONE_OF("i64", "node", "pair", "hybrid", "ptr", "fp", "rv", "f", "cell", "v", "arr", "stack", "weak");
  plain.entity = oneIn(10) ? (MuID)next()
                           : ONE_OF("5", "null", "a_pair", "getpid", "cell", "object", "f", "undefined",
                                    "f_native", "i64", "v", "f.v", "f.v.entry");
  if (entityFor(slot->name) && !oneIn(4)) plain.type = plain.entity = entityFor(slot->name);
  for (i = 0; i < strlen(operandsOf(slot)); ++i) {
    const char letter = operandsOf(slot)[i];
    operands[i] = operand(context, letter, before);
    if (letter == 'G') {
      unsigned at;
      for (at = 0; at < kPool && my.pool[at].value != operands[i]; ++at) {
      }
      before = at < kPool ? my.pool[at].kind : kRef;
    }
  }
  mvm->clear_error(mvm);
  result = slot->call(c, oneIn(100) ? NULL : c, operands, &plain);
  ++my.calls;
  if (mvm->get_error(mvm, NULL)) {
    ++my.errors;
    CHECK(result == 0);
  } else if (strcmp(slot->name, "delete_value") == 0) {
    forget(context, operands[0]);
  } else if (result && resultKind(slot->name) >= 0) {
    keep(context, (enum Kind)resultKind(slot->name), (MuValue)result);
  }
}

/* What takes more than one call to be right. */
static void oneScene(void) {
  const int context = (int)below(kContexts);
  MuCtx* c = my.contexts[context];
  MuValue ref;
  switch (below(8)) {
    case 0: { /* a thread that runs through, maybe into a trap */
      MuFuncRefValue f = c->handle_from_func(c, ONE_OF("keeps", "calls"));
      MuValue value = c->refcast(c, c->new_fixed(c, ONE_OF("node", "pair")), ONE_OF("rv"));
      MuThreadRefValue thread = c->new_thread_nor(c, c->new_stack(c, f), NULL, &value, 1);
      keep(context, kThread, thread);
      break;
    }
    case 1: { /* an exposed function, called, and not called any more */
      MuValue exposed = c->expose(c, c->handle_from_func(c, ONE_OF("twice")), MU_CC_DEFAULT,
                                  c->handle_from_uint64(c, 1, 64));
      int64_t (*twice)(int64_t) = (int64_t(*)(int64_t))c->handle_to_fp(c, exposed);
      CHECK(twice && twice(4) == 8);
      c->unexpose(c, MU_CC_DEFAULT, exposed);
      break;
    }
    case 2: /* a context ends, with all that it has */
      c->close_context(c);
      forget(context, NULL);
      my.contexts[context] = mvm->new_context(mvm);
      CHECK(my.contexts[context]);
      break;
    case 3: { /* a text of any kind */
      char text[64];
      unsigned i, length = below(sizeof text);
      static const char letters[] = ".typedef @x = int<64> .const \"\n(){}%";
      for (i = 0; i < length; ++i) text[i] = oneIn(30) ? (char)next() : letters[below(sizeof letters - 1)];
      c->load_bundle(c, text, length);
      break;
    }
    case 4: { /* what is stored is found again */
      MuIRefValue place = c->get_iref(c, c->new_fixed(c, ONE_OF("i64")));
      const uint64_t number = next();
      c->store(c, MU_ORD_SEQ_CST, place, c->handle_from_uint64(c, number, 64));
      CHECK(c->handle_to_uint64(c, c->load(c, MU_ORD_SEQ_CST, place)) == number);
      break;
    }
    case 5: /* pins are counted */
      ref = c->new_fixed(c, ONE_OF("node"));
      c->pin(c, ref);
      c->pin(c, ref);
      c->unpin(c, ref);
      c->unpin(c, ref);
      mvm->clear_error(mvm);
      c->unpin(c, ref);
      CHECK(mvm->get_error(mvm, NULL));
      break;
    case 6: { /* frames put on a stack and taken off */
      MuStackRefValue stack = c->new_stack(c, c->handle_from_func(c, ONE_OF("f")));
      MuFCRefValue cursor;
      c->push_frame(c, stack, c->handle_from_func(c, ONE_OF("f", "undefined")));
      cursor = c->new_cursor(c, stack);
      c->next_frame(c, cursor);
      c->pop_frames_to(c, cursor);
      CHECK(c->cur_func(c, cursor) == ONE_OF("f"));
      keep(context, kCursor, cursor);
      keep(context, kStack, stack);
      break;
    }
    default: { /* the thread goes and comes */
      if (oneIn(10)) mvm->detach_current_thread(mvm);
      break;
    }
  }
  ++my.calls;
}

/* Answers well: another answer ends the program. */
static void handler(MuCtx* c, MuThreadRefValue thread, MuStackRefValue stack, MuWPID wpid,
                    MuTrapHandlerResult* result, MuStackRefValue* newStack, MuValue** values,
                    MuArraySize* count, MuValuesFreer* freer, MuCPtr* freerData, MuRefValue* exception,
                    MuCPtr userdata) {
  MuFCRefValue cursor = c->new_cursor(c, stack);
  MuValue kept[4];
  ((void)wpid, (void)newStack, (void)values, (void)count, (void)freer, (void)freerData, (void)exception,
   (void)userdata);
  CHECK(cursor && thread);
  c->dump_keepalives(c, cursor, kept);
  c->set_threadlocal(c, thread, c->handle_from_const(c, c->id_of(c, "null")));
  *result = oneIn(4) ? MU_THREAD_EXIT : MU_REBIND_PASS_VALUES;
}

static unsigned long calls, errors;

static void* run(void* argument) {
  const double end = now() + lasts;
  unsigned long round;
  int i;
  seedThread((uintptr_t)argument);
  for (i = 0; i < kContexts; ++i) my.contexts[i] = mvm->new_context(mvm);
  ctx = my.contexts[0];
  for (round = 0; round % 256 != 0 || now() < end; ++round) {
    if (oneIn(50)) {
      oneScene();
    } else {
      oneCall();
    }
    /* Handles that nobody deletes are the client's right; the program only has no memory for all of them. */
    if (round % 20000 == 19999) {
      for (i = 0; i < kContexts; ++i) {
        my.contexts[i]->close_context(my.contexts[i]);
        forget(i, NULL);
        my.contexts[i] = mvm->new_context(mvm);
      }
    }
    if (round % 5000 == 4999 && (uintptr_t)argument == 0) mvm->execute(mvm);
  }
  for (i = 0; i < kContexts; ++i) my.contexts[i]->close_context(my.contexts[i]);
  __atomic_fetch_add(&calls, my.calls, __ATOMIC_RELAXED);
  __atomic_fetch_add(&errors, my.errors, __ATOMIC_RELAXED);
  return NULL;
}

int main(int argc, char** argv) {
  if (!startCalls(argc, argv, 2, kMostThreads)) return 2;
  load(bundle);
  mvm->set_trap_handler(mvm, handler, NULL);
  runThreads(run);
  printf("seed %llu: %lu calls, %lu of them errors\n", (unsigned long long)firstSeed, calls, errors);
  CHECK(calls > 0 && errors > 0);
  mvm->clear_error(mvm);
  finish();
  return 0;
}
