// A compiler for a language of eight characters: builds Mu IR in memory with gaur.hpp, without text, and runs
// it.
//
//   bf PROGRAM-FILE        > < move, + - change, . prints, , reads, [ ] loop while the byte is not 0
//
// Each character becomes an instruction or two at the end of the current block. A loop needs three blocks:
// where it is decided whether to go on, its body, and what follows. What travels between blocks is the place
// on the tape.
#include <fstream>
#include <iostream>
#include <iterator>
#include <list>
#include <string>
#include <vector>

#include <mu/gaur.hpp>

namespace {

constexpr std::uint64_t kTapeBytes = 1 << 16;

class Compiler {
 public:
  explicit Compiler(mu::Builder& builder) : b(builder) {
    const MuID unit = b.signature({}, {});
    function = b.function(unit, "@program");
    b.expose(function, b.intConstant(i64, 0), "@program.native");
    current = newBlock({});
    place = b.intConstant(i64, 0);
  }

  /// False where brackets do not match.
  bool compile(const std::string& text) {
    for (std::size_t i = 0; i < text.size();) {
      // Equal characters in a row are one step.
      const std::size_t end = text.find_first_not_of(text[i], i);
      const std::size_t run = (end == std::string::npos ? text.size() : end) - i;
      switch (text[i]) {
        case '>': place = current->binop(MU_BINOP_ADD, i64, place, b.intConstant(i64, run)); break;
        case '<': place = current->binop(MU_BINOP_SUB, i64, place, b.intConstant(i64, run)); break;
        case '+': add(run); break;
        case '-': add(-run); break;
        default:
          for (std::size_t j = 0; j < run; ++j)
            if (!single(text[i])) return false;
      }
      i += run;
    }
    current->ret();
    if (!open.empty()) return false;
    std::vector<const mu::Block*> all;
    for (const mu::Block& block : blocks) all.push_back(&block);
    b.version(function, all);
    return true;
  }

 private:
  struct Loop {
    mu::Block* head;
    mu::Block* after;
  };

  mu::Block* newBlock(mu::Ids parameters) { return &blocks.emplace_back(b.block(parameters)); }

  bool single(char character) {
    if (character == '.')
      current->ccall(1, nativeType, nativeSig, put, {current->convert(MU_CONV_ZEXT, i8, i32, byte())});
    if (character == ',') {
      const MuID read = current->ccall(1, readType, readSig, get, {})[0];
      current->store(i8, cell(), current->convert(MU_CONV_TRUNC, i32, i8, read));
    }
    if (character == '[') {
      Loop loop{newBlock({i64}), nullptr};
      mu::Block* body = newBlock({i64});
      loop.after = newBlock({i64});
      current->branch(*loop.head, {place});
      enter(loop.head);
      const MuID isZero = current->cmp(MU_CMP_EQ, i8, byte(), none);
      current->branch2(isZero, b.dest(*loop.after, {place}), b.dest(*body, {place}));
      enter(body);
      open.push_back(loop);
    }
    if (character == ']') {
      if (open.empty()) return false;
      current->branch(*open.back().head, {place});
      enter(open.back().after);
      open.pop_back();
    }
    return true;
  }

  void enter(mu::Block* block) {
    current = block;
    place = (*block)[0];
  }
  void add(std::uint64_t amount) {
    const MuID sum = current->binop(MU_BINOP_ADD, i8, byte(), b.intConstant(i8, amount & 0xff));
    current->store(i8, cell(), sum);
  }
  MuID cell() { return current->getElement(tapeType, i64, tape, place); }
  MuID byte() { return current->load(i8, cell()); }

  mu::Builder& b;
  const MuID i8 = b.intType(8), i32 = b.intType(32), i64 = b.intType(64);
  const MuID none = b.intConstant(i8, 0);
  const MuID tapeType = b.arrayType(i8, kTapeBytes), tape = b.cell(tapeType, "@tape");
  const MuID nativeSig = b.signature({i32}, {i32}), nativeType = b.ufuncptrType(nativeSig);
  const MuID readSig = b.signature({}, {i32}), readType = b.ufuncptrType(readSig);
  const MuID put = b.externConstant(nativeType, "putchar"), get = b.externConstant(readType, "getchar");
  MuID function, place;
  std::list<mu::Block> blocks;  // they stay where they are
  mu::Block* current;
  std::vector<Loop> open;
};

}  // namespace

int main(int argc, char** argv) {
  std::ifstream file(argc > 1 ? argv[1] : "");
  if (!file) return std::cerr << "usage: " << argv[0] << " PROGRAM-FILE\n", 2;
  const std::string text{std::istreambuf_iterator<char>(file), {}};

  auto vm = mu::Vm::create().value();
  auto context = vm.context().value();
  {
    auto builder = context.builder().value();
    if (!Compiler(builder).compile(text)) return std::cerr << "a bracket has no partner\n", 1;
    if (auto status = builder.load(); !status) return std::cerr << status.error().message << '\n', 1;
  }
  context.native<void()>("@program.native").value()();
  std::fflush(stdout);
  return 0;
}
