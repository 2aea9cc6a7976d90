"""gaur run with programs of many threads and stacks: how they end, what reports tell, SIGQUIT and --timeout."""
import re
import os
import signal
import subprocess
import threading
import time
import unittest

from command import GAUR, GUEST_FAILURE, OK, Case, data

THREADS = data("many_threads.uir")
TIMEOUT = 124


class Ends(Case):
    def test_entry_returns_while_threads_run(self):
        for opt in "02":
            self.expect(7, "run", "--opt=" + opt, THREADS, "--entry=@returns", out="*", err="", limit=30)

    def test_entry_returns_while_threads_run_and_times_are_wanted(self):
        self.expect(7, "run", "--time", THREADS, "--entry=@returns", out="*", err=re.compile("compile"), limit=30)

    def test_what_exit_does(self):
        """Handlers that the program registers run after the entry, whether other threads still run or not."""
        for entry in ("@registers_alone", "@registers"):
            for opt in "02":
                self.expect(7, "run", "--opt=" + opt, THREADS, "--entry", entry, out="+*", err="", limit=30)

    def test_thread_of_the_entry_ends_first(self):
        self.expect(OK, "run", THREADS, "--entry=@exits", out="*", err="", limit=30)


class Failures(Case):
    def fails(self, entry, *patterns, is_first_thread=False):
        for opt in "02":
            process = self.expect(GUEST_FAILURE, "run", "--opt=" + opt, THREADS, "--entry", entry, out="", limit=30)
            for pattern in patterns:
                self.assertRegex(process.stderr, pattern)
            thread = re.search(r"(?m)^  on thread \d+$", process.stderr)
            self.assertEqual(thread is None, is_first_thread, process.stderr)

    UNCAUGHT = [r"^gaur: uncaught exception of type int<64> at 0x[0-9a-f]+\n", r"thrown at .*@throws\.v1",
                r"backtrace\n.*in @throws\.v1\n.*in @calls_throws\.v1\n"]
    DIVISION = [r"^gaur: division by zero\n", r"at @divides\.v1\.entry\.q "]
    TRAP = [r"^gaur: a trap, and there is no trap handler\n", r"at @traps\.v1\.entry\.here "]

    def test_uncaught_exception_of_a_thread(self):
        self.fails("@uncaught", *self.UNCAUGHT)

    def test_division_of_a_thread(self):
        self.fails("@division", *self.DIVISION)

    def test_trap_of_a_thread(self):
        self.fails("@trap", *self.TRAP)

    def test_uncaught_exception_of_a_coroutine(self):
        self.fails("@coroutine_uncaught", *self.UNCAUGHT, is_first_thread=True)

    def test_division_of_a_coroutine(self):
        self.fails("@coroutine_division", *self.DIVISION, is_first_thread=True)

    def test_trap_of_a_coroutine(self):
        self.fails("@coroutine_trap", *self.TRAP, is_first_thread=True)


class Dumps(Case):
    def check(self, text):
        """The dump of @many."""
        self.assertRegex(text, r"(?m)^gaur: 4 threads, 2 READY stacks$")
        self.assertRegex(text, r"(?m)^  thread \d+ \(the first\)\n    native code\n    @waits\.v1\.loop\.r .*\n    .* in @many\.v1$")
        self.assertRegex(text, r"(?m)^  thread \d+\n    @spin(_below)?\.v1$")
        self.assertRegex(text, r"    native code\n    @sleeps\.v1\.loop\.r \(CCALL, ")
        self.assertRegex(text, r"    @deep\.v1\.more\.r .*\n    \.\.\. 9\d\d more \.\.\.\n(    @deep\.v1.*\n)+    @deep_spin\.v1\.entry\.r ")
        self.assertRegex(text, r"  stack 0x[0-9a-f]+\n    @sleeps\.v1\n")
        self.assertRegex(text, r"  stack 0x[0-9a-f]+\n    SWAPSTACK .* in @yield\.v1\n    CALL .* in @generator\.v1\n")

    def test_timeout(self):
        for opt in "02":
            process = self.expect(TIMEOUT, "run", "--opt=" + opt, "--timeout=1", THREADS, "--entry=@many", out="*", limit=60)
            self.assertRegex(process.stderr, r"^gaur: the program was ended: its time of 1 s is over\n")
            self.check(process.stderr)

    def test_timeout_that_is_long_enough(self):
        self.expect(OK, "run", "--timeout=100", data("functions.uir"), "--entry=@identity", "5", out="5\n", err="")

    def test_wrong_timeout(self):
        for value in ("-1", "0", "soon"):
            self.expect_usage("run", "--timeout=" + value, THREADS, saying="--timeout")

    def start(self, *arguments):
        process = subprocess.Popen([GAUR, "run", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_quit_signal(self):
        process = self.start(THREADS, "--entry=@many")
        time.sleep(1.5)
        for _ in range(3):
            process.send_signal(signal.SIGQUIT)
            time.sleep(0.5)
        self.assertIsNone(process.poll())
        process.terminate()
        texts = process.stderr.read().split("gaur: ")
        self.assertEqual(len(texts), 4, texts)
        for text in texts[1:]:
            self.check("gaur: " + text)

    def wait_for_quit_handler(self, process):
        """Until the program takes SIGQUIT, it would die of it."""
        caught = 0
        while not caught >> (signal.SIGQUIT - 1) & 1:
            self.assertIsNone(process.poll())
            with open("/proc/%d/status" % process.pid) as status:
                caught = next(int(line.split()[1], 16) for line in status if line.startswith("SigCgt"))
            time.sleep(0.01)

    def test_quit_signal_while_stacks_switch(self):
        """Whatever the threads are doing, and whatever the collector is, a dump neither fails nor disturbs them. GAUR_STRESS=1 makes it long."""
        rounds, seconds = (25, "3") if os.environ.get("GAUR_STRESS") else (1, "1")
        for options in rounds * ([], ["--opt=0"], ["--gc-stress=50"]):
            process = self.start(*options, data("switches.uir"), seconds)
            self.wait_for_quit_handler(process)
            text = []
            reader = threading.Thread(target=lambda: text.append(process.stderr.read()))
            reader.start()
            while process.poll() is None:
                process.send_signal(signal.SIGQUIT)
                time.sleep(0.004)
            reader.join()
            self.assertEqual(process.wait(), 42, text[0][-4000:])
            self.assertGreater(text[0].count("gaur: 5 threads"), 3, text[0][:4000])
            self.assertNotIn("does not take signals", text[0])


if __name__ == "__main__":
    unittest.main()
