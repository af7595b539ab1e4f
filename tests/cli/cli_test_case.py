"""What every test of the built program starts from."""

import pathlib
import shutil
import tempfile
import unittest

from fixture import SIZES, load_file, make_all, neurontune, save_file

QUICK = ["--epochs", 4, "--batches-per-epoch", 30, "--keep-at-least", 4, "--lr", 0.05]


class CliTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.network, cls.tensors = make_all(cls.folder)
        cls.model, cls.data, cls.embeddings = (cls.folder / name for name in ("erm.pt", "data", "embeddings"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def out(self):
        folder = tempfile.mkdtemp(dir=self.folder)
        return pathlib.Path(folder)

    def copy(self, source):
        target = self.out() / source.name
        shutil.copytree(source, target)
        return target

    def without_attributes(self):
        """A copy of the embeddings whose samples have none."""
        embeddings = self.copy(self.embeddings)
        for split in SIZES:
            tensors = load_file(embeddings / f"{split}.safetensors")
            del tensors["attributes"]
            save_file(tensors, embeddings / f"{split}.safetensors")
        return embeddings

    def assert_fails(self, code, part, *arguments):
        """One closing line `error: …` that contains `part`, the exit code, nothing on stdout."""
        process = neurontune(*arguments)
        last = process.stderr.strip().splitlines()[-1]
        self.assertTrue(last.startswith("error: "), process.stderr)
        self.assertIn(part, last)
        self.assertNotIn("Exception raised from", process.stderr)
        self.assertEqual(process.returncode, code, last)
        self.assertEqual(process.stdout, "")
