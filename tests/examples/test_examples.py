"""Each example, run as a user would."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from safetensors.numpy import load_file

SOURCES = Path(__file__).resolve().parents[2] / "examples"
PROGRAMS = Path(os.environ["NEURONTUNE_EXAMPLES"])


def run(name, *arguments):
    return subprocess.run([PROGRAMS / name, *arguments], text=True, capture_output=True)


class Examples(unittest.TestCase):
    def succeed(self, name, *arguments):
        done = run(name, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_every_one_is_built(self):
        self.assertEqual({source.stem for source in SOURCES.glob("*.cpp")} - {path.name for path in PROGRAMS.iterdir()},
                         set())

    def test_the_repair_after_training_raises_the_worst_group(self):
        worst = re.findall(r"worst (\S+)", self.succeed("repair_after_training"))
        self.assertGreater(float(worst[1]), float(worst[0]) + 0.1)

    def test_stopping_early_keeps_the_head(self):
        self.assertIn("the head stays as it was", self.succeed("stop_early", "0"))
        self.assertIn("The head is ", self.succeed("stop_early", "600"))

    def test_the_custom_criterion_selects_a_head_that_costs_less(self):
        text = self.succeed("custom_criterion")
        before, library, own = map(float, re.search(r"(\S+) before, (\S+) by .*, (\S+) by", text).groups())
        self.assertLess(max(library, own), before / 2)


class FromNumpy(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.embeddings = Path(folder.name) / "embeddings.npz"
        self.head = Path(folder.name) / "head.safetensors"

    def test_the_repaired_head_is_written(self):
        subprocess.run([sys.executable, SOURCES / "save_embeddings.py", self.embeddings], check=True)
        done = run("repair_numpy", self.embeddings, self.head)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("The head is ", done.stdout)
        self.assertEqual(load_file(self.head)["weight"].shape, (2, 32))

    def test_an_absent_file_is_an_error_of_one_line(self):
        done = run("repair_numpy", self.embeddings, self.head)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Aerror: .*embeddings\.npz.*\n\Z")


if __name__ == "__main__":
    unittest.main()
