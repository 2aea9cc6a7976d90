#include "tools/gaur/run_watch.h"

#include <fmt/format.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>

#include "tools/gaur/command.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/process_end.h"
#include "vm/runtime/thread_dump.h"

namespace gaur::tool {

namespace {

/// Posted by the signal handler, and at the end. It has to be there as long as the process: a signal may come
/// late.
sem_t* wakeUps() {
  static sem_t semaphore;
  static const int initialised = sem_init(&semaphore, 0, 0);
  (void)initialised;
  return &semaphore;
}

/// How often each was asked for.
std::atomic<int> dumpsWanted{0}, reportsWanted{0};

void onSignal(int signal) {
  const int keptErrno = errno;
  (signal == SIGQUIT ? dumpsWanted : reportsWanted).fetch_add(1);
  sem_post(wakeUps());
  errno = keptErrno;
}

/// Unless the process was told to ignore the signal.
void handle(int signal) {
  struct sigaction action = {}, present = {};
  sigaction(signal, nullptr, &present);
  if (present.sa_handler == SIG_IGN) return;
  action.sa_handler = onSignal;
  // On the signal stack, as the stack of Mu code may be full; and with all signals blocked, since the
  // collector must not find a thread there.
  action.sa_flags = SA_ONSTACK | SA_RESTART;
  sigfillset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

timespec deadlineAfter(double seconds) {
  timespec deadline;
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  constexpr double kLongest = 1e9;
  const double sum = static_cast<double>(deadline.tv_nsec) * 1e-9 + std::fmin(seconds, kLongest);
  deadline.tv_sec += static_cast<time_t>(sum);
  deadline.tv_nsec = static_cast<long>((sum - std::floor(sum)) * 1e9);
  return deadline;
}

/// Ends the process even if the threads cannot be dumped, because one of them holds what that needs.
void insistOnTheEnd() {
  constexpr unsigned kPatienceSeconds = 10;
  signal(SIGALRM, [](int) { _exit(kTimeout); });
  alarm(kPatienceSeconds);
}

void print(const std::string& text) { std::fputs(text.c_str(), stderr); }

}  // namespace

RunWatch::RunWatch(runtime::MicroVm& vm, double timeout, std::function<void()> report)
    : vm_(vm), report_(std::move(report)) {
  wakeUps();
  thread_ = std::thread([this, timeout] { watch(timeout); });
  handle(SIGQUIT);
  if (report_) handle(SIGUSR1);
}

RunWatch::~RunWatch() {
  isOver_ = true;
  sem_post(wakeUps());
  thread_.join();
}

void RunWatch::watch(double timeout) {
  const timespec deadline = deadlineAfter(timeout);
  while (true) {
    const int result =
        timeout > 0 ? sem_clockwait(wakeUps(), CLOCK_MONOTONIC, &deadline) : sem_wait(wakeUps());
    const bool isLate = result != 0 && errno == ETIMEDOUT;
    if (isOver_) return;
    if (result != 0 && !isLate) continue;
    if (!isLate) {
      if (dumpsWanted.exchange(0) > 0) print(runtime::dumpThreads(vm_));
      if (reportsWanted.exchange(0) > 0) report_();
      continue;
    }
    insistOnTheEnd();
    print(fmt::format("gaur: the program was ended: its time of {} s is over\n", timeout));
    print(runtime::dumpThreads(vm_));
    runtime::leaveProcess(kTimeout);
  }
}

}  // namespace gaur::tool
