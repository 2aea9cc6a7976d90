// What the operating system gives: pages, files, clocks. All calls to it that are not about one feature alone
// go through here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "vm/support/result.h"

namespace gaur::platform {

/// Bytes.
std::size_t pageSize();
/// `size` rounded up to whole pages.
std::size_t roundToPages(std::size_t size);

// --- Memory. Addresses and sizes are whole pages; null and false mean that the system refused. -------------

enum class Access : std::uint8_t { None, Read, ReadWrite, ReadExecute };

/// Address space without memory behind it, that nothing can touch.
void* reserve(std::size_t size);
/// Zero bytes ready for use, without memory behind them until they are written.
void* reserveZeroed(std::size_t size);
/// Makes reserved pages usable (zero) or changes their access.
bool protect(void* address, std::size_t size, Access access);
/// Gives the memory of pages back to the system; the address space stays and reads as zero.
bool discard(void* address, std::size_t size);
void release(void* address, std::size_t size);
/// A wish: the system may give huge pages to this memory when it is touched.
void preferHugePages(void* address, std::size_t size);

/// The same memory at two addresses, so that no page is both writable and executable.
struct DualMapping {
  std::byte* writable = nullptr;
  std::byte* executable = nullptr;
  std::size_t size = 0;
};
/// `at`: where the executable side has to be (reserved before, and then still owned by who reserved it), or
/// null for anywhere.
Result<DualMapping> mapDual(std::size_t size, void* at = nullptr);
/// Unmaps both sides; an executable side that was put `at` a place becomes reserved address space again.
void unmapDual(const DualMapping& mapping, bool keepReserved);

// --- Files -------------------------------------------------------------------------------------------------

/// The whole file; also pipes and devices. "-" is the standard input.
Result<std::string> readFile(const std::string& path);

/// A file mapped for reading, for as long as this lives.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view text() const { return {data_, size_}; }

 private:
  MappedFile(const char* data, std::size_t size) : data_(data), size_(size) {}

  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

// --- Threads -----------------------------------------------------------------------------------------------

/// The stack that the system gave to a thread: addresses from `lowest` up to and without `end`.
struct NativeStack {
  std::uintptr_t lowest;
  std::uintptr_t end;
};
/// That of this thread. Asks the system once a thread.
NativeStack nativeStack();

/// Absolute path of the library, or the program, that this function is in; empty where the system does not
/// tell.
const std::string& libraryPath();

// --- Clocks and usage --------------------------------------------------------------------------------------

/// Nanoseconds, from an arbitrary point.
std::uint64_t monotonicTime();
/// Nanoseconds of processor time.
std::uint64_t threadCpuTime();
std::uint64_t processCpuTime();
/// Bytes of the process that are in memory now.
std::size_t residentSize();

}  // namespace gaur::platform
