"""What every test of the built program starts from."""

import pathlib
import shutil
import tempfile
import unittest

from fixture import make_all, neurontune

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

    def assert_fails(self, code, part, *arguments):
        """One closing line `error: …` that contains `part`, the exit code, nothing on stdout."""
        process = neurontune(*arguments)
        last = process.stderr.strip().splitlines()[-1]
        self.assertTrue(last.startswith("error: "), process.stderr)
        self.assertIn(part, last)
        self.assertNotIn("Exception raised from", process.stderr)
        self.assertEqual(process.returncode, code, last)
        self.assertEqual(process.stdout, "")
