// Random programs with watchpoints that they enable and disable themselves (vm/ir/random.h) must compute what
// the same programs compute with a flag in memory for each watchpoint, at O0 and at O2.
//   stress_watchpoint_programs FIRST_SEED COUNT
//   stress_watchpoint_programs SEED             prints the program and its twin with flags
#include <sstream>

#include "tests/stress/random_programs.h"
#include "vm/ir/random.h"

namespace {

using namespace gaur;

constexpr unsigned kWatchpoints = 3;

ir::RandomOptions optionsFor(unsigned long seed) {
  ir::RandomOptions options;
  options.watchpoints = kWatchpoints;
  options.blocks = 4 + seed % 7;
  options.instructions = seed % 3 == 0 ? 2 : 9;
  return options;
}

/// The destination that begins at `at`: a name and its arguments. Moves `at` behind it.
std::string takeDestination(const std::string& line, std::size_t& at) {
  std::size_t begin = line.find('%', at), end = line.find(')', begin) + 1;
  at = end;
  return line.substr(begin, end - begin);
}

/// The number that ends at `end` or begins behind `word`.
std::string numberBehind(const std::string& line, const std::string& word) {
  std::size_t begin = line.find(word) + word.size();
  return line.substr(begin, line.find_first_not_of("0123456789", begin) - begin);
}

/// The same program with a flag for each watchpoint.
std::string withFlags(const std::string& text) {
  std::istringstream lines(text);
  std::string result, line;
  int loads = 0;
  bool hasFlags = false;
  auto contains = [&](const char* word) { return line.find(word) != std::string::npos; };
  while (std::getline(lines, line)) {
    if (!hasFlags && line.rfind(".global", 0) == 0) {
      for (unsigned i = 1; i <= kWatchpoints; ++i)
        result += ".global @enabled" + std::to_string(i) + " <@i1>\n";
      result += ".const @flag.on <@i1> = 1\n.const @flag.off <@i1> = 0\n";
      hasFlags = true;
    }
    const char* word = contains("    WPBRANCH ")     ? "    WPBRANCH "
                       : contains("    WATCHPOINT ") ? "    WATCHPOINT "
                                                     : nullptr;
    if (word) {
      std::size_t at = line.find('%');
      std::string disabled = takeDestination(line, at), enabled = takeDestination(line, at);
      std::string flag = "%flag" + std::to_string(loads++);
      result += "    " + flag + " = LOAD <@i1> @enabled" + numberBehind(line, word) + "\n";
      result += "    BRANCH2 " + flag + " " + enabled + " " + disabled + "\n";
    } else if (contains("able_watchpoint (@wp")) {
      std::string state = contains("enable_") ? "@flag.on" : "@flag.off";
      result += "    STORE <@i1> @enabled" + numberBehind(line, "(@wp") + " " + state + "\n";
    } else {
      result += line + "\n";
    }
  }
  return result;
}

/// The answer that a trap handler begins with is to go on with no values.
void goOn(runtime::Thread&, abi::StackObject&, std::uint32_t, runtime::TrapAnswer&, void*) {}

bool agrees(unsigned long seed) {
  std::string text = ir::randomBundle(seed, optionsFor(seed));
  std::string twin = withFlags(text);
  std::string wanted = stress::resultOf(twin, 0), fast = stress::resultOf(text, 0, goOn),
              full = stress::resultOf(text, 2, goOn);
  if (wanted == fast && wanted == full) return true;
  std::printf("seed %lu: flags give %s, O0 gives %s, O2 gives %s\n", seed, wanted.c_str(), fast.c_str(),
              full.c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  auto bothTexts = [](unsigned long seed) {
    std::string text = ir::randomBundle(seed, optionsFor(seed));
    return text + "\n// With flags\n\n" + withFlags(text);
  };
  return stress::runSeeds(argc, argv, bothTexts, agrees);
}
