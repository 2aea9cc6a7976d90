"""gaur fmt --dialect and the stages of gaur dump that tell what a bundle means: one program, however it is written or built."""
import os
import re
import subprocess

from command import BAD_SOURCE, GAUR, OK, SOURCE, USAGE, Case, data, gaur

FUNCTIONS = data("functions.uir")
LIBRARIES = os.path.join(os.path.dirname(os.path.dirname(GAUR)), "lib")

SPEC = """\
.typedef @t.0 = int<64>
.funcsig @s.0 = (@t.0) -> (@t.0)
.const @c.0 <@t.0> = 5

.funcdef @f VERSION %v <@s.0> {
  %e(<@t.0> %x):
    %y = ADD <@t.0> %x @c.0
    RET (%y)
}
"""
MUC = """\
.funcdef f <(int<64>) -> (int<64>)> {
  e(<int<64>> x):
    y = ADD <int<64>> x <int<64>> 5
    RET y
}
"""


class Dialects(Case):
    def test_each_is_written(self):
        path = self.file("f.uir", ".funcdef f <(int<64>)->(int<64>)> { e(<int<64>>x): // a comment\n y = ADD <int<64>> x <int<64>> 5 RET y }")
        self.expect(OK, "fmt", "--dialect=spec", path, out=SPEC, err="")
        self.expect(OK, "fmt", "--dialect=muc", path, out=MUC, err="")
        self.expect(OK, "fmt", "--dialect", "muc", "-", stdin=MUC, out=MUC, err="")

    def test_what_is_written_is_formatted_and_means_the_same(self):
        meant = gaur("dump", "--stage=canonical", FUNCTIONS).stdout
        self.assertIn("version of @divide\n", meant)
        for dialect in ("spec", "muc"):
            written = self.file("written.uir", gaur("fmt", "--dialect", dialect, FUNCTIONS).stdout)
            self.expect(OK, "fmt", "--check", written, out="", err="")
            self.expect(OK, "dump", "--stage=canonical", written, out=meant, err="")

    def test_in_place(self):
        path = self.file("f.uir", MUC)
        self.expect(OK, "fmt", "-i", "--dialect=spec", path, out="", err="")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), SPEC)
        self.expect(OK, "fmt", "--check", "--dialect=spec", path)

    def test_a_bundle_that_cannot_be_loaded(self):
        self.expect(BAD_SOURCE, "fmt", "--dialect=muc", data("damaged.uir"), out="", err=re.compile(r"damaged\.uir:2:\d+: error\[V0001\]"))
        self.expect_usage("fmt", "--dialect=later", FUNCTIONS, saying="later")
        self.expect_usage("fmt", "--after", FUNCTIONS, FUNCTIONS, saying="--dialect")

    def test_bundles_that_refer_to_others(self):
        second = self.file("second.uir", ".funcdef g <(int<64>)->(int<64>)> { e(<int<64>> x): TAILCALL <(int<64>)->(int<64>)> f (x) }")
        first = self.file("first.uir", MUC)
        self.expect(BAD_SOURCE, "fmt", "--dialect=muc", second, err=re.compile("@f"))
        self.expect(OK, "fmt", "--dialect=muc", "--after", first, second, out=re.compile("TAILCALL <.*> f \\(x\\)"), err="")
        self.expect(OK, "dump", "--stage=canonical", "--after", first, second, out=re.compile("^version of @g$", re.M), err="")
        self.expect_usage("dump", "--stage=layout", "--after", first, second, saying="--after")


class BuilderC(Case):
    def compiled(self, *arguments):
        """The C program that `gaur dump --stage=builder-c` prints, compiled and linked to the library."""
        source = self.file("program.c", self.expect(OK, "dump", "--stage=builder-c", *arguments, err="").stdout)
        program = os.path.join(self.folder, "program")
        command = ["cc", "-std=c99", "-O0", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I", os.path.join(SOURCE, "api"), "-o", program, source,
                   "-L", LIBRARIES, "-lgaur", f"-Wl,-rpath,{LIBRARIES}", *os.environ.get("GAUR_LINK_OPTIONS", "").split()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return program

    def run_program(self, program, *arguments):
        return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)

    def test_builds_and_prints_nothing(self):
        done = self.run_program(self.compiled(FUNCTIONS))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_entry_is_started(self):
        for name, says in (("hello.uir", "Hello"), ("nqueens.uir", "")):
            path = os.path.join(SOURCE, "examples", name)
            done = self.run_program(self.compiled("--entry=@main", path))
            expected = gaur("run", path)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, expected.stdout, expected.stderr))
            self.assertIn(says, done.stdout)

    def test_a_bundle_that_cannot_be_built_is_told(self):
        second = self.file("second.uir", ".funcdef g <()->()> { e(): TAILCALL <()->()> f () }")
        first = self.file("first.uir", ".funcdef f <()->()> { e(): RET }")
        done = self.run_program(self.compiled("--after", first, second))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("@f", done.stderr)

    def test_options(self):
        self.expect_usage("dump", "--stage=builder-c", "--entry=@no.such", FUNCTIONS, saying="@no.such")
        self.expect_usage("dump", "--stage=builder-c", "--entry=@divide", FUNCTIONS, saying="argc and argv")
        self.expect_usage("dump", "--stage=builder-c", "--name=1st", FUNCTIONS, saying="no C identifier")
        self.expect_usage("dump", "--stage=ir", "--name=first", FUNCTIONS, saying="--stage=builder-c")
        self.expect_usage("dump", "--stage=builder-c", FUNCTIONS, "@divide", saying="whole bundles")
        text = self.expect(OK, "dump", "--stage=builder-c", "--name=first", FUNCTIONS, err="").stdout
        self.assertIn("void first(MuCtx *ctx) {", text)
        self.assertNotIn("int main", text)
