"""The command as a whole: help, version, unknown words, manual page and completion."""
import json
import re
import shutil
import subprocess
import unittest

from command import OK, USAGE, Case, data, gaur

COMMANDS = ["build", "image", "run", "check", "fmt", "dump", "test", "errors", "heap", "version", "completion", "man"]


class Whole(Case):
    def test_help(self):
        process = self.expect(OK, "--help", err="")
        for name in COMMANDS:
            self.assertRegex(process.stdout, rf"(?m)^  {name} ")
        self.assertIn("Exit status", process.stdout)

    def test_help_of_each_command(self):
        for name in COMMANDS:
            process = self.expect(OK, name, "--help", err="")
            self.assertIn(f"Usage: gaur {name}", process.stdout)
            self.assertNotIn("kMegabyte", process.stdout)

    def test_no_command(self):
        self.expect(USAGE, err=re.compile("subcommand is required"))

    def test_unknown_command(self):
        self.expect_usage("rnu", saying="there is no command 'rnu'; did you mean 'run'?")
        self.expect_usage("frobnicate", saying="there is no command 'frobnicate'\n")

    def test_unknown_option(self):
        self.expect_usage("check", "--jsno", data("functions.uir"), saying="did you mean '--json'?")

    def test_argument_too_many(self):
        self.expect_usage("version", "now", saying="'now'")

    def test_version(self):
        self.expect(OK, "version", out=re.compile(r"^gaur \d+\.\d+\.\d+ \("))
        self.expect(OK, "--version", out=re.compile(r"^gaur \d+\.\d+\.\d+\n$"))

    def test_version_as_json(self):
        about = json.loads(self.expect(OK, "version", "--json").stdout)
        self.assertEqual(set(about), {"version", "target", "checkLevel", "jit", "compiler"})
        self.assertIs(about["jit"], True)

    def test_errors_tell_what_codes_mean(self):
        every = self.expect(OK, "errors", err="").stdout
        for stage in "PLVHRIOA":
            self.assertRegex(every, rf"(?m)^{stage}\d{{4}}  \S")
        self.assertEqual(self.expect(OK, "errors", "P0104", err="").stdout, "P0104  a NUL byte in the text\n")
        part = self.expect(OK, "errors", "P0101", "A00", err="").stdout.splitlines()
        self.assertTrue(part[0].startswith("P0101") and part[1].startswith("       hint: "), part[:2])
        self.assertTrue(all(line.startswith(("A00", "       hint: ")) for line in part[2:]))
        self.expect_usage("errors", "P0140", saying="there is no error 'P0140'; did you mean 'P01")
        listed = json.loads(self.expect(OK, "errors", "--json", "I", err="").stdout)
        self.assertTrue(listed and all(set(error) == {"code", "message", "hint"} and error["code"][0] == "I" for error in listed))

    def test_no_colour_where_no_terminal_is(self):
        self.assertNotIn("\x1b", gaur("check", data("damaged.uir")).stderr)


class Manual(Case):
    def page(self):
        return self.expect(OK, "man", err="").stdout

    def test_structure(self):
        page = self.page()
        self.assertTrue(page.startswith(".TH GAUR 1 "))
        for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "EXIT STATUS", "EXAMPLES"):
            self.assertRegex(page, rf"(?m)^\.SH {section}$")
        for name in COMMANDS:
            self.assertRegex(page, rf"(?m)^\.SS gaur {name}$")
        for variable in ("GAUR_OPT", "GAUR_GC_STRESS", "GAUR_HEAP", "GAUR_LOG"):
            self.assertIn(variable, page)

    def test_names_every_option(self):
        page = self.page().replace("\\-", "-")
        for name in COMMANDS:
            for option in re.findall(r"(?m)^ +(?:-\w,)?(--[\w-]+)", gaur(name, "--help").stdout):
                self.assertIn(option, page)

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_renders(self):
        rendered = subprocess.run(["groff", "-man", "-Tutf8", "-wall"], input=self.page(), capture_output=True, text=True)
        self.assertEqual((rendered.returncode, rendered.stderr), (0, ""))
        self.assertIn("GAUR(1)", rendered.stdout)


class Completion(Case):
    def complete(self, *words):
        """What bash offers for the last of these words."""
        script = self.expect(OK, "completion", "bash", err="").stdout
        script += f"\nCOMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}; _gaur; printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_commands(self):
        self.assertEqual(sorted(self.complete("gaur", "")), sorted(COMMANDS))
        self.assertEqual(self.complete("gaur", "du"), ["dump"])

    def test_bash_options(self):
        self.assertEqual(self.complete("gaur", "run", "--gc"), ["--gc-stress"])
        self.assertIn("--stage", self.complete("gaur", "dump", "--"))

    def test_bash_files(self):
        self.file("one.uir", "")
        self.assertEqual(self.complete("gaur", "run", "on"), ["one.uir"])

    def test_zsh(self):
        script = self.expect(OK, "completion", "zsh", err="").stdout
        self.assertTrue(script.startswith("#compdef gaur\n"))
        for name in COMMANDS:
            self.assertIn(name, script)
        if shutil.which("zsh"):
            self.assertEqual(subprocess.run(["zsh", "-n"], input=script, text=True).returncode, 0)

    def test_fish(self):
        script = self.expect(OK, "completion", "fish", err="").stdout
        for line in script.splitlines():
            self.assertRegex(line, r"^complete -c gaur -n ('[^']*'|\S+) (-f -a \S+|-l \S+) -d '([^'\\]|\\.)*'$")
        if shutil.which("fish"):
            self.assertEqual(subprocess.run(["fish", "-n"], input=script, text=True).returncode, 0)

    def test_unknown_shell(self):
        self.expect_usage("completion", "csh", saying="csh")


if __name__ == "__main__":
    unittest.main()
