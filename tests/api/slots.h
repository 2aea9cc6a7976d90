/* Every slot of MuVM and MuCtx as a row of a table: how it is called, and what its operands must be. The
 * tests of misuse go through all rows with all wrong operands, the stress test calls rows at random. */
#ifndef GAUR_TESTS_SLOTS_H
#define GAUR_TESTS_SLOTS_H

#include "mu/muapi.h"

/* Kinds of values that handles of the tests have; the order is that of kKindLetters. */
enum Kind {
  kInt6,
  kInt52,
  kInt64,
  kFloat,
  kDouble,
  kPointer,
  kFunctionPointer,
  kStruct,
  kArray,
  kVector,
  kRef,
  kArrayIref,
  kIref,
  kFunction,
  kThread,
  kStack,
  kCursor,
  kTagInt,
  kTagRef,
  kTagDouble,
  kWeakRef,
  kKinds
};

/* What is not a handle. Members mean the same in every row that has them. */
typedef struct Plain {
  MuID type, entity;
  int index, bits;
  MuMemOrd order, failure;
  MuAtomicRMWOptr operation;
  MuCallConv convention;
  MuWPID watchpoint;
  uint64_t words[4];
  MuValue* values;
  MuArraySize count;
  MuValue* results;
  char* text;
  MuArraySize length;
} Plain;

static inline uintptr_t wordOfDouble(double number) { return number != 0; }
static inline uintptr_t endOf(MuIRBuilder* builder) {
  if (builder) builder->abort(builder);
  return builder != NULL;
}

/* X(slot, operands, call): `t` is the table the slot is taken from, `c` the context, `v` the operands, `x`
 * the rest. Operands are letters: i int   5 int<52>   6 int<6>   z int, an index that must stay 0   f float
 * d double   p uptr   u ufuncptr   s struct   q array or vector r ref   l iref of an int<64>   a iref of an
 * array R ref or iref   G any reference but a tagged one   H of the kind of the operand before   n int<64> c
 * ref, iref or funcref   F funcref   T threadref   S READY stackref   C cursor   t tagref64   7 8 9 one that
 * holds an integer, a reference, a double o ref or nothing   v ufuncptr or nothing   w weakref   * any after
 * `-` where a good call would end, change or wait for something: the tests make it where they know better. */
/* clang-format off */
#define CONTEXT_SLOTS(X) \
  X(id_of, "", t->id_of(c, x->text)) \
  X(name_of, "", t->name_of(c, x->entity)) \
  X(close_context, "-", (t->close_context(c), 0)) \
  X(load_bundle, "-", (t->load_bundle(c, x->text, x->length), 0)) \
  X(load_hail, "-", (t->load_hail(c, x->text, x->length), 0)) \
  X(handle_from_sint8, "", t->handle_from_sint8(c, (int8_t)x->words[0], x->bits)) \
  X(handle_from_uint8, "", t->handle_from_uint8(c, (uint8_t)x->words[0], x->bits)) \
  X(handle_from_sint16, "", t->handle_from_sint16(c, (int16_t)x->words[0], x->bits)) \
  X(handle_from_uint16, "", t->handle_from_uint16(c, (uint16_t)x->words[0], x->bits)) \
  X(handle_from_sint32, "", t->handle_from_sint32(c, (int32_t)x->words[0], x->bits)) \
  X(handle_from_uint32, "", t->handle_from_uint32(c, (uint32_t)x->words[0], x->bits)) \
  X(handle_from_sint64, "", t->handle_from_sint64(c, (int64_t)x->words[0], x->bits)) \
  X(handle_from_uint64, "", t->handle_from_uint64(c, x->words[0], x->bits)) \
  X(handle_from_uint64s, "", t->handle_from_uint64s(c, x->words, 4, x->bits)) \
  X(handle_from_float, "", t->handle_from_float(c, 0.5f)) \
  X(handle_from_double, "", t->handle_from_double(c, 0.5)) \
  X(handle_from_ptr, "-", t->handle_from_ptr(c, x->type, x)) \
  X(handle_from_fp, "-", t->handle_from_fp(c, x->type, NULL)) \
  X(handle_to_sint8, "i", t->handle_to_sint8(c, v[0])) \
  X(handle_to_uint8, "i", t->handle_to_uint8(c, v[0])) \
  X(handle_to_sint16, "i", t->handle_to_sint16(c, v[0])) \
  X(handle_to_uint16, "i", t->handle_to_uint16(c, v[0])) \
  X(handle_to_sint32, "i", t->handle_to_sint32(c, v[0])) \
  X(handle_to_uint32, "i", t->handle_to_uint32(c, v[0])) \
  X(handle_to_sint64, "i", t->handle_to_sint64(c, v[0])) \
  X(handle_to_uint64, "i", t->handle_to_uint64(c, v[0])) \
  X(handle_to_float, "f", wordOfDouble((double)t->handle_to_float(c, v[0]))) \
  X(handle_to_double, "d", wordOfDouble(t->handle_to_double(c, v[0]))) \
  X(handle_to_ptr, "p", t->handle_to_ptr(c, v[0])) \
  X(handle_to_fp, "u", t->handle_to_fp(c, v[0])) \
  X(handle_from_const, "-", t->handle_from_const(c, x->entity)) \
  X(handle_from_global, "-", t->handle_from_global(c, x->entity)) \
  X(handle_from_func, "-", t->handle_from_func(c, x->entity)) \
  X(handle_from_expose, "-", t->handle_from_expose(c, x->entity)) \
  X(delete_value, "-*", (t->delete_value(c, v[0]), 0)) \
  X(ref_eq, "GH", t->ref_eq(c, v[0], v[1])) \
  X(ref_ult, "ll", t->ref_ult(c, v[0], v[1])) \
  X(extract_value, "s", t->extract_value(c, v[0], x->index)) \
  X(insert_value, "sn", t->insert_value(c, v[0], x->index, v[1])) \
  X(extract_element, "qz", t->extract_element(c, v[0], v[1])) \
  X(insert_element, "qzn", t->insert_element(c, v[0], v[1], v[2])) \
  X(new_fixed, "-", t->new_fixed(c, x->type)) \
  X(new_hybrid, "-i", t->new_hybrid(c, x->type, v[0])) \
  X(refcast, "-c", t->refcast(c, v[0], x->type)) \
  X(get_iref, "r", t->get_iref(c, v[0])) \
  X(get_field_iref, "-l", t->get_field_iref(c, v[0], x->index)) \
  X(get_elem_iref, "az", t->get_elem_iref(c, v[0], v[1])) \
  X(shift_iref, "lz", t->shift_iref(c, v[0], v[1])) \
  X(get_var_part_iref, "-l", t->get_var_part_iref(c, v[0])) \
  X(load, "l", t->load(c, x->order, v[0])) \
  X(store, "ln", (t->store(c, x->order, v[0], v[1]), 0)) \
  X(cmpxchg, "lnn", t->cmpxchg(c, x->order, x->failure, 0, v[0], v[1], v[2], &isSuccess)) \
  X(atomicrmw, "ln", t->atomicrmw(c, x->order, x->operation, v[0], v[1])) \
  X(fence, "", (t->fence(c, MU_ORD_SEQ_CST), 0)) \
  X(new_stack, "F", t->new_stack(c, v[0])) \
  X(new_thread_nor, "-Sor", t->new_thread_nor(c, v[0], v[1], v + 2, 1)) \
  X(new_thread_exc, "-Sor", t->new_thread_exc(c, v[0], v[1], v[2])) \
  X(kill_stack, "-S", (t->kill_stack(c, v[0]), 0)) \
  X(set_threadlocal, "-Tr", (t->set_threadlocal(c, v[0], v[1]), 0)) \
  X(get_threadlocal, "-T", t->get_threadlocal(c, v[0])) \
  X(new_cursor, "S", t->new_cursor(c, v[0])) \
  X(next_frame, "-C", (t->next_frame(c, v[0]), 0)) \
  X(copy_cursor, "C", t->copy_cursor(c, v[0])) \
  X(close_cursor, "-C", (t->close_cursor(c, v[0]), 0)) \
  X(cur_func, "C", t->cur_func(c, v[0])) \
  X(cur_func_ver, "C", t->cur_func_ver(c, v[0])) \
  X(cur_inst, "C", t->cur_inst(c, v[0])) \
  X(dump_keepalives, "C", (t->dump_keepalives(c, v[0], x->results), 0)) \
  X(pop_frames_to, "-C", (t->pop_frames_to(c, v[0]), 0)) \
  X(push_frame, "-SF", (t->push_frame(c, v[0], v[1]), 0)) \
  X(tr64_is_fp, "t", t->tr64_is_fp(c, v[0])) \
  X(tr64_is_int, "t", t->tr64_is_int(c, v[0])) \
  X(tr64_is_ref, "t", t->tr64_is_ref(c, v[0])) \
  X(tr64_to_fp, "9", t->tr64_to_fp(c, v[0])) \
  X(tr64_to_int, "7", t->tr64_to_int(c, v[0])) \
  X(tr64_to_ref, "8", t->tr64_to_ref(c, v[0])) \
  X(tr64_to_tag, "8", t->tr64_to_tag(c, v[0])) \
  X(tr64_from_fp, "d", t->tr64_from_fp(c, v[0])) \
  X(tr64_from_int, "5", t->tr64_from_int(c, v[0])) \
  X(tr64_from_ref, "r6", t->tr64_from_ref(c, v[0], v[1])) \
  X(enable_watchpoint, "", (t->enable_watchpoint(c, x->watchpoint), 0)) \
  X(disable_watchpoint, "", (t->disable_watchpoint(c, x->watchpoint), 0)) \
  X(pin, "R", t->pin(c, v[0])) \
  X(unpin, "-R", (t->unpin(c, v[0]), 0)) \
  X(get_addr, "R", t->get_addr(c, v[0])) \
  X(expose, "Fi", t->expose(c, v[0], x->convention, v[1])) \
  X(unexpose, "-u", (t->unexpose(c, x->convention, v[0]), 0)) \
  X(new_ir_builder, "-", endOf(t->new_ir_builder(c))) \
  X(make_boot_image, "-", (t->make_boot_image(c, NULL, 1, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0, NULL), 0)) \
  X(add_ptr_reloc, "-l", (t->add_ptr_reloc(c, v[0], x->text), 0)) \
  X(new_host_function, "-", t->new_host_function(c, x->entity, NULL, NULL, NULL, NULL)) \
  X(dispose_host_function, "-u", (t->dispose_host_function(c, v[0]), 0)) \
  X(pin_host_function, "-u", t->pin_host_function(c, v[0])) \
  X(unpin_host_function, "-u", (t->unpin_host_function(c, v[0]), 0)) \
  X(bind_symbol, "-v", (t->bind_symbol(c, x->text, v[0]), 0)) \
  X(get_caller, "-", t->get_caller(c, NULL, NULL, NULL)) \
  X(throw_exception, "-o", (t->throw_exception(c, v[0]), 0)) \
  X(weak_ref, "r", t->weak_ref(c, v[0])) \
  X(strong_ref, "w", t->strong_ref(c, v[0])) \
  X(load_collectible, "-", (t->load_collectible(c, x->text, x->length), 0)) \
  X(make_collectible, "-", (t->make_collectible(c, NULL), 0)) \
  X(unload, "-", (t->unload(c, x->entity), 0)) \
  X(why, "-", (uintptr_t)t->why(c, x->entity)) \
  X(why_host_function, "-u", (uintptr_t)t->why_host_function(c, v[0])) \
  X(why_json, "-", (uintptr_t)t->why_json(c))
/* clang-format on */

#define SLOT_FUNCTION(slot, operands, call)                                \
  static uintptr_t call_##slot(MuCtx* t, MuCtx* c, MuValue* v, Plain* x) { \
    MuBool isSuccess = 0;                                                  \
    ((void)c, (void)v, (void)x, (void)isSuccess);                          \
    return (uintptr_t)(call);                                              \
  }
CONTEXT_SLOTS(SLOT_FUNCTION)

typedef struct Slot {
  const char* name;
  const char* marked; /* operands, maybe after `-` */
  uintptr_t (*call)(MuCtx* table, MuCtx*, MuValue*, Plain*);
} Slot;
#define SLOT_ROW(slot, operands, call) {#slot, operands, call_##slot},
static const Slot kSlots[] = {CONTEXT_SLOTS(SLOT_ROW)};
enum { kSlotCount = sizeof kSlots / sizeof *kSlots, kMostOperands = 3 };

/* A good call changes nothing that matters. */
static inline int isQuiet(const Slot* slot) { return *slot->marked != '-'; }
static inline const char* operandsOf(const Slot* slot) { return slot->marked + !isQuiet(slot); }

#define BIT(kind) (1u << (kind))
/* The kinds that an operand may have; `before` is the kind of the one before it. */
static inline unsigned kindsOf(char letter, enum Kind before) {
  const unsigned tagged = BIT(kTagInt) | BIT(kTagRef) | BIT(kTagDouble),
                 ints = BIT(kInt6) | BIT(kInt52) | BIT(kInt64), irefs = BIT(kArrayIref) | BIT(kIref);
  switch (letter) {
    case 'i':
    case 'z': return ints;
    case '5': return BIT(kInt52);
    case '6': return BIT(kInt6);
    case 'n': return BIT(kInt64);
    case 'f': return BIT(kFloat);
    case 'd': return BIT(kDouble);
    case 'p': return BIT(kPointer);
    case 'v':
    case 'u': return BIT(kFunctionPointer);
    case 'w': return BIT(kWeakRef);
    case 's': return BIT(kStruct);
    case 'q': return BIT(kArray) | BIT(kVector);
    case 'o':
    case 'r': return BIT(kRef);
    case 'a': return irefs;
    case 'l': return BIT(kIref);
    case 'R': return BIT(kRef) | irefs;
    case 'G': return BIT(kRef) | irefs | BIT(kFunction) | BIT(kThread) | BIT(kStack) | BIT(kCursor);
    case 'c': return BIT(kRef) | irefs | BIT(kFunction);
    case 'H': return BIT(before);
    case 'F': return BIT(kFunction);
    case 'T': return BIT(kThread);
    case 'S': return BIT(kStack);
    case 'C': return BIT(kCursor);
    case 't': return tagged;
    case '7': return BIT(kTagInt);
    case '8': return BIT(kTagRef);
    case '9': return BIT(kTagDouble);
    default: return BIT(kKinds) - 1;
  }
}
static inline enum Kind firstKind(unsigned kinds) {
  int kind = 0;
  while (!(kinds & BIT(kind))) ++kind;
  return (enum Kind)kind;
}

#endif
