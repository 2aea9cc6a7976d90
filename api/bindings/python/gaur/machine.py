"""Machines, contexts, values, traps: what muapi.h calls MuVM, MuCtx and MuValue, with errors as exceptions and handles that end by
themselves."""
import ctypes
import traceback

from . import numbers
from .builder import Builder
from .interface import CONTEXT, MACHINE, MuCtx, MuError, MuVM, Bound, TrapHandler, open_library

_library = None
_libc = ctypes.CDLL(None)
_libc.malloc.restype, _libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
_free = ctypes.cast(_libc.free, ctypes.c_void_p).value


def library():
    """The library, opened when it is first needed."""
    global _library
    if _library is None:
        _library = open_library()
    return _library


class Error(Exception):
    """A call failed. `code` is stable, such as "A0005"; `line` and `column` are of the first mistake in a text, 0 where there is none."""

    def __init__(self, code, message, line=0, column=0):
        super().__init__(f"[{code}] {message}" if code else message)
        self.code, self.message, self.line, self.column = code, message, line, column


def _bytes(text):
    return text.encode() if isinstance(text, str) else text


class VM:
    """A machine. `options` as gaur_new takes them. Close it, or use `with`: that waits for its Mu threads."""

    def __init__(self, options=""):
        address = library().gaur_new(_bytes(options))
        if not address:
            raise Error("", library().gaur_new_error().decode())
        self._slots = Bound(MuVM, MACHINE, address)
        self._handler = None
        self._handlers = []
        self._open = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if not self._open:
            return
        self.checked(self._slots.close)
        self._open = False

    def checked(self, function, *arguments):
        """Calls a function of the library, and raises what it reports."""
        self._slots.clear_error()
        result = function(*arguments)
        error = MuError()
        # Where close has worked, there is nobody left to ask.
        if function is not self._slots.close and self._slots.get_error(ctypes.addressof(error)):
            raise Error(error.code.decode(), error.message.decode(), error.line, error.column)
        return result

    def context(self):
        return Context(self, self.checked(self._slots.new_context))

    def id(self, name):
        return self.checked(self._slots.id_of, _bytes(name))

    def name(self, entity):
        name = self.checked(self._slots.name_of, entity)
        return name.decode() if name is not None else None

    def execute(self):
        """Waits until all Mu threads have ended."""
        self.checked(self._slots.execute)

    def compile_to_sharedlib(self, name, extra_sources=()):
        self.checked(self._slots.compile_to_sharedlib, _bytes(name), [_bytes(source) for source in extra_sources])

    def on_trap(self, function):
        """From now on traps call function(trap), on the threads that trap; None: nobody. An exception in it ends the Mu thread and is printed."""
        if function is None:
            self.checked(self._slots.set_trap_handler, None, None)
            return None

        def handler(context, thread, stack, watchpoint, result, new_stack, values, count, freer, _, exception, __):
            trap = Trap(self, context, thread, stack, watchpoint)
            try:
                function(trap)
                trap.answer(result, new_stack, values, count, freer, exception)
            except Exception:  # it must not go into the machine
                traceback.print_exc()
                result[0] = numbers.THREAD_EXIT
            finally:
                trap.end()
        callback = TrapHandler(handler)
        self._handlers.append(callback)  # an older one may still be running
        self.checked(self._slots.set_trap_handler, ctypes.cast(callback, ctypes.c_void_p), None)
        return function


class Context:
    """Holds values for one thread at a time. Close it, or use `with`."""

    def __init__(self, vm, address, is_own=True):
        self.vm = vm
        self._slots = Bound(MuCtx, CONTEXT, address)
        self._is_own = is_own
        self._open = True
        # Handles of values that Python has collected, in whatever thread: deleted with the next call.
        self._garbage = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._open and self._is_own:
            self.vm.checked(self._slots.close_context)
        self._open = False

    def call(self, slot, *arguments):
        """Any slot, with handles for values, raising what it reports."""
        while self._garbage:
            self._slots.delete_value(self._garbage.pop())
        return self.vm.checked(getattr(self._slots, slot), *(_handle(argument) for argument in arguments))

    def make(self, slot, *arguments):
        """The same for slots that give a value."""
        return Value(self, self.call(slot, *arguments))

    # --- Bundles and names ---
    def load(self, text):
        self.call("load_bundle", *_buffer(text))

    def load_hail(self, text):
        self.call("load_hail", *_buffer(text))

    def builder(self):
        return Builder(self)

    def id(self, name):
        return self.vm.id(name) if isinstance(name, (str, bytes)) else name

    # --- From Python to Mu ---
    def int(self, number, bits=64):
        if -2**63 <= number < 2**64 and bits <= 64:
            return self.make("handle_from_uint64", number & (2**64 - 1), bits)
        number &= 2**bits - 1
        return self.make("handle_from_uint64s", [number >> low & (2**64 - 1) for low in range(0, bits, 64)], bits)

    def float(self, number):
        return self.make("handle_from_float", number)

    def double(self, number):
        return self.make("handle_from_double", number)

    def pointer(self, kind, address):
        return self.make("handle_from_ptr", self.id(kind), address)

    # --- What bundles define: by name or ID ---
    def constant(self, entity):
        return self.make("handle_from_const", self.id(entity))

    def cell(self, entity):
        return self.make("handle_from_global", self.id(entity))

    def function(self, entity):
        return self.make("handle_from_func", self.id(entity))

    def exposed(self, entity):
        return self.make("handle_from_expose", self.id(entity))

    def native(self, entity, result, *parameters):
        """The exposed function for Python to call; types are those of ctypes."""
        return ctypes.CFUNCTYPE(result, *parameters)(self.exposed(entity).to_function())

    # --- Heap, stacks, threads ---
    def new(self, kind, length=None):
        if length is None:
            return self.make("new_fixed", self.id(kind))
        return self.make("new_hybrid", self.id(kind), self.int(length))

    def new_stack(self, function):
        return self.make("new_stack", function if isinstance(function, Value) else self.function(function))

    def start(self, stack, *values, threadlocal=None):
        """A thread that goes on with a READY stack, which gets the values."""
        return self.make("new_thread_nor", stack, threadlocal, [_handle(value) for value in values])

    def run(self, function, *values):
        """A thread that runs the function from its beginning."""
        return self.start(self.new_stack(function), *values)

    def enable_watchpoint(self, number):
        self.call("enable_watchpoint", number)

    def disable_watchpoint(self, number):
        self.call("disable_watchpoint", number)


def _handle(argument):
    return argument.handle if isinstance(argument, Value) else argument


def _buffer(text):
    data = _bytes(text)
    return data, len(data)


class Value:
    """A handle. It is given up when Python collects it."""

    def __init__(self, context, handle):
        self.context, self.handle = context, handle

    def __del__(self):
        if self.handle:
            self.context._garbage.append(self.handle)

    def _call(self, slot, *arguments):
        return self.context.call(slot, self, *arguments)

    def _make(self, slot, *arguments):
        return self.context.make(slot, self, *arguments)

    # --- From Mu to Python ---
    def to_int(self, signed=True):
        return self._call("handle_to_sint64" if signed else "handle_to_uint64")

    def to_float(self):
        return self._call("handle_to_float")

    def to_double(self):
        return self._call("handle_to_double")

    def to_address(self):
        return self._call("handle_to_ptr")

    def to_function(self):
        """The address of the code."""
        return self._call("handle_to_fp")

    # --- References ---
    def equals(self, other):
        return bool(self._call("ref_eq", other))

    def refcast(self, kind):
        return self._make("refcast", self.context.id(kind))

    def iref(self):
        return self._make("get_iref")

    def field(self, index):
        return self._make("get_field_iref", index)

    def element(self, index):
        return self._make("get_elem_iref", self.context.int(index))

    def shift(self, offset):
        return self._make("shift_iref", self.context.int(offset))

    def variable_part(self):
        return self._make("get_var_part_iref")

    # --- Memory: of irefs ---
    def load(self, order=numbers.ORD_NOT_ATOMIC):
        return self.context.make("load", order, self)

    def store(self, value, order=numbers.ORD_NOT_ATOMIC):
        self.context.call("store", order, self, value)

    def compare_exchange(self, expected, desired, success=numbers.ORD_SEQ_CST, failure=numbers.ORD_SEQ_CST):
        """The value found, and whether it was as expected and has been replaced."""
        done = (ctypes.c_int * 1)()
        found = self.context.make("cmpxchg", success, failure, 0, self, expected, desired, done)
        return found, bool(done[0])

    def update(self, operation, operand, order=numbers.ORD_SEQ_CST):
        """`operation` is one of ARMW_*. The value before."""
        return self.context.make("atomicrmw", order, operation, self, operand)

    # --- Composites ---
    def extract(self, index):
        return self._make("extract_value", index)

    def insert(self, index, value):
        return self._make("insert_value", index, value)

    def at(self, index):
        return self._make("extract_element", self.context.int(index))

    def replaced(self, index, value):
        return self._make("insert_element", self.context.int(index), value)

    # --- Native interface ---
    def pin(self):
        """The address, good until unpin."""
        return self._make("pin").to_address()

    def unpin(self):
        self._call("unpin")

    def address(self):
        return self._make("get_addr").to_address()

    # --- Stacks ---
    def kill(self):
        self._call("kill_stack")

    def push_frame(self, function):
        self._call("push_frame", function)

    def cursor(self):
        return Cursor(self._make("new_cursor"))


class Cursor:
    """Stands at a frame of a READY stack, first at the innermost one."""

    def __init__(self, cursor):
        self._cursor = cursor
        self._context = cursor.context

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._context.call("close_cursor", self._cursor)

    def next(self):
        self._context.call("next_frame", self._cursor)

    @property
    def function(self):
        return self._context.call("cur_func", self._cursor)

    @property
    def version(self):
        return self._context.call("cur_func_ver", self._cursor)

    @property
    def instruction(self):
        return self._context.call("cur_inst", self._cursor)

    def keepalives(self, count):
        """The values of the frame's KEEPALIVE clause, which has `count` of them."""
        handles = (ctypes.c_void_p * max(count, 1))()
        self._context.call("dump_keepalives", self._cursor, handles)
        return [Value(self._context, handle) for handle in handles[:count]]

    def pop_frames(self):
        """The frames inside this one are gone; it waits for results."""
        self._context.call("pop_frames_to", self._cursor)


class Trap:
    """What a trap handler is asked about, and how it says how to go on: where it says nothing, the thread ends."""

    def __init__(self, vm, context, thread, stack, watchpoint):
        self.context = Context(vm, context, is_own=False)
        self.thread, self.stack = Value(self.context, thread), Value(self.context, stack)
        self.watchpoint = watchpoint
        self._result, self._stack, self._values, self._exception = numbers.THREAD_EXIT, None, [], None

    def resume(self, *values, stack=None):
        """The trapped stack, or another READY one, goes on with these values."""
        self._result, self._stack, self._values = numbers.REBIND_PASS_VALUES, stack, list(values)

    def throw(self, exception, stack=None):
        """The trapped stack, or another READY one, goes on by throwing."""
        self._result, self._stack, self._exception = numbers.REBIND_THROW_EXC, stack, exception

    def answer(self, result, new_stack, values, count, freer, exception):
        result[0] = self._result
        if self._stack is not None:
            new_stack[0] = self._stack.handle
        if self._exception is not None:
            exception[0] = self._exception.handle
        if self._values:
            handles = ctypes.cast(_libc.malloc(ctypes.sizeof(ctypes.c_void_p) * len(self._values)), ctypes.POINTER(ctypes.c_void_p))
            for i, value in enumerate(self._values):
                handles[i] = value.handle
            values[0], count[0], freer[0] = handles, len(self._values), _free

    def end(self):
        """The context gives up its handles itself."""
        for value in [self.thread, self.stack, self._stack, self._exception, *self._values]:
            if value is not None:
                value.handle = None
        self.context.close()
