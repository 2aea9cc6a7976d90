#include "bootimage/verified_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "bootimage/hash.h"

namespace gaur::bootimage {

namespace {

/// What tells a file and its state from all others, as far as the system keeps track.
struct Identity {
  std::uint64_t device, inode, size;
  std::int64_t modifiedSeconds, modifiedNanoseconds, changedSeconds, changedNanoseconds;
  Hash buildId;
};

std::optional<Identity> identityOf(int file, const Hash& buildId) {
  struct stat status {};
  if (file < 0 || fstat(file, &status) != 0) return std::nullopt;
  return Identity{status.st_dev,
                  status.st_ino,
                  static_cast<std::uint64_t>(status.st_size),
                  status.st_mtim.tv_sec,
                  status.st_mtim.tv_nsec,
                  status.st_ctim.tv_sec,
                  status.st_ctim.tv_nsec,
                  buildId};
}

/// The user's folder for what can be lost; empty where there is none that is the user's own.
std::string cacheFolder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache && *cache == '/') return std::string(cache) + "/gaur";
  if (home && *home == '/') return std::string(home) + "/.cache/gaur";
  return {};
}

/// One empty file for each identity: making and finding it is atomic.
std::string markerOf(const std::string& folder, const Identity& identity) {
  Hash hash = hashOf(&identity, sizeof(identity));
  return fmt::format("{}/verified/{:016x}{:016x}", folder, hash[1], hash[0]);
}

/// Nobody else may write there: who can make markers can pass off a damaged file.
bool isOurs(const std::string& folder) {
  struct stat status {};
  return stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
         (status.st_mode & 022) == 0;
}

}  // namespace

bool wasVerified(int file, const Hash& buildId) {
  auto identity = identityOf(file, buildId);
  std::string folder = cacheFolder();
  if (!identity || folder.empty() || !isOurs(folder + "/verified")) return false;
  return access(markerOf(folder, *identity).c_str(), F_OK) == 0;
}

void rememberVerified(int file, const Hash& buildId) {
  auto identity = identityOf(file, buildId);
  std::string folder = cacheFolder();
  if (!identity || folder.empty()) return;
  mkdir(folder.substr(0, folder.rfind('/')).c_str(), 0700);
  mkdir(folder.c_str(), 0700);
  mkdir((folder + "/verified").c_str(), 0700);
  if (!isOurs(folder + "/verified")) return;
  int marker = open(markerOf(folder, *identity).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (marker >= 0) close(marker);
}

}  // namespace gaur::bootimage
