"""From the tables of slots.py to ctypes: the structures MuVM, MuCtx and MuIRBuilder, and the library."""
import ctypes
import os
import re

from . import slots

Value = ctypes.c_void_p
Id = ctypes.c_uint32
Function = ctypes.c_void_p

TYPES = {
    "none": None, "value": Value, "id": Id, "text": ctypes.c_char_p, "flag": ctypes.c_uint32, "int": ctypes.c_int, "size": ctypes.c_size_t,
    "address": ctypes.c_void_p, "function": Function, "context": ctypes.c_void_p, "machine": ctypes.c_void_p, "builder": ctypes.c_void_p,
    "int8": ctypes.c_int8, "uint8": ctypes.c_uint8, "int16": ctypes.c_int16, "uint16": ctypes.c_uint16, "int32": ctypes.c_int32,
    "uint32": ctypes.c_uint32, "int64": ctypes.c_int64, "uint64": ctypes.c_uint64, "float": ctypes.c_float, "double": ctypes.c_double,
}


class Parameter:
    """A parameter of a slot: its type without the star, whether it is an array, its name, whether it may be left out."""

    def __init__(self, text):
        kind, self.name = text.split(" ")
        self.is_array = kind.endswith("*")
        self.kind = kind.rstrip("*")
        self.is_optional = self.name.endswith("?")
        self.name = self.name.rstrip("?")
        self.ctype = ctypes.POINTER(TYPES[self.kind]) if self.is_array else TYPES[self.kind]


class Slot:
    """A member of a structure."""

    def __init__(self, text):
        match = re.fullmatch(r"(\w+) (\w+)\((.*)\)", text)
        self.result, self.name = match.group(1), match.group(2)
        self.parameters = [Parameter(part) for part in match.group(3).split(", ") if part]
        self.prototype = ctypes.CFUNCTYPE(TYPES[self.result], ctypes.c_void_p, *(parameter.ctype for parameter in self.parameters))


def _table(text):
    return [Slot(line) for line in text.strip().splitlines()]


MACHINE, CONTEXT, BUILDER = _table(slots.MACHINE), _table(slots.CONTEXT), _table(slots.BUILDER)


def _structure(name, table):
    fields = [("header", ctypes.c_void_p)] + [(slot.name, slot.prototype) for slot in table]
    return type(name, (ctypes.Structure,), {"_fields_": fields})


MuVM, MuCtx, MuIRBuilder = _structure("MuVM", MACHINE), _structure("MuCtx", CONTEXT), _structure("MuIRBuilder", BUILDER)


class MuError(ctypes.Structure):
    """What MuVM.get_error writes."""
    _fields_ = [("code", ctypes.c_char_p), ("message", ctypes.c_char_p), ("line", ctypes.c_uint32), ("column", ctypes.c_uint32)]


TrapHandler = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, Value, Value, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32), ctypes.POINTER(Value),
    ctypes.POINTER(ctypes.POINTER(Value)), ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_void_p),
    ctypes.POINTER(Value), ctypes.c_void_p)


class Bound:
    """A structure of the library at an address, with its slots as methods that take Python's values."""

    def __init__(self, structure, table, address):
        self.address = address
        members = structure.from_address(address)
        for slot in table:
            setattr(self, slot.name, self._method(slot, getattr(members, slot.name)))

    def _method(self, slot, function):
        if not any(parameter.is_array for parameter in slot.parameters):
            return lambda *arguments: function(self.address, *arguments)

        def call(*arguments):
            return function(self.address, *expand(slot, arguments))
        return call


def expand(slot, arguments):
    """Arguments for all parameters: lists become arrays, and the sizes that follow them are filled in. None is an array of length 0."""
    given = iter(arguments)
    expanded, length = [], None
    for parameter in slot.parameters:
        if parameter.is_array:
            items = next(given)
            if isinstance(items, ctypes.Array) or items is None:
                length = 0 if items is None else len(items)
                expanded.append(items)
            else:
                items = list(items)
                if length not in (None, len(items)):
                    raise ValueError(f"{slot.name}: {parameter.name} has {len(items)} items, the list before it {length}")
                length = len(items)
                expanded.append((TYPES[parameter.kind] * length)(*items))
        elif parameter.kind == "size" and length is not None:
            expanded.append(length)
            length = None
        else:
            expanded.append(next(given))
    if next(given, None) is not None:
        raise TypeError(f"{slot.name} takes fewer arguments")
    return expanded


def _candidates():
    if "GAUR_LIBRARY" in os.environ:
        yield os.environ["GAUR_LIBRARY"]
        return
    here = os.path.dirname(os.path.abspath(__file__))
    # Inside an installation (lib/gaur/python/gaur), and inside the repository.
    yield os.path.join(here, "..", "..", "..", "libgaur.so")
    yield os.path.join(here, "..", "..", "..", "..", "build", "release", "lib", "libgaur.so")
    yield "libgaur.so.0"


def open_library():
    """libgaur.so: where GAUR_LIBRARY says, else beside this package or where the system looks for libraries."""
    last = None
    for path in _candidates():
        try:
            library = ctypes.CDLL(os.path.realpath(path) if os.path.exists(path) else path)
        except OSError as error:
            last = error
            continue
        library.gaur_new.restype, library.gaur_new.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
        library.gaur_new_error.restype = library.gaur_version.restype = ctypes.c_char_p
        library.gaur_has_feature.argtypes = [ctypes.c_char_p]
        return library
    raise last
