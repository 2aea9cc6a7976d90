// codelife HEADER FUNCTION N LEVEL: loads FUNCTION, calls it and unloads it, N times; HEADER stays loaded.
// Prints what the calls made of 1, ns each, and the growth from N/10 to N of resident bytes and of mappings.
// Needs libgaur.
#include <string.h>

#include "codelife.h"
#include "mu/gaur.h"

typedef void Function(int64_t*);
#pragma GCC diagnostic ignored "-Wcast-function-type"  // MuCFP stands for functions of every type

static MuCtx* context;
static MuValue cookie;
static char* text;
static size_t size;

static void once(int64_t* cell) {
  context->load_collectible(context, text, size);
  const MuID id = context->id_of(context, "f0");
  MuValue function = context->handle_from_func(context, id);
  MuValue entry = context->expose(context, function, MU_CC_DEFAULT, cookie);
  ((Function*)context->handle_to_fp(context, entry))(cell);
  context->unexpose(context, MU_CC_DEFAULT, entry);
  context->delete_value(context, entry);
  context->delete_value(context, function);
  context->unload(context, id);
}

int main(int argc, char** argv) {
  const int64_t n = sizeArgument(argc, argv, 3), level = sizeArgument(argc, argv, 4);
  char* header = readText(argv[1]);
  text = readText(argv[2]);
  size = strlen(text);
  MuVM* vm = gaur_new(level == 0 ? "opt=0" : "opt=2");
  if (!vm) return fprintf(stderr, "%s\n", gaur_new_error()), 1;
  context = vm->new_context(vm);
  context->load_bundle(context, header, strlen(header));
  cookie = context->handle_from_sint64(context, 0, 64);
  measureMany(n, once);
  MuError error;
  if (vm->get_error(vm, &error)) return fprintf(stderr, "[%s] %s\n", error.code, error.message), 1;
  context->close_context(context);
  vm->close(vm);
  free(text);
  free(header);
  return 0;
}
