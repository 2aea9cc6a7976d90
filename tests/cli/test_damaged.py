"""gaur check on damaged files: golden/damaged/NAME.uir gives exactly NAME.txt.

After a wanted change of a message, with the command's path:
  GAUR=build/release/bin/gaur GAUR_SOURCE=. python3 tests/cli/test_damaged.py --rewrite
and look at the difference.
"""
import os
import re
import subprocess
import sys
import unittest

from command import BAD_SOURCE, GAUR, SOURCE

FOLDER = os.path.join(SOURCE, "tests", "golden", "damaged")


def names():
    return sorted(name[: -len(".uir")] for name in os.listdir(FOLDER) if name.endswith(".uir"))


def check(name):
    """In the files' folder, so that the messages do not tell where the repository is."""
    return subprocess.run([os.path.abspath(GAUR), "check", name + ".uir"], cwd=FOLDER, capture_output=True)


def golden(name):
    with open(os.path.join(FOLDER, name + ".txt"), "rb") as file:
        return file.read()


class Damaged(unittest.TestCase):
    def test_twenty_files(self):
        self.assertGreaterEqual(len(names()), 20)

    def test_golden(self):
        for name in names():
            with self.subTest(name):
                process = check(name)
                self.assertEqual(process.returncode, BAD_SOURCE)
                self.assertEqual(process.stdout, b"")
                self.assertEqual(process.stderr.decode(), golden(name).decode())

    def test_every_error_has_its_place_and_caret(self):
        for name in names():
            with self.subTest(name):
                lines = golden(name).decode().split("\n")
                heads = [i for i, line in enumerate(lines) if ": error[" in line]
                self.assertTrue(heads)
                for i in heads:
                    place = re.match(rf"{name}\.uir:(\d+):(\d+): error\[[PLV]\d{{4}}\]: \S", lines[i])
                    self.assertTrue(place, lines[i])
                    self.assertTrue(lines[i + 1].startswith(f"{place[1]:>5} | "), lines[i + 1])
                    self.assertEqual(lines[i + 2].index("^"), len("      | ") - 1 + int(place[2]), lines[i])


if __name__ == "__main__":
    if "--rewrite" in sys.argv:
        for each in names():
            with open(os.path.join(FOLDER, each + ".txt"), "wb") as out:
                out.write(check(each).stderr)
    else:
        unittest.main()
