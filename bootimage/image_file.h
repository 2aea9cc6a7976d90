// Reading an image: nothing in it is believed before it was checked. A file that is refused is told why, and
// nothing has happened.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "bootimage/format.h"
#include "vm/support/result.h"

namespace gaur::bootimage {

/// How much of the heap's section is verified against its hash; all else always is.
enum class Verify : std::uint8_t { Full, Cached, Meta };

class ImageFile {
 public:
  /// Maps a file: an image, or an object, shared object or program that has one. Errors: not readable, no
  /// image, another version, target or ABI, damaged.
  static Result<ImageFile> open(const std::string& path, Verify verify = Verify::Cached);
  /// An image that was linked with the process, from the file of which that is made if it can be found: then
  /// what is not written to is shared with other processes, and verified once.
  static Result<ImageFile> linked(std::span<const std::byte> bytes, std::string name);
  /// An image in memory that stays.
  static Result<ImageFile> inMemory(std::span<const std::byte> bytes, std::string name,
                                    Verify verify = Verify::Full);
  ImageFile(ImageFile&& other) noexcept;
  ImageFile& operator=(ImageFile&& other) noexcept;
  ~ImageFile();

  /// Whether the file is a compressed one (compression.h); all else is as if it were not.
  bool isUnpacked() const { return isUnpacked_; }
  /// Of the file, for messages.
  const std::string& name() const { return name_; }
  const Header& header() const { return *reinterpret_cast<const Header*>(bytes_.data()); }
  std::span<const SectionHeader> table() const;
  /// Null where the image has none.
  const SectionHeader* find(SectionKind kind) const { return sections_[static_cast<std::size_t>(kind)]; }

  template <SectionKind kind>
  std::span<const typename ElementOf<kind>::type> get() const {
    using Element = typename ElementOf<kind>::type;
    const SectionHeader* section = find(kind);
    if (!section) return {};
    return {reinterpret_cast<const Element*>(bytes_.data() + section->offset),
            section->bytes / sizeof(Element)};
  }
  /// A text of the section Strings; nothing where the offset is none.
  std::string_view string(std::uint32_t offset) const;

  /// Of the open file, to map sections once more where they may be written to; -1 for an image in memory.
  int descriptor() const { return descriptor_; }
  /// Where a section is in that file.
  std::uint64_t fileOffset(const SectionHeader& section) const { return base_ + section.offset; }

  /// An error that names the image and tells what is wrong with it.
  Error damaged(std::string_view what) const;

 private:
  ImageFile() = default;
  Result<void> openFile(const std::string& path);
  Result<void> check(Verify verify);
  Result<void> unpack();
  Result<void> checkHeader() const;
  Result<void> checkTable();
  Result<void> checkHashes(Verify verify) const;

  std::string name_;
  /// The image, in the mapping of the file if there is one.
  std::span<const std::byte> bytes_;
  std::span<const std::byte> mapping_;
  int descriptor_ = -1;
  /// Where the image begins in the file.
  std::uint64_t base_ = 0;
  bool isUnpacked_ = false;
  std::array<const SectionHeader*, kSectionCount> sections_{};
};

}  // namespace gaur::bootimage
