"""The Python package, used as a client would: each class and method, what fails and how that is told."""
import ctypes
import threading
import unittest

import host
from host import gaur


class Bindings(unittest.TestCase):
    def setUp(self):
        self.vm = gaur.VM()
        self.context = self.vm.context()
        self.context.load(host.BUNDLE)

    def tearDown(self):
        self.context.close()
        self.vm.close()

    def fails(self, code, function, *arguments):
        with self.assertRaises(gaur.Error) as raised:
            function(*arguments)
        self.assertEqual(raised.exception.code, code)
        return raised.exception

    def test_options(self):
        with self.assertRaises(gaur.Error) as raised:
            gaur.VM("no-such-option")
        self.assertIn("no-such-option", str(raised.exception))
        with gaur.VM("opt=0 heap=32M"):
            pass
        self.assertRegex(gaur.library().gaur_version().decode(), r"^\d+\.\d+")

    def test_mistakes_in_text_have_a_place(self):
        with self.assertRaises(gaur.Error) as raised:
            self.context.load(".typedef @x = int<64>\n.typedef @y = nonsense\n")
        error = raised.exception
        self.assertEqual((error.line, bool(error.code)), (2, True))
        self.assertIn("nonsense", str(error))
        self.fails("A0008", self.context.id, "x")

    def test_names(self):
        square = self.vm.id("@square")
        self.assertEqual((self.vm.name(square), self.context.id("square"), self.context.id(square)), ("@square", square, square))
        self.fails("A0008", self.vm.id, "nobody")
        self.fails("A0005", self.vm.name, 0)

    def test_numbers(self):
        context = self.context
        self.assertEqual(context.int(-5).to_int(), -5)
        self.assertEqual(context.int(-5, 8).to_int(signed=False), 251)
        self.assertEqual(context.int(63, 6).to_int(), -1)
        self.assertEqual(context.int(1 << 100 | 7, 128).to_int(), 7)
        self.assertEqual(context.float(0.5).to_float(), 0.5)
        self.assertEqual(context.double(1e300).to_double(), 1e300)
        self.assertEqual(context.pointer("ptr", 4096).to_address(), 4096)
        self.assertEqual(context.constant("half").to_double(), 0.5)
        self.fails("A0004", context.double(1.0).to_int)
        self.fails("A0009", context.int, 1, 0)

    def test_composites(self):
        pair = self.context.constant("a_pair").insert(0, self.context.int(40))
        self.assertEqual((pair.extract(0).to_int(), pair.extract(1).to_double()), (40, 0.5))
        array = self.context.constant("an_array").replaced(3, self.context.int(9))
        self.assertEqual([array.at(i).to_int() for i in range(4)], [0, 1, 7, 9])
        self.fails("A0011", array.at, 4)

    def test_memory(self):
        context = self.context
        node = context.new("node")
        place = node.iref().field(0)
        place.store(context.int(11), gaur.ORD_RELEASE)
        self.assertEqual(place.load(gaur.ORD_ACQUIRE).to_int(), 11)
        found, done = place.compare_exchange(context.int(11), context.int(12))
        self.assertEqual((found.to_int(), done), (11, True))
        found, done = place.compare_exchange(context.int(11), context.int(13))
        self.assertEqual((found.to_int(), done), (12, False))
        self.assertEqual((place.update(gaur.ARMW_ADD, context.int(30)).to_int(), place.load().to_int()), (12, 42))
        node.iref().field(1).store(node)
        self.assertTrue(node.iref().field(1).load().refcast("rv").equals(node))
        items = context.new("hybrid", 10).iref().variable_part()
        items.shift(9).store(context.int(-1, 32))
        self.assertEqual(items.shift(9).load().to_int(), -1)
        self.assertEqual(context.new("arr").iref().element(3).load().to_int(), 0)
        address = node.pin()
        self.assertEqual(ctypes.c_int64.from_address(address).value, 42)
        node.unpin()
        self.fails("A0016", node.unpin)
        self.assertNotEqual(context.cell("sum").address(), 0)

    def test_functions(self):
        self.assertEqual(host.native(self.context, "square_native")(12), 144)
        exposed = self.context.make("expose", self.context.function("square"), gaur.CC_DEFAULT, self.context.int(0))
        square = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(exposed.to_function())
        self.assertEqual(square(5), 25)
        self.context.call("unexpose", gaur.CC_DEFAULT, exposed)
        self.fails("A0017", self.context.call, "unexpose", gaur.CC_DEFAULT, exposed)

    def sum(self):
        return self.context.cell("sum").load(gaur.ORD_SEQ_CST).to_int()

    def test_threads(self):
        self.context.run("set", self.context.int(77))
        self.vm.execute()
        self.assertEqual(self.sum(), 77)
        self.fails("A0022", self.context.run, "set")
        stack = self.context.new_stack("set")
        stack.kill()
        self.fails("R0014", stack.kill)

    def test_traps(self):
        asks, seen = host.native(self.context, "asks_native"), []

        def doubles(trap):
            with trap.stack.cursor() as frame:
                seen.append((self.vm.name(frame.function), self.vm.name(frame.version), self.vm.name(frame.instruction), trap.watchpoint))
                trap.resume(trap.context.int(2 * frame.keepalives(1)[0].to_int()))
        self.vm.on_trap(doubles)
        self.assertEqual(asks(21), 42)
        self.assertEqual(seen, [("@asks", "@asks.v", "@asks.v.entry.trap", 0)])
        self.vm.on_trap(lambda trap: trap.throw(trap.context.new("void")))
        self.assertEqual(asks(21), 1)
        self.vm.on_trap(lambda trap: (trap.stack.kill(), trap.resume(trap.context.int(5), stack=trap.context.new_stack("set"))))
        self.context.run("asks_and_sets", self.context.int(1))
        self.vm.execute()
        self.assertEqual(self.sum(), 5)

        def replaces(trap):
            with trap.stack.cursor() as frame:
                frame.next()
                frame.pop_frames()
            trap.stack.push_frame(trap.context.function("square"))
            trap.resume(trap.context.int(9))
        self.vm.on_trap(replaces)
        self.context.run("asks_and_sets", self.context.int(1))
        self.vm.execute()
        self.assertEqual(self.sum(), 81)
        # Saying nothing ends the thread.
        self.vm.on_trap(lambda trap: None)
        self.context.run("asks_and_sets", self.context.int(1))
        self.vm.execute()
        self.assertEqual(self.sum(), 81)
        self.vm.on_trap(None)

    def test_values_are_given_up(self):
        """Also by other threads than the context's."""
        context = self.context
        for i in range(3000):
            context.int(i)
        kept = [context.int(i) for i in range(1000)]
        thread = threading.Thread(target=kept.clear)
        thread.start()
        thread.join()
        context.int(1)
        self.assertEqual(len(context._garbage), 1)

    def test_bundles_without_text(self):
        with self.context.builder() as b:
            i64 = self.context.id("i64")
            sig, zero, one = b.funcsig([i64], [i64], name="@fact.sig"), b.const_int(i64, 0), b.const_int(i64, 1)
            fact = b.func(sig, name="@fact")
            b.exp_func(fact, gaur.CC_DEFAULT, zero, name="@fact_native")
            entry, end, more = b.block([i64]), b.block(), b.block([i64])
            done = entry.cmp(gaur.CMP_SLE, i64, entry[0], one)
            entry.branch2(done, b.dest(end), b.dest(more, [entry[0]]))
            end.ret([one])
            less = more.binop(gaur.BINOP_SUB, i64, more[0], one)
            product = more.binop(gaur.BINOP_MUL, i64, more[0], more.call(sig, fact, [less]))
            more.ret([product])
            b.version(fact, [entry, end, more])
        self.assertEqual(host.native(self.context, "fact_native")(10), 3628800)
        # A bundle that is wrong is an error, and one that is given up leaves nothing.
        with self.assertRaises(gaur.Error):
            with self.context.builder() as b:
                b.const_int(b.symbol("@nothing"), 5, name="@wrong")
        with self.assertRaises(KeyError):
            with self.context.builder() as b:
                b.type_int(32, name="@given_up")
                raise KeyError
        self.fails("A0008", self.context.id, "given_up")


if __name__ == "__main__":
    unittest.main()
