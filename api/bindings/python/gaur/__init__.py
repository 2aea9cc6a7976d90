"""Gaur for Python: machines, contexts, values and builders over ctypes, in terms of muapi.h. The standard library is all it needs.

    import gaur
    with gaur.VM() as vm, vm.context() as context:
        context.load(open("square.uir").read())
        square = context.native("@square_native", ctypes.c_int64, ctypes.c_int64)
        print(square(12))
"""
from .builder import Block, Builder
from .machine import VM, Context, Cursor, Error, Trap, Value, library
from .numbers import *

__all__ = ["VM", "Context", "Cursor", "Error", "Trap", "Value", "Builder", "Block", "library"] + [name for name in dir() if name.isupper()]
