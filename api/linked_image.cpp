#include "api/linked_image.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "api/library.h"
#include "api/machine.h"
#include "bootimage/image_loader.h"
#include "vm/runtime/process_end.h"

namespace gaur::api {

namespace {

/// As `gaur run` tells that it refuses an image.
constexpr int kImageFailure = 4;

/// Beginnings and first calls, of all images. They may come from initialisers of other libraries, so it is
/// there from the first.
std::mutex& startMutex() {
  static std::mutex mutex;
  return mutex;
}

Result<MuVM*> start(abi::LinkedImage& image, std::string_view text, std::span<const GaurSymbol> symbols) {
  if (image.version != abi::kLinkedImageVersion) return makeError(ErrorId::LinkedImageVersion, {image.name});
  GAUR_TRY_ASSIGN(Options options, readStrictOptions(text));
  bootimage::LoadOptions loading;
  for (std::uint64_t i = 0; i < image.symbolCount; ++i)
    if (image.symbols[i].address)
      loading.symbols.emplace_back(image.symbols[i].name, image.symbols[i].address);
  loading.namedCells = {image.cells, image.cellBytes};
  GAUR_TRY(addSymbols(loading, symbols));
  GAUR_TRY_ASSIGN(bootimage::ImageFile file,
                  bootimage::ImageFile::linked({image.bytes, image.byteCount}, image.name));
  GAUR_TRY_ASSIGN(bootimage::LoadedImage loaded, bootimage::loadImage(std::move(file), options, loading));
  return Machine::create(std::move(loaded), &image);
}

/// Requires: startMutex held.
Result<MuVM*> machineOf(abi::LinkedImage& image, std::string_view options,
                        std::span<const GaurSymbol> symbols) {
  if (image.machine) return static_cast<MuVM*>(image.machine);
  Result<MuVM*> machine = makeError(ErrorId::OutOfMemory, {"a machine"});
  auto begin = [&] {
    try {
      machine = start(image, options, symbols);
    } catch (const std::bad_alloc&) {
    }
  };
  // Mu code of another machine may have come here; its stack is too small for this.
  if (runtime::Thread* thread = runtime::Thread::current())
    thread->onNativeStack(begin);
  else
    begin();
  if (machine) image.machine = *machine;
  return machine;
}

/// A caller in C has no way to hear of an error.
[[noreturn]] void refuse(const Error& error) {
  std::fflush(stdout);
  std::fprintf(stderr, "gaur: %s\n", error.message.c_str());
  std::_Exit(kImageFailure);
}

/// The native entry of what is exported; null where the code memory is full.
void* nativeEntry(runtime::MicroVm& vm, Id id) {
  if (const auto* exposed = vm.program().entityOf<ir::ExposedFunction>(id))
    return *vm.entities().exposedSlot(*exposed);
  return vm.entities().expose(vm.entities().recordOf(*vm.program().entityOf<ir::Function>(id)), 0);
}

}  // namespace

void forgetMachine(abi::LinkedImage& image) {
  std::lock_guard lock(startMutex());
  for (std::uint64_t i = 0; i < image.exportCount; ++i)
    __atomic_store_n(&image.exports[i].entry, image.exports[i].unresolved, __ATOMIC_RELEASE);
  image.machine = nullptr;
}

}  // namespace gaur::api

using namespace gaur;
using namespace gaur::api;

extern "C" {

/// Work of gaur_resolve_export: what the stub goes on to, now and from now on.
void* gaur_bind_export(abi::LinkedExport* exported) {
  std::lock_guard lock(startMutex());
  void* known = __atomic_load_n(&exported->entry, __ATOMIC_ACQUIRE);
  if (known != exported->unresolved) return known;
  auto machine = machineOf(*exported->image, "", {});
  if (!machine) refuse(machine.error());
  void* entry = nativeEntry(Machine::of(*machine).vm(), static_cast<Id>(exported->id));
  if (!entry) refuse(makeError(ErrorId::OutOfMemory, {"code memory"}));
  __atomic_store_n(&exported->entry, entry, __ATOMIC_RELEASE);
  return entry;
}

MuVM* gaur_start_image(GaurLinkedImage* image, const char* options, const GaurSymbol* symbols,
                       size_t symbol_count) {
  return orNull([&]() -> Result<MuVM*> {
    if (!image) return makeError(ErrorId::ApiNull, {"image"});
    if (symbol_count != 0 && !symbols) return makeError(ErrorId::ApiNull, {"symbols"});
    std::lock_guard lock(startMutex());
    return machineOf(*reinterpret_cast<abi::LinkedImage*>(image), options ? options : "",
                     {symbols, symbol_count});
  });
}

int gaur_image_main(int argc, char** argv, GaurLinkedImage* image) {
  MuVM* machine = gaur_start_image(image, nullptr, nullptr, 0);
  if (machine) {
    // Not destroyed by what it orders.
    static const auto* end = new runtime::ProcessEnd(Machine::of(machine).vm());
    static_cast<void>(end);
    return Machine::of(machine).runImage(argc, argv);
  }
  std::fprintf(stderr, "gaur: %s\n", gaur_new_error());
  return kImageFailure;
}

}  // extern "C"
