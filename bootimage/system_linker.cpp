#include "bootimage/system_linker.h"

#include <dlfcn.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "vm/support/log.h"
#include "vm/support/platform.h"

extern char** environ;

namespace gaur::bootimage {

namespace {

/// The program's path; empty where the search path has none of the name.
std::string findProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : std::string();
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0 && !std::filesystem::is_directory(candidate)) return candidate;
  }
  return {};
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> all;
  for (std::string word; stream >> word;) all.push_back(word);
  return all;
}

std::string readAll(int file) {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t count = read(file, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

struct Finished {
  /// As of waitpid; -1 where the program could not be started.
  int status = -1;
  std::string output;
};

Finished run(const std::vector<std::string>& line) {
  std::vector<char*> arguments;
  for (const std::string& word : line) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int ends[2];
  if (pipe(ends) != 0) return {-1, std::strerror(errno)};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  pid_t child = 0;
  const int failure = posix_spawn(&child, line.front().c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  Finished finished;
  finished.output = failure == 0 ? readAll(ends[0]) : std::strerror(failure);
  close(ends[0]);
  while (failure == 0 && waitpid(child, &finished.status, 0) < 0 && errno == EINTR) {
  }
  return finished;
}

/// Of the C library that this process uses: a bare linker is not told where it is.
std::string pathOfLibc() {
  Dl_info info;
  return dladdr(reinterpret_cast<void*>(&::getpid), &info) && info.dli_fname ? info.dli_fname : "libc.so.6";
}

#if defined(__x86_64__)
constexpr const char* kLoader = "/lib64/ld-linux-x86-64.so.2";
#else
constexpr const char* kLoader = "/lib/ld-linux-aarch64.so.1";
#endif

/// Libraries that the image looks into without being told (runtime::NativeSymbols).
constexpr const char* kSystemLibraries[] = {"-l:libm.so.6", "-l:libutil.so.1", "-l:librt.so.1",
                                            "-l:libdl.so.2"};

}  // namespace

Result<SystemLinker> SystemLinker::find(bool hasSources) {
  SystemLinker linker;
  std::vector<std::string> candidates{"cc", "gcc", "clang"};
  if (const char* chosen = std::getenv("CC"); chosen && *chosen)
    candidates.insert(candidates.begin(), chosen);
  std::string looked;
  for (const std::string& candidate : candidates) {
    linker.command_ = words(candidate);
    if (linker.command_.empty()) continue;
    std::string path = findProgram(linker.command_.front());
    linker.command_.front() = path;
    if (!path.empty()) return linker;
    looked += (looked.empty() ? "" : ", ") + candidate;
  }
  linker.isBare_ = true;
  linker.command_ = {hasSources ? std::string() : findProgram("ld")};
  if (!linker.command_.front().empty()) return linker;
  return makeError(ErrorId::ImageNoLinker,
                   {hasSources ? "no C compiler" : "neither a C compiler nor a linker",
                    hasSources ? looked : looked + ", ld"});
}

void SystemLinker::passToLinker(std::vector<std::string>& line,
                                std::initializer_list<std::string> options) const {
  for (const std::string& option : options) {
    if (!isBare_) line.push_back("-Xlinker");
    line.push_back(option);
  }
}

std::vector<std::string> SystemLinker::commandLine(const Request& request, const std::string& output) const {
  const std::filesystem::path library = std::filesystem::path(platform::libraryPath());
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::canonical(library, error).parent_path();
  std::vector<std::string> line = command_;
  auto add = [&line](std::initializer_list<std::string> more) { line.insert(line.end(), more); };
  add({request.isProgram ? "-pie" : "-shared", "-o", output});
  if (isBare_ && request.isProgram) add({"-dynamic-linker", kLoader});
  if (!isBare_)
    add({"-O2", "-fPIC", "-I" + (folder / "../include").string(),
         "-I" + (folder / "../include/mu").string()});
  passToLinker(line, {"-z", "noexecstack", "-z", "relro"});
  // What the image keeps of it would go with a library that is closed. Sources that call functions of the
  // image mean those, not others of their names in the process.
  if (!request.isProgram) passToLinker(line, {"-z", "nodelete", "-Bsymbolic-functions"});
  // Where our library is now, else beside the file: an installation may be moved with what is in it.
  passToLinker(line, {"-rpath", folder.string() + ":$ORIGIN:$ORIGIN/../lib"});
  add({request.object});
  line.insert(line.end(), request.sources.begin(), request.sources.end());
  add({library.string()});
  passToLinker(line, {"--as-needed"});
  // Names of libraries are those that the loader knows, not those of packages for developers.
  for (const std::string& name : request.libraries)
    add({name.find('/') == std::string::npos ? "-l:" + name : name});
  line.insert(line.end(), std::begin(kSystemLibraries), std::end(kSystemLibraries));
  if (isBare_) add({"--no-as-needed", pathOfLibc()});
  return line;
}

Result<void> SystemLinker::link(const Request& request) const {
  const std::string unfinished = request.output + ".new" + std::to_string(getpid());
  const std::vector<std::string> line = commandLine(request, unfinished);
  std::string shown;
  for (const std::string& word : line) shown += (shown.empty() ? "" : " ") + word;
  GAUR_LOG(Image, Debug, "{}", shown);
  Finished finished = run(line);
  const bool isDone =
      finished.status != -1 && WIFEXITED(finished.status) && WEXITSTATUS(finished.status) == 0;
  if (isDone && std::rename(unfinished.c_str(), request.output.c_str()) == 0) {
    if (!finished.output.empty()) GAUR_LOG(Image, Warn, "{}", finished.output);
    return {};
  }
  const std::string reason = isDone ? std::strerror(errno) : finished.output;
  std::error_code error;
  std::filesystem::remove(unfinished, error);
  if (isDone) return makeError(ErrorId::ImageNotWritten, {request.output, reason});
  return makeError(ErrorId::ImageNotLinked, {request.output, command_.front(), reason});
}

}  // namespace gaur::bootimage
