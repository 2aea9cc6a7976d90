/* Bundles that clients unload: names that are free at once, what keeps the rest, what is refused, and that a
 * thousand plug-ins leave nothing behind, wherever references to them were. Arguments: how many plug-ins,
 * versions of one function, and functions. */
#include <unistd.h>

#include "client.h"

typedef int64_t (*Plain)(void);

static const char* const common =
    ".typedef @i64 = int<64> .funcsig @i = () -> (@i64) .typedef @fr = funcref<@i> .const @7 <@i64> = 7\n"
    ".global @held <@fr> .typedef @ii64 = iref<@i64> .typedef @stack = stackref\n"
    ".typedef @box = struct<@i64 @fr> .typedef @rbox = ref<@box> .typedef @wbox = weakref<@box>\n"
    ".global @place <@ii64> .global @boxed <@rbox> .global @weak <@wbox> .global @waiting <@stack>\n"
    ".const @nofunction <@fr> = NULL .const @noplace <@ii64> = NULL .const @nostack <@stack> = NULL\n";

static void loadCollectible(const char* text) {
  ctx->load_collectible(ctx, (char*)(uintptr_t)text, strlen(text));
  NO_ERROR();
}

/* Calls a function through a native entry. */
static int64_t callHandle(MuValue function) {
  MuIntValue cookie = int64(0);
  MuValue entry = ctx->expose(ctx, function, MU_CC_DEFAULT, cookie);
  int64_t result = ((Plain)ctx->handle_to_fp(ctx, entry))();
  ctx->unexpose(ctx, MU_CC_DEFAULT, entry);
  ctx->delete_value(ctx, entry);
  ctx->delete_value(ctx, cookie);
  return result;
}

static int64_t call(const char* name) {
  MuValue handle = function(name);
  int64_t result = callHandle(handle);
  ctx->delete_value(ctx, handle);
  return result;
}

static const char* const counter =
    ".global @count <@i64>\n"
    ".funcdef @next VERSION %v <@i> { %entry(): %old = LOAD <@i64> @count %new = ADD <@i64> %old @7\n"
    "  STORE <@i64> @count %new RET %new }\n";

static void namesAreFreeAtOnce(void) {
  int i;
  for (i = 0; i < 3; ++i) {
    MuID member;
    loadCollectible(counter);
    CHECK(call("next") == 7 && call("next") == 14);
    member = id("next");
    ctx->unload(ctx, id("count"));
    NO_ERROR();
    FAILS("A0008", id("next"));
    FAILS("A0005", ctx->handle_from_func(ctx, member));
    FAILS_VOID("R0030", ctx->unload(ctx, member));
  }
}

static void handlesAndCellsKeep(void) {
  MuValue kept, place;
  MuID member;
  loadCollectible(counter);
  member = id("next");
  CHECK(strcmp(ctx->why(ctx, member), "a bundle that is not unloaded\n") == 0);
  CHECK(strcmp(ctx->why(ctx, id("held")), "nothing ever asked for its end\n") == 0);
  FAILS("A0005", ctx->why(ctx, 0));
  kept = function("next");
  place = ctx->handle_from_global(ctx, id("held"));
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, place, kept);
  ctx->unload(ctx, id("next"));
  CHECK(strcmp(ctx->why(ctx, member), "global cell @held\n") == 0);
  loadCollectible(counter);
  CHECK(call("next") == 7);
  CHECK(callHandle(kept) == 7 && callHandle(kept) == 14);
  ctx->delete_value(ctx, kept);
  kept = ctx->load(ctx, MU_ORD_NOT_ATOMIC, place);
  CHECK(callHandle(kept) == 21);
  ctx->unload(ctx, id("next"));
  NO_ERROR();
}

static void buildersCanDoIt(void) {
  MuIRBuilder* b = ctx->new_ir_builder(ctx);
  MuID made = b->gen_sym(b, "@made"), number = b->gen_sym(b, "@made.number");
  (void)made;
  ctx->make_collectible(ctx, b);
  NO_ERROR();
  b->new_const_int(b, number, id("i64"), 99);
  b->load(b);
  NO_ERROR();
  ctx->unload(ctx, id("made.number"));
  NO_ERROR();
  FAILS("A0008", id("made.number"));
  FAILS_VOID("A0001", ctx->make_collectible(ctx, NULL));
  FAILS_VOID("A0026", ctx->make_collectible(ctx, b));
}

static void refused(void) {
  static char wrong[] = ".funcdef @wrong";
  MuID permanent = id("i64");
  FAILS_VOID("R0030", ctx->unload(ctx, permanent));
  FAILS_VOID("R0030", ctx->unload(ctx, 0));
  mvm->clear_error(mvm);
  ctx->load_collectible(ctx, wrong, strlen(wrong));
  CHECK(mvm->get_error(mvm, NULL));
  FAILS_VOID("A0001", ctx->load_collectible(ctx, NULL, 3));
}

/* --- Memory is flat. --- */

static long residentKilobytes(void) {
  long size = 0, resident = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  CHECK(file && fscanf(file, "%ld %ld", &size, &resident) == 2);
  fclose(file);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static int mappings(void) {
  int count = 0, letter;
  FILE* file = fopen("/proc/self/maps", "r");
  CHECK(file);
  while ((letter = fgetc(file)) != EOF) count += letter == '\n';
  fclose(file);
  return count;
}

enum { kFunctions = 100 };

/* A plug-in of many functions, each of which calls the one before. */
static char* plugin(int round) {
  char* text = malloc(kFunctions * 160 + 128);
  char* end = text;
  int i;
  end += sprintf(end, ".const @start <@i64> = %d .global @pcount <@i64>\n", round);
  for (i = 0; i < kFunctions; ++i) {
    if (i == 0)
      end += sprintf(end, ".funcdef @p0 VERSION %%v <@i> { %%entry(): RET @start }\n");
    else
      end += sprintf(
          end,
          ".funcdef @p%d VERSION %%v <@i> { %%entry(): %%a = CALL <@i> @p%d () %%b = ADD <@i64> %%a @7 "
          "RET %%b }\n",
          i, i - 1);
  }
  return text;
}

static void setCell(const char* name, MuValue value) {
  MuValue place = ctx->handle_from_global(ctx, id(name));
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, place, value);
  ctx->delete_value(ctx, place);
  ctx->delete_value(ctx, value);
}

/* An object with the function, or with none. */
static MuValue newBox(const char* name) {
  MuValue object = ctx->new_fixed(ctx, id("box")), iref, field, f;
  if (!name) return object;
  f = function(name);
  iref = ctx->get_iref(ctx, object);
  field = ctx->get_field_iref(ctx, iref, 1);
  ctx->store(ctx, MU_ORD_NOT_ATOMIC, field, f);
  ctx->delete_value(ctx, field);
  ctx->delete_value(ctx, iref);
  ctx->delete_value(ctx, f);
  return object;
}

static void replaceExposed(MuValue* entry, const char* name) {
  MuValue f, cookie;
  if (*entry) {
    ctx->unexpose(ctx, MU_CC_DEFAULT, *entry);
    ctx->delete_value(ctx, *entry);
  }
  *entry = NULL;
  if (!name) return;
  f = function(name);
  cookie = int64(0);
  *entry = ctx->expose(ctx, f, MU_CC_DEFAULT, cookie);
  ctx->delete_value(ctx, cookie);
  ctx->delete_value(ctx, f);
}

static void replacePin(MuValue* cell, const char* name) {
  if (*cell) {
    ctx->unpin(ctx, *cell);
    ctx->delete_value(ctx, *cell);
  }
  *cell = name ? ctx->handle_from_global(ctx, id(name)) : NULL;
  if (name) ctx->delete_value(ctx, ctx->pin(ctx, *cell));
}

enum { kPlaces = 9 };

static MuValue constant(const char* name) { return ctx->handle_from_const(ctx, id(name)); }

static MuValue newStack(const char* name) {
  MuValue f = function(name), made = ctx->new_stack(ctx, f);
  ctx->delete_value(ctx, f);
  return made;
}

/* Leaves a reference to the plug-in, in another place each round, which forgets what was there; without
 * `isLeft` it only forgets. */
static void leaveReference(int round, int isLeft) {
  static MuValue handle, entry, pinned;
  switch (round % kPlaces) {
    case 0: setCell("held", isLeft ? function("p31") : constant("nofunction")); break;
    case 1:
      setCell("place", isLeft ? ctx->handle_from_global(ctx, id("pcount")) : constant("noplace"));
      break;
    case 2: setCell("boxed", newBox(isLeft ? "p32" : NULL)); break;
    case 3: setCell("weak", newBox(isLeft ? "p33" : NULL)); break;
    case 4:
      if (handle) ctx->delete_value(ctx, handle);
      handle = isLeft ? function("p34") : NULL;
      break;
    case 5: replaceExposed(&entry, isLeft ? "p35" : NULL); break;
    case 6: setCell("waiting", isLeft ? newStack("p36") : constant("nostack")); break;
    case 7: replacePin(&pinned, isLeft ? "pcount" : NULL); break;
    default: break;
  }
  NO_ERROR();
}

static __attribute__((noinline)) void wipe(void) {
  char space[1 << 16];
  memset(space, 0, sizeof space);
  __asm__ volatile("" ::"r"(space) : "memory");
}

/* Nothing is left of what the last rounds loaded, but for one that some word of a stack may look like. */
static void allAreGone(const MuID* members, int count) {
  int i, tries, left = 0;
  for (i = 0; i < kPlaces; ++i) leaveReference(i, 0);
  for (i = 0; i < count; ++i) {
    for (tries = 0; tries < 4; ++tries) {
      wipe();
      mvm->clear_error(mvm);
      if (!ctx->why(ctx, members[i])) break;
    }
    if (tries < 4) continue;
    fprintf(stderr, "plug-in %d of the last: %s", i, ctx->why(ctx, members[i]));
    ++left;
  }
  CHECK(left <= 1);
  mvm->clear_error(mvm);
}

enum { kRemembered = 4 * kPlaces };

static void manyPlugins(int rounds) {
  MuID members[kRemembered] = {0};
  long settled = 0;
  int mapped = 0, i;
  for (i = 0; i < rounds; ++i) {
    char* text = plugin(i);
    loadCollectible(text);
    free(text);
    CHECK(call("p99") == i + 99 * 7);
    leaveReference(i, 1);
    members[i % kRemembered] = id("p50");
    ctx->unload(ctx, id("p50"));
    NO_ERROR();
    if (i == rounds / 4) {
      settled = residentKilobytes();
      mapped = mappings();
    }
  }
  allAreGone(members, rounds < kRemembered ? rounds : kRemembered);
  printf("%d plug-ins of %d functions: %ld KB, %ld KB at a quarter; %d mappings, %d\n", rounds, kFunctions,
         residentKilobytes(), settled, mappings(), mapped);
  CHECK(residentKilobytes() < settled + 24 * 1024);
  CHECK(mappings() <= mapped + 16);
}

static void manyVersions(int rounds) {
  long settled = 0;
  int mapped = 0, i;
  load(".funcdecl @again <@i>");
  for (i = 0; i < rounds; ++i) {
    load(".funcdef @again VERSION %v <@i> { %entry(): RET @7 }");
    CHECK(call("again") == 7);
    if (i == rounds / 10) {
      settled = residentKilobytes();
      mapped = mappings();
    }
  }
  printf("%d versions: %ld KB, %ld KB at a tenth; %d mappings, %d\n", rounds, residentKilobytes(), settled,
         mappings(), mapped);
  CHECK(residentKilobytes() < settled + 16 * 1024);
  CHECK(mappings() <= mapped + 16);
}

/* Each function is defined, called, redefined, called and dropped. */
static void manyFunctions(int rounds) {
  long settled = 0;
  int mapped = 0, i;
  for (i = 0; i < rounds; ++i) {
    loadCollectible(".funcdef @brief VERSION %v <@i> { %entry(): RET @7 }");
    CHECK(call("brief") == 7);
    loadCollectible(
        ".const @brief.next <@i64> = 8 .funcdef @brief VERSION %w <@i> { %entry(): RET @brief.next }");
    CHECK(call("brief") == 8);
    ctx->unload(ctx, id("brief"));
    ctx->unload(ctx, id("brief.next"));
    NO_ERROR();
    if (i == rounds / 10) {
      settled = residentKilobytes();
      mapped = mappings();
    }
  }
  printf("%d functions: %ld KB, %ld KB at a tenth; %d mappings, %d\n", rounds, residentKilobytes(), settled,
         mappings(), mapped);
  CHECK(residentKilobytes() < settled + 16 * 1024);
  CHECK(mappings() <= mapped + 16);
}

int main(int argc, char** argv) {
  const int isStressed = getenv("GAUR_GC_STRESS") != NULL;
  const int plugins = argc > 1 ? atoi(argv[1]) : isStressed ? 4 : 40;
  const int versions = argc > 2 ? atoi(argv[2]) : isStressed ? 40 : 1000;
  const int functions = argc > 3 ? atoi(argv[3]) : isStressed ? 40 : 1000;
  start(argc > 1 ? "opt=0" : NULL);
  load(common);
  namesAreFreeAtOnce();
  handlesAndCellsKeep();
  buildersCanDoIt();
  refused();
  manyPlugins(plugins);
  manyVersions(versions);
  manyFunctions(functions);
  finish();
  return 0;
}
