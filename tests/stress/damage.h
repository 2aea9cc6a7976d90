// Texts and what can happen to them on their way, for the tests of damaged texts; and the frame of these: a
// child process that works through seeds, so that a crash names its seed.
#pragma once

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace gaur::stress {

/// The texts of the files with this extension in folders of the repository.
inline std::vector<std::string> readTexts(std::initializer_list<const char*> folders,
                                          std::string_view extension) {
  std::vector<std::filesystem::path> paths;
  for (const char* folder : folders)
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::filesystem::path(GAUR_SOURCE_DIR) / folder))
      if (entry.path().extension() == extension) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> texts;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return texts;
}

/// Truncated, with flipped bits, with a part left out or a part doubled.
inline std::string damage(std::string text, std::mt19937_64& random) {
  auto position = [&] { return random() % text.size(); };
  if (text.empty()) return text;
  switch (random() % 4) {
    case 0: text.resize(position()); break;
    case 1:
      for (std::uint64_t flips = 1 + random() % 8; flips > 0; --flips)
        text[position()] ^= static_cast<char>(1 << random() % 8);
      break;
    case 2: text.erase(position(), 1 + random() % 40); break;
    default: {
      std::string part = text.substr(position(), 1 + random() % 200);
      text.insert(position(), part);
      break;
    }
  }
  return text;
}

/// Calls accepts(random) for each seed in a child process, which a signal ends after half a minute with one
/// seed; then tells how many it accepted. Returns the exit status of the test.
template <class Accepts>
int workThroughSeeds(unsigned long first, unsigned long count, Accepts accepts) {
  // What the parent shows when the child dies.
  auto* running = static_cast<unsigned long*>(
      mmap(nullptr, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (running == MAP_FAILED) return 2;
  pid_t child = fork();
  if (child == 0) {
    unsigned long accepted = 0;
    for (unsigned long seed = first; seed < first + count; ++seed) {
      *running = seed;
      std::mt19937_64 random(seed);
      alarm(30);
      accepted += accepts(random);
    }
    std::printf("%lu texts, %lu still valid\n", count, accepted);
    std::fflush(stdout);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (status == 0) return 0;
  std::printf("seed %lu: status %d\n", *running, status);
  return 1;
}

}  // namespace gaur::stress
