/* Every operator, conversion, flag and memory order of the header in a program of its own: built, loaded,
 * called with several pairs of arguments, and compared with what C says. */
#include <math.h>

#include "builder.h"

static const int64_t pairs[][2] = {
    {5, 3},        {-7, 2},  {INT64_MIN, -1}, {0x7fffffff, 0x80000000},
    {255, -256},   {-1, 63}, {40, -40},       {0x123456789abcdef0, 0x7fffffffffffffff},
    {-128, 0x1ff}, {0, 1}};
enum { kPairs = sizeof pairs / sizeof *pairs };
static int programs;

/* What a program is made of, and its answer; `isOutside`: C has none for these arguments. */
typedef struct Program {
  MuID (*make)(const struct Program*);
  int64_t (*answer)(const struct Program*, int64_t, int64_t, int* isOutside);
  MuFlag operation;
  int width, otherWidth;
  MuFlag flags;
} Program;

static void run(Program program) {
  Binary* function;
  MuID value;
  int i;
  open();
  standardTypes();
  beginFunction();
  value = program.make(&program);
  ret(value);
  endEntry();
  endFunction();
  b->load(b);
  if (mvm->get_error(mvm, NULL))
    fprintf(stderr, "operation %#x of %d bits\n", (unsigned)program.operation, program.width);
  NO_ERROR();
  function = exposedFunction(exposedId);
  for (i = 0; i < kPairs; ++i) {
    int isOutside = 0;
    const int64_t wanted = program.answer(&program, pairs[i][0], pairs[i][1], &isOutside);
    int64_t got;
    if (isOutside) continue;
    got = function(pairs[i][0], pairs[i][1]);
    if (got == wanted) continue;
    fprintf(stderr, "operation %#x of %d and %d bits, flags %#x, on %lld and %lld: %lld instead of %lld\n",
            (unsigned)program.operation, program.width, program.otherWidth, (unsigned)program.flags,
            (long long)pairs[i][0], (long long)pairs[i][1], (long long)got, (long long)wanted);
    exit(1);
  }
  ++programs;
}

/* --- Integers of `width` bits --- */

static uint64_t unsignedOf(int64_t value, int width) {
  return width == 64 ? (uint64_t)value : (uint64_t)value & (((uint64_t)1 << width) - 1);
}
static int64_t signedOf(int64_t value, int width) {
  const int above = 64 - width;
  return (int64_t)((uint64_t)value << above) >> above;
}
static MuID narrow(MuID value, int width, MuID type) {
  return width == 64 ? value : conv(MU_CONV_TRUNC, i64, type, value);
}
static MuID widen(MuID value, int width, MuID type) {
  return width == 64 ? value : conv(MU_CONV_ZEXT, type, i64, value);
}

static MuID makeInt(const Program* p) {
  MuID type = intType(p->width);
  return widen(binop(p->operation, type, narrow(argA, p->width, type), narrow(argB, p->width, type)),
               p->width, type);
}
static int64_t answerInt(const Program* p, int64_t a, int64_t c, int* isOutside) {
  const uint64_t x = unsignedOf(a, p->width), y = unsignedOf(c, p->width),
                 amount = y & (uint64_t)(p->width - 1);
  const int64_t s = signedOf(a, p->width), t = signedOf(c, p->width);
  uint64_t result = 0;
  const int divides = p->operation >= MU_BINOP_SDIV && p->operation <= MU_BINOP_UREM;
  if ((*isOutside = divides && y == 0)) return 0;
  switch (p->operation) {
    case MU_BINOP_ADD: result = x + y; break;
    case MU_BINOP_SUB: result = x - y; break;
    case MU_BINOP_MUL: result = x * y; break;
    case MU_BINOP_SDIV: result = t == -1 ? 0 - (uint64_t)s : (uint64_t)(s / t); break;
    case MU_BINOP_SREM: result = t == -1 ? 0 : (uint64_t)(s % t); break;
    case MU_BINOP_UDIV: result = x / y; break;
    case MU_BINOP_UREM: result = x % y; break;
    case MU_BINOP_SHL: result = x << amount; break;
    case MU_BINOP_LSHR: result = x >> amount; break;
    case MU_BINOP_ASHR: result = (uint64_t)(s >> amount); break;
    case MU_BINOP_AND: result = x & y; break;
    case MU_BINOP_OR: result = x | y; break;
    case MU_BINOP_XOR: result = x ^ y; break;
  }
  return (int64_t)unsignedOf((int64_t)result, p->width);
}

static MuID makeCmp(const Program* p) {
  MuID type = intType(p->width);
  return conv(MU_CONV_ZEXT, i1, i64,
              cmp(p->operation, type, narrow(argA, p->width, type), narrow(argB, p->width, type)));
}
static int64_t answerCmp(const Program* p, int64_t a, int64_t c, int* isOutside) {
  const uint64_t x = unsignedOf(a, p->width), y = unsignedOf(c, p->width);
  const int64_t s = signedOf(a, p->width), t = signedOf(c, p->width);
  (void)isOutside;
  switch (p->operation) {
    case MU_CMP_EQ: return x == y;
    case MU_CMP_NE: return x != y;
    case MU_CMP_SGE: return s >= t;
    case MU_CMP_SGT: return s > t;
    case MU_CMP_SLE: return s <= t;
    case MU_CMP_SLT: return s < t;
    case MU_CMP_UGE: return x >= y;
    case MU_CMP_UGT: return x > y;
    case MU_CMP_ULE: return x <= y;
    default: return x < y;
  }
}

/* The flags that are asked for, as bits in the order of the results. */
static MuID makeStatus(const Program* p) {
  MuID type = intType(p->width), result = fresh(), status[4], packed = constant(i64, 0);
  MuArraySize count = 0, i;
  for (i = 0; i < 4; ++i)
    if (p->flags & 1u << i) status[count++] = fresh();
  B(new_binop_with_status, next(), result, status, count, p->operation, p->flags, type,
    narrow(argA, p->width, type), narrow(argB, p->width, type), MU_NO_ID);
  for (i = 0; i < count; ++i) {
    MuID bit = conv(MU_CONV_ZEXT, i1, i64, status[i]);
    packed = binop(MU_BINOP_OR, i64, packed, binop(MU_BINOP_SHL, i64, bit, constant(i64, i)));
  }
  return packed;
}
static int64_t answerStatus(const Program* p, int64_t a, int64_t c, int* isOutside) {
  __extension__ typedef __int128 Wide;
  const Wide x = (Wide)unsignedOf(a, p->width), y = (Wide)unsignedOf(c, p->width);
  const Wide s = signedOf(a, p->width), t = signedOf(c, p->width);
  __extension__ const unsigned __int128 product = (unsigned __int128)x * (unsigned __int128)y;
  const int isMul = p->operation == MU_BINOP_MUL;
  const Wide exact = p->operation == MU_BINOP_ADD ? s + t : isMul ? s * t : s - t;
  const int64_t result = signedOf((int64_t)(uint64_t)exact, p->width);
  const int flags[] = {result < 0, result == 0,
                       isMul                          ? product >> p->width != 0
                       : p->operation == MU_BINOP_ADD ? (x + y) >> p->width != 0
                                                      : x < y,
                       exact != result};
  int64_t packed = 0;
  int i, place = 0;
  (void)isOutside;
  for (i = 0; i < 4; ++i)
    if (p->flags & 1u << i) packed |= (int64_t)flags[i] << place++;
  return packed;
}

static void integers(void) {
  static const int widths[] = {8, 16, 32, 64};
  static const MuBinOptr withStatus[] = {MU_BINOP_ADD, MU_BINOP_SUB, MU_BINOP_MUL};
  size_t w, i;
  MuFlag operation, flags;
  for (w = 0; w < sizeof widths / sizeof *widths; ++w) {
    for (operation = MU_BINOP_ADD; operation <= MU_BINOP_XOR; ++operation)
      run((Program){makeInt, answerInt, operation, widths[w], 0, 0});
    for (operation = MU_CMP_EQ; operation <= MU_CMP_ULT; ++operation)
      run((Program){makeCmp, answerCmp, operation, widths[w], 0, 0});
  }
  for (w = 2; w < 4; ++w)
    for (i = 0; i < 3; ++i)
      for (flags = 1; flags < 16; ++flags)
        run((Program){makeStatus, answerStatus, withStatus[i], widths[w], 0, flags});
}

/* --- Floating point of 32 or 64 bits, on quarters of the arguments; NaN where the second is 63 --- */

static MuID quarter(MuID value, const Program* p) {
  MuID type = p->width == 32 ? f32 : f64, four = fresh(), nan = fresh();
  if (p->width == 32) {
    B(new_const_float, four, type, 4.0f);
    B(new_const_float, nan, type, NAN);
  } else {
    B(new_const_double, four, type, 4.0);
    B(new_const_double, nan, type, (double)NAN);
  }
  MuID number = binop(MU_BINOP_FDIV, type, conv(MU_CONV_SITOFP, i64, type, value), four), chosen = fresh();
  B(new_select, next(), chosen, i1, type, cmp(MU_CMP_EQ, i64, value, constant(i64, 63)), nan, number);
  return chosen;
}
static double quarterOf(int64_t value, int width) {
  if (value == 63) return NAN;
  return width == 32 ? (double)((float)value / 4.0f) : (double)value / 4.0;
}
static MuID makeFloating(const Program* p) {
  MuID type = p->width == 32 ? f32 : f64;
  MuID result = binop(p->operation, type, quarter(argA, p), quarter(argB, p));
  return p->width == 32 ? conv(MU_CONV_ZEXT, i32, i64, conv(MU_CONV_BITCAST, f32, i32, result))
                        : conv(MU_CONV_BITCAST, f64, i64, result);
}
static double operated(MuFlag operation, double x, double y) {
  switch (operation) {
    case MU_BINOP_FADD: return x + y;
    case MU_BINOP_FSUB: return x - y;
    case MU_BINOP_FMUL: return x * y;
    case MU_BINOP_FDIV: return x / y;
    default: return fmod(x, y);
  }
}
static int64_t answerFloating(const Program* p, int64_t a, int64_t c, int* isOutside) {
  const double x = quarterOf(a, p->width), y = quarterOf(c, p->width);
  /* In double the four operations of floats are right when rounded again. */
  const double result = operated(p->operation, x, y);
  int64_t bits = 0;
  float shorter = (float)result;
  /* The bits of a NaN are nobody's business. */
  if ((*isOutside = isnan(result))) return 0;
  memcpy(&bits, p->width == 32 ? (void*)&shorter : (void*)&result, (size_t)p->width / 8);
  return bits;
}
static MuID makeFloatingCmp(const Program* p) {
  return conv(MU_CONV_ZEXT, i1, i64,
              cmp(p->operation, p->width == 32 ? f32 : f64, quarter(argA, p), quarter(argB, p)));
}
static int64_t answerFloatingCmp(const Program* p, int64_t a, int64_t c, int* isOutside) {
  const double x = quarterOf(a, p->width), y = quarterOf(c, p->width);
  const int unordered = isnan(x) || isnan(y);
  (void)isOutside;
  switch (p->operation) {
    case MU_CMP_FFALSE: return 0;
    case MU_CMP_FTRUE: return 1;
    case MU_CMP_FUNO: return unordered;
    case MU_CMP_FUEQ: return unordered || x == y;
    case MU_CMP_FUNE: return unordered || x != y;
    case MU_CMP_FUGT: return unordered || x > y;
    case MU_CMP_FUGE: return unordered || x >= y;
    case MU_CMP_FULT: return unordered || x < y;
    case MU_CMP_FULE: return unordered || x <= y;
    case MU_CMP_FORD: return !unordered;
    case MU_CMP_FOEQ: return !unordered && x == y;
    case MU_CMP_FONE: return !unordered && x != y;
    case MU_CMP_FOGT: return !unordered && x > y;
    case MU_CMP_FOGE: return !unordered && x >= y;
    case MU_CMP_FOLT: return !unordered && x < y;
    default: return !unordered && x <= y;
  }
}

static void floating(void) {
  int width;
  MuFlag operation;
  for (width = 32; width <= 64; width += 32) {
    for (operation = MU_BINOP_FADD; operation <= MU_BINOP_FREM; ++operation)
      run((Program){makeFloating, answerFloating, operation, width, 0, 0});
    for (operation = MU_CMP_FFALSE; operation <= MU_CMP_FOLE; ++operation)
      run((Program){makeFloatingCmp, answerFloatingCmp, operation, width, 0, 0});
  }
}

/* --- Conversions --- */

static MuID makeConv(const Program* p) {
  MuID from = intType(p->width), to = intType(p->otherWidth);
  return widen(conv(p->operation, from, to, narrow(argA, p->width, from)), p->otherWidth, to);
}
static int64_t answerConv(const Program* p, int64_t a, int64_t c, int* isOutside) {
  const int64_t from =
      p->operation == MU_CONV_SEXT ? signedOf(a, p->width) : (int64_t)unsignedOf(a, p->width);
  (void)c, (void)isOutside;
  return (int64_t)unsignedOf(from, p->otherWidth);
}
/* From an int of `width` to floating point of `otherWidth` and back, saturating. */
static MuID makeThroughFloat(const Program* p) {
  MuID type = intType(p->width), number = p->otherWidth == 32 ? f32 : f64;
  MuConvOptr back = p->operation == MU_CONV_SITOFP ? MU_CONV_FPTOSI : MU_CONV_FPTOUI;
  return widen(conv(back, number, type, conv(p->operation, type, number, narrow(argA, p->width, type))),
               p->width, type);
}
static int64_t answerThroughFloat(const Program* p, int64_t a, int64_t c, int* isOutside) {
  const int isSigned = p->operation == MU_CONV_SITOFP;
  const int64_t s = signedOf(a, p->width);
  const uint64_t x = unsignedOf(a, p->width);
  const double number = p->otherWidth == 64 ? (isSigned ? (double)s : (double)x)
                        : isSigned          ? (double)(float)s
                                            : (double)(float)x;
  const double above = ldexp(1.0, isSigned ? p->width - 1 : p->width);
  (void)c, (void)isOutside;
  if (number >= above)
    return (int64_t)unsignedOf(isSigned ? (int64_t)(((uint64_t)1 << (p->width - 1)) - 1) : -1, p->width);
  return (int64_t)unsignedOf(isSigned ? (int64_t)number : (int64_t)(uint64_t)number, p->width);
}
static MuID makeLengths(const Program* p) {
  MuID number = conv(MU_CONV_SITOFP, i64, f64, argA), shorter = conv(MU_CONV_FPTRUNC, f64, f32, number);
  (void)p;
  return conv(MU_CONV_BITCAST, f64, i64, conv(MU_CONV_FPEXT, f32, f64, shorter));
}
static int64_t answerLengths(const Program* p, int64_t a, int64_t c, int* isOutside) {
  const double number = (double)(float)(double)a;
  int64_t bits;
  (void)p, (void)c, (void)isOutside;
  memcpy(&bits, &number, sizeof bits);
  return bits;
}
static MuID makePointer(const Program* p) {
  MuID pointer = conv(MU_CONV_PTRCAST, i64, uptrI64, argA), type = intType(p->width);
  return widen(conv(MU_CONV_PTRCAST, uptrI64, type, conv(MU_CONV_PTRCAST, uptrI64, uptrTo(f64), pointer)),
               p->width, type);
}
static int64_t answerPointer(const Program* p, int64_t a, int64_t c, int* isOutside) {
  (void)c, (void)isOutside;
  return (int64_t)unsignedOf(a, p->width);
}

static void conversions(void) {
  static const int widths[] = {8, 16, 32, 64};
  size_t from, to;
  for (from = 0; from < 4; ++from) {
    for (to = 0; to < 4; ++to) {
      if (from >= to) run((Program){makeConv, answerConv, MU_CONV_TRUNC, widths[from], widths[to], 0});
      if (from > to) continue;
      run((Program){makeConv, answerConv, MU_CONV_ZEXT, widths[from], widths[to], 0});
      run((Program){makeConv, answerConv, MU_CONV_SEXT, widths[from], widths[to], 0});
    }
    run((Program){makePointer, answerPointer, MU_CONV_PTRCAST, widths[from], 0, 0});
    for (to = 2; to < 4; ++to) {
      run((Program){makeThroughFloat, answerThroughFloat, MU_CONV_SITOFP, widths[from], widths[to], 0});
      run((Program){makeThroughFloat, answerThroughFloat, MU_CONV_UITOFP, widths[from], widths[to], 0});
    }
  }
  run((Program){makeLengths, answerLengths, MU_CONV_FPTRUNC, 64, 32, 0});
}

/* --- Memory: `flags` is the order of the access, `otherWidth` that of the other one --- */

static MuID cellOf(MuID type) {
  MuID object = fresh(), place = fresh();
  B(new_new, next(), object, type, MU_NO_ID);
  B(new_getiref, next(), place, type, object);
  return place;
}
static MuID makeAccess(const Program* p) {
  MuID place = cellOf(i64), loaded = fresh();
  B(new_store, next(), 0, p->flags, i64, place, argA, MU_NO_ID);
  B(new_load, next(), loaded, 0, (MuMemOrd)p->otherWidth, i64, place, MU_NO_ID);
  return loaded;
}
static int64_t answerAccess(const Program* p, int64_t a, int64_t c, int* isOutside) {
  (void)p, (void)c, (void)isOutside;
  return a;
}
/* What was there before, less what is there after. */
static MuID makeRmw(const Program* p) {
  MuID type = intType(p->width), place = cellOf(type), before = fresh(), after = fresh();
  B(new_store, next(), 0, MU_ORD_SEQ_CST, type, place, narrow(argA, p->width, type), MU_NO_ID);
  B(new_atomicrmw, next(), before, 0, p->flags, p->operation, type, place, narrow(argB, p->width, type),
    MU_NO_ID);
  B(new_load, next(), after, 0, MU_ORD_SEQ_CST, type, place, MU_NO_ID);
  return widen(binop(MU_BINOP_SUB, type, before, after), p->width, type);
}
static int64_t answerRmw(const Program* p, int64_t a, int64_t c, int* isOutside) {
  const uint64_t x = unsignedOf(a, p->width), y = unsignedOf(c, p->width);
  const int64_t s = signedOf(a, p->width), t = signedOf(c, p->width);
  uint64_t result = 0;
  (void)isOutside;
  switch (p->operation) {
    case MU_ARMW_XCHG: result = y; break;
    case MU_ARMW_ADD: result = x + y; break;
    case MU_ARMW_SUB: result = x - y; break;
    case MU_ARMW_AND: result = x & y; break;
    case MU_ARMW_NAND: result = ~(x & y); break;
    case MU_ARMW_OR: result = x | y; break;
    case MU_ARMW_XOR: result = x ^ y; break;
    case MU_ARMW_MAX: result = s > t ? x : y; break;
    case MU_ARMW_MIN: result = s < t ? x : y; break;
    case MU_ARMW_UMAX: result = x > y ? x : y; break;
    case MU_ARMW_UMIN: result = x < y ? x : y; break;
  }
  return (int64_t)unsignedOf((int64_t)(x - result), p->width);
}
/* Exchanges where the cell holds 5. */
static MuID makeExchange(const Program* p) {
  MuID place = cellOf(i64), before = fresh(), done = fresh();
  B(new_store, next(), 0, MU_ORD_SEQ_CST, i64, place, argA, MU_NO_ID);
  B(new_cmpxchg, next(), before, done, 0, 0, p->flags, (MuMemOrd)p->otherWidth, i64, place, constant(i64, 5),
    argB, MU_NO_ID);
  B(new_fence, next(), p->flags == MU_ORD_RELAXED ? MU_ORD_SEQ_CST : p->flags);
  return binop(MU_BINOP_XOR, i64, before, conv(MU_CONV_SEXT, i1, i64, done));
}
static int64_t answerExchange(const Program* p, int64_t a, int64_t c, int* isOutside) {
  (void)p, (void)c, (void)isOutside;
  return a == 5 ? ~a : a;
}

static void memory(void) {
  static const MuMemOrd loads[] = {MU_ORD_NOT_ATOMIC, MU_ORD_RELAXED, MU_ORD_CONSUME, MU_ORD_ACQUIRE,
                                   MU_ORD_SEQ_CST};
  static const MuMemOrd stores[] = {MU_ORD_NOT_ATOMIC, MU_ORD_RELAXED, MU_ORD_RELEASE, MU_ORD_SEQ_CST};
  static const MuMemOrd both[] = {MU_ORD_RELAXED, MU_ORD_ACQUIRE, MU_ORD_RELEASE, MU_ORD_ACQ_REL,
                                  MU_ORD_SEQ_CST};
  static const MuMemOrd failures[] = {MU_ORD_RELAXED, MU_ORD_ACQUIRE, MU_ORD_SEQ_CST};
  size_t i, j;
  MuFlag operation;
  for (i = 0; i < 4; ++i)
    for (j = 0; j < 5; ++j) run((Program){makeAccess, answerAccess, 0, 64, (int)loads[j], stores[i]});
  for (operation = MU_ARMW_XCHG; operation <= MU_ARMW_UMIN; ++operation)
    for (i = 0; i < 2; ++i)
      run((Program){makeRmw, answerRmw, operation, i == 0 ? 32 : 64, 0, both[operation % 5]});
  for (i = 0; i < 5; ++i)
    for (j = 0; j < 3; ++j) run((Program){makeExchange, answerExchange, 0, 64, (int)failures[j], both[i]});
}

int main(void) {
  enum { kAtLeast = 300 };
  start("opt=0");
  integers();
  floating();
  conversions();
  memory();
  printf("%d programs\n", programs);
  CHECK(programs >= kAtLeast);
  finish();
  return 0;
}
