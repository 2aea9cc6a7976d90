// builder N ratio|call: N functions of 68 instructions, once as text and once by the calls of a builder, as a
// translator of whole programs makes them: every block, parameter and result by a name of its own. Prints the
// number of calls, and: how many times as long as loading the text it takes to build and load them (median of
// five), or the nanoseconds of a call without loading.
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "mu/gaur.h"

enum { kBlocks = 4, kSums = 16, kRounds = 5 };

static MuVM* vm;
static MuCtx* context;

static void openMachine(void) {
  vm = gaur_new(NULL);
  if (!vm) exit((fprintf(stderr, "%s\n", gaur_new_error()), 1));
  context = vm->new_context(vm);
}
static void closeMachine(void) {
  MuError error;
  if (vm->get_error(vm, &error)) exit((fprintf(stderr, "[%s] %s\n", error.code, error.message), 1));
  context->close_context(context);
  vm->close(vm);
}

// --- As text

static char* text;
static size_t length;

static void makeText(int64_t count) {
  text = malloc((size_t)count * 4000 + 200);
  char* end =
      text +
      sprintf(text, ".typedef @i64 = int<64>\n.funcsig @sig = (@i64 @i64) -> (@i64)\n.const @1 <@i64> = 1\n");
  for (int64_t f = 0; f < count; ++f) {
    end += sprintf(end, ".funcdef @f%ld VERSION %%v1 <@sig> {\n", (long)f);
    for (int block = 0; block < kBlocks; ++block) {
      end += sprintf(end, "  %%b%d(<@i64> %%x <@i64> %%y):\n    %%s0 = ADD <@i64> %%x %%y\n", block);
      for (int i = 1; i < kSums; ++i)
        end += sprintf(end, "    %%s%d = %s <@i64> %%s%d %s\n", i, i % 2 ? "MUL" : "XOR", i - 1,
                       i % 3 ? "@1" : "%x");
      if (block + 1 < kBlocks)
        end += sprintf(end, "    BRANCH %%b%d(%%s%d %%y)\n", block + 1, kSums - 1);
      else
        end += sprintf(end, "    RET (%%s%d)\n", kSums - 1);
    }
    end += sprintf(end, "}\n");
  }
  length = (size_t)(end - text);
}

static int64_t loadText(void) {
  openMachine();
  int64_t start = processNanoseconds();
  context->load_bundle(context, text, length);
  int64_t end = processNanoseconds();
  closeMachine();
  return end - start;
}

// --- By calls

static MuIRBuilder* b;
static int64_t calls;

// Names are made before the clock runs, in the order in which they are asked for.
static char *names, *nextName;

static MuID named(void) {
  MuID made = b->gen_sym(b, nextName);
  nextName += strlen(nextName) + 1;
  ++calls;
  return made;
}
static void makeNames(int64_t count) {
  char* end = names = malloc((size_t)count * 3000 + 100);
  end += 1 + sprintf(end, "@i64");
  end += 1 + sprintf(end, "@sig");
  end += 1 + sprintf(end, "@1");
  for (long f = 0; f < count; ++f) {
    end += 1 + sprintf(end, "@f%ld", f);
    end += 1 + sprintf(end, "@f%ld.v1", f);
    for (int block = 0; block < kBlocks; ++block) end += 1 + sprintf(end, "@f%ld.v1.b%d", f, block);
    for (int block = 0; block < kBlocks; ++block) {
      end += 1 + sprintf(end, "@f%ld.v1.b%d.x", f, block);
      end += 1 + sprintf(end, "@f%ld.v1.b%d.y", f, block);
      for (int i = 0; i < kSums; ++i) end += 1 + sprintf(end, "@f%ld.v1.b%d.s%d", f, block, i);
    }
  }
}
static MuID nameless(void) {
  ++calls;
  return b->gen_sym(b, NULL);
}

static void buildFunction(MuID word, MuID signature, MuID one) {
  MuID function = named();
  MuID version = named(), blocks[kBlocks];
  for (int block = 0; block < kBlocks; ++block) blocks[block] = named();
  for (int block = 0; block < kBlocks; ++block) {
    MuID x = named();
    MuID y = named(), parameters[2] = {x, y}, types[2] = {word, word};
    MuID steps[kSums + 1], sum = parameters[0];
    for (int i = 0; i < kSums; ++i) {
      MuID result = named(), right = i == 0 ? parameters[1] : i % 3 ? one : parameters[0];
      steps[i] = nameless();
      b->new_binop(b, steps[i], result,
                   i == 0  ? MU_BINOP_ADD
                   : i % 2 ? MU_BINOP_MUL
                           : MU_BINOP_XOR,
                   word, sum, right, MU_NO_ID);
      sum = result;
    }
    steps[kSums] = nameless();
    if (block + 1 < kBlocks) {
      MuID dest = nameless(), arguments[2] = {sum, parameters[1]};
      b->new_dest_clause(b, dest, blocks[block + 1], arguments, 2);
      b->new_branch(b, steps[kSums], dest);
      ++calls;
    } else {
      b->new_ret(b, steps[kSums], &sum, 1);
    }
    b->new_bb(b, blocks[block], parameters, types, 2, MU_NO_ID, steps, kSums + 1);
    calls += kSums + 2;
  }
  b->new_func(b, function, signature);
  b->new_func_ver(b, version, function, blocks, kBlocks);
  calls += 2;
}

// Nanoseconds of the calls, and with loading.
static void build(int64_t count, int64_t* called, int64_t* loaded) {
  openMachine();
  calls = 0;
  nextName = names;
  int64_t start = processNanoseconds();
  b = context->new_ir_builder(context);
  MuID word = named();
  MuID signature = named();
  MuID one = named(), types[2] = {word, word};
  b->new_type_int(b, word, 64);
  b->new_funcsig(b, signature, types, 2, &word, 1);
  b->new_const_int(b, one, word, 1);
  for (int64_t f = 0; f < count; ++f) buildFunction(word, signature, one);
  *called = processNanoseconds() - start;
  b->load(b);
  calls += 5;
  *loaded = processNanoseconds() - start;
  closeMachine();
}

static int compare(const void* a, const void* b2) {
  double x = *(const double*)a, y = *(const double*)b2;
  return (x > y) - (x < y);
}

int main(int argc, char** argv) {
  int64_t count = sizeArgument(argc, argv, 1);
  int wantsRatio = argc < 3 || strcmp(argv[2], "ratio") == 0;
  double figures[kRounds];
  makeText(count);
  makeNames(count);
  for (int round = 0; round < kRounds; ++round) {
    int64_t called, loaded, asText = loadText();
    build(count, &called, &loaded);
    figures[round] = wantsRatio ? (double)loaded / (double)asText : (double)called / (double)calls;
  }
  qsort(figures, kRounds, sizeof *figures, compare);
  printInteger(calls);
  printDouble(figures[kRounds / 2]);
  free(text);
  free(names);
  return 0;
}
