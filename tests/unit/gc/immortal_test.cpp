// Objects of images: found from addresses, never freed, and roots where they were written to.
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "gc/immortal_ranges.h"
#include "gc/owner_map.h"
#include "tests/unit/gc/test_heap.h"
#include "vm/abi/code_owner.h"
#include "vm/support/platform.h"

namespace gaur::gc {
namespace {

using ir::TypeKind;

constexpr std::size_t kPage = ImmortalRange::kPageBytes;

/// Objects laid out as in an image, in a file, of which a private mapping is the range.
class HandMadeImage {
 public:
  HandMadeImage() = default;
  HandMadeImage(const HandMadeImage&) = delete;
  HandMadeImage& operator=(const HandMadeImage&) = delete;
  ~HandMadeImage() {
    if (memory_) munmap(memory_, bytes_);
  }

  /// Number of the object, for `ref`.
  std::size_t add(const ir::Type* type, std::uint64_t length = 0) {
    const abi::Layout& layout = layoutOf(type);
    std::uint64_t payload = 0;
    EXPECT_TRUE(layout.payload(length, payload));
    std::uint64_t bytes = abi::blockBytes(payload, layout.isWide());
    auto header = abi::ObjectHeader::make(type->index, layout.isWide(), length);
    for (std::uint64_t page = firstBlocks_.size(); page * kPage < used_ + bytes; ++page)
      firstBlocks_.push_back(static_cast<std::uint32_t>(used_ / abi::kGranule));
    headers_.push_back({used_, header});
    used_ += bytes;
    return headers_.size() - 1;
  }

  void map() {
    bytes_ = (used_ + kPage - 1) / kPage * kPage;
    int file = memfd_create("image", MFD_CLOEXEC);
    ASSERT_EQ(ftruncate(file, static_cast<off_t>(bytes_)), 0);
    for (auto [offset, header] : headers_) {
      std::uint64_t words[2] = {header.bits(), header.bits()};
      ASSERT_GT(pwrite(file, words, header.prefix(), static_cast<off_t>(offset)), 0);
    }
    memory_ = static_cast<char*>(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0));
    ASSERT_NE(memory_, MAP_FAILED);
    close(file);
  }

  char* ref(std::size_t number) const {
    return memory_ + headers_[number].first + headers_[number].second.prefix();
  }
  char* memory() const { return memory_; }
  std::size_t bytes() const { return bytes_; }
  ImmortalRange range() const {
    auto begin = reinterpret_cast<std::uintptr_t>(memory_);
    return {begin, begin + used_, firstBlocks_.data()};
  }

 private:
  std::vector<std::pair<std::uint64_t, abi::ObjectHeader>> headers_;
  std::vector<std::uint32_t> firstBlocks_;
  std::uint64_t used_ = 0;
  std::size_t bytes_ = 0;
  char* memory_ = nullptr;
};

class ImmortalTest : public HeapTest {
 protected:
  /// The heap goes before the image.
  void TearDown() override {
    HeapTest::TearDown();
    image.reset();
  }
  void mapImage() {
    image->map();
    heap->addImmortal(image->range());
  }
  std::unique_ptr<HandMadeImage> image = std::make_unique<HandMadeImage>();
};

[[gnu::noinline]] void* keepsNothing(TestThread& thread, std::uint64_t value) {
  void* made = thread.make(structOf({int64(), int64()}));
  at<std::uint64_t>(made, 8) = value;
  return made;
}

TEST(WrittenPages, EveryMethodFindsThem) {
  constexpr std::size_t kPages = 1000;
  HandMadeImage image;
  image.add(arrayOf(int64(), kPages * kPage / 8 - 1));
  image.map();
  std::set<std::size_t> written;
  for (std::size_t page = 1; page < kPages; page += 1 + page / 50 % 3) {
    image.memory()[page * kPage + page % kPage] = 1;
    written.insert(page);
  }
  // What is only read does not count.
  for (std::size_t page = 0; page < kPages; page += 7)
    static_cast<void>(*static_cast<volatile char*>(image.memory() + page * kPage));
  auto begin = reinterpret_cast<std::uintptr_t>(image.memory());
  WrittenPages pages;
  ASSERT_EQ(pages.method(), WrittenPages::Method::Scan) << "a kernel without PAGEMAP_SCAN";
  for (auto method : {WrittenPages::Method::Scan, WrittenPages::Method::Words}) {
    pages.use(method);
    std::set<std::size_t> found;
    pages.forEach(begin, begin + kPages * kPage, [&](WrittenPages::Run run) {
      EXPECT_LT(run.begin, run.end);
      for (std::uintptr_t page = run.begin; page < run.end; page += kPage)
        EXPECT_TRUE(found.insert((page - begin) / kPage).second);
    });
    EXPECT_EQ(found, written) << static_cast<int>(method);
    // Only as far as one asks.
    std::size_t last = 0;
    pages.forEach(begin + 10 * kPage, begin + 20 * kPage + 16, [&](WrittenPages::Run run) {
      EXPECT_GE(run.begin, begin + 10 * kPage);
      last = run.end;
    });
    EXPECT_LE(last, begin + 20 * kPage + 16);
  }
  pages.use(WrittenPages::Method::All);
  std::size_t all = 0;
  pages.forEach(begin, begin + 5 * kPage, [&](WrittenPages::Run run) { all += run.end - run.begin; });
  EXPECT_EQ(all, 5 * kPage);
}

TEST_F(ImmortalTest, WrittenAddressesKeepTheirOwners) {
  const ir::Type* signature = types().funcref(types().signature({}, {}));
  std::size_t number = image->add(structOf({int64(), signature}));
  mapImage();
  constexpr std::size_t kBytes = std::size_t{1} << 16;
  void* memory = platform::reserveZeroed(kBytes);
  {
    // On this stack lies the address of the memory, but none in its owned part.
    constexpr std::size_t kPart = 4096;
    OwnerMap map(reinterpret_cast<std::uintptr_t>(memory), kBytes, 5);
    Population owners(roots);
    auto own = [&]() __attribute__((noipa)) {
      void* owner = thread->makeRuntimeObject<abi::CodeOwnerObject>(abi::kCodeOwnerType);
      map.set(reinterpret_cast<std::uintptr_t>(memory) + kPart, kPart, owner);
      owners.add(owner);
    };
    own();
    auto& field = at<std::uint64_t>(image->ref(number), 8);
    auto put = [&]() __attribute__((noipa)) {
      field = reinterpret_cast<std::uintptr_t>(memory) + kPart + 100;
    };
    put();
    collect();
    EXPECT_EQ(owners.alive(), 1u);
    field = 0;
    collect();
    EXPECT_EQ(owners.alive(), 0u);
    roots.cells.clear();
  }
  platform::release(memory, kBytes);
}

TEST_F(ImmortalTest, WrittenReferencesKeep) {
  const ir::Type* node =
      structOf({int64(), anyRef(), weakRef(), tagged(), types().pointerLike(TypeKind::Iref, int64())});
  const ir::Type* big = arrayOf(structOf({anyRef(), int64(), weakRef()}), 20000);
  const ir::Type* wide =
      hybridOf({types().vectorOf(types().get(TypeKind::Float), 4), structOf({int64(), anyRef()})});
  std::vector<std::size_t> nodes;
  for (int i = 0; i < 500; ++i) nodes.push_back(image->add(node));
  std::size_t array = image->add(big);
  std::size_t hybrid = image->add(wide, 5000);
  for (int i = 0; i < 500; ++i) nodes.push_back(image->add(node));
  mapImage();
  Population kept(roots);
  Population dropped(roots);
  std::vector<std::pair<std::uint64_t*, std::uint64_t>> written;
  auto store = [&](char* slot, auto wordOf) {
    void* target = keepsNothing(*thread, written.size());
    kept.add(target);
    std::uint64_t word = wordOf(reinterpret_cast<std::uint64_t>(target));
    at<std::uint64_t>(slot, 0) = word;
    written.push_back({reinterpret_cast<std::uint64_t*>(slot), word});
  };
  auto plain = [](std::uint64_t address) { return address; };
  auto fill = [&] {
    for (std::size_t i = 0; i < nodes.size(); i += 37) {
      store(image->ref(nodes[i]) + 8, plain);
      store(image->ref(nodes[i]) + 24,
            [](std::uint64_t address) { return tag(reinterpret_cast<void*>(address)); });
      store(image->ref(nodes[i]) + 32, [](std::uint64_t address) { return address + 8; });
      void* weak = keepsNothing(*thread, 0);
      dropped.add(weak);
      at<std::uint64_t>(image->ref(nodes[i]), 16) = abi::hideWeak(reinterpret_cast<std::uint64_t>(weak));
    }
    for (std::size_t i : {0, 1, 170, 171, 340, 10000, 19999}) store(image->ref(array) + 24 * i, plain);
    for (std::size_t i : {0, 1, 254, 255, 256, 4999}) store(image->ref(hybrid) + 16 + 16 * i + 8, plain);
    // A weak slot whose target lives on.
    at<std::uint64_t>(image->ref(array), 24 * 5000 + 16) = abi::hideWeak(written[0].second);
  };
  [&]() __attribute__((noinline)) { fill(); }
  ();
  for (int round = 0; round < 3; ++round) {
    collect();
    churn();
    EXPECT_EQ(kept.alive(), written.size());
    EXPECT_LT(dropped.alive(), 5u);
    for (auto [slot, word] : written) EXPECT_EQ(*slot, word);
  }
  for (std::size_t i = 0, n = 0; i < nodes.size(); i += 37) {
    EXPECT_EQ(at<std::uint64_t>(at<void*>(image->ref(nodes[i]), 8), 8), n);
    n += 3;
  }
  EXPECT_EQ(at<std::uint64_t>(image->ref(array), 24 * 5000 + 16), abi::hideWeak(written[0].second));
  // Overwritten ones go.
  for (auto [slot, word] : written) *slot = 0;
  written.clear();
  collect();
  EXPECT_LT(kept.alive(), 5u);
}

TEST_F(ImmortalTest, ObjectsFromAddresses) {
  const ir::Type* leaf = structOf({int64(), int64(), int64()});
  std::vector<std::pair<std::size_t, std::uint64_t>> objects;  // with their sizes
  for (int i = 0; i < 300; ++i) {
    objects.push_back({image->add(leaf), 24});
    objects.push_back(
        {image->add(hybridOf({int64(), types().intType(8)}), static_cast<std::uint64_t>(i)), 8 + i});
    if (i % 50 == 0) objects.push_back({image->add(arrayOf(int64(), 2000)), 16000});
  }
  mapImage();
  for (auto [number, size] : objects) {
    char* ref = image->ref(number);
    for (std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{1}, size / 2, size - 1, size})
      EXPECT_EQ(heap->objectContaining(reinterpret_cast<std::uintptr_t>(ref) + offset), ref)
          << number << " " << offset;
    EXPECT_TRUE(heap->isImmortal(ref));
  }
  // The same in the heap, beside blocks that are free.
  std::vector<std::pair<char*, std::uint64_t>> made;
  for (int i = 0; i < 300; ++i) {
    made.push_back({static_cast<char*>(thread->make(leaf)), 24});
    made.push_back({static_cast<char*>(
                        thread->make(hybridOf({int64(), types().intType(8)}), static_cast<std::uint64_t>(i))),
                    8 + i});
    if (i % 50 == 0) made.push_back({static_cast<char*>(thread->make(arrayOf(int64(), 2000))), 16000});
    roots.ranges.clear();
    roots.ranges.push_back({made.data(), made.data() + made.size()});
  }
  for (auto [ref, size] : made) {
    for (std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{1}, size / 2, size - 1, size})
      EXPECT_EQ(heap->objectContaining(reinterpret_cast<std::uintptr_t>(ref) + offset), ref) << offset;
    EXPECT_FALSE(heap->isImmortal(ref));
  }
  for (std::uintptr_t nowhere :
       {std::uintptr_t{0}, std::uintptr_t{8}, reinterpret_cast<std::uintptr_t>(&objects),
        reinterpret_cast<std::uintptr_t>(objects.data()),
        reinterpret_cast<std::uintptr_t>(image->memory()) - 1, image->range().end + kPage,
        ~std::uintptr_t{0}})
    EXPECT_EQ(heap->objectContaining(nowhere), nullptr) << nowhere;
  void* freeBlock = thread->block.allocation.heads[0][2];
  if (freeBlock) {
    auto* before = heap->objectContaining(reinterpret_cast<std::uintptr_t>(freeBlock) + 16);
    EXPECT_NE(before, static_cast<char*>(freeBlock) + 8);
  }
}

TEST_F(ImmortalTest, AnonymousMemoryCounts) {
  // An image that had to be changed on its way into memory: all of it is looked at.
  std::size_t node = image->add(structOf({int64(), anyRef()}));
  image->map();
  std::vector<char> copy(image->memory(), image->memory() + image->bytes());
  auto* memory = static_cast<char*>(
      mmap(nullptr, image->bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  std::memcpy(memory, copy.data(), copy.size());
  ImmortalRange range = image->range();
  range.end = range.end - range.begin + reinterpret_cast<std::uintptr_t>(memory);
  range.begin = reinterpret_cast<std::uintptr_t>(memory);
  heap->addImmortal(range);
  Population kept(roots);
  [&]() __attribute__((noinline)) {
    void* target = keepsNothing(*thread, 5);
    kept.add(target);
    at<void*>(memory, image->ref(node) - image->memory() + 8) = target;
  }
  ();
  collect();
  churn();
  EXPECT_EQ(kept.alive(), 1u);
  thread.reset();
  heap.reset();
  munmap(memory, image->bytes());
}

TEST_F(ImmortalTest, AnImageGoesWithItsHeap) {
  std::size_t node = image->add(structOf({anyRef()}));
  mapImage();
  char* ref = image->ref(node);
  thread.reset();
  heap.reset();
  image = std::make_unique<HandMadeImage>();  // its memory is gone
  start();
  collect();
  EXPECT_EQ(heap->objectContaining(reinterpret_cast<std::uintptr_t>(ref)), nullptr);
}

TEST_F(ImmortalTest, FinalizersOfImmortalObjectsNeverRun) {
  std::size_t node = image->add(structOf({anyRef()}));
  mapImage();
  heap->onUnreachable(
      image->ref(node) - 8, [](void*, void*) { FAIL(); }, nullptr);
  heap->collectAll();
  EXPECT_FALSE(heap->hasFinalizersToRun());
}

TEST_F(ImmortalTest, TheVerifierLooksAtWrittenObjects) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  std::size_t node = image->add(structOf({int64(), anyRef()}));
  mapImage();
  at<std::uint64_t>(image->ref(node), 8) = 0xdeadbeefdeadbeef;
  EXPECT_DEATH(heap->collect(), "slot at offset 8 refers to 0xdeadbeefdeadbeef, which is no address");
}

TEST_F(ImmortalTest, FourThreadsWriteAndCollect) {
  // Each thread owns every fourth object of an image and keeps a chain of new ones in it, checked before it
  // is replaced.
  constexpr std::size_t kObjects = 2000;
  constexpr int kThreads = 4;
  const ir::Type* holder = structOf({anyRef(), int64(), weakRef(), arrayOf(anyRef(), 20)});
  const ir::Type* link = structOf({anyRef(), int64()});
  for (std::size_t i = 0; i < kObjects; ++i) image->add(holder);
  std::size_t big = image->add(hybridOf({int64(), anyRef()}), 100'000);
  mapImage();
  std::atomic<std::uint64_t> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      TestThread self(*heap);
      std::uint64_t random = static_cast<std::uint64_t>(t) + 1;
      for (int round = 0; round < 20'000; ++round) {
        random = random * 6364136223846793005 + 1442695040888963407;
        std::size_t number = (random >> 33) % (kObjects / kThreads) * kThreads + static_cast<std::size_t>(t);
        char* owner = image->ref(number);
        char* slot = (random & 1) != 0 ? owner : owner + 24 + 8 * (random >> 50) % 160;
        if ((random & 6) == 0)
          slot = image->ref(big) + 8 + 8 * ((random >> 33) % 25'000 * kThreads + static_cast<std::size_t>(t));
        std::uint64_t expected = reinterpret_cast<std::uint64_t>(slot);
        for (void* next = at<void*>(slot, 0); next; next = at<void*>(next, 0))
          wrong += at<std::uint64_t>(next, 8) != expected++;
        std::uint64_t value = reinterpret_cast<std::uint64_t>(slot);
        void* chain = nullptr;
        for (std::uint64_t i = random >> 60; i-- > 0;) {
          void* made = self.make(link);
          at<void*>(made, 0) = chain;
          at<std::uint64_t>(made, 8) = value + i;
          chain = made;
        }
        at<void*>(slot, 0) = chain;
        if (chain && slot == owner)
          at<std::uint64_t>(owner, 16) = abi::hideWeak(reinterpret_cast<std::uint64_t>(chain));
        if (slot == owner) {
          std::uint64_t weak = abi::revealWeak(at<std::uint64_t>(owner, 16));
          wrong += chain && weak != reinterpret_cast<std::uint64_t>(chain);
        }
        if (round % 400 == 0) heap->collect();
      }
    });
  }
  for (std::thread& one : threads) one.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(heap->statistics().collections, 100u);
}

}  // namespace
}  // namespace gaur::gc
