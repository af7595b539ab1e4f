"""The built program ended at every call that changes a file: the next run gives the same bytes."""

import json
import os
import pathlib
import subprocess

import numpy as np
import torch

from cli_test_case import QUICK, CliTest
from fixture import PROGRAM, Network, json_of, save_file, succeed, without_clock

KILLER = os.environ["NEURONTUNE_KILLER"]
HIDDEN_FOR_GOOD = {".neurontune.json", ".neurontune.lock"}


class Kills(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.few = cls.folder / "few"
        cls.few.mkdir()
        generator = torch.Generator().manual_seed(0)
        for split in ("train", "val"):
            save_file({"inputs": torch.rand(40, 1, 8, 8, generator=generator),
                       "labels": torch.arange(40) % 2}, cls.few / f"{split}.safetensors")

    def run_until(self, arguments, under, at):
        """Runs the program, ended at its `at`-th change under a folder; how many changes there were."""
        count = self.folder / "count"
        environment = os.environ | {"LD_PRELOAD": KILLER, "NEURONTUNE_KILL_UNDER": str(under),
                                    "NEURONTUNE_KILL_AT": str(at), "NEURONTUNE_KILL_COUNT": str(count),
                                    "OMP_NUM_THREADS": "1"}
        process = subprocess.run([PROGRAM, *map(str, arguments)], env=environment, capture_output=True, text=True)
        self.assertIn(process.returncode, (0, -9), process.stderr)
        return None if process.returncode else int(count.read_text())

    def files(self, folder):
        """Every file's bytes but what has a clock in it; none is hidden but the program's mark."""
        found = {}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_dir() or path.name in HIDDEN_FOR_GOOD:
                continue
            self.assertFalse(path.name.startswith("."), f"{name} stayed")
            found[name] = path.read_bytes()
            if path.name == "report.html":
                found[name] = without_clock(path.read_text())
            if path.name == "result.json":
                found[name] = {key: value for key, value in json.loads(found[name]).items() if key != "seconds"}
            if path.name == "config.json":  # names the folder
                del found[name]
        return found

    def assert_any_kill_is_survived(self, command, step=1):
        whole = self.out()
        changes = self.run_until(command(whole), whole, 0)
        self.assertGreater(changes, 10)
        expected = self.files(whole)
        for at in range(1, changes + 1, step):
            with self.subTest(at=at, of=changes):
                out = self.out()
                self.assertIsNone(self.run_until(command(out), out, at))
                succeed(*command(out))
                self.assertEqual(self.files(out), expected)

    def test_extraction(self):
        self.assert_any_kill_is_survived(
            lambda out: ["embed", "--model", self.model, "--data", self.few, "--out", out, "--extract-batch", 4])

    def test_extraction_that_skips_samples(self):
        data = self.copy(self.data)
        (data / "images/train_007.png").write_bytes(b"no image")
        self.assert_any_kill_is_survived(
            lambda out: ["embed", "--model", self.model, "--data", data, "--out", out, "--extract-batch", 30,
                         "--skip-bad"], step=2)

    def test_run(self):
        self.assert_any_kill_is_survived(
            lambda out: ["run", "--embeddings", self.embeddings, "--out", out, *QUICK])

    def test_run_from_a_model(self):
        self.assert_any_kill_is_survived(
            lambda out: ["run", "--model", self.model, "--data", self.data, "--out", out, *QUICK], step=5)
