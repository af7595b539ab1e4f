"""eval: its figures against scikit-learn and SciPy, each sample's prediction, requirements as JUnit test cases."""

import csv
import json
import math
import os
import shutil
import statistics
import subprocess

import numpy as np
import torch
from scipy.stats import binomtest
from sklearn.metrics import f1_score, roc_auc_score

import junit_schema
from cli_test_case import QUICK, CliTest
from fixture import PROGRAM, SIZES, json_of, load_file, neurontune, save_file, succeed

CONFIDENCE = 2 * statistics.NormalDist().cdf(1.96) - 1


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def calibration_error(probability, correct, bins=15):
    error, edges = 0, np.linspace(0, 1, bins + 1)
    for lower, upper in zip(edges[:-1], edges[1:]):
        inside = (probability > lower) & (probability <= upper)
        if inside.any():
            error += inside.mean() * abs(correct[inside].mean() - probability[inside].mean())
    return error


class Figures(CliTest):
    def evaluate(self, *arguments):
        """The metric block and the rows of --predictions."""
        file = self.out() / "predictions.csv"
        return json_of("eval", *arguments, "--predictions", file)["metrics"], rows_of(file)

    def assert_interval(self, interval, correct, samples):
        expected = binomtest(correct, samples).proportion_ci(CONFIDENCE, "wilson")
        self.assertAlmostEqual(interval[0], expected.low, places=9)
        self.assertAlmostEqual(interval[1], expected.high, places=9)

    def test_all_are_those_of_other_programs_on_the_predictions(self):
        metrics, rows = self.evaluate("--embeddings", self.embeddings)
        label, predicted = (np.array([int(row[key]) for row in rows]) for key in ("label", "prediction"))
        probability = np.array([float(row["probability"]) for row in rows])
        correct = label == predicted
        self.assertEqual(len(rows), SIZES["test"])
        self.assertAlmostEqual(metrics["mean_accuracy"], correct.mean())
        self.assert_interval(metrics["mean_accuracy_interval"], int(correct.sum()), len(rows))
        self.assertAlmostEqual(metrics["macro_f1"], f1_score(label, predicted, average="macro"))
        of_class_1 = np.where(predicted == 1, probability, 1 - probability)
        self.assertAlmostEqual(metrics["auroc"], roc_auc_score(label, of_class_1))
        self.assertAlmostEqual(metrics["expected_calibration_error"], calibration_error(probability, correct), delta=6e-6)
        for group in metrics["groups"]:
            members = [int(row["label"]) == int(row["prediction"]) for row in rows
                       if (int(row["label"]), int(row["attribute"])) == (group["label"], group["attribute"])]
            self.assertEqual(group["count"], len(members))
            self.assert_interval(group["interval"], sum(members), len(members))
        worst = min(metrics["groups"], key=lambda group: group["accuracy"])
        self.assertEqual(metrics["worst_group_interval"], worst["interval"])

    def test_predictions_are_the_softmax_of_the_model(self):
        metrics, rows = self.evaluate("--model", self.model, "--data", self.data)
        images, labels, attributes = self.tensors["test"]
        with torch.no_grad():
            probability, predicted = self.network(images).softmax(1).max(1)
        self.assertEqual([row["id"] for row in rows], [f"images/test_{i:03}.png" for i in range(SIZES["test"])])
        self.assertEqual([int(row["label"]) for row in rows], labels.tolist())
        self.assertEqual([int(row["attribute"]) for row in rows], attributes.tolist())
        self.assertEqual([int(row["prediction"]) for row in rows], predicted.tolist())
        for row, expected in zip(rows, probability.tolist()):
            self.assertAlmostEqual(float(row["probability"]), expected, places=5)
        of_embeddings, others = self.evaluate("--embeddings", self.embeddings)
        self.assertAlmostEqual(metrics["auroc"], of_embeddings["auroc"], places=3)
        self.assertEqual([row["id"] for row in others][:2], ["test[0]", "test[1]"])
        self.assertEqual([row["prediction"] for row in others], [row["prediction"] for row in rows])

    def test_of_a_part_they_are_its_rows(self):
        _, whole = self.evaluate("--embeddings", self.embeddings)
        parts = [self.evaluate("--embeddings", self.embeddings, "--split", f"test:{part}/2")[1] for part in (1, 2)]
        self.assertEqual(sorted(parts[0] + parts[1], key=lambda row: int(row["id"][5:-1])), whole)

    def test_ids_of_any_bytes_and_unknown_attributes(self):
        embeddings = self.copy(self.embeddings)
        tensors = load_file(embeddings / "test.safetensors")
        tensors["attributes"][0] = -1
        save_file(tensors, embeddings / "test.safetensors")
        ids = ['a,"b".png', "caf\\xE9.png", "two\\x0Alines", *map(str, range(3, SIZES["test"]))]
        (embeddings / "test.ids.txt").write_text("\n".join(ids) + "\n")
        _, rows = self.evaluate("--embeddings", embeddings)
        self.assertEqual([row["id"] for row in rows[:4]], ['a,"b".png', "caf\\xE9.png", "two\nlines", "3"])
        self.assertEqual([row["attribute"] for row in rows].index(""), 0)
        self.assertEqual([row["attribute"] for row in rows].count(""), 1)

    def test_what_is_not_known_is_null(self):
        embeddings = self.copy(self.embeddings)
        head = load_file(embeddings / "head.safetensors")
        weight = torch.cat([head["weight"], torch.zeros(1, 8)])
        save_file({"weight": weight, "bias": torch.cat([head["bias"], torch.full([1], -100.0)])},
                  embeddings / "head.safetensors")
        metrics, _ = self.evaluate("--embeddings", embeddings)
        self.assertIsNone(metrics["auroc"])
        self.assertIsNone(metrics["class_accuracy"][2])
        self.assertIsNotNone(metrics["expected_calibration_error"])
        process = neurontune("eval", "--embeddings", embeddings, "--require", "auroc>=0.5")
        self.assertEqual(process.returncode, 3)
        self.assertIn("auroc is not known", process.stderr)

    def test_text_has_a_row_for_each_group_the_worst_first(self):
        embeddings = self.copy(self.embeddings)
        names = {"labels": ["dim", "bright" * 20], "attributes": ["dark", "light"]}
        (embeddings / "names.json").write_text(json.dumps(names))
        metrics = json_of("eval", "--embeddings", embeddings)["metrics"]
        text = succeed("eval", "--embeddings", embeddings)
        lines = text.splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("group "))
        rows = lines[start + 2:start + 2 + len(metrics["groups"])]
        groups = sorted(metrics["groups"], key=lambda group: group["accuracy"])
        for row, group in zip(rows, groups):
            lower, upper = group["interval"]
            self.assertTrue(row.endswith(f"{group['count']}     {group['accuracy']:.3f}    {lower:.3f}–{upper:.3f}"), row)
        self.assertIn("dim with dark", text)
        narrow = subprocess.run([PROGRAM, "eval", "--embeddings", embeddings], capture_output=True, text=True,
                                env={**os.environ, "COLUMNS": "60"}).stdout
        self.assertLessEqual(max(map(len, narrow.splitlines())), 60, narrow)
        self.assertIn("…", narrow)
        for figure in ("macro F1", "AUROC", "calibration error"):
            self.assertIn(figure, text)

    def test_a_result_has_the_same_figures(self):
        out = self.out()
        result = json_of("run", "--model", self.model, "--data", self.data, "--out", out, *QUICK)
        evaluated = json_of("eval", "--model", out / "model.pt", "--data", self.data)["metrics"]
        tuned = result["tuned"]["test"]
        self.assertEqual(list(tuned), list(evaluated))
        self.assertEqual(tuned["groups"], evaluated["groups"])
        for key in ("auroc", "expected_calibration_error", "macro_f1"):
            self.assertTrue(math.isclose(tuned[key], evaluated[key], abs_tol=1e-4), key)


class Files(CliTest):
    def test_an_earlier_file_is_replaced_and_another_stays(self):
        out = self.out()
        evaluate = ["eval", "--embeddings", self.embeddings, "--require", "samples>=1"]
        for flag, name in (("--predictions", "new/predictions.csv"), ("--junit", "new/junit.xml")):
            succeed(*evaluate, flag, out / name)
            first = (out / name).read_bytes()
            succeed(*evaluate, flag, out / name)
            self.assertEqual((out / name).read_bytes(), first)
            other = self.copy(self.data) / "metadata.csv"
            before = other.read_bytes()
            self.assert_fails(1, "was not written by neurontune", *evaluate, flag, other)
            self.assertEqual(other.read_bytes(), before)
        self.assertEqual(sorted(path.name for path in (out / "new").iterdir()), ["junit.xml", "predictions.csv"])

    def test_a_failure_leaves_no_file_of_before(self):
        file = self.out() / "junit.xml"
        succeed("eval", "--embeddings", self.embeddings, "--require", "samples>=1", "--junit", file)
        self.assert_fails(1, "has no split `none`", "eval", "--embeddings", self.embeddings, "--split", "none", "--require",
                          "samples>=1", "--junit", file)
        self.assertFalse(file.exists())


class Junit(CliTest):
    def test_requirements_are_test_cases(self):
        file = self.out() / "junit.xml"
        evaluate = ["eval", "--embeddings", self.embeddings, "--junit", file, "--require"]
        succeed(*evaluate, "mean_accuracy>=0", "--require", "samples <= 200")
        self.assertEqual(junit_schema.read(file), {"mean_accuracy>=0": None, "samples <= 200": None})
        process = neurontune(*evaluate, "class_accuracy>1", "--require", "samples>=200")
        self.assertEqual(process.returncode, 3)
        cases = junit_schema.read(file)
        self.assertIsNone(cases["samples>=200"])
        self.assertRegex(cases["class_accuracy>1"], r"class_accuracy\.0 is .*short by")
        self.assertIn("class_accuracy.1 is", file.read_text())

    def test_figures_of_a_baseline_are_test_cases(self):
        out = self.out()
        compare = ["compare", "--embeddings", self.embeddings, "--out", out, "--seeds", 1, "--methods", "erm"]
        stored = json_of(*compare)
        baseline, file = self.out() / "stored.json", self.out() / "junit.xml"
        stored["methods"][0]["test"]["mean_accuracy"]["mean"] += 0.1
        name = 'a<&>"\'\u0001 é'
        stored["methods"].append(stored["methods"][0] | {"method": name})
        baseline.write_text(json.dumps(stored))
        succeed(*compare, "--baseline", baseline, "--junit", file, "--tolerance", 0.11)
        self.assertEqual(set(junit_schema.read(file).values()), {None})
        process = neurontune("compare", "--embeddings", self.embeddings, "--out", out, "--seeds", 1, "--baseline",
                             baseline, "--junit", file, *QUICK)
        self.assertEqual(process.returncode, 3)
        cases = junit_schema.read(file)
        self.assertEqual(len(cases), 8)
        self.assertIsNone(cases["erm: worst_group_accuracy"])
        self.assertIn("short by 0.0900", cases["erm: mean_accuracy"])
        self.assertIn("is not there", cases['a<&>"\'\\x01 é: mean_accuracy'])

    def test_a_schema_that_finds_faults(self):
        out = self.out()
        whole = ('<testsuites tests="1" failures="0" errors="0"><testsuite name="a" tests="1" failures="0" errors="0" skipped="0">'
                 '<testcase name="b" classname="c" time="0"/></testsuite></testsuites>')
        (out / "junit.xml").write_text(whole)
        junit_schema.read(out / "junit.xml")
        for old, new in (('tests="1"', 'tests="2"'), ('classname="c"', ""), ("testcase", "test"), ('time="0"', 'time="x"')):
            (out / "junit.xml").write_text(whole.replace(old, new))
            with self.assertRaises((AssertionError, KeyError)):
                junit_schema.read(out / "junit.xml")

    def test_wrong_usage(self):
        self.assert_fails(2, "--junit has nothing to write; expected --require", "eval", "--embeddings", self.embeddings,
                          "--junit", self.out() / "junit.xml")
        self.assert_fails(2, "--junit has nothing to write; expected --baseline", "compare", "--embeddings",
                          self.embeddings, "--out", self.out(), "--junit", self.out() / "junit.xml")


class ExitCodes(CliTest):
    KEEPS = ["--max-drop", 0, "--epochs", 1, "--batches-per-epoch", 1]

    def test_a_kept_head_ends_with_4_where_that_is_asked_for(self):
        embeddings = self.copy(self.embeddings)
        shutil.copy(embeddings / "val.safetensors", embeddings / "train.safetensors")
        head = load_file(embeddings / "head.safetensors")
        for split in SIZES:  # the head is right everywhere but for two samples: there is nothing to repair
            tensors = load_file(embeddings / f"{split}.safetensors")
            predicted = (tensors["embeddings"] @ head["weight"].T + head["bias"]).argmax(1)
            tensors["labels"] = predicted.clone()
            first, second = (int((predicted == label).nonzero()[0]) for label in (0, 1))
            tensors["labels"][[first, second]] = 1 - predicted[[first, second]]
            save_file(tensors, embeddings / f"{split}.safetensors")
        run = ["run", "--embeddings", embeddings, "--out", self.out(), *self.KEEPS]
        result = json_of(*run)
        self.assertEqual(result["selected"], "erm")
        process = neurontune(*run, "--exit-code", "--json")
        self.assertEqual(process.returncode, 4, process.stderr)
        self.assertNotIn("error:", process.stderr)
        self.assertEqual(json.loads(process.stdout)["selected"], "erm")
        full = subprocess.run(["bash", "-c", '"$0" "$@" > /dev/full', PROGRAM, *map(str, run), "--exit-code"],
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(full.returncode, 1)
        self.assertIn("error: stdout cannot be written", full.stderr)

    def test_a_repaired_head_ends_with_0(self):
        result = json_of("run", "--embeddings", self.embeddings, "--out", self.out(), "--recipe", "paper", "--exit-code",
                         *QUICK)
        self.assertNotEqual(result["selected"], "erm")

    def test_what_cannot_be_printed_is_a_failure_before_it_is_not_as_required(self):
        arguments = ["eval", "--embeddings", str(self.embeddings), "--require", "samples>1000"]
        full = subprocess.run(["bash", "-c", '"$0" "$@" > /dev/full', PROGRAM, *arguments], capture_output=True, text=True,
                              timeout=120)
        self.assertEqual(full.returncode, 1)
        self.assertEqual(full.stderr.splitlines()[-1], "error: stdout cannot be written: No space left on device")

    def test_help_names_them_all(self):
        text = " ".join(succeed("--help").split())
        for code in ("0 done", "1 failed", "2 wrong usage", "3 a check of --require or --baseline failed", "4 ERM's head kept"):
            self.assertIn(code, text)
        for command in ("eval", "compare"):
            self.assertIn("exits with 3", " ".join(succeed(command, "--help-all").split()))
