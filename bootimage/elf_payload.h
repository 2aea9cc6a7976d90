// Finding an image in a file of another sort, or in memory: objects, shared objects and programs have it in a
// section, processes where those are mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace gaur::bootimage {

struct FileRange {
  std::uint64_t offset;
  std::uint64_t bytes;
};

/// Whether a file that begins so can have an image in a section.
bool isElf(std::span<const std::byte> start);
/// Where it is in the file; nothing where there is none. Believes nothing in the file.
std::optional<FileRange> findPayload(std::span<const std::byte> file);

struct MappedRange {
  /// Of a file of which the program or a library of this process is made.
  std::string path;
  std::uint64_t offset;
};
/// The place in a file that the address was mapped from; nothing where it belongs to no object.
std::optional<MappedRange> fileOf(const void* address);

}  // namespace gaur::bootimage
