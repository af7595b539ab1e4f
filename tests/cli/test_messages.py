"""What the built program says, and where: streams that cannot be written, models that print or raise, settings
that no machine has room for, lists that are long."""

import json
import os
import signal
import subprocess
import unittest

import torch
from torch import nn

from cli_test_case import QUICK, CliTest
from fixture import PROGRAM, json_of, load_file, neurontune, save_file


def shell(command, *arguments):
    """Runs PROGRAM with the arguments as "$0" "$@" of a shell command."""
    return subprocess.run(["bash", "-c", command, PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                          timeout=120)


class Streams(CliTest):
    def commands(self):
        head = self.embeddings / "head.safetensors"
        return [["--help"], ["--version"], ["run", "--help"], ["inspect", self.model],
                ["inspect", self.model, "--json"], ["score", "--embeddings", self.embeddings, "--json"],
                ["eval", "--embeddings", self.embeddings], ["eval", "--embeddings", self.embeddings, "--json"],
                ["eval", "--embeddings", self.embeddings, "--head", head],
                ["run", "--embeddings", self.embeddings, "--out", self.out(), "--json", *QUICK]]

    def test_results_that_cannot_be_written_are_a_failure(self):
        for redirection, reason in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
            for arguments in self.commands():
                with self.subTest(redirection=redirection, arguments=arguments):
                    process = shell(f'"$0" "$@" {redirection}', *arguments)
                    self.assertEqual(process.returncode, 1, process.stderr)
                    self.assertEqual(process.stderr.splitlines()[-1], f"error: stdout cannot be written: {reason}")

    def test_a_reader_that_goes_away_is_no_failure_to_tell(self):
        for ignored in (False, True):  # whether the parent ignores SIGPIPE, as some do
            process = subprocess.Popen([PROGRAM, "score", "--quiet", "--embeddings", self.embeddings], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, restore_signals=not ignored)
            process.stdout.close()
            with process.stderr:
                errors = process.stderr.read()
            self.assertEqual((process.wait(), errors), (-signal.SIGPIPE, b""))

    def test_without_standard_streams_files_are_whole(self):
        closed, usual = self.out(), self.out()
        export = ["export", self.model, "--head", self.embeddings / "head.safetensors", "--out"]
        process = shell('"$0" "$@" <&- >&- 2>&-', *export, closed / "model.pt")
        self.assertEqual(process.returncode, 0)  # it prints nothing
        self.assertEqual(neurontune(*export, usual / "model.pt").returncode, 0)
        self.assertEqual((closed / "model.pt").read_bytes(), (usual / "model.pt").read_bytes())
        process = shell('"$0" "$@" <&- >&- 2>&-', "run", "--embeddings", self.embeddings, "--out", closed, *QUICK)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(neurontune("run", "--embeddings", self.embeddings, "--out", usual, *QUICK).returncode, 0)
        for name in ("head.safetensors", "config.json", "trajectory.jsonl"):
            self.assertEqual((closed / name).read_bytes(), (usual / name).read_bytes(), name)

    def test_what_a_model_prints_goes_to_stderr(self):
        class Talking(nn.Module):
            def __init__(self, network):
                super().__init__()
                self.network = network

            def forward(self, x):
                print("seen", x.size(0))
                return self.network(x)

        path = self.out() / "talking.pt"
        torch.jit.script(Talking(self.network)).save(str(path))
        for command in (["inspect", path, "--input-shape", "2,1,8,8"], ["eval", "--model", path, "--data", self.data],
                        ["run", "--model", path, "--data", self.data, "--out", self.out(), *QUICK]):
            process = neurontune(*command, "--json")
            self.assertEqual(process.returncode, 0, process.stderr)
            json.loads(process.stdout)
            self.assertRegex(process.stderr, r"seen \d+\n")


class Messages(CliTest):
    def run_arguments(self, *more):
        return ["run", "--embeddings", self.embeddings, "--out", self.out() / "new", *QUICK, *more]

    def config(self, text):
        path = self.out() / "config.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def test_what_a_model_raises_is_the_message(self):
        class Picky(nn.Module):
            def __init__(self, network):
                super().__init__()
                self.network = network

            def forward(self, x):
                if x.size(0) > 1:
                    raise ValueError("\nimages must come\n\n  one by one")
                return self.network(x)

        path = self.out() / "picky.pt"
        torch.jit.script(Picky(self.network)).save(str(path))
        self.assert_fails(1, "picky.pt: ValueError: images must come one by one", "eval", "--model", path, "--data",
                          self.data)

    def test_more_threads_than_the_machine_bears_are_refused(self):
        for threads in (4 * os.cpu_count() + 1, 20000, 40000, 2**62):
            self.assert_fails(2, f"threads is {threads}, expected 0 to", *self.run_arguments("--threads", threads))
            config = self.config(json.dumps({"threads": threads}))
            self.assert_fails(2, f"threads is {threads}, expected 0 to", *self.run_arguments("--config", config))
        self.assertEqual(neurontune(*self.run_arguments("--threads", 2)).returncode, 0)

    def test_numbers_without_room_are_refused(self):
        for key, value, part in [("shortcut.rounds", 10**9, "rounds is 1000000000, expected 1 to 1000"),
                                 ("shortcut.folds", 10**9, "folds is 1000000000, expected 2 to 100"),
                                 ("tune.epochs", 10**12, "epochs is 1000000000000, expected 1 to 100000"),
                                 ("tune.batch_size", 10**12, "batch_size is 1000000000000, expected 1 to"),
                                 ("tune.batches_per_epoch", 10**12, "batches_per_epoch is 1000000000000, expected 1"),
                                 ("tune.batches_per_epoch", 10**6, "batches_per_epoch times batch_size is 128000000"),
                                 ("data.batch_size", 2**63 - 1, "data.batch_size is 9223372036854775807, expected 1 to"),
                                 ("tune.epochs", 2**63, "tune.epochs is 9223372036854775808, expected a whole number"),
                                 ("seed", -1, "seed is -1, expected a whole number"),
                                 ("tune.epochs", 1e30, "tune.epochs is 1e+30, expected a whole number")]:
            parts = key.split(".")
            config = self.config(json.dumps({parts[0]: {parts[1]: value} if len(parts) > 1 else value}))
            self.assert_fails(2, part, "run", "--embeddings", self.embeddings, "--out", self.out(), "--config", config)
        self.assert_fails(2, "points, expected at most", "ablate", "--embeddings", self.embeddings, "--out", self.out(),
                          *[word for key in ("threshold", "mask_value", "keep_at_least", "false_discovery_rate", "x")
                            for word in ("--sweep", f"identify.{key}=" + ",".join(map(str, range(1, 20))))])
        self.assert_fails(2, "expected at most 2147483648 numbers", "inspect", self.model, "--input-shape",
                          "2000000,2000000")

    def test_a_large_number_is_written_as_it_is(self):
        out = self.out()
        process = neurontune("run", "--embeddings", self.embeddings, "--out", out, *QUICK, "--evidence-threshold", "1e30")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(json.loads((out / "config.json").read_text())["shortcut"]["evidence_threshold"], 1e30)

    def test_messages_are_ones_own(self):
        for text, part in [("{\n  \"tune\": {,}}", "is not JSON: parse error at line 2, column 12"),
                           ('{"tune": {"learning_rate": 1e999}}', "is not JSON: number overflow"),
                           (b'{"device": "\xff"}', "is not JSON: parse error at line 1"),
                           ('{"tune":' * 5000 + "1" + "}" * 5000, "over 100 deep"),
                           ('{"tune": {"tune": {"epochs": 3}}}', "unknown key tune.tune"),
                           ('{"tune": {"epochs": null}}', "tune.epochs is null, expected a whole number"),
                           ("[1]", "is not a JSON object")]:
            process = neurontune(*self.run_arguments("--config", self.config(text)))
            self.assertEqual(process.returncode, 2, process.stderr)
            self.assertIn(part, process.stderr)
            self.assertNotIn("exception", process.stderr)
        self.assert_fails(2, "--seeds is abc, expected a number", "compare", "--embeddings", self.embeddings, "--out",
                          self.out(), "--seeds", "abc")
        bad = os.fsdecode(b"wrong\xff")
        self.assert_fails(1, r"wrong\xFF: is no folder of embeddings", "run", "--embeddings", bad, "--out", self.out())
        self.assert_fails(2, "expected a number", *self.run_arguments("--mask-value", "nan"))
        self.assert_fails(1, "File name too long", "run", "--embeddings", self.embeddings, *QUICK, "--out", "x" * 300)

    def test_a_head_with_more_classes_than_labels_is_warned_of(self):
        embeddings = self.copy(self.embeddings)
        head = load_file(embeddings / "head.safetensors")
        more = {name: torch.cat([tensor, tensor.new_full((38, *tensor.shape[1:]), -1.0)])
                for name, tensor in head.items()}
        save_file(more, embeddings / "head.safetensors")
        warning = "the head has 40 classes, but the data has only labels 0 to 1"
        scored = json_of("score", "--embeddings", embeddings)
        self.assertIn(warning, "\n".join(scored["warnings"]))
        self.assertIn(warning, neurontune("eval", "--embeddings", embeddings).stderr)
        for embedded in (self.embeddings, embeddings):
            process = neurontune("compare", "--embeddings", embedded, "--methods", "erm", "--seeds", 1, "--json", "--out",
                                 self.out())
            self.assertEqual(warning in process.stdout, embedded == embeddings)

    def test_a_list_in_a_warning_ends_after_ten(self):
        embeddings = self.copy(self.embeddings)
        head = load_file(embeddings / "head.safetensors")
        save_file({name: torch.cat([tensor, tensor.new_full((998, *tensor.shape[1:]), -1.0)])
                   for name, tensor in head.items()}, embeddings / "head.safetensors")
        warnings = json_of("score", "--embeddings", embeddings)["warnings"]
        absent = [warning for warning in warnings if "has no sample of" in warning]
        self.assertEqual(len(absent), 1)
        self.assertTrue(absent[0].startswith("classes 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 988 more cannot show"), absent)
        self.assertLess(max(map(len, warnings)), 400)


if __name__ == "__main__":
    unittest.main()
