"""Runs the command that is under test: GAUR is its path, GAUR_SOURCE the repository."""
import os
import re
import subprocess
import tempfile
import unittest

GAUR = os.environ["GAUR"]
SOURCE = os.environ["GAUR_SOURCE"]
DATA = os.path.join(SOURCE, "tests", "cli", "data")

OK, FAILED, USAGE, BAD_SOURCE, BAD_IMAGE, RESOURCES, GUEST_FAILURE = range(7)


def data(name):
    return os.path.join(DATA, name)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def gaur(*arguments, stdin="", environment=None, command=GAUR, limit=120):
    """The finished process, with the output as text. GAUR_* of the caller's environment does not reach it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GAUR_")}
    clean.update(environment or {})
    return subprocess.run([command, *arguments], input=stdin, env=clean, capture_output=True, text=True, timeout=limit)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gaur-cli-")
        self.addCleanup(subprocess.run, ["rm", "-rf", self.folder])

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def expect(self, status, *arguments, out=None, err=None, **more):
        """Runs the command; `out` and `err` are the whole output, or a compiled expression that occurs in it."""
        process = gaur(*arguments, **more)
        shown = f"gaur {' '.join(arguments)}\n--- stdout\n{process.stdout}--- stderr\n{process.stderr}"
        self.assertEqual(process.returncode, status, shown)
        for wanted, found in ((out, process.stdout), (err, process.stderr)):
            if isinstance(wanted, re.Pattern):
                self.assertRegex(found, wanted, shown)
            elif wanted is not None:
                self.assertEqual(found, wanted, shown)
        return process

    def expect_usage(self, *arguments, saying):
        """A usage error: status 2, nothing on standard output, a message of the command on standard error."""
        process = self.expect(USAGE, *arguments, out="")
        self.assertIn(saying, process.stderr)
        return process
