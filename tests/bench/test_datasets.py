"""The built bench/datasets on a few images of each family."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import numpy as np
from safetensors.numpy import load_file

PROGRAM = os.environ["NEURONTUNE_DATASETS"]
TINY = ["--train-samples", 60, "--val-samples", 40, "--test-samples", 100, "--epochs", 1, "--threads", 1]


def datasets(*arguments):
    """Runs the program; the finished process, with text output."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=120)


class Datasets(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def make(self, *arguments, out="set"):
        process = datasets(*arguments, *TINY, "--out", self.folder / out)
        self.assertEqual((process.returncode, process.stderr), (0, ""))
        return process.stdout

    def assert_fails(self, code, part, *arguments):
        """One line `error: …` that contains `part`, the exit code, nothing on stdout."""
        process = datasets(*arguments)
        self.assertEqual((process.returncode, process.stdout), (code, ""), process.stderr)
        self.assertRegex(process.stderr, r"\Aerror: .*\n\Z")
        self.assertIn(part, process.stderr)

    def test_each_family_becomes_embeddings_with_what_erm_reaches_on_them(self):
        for family, classes, shape in (("dominoes", 2, (1, 56, 28)), ("textured", 2, (3, 32, 32)),
                                       ("patch", 10, (3, 28, 28))):
            with self.subTest(family):
                out = self.make(family, "--classes", classes, "--correlation", "none", "--seed", 3, out=family)
                line = json.loads(out)
                self.assertEqual([line[key] for key in ("family", "classes", "correlation", "seed")],
                                 [family, classes, "none", 3])
                self.assertEqual(out.count("\n"), 1)
                folder = self.folder / family
                data = load_file(folder / "data/train.safetensors")
                self.assertEqual(data["inputs"].shape, (60, *shape))
                test = load_file(folder / "embeddings/test.safetensors")
                self.assertEqual(test["embeddings"].shape, (100, 256))
                self.assertTrue((folder / "embeddings/names.json").exists())
                self.assertEqual(line["erm"], self.accuracy(folder, test, classes))

    def test_unbiased_classes_have_every_attribute_equally_often(self):
        line = json.loads(self.make("textured", "--unbiased-classes", 1, "--correlation", 0.9))
        self.assertEqual(line["unbiased_classes"], 1)
        train = load_file(self.folder / "set/data/train.safetensors")
        self.assertEqual([int((train["attributes"][train["labels"] == label] == label).sum()) for label in (0, 1)],
                         [15, 27])

    def accuracy(self, folder, split, classes):
        head = load_file(folder / "embeddings/head.safetensors")
        logits = split["embeddings"] @ head["weight"].T + head["bias"]
        right = logits.argmax(1) == split["labels"]
        groups = split["labels"] * classes + split["attributes"]
        return {"mean_accuracy": right.mean(), "worst_group_accuracy": min(right[groups == g].mean() for g in set(groups))}

    def test_a_finished_folder_is_left_as_it_is(self):
        first = self.make("patch")
        times = {path: path.stat().st_mtime_ns for path in self.folder.rglob("*")}
        self.assertEqual(self.make("patch"), first)
        self.assertEqual({path: path.stat().st_mtime_ns for path in self.folder.rglob("*")}, times)

    def test_an_unfinished_folder_is_made_anew_with_the_same_numbers(self):
        first = json.loads(self.make("textured"))
        before = load_file(self.folder / "set/embeddings/val.safetensors")["embeddings"]
        (self.folder / "set/dataset.json").unlink()
        (self.folder / "set/erm.pt").write_bytes(b"cut sh")
        again = json.loads(self.make("textured"))
        self.assertEqual(again["erm"], first["erm"])
        np.testing.assert_array_equal(load_file(self.folder / "set/embeddings/val.safetensors")["embeddings"], before)

    def test_a_folder_of_other_options_is_refused(self):
        self.make("patch")
        self.assert_fails(1, 'dataset.json: seed is 0, expected 1 or another folder',
                          "patch", *TINY, "--seed", 1, "--out", self.folder / "set")

    def test_wrong_usage_exits_with_2_and_missing_originals_with_1(self):
        out = ["--out", self.folder / "refused"]
        self.assert_fails(2, "family is domino, expected dominoes, textured or patch", "domino", *out)
        self.assert_fails(2, "classes is 5, expected 2 to 4", "dominoes", "--classes", 5, *out)
        self.assert_fails(2, "correlation is half, expected 0 to 1 or none", "patch", "--correlation", "half", *out)
        self.assert_fails(2, "unbiased_classes is 3, expected 0 to 2", "patch", "--unbiased-classes", 3, *out)
        self.assert_fails(2, "train_samples is 7", "patch", "--train-samples", 7, *out)
        self.assert_fails(2, "epochs is 0", "patch", "--epochs", 0, *out)
        self.assert_fails(2, "--sed", "patch", "--sed", 1, *out)
        self.assert_fails(2, "--out", "patch")
        self.assert_fails(1, "train-images-idx3-ubyte.gz", "patch", "--fashion-mnist", self.folder, *out)
        self.assertFalse((self.folder / "refused").exists())


if __name__ == "__main__":
    unittest.main()
