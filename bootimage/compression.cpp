#include "bootimage/compression.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <type_traits>
#include <utility>

#include "bootimage/hash.h"
#if GAUR_ZSTD
#include <zstd.h>
#endif

namespace gaur::bootimage {

namespace {

constexpr std::array<char, 8> kCompressedMagic{'\x7f', 'G', 'a', 'u', 'r', 'z', 's', 't'};

struct CompressedHeader {
  std::array<char, 8> magic;
  std::uint64_t imageBytes;
  /// Of this, with the field zero, and all that follows.
  Hash hash;
};

Hash hashOfFile(std::span<const std::byte> file) {
  std::vector<std::byte> copy(file.begin(), file.end());
  std::memset(copy.data() + offsetof(CompressedHeader, hash), 0, sizeof(Hash));
  return hashOf(copy.data(), copy.size());
}

}  // namespace

bool isCompressed(std::span<const std::byte> file) {
  return file.size() >= sizeof(CompressedHeader) &&
         std::memcmp(file.data(), kCompressedMagic.data(), kCompressedMagic.size()) == 0;
}

#if GAUR_ZSTD

namespace {

constexpr int kLevel = 3;

/// The library, opened when it is first wanted: most processes never do.
struct Zstd {
  decltype(&ZSTD_createCCtx) createContext = nullptr;
  decltype(&ZSTD_freeCCtx) freeContext = nullptr;
  decltype(&ZSTD_CCtx_setParameter) setParameter = nullptr;
  decltype(&ZSTD_compressStream2) compressStream = nullptr;
  decltype(&ZSTD_CStreamOutSize) streamOutSize = nullptr;
  decltype(&ZSTD_isError) isError = nullptr;
  decltype(&ZSTD_decompress) decompress = nullptr;

  /// Null where it is not to be had.
  static const Zstd* get() {
    static const Zstd library = [] {
      Zstd found;
      void* handle = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
      if (!handle) return found;
      auto find = [handle](auto& function, const char* name) {
        function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(handle, name));
      };
      find(found.createContext, "ZSTD_createCCtx");
      find(found.freeContext, "ZSTD_freeCCtx");
      find(found.setParameter, "ZSTD_CCtx_setParameter");
      find(found.compressStream, "ZSTD_compressStream2");
      find(found.streamOutSize, "ZSTD_CStreamOutSize");
      find(found.isError, "ZSTD_isError");
      find(found.decompress, "ZSTD_decompress");
      return found;
    }();
    const bool isWhole = library.createContext && library.freeContext && library.setParameter &&
                         library.compressStream && library.streamOutSize && library.isError &&
                         library.decompress;
    return isWhole ? &library : nullptr;
  }
};

/// Memory of a file in memory.
class MemoryFile {
 public:
  explicit MemoryFile(std::size_t bytes) : bytes_(bytes), file_(memfd_create("gaur-image", MFD_CLOEXEC)) {
    if (file_ >= 0 && ftruncate(file_, static_cast<off_t>(bytes)) == 0)
      memory_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  }
  ~MemoryFile() {
    if (memory_ != MAP_FAILED) munmap(memory_, bytes_);
    if (file_ >= 0) close(file_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void* memory() const { return memory_ == MAP_FAILED ? nullptr : memory_; }
  int release() { return std::exchange(file_, -1); }

 private:
  std::size_t bytes_;
  int file_;
  void* memory_ = MAP_FAILED;
};

}  // namespace

Result<std::vector<std::byte>> compress(std::span<const ImageContents::Piece> pieces,
                                        const std::string& name) {
  static constexpr std::array<std::byte, kPageBytes> kZeros{};
  const Zstd* zstd = Zstd::get();
  if (!zstd) return makeError(ErrorId::ImageZstd, {name});
  CompressedHeader header{kCompressedMagic, 0, {}};
  std::vector<std::byte> file(sizeof(header));
  ZSTD_CCtx* context = zstd->createContext();
  if (!context) return makeError(ErrorId::OutOfMemory, {name});
  zstd->setParameter(context, ZSTD_c_compressionLevel, kLevel);
  auto feed = [&](std::span<const std::byte> bytes, ZSTD_EndDirective end) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (std::size_t left = 1; left != 0 || in.pos != in.size;) {
      const std::size_t used = file.size();
      file.resize(used + zstd->streamOutSize());
      ZSTD_outBuffer out{file.data() + used, file.size() - used, 0};
      left = zstd->compressStream(context, &out, &in, end);
      file.resize(used + out.pos);
      if (zstd->isError(left)) return false;
      if (end == ZSTD_e_continue && in.pos == in.size) return true;
    }
    return true;
  };
  bool isDone = true;
  for (const ImageContents::Piece& piece : pieces) {
    isDone = isDone && feed(piece.bytes, ZSTD_e_continue) &&
             feed(std::span(kZeros).first(piece.padding), ZSTD_e_continue);
    header.imageBytes += piece.bytes.size() + piece.padding;
  }
  isDone = isDone && feed({}, ZSTD_e_end);
  zstd->freeContext(context);
  if (!isDone) return makeError(ErrorId::ImageNotWritten, {name, "it cannot be compressed"});
  std::memcpy(file.data(), &header, sizeof(header));
  header.hash = hashOfFile(file);
  std::memcpy(file.data(), &header, sizeof(header));
  return file;
}

Result<int> decompress(std::span<const std::byte> file, const std::string& name) {
  const Zstd* zstd = Zstd::get();
  if (!zstd) return makeError(ErrorId::ImageZstd, {name});
  CompressedHeader header;
  std::memcpy(&header, file.data(), sizeof(header));
  if (hashOfFile(file) != header.hash)
    return makeError(ErrorId::ImageDamaged, {name, "it does not have its checksum"});
  auto frame = file.subspan(sizeof(header));
  MemoryFile image(header.imageBytes);
  if (!image.memory()) return makeError(ErrorId::SystemMemory, {"memory for an image", std::strerror(errno)});
  const std::size_t bytes = zstd->decompress(image.memory(), header.imageBytes, frame.data(), frame.size());
  if (bytes != header.imageBytes)
    return makeError(ErrorId::ImageDamaged, {name, "it cannot be decompressed"});
  return image.release();
}

#else

Result<std::vector<std::byte>> compress(std::span<const ImageContents::Piece>, const std::string& name) {
  return makeError(ErrorId::ImageZstd, {name});
}
Result<int> decompress(std::span<const std::byte>, const std::string& name) {
  return makeError(ErrorId::ImageZstd, {name});
}

#endif

}  // namespace gaur::bootimage
