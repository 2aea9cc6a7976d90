// What watches a program while `gaur run` runs it: SIGQUIT, which asks for the backtraces of all threads and
// stacks, SIGUSR1, which asks for the report of `gaur heap`, and the time limit.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace gaur::runtime {
class MicroVm;
}

namespace gaur::tool {

class RunWatch {
 public:
  /// Begins to watch. `timeout`: seconds, 0 for no limit; then the process ends with kTimeout. `report`: what
  /// SIGUSR1 is for, on a thread that is not attached; empty: the signal does what it did. One at a time.
  RunWatch(runtime::MicroVm& vm, double timeout, std::function<void()> report = {});
  ~RunWatch();
  RunWatch(const RunWatch&) = delete;
  RunWatch& operator=(const RunWatch&) = delete;

 private:
  void watch(double timeout);

  runtime::MicroVm& vm_;
  const std::function<void()> report_;
  std::atomic<bool> isOver_{false};
  std::thread thread_;
};

}  // namespace gaur::tool
