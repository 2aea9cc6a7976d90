// The platform on Linux.
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <utility>

#include "vm/support/check.h"
#include "vm/support/platform.h"

namespace gaur::platform {

namespace {

int protection(Access access) {
  switch (access) {
    case Access::None: return PROT_NONE;
    case Access::Read: return PROT_READ;
    case Access::ReadWrite: return PROT_READ | PROT_WRITE;
    case Access::ReadExecute: return PROT_READ | PROT_EXEC;
  }
  GAUR_UNREACHABLE("no such access");
}

/// As the loader was told it. dladdr() looks at all symbols there are, but knows the name of a program.
std::string nameOfLibrary() {
  auto* const within = reinterpret_cast<void*>(&libraryPath);
  dl_find_object object;
  if (_dl_find_object(within, &object) == 0 && *object.dlfo_link_map->l_name != 0)
    return object.dlfo_link_map->l_name;
  Dl_info info;
  return dladdr(within, &info) != 0 && info.dli_fname ? info.dli_fname : "";
}

std::string findLibraryPath() {
  std::string name = nameOfLibrary();
  if (name.empty() || name[0] == '/') return name;
  std::error_code error;
  auto path = std::filesystem::absolute(name, error);
  return error ? std::string() : path.string();
}

/// Found while the library is being opened: its path may be relative to a folder that the process leaves.
const std::string pathOfLibrary = findLibraryPath();

constexpr int kReservation = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

Error systemError(ErrorId id, std::string_view what) { return makeError(id, {what, std::strerror(errno)}); }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::uint64_t readClock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

int openForReading(const std::string& path) {
  return path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
}

}  // namespace

std::size_t pageSize() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t roundToPages(std::size_t size) { return (size + pageSize() - 1) & ~(pageSize() - 1); }

// --- Memory ------------------------------------------------------------------------------------------------

void* reserve(std::size_t size) {
  void* address = mmap(nullptr, size, PROT_NONE, kReservation, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

void* reserveZeroed(std::size_t size) {
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, kReservation, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

bool protect(void* address, std::size_t size, Access access) {
  return mprotect(address, size, protection(access)) == 0;
}

bool discard(void* address, std::size_t size) { return madvise(address, size, MADV_DONTNEED) == 0; }

void release(void* address, std::size_t size) { munmap(address, size); }

void preferHugePages(void* address, std::size_t size) { madvise(address, size, MADV_HUGEPAGE); }

Result<DualMapping> mapDual(std::size_t size, void* at) {
  Descriptor memory(memfd_create("gaur-code", MFD_CLOEXEC));
  if (memory.get() < 0 || ftruncate(memory.get(), static_cast<off_t>(size)) != 0)
    return systemError(ErrorId::SystemMemory, "memory for code");
  void* writable = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (writable == MAP_FAILED) return systemError(ErrorId::SystemMemory, "memory for code");
  void* executable =
      mmap(at, size, PROT_READ | PROT_EXEC, MAP_SHARED | (at ? MAP_FIXED : 0), memory.get(), 0);
  if (executable == MAP_FAILED) {
    Error error = systemError(ErrorId::SystemMemory, "executable memory");
    munmap(writable, size);
    return error;
  }
  return DualMapping{static_cast<std::byte*>(writable), static_cast<std::byte*>(executable), size};
}

void unmapDual(const DualMapping& mapping, bool keepReserved) {
  munmap(mapping.writable, mapping.size);
  if (keepReserved) {
    void* address = mmap(mapping.executable, mapping.size, PROT_NONE, kReservation | MAP_FIXED, -1, 0);
    GAUR_CHECK(address == mapping.executable);
  } else {
    munmap(mapping.executable, mapping.size);
  }
}

// --- Files -------------------------------------------------------------------------------------------------

Result<std::string> readFile(const std::string& path) {
  Descriptor file(openForReading(path));
  if (file.get() < 0) return systemError(ErrorId::FileUnreadable, path);
  std::string text;
  struct stat status {};
  if (fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode))
    text.reserve(static_cast<std::size_t>(status.st_size) + 1);
  std::size_t size = 0;
  for (;;) {
    constexpr std::size_t kStep = 64 * 1024;
    text.resize(std::max(size + kStep, text.capacity()));
    ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return systemError(ErrorId::FileUnreadable, path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

Result<MappedFile> MappedFile::open(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0) return systemError(ErrorId::FileUnreadable, path);
  if (!S_ISREG(status.st_mode)) return makeError(ErrorId::FileUnreadable, {path, "not a regular file"});
  auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return MappedFile(nullptr, 0);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) return systemError(ErrorId::FileUnreadable, path);
  return MappedFile(static_cast<const char*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_) munmap(const_cast<char*>(data_), size_);
}

const std::string& libraryPath() { return pathOfLibrary; }

// --- Clocks and usage --------------------------------------------------------------------------------------

namespace {

/// The main thread's, whose limit the kernel counts from above the words of the program: the last of them is
/// its path. Pthreads reads the list of all mappings instead. False on other threads.
bool findMainStack(NativeStack& stack) {
  rlimit limit;
  const auto* path = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  if (gettid() != getpid() || !path) return false;
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
  stack.end = roundToPages(reinterpret_cast<std::uintptr_t>(path) + std::strlen(path) + 1);
  stack.lowest = stack.end - limit.rlim_cur / pageSize() * pageSize();
  return true;
}

}  // namespace

NativeStack nativeStack() {
  thread_local NativeStack known{0, 0};
  if (known.end == 0 && !findMainStack(known)) {
    pthread_attr_t attributes;
    GAUR_CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0);
    void* lowest = nullptr;
    std::size_t size = 0;
    pthread_attr_getstack(&attributes, &lowest, &size);
    pthread_attr_destroy(&attributes);
    known.lowest = reinterpret_cast<std::uintptr_t>(lowest);
    known.end = known.lowest + size;
  }
  return known;
}

std::uint64_t monotonicTime() { return readClock(CLOCK_MONOTONIC); }
std::uint64_t threadCpuTime() { return readClock(CLOCK_THREAD_CPUTIME_ID); }
std::uint64_t processCpuTime() { return readClock(CLOCK_PROCESS_CPUTIME_ID); }

std::size_t residentSize() {
  Descriptor file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  char text[128];
  ssize_t got = file.get() < 0 ? -1 : ::read(file.get(), text, sizeof text - 1);
  if (got <= 0) return 0;
  text[got] = 0;
  // Pages: the whole size, then what is resident.
  unsigned long total = 0, resident = 0;
  if (std::sscanf(text, "%lu %lu", &total, &resident) != 2) return 0;
  return resident * pageSize();
}

}  // namespace gaur::platform
