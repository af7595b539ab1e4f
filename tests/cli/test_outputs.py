"""What the built program writes, and what it leaves alone."""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import time

from cli_test_case import QUICK, CliTest
from fixture import PROGRAM, json_of, load_file, neurontune, save_file, succeed


class Outputs(CliTest):
    def run_into(self, out, *more):
        return ["run", "--embeddings", self.embeddings, "--out", out, *QUICK, *more]

    def on_model(self, command, out, *more, model=None, data=None):
        return [command, "--model", model or self.model, "--data", data or self.data, "--out", out, *more]

    # --- Two at once ---------------------------------------------------------------------------

    def test_the_second_of_two_runs_into_one_folder_is_refused(self):
        out = self.out()
        with open(out / ".neurontune.lock", "w") as other:
            other.write("process 7 on elsewhere")
            other.flush()
            fcntl.flock(other, fcntl.LOCK_EX)
            for command in (self.run_into(out), ["compare", "--embeddings", self.embeddings, "--out", out],
                            self.on_model("embed", out),
                            ["score", "--embeddings", self.embeddings, "--out", out]):
                self.assert_fails(1, "is being written into by process 7 on elsewhere", *command)
        succeed(*self.run_into(out))

    def test_of_many_runs_at_once_one_is_whole(self):
        out = self.out()
        running = [subprocess.Popen([PROGRAM, *map(str, self.run_into(out, "--seed", seed))],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                   for seed in range(4)]
        codes = [(process.returncode, text) for process in running for _, text in [process.communicate()]]
        self.assertTrue(any(code == 0 for code, _ in codes), codes)
        for code, text in codes:
            self.assertTrue(code == 0 or "is being written into by " in text, text)
        self.assert_belongs_together(out)

    def assert_belongs_together(self, out):
        result = json.loads((out / "result.json").read_text())
        again = self.out()
        succeed(*self.run_into(again, "--seed", result["seed"]))
        for name in result["files"]:
            self.assertEqual((out / name).read_bytes(), (again / name).read_bytes(), name)
        self.assertEqual(result["files"], json.loads((again / "result.json").read_text())["files"])

    def test_result_names_the_digests_of_its_files(self):
        out = self.out()
        files = json_of(*self.on_model("run", out, *QUICK))["files"]
        self.assertEqual(set(files), {"model.pt", "head.safetensors", "spuriousness.safetensors", "trajectory.jsonl",
                                      "transform.json"})
        for digest in files.values():
            self.assertRegex(digest, "^[0-9a-f]{32}$")
        self.assertEqual(len(set(files.values())), 5)

    # --- Files of somebody else ----------------------------------------------------------------

    def test_a_file_that_it_did_not_write_is_not_replaced(self):
        for name in ("result.json", "head.safetensors", "config.json", "trajectory.jsonl"):
            out = self.out()
            (out / name).write_text("mine")
            self.assert_fails(1, f"{name}: was not written by neurontune", *self.run_into(out))
            self.assertEqual((out / name).read_text(), "mine")
        out = self.out()
        (out / "compare.json").write_text("mine")
        self.assert_fails(1, "compare.json: was not written by neurontune",
                          "compare", "--embeddings", self.embeddings, "--out", out, "--methods", "erm")

    def test_a_file_that_was_changed_since_is_not_replaced(self):
        out = self.out()
        succeed(*self.run_into(out))
        succeed(*self.run_into(out))
        config = out / "config.json"
        config.write_text(config.read_text().replace('"seed": 0', '"seed": 1'))
        self.assert_fails(1, "config.json: has changed since neurontune wrote it", *self.run_into(out))

    def test_a_model_beside_the_results_stays(self):
        out = self.out()
        shutil.copy(self.model, out / "model.pt")
        succeed(*self.run_into(out))
        self.assertEqual((out / "model.pt").read_bytes(), self.model.read_bytes())
        self.assert_fails(1, "model.pt: was not written by neurontune", *self.on_model("run", out, *QUICK))

    def test_a_model_of_an_earlier_run_does_not_stay_beside_another_head(self):
        out = self.out()
        succeed(*self.on_model("run", out, *QUICK))
        self.assertTrue((out / "model.pt").exists())
        succeed(*self.run_into(out))
        self.assertFalse((out / "model.pt").exists())

    def test_the_input_model_is_not_overwritten(self):
        out = self.out()
        succeed(*self.on_model("run", out, *QUICK))
        before = (out / "model.pt").read_bytes()
        self.assert_fails(2, "which the repaired model would overwrite",
                          *self.on_model("run", out, *QUICK, model=out / "model.pt"))
        self.assertEqual((out / "model.pt").read_bytes(), before)
        succeed(*self.on_model("run", self.out(), *QUICK, model=out / "model.pt"))

    def test_data_and_embeddings_of_somebody_else_are_not_overwritten(self):
        tensors = self.out()
        images, labels, _ = self.tensors["val"]
        for split in ("train", "val", "test"):
            save_file({"inputs": images, "labels": labels}, tensors / f"{split}.safetensors")
        before = {path.name: path.read_bytes() for path in tensors.iterdir()}
        self.assert_fails(2, "the data's own folder", *self.on_model("embed", tensors, data=tensors))
        theirs = self.copy(self.embeddings)
        self.assert_fails(1, "was not written by neurontune", *self.on_model("embed", theirs))
        self.assertEqual((theirs / "val.safetensors").read_bytes(), (self.embeddings / "val.safetensors").read_bytes())
        parent = self.out()
        shutil.copytree(tensors, parent / "embeddings")
        self.assert_fails(2, "the data's own folder",
                          *self.on_model("run", parent, *QUICK, data=parent / "embeddings"))
        self.assertEqual({path.name: path.read_bytes() for path in (parent / "embeddings").iterdir()
                          if not path.name.startswith(".")}, before)

    def test_a_refusal_comes_before_the_model_is_read(self):
        damaged = self.out() / "damaged.pt"
        damaged.write_bytes(b"no model")
        theirs = self.copy(self.embeddings)
        self.assert_fails(1, "was not written by neurontune", *self.on_model("embed", theirs, model=damaged))
        out = self.out()
        (out / "result.json").write_text("mine")
        self.assert_fails(1, "was not written by neurontune", *self.on_model("run", out, model=damaged))

    def test_a_split_that_would_be_read_with_the_others(self):
        out = self.out()
        shutil.copy(self.embeddings / "val.safetensors", out / "extra.safetensors")
        self.assert_fails(1, "extra.safetensors: was not written by neurontune", *self.on_model("embed", out))

    def test_results_of_one_command_are_not_mixed_with_those_of_another(self):
        out, embeddings, compared = self.out(), self.out(), self.out()
        succeed(*self.run_into(out))
        succeed(*self.on_model("embed", embeddings))
        compare = ["compare", "--embeddings", self.embeddings, "--methods", "erm", "--seeds", 1]
        succeed(*compare, "--out", compared)
        swept = self.out()
        ablate = ["ablate", "--embeddings", self.embeddings, "--recipe", "paper", *QUICK, "--sweep", "tune.epochs=1"]
        succeed(*ablate, "--out", swept)
        for mark, command in (("ablate.json", self.run_into(swept)), ("ablate.json", [*compare, "--out", swept]),
                              ("result.json", [*ablate, "--out", out]), ("compare.json", [*ablate, "--out", compared]),
                              ("result.json", self.on_model("embed", out)), ("result.json", [*compare, "--out", out]),
                              ("result.json", ["score", "--embeddings", self.embeddings, "--out", out]),
                              ("cache.json", self.run_into(embeddings)),
                              ("compare.json", self.run_into(compared))):
            self.assert_fails(2, f"holds {mark} of another command", *command)

    def test_a_folder_of_the_data_takes_no_results(self):
        data = self.copy(self.data)
        for command in ("embed", "run"):
            self.assert_fails(2, "is a folder of the data", *self.on_model(command, data / "images", data=data))
            self.assert_fails(2, "is the data's own folder", *self.on_model(command, data, data=data))
        succeed(*self.on_model("embed", data / "new", data=data))

    def test_a_head_or_names_of_ones_own_among_the_embeddings_are_kept(self):
        for name in ("head.safetensors", "names.json", "val.ids.txt"):
            out = self.out()
            succeed(*self.on_model("embed", out))
            succeed(*self.on_model("embed", out))
            (out / name).write_bytes(b"mine")
            self.assert_fails(1, f"{name}: has changed since neurontune wrote it", *self.on_model("embed", out))
            self.assertEqual((out / name).read_bytes(), b"mine")

    def test_ids_that_someone_removed_are_done_without(self):
        out = self.out()
        succeed(*self.on_model("embed", out))
        (out / "val.ids.txt").unlink()
        self.assertTrue(json_of(*self.on_model("embed", out))["val"]["reused"])

    def test_a_stored_comparison_is_not_overwritten_by_the_next(self):
        out = self.out()
        compare = ["compare", "--embeddings", self.embeddings, "--out", out, "--methods", "erm", "--seeds", 1]
        succeed(*compare)
        self.assert_fails(2, "which this comparison would overwrite", *compare, "--baseline", out / "compare.json")
        succeed("compare", "--embeddings", self.embeddings, "--out", self.out(), "--methods", "erm", "--seeds", 1,
                "--baseline", out / "compare.json")

    def test_demo_leaves_a_folder_of_data_alone(self):
        out = self.out()
        (out / "data").mkdir()
        (out / "data/mine.png").write_bytes(b"mine")
        self.assert_fails(1, "data: was not written by neurontune", "demo", "--out", out)

    # --- Export ---------------------------------------------------------------------------------

    def test_export_replaces_nothing_unasked(self):
        head, out = self.embeddings / "head.safetensors", self.out() / "model.pt"
        export = ["export", self.model, "--head", head, "--out", out]
        succeed(*export)
        self.assert_fails(1, "exists; --force overwrites it", *export)
        succeed(*export, "--force")
        for source in (self.model, head):
            self.assert_fails(2, "which is read", "export", self.model, "--head", head, "--out", source, "--force")

    def test_export_leaves_links_and_devices_alone(self):
        head, folder = self.embeddings / "head.safetensors", self.out()
        (folder / "target").write_text("mine")
        (folder / "link").symlink_to(folder / "target")
        os.mkfifo(folder / "pipe")
        (folder / "folder").mkdir()
        for name, part in (("link", "is a symbolic link"), ("pipe", "is no regular file"),
                           ("folder", "is no regular file")):
            self.assert_fails(1, part, "export", self.model, "--head", head, "--out", folder / name, "--force")
        self.assertEqual((folder / "target").read_text(), "mine")
        self.assertTrue((folder / "link").is_symlink())
        self.assertTrue((folder / "pipe").is_fifo())

    # --- Outside of OUT ---------------------------------------------------------------------------

    def test_a_split_whose_name_is_a_path(self):
        data = self.copy(self.data)
        victim = data.parent / "evil.safetensors"
        victim.write_text("mine")
        for name in ("../evil", str(data.parent / "evil"), "head", "a:1", ".hidden", ""):
            process = neurontune(*self.on_model("embed", self.out(), "--format", self.format_file(name), data=data))
            self.assertIn(process.returncode, (1, 2), name)
            self.assertTrue(process.stderr.strip().splitlines()[-1].startswith("error: "), process.stderr)
        self.assertEqual(victim.read_text(), "mine")

    def format_file(self, split):
        path = self.out() / "format.json"
        path.write_text(json.dumps({
            "files": ["metadata.csv"], "sample": {"columns": ["img_filename"]}, "label": {"columns": ["y"]},
            "split": {"columns": ["split"], "values": {"train": split, "val": "val", "test": "test"}}}))
        return path

    def test_a_cache_that_names_other_files_removes_none(self):
        out = self.out()
        embeddings = out / "embeddings"
        succeed(*self.on_model("embed", embeddings))
        for name in ("victim.safetensors", "victim.ids.txt"):
            (out / name).write_text("mine")
        cache = json.loads((embeddings / "cache.json").read_text())
        cache["../victim"] = cache["train"]
        (embeddings / "cache.json").write_text(json.dumps(cache))
        succeed(*self.on_model("embed", embeddings))
        self.assertEqual((out / "victim.safetensors").read_text(), "mine")
        self.assertEqual((out / "victim.ids.txt").read_text(), "mine")

    def test_links_among_the_files_are_not_followed(self):
        for name in (".train.safetensors.partial", "train.safetensors", "train.ids.txt", "head.safetensors"):
            out = self.out()
            victim = self.out() / "victim"
            victim.write_text("mine")
            (out / name).symlink_to(victim)
            process = neurontune(*self.on_model("embed", out))
            self.assertEqual(process.returncode, 1, name)
            self.assertEqual(victim.read_text(), "mine", name)

    # --- What cannot be trusted -------------------------------------------------------------------

    def test_a_damaged_cache_is_made_anew(self):
        out = self.out()
        succeed(*self.on_model("embed", out))
        whole = (out / "cache.json").read_text()
        entry = json.loads(whole)["train"]
        for text in ("", "[]", "7", "{", json.dumps({"train": 7}), json.dumps({"train": {"key": 7}}),
                     json.dumps({"train": {**entry, "skipped": 7}}), json.dumps({"train": {**entry, "skipped": [7]}})):
            (out / "cache.json").write_text(text)
            summary = json_of(*self.on_model("embed", out))
            self.assertFalse(summary["train"]["reused"], text)
            self.assertEqual((out / "cache.json").read_text(), whole)

    def test_damaged_embeddings_are_extracted_anew_and_refused_elsewhere(self):
        out = self.out()
        succeed(*self.on_model("embed", out))
        path = out / "train.safetensors"
        whole = path.read_bytes()
        for at in (-1, len(whole) // 2):
            damaged = bytearray(whole)
            damaged[at] ^= 1
            path.write_bytes(damaged)
            self.assert_fails(1, "train.safetensors: is damaged", "run", "--embeddings", out, "--out", self.out())
            self.assertFalse(json_of(*self.on_model("embed", out))["train"]["reused"])
            self.assertEqual(path.read_bytes(), whole)
            self.assertTrue(json_of(*self.on_model("embed", out))["train"]["reused"])

    def test_a_name_list_of_other_data_does_not_stay(self):
        out, data = self.out(), self.copy(self.data)
        succeed(*self.on_model("embed", out, data=data))
        self.assertTrue((out / "names.json").exists())
        (data / "names.json").unlink()
        succeed(*self.on_model("embed", out, data=data))
        self.assertFalse((out / "names.json").exists())

    # --- Files that killed processes left -------------------------------------------------------------

    def test_unfinished_files_of_another_host_or_a_living_process_stay(self):
        ended = subprocess.Popen(["true"])
        ended.wait()
        out, host = self.out(), socket.gethostname()
        left = out / f".model.pt.partial-{host}-{ended.pid}"
        living = out / f".model.pt.partial-{host}-{os.getpid()}"
        elsewhere = out / f".model.pt.partial-other{host}-{ended.pid}"
        for path in (left, living, elsewhere):
            path.write_text("")
        succeed(*self.run_into(out))
        self.assertEqual([path.exists() for path in (left, living, elsewhere)], [False, True, True])

    def test_a_folder_that_cannot_be_written_into_is_said_before_the_work(self):
        if os.geteuid() == 0:
            out = "/proc/neurontune"  # root writes everywhere else
        else:
            out = self.out()
            out.chmod(0o500)
        started = time.monotonic()
        self.assert_fails(1, str(out), *self.run_into(out, "--epochs", 100000))
        self.assertLess(time.monotonic() - started, 30)
