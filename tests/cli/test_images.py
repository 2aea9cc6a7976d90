"""gaur build, gaur image, and gaur run of an image: options, files that are no good, symbols, and what a start maps."""
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import time

from command import BAD_IMAGE, FAILED, GAUR, OK, SOURCE, USAGE, Case, data, gaur

BUNDLE = data("image.uir")
SYMBOL = "--reloc=@fields[1][1]=stdout"


class ImageCase(Case):
    def path(self, name):
        return os.path.join(self.folder, name)

    def build(self, *options, name="x.img"):
        path = self.path(name)
        self.expect(OK, "build", BUNDLE, "-o", path, *options, out="", err="")
        return path

    def image(self, what, *files):
        return json.loads(self.expect(OK, "image", what, *files, "--json").stdout)


class Build(ImageCase):
    def test_entry(self):
        self.expect(3, "run", self.build("--entry=@main"), "a", "b", out="", err="")

    def test_main_without_entry(self):
        self.expect(2, "run", self.build(), "a")

    def test_other_entry(self):
        image = self.build("--entry=@step")
        self.expect(OK, "run", image, out="21\n")
        self.expect(OK, "run", image, "--entry=@twice", out="42\n")

    def test_init(self):
        image = self.build("--init=@setup")
        for place in ([], ["--elsewhere"]):
            self.expect(OK, "run", image, *place, "--entry=@value", out="42\n", err="")

    def test_root(self):
        image = self.build("--root=@twice")
        self.expect(OK, "run", image, "--entry=@twice", out="42\n")
        self.expect(USAGE, "run", image, "--entry=@value", out="")
        self.assertEqual(self.image("info", image)["functions"], 2)
        self.assertEqual(self.image("info", image)["cells"], 0)

    def test_two_roots(self):
        image = self.path("x.img")
        self.expect(OK, "build", "--root", "@twice", "--root", "@field", BUNDLE, "-o", image)
        self.assertEqual((self.image("info", image)["functions"], self.image("info", image)["cells"]), (3, 1))

    def test_without_code(self):
        image = self.build("--code=none", "--init=@setup")
        compiled = [json.loads(self.expect(OK, "run", "--time", "--json", file, "--entry=@value", out="42\n").stderr)["compiled"]
                    for file in (image, self.build("--init=@setup", name="linked.img"))]
        self.assertGreater(compiled[0], 0)
        self.assertEqual(compiled[1], 0)

    def test_report(self):
        image = self.path("x.img")
        report = json.loads(self.expect(OK, "build", BUNDLE, "-o", image, "--init=@setup", SYMBOL, "--json").stdout)
        self.assertEqual((report["output"], report["objects"], report["imageBytes"]), (image, 1, os.path.getsize(image)))
        self.expect(OK, "build", BUNDLE, "-o", image, "--time", out="", err=re.compile(r"\d+ functions, 0 objects, \d+ symbols: \d+ bytes in"))

    def test_moved_file(self):
        image = self.build("--init=@setup")
        os.mkdir(self.path("folder"))
        moved = shutil.move(image, self.path("folder/y"))
        self.expect(OK, "run", moved, "--entry=@value", out="42\n", err="")

    def test_further_bundle(self):
        image = self.build()
        bundle = self.file("more.uir", ".const @5 <@i64> = 5 .funcdef @step VERSION %v2 <@get.sig> { %entry(): RET (@5) }\n"
                           ".funcdef @again VERSION %v1 <@get.sig> { %entry(): %r = CALL <@get.sig> @twice () RET (%r) }")
        for place in ([], ["--elsewhere"]):
            self.expect(OK, "run", image, bundle, *place, "--entry=@twice", out="10\n", err="")
            self.expect(OK, "run", image, bundle, *place, "--entry=@again", out="10\n", err="")

    def test_same_input_same_image(self):
        a, b = self.build(name="a.img"), self.build(name="b.img")
        with open(a, "rb") as left, open(b, "rb") as right:
            self.assertEqual(left.read(), right.read())


class Pointers(ImageCase):
    def test_symbol_of_data(self):
        image = self.build("--entry=@letters", SYMBOL)
        for place in ([], ["--elsewhere"]):
            self.expect(OK, "run", image, *place, "a", "b", out="ABC\n", err="")

    def test_missing_symbols(self):
        image = self.build("--reloc=@fields[1][0]=stdouut", "--reloc=@fields[1][1]=no_such_symbol")
        process = self.expect(BAD_IMAGE, "run", image, out="", err=re.compile("wants 2 symbols that are nowhere"))
        for word in ("no_such_symbol", "stdouut", "'stdout'", "@fields", "searched:"):
            self.assertIn(word, process.stderr)

    def test_wrong_relocations(self):
        for text, why in (("@fields", "CELL[INDEX]...=SYMBOL is wanted"), ("@fields=", "CELL[INDEX]...=SYMBOL is wanted"),
                          ("@field[1]=stdout", "there is no such global cell"), ("@fields[0]=stdout", "there is no field of type uptr or ufuncptr"),
                          ("@fields[2]=stdout", "there is no field"), ("@fields[1][2]=stdout", "there is no field"), ("@fields[x]=stdout", "an index is [NUMBER]"),
                          ("@fields[1=stdout", "an index is [NUMBER]"), ("@fields[1]0=stdout", "an index is [NUMBER]"),
                          ("@fields[99999999999999999999]=stdout", "an index is [NUMBER]"), ("@root=stdout", "there is no field")):
            with self.subTest(text):
                self.expect_usage("build", BUNDLE, "-o", self.path("x.img"), f"--reloc={text}", saying=why)
                self.assertEqual(os.listdir(self.folder), [])

    def test_unknown_pointers(self):
        image = self.path("x.img")
        arguments = ["build", BUNDLE, "-o", image, "--init=@strange"]
        self.expect(BAD_IMAGE, *arguments, "--uptr=error", out="", err=re.compile("1 raw pointers refer to nothing in the image:(.|\n)*@fields"))
        self.assertEqual(os.listdir(self.folder), [])
        self.expect(OK, *arguments, out="", err=re.compile("^gaur: warning: .*@fields"))
        self.expect(OK, "run", image, "--entry=@field", out=re.compile("^0x10000\n"))
        self.expect(OK, *arguments, "--uptr=null", out="", err="")
        self.expect(OK, "run", image, "--entry=@field", out=re.compile("^(0x0|0|NULL)\n"))
        self.expect(OK, *arguments, "--uptr=keep", out="", err="")
        self.expect(OK, "run", image, "--entry=@field", out=re.compile("^0x10000\n"))

    def test_a_symbol_goes_before_unknown_bits(self):
        self.build("--init=@strange", "--uptr=error", "--reloc=@fields[1][0]=stdout")


class Mistakes(ImageCase):
    def test_arguments(self):
        self.expect_usage("build", BUNDLE, saying="--output is required")
        self.expect_usage("build", "-o", self.path("x.img"), saying="FILE is required")
        for option, why in (("--entry=@no", "@no"), ("--init=@no", "@no"), ("--root=@no", "there is no entity @no"), ("--init=@main", "@main"),
                            ("--uptr=maybe", "maybe"), ("--code=all", "all")):
            with self.subTest(option):
                self.expect_usage("build", BUNDLE, "-o", self.path("x.img"), option, saying=why)
        self.assertEqual(os.listdir(self.folder), [])

    def test_unwritable_output(self):
        self.expect(BAD_IMAGE, "build", BUNDLE, "-o", self.path("no/such/x.img"), out="", err=re.compile("cannot write '.*x.img': No such file"))
        os.mkdir(self.path("folder"))
        self.expect(BAD_IMAGE, "build", BUNDLE, "-o", self.path("folder"), out="", err=re.compile("cannot write"))
        self.assertEqual(os.listdir(self.folder), ["folder"])

    def test_a_failed_build_leaves_the_old_file(self):
        image = self.build()
        with open(image, "rb") as file:
            before = file.read()
        self.expect(BAD_IMAGE, "build", BUNDLE, "-o", image, "--init=@strange", "--uptr=error")
        # A file may not be as big as the image.
        line = f'ulimit -f 4; exec "{GAUR}" build "{BUNDLE}" -o "{image}" --init=@setup'
        process = gaur("-c", line, command="/bin/sh")
        self.assertNotEqual(process.returncode, OK, process.stderr)
        with open(image, "rb") as file:
            self.assertEqual(file.read(), before)
        self.expect(1, "run", image)

    def test_an_interrupted_build_leaves_a_whole_file(self):
        """The old one, or, where the interruption came too late, the new one."""
        image, new = self.build(), self.build("--init=@setup", name="new.img")
        with open(image, "rb") as old_file, open(new, "rb") as new_file:
            whole = (old_file.read(), new_file.read())
        self.assertNotEqual(*whole)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            for seconds in (0.001, 0.01, 0.02, 0.04, 0.08):
                process = subprocess.Popen([GAUR, "build", BUNDLE, "-o", image, "--init=@setup"], stderr=subprocess.DEVNULL)
                time.sleep(seconds)
                process.send_signal(number)
                process.wait(60)
                with open(image, "rb") as file:
                    self.assertIn(file.read(), whole)
        self.expect(OK, "image", "verify", image)

    def test_missing_file(self):
        path = self.path("x.img")
        self.expect(BAD_IMAGE, "image", "info", path, out="", err=re.compile(r"^gaur: cannot read '.*x\.img': No such file or directory"))
        self.expect(BAD_IMAGE, "image", "verify", path, out="", err=re.compile("No such file or directory"))
        self.expect_usage("run", path, saying="No such file or directory")

    def test_no_image(self):
        for text in ("", "GAUR", "x" * 10000):
            path = self.file("x.img", text)
            for what in ("info", "relocs", "verify"):
                self.expect(BAD_IMAGE, "image", what, path, out="", err=re.compile(r"^gaur: '.*x\.img' is no boot image"))
        self.expect(BAD_IMAGE, "image", "info", self.folder, out="", err=re.compile("is no boot image"))


class Progress(ImageCase):
    def on_terminal(self, *arguments):
        """What the command writes to standard error, which is a terminal."""
        master, slave = pty.openpty()
        process = subprocess.Popen([GAUR, *arguments], stderr=slave)
        os.close(slave)
        text = b""
        try:
            while part := os.read(master, 4096):
                text += part
        except OSError:
            pass  # the other side is closed
        os.close(master)
        self.assertEqual(process.wait(60), OK, text)
        return text.decode()

    def test_bar_on_a_terminal(self):
        """It is there while functions are compiled, comes to its end, and goes away."""
        text = self.on_terminal("build", BUNDLE, "-o", self.path("x.img"))
        self.assertRegex(text, r"\rcompiling \[#+ *\] +\d+%")
        self.assertIn("] 100%", text)
        self.assertTrue(text.endswith("\r\033[K"), repr(text))

    def test_no_bar_elsewhere(self):
        self.build()


class Compression(ImageCase):
    def test_compressed(self):
        plain, packed = self.build("--init=@setup", SYMBOL), self.build("--init=@setup", SYMBOL, "--compress", name="packed.img")
        self.assertLess(os.path.getsize(packed), os.path.getsize(plain) / 3)
        for options in ((), ("--elsewhere",)):
            self.expect(OK, "run", *options, packed, "--entry=@value", out="42\n", err="")
        self.assertEqual([self.image("info", path)["compressed"] for path in (plain, packed)], [False, True])
        self.assertEqual(self.image("info", plain)["buildId"], self.image("info", packed)["buildId"])
        self.expect(OK, "image", "verify", packed)

    def test_damaged(self):
        path = self.build("--compress")
        with open(path, "rb") as file:
            content = file.read()
        for at in [*range(0, 64), len(content) // 2, len(content) - 1]:
            with self.subTest(at):
                with open(path, "wb") as file:
                    file.write(content[:at] + bytes([content[at] ^ 1]) + content[at + 1:])
                self.expect(BAD_IMAGE, "run", path, out="", err=re.compile("is damaged|is no boot image"))
        for length in (10, 40, len(content) - 1):
            with open(path, "wb") as file:
                file.write(content[:length])
            self.expect(BAD_IMAGE, "run", path, out="", err=re.compile("is damaged|is no boot image"))


class Symbols(ImageCase):
    def test_weak(self):
        image = self.build("--reloc=@fields[1][0]=no_such_symbol?", "--reloc=@fields[1][1]=stdout?", "--entry=@field")
        self.expect(OK, "run", image, out="0x0\n", err="")
        self.assertEqual({row["symbol"]: row["weak"] for row in self.image("relocs", image) if row["kind"] == "field"},
                         {"no_such_symbol": True, "stdout": True})

    def test_ways_to_fields(self):
        """The report of missing symbols tells the ways to fields of cells and of objects."""
        bundle = self.file("x.uir", """
            .typedef @p = uptr<@v> .typedef @v = void .typedef @i64 = int<64> .typedef @n = struct<@i64 @p @r> .typedef @r = ref<@n> .global @root <@r>
            .global @c <@n> .funcsig @s = () -> () .funcdef @main VERSION %v <@s> { %e(): RET () }""")
        image = self.path("y.img")
        self.expect(OK, "build", bundle, "-o", image, "--reloc=@c[1]=no_such_symbol", "--reloc=@c[1]=stdoutt")
        self.expect(BAD_IMAGE, "run", image, out="", err=re.compile(r"stdoutt, wanted by @c\.1 \(did you mean 'stdout'\?\)"))

    def test_lazy(self):
        image = self.build("--reloc=@fields[1][1]=no_such_symbol")
        self.expect(BAD_IMAGE, "run", image, "--entry=@value", out="", err=re.compile(r"no_such_symbol, wanted by @fields\.1\[1\]"))
        self.expect(3, "run", "--lazy-ptr", image, "--entry=@main", "a", "b", out="", err=re.compile("wants 1 symbols that are nowhere"))
        self.expect(6, "run", "--lazy-ptr", image, "--entry=@letters", out="", err=re.compile("the symbol 'no_such_symbol' was used, which nobody has"))


class Damage(ImageCase):
    def refused(self, content, why):
        path = self.path("damaged.img")
        with open(path, "wb") as file:
            file.write(content)
        for arguments in (["run", path, "--entry=@value"], ["image", "verify", path]):
            process = self.expect(BAD_IMAGE, *arguments, out="")
            self.assertRegex(process.stderr, why)

    def bytes(self, *options):
        image = self.build("--init=@setup", SYMBOL, *options)
        with open(image, "rb") as file:
            return image, file.read()

    def test_truncated(self):
        _, content = self.bytes()
        for length in (len(content) - 1, len(content) // 2, 4096, 250):
            with self.subTest(length):
                self.refused(content[:length], r"^gaur: '.*damaged\.img' is (damaged: |no boot image)")

    def test_longer(self):
        _, content = self.bytes()
        self.refused(content + b"\0", "is damaged: it should have")

    def test_a_byte_of_the_header(self):
        _, content = self.bytes()
        for place in range(8, 176, 7):
            with self.subTest(place):
                self.refused(content[:place] + bytes([content[place] ^ 1]) + content[place + 1:], "is damaged|is a boot image of format|was made by")

    def test_a_byte_of_the_magic(self):
        _, content = self.bytes()
        path = self.path("damaged")
        for name in (path, path + ".img"):
            for place in range(8):
                with open(name, "wb") as file:
                    file.write(content[:place] + bytes([content[place] ^ 1]) + content[place + 1:])
                self.expect(BAD_IMAGE, "run", name, out="", err=re.compile("is no boot image"))

    def test_what_fills_up_pages(self):
        _, content = self.bytes()
        for place in (4095, len(content) - 1):
            self.refused(content[:place] + b"\x01" + content[place + 1:], "is not empty")

    def test_a_byte_of_each_section(self):
        """Finds where sections lie by their checksums: a section is a range from a page on whose damage is told by its name."""
        image, content = self.bytes()
        wanted = {section["name"] for section in self.image("info", image)["sections"] if section["bytes"]}
        self.assertLessEqual({"heap", "code", "data"}, {name.lower() for name in wanted})
        found = set()
        for page in range(4096, len(content), 4096):
            process = None
            path = self.path("damaged.img")
            with open(path, "wb") as file:
                file.write(content[:page] + bytes([content[page] ^ 0x10]) + content[page + 1:])
            process = gaur("image", "verify", path)
            if process.returncode != OK:
                self.assertEqual(process.returncode, BAD_IMAGE, process.stderr)
                name = re.search(r"damaged: section (\w+) does not have its checksum", process.stderr)
                self.assertTrue(name, process.stderr)
                self.expect(BAD_IMAGE, "run", path, "--entry=@value", out="", err=re.compile("section " + name[1]))
                found.add(name[1])
        self.assertEqual(found, wanted)

    def test_a_file_that_was_verified_before(self):
        image, content = self.bytes()
        self.expect(OK, "run", image, "--entry=@value", out="42\n")
        at = content.rfind((42).to_bytes(8, "little"))
        with open(image, "r+b") as file:
            file.seek(at)
            file.write(b"\x2b")
        self.expect(BAD_IMAGE, "run", image, "--entry=@value", out="", err=re.compile("damaged"))


class Look(ImageCase):
    def test_info(self):
        image = self.build("--init=@setup", "--lib=libm.so.6")
        facts = self.image("info", image)
        self.assertEqual((facts["file"], facts["bytes"], facts["cells"]), (image, os.path.getsize(image), 4))
        self.assertEqual(facts["target"], "x86_64-linux")
        self.assertIn("libm.so.6", facts["libraries"])
        self.assertEqual(len({section["name"] for section in facts["sections"]}), len(facts["sections"]))
        text = self.expect(OK, "image", "info", image, err="").stdout
        for word in (facts["buildId"], facts["fingerprint"], *[section["checksum"] for section in facts["sections"]]):
            self.assertIn(word, text)

    def test_relocs(self):
        rows = self.image("relocs", self.build(SYMBOL))
        fields = [row for row in rows if row["kind"] == "field"]
        self.assertEqual([(row["symbol"], row["section"], row["addend"], row["weak"]) for row in fields], [("stdout", "data", 0, False)])
        self.assertEqual({row["symbol"] for row in rows if row["kind"] == "extern"}, {"fputc", "read", "write"})
        self.expect(OK, "image", "relocs", self.path("x.img"), out=re.compile(r"field +data +\d+  stdout\n"))

    def test_verify(self):
        good, bad = self.build(), self.file("bad.img", "no")
        self.assertEqual(self.image("verify", good), [{"file": good, "ok": True}])
        process = self.expect(BAD_IMAGE, "image", "verify", good, bad, "--json")
        self.assertEqual([(row["ok"], row.get("code")) for row in json.loads(process.stdout)], [(True, None), (False, "I0003")])
        self.expect(OK, "image", "verify", good, out=f"{good}: ok\n", err="")

    def test_diff(self):
        a, b = self.build(), self.build("--init=@setup", name="y.img")
        self.assertEqual(self.image("diff", a, a), [])
        process = self.expect(FAILED, "image", "diff", a, b, "--json")
        rows = {row["section"].lower(): row["bytes"] for row in json.loads(process.stdout)}
        self.assertIn("heap", rows)
        self.assertNotIn("ir", rows)
        self.expect(FAILED, "image", "diff", a, b, out=re.compile("(?i)^heap ", re.M))


class Mappings(ImageCase):
    def mapped(self, *arguments):
        """The files that a waiting program has mapped."""
        process = subprocess.Popen([GAUR, "run", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            process.stdin.write(b"x")
            process.stdin.flush()
            self.assertEqual(process.stdout.read(1), b"x")
            with open(f"/proc/{process.pid}/maps", encoding="utf-8") as maps:
                text = maps.read()
            process.communicate(b"x", timeout=60)
            self.assertEqual(process.returncode, OK)
            return text
        finally:
            process.kill()
            process.wait()

    def test_no_compiler_is_mapped(self):
        image = self.build("--entry=@wait")
        for place in ([], ["--elsewhere"]):
            maps = self.mapped(*place, image)
            self.assertNotIn("libLLVM", maps)
            self.assertNotIn("libgaur-llvm", maps)
        self.assertIn("libLLVM", self.mapped(BUNDLE, "--entry=@wait"))
        self.assertIn("libLLVM", self.mapped(self.build("--code=none", "--entry=@wait", name="y.img")))

    def test_no_compiler_is_mapped_for_main(self):
        """Without --entry a process begins with @main, so that what calls it is in the image."""
        image = self.path("hello.img")
        self.expect(OK, "build", os.path.join(SOURCE, "examples", "hello.uir"), "-o", image, out="", err="")
        trace = subprocess.run([GAUR, "run", image], env={**os.environ, "LD_DEBUG": "files"}, capture_output=True, text=True, timeout=60)
        self.assertEqual(trace.stdout, "Hello, world!\n")
        self.assertIn("libgaur.so", trace.stderr)
        self.assertNotIn("libgaur-llvm", trace.stderr)

    def test_places(self):
        """Heap and data lie where the image wants them in each process, and neither does with --elsewhere."""
        image = self.build("--entry=@wait", "--init=@setup")

        def places():
            return {line.split("-")[0] for line in self.mapped(image).splitlines() if line.endswith("/x.img") and " rw-p " in line}

        preferred = places()
        self.assertEqual(len(preferred), 2)
        self.assertEqual(places(), preferred)
        elsewhere = {line.split("-")[0] for line in self.mapped("--elsewhere", image).splitlines()}
        self.assertFalse(elsewhere & preferred)


class Initialiser(ImageCase):
    def test_example(self):
        image = self.path("x.img")
        self.expect(OK, "build", os.path.join(SOURCE, "examples", "initialiser", "initialiser.uir"), "-o", image, "--init=@prepare", "--entry=@start",
                    "--uptr=error", out="", err="")
        for options in ((), ("--elsewhere",)):
            for _ in range(3):
                self.expect(OK, "run", *options, image, out="output\n", err="error\n")


class Libffi(ImageCase):
    def test_example(self):
        folder = os.path.join(SOURCE, "examples", "libffi")
        image = self.path("libffi.img")
        process = gaur(GAUR, image, command=os.path.join(folder, "build.sh"))
        self.assertEqual((process.returncode, process.stdout, process.stderr), (OK, "", ""))
        # ffi_type_void, uint8, sint8 ... uint64, sint64, float, double, pointer: size and kind as <ffi.h> has them.
        sizes, kinds = (1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 8), (0, 5, 6, 7, 8, 9, 10, 11, 12, 2, 3, 14)
        lines = "".join(f"{size} {kind}\n" for size, kind in zip(sizes, kinds)) + "1000 7\n"
        for _ in range(5):
            self.expect(OK, "run", image, out=lines, err="")
            self.expect(OK, "run", "--elsewhere", image, out=lines, err="")
        symbols = [row["symbol"] for row in self.image("relocs", image) if row["kind"] == "field"]
        self.assertEqual(len(symbols), 22)
        self.assertEqual(len({name for name in symbols if name.startswith("ffi_type_")}), 12)
