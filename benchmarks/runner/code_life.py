"""Code that comes and goes: rows of the benchmark run about bundles that are unloaded, and about those who run meanwhile."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import generate  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402

ORC_GOAL = 1.1
# Level: how many of them at the quick and the full size.
ROUNDS = {0: (500, 5_000), 2: (100, 1_000)}
MANY = (5_000, 100_000)
GROWTH_BYTES = float(1 << 20)
PAUSE_NANOSECONDS = 1e6
REDEFINITIONS = (100, 500)
CALLS = (100_000_000, 500_000_000)
PERMANENT_GOAL = 1.01

LLVM = ("-I/usr/lib/llvm-19/include", "-L/usr/lib/llvm-19/lib")


def code_life(bench):
    """A function of 47 instructions, in text, is loaded, compiled by its first call, and dropped."""
    if not bench.wants("codelife", "code"):
        return
    header, function, peer_function = (bench.out / name for name in ("life.uir", "life_function.uir", "life_function.ll"))
    header.write_text(generate.life_header(), encoding="utf-8")
    function.write_text(generate.life_function(), encoding="utf-8")
    peer_function.write_text(generate.llvm_function(0) + "\n", encoding="utf-8")

    def command(count, level):
        return [bench.client("codelife"), str(header), str(function), str(count), str(level)]

    for level, counts in ROUNDS.items():

        def action(row, level=level, counts=counts):
            peer = bench.build("codelife_orc", "clang-19", (*bench.c_flags, *LLVM), bench.programs / "codelife_orc.c", "-lLLVM-19")
            count = bench.size(counts)
            bench.fill(row, command(count, level), [peer, str(peer_function), str(count), str(level)], measure.printed_nanoseconds)

        bench.measure_row(report.Row("code", f"load, call, unload at O{level}", "ORC", ORC_GOAL, "ns"), action)

    count = bench.size(MANY)
    state = {}

    def memory(row):
        state["run"] = measure.run(command(count, 0), timeout=3600)
        bench.fill_figures(row, [float(state["run"].lines[2])], GROWTH_BYTES)

    def mappings(row):
        if not state:
            raise measure.Failed("it did not run")
        bench.fill_growth(row, [float(state["run"].lines[3])])

    bench.measure_row(report.Row("code", f"memory, {count // 10} to {count}", "limit", 1.0, "B"), memory)
    bench.measure_row(report.Row("code", f"mappings, {count // 10} to {count}", "none", 0.0, ""), mappings)


def redefinition(bench):
    """What threads notice that run meanwhile, and later."""
    if not bench.wants("redefine", "code"):
        return

    def command(what, sizes):
        return [bench.client("redefine", "-lpthread"), what, str(bench.size(sizes))]

    bench.measure_row(report.Row("code", "redefinition, four threads", "limit", 1.0, "ns"),
                      lambda row: bench.fill_limit(row, command("pause", REDEFINITIONS), PAUSE_NANOSECONDS))
    bench.measure_row(report.Row("code", "call of permanent code", "nothing unloaded", PERMANENT_GOAL, "ns"),
                      lambda row: bench.fill(row, command("used", CALLS), command("unused", CALLS), measure.printed_nanoseconds))
