// What watches a program while `gaur run` runs it: SIGQUIT, which asks for the backtraces of all threads and
// stacks, and the time limit.
#pragma once

#include <atomic>
#include <thread>

namespace gaur::runtime {
class MicroVm;
}

namespace gaur::tool {

class RunWatch {
 public:
  /// Begins to watch. `timeout`: seconds, 0 for no limit; then the process ends with kTimeout. One at a time.
  RunWatch(runtime::MicroVm& vm, double timeout);
  ~RunWatch();
  RunWatch(const RunWatch&) = delete;
  RunWatch& operator=(const RunWatch&) = delete;

 private:
  void watch(double timeout);

  runtime::MicroVm& vm_;
  std::atomic<bool> isOver_{false};
  std::thread thread_;
};

}  // namespace gaur::tool
