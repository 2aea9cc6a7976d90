"""The tables of the Python package say what muapi.h says: every slot in its place with its types and names, every number."""
import os
import re
import unittest

import host
from host import gaur
from gaur import interface, numbers

with open(os.path.join(host.ROOT, "api", "mu", "muapi.h"), encoding="utf-8") as file:
    HEADER = file.read()

FLAGS = ("MuMemOrd", "MuAtomicRMWOptr", "MuCallConv", "MuWPID", "MuFlag", "MuBinOptr", "MuBinOpStatus", "MuCmpOptr", "MuConvOptr", "MuCommInst")
PLAIN = {"MuCtx*": "context", "MuVM*": "machine", "MuIRBuilder*": "builder", "char*": "text", "MuCString": "text", "MuName": "text", "void": "none",
         "MuBool": "int", "int": "int", "MuArraySize": "size", "MuCPtr": "address", "int*": "address", "MuError*": "address", "MuCFP": "function",
         "MuTrapHandler": "function", "MuErrorHandler": "function", "MuHostFinaliser": "function"}


def kind(ctype, is_result=False):
    """The table's word for a type of the header."""
    ctype = ctype.replace(" ", "")
    if ctype in PLAIN:
        return PLAIN[ctype]
    base = ctype.rstrip("*")
    star = "*" if ctype.endswith("*") else ""
    if base.endswith("Value"):
        return "value" + star
    if base == "MuID" or base.endswith(("Node", "Clause")):
        return "id" + star
    if base in FLAGS:
        return "flag" + star
    return (PLAIN.get(base) or base.removesuffix("_t")) + star


def declared(struct):
    """What the header says: (result, name, [(type, name, optional)]) for each slot."""
    body = re.search(rf"^struct {struct} \{{\n(.*?)^\}};", HEADER, re.M | re.S).group(1)
    slots = []
    for result, name, parameters, notes in re.findall(r"^\s*([\w *]+?)\s*\(\*(\w+)\)\((.*?)\);(.*)$", re.sub(r"/\*.*?\*/", "", body, flags=re.S), re.M):
        optional = re.findall(r"(\w+):optional", notes)
        split = [re.fullmatch(r"(.*?)(\w+)", parameter.strip()).groups() for parameter in parameters.split(",")[1:]]
        slots.append((kind(result), name, [(kind(ctype), own, own in optional) for ctype, own in split]))
    return slots


class Tables(unittest.TestCase):
    def test_slots(self):
        for struct, table, count in (("MuVM", interface.MACHINE, 14), ("MuCtx", interface.CONTEXT, 89), ("MuIRBuilder", interface.BUILDER, 80)):
            header = declared(struct)
            self.assertGreaterEqual(len(header), count)
            self.assertEqual(len(table), len(header))
            for slot, wanted in zip(table, header):
                # `int*` that is written to, as in cmpxchg, is an array of one for Python.
                has = (slot.result, slot.name, [(p.kind + "*" * p.is_array, p.name, p.is_optional) for p in slot.parameters])
                wanted = (wanted[0], wanted[1], [("int*" if own == "is_succ" else ctype, own, optional) for ctype, own, optional in wanted[2]])
                self.assertEqual(has, wanted)

    def test_numbers(self):
        header = {name: int(number, 0) for name, number in re.findall(r"^#define MU_(\w+)\s+\(\(\w+\)(0x[0-9A-Fa-f]+)\)", HEADER, re.M)}
        self.assertGreater(len(header), 200)
        self.assertEqual({name: value for name, value in vars(numbers).items() if name.isupper()}, header)

    def test_the_package_gives_them_all(self):
        self.assertEqual((gaur.BINOP_ADD, gaur.CMP_EQ, gaur.CI_UVM_NEW_STACK), (1, 0x20, 0x201))


if __name__ == "__main__":
    unittest.main()
