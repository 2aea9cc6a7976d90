#include "bootimage/stack_snapshot.h"

#include <algorithm>

#include "vm/abi/object.h"
#include "vm/runtime/resumption.h"

namespace gaur::bootimage {

namespace {

constexpr std::uint64_t kWordBytes = sizeof(std::uint64_t);

std::uintptr_t addressOf(const void* object) { return reinterpret_cast<std::uintptr_t>(object); }

}  // namespace

StackSnapshot::StackSnapshot(runtime::MicroVm& vm, MachineAddresses& addresses, HeapSnapshot& heap)
    : vm_(vm), addresses_(addresses), heap_(heap) {
  runtime::fillLinkTable(links_, vm.stacks());
}

// --- Tracing ----------------------------------------------------------------------------------------------

Result<void> StackSnapshot::trace() {
  while (!isTraced()) {
    if (symbols_.empty())
      for (auto& [name, address] : vm_.nativeSymbols().known()) symbols_.emplace(addressOf(address), name);
    GAUR_TRY(trace(*heap_.stacks()[stacks_.size()]));
  }
  return {};
}

Result<void> StackSnapshot::trace(const abi::StackObject& object) {
  GAUR_TRY_ASSIGN(std::vector<runtime::CodeWord> codeWords, runtime::codeWordsOf(vm_, object));
  const auto* begin = static_cast<const std::uint64_t*>(object.savedPointer);
  Stack stack{&object, {begin, reinterpret_cast<const std::uint64_t*>(object.top)}, {}};
  // Of the innermost, for messages.
  std::string name = "a stack";
  std::vector<bool> isCode(stack.words.size());
  for (const runtime::CodeWord& word : codeWords) {
    addCodeWord(stack, word);
    isCode[static_cast<std::size_t>(reinterpret_cast<const std::uint64_t*>(word.place) - begin)] = true;
    if (name == "a stack" && word.site.function && word.site.function->record)
      name = "a frame of " + ir::describe(*word.site.function->record->function);
  }
  for (std::size_t i = 0; i < stack.words.size(); ++i)
    if (!isCode[i]) GAUR_TRY(addValue(stack, i, name));
  stacks_.push_back(std::move(stack));
  return {};
}

void StackSnapshot::addCodeWord(Stack& stack, const runtime::CodeWord& word) {
  const std::uint64_t index = (addressOf(word.place) - addressOf(stack.object->savedPointer)) / kWordBytes;
  StackFix fix{StackFix::Kind::Address, 0, index, 0};
  switch (word.kind) {
    case runtime::CodeWord::Kind::Return: {
      const std::uint32_t number = numberOf(*word.site.block, word.signature);
      fix.value = *word.place - word.site.block->begin;
      stack.fixes.push_back({fix, Word::From::Code, number});
      return;
    }
    case runtime::CodeWord::Kind::Stub: {
      auto stubs = runtime::stackStubs();
      auto stub = std::find(stubs.begin(), stubs.end(), reinterpret_cast<void*>(*word.place));
      fix = {StackFix::Kind::Stub, 0, index, static_cast<std::uint64_t>(stub - stubs.begin())};
      break;
    }
    case runtime::CodeWord::Kind::StartAdapter:
      fix = {StackFix::Kind::StartAdapter, 0, index, word.signature->index};
      break;
  }
  stack.fixes.push_back({fix});
}

/// A word of the stack that is no address of code where the walk over the frames expects one.
Result<void> StackSnapshot::addValue(Stack& stack, std::uint64_t index, const std::string& name) {
  std::uint64_t& word = stack.words[index];
  if (abi::tagrefHoldsRef(word)) {
    void* object = vm_.heap().objectContaining(abi::tagrefAddress(word));
    const std::uint64_t copy = object == reinterpret_cast<void*>(abi::tagrefAddress(word)) && object
                                   ? heap_.addFromFrame(object, name)
                                   : 0;
    if (copy == 0) return {};
    word = (word & ~(abi::kTagrefAddressMask | abi::kTagrefSign)) | copy;
    stack.fixes.push_back({{StackFix::Kind::Address, 0, index, 0}});
    return {};
  }
  if (word == 0) return {};
  // Compiled code keeps what it has loaded from the table, which never changes. One of its words is a number.
  constexpr std::size_t kNumber =
      (offsetof(abi::LinkTable, stacks) + offsetof(abi::StackTable, bytes)) / kWordBytes;
  static_assert(sizeof(abi::LinkTable) % kWordBytes == 0);
  const auto* links = reinterpret_cast<const std::uint64_t*>(&links_);
  for (std::size_t i = 0; i < sizeof(abi::LinkTable) / kWordBytes; ++i)
    if (links[i] == word && i != kNumber) {
      stack.fixes.push_back({{StackFix::Kind::Link, 0, index, i}});
      return {};
    }
  GAUR_TRY_ASSIGN(bool isAddress, addAddress(stack, index, word, name));
  auto known = symbols_.find(word);
  if (!isAddress && known != symbols_.end())
    stack.fixes.push_back({{StackFix::Kind::Symbol, 0, index, 0}, Word::From::Itself, 0, known->second});
  return {};
}

/// False where the word is no address of anything that Gaur manages.
Result<bool> StackSnapshot::addAddress(Stack& stack, std::uint64_t index, std::uintptr_t address,
                                       const std::string& name) {
  std::uint64_t& word = stack.words[index];
  StackFix fix{StackFix::Kind::Address, 0, index, 0};
  auto found = [&](Word made) {
    stack.fixes.push_back(std::move(made));
    return true;
  };
  if (vm_.stacks().contains(address)) {
    const abi::StackObject* other = vm_.stacks().objectAt(address);
    // One past the end lies where the next stack begins.
    if (address == stack.object->top) other = stack.object;
    if (!other || !other->savedPointer || address < addressOf(other->savedPointer) || address > other->top) {
      // Nothing that can be read later: what calls left behind, or a cell in a frame that is running.
      word = 0;
      return true;
    }
    if (other != stack.object) heap_.addFromFrame(other, name);
    fix = {StackFix::Kind::Stack, numberOf(*other), index, address - addressOf(other->savedPointer)};
    return found({fix});
  }
  if (address == addressOf(static_cast<const abi::StackMemory*>(
                     static_cast<const runtime::Stack*>(stack.object->stack)))) {
    fix = {StackFix::Kind::Memory, numberOf(*stack.object), index, 0};
    return found({fix});
  }
  const Location location = addresses_.locate(address);
  if (location.kind == Location::Kind::Object) {
    const std::uint64_t copy = heap_.addFromFrame(location.thing, name);
    word = copy == 0 ? 0 : copy + location.offset;
    return copy == 0 ? true : found({fix});
  }
  if (location.kind != Location::Kind::Unknown) {
    fix.value = location.offset;
    return found({fix, Word::From::Outside, numberOf(location)});
  }
  const jit::CodeSlab& slab = vm_.slab();
  if (address - slab.dataBegin() >= jit::CodeSlab::kDataBytes + jit::CodeSlab::kCodeBytes) return false;
  if (slab.isCode(address)) {
    // Left behind by a call: values of frames are never addresses of code.
    word = 0;
    return true;
  }
  for (std::uintptr_t table : {addressOf(&vm_.links()), slab.dataBegin()})
    if (address - table < sizeof(abi::LinkTable)) {
      word = ShadowProgram::bases().data + (address - table);
      return found({fix});
    }
  return makeError(ErrorId::ImageFrame, {name + " that refers to data of compiled code"});
}

std::set<std::string_view> StackSnapshot::symbols() const {
  std::set<std::string_view> symbols;
  for (const Stack& stack : stacks_)
    for (const Word& word : stack.fixes)
      if (word.fix.kind == StackFix::Kind::Symbol) symbols.insert(word.symbol);
  return symbols;
}

std::uint32_t StackSnapshot::numberOf(const abi::CodeBlock& block, const ir::Signature* starts) {
  for (std::uint32_t i = 0; i < code_.size(); ++i)
    if (code_[i].block == &block) return i;
  code_.push_back({&block, starts});
  for (const abi::FunctionCode& function : block.functions)
    if (const auto* version = vm_.program().entityOf<ir::FunctionVersion>(function.version))
      versions_.push_back(version);
  // Of a function without a version, the function itself.
  for (const abi::FunctionCode& function : block.functions)
    if (function.kind == abi::CodeKind::Undefined)
      numberOf(Location{Location::Kind::Function, false, function.record->function, 0});
  return static_cast<std::uint32_t>(code_.size() - 1);
}

std::uint32_t StackSnapshot::numberOf(const Location& location) {
  const Outside outside{location.kind, location.thing};
  auto known = std::find(outside_.begin(), outside_.end(), outside);
  if (known == outside_.end()) known = outside_.insert(outside_.end(), outside);
  return static_cast<std::uint32_t>(known - outside_.begin());
}

std::uint32_t StackSnapshot::numberOf(const abi::StackObject& stack) {
  auto stacks = heap_.stacks();
  return static_cast<std::uint32_t>(std::find(stacks.begin(), stacks.end(), &stack) - stacks.begin());
}

// --- Into the image ---------------------------------------------------------------------------------------

Result<void> StackSnapshot::compile(ShadowProgram& shadow, std::span<const jit::OptLevel> levels) {
  for (Code& code : code_) {
    GAUR_TRY_ASSIGN(code.begin, shadow.recompile(*code.block, code.starts, levels));
  }
  return {};
}

void StackSnapshot::write(ImageContents& contents, const SectionBases& bases,
                          std::span<const Target> outside) {
  std::vector<StackRow> rows;
  std::vector<std::uint64_t> words;
  std::vector<StackFix> fixes;
  for (Stack& stack : stacks_) {
    const abi::StackObject& object = *stack.object;
    StackRow row{};
    row.object = heap_.targetOf(addressOf(&object))->value;
    row.firstWord = words.size();
    row.wordCount = stack.words.size();
    row.valueMemory =
        object.valueMemory ? addressOf(object.valueMemory) - addressOf(object.savedPointer) : kNoObject;
    row.cookie = object.cookie;
    row.room = object.top - object.limit;
    row.firstFix = static_cast<std::uint32_t>(fixes.size());
    row.fixCount = static_cast<std::uint32_t>(stack.fixes.size());
    for (Word& word : stack.fixes) {
      std::uint64_t& value = stack.words[word.fix.word];
      if (word.from == Word::From::Code) {
        value = bases.code + code_[word.number].begin + word.fix.value;
      } else if (word.from == Word::From::Outside) {
        const Target& target = outside[word.number];
        value = (target.kind == Target::Kind::Code ? bases.code : bases.data) + target.value + word.fix.value;
      } else if (word.fix.kind != StackFix::Kind::Address) {
        value = 0;
      }
      if (word.from != Word::From::Itself) word.fix.value = 0;
      if (word.fix.kind == StackFix::Kind::Symbol) word.fix.value = contents.string(word.symbol);
      fixes.push_back(word.fix);
    }
    words.insert(words.end(), stack.words.begin(), stack.words.end());
    rows.push_back(row);
  }
  contents.set<SectionKind::Stacks>(rows);
  contents.set<SectionKind::StackWords>(words);
  contents.set<SectionKind::StackFixes>(fixes);
}

}  // namespace gaur::bootimage
