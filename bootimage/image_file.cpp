#include "bootimage/image_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "bootimage/compression.h"
#include "bootimage/elf_payload.h"
#include "bootimage/hash.h"
#include "bootimage/verified_files.h"

namespace gaur::bootimage {

namespace {

template <std::size_t n>
std::string_view textOf(const std::array<char, n>& text) {
  return {text.data(), strnlen(text.data(), n)};
}

std::uint64_t padded(std::uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }

}  // namespace

ImageFile::ImageFile(ImageFile&& other) noexcept
    : name_(std::move(other.name_)),
      bytes_(std::exchange(other.bytes_, {})),
      mapping_(std::exchange(other.mapping_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)),
      base_(other.base_),
      isUnpacked_(other.isUnpacked_),
      sections_(other.sections_) {}

ImageFile& ImageFile::operator=(ImageFile&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(bytes_, other.bytes_);
  std::swap(mapping_, other.mapping_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(base_, other.base_);
  std::swap(isUnpacked_, other.isUnpacked_);
  std::swap(sections_, other.sections_);
  return *this;
}

ImageFile::~ImageFile() {
  if (!mapping_.empty()) munmap(const_cast<std::byte*>(mapping_.data()), mapping_.size());
  if (descriptor_ >= 0) close(descriptor_);
}

/// Maps the whole file; the image is all of it until something else is known.
Result<void> ImageFile::openFile(const std::string& path) {
  auto failed = [this] { return makeError(ErrorId::ImageNotRead, {name_, std::strerror(errno)}); };
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) return failed();
  struct stat status {};
  if (fstat(descriptor_, &status) != 0) return failed();
  if (!S_ISREG(status.st_mode) || static_cast<std::size_t>(status.st_size) < sizeof(Header))
    return makeError(ErrorId::ImageNone, {name_});
  const auto size = static_cast<std::size_t>(status.st_size);
  void* mapping = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor_, 0);
  if (mapping == MAP_FAILED) return failed();
  bytes_ = mapping_ = {static_cast<const std::byte*>(mapping), size};
  return {};
}

Result<ImageFile> ImageFile::open(const std::string& path, Verify verify) {
  ImageFile image;
  image.name_ = path;
  GAUR_TRY(image.openFile(path));
  if (isElf(image.bytes_)) {
    auto payload = findPayload(image.bytes_);
    if (!payload) return makeError(ErrorId::ImageNone, {path});
    image.base_ = payload->offset;
    image.bytes_ = image.bytes_.subspan(payload->offset, payload->bytes);
    if (image.base_ % kPageBytes != 0) return image.damaged("it does not lie at a page of the file");
  }
  if (isCompressed(image.bytes_)) {
    GAUR_TRY(image.unpack());
    // It was read as a whole, and what was made of it has no identity to remember.
    if (verify == Verify::Cached) verify = Verify::Meta;
  }
  GAUR_TRY(image.check(verify));
  return image;
}

Result<ImageFile> ImageFile::linked(std::span<const std::byte> bytes, std::string name) {
  auto place = fileOf(bytes.data());
  if (place && bytes.size() >= sizeof(Header) && place->offset % kPageBytes == 0) {
    ImageFile image;
    image.name_ = name;
    const bool isOpen = static_cast<bool>(image.openFile(place->path));
    // The file may have got another's name: the header, which has the checksums of everything, tells.
    const std::uint64_t size = image.bytes_.size();
    if (isOpen && place->offset <= size && bytes.size() <= size - place->offset &&
        std::memcmp(image.bytes_.data() + place->offset, bytes.data(), sizeof(Header)) == 0) {
      image.base_ = place->offset;
      image.bytes_ = image.bytes_.subspan(place->offset, bytes.size());
      GAUR_TRY(image.check(Verify::Cached));
      return image;
    }
  }
  return inMemory(bytes, std::move(name));
}

/// From now on it is a file in memory.
Result<void> ImageFile::unpack() {
  GAUR_TRY_ASSIGN(int memory, decompress(bytes_, name_));
  munmap(const_cast<std::byte*>(mapping_.data()), mapping_.size());
  bytes_ = mapping_ = {};
  base_ = 0;
  close(std::exchange(descriptor_, memory));
  isUnpacked_ = true;
  struct stat status {};
  if (fstat(memory, &status) != 0 || static_cast<std::size_t>(status.st_size) < sizeof(Header))
    return makeError(ErrorId::ImageNone, {name_});
  const auto size = static_cast<std::size_t>(status.st_size);
  void* mapping = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, memory, 0);
  if (mapping == MAP_FAILED) return makeError(ErrorId::ImageNotRead, {name_, std::strerror(errno)});
  bytes_ = mapping_ = {static_cast<const std::byte*>(mapping), size};
  return {};
}

Result<ImageFile> ImageFile::inMemory(std::span<const std::byte> bytes, std::string name, Verify verify) {
  ImageFile image;
  image.name_ = std::move(name);
  image.bytes_ = bytes;
  GAUR_TRY(image.check(verify));
  return image;
}

Result<void> ImageFile::check(Verify verify) {
  if (bytes_.size() < sizeof(Header)) return makeError(ErrorId::ImageNone, {name_});
  GAUR_TRY(checkHeader());
  GAUR_TRY(checkTable());
  return checkHashes(verify);
}

std::span<const SectionHeader> ImageFile::table() const {
  return {reinterpret_cast<const SectionHeader*>(bytes_.data() + sizeof(Header)), header().sectionCount};
}

std::string_view ImageFile::string(std::uint32_t offset) const {
  auto strings = get<SectionKind::Strings>();
  if (offset >= strings.size()) return {};
  auto rest = strings.subspan(offset);
  auto end = std::find(rest.begin(), rest.end(), '\0');
  return end == rest.end() ? std::string_view()
                           : std::string_view(rest.data(), static_cast<std::size_t>(end - rest.begin()));
}

Error ImageFile::damaged(std::string_view what) const {
  return makeError(ErrorId::ImageDamaged, {name_, what});
}

Result<void> ImageFile::checkHeader() const {
  const Header& header = this->header();
  if (header.magic != kMagic) return makeError(ErrorId::ImageNone, {name_});
  if (header.formatVersion != kFormatVersion)
    return makeError(header.formatVersion > kFormatVersion ? ErrorId::ImageNewer : ErrorId::ImageOlder,
                     {name_, std::to_string(header.formatVersion), std::to_string(kFormatVersion)});
  if (header.sectionCount > kSectionCount) return damaged("the header names more sections than there are");
  const std::size_t headBytes = sizeof(Header) + header.sectionCount * sizeof(SectionHeader);
  if (bytes_.size() < headBytes) return damaged("the file ends in the section table");
  std::array<std::byte, sizeof(Header) + kSectionCount * sizeof(SectionHeader)> head;
  std::memcpy(head.data(), bytes_.data(), headBytes);
  std::memset(head.data() + offsetof(Header, hash), 0, sizeof(Hash));
  if (hashOf(head.data(), headBytes) != header.hash) return damaged("the header does not have its checksum");
  if (textOf(header.target) != thisTarget())
    return makeError(ErrorId::ImageTarget, {name_, textOf(header.target), thisTarget()});
  if (header.fingerprint != abiFingerprint())
    return makeError(ErrorId::ImageForeign, {name_, textOf(header.creator)});
  if (header.fileBytes != bytes_.size())
    return damaged("it should have " + std::to_string(header.fileBytes) + " bytes and has " +
                   std::to_string(bytes_.size()));
  return {};
}

/// Sections lie side by side in the order of the table, and what fills up pages is zero: no byte of a file is
/// of no account.
Result<void> ImageFile::checkTable() {
  std::uint64_t end = sizeof(Header) + table().size_bytes();
  auto isFilledUp = [&](std::uint64_t next) {
    return std::all_of(bytes_.begin() + static_cast<std::ptrdiff_t>(end),
                       bytes_.begin() + static_cast<std::ptrdiff_t>(next),
                       [](std::byte byte) { return byte == std::byte{0}; });
  };
  for (const SectionHeader& section : table()) {
    const auto kind = static_cast<std::size_t>(section.kind);
    if (kind >= kSectionCount || sections_[kind])
      return damaged("the section table has an unknown section, or one twice");
    const std::string name(text(section.kind));
    if (section.elementBytes != elementBytes(section.kind) || section.bytes % section.elementBytes != 0)
      return damaged("section " + name + " has elements of another size");
    if (section.offset > bytes_.size() || section.bytes > bytes_.size() - section.offset)
      return damaged("section " + name + " lies outside of the file");
    if (section.offset != padded(end) || !isFilledUp(section.offset))
      return damaged("what lies before section " + name + " is not empty");
    end = section.offset + section.bytes;
    sections_[kind] = &section;
  }
  if (bytes_.size() != padded(end) || !isFilledUp(bytes_.size()))
    return damaged("what lies after its sections is not empty");
  auto strings = get<SectionKind::Strings>();
  if (!strings.empty() && strings.back() != '\0') return damaged("its texts have no end");
  return {};
}

Result<void> ImageFile::checkHashes(Verify verify) const {
  const bool isVerified =
      verify == Verify::Meta || (verify == Verify::Cached && wasVerified(descriptor_, header().buildId));
  for (const SectionHeader& section : table()) {
    if (isVerified && !isAlwaysChecked(section.kind)) continue;
    if (hashOf(bytes_.data() + section.offset, section.bytes) != section.hash)
      return damaged("section " + std::string(text(section.kind)) + " does not have its checksum");
  }
  if (verify != Verify::Meta && !isVerified && !isUnpacked_) rememberVerified(descriptor_, header().buildId);
  return {};
}

}  // namespace gaur::bootimage
