"""The built program on data that says little, and the same data as it may lie in files."""

import json
import pathlib
import struct
import unittest

import numpy as np
import torch

from cli_test_case import QUICK, CliTest
from fixture import SIZES, json_of, load_file, neurontune, save_file, succeed

RECIPES = ["robust", "guarded", "paper"]


def strict_json(text):
    """The document, whose numbers are all finite."""

    def refuse(word):
        raise AssertionError(f"{word} in JSON")

    return json.loads(text, parse_constant=refuse)


def without_clock(text):
    result = strict_json(text)
    del result["seconds"]
    return result


class HardData(CliTest):
    def changed(self, change):
        """A copy of the embeddings, each split's tensors changed by `change`."""
        embeddings = self.copy(self.embeddings)
        for split in SIZES:
            tensors = load_file(embeddings / f"{split}.safetensors")
            change(split, tensors)
            save_file({name: tensor.contiguous() for name, tensor in tensors.items()},
                      embeddings / f"{split}.safetensors")
        return embeddings

    def without_mistakes(self):
        head = load_file(self.embeddings / "head.safetensors")

        def relabel(split, tensors):
            if split == "val":
                tensors["labels"] = (tensors["embeddings"] @ head["weight"].T + head["bias"]).argmax(1)

        return self.changed(relabel)

    def with_a_constant_head(self):
        embeddings = self.copy(self.embeddings)
        head = load_file(embeddings / "head.safetensors")
        save_file({"weight": torch.zeros_like(head["weight"]), "bias": torch.tensor([1.0, 0.0])},
                  embeddings / "head.safetensors")
        return embeddings

    def test_without_a_mistake_the_default_recipe_keeps_the_head(self):
        embeddings, out = self.without_mistakes(), self.out()
        result = strict_json(succeed("run", "--embeddings", embeddings, "--out", out, *QUICK, "--json"))
        self.assertEqual((result["selected"], result["selected_epoch"], result["sfit"]), ("erm", 0, None))
        self.assertEqual((result["method"], result["acceptance"]), ("erm", "kept"))
        self.assertEqual(result["biased_dimensions"], {"count": 0, "total": 8, "indices": []})
        self.assertEqual(result["shortcut"]["verdict"], "undecided")
        self.assertIn("The ERM head is kept", result["conclusion"])
        self.assertTrue(any("NeuronTune is no candidate" in warning for warning in result["warnings"]))
        self.assertFalse(any(label["usable"] for label in result["classes"]))
        self.assertEqual(result["erm"], result["tuned"])
        self.assertEqual((out / "trajectory.jsonl").read_text(), "")
        self.assertTrue(torch.all(load_file(out / "spuriousness.safetensors")["mask"] == 1))
        for name, tensor in load_file(embeddings / "head.safetensors").items():
            self.assertTrue(torch.equal(load_file(out / "head.safetensors")[name], tensor))
        self.assertIn("The ERM head is kept", succeed("run", "--embeddings", embeddings, "--out", out, *QUICK))

    def test_of_a_constant_head_the_default_recipe_makes_a_better_one(self):
        out = self.out()
        result = strict_json(succeed("run", "--embeddings", self.with_a_constant_head(), "--out", out, *QUICK, "--json"))
        self.assertEqual(result["acceptance"], "free")
        self.assertNotIn(result["selected"], ["erm", "neurontune"])
        self.assertEqual(result["method"], result["selected"])
        self.assertEqual(result["erm"]["test"]["worst_class_accuracy"], 0)
        self.assertGreater(result["tuned"]["test"]["worst_class_accuracy"], 0.5)

    def test_where_every_dimension_is_flagged_the_default_recipe_goes_on(self):
        result = strict_json(succeed("run", "--embeddings", self.embeddings, "--out", self.out(), "--threshold", -100,
                                     "--keep-at-least", 0, "--significance", "none", "--json"))
        self.assertTrue(any("is flagged as biased" in warning for warning in result["warnings"]))
        self.assertFalse(any(candidate["source"] == "neurontune" for candidate in result["candidates"]))

    def test_with_nothing_to_identify_by_the_paper_has_no_result(self):
        for embeddings in [self.without_mistakes(), self.with_a_constant_head()]:
            for recipe in ["paper", "guarded"]:
                self.assert_fails(1, "no class has both correct and misclassified samples", "run", "--embeddings",
                                  embeddings, "--out", self.out(), "--recipe", recipe, *QUICK)

    def test_with_nothing_to_identify_by_compare_and_ablate_go_on(self):
        faultless = self.without_mistakes()
        for embeddings in [faultless, self.with_a_constant_head()]:
            report = strict_json(succeed("compare", "--embeddings", embeddings, "--out", self.out(), "--seeds", 1,
                                         "--methods", "erm,neurontune,neurontune_default", *QUICK, "--json"))
            erm, paper, default = report["methods"]
            self.assertIn("no class has both", paper["failure"])
            self.assertNotIn("failure", default)
            if embeddings == faultless:
                self.assertEqual(default["chosen"], ["the ERM head"])
                self.assertEqual(default["test"], erm["test"])
            points = strict_json(succeed("ablate", "--embeddings", embeddings, "--out", self.out(), "--sweep",
                                         "recipe=robust,paper", "--trajectory", *QUICK, "--json"))["points"]
            self.assertEqual(points[0]["runs"][0]["selected"] == "erm", embeddings == faultless)
            self.assertIn("no class has both", points[1]["failure"])

    def test_retraining_that_becomes_infinite_is_said(self):
        run = ["run", "--embeddings", self.embeddings, "--out", self.out(), *QUICK, "--lr", 1e38]
        result = strict_json(succeed(*run, "--json"))
        self.assertTrue(any("became infinite in epoch 1" in warning for warning in result["warnings"]))
        self.assert_fails(1, "became infinite in epoch 1", *run, "--recipe", "paper")

    @unittest.skipUnless(pathlib.Path("/usr/share/datasets/fashion-mnist").is_dir(), "Debian's Fashion-MNIST is not here")
    def test_the_demo_goes_on_without_the_papers_recipe(self):
        process = neurontune("demo", "--out", self.out(), "--lr", 1e38, "--json", timeout=600)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("became infinite", "".join(strict_json(process.stdout)["warnings"]))
        self.assertIn("recipe paper could not be run: retraining became infinite in epoch 1", process.stderr)

    def test_a_column_out_of_all_scale_changes_nothing(self):
        def widened(size, dtype):
            def widen(split, tensors):
                random = torch.Generator().manual_seed(len(split))
                noise = torch.randn(len(tensors["labels"]), 1, generator=random, dtype=torch.float64) * size
                tensors["embeddings"] = torch.cat([tensors["embeddings"], noise], 1).to(dtype)

            embeddings = self.changed(widen)
            head = load_file(embeddings / "head.safetensors")
            head["weight"] = torch.nn.functional.pad(head["weight"], (0, 1))
            save_file(head, embeddings / "head.safetensors")
            return embeddings

        methods = ["--methods", "erm,llr,dfr,afr,shortcut_probe,self,rebalanced,neurontune_default", "--seeds", 1, *QUICK]
        for dtype, size in {(torch.float32, 1e-40), (torch.bfloat16, 1e-40), (torch.float16, 1e-6)}:
            with self.subTest(dtype=dtype, size=size):
                def narrow(split, tensors):
                    tensors["embeddings"] = tensors["embeddings"].to(dtype)

                narrower, wider = self.changed(narrow), widened(size, dtype)
                results = []
                for embeddings in [narrower, wider]:
                    out = self.out()
                    result = strict_json(succeed("run", "--embeddings", embeddings, "--out", out, *QUICK, "--json"))
                    results.append((result["selected"], result["tuned"], result["biased_dimensions"]["indices"],
                                    result["shortcut"]["verdict"]))
                    self.assertNotRegex(result["conclusion"], r"\b(nan|inf)\b")
                self.assertEqual(*results)
                before, after = (json_of("compare", "--embeddings", embeddings, "--out", self.out(), *methods)["methods"]
                                 for embeddings in [narrower, wider])
                for one, other in zip(before, after):
                    self.assertNotIn("failure", other)
                    for figure, values in one["test"].items():
                        self.assertAlmostEqual(values["mean"], other["test"][figure]["mean"], delta=0.1,
                                               msg=one["method"] + " " + figure)
                score = strict_json(succeed("score", "--embeddings", wider, "--json"))
                self.assertEqual([row[8] for row in score["scores"]], [0, 0])

    def test_a_huge_column_leaves_figures_that_are_numbers(self):
        def widen(split, tensors):
            tensors["embeddings"][:, 3] = 1e30 * torch.randn(len(tensors["labels"]))

        embeddings = self.changed(widen)
        head = load_file(embeddings / "head.safetensors")
        head["weight"][:, 3] = 0
        save_file(head, embeddings / "head.safetensors")
        out = self.out()
        result = strict_json(succeed("run", "--embeddings", embeddings, "--out", out, *QUICK, "--json"))
        self.assertNotRegex(result["conclusion"] + "".join(result["warnings"]), r"\b(nan|inf)\b")
        for line in (out / "trajectory.jsonl").read_text().splitlines():
            self.assertIsNotNone(strict_json(line)["loss"])
        self.assertTrue(torch.all(load_file(out / "head.safetensors")["weight"].isfinite()))

    def test_max_drop(self):
        for most in [0, 0.02, 1]:
            result = json_of("run", "--embeddings", self.embeddings, "--out", self.out(), *QUICK, "--max-drop", most,
                             "--evidence-threshold", 0)
            erm = result["erm"]["val"]["balanced_accuracy"]
            self.assertAlmostEqual(result["held_out"]["erm"]["balanced_accuracy"], erm)
            for candidate in result["candidates"]:
                cost = erm - candidate["balanced_accuracy"]
                self.assertLessEqual(cost, most + 1e-9)
                if candidate["acceptance"] == "free":
                    self.assertLessEqual(cost, 1e-9)
        self.assert_fails(2, "max_drop is 2, expected 0 to 1", "run", "--embeddings", self.embeddings, "--out",
                          self.out(), "--max-drop", 2)


class SameBits(CliTest):
    """150 dimensions, as of 129 on products and factorisations are cut into pieces."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        random = np.random.default_rng(5)
        mixing = random.normal(size=(8, 150)) / 3
        cls.arrays = {}
        for split in SIZES:
            tensors = load_file(cls.embeddings / f"{split}.safetensors")
            narrow = tensors["embeddings"].numpy()
            wide = narrow @ mixing + random.normal(size=(len(narrow), 150))
            cls.arrays[split] = {"embeddings": wide.astype(np.float32), "labels": tensors["labels"].numpy(),
                                 "attributes": tensors["attributes"].numpy()}
        x, y = (torch.from_numpy(cls.arrays["train"][name]) for name in ("embeddings", "labels"))
        linear = torch.nn.Linear(150, 2)
        optimizer = torch.optim.Adam(linear.parameters(), lr=1e-2)
        for _ in range(30):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(linear(x), y).backward()
            optimizer.step()
        cls.head = {"weight": linear.weight.detach(), "bias": linear.bias.detach()}

    def stored(self, write):
        folder = self.out()
        save_file(self.head, folder / "head.safetensors")
        for split, arrays in self.arrays.items():
            write(folder, split, arrays)
        return folder

    def with_padding(self, padding):
        """safetensors files whose header ends in so many more blanks."""

        def write(folder, split, arrays):
            path = folder / f"{split}.safetensors"
            save_file({name: torch.from_numpy(array) for name, array in arrays.items()}, path)
            content = path.read_bytes()
            length = struct.unpack("<Q", content[:8])[0]
            header = content[8:8 + length] + b" " * padding
            path.write_bytes(struct.pack("<Q", len(header)) + header + content[8 + length:])

        return self.stored(write)

    def in_npz(self):
        return self.stored(lambda folder, split, arrays: np.savez(folder / f"{split}.npz", **arrays))

    def written(self, embeddings, *flags):
        out = self.out()
        succeed("run", "--embeddings", embeddings, "--out", out, *QUICK, "--max-drop", 1, *flags)
        files = [(out / name).read_bytes() for name in ["head.safetensors", "spuriousness.safetensors", "trajectory.jsonl"]]
        return files, without_clock((out / "result.json").read_text())

    def test_on_any_number_of_threads(self):
        embeddings = self.with_padding(0)
        for recipe in RECIPES:
            keep = ["--recipe", recipe, "--keep-at-least", 9]
            one = self.written(embeddings, *keep, "--threads", 1)
            for threads in [2, 4]:
                self.assertEqual(one, self.written(embeddings, *keep, "--threads", threads), f"{recipe}, {threads}")

    def test_however_the_files_lie(self):
        for recipe in RECIPES:
            keep = ["--recipe", recipe, "--keep-at-least", 9]
            plain = self.written(self.with_padding(0), *keep)
            self.assertEqual(plain, self.written(self.in_npz(), *keep), recipe)
            for padding in range(4, 64, 4) if recipe == "robust" else [8, 20, 36]:
                self.assertEqual(plain, self.written(self.with_padding(padding), *keep), f"{recipe}, {padding}")


if __name__ == "__main__":
    unittest.main()
