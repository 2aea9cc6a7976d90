"""Installs a build and uses it as a stranger would: only what lies in the installation, found by pkg-config and by CMake.

  python3 tests/api/check_install.py BUILD EXAMPLE CC CMAKE
"""
import os
import shutil
import subprocess
import sys
import tempfile

WANTED = ["include/mu/muapi.h", "include/mu/gaur.h", "include/mu/mu-fastimpl.h", "include/mu/refimpl2-start.h", "include/mu/gaur.hpp", "include/mu/gaur_builder.hpp", "include/mu/gaur_host.hpp", "include/mu/gaur_machine.hpp", "bin/gaur",
          "{lib}/libgaur.so", "{lib}/libgaur.so.0", "{lib}/libgaur-llvm.so", "{lib}/libmu.so", "{lib}/libmurefimpl2start.so",
          "{lib}/pkgconfig/gaur.pc", "{lib}/cmake/gaur/gaurConfig.cmake", "{lib}/cmake/gaur/gaurConfigVersion.cmake",
          "{lib}/gaur/python/gaur/__init__.py"]
FORMULA = ["3*x*x - (x + 7)/2", "10", "-4"]
ANSWER = "292\n47\n"


def run(command, **more):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=250, check=False, **more)
    if done.returncode != 0:
        sys.exit(f"{command}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def expect(program, environment):
    said = run([program] + FORMULA, env=environment)
    if said != ANSWER:
        sys.exit(f"{program} said {said!r}")


def main(build, example, compiler, cmake):
    with tempfile.TemporaryDirectory() as scratch:
        first, prefix = os.path.join(scratch, "first"), os.path.join(scratch, "moved here")
        run([cmake, "--install", build, "--prefix", first])
        # It can be moved as a whole.
        shutil.move(first, prefix)
        lib = "lib" if os.path.exists(os.path.join(prefix, "lib", "libgaur.so")) else os.path.join("lib", os.listdir(os.path.join(prefix, "lib"))[0])
        missing = [name for name in WANTED if not os.path.exists(os.path.join(prefix, name.format(lib=lib)))]
        if missing:
            sys.exit(f"not installed: {missing}")
        library = os.path.join(prefix, lib)
        environment = {**os.environ, "PKG_CONFIG_PATH": os.path.join(library, "pkgconfig"), "LD_LIBRARY_PATH": library}

        # With nothing but a compiler; pkg-config writes the blank in the path with a backslash.
        flags = run(["pkg-config", "--cflags", "--libs", "gaur"], env=environment).replace("\\ ", "\0").split()
        program = os.path.join(scratch, "formula")
        run([compiler, "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", os.path.join(example, "main.c"), "-o", program]
            + [flag.replace("\0", " ") for flag in flags])
        expect(program, environment)

        # As a CMake project, which also finds the library again when it runs.
        project = os.path.join(scratch, "project")
        run([cmake, "-S", example, "-B", project, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={compiler}"])
        run([cmake, "--build", project])
        expect(os.path.join(project, "formula"), {**os.environ, "LD_LIBRARY_PATH": ""})

        # The Python package finds the library beside it.
        package = {**os.environ, "PYTHONPATH": os.path.join(library, "gaur", "python"), "LD_LIBRARY_PATH": ""}
        package.pop("GAUR_LIBRARY", None)
        said = run([sys.executable, "-B", "-c", "import gaur; print(gaur.library()._name); gaur.VM().close()"], env=package)
        if said.strip() != os.path.realpath(os.path.join(library, "libgaur.so")):
            sys.exit(f"the package opened {said!r}")

        # A program that its command links finds the library, also after both have moved.
        alone = {**os.environ, "LD_LIBRARY_PATH": "", "CC": compiler}
        run([os.path.join(prefix, "bin", "gaur"), "build", os.path.join(os.path.dirname(example), "hello.uir"), "-o", os.path.join(prefix, "bin", "hello")], env=alone)
        for place in (prefix, os.path.join(scratch, "and here")):
            if place != prefix:
                prefix = shutil.move(prefix, place)
            said = run([os.path.join(place, "bin", "hello")], env=alone)
            if said != "Hello, world!\n":
                sys.exit(f"the program said {said!r}")

        print(run([os.path.join(prefix, "bin", "gaur"), "version"]), end="")
        print("installed, moved, found by pkg-config and CMake, and used")


if __name__ == "__main__":
    main(*sys.argv[1:])
