#include "vm/runtime/thread_dump.h"

#include <fmt/format.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>
#include <vector>

#include "vm/runtime/backtrace.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/register_file.h"
#include "vm/runtime/resumption.h"
#include "vm/runtime/thread.h"

namespace gaur::runtime {

namespace {

constexpr std::size_t kShownStacks = 32;

// --- Threads: each walks its own stack when it is asked to ------------------------------------------------

/// The question to one thread at a time. It is never freed: a thread may come late.
struct Question {
  enum State : std::uint64_t { kNone, kAsked, kTaken, kAnswered };
  static std::uint64_t word(int nativeId, State state) {
    return static_cast<std::uint64_t>(nativeId) << 2 | state;
  }

  std::atomic<std::uint64_t> state{kNone};
  Thread* thread = nullptr;
  BacktraceEnds frames;
};
Question question;
std::mutex dumpMutex;

int dumpSignal() { return SIGRTMIN + 3; }

/// In the interrupted thread, on its signal stack.
void answer(int, siginfo_t*, void* context) {
  const int keptErrno = errno;
  const int self = gettid();
  std::uint64_t expected = Question::word(self, Question::kAsked);
  if (question.state.compare_exchange_strong(expected, Question::word(self, Question::kTaken),
                                             std::memory_order_acq_rel)) {
    Thread& thread = *question.thread;
    BacktraceWalk walk(thread.vm(), thread, context);
    for (BacktraceFrame frame; walk.next(frame);) question.frames.add(frame);
    question.state.store(Question::word(self, Question::kAnswered), std::memory_order_release);
  }
  errno = keptErrno;
}

void installDumpHandler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = answer;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    // The collector would take the signal stack for the stack of the thread, so it has to wait.
    sigfillset(&action.sa_mask);
    sigaction(dumpSignal(), &action, nullptr);
  });
}

bool isAnsweredWithin(int nativeId, unsigned milliseconds) {
  constexpr timespec kPause{0, 100'000};
  for (unsigned i = 0; i < 10 * milliseconds; ++i) {
    if (question.state.load(std::memory_order_acquire) == Question::word(nativeId, Question::kAnswered))
      return true;
    nanosleep(&kPause, nullptr);
  }
  return false;
}

/// Nothing where the thread does not take the signal.
std::optional<BacktraceEnds> framesOf(Thread& thread) {
  constexpr unsigned kPatience = 2000;
  const int id = thread.nativeId();
  // Somebody still walks for a dump that was given up.
  if ((question.state.load(std::memory_order_acquire) & 3) == Question::kTaken) return std::nullopt;
  question.thread = &thread;
  question.frames.clear();
  std::uint64_t asked = Question::word(id, Question::kAsked);
  question.state.store(asked, std::memory_order_release);
  if (tgkill(getpid(), id, dumpSignal()) != 0) return std::nullopt;
  if (!isAnsweredWithin(id, kPatience)) {
    if (question.state.compare_exchange_strong(asked, Question::kNone)) return std::nullopt;
    if (!isAnsweredWithin(id, kPatience)) return std::nullopt;
  }
  question.state.store(Question::kNone, std::memory_order_relaxed);
  return question.frames;
}

// --- Stacks: read while the collector has stopped all threads ---------------------------------------------

struct WaitingStack {
  const abi::StackObject* object;
  BacktraceEnds frames;
};

class StackObserver final : public Roots::Observer {
 public:
  explicit StackObserver(MicroVm& vm) : vm_(vm) { stacks_.reserve(kShownStacks); }

  void observe() override {
    stacks_.clear();
    count_ = 0;
    vm_.stacks().forEach([this](const Stack& stack) {
      const abi::StackObject* object = stack.object;
      if (!object || !isReady(*object)) return;
      if (count_++ < kShownStacks) record(*object);
    });
  }

  std::size_t count() const { return count_; }
  const std::vector<WaitingStack>& stacks() const { return stacks_; }

 private:
  void record(const abi::StackObject& object) {
    const auto* saved = static_cast<const abi::SavedFrame*>(object.savedPointer);
    UnwindRegisters at{};
    framePointerOf(at) = reinterpret_cast<std::uintptr_t>(saved->framePointer);
    at.pc = reinterpret_cast<std::uintptr_t>(saved->pc);
    at.stackPointer = reinterpret_cast<std::uintptr_t>(saved + 1);
    stacks_.push_back({&object, {}});
    BacktraceWalk walk(vm_, nullptr, at);
    for (BacktraceFrame frame; walk.next(frame);) stacks_.back().frames.add(frame);
  }

  MicroVm& vm_;
  std::vector<WaitingStack> stacks_;
  std::size_t count_ = 0;
};

struct ThreadRecord {
  int nativeId;
  bool isOnMuStack;
  std::optional<BacktraceEnds> frames;
};

std::string describe(MicroVm& vm, const ThreadRecord& thread) {
  std::string text =
      fmt::format("  thread {}{}", thread.nativeId, thread.nativeId == getpid() ? " (the first)" : "");
  if (!thread.frames) return text + ": does not take signals\n";
  if (thread.frames->count() == 0)
    return text + (thread.isOnMuStack ? ": works for its stack on its native stack\n"
                                      : ": on no stack of Mu code\n");
  return text + "\n" + formatBacktrace(vm, *thread.frames);
}

std::string counted(std::size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// `unseen`: a thread that is attached for the dump alone, or null.
std::string dumpWithout(const Thread* unseen, MicroVm& vm) {
  std::vector<ThreadRecord> records;
  StackObserver stacks(vm);
  vm.threads().forEach(
      [&](Thread& thread) {
        if (&thread == unseen) return;
        const bool isOnMuStack = thread.block().stack != nullptr;
        records.push_back({thread.nativeId(), isOnMuStack, framesOf(thread)});
      },
      [&] {
        vm.roots().setObserver(&stacks);
        vm.heap().collect();
        vm.roots().setObserver(nullptr);
      });
  std::string text = fmt::format("gaur: {}, {}\n", counted(records.size(), "thread"),
                                 counted(stacks.count(), "READY stack"));
  std::reverse(records.begin(), records.end());
  for (const ThreadRecord& record : records) text += describe(vm, record);
  for (const WaitingStack& stack : stacks.stacks())
    text += fmt::format("  stack {}\n{}", static_cast<const void*>(stack.object),
                        formatBacktrace(vm, stack.frames));
  if (std::size_t shown = stacks.stacks().size(); shown < stacks.count())
    text += fmt::format("  ... {} more READY stacks\n", stacks.count() - shown);
  return text;
}

}  // namespace

std::string dumpThreads(MicroVm& vm) {
  std::lock_guard lock(dumpMutex);
  installDumpHandler();
  Thread* present = Thread::current();
  const bool isAttached = present && &present->vm() == &vm;
  std::string text;
  Thread::attachedTo(vm, [&](Thread& self) { text = dumpWithout(isAttached ? nullptr : &self, vm); });
  return text;
}

}  // namespace gaur::runtime
