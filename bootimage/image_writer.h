// The parts of an image in memory, and how they become a file: all or nothing.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bootimage/format.h"
#include "vm/support/result.h"

namespace gaur::bootimage {

class ImageContents {
 public:
  template <SectionKind kind>
  void set(std::span<const typename ElementOf<kind>::type> elements) {
    auto bytes = std::as_bytes(elements);
    sections_[static_cast<std::size_t>(kind)].assign(bytes.begin(), bytes.end());
  }
  /// A section that can be big, without a copy: the bytes must stay until the file is written, which `memory`
  /// sees to where it is given.
  void refer(SectionKind kind, std::span<const std::byte> bytes, std::shared_ptr<const void> memory = {}) {
    referred_[static_cast<std::size_t>(kind)] = bytes;
    if (memory) memory_.push_back(std::move(memory));
  }
  std::span<const std::byte> bytes(SectionKind kind) const;
  /// Copies a section that was referred to.
  void own(SectionKind kind);

  /// Offset of a text in Strings; equal texts are one.
  std::uint32_t string(std::string_view text);
  std::string_view stringAt(std::uint32_t offset) const { return strings_.c_str() + offset; }

  /// The whole file, in pieces in their order: header and table, then sections with what fills up pages.
  struct Piece {
    std::span<const std::byte> bytes;
    std::size_t padding;
  };
  struct File {
    std::vector<std::byte> head;
    std::vector<Piece> pieces;
    Hash buildId;
    std::uint64_t bytes;
  };
  /// Refers to the contents. Completes Strings.
  File finish();

 private:
  std::array<std::vector<std::byte>, kSectionCount> sections_;
  std::array<std::span<const std::byte>, kSectionCount> referred_{};
  std::vector<std::shared_ptr<const void>> memory_;
  std::string strings_;
  std::unordered_map<std::string, std::uint32_t> stringOffsets_;
};

/// False, with errno, where not all of them could be written.
bool writeAll(int file, std::span<const std::byte> bytes);

/// Writes to a temporary file beside `path`, which takes its name when all of it is on the disk: whatever
/// happens before, a file of that name stays as it was. `isExecutable`: the file gets the permission to be
/// run.
Result<void> writeAtomically(const std::string& path, std::span<const ImageContents::Piece> pieces,
                             bool isExecutable = false);

}  // namespace gaur::bootimage
