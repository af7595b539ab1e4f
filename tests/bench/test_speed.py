"""bench/full_size.py at a small size: that it runs and says what it should, not how long it takes."""

import os
import pathlib
import subprocess
import sys
import unittest

BENCH = pathlib.Path(__file__).parents[2] / "bench"


def full_size(*arguments):
    command = [sys.executable, BENCH / "full_size.py", os.environ["NEURONTUNE_PROGRAM"], "--tune", "3000", "--identify",
               "900", "--dimensions", "48", "--epochs", "2", "--rounds", "1", "--threads", "1", *arguments]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


class FullSize(unittest.TestCase):
    def test_default_recipe(self):
        self.assertRegex(full_size(), r"3000 and 900 x 48, 2 classes, recipe robust, 2 epochs, .* ratio \d+\.\d\d")

    def test_paper_recipe_masks_some_dimensions(self):
        self.assertRegex(full_size("--recipe", "paper"), r"recipe paper, 2 epochs, \d\d?% of the dimensions kept")

    def test_keeping_all_masks_none(self):
        self.assertRegex(full_size("--recipe", "paper", "--keep-all"), "100% of the dimensions kept")


if __name__ == "__main__":
    unittest.main()
