/* Machines and contexts: options, names, bundles, errors and who is told of them, exposed functions, threads
 * that come and go. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>
#include <pthread.h>

#include "client.h"
#include "mu/mu-fastimpl.h"

static const char* const bundle =
    ".typedef @i64 = int<64> .funcsig @sig = (@i64) -> (@i64) .typedef @fr = funcref<@sig> .typedef @fp = "
    "ufuncptr<@sig> .const @1 <@i64> = 1\n"
    ".funcdef @next VERSION %v <@sig> { %entry(<@i64> %x): %y = ADD <@i64> %x @1 RET %y }\n"
    ".funcdef @cookie VERSION %v <@sig> { %entry(<@i64> %x): %y = COMMINST @uvm.native.get_cookie RET %y }\n"
    ".funcsig @two = () -> (@i64 @i64) .funcdecl @pair <@two> .const @nowhere <@fr> = NULL\n";

static void options(void) {
  CHECK(gaur_new("no-such-option=1") == NULL);
  CHECK(strstr(gaur_new_error(), "no-such-option") != NULL);
  CHECK(gaur_new("opt=9") == NULL);
  CHECK(gaur_new("heap=12Q") == NULL);
  mvm = mu_fastimpl_new_with_opts(
      "init_mu --log-level=none --aot-emit-dir=emit\ndumpBundle=True\nextraLibs=libm.so.6\nopt=0");
  CHECK(mvm);
  mvm->close(mvm);
  CHECK(mu_fastimpl_new_with_opts("extraLibs=/there/is/no/such/library.so") == NULL);
  mvm = mu_fastimpl_new();
  CHECK(mvm);
  mvm->close(mvm);
  mvm = gaur_new("  --opt=2\n--heap=32M   eager ");
  CHECK(mvm);
  mvm->close(mvm);
  mvm = NULL;
  CHECK(strstr(mu_get_version(), gaur_version()) != NULL && gaur_api_level() >= GAUR_API_LEVEL);
  CHECK(!gaur_has_feature("flying") && !gaur_has_feature(NULL));
}

/* Clients of 2017 open the library under another name, and find what they look for. */
static void otherName(void) {
  static const char* const symbols[] = {"mu_fastimpl_new", "mu_fastimpl_new_with_opts", "mu_get_version",
                                        "gaur_new"};
  void* library = dlopen("libmu.so", RTLD_NOW | RTLD_LOCAL);
  size_t i;
  CHECK(library);
  for (i = 0; i < sizeof symbols / sizeof *symbols; ++i)
    CHECK(dlsym(library, symbols[i]) && dlsym(library, symbols[i]) == dlsym(RTLD_DEFAULT, symbols[i]));
  CHECK(dlclose(library) == 0);
}

static void names(void) {
  MuID next = id("@next"), entry = id("next.v.entry");
  CHECK(next != 0 && next == id("next") && next == mvm->id_of(mvm, "next"));
  CHECK(strcmp(ctx->name_of(ctx, next), "@next") == 0 &&
        strcmp(mvm->name_of(mvm, entry), "@next.v.entry") == 0);
  CHECK(ctx->name_of(ctx, next) == mvm->name_of(mvm, next));
  CHECK(id("uvm.new_stack") == MU_CI_UVM_NEW_STACK);
  NO_ERROR();
  FAILS("A0008", mvm->id_of(mvm, "next.v.nothing"));
  FAILS("A0001", mvm->id_of(mvm, NULL));
  FAILS("A0005", mvm->name_of(mvm, 0));
  FAILS("A0005", ctx->name_of(ctx, 12345678));
}

static void bundles(void) {
  char wrong[] = ".typedef @i8 = int<8>\n.typedef @x = int<@i8>\n", late[] = ".const @c <@nothing> = 3\n",
       again[] = ".typedef @i64 = int<64>\n";
  MuError error;
  FAILS_VOID("P0306", ctx->load_bundle(ctx, wrong, strlen(wrong)));
  ctx->load_bundle(ctx, wrong, strlen(wrong));
  CHECK(mvm->get_error(mvm, &error));
  CHECK(error.line == 2 && error.column > 1 && strstr(error.message, "bundle:2") != NULL);
  mvm->clear_error(mvm);
  /* Nothing of it is there. */
  FAILS("A0008", id("i8"));
  ctx->load_bundle(ctx, late, strlen(late));
  CHECK(mvm->get_error(mvm, &error) && error.line == 1);
  mvm->clear_error(mvm);
  FAILS_VOID("L0005", ctx->load_bundle(ctx, again, strlen(again)));
  FAILS_VOID("P0101", ctx->load_bundle(ctx, "\x7fUIR", 4));
  FAILS_VOID("A0001", ctx->load_bundle(ctx, NULL, 3));
  ctx->load_bundle(ctx, NULL, 0);
  ctx->load_bundle(ctx, "", 0);
  NO_ERROR();
  FAILS_VOID("A0001", mvm->compile_to_sharedlib(mvm, NULL, NULL, 0));
}

static int told;
static void tell(MuVM* machine, MuError* error, MuCPtr userdata) {
  CHECK(machine == mvm && userdata == &told && strcmp(error->code, "A0008") == 0);
  CHECK(strcmp(error->message, "id_of: there is nothing named 'nobody'") == 0 && error->line == 0);
  ++told;
}

/* What a handler calls, clears and gets wrong itself is nobody else's business. */
static int nested;
static void tellNested(MuVM* machine, MuError* error, MuCPtr userdata) {
  (void)userdata;
  if (nested++ > 0) {
    CHECK(strcmp(error->code, "A0005") == 0);
    return;
  }
  machine->clear_error(machine);
  CHECK(!machine->get_error(machine, NULL));
  CHECK(machine->id_of(machine, "next") != 0 && machine->name_of(machine, 0) == NULL);
  CHECK(strcmp(error->code, "A0008") == 0 && strstr(error->message, "'nobody'"));
}

static void* otherThread(void* argument) {
  MuCtx* otherContext = mvm->new_context(mvm);
  (void)argument;
  CHECK(!mvm->get_error(mvm, NULL));
  otherContext->close_context(otherContext);
  return NULL;
}

static void errors(void) {
  MuError error;
  pthread_t thread;
  int* flag = mvm->get_mu_error_ptr(mvm);
  mvm->set_error_handler(mvm, tell, &told);
  *flag = 0;
  CHECK(id("next") && *flag == 0 && told == 0);
  CHECK(id("nobody") == 0 && *flag == 1 && told == 1);
  CHECK(mvm->get_error(mvm, &error) && strcmp(error.code, "A0008") == 0);
  /* An error is its thread's. */
  CHECK(pthread_create(&thread, NULL, otherThread, NULL) == 0 && pthread_join(thread, NULL) == 0);
  /* It stays until it is cleared, whatever works in between. */
  CHECK(id("next") && mvm->get_error(mvm, NULL));
  mvm->clear_error(mvm);
  CHECK(!mvm->get_error(mvm, &error) && error.code == NULL);
  mvm->set_error_handler(mvm, tellNested, NULL);
  CHECK(id("nobody") == 0 && nested == 2);
  CHECK(mvm->get_error(mvm, &error) && strcmp(error.code, "A0008") == 0 && strstr(error.message, "'nobody'"));
  mvm->set_error_handler(mvm, NULL, NULL);
  CHECK(id("nobody") == 0 && told == 1 && nested == 2);
  mvm->clear_error(mvm);
  /* One without a machine is told to any that the thread asks. */
  FAILS("A0001", ctx->handle_to_sint64(NULL, NULL));
  FAILS("A0001", ctx->id_of(NULL, "next"));
  FAILS("A0001", mvm->id_of(NULL, "next"));
  CHECK(!mvm->get_error(NULL, NULL));
  mvm->clear_error(NULL);
}

static void contexts(void) {
  MuCtx* contexts[200];
  MuValue value;
  int i;
  for (i = 0; i < 200; ++i) {
    contexts[i] = mvm->new_context(mvm);
    value = contexts[i]->handle_from_sint64(contexts[i], i, 64);
    CHECK(contexts[i]->handle_to_sint64(contexts[i], value) == i);
  }
  for (i = 0; i < 200; ++i) contexts[i]->close_context(contexts[i]);
  NO_ERROR();
  CHECK(contexts[199]->handle_to_sint64(contexts[199], value) == 0);
  CHECK(contexts[199]->new_fixed(contexts[199], id("i64")) == NULL);
  contexts[199]->close_context(contexts[199]);
  /* One that comes back knows nothing of its earlier handles. */
  for (i = 0; i < 200; ++i) {
    contexts[i] = mvm->new_context(mvm);
    FAILS("A0003", contexts[i]->handle_to_sint64(contexts[i], value));
  }
  for (i = 0; i < 200; ++i) contexts[i]->close_context(contexts[i]);
  NO_ERROR();
}

typedef int64_t Function(int64_t);

static void exposed(void) {
  MuValue next = ctx->expose(ctx, function("next"), MU_CC_DEFAULT, int64(0));
  MuValue cookie = ctx->expose(ctx, function("cookie"), MU_CC_DEFAULT, int64(-77));
  Function* call = (Function*)ctx->handle_to_fp(ctx, next);
  CHECK(call(41) == 42);
  CHECK(((Function*)ctx->handle_to_fp(ctx, cookie))(0) == -77);
  ctx->unexpose(ctx, MU_CC_DEFAULT, next);
  ctx->unexpose(ctx, MU_CC_DEFAULT, cookie);
  NO_ERROR();
  FAILS_VOID("A0017", ctx->unexpose(ctx, MU_CC_DEFAULT, next));
  FAILS_VOID("A0014", ctx->unexpose(ctx, 5, next));
  FAILS_VOID("A0004", ctx->unexpose(ctx, MU_CC_DEFAULT, int64(1)));
  FAILS("A0014", ctx->expose(ctx, function("next"), 1, int64(0)));
  FAILS("A0004", ctx->expose(ctx, next, MU_CC_DEFAULT, int64(0)));
  FAILS("A0004", ctx->expose(ctx, function("pair"), MU_CC_DEFAULT, int64(0)));
  FAILS("A0012", ctx->expose(ctx, ctx->handle_from_const(ctx, id("nowhere")), MU_CC_DEFAULT, int64(0)));
  FAILS("A0004", ctx->expose(ctx, function("next"), MU_CC_DEFAULT, function("next")));
}

/* Two machines in one thread; a thread that comes, goes, and comes again. */
static void attachments(void) {
  MuVM *first = mvm, *second = gaur_new(NULL);
  MuCtx* other = second->new_context(second);
  char text[] = ".typedef @word = int<32> .global @cell <@word>";
  MuValue cell;
  other->load_bundle(other, text, strlen(text));
  cell = other->handle_from_global(other, other->id_of(other, "cell"));
  other->store(other, MU_ORD_SEQ_CST, cell, other->handle_from_sint32(other, 5, 32));
  CHECK(other->handle_to_sint32(other, other->load(other, MU_ORD_SEQ_CST, cell)) == 5);
  CHECK(other->new_fixed(other, other->id_of(other, "word")) && !second->get_error(second, NULL));
  CHECK(id("next") && other->id_of(other, "next") == 0);
  CHECK(second->get_error(second, NULL) && !first->get_error(first, NULL));
  other->close_context(other);
  second->close(second);
  mvm->detach_current_thread(mvm);
  mvm->detach_current_thread(mvm);
  mvm->attach_current_thread(mvm);
  mvm->attach_current_thread(mvm);
  mvm->current_thread_as_mu_thread(mvm, NULL);
  CHECK(ctx->new_fixed(ctx, id("i64")));
  NO_ERROR();
}

static pthread_barrier_t barrier;

static void* stays(void* argument) {
  mvm->attach_current_thread(mvm);
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  (void)argument;
  return NULL;
}

/* A machine is not closed under threads that are attached to it; a thread detaches when it ends. */
static void closing(void) {
  pthread_t thread;
  CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0 && pthread_create(&thread, NULL, stays, NULL) == 0);
  pthread_barrier_wait(&barrier);
  FAILS_VOID("A0021", mvm->close(mvm));
  CHECK(ctx->new_fixed(ctx, id("i64")));
  pthread_barrier_wait(&barrier);
  CHECK(pthread_join(thread, NULL) == 0);
  NO_ERROR();
}

int main(void) {
  options();
  otherName();
  start(NULL);
  load(bundle);
  names();
  bundles();
  errors();
  contexts();
  exposed();
  attachments();
  closing();
  finish();
  return 0;
}
