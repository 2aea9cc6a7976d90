/* A calculator that compiles: turns a formula of x into Mu IR, loads it, and calls the machine code.
 *
 *   cc main.c $(pkg-config --cflags --libs gaur) -o formula
 *   ./formula '3*x*x - (x + 7)/2' 10 -4
 *
 * Shows all that a client of Gaur needs to begin with: making a machine, loading a bundle, errors, and a
 * function pointer. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mu/gaur.h>

/* --- From a formula to Mu IR: each value is an instruction with a number --- */

typedef struct Compiler {
  const char* at;      /* what is left of the formula */
  const char* mistake; /* what was expected there; NULL: nothing is wrong */
  char* code;          /* instructions so far */
  size_t used, size;
  int values, constants;
  char* definitions; /* constants so far */
  size_t definitionsUsed, definitionsSize;
} Compiler;

static void append(char** text, size_t* used, size_t* size, const char* line) {
  const size_t length = strlen(line);
  if (*used + length + 1 > *size) {
    *size = 2 * (*used + length + 1);
    *text = realloc(*text, *size);
    if (!*text) abort();
  }
  memcpy(*text + *used, line, length + 1);
  *used += length;
}

typedef struct Value {
  char name[24];
} Value;

static char ahead(Compiler* c) {
  while (isspace((unsigned char)*c->at)) ++c->at;
  return *c->at;
}

static Value emit(Compiler* c, const char* operation, Value a, Value b) {
  Value result;
  char line[128];
  snprintf(result.name, sizeof result.name, "%%v%d", c->values++);
  snprintf(line, sizeof line, "    %s = %s <@i64> %s %s\n", result.name, operation, a.name, b.name);
  append(&c->code, &c->used, &c->size, line);
  return result;
}

static Value constant(Compiler* c, long long number) {
  Value result;
  char line[96];
  snprintf(result.name, sizeof result.name, "@formula.c%d", c->constants++);
  snprintf(line, sizeof line, ".const %s <@i64> = %lld\n", result.name, number);
  append(&c->definitions, &c->definitionsUsed, &c->definitionsSize, line);
  return result;
}

static Value sum(Compiler* c);

static Value factor(Compiler* c) {
  Value value = {"%x"};
  const char first = ahead(c);
  if (first == '-') {
    ++c->at;
    value = factor(c);
    return emit(c, "SUB", constant(c, 0), value);
  }
  if (first == 'x') {
    ++c->at;
  } else if (isdigit((unsigned char)first)) {
    char* end;
    value = constant(c, strtoll(c->at, &end, 10));
    c->at = end;
  } else if (first == '(') {
    ++c->at;
    value = sum(c);
    if (ahead(c) == ')') {
      ++c->at;
    } else if (!c->mistake) {
      c->mistake = "`)`";
    }
  } else if (!c->mistake) {
    c->mistake = "a number, x or `(`";
  }
  return value;
}

static Value product(Compiler* c) {
  Value value = factor(c);
  while (!c->mistake && (ahead(c) == '*' || *c->at == '/' || *c->at == '%')) {
    const char operation = *c->at++;
    const Value right = factor(c);
    /* Division by zero has no EXC clause here: the machine reports it and ends the program. */
    value = emit(c, operation == '*' ? "MUL" : operation == '/' ? "SDIV" : "SREM", value, right);
  }
  return value;
}

static Value sum(Compiler* c) {
  Value value = product(c);
  while (!c->mistake && (ahead(c) == '+' || *c->at == '-')) {
    const char operation = *c->at++;
    const Value right = product(c);
    value = emit(c, operation == '+' ? "ADD" : "SUB", value, right);
  }
  return value;
}

/* The bundle that computes the formula, to be freed; NULL, and a message, where the formula is wrong. */
static char* compile(const char* formula) {
  static const char* const shape =
      ".typedef @i64 = int<64>\n"
      ".funcsig @formula.sig = (@i64) -> (@i64)\n"
      "%s"
      ".funcdef @formula VERSION %%v1 <@formula.sig> {\n"
      "  %%entry(<@i64> %%x):\n"
      "%s"
      "    RET %s\n"
      "}\n"
      ".const @formula.cookie <@i64> = 0\n"
      ".expose @formula.native = @formula #DEFAULT @formula.cookie\n";
  Compiler c = {0};
  Value result;
  char* bundle = NULL;
  c.at = formula;
  append(&c.code, &c.used, &c.size, "");
  append(&c.definitions, &c.definitionsUsed, &c.definitionsSize, "");
  result = sum(&c);
  if (!c.mistake && ahead(&c) != '\0') c.mistake = "an operator";
  if (c.mistake) {
    fprintf(stderr, "%s\n%*s^ %s is missing here\n", formula, (int)(c.at - formula), "", c.mistake);
  } else {
    const size_t size = strlen(shape) + c.used + c.definitionsUsed + sizeof result.name;
    bundle = malloc(size);
    if (!bundle) abort();
    snprintf(bundle, size, shape, c.definitions, c.code, result.name);
  }
  free(c.code);
  free(c.definitions);
  return bundle;
}

/* --- The machine --- */

static void tell(MuVM* mvm, MuError* error, MuCPtr userdata) {
  (void)mvm;
  (void)userdata;
  fprintf(stderr, "%s: %s\n", error->code, error->message);
}

int main(int argc, char** argv) {
  char* bundle;
  MuVM* mvm;
  MuCtx* ctx;
  MuValue exposed;
  int i;
  if (argc < 2) {
    fprintf(stderr, "usage: %s FORMULA [X]...\n", argv[0]);
    return 2;
  }
  bundle = compile(argv[1]);
  if (!bundle) return 1;

  mvm = gaur_new(NULL);
  if (!mvm) {
    fprintf(stderr, "%s\n", gaur_new_error());
    return 1;
  }
  mvm->set_error_handler(mvm, tell, NULL);
  ctx = mvm->new_context(mvm);
  ctx->load_bundle(ctx, bundle, strlen(bundle));
  free(bundle);

  exposed = ctx->handle_from_expose(ctx, ctx->id_of(ctx, "@formula.native"));
  if (!exposed) return 1; /* the error handler has told why */
  {
    /* Machine code; it can be called as long as the machine is there, from any thread. */
    int64_t (*formula)(int64_t) = (int64_t(*)(int64_t))(void (*)(void))ctx->handle_to_fp(ctx, exposed);
    for (i = 2; i < argc; ++i) printf("%lld\n", (long long)formula(strtoll(argv[i], NULL, 10)));
  }
  ctx->close_context(ctx);
  mvm->close(mvm);
  return 0;
}
