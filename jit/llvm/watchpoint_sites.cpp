#include "jit/llvm/watchpoint_sites.h"

#include <llvm/TargetParser/Triple.h>

#include <algorithm>
#include <tuple>

#include "jit/code_stubs.h"
#include "jit/llvm/site_list.h"

namespace gaur::jit {

namespace {

namespace jitlink = llvm::jitlink;

constexpr const char* kSection = ".gaur.watchpoints";

/// What the list holds for each site.
struct Entry {
  std::uint64_t site;
  std::uint64_t target;
  std::uint64_t watchpoint;
};

}  // namespace

std::string watchpointAssembly(const llvm::Triple& triple, std::uint32_t watchpoint) {
  // On x86-64 five bytes inside of an aligned word: moved up to the next word where they would not fit into
  // this one.
  const std::string site = kSiteLabel;
  std::string text =
      triple.isAArch64() ? site + ": nop\n" : ".p2align 3, , 4\n" + site + ": .byte 0x0f, 0x1f, 0x44, 0, 0\n";
  text += std::string(".pushsection ") + kSection + ",\"a\",@progbits\n";
  text += ".quad " + site + ", ${0:l}, " + std::to_string(watchpoint) + "\n";
  return text + ".popsection";
}

void keepWatchpoints(jitlink::LinkGraph& graph) { keepSiteList(graph, kSection); }

llvm::Expected<std::vector<abi::WatchpointSite>> readWatchpoints(jitlink::LinkGraph& graph,
                                                                 std::uintptr_t begin, std::uintptr_t end) {
  std::vector<abi::WatchpointSite> sites;
  auto error = forEachSite<Entry>(graph, kSection, [&](const Entry& entry) -> llvm::Error {
    if (entry.site < begin || entry.site >= end || entry.target < begin || entry.target >= end ||
        !isPatchable(entry.site))
      return llvm::createStringError("watchpoint %u cannot be patched",
                                     static_cast<unsigned>(entry.watchpoint));
    sites.push_back({static_cast<std::uint32_t>(entry.watchpoint),
                     static_cast<std::uint32_t>(entry.site - begin),
                     static_cast<std::uint32_t>(entry.target - begin)});
    return llvm::Error::success();
  });
  if (error) return error;
  auto key = [](const abi::WatchpointSite& site) { return std::tuple(site.watchpoint, site.siteOffset); };
  std::sort(sites.begin(), sites.end(), [key](const auto& a, const auto& b) { return key(a) < key(b); });
  return sites;
}

}  // namespace gaur::jit
