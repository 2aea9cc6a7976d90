// A mutex and condition variables made of futexes in Mu code (futexes.uir), under many threads, while one
// more collects without pause.
//   stress_futexes WIDTH OPERATIONS
// Nothing may get lost or come twice, and nobody may sleep for good.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "tests/stress/program.h"

namespace {

using namespace gaur;

constexpr int kProducers = 8, kConsumers = 8;

void replace(std::string& text, const std::string& from, const std::string& to) {
  auto at = text.find(from);
  if (at == std::string::npos) stress::Program::die("no '" + from + "' in futexes.uir");
  text.replace(at, from.size(), to);
}

std::string sourceFor(long width) {
  std::string text = stress::readSource("futexes.uir");
  replace(text, ".typedef @word = int<32>", ".typedef @word = int<" + std::to_string(width) + ">");
  if (width < 32) replace(text, "@patience <@i64> = -1", "@patience <@i64> = 20000000");
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const long width = std::strtol(argv[1], nullptr, 10), operations = std::strtol(argv[2], nullptr, 10);
  const long each = operations / (kProducers + kConsumers);
  alarm(240);
  stress::Program program(2);
  program.load("futexes.uir", sourceFor(width));

  std::atomic<bool> done{false};
  std::atomic<std::int64_t> put{0}, got{0};
  std::atomic<long> collections{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kProducers; ++i)
    threads.emplace_back(
        [&, i] { put += program.call("@produce", std::int64_t{i} * each, std::int64_t{each}); });
  for (int i = 0; i < kConsumers; ++i)
    threads.emplace_back([&] { got += program.call("@consume", std::int64_t{each}); });
  std::thread collector([&] {
    runtime::Thread attached(program.vm());
    while (!done) {
      program.vm().heap().collect();
      ++collections;
    }
  });
  for (auto& thread : threads) thread.join();
  done = true;
  collector.join();
  std::printf("int<%ld>: %ld operations, %ld collections, %ld waits for the mutex\n", width,
              2 * kProducers * each, collections.load(), static_cast<long>(program.call("@sleep_count")));
  if (put != got || put == 0) {
    std::printf("sum put %ld, sum got %ld\n", static_cast<long>(put), static_cast<long>(got));
    return 1;
  }
  return 0;
}
