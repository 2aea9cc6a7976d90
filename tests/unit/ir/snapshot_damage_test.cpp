// Damaged snapshots: whatever the bytes are, reading them ends in an error or in a program that can be used.
#include <cstring>
#include <random>

#include "tests/unit/ir/snapshot_maker.h"
#include "vm/ir/random.h"
#include "vm/ir/snapshot_format.h"

namespace gaur::ir::test {
namespace {

struct Tally {
  std::size_t rejectedAtOnce = 0;
  std::size_t rejectedBodies = 0;
  std::size_t accepted = 0;
};

void readDamaged(std::vector<std::byte> bytes, Tally& tally) {
  Restored restored = restore(std::move(bytes));
  if (!restored.error.empty()) {
    ++tally.rejectedAtOnce;
    return;
  }
  if (auto bodies = restored.program->needBodies(); !bodies) {
    ++tally.rejectedBodies;
    for (const FunctionVersion* version : restored.bundle().versions) EXPECT_TRUE(version->blocks.empty());
    EXPECT_FALSE(restored.program->needBodies());
    return;
  }
  ++tally.accepted;
  EXPECT_FALSE(print(restored.bundle()).empty());
  forEachLocal(restored.bundle(), [&](const Entity& entity) {
    if (entity.id != kNoId) {
      EXPECT_EQ(restored.program->entity(entity.id), &entity);
    }
  });
}

std::vector<std::vector<std::byte>> samples() {
  std::vector<std::vector<std::byte>> all;
  RandomOptions small;
  small.functions = small.blocks = 2;
  small.instructions = 4;
  small.watchpoints = 2;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Loaded loaded = load(randomBundle(seed, small));
    EXPECT_TRUE(loaded.bundle) << loaded.errors();
    all.push_back(snapshotOf(*loaded.program, *loaded.bundle));
  }
  return all;
}

TEST(SnapshotDamage, ChangedBytesNeverCrash) {
  auto all = samples();
  std::mt19937_64 random(1);
  Tally tally;
  for (int i = 0; i < 5000; ++i) {
    std::vector<std::byte> bytes = all[random() % all.size()];
    for (std::uint64_t changes = 1 + random() % 3; changes != 0; --changes) {
      // Half of the changes are in the bodies, however many types the process has.
      snapshot::Header header;
      std::memcpy(&header, bytes.data(), sizeof header);
      std::size_t first = random() % 2 == 0 ? 0 : sizeof header + header.topLevelSize % bytes.size();
      if (first >= bytes.size()) first = 0;
      std::byte& byte = bytes[first + random() % (bytes.size() - first)];
      byte = random() % 2 == 0 ? byte ^ static_cast<std::byte>(1u << random() % 8)
                               : static_cast<std::byte>(random());
    }
    readDamaged(std::move(bytes), tally);
  }
  EXPECT_GT(tally.rejectedAtOnce, 500u);
  EXPECT_GT(tally.rejectedBodies, 500u);
  EXPECT_GT(tally.accepted, 100u);
}

TEST(SnapshotDamage, LostAndAddedBytesNeverCrash) {
  auto all = samples();
  std::mt19937_64 random(2);
  Tally tally;
  for (int i = 0; i < 1000; ++i) {
    std::vector<std::byte> bytes = all[random() % all.size()];
    auto at = [&] { return bytes.begin() + static_cast<std::ptrdiff_t>(random() % bytes.size()); };
    switch (random() % 3) {
      case 0: bytes.resize(random() % bytes.size()); break;
      case 1: bytes.erase(at()); break;
      case 2: bytes.insert(at(), static_cast<std::byte>(random())); break;
    }
    readDamaged(std::move(bytes), tally);
  }
  // The sizes in the header no longer fit.
  EXPECT_EQ(tally.accepted, 0u);
}

TEST(SnapshotDamage, EveryShorterSnapshotIsRefused) {
  std::vector<std::byte> bytes = samples()[0];
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Program program;
    EXPECT_FALSE(readSnapshot(program, std::span(bytes).first(size))) << size;
  }
}

}  // namespace
}  // namespace gaur::ir::test
