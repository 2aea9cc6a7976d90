/* Images that begin by themselves, in objects, shared objects and programs, with what only clients of the
 * interface can give them: a primordial stack, fresh or in the middle of what it does, and a thread-local;
 * and two of them in one process. The program runs itself for what wants a process of its own. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

static const char* const bundle =
    ".typedef @i32 = int<32> .typedef @i64 = int<64> .typedef @i8 = int<8> .typedef @void = void\n"
    ".typedef @any = ref<@void> .typedef @box = ref<@i64> .typedef @stack = stackref\n"
    ".typedef @cstr = uptr<@i8> .typedef @argv = uptr<@cstr> .global @kept <@stack>\n"
    ".funcsig @main.sig = (@i32 @argv) -> () .funcsig @s_v = (@stack) -> () .funcsig @v = () -> ()\n"
    ".funcsig @exit.sig = (@i32) -> () .typedef @exit.fp = ufuncptr<@exit.sig>\n"
    ".const @exit <@exit.fp> = EXTERN \"exit\" .const @30 <@i64> = 30\n"
    /* The process ends with the number of arguments and what the thread-local refers to. */
    ".funcdef @main VERSION %v <@main.sig> { %entry(<@i32> %argc <@argv> %argv):\n"
    "  %any = COMMINST @uvm.get_threadlocal () %box = REFCAST <@any @box> %any %i = GETIREF <@i64> %box\n"
    "  %local = LOAD <@i64> %i %n = TRUNC <@i64 @i32> %local %sum = ADD <@i32> %n %argc\n"
    "  CCALL #DEFAULT <@exit.fp @exit.sig> @exit (%sum) RET () }\n"
    /* Goes on with argc and argv, and has an object by then. */
    ".funcdef @waits VERSION %v <@s_v> { %entry(<@stack> %back): %box = NEW <@i64> %i = GETIREF <@i64> %box\n"
    "  STORE <@i64> %i @30\n"
    "  (%argc %argv) = SWAPSTACK %back RET_WITH <@i32 @argv> PASS_VALUES <> () %own = LOAD <@i64> %i\n"
    "  %any = COMMINST @uvm.get_threadlocal () %lbox = REFCAST <@any @box> %any %li = GETIREF <@i64> %lbox\n"
    "  %local = LOAD <@i64> %li %both = ADD <@i64> %own %local %n = TRUNC <@i64 @i32> %both\n"
    "  %sum = ADD <@i32> %n %argc CCALL #DEFAULT <@exit.fp @exit.sig> @exit (%sum) RET () }\n"
    ".funcdef @prepare VERSION %v <@v> { %entry(): %s = COMMINST @uvm.new_stack <[@s_v]> (@waits)\n"
    "  STORE <@stack> @kept %s %here = COMMINST @uvm.current_stack ()\n"
    "  SWAPSTACK %s RET_WITH <> PASS_VALUES <@stack> (%here) RET () }\n";

static char folder[] = "/tmp/gaur-forms.XXXXXX";

static char* pathOf(const char* name) {
  static char paths[8][80];
  static unsigned next;
  char* path = paths[next++ % 8];
  snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
  return path;
}

/* The exit status of a program; -1 where it ended by a signal. */
static int statusOf(const char* const* words) {
  int status;
  pid_t process = fork();
  if (process == 0) {
    execvp(words[0], (char**)(uintptr_t)words);
    _exit(127);
  }
  CHECK(waitpid(process, &status, 0) == process);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* As a user of the library links, by plain cc; `more` ends with NULL. */
static void linkByCc(const char* program, const char* const* more) {
  const char* words[16] = {"cc", "-o", program};
  char search[300], path[320];
  size_t count = 3;
  Dl_info library;
  CHECK(dladdr((void*)(uintptr_t)gaur_new, &library));
  snprintf(search, sizeof(search), "-L%.*s", (int)(strrchr(library.dli_fname, '/') - library.dli_fname),
           library.dli_fname);
  snprintf(path, sizeof(path), "-Wl,-rpath,%s", search + 2);
  while (*more) words[count++] = *more++;
  words[count++] = search;
  words[count++] = "-lgaur";
  words[count++] = path;
  CHECK(statusOf(words) == 0);
}

/* --- Beginnings --- */

enum Beginning { kFunction, kFreshStack, kBegunStack };

/* That which @prepare leaves in @kept. */
static MuValue begunStack(void) {
  CHECK(ctx->new_thread_nor(ctx, ctx->new_stack(ctx, function("prepare")), NULL, NULL, 0));
  mvm->execute(mvm);
  return ctx->load(ctx, MU_ORD_SEQ_CST, ctx->handle_from_global(ctx, id("kept")));
}

static void build(enum Beginning beginning, char* path) {
  MuValue local, stack = NULL, function_ = NULL;
  MuID whitelist[1];
  start(NULL);
  load(bundle);
  whitelist[0] = id("kept");
  local = ctx->new_fixed(ctx, id("i64"));
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->get_iref(ctx, local), int64(4));
  if (beginning == kFunction) function_ = function("main");
  if (beginning == kFreshStack) stack = ctx->new_stack(ctx, function("main"));
  if (beginning == kBegunStack) stack = begunStack();
  ctx->make_boot_image(ctx, whitelist, 1, function_, stack, local, NULL, NULL, 0, NULL, NULL, 0, path);
  NO_ERROR();
  finish();
}

static int runObject(int argc, char** argv) {
  void* object = dlopen(argv[0], RTLD_NOW | RTLD_LOCAL);
  GaurLinkedImage* (*image)(void);
  if (!object) fprintf(stderr, "%s\n", dlerror());
  CHECK(object);
  image = (GaurLinkedImage * (*)(void))(uintptr_t)dlsym(object, "gaur_linked_image");
  return gaur_image_main(argc, argv, image());
}

static void beginnings(const char* self) {
  enum Beginning beginning;
  for (beginning = kFunction; beginning <= kBegunStack; ++beginning) {
    /* Three words, 4 of the thread-local, 30 of the object in a frame. */
    const int expected = 3 + 4 + (beginning == kBegunStack ? 30 : 0);
    char *object = pathOf("x.so"), *program = pathOf("x"), *part = pathOf("x.o"), *linked = pathOf("linked");
    const char* withObject[] = {self, "object", object, "a", "b", NULL};
    const char* alone[] = {program, "a", "b", NULL};
    const char* ofParts[] = {linked, "a", "b", NULL};
    build(beginning, object);
    CHECK(statusOf(withObject) == expected);
    build(beginning, program);
    CHECK(statusOf(alone) == expected);
    build(beginning, part);
    linkByCc(linked, (const char* const[]){part, NULL});
    CHECK(statusOf(ofParts) == expected);
  }
}

/* --- A symbol that nothing but a frame refers to --- */

static const char* const type =
    ".typedef @i32 = int<32> .funcsig @get.sig = () -> (@i32) .typedef @get.fp = ufuncptr<@get.sig>";
static const char* const held =
    ".typedef @i8 = int<8> .typedef @stack = stackref .global @kept <@stack>\n"
    ".typedef @cstr = uptr<@i8> .typedef @argv = uptr<@cstr> .funcsig @v = () -> ()\n"
    ".funcsig @exit.sig = (@i32) -> () .typedef @exit.fp = ufuncptr<@exit.sig>\n"
    ".const @exit <@exit.fp> = EXTERN \"exit\" .const @theirs <@get.fp> = EXTERN \"symbol_of_frame\"\n"
    ".funcsig @waits.sig = (@stack @get.fp) -> ()\n"
    ".funcdef @waits VERSION %v <@waits.sig> { %entry(<@stack> %back <@get.fp> %f):\n"
    "  (%argc %argv) = SWAPSTACK %back RET_WITH <@i32 @argv> PASS_VALUES <> ()\n"
    "  %status = CCALL #DEFAULT <@get.fp @get.sig> %f () CCALL #DEFAULT <@exit.fp @exit.sig> @exit "
    "(%status)\n"
    "  RET () }\n"
    ".funcdef @prepare VERSION %v <@v> { %entry(): %s = COMMINST @uvm.new_stack <[@waits.sig]> (@waits)\n"
    "  STORE <@stack> @kept %s %here = COMMINST @uvm.current_stack ()\n"
    "  SWAPSTACK %s RET_WITH <> PASS_VALUES <@stack @get.fp> (%here @theirs) RET () }\n";

static int symbolHere(void) { return 1; }

/* The program exports nothing, so only its linker knows where its function is. */
static void symbolOfFrame(void) {
  char *source = pathOf("theirs.c"), *part = pathOf("held.o"), *program = pathOf("held");
  const char* run[] = {program, NULL};
  MuValue stack;
  MuID whitelist[1];
  writeFile(source, "int symbol_of_frame(void) { return 2; }\n");
  start(NULL);
  load(type);
  ctx->bind_symbol(ctx, (char*)(uintptr_t) "symbol_of_frame",
                   ctx->handle_from_fp(ctx, id("get.fp"), (MuCFP)symbolHere));
  load(held);
  whitelist[0] = id("kept");
  stack = begunStack();
  ctx->make_boot_image(ctx, whitelist, 1, NULL, stack, NULL, NULL, NULL, 0, NULL, NULL, 0, part);
  NO_ERROR();
  finish();
  linkByCc(program, (const char* const[]){source, part, NULL});
  CHECK(statusOf(run) == 2);
}

/* --- Two shared objects, of processes in which the same types had different numbers --- */

static const char* const otherTypes =
    ".typedef @f = float .typedef @d = double .typedef @fv = vector<@f 4> .typedef @df = array<@d 3>\n"
    ".typedef @several = struct<@f @d @fv @df> .typedef @theirs = ref<@several> .global @unused <@theirs>\n";
static const char* const lists =
    ".typedef @i64 = int<64> .typedef @node = struct<@i64 @next> .typedef @next = ref<@node>\n"
    ".global @list <@next> .const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @none <@next> = NULL\n"
    ".funcsig @one.sig = (@i64) -> (@i64) .funcsig @get.sig = () -> (@i64)\n"
    /* Puts n, n-1, ... 1 before what is in the list. */
    ".funcdef @grow VERSION %v <@one.sig> { %entry(<@i64> %n): BRANCH %more(%n)\n"
    "  %more(<@i64> %n): %done = EQ <@i64> %n @0 BRANCH2 %done %end() %put(%n)\n"
    "  %put(<@i64> %n): %new = NEW <@node> %i = GETIREF <@node> %new %f = GETFIELDIREF <@node 0> %i\n"
    "    STORE <@i64> %f %n %g = GETFIELDIREF <@node 1> %i %old = LOAD <@next> @list\n"
    "    STORE <@next> %g %old STORE <@next> @list %new %m = SUB <@i64> %n @1 BRANCH %more(%m)\n"
    "  %end(): %s = CALL <@get.sig> @total () RET %s }\n"
    ".funcdef @total VERSION %v <@get.sig> { %entry(): %first = LOAD <@next> @list BRANCH %look(%first @0)\n"
    "  %look(<@next> %node <@i64> %sum): %done = EQ <@next> %node @none\n"
    "    BRANCH2 %done %end(%sum) %add(%node %sum)\n"
    "  %add(<@next> %node <@i64> %sum): %i = GETIREF <@node> %node %f = GETFIELDIREF <@node 0> %i\n"
    "    %x = LOAD <@i64> %f %s = ADD <@i64> %sum %x %g = GETFIELDIREF <@node 1> %i %next = LOAD <@next> %g\n"
    "    BRANCH %look(%next %s)\n"
    "  %end(<@i64> %sum): RET %sum }\n";

typedef int64_t One(int64_t);

static int buildLists(char** argv) {
  MuID whitelist[3];
  start(NULL);
  if (strcmp(argv[1], "other") == 0) {
    load(otherTypes);
    ctx->new_fixed(ctx, id("several"));
  }
  load(lists);
  whitelist[0] = id("grow");
  whitelist[1] = id("list");
  whitelist[2] = id("total");
  {
    /* An object from the building process, with a header. */
    MuValue node = ctx->new_fixed(ctx, id("node"));
    ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->get_field_iref(ctx, ctx->get_iref(ctx, node), 0), int64(1000));
    ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->handle_from_global(ctx, id("list")), node);
  }
  ctx->make_boot_image(ctx, whitelist, 3, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0, argv[0]);
  finish();
  return 0;
}

static int useBoth(char** argv) {
  int64_t totals[2] = {1000, 1000};
  One* grow[2];
  int i, round;
  for (i = 0; i < 2; ++i) {
    void* object = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
    CHECK(object);
    grow[i] = (One*)(uintptr_t)dlsym(object, "grow");
    CHECK(grow[i]);
  }
  for (round = 0; round < 20; ++round)
    for (i = 0; i < 2; ++i) {
      totals[i] += 50 * 51 / 2;
      CHECK(grow[i](50) == totals[i]);
    }
  return 0;
}

static void twoObjects(const char* self) {
  const char* plain[] = {self, "lists", pathOf("a.so"), "plain", NULL};
  const char* other[] = {self, "lists", pathOf("b.so"), "other", NULL};
  const char* both[] = {self, "both", plain[2], other[2], NULL};
  const char* reversed[] = {self, "both", other[2], plain[2], NULL};
  const char* same[] = {"cmp", "-s", plain[2], other[2], NULL};
  CHECK(statusOf(plain) == 0 && statusOf(other) == 0);
  CHECK(statusOf(same) == 1);
  CHECK(statusOf(both) == 0 && statusOf(reversed) == 0);
}

/* --- Cells that C knows by names --- */

static const char* const cells =
    ".typedef @i8 = int<8> .typedef @i64 = int<64> .typedef @node = struct<@i64 @next> .typedef @next = "
    "ref<@node>\n"
    ".typedef @cstr = uptr<@i8> .typedef @record = struct<@i64 @next @cstr>\n"
    ".global @counter <@i64> .global @record_cell <@record> .const @0 <@i64> = 0\n"
    ".funcsig @one.sig = (@i64) -> (@i64) .funcsig @get.sig = () -> (@i64)\n"
    ".funcdef @bump VERSION %v <@one.sig> { %entry(<@i64> %n):\n"
    "  %old = ATOMICRMW SEQ_CST ADD <@i64> @counter %n %new = ADD <@i64> %old %n RET %new }\n"
    /* What the object in the record has. */
    ".funcdef @value VERSION %v <@get.sig> { %entry(): %f = GETFIELDIREF <@record 1> @record_cell\n"
    "  %r = LOAD <@next> %f %i = GETIREF <@node> %r %v = GETFIELDIREF <@node 0> %i %x = LOAD <@i64> %v RET "
    "%x }\n"
    ".funcdef @first VERSION %v <@get.sig> { %entry(): %f = GETFIELDIREF <@record 0> @record_cell\n"
    "  %x = LOAD <@i64> %f RET %x }\n";

/* What another object does with them; the status is the number of the check that fails. */
static const char* const user =
    "#include <stdint.h>\n#include <sys/wait.h>\n#include <unistd.h>\n"
    "extern int64_t counter, first_field;\n"
    "extern struct record { int64_t first; int64_t* reference; const char* text; } record_cell;\n"
    "int64_t bump(int64_t); int64_t value(void); int64_t first(void);\n"
    "int64_t* where = &counter;\n"
    "int main(void) {\n"
    "  int status;\n"
    "  if (counter != 7 || record_cell.first != 5 || record_cell.reference || record_cell.text) return 1;\n"
    "  counter = 40;\n"
    "  if (bump(2) != 42 || counter != 42 || *where != 42) return 2;\n"
    "  if (value() != 99 || *record_cell.reference != 99) return 3;\n"
    "  if (first() != 5 || &first_field != &record_cell.first) return 4;\n"
    "  first_field = 6;\n"
    "  if (first() != 6 || record_cell.first != 6) return 5;\n"
    "  if (!record_cell.text || record_cell.text[0] != 't') return 6;\n"
    /* A process that forks has cells of its own. */
    "  if (fork() == 0) _exit(bump(1) == 43 && counter == 43 ? 0 : 1);\n"
    "  if (wait(&status) < 0 || status != 0) return 7;\n"
    "  return counter == 42 && bump(0) == 42 ? 0 : 8;\n"
    "}\n"
    "const char text_of_user[] = \"text\";\n";

static void buildCells(char* path) {
  MuID whitelist[4];
  MuValue fields[5], node, record, relocated[1];
  MuCString names[5] = {"counter", "record_cell", "first_field", "no_cell", "not a name"};
  MuCString symbols[1] = {"text_of_user"};
  start(NULL);
  load(cells);
  whitelist[0] = id("bump");
  whitelist[1] = id("value");
  whitelist[2] = id("first");
  fields[0] = ctx->handle_from_global(ctx, id("counter"));
  record = fields[1] = ctx->handle_from_global(ctx, id("record_cell"));
  fields[2] = ctx->get_field_iref(ctx, record, 0);
  node = ctx->new_fixed(ctx, id("node"));
  fields[3] = ctx->get_field_iref(ctx, ctx->get_iref(ctx, node), 0);
  fields[4] = fields[0];
  relocated[0] = ctx->get_field_iref(ctx, record, 2);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, fields[0], int64(7));
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, fields[2], int64(5));
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, fields[3], int64(99));
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, ctx->get_field_iref(ctx, record, 1), node);
  ctx->make_boot_image(ctx, whitelist, 3, NULL, NULL, NULL, fields, names, 5, relocated, symbols, 1, path);
  NO_ERROR();
  finish();
}

static void namedCells(void) {
  char *source = pathOf("user.c"), *part = pathOf("cells.o"), *object = pathOf("cells.so");
  char* program = pathOf("user");
  const char* run[] = {program, NULL};
  writeFile(source, user);
  buildCells(part);
  linkByCc(program, (const char* const[]){source, part, NULL});
  CHECK(statusOf(run) == 0);
  /* A program does not copy what it uses of a shared object if its code is fit for one, too. The text is its
   * own, and the object wants it. */
  buildCells(object);
  linkByCc(program, (const char* const[]){"-fPIC", "-rdynamic", source, object, NULL});
  CHECK(statusOf(run) == 0);
}

int main(int argc, char** argv) {
  char remove[80];
  if (argc > 2 && strcmp(argv[1], "object") == 0) return runObject(argc - 2, argv + 2);
  if (argc > 2 && strcmp(argv[1], "lists") == 0) return buildLists(argv + 2);
  if (argc > 2 && strcmp(argv[1], "both") == 0) return useBoth(argv + 2);
  CHECK(mkdtemp(folder));
  beginnings(argv[0]);
  symbolOfFrame();
  twoObjects(argv[0]);
  namedCells();
  snprintf(remove, sizeof(remove), "rm -rf %s", folder);
  CHECK(system(remove) == 0);
  return 0;
}
