"""Building bundles without text. Each `new_X` slot of MuIRBuilder is a method X that makes the ID itself and returns it; instructions are
methods of blocks, which return their results.

    with context.builder() as b:
        i64 = b.type_int(64)
        sig = b.funcsig([i64], [i64])
        square = b.func(sig, name="@square")
        entry = b.block([i64])
        entry.ret([entry.binop(BINOP_MUL, i64, entry[0], entry[0])])
        b.version(square, [entry])

Leaving the `with` loads the bundle; an exception in it gives it up."""
from .interface import BUILDER, Bound, MuIRBuilder

_SLOTS = {slot.name: slot for slot in BUILDER}
# Made by the instruction that carries them.
_RESULTS = ("result_id", "value_result_id", "succ_result_id")
_RESULT_LISTS = ("result_ids", "status_result_ids")


class Builder:
    """One bundle. IDs are numbers; `0` stands for an absent clause."""

    def __init__(self, context):
        self._vm = context.vm
        self._slots = Bound(MuIRBuilder, BUILDER, context.call("new_ir_builder"))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.load()
        else:
            self.abort()

    def load(self):
        self._call("load")

    def abort(self):
        self._call("abort")

    def symbol(self, name=None):
        """A fresh ID, or the ID of what is loaded under the name."""
        return self._call("gen_sym", name.encode() if name else None)

    def _call(self, slot, *arguments):
        return self._vm.checked(getattr(self._slots, slot), *arguments)

    def __getattr__(self, slot):
        """b.type_int(64), b.const_int(i64, 5, name="@five"), b.global_cell(i64), ...: the arguments of new_X without the ID; those that
        are optional may be left out. `id`: one that was made before, by symbol()."""
        if "new_" + slot not in _SLOTS:
            raise AttributeError(slot)

        def make(*arguments, name=None, id=None):  # the interface calls it so
            made = self.symbol(name) if id is None else id
            parameters = _SLOTS["new_" + slot].parameters
            self._call("new_" + slot, made, *_completed(parameters[1:], [a.encode() if isinstance(a, str) else a for a in arguments]))
            return made
        return make

    def block(self, types=(), name=None, exception=False):
        """A block with parameters of these types. Its instructions are its methods; it is made with the version that has it."""
        return Block(self, list(types), name, exception)

    def version(self, function, blocks, name=None):
        """A version of the function; the first block is the entry."""
        for block in blocks:
            self._call("new_bb", block.id, block.parameters, block.types, block.exception, block.instructions)
        return self.func_ver(function, [block.id for block in blocks], name=name)

    def dest(self, block, arguments=()):
        """A block with arguments, for branches and clauses."""
        return self.dest_clause(block.id if isinstance(block, Block) else block, list(arguments))


def _completed(parameters, arguments):
    """The arguments, with 0 for optional ones that are missing at the end. Lengths are filled in later."""
    wanted = [p for i, p in enumerate(parameters) if not (p.kind == "size" and i and parameters[i - 1].is_array)]
    missing = wanted[len(arguments):]
    if any(not p.is_optional for p in missing):
        raise TypeError(f"missing: {', '.join(p.name for p in missing if not p.is_optional)}")
    return list(arguments) + [0] * len(missing)


class Block:
    """A basic block under construction: `block[i]` is a parameter, `block.exception` the exception parameter or 0."""

    def __init__(self, builder, types, name, exception):
        self._builder = builder
        self.id = builder.symbol(name)
        self.types = types
        self.parameters = [builder.symbol() for _ in types]
        self.exception = builder.symbol() if exception else 0
        self.instructions = []

    def __getitem__(self, index):
        return self.parameters[index]

    def branch_to(self, block, arguments=()):
        self.branch(self._builder.dest(block, arguments))

    def __getattr__(self, slot):
        """entry.binop(BINOP_ADD, i64, a, b): the arguments of new_binop without IDs. One result is returned as it is, several (`results=2`,
        where the instruction does not fix it) as a list, none as None. `inst`: an ID that was made before."""
        if "new_" + slot not in _SLOTS:
            raise AttributeError(slot)
        parameters = _SLOTS["new_" + slot].parameters[1:]

        def emit(*arguments, results=1, inst=None, name=None):
            builder = self._builder
            made, given, rest = [], iter(arguments), []
            for i, parameter in enumerate(parameters):
                if parameter.name in _RESULTS:
                    made.append(builder.symbol())
                    rest.append(made[-1])
                elif parameter.name in _RESULT_LISTS:
                    # Where the types of results are listed beside, there are as many.
                    types = i + 1 < len(parameters) and parameters[i + 1].name == "rettys"
                    count = len(arguments[len(rest)]) if types else results
                    ids = [builder.symbol() for _ in range(count)]
                    made.extend(ids)
                    rest.append(ids)
                elif not (parameter.kind == "size" and i and parameters[i - 1].is_array):
                    argument = next(given, None)
                    if argument is None:
                        break
                    rest.append(argument)
            instruction = builder.symbol(name) if inst is None else inst
            builder._call("new_" + slot, instruction, *_completed(parameters, rest))
            self.instructions.append(instruction)
            return made[0] if len(made) == 1 else made or None
        return emit
