// What the library exports by name: making machines from option strings, and what this build is.
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <new>
#include <string>
#include <string_view>

#include "api/library.h"
#include "api/machine.h"
#include "api/mu/gaur.h"
#include "api/mu/mu-fastimpl.h"
#include "api/mu/refimpl2-start.h"
#include "bootimage/image_loader.h"
#include "vm/support/log.h"
#include "vm/support/options.h"
#include "vm/support/thread_owned.h"

namespace gaur::api {

namespace {

/// Calls f(word) for each word, until it fails.
template <class F>
Result<void> forEachWord(std::string_view text, F f) {
  constexpr std::string_view kBlanks = " \t\r\n";
  for (std::size_t begin = text.find_first_not_of(kBlanks); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, begin), text.size());
    GAUR_TRY(f(text.substr(begin, end - begin)));
    begin = text.find_first_not_of(kBlanks, end);
  }
  return {};
}

struct Assignment {
  std::string_view name;
  std::string_view value;
};

Assignment parsed(std::string_view word) {
  while (!word.empty() && word[0] == '-') word.remove_prefix(1);
  const std::size_t sign = word.find('=');
  if (sign == std::string_view::npos) return {word, {}};
  return {word.substr(0, sign), word.substr(sign + 1)};
}

Result<void> setStrict(Options& options, std::string_view word) {
  const Assignment option = parsed(word);
  return setOption(options, option.name, option.value);
}

/// Both flavours of older clients: words of theirs that say nothing to us are passed over.
Result<void> setLenient(Options& options, std::string_view word) {
  if (word == "init_mu") return {};
  Assignment option = parsed(word);
  if (option.name == "extraLibs") option.name = "lib";
  auto set = setOption(options, option.name, option.value);
  if (set || set.error().id != ErrorId::OptionUnknown) return set;
  GAUR_LOG(Api, Info, "option '{}' is ignored", word);
  return {};
}

Result<Options> readOptions(std::string_view text, Result<void> (*set)(Options&, std::string_view)) {
  Options options;
  GAUR_TRY(setOptionsFromEnvironment(options));
  GAUR_TRY(forEachWord(text, [&](std::string_view word) { return set(options, word); }));
  return options;
}

Result<MuVM*> make(std::string_view text, Result<void> (*set)(Options&, std::string_view)) {
  GAUR_TRY_ASSIGN(Options options, readOptions(text, set));
  return Machine::create(options);
}

Result<MuVM*> makeFromImage(const char* path, std::string_view text, const GaurSymbol* symbols,
                            std::size_t count) {
  if (!path) return makeError(ErrorId::ApiNull, {"path"});
  if (count != 0 && !symbols) return makeError(ErrorId::ApiNull, {"symbols"});
  GAUR_TRY_ASSIGN(Options options, readStrictOptions(text));
  bootimage::LoadOptions loading;
  GAUR_TRY(addSymbols(loading, {symbols, count}));
  GAUR_TRY_ASSIGN(bootimage::ImageFile image, bootimage::ImageFile::open(path));
  GAUR_TRY_ASSIGN(bootimage::LoadedImage loaded, bootimage::loadImage(std::move(image), options, loading));
  return Machine::create(std::move(loaded));
}

MuVM* makeOrNull(const char* text, Result<void> (*set)(Options&, std::string_view)) {
  return orNull([&] { return make(text ? text : "", set); });
}

constexpr std::string_view kFeatures[] = {
    "threads", "ir-builder", "hail", "boot-image", "sharedlib", "host-functions", "collectible-bundles"};

/// What the clients of the other flavour find behind the fourth member.
MuVM* asRefImpl2(MuVM* mvm) {
  if (!mvm) return nullptr;
  auto& members = *reinterpret_cast<MuRefImpl2VM*>(mvm);
  members.execute = reinterpret_cast<decltype(members.execute)>(mvm->execute);
  members.get_mu_error_ptr = reinterpret_cast<decltype(members.get_mu_error_ptr)>(mvm->get_mu_error_ptr);
  return mvm;
}

static_assert(offsetof(MuRefImpl2VM, set_trap_handler) == offsetof(MuVM, set_trap_handler));
static_assert(offsetof(MuRefImpl2VM, execute) == offsetof(MuVM, compile_to_sharedlib));
static_assert(offsetof(MuRefImpl2VM, get_mu_error_ptr) == offsetof(MuVM, current_thread_as_mu_thread));

}  // namespace

Result<Options> readStrictOptions(std::string_view text) { return readOptions(text, setStrict); }

Result<void> addSymbols(bootimage::LoadOptions& loading, std::span<const GaurSymbol> symbols) {
  for (const GaurSymbol& symbol : symbols) {
    if (!symbol.name) return makeError(ErrorId::ApiNull, {"name of a symbol"});
    loading.symbols.emplace_back(symbol.name, symbol.address);
  }
  return {};
}

std::string& creationError() {
  static auto* texts = new ThreadOwned<std::string>;
  return texts->get();
}

}  // namespace gaur::api

using namespace gaur;
using namespace gaur::api;

extern "C" {

MuVM* gaur_new(const char* options) { return makeOrNull(options, setStrict); }

MuVM* gaur_load_image(const char* path, const char* options, const GaurSymbol* symbols, size_t symbol_count) {
  return orNull([&] { return makeFromImage(path, options ? options : "", symbols, symbol_count); });
}

int gaur_run_image(MuVM* mvm, int argc, char** argv) {
  if (!mvm) return reportNull("gaur_run_image", "mvm"), -1;
  return Machine::of(mvm).runImage(argc, argv);
}

MuVM* gaur_current_vm(void) {
  Machine* machine = Machine::current();
  return machine ? machine->table() : nullptr;
}

const char* gaur_new_error(void) { return creationError().c_str(); }

const char* gaur_version(void) { return GAUR_VERSION; }

int gaur_api_level(void) { return GAUR_API_LEVEL; }

int gaur_has_feature(const char* name) {
  return name && std::find(std::begin(kFeatures), std::end(kFeatures), name) != std::end(kFeatures);
}

MuVM* mu_fastimpl_new(void) { return makeOrNull(nullptr, setLenient); }

MuVM* mu_fastimpl_new_with_opts(const char* opts) { return makeOrNull(opts, setLenient); }

MuVM* mu_refimpl2_new(void) { return asRefImpl2(makeOrNull(nullptr, setLenient)); }

MuVM* mu_refimpl2_new_ex(const char* conf) { return asRefImpl2(makeOrNull(conf, setLenient)); }

void mu_refimpl2_close(MuVM* mvm) {
  if (mvm) mvm->close(mvm);
}

const char* mu_get_version(void) { return "gaur " GAUR_VERSION; }

}  // extern "C"
