// `gaur image info|relocs|verify|diff`: what is in a boot image, without running it.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "bootimage/image_file.h"
#include "tools/gaur/subcommands.h"

namespace gaur::tool {

namespace {

using bootimage::ImageFile;
using bootimage::SectionHeader;
using bootimage::SectionKind;
using Json = nlohmann::ordered_json;

struct ImageArguments {
  std::vector<std::string> files;
};

ImageFile open(const std::string& path, bootimage::Verify verify) {
  auto image = ImageFile::open(path, verify);
  if (!image) throw Exit{kBadImage, withHint(image.error())};
  return std::move(*image);
}

std::string hex(const bootimage::Hash& hash) {
  char text[40];
  std::snprintf(text, sizeof(text), "%016llx%016llx", static_cast<unsigned long long>(hash[1]),
                static_cast<unsigned long long>(hash[0]));
  return text;
}

template <std::size_t n>
std::string textOf(const std::array<char, n>& text) {
  return {text.data(), strnlen(text.data(), n)};
}

Json describe(const ImageFile& image) {
  const bootimage::Header& header = image.header();
  Json sections = Json::array();
  for (const SectionHeader& section : image.table())
    sections.push_back({{"name", bootimage::text(section.kind)},
                        {"bytes", section.bytes},
                        {"elements", section.bytes / section.elementBytes},
                        {"checksum", hex(section.hash)}});
  Json libraries = Json::array();
  for (std::uint32_t library : image.get<SectionKind::Libraries>())
    libraries.push_back(image.string(library));
  return {{"file", image.name()},
          {"format", header.formatVersion},
          {"target", textOf(header.target)},
          {"creator", textOf(header.creator)},
          {"buildId", hex(header.buildId)},
          {"fingerprint", hex(header.fingerprint)},
          {"bytes", header.fileBytes},
          {"compressed", image.isUnpacked()},
          {"functions", image.get<SectionKind::Functions>().size()},
          {"cells", image.get<SectionKind::Cells>().size()},
          {"exposed", image.get<SectionKind::Exposures>().size()},
          {"libraries", libraries},
          {"sections", sections}};
}

void info(const std::string& path, bool json) {
  ImageFile image = open(path, bootimage::Verify::Meta);
  Json facts = describe(image);
  if (json) return printJson(facts);
  for (const char* name : {"file", "format", "target", "creator", "buildId", "fingerprint", "bytes",
                           "compressed", "functions", "cells", "exposed"}) {
    const Json& value = facts[name];
    std::printf("%-12s %s\n", name,
                value.is_string() ? value.get<std::string>().c_str() : value.dump().c_str());
  }
  for (const Json& library : facts["libraries"])
    std::printf("%-12s %s\n", "library", library.get<std::string>().c_str());
  std::printf("\n%-20s %12s %10s  %s\n", "section", "bytes", "elements", "checksum");
  for (const Json& section : facts["sections"])
    std::printf("%-20s %12llu %10llu  %s\n", section["name"].get<std::string>().c_str(),
                section["bytes"].get<unsigned long long>(), section["elements"].get<unsigned long long>(),
                section["checksum"].get<std::string>().c_str());
}

Json relocations(const ImageFile& image) {
  static constexpr const char* kSections[] = {"heap", "data", "code"};
  Json list = Json::array();
  for (const bootimage::NativeSlotRow& row : image.get<SectionKind::NativeSlots>())
    list.push_back({{"kind", "extern"},
                    {"section", "data"},
                    {"offset", row.slot},
                    {"symbol", image.string(row.symbol)}});
  for (const bootimage::SymbolWord& row : image.get<SectionKind::SymbolWords>()) {
    Json entry{{"kind", "field"},      {"section", row.section < 3 ? kSections[row.section] : "?"},
               {"offset", row.offset}, {"symbol", image.string(row.symbol)},
               {"addend", row.addend}, {"weak", (row.flags & bootimage::kWeakSymbol) != 0}};
    if (!image.string(row.library).empty()) entry["library"] = image.string(row.library);
    list.push_back(std::move(entry));
  }
  for (const bootimage::SymbolWord& row : image.get<SectionKind::SupportWords>())
    list.push_back({{"kind", "support"},
                    {"section", "data"},
                    {"offset", row.offset},
                    {"symbol", image.string(row.symbol)}});
  return list;
}

void relocs(const std::string& path, bool json) {
  ImageFile image = open(path, bootimage::Verify::Meta);
  Json list = relocations(image);
  if (json) return printJson(list);
  for (const Json& entry : list) {
    std::string symbol = entry["symbol"].get<std::string>();
    if (long long addend = entry.value("addend", 0LL); addend != 0)
      symbol += (addend > 0 ? "+" : "") + std::to_string(addend);
    if (entry.value("weak", false)) symbol += " (weak)";
    std::printf("%-8s %-5s %10llu  %s\n", entry["kind"].get<std::string>().c_str(),
                entry["section"].get<std::string>().c_str(), entry["offset"].get<unsigned long long>(),
                symbol.c_str());
  }
}

void verify(const std::vector<std::string>& files, bool json) {
  Json list = Json::array();
  bool isGood = true;
  for (const std::string& path : files) {
    auto image = ImageFile::open(path, bootimage::Verify::Full);
    isGood = isGood && image;
    if (json)
      list.push_back(image ? Json{{"file", path}, {"ok", true}}
                           : Json{{"file", path},
                                  {"ok", false},
                                  {"code", errorInfo(image.error().id).code},
                                  {"message", image.error().message}});
    else if (image)
      std::printf("%s: ok\n", path.c_str());
    else
      std::fprintf(stderr, "gaur: %s\n", withHint(image.error()).c_str());
  }
  if (json) printJson(list);
  if (!isGood) throw Exit{kBadImage, ""};
}

/// Sections that are not the same, and how they differ.
Json differences(const ImageFile& a, const ImageFile& b) {
  Json list = Json::array();
  for (std::size_t i = 0; i < bootimage::kSectionCount; ++i) {
    const auto kind = static_cast<SectionKind>(i);
    const SectionHeader* left = a.find(kind);
    const SectionHeader* right = b.find(kind);
    if (!left && !right) continue;
    if (left && right && left->bytes == right->bytes && left->hash == right->hash) continue;
    list.push_back(
        {{"section", bootimage::text(kind)}, {"bytes", {left ? left->bytes : 0, right ? right->bytes : 0}}});
  }
  return list;
}

void diff(const std::vector<std::string>& files, bool json) {
  ImageFile a = open(files[0], bootimage::Verify::Meta);
  ImageFile b = open(files[1], bootimage::Verify::Meta);
  Json list = differences(a, b);
  if (json) printJson(list);
  for (const Json& entry : list)
    if (!json)
      std::printf("%-20s %12llu %12llu bytes\n", entry["section"].get<std::string>().c_str(),
                  entry["bytes"][0].get<unsigned long long>(), entry["bytes"][1].get<unsigned long long>());
  if (!list.empty()) throw Exit{kProgramFailed, ""};
}

}  // namespace

void addImage(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("image", "Look into boot images");
  command->require_subcommand(1);
  auto add = [&](const char* name, const char* help, int least, int most, auto body) {
    auto arguments = std::make_shared<ImageArguments>();
    CLI::App* part = command->add_subcommand(name, help);
    part->add_option("IMAGE", arguments->files, "Boot images")->required()->expected(least, most);
    part->add_flag("--json", invocation.json, "As JSON");
    part->callback([arguments, &invocation, body] { body(arguments->files, invocation.json); });
  };
  constexpr int kAny = 1 << 20;
  add("info", "Header and sections", 1, 1, [](const auto& files, bool json) { info(files[0], json); });
  add("relocs", "Symbols that a start looks up, and where their addresses go", 1, 1,
      [](const auto& files, bool json) { relocs(files[0], json); });
  add("verify", "Check everything, the heap too", 1, kAny, verify);
  add("diff", "Sections in which two images differ; status 1 if there are any", 2, 2, diff);
}

}  // namespace gaur::tool
