// Object files as a linker reads them, for both machines, and images found in files that may be damaged.
#include "bootimage/elf_object.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>

#include "bootimage/elf_payload.h"
#include "bootimage/export_stubs.h"
#include "bootimage/image_object.h"

namespace gaur::bootimage {

namespace {

using Bytes = std::vector<std::byte>;

/// An object with a payload of two pages, a function, a strong and a weak symbol.
Bytes objectFor(ElfMachine machine, bool hasMain = true) {
  const Bytes payload(2 * kPageBytes, std::byte{0x5a});
  ImageContents::File image;
  image.pieces = {{std::span(payload).first(5000), 2 * kPageBytes - 5000}};
  image.bytes = payload.size();
  LinkInterface interface;
  interface.wanted = {{"strong", false}, {"weak", true}};
  interface.offered = {{"function", 77}};
  ElfObject object(machine, "x.o");
  addImage(object, {machine, "x.o", hasMain, hasMain, false}, image, interface);
  Bytes file;
  for (const auto& piece : object.finish()) {
    file.insert(file.end(), piece.bytes.begin(), piece.bytes.end());
    file.resize(file.size() + piece.padding);
  }
  return file;
}

template <class T>
T at(const Bytes& file, std::uint64_t offset) {
  T value;
  EXPECT_LE(offset + sizeof(T), file.size());
  std::memcpy(&value, file.data() + offset, sizeof(T));
  return value;
}

struct Reader {
  explicit Reader(const Bytes& bytes) : file(bytes), head(at<Elf64_Ehdr>(file, 0)) {
    const auto names = at<Elf64_Shdr>(file, head.e_shoff + head.e_shstrndx * sizeof(Elf64_Shdr));
    for (std::size_t i = 0; i < head.e_shnum; ++i) {
      const auto section = at<Elf64_Shdr>(file, head.e_shoff + i * sizeof(Elf64_Shdr));
      sections.emplace(text(names, section.sh_name), section);
    }
    const auto& table = sections.at(".symtab");
    for (std::uint64_t i = 0; i < table.sh_size / sizeof(Elf64_Sym); ++i) {
      const auto symbol = at<Elf64_Sym>(file, table.sh_offset + i * sizeof(Elf64_Sym));
      EXPECT_EQ(ELF64_ST_BIND(symbol.st_info) == STB_LOCAL, i < table.sh_info);
      symbols.emplace(text(sections.at(".strtab"), symbol.st_name), symbol);
    }
  }
  std::string text(const Elf64_Shdr& names, std::uint32_t offset) const {
    return reinterpret_cast<const char*>(file.data() + names.sh_offset + offset);
  }
  std::multimap<std::uint64_t, std::uint32_t> relocationsOf(const std::string& name) const {
    std::multimap<std::uint64_t, std::uint32_t> all;
    const auto& table = sections.at(name);
    for (std::uint64_t i = 0; i < table.sh_size / sizeof(Elf64_Rela); ++i) {
      const auto entry = at<Elf64_Rela>(file, table.sh_offset + i * sizeof(Elf64_Rela));
      all.emplace(entry.r_offset, static_cast<std::uint32_t>(ELF64_R_TYPE(entry.r_info)));
    }
    return all;
  }

  Bytes file;
  Elf64_Ehdr head;
  std::map<std::string, Elf64_Shdr> sections;
  std::map<std::string, Elf64_Sym> symbols;
};

class ElfObjects : public testing::TestWithParam<ElfMachine> {};

TEST_P(ElfObjects, HaveTheSectionsOfALinker) {
  Reader reader(objectFor(GetParam()));
  EXPECT_EQ(reader.head.e_type, ET_REL);
  EXPECT_EQ(reader.head.e_machine, GetParam() == ElfMachine::X86_64 ? EM_X86_64 : EM_AARCH64);
  const Elf64_Shdr& payload = reader.sections.at(std::string(kPayloadSection));
  EXPECT_EQ(payload.sh_flags, SHF_ALLOC);
  EXPECT_EQ(payload.sh_offset % kPageBytes, 0u);
  EXPECT_EQ(payload.sh_addralign, kPageBytes);
  EXPECT_EQ(payload.sh_size, 2 * kPageBytes);
  EXPECT_EQ(reader.file[payload.sh_offset + 4999], std::byte{0x5a});
  EXPECT_EQ(reader.file[payload.sh_offset + 5000], std::byte{0});
  EXPECT_EQ(reader.sections.at(".note.GNU-stack").sh_flags, 0u);
  for (const auto& [name, section] : reader.sections)
    EXPECT_EQ(section.sh_offset % std::max<std::uint64_t>(section.sh_addralign, 1), 0u) << name;
}

TEST_P(ElfObjects, NameFunctionsAndWhatTheyWant) {
  Reader reader(objectFor(GetParam()));
  const Elf64_Sym& function = reader.symbols.at("function");
  EXPECT_EQ(function.st_info, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC));
  EXPECT_EQ(function.st_size, exportStub(GetParam()).code.size());
  EXPECT_EQ(reader.symbols.at("main").st_info, ELF64_ST_INFO(STB_WEAK, STT_FUNC));
  EXPECT_EQ(reader.symbols.at("_start").st_info, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC));
  EXPECT_EQ(reader.symbols.at("strong").st_info, ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE));
  EXPECT_EQ(reader.symbols.at("weak").st_info, ELF64_ST_INFO(STB_WEAK, STT_NOTYPE));
  EXPECT_EQ(reader.symbols.at("weak").st_shndx, SHN_UNDEF);
  EXPECT_EQ(reader.symbols.at("gaur_image_bytes").st_size, 2 * kPageBytes);
  EXPECT_FALSE(Reader(objectFor(GetParam(), false)).symbols.contains("main"));
}

TEST_P(ElfObjects, RelocateWordsInDataAndDistancesInCode) {
  Reader reader(objectFor(GetParam()));
  const std::uint32_t word = GetParam() == ElfMachine::X86_64 ? R_X86_64_64 : R_AARCH64_ABS64;
  for (const char* section : {".rela.data", ".rela.data.rel.ro"})
    for (const auto& [offset, type] : reader.relocationsOf(section)) {
      EXPECT_EQ(type, word);
      EXPECT_EQ(offset % 8, 0u);
    }
  for (const auto& [offset, type] : reader.relocationsOf(".rela.text")) {
    EXPECT_NE(type, word) << "code is never written to";
    EXPECT_NE(type, 0u);
  }
}

TEST_P(ElfObjects, AreFoundToHaveAnImage) {
  const Bytes file = objectFor(GetParam());
  EXPECT_TRUE(isElf(file));
  auto payload = findPayload(file);
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->bytes, 2 * kPageBytes);
  EXPECT_EQ(file[payload->offset], std::byte{0x5a});
}

TEST_P(ElfObjects, LieWithoutHarm) {
  const Bytes good = objectFor(GetParam());
  std::mt19937 random(2026);
  for (int round = 0; round < 20000; ++round) {
    // A copy of its own, so that a sanitizer sees the bounds. What lies apart from the payload is what is
    // believed.
    Bytes bad(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(round % 4 == 0 ? random() % good.size()
                                                                                      : good.size()));
    for (int flips = 1 + static_cast<int>(random() % 4); flips > 0 && !bad.empty(); --flips) {
      const bool inHead = random() % 2 == 0;
      const std::size_t place = inHead ? random() % std::min(bad.size(), sizeof(Elf64_Ehdr))
                                       : bad.size() - 1 - random() % std::min<std::size_t>(bad.size(), 2000);
      bad[place] = static_cast<std::byte>(random());
    }
    if (auto payload = findPayload(bad)) {
      EXPECT_LE(payload->offset, bad.size());
      EXPECT_LE(payload->bytes, bad.size() - payload->offset);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Machines, ElfObjects, testing::Values(ElfMachine::X86_64, ElfMachine::Aarch64),
                         [](const auto& info) {
                           return info.param == ElfMachine::X86_64 ? "X86_64" : "Aarch64";
                         });

TEST(Names, ThatCCanCall) {
  for (const char* good : {"f", "_f", "f0", "a_long_Name_9"}) EXPECT_TRUE(isOffered(good)) << good;
  for (const char* bad : {"", "0f", "a.b", "a-b", "main", "_start", "_init", "gaur_linked_image"})
    EXPECT_FALSE(isOffered(bad)) << bad;
}

TEST(Places, OfAddressesAreFilesOfTheProcess) {
  static const int here = 0;
  auto place = fileOf(&here);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->path, "/proc/self/exe");
  int onStack = 0;
  EXPECT_FALSE(fileOf(&onStack));
}

}  // namespace

}  // namespace gaur::bootimage
