"""Gaur as a guest in a process that is not its own: Python's signals, threads, forks and libraries go on working."""
import ctypes
import gc
import glob
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

import host
from host import gaur


class Living(unittest.TestCase):
    """In this process."""

    def setUp(self):
        self.vm = gaur.VM()
        self.context = self.vm.context()
        self.context.load(host.BUNDLE)

    def tearDown(self):
        self.context.close()
        self.vm.close()

    def test_python_handles_signals_that_come_while_mu_code_runs(self):
        came = []
        before = signal.signal(signal.SIGINT, lambda *_: came.append(True))
        allocate = host.native(self.context, "allocate_native")
        timer = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        while not came:
            allocate(2_000_000)
        timer.join()
        signal.signal(signal.SIGINT, before)
        self.assertEqual(came, [True])

    def test_threads_of_python_come_and_go(self):
        allocate, done = host.native(self.context, "allocate_native"), []
        for _ in range(5):
            threads = [threading.Thread(target=lambda: done.append(allocate(100_000))) for _ in range(10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(done, [100_000] * 50)
        # tearDown closes the machine, which would fail if one of them were still attached.

    def test_a_context_for_each_thread(self):
        sums = []

        def work():
            with self.vm.context() as own:
                sums.append(sum(own.int(i).to_int() for i in range(2000)))
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sums, [sum(range(2000))] * 8)

    def test_handles_in_the_heap_of_python_keep_objects_alive(self):
        kept = []
        for i in range(1000):
            node = self.context.new("node")
            node.iref().field(0).store(self.context.int(i))
            kept.append(node)
        host.native(self.context, "allocate_native")(5_000_000)
        self.assertEqual([node.iref().field(0).load().to_int() for node in kept], list(range(1000)))

    def test_libraries_opened_later_cost_collections_nothing(self):
        allocate = host.native(self.context, "allocate_native")

        def seconds():
            start = time.perf_counter()
            allocate(10_000_000)
            return time.perf_counter() - start
        before = min(seconds() for _ in range(3))
        libraries = []
        for path in glob.glob("/usr/lib/x86_64-linux-gnu/lib*.so.*")[:150]:
            try:
                libraries.append(ctypes.CDLL(path))
            except OSError:
                pass
        data = ctypes.create_string_buffer(200 << 20)  # and a big heap of malloc
        after = min(seconds() for _ in range(3))
        self.assertGreater(len(libraries), 0)
        self.assertEqual(len(data), 200 << 20)
        self.assertLess(after, 3 * before + 0.2)

    def test_timers_interrupt_collections(self):
        came = []
        before = signal.signal(signal.SIGALRM, lambda *_: came.append(True))
        allocate = host.native(self.context, "allocate_native")
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        threads = [threading.Thread(target=lambda: [allocate(200_000) for _ in range(5)]) for _ in range(2)]
        try:
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads) or not came:
                self.assertEqual(allocate(100_000), 100_000)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for thread in threads:
                thread.join()
            signal.signal(signal.SIGALRM, before)

    def test_python_below_mu_code_calls_mu_code(self):
        """Down and up again, with objects that are held by Mu frames alone in between."""
        depths = []

        @ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
        def python(n):
            depths.append(n)
            gc.collect()
            return down(n, python)
        self.context.load(host.CALLBACK)
        down = self.context.native("down_native", ctypes.c_int64, ctypes.c_int64, type(python))
        self.assertEqual(down(40, python), sum(range(41)))
        self.assertEqual(depths, list(range(39, -1, -1)))
        threads = [threading.Thread(target=lambda: depths.append(down(20, python))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(depths.count(sum(range(21))), 4)

    def test_threads_that_mu_started_trap_into_python(self):
        names, lock = set(), threading.Lock()

        def resume(trap):
            with lock:
                names.add(threading.current_thread().name)
            with trap.stack.cursor() as frame:
                trap.resume(trap.context.int(frame.keepalives(1)[0].to_int() * 2))
        self.vm.on_trap(resume)
        for i in range(20):
            self.context.start(self.context.new_stack("asks_and_sets"), self.context.int(i))
        self.vm.execute()
        self.vm.on_trap(None)
        # Threads that Python never made.
        self.assertTrue(names and all(name.startswith("Dummy-") for name in names), names)
        self.assertIn(self.context.cell("sum").load().to_int(), range(0, 40, 2))

    def test_values_that_python_collects_in_other_threads(self):
        nodes = [self.context.new("node") for _ in range(2000)]
        for i, node in enumerate(nodes):
            node.iref().field(0).store(self.context.int(i))
        kept, allocate = nodes[::7], host.native(self.context, "allocate_native")
        threads = [threading.Thread(target=lambda part=nodes[i::4]: (part.clear(), gc.collect())) for i in range(4)]
        nodes.clear()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        allocate(1_000_000)
        self.assertEqual([node.iref().field(0).load().to_int() for node in kept], list(range(0, 2000, 7)))

    def test_commands_are_run_while_mu_code_runs(self):
        allocate, stop = host.native(self.context, "allocate_native"), []

        def work():
            while not stop:
                allocate(50_000)
        busy = [threading.Thread(target=work) for _ in range(2)]
        for thread in busy:
            thread.start()
        try:
            for way in ({}, {"preexec_fn": os.getpgrp}, {"close_fds": False}):
                for _ in range(5):
                    said = subprocess.run([sys.executable, "-S", "-c", "print(5)"], stdout=subprocess.PIPE, check=True, timeout=60, **way).stdout
                    self.assertEqual(said, b"5\n")
        finally:
            stop.append(True)
            for thread in busy:
                thread.join()

    def test_a_machine_after_the_other(self):
        for _ in range(20):
            with gaur.VM("opt=0") as vm, vm.context() as context:
                context.load(host.BUNDLE)
                self.assertEqual(host.native(context, "square_native")(9), 81)


class Processes(unittest.TestCase):
    """Where the process may end."""

    BEGIN = "vm = gaur.VM(); context = vm.context(); context.load(host.BUNDLE)\n"

    def script(self, text):
        return host.run_script(self.BEGIN + text)

    def test_forked_children_go_on(self):
        status, said = self.script("""
allocate = host.native(context, "allocate_native")
allocate(1000)
waits = threading.Event()
idle = threading.Thread(target=lambda: (allocate(1000), waits.wait()))
idle.start()
stop = []
def work():
    while not stop: allocate(20000)
busy = [threading.Thread(target=work) for _ in range(2)]
for thread in busy: thread.start()
time.sleep(0.05)
for i in range(10):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(7 if allocate(3_000_000) == 3_000_000 and context.int(5).to_int() == 5 else 8)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7, "a child"
stop.append(1); waits.set()
for thread in busy + [idle]: thread.join()
print(allocate(10)); context.close(); vm.close()
""")
        self.assertEqual((status, said), (0, "10\n"))

    def test_workers_of_multiprocessing(self):
        for method in ("fork", "forkserver", "spawn"):
            script = f"""
import multiprocessing
allocate = host.native(context, "allocate_native")
allocate(1000)
waits = threading.Event()
idle = threading.Thread(target=lambda: (allocate(1000), waits.wait()))
idle.start()
with multiprocessing.get_context("{method}").Pool(3, host.begin_worker, (None,)) as pool:
    print(sum(pool.map(host.work, [100_000] * 30)))
waits.set(); idle.join()
print(allocate(10))
"""
            status, said = self.script(script)
            self.assertEqual((status, said), (0, "3000000\n10\n"), method)

    def test_workers_use_the_machine_that_was_there(self):
        status, said = self.script("""
import multiprocessing
host.begin_worker(context)
host.work(1000)
with multiprocessing.get_context("fork").Pool(3) as pool:
    print(sum(pool.map(host.work, [200_000] * 20)))
print(host.work(10))
""")
        self.assertEqual((status, said), (0, "4000000\n10\n"))

    def test_children_end_as_interpreters_do(self):
        status, said = self.script("""
import atexit
allocate = host.native(context, "allocate_native")
atexit.register(lambda: print("end", allocate(100_000), flush=True))
vm.on_trap(lambda trap: trap.resume(trap.context.int(1)))
kept = [context.new("node") for _ in range(1000)]
child = os.fork()
if child: print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
sys.exit(3)
""")
        self.assertEqual((status, said), (3, "end 100000\n3\nend 100000\n"))

    def test_the_interpreter_ends_with_everything_open(self):
        """Values, a builder, a cursor and a Mu thread that waits, in a cycle that the interpreter takes apart as it likes."""
        status, said = self.script("""
class Cycle: pass
cycle = Cycle(); cycle.self = cycle
cycle.values = [context.new("node"), context.int(5), context.cell("sum")]
cycle.builder = context.builder()
cycle.native = host.native(context, "allocate_native")
def stays(trap): cycle.cursor = trap.stack.cursor(); time.sleep(1000)
vm.on_trap(stays)
cycle.thread = context.start(context.new_stack("asks_and_sets"), context.int(1))
while not hasattr(cycle, "cursor"): time.sleep(0.001)
print(cycle.native(1000), flush=True)
""")
        self.assertEqual((status, said), (0, "1000\n"))

    def test_threads_call_while_the_interpreter_ends(self):
        for _ in range(5):
            status, said = self.script("""
allocate = host.native(context, "allocate_native")
def work():
    while True: allocate(1000)
for _ in range(4): threading.Thread(target=work, daemon=True).start()
time.sleep(0.02)
print("end", flush=True)
""")
            self.assertEqual((status, said), (0, "end\n"))

    def test_tracebacks_of_all_threads(self):
        status, said = self.script("""
import faulthandler
allocate = host.native(context, "allocate_native")
threading.Thread(target=lambda: [allocate(100_000) for _ in range(10**9)], daemon=True).start()
time.sleep(0.05)
faulthandler.dump_traceback(all_threads=True)
faulthandler.dump_traceback_later(0.05, repeat=True)
allocate(10_000_000)
faulthandler.cancel_dump_traceback_later()
print("end", flush=True)
os._exit(0)
""")
        self.assertEqual(status, 0, said)
        self.assertIn("most recent call first", said)
        self.assertTrue(said.endswith("end\n"), said)

    def test_the_library_stays_where_it_was_closed(self):
        status, said = self.script("""
square = host.native(context, "square_native")
import _ctypes
for _ in range(5): _ctypes.dlclose(gaur.library()._handle)
print(square(5))
""")
        self.assertEqual((status, said), (0, "25\n"))

    def test_faults_outside_mu_code_go_to_the_handler_that_was_there(self):
        status, said = host.run_script("import faulthandler; faulthandler.enable()\n" + self.BEGIN
                                       + "host.native(context, 'square_native')(2)\nctypes.string_at(8)\n")
        self.assertEqual(status, -signal.SIGSEGV, said)
        self.assertIn("Fatal Python error: Segmentation fault", said)

    def test_faults_outside_mu_code_end_the_process_where_there_was_none(self):
        status, said = self.script("host.native(context, 'square_native')(2)\nctypes.string_at(8)\n")
        self.assertEqual(status, -signal.SIGSEGV, said)

    def test_faults_of_mu_code_are_reported(self):
        for function, what in (("divide_native", "division by zero"), ("follow_native", "NULL")):
            status, said = host.run_script("import faulthandler; faulthandler.enable()\n" + self.BEGIN + f"host.native(context, '{function}')(0)\n")
            self.assertNotEqual(status, 0)
            self.assertIn(what.lower(), said.lower())
            self.assertNotIn("Segmentation fault", said)

    def test_the_process_may_end_with_machines_open_and_threads_in_them(self):
        status, said = self.script("""
allocate = host.native(context, "allocate_native")
threading.Thread(target=lambda: [allocate(100_000) for _ in range(10**9)], daemon=True).start()
time.sleep(0.1)
print("end", flush=True)
""")
        self.assertEqual((status, said), (0, "end\n"))

    def test_other_names_of_the_library_and_another_folder(self):
        status, said = host.run_script("""
path = os.path.realpath(os.environ.get("GAUR_LIBRARY") or gaur.library()._name)
os.chdir(os.path.dirname(path))
for name in ("libmu.so", "libmurefimpl2start.so", "libgaur.so"):
    library = ctypes.CDLL("./" + name)
    assert all(hasattr(library, f) for f in ("mu_fastimpl_new", "mu_fastimpl_new_with_opts", "mu_get_version", "mu_refimpl2_new_ex", "mu_refimpl2_close"))
os.chdir("/")
with gaur.VM() as vm, vm.context() as context:
    context.load(host.BUNDLE)
    print(host.native(context, "square_native")(6))
""")
        self.assertEqual((status, said), (0, "36\n"))


if __name__ == "__main__":
    unittest.main()
