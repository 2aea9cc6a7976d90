"""What boot images cost, against the goals of the project: start with big ones, elsewhere, with many functions; building; memory that a start writes to.

    python3 benchmarks/runner/images.py [--gaur PATH] [--runs N] [--quick]

Each figure is a median; starts are user and system CPU time of the whole process, once the file was verified. The figures for symbol relocations and for
collections are those of the unit tests (unit_bootimage), which have the sizes of the goals when GAUR_TEST_IMAGE_MB=128 is set.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

OBJECTS = """
.typedef @void = void .typedef @i64 = int<64> .typedef @i32 = int<32> .typedef @i8 = int<8>
.typedef @node = struct<@next @next @i64> .typedef @next = ref<@node> .typedef @argv = uptr<@cstr> .typedef @cstr = uptr<@i8>
.const @null <@next> = NULL .const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @0.i32 <@i32> = 0 .const @count <@i64> = {count}
.funcsig @do.sig = () -> () .funcsig @main.sig = (@i32 @argv) -> (@i32) .funcsig @pause.sig = () -> (@i32)
.typedef @pause.fp = ufuncptr<@pause.sig> .const @pause <@pause.fp> = EXTERN "getchar"
.global @list <@next>
.funcdef @setup VERSION %v <@do.sig> {{ %entry(): BRANCH %loop(@count @null)
  %loop(<@i64> %n <@next> %last): %o = NEW <@node> %i = GETIREF <@node> %o %a = GETFIELDIREF <@node 0> %i %b = GETFIELDIREF <@node 1> %i
    %c = GETFIELDIREF <@node 2> %i STORE <@next> %a %last STORE <@next> %b %o STORE <@i64> %c %n
    %m = SUB <@i64> %n @1 %more = NE <@i64> %m @0 BRANCH2 %more %loop(%m %o) %end(%o)
  %end(<@next> %o): STORE <@next> @list %o RET () }}
.funcdef @main VERSION %v <@main.sig> {{ %entry(<@i32> %argc <@argv> %argv): RET (@0.i32) }}
.funcdef @wait VERSION %v <@main.sig> {{ %entry(<@i32> %argc <@argv> %argv): %c = CCALL #DEFAULT <@pause.fp @pause.sig> @pause () RET (@0.i32) }}
"""

FUNCTION = """
.funcdef @f{i} VERSION %v <@i_i> {{ %entry(<@i64> %x): %a = ADD <@i64> %x @c{i} %b = MUL <@i64> %a @c{i} %y = CALL <@i_i> @f{next} (%b) RET %y }}
.const @c{i} <@i64> = {i}
"""


def functions(count):
    text = """.typedef @i64 = int<64> .typedef @i32 = int<32> .typedef @i8 = int<8> .typedef @argv = uptr<@cstr> .typedef @cstr = uptr<@i8> .const @0.i32 <@i32> = 0
.funcsig @i_i = (@i64) -> (@i64) .funcsig @main.sig = (@i32 @argv) -> (@i32)
.funcdef @main VERSION %v <@main.sig> { %entry(<@i32> %argc <@argv> %argv): RET (@0.i32) }
"""
    return text + "".join(FUNCTION.format(i=i, next=(i + 1) % count) for i in range(count))


class Bench:
    def __init__(self, arguments, folder):
        self.gaur, self.runs, self.folder = arguments.gaur, arguments.runs, folder
        self.failures = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def build(self, name, text, *options):
        """Returns the report and the most memory that building took."""
        source, image = self.path(name + ".uir"), self.path(name + ".img")
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        process = subprocess.Popen([self.gaur, "build", source, "-o", image, "--json", *options], stdout=subprocess.PIPE)
        report = json.load(process.stdout)
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"building {name} failed")
        return image, report, usage.ru_maxrss * 1024

    def start(self, *command):
        """Median CPU milliseconds of a run."""
        times = []
        for i in range(self.runs + 1):
            process = subprocess.Popen([self.gaur, "run", *command])
            _, status, usage = os.wait4(process.pid, 0)
            if status != 0:
                sys.exit(f"{command} failed")
            if i > 0:  # the first one verifies
                times.append((usage.ru_utime + usage.ru_stime) * 1e3)
        return statistics.median(times)

    def row(self, what, figure, unit, goal):
        """A goal of None is for information."""
        verdict = "" if goal is None else "ok" if figure <= goal else "MISSED"
        self.failures += verdict == "MISSED"
        print(f"{what:62} {figure:10.3f} {unit:8} {'' if goal is None else f'goal {goal:g}':14} {verdict}", flush=True)


def sizes(bench, megabytes):
    small, _, _ = bench.build("small", OBJECTS.format(count=(1 << 20) // 32), "--init=@setup", "--entry=@main")
    count = (megabytes << 20) // 32
    big, report, _ = bench.build("big", OBJECTS.format(count=count), "--init=@setup", "--entry=@main")
    one, many = bench.start(small), bench.start(big)
    bench.row("start of a 1 MB image", one, "ms", None)
    bench.row(f"start of a {report['heapBytes'] >> 20} MB image, to that of a 1 MB one", many / one, "times", 1.2)
    moved = bench.start("--elsewhere", big) - bench.start("--elsewhere", small)
    bench.row(f"relocated elsewhere: {2 * count} pointers, each", moved * 1e6 / (2 * count), "ns", 1.3)
    dirty(bench, big)


def dirty(bench, image):
    """Pages of the heap that a process which only starts has written to."""
    process = subprocess.Popen([bench.gaur, "run", image, "--entry=@wait", "x"], stdin=subprocess.PIPE)
    try:
        pages = None
        while pages is None and process.poll() is None:
            with open(f"/proc/{process.pid}/smaps", encoding="utf-8") as file:
                found = re.search(r"^210000000000-.*?Private_Dirty:\s+(\d+) kB", file.read(), re.MULTILINE | re.DOTALL)
            state = open(f"/proc/{process.pid}/wchan", encoding="utf-8").read()
            if found and "pipe" in state:
                pages = int(found[1]) / 4
        bench.row("pages of its heap that a start writes to", pages, "pages", 0)
    finally:
        process.communicate(b"x")


def manyFunctions(bench, count):
    image, _, _ = bench.build("functions", functions(count), "--entry=@main")
    bench.row(f"start with {count} functions, at the preferred place", bench.start(image), "ms", None)
    one, _, _ = bench.build("function", functions(1), "--entry=@main")
    bench.row(f"re-linked elsewhere: {count} functions, beyond one", bench.start("--elsewhere", image) - bench.start("--elsewhere", one), "ms", 30)


def building(bench, count):
    _, report, memory = bench.build("million", OBJECTS.format(count=count), "--init=@setup", "--entry=@main", "--heap=1M")
    _, least, base = bench.build("none", OBJECTS.format(count=1), "--init=@setup", "--entry=@main", "--heap=1M")
    bench.row(f"building an image of {count} objects, beyond compiling", report["seconds"] - least["seconds"], "s", 1)
    bench.row("memory for that beyond an empty one, to the image", (memory - base) / report["imageBytes"], "times", 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gaur", default=os.path.join(ROOT, "build", "release", "bin", "gaur"))
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes")
    arguments = parser.parse_args()
    scale = 10 if arguments.quick else 1
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, folder)
        sizes(bench, 128 // scale)
        manyFunctions(bench, 10_000 // scale)
        building(bench, 1_000_000 // scale)
    print(f"{bench.failures} goals missed")


if __name__ == "__main__":
    main()
