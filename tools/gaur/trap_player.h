// The trap handler of `gaur test`: holds each trap of a run against the `trap:` lines before it, and answers
// as they say.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tools/gaur/machine.h"
#include "tools/gaur/test_case.h"
#include "vm/runtime/frame_cursor.h"

namespace gaur::tool {

/// What is wrong, if anything is.
using Mistake = std::optional<std::string>;

/// Plays the traps of one run, on any number of threads. It is the VM's native handler from its construction
/// on until `stop`; it has to outlive the threads that the run starts.
class TrapPlayer {
 public:
  TrapPlayer(Machine& machine, const TestCase& test, const Step& step);
  TrapPlayer(const TrapPlayer&) = delete;
  TrapPlayer& operator=(const TrapPlayer&) = delete;

  /// The call of the run is over. Waits a while for traps that are still to come on other threads; then the
  /// VM has no native handler any more. What went wrong, with its line.
  std::vector<std::string> stop();

 private:
  struct Trap;
  static void handle(runtime::Thread& thread, abi::StackObject& stack, std::uint32_t watchpoint,
                     runtime::TrapAnswer& answer, void* player);
  void fail(unsigned line, const std::string& what);
  void play(Trap& trap);
  const ExpectedTrap* match(Trap& trap, Mistake& mistake);
  Mistake compare(const ExpectedTrap& expected, const Trap& trap);
  Mistake compareFrame(const ExpectedFrame& expected, runtime::Thread& thread, runtime::FrameCursor& cursor);
  Mistake compareKeepalives(const std::string& expected, runtime::FrameCursor& cursor);
  Mistake answerTo(const ExpectedTrap& expected, Trap& trap);
  abi::FunctionRecord* functionNamed(const std::string& name);
  Mistake load(const std::string& file);
  Mistake act(const TrapAction& action, Trap& trap);
  Mistake pass(const std::string& literals, runtime::TrapAnswer& answer);

  Machine& machine_;
  const TestCase& test_;
  const Step& step_;
  std::mutex mutex_;
  std::condition_variable played_;
  std::vector<std::uint32_t> left_;  // times that each trap of the step is still to come
  std::vector<std::string> failures_;
};

}  // namespace gaur::tool
