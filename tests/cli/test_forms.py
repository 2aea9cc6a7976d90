"""The forms of an image: what is true of a file that `gaur run` starts is true of an object that cc links, of a shared object that C or Python opens, and of a
program."""
import os
import re
import shutil
import subprocess
import sys

from command import BAD_IMAGE, GAUR, OK, SOURCE, Case, data, gaur

BUNDLE = data("image.uir")
LIBRARY = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(GAUR))), "lib")
FORMS = ("img", "o", "so", "python", "exe")
PYTHON = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
image = ctypes.CFUNCTYPE(ctypes.c_void_p)(("gaur_linked_image", library))
main = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_char_p), ctypes.c_void_p)(("gaur_image_main", library))
words = [word.encode() for word in sys.argv[1:]]
sys.exit(main(len(words), (ctypes.c_char_p * (len(words) + 1))(*words), image()))
"""
TAKEN = {"FORMS_TAKEN": "1"}


class FormCase(Case):
    def path(self, name):
        return os.path.join(self.folder, name)

    def cc(self, output, *words):
        """Links with plain cc and nothing but what a user of the library would say; the finished process."""
        line = ["cc", "-Wall", "-Werror", "-o", self.path(output), *words, "-I" + os.path.join(SOURCE, "api"), "-L" + LIBRARY, "-lgaur", "-Wl,-rpath," + LIBRARY]
        return subprocess.run(line, capture_output=True, text=True, timeout=60)

    def linked(self, output, *words):
        process = self.cc(output, *words)
        self.assertEqual((process.returncode, process.stderr), (0, ""))
        return self.path(output)

    def build(self, form, *options, bundle=BUNDLE):
        """A file with the image, in one of the forms, by its name."""
        path = self.path({"img": "x.img", "o": "x.o", "so": "x.so", "python": "x.so", "exe": "x"}[form])
        self.expect(OK, "build", bundle, "-o", path, *options, out="", err="")
        return path

    def command(self, form, image, libraries=()):
        """The words that run what an image begins with."""
        if form == "img":
            return [GAUR, "run", image]
        if form == "o":
            return [self.linked("linked", image, *libraries)]
        if form == "so":
            return [self.linked("host", "-rdynamic", data("forms_host.c")), image]
        if form == "python":
            return [sys.executable, "-c", PYTHON, image]
        return [image]

    def runs(self, command, status, *arguments, out="", err="", environment=None):
        process = gaur(*command[1:], *arguments, command=command[0], environment=environment)
        self.assertEqual((process.returncode, process.stdout, process.stderr), (status, out, err), command)

    def each(self, forms=FORMS):
        """The forms, each with an empty folder."""
        for form in forms:
            yield form
            shutil.rmtree(self.folder)
            os.mkdir(self.folder)


class Forms(FormCase):
    def test_arguments_and_status(self):
        for form in self.each():
            self.runs(self.command(form, self.build(form)), 3, "a", "b")

    def test_heap(self):
        for form in self.each(("o", "so", "python", "exe")):
            command = self.command(form, self.build(form, "--entry=@value", "--init=@setup"))
            for _ in range(10):
                self.runs(command, 42)

    def test_symbol_of_data(self):
        for form in self.each():
            command = self.command(form, self.build(form, "--entry=@letters", "--reloc=@fields[1][1]=stdout"))
            for _ in range(10):
                self.runs(command, OK, "a", "b", out="ABC\n")

    def test_weak_symbol(self):
        for form in self.each():
            self.runs(self.command(form, self.build(form, "--reloc=@fields[1][0]=no_such_symbol?")), 1)

    def test_missing_symbol(self):
        missing = "--reloc=@fields[1][0]=no_such_symbol"
        for form in self.each(("o", "exe")):
            if form == "exe":
                self.expect(BAD_IMAGE, "build", BUNDLE, "-o", self.path("x"), missing, out="", err=re.compile("cannot be linked.*\n(.*\n)*.*undefined reference to `no_such_symbol'"))
                self.assertEqual(os.listdir(self.folder), [])
            else:
                process = self.cc("linked", self.build(form, missing))
                self.assertRegex(process.stderr, "undefined reference to `no_such_symbol'")
        self.runs(self.command("so", self.build("so", missing)), 100, err=f"{self.path('x.so')}: undefined symbol: no_such_symbol\n")

    def test_every_form_can_be_looked_into(self):
        for form in self.each():
            image = self.build(form, "--init=@setup")
            self.expect(OK, "image", "verify", image, out=f"{image}: ok\n")
            self.expect(OK, "run", image, "--entry=@value", out="42\n")
            self.expect(OK, "run", "--elsewhere", image, "--entry=@value", out="42\n")

    def test_moved(self):
        for form in self.each(("o", "exe")):
            program = self.command(form, self.build(form, "--entry=@value", "--init=@setup"))[0]
            os.mkdir(self.path("folder"))
            self.runs([shutil.move(program, self.path("folder/y"))], 42)

    def test_format_by_option(self):
        path = self.path("x.bin")
        self.expect(OK, "build", BUNDLE, "-o", path, "--format=exe", "--entry=@step")
        self.runs([path], 21)
        self.expect(OK, "build", BUNDLE, "-o", path, "--format=img", "--entry=@step")
        self.expect(OK, "run", path, out="21\n")
        self.expect_usage("build", BUNDLE, "-o", path, "--format=elf", saying="elf")

    def test_program_without_beginning(self):
        self.expect(BAD_IMAGE, "build", BUNDLE, "-o", self.path("x"), "--entry=@field", "--root=@field", out="", err=re.compile("has no beginning"))
        self.assertEqual(os.listdir(self.folder), [])

    def test_threads_that_run_at_the_end(self):
        for form in self.each():
            for entry, out in (("@returns", "*"), ("@registers", "+*"), ("@registers_alone", "+*")):
                path = self.build(form, "--entry", entry, bundle=data("many_threads.uir"))
                self.runs(self.command(form, path), 7, out=out)

    def test_libffi(self):
        for form in self.each():
            image = self.path({"img": "l.img", "o": "l.o", "exe": "l"}.get(form, "l.so"))
            process = gaur(GAUR, image, command=os.path.join(SOURCE, "examples", "libffi", "build.sh"))
            self.assertEqual((process.returncode, process.stdout, process.stderr), (OK, "", ""))
            command = self.command(form, image, libraries=["-l:libffi.so.8"])
            first = gaur(*command[1:], command=command[0])
            self.assertRegex(first.stdout, "^1 0\n1 5\n(.*\n)*1000 7\n$")
            for _ in range(20):
                self.runs(command, OK, out=first.stdout)


class Linking(FormCase):
    def test_functions_from_c(self):
        image = self.build("o", "--init=@setup")
        program = self.linked("user", data("forms_user.c"), image)
        for environment in ({}, TAKEN):
            for _ in range(10):
                self.runs([program], OK, out="42 42 -1\n", environment=environment)

    def test_symbol_of_the_program(self):
        symbol = "--reloc=@fields[1][0]=host_symbol"
        self.runs([self.linked("user", data("forms_user.c"), self.build("o", "--init=@setup", symbol))], OK, out="42 42 1234\n")
        image = self.build("so", "--init=@setup", symbol)
        command = [self.linked("host", "-rdynamic", data("forms_host.c")), image]
        self.runs(command, OK, out="42\n", environment={"FORMS_CALL": "value"})

    def test_source(self):
        # The C library has a function of the name `step`, too.
        source = self.file("twice.c", "#include <stdint.h>\nint64_t step(void);\nint64_t in_c(void) { return step() * 10; }\n")
        image = self.build("so", f"--source={source}")
        host = self.linked("host", "-rdynamic", data("forms_host.c"))
        self.runs([host, image], OK, out="210\n", environment={"FORMS_CALL": "in_c"})
        self.runs([self.build("exe", f"--source={source}")], 1)

    def test_main_of_a_source(self):
        """A program whose main is the user's needs no function to begin with."""
        source = self.file("main.c", "#include <stdint.h>\nint64_t step(void);\nint main(void) { return (int)step() + 4; }\n")
        bundle = self.file("only.uir", ".typedef @i64 = int<64> .const @38 <@i64> = 38 .funcsig @get = () -> (@i64)\n"
                           ".funcdef @step VERSION %v <@get> { %entry(): RET @38 }\n")
        program = self.path("x")
        self.expect(OK, "build", bundle, "-o", program, f"--source={source}", out="", err="")
        self.runs([program], 42)
        os.remove(program)
        nothing = self.file("nothing.c", "int nothing;\n")
        self.expect(BAD_IMAGE, "build", bundle, "-o", program, f"--source={nothing}", out="", err=re.compile("undefined reference to `main'"))
        self.assertFalse(os.path.exists(program))

    def test_without_code(self):
        image = self.build("o", "--code=none", "--init=@setup")
        self.runs([self.linked("user", data("forms_user.c"), image)], OK, out="42 42 -1\n")

    def test_two_objects(self):
        a = shutil.move(self.build("o", "--root=@value"), self.path("a.o"))
        b = shutil.move(self.build("o", "--root=@step"), self.path("b.o"))
        self.assertRegex(self.cc("user", a, b).stderr, "multiple definition of `gaur_linked_image'")

    def test_names_that_are_wanted_from_outside(self):
        bundle = self.file("own.uir", ".typedef @i32 = int<32> .typedef @i64 = int<64> .funcsig @sig = (@i32) -> (@i32) .typedef @fp = ufuncptr<@sig>\n"
                           '.const @extern <@fp> = EXTERN "toupper" .funcdef @toupper VERSION %v <@sig> { %entry(<@i32> %c):\n'
                           "  %r = CCALL #DEFAULT <@fp @sig> @extern (%c) RET (%r) }\n"
                           ".const @a <@i32> = 97 .funcsig @main.sig = () -> (@i32)\n"
                           ".funcdef @main VERSION %v <@main.sig> { %entry(): %r = CALL <@sig> @toupper (@a) RET (%r) }\n")
        image = self.path("x.o")
        self.expect(OK, "build", bundle, "-o", image, out="", err=re.compile("^gaur: warning: @toupper is not offered to C"))
        self.runs(self.command("o", image), ord("A"))

    def test_start_that_fails(self):
        """What is wrong is told, whoever calls."""
        image = self.build("so", "--init=@setup")
        host = self.linked("host", "-rdynamic", data("forms_host.c"))
        for environment in ({"GAUR_OPT": "9"}, {"GAUR_OPT": "9", "FORMS_CALL": "value"}):
            process = gaur(image, command=host, environment=environment)
            self.assertEqual((process.returncode, process.stdout), (BAD_IMAGE, ""))
            self.assertRegex(process.stderr, "^gaur: GAUR_OPT: ")


class Example(FormCase):
    def test_linking(self):
        program = self.path("primes")
        process = gaur(GAUR, program, "-L" + LIBRARY, "-Wl,-rpath," + LIBRARY, command=os.path.join(SOURCE, "examples", "linking", "build.sh"))
        self.assertEqual((process.returncode, process.stdout, process.stderr), (OK, "", ""))
        self.runs([program], OK, "0", "1", "999", "1000", out="2\n3\n7919\n0\n")


class Tools(FormCase):
    def without(self, *names):
        """A search path with everything but these programs."""
        folder = self.path("bin")
        os.mkdir(folder)
        for name in names:
            os.symlink(shutil.which(name), os.path.join(folder, name))
        return {"PATH": folder}

    def test_no_linker(self):
        environment = self.without()
        for name in ("x", "x.so"):
            self.expect(BAD_IMAGE, "build", BUNDLE, "-o", self.path(name), environment=environment, out="",
                        err=re.compile("there is neither a C compiler nor a linker to link with: looked for cc, gcc, clang, ld"))
        self.expect(BAD_IMAGE, "build", BUNDLE, "-o", self.path("x.so"), "--source=x.c", environment={**environment, "CC": "nocc"}, out="",
                    err=re.compile("there is no C compiler to link with: looked for nocc, cc, gcc, clang"))
        self.expect(OK, "build", BUNDLE, "-o", self.path("x.o"), environment=environment)

    def test_bare_linker(self):
        environment = self.without("ld")
        program, library = self.path("x"), self.path("x.so")
        for path in (program, library):
            self.expect(OK, "build", BUNDLE, "-o", path, "--entry=@letters", "--reloc=@fields[1][1]=stdout", environment=environment, out="", err="")
        self.runs([program], OK, "a", "b", out="ABC\n")
        self.runs(self.command("so", library), OK, "a", out="AB\n")

    def test_compiler_of_the_user(self):
        wrapper = self.file("mycc", f'#!/bin/sh\necho used > "{self.folder}/used"\nshift\nexec cc "$@"\n')
        os.chmod(wrapper, 0o755)
        self.expect(OK, "build", BUNDLE, "-o", self.path("x"), environment={"CC": wrapper + " --own-option"})
        self.assertTrue(os.path.exists(self.path("used")))

    def test_a_failed_link_leaves_the_old_file(self):
        program = self.build("exe")
        self.expect(BAD_IMAGE, "build", BUNDLE, "-o", program, "--reloc=@fields[1][0]=no_such_symbol")
        self.runs([program], 1)
        self.assertEqual(os.listdir(self.folder), ["x"])

    def test_what_readelf_says(self):
        for form in self.each(("o", "so", "exe")):
            image = self.build(form, "--init=@setup", "--reloc=@fields[1][1]=stdout")
            process = subprocess.run(["readelf", "-aW", image], capture_output=True, text=True, timeout=60)
            self.assertEqual((process.returncode, process.stderr), (0, ""))
            self.assertNotRegex(process.stdout, "TEXTREL|Warning|Error|<corrupt|<unknown")
            if form == "o":
                self.assertRegex(process.stdout, r"\.note\.GNU-stack +PROGBITS")
                self.assertRegex(process.stdout, r"\.rela\.data\.rel\.ro'(.*\n){2,9}.* R_X86_64_64 .* stdout \+ 0")
            else:
                self.assertRegex(process.stdout, r"GNU_STACK .* RW +0x")
                self.assertRegex(process.stdout, r"\(RUNPATH\) .*\[/")
            symbols = {name: size for size, name in re.findall(r": \S+ +(\d+) FUNC +\w+ +\w+ +\d+ (\w+)\n", process.stdout)}
            self.assertEqual(symbols["value"], "28")
            self.assertIn("gaur_linked_image", symbols)
            # A function of the program's own name must not replace one of the C library.
            exported = subprocess.run(["nm", "-D", "--defined-only", image], capture_output=True, text=True, timeout=60).stdout
            self.assertEqual(" T wait" in exported, form == "so")
