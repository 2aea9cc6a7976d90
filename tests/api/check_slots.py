"""Checks muapi.h against the numbers of the interface, and that every slot is called by some client of tests/api.

  python3 tests/api/check_slots.py ROOT

Slots of the builder come in the order of the numbers of the common instructions of the same names; those of the context have places that clients rely
on.
"""
import os
import re
import sys

PLACES = {"id_of": 1, "load_bundle": 4, "handle_from_sint8": 6, "handle_to_sint8": 19, "handle_from_const": 31, "delete_value": 35,
          "new_fixed": 42, "load": 50, "fence": 54, "new_stack": 55, "new_thread_nor": 56, "new_cursor": 61, "cur_func": 65,
          "push_frame": 70, "tr64_is_fp": 71, "enable_watchpoint": 81, "pin": 83, "get_addr": 85, "expose": 86,
          "new_ir_builder": 88, "make_boot_image": 89, "add_ptr_reloc": 90,
          "new_host_function": 91, "strong_ref": 99, "load_collectible": 100, "unload": 102, "why": 103, "why_json": 105}
MACHINE = ["new_context", "id_of", "name_of", "set_trap_handler", "compile_to_sharedlib", "current_thread_as_mu_thread"]


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def slots(header, struct):
    body = re.search(rf"^struct {struct} \{{\n(.*?)^\}};", header, re.M | re.S).group(1)
    return re.findall(r"\(\*(\w+)\)\(", re.sub(r"/\*.*?\*/", "", body, flags=re.S))


def main(root):
    errors = []
    header = read(root, "api", "mu", "muapi.h")
    machine, context, builder = (slots(header, name) for name in ("MuVM", "MuCtx", "MuIRBuilder"))
    if machine[:6] != MACHINE:
        errors.append(f"MuVM begins with {machine[:6]}")
    if len(context) != 105:
        errors.append(f"MuCtx has {len(context)} slots")
    errors += [f"{name} is slot {context.index(name) + 1}, not {place}" for name, place in PLACES.items() if context.index(name) + 1 != place]
    numbers = re.findall(r'GAUR_COMMINST\(\w+,\s*"uvm\.irbuilder\.(\w+)",\s*0x(\w+)', read(root, "vm", "ir", "common_insts.def"))
    ordered = [name for name, number in numbers if int(number, 16) >= 0x300]
    if builder != ordered:
        errors.append("the slots of MuIRBuilder differ from the common instructions: "
                      + str([pair for pair in zip(builder, ordered) if pair[0] != pair[1]][:3]))

    clients = "\n".join(read(root, "tests", "api", name) for name in sorted(os.listdir(os.path.join(root, "tests", "api")))
                        if name.endswith((".c", ".h")))
    called = {"mvm": set(re.findall(r"\bmvm->(\w+)\s*\(", clients)), "ctx": set(re.findall(r"\b(?:ctx|\w*[cC]ontext)->(\w+)\s*\(", clients))}
    # Clients call the builder b, by a macro mostly.
    called["b"] = set(re.findall(r"\bb->(\w+)\s*\(", clients)) | set(re.findall(r"\bB\((\w+),", clients))
    called["b"] |= set(re.findall(r"\bb->(new_type_\w+),", clients))
    calls = re.findall(r"(?m)^GAUR_BUILDER_CALL\((\w+),", read(root, "vm", "ir", "builder_calls.def"))
    if builder[2:] != calls:
        errors.append("builder_calls.def has not the slots of MuIRBuilder in their order")
    commons = dict(re.findall(r'GAUR_COMMINST\(\w+,\s*"([\w.]+)",\s*0x(\w+)', read(root, "vm", "ir", "common_insts.def")))
    for number, name in re.findall(r"MuCommInst\)0x(\w+)\) /// MUAPIPARSER muname:@([\w.]+)", header):
        if commons.pop(name, None) != number:
            errors.append(f"@{name} is not number {number} in common_insts.def")
    errors += [f"the header has no number for @{name}" for name in commons]
    for names, pointer in ((machine, "mvm"), (context, "ctx"), (builder, "b")):
        errors += [f"no client calls {pointer}->{name}" for name in names if name not in called[pointer]]
    print(f"{len(machine)} + {len(context)} + {len(builder)} slots")
    for error in errors:
        print(error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
