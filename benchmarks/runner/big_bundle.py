"""Writes a bundle of the size and shape of the largest known client (the translated PyPy: 65 MB, 610,000 instructions).

usage: big_bundle.py [--functions N] [--dialect spec|muc] [--globals] > big.uir

--globals gives results full global names, as that client does; otherwise they have local names. Functions call those behind them, and @main the
last, so that it ends at once.
"""
import argparse
import random
import sys

INSTRUCTIONS_A_BLOCK = 10
BLOCKS_A_FUNCTION = 5
FUNCTIONS = 9_600


def head(out, muc):
    for bits in (1, 8, 32, 64):
        out(f".typedef @i{bits} = int<{bits}>\n")
    out(".typedef @node = struct<@i64 @node_ref @i64 @i8>\n.typedef @node_ref = ref<@node>\n.typedef @bytes = hybrid<@i64 @i8>\n"
        ".typedef @bytes_ref = ref<@bytes>\n.typedef @node_iref = iref<@node>\n"
        ".funcsig @leaf_sig = (@i64 @i64) -> (@i64)\n")
    if not muc:
        for value in range(-64, 192):
            out(f".const @{value}_i64 <@i64> = {value}\n")
        for value in range(4):
            out(f".const @{value}_i8 <@i8> = {value}\n")


def name_of(index):
    return f"pypy_interp_call_{index}"


class Function:
    def __init__(self, index, functions, muc, full_names, rng):
        self.name = name_of(index)
        self.index, self.functions, self.muc, self.full_names, self.rng = index, functions, muc, full_names, rng
        self.block = 0
        self.next_value = 0

    def fresh(self):
        self.next_value += 1
        name = f"v{self.next_value}"
        return f"@{self.name}.v1.blk{self.block}.{name}" if self.full_names else f"%{name}"

    def constant(self):
        value = self.rng.randrange(-64, 192)
        return f"<int<64>> {value}" if self.muc else f"@{value}_i64"

    def type(self, name):
        return {"@i64": "int<64>", "@i1": "int<1>"}.get(name, name) if self.muc else name

    def instruction(self, out, ints, nodes):
        kind = self.rng.random()
        i64 = self.type("@i64")
        a, b = self.rng.choice(ints), self.rng.choice(ints + [self.constant()])
        result = self.fresh()
        if kind < 0.4:
            op = self.rng.choice(["ADD", "SUB", "MUL", "AND", "OR", "XOR"])
            out(f"    {result} = {op} <{i64}> {a} {b}\n")
            ints.append(result)
        elif kind < 0.65:
            field = self.fresh()
            out(f"    {result} = GETIREF <@node> {self.rng.choice(nodes)}\n")
            out(f"    {field} = GETFIELDIREF <@node 2> {result}\n")
            loaded = self.fresh()
            out(f"    {loaded} = LOAD <{i64}> {field}\n")
            ints.append(loaded)
        elif kind < 0.75:
            out(f"    {result} = NEW <@node>\n")
            nodes.append(result)
        elif kind < 0.9 and self.index + 1 < self.functions:
            callee = name_of(self.rng.randrange(self.index + 1, self.functions))
            out(f"    {result} = CALL <@leaf_sig> @{callee} ({a} {b})\n")
            ints.append(result)
        else:
            out(f"    {result} = SLT <{i64}> {a} {b}\n")
            wide = self.fresh()
            out(f"    {wide} = ZEXT <{self.type('@i1')} {i64}> {result}\n")
            ints.append(wide)

    def write(self, out):
        i64 = self.type("@i64")
        out(f"\n.funcdef @{self.name} VERSION %v1 <@leaf_sig> {{\n")
        count = 0
        for self.block in range(BLOCKS_A_FUNCTION):
            x, y = self.fresh(), self.fresh()
            ints, nodes = [x, y], []
            out(f"  %blk{self.block}(<{i64}> {x} <{i64}> {y}):\n")
            node = self.fresh()
            out(f"    {node} = NEW <@node>\n")
            nodes.append(node)
            before = self.next_value
            while self.next_value - before < INSTRUCTIONS_A_BLOCK:
                self.instruction(out, ints, nodes)
            count += self.next_value - before + 2
            if self.block + 1 == BLOCKS_A_FUNCTION:
                out(f"    RET ({ints[-1]})\n")
            else:
                out(f"    BRANCH %blk{self.block + 1}({ints[-1]} {self.rng.choice(ints)})\n")
        out("}\n")
        return count


def write(out, functions, muc, full_names):
    """Passes the text on to `out` in pieces; the number of instructions."""
    rng = random.Random(1)
    head(out, muc)
    total = sum(Function(index, functions, muc, full_names, rng).write(out) for index in range(functions))
    out("\n.funcdef @main <(int<64>) -> (int<64>)> {\n  entry(<int<64>> x):\n"
        f"    y = CALL <@leaf_sig> @{name_of(functions - 1)} (x x)\n    RET y\n}}\n")
    return total + 2


def write_file(path, functions):
    with open(path, "w", encoding="utf-8") as file:
        write(file.write, functions, muc=False, full_names=True)


def write_hail(path, objects):
    """A script of `objects` nodes of the bundle in one list: some 160 bytes each."""
    with open(path, "w", encoding="utf-8") as file:
        for index in range(objects):
            before = f"$translated_heap_object_{index - 1}" if index else "NULL"
            file.write(f".new $translated_heap_object_{index} <@node>\n"
                       f".init $translated_heap_object_{index} = {{ {index} {before} {index * 7919} {index % 100} }}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functions", type=int, default=FUNCTIONS)
    parser.add_argument("--dialect", choices=("spec", "muc"), default="spec")
    parser.add_argument("--globals", action="store_true")
    options = parser.parse_args()
    total = write(sys.stdout.write, options.functions, options.dialect == "muc", options.globals)
    print(f"{options.functions} functions, {total} instructions", file=sys.stderr)


if __name__ == "__main__":
    main()
