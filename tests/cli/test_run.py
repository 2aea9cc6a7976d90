"""gaur run: entries, arguments, results, statuses, options, and reports of guest failures."""
import json
import os
import re
import shutil
import unittest

from command import (BAD_SOURCE, GAUR, GUEST_FAILURE, OK, RESOURCES, SOURCE, USAGE, Case, data, gaur, read)

FUNCTIONS = data("functions.uir")


class Values(Case):
    def test_integer(self):
        self.expect(OK, "run", FUNCTIONS, "--entry", "@identity", "5", out="5\n", err="")

    def test_entry_without_sigil(self):
        self.expect(OK, "run", FUNCTIONS, "--entry", "identity", "5", out="5\n")

    def test_hexadecimal(self):
        self.expect(OK, "run", FUNCTIONS, "--entry=@identity", "0x10", out="16\n")

    def test_negative_number(self):
        self.expect(OK, "run", FUNCTIONS, "--entry=@identity", "-5", out="-5\n")

    def test_negative_number_after_dashes(self):
        self.expect(OK, "run", FUNCTIONS, "--entry=@identity", "--", "-5", out="-5\n")

    def test_integers_of_any_width(self):
        least = str(-(2**127))
        self.expect(OK, "run", FUNCTIONS, "--entry=@flags", "--", "1", "-1", least, out=f"1\n-1\n{least}\n")

    def test_integer_wraps(self):
        self.expect(OK, "run", FUNCTIONS, "--entry=@flags", "--", "0", "255", "0", out="0\n-1\n0\n")

    def test_floating_point(self):
        self.expect(OK, "run", FUNCTIONS, "--entry=@floats", "0.1", "2", out="0.1\n2.0\n")

    def test_special_floating_point(self):
        self.expect(OK, "run", FUNCTIONS, "--entry=@floats", "--", "-inf", "nan", out="-inf\nnan\n")
        self.expect(OK, "run", FUNCTIONS, "--entry=@floats", "--", "-0.0", "bitsf(0x7f800000)", out="-0.0\n+inf\n")

    def test_pointer(self):
        self.expect(OK, "run", FUNCTIONS, "--entry=@pointers", "0x1000", out="0x1000\n4096\n")

    def test_reference_result(self):
        self.expect(OK, "run", FUNCTIONS, "--entry=@boxed", out="nonnull\n")

    def test_no_result(self):
        self.expect(OK, "run", FUNCTIONS, "--entry=@nothing", out="", err="")


class Threads(Case):
    def test_the_end_of_the_entry_ends_all_threads(self):
        self.expect(42, "run", data("threads.uir"), "--entry=@leave", out="")

    def test_an_entry_that_exits_its_thread_waits_for_the_others(self):
        self.expect(OK, "run", data("threads.uir"), "--entry=@exit", out="worker\n")


class Programs(Case):
    def test_argc(self):
        self.expect(1, "run", data("main.uir"), out="", err="")
        self.expect(4, "run", data("main.uir"), "--entry=@argc", "a", "b", "c", out="")

    def test_argv(self):
        self.expect(ord("x"), "run", data("main.uir"), "xyz")

    def test_words_after_dashes_belong_to_the_program(self):
        self.expect(ord("-"), "run", data("main.uir"), "--", "--opt=7")
        self.expect(3, "run", data("main.uir"), "--entry=@argc", "--", "--", "-x")

    def test_status_is_a_byte(self):
        text = read(data("main.uir")) + ".const @300 <@i32> = 300\n"
        text += ".funcdef @big VERSION %v1 <@main.sig> { %entry(<@i32> %argc <@argv> %argv): RET @300 }\n"
        self.expect(300 - 256, "run", self.file("big.uir", text), "--entry=@big")

    def test_several_bundles(self):
        self.expect(OK, "run", FUNCTIONS, data("second.uir"), "--entry=@twice", "21", out="42\n")

    def test_a_later_bundle_gives_a_function_its_version(self):
        self.expect(OK, "run", FUNCTIONS, data("second.uir"), "--entry=@later", out="", err="")

    def test_standard_input(self):
        self.expect(OK, "run", "-", "--entry=@identity", "7", stdin=read(FUNCTIONS), out="7\n")

    def test_name_without_suffix(self):
        shutil.copy(FUNCTIONS, os.path.join(self.folder, "bundle"))
        self.expect(OK, "run", os.path.join(self.folder, "bundle"), "--entry=@identity", "7", out="7\n")

    def test_examples(self):
        self.expect(OK, "run", os.path.join(SOURCE, "examples", "hello.uir"), out="Hello, world!\n", err="")

    def test_scripts(self):
        folder = os.path.join(SOURCE, "examples", "hail")
        bundle, script = os.path.join(folder, "greetings.uir"), os.path.join(folder, "greetings.hail")
        self.expect(OK, "run", bundle, script, out="Hello, world!\nBonjour, le monde !\nHallo, Welt!\n", err="")
        self.expect(1, "run", bundle, out="", err="")

    def test_scripts_in_the_order_of_the_command_line(self):
        first, second = self.file("a.hail", ".init @cell = 5"), self.file("b.hail", ".init @cell = 6 .init @old = *@cell")
        bundle = self.file("cells.uir", ".typedef @i64 = int<64> .global @cell <@i64> .global @old <@i64> .funcsig @get.sig = () -> (@i64)\n"
                           ".funcdef @get VERSION %v <@get.sig> { %entry(): %v = LOAD <@i64> @cell RET %v }")
        self.expect(OK, "run", bundle, first, second, "--entry=@get", out="6\n")
        self.expect(OK, "run", bundle, second, first, "--entry=@get", out="5\n")

    def test_wrong_script(self):
        bundle = self.file("cells.uir", ".typedef @i64 = int<64> .global @cell <@i64>")
        script = self.file("wrong.hail", ".init @cell = 5\n.init @cel = 5")
        process = self.expect(BAD_SOURCE, "run", bundle, script, out="")
        self.assertRegex(process.stderr, r"wrong\.hail:2:7: error\[H0201\]: there is no global cell @cel\n.*\n.*\^~~~\n.*did you mean @cell\?")

    def test_ten_megabytes_of_script(self):
        count = 150000
        nodes = "".join(f".new $n{i} <@node>\n.init $n{i} = {{ 0x{i:016x} $n{(i + 1) % count} }}\n" for i in range(count))
        script = self.file("long.hail", nodes + f".newhybrid $t <@table> 300000\n.init $t = {{ 300000 {{ {'7 ' * 300000} }} }}\n.init @list = $n0\n")
        self.assertGreater(os.path.getsize(script), 10_000_000)
        bundle = self.file("list.uir", """
            .typedef @i64 = int<64> .typedef @node = struct<@i64 @node_ref> .typedef @node_ref = ref<@node> .typedef @table = hybrid<@i64 @i64>
            .global @list <@node_ref> .const @0 <@i64> = 0 .const @1 <@i64> = 1 .funcsig @sum.sig = (@i64) -> (@i64)
            .funcdef @sum VERSION %v <@sum.sig> {
              %entry(<@i64> %n): %r = LOAD <@node_ref> @list BRANCH %loop(%n %r @0)
              %loop(<@i64> %n <@node_ref> %r <@i64> %s):
                %i = GETIREF <@node> %r %a = GETFIELDIREF <@node 0> %i %b = GETFIELDIREF <@node 1> %i
                %x = LOAD <@i64> %a %next = LOAD <@node_ref> %b %t = ADD <@i64> %s %x %m = SUB <@i64> %n @1
                %more = SGT <@i64> %m @0 BRANCH2 %more %loop(%m %next %t) %end(%t)
              %end(<@i64> %s): RET %s
            }""")
        process = self.expect(OK, "run", "--time", "--json", bundle, script, "--entry=@sum", str(count), out=f"{count * (count - 1) // 2}\n")
        # Seconds on a machine that does other things, too; alone it takes 0.3.
        self.assertLess(json.loads(process.stderr)["load"], 10)

    def test_sha256_of_a_file(self):
        import hashlib
        path = self.file("text", "abc" * 1000)
        digest = hashlib.sha256(b"abc" * 1000).hexdigest()
        self.expect(OK, "run", os.path.join(SOURCE, "examples", "sha256.uir"), path, out=re.compile(digest))


class Mistakes(Case):
    def test_no_file(self):
        self.expect_usage("run", saying="FILE is required")

    def test_missing_file(self):
        self.expect_usage("run", "no/such.uir", saying="gaur: cannot read 'no/such.uir': No such file or directory\n")

    def test_folder(self):
        self.expect_usage("run", self.folder, saying="Is a directory")

    def test_missing_second_file(self):
        self.expect_usage("run", FUNCTIONS, "no/such.uir", saying="cannot read 'no/such.uir'")

    def test_no_main(self):
        process = self.expect_usage("run", FUNCTIONS, saying="there is no function '@main'")
        self.assertIn("hint: name the entry with --entry @f", process.stderr)

    def test_near_name_of_a_function(self):
        self.expect_usage("run", FUNCTIONS, "--entry=@idenity", "1", saying="did you mean '@identity'?")

    def test_entry_is_no_function(self):
        self.expect_usage("run", FUNCTIONS, "--entry=@i64", saying="there is no function '@i64'")

    def test_too_few_arguments(self):
        self.expect_usage("run", FUNCTIONS, "--entry=@divide", "1", saying="@divide takes 2 arguments, 1 given")

    def test_too_many_arguments(self):
        self.expect_usage("run", FUNCTIONS, "--entry=@nothing", "1", saying="@nothing takes 0 arguments, 1 given")

    def test_wrong_argument(self):
        for word in ("abc", "1.5", "", "1x", "0x", "--x"):
            with self.subTest(word):
                self.expect_usage("run", FUNCTIONS, "--entry=@divide", "--", "1", word,
                                  saying=f"argument 2 of @divide: '{word}' is not a value of type int<64>")

    def test_argument_without_literal(self):
        self.expect_usage("run", FUNCTIONS, "--entry=@takes_stack", "1", saying="'1' is not a value of type stackref")

    def test_unknown_option(self):
        self.expect_usage("run", FUNCTIONS, "--entri=@identity", saying="did you mean '--entry'?")

    def test_damaged_bundle(self):
        self.expect(BAD_SOURCE, "run", data("damaged.uir"), out="", err=re.compile(r"damaged\.uir:2:\d+: error\[V0001\]"))

    def test_damaged_bundle_as_json(self):
        process = self.expect(BAD_SOURCE, "run", "--json", data("damaged.uir"), err="")
        self.assertEqual(json.loads(process.stdout)[0]["line"], 2)


class GuestFailures(Case):
    def fails(self, *arguments, saying):
        process = self.expect(GUEST_FAILURE, "run", FUNCTIONS, *arguments, out="")
        self.assertTrue(process.stderr.startswith("gaur: "), process.stderr)
        for text in saying:
            self.assertIn(text, process.stderr)

    def test_uncaught_exception(self):
        self.fails("--entry=@throws", saying=["uncaught exception of type int<64>", "thrown at", "in @throws.v1"])

    def test_uncaught_exception_through_frames(self):
        self.fails("--entry=@calls_throws", saying=["uncaught exception", "@throws.v1"])

    def test_division_by_zero(self):
        for opt in "012":
            self.fails("--opt=" + opt, "--entry=@divide", "1", "0", saying=["division by zero", "@divide.v1.entry.q (SDIV"])

    def test_null(self):
        for opt in "012":
            self.fails("--opt=" + opt, "--entry=@deref", "NULL", saying=["NULL", "@deref.v1"])

    def test_stack_overflow(self):
        for opt in "012":
            self.fails("--opt=" + opt, "--entry=@recurse", "1", saying=["stack overflow", "@recurse.v1"])

    def test_stack_overflow_of_a_small_stack(self):
        self.fails("--stack=64K", "--entry=@recurse", "1", saying=["stack overflow"])

    def test_function_without_version(self):
        self.fails("--entry=@later", saying=["@later has no version"])

    def test_call_of_a_function_without_version(self):
        self.fails("--entry=@calls_later", saying=["@later has no version"])

    def test_unknown_native_symbol(self):
        text = ".funcsig @s = () -> ()\n.const @p <ufuncptr<@s>> = EXTERN \"gaur_no_such_symbol\"\n"
        text += ".funcdef @main VERSION %v <@s> { %entry(): CCALL #DEFAULT <ufuncptr<@s> @s> @p () RET () }\n"
        process = gaur("run", self.file("symbol.uir", text))
        self.assertIn(process.returncode, (BAD_SOURCE, GUEST_FAILURE))
        self.assertIn("gaur_no_such_symbol", process.stderr)


class VmOptions(Case):
    def test_optimisation_levels(self):
        for opt in "012":
            self.expect(OK, "run", "--opt=" + opt, FUNCTIONS, "--entry=@divide", "42", "6", out="7\n")

    def test_option_out_of_range(self):
        self.expect_usage("run", "--opt=3", FUNCTIONS, saying="'3' is not a value of option opt: 0 to 2")

    def test_eager(self):
        process = self.expect(OK, "run", "--eager", "--time", "--json", FUNCTIONS, "--entry=@identity", "1")
        self.assertGreater(json.loads(process.stderr)["compiled"], 5)

    def test_lazy(self):
        process = self.expect(OK, "run", "--time", "--json", FUNCTIONS, "--entry=@identity", "1")
        self.assertEqual(json.loads(process.stderr)["compiled"], 1)

    def test_gc_stress(self):
        process = self.expect(OK, "run", "--gc-stress", "--time", "--json", FUNCTIONS, "--entry=@allocates", "50", out="2\n")
        self.assertGreaterEqual(json.loads(process.stderr)["collections"], 49)

    def test_gc_stress_does_not_take_the_file(self):
        self.expect(OK, "run", "--gc-stress", FUNCTIONS, "--entry=@allocates", "10", out="2\n")

    def test_gc_stress_of_every_nth(self):
        for words in (["--gc-stress=10"], ["--gc-stress", "10"]):
            process = self.expect(OK, "run", *words, "--time", "--json", FUNCTIONS, "--entry=@allocates", "100")
            self.assertLess(json.loads(process.stderr)["collections"], 40)

    def test_heap(self):
        self.expect(OK, "run", "--heap=1M", FUNCTIONS, "--entry=@allocates", "100000", out="2\n")
        self.expect_usage("run", "--heap=1Q", FUNCTIONS, saying="'1Q' is not a value of option heap: a size such as 64M or 2G")

    def test_stack_beyond_the_address_space(self):
        self.expect(RESOURCES, "run", "--stack=400000G", FUNCTIONS, "--entry=@nothing", out="", err=re.compile("address space"))

    def test_lib(self):
        self.expect_usage("run", "--lib=/no/such.so", FUNCTIONS, saying="cannot read '/no/such.so'")
        self.expect(OK, "run", "--lib=libm.so.6", FUNCTIONS, "--entry=@nothing")

    def test_symbol_of_a_lib(self):
        text = ".funcsig @s = (double double) -> (double)\n.const @p <ufuncptr<@s>> = EXTERN \"hypot\"\n"
        text += ".funcdef @main VERSION %v <@s> { %e(<double> %a <double> %b): %c = CCALL #DEFAULT <ufuncptr<@s> @s> @p (%a %b) RET %c }\n"
        self.expect(OK, "run", "--lib=libm.so.6", self.file("hypot.uir", text), "3.0", "4.0", out="5.0\n")

    def test_log(self):
        self.expect(OK, "run", "--log=gc=debug", "--gc-stress", FUNCTIONS, "--entry=@allocates", "4", out="2\n",
                    err=re.compile(r"\[gc\] \[debug\] collection 1"))
        self.expect(OK, "run", "--log=jit=debug", FUNCTIONS, "--entry=@nothing", err=re.compile(r"\[jit\].*@nothing"))

    def test_log_is_silent_by_default(self):
        self.expect(OK, "run", "--gc-stress", FUNCTIONS, "--entry=@allocates", "4", err="")

    def test_wrong_log(self):
        self.expect_usage("run", "--log=gx=debug", FUNCTIONS, saying="there is no log channel 'gx'")
        self.expect_usage("run", "--log=gc=loud", FUNCTIONS, saying="there is no log level 'loud'")

    def test_time(self):
        process = self.expect(OK, "run", "--time", FUNCTIONS, "--entry=@identity", "1", out="1\n")
        for name in ("parse", "link", "compile", "run", "gc"):
            self.assertRegex(process.stderr, rf"(?m)^{name} +\d+\.\d+ ms$")

    def test_time_as_json(self):
        process = self.expect(OK, "run", "--time", "--json", FUNCTIONS, "--entry=@identity", "1", out="1\n")
        times = json.loads(process.stderr)
        for name in ("parse", "link", "load", "compile", "run", "gc"):
            self.assertGreaterEqual(times[name], 0, name)
        self.assertGreater(times["residentKB"], 1000)

    def test_environment(self):
        self.expect(OK, "run", FUNCTIONS, "--entry=@nothing", environment={"GAUR_LOG": "jit=debug"}, err=re.compile("jit"))
        self.expect(USAGE, "run", FUNCTIONS, environment={"GAUR_OPT": "7"},
                    err=re.compile("GAUR_OPT: '7' is not a value of option opt: 0 to 2"))

    def test_command_line_beats_environment(self):
        process = self.expect(OK, "run", "--gc-stress=0", "--time", "--json", FUNCTIONS, "--entry=@allocates", "50",
                              environment={"GAUR_GC_STRESS": "1"})
        self.assertEqual(json.loads(process.stderr)["collections"], 0)

    def test_missing_compiler(self):
        """Without libgaur-llvm.so the command still checks, and says why it cannot run."""
        alone = self.installed("libgaur.so.0", "libgaur-cli.so")
        self.expect(OK, "check", FUNCTIONS, command=alone)
        process = gaur("run", FUNCTIONS, "--entry=@nothing", command=alone)
        self.assertEqual(process.returncode, RESOURCES, process.stderr)
        self.assertIn("the compiler could not be loaded", process.stderr)
        self.assertIn("libgaur-llvm.so", process.stderr)

    def test_missing_command_line(self):
        """Without libgaur-cli.so a plain run works, as it opens nothing; all else says what is missing."""
        image = os.path.join(self.folder, "x.img")
        self.expect(OK, "build", FUNCTIONS, "-o", image, "--entry=@nothing")
        alone = self.installed("libgaur.so.0")
        self.expect(OK, "run", image, command=alone)
        process = gaur("run", "--entry=@nothing", image, command=alone)
        self.assertEqual(process.returncode, RESOURCES, process.stderr)
        self.assertRegex(process.stderr, "the installation is not whole: .*libgaur-cli.so")

    def installed(self, *libraries):
        """A command with these libraries alone."""
        for part, files in (("bin", [GAUR]), ("lib", [os.path.join(os.path.dirname(GAUR), "..", "lib", name) for name in libraries])):
            os.makedirs(os.path.join(self.folder, part), exist_ok=True)
            for file in files:
                shutil.copy(file, os.path.join(self.folder, part))
        return os.path.join(self.folder, "bin", os.path.basename(GAUR))


if __name__ == "__main__":
    unittest.main()
