/* Boot images through the C interface, in all forms that need no program: what make_boot_image takes and
 * refuses, external linkage of raw pointers, and what a machine that was loaded from an image has. */
#include <unistd.h>

#include "client.h"

static const char* const bundle =
    ".typedef @i64 = int<64> .typedef @i32 = int<32> .typedef @i8 = int<8> .typedef @void = void\n"
    ".typedef @ptr = uptr<@void> .typedef @cstr = uptr<@i8> .typedef @argv = uptr<@cstr>\n"
    ".funcsig @main.sig = (@i32 @argv) -> (@i32) .funcsig @get.sig = () -> (@ptr)\n"
    ".typedef @node = struct<@i64 @ptr @nodeRef> .typedef @nodeRef = ref<@node>\n"
    ".global @root <@nodeRef> .global @raw <@node> .global @unused <@nodeRef>\n"
    ".const @exit <@ptr> = EXTERN \"exit\"\n"
    ".funcdef @main VERSION %v <@main.sig> { %entry(<@i32> %argc <@argv> %argv): RET (%argc) }\n"
    ".funcdef @fieldOfObject VERSION %v <@get.sig> { %entry(): %r = LOAD <@nodeRef> @root\n"
    "  %i = GETIREF <@node> %r %f = GETFIELDIREF <@node 1> %i %p = LOAD <@ptr> %f RET (%p) }\n"
    ".funcdef @fieldOfCell VERSION %v <@get.sig> { %entry():\n"
    "  %f = GETFIELDIREF <@node 1> @raw %p = LOAD <@ptr> %f RET (%p) }\n"
    ".funcdef @external VERSION %v <@get.sig> { %entry(): RET (@exit) }\n"
    ".funcdef @needed VERSION %v <@get.sig> { %entry(): %p = CALL <@get.sig> @fieldOfCell () RET (%p) }\n"
    ".funcdef @unneeded VERSION %v <@get.sig> { %entry(): RET (@exit) }\n"
    ".expose @getObject = @fieldOfObject #DEFAULT @zero .expose @getCell = @needed #DEFAULT @zero\n"
    ".expose @getExternal = @external #DEFAULT @zero .const @zero <@i64> = 0\n";

static char folder[] = "/tmp/gaur-images.XXXXXX";
/* In one of the forms that its name tells. */
static char path[sizeof(folder) + 16];

static MuValue field(MuValue iref, int i) { return ctx->get_field_iref(ctx, iref, i); }

typedef void* Getter(void);
static void* get(const char* exposed) {
  MuValue value = ctx->handle_from_expose(ctx, id(exposed));
  NO_ERROR();
  return ((Getter*)ctx->handle_to_fp(ctx, value))();
}

static MuValue nodeInHeap(void) {
  MuValue node = ctx->new_fixed(ctx, id("node"));
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->handle_from_global(ctx, id("root")), node);
  return ctx->get_iref(ctx, node);
}

static void writeImage(MuValue function, MuValue* fields, MuCString* symbols, MuArraySize count) {
  MuID whitelist[3];
  whitelist[0] = id("getObject");
  whitelist[1] = id("getCell");
  whitelist[2] = id("getExternal");
  ctx->make_boot_image(ctx, whitelist, 3, function, NULL, NULL, NULL, NULL, 0, fields, symbols, count, path);
}

static void reload(const GaurSymbol* symbols, size_t count) {
  finish();
  mvm = gaur_load_image(path, "opt=2", symbols, count);
  if (!mvm) fprintf(stderr, "%s\n", gaur_new_error());
  CHECK(mvm);
  ctx = mvm->new_context(mvm);
}

/* Fields of objects and cells get addresses of symbols; a field that refers to a cell follows it; the running
 * machine takes no notice. */
static void externalLinkage(void) {
  MuValue inHeap, inCell;
  MuValue fields[1];
  MuCString symbols[1] = {"stdout"};
  int own = 0;
  GaurSymbol given = {"symbol_of_this_test", NULL};
  given.address = &own;
  start(NULL);
  load(bundle);
  inHeap = field(nodeInHeap(), 1);
  inCell = field(ctx->handle_from_global(ctx, id("raw")), 1);
  ctx->add_ptr_reloc(ctx, inHeap, "replaced later");
  ctx->add_ptr_reloc(ctx, inHeap, "symbol_of_this_test");
  fields[0] = inCell;
  writeImage(ctx->handle_from_func(ctx, id("main")), fields, symbols, 1);
  NO_ERROR();
  CHECK(get("getObject") == NULL && get("getCell") == NULL);
  reload(&given, 1);
  CHECK(get("getObject") == &own && get("getCell") == (void*)&stdout &&
        get("getExternal") == (void*)(size_t)&exit);
  FAILS("A0005", ctx->handle_from_func(ctx, 0));
  CHECK(ctx->id_of(ctx, "@needed") != 0);
  FAILS("A0008", ctx->id_of(ctx, "@unneeded"));
  FAILS("A0008", ctx->id_of(ctx, "@unused"));
  {
    char* arguments[] = {"program", "1", "2", NULL};
    CHECK(gaur_run_image(mvm, 3, arguments) == 3);
  }
  finish();
}

/* A pointer to a field of a cell is relocated without being asked. */
static void pointersIntoTheImage(void) {
  MuValue cell, address;
  start(NULL);
  load(bundle);
  cell = ctx->handle_from_global(ctx, id("raw"));
  address =
      ctx->handle_from_ptr(ctx, id("ptr"), (char*)ctx->handle_to_ptr(ctx, ctx->get_addr(ctx, cell)) + 16);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, field(nodeInHeap(), 1), address);
  writeImage(NULL, NULL, NULL, 0);
  NO_ERROR();
  reload(NULL, 0);
  cell = ctx->handle_from_global(ctx, id("raw"));
  CHECK(get("getObject") == (char*)ctx->handle_to_ptr(ctx, ctx->get_addr(ctx, cell)) + 16);
  CHECK(gaur_run_image(mvm, 0, NULL) == -1);
  mvm->clear_error(mvm);
  finish();
}

/* All missing symbols in one report, which a near name goes with. */
static void missingSymbols(void) {
  start(NULL);
  load(bundle);
  ctx->add_ptr_reloc(ctx, field(nodeInHeap(), 1), "no_such_symbol_here");
  ctx->add_ptr_reloc(ctx, field(ctx->handle_from_global(ctx, id("raw")), 1), "stdoutt");
  writeImage(NULL, NULL, NULL, 0);
  NO_ERROR();
  finish();
  CHECK(gaur_load_image(path, NULL, NULL, 0) == NULL);
  CHECK(strstr(gaur_new_error(), "no_such_symbol_here") && strstr(gaur_new_error(), "stdoutt"));
  CHECK(strstr(gaur_new_error(), "'stdout'") && strstr(gaur_new_error(), "@raw.1") &&
        strstr(gaur_new_error(), "@root -> .1"));
}

/* Images of images are alike from the second on, and work. */
static void imageOfAnImage(void) {
  int round;
  start(NULL);
  load(bundle);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, field(nodeInHeap(), 0), int64(42));
  for (round = 0; round < 3; ++round) {
    MuValue root;
    writeImage(ctx->handle_from_func(ctx, id("main")), NULL, NULL, 0);
    NO_ERROR();
    reload(NULL, 0);
    root = ctx->load(ctx, MU_ORD_NOT_ATOMIC, ctx->handle_from_global(ctx, id("root")));
    CHECK(ctx->handle_to_sint64(ctx, ctx->load(ctx, MU_ORD_NOT_ATOMIC, field(ctx->get_iref(ctx, root), 0))) ==
          42);
  }
  finish();
}

static void refused(void) {
  MuID unknown = 0x7fffffff;
  MuValue object, fields[1];
  MuCString symbols[1] = {"stdin"};
  start(NULL);
  load(bundle);
  object = nodeInHeap();
  fields[0] = field(object, 0);
  FAILS_VOID("A0001",
             ctx->make_boot_image(ctx, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0, NULL));
  FAILS_VOID("A0001",
             ctx->make_boot_image(ctx, NULL, 1, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0, path));
  FAILS_VOID("A0001",
             ctx->make_boot_image(ctx, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 1, path));
  FAILS_VOID("I0011",
             ctx->make_boot_image(ctx, &unknown, 1, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0, path));
  FAILS_VOID("A0004",
             ctx->make_boot_image(ctx, NULL, 0, object, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0, path));
  FAILS_VOID("A0015",
             ctx->make_boot_image(ctx, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0, fields, symbols, 1, path));
  FAILS_VOID("I0002", ctx->make_boot_image(ctx, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0,
                                           "/no/such/folder/x"));
  CHECK(gaur_load_image("/no/such/file", NULL, NULL, 0) == NULL && strstr(gaur_new_error(), "/no/such/file"));
  CHECK(gaur_load_image(NULL, NULL, NULL, 0) == NULL);
  CHECK(gaur_load_image("/etc/passwd", NULL, NULL, 0) == NULL && strstr(gaur_new_error(), "no boot image"));
  finish();
}

int main(void) {
  static const char* const names[] = {"x.img", "x.o", "x.so"};
  size_t i;
  CHECK(mkdtemp(folder));
  for (i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
    snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
    externalLinkage();
    pointersIntoTheImage();
    missingSymbols();
    imageOfAnImage();
    refused();
    unlink(path);
  }
  CHECK(rmdir(folder) == 0);
  return 0;
}
