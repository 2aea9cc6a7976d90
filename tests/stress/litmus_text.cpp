// From the table of litmus tests to Mu code.
#include <map>
#include <sstream>

#include "tests/stress/litmus.h"
#include "tests/stress/program.h"

namespace gaur::stress {

namespace {

std::string_view orderWord(std::string_view order) {
  static const std::map<std::string_view, std::string_view> words = {
      {"na", "NOT_ATOMIC"}, {"rlx", "RELAXED"}, {"con", "CONSUME"}, {"acq", "ACQUIRE"},
      {"rel", "RELEASE"},   {"ar", "ACQ_REL"},  {"sc", "SEQ_CST"}};
  auto found = words.find(order);
  if (found == words.end()) Program::die("no order '" + std::string(order) + "'");
  return found->second;
}

std::string_view failureWord(std::string_view order) {
  if (order == "sc") return "SEQ_CST";
  return order == "acq" || order == "ar" ? "ACQUIRE" : "RELAXED";
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    auto at = text.find(separator);
    auto part = text.substr(0, at);
    text.remove_prefix(at == text.npos ? text.size() : at + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

int number(std::string_view text) { return std::atoi(std::string(text).c_str()); }

/// What stands in the slots: an order, and the kind of instruction where it is not the family's.
struct Slot {
  char kind = 0;
  std::string_view order;
};
using Slots = std::map<char, Slot>;

Slots slotsOf(std::string_view orders) {
  Slots slots;
  for (std::string_view word : split(orders, ' ')) {
    std::string_view rest = word.substr(2);
    bool hasKind = rest.size() > 2 && rest[1] == '.';
    slots[word[0]] = hasKind ? Slot{rest[0], rest.substr(2)} : Slot{0, rest};
  }
  return slots;
}

std::vector<LitmusStep> stepsOf(std::string_view text, const Slots& slots, int& registers) {
  std::vector<LitmusStep> steps;
  for (std::string_view step : split(text, ';')) {
    auto words = split(step, ' ');
    LitmusStep made{words[0][0], {}};
    if (made.kind == '?') {
      made.expected = number(words[1]);
      steps.push_back(made);
      continue;
    }
    auto slot = slots.find(words[0][2]);
    if (slot == slots.end()) {
      if (made.kind == 'F') continue;
      Program::die("no order for '" + std::string(step) + "'");
    }
    if (slot->second.kind) made.kind = slot->second.kind;
    made.order = slot->second.order;
    if (words.size() > 1) made.location = words[1][0];
    if (words.size() > 2) made.value = number(words.back());
    if (words.size() > 3) made.expected = number(words[2]);
    if (made.kind == 'R' || made.kind == 'A' || made.kind == 'C') made.reg = registers++;
    steps.push_back(made);
  }
  return steps;
}

LitmusTest parse(const char* family, const char* threads, const char* outcome, const char* orders,
                 bool isForbidden) {
  LitmusTest test{family, orders, isForbidden, {}, {}};
  const Slots slots = slotsOf(orders);
  for (std::string_view thread : split(threads, '|'))
    test.threads.push_back(stepsOf(thread, slots, test.registers));

  for (std::string_view term : split(outcome, ' ')) {
    auto equals = term.find('=');
    test.outcome.push_back(
        {term[0], term[0] == 'r' ? number(term.substr(1, equals - 1)) : 0, number(term.substr(equals + 1))});
  }
  return test;
}

/// Mu code of one thread of a test.
class ThreadText {
 public:
  ThreadText(int test, const LitmusTest& litmus, int thread, int width)
      : litmus_(litmus),
        thread_(thread),
        suffix_(".i" + std::to_string(width)),
        type_("<@i" + std::to_string(width) + ">") {
    out_ << ".funcdef " << litmusFunction(test, thread) << " VERSION %v1 <@litmus.sig> {\n";
    meet();
    body();
    out_ << "}\n";
  }
  std::string text() const { return out_.str(); }

 private:
  /// From the entry to %body0: tells the others where this thread is, and waits a while for them, longer at
  /// the start of a batch; then a pause that differs from run to run, so that the steps meet in many ways.
  void meet() {
    out_ << "  %entry(<@i64> %first):\n    BRANCH %loop(%first @k0)\n"
            "  %loop(<@i64> %first <@i64> %i):\n    %now = ADD <@i64> %first %i\n    %mine = GETFIELDIREF "
            "<@line.i64 0> @p"
         << thread_ << "\n    STORE RELAXED <@i64> %mine %now\n    %starts = EQ <@i64> %i @k0\n"
         << "    %patience = SELECT <@i1 @i64> %starts @start_patience @run_patience\n    BRANCH "
            "%spin(%first %i %patience)\n"
         << "  %spin(<@i64> %first <@i64> %i <@i64> %left):\n    %now = ADD <@i64> %first %i\n    %none = EQ "
            "<@i64> @k0 @k1\n";
    std::string behind = "%none";
    for (std::size_t other = 0; other < litmus_.threads.size(); ++other) {
      if (static_cast<int>(other) == thread_) continue;
      std::string n = std::to_string(other);
      out_ << "    %at" << n << " = GETFIELDIREF <@line.i64 0> @p" << n << "\n    %is" << n
           << " = LOAD RELAXED <@i64> %at" << n << "\n    %late" << n << " = SLT <@i64> %is" << n
           << " %now\n    %any" << n << " = OR <@i1> %late" << n << " " << behind << "\n";
      behind = "%any" + n;
    }
    out_ << "    %less = SUB <@i64> %left @k1\n    %may = SGT <@i64> %left @k0\n    %again = AND <@i1> %may "
         << behind << "\n    BRANCH2 %again %spin(%first %i %less) %pause(%first %i)\n"
         << "  %pause(<@i64> %first <@i64> %i):\n    %high = LSHR <@i64> %i @shift" << thread_
         << "\n    %steps = AND <@i64> %high @k7\n    BRANCH %idle(%first %i %steps)\n"
         << "  %idle(<@i64> %first <@i64> %i <@i64> %left):\n    %mine = GETFIELDIREF <@line.i64 0> @p"
         << thread_
         << "\n    %seen = LOAD RELAXED <@i64> %mine\n    %less = SUB <@i64> %left @k1\n    %more = SGT "
            "<@i64> %left @k0\n"
            "    BRANCH2 %more %idle(%first %i %less) %body0(%first %i)\n";
  }

  void body() {
    openBlock();
    for (const LitmusStep& step : litmus_.threads[static_cast<std::size_t>(thread_)]) emit(step);
    saveRegisters();
    out_
        << "    BRANCH %next(%first %i)\n"
           "  %next(<@i64> %first <@i64> %i):\n    %j = ADD <@i64> %i @k1\n    %more = SLT <@i64> %j @batch\n"
           "    BRANCH2 %more %loop(%first %j) %done()\n  %done():\n    RET ()\n";
  }

  void openBlock() { out_ << "  %body" << blocks_++ << "(<@i64> %first <@i64> %i):\n"; }

  /// Name of the place of a location in this run.
  std::string place(char location) {
    std::string n = std::to_string(values_++);
    out_ << "    %line" << n << " = GETELEMIREF <@column" << suffix_ << " @i64> @" << location << suffix_
         << " %i\n    %place" << n << " = GETFIELDIREF <@line" << suffix_ << " 0> %line" << n << "\n";
    return "%place" + n;
  }
  std::string constant(int value) { return "@n" + std::to_string(value) + suffix_; }

  void emit(const LitmusStep& step) {
    if (step.kind == '?') return stopUnless(step.expected);
    if (step.kind == 'F') {
      out_ << "    FENCE " << orderWord(step.order) << "\n";
      return;
    }
    std::string at = place(step.location);
    std::string result = "%v" + std::to_string(values_);
    auto order = orderWord(step.order);
    switch (step.kind) {
      case 'W':
        out_ << "    STORE " << order << " " << type_ << " " << at << " " << constant(step.value) << "\n";
        break;
      case 'R': out_ << "    " << result << " = LOAD " << order << " " << type_ << " " << at << "\n"; break;
      case 'X':
      case 'A':
        out_ << "    " << result << " = ATOMICRMW " << order << (step.kind == 'X' ? " XCHG " : " ADD ")
             << type_ << " " << at << " " << constant(step.value) << "\n";
        break;
      case 'C':
        out_ << "    (" << result << " " << result << ".taken) = CMPXCHG " << order << " "
             << failureWord(step.order) << " " << type_ << " " << at << " " << constant(step.expected) << " "
             << constant(step.value) << "\n";
        break;
      default: Program::die(std::string("no step '") + step.kind + "'");
    }
    if (step.reg >= 0) unsaved_.push_back({step.reg, last_ = result});
  }

  void stopUnless(int expected) {
    saveRegisters();
    out_ << "    %go" << blocks_ << " = EQ " << type_ << " " << last_ << " " << constant(expected)
         << "\n    BRANCH2 %go" << blocks_ << " %body" << blocks_ << "(%first %i) %next(%first %i)\n";
    openBlock();
  }

  void saveRegisters() {
    for (const auto& [reg, value] : unsaved_) {
      out_ << "    %save" << reg << " = GETELEMIREF <@row" << suffix_ << " @i64> @r" << reg << suffix_
           << " %i\n    STORE " << type_ << " %save" << reg << " " << value << "\n";
    }
    unsaved_.clear();
  }

  const LitmusTest& litmus_;
  const int thread_;
  const std::string suffix_, type_;
  std::ostringstream out_;
  std::vector<std::pair<int, std::string>> unsaved_;
  std::string last_;
  int blocks_ = 0;
  int values_ = 0;
};

}  // namespace

std::vector<LitmusTest> litmusTests() {
  std::vector<LitmusTest> tests;
  const char *family = nullptr, *threads = nullptr, *outcome = nullptr;
#define GAUR_LITMUS(name, text, weak) family = name, threads = text, outcome = weak;
#define GAUR_FORBIDDEN(orders)        tests.push_back(parse(family, threads, outcome, orders, true));
#define GAUR_ALLOWED(orders)          tests.push_back(parse(family, threads, outcome, orders, false));
#include "tests/stress/litmus_tests.def"
  return tests;
}

std::string litmusPrelude() {
  std::ostringstream out;
  out << ".typedef @i1 = int<1>\n.funcsig @litmus.sig = (@i64) -> ()\n";
  for (int width : kWidths) {
    std::string t = "@i" + std::to_string(width), suffix = ".i" + std::to_string(width);
    out << ".typedef " << t << " = int<" << width << ">\n"
        << ".typedef @rest" << suffix << " = array<" << t << " " << kLineBytes * 8 / width - 1 << ">\n"
        << ".typedef @line" << suffix << " = struct<" << t << " @rest" << suffix << ">\n"
        << ".typedef @column" << suffix << " = array<@line" << suffix << " " << kBatch << ">\n"
        << ".typedef @row" << suffix << " = array<" << t << " " << kBatch << ">\n";
    for (int value : {0, 1, 2}) out << ".const @n" << value << suffix << " <" << t << "> = " << value << "\n";
    for (char location : kLocations)
      out << ".global @" << location << suffix << " <@column" << suffix << ">\n";
    for (int reg = 0; reg < kMostThreads; ++reg)
      out << ".global @r" << reg << suffix << " <@row" << suffix << ">\n";
  }
  for (int value : {0, 1, 7}) out << ".const @k" << value << " <@i64> = " << value << "\n";
  out << ".const @batch <@i64> = " << kBatch
      << "\n.const @start_patience <@i64> = 200000\n.const @run_patience <@i64> = 400\n";
  for (int thread = 0; thread < kMostThreads; ++thread)
    out << ".global @p" << thread << " <@line.i64>\n.const @shift" << thread << " <@i64> = " << 3 * thread
        << "\n";
  return out.str();
}

std::string litmusFunction(int test, int thread) {
  return "@t" + std::to_string(test) + ".f" + std::to_string(thread);
}

std::string litmusBundle(int test, const LitmusTest& litmus, int width) {
  std::string text;
  for (std::size_t thread = 0; thread < litmus.threads.size(); ++thread)
    text += ThreadText(test, litmus, static_cast<int>(thread), width).text();
  return text;
}

}  // namespace gaur::stress
