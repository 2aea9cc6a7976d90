// What snapshots and unmodified images cost. The sizes are small here; GAUR_TEST_OBJECTS=10000000 and
// GAUR_TEST_IMAGE_MB=128 make them those of the figures that the project promises. Bounds are wide, since
// tests run beside others; what was measured is printed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/unit/bootimage/test_image.h"
#include "vm/support/platform.h"

namespace gaur::bootimage {
namespace {

using gc::anyRef;
using gc::at;
using gc::hybridOf;
using gc::int64;
using gc::structOf;
using gc::weakRef;

std::uint64_t fromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

double milliseconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-6; }

class SnapshotSpeed : public SnapshotTest {
 protected:
  void measure(const char* what, void* root) {
    gc::CollectionPause pause(*heap);
    std::size_t before = platform::residentSize();
    begin();
    snapshot->addObject(root, "root");
    std::uint64_t start = platform::monotonicTime();
    snapshot->trace();
    std::uint64_t traced = platform::monotonicTime();
    ASSERT_TRUE(finish());
    std::uint64_t finished = platform::monotonicTime();
    double bytes = static_cast<double>(snapshot->heap().size());
    double ratio = static_cast<double>(platform::residentSize() - before) / bytes;
    std::printf(
        "%-28s %9zu objects %7.1f MB: traced in %7.1f ms, finished in %6.1f ms, memory %.2f x the image\n",
        what, snapshot->objectCount(), bytes * 1e-6, milliseconds(traced - start),
        milliseconds(finished - traced), ratio);
    EXPECT_LT(milliseconds(finished - start), 100 + static_cast<double>(snapshot->objectCount()) * 5e-3);
    // Huge pages round small ones up.
    EXPECT_LT(bytes * ratio, 2 * bytes + 16e6);
    snapshot.reset();
  }
};

TEST_F(SnapshotSpeed, Graphs) {
  const std::uint64_t count = fromEnvironment("GAUR_TEST_OBJECTS", 200'000);
  gc::CollectionPause pause(*heap);
  const ir::Type* node = structOf({anyRef(), anyRef(), int64()});
  void* array = make(hybridOf({int64(), anyRef()}), count - 1);
  auto element = [&](std::uint64_t i) -> void*& { return at<void*>(array, 8 + 8 * i); };
  void* last = nullptr;
  for (std::uint64_t i = 0; i + 1 < count; ++i) {
    void* made = make(node);
    at<void*>(made, 0) = last;
    element(i) = last = made;
  }
  measure("a list", last);
  measure("an array in order", array);
  std::mt19937_64 random(1);
  for (std::uint64_t i = count - 2; i > 0; --i) std::swap(element(i), element(random() % i));
  measure("an array in random order", array);
  for (std::uint64_t i = 0; i + 1 < count; ++i) {
    at<void*>(element(i), 0) = 2 * i + 2 < count ? element(2 * i + 1) : nullptr;
    at<void*>(element(i), 8) = 2 * i + 3 < count ? element(2 * i + 2) : nullptr;
  }
  measure("a tree in random order", element(0));
  for (std::uint64_t i = 0; i + 1 < count; ++i) at<void*>(element(i), 8) = element(random() % (count - 1));
  measure("a random graph", array);
}

TEST_F(SnapshotSpeed, PointersIntoObjectsAndFunctions) {
  const std::uint64_t count = fromEnvironment("GAUR_TEST_OBJECTS", 200'000);
  gc::CollectionPause pause(*heap);
  const ir::Type* funcref = gc::types().get(TypeKind::Funcref, 0, {}, gc::types().signature({}, {}));
  const ir::Type* node = structOf({funcref, pointerTo(TypeKind::Iref, int64()), weakRef(), int64()});
  TestSpace::Func& function = space->addFunction();
  void* array = make(hybridOf({int64(), anyRef()}), count - 1);
  for (std::uint64_t i = 0; i + 1 < count; ++i) {
    void* made = make(node);
    at<void*>(made, 0) = &function.record;
    at<std::uint64_t>(made, 8) = wordOf(made) + 24;
    at<std::uint64_t>(made, 16) = abi::hideWeak(wordOf(array));
    at<void*>(array, 8 + 8 * i) = made;
  }
  measure("funcref, iref, weakref each", array);
}

TEST_F(SnapshotSpeed, PauseWithAnUnmodifiedImage) {
  const std::uint64_t bytes = fromEnvironment("GAUR_TEST_IMAGE_MB", 16) << 20;
  const std::uint64_t count = bytes / 48;
  std::vector<std::uint64_t> pauses[3];
  auto collections = [&](std::vector<std::uint64_t>& times) {
    for (int i = 0; i < 30; ++i) {
      std::uint64_t start = platform::monotonicTime();
      heap->collect();
      times.push_back(platform::monotonicTime() - start);
    }
    std::sort(times.begin(), times.end());
  };
  {
    gc::CollectionPause pause(*heap);
    void* array = make(hybridOf({int64(), anyRef()}), count);
    for (std::uint64_t i = 0; i < count; ++i)
      at<void*>(array, 8 + 8 * i) = make(structOf({anyRef(), int64(), int64()}));
    begin();
    snapshot->addObject(array, "root");
    ASSERT_TRUE(finish());
  }
  collect();
  collections(pauses[0]);
  TestImage image(*snapshot);
  heap->addImmortal(image.range());
  collections(pauses[1]);
  // All of it in memory, read but not written.
  volatile std::uint64_t sum = 0;
  for (std::uintptr_t page = image.range().begin; page < image.range().end; page += 4096)
    sum = sum + *reinterpret_cast<std::uint64_t*>(page);
  collections(pauses[2]);
  auto median = [](const std::vector<std::uint64_t>& times) { return milliseconds(times[times.size() / 2]); };
  std::printf(
      "an image of %.1f MB: a collection takes %.3f ms without it, %.3f ms with it, %.3f ms when all of it "
      "was read\n",
      static_cast<double>(snapshot->heap().size()) * 1e-6, median(pauses[0]), median(pauses[1]),
      median(pauses[2]));
#ifdef __SANITIZE_ADDRESS__
  constexpr double kSlower = 20;
#else
  constexpr double kSlower = 1;
#endif
  EXPECT_LT(median(pauses[2]), median(pauses[0]) + kSlower * (5 + static_cast<double>(bytes >> 20) / 64));
  thread.reset();
  heap.reset();  // before the image's memory goes
}

}  // namespace
}  // namespace gaur::bootimage
