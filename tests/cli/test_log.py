"""What the built program tells beside its results: levels, the log file, and why stored embeddings are not reused."""

import json
import os
import pty
import re
import subprocess
import unittest

import torch
from torch import nn

from cli_test_case import QUICK, CliTest
from fixture import PROGRAM, load_file, neurontune, read_terminal, save_file

LINE = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] \[(trace|debug|info|warning|error)\] \S.*")
LEVELS = ["trace", "debug", "info", "warn", "error", "off"]


def levels_in(stderr):
    """The words before ": " of lines that a log writes."""
    return {line.split(":")[0] for line in stderr.splitlines()} & {"trace", "debug", "info", "warning", "error"}


class Log(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.warned = cls.folder / "warned"  # embeddings that every subcommand warns of
        cls.warned.mkdir()
        for path in cls.embeddings.iterdir():
            (cls.warned / path.name).write_bytes(path.read_bytes())
        head = load_file(cls.warned / "head.safetensors")
        save_file({name: torch.cat([tensor, tensor.new_full((1, *tensor.shape[1:]), -1.0)])
                   for name, tensor in head.items()}, cls.warned / "head.safetensors")

    def evaluate(self, *more):
        return neurontune("eval", "--embeddings", self.warned, *more)

    def commands(self):
        """Every subcommand but the demo, doing its work."""
        head, splits = self.embeddings / "head.safetensors", ["--embeddings", self.embeddings]
        return [["inspect", self.model], ["embed", "--model", self.model, "--data", self.data, "--out", self.out()],
                ["score", *splits], ["run", *splits, "--out", self.out(), *QUICK],
                ["export", self.model, "--head", head, "--out", self.out() / "m.pt"], ["eval", *splits],
                ["compare", *splits, "--methods", "erm", "--seeds", 1, "--out", self.out()],
                ["ablate", *splits, "--sweep", "identify.mask_value=0", "--out", self.out(), *QUICK]]

    def file_of(self, *arguments):
        """The lines of the log file that a command writes; each is as it should be."""
        path = self.out() / "run.log"
        neurontune(*arguments, "--log-file", path)
        lines = path.read_text().splitlines()
        for line in lines:
            self.assertRegex(line, LINE)
        return [line.split("] ", 1)[1] for line in lines]

    def test_a_level_tells_itself_and_all_above(self):
        expected = {"trace": {"trace", "debug", "info", "warning"}, "debug": {"debug", "info", "warning"},
                    "info": {"info", "warning"}, "warn": {"warning"}, "error": set(), "off": set()}
        for level in LEVELS:
            process = neurontune("run", "--embeddings", self.embeddings, "--out", self.out(), *QUICK, "--tune", "val",
                                 "--log-level", level)
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertEqual(levels_in(process.stderr), expected[level], process.stderr)
        self.assertEqual(levels_in(self.evaluate().stderr), {"warning"})

    def test_every_line_has_its_level(self):
        for arguments in self.commands():
            process = neurontune(*arguments, "--log-level", "debug")
            self.assertEqual(process.returncode, 0, process.stderr)
            for line in process.stderr.splitlines():
                self.assertRegex(line, "^(debug|info|warning): ", arguments)

    def test_results_are_the_same_at_any_level(self):
        for arguments in (["eval", "--embeddings", self.warned], ["score", "--embeddings", self.warned, "--json"]):
            outputs = {neurontune(*arguments, "--log-level", level).stdout for level in LEVELS}
            self.assertEqual(len(outputs), 1)
            self.assertEqual(neurontune(*arguments, "--log-file", self.out() / "x.log").stdout, *outputs)

    def test_quiet_is_of_stderr_alone(self):
        self.assertIn("warning: the head has 3 classes", self.evaluate().stderr)
        self.assertEqual(self.evaluate("--quiet").stderr, "")
        self.assertEqual(self.evaluate("--quiet", "--log-level", "debug").stderr, "")
        self.assertTrue(any(line.startswith("[warning] the head has 3 classes")
                            for line in self.file_of("eval", "--embeddings", self.warned, "--quiet")))
        self.assertTrue(any(line.startswith("[debug]") for line in self.file_of(
            "eval", "--embeddings", self.warned, "--quiet", "--log-level", "debug")))

    def test_a_log_file_has_what_stderr_has(self):
        path = self.out() / "run.log"
        process = self.evaluate("--log-level", "debug", "--log-file", path)
        of_file = [LINE.fullmatch(line)[1] + ": " + line.split("] ", 2)[2] for line in path.read_text().splitlines()]
        self.assertEqual(of_file, process.stderr.splitlines())

    def test_every_subcommand_has_a_log_file(self):
        for arguments in self.commands():
            self.assertEqual(len([line for line in self.file_of(*arguments, "--log-level", "debug")
                                  if f"subcommand {arguments[0]}" in line]), 2, arguments)

    def test_a_log_file_is_appended_to(self):
        path = self.out() / "run.log"
        for count in (1, 2):
            self.evaluate("--log-file", path)
            self.assertEqual(path.read_text().count("[warning] the head has 3 classes"), count)

    def test_a_log_file_may_lie_in_a_folder_that_the_run_makes(self):
        out = self.out() / "new"
        arguments = ["run", "--embeddings", self.embeddings, "--out", out, *QUICK, "--log-file", out / "run.log", "--log-level",
                     "debug"]
        for _ in range(2):
            process = neurontune(*arguments)
            self.assertEqual(process.returncode, 0, process.stderr)
        self.assertTrue((out / "result.json").exists())
        self.assertIn("[debug] step tune: ", (out / "run.log").read_text())

    def test_errors_and_findings_are_in_the_file(self):
        self.assertIn("[error] nowhere: is no folder of embeddings", "\n".join(self.file_of(
            "eval", "--embeddings", "nowhere")))
        lines = self.file_of("eval", "--embeddings", self.embeddings, "--require", "mean_accuracy>=2", "--require",
                             "worst_group_accuracy>=2")
        self.assertEqual([line.startswith("[error] test: ") for line in lines], [True] * 3, lines)
        for usage in (["--nonsense"], ["--threads", "x"], ["--embeddings", "a", "b"]):
            self.assertEqual(len(self.file_of("eval", "--embeddings", self.embeddings, *usage)), 1, usage)

    def test_off_leaves_the_last_line(self):
        arguments = ["eval", "--embeddings", self.warned, "--require", "mean_accuracy>=2", "--require", "balanced_accuracy>=2"]
        process = neurontune(*arguments, "--log-level", "off")
        self.assertEqual(process.returncode, 3)
        self.assertRegex(process.stderr, r"\Aerror: test: 2 findings[^\n]*\n\Z")
        self.assertEqual(len(neurontune(*arguments, "--log-level", "error").stderr.splitlines()), 3)
        self.assertEqual(self.file_of(*arguments, "--log-level", "off"), [])
        self.assert_fails(2, "unknown argument --nonsense", "eval", "--nonsense", "--log-level", "off")

    def test_an_unknown_level_is_wrong_usage(self):
        self.assert_fails(2, "--log-level is loud, expected one of trace, debug, info, warn, error, off", "eval",
                          "--embeddings", self.embeddings, "--log-level", "loud")

    def test_a_log_file_that_cannot_be_written_is_wrong_usage(self):
        for path, part in [(self.folder, "a folder; expected a file"), ("/proc/no.log", "which cannot be written: No such"),
                           (self.model / "x.log", "which cannot be written: "), ("", "which cannot be written: ")]:
            with self.subTest(path=path):
                self.assert_fails(2, f"--log-file is {path}", "eval", "--embeddings", self.embeddings, "--log-file", path)
                self.assert_fails(2, part, "eval", "--embeddings", self.embeddings, "--log-file", path)

    def test_no_file_but_a_log_is_written_to(self):
        for path in (self.model, self.data / "metadata.csv", self.embeddings / "train.safetensors"):
            before = path.read_bytes()
            self.assert_fails(2, f"--log-file is {path}, which is no log", "eval", "--model", self.model, "--data", self.data,
                              "--log-file", path)
            self.assertEqual(path.read_bytes(), before)

    def test_a_full_disk_costs_the_log_alone(self):
        process = self.evaluate("--log-file", "/dev/full")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(process.stderr.count("warning: /dev/full cannot be written: No space left on device\n"), 1)
        self.assertEqual(process.stdout, self.evaluate().stdout)

    def test_names_of_any_bytes_stay_on_their_line(self):
        lines = self.file_of("eval", "--embeddings", os.fsdecode(b"two\nlines\xff"))
        self.assertEqual(len(lines), 1)
        self.assertIn(r"two lines\xFF: is no folder", lines[0])

    def test_debug_tells_files_settings_device_and_times(self):
        stderr = neurontune("run", "--model", self.model, "--data", self.data, "--out", self.out(), *QUICK, "--threads", 1,
                            "--device", "cpu", "--log-level", "debug").stderr
        settings = json.loads(re.search(r"^debug: settings as resolved: (.*)$", stderr, re.MULTILINE)[1])
        self.assertEqual((settings["tune"]["epochs"], settings["tune"]["learning_rate"]), (4, 0.05))
        for part in [f"debug: model: {self.model}, {self.model.stat().st_size} bytes",
                     "info: model: split at classifier, 8 → 2, the last linear layer before the output",
                     f"metadata.csv, {(self.data / 'metadata.csv').stat().st_size} bytes, format metadata",
                     "debug: data: split train, 400 samples", "debug: device cpu (asked for: cpu), 1 thread, ",
                     "debug: step extract: ", "debug: step tune: ", "result.json"]:
            self.assertIn(part, stderr)
        self.assertIn("split at classifier, 8 → 2, as asked for", neurontune(
            "inspect", self.model, "--head", "classifier", "--log-level", "info").stderr)
        self.assertIn(f"{self.embeddings / 'val.safetensors'}, ", neurontune(
            "score", "--embeddings", self.embeddings, "--log-level", "debug").stderr)

    def test_debug_tells_why_a_split_is_not_reused(self):
        out, data = self.out(), self.copy(self.data)

        def told(*more):
            process = neurontune("embed", "--model", self.model, "--data", data, "--out", out, "--log-level", "debug", *more)
            self.assertEqual(process.returncode, 0, process.stderr)
            return [line.split(": ", 2)[2] for line in process.stderr.splitlines() if ": split train: " in line]

        self.assertTrue(told()[0].endswith(f"{out}: the folder does not hold it yet"))
        self.assertEqual(told()[0], f"reused from {out}")
        self.assertTrue(told("--extract-batch", 32)[0].endswith("batch size was 64, now 32"))
        self.assertTrue(told("--extract-batch", 32, "--embedding-dtype", "float16")[0].endswith(
            "dtype was Float, now Half"))
        self.assertTrue(told()[0].endswith("batch size was 32, now 64, dtype was Half, now Float"))
        os.utime(data / "images" / "train_000.png", (1, 1))
        self.assertTrue(told()[0].endswith("data or transform has changed"))
        self.assertTrue(told("--mean", 0.25)[0].endswith("data or transform has changed"))
        with open(out / "train.safetensors", "r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"\1")
        self.assertRegex(told("--mean", 0.25)[0], "not reused from .*train.safetensors")
        cache = json.loads((out / "cache.json").read_text())
        cache["train"] = {"key": "of before"}  # as written before it told what splits are made from
        (out / "cache.json").write_text(json.dumps(cache))
        self.assertTrue(told("--mean", 0.25)[0].endswith("it was made from something else"))

    def test_warnings_of_libtorch_are_debug_lines(self):
        class Warning(nn.Module):
            def __init__(self, network):
                super().__init__()
                self.network = network

            def forward(self, x):
                return self.network(x + 0 * x.T.sum())  # .T of other than two dimensions is warned of

        path = self.out() / "warning.pt"
        torch.jit.script(Warning(self.network)).save(str(path))
        arguments = ["inspect", path, "--input-shape", "2,1,8,8"]
        self.assertEqual(neurontune(*arguments).stderr, "")
        self.assertIn("debug: LibTorch warns: The use of `x.T`", neurontune(*arguments, "--log-level", "debug").stderr)

    def test_a_line_wipes_the_progress_bar(self):
        primary, terminal = pty.openpty()
        arguments = ["run", "--model", self.model, "--data", self.data, "--out", self.out(), *QUICK, "--log-level", "info"]
        process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=terminal)
        os.close(terminal)
        shown = read_terminal(primary)
        self.assertEqual(process.wait(), 0)
        self.assertIn(b"extract train", shown)
        for start in re.finditer(rb"info: ", shown):
            before = shown[:start.start()]
            self.assertTrue(before == b"" or before.endswith((b"\n", b"\r\x1b[K")), before[-60:])


if __name__ == "__main__":
    unittest.main()
