"""Fails where an instruction, operator or common instruction of the .def files is executed by no conformance case.

  python3 tests/conformance/coverage.py ROOT

FORMS lists clauses besides. The IR builder and HAIL belong to the client interface.
"""
import os
import re
import sys

ROW = re.compile(r'^GAUR_(OPCODE|BINOP|CMPOP|CONVOP|ORDER|RMWOP|CALLCONV|STATUS|COMMINST)\((\w+),\s*"([^"]*)",(.*)\)\s*$', re.M)


def rows(root, name):
    with open(os.path.join(root, "vm", "ir", name), encoding="utf-8") as file:
        for kind, _, text, rest in ROW.findall(file.read()):
            yield kind, text, rest


def wanted(root):
    """Each word with the expression that finds it in a bundle."""
    words = {}
    for kind, text, rest in rows(root, "opcodes.def"):
        if text:
            words[text] = rf"(?<![\w.@%#]){text}(?!\w)"
    for kind, text, _ in rows(root, "operators.def"):
        if kind == "RMWOP":
            words["ATOMICRMW " + text] = rf"ATOMICRMW\s+(?:PTR\s+)?(?:[A-Z_]+\s+)?{text}\s"
        elif kind in ("CALLCONV", "STATUS"):
            words["#" + text] = rf"#{text}(?!\w)"
        else:
            words[text] = rf"(?<![\w.@%#]){text}(?!\w)"
    for _, text, rest in rows(root, "common_insts.def"):
        if not text.startswith("uvm.irbuilder.") and text != "uvm.meta.load_hail":
            words["@" + text] = rf"@?{re.escape(text)}(?![\w.])"
    words |= FORMS
    return words


# Clauses and their combinations, which no .def file lists.
SWAP = r"SWAPSTACK\s+\S+\s+"
FORMS = {
    "SWAPSTACK RET_WITH PASS_VALUES": SWAP + r"RET_WITH\s*<[^>]*>\s*PASS_VALUES",
    "SWAPSTACK RET_WITH THROW_EXC": SWAP + r"RET_WITH\s*<[^>]*>\s*THROW_EXC",
    "SWAPSTACK KILL_OLD PASS_VALUES": SWAP + r"KILL_OLD\s+PASS_VALUES",
    "SWAPSTACK KILL_OLD THROW_EXC": SWAP + r"KILL_OLD\s+THROW_EXC",
    "SWAPSTACK EXC": SWAP + r".*\sEXC\(",
    "SWAPSTACK KEEPALIVE": SWAP + r".*\sKEEPALIVE\(",
    "NEWTHREAD PASS_VALUES": r"NEWTHREAD\s+\S+\s+PASS_VALUES",
    "NEWTHREAD THROW_EXC": r"NEWTHREAD\s+\S+\s+THROW_EXC",
    "NEWTHREAD THREADLOCAL": r"NEWTHREAD\s+\S+\s+THREADLOCAL\(",
    "NEWTHREAD EXC": r"NEWTHREAD\s.*\sEXC\(",
    "new_stack EXC": r"uvm\.new_stack\s.*\sEXC\(",
    "TRAP EXC": r"TRAP\s*<.*\sEXC\(",
    "TRAP KEEPALIVE": r"TRAP\s*<.*\sKEEPALIVE\(",
    "CALL KEEPALIVE": r"(?<!C)CALL\s.*\sKEEPALIVE\(",
    "WATCHPOINT WPEXC": r"WATCHPOINT\s.*\sWPEXC\(",
    "WATCHPOINT KEEPALIVE": r"WATCHPOINT\s.*\sKEEPALIVE\(",
}


def executed(root):
    """The text, without comments, of every case that runs something, and of the bundles that such cases load."""
    folder = os.path.join(root, "tests", "conformance")
    texts = []
    for path, _, files in sorted(os.walk(folder)):
        for name in files:
            if not name.endswith(".uir"):
                continue
            with open(os.path.join(path, name), encoding="latin-1") as file:
                text = file.read()
            if re.search(r"^\s*// (run|part):", text, re.M):
                texts.append(re.sub(r"//.*", "", text))
    return "\n".join(texts)


def main(root):
    words = wanted(root)
    text = executed(root)
    missing = [word for word, pattern in words.items() if not re.search(pattern, text)]
    print(f"{len(words) - len(missing)} of {len(words)} words occur in executed cases")
    for word in missing:
        print(f"no executed case has {word}")
    return 1 if missing or len(words) < 100 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
