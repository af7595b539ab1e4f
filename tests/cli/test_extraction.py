"""The built program's extraction: killed at any moment, unreadable images, other dtypes, changed inputs."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import time

import torch

from cli_test_case import QUICK, CliTest
from fixture import PROGRAM, SIZES, Network, json_of, load_file, succeed


class Extraction(CliTest):
    def embed(self, out, *more, data=None):
        return ["embed", "--model", self.model, "--data", data or self.data, "--out", out, *more]

    def bytes_of(self, folder):
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != ".neurontune.lock"}

    def kill_in_the_middle(self, arguments, journal, after):
        """Ends the program by SIGKILL once its journal tells of `after` rows; how many it told of last."""
        process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.DEVNULL)
        rows = 0
        while process.poll() is None:
            if journal.exists():
                rows = json.loads(journal.read_text())["rows"]
                if rows >= after:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    return json.loads(journal.read_text())["rows"]
            time.sleep(0.0005)
        self.fail("it ended before it could be killed")

    def test_killed_at_any_moment_it_goes_on_to_the_same_bytes(self):
        whole = self.out()
        succeed(*self.embed(whole, "--extract-batch", 2))
        for after in (8, 120, 300):
            with self.subTest(after=after):
                out = self.out()
                journal = out / ".train.journal.json"
                rows = self.kill_in_the_middle(self.embed(out, "--extract-batch", 2), journal, after)
                self.assertFalse((out / "train.safetensors").exists(), "nothing half-written")
                partial = out / ".train.safetensors.partial"
                inode = partial.stat().st_ino
                self.assertGreaterEqual(rows, after)
                succeed(*self.embed(out, "--extract-batch", 2))
                self.assertEqual((out / "train.safetensors").stat().st_ino, inode, "gone on with, not begun anew")
                self.assertEqual(self.bytes_of(out), self.bytes_of(whole))

    def test_what_a_killed_process_left_goes_and_what_a_living_one_writes_stays(self):
        out = self.out()
        ended = subprocess.Popen(["true"])
        ended.wait()
        host = socket.gethostname()
        left, written = (out / f".cache.json.partial-{host}-{process}" for process in (ended.pid, os.getpid()))
        left.write_text("")
        written.write_text("")
        succeed(*self.embed(out))
        self.assertFalse(left.exists())
        self.assertTrue(written.exists())

    def test_rows_of_another_model_are_not_gone_on_with(self):
        out, whole = self.out(), self.out()
        self.kill_in_the_middle(self.embed(out, "--extract-batch", 2), out / ".train.journal.json", 100)
        network = torch.jit.load(str(self.model))
        with torch.no_grad():
            network.embed.weight.mul_(2)
        other = self.out() / "other.pt"
        network.save(str(other))
        for folder in (out, whole):
            succeed("embed", "--model", other, "--data", self.data, "--out", folder)
        self.assertEqual(self.bytes_of(out), self.bytes_of(whole))

    def test_a_journal_that_the_rows_do_not_bear_out_is_not_believed(self):
        whole = self.out()
        succeed(*self.embed(whole, "--extract-batch", 2))

        def other_rows(folder):
            with open(folder / ".train.safetensors.partial", "r+b") as file:
                file.seek(-self.embeddings_bytes(), os.SEEK_END)
                file.write(b"\1")

        changes = {
            "cut": lambda folder: os.truncate(folder / ".train.safetensors.partial", 4000),
            "emptied": lambda folder: os.truncate(folder / ".train.safetensors.partial", 0),
            "gone": lambda folder: (folder / ".train.safetensors.partial").unlink(),
            "other rows": other_rows,
            "more rows": lambda folder: self.edit(folder, rows=400),
            "rows that are none": lambda folder: self.edit(folder, rows=10**9),
            "no rows": lambda folder: self.edit(folder, rows=-5),
            "not a number": lambda folder: self.edit(folder, rows="7"),
            "a skipped row that is none": lambda folder: self.edit(folder, skipped=[{"row": -5, "reason": ""}]),
            "not a list": lambda folder: self.edit(folder, skipped=7),
            "not an object": lambda folder: (folder / ".train.journal.json").write_text("7"),
            "no JSON": lambda folder: (folder / ".train.journal.json").write_text("{"),
        }
        for name, change in changes.items():
            with self.subTest(name):
                out = self.out()
                self.kill_in_the_middle(self.embed(out, "--extract-batch", 2), out / ".train.journal.json", 100)
                change(out)
                succeed(*self.embed(out, "--extract-batch", 2))
                self.assertEqual(self.bytes_of(out), self.bytes_of(whole))

    def embeddings_bytes(self):
        return SIZES["train"] * 8 * 4

    def edit(self, folder, **changes):
        journal = folder / ".train.journal.json"
        journal.write_text(json.dumps(json.loads(journal.read_text()) | changes))

    def test_unreadable_images_are_skipped_on_demand_and_listed(self):
        data = self.copy(self.data)
        whole = (data / "images/train_007.png").read_bytes()
        (data / "images/train_007.png").write_bytes(whole[:40])
        (data / "images/train_008.png").write_bytes(b"GIF89a")
        (data / "images/val_003.png").unlink()
        self.assert_fails(1, "val_003.png", *self.embed(self.out(), data=data))
        out = self.out()
        summary = json_of(*self.embed(out, "--skip-bad", data=data))
        self.assertEqual(summary["train"]["samples"], SIZES["train"] - 2)
        skipped = summary["train"]["skipped"]
        self.assertEqual([part["sample"] for part in skipped], ["images/train_007.png", "images/train_008.png"])
        self.assertIn("is a GIF that is corrupt or ends early", skipped[1]["reason"])
        tensors, all_tensors = load_file(out / "train.safetensors"), load_file(self.embeddings / "train.safetensors")
        kept = [row for row in range(SIZES["train"]) if row not in (7, 8)]
        self.assertTrue(torch.allclose(tensors["embeddings"], all_tensors["embeddings"][kept], atol=1e-5))
        self.assertTrue(torch.equal(tensors["labels"], all_tensors["labels"][kept]))
        self.assertEqual(len((out / "train.ids.txt").read_text().splitlines()), len(kept))
        self.assertEqual(sorted(path.name for path in out.iterdir() if path.name.startswith(".")),
                         [".neurontune.json", ".neurontune.lock"])
        again = json_of(*self.embed(out, "--skip-bad", data=data))
        self.assertTrue(again["train"]["reused"])
        self.assertEqual(again["train"]["skipped"], skipped)
        result = json_of("run", "--model", self.model, "--data", data, "--out", self.out(), "--skip-bad", *QUICK)
        self.assertEqual([(part["split"], part["sample"]) for part in result["skipped"]],
                         [("train", part["sample"]) for part in skipped] + [("val", "images/val_003.png")])

    def test_embeddings_in_half_precision(self):
        full = load_file(self.embeddings / "val.safetensors")["embeddings"]
        for name, dtype in (("float16", torch.float16), ("bfloat16", torch.bfloat16), ("float32", torch.float32)):
            out = self.out()
            succeed(*self.embed(out, "--embedding-dtype", name))
            stored = load_file(out / "val.safetensors")["embeddings"]
            self.assertEqual(stored.dtype, dtype)
            self.assertTrue(torch.allclose(stored.float(), full, rtol=1e-2, atol=1e-2))
            succeed("run", "--embeddings", out, "--out", self.out(), *QUICK)
        self.assert_fails(2, "expected one of model, float32, float16, bfloat16",
                          *self.embed(self.out(), "--embedding-dtype", "int8"))

    def test_what_it_is_made_from_decides_whether_it_is_used_again(self):
        out, data = self.out(), self.copy(self.data)
        reused = lambda *more: json_of(*self.embed(out, *more, data=data))["train"]["reused"]
        self.assertFalse(reused())
        self.assertTrue(reused())
        self.assertFalse(reused("--embedding-dtype", "float16"))
        self.assertFalse(reused())
        self.assertFalse(reused("--mean", "0.4"))
        os.utime(data / "images/train_003.png", (0, 0))
        self.assertFalse(reused("--mean", "0.4"))

    def test_two_processes_do_not_write_the_same_folder(self):
        out = self.out()
        with open(out / ".train.safetensors.partial", "wb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            self.assert_fails(1, "is being written by another process", *self.embed(out))
        succeed(*self.embed(out))

    def test_mixed_precision_rounds_the_features_and_nothing_else(self):
        full = load_file(self.embeddings / "val.safetensors")
        out = self.out()
        succeed(*self.embed(out))
        summary = json_of(*self.embed(out, "--amp"))
        self.assertFalse(summary["val"]["reused"], "other embeddings")
        mixed = load_file(out / "val.safetensors")
        self.assertEqual(mixed["embeddings"].dtype, torch.float32)
        self.assertTrue(torch.equal(mixed["labels"], full["labels"]))
        difference = (mixed["embeddings"] - full["embeddings"]).abs().max() / full["embeddings"].abs().max()
        self.assertGreater(difference, 1e-4)
        self.assertLess(difference, 1e-2)
        self.assertTrue(json_of(*self.embed(out, "--amp"))["val"]["reused"])

    def test_mixed_precision_that_changes_the_features_is_refused(self):
        class Cancelling(Network):
            def __init__(self, size: float):
                super().__init__()
                self.size = size

            def forward(self, x):
                return self.classifier(((self.embed(x.flatten(1)) + 1000.0) - 1000.0) * self.size)

        for size in (1.0, 1e5):  # the second is too much for float16
            with self.subTest(size=size):
                torch.manual_seed(0)
                model = self.out() / "cancelling.pt"
                torch.jit.script(Cancelling(size).eval()).save(str(model))
                on_images = ["--model", model, "--data", self.data]
                for command in (["embed", *on_images, "--out", self.out()], ["eval", *on_images]):
                    succeed(*command)
                    self.assert_fails(1, "mixed precision changes the features by", *command, "--amp")
