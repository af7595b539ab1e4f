"""The built program on a small data set: results, files, exit codes, messages."""

import csv
import json
import pathlib
import unittest

import numpy as np
import torch

from cli_test_case import QUICK, CliTest
from fixture import SIZES, json_of, load_file, save_file, succeed

WRITTEN = ["result.json", "head.safetensors", "spuriousness.safetensors", "trajectory.jsonl", "config.json",
           "MODEL_CARD.md"]


def without_clock(text):
    result = json.loads(text)
    del result["seconds"]
    return result


class Run(CliTest):
    def test_from_a_model_gives_a_drop_in_model_and_the_evidence(self):
        out = self.out()
        result = json_of("run", "--model", self.model, "--data", self.data, "--out", out, "--recipe", "guarded", *QUICK)
        for name in [*WRITTEN, "model.pt", "embeddings/train.safetensors"]:
            self.assertTrue((out / name).is_file(), name)
        self.assertEqual(without_clock((out / "result.json").read_text()), without_clock(json.dumps(result)))
        self.assertLess(result["verified"]["max_abs_difference"], 1e-4)

        images = self.tensors["test"][0]
        tuned = torch.jit.load(str(out / "model.pt"))
        head = load_file(out / "head.safetensors")
        with torch.no_grad():
            features = torch.relu(self.network.embed(images.flatten(1)))
            logits = features @ head["weight"].T + head["bias"]
            self.assertTrue(torch.allclose(tuned(images), logits, atol=1e-5))
        biased = result["biased_dimensions"]["indices"]
        self.assertGreater(len(biased), 0)
        self.assertTrue(torch.all(tuned.classifier.weight[:, biased] == 0))
        self.assertTrue(torch.equal(tuned.embed.weight, self.network.embed.weight))

    def test_embeddings_are_what_pytorch_computes(self):
        out = self.out()
        summary = json_of("embed", "--model", self.model, "--data", self.data, "--out", out)
        for split, (images, labels, attributes) in self.tensors.items():
            stored = load_file(out / f"{split}.safetensors")
            with torch.no_grad():
                expected = torch.relu(self.network.embed(images.flatten(1)))
            self.assertTrue(torch.allclose(stored["embeddings"], expected, atol=1e-5))
            self.assertTrue(torch.equal(stored["labels"], labels))
            self.assertEqual(stored["attributes"].tolist(), attributes.tolist())
            self.assertEqual(summary[split]["samples"], SIZES[split])
            self.assertEqual(len((out / f"{split}.ids.txt").read_text().splitlines()), SIZES[split])

    def test_result_has_every_field(self):
        result = json_of("run", "--embeddings", self.embeddings, "--out", self.out(), *QUICK)
        for key in ["recipe", "method", "criterion", "seed", "device", "versions", "warnings", "seconds", "erm",
                    "tuned", "biased_dimensions", "classes", "selected_epoch", "sfit", "candidates"]:
            self.assertIn(key, result)
        self.assertNotIn("verified", result)
        self.assertEqual(result["biased_dimensions"]["total"], 8)
        self.assertEqual(set(result["tuned"]), set(SIZES))
        block = result["erm"]["test"]
        labels, attributes = (np.asarray(part) for part in self.tensors["test"][1:])
        with torch.no_grad():
            right = self.network(self.tensors["test"][0]).argmax(1).numpy() == labels
        self.assertAlmostEqual(block["mean_accuracy"], right.mean())
        groups = {(y, a): right[(labels == y) & (attributes == a)].mean() for y in (0, 1) for a in (0, 1)}
        self.assertAlmostEqual(block["worst_group_accuracy"], min(groups.values()))
        worst = block["worst_group"]
        self.assertAlmostEqual(groups[worst["label"], worst["attribute"]], min(groups.values()))
        self.assertEqual([group["count"] for group in block["groups"]],
                         [int(((labels == y) & (attributes == a)).sum()) for y in (0, 1) for a in (0, 1)])

    def test_again_gives_the_same_bytes_whatever_the_threads(self):
        first, second = self.out(), self.out()
        succeed("run", "--embeddings", self.embeddings, "--out", first, "--threads", 1, *QUICK)
        succeed("run", "--embeddings", self.embeddings, "--out", second, "--threads", 2, *QUICK)
        for name in ["head.safetensors", "spuriousness.safetensors", "trajectory.jsonl"]:
            self.assertEqual((first / name).read_bytes(), (second / name).read_bytes(), name)
        self.assertEqual(*(without_clock((out / "result.json").read_text()) for out in (first, second)))

    def test_from_a_model_again_gives_the_same_bytes_and_reuses_embeddings(self):
        out = self.out()
        run = ["run", "--model", self.model, "--data", self.data, "--out", out, *QUICK]
        succeed(*run)
        before = {name: (out / name).read_bytes() for name in [*WRITTEN[1:], "model.pt"]}
        stamp = (out / "embeddings/train.safetensors").stat().st_mtime_ns
        succeed(*run)
        self.assertEqual((out / "embeddings/train.safetensors").stat().st_mtime_ns, stamp)
        for name, content in before.items():
            self.assertEqual((out / name).read_bytes(), content, name)

    def test_its_config_reproduces_it(self):
        first, second = self.out(), self.out()
        succeed("run", "--embeddings", self.embeddings, "--out", first, *QUICK, "--seed", 7)
        succeed("run", "--config", first / "config.json", "--out", second)
        for name in ["head.safetensors", "config.json"]:
            self.assertEqual((first / name).read_bytes(), (second / name).read_bytes(), name)

    def test_changed_data_is_never_mixed_with_old_embeddings(self):
        data, out = self.copy(self.data), self.out()
        embed = ["embed", "--model", self.model, "--data", data, "--out", out]
        succeed(*embed)
        with open(data / "metadata.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] != "test"]
        rows[0]["y"] = 1 - int(rows[0]["y"])
        with open(data / "metadata.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        summary = json_of(*embed)
        self.assertEqual({name: split["reused"] for name, split in summary.items()}, {"train": False, "val": True})
        self.assertEqual(load_file(out / "train.safetensors")["labels"][0], int(rows[0]["y"]))
        self.assertFalse((out / "test.safetensors").exists())

    def test_without_attributes_only_the_group_figures_go(self):
        embeddings = self.without_attributes()
        plain, grouped = self.out(), self.out()
        block = json_of("run", "--embeddings", embeddings, "--out", plain, *QUICK)["tuned"]["test"]
        self.assertNotIn("worst_group_accuracy", block)
        succeed("run", "--embeddings", self.embeddings, "--out", grouped, *QUICK)
        self.assertEqual((plain / "head.safetensors").read_bytes(), (grouped / "head.safetensors").read_bytes())

    def test_half_of_val_each(self):
        result = json_of("run", "--embeddings", self.embeddings, "--out", self.out(), "--identify", "val:1/2",
                         "--tune", "val:2/2", *QUICK)
        self.assertEqual(sum(c["correct"] + c["misclassified"] for c in result["classes"]), SIZES["val"] // 2)

    def test_recipe_flags_and_config_win_in_order(self):
        config = self.out() / "my.json"
        config.write_text(json.dumps({"recipe": "paper", "tune": {"epochs": 3, "batches_per_epoch": 5},
                                      "identify": {"keep_at_least": 2}}))
        out = self.out()
        succeed("run", "--embeddings", self.embeddings, "--out", out, "--config", config, "--epochs", 2)
        resolved = json.loads((out / "config.json").read_text())
        self.assertEqual(resolved["recipe"], "paper")
        self.assertEqual(resolved["select"]["criterion"], "sfit")
        self.assertEqual(resolved["identify"]["keep_at_least"], 2)
        self.assertEqual((resolved["tune"]["epochs"], resolved["tune"]["batches_per_epoch"]), (2, 5))
        self.assertEqual(len((out / "trajectory.jsonl").read_text().splitlines()), 2)

    def test_warns_where_held_out_data_is_tuned_on(self):
        warnings = [json_of("run", "--embeddings", self.embeddings, "--out", self.out(), "--tune", split, *QUICK)["warnings"]
                    for split in ("val", "val:1/2", "train")]
        self.assertEqual([any("splits share samples of val" in warning for warning in of) for of in warnings],
                         [True, True, False])

    def test_an_earlier_run_leaves_nothing(self):
        out = self.out()
        succeed("run", "--model", self.model, "--data", self.data, "--out", out, *QUICK)
        self.assertTrue((out / "model.pt").exists())
        succeed("run", "--embeddings", out / "embeddings", "--out", out, *QUICK)
        self.assertFalse((out / "model.pt").exists())

    def test_says_what_it_did(self):
        out = self.out()
        text = succeed("run", "--model", self.model, "--data", self.data, "--out", out, *QUICK)
        self.assertIn("dimensions masked", text)
        self.assertLessEqual(max(len(line) for line in text.splitlines()), 80)
        self.assertIn(json.loads((out / "result.json").read_text())["conclusion"], " ".join(text.split()))
        self.assertRegex(text, r"(dim|bright) with (dark|light)")


class Others(CliTest):
    def test_score_agrees_with_numpy(self):
        out = self.out()
        result = json_of("score", "--embeddings", self.embeddings, "--out", out, "--keep-at-least", 2)
        stored = load_file(self.embeddings / "val.safetensors")
        z, y = stored["embeddings"].numpy(), stored["labels"].numpy()
        head = load_file(self.embeddings / "head.safetensors")
        predicted = (z @ head["weight"].numpy().T + head["bias"].numpy()).argmax(1)
        scores = np.stack([np.median(z[(y == c) & (predicted != c)], 0) - np.median(z[(y == c) & (predicted == c)], 0)
                           for c in (0, 1)])
        np.testing.assert_allclose(result["scores"], scores, atol=1e-6)
        self.assertAlmostEqual(result["sfit"], np.abs(scores).sum(), places=4)
        biased = [strong["dimension"] for strong in result["strongest"]]
        self.assertEqual(sorted(biased), result["biased_dimensions"]["indices"])
        strongest = result["strongest"][0]
        row = int(strongest["samples"][0].removeprefix("row "))
        self.assertEqual(z[row, strongest["dimension"]], z[:, strongest["dimension"]].max())
        np.testing.assert_allclose(load_file(out / "spuriousness.safetensors")["scores"], scores, atol=1e-6)

    def test_inspect(self):
        result = json_of("inspect", self.model, "--input-shape", "4,1,8,8")
        self.assertEqual((result["head"], result["embedding_dim"], result["classes"], result["bias"]),
                         ("classifier", 8, 2, True))
        self.assertTrue(result["verified"])
        self.assertIsNone(json_of("inspect", self.model)["max_abs_difference"])

    def test_export_then_eval_equals_eval_with_the_head(self):
        head, exported = self.out() / "head.safetensors", self.out() / "exported.pt"
        save_file({"weight": torch.randn(2, 8), "bias": torch.randn(2)}, head)
        self.assertEqual(succeed("export", self.model, "--head", head, "--out", exported), "")
        through_file = json_of("eval", "--model", exported, "--data", self.data)
        with_head = json_of("eval", "--model", self.model, "--data", self.data, "--head", head)
        of_embeddings = json_of("eval", "--embeddings", self.embeddings, "--head", head)
        self.assertEqual(through_file, with_head)
        self.assertEqual(through_file, of_embeddings)
        self.assertEqual(through_file["split"], "test")

    def test_eval_of_a_part_of_a_split(self):
        parts = [json_of("eval", *source, "--split", "test:1/4")["metrics"]["samples"]
                 for source in (["--embeddings", self.embeddings], ["--model", self.model, "--data", self.data])]
        self.assertEqual(parts, [50, 50])

    def test_help_of_every_subcommand(self):
        for command in ["inspect", "embed", "score", "run", "export", "eval", "demo"]:
            self.assertIn("--help", succeed(command, "--help"))
        self.assertIn("[inferred_groups]", succeed("run", "--help"))


class Failures(CliTest):
    def test_full_scale_configs_lack_nothing_but_the_model_and_data(self):
        configs = sorted((pathlib.Path(__file__).parents[2] / "configs/full-scale").glob("*.json"))
        self.assertEqual(len(configs), 5)
        for config in configs:
            self.assert_fails(1, f"{config.stem}/erm.pt", "run", "--config", config, "--out", self.out())

    def run_arguments(self, *more):
        return ["run", "--embeddings", self.embeddings, "--out", self.out() / "new", *QUICK, *more]

    def test_wrong_usage_is_two(self):
        self.assert_fails(2, "unknown argument rum; the nearest known one is run", "rum")
        self.assert_fails(2, "unknown argument --treshold; the nearest known one is --threshold",
                          *self.run_arguments("--treshold", 1))
        self.assert_fails(2, "subcommand")
        self.assert_fails(2, "--out", "run", "--embeddings", self.embeddings)
        self.assert_fails(2, "one of union, intersection, mean, per_class", *self.run_arguments("--aggregate", "max"))
        self.assert_fails(2, "mask_value is 3", *self.run_arguments("--mask-value", 3))
        self.assert_fails(2, "expected a whole number", *self.run_arguments("--epochs", "many"))
        self.assert_fails(2, "val:3/2", *self.run_arguments("--identify", "val:3/2"))
        self.assert_fails(2, "recipe is sweet, expected one of robust, guarded, paper", *self.run_arguments("--recipe", "sweet"))
        self.assert_fails(2, "device is tpu", *self.run_arguments("--device", "tpu"))
        self.assert_fails(2, "pass either embeddings, or", *self.run_arguments("--model", self.model))
        self.assert_fails(2, "embeddings.path", "run", "--out", self.out())
        self.assert_fails(2, "--json stands before the subcommand, expected after it", "--json", *self.run_arguments())

    def test_the_folder_of_the_embeddings_is_not_written_over(self):
        embeddings = self.copy(self.embeddings)
        before = (embeddings / "head.safetensors").read_bytes()
        self.assert_fails(2, "out is the folder of the embeddings", "run", "--embeddings", embeddings, "--out",
                          f"{embeddings}/.", *QUICK)
        self.assertEqual((embeddings / "head.safetensors").read_bytes(), before)

    def test_a_recipe_other_than_that_of_the_config_file_is_two(self):
        config = self.out() / "config.json"
        config.write_text('{"recipe": "robust", "tune": {"epochs": 1}}')
        self.assert_fails(2, f'--recipe is paper, but {config} was made with recipe "robust"',
                          *self.run_arguments("--recipe", "paper", "--config", config))
        succeed("run", "--embeddings", self.embeddings, "--out", self.out(), "--recipe", "robust", "--config", config, *QUICK)

    def test_wrong_config_is_two(self):
        config = self.out() / "wrong.json"
        for text, part in [('{"tune": {"epoch": 3}}', "nearest known one is tune.epochs"),
                           ('{"tune": {"epochs": "3"}}', 'tune.epochs is "3", expected a whole number'),
                           ("[1", "is not JSON: parse error at line 1, column 3"),
                           ("[1]", "is not a JSON object")]:
            config.write_text(text)
            self.assert_fails(2, part, *self.run_arguments("--config", config))

    def test_files_that_are_not_there_are_one(self):
        self.assert_fails(1, "nowhere", "run", "--embeddings", "nowhere", "--out", self.out())
        self.assert_fails(1, "nowhere.json", *self.run_arguments("--config", "nowhere.json"))
        self.assert_fails(1, "nowhere.pt", "inspect", "nowhere.pt")
        self.assert_fails(1, "metadata.csv", "embed", "--model", self.model, "--data", self.out(), "--out", self.out())
        self.assert_fails(1, "exam", *self.run_arguments("--identify", "exam"))
        self.assert_fails(1, "not a TorchScript", "inspect", self.embeddings / "head.safetensors")

    def test_embeddings_that_disagree_are_one(self):
        for tensors, part in [({"labels": torch.full((300,), 2)}, "labels[0] is 2, expected 0 to 1"),
                              ({"labels": torch.zeros(299, dtype=torch.long)}, "299"),
                              ({"embeddings": torch.full((300, 8), float("nan"))}, "nan"),
                              ({"embeddings": torch.zeros(300, 7)}, "7")]:
            embeddings = self.copy(self.embeddings)
            save_file({**load_file(embeddings / "val.safetensors"), **tensors}, embeddings / "val.safetensors")
            self.assert_fails(1, part, "run", "--embeddings", embeddings, "--out", self.out(), *QUICK)

    def test_without_the_head_says_what_it_is_for(self):
        embeddings = self.copy(self.embeddings)
        (embeddings / "head.safetensors").unlink()
        self.assert_fails(1, "head.safetensors", "run", "--embeddings", embeddings, "--out", self.out())

    def test_a_damaged_image_is_named(self):
        data = self.copy(self.data)
        (data / "images/val_007.png").write_bytes(b"")
        self.assert_fails(1, "val_007.png", "embed", "--model", self.model, "--data", data, "--out", self.out())

    def test_a_class_absent_from_the_tuning_split(self):
        embeddings = self.copy(self.embeddings)
        tensors = load_file(embeddings / "train.safetensors")
        tensors["labels"].zero_()
        save_file(tensors, embeddings / "train.safetensors")
        self.assert_fails(1, "no sample of class 1", "run", "--embeddings", embeddings, "--out", self.out(), *QUICK)

    def test_a_failed_run_leaves_no_result(self):
        out = self.out() / "new"
        self.assert_fails(1, "exam", "run", "--embeddings", self.embeddings, "--out", out, "--tune", "exam")
        self.assertFalse((out / "result.json").exists())

    def test_an_output_folder_that_is_a_file(self):
        path = self.out() / "file"
        path.write_text("")
        self.assert_fails(1, "file", "run", "--embeddings", self.embeddings, "--out", path, *QUICK)


if __name__ == "__main__":
    unittest.main()
