/* Host functions in boot images: a symbol that has to be given again, for calls by name and for pointers in
 * cells; a missing one is reported; and another host function can take the name in the machine that begins
 * with the image. */
#include "host.h"

static char path[] = "/tmp/gaur-host-image.XXXXXX";

static int64_t plain(int64_t x) { return -x; }

static MuCFP inCell(void) {
  MuValue cell = ctx->handle_from_global(ctx, id("cell"));
  return ctx->handle_to_fp(ctx, ctx->load(ctx, MU_ORD_NOT_ATOMIC, cell));
}

int main(void) {
  GaurSymbol given = {"host_named", NULL};
  MuID whitelist[4];
  MuUFPValue f;
  int file = mkstemp(path);
  CHECK(file >= 0);
  close(file);
  start(NULL);
  load(hostBundle);
  f = make(5);
  bind("host_named", f);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->handle_from_global(ctx, id("cell")), f);
  CHECK(((Number*)native("c_byName"))(1) == 6);
  whitelist[0] = id("c_byName");
  whitelist[1] = id("c_caught");
  whitelist[2] = id("c_through");
  whitelist[3] = id("cell");
  ctx->make_boot_image(ctx, whitelist, 4, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0, path);
  NO_ERROR();
  finish();
  CHECK(finalised == 1);
  mvm = gaur_load_image(path, NULL, NULL, 0);
  CHECK(!mvm && strstr(gaur_new_error(), "host_named"));
  given.address = (void*)(uintptr_t)plain;
  mvm = gaur_load_image(path, NULL, &given, 1);
  if (!mvm) fprintf(stderr, "%s\n", gaur_new_error());
  CHECK(mvm);
  ctx = mvm->new_context(mvm);
  CHECK(((Number*)native("c_byName"))(4) == -4);
  CHECK(inCell() == (MuCFP)plain && ((Through*)native("c_through"))(inCell(), 3) == -3);
  f = make(7);
  bind("host_named", f);
  ctx->delete_value(ctx, f);
  mvm->collect(mvm);
  CHECK(((Number*)native("c_byName"))(4) == 11 && ((Number*)native("c_caught"))(4) == 11);
  finish();
  CHECK(finalised == 2);
  unlink(path);
  return 0;
}
