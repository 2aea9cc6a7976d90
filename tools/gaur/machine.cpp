// The one place where the command meets the runtime.
#include "tools/gaur/machine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "api/machine.h"
#include "bootimage/elf_payload.h"
#include "tools/gaur/replay.h"
#include "vm/ir/canonical.h"
#include "vm/support/near_name.h"

namespace gaur::tool {

CallMemory::CallMemory(std::span<const ir::Type* const> types) : types_(types) {
  std::size_t end = 0;
  for (const ir::Type* type : types) {
    offsets_.push_back(end);
    end += (abi::LayoutTable::shared().of(type).size + 15) / 16 * 16;
  }
  words_.resize(end / 16);
}

namespace {

template <class T>
T made(Result<T> machine) {
  if (machine) return std::move(*machine);
  // Wrong options (codes O...) and libraries that are not there are mistakes of the command line.
  ErrorId id = machine.error().id;
  bool isUsage = errorInfo(id).code[0] == 'O' || id == ErrorId::FileUnreadable;
  throw Exit{isUsage ? kUsage : kResources, machine.error().message};
}

}  // namespace

struct Machine::Client {
  MuVM* machine;
  /// The texts, as they are read.
  ir::Program texts;
};

Machine::Machine(const Options& options) : vm_(made(runtime::MicroVm::create(options))) {}

Machine Machine::ofClient(const Options& options) {
  Machine machine;
  machine.client_ = std::make_shared<Client>(made(api::Machine::create(options)));
  // The client's machine ends with the process.
  machine.vm_ = {machine.client_, &api::Machine::of(machine.client_->machine).vm()};
  return machine;
}

ir::Bundle* Machine::build(Source& source) {
  const ir::Bundle* meant = loadInto(client_->texts, source);
  if (!meant) return nullptr;
  if (auto failure = replay(*meant, client_->machine)) throw Exit{kProgramFailed, *failure};
  std::lock_guard lock(vm_->program().loadMutex());
  ir::Bundle* built = vm_->program().bundles().back().get();
  std::string text = ir::canonicalText(*built);
  if (text != ir::canonicalText(*meant))
    throw Exit{kProgramFailed, "the builder made another program:\n" + text};
  return built;
}

Machine Machine::ofLinked(GaurLinkedImage* image, const std::string& options,
                          const std::vector<std::pair<std::string, void*>>& symbols) {
  std::vector<GaurSymbol> given;
  for (const auto& [name, address] : symbols) given.push_back({name.c_str(), address});
  MuVM* linked = gaur_start_image(image, options.c_str(), given.data(), given.size());
  if (!linked) throw Exit{kBadImage, gaur_new_error()};
  Machine machine;
  // It ends with the process.
  machine.vm_ = {std::shared_ptr<void>(), &api::Machine::of(linked).vm()};
  return machine;
}

Machine::Machine(const std::string& image, const Options& options, const bootimage::LoadOptions& loading) {
  auto file = bootimage::ImageFile::open(image);
  if (!file) throw Exit{kBadImage, withHint(file.error())};
  auto loaded = bootimage::loadImage(std::move(*file), options, loading);
  if (!loaded) throw Exit{kBadImage, withHint(loaded.error())};
  vm_ = std::move(loaded->vm);
  primordial_ = loaded->primordial;
}

bool Machine::isImage(const std::string& path) {
  struct stat status {};
  if (path.ends_with(".uir") || path.ends_with(".hail") || stat(path.c_str(), &status) != 0 ||
      !S_ISREG(status.st_mode))
    return false;
  if (path.ends_with(".img")) return true;
  std::array<char, 4 * bootimage::kMagic.size()> start{};
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t bytes = file < 0 ? 0 : read(file, start.data(), start.size());
  if (file >= 0) close(file);
  // No text has such bytes; what is wrong with the file will be told.
  const auto end = start.begin() + std::max<ssize_t>(bytes, 0);
  return std::find(start.begin(), end, '\0') != end;
}

void Machine::loadAll(const std::vector<std::string>& files, const Invocation& invocation) {
  for (const std::string& file : files) {
    Source source(file, invocation.options.errorLimit);
    const bool isLoaded = loadFile(source);
    if (!source.diagnostics.list().empty()) report(source, invocation);
    if (!isLoaded) throw Exit{kBadSource, ""};
  }
}

ir::Bundle* Machine::load(Source& source) {
  if (client_) return build(source);
  ir::Bundle* bundle = vm_->load(source.view(), source.diagnostics);
  source.diagnostics.sortByPosition();
  return bundle;
}

bool Machine::loadFile(Source& source) {
  if (!source.isHail()) return load(source) != nullptr;
  return vm_->loadHail(source.view(), source.diagnostics);
}

const ir::Function& Machine::function(std::string_view name) {
  auto* function = vm_->program().entityOf<ir::Function>(vm_->program().idOf(name));
  if (function) return *function;
  NearName finder(ir::withoutSigil(name));
  for (const auto& bundle : vm_->program().bundles())
    for (const ir::Function* candidate : bundle->functions) finder.offer(ir::fullName(*candidate));
  std::string full = "@" + std::string(ir::withoutSigil(name));
  if (finder.best().empty()) throw Exit{kUsage, adviceFor(ErrorId::EntryUnknown, {full})};
  throw Exit{kUsage,
             makeError(ErrorId::EntryUnknown, {full}).message + "; did you mean '@" + finder.best() + "'?"};
}

bool isMain(const ir::Signature* signature) {
  return !signature->parameters.empty() && bootimage::isMainSignature(signature);
}

ProgramArguments::ProgramArguments(const std::string& program, const std::vector<std::string>& arguments) {
  texts_.push_back(program);
  texts_.insert(texts_.end(), arguments.begin(), arguments.end());
  for (std::string& text : texts_) pointers_.push_back(text.data());
  pointers_.push_back(nullptr);
}

void ProgramArguments::passTo(CallMemory& memory) {
  const std::int32_t count = this->count();
  char** first = values();
  std::memcpy(memory.at(0), &count, sizeof count);
  std::memcpy(memory.at(1), &first, sizeof first);
}

}  // namespace gaur::tool
