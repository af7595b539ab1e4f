"""The scripts of bench/ that measure speed and memory, at small sizes: that they run and say what they should."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BENCH = pathlib.Path(__file__).parents[2] / "bench"
PROGRAM = pathlib.Path(os.environ["NEURONTUNE_PROGRAM"])
BUILT = PROGRAM.parent / "bench"


def bench(script, *arguments):
    command = [sys.executable, "-B", BENCH / script, *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def full_size(*arguments):
    return bench("full_size.py", PROGRAM, "--tune", 3000, "--identify", 900, "--dimensions", 48, "--epochs", 2,
                 "--rounds", 1, "--threads", 1, *arguments)


class FullSize(unittest.TestCase):
    def test_default_recipe(self):
        self.assertRegex(full_size(), r"3000 and 900 x 48, 2 classes, recipe robust, 2 epochs, .* ratio \d+\.\d\d")

    def test_paper_recipe_masks_some_dimensions(self):
        self.assertRegex(full_size("--recipe", "paper"), r"recipe paper, 2 epochs, \d\d?% of the dimensions kept")

    def test_keeping_all_masks_none(self):
        self.assertRegex(full_size("--recipe", "paper", "--keep-all"), "100% of the dimensions kept")


class OtherScripts(unittest.TestCase):
    def test_memory(self):
        self.assertRegex(bench("large_set.py", PROGRAM, "--tune", 3000, "--identify", 900, "--dimensions", 48),
                         r"3000 and 900 x 48 float16, recipe robust: .* MiB without \(allowed \d+\)")

    def test_growth(self):
        with tempfile.TemporaryDirectory() as folder:
            plot = pathlib.Path(folder) / "growth.svg"
            said = bench("growth.py", BUILT / "parts", "--out", plot, "--repetitions", 1, "--small")
            self.assertEqual([line.split(":")[0] for line in said.splitlines()], ["samples", "dimensions", "classes"])
            self.assertIn("<svg", plot.read_text())

    def test_extraction(self):
        said = bench("extraction.py", PROGRAM, "--images", 4, "--rounds", 1, "--decoded")
        self.assertRegex(said, r"ratio to the faster peer \d+\.\d\d; embeddings differ by \d\.\de-0[4-9]")

    def test_decoding(self):
        self.assertRegex(bench("decoding.py", BUILT / "decode_images", "--images", 4, "--rounds", 1), r"ratio \d+\.\d\d")


if __name__ == "__main__":
    unittest.main()
