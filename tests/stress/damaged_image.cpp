// Damaged images: an image with each sort of section, with bytes changed, cut off, swapped or moved, with and
// without repaired checksums. What is not repaired must be refused, whichever byte it is; what is repaired
// must be refused, or start: it may be another program then, so none of it is run, but its heap is collected
// and its IR read. A crash, a hang or a failed check ends the process, and the seed that was running is
// printed.
//   stress_damaged_image IMAGE FIRST_SEED COUNT
#include <cstdlib>
#include <cstring>

#include "bootimage/hash.h"
#include "bootimage/image_loader.h"
#include "tests/stress/damage.h"
#include "vm/runtime/thread.h"

namespace {

using namespace gaur;
using namespace gaur::bootimage;

using Bytes = std::vector<std::byte>;

Bytes readFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

Header* headerOf(Bytes& file) {
  return file.size() < sizeof(Header) ? nullptr : reinterpret_cast<Header*>(file.data());
}

/// As far as it is there.
std::span<SectionHeader> tableOf(Bytes& file) {
  Header* header = headerOf(file);
  if (!header || header->sectionCount > kSectionCount ||
      file.size() < sizeof(Header) + header->sectionCount * sizeof(SectionHeader))
    return {};
  return {reinterpret_cast<SectionHeader*>(file.data() + sizeof(Header)), header->sectionCount};
}

std::size_t headBytes(Bytes& file) { return sizeof(Header) + tableOf(file).size_bytes(); }

void flip(Bytes& file, std::size_t at, std::mt19937_64& random) {
  file[at] ^= static_cast<std::byte>(1 + random() % 255);
}

/// The contents of two sections change places, in the table or in the file.
void swapSections(Bytes& file, std::mt19937_64& random) {
  auto table = tableOf(file);
  SectionHeader& a = table[random() % table.size()];
  SectionHeader& b = table[random() % table.size()];
  switch (random() % 3) {
    case 0: std::swap(a.kind, b.kind); break;
    case 1:
      std::swap(a.offset, b.offset);
      std::swap(a.bytes, b.bytes);
      break;
    default: {
      const std::size_t bytes = std::min(a.bytes, b.bytes);
      std::swap_ranges(file.data() + a.offset, file.data() + a.offset + bytes, file.data() + b.offset);
    }
  }
}

/// A number of a row gets another value: a small one, one near its own, or any.
void changeWord(Bytes& file, std::mt19937_64& random) {
  auto table = tableOf(file);
  const SectionHeader& section = table[random() % table.size()];
  const std::size_t width = section.elementBytes % 8 == 0 ? 8 : 4;
  if (section.bytes < width) return;
  std::byte* place = file.data() + section.offset + random() % (section.bytes / width) * width;
  std::uint64_t word = 0;
  std::memcpy(&word, place, width);
  const std::uint64_t values[] = {
      0,       1, ~std::uint64_t{0}, word + 1, word - 1, word + 8, word ^ (std::uint64_t{1} << random() % 64),
      random()};
  word = values[random() % std::size(values)];
  std::memcpy(place, &word, width);
}

void damageSomewhere(Bytes& file, std::mt19937_64& random) {
  switch (random() % 8) {
    case 0: file.resize(random() % file.size()); break;
    case 1: file.resize(file.size() + 1 + random() % 5000); break;
    case 2: swapSections(file, random); break;
    case 3: {
      const std::size_t bytes = 1 + random() % 300, from = random() % (file.size() - bytes),
                        to = random() % (file.size() - bytes);
      std::memmove(file.data() + to, file.data() + from, bytes);
      break;
    }
    case 4:
    case 5: changeWord(file, random); break;
    default:
      for (std::uint64_t flips = 1 + random() % 8; flips > 0; --flips)
        flip(file, random() % file.size(), random);
  }
}

/// All checksums fit.
void repair(Bytes& file) {
  Header* header = headerOf(file);
  if (!header) return;
  header->fileBytes = file.size();
  auto table = tableOf(file);
  for (SectionHeader& section : table)
    if (section.offset <= file.size() && section.bytes <= file.size() - section.offset)
      section.hash = hashOf(file.data() + section.offset, section.bytes);
  header->hash = {};
  header->hash = hashOf(file.data(), sizeof(Header) + table.size_bytes());
}

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

/// Whether the bytes were accepted.
bool start(const Bytes& file) {
  auto image = ImageFile::inMemory(file, "damaged");
  if (!image) {
    if (image.error().message.empty()) fail("refused without a reason");
    return false;
  }
  auto loaded = loadImage(std::move(*image), Options{});
  if (!loaded) {
    if (loaded.error().message.empty()) fail("refused without a reason");
    return false;
  }
  // Bodies are read when they are first wanted.
  runtime::Thread::attachedTo(*loaded->vm,
                              [&](runtime::Thread&) { (void)loaded->vm->program().needBodies(); });
  return true;
}

/// Seeds from 0 on go through the bytes of header and table, first as they are, then repaired; the rest is at
/// random.
bool accepts(const Bytes& good, std::uint64_t seed, std::mt19937_64& random) {
  Bytes file = good;
  const std::size_t head = headBytes(file);
  const bool isOrdered = seed < 2 * head;
  const bool isRepaired = isOrdered ? seed >= head : random() % 2 == 0;
  if (isOrdered) {
    flip(file, seed % head, random);
  } else {
    damageSomewhere(file, random);
  }
  if (isRepaired) repair(file);
  const bool isAccepted = start(file);
  if (isAccepted && !isRepaired && file != good) fail("a change that no checksum shows");
  if (!isAccepted && file == good) fail("the image itself is refused");
  return isAccepted;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const Bytes good = readFile(argv[1]);
  if (good.size() < sizeof(Header)) return 2;
  std::uint64_t seed = std::strtoul(argv[2], nullptr, 10);
  return stress::workThroughSeeds(seed, std::strtoul(argv[3], nullptr, 10),
                                  [&](std::mt19937_64& random) { return accepts(good, seed++, random); });
}
