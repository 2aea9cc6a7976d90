#include "bootimage/elf_payload.h"

#include <elf.h>
#include <link.h>

#include <cstring>

#include "bootimage/image_object.h"

namespace gaur::bootimage {

namespace {

/// A copy: nothing says that tables in files are aligned. False where it is outside.
template <class T>
bool read(std::span<const std::byte> file, std::uint64_t offset, T& to) {
  if (offset > file.size() || sizeof(T) > file.size() - offset) return false;
  std::memcpy(&to, file.data() + offset, sizeof(T));
  return true;
}

/// Whether the text at the offset is `wanted`, with the zero byte after it.
bool isText(std::span<const std::byte> file, std::uint64_t offset, std::string_view wanted) {
  if (offset > file.size() || wanted.size() >= file.size() - offset) return false;
  return std::memcmp(file.data() + offset, wanted.data(), wanted.size()) == 0 &&
         file[offset + wanted.size()] == std::byte{0};
}

struct Search {
  std::uintptr_t address;
  std::optional<MappedRange> found;
};

int lookInObject(dl_phdr_info* object, std::size_t, void* argument) {
  auto& search = *static_cast<Search*>(argument);
  for (std::size_t i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    const std::uint64_t inside = search.address - (object->dlpi_addr + part.p_vaddr);
    if (part.p_type != PT_LOAD || inside >= part.p_filesz) continue;
    // The program itself has no name, and may have been moved since.
    const bool isProgram = !object->dlpi_name || object->dlpi_name[0] == '\0';
    search.found = MappedRange{isProgram ? "/proc/self/exe" : object->dlpi_name, part.p_offset + inside};
    return 1;
  }
  return 0;
}

}  // namespace

bool isElf(std::span<const std::byte> start) {
  return start.size() >= SELFMAG && std::memcmp(start.data(), ELFMAG, SELFMAG) == 0;
}

std::optional<FileRange> findPayload(std::span<const std::byte> file) {
  Elf64_Ehdr head;
  Elf64_Shdr names;
  if (!read(file, 0, head) || head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB)
    return std::nullopt;
  auto section = [&](std::uint64_t index, Elf64_Shdr& to) {
    return head.e_shoff <= file.size() && read(file, head.e_shoff + index * sizeof(to), to);
  };
  if (head.e_shentsize != sizeof(Elf64_Shdr) || !section(head.e_shstrndx, names) ||
      names.sh_offset > file.size())
    return std::nullopt;
  for (std::uint64_t i = 0; i < head.e_shnum; ++i) {
    Elf64_Shdr header;
    if (!section(i, header) || header.sh_type != SHT_PROGBITS ||
        !isText(file, names.sh_offset + header.sh_name, kPayloadSection))
      continue;
    if (header.sh_offset > file.size() || header.sh_size > file.size() - header.sh_offset)
      return std::nullopt;
    return FileRange{header.sh_offset, header.sh_size};
  }
  return std::nullopt;
}

std::optional<MappedRange> fileOf(const void* address) {
  Search search{reinterpret_cast<std::uintptr_t>(address), {}};
  dl_iterate_phdr(&lookInObject, &search);
  return search.found;
}

}  // namespace gaur::bootimage
