"""gaur heap --why: what keeps code alive, at the end of a run and by SIGUSR1; and what --log=code tells of code that goes."""
import json
import re
import signal
import subprocess
import unittest

from command import GAUR, OK, Case

TYPES = """
.typedef @i64 = int<64>
.typedef @i8 = int<8>
.typedef @void = void
.typedef @stack = stackref
.typedef @ibyte = iref<@i8>
.typedef @ptr = uptr<@void>
.funcsig @v = () -> ()
.funcsig @i = () -> (@i64)
.funcsig @source.sig = () -> (@uvm.meta.bytes.r)
.funcsig @read.sig = (@i64 @ptr @i64) -> (@i64)
.funcsig @write.sig = (@i64 @ptr @i64) -> (@i64)
.typedef @read.fp = ufuncptr<@read.sig>
.const @read <@read.fp> = EXTERN "read"
.const @write <@read.fp> = EXTERN "write"
.const @0 <@i64> = 0
.const @1 <@i64> = 1
.const @7 <@i64> = 7
.const @nowhere <@stack> = NULL
.global @mine <@stack>
.global @away <@stack>
.global @byte <@i64>
"""

# @f.v1 waits on a stack of its own, while a second version of @f is loaded.
WAITS = TYPES + """
.funcdef @f VERSION %v1 <@i> { %entry():
  %me = COMMINST @uvm.current_stack STORE <@stack> @away %me
  %s = LOAD <@stack> @mine SWAPSTACK %s RET_WITH <> PASS_VALUES <> () RET @1 }
.funcdef @work VERSION %v1 <@v> { %entry(): %r = CALL <@i> @f () COMMINST @uvm.thread_exit () }
.funcdef @begin VERSION %v1 <@v> { %entry(): %me = COMMINST @uvm.current_stack STORE <@stack> @mine %me
  %s = COMMINST @uvm.new_stack <[@v]> (@work) SWAPSTACK %s RET_WITH <> PASS_VALUES <> ()
  %t = CALL <@source.sig> @source () COMMINST @uvm.meta.load_bundle (%t) RET () }
.funcdef @leaves VERSION %v1 <@i> { %entry(): CALL <@v> @begin () %r = CALL <@i> @f () RET %r }
.funcdef @drops VERSION %v1 <@i> { %entry(): CALL <@v> @begin () %s = LOAD <@stack> @away
  COMMINST @uvm.kill_stack (%s) STORE <@stack> @away @nowhere STORE <@stack> @mine @nowhere
  %r = CALL <@i> @f () RET %r }
"""

# @f.v1 is active while it is superseded: it says so, and goes on when it can read a byte.
RUNS = TYPES + """
.funcdef @f VERSION %v1 <@i> { %entry(): %t = CALL <@source.sig> @source () COMMINST @uvm.meta.load_bundle (%t)
  %u = COMMINST @uvm.native.get_addr <@iword> (@byte) %p = PTRCAST <@word @ptr> %u
  %w = CCALL #DEFAULT <@read.fp @read.sig> @write (@1 %p @1)
  %n = CCALL #DEFAULT <@read.fp @read.sig> @read (@0 %p @1) RET @1 }
.typedef @iword = iref<@i64> .typedef @word = uptr<@i64>
.const @mark <@i64> = 42
.funcdef @main VERSION %v1 <@i> { %entry(): STORE <@i64> @byte @mark %a = CALL <@i> @f () %b = CALL <@i> @f ()
  %r = ADD <@i64> %a %b RET %r }
"""

NEXT = ".funcdef @f VERSION %v2 <@i> { %entry(): RET @7 }"


def source(text):
    """A function @source that returns the text as @uvm.meta.bytes."""
    size = len(text)
    lines = [f".const @size <@i64> = {size}"]
    for letter in sorted(set(text)):
        lines.append(f".const @b{ord(letter)} <@i8> = {ord(letter)}")
    lines.append(f".typedef @text = array<@i8 {size}>\n.typedef @itext = iref<@text>")
    lines.append(".const @letters <@text> = { " + " ".join(f"@b{ord(letter)}" for letter in text) + " }")
    lines.append(""".funcdef @source VERSION %v1 <@source.sig> { %entry(): %o = NEWHYBRID <@uvm.meta.bytes @i64> @size
  %i = GETIREF <@uvm.meta.bytes> %o %l = GETFIELDIREF <@uvm.meta.bytes 0> %i STORE <@i64> %l @size
  %v = GETVARPARTIREF <@uvm.meta.bytes> %i %w = REFCAST <@ibyte @itext> %v STORE <@text> %w @letters RET %o }""")
    return "\n".join(lines) + "\n"


class Exit(Case):
    def setUp(self):
        super().setUp()
        self.bundle = self.file("waits.uir", WAITS + source(NEXT))

    def heap(self, entry, *words):
        return self.expect(OK, "heap", *words, "--entry", entry, self.bundle, out="7\n").stderr

    def test_a_stack_that_waits(self):
        told = self.heap("@leaves", "--why=@f.v1", "--opt=2")
        self.assertRegex(told, r"\A@f\.v1: global cell @away\n  -> a stack of the runtime, a frame of @f\.v1\n\Z")

    def test_one_unit_of_several(self):
        """At O0 what a function calls is compiled with it, and goes with it."""
        told = self.heap("@leaves", "--why=@f.v1", "--opt=0")
        self.assertRegex(told, r"\A@f\.v1: @leaves, whose code was compiled in one unit with it\n\Z")

    def test_what_is_gone(self):
        told = self.heap("@drops", "--why=@f.v1", "--opt=2")
        self.assertRegex(told, r"\A@f\.v1: (there is nothing of that name|nothing reaches it.*)\n\Z")

    def test_several(self):
        told = self.heap("@leaves", "--why=@f", "--why", "@f.v2", "--why=@away", "--why=@nobody")
        self.assertEqual(told, "@f: nothing ever asked for its end\n@f.v2: nothing ever asked for its end\n"
                         "@away: nothing ever asked for its end\n@nobody: there is nothing of that name\n")

    def test_json(self):
        rows = json.loads(self.heap("@leaves", "--why=@f.v1", "--why=@f", "--why=@nobody", "--json"))
        self.assertEqual([(row["entity"], row["known"]) for row in rows],
                         [("@f.v1", True), ("@f", True), ("@nobody", False)])
        self.assertFalse(rows[0]["permanent"])
        self.assertEqual(rows[0]["path"][0], "global cell @away")
        self.assertIn("of the runtime", rows[0]["path"][1])
        self.assertTrue(rows[1]["permanent"])

    def test_by_number(self):
        told = self.heap("@leaves", "--why=@f.v1", "--json")
        number = json.loads(told)[0]["id"]
        self.assertRegex(self.heap("@leaves", f"--why={number}"), rf"\A{number}: global cell @away\n")

    def test_no_entity(self):
        self.expect_usage("heap", self.bundle, saying="--why")


class Signal(Case):
    def run_until_it_waits(self, *words):
        bundle = self.file("runs.uir", RUNS + source(NEXT))
        process = subprocess.Popen([GAUR, "heap", *words, bundle, "--entry=@main"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.read(1), "*")
        return process

    def report(self, process, lines):
        process.send_signal(signal.SIGUSR1)
        return "".join(process.stderr.readline() for _ in range(lines))

    def test_an_active_frame(self):
        process = self.run_until_it_waits("--why=@f.v1", "--opt=2")
        for _ in range(3):
            self.assertEqual(self.report(process, 1), "@f.v1: the stack of a thread, a frame of @f.v1\n")
        out, err = process.communicate("x", timeout=60)
        self.assertEqual((process.returncode, out), (OK, "8\n"), err)
        # At the end it is told again.
        self.assertRegex(err, r"\A@f\.v1: .*\n\Z")
        self.assertNotIn("a frame of", err)

    def test_json(self):
        process = self.run_until_it_waits("--why=@f.v1", "--json")
        rows = json.loads(self.report(process, 1))
        self.assertEqual(rows[0]["path"], ["the stack of a thread, a frame of @f.v1"])
        process.communicate("x", timeout=60)


class Log(Case):
    def test_fragmentation(self):
        """Each line about freed code tells what is in use, what is free, and in how many pieces."""
        texts = [self.file("first.uir", TYPES + ".funcdef @f VERSION %v1 <@i> { %entry(): RET @1 }\n" + self.loop())]
        process = self.expect(OK, "run", "--log=code=info", "--gc-stress=1", "--entry=@main", *texts)
        line = r"freed (\d+) units; (\d+) KB of code in use, (\d+) KB free in (\d+) pieces, the largest of (\d+) KB; (\d+) KB of data"
        found = re.findall(line, process.stderr)
        self.assertTrue(found, process.stderr)
        for _, _, free, pieces, largest, _ in found:
            self.assertGreaterEqual(int(free), int(largest))
            if int(pieces) == 0:
                self.assertEqual(int(largest), 0)
            # Bounded: what is freed is used again.
            self.assertLess(int(pieces), 16)
        self.assertLess(max(int(used) for _, used, *_ in found), int(found[0][1]) + 32)
        self.assertGreater(sum(int(freed) for freed, *_ in found), 20)

    @staticmethod
    def loop():
        """Loads @f.v2 thirty times: a name is free again when its version is gone."""
        return source(NEXT) + """
.const @30 <@i64> = 30
.funcdef @main VERSION %v1 <@i> { %entry(): BRANCH %loop(@0)
  %loop(<@i64> %n): %c = EQ <@i64> %n @30 BRANCH2 %c %end() %more(%n)
  %more(<@i64> %n): %t = CALL <@source.sig> @source () COMMINST @uvm.meta.load_bundle (%t) %r = CALL <@i> @f ()
  %o = NEW <@i64> %m = ADD <@i64> %n @1 BRANCH %loop(%m)
  %end(): %r = CALL <@i> @f () RET %r }
"""


if __name__ == "__main__":
    unittest.main()
