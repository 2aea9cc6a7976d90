"""Fails where an instruction, operator or common instruction of the .def files is executed by no conformance case.

  python3 tests/conformance/coverage.py ROOT

FORMS lists clauses besides, HAIL_FORMS what HAIL scripts consist of. The IR builder belongs to the client interface.
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

# Definitions, locations and values of HAIL; in the scripts of cases that run something.
NAME = r"[$@][\w.-]+"
INIT = r"\.init\s+"
HAIL_FORMS = {
    ".new": r"\.new\s",
    ".newhybrid, integer": r"\.newhybrid\s+\S+\s+<\S+>\s+\d",
    ".newhybrid, constant": r"\.newhybrid\s+\S+\s+<\S+>\s+@",
    ".init of a cell": INIT + r"@[\w.-]+\s+=",
    ".init of an object": INIT + r"\$[\w.-]+\s+=",
    ".init of a part": INIT + NAME + r"\[\d+\]\[\d+\]\s+=",
    "constant index": NAME + r"\[@",
    "integer": r"=\s+[+-]?\d+\s",
    "float": r"\d\.\d+\s?f",
    "double": r"\d\.\d+\S*\s?d",
    "nan, inf": r"[+-]inf f nan f",
    "bits": r"bitsf\(.*bitsd\(",
    "NULL": r"=\s+NULL",
    "global value": r"=\s+@",
    "object": r"=\s+\$",
    "& of an object's part": r"&\$[\w.-]+\[",
    "& of a cell": r"&@",
    "* of an object's part": r"\*\$[\w.-]+\[",
    "* of a cell": r"\*@",
    "list": r"=\s+\{ ",
    "empty list": r"\{\}",
    "list in lists": r"\{[^}]*\{[^}]*\{",
}


def executed(root, extension=".uir"):
    """The text, without comments, of every case that runs something, and of the files that such cases load."""
    folder = os.path.join(root, "tests", "conformance")
    texts = []
    for path, _, files in sorted(os.walk(folder)):
        for name in files:
            if not name.endswith(extension):
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
    scripts = executed(root, ".hail")
    missing += ["HAIL: " + form for form, pattern in HAIL_FORMS.items() if not re.search(pattern, scripts, re.S)]
    wanted_count = len(words) + len(HAIL_FORMS)
    print(f"{wanted_count - len(missing)} of {wanted_count} words and forms occur in executed cases")
    for word in missing:
        print(f"no executed case has {word}")
    return 1 if missing or len(words) < 100 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
