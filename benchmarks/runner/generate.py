"""Generated bundles: many small functions as Mu IR and, the same functions, as LLVM IR.

This file alone decides what a "function of 47 instructions" is: 7 blocks, one loop of ten rounds, one load, one store.
Both texts hold the same instructions in the same order; LLVM's phi nodes are block parameters in Mu and not counted.
"""

import argparse

ROUNDS = 10
GROUP = 100  # functions called by one caller, so that no caller grows without bound
OPERATIONS = ("ADD", "SUB", "MUL", "XOR")


class Chooser:
    """A small reproducible sequence, different for every function."""

    def __init__(self, seed):
        self.state = (seed * 2654435761 + 12345) & 0xFFFFFFFF

    def pick(self, limit):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 12) % limit


def function_plan(index):
    """The arithmetic of one function: a list of (operation, constant) for each straight stretch of code."""
    chooser = Chooser(index)

    def stretch(length):
        # Odd constants: no operation loses all that went before.
        return [(OPERATIONS[chooser.pick(len(OPERATIONS))], chooser.pick(8) * 2 + 1) for _ in range(length)]

    return {"entry": stretch(8), "body": stretch(9), "odd": stretch(6), "even": stretch(6), "exit": stretch(5)}


def mu_stretch(steps, value, name):
    lines = []
    for number, (operation, constant) in enumerate(steps):
        result = f"%{name}{number}"
        lines.append(f"    {result} = {operation} <@i64> {value} @c{constant}")
        value = result
    return lines, value


def mu_function(index):
    plan = function_plan(index)
    entry, v = mu_stretch(plan["entry"], "%v", "a")
    body, b = mu_stretch(plan["body"], "%acc", "a")
    odd, o = mu_stretch(plan["odd"], "%acc", "a")
    even, e = mu_stretch(plan["even"], "%acc", "a")
    exit_, x = mu_stretch(plan["exit"], "%acc", "a")
    return "\n".join(
        [f".funcdef @f{index} VERSION %v1 <@f_sig> {{", "  %entry(<@i64_iref> %p):", "    %v = LOAD <@i64> %p"]
        + entry + [f"    BRANCH %head(@c0 {v} %p)"]
        + ["  %head(<@i64> %i <@i64> %acc <@i64_iref> %p):", "    %more = SLT <@i64> %i @rounds",
           "    BRANCH2 %more %body(%i %acc %p) %exit(%acc %p)"]
        + ["  %body(<@i64> %i <@i64> %acc <@i64_iref> %p):"] + body
        + [f"    %bit = AND <@i64> {b} @c1", "    %is_odd = EQ <@i64> %bit @c1",
           f"    BRANCH2 %is_odd %odd(%i {b} %p) %even(%i {b} %p)"]
        + ["  %odd(<@i64> %i <@i64> %acc <@i64_iref> %p):"] + odd + [f"    BRANCH %next(%i {o} %p)"]
        + ["  %even(<@i64> %i <@i64> %acc <@i64_iref> %p):"] + even + [f"    BRANCH %next(%i {e} %p)"]
        + ["  %next(<@i64> %i <@i64> %acc <@i64_iref> %p):", "    %i2 = ADD <@i64> %i @c1",
           "    BRANCH %head(%i2 %acc %p)"]
        + ["  %exit(<@i64> %acc <@i64_iref> %p):"] + exit_
        + [f"    STORE <@i64> %p {x}", "    RET ()", "}"])


def mu_header():
    constants = "\n".join(f".const @c{value} <@i64> = {value}" for value in range(16))
    return (f".typedef @i64 = int<64>\n.typedef @i64_iref = iref<@i64>\n{constants}\n.const @rounds <@i64> = {ROUNDS}\n"
            ".global @cell <@i64>\n.funcsig @f_sig = (@i64_iref) -> ()\n.funcsig @group_sig = () -> ()\n"
            ".funcsig @main_sig = (@i64) -> (@i64)\n.typedef @f_ref = funcref<@f_sig>\n.funcsig @apply_sig = (@f_ref) -> ()\n\n"
            # Called through a value, so that no function is copied into its caller and compiled twice.
            ".funcdef @apply VERSION %v1 <@apply_sig> {\n  %entry(<@f_ref> %f):\n    CALL <@f_sig> %f (@cell)\n    RET ()\n}\n")


def mu_bundle(count):
    """`count` functions and a @main that calls each once and returns what they made of its argument."""
    parts = [mu_header()]
    for index in range(count):
        parts.append(mu_function(index) + "\n")
    groups = range(0, count, GROUP)
    for group in groups:
        parts.append(f".funcdef @group{group} VERSION %v1 <@group_sig> {{\n  %entry():\n")
        for index in range(group, min(group + GROUP, count)):
            parts.append(f"    CALL <@apply_sig> @apply (@f{index})\n")
        parts.append("    RET ()\n}\n")
    parts.append(".funcdef @main VERSION %v1 <@main_sig> {\n  %entry(<@i64> %seed):\n    STORE <@i64> @cell %seed\n")
    for group in groups:
        parts.append(f"    CALL <@group_sig> @group{group} ()\n")
    parts.append("    %result = LOAD <@i64> @cell\n    RET (%result)\n}\n")
    return "".join(parts)


def llvm_stretch(steps, value, name):
    lines = []
    for number, (operation, constant) in enumerate(steps):
        result = f"%{name}{number}"
        lines.append(f"  {result} = {operation.lower()} i64 {value}, {constant}")
        value = result
    return lines, value


def llvm_function(index):
    plan = function_plan(index)
    entry, v = llvm_stretch(plan["entry"], "%v", "a")
    body, b = llvm_stretch(plan["body"], "%acc", "b")
    odd, o = llvm_stretch(plan["odd"], b, "o")
    even, e = llvm_stretch(plan["even"], b, "e")
    exit_, x = llvm_stretch(plan["exit"], "%acc", "x")
    return "\n".join(
        [f"define void @f{index}(ptr %p) noinline {{", "entry:", "  %v = load i64, ptr %p"] + entry + ["  br label %head"]
        + ["head:", "  %i = phi i64 [0, %entry], [%i2, %next]", f"  %acc = phi i64 [{v}, %entry], [%merged, %next]",
           f"  %more = icmp slt i64 %i, {ROUNDS}", "  br i1 %more, label %body, label %exit"]
        + ["body:"] + body + [f"  %bit = and i64 {b}, 1", "  %is_odd = icmp eq i64 %bit, 1",
                              "  br i1 %is_odd, label %odd, label %even"]
        + ["odd:"] + odd + ["  br label %next", "even:"] + even + ["  br label %next"]
        + ["next:", f"  %merged = phi i64 [{o}, %odd], [{e}, %even]", "  %i2 = add i64 %i, 1", "  br label %head"]
        + ["exit:"] + exit_ + [f"  store i64 {x}, ptr %p", "  ret void", "}"])


def llvm_module(count, seed):
    """The functions of mu_bundle as one LLVM module whose main prints the same result for the argument `seed`."""
    parts = ['@cell = global i64 0\n@format = constant [6 x i8] c"%lld\\0A\\00"\ndeclare i32 @printf(ptr, ...)\n']
    for index in range(count):
        parts.append(llvm_function(index) + "\n")
    groups = range(0, count, GROUP)
    for group in groups:
        parts.append(f"define void @group{group}() {{\n")
        for index in range(group, min(group + GROUP, count)):
            parts.append(f"  call void @f{index}(ptr @cell)\n")
        parts.append("  ret void\n}\n")
    parts.append(f"define i32 @main() {{\n  store i64 {seed}, ptr @cell\n")
    for group in groups:
        parts.append(f"  call void @group{group}()\n")
    parts.append("  %result = load i64, ptr @cell\n  %printed = call i32 (ptr, ...) @printf(ptr @format, i64 %result)\n"
                 "  ret i32 0\n}\n")
    return "".join(parts)


def life_header():
    """What life_function takes for granted; it stays loaded."""
    constants = "\n".join(f".const @c{value} <@i64> = {value}" for value in range(16))
    return (f".typedef @i64 = int<64>\n.typedef @i64_iref = uptr<@i64>\n{constants}\n.const @rounds <@i64> = {ROUNDS}\n"
            ".funcsig @f_sig = (@i64_iref) -> ()\n")


def life_function():
    """The first function, on a cell of its C caller's."""
    return mu_function(0).replace("LOAD <", "LOAD PTR <").replace("STORE <", "STORE PTR <") + "\n"


def site_bundle(count):
    """`count` functions with one watchpoint each, all of ID 1, and @site_sum, which calls them and tells how many are enabled."""
    parts = ['.typedef @site_i64 = int<64>\n.const @site_0 <@site_i64> = 0\n.const @site_1 <@site_i64> = 1\n'
             '.funcsig @site_sig = () -> (@site_i64)\n']
    for index in range(count):
        parts.append(f".funcdef @site{index} VERSION %v1 <@site_sig> {{\n  %entry():\n    WPBRANCH 1 %off() %on()\n"
                     "  %off():\n    RET (@site_0)\n  %on():\n    RET (@site_1)\n}\n")
    parts.append(".funcdef @site_sum VERSION %v1 <@site_sig> {\n  %entry():\n    %s0 = ADD <@site_i64> @site_0 @site_0\n")
    for index in range(count):
        parts.append(f"    %x{index} = CALL <@site_sig> @site{index} ()\n    %s{index + 1} = ADD <@site_i64> %s{index} %x{index}\n")
    parts.append(f"    RET (%s{count})\n}}\n")
    return "".join(parts)


def tiny_bundle(count, main):
    """`count` functions of three instructions under names of their own, so that other bundles can be loaded beside them.
    `main` True adds a @main that writes one line and sleeps for ever, so that the process can be looked at."""
    parts = ['.typedef @tiny_i64 = int<64>\n.const @tiny_factor <@tiny_i64> = 31\n.funcsig @tiny_sig = (@tiny_i64) -> (@tiny_i64)\n']
    for index in range(count):
        parts.append(f".const @tiny_c{index} <@tiny_i64> = {index}\n.funcdef @tiny{index} VERSION %v1 <@tiny_sig> {{\n"
                     f"  %entry(<@tiny_i64> %x):\n    %a = MUL <@tiny_i64> %x @tiny_factor\n    %b = ADD <@tiny_i64> %a @tiny_c{index}\n"
                     "    RET (%b)\n}\n")
    if main:
        parts.append('''
.typedef @i8 = int<8>
.typedef @i64 = int<64>
.typedef @i32 = int<32>
.typedef @char_ptr = uptr<@i8>
.typedef @argv = uptr<@char_ptr>
.const @ready <@i64> = 0x0a7964616572              // "ready\\n"
.const @ready_bytes <@i64> = 6
.const @standard_output <@i32> = 1
.const @success <@i32> = 0
.global @text <@i64>
.typedef @text_iref = iref<@i64>
.typedef @text_ptr = uptr<@i64>
.funcsig @write_sig = (@i32 @char_ptr @i64) -> (@i64)
.typedef @write_fp = ufuncptr<@write_sig>
.const @write <@write_fp> = EXTERN "write"
.funcsig @pause_sig = () -> (@i32)
.typedef @pause_fp = ufuncptr<@pause_sig>
.const @pause <@pause_fp> = EXTERN "pause"
.funcsig @main_sig = (@i32 @argv) -> (@i32)
.funcdef @main VERSION %v1 <@main_sig> {
  %entry(<@i32> %argc <@argv> %argv):
    STORE <@i64> @text @ready
    %pinned = COMMINST @uvm.native.pin <@text_iref> (@text)
    %characters = PTRCAST <@text_ptr @char_ptr> %pinned
    %written = CCALL #DEFAULT <@write_fp @write_sig> @write (@standard_output %characters @ready_bytes)
    %woken = CCALL #DEFAULT <@pause_fp @pause_sig> @pause ()
    RET (@success)
}
''')
    return "".join(parts)


LLVM_HELLO = '''@text = constant [15 x i8] c"Hello, world!\\0A\\00"
declare i64 @write(i32, ptr, i64)
define i32 @main() {
  %written = call i64 @write(i32 1, ptr @text, i64 14)
  ret i32 0
}
'''


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("mu", "llvm", "tiny"))
    parser.add_argument("count", type=int)
    arguments = parser.parse_args()
    if arguments.kind == "mu":
        print(mu_bundle(arguments.count), end="")
    elif arguments.kind == "llvm":
        print(llvm_module(arguments.count, 1), end="")
    else:
        print(tiny_bundle(arguments.count, True), end="")


if __name__ == "__main__":
    main()
