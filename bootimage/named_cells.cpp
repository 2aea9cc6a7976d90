#include "bootimage/named_cells.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>

#include "bootimage/image_memory.h"
#include "vm/support/check.h"
#include "vm/support/platform.h"

namespace gaur::bootimage {

namespace {

struct Pair {
  /// Null: its machine has ended.
  std::byte* inData;
  std::size_t bytes;
};

/// By their place in the object. They are there for forks, which may come when the process ends.
struct Registry {
  std::mutex mutex;
  std::map<std::byte*, Pair> pairs;
};

Registry& registry() {
  static auto* all = new Registry;
  return *all;
}

bool mapAt(std::byte* place, std::size_t bytes, int file) {
  return mmap(place, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == place;
}

/// New memory with these contents behind both places; false where the system refuses.
bool mapBoth(std::span<const std::byte> contents, std::byte* inObject, std::byte* inData) {
  const int file = copyToMemoryFile(contents);
  if (file < 0) return false;
  const bool isMapped =
      mapAt(inObject, contents.size(), file) && (!inData || mapAt(inData, contents.size(), file));
  close(file);
  return isMapped;
}

/// Of the process that a fork has made: memory of its own. The thread that forked is the only one.
void separate() {
  for (auto& [inObject, pair] : registry().pairs)
    GAUR_CHECK(mapBoth({inObject, pair.bytes}, inObject, pair.inData), "memory for named cells after a fork");
  registry().mutex.unlock();
}

void watchForks() {
  static const int isWatched =
      pthread_atfork([] { registry().mutex.lock(); }, [] { registry().mutex.unlock(); }, &separate);
  static_cast<void>(isWatched);
}

}  // namespace

Result<void> NamedCells::share(std::span<std::byte> inData, std::span<std::byte> inObject,
                               const std::vector<bool>& isFixed) {
  watchForks();
  std::lock_guard lock(registry().mutex);
  std::vector<std::byte> contents(inData.begin(), inData.end());
  if (!registry().pairs.contains(inObject.data())) {
    constexpr std::size_t kWord = sizeof(std::uint64_t);
    for (std::size_t i = 0; i < isFixed.size(); ++i)
      if (!isFixed[i]) std::memcpy(contents.data() + i * kWord, inObject.data() + i * kWord, kWord);
  }
  if (!mapBoth(contents, inObject.data(), inData.data()))
    return makeError(ErrorId::SystemMemory, {"memory for global cells with names", std::strerror(errno)});
  registry().pairs[inObject.data()] = {inData.data(), contents.size()};
  inObject_ = inObject.data();
  return {};
}

NamedCells::~NamedCells() {
  if (!inObject_) return;
  std::lock_guard lock(registry().mutex);
  registry().pairs[inObject_].inData = nullptr;
}

}  // namespace gaur::bootimage
