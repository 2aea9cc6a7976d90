/* What tests of host functions share: the Mu side, and environments that count their ends. */
#ifndef GAUR_TESTS_HOST_H
#define GAUR_TESTS_HOST_H

#include <stdatomic.h>
#include <unistd.h>

#include "client.h"

/* Calls by name and through values, with a handler and without; a place for a pointer in a cell and in an
 * object. */
static const char* const hostBundle =
    ".typedef @i64 = int<64> .typedef @i32 = int<32> .typedef @i8 = int<8> .typedef @i1 = int<1> .typedef "
    "@double = double .typedef @void = void .typedef @ptr = uptr<@void>\n"
    ".typedef @rv = ref<@void> .const @-1 <@i64> = -1 .const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @null "
    "<@rv> = NULL\n"
    ".funcsig @sig = (@i64) -> (@i64) .typedef @fp = ufuncptr<@sig> .const @named <@fp> = EXTERN "
    "\"host_named\"\n"
    ".const @labs <@fp> = EXTERN \"imaxabs\"\n"
    ".funcsig @through.sig = (@fp @i64) -> (@i64) .funcsig @fp_v = (@fp) -> () .funcsig @v_fp = () -> (@fp) "
    ".funcsig @v = () -> ()\n"
    ".global @cell <@fp> .typedef @holder = struct<@i64 @fp> .typedef @rholder = ref<@holder> .global @held "
    "<@rholder>\n"
    ".funcdef @byName VERSION %v <@sig> { %entry(<@i64> %x): %r = CCALL #DEFAULT <@fp @sig> @named (%x) RET "
    "%r }\n"
    ".funcdef @caught VERSION %v <@sig> {\n"
    "  %entry(<@i64> %x): %r = CCALL #DEFAULT <@fp @sig> @named (%x) EXC(%ok(%r) %bad())\n"
    "  %ok(<@i64> %r): RET %r\n"
    "  %bad()[%e]: %isNull = EQ <@rv> %e @null BRANCH2 %isNull %none() %some(%e)\n"
    "  %none(): RET @-1\n"
    "  %some(<@rv> %e): %n = REFCAST <@rv @ri64> %e %l = GETIREF <@i64> %n %y = LOAD <@i64> %l RET %y }\n"
    ".typedef @ri64 = ref<@i64>\n"
    ".funcdef @labsOf VERSION %v <@sig> { %entry(<@i64> %x): %r = CCALL #DEFAULT <@fp @sig> @labs (%x) RET "
    "%r }\n"
    ".funcdef @through VERSION %v <@through.sig> { %entry(<@fp> %f <@i64> %x): %r = CCALL #DEFAULT <@fp "
    "@sig> %f (%x) RET %r }\n"
    ".funcdef @throughCaught VERSION %v <@through.sig> {\n"
    "  %entry(<@fp> %f <@i64> %x): %r = CCALL #DEFAULT <@fp @sig> %f (%x) EXC(%ok(%r) %bad())\n"
    "  %ok(<@i64> %r): RET %r %bad()[%e]: RET @-1 }\n"
    ".funcdef @hold VERSION %v <@fp_v> { %entry(<@fp> %f): %h = NEW <@holder> %i = GETIREF <@holder> %h %p = "
    "GETFIELDIREF <@holder 1> %i\n"
    "  STORE <@fp> %p %f STORE <@rholder> @held %h RET () }\n"
    ".funcdef @drop VERSION %v <@v> { %entry(): %n = NEW <@holder> STORE <@rholder> @held %n RET () }\n"
    ".expose @c_byName = @byName #DEFAULT @0 .expose @c_caught = @caught #DEFAULT @0 .expose @c_through = "
    "@through #DEFAULT @0\n"
    ".expose @c_throughCaught = @throughCaught #DEFAULT @0 .expose @c_hold = @hold #DEFAULT @0 .expose "
    "@c_drop = @drop #DEFAULT @0\n"
    ".expose @c_labs = @labsOf #DEFAULT @0\n"
    /* Arguments of all sorts. */
    ".funcsig @six.sig = (@i64 @i64 @i64 @i64 @i64 @i64) -> (@i64) .typedef @six.fp = ufuncptr<@six.sig>\n"
    ".funcsig @many.sig = (@i64 @double @i64 @i64 @i64 @i64 @i64 @i64 @i64 @double @i8) -> (@double) "
    ".typedef @many.fp = ufuncptr<@many.sig>\n"
    ".typedef @pair = struct<@i64 @double> .typedef @big = struct<@i64 @i64 @i64>\n"
    ".funcsig @struct.sig = (@pair @big @i64) -> (@big) .typedef @struct.fp = ufuncptr<@struct.sig>\n"
    ".const @x.six <@six.fp> = EXTERN \"host_six\" .const @x.many <@many.fp> = EXTERN \"host_many\" .const "
    "@x.struct <@struct.fp> = EXTERN \"host_struct\"\n"
    ".funcdef @six VERSION %v <@six.sig> { %entry(<@i64> %a <@i64> %b <@i64> %c <@i64> %d <@i64> %e <@i64> "
    "%f):\n"
    "  %r = CCALL #DEFAULT <@six.fp @six.sig> @x.six (%a %b %c %d %e %f) RET %r }\n"
    ".funcdef @many VERSION %v <@many.sig> { %entry(<@i64> %a <@double> %b <@i64> %c <@i64> %d <@i64> %e "
    "<@i64> %f <@i64> %g <@i64> %h <@i64> %i <@double> %j <@i8> %k):\n"
    "  %r = CCALL #DEFAULT <@many.fp @many.sig> @x.many (%a %b %c %d %e %f %g %h %i %j %k) RET %r }\n"
    ".funcdef @struct VERSION %v <@struct.sig> { %entry(<@pair> %a <@big> %b <@i64> %c): %r = CCALL #DEFAULT "
    "<@struct.fp @struct.sig> @x.struct (%a %b %c) RET %r }\n"
    ".expose @c_six = @six #DEFAULT @0 .expose @c_many = @many #DEFAULT @0 .expose @c_struct = @struct "
    "#DEFAULT @0\n";

typedef int64_t Number(int64_t);
typedef int64_t Through(MuCFP, int64_t);

static inline MuCFP native(const char* name) {
  MuValue value = ctx->handle_from_expose(ctx, id(name));
  MuCFP code = ctx->handle_to_fp(ctx, value);
  ctx->delete_value(ctx, value);
  CHECK(code);
  return code;
}

/* --- Environments --- */

typedef struct Environment {
  uint64_t magic;
  int64_t number;
  MuValue weak, self;
} Environment;
enum { kMagic = 0x5eed };

static _Atomic int64_t finalised;

static inline Environment* newEnvironment(int64_t number) {
  Environment* environment = calloc(1, sizeof *environment);
  environment->magic = kMagic;
  environment->number = number;
  return environment;
}

static inline void finalise(MuCPtr data) {
  Environment* environment = data;
  /* Twice would be found here, or by the C library. */
  if (environment->magic != kMagic) abort();
  environment->magic = 0;
  ++finalised;
  free(environment);
}

static inline int64_t addNumber(int64_t x, MuCPtr data) {
  Environment* environment = data;
  if (environment->magic != kMagic) abort();
  return x + environment->number;
}

static inline MuUFPValue makeWith(int64_t (*code)(int64_t, MuCPtr), Environment* environment,
                                  const char* name) {
  MuUFPValue made =
      ctx->new_host_function(ctx, id("sig"), (MuCFP)code, environment, finalise, (char*)(uintptr_t)name);
  CHECK(made);
  return made;
}
static inline MuUFPValue make(int64_t number) { return makeWith(addNumber, newEnvironment(number), "adder"); }
static inline void bind(const char* name, MuUFPValue function) {
  ctx->bind_symbol(ctx, (char*)(uintptr_t)name, function);
}

/* Resident memory in bytes. */
static inline int64_t resident(void) {
  long pages = 0, unused;
  FILE* file = fopen("/proc/self/statm", "r");
  CHECK(file && fscanf(file, "%ld %ld", &unused, &pages) == 2);
  fclose(file);
  return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

#endif
