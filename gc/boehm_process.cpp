// Start-up of Boehm's collector, its threads and the root hooks.
//
// A thread runs on its native stack or on a stack of the VM, which Boehm knows nothing of, and switching
// costs nothing: only when a collection begins is it found out where each thread stands. Stopped threads tell
// by a handler wrapped around Boehm's own signal handler; then Boehm's idea of each thread's stack bottom is
// set right just before it scans the stacks.
#include "gc/boehm_process.h"

#include <gc/gc_inline.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <span>

#include "gc/collector_lock.h"
#include "gc/gc_log.h"
#include "gc/heap_verifier.h"
#include "gc/interrupted_context.h"
#include "gc/mark_procedure.h"
#include "gc/marked_range.h"
#include "gc/owner_map.h"
#include "gc/watched_memory.h"
#include "vm/abi/code_owner.h"
#include "vm/support/check.h"
#include "vm/support/platform.h"

// Scanning reads stack memory that sanitizers hold to be out of bounds.
#define GAUR_SCANS_STACKS __attribute__((noinline, no_sanitize("address", "undefined")))

namespace gaur::gc {

/// A thread's use of one heap.
struct BoehmProcess::Attachment {
  RootProvider* provider;
  abi::ThreadBlock* block;
  Attachment* next;
};

struct BoehmProcess::NativeThread {
  void* handle;  // Boehm's
  std::uintptr_t bottom;
  bool registeredHere;
  Attachment* attachments;  // innermost first
  NativeThread* next;
  /// Where the thread stood when it was stopped, and the lowest word to scan: its registers lie in the signal
  /// frame between. 0 while it runs.
  volatile std::uintptr_t stoppedAt;
  volatile std::uintptr_t scanFrom;
  /// Null while it has been the only one.
  std::unique_ptr<BlockReserve> reserve;
  /// Whether it took blocks since the last collection.
  std::atomic<bool> allocates;
};

struct BoehmProcess::Provider {
  RootProvider* provider;
  bool verify;
  Provider* next;
};

/// Never freed, so that readers need no lock; a few a process. Without a provider it is none any more.
struct BoehmProcess::Image {
  std::atomic<RootProvider*> provider;
  ImmortalRange range;
  bool verify;
  Image* next;
};

__attribute__((tls_model(
    "initial-exec"))) thread_local constinit BoehmProcess::NativeThread* BoehmProcess::currentThread_ =
    nullptr;

namespace {

/// How far above an interrupted stack pointer a weak reference may lie that was loaded and not yet revealed.
constexpr std::uintptr_t kFreshBytes = 512;

/// After a collection the heap has room for so many times what is alive, but no more than kLargestRoom beside
/// it: marking costs a fraction of allocating then, and memory is not touched for nothing.
constexpr std::uint64_t kRoomFactor = 8;
constexpr std::uint64_t kLargestRoom = std::uint64_t{128} << 20;

/// Several threads that allocate would make collections so much more frequent, and each stops them all.
constexpr std::uint64_t kRoomOfThread = std::uint64_t{8} << 20;

/// A section of the heap this big asks for huge pages.
constexpr std::uint64_t kHugePagesFrom = std::uint64_t{4} << 20;

void setStackBottom(void* handle, std::uintptr_t bottom) {
  GC_stack_base base;
  base.mem_base = reinterpret_cast<void*>(bottom);
  GC_set_stackbottom(handle, &base);
}

/// Boehm by itself repeats signals that stay unanswered, and then has threads answer when they go on, too. A
/// thread that a signal of the program wakes just as the world starts goes on before it is counted as one
/// that has to answer; its answer is taken for one to the next stop, and that collection marks with a thread
/// running. Linux loses no signals, so there is nothing to repeat. Whoever sets the variable, by which alone
/// Boehm can be told, has his way.
void initialiseBoehm() {
  constexpr const char* kVariable = "GC_RETRY_SIGNALS";
  const bool isSet = std::getenv(kVariable) != nullptr;
  if (!isSet) setenv(kVariable, "0", 0);
  // Boehm would look for it in the list of all mappings.
  if (gettid() == getpid()) setStackBottom(nullptr, platform::nativeStack().end);
  GC_init();
  if (!isSet) unsetenv(kVariable);
}

/// After marking. Also true of what is no block of the collector: objects of boot images never die.
bool isReachable(const void* object) {
  void* block = GC_base(const_cast<void*>(object));
  return !block || GC_is_marked(block) != 0;
}

/// Who gets the roots instead of Boehm, or null.
RootVisitor* rootVisitor = nullptr;

/// Gathers words to push, since Boehm takes ranges of memory.
class WordBuffer {
 public:
  WordBuffer() = default;
  WordBuffer(const WordBuffer&) = delete;
  WordBuffer& operator=(const WordBuffer&) = delete;
  ~WordBuffer() { flush(); }
  void add(std::uintptr_t word) {
    if (rootVisitor) return rootVisitor->word(word, nullptr, Fit::MayLieBehind);
    words_[count_++] = word;
    if (count_ == std::size(words_)) flush();
  }

 private:
  void flush() {
    if (count_ != 0) GC_push_all_eager(words_, words_ + count_);
    count_ = 0;
  }
  std::uintptr_t words_[64];
  std::size_t count_ = 0;
};

void addOwners(WordBuffer& buffer, std::uintptr_t address, CellMark how, Fit fit) {
  if (rootVisitor) return rootVisitor->word(address, nullptr, fit);
  markCells(address, how);
  forEachOwner(address, fit, [&](const void* owner) { buffer.add(reinterpret_cast<std::uintptr_t>(owner)); });
}

/// What Boehm does not recognise in memory that may hold anything: tagged references, and addresses that
/// somebody owns.
GAUR_SCANS_STACKS void pushUnusualReferences(std::uintptr_t begin, std::uintptr_t end) {
  WordBuffer buffer;
  for (auto* p = reinterpret_cast<const std::uint64_t*>(begin);
       p < reinterpret_cast<const std::uint64_t*>(end); ++p) {
    if (abi::tagrefHoldsRef(*p)) buffer.add(abi::tagrefAddress(*p));
    if (mayHaveOwner(*p)) addOwners(buffer, *p, CellMark::Stack, Fit::MayLieBehind);
    if (mayBeWatched(*p)) noteWatched(*p);
  }
}

GAUR_SCANS_STACKS void pushHiddenReferences(std::uintptr_t begin, std::uintptr_t end) {
  WordBuffer buffer;
  for (auto* p = reinterpret_cast<const std::uint64_t*>(begin);
       p < reinterpret_cast<const std::uint64_t*>(end); ++p)
    if (*p >> 63 != 0) buffer.add(abi::revealWeak(*p));
}

/// A slot of something that is alive and not in the heap.
void pushSlot(RootSink& sink, WordBuffer& buffer, std::uint64_t* slot, abi::SlotKind kind) {
  switch (kind) {
    case abi::SlotKind::Strong: buffer.add(*slot); break;
    case abi::SlotKind::Tagged:
      if (abi::tagrefHoldsRef(*slot)) buffer.add(abi::tagrefAddress(*slot));
      break;
    case abi::SlotKind::Weak:
      if (*slot != 0 && !rootVisitor) addWeakSlot(slot);
      break;
    case abi::SlotKind::Interior:
    case abi::SlotKind::Code:
      if (mayHaveOwner(*slot)) {
        addOwners(buffer, *slot, CellMark::Value,
                  kind == abi::SlotKind::Code ? Fit::Exact : Fit::MayLieBehind);
      } else if (kind == abi::SlotKind::Interior) {
        buffer.add(*slot);
      }
      break;
    // Of an owner, which is never outside the heap.
    case abi::SlotKind::Owned: break;
    case abi::SlotKind::StackExtent:
      if (slot[0] != 0) sink.conservative(reinterpret_cast<void*>(slot[0]), reinterpret_cast<void*>(slot[1]));
      break;
  }
}

std::array<const void*, 5> rootsOf(const abi::ThreadBlock& block) {
  return {block.stack, block.threadLocal, block.exception, block.threadObject, block.hostStack};
}

void pushLists(abi::BlockKind kind, std::span<void* const> heads) {
  WordBuffer buffer;
  for (void* head : heads) {
    buffer.add(reinterpret_cast<std::uintptr_t>(head));
    // Nothing looks into pointer-free blocks, so their links keep nothing.
    if (kind == abi::BlockKind::Traced || !head) continue;
    for (void* block = *static_cast<void**>(head); block; block = *static_cast<void**>(block))
      buffer.add(reinterpret_cast<std::uintptr_t>(block));
  }
}

}  // namespace

VisitRoots::VisitRoots(RootVisitor& visitor) : before_(std::exchange(rootVisitor, &visitor)) {}
VisitRoots::~VisitRoots() { rootVisitor = before_; }

/// Tells of every word, as it is and as the reference that it may be the tagged form of.
GAUR_SCANS_STACKS void visitWords(RootVisitor& visitor, std::uintptr_t begin, std::uintptr_t end) {
  for (auto* p = reinterpret_cast<const std::uint64_t*>(begin);
       p < reinterpret_cast<const std::uint64_t*>(end); ++p)
    visitor.word(abi::tagrefHoldsRef(*p) ? abi::tagrefAddress(*p) : *p, p, Fit::MayLieBehind);
}

void visitThreadStacks(RootVisitor& visitor) { BoehmProcess::instance().visitThreadStacks(visitor); }
void visitThreadBlocks(RootVisitor& visitor) { BoehmProcess::instance().visitThreadBlocks(visitor); }
void visitImages(RootVisitor& visitor) {
  VisitRoots visit(visitor);
  BoehmProcess::instance().visitImages();
}

void forEachReachable(void (*visit)(void* ref, void* data), void* data) {
  struct Visit {
    void (*visit)(void* ref, void* data);
    void* data;
  } how{visit, data};
  GC_enumerate_reachable_objects_inner(
      [](void* block, std::size_t, void* given) {
        if (!BoehmProcess::instance().isOurs(GC_get_kind_and_size(block, nullptr))) return;
        abi::ObjectHeader header(*static_cast<const std::uint64_t*>(block));
        auto* told = static_cast<Visit*>(given);
        if (header.isLive()) told->visit(static_cast<char*>(block) + header.prefix(), told->data);
      },
      &how);
}

void RootSink::conservative(const void* begin, const void* end) {
  if (rootVisitor)
    return visitWords(*rootVisitor, reinterpret_cast<std::uintptr_t>(begin),
                      reinterpret_cast<std::uintptr_t>(end));
  GC_push_all_eager(const_cast<void*>(begin), const_cast<void*>(end));
  pushUnusualReferences(reinterpret_cast<std::uintptr_t>(begin), reinterpret_cast<std::uintptr_t>(end));
}

void RootSink::word(std::uintptr_t value) {
  std::uintptr_t target = abi::tagrefHoldsRef(value) ? abi::tagrefAddress(value) : value;
  if (rootVisitor) return rootVisitor->word(target, nullptr, Fit::MayLieBehind);
  GC_push_all_eager(&target, &target + 1);
  if (!mayHaveOwner(target)) return;
  WordBuffer buffer;
  addOwners(buffer, target, CellMark::Value, Fit::MayLieBehind);
}

void RootSink::owned(std::uintptr_t address) {
  WordBuffer buffer;
  if (mayHaveOwner(address)) addOwners(buffer, address, CellMark::Value, Fit::Exact);
}

void RootSink::cell(const abi::GcMap& map, void* base) {
  WordBuffer buffer;
  abi::forEachSlot(map, reinterpret_cast<std::uintptr_t>(base),
                   [&](std::uint64_t* slot, abi::SlotKind kind) { pushSlot(*this, buffer, slot, kind); });
}

void RootSink::freeLists(const abi::AllocationLists& lists) {
  for (std::size_t kind = 0; kind < abi::kBlockKinds; ++kind)
    pushLists(static_cast<abi::BlockKind>(kind), lists.heads[kind]);
}

BoehmProcess& BoehmProcess::instance() {
  static auto* process = new BoehmProcess;  // hooks point to it as long as the process lives
  return *process;
}

BoehmProcess::BoehmProcess() {
  initializeMarking();
  if (GC_is_init_called() == 0) {
    GC_set_markers_count(1);  // the mark procedure gathers weak slots without locks
    GC_set_no_dls(1);
    GC_set_dont_precollect(1);
    GC_set_pages_executable(0);
    GC_set_handle_fork(-1);  // surviveForks
    initialiseBoehm();
    GC_clear_roots();  // static data holds no references of ours
  }
  GC_set_finalize_on_demand(1);
  GC_set_warn_proc(logWarning);
  GC_set_oom_fn([](std::size_t) -> void* { return nullptr; });
  GC_allow_register_threads();
  // Main threads stay known to Boehm; another one may end before the VM does.
  if (syscall(SYS_gettid) != getpid()) GC_unregister_my_thread();

  unsigned procedure = GC_new_proc(markObject);
  setMarkProcedures(procedure, GC_new_proc(markWords));
  auto makeKind = [](GC_word descriptor, bool cleared) {
    return static_cast<int>(GC_new_kind(GC_new_free_list(), descriptor, 0, cleared));
  };
  kinds_ = {{makeKind(GC_MAKE_PROC(procedure, 0), false), makeKind(0, false)},
            {makeKind(GC_MAKE_PROC(procedure, 0), true), makeKind(0, true)}};

  pushThreadStacks_ = GC_get_push_other_roots();
  GC_set_push_other_roots(pushOtherRoots);
  GC_set_on_collection_event(handleEvent);

  sigaction(GC_get_suspend_signal(), nullptr, &suspensionAction_);
  struct sigaction wrapped = suspensionAction_;
  wrapped.sa_flags |= SA_SIGINFO;
  wrapped.sa_sigaction = handleSuspension;
  sigaction(GC_get_suspend_signal(), &wrapped, nullptr);
  surviveForks();
}

/// A fork waits until nobody is in the collector; the child has one thread, and forgets the others.
void BoehmProcess::surviveForks() {
  auto prepare = [] {
    instance().supply_.halt();
    GC_atfork_prepare();
  };
  auto parent = [] {
    GC_atfork_parent();
    instance().supply_.go();
  };
  auto child = [] {
    BoehmProcess& self = instance();
    GC_atfork_child();
    self.threads_ = currentThread_;
    if (currentThread_) currentThread_->next = nullptr;
    self.threadCount_.store(currentThread_ ? 1 : 0, std::memory_order_relaxed);
    if (self.writtenPages_) self.writtenPages_->reopen();
    self.supply_.go();
  };
  pthread_atfork(prepare, parent, child);
}

void BoehmProcess::addProvider(RootProvider& provider, const HeapOptions& options) {
  if (options.maxBytes != 0) {
    maxBytes_ = options.maxBytes;
    GC_set_max_heap_size(maxBytes_);
  }
  // At once is soon enough when somebody allocates: a program that ends before that needs none of it.
  want(options.initialBytes);
  // With any stop function but its own, Boehm sweeps everything before it marks: no dead object with stale
  // references remains that the verifier could take for a live one.
  if (options.verify) GC_set_stop_func([] { return 0; });
  auto* entry = new Provider{&provider, options.verify, nullptr};
  withCollectorLock([&] {
    entry->next = providers_;
    providers_ = entry;
  });
}

void BoehmProcess::want(std::uint64_t bytes) {
  std::uint64_t wanted = wantedBytes_.load(std::memory_order_relaxed);
  while (wanted < bytes && !wantedBytes_.compare_exchange_weak(wanted, bytes, std::memory_order_relaxed)) {
  }
}

void BoehmProcess::expandTo(std::uint64_t bytes) {
  if (maxBytes_ != 0) bytes = std::min(bytes, maxBytes_);
  GC_prof_stats_s stats;
  GC_get_prof_stats(&stats, sizeof stats);
  if (stats.heapsize_full >= bytes || GC_expand_hp(bytes - stats.heapsize_full) == 0) return;
  // Huge pages save most of the faults and of the misses in the TLB. Boehm does not tell where the new memory
  // is; a block as big as it, which is never written, does.
  std::uint64_t fresh = (bytes - stats.heapsize_full) & ~(platform::pageSize() - 1);
  if (fresh < kHugePagesFrom) return;
  void* block = GC_malloc_atomic_ignore_off_page(fresh - platform::pageSize());
  if (!block) return;
  platform::preferHugePages(block, fresh - platform::pageSize());
  GC_free(block);
}

std::uint64_t BoehmProcess::wantedSize(std::uint64_t live) {
  std::uint64_t room = live * kRoomFactor;
  std::uint64_t roomOfThreads = 0;
  for (NativeThread* thread = threads_; thread; thread = thread->next)
    if (thread->allocates.exchange(false, std::memory_order_relaxed)) roomOfThreads += kRoomOfThread;
  // One thread is content with what the heap began with.
  if (roomOfThreads > kRoomOfThread) room = std::max(room, roomOfThreads);
  return live + std::min(room, kLargestRoom);
}

bool BoehmProcess::refill(abi::AllocationLists& lists, abi::BlockKind kind, std::uint64_t bytes) {
  if (firstLists_.load(std::memory_order_relaxed) <= 0)
    growIfTight();
  else
    firstLists_.fetch_sub(1, std::memory_order_relaxed);
  NativeThread& thread = *currentThread_;
  thread.allocates.store(true, std::memory_order_relaxed);
  auto number = static_cast<unsigned>(kind);
  std::size_t granules = bytes / abi::kGranule;
  void*& head = lists.heads[number][granules];
  if (threadCount_.load(std::memory_order_relaxed) == 1) {
    GC_generic_malloc_many(bytes, kinds_.listed[number], &head);
    return head != nullptr;
  }
  if (!thread.reserve) {
    auto reserve = std::make_unique<BlockReserve>();
    // A collection between any two instructions looks into it.
    std::atomic_signal_fence(std::memory_order_release);
    thread.reserve = std::move(reserve);
  }
  return supply_.refill(head, thread.reserve->sizes[number][granules], bytes, kinds_.listed[number]);
}

void BoehmProcess::grow() { expandTo(wantedBytes_.exchange(0, std::memory_order_relaxed)); }

void BoehmProcess::removeProvider(RootProvider& provider) {
  Provider* removed = nullptr;
  withCollectorLock([&] {
    for (Provider** link = &providers_; *link; link = &(*link)->next) {
      if ((*link)->provider != &provider) continue;
      removed = *link;
      *link = removed->next;
      break;
    }
    for (const NativeThread* thread = threads_; thread; thread = thread->next)
      for (const Attachment* attachment = thread->attachments; attachment; attachment = attachment->next)
        GAUR_CHECK(attachment->provider != &provider, "a thread is still attached to a heap that goes away");
    for (Image* image = images_.load(std::memory_order_relaxed); image; image = image->next)
      if (image->provider.load(std::memory_order_relaxed) == &provider)
        image->provider.store(nullptr, std::memory_order_relaxed);
    if (providers_) return;
    GC_set_max_heap_size(0);
    maxBytes_ = 0;
  });
  delete removed;
}

void BoehmProcess::attachThread(RootProvider& provider, abi::ThreadBlock& block) {
  NativeThread* thread = currentThread_;
  bool isNew = thread == nullptr;
  if (isNew) {
    thread = new NativeThread{};
    thread->bottom = platform::nativeStack().end;
    GC_stack_base base;
    base.mem_base = reinterpret_cast<void*>(thread->bottom);
    thread->registeredHere = GC_thread_is_registered() == 0 && GC_register_my_thread(&base) == GC_SUCCESS;
    thread->handle = GC_get_my_stackbottom(&base);
    currentThread_ = thread;
  }
  auto* attachment = new Attachment{&provider, &block, nullptr};
  withCollectorLock([&] {
    attachment->next = thread->attachments;
    thread->attachments = attachment;
    if (!isNew) return;
    thread->next = threads_;
    threads_ = thread;
    threadCount_.fetch_add(1, std::memory_order_relaxed);
  });
}

void BoehmProcess::detachThread(abi::ThreadBlock& block) {
  NativeThread* thread = currentThread_;
  GAUR_CHECK(thread != nullptr, "thread is not attached");
  Attachment* removed = nullptr;
  withCollectorLock([&] {
    for (Attachment** link = &thread->attachments; *link; link = &(*link)->next) {
      if ((*link)->block != &block) continue;
      removed = *link;
      *link = removed->next;
      break;
    }
    if (thread->attachments) return;
    for (NativeThread** link = &threads_; *link; link = &(*link)->next) {
      if (*link != thread) continue;
      *link = thread->next;
      threadCount_.fetch_sub(1, std::memory_order_relaxed);
      break;
    }
    setStackBottom(thread->handle, thread->bottom);
  });
  GAUR_CHECK(removed != nullptr, "thread is not attached with this block");
  delete removed;
  if (thread->attachments) return;
  if (thread->registeredHere) GC_unregister_my_thread();
  currentThread_ = nullptr;
  delete thread;
}

bool BoehmProcess::isAttached() { return currentThread_ != nullptr; }

void BoehmProcess::handleSuspension(int signal, siginfo_t* info, void* context) {
  if (NativeThread* thread = currentThread_) {
    thread->stoppedAt = interruptedStackPointer(context);
    thread->scanFrom = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  }
  const struct sigaction& next = instance().suspensionAction_;
  if ((next.sa_flags & SA_SIGINFO) != 0) {
    next.sa_sigaction(signal, info, context);
  } else {
    next.sa_handler(signal);
  }
}

void BoehmProcess::handleEvent(GC_EventType event) {
  BoehmProcess& self = instance();
  switch (event) {
    case GC_EVENT_START: self.startTime_ = platform::monotonicTime(); break;
    case GC_EVENT_PRE_STOP_WORLD:
      self.stopTime_ = platform::monotonicTime();
      for (NativeThread* thread = self.threads_; thread; thread = thread->next) thread->stoppedAt = 0;
      break;
    case GC_EVENT_MARK_START:
      startMarking();
      beginWatching();
      break;
    case GC_EVENT_MARK_END:
      endMarking();
      endWatching();
      self.verify();
      for (const Provider* entry = self.providers_; entry; entry = entry->next)
        entry->provider->afterMarking(isReachable);
      break;
    case GC_EVENT_POST_START_WORLD:
      self.pause_ = platform::monotonicTime() - self.stopTime_;
      self.times_.longestPauseNanoseconds = std::max(self.times_.longestPauseNanoseconds, self.pause_);
      break;
    case GC_EVENT_END: {
      std::uint64_t duration = platform::monotonicTime() - self.startTime_;
      GC_prof_stats_s stats;
      GC_get_prof_stats_unsafe(&stats, sizeof stats);
      std::uint64_t live = stats.heapsize_full - stats.free_bytes_full;
      std::uint64_t wanted = self.wantedSize(live);
      if (wanted > stats.heapsize_full) self.want(wanted);
      self.times_.totalNanoseconds += duration;
      logCollection(duration, self.pause_);
      break;
    }
    default: break;
  }
}

void BoehmProcess::pushOtherRoots() {
  // What callers left in registers is in this frame then, above the frame of the function that scans.
  __builtin_unwind_init();
  instance().pushRoots();
  asm volatile("" ::: "memory");  // no tail call
}

/// Looks from the attachment `found` outwards, and leaves there the one whose stack it is.
StackRange BoehmProcess::muStackOf(std::uintptr_t sp, const Attachment*& found) const {
  for (; found; found = found->next)
    if (StackRange stack = found->provider->muStackOf(sp); !stack.isEmpty()) return stack;
  return {};
}

/// Calls f(begin, stack, sp) for the parts of stacks that a thread occupies, the one it stands on first: a
/// stack of the VM, below that the native part from which it was entered (or, where another VM was active
/// then, first a stack of that one).
template <class F>
void BoehmProcess::forEachStackPart(const NativeThread& thread, F&& f) {
  std::uintptr_t begin = thread.scanFrom;
  std::uintptr_t sp = thread.stoppedAt;
  // VMs may call each other to and fro: each stack further out belongs to an older attachment.
  const Attachment* attachment = thread.attachments;
  while (sp != 0) {
    StackRange stack = muStackOf(sp, attachment);
    if (!attachment) stack.end = thread.bottom;
    f(begin, stack, sp);
    if (!attachment) break;
    begin = sp = reinterpret_cast<std::uintptr_t>(attachment->block->nativeStackPointer);
    attachment = attachment->next;
  }
}

GAUR_SCANS_STACKS void BoehmProcess::pushRoots() {
  if (NativeThread* self = currentThread_) {
    self->stoppedAt = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    self->scanFrom = self->stoppedAt;
  }
  for (const NativeThread* thread = threads_; thread; thread = thread->next) {
    setStackBottom(thread->handle, thread->bottom);
    forEachStackPart(*thread, [&](std::uintptr_t begin, const StackRange& stack, std::uintptr_t sp) {
      if (sp == thread->stoppedAt) {
        setStackBottom(thread->handle, stack.end);
      } else {
        GC_push_all_eager(reinterpret_cast<void*>(begin), reinterpret_cast<void*>(stack.end));
      }
    });
  }
  pushThreadStacks_();
  RootSink sink;
  for (const NativeThread* thread = threads_; thread; thread = thread->next) {
    forEachStackPart(*thread, [&](std::uintptr_t begin, const StackRange& stack, std::uintptr_t sp) {
      sink.word(reinterpret_cast<std::uintptr_t>(stack.owner));
      pushUnusualReferences(begin, stack.end);
      if (sp == thread->stoppedAt && thread != currentThread_)
        pushHiddenReferences(begin, std::min(stack.end, sp + kFreshBytes));
    });
    for (std::size_t kind = 0; thread->reserve && kind < abi::kBlockKinds; ++kind)
      for (const BlockReserve::Size& size : thread->reserve->sizes[kind])
        pushLists(static_cast<abi::BlockKind>(kind), size.lists);
    for (const Attachment* attachment = thread->attachments; attachment; attachment = attachment->next) {
      const abi::ThreadBlock& block = *attachment->block;
      sink.freeLists(block.allocation);
      for (const void* root : rootsOf(block)) sink.word(reinterpret_cast<std::uintptr_t>(root));
    }
  }
  for (const Provider* entry = providers_; entry; entry = entry->next) entry->provider->pushRoots(sink);
  pushImages();
}

void BoehmProcess::visitThreadStacks(RootVisitor& visitor) {
  for (const NativeThread* thread = threads_; thread; thread = thread->next)
    forEachStackPart(*thread, [&](std::uintptr_t begin, const StackRange& stack, std::uintptr_t) {
      visitor.word(reinterpret_cast<std::uintptr_t>(stack.owner), nullptr, Fit::Exact);
      visitWords(visitor, begin, stack.end);
    });
}

void BoehmProcess::visitThreadBlocks(RootVisitor& visitor) {
  for (const NativeThread* thread = threads_; thread; thread = thread->next)
    for (const Attachment* attachment = thread->attachments; attachment; attachment = attachment->next)
      for (const void* root : rootsOf(*attachment->block))
        visitor.word(reinterpret_cast<std::uintptr_t>(root), nullptr, Fit::Exact);
}

bool BoehmProcess::isOurs(int kind) const {
  bool isOurs = false;
  for (std::size_t i = 0; i < abi::kBlockKinds; ++i)
    isOurs |= kind == kinds_.listed[i] || kind == kinds_.single[i];
  return isOurs;
}

/// Untouched pages refer to nothing but the image they belong to.
void BoehmProcess::pushImages() {
  RootSink sink;
  WordBuffer buffer;
  forEachWrittenRun([&](const Image& image, WrittenPages::Run run) {
    forEachBlock(image.range, run.begin, run.end, [&](std::uint64_t* block) {
      forEachSlotWithin(block, run.begin, run.end,
                        [&](std::uint64_t* slot, abi::SlotKind kind) { pushSlot(sink, buffer, slot, kind); });
    });
  });
}

template <class F>
void BoehmProcess::forEachWrittenRun(F&& f) const {
  for (const Image* image = images_.load(std::memory_order_acquire); image; image = image->next) {
    if (!image->provider.load(std::memory_order_relaxed)) continue;
    writtenPages_->forEach(image->range.begin, image->range.end,
                           [&](WrittenPages::Run run) { f(*image, run); });
  }
}

void BoehmProcess::verify() const {
  for (const Provider* entry = providers_; entry; entry = entry->next) {
    if (!entry->verify) continue;
    verifyHeap(kinds_);
    break;
  }
  forEachWrittenRun([](const Image& image, WrittenPages::Run run) {
    if (image.verify) verifyImage(image.range, run.begin, run.end);
  });
}

void BoehmProcess::addImmortal(RootProvider& provider, const ImmortalRange& range) {
  GAUR_CHECK(range.begin % platform::pageSize() == 0 && range.begin <= range.end &&
             range.end % abi::kGranule == 0);
  auto* image = new Image{&provider, range, false, nullptr};
  withCollectorLock([&] {
    for (const Provider* entry = providers_; entry; entry = entry->next)
      if (entry->provider == &provider) image->verify = entry->verify;
    if (!writtenPages_) writtenPages_.emplace();
    image->next = images_.load(std::memory_order_relaxed);
    images_.store(image, std::memory_order_release);
  });
}

const ImmortalRange* BoehmProcess::immortalRangeAt(std::uintptr_t address) const {
  for (const Image* image = images_.load(std::memory_order_acquire); image; image = image->next)
    if (image->provider.load(std::memory_order_relaxed) &&
        address - image->range.begin < image->range.end - image->range.begin)
      return &image->range;
  return nullptr;
}

/// The object whose fields hold this byte.
void* BoehmProcess::objectHolding(std::uintptr_t address) const {
  void* block = GC_base(reinterpret_cast<void*>(address));
  if (!block) {
    const ImmortalRange* range = immortalRangeAt(address);
    return range ? gc::objectHolding(*range, address) : nullptr;
  }
  if (!isOurs(GC_get_kind_and_size(block, nullptr))) return nullptr;
  abi::ObjectHeader header(*static_cast<const std::uint64_t*>(block));
  if (!header.isLive()) return nullptr;
  auto ref = reinterpret_cast<std::uintptr_t>(block) + header.prefix();
  return address >= ref ? reinterpret_cast<void*>(ref) : nullptr;
}

void* BoehmProcess::objectContaining(std::uintptr_t address) const {
  if (void* object = objectHolding(address)) return object;
  // No object has a field where a block starts: the address is one past the end of the object before.
  void* before = objectHolding(address - 1);
  return before;
}

}  // namespace gaur::gc
