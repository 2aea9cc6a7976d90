"""What boot images cost: rows of the benchmark run. Starts are user and system CPU time of the whole process, of files that were
verified before; what is compared with a run without the matter in question tells of the matter alone. The images stay in the
output folder until the next run.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import measure  # noqa: E402
import report  # noqa: E402

LUAJIT_GOAL = 2.0
# CPU seconds of luajit for hello, where it is not installed (Debian package luajit).
LUAJIT_SECONDS = 0.62e-3
BIG_START_GOAL = 1.2
SBCL_GOAL = 1.0
MOVED_NANOSECONDS = 1.3
SYMBOL_SECONDS = 20e-3
RELINK_SECONDS = 30e-3
BUILD_SECONDS = 1.0
BUILD_MEMORY = 3.0
PAUSE_NANOSECONDS = 1e6
COLLECTIONS = 41

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
OBJECT_BYTES = 32
POINTERS = 2  # of an object

FUNCTION = """
.funcdef @f{i} VERSION %v <@i_i> {{ %entry(<@i64> %x): %a = ADD <@i64> %x @c{i} %b = MUL <@i64> %a @c{i} %y = CALL <@i_i> @f{next} (%b) RET %y }}
.const @c{i} <@i64> = {i}
"""

# A core of SBCL with the same list; it has about 30 MB beside that.
SBCL = """
(defstruct node next self number)
(defvar *list* nil)
(dotimes (i {count}) (let ((o (make-node :next *list* :number i))) (setf (node-self o) o *list* o)))
(save-lisp-and-die "{path}" :executable t :toplevel (lambda () (sb-ext:exit :code 0 :abort t)))
"""

C_HELLO = '#include <stdio.h>\nint main(void) { puts("Hello, world!"); return 0; }\n'


def functions(count):
    text = """.typedef @i64 = int<64> .typedef @i32 = int<32> .typedef @i8 = int<8> .typedef @argv = uptr<@cstr> .typedef @cstr = uptr<@i8> .const @0.i32 <@i32> = 0
.funcsig @i_i = (@i64) -> (@i64) .funcsig @main.sig = (@i32 @argv) -> (@i32)
.funcdef @main VERSION %v <@main.sig> { %entry(<@i32> %argc <@argv> %argv): RET (@0.i32) }
"""
    return text + "".join(FUNCTION.format(i=i, next=(i + 1) % count) for i in range(count))


class Image:
    """A file, what building it told, and the most memory that it took."""

    def __init__(self, path, facts, peak_bytes):
        self.path, self.facts, self.peak_bytes = str(path), facts, peak_bytes


class Images:
    def __init__(self, bench):
        self.bench = bench
        self.runs = max(11, bench.pairs)

    def build(self, name, text, *options):
        """Builds the image and starts it once, so that it is verified."""
        source = self.bench.out / f"{name}.uir"
        source.write_text(text, encoding="utf-8")
        return self.build_file(name, source, *options)

    def build_file(self, name, source, *options):
        image = self.bench.out / f"{name}.img"
        run = measure.run([self.bench.gaur, "build", str(source), "-o", str(image), "--json", *options])
        return Image(image, json.loads("\n".join(run.lines)), run.peak_bytes)

    def start(self, image, *options):
        return [self.bench.gaur, "run", *options, image if isinstance(image, str) else image.path]

    def row(self, label, peer, goal, action, unit="s"):
        self.bench.measure_row(report.Row("images", label, peer, goal, unit), action)

    def fail(self, error):
        def action(_):
            raise error

        self.row("an image for the rows", "", None, action)

    def compare(self, row, ours, peer):
        measure.run(ours)
        self.bench.fill(row, ours, peer, measure.cpu_seconds, pairs=self.runs)

    def beyond(self, row, ours, without, limit, scale=1.0):
        """CPU seconds beyond those of a run without, times the scale, against a limit."""
        measure.run(ours)
        measure.run(without)
        self.bench.fill_difference(row, ours, without, limit, measure.cpu_seconds, scale=scale, runs=self.runs)

    def hello(self):
        image = self.build_file("hello", pathlib.Path(__file__).resolve().parent.parent.parent / "examples" / "hello.uir", "--entry=@main")
        script, source = self.bench.out / "hello.lua", self.bench.out / "hello_plain.c"
        script.write_text('io.write("Hello, world!\\n")\n', encoding="utf-8")
        source.write_text(C_HELLO, encoding="utf-8")
        if shutil.which("luajit"):
            self.row("hello from an image", "luajit", LUAJIT_GOAL,
                     lambda row: self.compare(row, self.start(image), ["luajit", str(script)]))
        else:
            self.row("hello from an image", "luajit's figure", LUAJIT_GOAL,
                     lambda row: self.beyond(row, self.start(image), ["true"], LUAJIT_SECONDS))
        self.row("hello from an image", "clang -O2", None,
                 lambda row: self.compare(row, self.start(image), [self.bench.build("hello_plain", "clang-19", ("-O2",), source)]))

    def sizes(self, megabytes):
        options = ("--init=@setup", "--entry=@main")
        count = (megabytes << 20) // OBJECT_BYTES
        small = self.build("objects1", OBJECTS.format(count=(1 << 20) // OBJECT_BYTES), *options)
        big = self.build(f"objects{megabytes}", OBJECTS.format(count=count), *options)
        self.row(f"start with {megabytes} MB of objects", "1 MB", BIG_START_GOAL,
                 lambda row: self.compare(row, self.start(big), self.start(small)))
        if shutil.which("sbcl"):
            self.row(f"start with {megabytes} MB of objects", "SBCL core", SBCL_GOAL,
                     lambda row: self.compare(row, self.start(big), [self.core(count)]))
        elsewhere = (self.start(big, "--elsewhere"), self.start(small, "--elsewhere"))
        pointers = POINTERS * (count - (1 << 20) // OBJECT_BYTES)
        self.row("moved elsewhere, a pointer", "limit", 1.0,
                 lambda row: self.beyond(row, *elsewhere, MOVED_NANOSECONDS, scale=1e9 / pointers), unit="ns")
        self.row("pages a start writes to", "none", 0.0, lambda row: self.written(row, big), unit="")
        self.pauses(small, big)

    def core(self, count):
        core, script = self.bench.out / "sbcl.core", self.bench.out / "sbcl.lisp"
        core.unlink(missing_ok=True)
        script.write_text(SBCL.format(count=count, path=core), encoding="utf-8")
        measure.run(["sbcl", "--dynamic-space-size", "2GB", "--non-interactive", "--no-userinit", "--load", str(script)])
        return str(core)

    def written(self, row, image):
        """Pages of the heap that a process which only starts has written to."""
        process = subprocess.Popen([self.bench.gaur, "run", image.path, "--entry=@wait", "x"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            pages = None
            while pages is None and process.poll() is None:
                with open(f"/proc/{process.pid}/smaps", encoding="utf-8") as file:
                    found = re.search(r"^210000000000-.*?Private_Dirty:\s+(\d+) kB", file.read(), re.MULTILINE | re.DOTALL)
                with open(f"/proc/{process.pid}/wchan", encoding="utf-8") as file:
                    if found and "pipe" in file.read():
                        pages = int(found[1]) / 4
            if pages is None:
                raise measure.Failed("it ended too early")
            self.bench.fill_growth(row, [pages])
        finally:
            process.communicate(b"x")

    def pauses(self, small, big):
        """How much longer a collection takes with the heap of an image that nobody has changed."""
        def action(row):
            client = self.bench.client("image_client")
            commands = [[client, "pause", image.path, str(COLLECTIONS)] for image in (big, small)]
            self.bench.fill_difference(row, *commands, PAUSE_NANOSECONDS, measure.printed_nanoseconds)

        self.row("collection beside it", "limit", 1.0, action, unit="ns")

    def symbols(self, count):
        def action(row):
            client = self.bench.client("image_client")
            many, one = (str(self.bench.out / f"symbols{n}.img") for n in (count, 1))
            for path, n in ((many, count), (one, 1)):
                measure.run([client, "symbols", path, str(n)])
            self.beyond(row, self.start(many), self.start(one), SYMBOL_SECONDS)

        self.row(f"{count} symbol relocations", "limit", 1.0, action)

    def many_functions(self, count):
        many = self.build("functions", functions(count), "--entry=@main")
        one = self.build("function", functions(1), "--entry=@main")
        self.row(f"{count} functions re-linked", "limit", 1.0,
                 lambda row: self.beyond(row, self.start(many, "--elsewhere"), self.start(one, "--elsewhere"), RELINK_SECONDS))

    def building(self, count):
        """Wall-clock seconds that the build itself tells, without those of one object."""
        options = ("--init=@setup", "--entry=@main", "--heap=1M")
        state = {}

        def seconds(row):
            figures = []
            for _ in range(self.bench.pairs):
                state["all"] = self.build("million", OBJECTS.format(count=count), *options)
                state["none"] = self.build("none", OBJECTS.format(count=1), *options)
                figures.append(state["all"].facts["seconds"] - state["none"].facts["seconds"])
            self.bench.fill_figures(row, figures, BUILD_SECONDS)

        def memory(row):
            if not state:
                raise measure.Failed("nothing was built")
            grown = state["all"].peak_bytes - state["none"].peak_bytes
            self.bench.fill_figures(row, [grown], float(state["all"].facts["imageBytes"]))

        self.row(f"image of {count} objects", "limit", 1.0, seconds)
        self.row("memory for that", "the image", BUILD_MEMORY, memory, unit="B")


def boot_images(bench):
    if not bench.wants("images"):
        return
    images = Images(bench)
    try:
        images.hello()
        images.sizes(bench.size((16, 128)))
        images.symbols(bench.size((10_000, 100_000)))
        images.many_functions(bench.size((1_000, 10_000)))
        images.building(bench.size((100_000, 1_000_000)))
    except measure.Failed as error:
        images.fail(error)
