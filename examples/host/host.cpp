// Three lambdas for Mu code: one that remembers, one that writes down, and one that refuses. Mu code calls
// them as it calls C functions; what they captured lives as long as something can call them.
#include <mu/gaur.hpp>

#include <cinttypes>
#include <cstdio>
#include <stdexcept>
#include <vector>

// Sums square roots of what `next` gives, until that is 0; a number whose root is refused counts as 0.
static const char kProgram[] = R"(
.typedef @i64 = int<64>
.const @0 <@i64> = 0
.funcsig @next.sig = () -> (@i64)
.funcsig @note.sig = (@i64 @i64) -> ()
.funcsig @root.sig = (@i64) -> (@i64)
.typedef @next.fp = ufuncptr<@next.sig>
.typedef @note.fp = ufuncptr<@note.sig>
.typedef @root.fp = ufuncptr<@root.sig>
.const @next <@next.fp> = EXTERN "next"
.const @note <@note.fp> = EXTERN "note"
.const @root <@root.fp> = EXTERN "root"
.funcdef @sum VERSION %v1 <@next.sig> {
  %entry():
    BRANCH %loop(@0)
  %loop(<@i64> %sum):
    %x = CCALL #DEFAULT <@next.fp @next.sig> @next ()
    %isLast = EQ <@i64> %x @0
    BRANCH2 %isLast %end(%sum) %take(%x %sum)
  %take(<@i64> %x <@i64> %sum):
    %root = CCALL #DEFAULT <@root.fp @root.sig> @root (%x) EXC(%good(%x %root %sum) %refused(%sum))
  %good(<@i64> %x <@i64> %root <@i64> %sum):
    CCALL #DEFAULT <@note.fp @note.sig> @note (%x %root)
    %more = ADD <@i64> %sum %root
    BRANCH %loop(%more)
  %refused(<@i64> %sum)[%exception]:
    BRANCH %loop(%sum)
  %end(<@i64> %sum):
    RET %sum
}
.expose @sum.native = @sum #DEFAULT @0
)";

int main() {
  auto vm = mu::Vm::create().value();
  auto context = vm.context().value();
  std::vector<std::pair<int64_t, int64_t>> notes;

  context
      .bind("next",
            [numbers = std::vector<int64_t>{0, 36, -5, 49, 4}]() mutable {
              const int64_t last = numbers.back();
              numbers.pop_back();
              return last;
            })
      .value();
  context.bind("note", [&notes](int64_t x, int64_t root) { notes.emplace_back(x, root); }).value();
  context
      .bind("root",
            [](int64_t x) {
              if (x < 0) throw std::domain_error("no root");
              int64_t root = 0;
              while ((root + 1) * (root + 1) <= x) ++root;
              return root;
            })
      .value();

  context.load(kProgram).value();
  auto* sum = context.native<int64_t()>("@sum.native").value();
  std::printf("%" PRId64 "\n", sum());
  for (auto [x, root] : notes) std::printf("%" PRId64 " -> %" PRId64 "\n", x, root);
}
