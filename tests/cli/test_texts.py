"""gaur check, fmt and dump: what works on texts."""
import json
import os
import re
import shutil
import stat
import subprocess
import unittest

from command import BAD_SOURCE, FAILED, OK, SOURCE, USAGE, Case, data, gaur, read

FUNCTIONS = data("functions.uir")
DAMAGED = data("damaged.uir")
UNTIDY = ".typedef   @i64=int<64>   // a type\n.const @0 <@i64>   = 0\n"


def bundles():
    """Every bundle and every HAIL script of the repository."""
    listed = subprocess.run(["git", "-C", SOURCE, "ls-files", "-co", "--exclude-standard", "*.uir", "*.hail"], capture_output=True, text=True)
    return [os.path.join(SOURCE, name) for name in listed.stdout.split("\n") if name and os.path.exists(os.path.join(SOURCE, name))]


class Check(Case):
    def test_good(self):
        self.expect(OK, "check", FUNCTIONS, out="", err="")

    def test_position_and_caret(self):
        process = self.expect(BAD_SOURCE, "check", DAMAGED, out="")
        lines = process.stderr.split("\n")
        self.assertRegex(lines[0], r"damaged\.uir:2:\d+: error\[V0001\]: int<0>")
        self.assertRegex(lines[1], r"^ +2 \| \.typedef @zero = int<0>$")
        column = int(lines[0].split(":")[2])
        caret = lines[2].split("| ", 1)[1]
        self.assertEqual(caret.index("^") + 1, column)

    def test_scripts(self):
        bundle = self.file("cells.uir", ".typedef @i64 = int<64> .global @cell <@i64>")
        good, bad = self.file("good.hail", ".init @cell = 5"), self.file("bad.hail", ".init @cell = NULL")
        self.expect(OK, "check", bundle, good, out="", err="")
        self.expect(BAD_SOURCE, "check", bundle, good, bad, err=re.compile(r"bad\.hail:1:15: error\[H0303\]"))
        self.expect(BAD_SOURCE, "check", good, err=re.compile(r"good\.hail:1:7: error\[H0201\]"))

    def test_independent_errors_are_all_reported(self):
        process = self.expect(BAD_SOURCE, "check", DAMAGED)
        self.assertEqual(len(re.findall(r": error\[", process.stderr)), 2)
        self.assertRegex(process.stderr, r"damaged\.uir:7:\d+: error\[\w+\]: ADD: expected int<64>, found .* of type double")

    def test_near_names(self):
        text = ".typedef @i64 = int<64>\n.typedef @pair = struct<@i46 @i64>\n"
        self.expect(BAD_SOURCE, "check", self.file("near.uir", text), err=re.compile("did you mean @i64\\?"))

    def test_json(self):
        process = self.expect(BAD_SOURCE, "check", "--json", DAMAGED, err="")
        found = json.loads(process.stdout)
        self.assertEqual([d["line"] for d in found], [2, 7])
        for diagnostic in found:
            self.assertEqual(set(diagnostic), {"file", "line", "column", "severity", "code", "name", "message", "hint", "notes"})
            self.assertEqual(diagnostic["severity"], "error")
            self.assertEqual(diagnostic["file"], DAMAGED)

    def test_json_of_a_good_file(self):
        process = self.expect(OK, "check", "--json", FUNCTIONS, err="")
        self.assertEqual(json.loads(process.stdout), [])

    def test_json_of_several_files_is_one_value(self):
        process = self.expect(BAD_SOURCE, "check", "--json", FUNCTIONS, DAMAGED, err="")
        self.assertEqual({d["file"] for d in json.loads(process.stdout)}, {DAMAGED})

    def test_several_files(self):
        self.expect(OK, "check", FUNCTIONS, data("second.uir"), out="", err="")
        self.expect(BAD_SOURCE, "check", data("second.uir"), FUNCTIONS)

    def test_standard_input(self):
        self.expect(OK, "check", "-", stdin=read(FUNCTIONS), err="")
        self.expect(BAD_SOURCE, "check", "-", stdin=".typedef @x = int<0>\n", err=re.compile("^<stdin>:1:10: error"))

    def test_error_limit(self):
        text = "".join(f".typedef @t{i} = int<0>\n" for i in range(50))
        path = self.file("many.uir", text)
        self.assertEqual(self.expect(BAD_SOURCE, "check", path).stderr.count(": error["), 20)
        process = self.expect(BAD_SOURCE, "check", "--error-limit=3", path)
        self.assertEqual(process.stderr.count(": error["), 3)
        self.assertIn("47", process.stderr)

    def test_missing_file(self):
        self.expect_usage("check", "no/such.uir", saying="No such file or directory")

    def test_bytes_that_are_no_text(self):
        path = os.path.join(self.folder, "binary")
        with open(path, "wb") as out:
            out.write(bytes(range(256)) * 4)
        self.expect(BAD_SOURCE, "check", path, err=re.compile(r":1:\d+: error\["))
        json.loads(self.expect(BAD_SOURCE, "check", "--json", path).stdout)

    def test_no_control_characters_reach_the_terminal(self):
        process = self.expect(BAD_SOURCE, "check", "-", stdin=".typedef @x = \x1b[31mint\x07\n")
        self.assertNotIn("\x1b", process.stderr)
        self.assertNotIn("\x07", process.stderr)

    def test_empty_file(self):
        self.expect(OK, "check", self.file("empty.uir", ""), out="", err="")


class Format(Case):
    def test_canonical(self):
        process = self.expect(OK, "fmt", "-", stdin=UNTIDY, err="")
        self.assertRegex(process.stdout, r"^\.typedef @i64 = int<64> +// a type\n\.const @0 <@i64> = 0\n$")

    def test_idempotent_for_every_text_of_the_repository(self):
        copies = []
        for number, path in enumerate(bundles()):
            copies.append(os.path.join(self.folder, f"{number}_{os.path.basename(path)}"))
            shutil.copy(path, copies[-1])
        self.assertGreater(len(copies), 500)
        first = gaur("fmt", "-i", *copies)
        # What has no tokens stays as it is, and stays to be reported: the cases of the lexer's errors.
        damaged = set(re.findall(r"(?m)^(\S+\.(?:uir|hail)):\d+:\d+: error\[[PH]01", first.stderr))
        self.assertEqual(first.returncode, BAD_SOURCE if damaged else OK)
        self.assertLess(len(damaged), 40)
        self.expect(OK, "fmt", "--check", *(copy for copy in copies if copy not in damaged), out="", err="")

    def test_check(self):
        tidy = gaur("fmt", "-", stdin=UNTIDY).stdout
        self.expect(OK, "fmt", "--check", self.file("tidy.uir", tidy), out="", err="")
        untidy = self.file("untidy.uir", UNTIDY)
        self.expect(FAILED, "fmt", "--check", untidy, out="", err=f"{untidy} is not formatted\n")
        self.assertEqual(read(untidy), UNTIDY)

    def test_in_place(self):
        path = self.file("untidy.uir", UNTIDY)
        os.chmod(path, 0o640)
        self.expect(OK, "fmt", "-i", path, out="", err="")
        self.assertEqual(read(path), gaur("fmt", "-", stdin=UNTIDY).stdout)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o640)
        self.expect(OK, "fmt", "--check", path)

    def test_damaged_files_stay_as_they_are(self):
        text = ".typedef @x = ` \n"
        path = self.file("damaged.uir", text)
        self.expect(BAD_SOURCE, "fmt", "-i", path, out="", err=re.compile(":1:15: error"))
        self.assertEqual(read(path), text)


class Dump(Case):
    def dump(self, *words):
        return self.expect(OK, "dump", *words, err="").stdout

    def test_ir_parses_back_to_itself(self):
        first = self.dump(FUNCTIONS)
        self.assertEqual(self.dump(self.file("printed.uir", first)), first)

    def test_ir_of_one_function(self):
        text = self.dump(FUNCTIONS, "@divide")
        self.assertIn("SDIV", text)
        self.assertNotIn("@throws", text)

    def test_dialect(self):
        self.assertNotEqual(self.dump(FUNCTIONS), self.dump("--dialect=muc", FUNCTIONS))

    def test_layout(self):
        self.assertIn("@i64: int<64>\n  size 8, alignment 8", self.dump("--stage=layout", FUNCTIONS))

    def test_llvm(self):
        self.assertRegex(self.dump("--stage=llvm", FUNCTIONS, "@divide"), r"define .*tailcc")

    def test_llvm_opt(self):
        before = self.dump("--stage=llvm", FUNCTIONS, "@allocates")
        after = self.dump("--stage=llvm-opt", FUNCTIONS, "@allocates")
        self.assertIn("define", after)
        self.assertNotEqual(before, after)

    def test_asm(self):
        text = self.dump("--stage=asm", FUNCTIONS, "@divide")
        self.assertIn("@divide.v1:", text)
        self.assertRegex(text, r"\+[0-9a-f]{4}")

    def test_codemap(self):
        self.assertIn("@divide.v1", self.dump("--stage=codemap", FUNCTIONS, "@divide"))

    def test_all_functions(self):
        text = self.dump("--stage=asm", FUNCTIONS)
        for name in ("divide", "throws", "recurse", "allocates"):
            self.assertIn(f"@{name}.v1:", text)

    def test_unknown_stage(self):
        self.expect_usage("dump", "--stage=soup", FUNCTIONS, saying="soup")

    def test_unknown_function(self):
        self.expect_usage("dump", FUNCTIONS, "@divid", saying="did you mean '@divide'?")

    def test_function_without_version(self):
        self.expect_usage("dump", FUNCTIONS, "@later", saying="@later has no version")

    def test_damaged(self):
        self.expect(BAD_SOURCE, "dump", DAMAGED, out="", err=re.compile("damaged.uir:2:"))

    def test_missing_file(self):
        self.expect_usage("dump", "no/such.uir", saying="No such file or directory")


if __name__ == "__main__":
    unittest.main()
