#!/usr/bin/env python3
"""The benchmark run: Gaur beside C, C++ and LLVM's own tools, alternately, on the same machine in the same minutes.

    python3 benchmarks/runner/bench.py --gaur build/release/bin/gaur [--quick] [--pairs N] [--only fib,list]

Prints a table of ratios and writes results.json and results.svg into build/bench. What is measured and how is told in
benchmarks/README.md. Exit status: 0 when everything ran (whether or not goals were met), 1 when something failed.
"""

import argparse
import datetime
import os
import pathlib
import platform
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import big_bundle  # noqa: E402
import code_life  # noqa: E402
import generate  # noqa: E402
import images  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROGRAMS = HERE.parent / "programs"

# name: (quick size, full size, goal). Full sizes make C take 1 to 2 s: what is compared is steady running.
KERNELS = {
    "fib": (39, 44, 1.25), "nbody": (4000000, 30000000, 1.25), "spectral": (2000, 6000, 1.25),
    "mandel": (2000, 5600, 1.25), "fannkuch": (10, 11, 1.25), "matmul": (700, 1600, 1.25), "sieve": (5, 50, 1.25),
    "sha": (80, 450, 1.25), "quick": (3000000, 17000000, 1.25), "arraysum": (10000, 160000, 1.25),
}
KERNEL_MEAN_GOAL = 1.05
ALLOCATION = {"bintree": (17, 18, 1.0), "list": (30000, 100000, 1.0), "live": (5000000, 10000000, None)}
THROW_GOAL = 1 / 30
NO_THROW_GOAL = 1.02
LOADED_FUNCTIONS = 5000
CALL_OUT_GOAL = 1.2
TWO_THREADS_GOAL = 1 / 1.7
CALL_IN_GOAL = 4.0
# name: (label, arguments at the quick and the full size, limit in ns)
FRAMES = {
    "cursor": ("cursor walk, a frame", ([2000000], [20000000]), 20.0),
    "osr": ("pop, push, resume", ([200000], [2000000]), 500.0),
}
# Times over an inline-assembly switch, over boost.context, and over a C++20 coroutine.
SWAP_GOAL = 2.0
SWAP_CONTEXT_GOAL = 1 / 5
GENERATOR_GOAL = 2.0
NEW_STACK_NANOSECONDS = 60.0
LIVE_STACKS = 100000
LIVE_STACKS_GOAL = 1.2
TRAP_NANOSECONDS = 100.0
# What handles.c does, and how long it may take.
HANDLES = (("make", "a handle made and deleted", 50.0), ("close", "a handle of a context that is closed", 10.0),
           ("pin", "an object pinned and unpinned, beside 100,000", 100.0))
# More than a call through a pointer takes.
EXPOSED_CALL_NANOSECONDS = 5.0
# What hostcall.c does, its peer, the goal, how often.
HOST_CALLS = (("host function by name, against one more argument", "name", "plain", 1.05, (20000000, 200000000)),
              ("host function through its pointer", "pointer", "thunk", 1.2, (20000000, 200000000)),
              ("host function made and dropped, against libffi", "drop", "ffi", 3.0, (1000000, 5000000)))
# Label, what the program is to measure, the limit, its unit.
BUILDING = (("build and load, times text", "ratio", 2.0, "x"), ("a call of a builder", "call", 4000.0, "ns"))
START_GOAL = 2.0
WATCHPOINT_GOAL = 1.01
EMPTY_WATCHPOINT_GOAL = 1.10
WATCHPOINT_SITES = 1000
TOGGLE_NANOSECONDS = 50000
BYTES_PER_FUNCTION = 1536
# Seconds for the bundle of the largest known client: to parse and verify it, to call a function of it then, to compile all of it.
BIG_CHECK, BIG_CALL, BIG_O0, BIG_O2 = 4.0, 0.3, 60.0, 600.0
BIG_BYTES = 1.5 * (1 << 30)
# O2 is measured on a part.
BIG_PART = 10
HAIL_OBJECTS, HAIL_SECONDS = 78_000, 1.0
CODE_MAPPINGS = 64


class Bench:
    """What all measurements share: where things are, how often to run, and the rows so far."""

    programs = PROGRAMS
    c_flags = ("-O2", "-Wall", "-Wextra")

    def __init__(self, options):
        self.clients = {}
        self.options = options
        self.gaur = str(pathlib.Path(options.gaur).resolve())
        self.out = pathlib.Path(options.out).resolve()
        self.out.mkdir(parents=True, exist_ok=True)
        self.pairs = options.pairs
        self.rows = []
        self.wanted = set(options.only.split(",")) if options.only else None
        self.library = self.out / "libgaur_bench_native.so"

    def wants(self, *names):
        return self.wanted is None or any(name in self.wanted for name in names)

    def size(self, sizes):
        return sizes[0] if self.options.quick else sizes[1]

    def run_command(self, files, arguments, *options):
        """The command line that runs bundles; the entry is @main of the last one."""
        files = [str(file) for file in files]
        return [self.gaur, "run", *options, *self.options.gaur_option, *files, "--", *[str(a) for a in arguments]]

    def build(self, name, compiler, flags, *sources):
        """Compiles a peer into the output folder, anew each time: a second or two that spare every doubt."""
        target = self.out / name
        command = [compiler, *flags, "-o", str(target), *[str(source) for source in sources]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise measure.Failed(f"{compiler}: {done.stderr.strip().splitlines()[0] if done.stderr else 'failed'}")
        return str(target)

    def client(self, name, *libraries):
        """A program of the C interface, compiled once in a run."""
        if name not in self.clients:
            folder = pathlib.Path(self.gaur).parent.parent / "lib"
            self.clients[name] = self.build(name, CLANG, (*C_FLAGS, f"-I{ROOT / 'api'}"), PROGRAMS / f"{name}.c", f"-L{folder}", "-lgaur",
                                            *libraries, f"-Wl,-rpath,{folder}")
        return self.clients[name]

    def measure_row(self, row, action):
        """Runs `action`, which fills the row, prints it and keeps it. A failure is a row too."""
        try:
            action(row)
        except measure.Failed as error:
            row.error = str(error)
        self.rows.append(row)
        print(report.line(report.cells(row)), flush=True)

    def fill(self, row, ours, peer, figure, **settings):
        result = measure.compare(ours, peer, settings.pop("pairs", self.pairs), figure, **settings)
        row.ours, row.peer, row.ratio, row.ratios = result.ours, result.peer, result.ratio, result.ratios

    def fill_figures(self, row, figures, limit):
        """Figures of runs against a number that is the same on every machine."""
        row.ours, row.peer = sorted(figures)[len(figures) // 2], limit
        row.ratios = [figure / limit for figure in figures]
        row.ratio = row.ours / limit

    def fill_limit(self, row, ours, limit):
        """Nanoseconds that the program tells."""
        self.fill_figures(row, [measure.printed_nanoseconds(measure.run(ours)) for _ in range(self.pairs)], limit)

    def fill_difference(self, row, ours, without, limit, figure, scale=1.0, runs=None):
        """What a figure has grown by, times the scale, from runs without the matter in question to runs with it, alternately."""
        pairs = [(measure.run(ours), measure.run(without)) for _ in range(runs or self.pairs)]
        self.fill_figures(row, [(figure(run) - figure(other)) * scale for run, other in pairs], limit)

    def fill_growth(self, row, figures):
        """What ought to be nothing, or less; the ratio is the figure itself."""
        row.ours, row.peer = sorted(figures)[len(figures) // 2], 0.0
        row.ratios = figures
        row.ratio = max(row.ours, 0.0)


CLANG = "clang-19"
CLOCK = PROGRAMS / "clock.uir"
C_FLAGS = Bench.c_flags


def compute_kernels(bench):
    rows = []
    for name, (quick, full, goal) in KERNELS.items():
        if not bench.wants(name, "kernels"):
            continue
        size = bench.size((quick, full))

        def action(row, name=name, size=size):
            peer = bench.build(name, CLANG, C_FLAGS, PROGRAMS / f"{name}.c", "-lm")
            bench.fill(row, bench.run_command([PROGRAMS / f"{name}.uir"], [size]), [peer, str(size)],
                       measure.cpu_seconds)

        row = report.Row("kernels", f"{name} {size}", "clang -O2", goal)
        bench.measure_row(row, action)
        rows.append(row)
    if len(rows) == len(KERNELS):
        mean = report.Row("kernels", "geometric mean of ten", "clang -O2", KERNEL_MEAN_GOAL, unit="")
        mean.ratio = report.geometric_mean(rows)
        if mean.ratio is None:
            mean.error = "a kernel failed"
        bench.rows.append(mean)
        print(report.line(report.cells(mean)), flush=True)


def allocation(bench):
    for name, (quick, full, goal) in ALLOCATION.items():
        if not bench.wants(name, "allocation"):
            continue
        size = bench.size((quick, full))

        def action(row, name=name, size=size):
            peer = bench.build(name, CLANG, C_FLAGS, PROGRAMS / f"{name}.c")
            ours = bench.run_command([PROGRAMS / f"{name}.uir"], [size])
            bench.fill(row, ours, [peer, str(size)], measure.cpu_seconds)
            ours_peak, peer_peak = measure.run(ours).peak_bytes, measure.run([peer, str(size)]).peak_bytes
            row.note = f"peak memory {ours_peak >> 20} MB, C {peer_peak >> 20} MB"

        bench.measure_row(report.Row("allocation", f"{name} {size}", "malloc/free", goal), action)
    if bench.wants("alloctrees", "allocation"):
        trees = bench.size((40000, 200000))
        two, one = (bench.run_command([PROGRAMS / "alloctrees.uir"], [threads, trees]) for threads in (2, 1))
        bench.measure_row(report.Row("allocation", "trees of two threads", "of one", TWO_THREADS_GOAL, "ns"),
                          lambda row: bench.fill(row, two, one, measure.printed_nanoseconds))


def exceptions(bench):
    compilers = (("g++", "g++", THROW_GOAL), ("clang++", "clang++-19", None))
    for depth in (1, 10, 100):
        if not bench.wants("throw", f"throw{depth}"):
            continue
        count = bench.size((100000, 300000)) // (1 if depth < 100 else 10)
        arguments = [str(depth), str(count), "0"]
        ours = bench.run_command([PROGRAMS / "throw.uir"], arguments)
        for peer_name, compiler, goal in compilers:

            def action(row, peer_name=peer_name, compiler=compiler, ours=ours, arguments=arguments):
                peer = bench.build(f"throw_{peer_name}", compiler, C_FLAGS, PROGRAMS / "throw.cpp")
                bench.fill(row, ours, [peer, *arguments], measure.printed_nanoseconds)

            bench.measure_row(report.Row("exceptions", f"throw+catch depth {depth}", f"{peer_name} -O2", goal, "ns"), action)
    if bench.wants("throw", "throwloaded"):
        many = bench.out / f"tiny{LOADED_FUNCTIONS}.uir"
        many.write_text(generate.tiny_bundle(LOADED_FUNCTIONS, main=False), encoding="utf-8")
        arguments = ["10", str(bench.size((100000, 300000))), "0"]
        loaded = bench.run_command([many, PROGRAMS / "throw.uir"], arguments, "--eager")
        alone = bench.run_command([PROGRAMS / "throw.uir"], arguments, "--eager")
        bench.measure_row(
            report.Row("exceptions", f"throw, {LOADED_FUNCTIONS} functions", "throw alone", 1.1, "ns"),
            lambda row: bench.fill(row, loaded, alone, measure.printed_nanoseconds))
    for depth in (1, 10, 100):
        if not bench.wants("nothrow", f"nothrow{depth}"):
            continue
        count = bench.size((200000000, 1000000000)) // (depth * 10)
        arguments = [str(depth), str(count), str(count)]
        ours = bench.run_command([PROGRAMS / "throw.uir"], arguments)
        without = bench.run_command([PROGRAMS / "nothrow.uir"], arguments)
        bench.measure_row(
            report.Row("exceptions", f"never throwing depth {depth}", "without handler", NO_THROW_GOAL, "ns"),
            lambda row, ours=ours, without=without: bench.fill(row, ours, without, measure.printed_nanoseconds))

        def action(row, ours=ours, arguments=arguments):
            peer = bench.build("nothrow", CLANG, C_FLAGS, PROGRAMS / "nothrow.c")
            bench.fill(row, ours, [peer, *arguments], measure.printed_nanoseconds)

        bench.measure_row(report.Row("exceptions", f"never throwing depth {depth}", "clang -O2", None, "ns"), action)


def native_calls(bench):
    for name, goal, label in (("callout", CALL_OUT_GOAL, "Gaur to C call"), ("callin", CALL_IN_GOAL, "C to Gaur call")):
        if not bench.wants(name, "calls"):
            continue
        count = bench.size((100000000, 300000000))

        def action(row, name=name, count=count):
            bench.build(bench.library.name, CLANG, (*C_FLAGS, "-shared", "-fPIC"), PROGRAMS / "native_library.c")
            peer = bench.build(name, CLANG, C_FLAGS, PROGRAMS / f"{name}.c", bench.library, f"-Wl,-rpath,{bench.out}")
            ours = bench.run_command([PROGRAMS / f"{name}.uir"], [count], f"--lib={bench.library}")
            bench.fill(row, ours, [peer, str(count)], measure.printed_nanoseconds)

        bench.measure_row(report.Row("calls", label, "C pointer", goal, "ns"), action)


def watchpoints(bench):
    if not bench.wants("watchpoint"):
        return
    for kind, label, goal in ((0, "disabled in a loop", WATCHPOINT_GOAL), (1, "disabled in an empty loop", EMPTY_WATCHPOINT_GOAL)):
        arguments = [str(bench.size((300000000, 2000000000))), str(kind)]
        ours = bench.run_command([PROGRAMS / "watchpoint.uir"], arguments)
        without = bench.run_command([PROGRAMS / "nowatchpoint.uir"], arguments)
        bench.measure_row(
            report.Row("watchpoints", label, "without", goal, "ns"),
            lambda row, ours=ours, without=without: bench.fill(row, ours, without, measure.printed_nanoseconds))

    def toggle(row):
        sites = bench.out / f"sites{WATCHPOINT_SITES}.uir"
        sites.write_text(generate.site_bundle(WATCHPOINT_SITES), encoding="utf-8")
        command = bench.run_command([sites, PROGRAMS / "toggle.uir"], [bench.size((2000, 20000))], "--eager")
        runs = [measure.run(command) for _ in range(bench.pairs)]
        if any(run.lines[0] != str(WATCHPOINT_SITES) for run in runs):
            raise measure.Failed(f"{runs[0].lines[0]} of {WATCHPOINT_SITES} watchpoints were enabled")
        times = sorted(measure.printed_nanoseconds(run) for run in runs)
        row.ours, row.peer = times[len(times) // 2], float(TOGGLE_NANOSECONDS)
        row.ratios = [time / row.peer for time in times]
        row.ratio = row.ours / row.peer

    bench.measure_row(report.Row("watchpoints", f"{WATCHPOINT_SITES} toggled", "limit", 1.0, "ns"), toggle)


def switching(bench):
    """Programs that tell their own ns, beside peers that do the same."""
    context = ("-lboost_context",)
    coroutines = ("-std=c++20", "-fcoroutines")
    cases = (
        ("swap", "swap", (20000000, 100000000), (
            ("inline assembly", SWAP_GOAL, "swap.c", CLANG, ("-mno-red-zone",)),
            ("the same, fixed", None, "swap.c", CLANG, ("-mno-red-zone", "-DFIXED")),
            ("boost fiber", SWAP_CONTEXT_GOAL, "swap_fiber.cpp", "g++", context),
            ("boost fcontext", None, "swap_fcontext.cpp", "g++", context))),
        ("generator", "a value of a generator", (20000000, 100000000), (
            ("C++20 coroutine", GENERATOR_GOAL, "generator.cpp", "g++", coroutines),)),
        ("newstack", "new stack, run, end", (500000, 2000000), (
            ("makecontext", None, "newstack.c", CLANG, ()), ("boost fcontext", None, "newstack_fcontext.cpp", "g++", context))),
    )
    for name, label, sizes, peers in cases:
        if not bench.wants(name, "stacks"):
            continue
        size = bench.size(sizes)
        ours = bench.run_command([CLOCK, PROGRAMS / f"{name}.uir"], [size])
        for peer_name, goal, source, compiler, flags in peers:

            def action(row, source=source, compiler=compiler, flags=flags, ours=ours, size=size):
                # Libraries come after what needs them.
                libraries = [flag for flag in flags if flag.startswith("-l")]
                options = [flag for flag in flags if not flag.startswith("-l")]
                peer = bench.build(pathlib.Path(source).stem + ("_fixed" if "-DFIXED" in flags else ""), compiler, (*C_FLAGS, *options),
                                   PROGRAMS / source, *libraries)
                bench.fill(row, ours, [peer, str(size)], measure.printed_nanoseconds)

            bench.measure_row(report.Row("stacks", label, peer_name, goal, "ns"), action)
        if name == "newstack":
            bench.measure_row(report.Row("stacks", label, "limit", 1.0, "ns"),
                              lambda row, ours=ours: bench.fill_limit(row, ours, NEW_STACK_NANOSECONDS))


def live_stacks(bench):
    """How much more memory is resident with so many stacks, or touched pages, than with one."""
    if not bench.wants("livestacks", "stacks"):
        return

    def action(row):
        peer = bench.build("livestacks", CLANG, C_FLAGS, PROGRAMS / "livestacks.c")
        ours = [bench.run_command([PROGRAMS / "livestacks.uir"], [count]) for count in (LIVE_STACKS, 1)]
        theirs = [[peer, str(count)] for count in (LIVE_STACKS, 1)]
        grown = [(many.resident_bytes - one.resident_bytes) / (LIVE_STACKS - 1)
                 for many, one in (map(measure.footprint, commands) for commands in (ours, theirs))]
        row.ours, row.peer = grown
        row.ratio = row.ours / row.peer
        row.ratios = [row.ratio]

    bench.measure_row(report.Row("stacks", f"{LIVE_STACKS} live stacks, each", "touched pages", LIVE_STACKS_GOAL, "B"), action)


def traps(bench):
    if not bench.wants("trap", "frames"):
        return
    bench.measure_row(report.Row("frames", "trap, C handler, resume", "limit", 1.0, "ns"),
                      lambda row: bench.fill_limit(row, [bench.client("trap"), str(bench.size((1000000, 10000000)))], TRAP_NANOSECONDS))


def client_calls(bench):
    """What clients of the C interface do most."""
    if not bench.wants("handles", "client"):
        return

    def command(what, sizes):
        return [bench.client("handles"), what, str(bench.size(sizes))]

    for what, label, limit in HANDLES:
        bench.measure_row(report.Row("client", label, "limit", 1.0, "ns"),
                          lambda row, what=what, limit=limit: bench.fill_limit(row, command(what, (2000000, 10000000)), limit))
    bench.measure_row(report.Row("client", "exposed function from C, no Mu code below, beyond a pointer", "limit", 1.0, "ns"),
                      lambda row: bench.fill_difference(row, command("call", (2000000, 10000000)), command("pointer", (20000000, 100000000)),
                                                        EXPOSED_CALL_NANOSECONDS, measure.printed_nanoseconds))


def host_functions(bench):
    """Functions of the host with an environment: calls, and how they come and go."""
    if not bench.wants("hostcall", "client"):
        return

    def command(what, sizes):
        return [bench.client("hostcall", "-lffi"), what, str(bench.size(sizes))]

    for label, what, peer, goal, sizes in HOST_CALLS:
        bench.measure_row(report.Row("client", label, peer, goal, "ns"),
                          lambda row, what=what, peer=peer, sizes=sizes: bench.fill(row, command(what, sizes), command(peer, sizes),
                                                                                     measure.printed_nanoseconds))
    bench.measure_row(report.Row("client", "memory after many of them", "none", 0.0, "B"),
                      lambda row: bench.fill_growth(row, [measure.printed_nanoseconds(measure.run(command("grow", (100000, 1000000))))]))


def building(bench):
    """A client's calls against loading the same program as text, in one process."""
    if not bench.wants("builder", "calls"):
        return
    for label, what, limit, unit in BUILDING:
        bench.measure_row(report.Row("calls", label, "limit", 1.0, unit),
                          lambda row, what=what, limit=limit: bench.fill_limit(row, [bench.client("builder"), str(bench.size((1000, 9600))), what], limit))


def frame_editing(bench):
    """There is no peer: nanoseconds of the program's own clock against a limit."""
    for name, (label, sizes, limit) in FRAMES.items():
        if not bench.wants(name, "frames"):
            continue

        def action(row, name=name, sizes=sizes, limit=limit):
            files = [PROGRAMS / f"{name}.uir"] if name == "osr" else [CLOCK, PROGRAMS / f"{name}.uir"]
            bench.fill_limit(row, bench.run_command(files, bench.size(sizes)), limit)

        bench.measure_row(report.Row("frames", label, "limit", 1.0, "ns"), action)


def compile_latency(bench):
    """CPU per function = (run of N functions - run of none) / N, start-up and one execution of each included in both."""
    if not bench.wants("compile"):
        return
    count = bench.size((500, 2000))
    bundle, empty = bench.out / f"functions{count}.uir", bench.out / "functions1.uir"
    module, empty_module = bench.out / f"functions{count}.ll", bench.out / "functions1.ll"
    bundle.write_text(generate.mu_bundle(count), encoding="utf-8")
    empty.write_text(generate.mu_bundle(1), encoding="utf-8")
    module.write_text(generate.llvm_module(count, 1), encoding="utf-8")
    empty_module.write_text(generate.llvm_module(1, 1), encoding="utf-8")
    clang_o2 = [CLANG, "-O2", "-Wno-override-module", "-c", "-o", "/dev/null"]
    cases = (
        ("47-inst function, bundle O0", ("--eager", "--opt=0"), "lli -O0", ["lli-19", "-O0", "--jit-kind=mcjit"], True),
        ("47-inst function, singly O0", ("--opt=0",), "lli orc-lazy", ["lli-19", "-O0", "--jit-kind=orc-lazy"], True),
        ("47-inst function, bundle O2", ("--eager", "--opt=2"), "clang -O2 -c", clang_o2, False),
        ("47-inst function, singly O2", ("--opt=2",), "clang -O2 -c", clang_o2, False),
    )
    for label, options, peer_name, peer, runs in cases:

        def action(row, options=options, peer=peer, runs=runs):
            full = bench.run_command([bundle], ["1"], *options)
            nothing = bench.run_command([empty], ["1"], *options)
            ratios, ours, theirs = [], [], []
            for _ in range(bench.pairs):
                a, b = measure.run(full), measure.run([*peer, str(module)])
                a0, b0 = measure.run(nothing), measure.run([*peer, str(empty_module)])
                if runs and not measure.same_results(a.lines[0], b.lines[0]):
                    raise measure.Failed(f"results differ: ours {a.lines[0]}, peer {b.lines[0]}")
                ours.append((a.cpu_seconds - a0.cpu_seconds) / count * 1e9)
                theirs.append((b.cpu_seconds - b0.cpu_seconds) / count * 1e9)
                ratios.append(ours[-1] / theirs[-1])
            row.ours, row.peer = sorted(ours)[len(ours) // 2], sorted(theirs)[len(theirs) // 2]
            row.ratio, row.ratios = sorted(ratios)[len(ratios) // 2], ratios

        bench.measure_row(report.Row("compile", label, peer_name, None, "ns"), action)


def code_footprint(bench):
    """Resident bytes a function: the same bundle compiled and not compiled, so that IR and libraries cancel out."""
    if not bench.wants("footprint"):
        return
    count = bench.size((20000, 100000))
    bundle = bench.out / f"tiny{count}_main.uir"
    bundle.write_text(generate.tiny_bundle(count, main=True), encoding="utf-8")
    state = {}

    def action(row):
        compiled = measure.footprint(bench.run_command([bundle], [], "--eager", "--opt=0"))
        lazy = measure.footprint(bench.run_command([bundle], [], "--opt=0"))
        state["mappings"], state["writable"] = compiled.executable_mappings, compiled.writable_executable_mappings
        row.ours, row.peer = (compiled.resident_bytes - lazy.resident_bytes) / count, float(BYTES_PER_FUNCTION)
        row.ratio = row.ours / row.peer
        row.ratios = [row.ratio]
        row.note = f"{compiled.resident_bytes >> 20} MB resident, {lazy.resident_bytes >> 20} MB before compiling"

    bench.measure_row(report.Row("footprint", f"{count} live functions, each", "limit", 1.0, "B"), action)
    if not state:
        return

    def mappings(row):
        row.ours, row.peer = state["mappings"], CODE_MAPPINGS
        row.ratio = row.ours / row.peer
        row.ratios = [row.ratio]
        row.note = f"{state['writable']} of them writable"
        if state["writable"]:
            raise measure.Failed(f"{state['writable']} mappings are writable and executable")

    bench.measure_row(report.Row("footprint", "code mappings", "limit", 1.0, ""), mappings)


def big_bundles(bench):
    """CPU seconds against limits: what is compared with a run without the matter in question tells of the matter alone."""
    if not bench.wants("big", "client"):
        return
    count = bench.size((big_bundle.FUNCTIONS // BIG_PART, big_bundle.FUNCTIONS))
    whole, part, script = bench.out / f"big{count}.uir", bench.out / "bigpart.uir", bench.out / "big.hail"
    big_bundle.write_file(whole, count)
    big_bundle.write_file(part, count // BIG_PART)
    scale = big_bundle.FUNCTIONS / count

    def seconds(row, command, limit, without=None, times=1.0):
        figures = []
        for _ in range(bench.pairs):
            run, other = measure.run(command, timeout=3600), measure.run(without) if without else None
            figures.append(max(run.cpu_seconds - (other.cpu_seconds if other else 0), 0) * times)
        row.ours, row.peer = sorted(figures)[len(figures) // 2], limit
        row.ratios = [figure / limit for figure in figures]
        row.ratio = row.ours / limit

    def check(row):
        seconds(row, [bench.gaur, "check", str(whole)], BIG_CHECK, times=scale)
        row.note = f"{whole.stat().st_size >> 20} MB of text"

    def memory(row):
        row.ours, row.peer = measure.run(bench.run_command([whole], ["1"])).peak_bytes * scale, BIG_BYTES
        row.ratio = row.ours / row.peer
        row.ratios = [row.ratio]

    def hail(row):
        big_bundle.write_hail(script, HAIL_OBJECTS)
        seconds(row, bench.run_command([part, script], ["1"]), HAIL_SECONDS, bench.run_command([part], ["1"]))
        row.note = f"{script.stat().st_size >> 20} MB of text"

    def compiled(level, file):
        return bench.run_command([file], ["1"], "--eager", f"--opt={level}")

    check_whole = [bench.gaur, "check", str(whole)]
    for label, action in (
            ("big bundle: check", check),
            ("big bundle: first call", lambda row: seconds(row, bench.run_command([whole], ["1"]), BIG_CALL, check_whole)),
            ("big bundle: all at O0", lambda row: seconds(row, compiled(0, whole), BIG_O0, check_whole, scale)),
            (f"big bundle: all at O2, 1/{BIG_PART}",
             lambda row: seconds(row, compiled(2, part), BIG_O2, [bench.gaur, "check", str(part)], scale * BIG_PART)),
            ("10 MB of HAIL", hail)):
        bench.measure_row(report.Row("big", label, "limit", 1.0), action)
    bench.measure_row(report.Row("big", "big bundle: memory", "limit", 1.0, "B"), memory)


def start_up(bench):
    if not bench.wants("startup"):
        return
    hello = bench.out / "hello.ll"
    hello.write_text(generate.LLVM_HELLO, encoding="utf-8")
    ours = bench.run_command([ROOT / "examples" / "hello.uir"], [])
    bench.measure_row(
        report.Row("startup", "hello, start to end", "lli", START_GOAL),
        lambda row: bench.fill(row, ours, ["lli-19", str(hello)], measure.cpu_seconds, pairs=max(11, bench.pairs)))


PARTS = (compute_kernels, allocation, exceptions, native_calls, watchpoints, switching, live_stacks, traps, client_calls, host_functions, building, frame_editing,
         compile_latency, code_footprint, code_life.code_life, code_life.redefinition, big_bundles, start_up, images.boot_images)
NAMES = (*KERNELS, *ALLOCATION, "alloctrees", "throw", "throwloaded", "nothrow", "callout", "callin", "watchpoint", "swap",
         "generator", "newstack", "livestacks", "trap", "handles", "hostcall", "builder", *FRAMES, "compile", "footprint", "big", "startup", "images", "codelife", "redefine", "kernels", "allocation",
         "calls", "stacks", "frames", "client", "code")


def machine_facts(bench):
    processor = platform.processor() or "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for entry in info:
            if entry.startswith("model name"):
                processor = entry.split(":", 1)[1].strip()
                break
    version = subprocess.run([bench.gaur, "version"], capture_output=True, text=True, check=False).stdout.strip()
    return {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "processor": processor,
            "processors": os.cpu_count(), "load": os.getloadavg()[0], "gaur": version, "pairs": bench.pairs,
            "quick": bench.options.quick}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gaur", default=str(ROOT / "build" / "release" / "bin" / "gaur"))
    parser.add_argument("--pairs", type=int, help="alternating pairs of runs (default 5, with --quick 3)")
    parser.add_argument("--quick", action="store_true", help="sizes for which C takes 0.1 to 0.3 s")
    parser.add_argument("--only", help="comma-separated: " + ", ".join(NAMES))
    parser.add_argument("--out", default=str(ROOT / "build" / "bench"))
    parser.add_argument("--gaur-option", action="append", default=[], help="one more option for every `gaur run`")
    options = parser.parse_args()
    if options.pairs is None:
        options.pairs = 3 if options.quick else 5
    unknown = set(options.only.split(",")) - set(NAMES) - {f"{n}{d}" for n in ("throw", "nothrow") for d in (1, 10, 100)} \
        if options.only else set()
    if unknown:
        parser.error("unknown: " + ", ".join(sorted(unknown)))
    if not os.access(options.gaur, os.X_OK):
        parser.error(f"{options.gaur} is not there: build it first (tools/dev build)")
    bench = Bench(options)
    facts = machine_facts(bench)
    print(f"{facts['gaur'] or 'gaur'}, {facts['processor']}, load {facts['load']:.1f}, {bench.pairs} pairs\n")
    print(report.heading())
    for part in PARTS:
        part(bench)
    report.write_json(bench.out / "results.json", bench.rows, facts)
    report.write_svg(bench.out / "results.svg", bench.rows, "Gaur beside its peers")
    print(f"\n{bench.out}/results.json, results.svg")
    return 1 if any(row.error is not None for row in bench.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
