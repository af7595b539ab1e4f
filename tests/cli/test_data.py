"""The built program on data as it is found: formats, and faults of manifests."""

import csv
import shutil
import unittest

from cli_test_case import CliTest
from fixture import SIZES, json_of, load_file, neurontune

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

    def test_a_missing_column_is_named_with_those_found(self):
        def change(data, rows):
            self.write_rows(data / "metadata.csv", [{"file": row["img_filename"], "y": row["y"]} for row in rows])

        self.fails_with("lacks a column for a sample (img_filename, filename, path or img_id), a split (split); "
                        "columns found: file, y", change)


if __name__ == "__main__":
    unittest.main()
