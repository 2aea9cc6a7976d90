#include "gc/immortal_ranges.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "vm/support/check.h"
#include "vm/support/platform.h"

namespace gaur::gc {

namespace {

// The kernel's interface, which older headers lack (Documentation/admin-guide/mm/pagemap.rst).
struct ScanRequest {
  std::uint64_t size;
  std::uint64_t flags;
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t walkEnd;
  std::uint64_t regions;
  std::uint64_t regionCount;
  std::uint64_t mostPages;
  std::uint64_t inverted;
  std::uint64_t all;
  std::uint64_t any;
  std::uint64_t returned;
};
struct ScanRegion {
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t categories;
};
constexpr std::uint64_t kIsFile = 1u << 2;
constexpr std::uint64_t kIsPresent = 1u << 3;
constexpr std::uint64_t kIsSwapped = 1u << 4;
constexpr unsigned long kScanCall = _IOWR('f', 16, ScanRequest);

// A word of /proc/self/pagemap.
constexpr std::uint64_t kWordFile = std::uint64_t{1} << 61;
constexpr std::uint64_t kWordSwapped = std::uint64_t{1} << 62;
constexpr std::uint64_t kWordPresent = std::uint64_t{1} << 63;

/// Of the process that opens it, whoever reads it.
int openPagemap() { return open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC); }

}  // namespace

WrittenPages::WrittenPages() : pagemap_(openPagemap()) {
  if (pagemap_ < 0) return;
  auto here = reinterpret_cast<std::uintptr_t>(this) & ~(platform::pageSize() - 1);
  Run run;
  // Whether the calls work shows at a page that certainly is written.
  for (Method method : {Method::Scan, Method::Words}) {
    method_ = method;
    std::uintptr_t from = here;
    if (find(from, here + platform::pageSize(), {&run, 1}) == 1 && method_ == method) return;
  }
  method_ = Method::All;
}

WrittenPages::~WrittenPages() {
  if (pagemap_ >= 0) close(pagemap_);
}

void WrittenPages::reopen() {
  if (pagemap_ >= 0) close(pagemap_);
  pagemap_ = openPagemap();
  if (pagemap_ < 0) method_ = Method::All;
}

std::size_t WrittenPages::find(std::uintptr_t& from, std::uintptr_t end, std::span<Run> runs) const {
  if (from >= end) return 0;
  if (method_ == Method::Scan) return scan(from, end, runs);
  if (method_ == Method::Words) return readWords(from, end, runs);
  runs[0] = {from, end};
  from = end;
  return 1;
}

std::size_t WrittenPages::scan(std::uintptr_t& from, std::uintptr_t end, std::span<Run> runs) const {
  ScanRegion regions[kRuns];
  ScanRequest request = {};
  request.size = sizeof request;
  request.start = from;
  request.end = platform::roundToPages(end);
  request.regions = reinterpret_cast<std::uintptr_t>(regions);
  request.regionCount = std::min(runs.size(), std::size(regions));
  request.inverted = kIsFile;
  request.all = kIsFile;
  request.any = kIsPresent | kIsSwapped;
  request.returned = kIsPresent;
  int count = ioctl(pagemap_, kScanCall, &request);
  if (count < 0) {
    runs[0] = {from, end};
    from = end;
    return 1;
  }
  from = count == 0 ? end : request.walkEnd;
  for (int i = 0; i < count; ++i) runs[i] = {regions[i].start, std::min<std::uintptr_t>(regions[i].end, end)};
  return static_cast<std::size_t>(count);
}

std::size_t WrittenPages::readWords(std::uintptr_t& from, std::uintptr_t end, std::span<Run> runs) const {
  const std::size_t page = platform::pageSize();
  std::uint64_t words[kWords];
  std::size_t count = 0;
  while (from < end && count == 0) {
    std::size_t wanted = std::min<std::size_t>((end - from + page - 1) / page, kWords);
    ssize_t bytes =
        pread(pagemap_, words, wanted * sizeof words[0], static_cast<off_t>(from / page * sizeof words[0]));
    if (bytes < static_cast<ssize_t>(sizeof words[0])) {
      runs[0] = {from, end};
      from = end;
      return 1;
    }
    std::size_t got = static_cast<std::size_t>(bytes) / sizeof words[0];
    for (std::size_t i = 0; i < got; ++i) {
      bool isWritten = (words[i] & (kWordPresent | kWordSwapped)) != 0 && (words[i] & kWordFile) == 0;
      if (isWritten) {
        if (count != 0 && runs[count - 1].end == from) {
          runs[count - 1].end = std::min(from + page, end);
        } else {
          if (count == runs.size()) return count;
          runs[count++] = {from, std::min(from + page, end)};
        }
      }
      from += page;
    }
  }
  return count;
}

std::uint64_t immortalBlockBytes(abi::ObjectHeader header) {
  std::uint64_t payload = 0;
  bool isSane = header.isLive() && abi::LayoutTable::shared().knows(header.typeIndex()) &&
                abi::LayoutTable::shared().byIndex(header.typeIndex()).payload(header.length(), payload);
  GAUR_CHECK(isSane, "a damaged object in a boot image");
  return abi::blockBytes(payload, header.isWide());
}

void* objectHolding(const ImmortalRange& range, std::uintptr_t address) {
  void* found = nullptr;
  forEachBlock(range, address, address + 1, [&](std::uint64_t* block) {
    auto ref = reinterpret_cast<std::uintptr_t>(block) + abi::ObjectHeader(*block).prefix();
    if (address >= ref) found = reinterpret_cast<void*>(ref);
  });
  return found;
}

}  // namespace gaur::gc
