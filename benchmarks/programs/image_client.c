// image_client WHAT FILE N: what a client does with an image. Needs libgaur.
//   symbols  makes FILE, an image with a row of N fields that get the addresses of symbols by turns
//   pause    loads FILE and collects N times; prints N and the median of the times in ns
#include <string.h>

#include "checksum.h"
#include "mu/gaur.h"

static const char program[] =
    ".typedef @i64 = int<64> .typedef @i32 = int<32> .typedef @i8 = int<8> .typedef @void = void\n"
    ".typedef @ptr = uptr<@void> .typedef @cstr = uptr<@i8> .typedef @argv = uptr<@cstr>\n"
    ".typedef @row = hybrid<@i64 @ptr> .typedef @row.ref = ref<@row> .global @table <@row.ref>\n"
    ".const @0 <@i32> = 0 .funcsig @main.sig = (@i32 @argv) -> (@i32)\n"
    ".funcdef @main VERSION %v <@main.sig> { %entry(<@i32> %c <@argv> %v): RET @0 }\n";

static const char* const symbols[] = {"abort",  "atoi",  "bsearch", "calloc", "exit",   "free",
                                      "getenv", "labs",  "malloc",  "memcpy", "memset", "puts",
                                      "qsort",  "stdin", "stdout",  "stderr", "strlen", "strcmp",
                                      "strtol", "write", "printf",  "fwrite", "memcmp", "realloc"};
enum { kSymbols = sizeof symbols / sizeof symbols[0] };

static int fail(const char* what) {
  fprintf(stderr, "image_client: %s\n", what);
  return 1;
}

static int makeSymbols(const char* file, int64_t n) {
  MuVM* vm = gaur_new(NULL);
  if (!vm) return fail(gaur_new_error());
  MuCtx* context = vm->new_context(vm);
  context->load_bundle(context, (char*)program, sizeof program - 1);
  MuValue one = context->handle_from_sint64(context, 1, 64);
  MuValue row = context->new_hybrid(context, context->id_of(context, "row"),
                                    context->handle_from_sint64(context, n, 64));
  context->store(context, MU_ORD_NOT_ATOMIC,
                 context->handle_from_global(context, context->id_of(context, "table")), row);
  MuValue field = context->get_var_part_iref(context, context->get_iref(context, row));
  for (int64_t i = 0; i < n; ++i) {
    context->add_ptr_reloc(context, field, (char*)symbols[i % kSymbols]);
    MuValue next = context->shift_iref(context, field, one);
    context->delete_value(context, field);
    field = next;
  }
  const MuID main = context->id_of(context, "main");
  MuID whitelist[] = {main, context->id_of(context, "table")};
  context->make_boot_image(context, whitelist, 2, context->handle_from_func(context, main), NULL, NULL, NULL,
                           NULL, 0, NULL, NULL, 0, (char*)file);
  MuError error;
  if (vm->get_error(vm, &error)) return fail(error.message);
  printInteger(n);
  context->close_context(context);
  vm->close(vm);
  return 0;
}

static int pauses(const char* file, int64_t n) {
  MuVM* vm = gaur_load_image(file, NULL, NULL, 0);
  if (!vm) return fail(gaur_new_error());
  int64_t* times = malloc((size_t)n * sizeof *times);
  if (!times) abort();
  vm->collect(vm);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t start = wallNanoseconds();
    vm->collect(vm);
    times[i] = wallNanoseconds() - start;
  }
  printInteger(n);
  printDouble((double)percentile(times, n, 50));
  free(times);
  vm->close(vm);
  return 0;
}

int main(int argc, char** argv) {
  const int64_t n = sizeArgument(argc, argv, 3);
  return strcmp(argv[1], "symbols") == 0 ? makeSymbols(argv[2], n) : pauses(argv[2], n);
}
