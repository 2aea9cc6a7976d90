"""What the tests of this folder share: the bindings, the library of the build under test, and a bundle."""
import ctypes
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "api", "bindings", "python"))

import gaur  # noqa: E402  the package has to be on the path first

BUNDLE = """
.typedef @i32 = int<32> .typedef @i64 = int<64> .typedef @double = double .typedef @void = void .typedef @rv = ref<@void>
.typedef @node = struct<@i64 @rv> .typedef @pair = struct<@i64 @double> .typedef @arr = array<@i64 4> .typedef @hybrid = hybrid<@i64 @i32>
.typedef @ptr = uptr<@void> .typedef @pi64 = uptr<@i64> .typedef @r64 = ref<@i64>
.const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @7 <@i64> = 7 .const @half <@double> = 0.5 d .const @a_pair <@pair> = { @7 @half }
.const @an_array <@arr> = { @0 @1 @7 @0 } .const @null <@rv> = NULL .const @nullp <@pi64> = 0
.funcsig @i_i = (@i64) -> (@i64) .funcsig @i_v = (@i64) -> () .global @sum <@i64> .global @list <@rv>
.funcdef @square VERSION %v <@i_i> { %entry(<@i64> %x): %y = MUL <@i64> %x %x RET %y } .expose @square_native = @square #DEFAULT @0
.funcdef @set VERSION %v <@i_v> { %entry(<@i64> %x): STORE SEQ_CST <@i64> @sum %x RET () }
.funcdef @divide VERSION %v <@i_i> { %entry(<@i64> %x): %y = SDIV <@i64> @7 %x RET %y } .expose @divide_native = @divide #DEFAULT @0
.funcdef @follow VERSION %v <@i_i> { %entry(<@i64> %x): %y = LOAD PTR <@i64> @nullp RET %y } .expose @follow_native = @follow #DEFAULT @0
.funcdef @allocate VERSION %v <@i_i> { %entry(<@i64> %n): BRANCH %loop(%n @0)
  %loop(<@i64> %n <@i64> %i): %done = SGE <@i64> %i %n BRANCH2 %done %end(%i) %next(%n %i)
  %next(<@i64> %n <@i64> %i): %o = NEW <@node> %j = ADD <@i64> %i @1 BRANCH %loop(%n %j)
  %end(<@i64> %i): RET %i } .expose @allocate_native = @allocate #DEFAULT @0
.funcdef @asks VERSION %v <@i_i> { %entry(<@i64> %x): %y = [%trap] TRAP <@i64> EXC(%fine(%y) %caught()) KEEPALIVE(%x)
  %fine(<@i64> %y): RET %y
  %caught() [%e]: STORE SEQ_CST <@rv> @list %e RET @1 } .expose @asks_native = @asks #DEFAULT @0
.funcdef @asks_and_sets VERSION %v <@i_v> { %entry(<@i64> %x): %y = CALL <@i_i> @asks (%x) CALL <@i_v> @set (%y) RET () }
"""

# Mu code that calls a function of C, which calls it again: %n is kept by the frame.
CALLBACK = """
.funcsig @step = (@i64) -> (@i64) .funcsig @down.sig = (@i64 ufuncptr<@step>) -> (@i64)
.funcdef @down <@down.sig> { entry(<@i64> n <ufuncptr<@step>> f): z = EQ <@i64> n @0 BRANCH2 z bottom() more(n f)
  bottom(): RET @0
  more(<@i64> n <ufuncptr<@step>> f): o = NEW <@node> i = GETIREF <@node> o v = GETFIELDIREF <@node 0> i STORE <@i64> v n
    m = SUB <@i64> n @1 r = CCALL #DEFAULT <ufuncptr<@step> @step> f (m) k = LOAD <@i64> v s = ADD <@i64> r k RET s }
.expose @down_native = @down #DEFAULT @0
"""

_worker = None


def begin_worker(context):
    """Of a process: with a machine of its own where it is given none."""
    global _worker
    if context is None:
        context = gaur.VM("opt=0").context()
        context.load(BUNDLE)
    _worker = native(context, "allocate_native")


def work(count):
    return _worker(count)


def native(context, name):
    """An exposed function from int<64> to int<64>."""
    return context.native(name, ctypes.c_int64, ctypes.c_int64)


def run_script(text, timeout=60):
    """Runs Python text in a process of its own, with this module and `gaur` imported: status, output."""
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run([sys.executable, "-B", "-c", "import ctypes, os, signal, sys, threading, time\nimport host\nfrom host import gaur\n" + text],
                          cwd=here, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False)
    return done.returncode, done.stdout
