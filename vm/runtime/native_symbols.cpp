#include "vm/runtime/native_symbols.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <initializer_list>

#include "jit/code_slab.h"
#include "vm/runtime/symbol_guards.h"
#include "vm/runtime/transitions.h"
#include "vm/support/near_name.h"

namespace gaur::runtime {

namespace {

/// Libraries that a C program may count on, opened when they are first needed.
void* findInSystem(const char* name) {
  if (void* address = dlsym(RTLD_DEFAULT, name)) return address;
  for (const char* library : {"libc.so.6", "libm.so.6", "libutil.so.1", "librt.so.1", "libdl.so.2"}) {
    void* handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (!handle) continue;
    if (void* address = dlsym(handle, name)) return address;
  }
  return nullptr;
}

static_assert(offsetof(abi::NativeSlot, address) == GAUR_NATIVE_SLOT_ADDRESS &&
              offsetof(abi::NativeSlot, target) == GAUR_NATIVE_SLOT_TARGET &&
              offsetof(abi::NativeSlot, own) == GAUR_NATIVE_SLOT_OWN &&
              offsetof(abi::NativeTarget, code) == 0);
void* const keepingEntry = reinterpret_cast<void*>(&gaur_hostOfPlainCall);

/// Header of the hash table of a dynamic symbol table (DT_GNU_HASH).
struct SymbolHashHeader {
  std::uint32_t buckets, firstSymbol, bloomWords, bloomShift;
};

/// Symbols of a table, whose length no entry of the dynamic section tells: the hash table ends with the last
/// of them.
std::size_t symbolCount(const SymbolHashHeader* table) {
  const auto* bloom = reinterpret_cast<const ElfW(Addr)*>(table + 1);
  const auto* buckets = reinterpret_cast<const std::uint32_t*>(bloom + table->bloomWords);
  const std::uint32_t* chains = buckets + table->buckets;
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < table->buckets; ++i) last = std::max(last, buckets[i]);
  if (last < table->firstSymbol) return table->firstSymbol;
  constexpr std::uint32_t kEndOfChain = 1;
  while ((chains[last - table->firstSymbol] & kEndOfChain) == 0) ++last;
  return last + 1;
}

/// Offers the symbols that one loaded object defines.
int offerSymbols(dl_phdr_info* object, std::size_t, void* finder) {
  const ElfW(Dyn)* dynamic = nullptr;
  for (std::size_t i = 0; i < object->dlpi_phnum; ++i)
    if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
      dynamic = reinterpret_cast<const ElfW(Dyn)*>(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
  const ElfW(Sym)* symbols = nullptr;
  const char* texts = nullptr;
  const SymbolHashHeader* hash = nullptr;
  for (; dynamic && dynamic->d_tag != DT_NULL; ++dynamic) {
    // The loader of glibc has made these addresses; in the kernel's own object they are offsets.
    if (dynamic->d_un.d_ptr < object->dlpi_addr) continue;
    if (dynamic->d_tag == DT_SYMTAB) symbols = reinterpret_cast<const ElfW(Sym)*>(dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_STRTAB) texts = reinterpret_cast<const char*>(dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_GNU_HASH) hash = reinterpret_cast<const SymbolHashHeader*>(dynamic->d_un.d_ptr);
  }
  if (!symbols || !texts || !hash) return 0;
  const std::size_t count = symbolCount(hash);
  for (std::size_t i = hash->firstSymbol; i < count; ++i)
    if (symbols[i].st_shndx != SHN_UNDEF) static_cast<NearName*>(finder)->offer(texts + symbols[i].st_name);
  return 0;
}

}  // namespace

void NativeSymbols::offerNames(NearName& finder) {
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, binding] : registered_) finder.offer(name);
  }
  dl_iterate_phdr(&offerSymbols, &finder);
}

Result<void> NativeSymbols::addLibrary(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char* reason = dlerror();
    return makeError(ErrorId::FileUnreadable, {path, reason ? reason : "not a library"});
  }
  std::lock_guard lock(mutex_);
  libraries_.push_back({path, handle});
  return {};
}

/// Code that is under way has either the old target or the new one as a whole.
void NativeSymbols::fill(abi::NativeSlot& slot, const Binding& binding) {
  auto store = [](auto& word, auto* value) { __atomic_store_n(&word, value, __ATOMIC_SEQ_CST); };
  if (binding.host) {
    // In this order: gaur_hostOfPlainCall goes on to own.code where that is the target.
    store(slot.target, &binding.host->target);
    store(slot.own.code, slot.own.environment ? slot.own.environment : binding.address);
  } else {
    store(slot.own.code, binding.address);
    store(slot.target, &slot.own);
  }
  store(slot.address, binding.address);
}

abi::HostRecord* NativeSymbols::replace(std::string_view name, abi::HostRecord* before,
                                        const Binding& binding) {
  auto known = slots_.find(name);
  if (known == slots_.end()) return before;
  abi::NativeSlot& slot = *known->second;
  const bool wasKept = slot.own.environment || !slot.hasPlainCalls;
  fill(slot, binding);
  if (binding.host && !slot.own.environment && __atomic_load_n(&slot.hasPlainCalls, __ATOMIC_SEQ_CST)) {
    slot.own.environment = slab_.makeTrampoline(&slot, &keepingEntry);
    fill(slot, binding);
  }
  return wasKept ? before : nullptr;
}

abi::HostRecord* NativeSymbols::bind(std::string_view name, void* address, abi::HostRecord* host) {
  std::lock_guard lock(mutex_);
  auto [binding, isNew] = registered_.try_emplace(std::string(name));
  abi::HostRecord* before = isNew ? nullptr : binding->second.host;
  binding->second = {address, host};
  return replace(name, before, binding->second);
}

abi::HostRecord* NativeSymbols::unbind(std::string_view name) {
  std::lock_guard lock(mutex_);
  auto binding = registered_.find(name);
  if (binding == registered_.end()) return nullptr;
  abi::HostRecord* before = binding->second.host;
  registered_.erase(binding);
  Binding found = findLocked(std::string(name), {});
  if (!found.address) found.address = reinterpret_cast<void*>(&gaur_hostDisposed);
  return replace(name, before, found);
}

abi::HostRecord* NativeSymbols::hostOf(std::string_view name) {
  std::lock_guard lock(mutex_);
  auto binding = registered_.find(name);
  return binding == registered_.end() ? nullptr : binding->second.host;
}

std::string NativeSymbols::nameOf(const abi::HostRecord& host) {
  std::lock_guard lock(mutex_);
  for (const auto& [name, binding] : registered_)
    if (binding.host == &host) return name;
  return {};
}

void* NativeSymbols::registerMissing(std::string_view name) {
  void* guard = guardOf(name);
  if (guard) registerSymbol(name, guard);
  return guard;
}

NativeSymbols::Binding NativeSymbols::findLocked(const std::string& name, std::string_view library) {
  if (auto own = registered_.find(name); own != registered_.end()) return own->second;
  if (!library.empty()) {
    // A library that the process has open is not opened again.
    void* handle = dlopen(std::string(library).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (void* address = handle ? dlsym(handle, name.c_str()) : nullptr) return {address, nullptr};
  }
  if (void* address = findInSystem(name.c_str())) return {address, nullptr};
  for (const Library& known : libraries_)
    if (void* address = dlsym(known.handle, name.c_str())) return {address, nullptr};
  return {nullptr, nullptr};
}

void* NativeSymbols::find(std::string_view name, std::string_view library) {
  std::lock_guard lock(mutex_);
  return findLocked(std::string(name), library).address;
}

std::vector<std::pair<std::string, void*>> NativeSymbols::known() {
  std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, void*>> symbols;
  for (const auto& [name, slot] : slots_) symbols.emplace_back(name, slot->address);
  return symbols;
}

std::vector<std::string> NativeSymbols::libraries() {
  std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  for (const Library& library : libraries_) paths.push_back(library.path);
  return paths;
}

void* NativeSymbols::adopt(std::string_view name, abi::NativeSlot* slot) {
  std::lock_guard lock(mutex_);
  std::string text(name);
  const Binding found = findLocked(text, {});
  if (!found.address) return nullptr;
  slots_.emplace(text, slot);
  replace(text, nullptr, found);
  return found.address;
}

Result<abi::NativeSlot*> NativeSymbols::slot(std::string_view name) {
  std::lock_guard lock(mutex_);
  if (auto known = slots_.find(name); known != slots_.end()) return known->second;
  std::string text(name);
  const Binding found = findLocked(text, {});
  if (!found.address) return makeError(ErrorId::SymbolUnknown, {name});
  auto* slot =
      static_cast<abi::NativeSlot*>(slab_.allocateData(sizeof(abi::NativeSlot), alignof(abi::NativeSlot)));
  if (!slot) return makeError(ErrorId::OutOfMemory, {"data of the code slab"});
  fill(*slot, found);
  slots_.emplace(std::move(text), slot);
  return slot;
}

}  // namespace gaur::runtime
