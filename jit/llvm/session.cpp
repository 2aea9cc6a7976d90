#include "jit/llvm/session.h"

#include <algorithm>

#include "vm/support/check.h"

namespace gaur::jit {

namespace orc = llvm::orc;

namespace {

constexpr std::uint64_t kRemovalsBetweenSweeps = 1000;

}  // namespace

class Session::Unit : public CodeUnit {
 public:
  Unit(Session& session, orc::ResourceTrackerSP tracker, LinkJob job, std::vector<Inlining> inlinings)
      : session_(session),
        tracker_(std::move(tracker)),
        rows_(std::move(job.rows)),
        entries_(std::move(job.entries)),
        inlinings_(std::move(inlinings)),
        absoluteWords_(std::move(job.absoluteWords)),
        linkedPlaces_(std::move(job.linkedPlaces)),
        block_{job.begin,   job.end,          rows_.functions,  rows_.rows,
               rows_.saved, rows_.keepalives, rows_.watchpoints} {
    session_.map_.add(block_);
  }
  ~Unit() override {
    session_.map_.remove(block_);
    auto error = tracker_->remove();
    GAUR_CHECK(!error, llvm::toString(std::move(error)));
    session_.countRemoval();
  }

  const abi::CodeBlock& block() const override { return block_; }
  std::span<const Inlining> inlinings() const override { return inlinings_; }
  std::span<const AbsoluteWord> absoluteWords() const override { return absoluteWords_; }
  std::span<const std::uintptr_t> linkedPlaces() const override { return linkedPlaces_; }
  void* entryOf(Id version) const override {
    auto entry =
        std::lower_bound(entries_.begin(), entries_.end(), std::pair<Id, std::uintptr_t>{version, 0});
    return entry != entries_.end() && entry->first == version ? reinterpret_cast<void*>(entry->second)
                                                              : nullptr;
  }

 private:
  Session& session_;
  orc::ResourceTrackerSP tracker_;
  CodeRows rows_;
  std::vector<std::pair<Id, std::uintptr_t>> entries_;
  std::vector<Inlining> inlinings_;
  std::vector<AbsoluteWord> absoluteWords_;
  std::vector<std::uintptr_t> linkedPlaces_;
  abi::CodeBlock block_;
};

Session::Session(std::unique_ptr<orc::ExecutionSession> session, CodeSlab& slab, CodeMap& map,
                 bool keepAbsoluteWords)
    : map_(map),
      movableWithin_(keepAbsoluteWords ? &slab : nullptr),
      memory_(slab),
      session_(std::move(session)),
      plugin_(std::make_shared<LinkPlugin>()),
      layer_(std::make_unique<orc::ObjectLinkingLayer>(*session_, memory_)),
      dylib_(&session_->createBareJITDylib("gaur")) {
  layer_->addPlugin(plugin_);
  session_->setErrorReporter([this](llvm::Error error) {
    std::lock_guard lock(reportsMutex_);
    reports_ += llvm::toString(std::move(error));
  });
}

Session::~Session() {
  auto error = session_->endSession();
  GAUR_CHECK(!error, llvm::toString(std::move(error)));
}

Result<std::unique_ptr<Session>> Session::create(CodeSlab& slab, CodeMap& map, bool keepAbsoluteWords) {
  auto process = bridge::thisProcess();
  if (!process) return makeError(ErrorId::CompilerUnavailable, {llvm::toString(process.takeError())});
  auto session = std::make_unique<orc::ExecutionSession>(std::move(*process));
  return std::unique_ptr<Session>(new Session(std::move(session), slab, map, keepAbsoluteWords));
}

std::string Session::takeReports() {
  std::lock_guard lock(reportsMutex_);
  return std::exchange(reports_, {});
}

void Session::countRemoval() {
  std::uint64_t removals = removals_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (removals % kRemovalsBetweenSweeps == 0) session_->getSymbolStringPool()->clearDeadEntries();
}

Result<std::unique_ptr<CodeUnit>> Session::link(std::unique_ptr<llvm::MemoryBuffer> object,
                                                const ExternalAddresses& externals,
                                                const LinkedSymbols& symbols, std::vector<Inlining> inlinings,
                                                const std::string& what) {
  std::uint64_t number = units_.fetch_add(1, std::memory_order_relaxed) + 1;
  std::string unitSymbol = "unit" + std::to_string(number);
  LinkJob job;
  job.externals = &externals;
  job.symbols = &symbols;
  job.movableWithin = movableWithin_;
  plugin_->enter(unitSymbol, job);

  auto name = session_->intern(unitSymbol);
  orc::MaterializationUnit::Interface interface(
      {{name, llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable}}, nullptr);
  auto tracker = dylib_->createResourceTracker();
  llvm::Error error = layer_->add(tracker, std::move(object), std::move(interface));
  if (!error) error = session_->lookup({dylib_}, name).takeError();
  plugin_->leave(unitSymbol);
  if (error) {
    std::string text = llvm::toString(std::move(error));
    std::string reports = takeReports();
    if (!job.error.empty())
      text = job.error;
    else if (!reports.empty())
      text = reports;
    llvm::consumeError(tracker->remove());
    return makeError(ErrorId::CompilationFailed, {what, text});
  }
  return std::unique_ptr<CodeUnit>(new Unit(*this, std::move(tracker), std::move(job), std::move(inlinings)));
}

}  // namespace gaur::jit
