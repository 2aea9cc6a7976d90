"""gaur test: the runner of conformance cases must itself notice everything that can go wrong."""
import json
import re
import unittest

from command import BAD_SOURCE, FAILED, OK, USAGE, Case

HEAD = """// test: the runner
.typedef @i64 = int<64>
.const @0 <@i64> = 0
.funcsig @f.sig = (@i64) -> (@i64)
.funcsig @v.sig = () -> ()
.typedef @box = ref<@i64>
"""
IDENTITY = ".funcdef @f VERSION %v1 <@f.sig> { %e(<@i64> %x): RET %x }\n"
HANG = ".funcdef @f VERSION %v1 <@f.sig> { %e(<@i64> %x): BRANCH %loop() %loop(): BRANCH %loop() }\n"
THROWS = ".funcdef @f VERSION %v1 <@f.sig> { %e(<@i64> %x): %r = NEW <@i64> THROW %r }\n"
DIVIDES = ".funcdef @f VERSION %v1 <@f.sig> { %e(<@i64> %x): %q = SDIV <@i64> @0 %x RET %q }\n"
ABORTS = """.const @abort <ufuncptr<@v.sig>> = EXTERN "abort"
.funcdef @f VERSION %v1 <@f.sig> { %e(<@i64> %x): CCALL #DEFAULT <ufuncptr<@v.sig> @v.sig> @abort () RET %x }
"""
EXITS = """.funcsig @exit.sig = (int<32>) -> ()
.const @status <int<32>> = 0
.const @exit <ufuncptr<@exit.sig>> = EXTERN "exit"
.funcdef @f VERSION %v1 <@f.sig> { %e(<@i64> %x): CCALL #DEFAULT <ufuncptr<@exit.sig> @exit.sig> @exit (@status) RET %x }
"""
PUTS = """.funcsig @putchar.sig = (int<32>) -> (int<32>)
.const @A <int<32>> = 65
.const @newline <int<32>> = 10
.const @putchar <ufuncptr<@putchar.sig>> = EXTERN "putchar"
.funcdef @f VERSION %v1 <@f.sig> {
  %e(<@i64> %x):
    %1 = CCALL #DEFAULT <ufuncptr<@putchar.sig> @putchar.sig> @putchar (@A)
    %2 = CCALL #DEFAULT <ufuncptr<@putchar.sig> @putchar.sig> @putchar (@newline)
    RET %x
}
"""
TRAPS = """.funcdef @f VERSION %v1 <@f.sig> { %e(<@i64> %x): %r = [%here] TRAP <@i64> KEEPALIVE(%x) RET %r }
.funcdef @g VERSION %v1 <@f.sig> { %e(<@i64> %x): %y = ADD <@i64> %x %x RET %y }
"""
LEAVES = ".funcdef @f VERSION %v1 <@f.sig> { %e(<@i64> %x): COMMINST @uvm.thread_exit }\n"
WATCHES = """.funcdef @f VERSION %v1 <@f.sig> {
  %e(<@i64> %x): %r = [%here] WATCHPOINT 5 <@i64> %off(%x) %on(%r)
  %off(<@i64> %x): RET %x
  %on(<@i64> %x): RET %x
}
"""


class Cases(Case):
    def case(self, directives, body=IDENTITY, name="case.uir"):
        return self.file(name, HEAD + "".join(f"// {line}\n" for line in directives) + body)

    def passes(self, *directives, body=IDENTITY):
        self.expect(OK, "test", self.case(directives, body), out="6 passed, 0 failed\n", err="")

    def fails(self, *directives, body=IDENTITY, saying, more=()):
        process = self.expect(FAILED, "test", "--mode=O0", *more, self.case(directives, body))
        self.assertRegex(process.stdout, r"(?m)^FAIL .*case\.uir \[O0\]$")
        self.assertIn("0 passed, 1 failed\n", process.stdout)
        self.assertIn(saying, process.stdout)

    def test_passing(self):
        self.passes("run: @f(5) == 5", "run: @f(-1) == 0xffffffffffffffff")

    def test_wrong_result(self):
        self.fails("run: @f(5) == 6", saying="5")

    def test_every_line_counts(self):
        self.fails("run: @f(5) == 5", "run: @f(6) == 7", "run: @f(8) == 8", saying="line 8")

    def test_throws(self):
        self.passes("run: @f(5) throws", body=THROWS)
        self.fails("run: @f(5) throws", saying="line 7")
        self.fails("run: @f(5) == 5", body=THROWS, saying="exception")
        self.fails("run: @f(5) throws NULL", body=THROWS, saying="line 7")

    def test_fails(self):
        self.passes('run: @f(0) fails "division by zero"', body=DIVIDES)
        self.fails('run: @f(0) fails "something else"', body=DIVIDES, saying="division by zero")
        self.fails('run: @f(1) fails "division by zero"', body=DIVIDES, saying="line 7")

    def test_crash(self):
        self.fails("run: @f(5) == 5", body=ABORTS, saying="killed by signal")

    def test_early_exit(self):
        self.fails("run: @f(5) == 5", body=EXITS, saying="ended early, status 0")

    def test_hang(self):
        self.fails("run: @f(5) == 5", body=HANG, saying="took too long", more=["--time-limit=2"])

    def test_output(self):
        self.passes("run: @f(5) == 5", "out: A", body=PUTS)
        self.fails("run: @f(5) == 5", "out: B", body=PUTS, saying="standard output")
        self.fails("run: @f(5) == 5", "out: A", saying="standard output")

    def test_expected_error(self):
        text = "// test: an error\n// error: V0001 3:10\n.typedef @x = int<0>\n"
        self.expect(OK, "test", "--mode=O0", self.file("e.uir", text), out="1 passed, 0 failed\n")

    def test_missing_error(self):
        self.fails("error: V0001 1:1", saying="missing error V0001 1:1")

    def test_unexpected_error(self):
        self.fails("run: @f(5) == 5", body=IDENTITY + ".typedef @x = int<0>\n", saying="unexpected")

    def test_wrong_place_of_an_error(self):
        text = "// test: an error\n// error: V0001 3:16\n.typedef @x = int<0>\n"
        self.expect(FAILED, "test", "--mode=O0", self.file("e.uir", text), out=re.compile("missing error V0001 3:16"))

    def test_unknown_function(self):
        self.fails("run: @g(5) == 5", saying="there is no function '@g'")

    def test_wrong_arguments(self):
        self.fails("run: @f() == 5", saying="line 7")
        self.fails("run: @f(1, 2) == 5", saying="too many arguments")

    def test_too_few_or_many_results(self):
        self.fails("run: @f(5)", saying="line 7")
        self.fails("run: @f(5) == (5, 6)", saying="line 7")

    def test_nothing_expected(self):
        """A case that checks nothing cannot fail, so it is a mistake."""
        path = self.case([])
        self.expect_usage("test", path, saying="checks nothing")

    def test_unknown_directive(self):
        path = self.case(["rum: @f(5) == 5", "run: @f(5) == 5"])
        self.expect_usage("test", path, saying="case.uir:7: ")

    def test_bad_directive(self):
        for line in ("run: f 5", "run: @f(5", "run: @f(5) returns 5", 'run: @f(5) fails "text', "error: V0001 x",
                     "enable: x", "enable:", "disable: 5 x", "options: heap", "options: heep=1", "options: opt=9",
                     'run: @f(5) ends "text"', "run: @f(5) ends 6", "traps: in order"):
            with self.subTest(line):
                self.expect_usage("test", self.case([line]), saying="case.uir:7: ")

    def test_bad_trap(self):
        for line in ("", "@f", "f -> pass", "@f -> ", "@f -> pas", "@f (5 -> pass", "@f -> pass (5", "@f -> pass 5", "@f -> throw 5",
                     "@f, -> pass", "0 times @f -> pass", "3 @f -> pass", "watchpoint @f -> pass", "watchpoint 0 @f -> pass",
                     "undefined -> pass", "native (5) -> pass", "@f -> pop, pass", "@f -> pop 0, pass", "@f -> pop 1 pass",
                     "@f -> push g, pass", "@f -> push @g", "@f -> load, pass", "@f -> exit to @g", "@f -> pass to g"):
            with self.subTest(line):
                self.expect_usage("test", self.case(["trap: " + line, "run: @f(5) == 5"]), saying="case.uir:7: ")

    def test_trap_without_run(self):
        self.expect_usage("test", self.case(["run: @f(5) == 5", "trap: @f -> pass"]), saying="no run follows the last trap")

    def test_traps(self):
        self.passes("trap: @f.v1.e.here (5) -> pass (7)", "run: @f(5) == 7", "trap: @f -> throw NULL", "run: @f(5) throws NULL",
                    "trap: @f.v1 (5) -> throw", "run: @f(5) throws", "trap: @f -> exit", "run: @f(5) exits",
                    "trap: @f -> push @g, pass (4)", "run: @f(5) == 8", body=TRAPS)

    def test_wrong_trap(self):
        for place, saying in (("@g -> pass (7)", "it is @f.v1.e.here, not @g"), ("@f (6) -> pass (7)", "KEEPALIVE is (5), not (6)"),
                              ("@f (5, 5) -> pass (7)", "KEEPALIVE is (5)"), ("@f () -> pass (7)", "KEEPALIVE is (5)"),
                              ("native -> pass (7)", "not native"), ("undefined @f -> pass (7)", "not undefined @f"),
                              ("watchpoint 5 @f -> pass (7)", "the watchpoint is 0, not 5"), ("@h -> pass (7)", "no name of this program"),
                              ("@f, @f -> pass (7)", "frame 1"), ("2 times @f -> pass (7)", "still to come 1 times"),
                              ("@f -> pass", "line 7"), ("@f -> pass (1, 2)", "too many values"), ("@f -> push @h, pass (1)", "no function @h"),
                              ("@f -> load none.uir, pass (1)", "none.uir"), ("@f -> pop 5, pass (1)", "line 7")):
            with self.subTest(place):
                self.fails("trap: " + place, "run: @f(5) == 7", saying=saying, body=TRAPS)

    def test_unexpected_trap(self):
        self.fails("run: @f(5) == 5", saying="there is no trap handler", body=TRAPS)
        self.fails("trap: @f -> push @f, pass (3)", "run: @f(5) == 5", saying="no `trap:` line is left for it", body=TRAPS)
        self.fails("trap: @f -> pass (5)", "run: @f(5) == 5", saying="this trap is still to come")

    def test_watchpoints(self):
        self.passes("run: @f(5) == 5", "enable: 5 6", "trap: watchpoint 5 @f.v1.e.here -> pass (6)", "run: @f(5) == 6", "disable: 5",
                    "run: @f(5) == 5", body=WATCHES)

    def test_exits(self):
        self.passes("run: @f(5) exits", body=LEAVES)
        self.fails("run: @f(5) exits", saying="f returned")
        self.fails("run: @f(5) == 0", saying="f ended its thread", body=LEAVES)
        self.fails("run: @f(5) throws", saying="f ended its thread", body=LEAVES)
        self.fails('run: @f(5) fails "x"', saying="f ended its thread", body=LEAVES)

    def test_ends(self):
        self.passes('run: @f(5) ends 0 ""', body=EXITS)
        self.fails('run: @f(5) ends 6 ""', saying="ended early, status 0", body=EXITS)
        self.fails('run: @f(5) ends 0 "text"', saying="ended early, status 0", body=EXITS)
        self.fails('run: @f(5) ends 0 ""', saying="the process did not end")
        self.expect_usage("test", self.case(['run: @f(5) ends 0 ""', "run: @f(5) == 5"]), saying="is the last")

    def test_failure_before_a_crash_is_told(self):
        self.fails("run: @g(5) == 6", "run: @f(5) == 5", saying="g(5) is 5, not 6",
                   body=ABORTS + ".funcdef @g VERSION %v1 <@f.sig> { %e(<@i64> %x): RET %x }\n")

    def test_options(self):
        self.passes("options: heap=32M max-heap=64M", "run: @f(5) == 5")

    def test_unknown_mode(self):
        self.expect_usage("test", self.case(["modes: O7", "run: @f(5) == 5"]), saying="there is no mode 'O7'")

    def test_no_title(self):
        self.expect_usage("test", self.file("none.uir", "// run: @f() == 1\n"), saying="// test: what it shows")

    def test_known_failure(self):
        path = self.case(["run: @f(5) == 6"])
        known = self.file("known.txt", "# comment\ncase.uir the identity does not add\n")
        self.expect(OK, "test", "--known-failures=" + known, path, out="6 passed, 0 failed\n")

    def test_known_failure_of_one_mode(self):
        path = self.case(["run: @f(5) == 6"])
        known = self.file("known.txt", "case.uir@O2 the identity does not add\n")
        self.expect(FAILED, "test", "--known-failures=" + known, path, out=re.compile("1 passed, 5 failed"))

    def test_known_failure_that_passes(self):
        path = self.case(["run: @f(5) == 5"])
        known = self.file("known.txt", "case.uir a reason\n")
        self.expect(FAILED, "test", "--mode=O0", "--known-failures=" + known, path, out=re.compile("but it passes"))

    def test_known_failure_without_reason(self):
        known = self.file("known.txt", "case.uir\n")
        self.expect_usage("test", "--known-failures=" + known, self.case(["run: @f(5) == 5"]), saying="has no reason")

    def test_json(self):
        good = self.case(["run: @f(5) == 5"], name="good.uir")
        bad = self.case(["run: @f(5) == 6"], name="bad.uir")
        process = self.expect(FAILED, "test", "--json", "--mode=O0,O2", good, bad, err="")
        results = json.loads(process.stdout)
        self.assertEqual([(r["mode"], r["passed"]) for r in results], [("O0", True), ("O2", True), ("O0", False), ("O2", False)])
        for result in results:
            self.assertEqual(set(result), {"case", "mode", "passed", "seconds", "message"})

    def test_modes(self):
        path = self.case(["modes: O2", "run: @f(5) == 5"])
        self.expect(OK, "test", path, out="1 passed, 0 failed\n")
        self.expect_usage("test", "--mode=O7", path, saying="O7")

    def test_builder_mode(self):
        self.expect(OK, "test", "--mode=builder", "--verbose", self.case(["run: @f(5) == 5"]), out=re.compile(r"^pass .*case\.uir \[builder\]"))
        self.expect(FAILED, "test", "--mode=builder", self.case(["run: @f(5) == 6"]), out=re.compile(r"is 5, not 6"))
        # It runs what O0 runs.
        self.expect(OK, "test", "--mode=builder", self.case(["modes: O2", "run: @f(5) == 5"]), out="0 passed, 0 failed\n")

    def test_verbose(self):
        self.expect(OK, "test", "--verbose", "--mode=O0", self.case(["run: @f(5) == 5"]), out=re.compile(r"^pass .*case\.uir \[O0\]"))

    def test_second_bundle(self):
        self.file("more.uir", "// part: of case.uir\n.funcdef @f VERSION %v2 <@f.sig> { %e(<@i64> %x): RET @0 }\n")
        self.passes("run: @f(5) == 5", "load-after: more.uir", "run: @f(5) == 0")
        self.fails("load-after: none.uir", "run: @f(5) == 5", saying="none.uir")


if __name__ == "__main__":
    unittest.main()
