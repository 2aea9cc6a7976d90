/* The other flavour of 2017: a machine whose members behind the fourth are others, found in a library of
 * another name. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>

#include "client.h"
#include "mu/mu-fastimpl.h"
#include "mu/refimpl2-start.h"

static const char* const bundle =
    ".typedef @i64 = int<64> .const @1 <@i64> = 1 .funcsig @sig = (@i64) -> () .global @cell <@i64>\n"
    ".funcdef @set VERSION %v <@sig> { %entry(<@i64> %x): STORE SEQ_CST <@i64> @cell %x RET () }\n";

static void names(void) {
  static const char* const symbols[] = {"mu_refimpl2_new", "mu_refimpl2_new_ex",        "mu_refimpl2_close",
                                        "mu_fastimpl_new", "mu_fastimpl_new_with_opts", "mu_get_version",
                                        "gaur_new"};
  static const char* const libraries[] = {"libmurefimpl2start.so", "libmu.so"};
  size_t i, j;
  for (i = 0; i < 2; ++i) {
    void* library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
    CHECK(library);
    for (j = 0; j < sizeof symbols / sizeof *symbols; ++j)
      CHECK(dlsym(library, symbols[j]) && dlsym(library, symbols[j]) == dlsym(RTLD_DEFAULT, symbols[j]));
    CHECK(dlclose(library) == 0);
  }
}

static void use(const char* conf) {
  MuRefImpl2VM* vm = (MuRefImpl2VM*)mu_refimpl2_new_ex(conf);
  MuCtx* context;
  MuValue number, cell;
  int* flag;
  CHECK(vm);
  flag = vm->get_mu_error_ptr(vm);
  CHECK(flag && *flag == 0);
  context = vm->new_context(vm);
  context->load_bundle(context, (char*)(uintptr_t)bundle, strlen(bundle));
  CHECK(*flag == 0);
  CHECK(vm->id_of(vm, "@set") != 0 && strcmp(vm->name_of(vm, vm->id_of(vm, "set")), "@set") == 0);
  number = context->handle_from_sint64(context, 77, 64);
  CHECK(context->new_thread_nor(
      context, context->new_stack(context, context->handle_from_func(context, vm->id_of(vm, "set"))), NULL,
      &number, 1));
  vm->execute(vm);
  cell = context->handle_from_global(context, vm->id_of(vm, "cell"));
  CHECK(context->handle_to_sint64(context, context->load(context, MU_ORD_SEQ_CST, cell)) == 77);
  CHECK(*flag == 0);
  CHECK(context->load(context, MU_ORD_SEQ_CST, NULL) == NULL && *flag == 1);
  *flag = 0;
  CHECK(vm->id_of(vm, "nobody") == 0 && *flag == 1);
  *flag = 0;
  vm->set_trap_handler(vm, NULL, NULL);
  context->close_context(context);
  CHECK(*flag == 0);
  mu_refimpl2_close((MuVM*)vm);
}

int main(void) {
  MuVM* plain;
  names();
  plain = mu_refimpl2_new();
  CHECK(plain);
  mu_refimpl2_close(plain);
  mu_refimpl2_close(NULL);
  use(NULL);
  use("");
  use("vmLog=ERROR\nsosSize=780M\nlosSize=780M\nglobalSize=1000000\nstackSize=1048576\ndumpBundle="
      "True\nextraLibs=libm.so.6:libc.so.6\nuPtrHack=True\n");
  use("init_mu --log-level=none --gc-immixspace-size=1073741824 --aot-emit-dir=emit --flying\n opt=0\n");
  CHECK(mu_refimpl2_new_ex("extraLibs=/there/is/no/such/library.so") == NULL &&
        strstr(gaur_new_error(), "no/such"));
  return 0;
}
