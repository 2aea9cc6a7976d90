#include "bootimage/image_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bootimage/hash.h"

namespace gaur::bootimage {

namespace {

constexpr std::string_view kCreator = "gaur " GAUR_VERSION;

std::size_t padded(std::size_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }

template <std::size_t n>
void copyText(std::array<char, n>& to, std::string_view text) {
  to = {};
  std::memcpy(to.data(), text.data(), std::min(text.size(), n - 1));
}

/// Removes what it names unless it got another name. Made with the permissions that a new file of the user
/// has.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& path, bool isExecutable)
      : path_(path + ".new" + std::to_string(getpid())),
        file_(open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, isExecutable ? 0777 : 0666)) {}
  ~TemporaryFile() {
    if (file_ < 0) return;
    close(file_);
    if (!path_.empty()) unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool isOpen() const { return file_ >= 0; }
  int descriptor() const { return file_; }
  bool rename(const std::string& to) {
    if (::rename(path_.c_str(), to.c_str()) != 0) return false;
    path_.clear();
    return true;
  }

 private:
  std::string path_;
  int file_;
};

bool writePieces(int file, std::span<const ImageContents::Piece> pieces) {
  static constexpr std::array<std::byte, kPageBytes> kZeros{};
  for (const auto& piece : pieces)
    if (!writeAll(file, piece.bytes) || !writeAll(file, std::span(kZeros).first(piece.padding))) return false;
  return true;
}

/// A rename is on the disk when its folder is.
bool syncFolderOf(const std::string& path) {
  std::size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  int file = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return false;
  bool isSynced = fsync(file) == 0 || errno == EINVAL || errno == EROFS;
  close(file);
  return isSynced;
}

}  // namespace

bool writeAll(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

std::span<const std::byte> ImageContents::bytes(SectionKind kind) const {
  auto index = static_cast<std::size_t>(kind);
  return referred_[index].data() ? referred_[index] : std::span<const std::byte>(sections_[index]);
}

void ImageContents::own(SectionKind kind) {
  auto index = static_cast<std::size_t>(kind);
  sections_[index].assign(referred_[index].begin(), referred_[index].end());
  referred_[index] = {};
}

std::uint32_t ImageContents::string(std::string_view text) {
  auto [known, isNew] = stringOffsets_.emplace(text, static_cast<std::uint32_t>(strings_.size()));
  if (isNew) strings_.append(text).push_back('\0');
  return known->second;
}

ImageContents::File ImageContents::finish() {
  set<SectionKind::Strings>(strings_);
  std::vector<SectionHeader> table;
  File file;
  const std::size_t headBytes = padded(sizeof(Header) + kSectionCount * sizeof(SectionHeader));
  std::uint64_t offset = headBytes;
  for (std::size_t i = 0; i < kSectionCount; ++i) {
    auto kind = static_cast<SectionKind>(i);
    auto content = bytes(kind);
    if (content.empty()) continue;
    table.push_back(
        {kind, elementBytes(kind), offset, content.size(), hashOf(content.data(), content.size())});
    file.pieces.push_back({content, padded(content.size()) - content.size()});
    offset += padded(content.size());
  }
  Header header{};
  header.magic = kMagic;
  header.formatVersion = kFormatVersion;
  header.sectionCount = static_cast<std::uint32_t>(table.size());
  copyText(header.target, thisTarget());
  header.fingerprint = abiFingerprint();
  header.fileBytes = offset;
  header.buildId = hashOf(table.data(), table.size() * sizeof(SectionHeader));
  copyText(header.creator, kCreator);

  file.head.resize(headBytes);
  std::memcpy(file.head.data(), &header, sizeof(header));
  std::memcpy(file.head.data() + sizeof(header), table.data(), table.size() * sizeof(SectionHeader));
  header.hash = hashOf(file.head.data(), sizeof(Header) + table.size() * sizeof(SectionHeader));
  std::memcpy(file.head.data(), &header, sizeof(header));
  file.pieces.insert(file.pieces.begin(), {file.head, 0});
  file.buildId = header.buildId;
  file.bytes = offset;
  return file;
}

Result<void> writeAtomically(const std::string& path, std::span<const ImageContents::Piece> pieces,
                             bool isExecutable) {
  auto failed = [&path] { return makeError(ErrorId::ImageNotWritten, {path, std::strerror(errno)}); };
  TemporaryFile temporary(path, isExecutable);
  if (!temporary.isOpen()) return failed();
  if (!writePieces(temporary.descriptor(), pieces) || fsync(temporary.descriptor()) != 0) return failed();
  if (!temporary.rename(path) || !syncFolderOf(path)) return failed();
  return {};
}

}  // namespace gaur::bootimage
