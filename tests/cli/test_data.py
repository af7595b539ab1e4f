"""The built program on data as it is found: formats, and faults of manifests."""

import csv
import json
import os
import pathlib
import shutil
import subprocess
import time
import unittest

from PIL import Image

from cli_test_case import CliTest
import torch

from fixture import PROGRAM, SIZES, json_of, load_file, neurontune, save_file

LOSSLESS = {".webp": {"lossless": True}}
FACES = {"Blond_Hair": "y", "Male": "place"}


class Data(CliTest):
    def rows(self, data):
        with open(data / "metadata.csv", newline="") as file:
            return list(csv.DictReader(file))

    def write_rows(self, path, rows):
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)

    def embed(self, data, *arguments):
        return neurontune("embed", "--model", self.model, "--data", data, "--out", self.out(), *arguments)

    def as_celeba(self):
        """The data set in CelebA's two files and its folder of images."""
        data = self.copy(self.data)
        rows = self.rows(data)
        shutil.move(data / "images", data / "img_align_celeba")
        names = [row["img_filename"].removeprefix("images/") for row in rows]
        self.write_rows(data / "list_attr_celeba.csv",
                        [{"image_id": name, **{theirs: 2 * int(row[ours]) - 1 for theirs, ours in FACES.items()}}
                         for name, row in zip(names, rows)])
        self.write_rows(data / "list_eval_partition.csv",
                        [{"image_id": name, "partition": list(SIZES).index(row["split"])}
                         for name, row in zip(names, rows)])
        (data / "metadata.csv").unlink()
        return data

    def test_celeba_gives_the_embeddings_of_the_same_images(self):
        expected, out = self.out(), self.out()
        json_of("embed", "--model", self.model, "--data", self.data, "--out", expected)
        json_of("embed", "--model", self.model, "--data", self.as_celeba(), "--out", out)
        for split in SIZES:
            ours, theirs = (load_file(folder / f"{split}.safetensors") for folder in (expected, out))
            for name, tensor in ours.items():
                self.assertTrue(tensor.equal(theirs[name]), f"{split} {name}")

    def as_class_folders(self, ending):
        """The data set in folders split/class, with the images stored anew under an ending."""
        data = self.out() / "classes"
        for row in self.rows(self.data):
            folder = data / row["split"] / ["dim", "bright"][int(row["y"])]
            folder.mkdir(parents=True, exist_ok=True)
            name = pathlib.Path(row["img_filename"]).stem + ending
            Image.open(self.data / row["img_filename"]).save(folder / name, **LOSSLESS.get(ending, {}))
        shutil.copy(self.data / "transform.json", data)
        return data

    def accuracy(self, data):
        evaluation = json_of("eval", "--model", self.model, "--data", data, "--split", "val")
        return evaluation["metrics"]["mean_accuracy"]

    def test_class_folders_of_every_image_format_are_as_accurate(self):
        expected = self.accuracy(self.data)
        for ending in (".png", ".webp", ".bmp", ".gif", ".tif"):
            data = self.as_class_folders(ending)
            for split in SIZES:  # the model's class 0 is `dim`, which comes second by name
                (data / split / "bright").rename(data / split / "x_bright")
            self.assertEqual(self.accuracy(data), expected, ending)
        self.assertGreater(expected, 0.6)

    def test_what_class_folders_pass_over_is_a_warning_and_an_empty_class_an_error(self):
        data = self.as_class_folders(".png")
        (data / "test/dim/one.heic").write_text("x")
        process = neurontune("eval", "--model", self.model, "--data", data)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("1 of .heic (test/dim/one.heic)", process.stderr)
        (data / "train/azure").mkdir()
        process = neurontune("eval", "--model", self.model, "--data", data)
        self.assertEqual(process.returncode, 1)
        self.assertIn("class azure holds no image in any split", process.stderr)

    def test_an_output_folder_inside_class_folders_is_none_of_them(self):
        data = self.as_class_folders(".png")
        out = data / "out"
        embed = ["embed", "--model", self.model, "--data", data, "--out", out]
        json_of(*embed)
        self.assertEqual(sorted(json_of(*embed)), sorted(SIZES))

    def test_interpolation_is_a_setting_a_flag_and_a_key_of_transform_json(self):
        def embeddings(data, *arguments):
            out = self.out()
            json_of("embed", "--model", self.model, "--data", data, "--out", out, *arguments)
            return load_file(out / "test.safetensors")["embeddings"]

        data = self.copy(self.data)
        for name in data.glob("images/*.png"):
            Image.open(name).resize((16, 16), Image.Resampling.NEAREST).save(name)
        transform = {"channels": 1, "crop": [], "mean": [0.5], "std": [0.5], "resize": [8, 8]}
        (data / "transform.json").write_text(json.dumps(transform))
        bilinear, bicubic = embeddings(data), embeddings(data, "--interpolation", "bicubic")
        self.assertFalse(bilinear.equal(bicubic))
        for value in ("bicubic", 3, "BICUBIC"):
            (data / "transform.json").write_text(json.dumps(transform | {"interpolation": value}))
            self.assertTrue(embeddings(data).equal(bicubic), value)
        self.assert_fails(2, "expected one of nearest, bilinear, bicubic, lanczos, box, hamming", "embed", "--model",
                          self.model, "--data", data, "--out", self.out(), "--interpolation", "cubic")

    def test_a_named_format_is_used_and_a_wrong_one_refused(self):
        self.assertEqual(self.embed(self.data, "--format", "waterbirds").returncode, 0)
        self.assert_fails(2, "the nearest is waterbirds", "embed", "--model", self.model, "--data", self.data,
                          "--out", self.out(), "--format", "waterbird")
        self.assert_fails(1, "has no manifest of the format multinli", "embed", "--model", self.model, "--data",
                          self.data, "--out", self.out(), "--format", "multinli")

    def test_findings_are_listed_before_the_error(self):
        data = self.copy(self.data)
        rows = self.rows(data)
        for row in rows[:12]:
            row["y"] = "-1"
        self.write_rows(data / "metadata.csv", rows)
        (data / rows[20]["img_filename"]).write_bytes(b"")
        process = self.embed(data)
        manifest = data / "metadata.csv"
        lines = process.stderr.splitlines()
        self.assertEqual(process.returncode, 1)
        self.assertEqual(lines[:10], [f"{manifest}: line {line}: y is `-1`, expected an integer from 0 to 2147483647"
                                      for line in range(2, 12)])
        self.assertEqual(lines[10], "… and 3 more")
        self.assertEqual(lines[11], f"error: {manifest}: 13 findings, the first: line 2: y is `-1`, expected an "
                                    "integer from 0 to 2147483647")
        self.assertEqual(len(lines), 12)

    def fails_with(self, part, change):
        data = self.copy(self.data)
        rows = self.rows(data)
        change(data, rows)
        self.assert_fails(1, part, "embed", "--model", self.model, "--data", data, "--out", self.out())

    def test_faulty_images_are_named_with_their_row(self):
        def missing(data, rows):
            (data / rows[3]["img_filename"]).unlink()

        def empty(data, rows):
            (data / rows[3]["img_filename"]).write_bytes(b"")

        def folder(data, rows):
            missing(data, rows)
            (data / rows[3]["img_filename"]).mkdir()

        def truncated(data, rows):
            path = data / rows[3]["img_filename"]
            path.write_bytes(path.read_bytes()[:60])

        self.fails_with("metadata.csv: line 5: images/train_003.png does not exist", missing)
        self.fails_with("metadata.csv: line 5: images/train_003.png is empty (0 bytes)", empty)
        self.fails_with("metadata.csv: line 5: images/train_003.png is a folder", folder)
        self.fails_with("train_003.png (metadata.csv, line 5): the file ends early", truncated)

    def test_attributes_of_some_samples_give_the_figures_of_those(self):
        data, out = self.copy(self.data), self.out()
        rows = self.rows(data)
        for row in rows:
            if row["split"] == "train":
                row["place"] = ""
        unknown = [row for row in rows if row["split"] == "test"][:7]
        for row in unknown:
            row["place"] = ""
        self.write_rows(data / "metadata.csv", rows)
        result = json_of("run", "--model", self.model, "--data", data, "--out", out, "--epochs", 1)
        test = result["erm"]["test"]
        self.assertEqual((test["samples"], test["attribute_unknown"]), (SIZES["test"], 7))
        self.assertEqual(sum(group["count"] for group in test["groups"]), SIZES["test"] - 7)
        self.assertIsNone(test["adjusted_mean_accuracy"])
        self.assertNotIn("attribute_unknown", result["erm"]["val"])
        self.assertNotIn("groups", result["erm"]["train"])
        told = "\n".join(result["warnings"])
        self.assertIn("train has no attributes, unlike val, test", told)
        self.assertIn("no adjusted mean accuracy", told)
        self.assertIn("test: the attribute of 7 of 200 samples is not known", told)
        of_model = json_of("eval", "--model", self.model, "--data", data)["metrics"]
        of_embeddings = json_of("eval", "--embeddings", out / "embeddings")["metrics"]
        self.assertEqual(of_model["groups"], test["groups"])
        self.assertEqual(of_embeddings["attribute_unknown"], 7)

    def test_a_misspelt_column_of_attributes_is_named(self):
        data = self.copy(self.data)
        rows = [{name.replace("place", "pllace"): cell for name, cell in row.items()} for row in self.rows(data)]
        self.write_rows(data / "metadata.csv", rows)
        self.assertIn("has a column pllace, did you mean place?", self.embed(data).stderr)

    def test_an_attribute_may_be_any_number(self):
        embeddings = self.copy(self.embeddings)
        tensors = load_file(embeddings / "test.safetensors")
        tensors["attributes"] = tensors["attributes"] * 2000000000
        save_file(tensors, embeddings / "test.safetensors")
        block = json_of("eval", "--embeddings", embeddings)["metrics"]
        self.assertEqual({group["attribute"] for group in block["groups"]}, {0, 2000000000})

    def test_names_of_any_bytes_come_through(self):
        names = {b"images/caf\xe9.png": "images/caf\\xE9.png", b"images/two\nlines.png": "images/two\\x0Alines.png"}
        data, out = self.copy(self.data), os.fsencode(self.out()) + b"/o\xe9"
        rows = self.rows(data)
        chosen = [row for row in rows if row["split"] == "val"][:2]
        for row, name in zip(chosen, names):
            os.rename(data / row["img_filename"], os.fsencode(data) + b"/" + name)
            row["img_filename"] = os.fsdecode(name)
        with open(data / "metadata.csv", "w", newline="", errors="surrogateescape") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        run = [PROGRAM, "run", "--model", self.model, "--data", data, "--out", out, "--epochs", "1"]
        for again in range(2):
            process = subprocess.run([*run, "--json"], capture_output=True, timeout=120)
            self.assertEqual(process.returncode, 0, process.stderr)
        embeddings = out + b"/embeddings"
        with open(embeddings + b"/val.ids.txt", encoding="utf-8") as file:
            lines = file.read().split("\n")
        self.assertEqual(len(lines), SIZES["val"] + 1)
        self.assertEqual(lines[:2], list(names.values()))
        process = subprocess.run([PROGRAM, "score", "--embeddings", embeddings, "--json"], capture_output=True)
        self.assertEqual(process.returncode, 0, process.stderr)
        process.stdout.decode("utf-8")
        process = subprocess.run([PROGRAM, "score", "--embeddings", embeddings], capture_output=True)
        process.stdout.decode("utf-8")
        config = out + b"/config.json"
        process = subprocess.run([PROGRAM, "run", "--config", config, "--out", out, "--quiet"], capture_output=True)
        self.assertEqual(process.returncode, 0, process.stderr)

    def test_arrays_of_other_names(self):
        embeddings = self.copy(self.embeddings)
        for split in SIZES:
            tensors = load_file(embeddings / f"{split}.safetensors")
            save_file({"feats": tensors["embeddings"], "y": tensors["labels"], "place": tensors["attributes"]},
                      embeddings / f"{split}.safetensors")
        self.assert_fails(1, "test.safetensors has no array `embeddings`; it holds feats, place, y", "eval",
                          "--embeddings", embeddings)
        named = ["--embeddings", embeddings, "--arrays", "embeddings=feats,labels=y,attributes=place"]
        self.assertEqual(json_of("eval", *named), json_of("eval", "--embeddings", self.embeddings))
        out = self.out()
        for command in (["score"], ["run", "--epochs", 1, "--out", out],
                        ["compare", "--methods", "erm", "--seeds", 1, "--out", self.out()],
                        ["ablate", "--sweep", "tune.epochs=1", "--out", self.out()]):
            json_of(*command, *named)
        json_of("run", "--config", out / "config.json", "--out", self.out())
        self.assert_fails(2, "unknown key label; the nearest known one is labels", "eval", "--embeddings", embeddings,
                          "--arrays", "label=y")

    def test_pipes_and_devices_are_not_waited_for(self):
        data, pipe = self.copy(self.data), self.out() / "pipe"
        os.mkfifo(pipe)
        (data / "names.json").unlink()
        os.mkfifo(data / "names.json")
        self.assert_fails(1, "names.json: is a pipe, expected a file", "embed", "--model", self.model, "--data", data,
                          "--out", self.out())
        self.assert_fails(1, "pipe is no regular file", "inspect", pipe)
        run = ["run", "--embeddings", self.embeddings, "--out", self.out(), "--config"]
        self.assert_fails(1, "pipe: is a pipe", *run, pipe)
        self.assert_fails(1, "/dev/zero: is a device", *run, "/dev/zero")

    def test_a_file_cut_short_while_it_is_read_is_a_failure_like_others(self):
        embeddings, path = self.copy(self.embeddings), None
        for split in ("train", "val"):
            (embeddings / f"{split}.safetensors").unlink()
        path = embeddings / "test.safetensors"
        save_file({"embeddings": torch.zeros(5_000_000, 8), "labels": torch.zeros(5_000_000, dtype=torch.long)}, path)
        process = subprocess.Popen([PROGRAM, "eval", "--embeddings", embeddings], stderr=subprocess.PIPE, text=True)
        with open(f"/proc/{process.pid}/maps") as maps:
            while process.poll() is None:
                maps.seek(0)
                if str(path) in maps.read():
                    break
                time.sleep(0.001)
        os.truncate(path, 4096)
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, error)
        self.assertEqual(error, f"error: {path}: was cut short, or could not be read, while it was in use; expected "
                                "it to stay as it is\n")

    def test_a_missing_column_is_named_with_those_found(self):
        def change(data, rows):
            self.write_rows(data / "metadata.csv", [{"file": row["img_filename"], "y": row["y"]} for row in rows])

        self.fails_with("lacks a column for a sample (img_filename, filename, path or img_id), a split (split); "
                        "columns found: file, y", change)


if __name__ == "__main__":
    unittest.main()
