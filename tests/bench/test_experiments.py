"""bench/experiments.py: every experiment once, on a tiny set, and what its tables must hold."""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BENCH = pathlib.Path(__file__).parents[2] / "bench"
PROGRAM = os.environ["NEURONTUNE_PROGRAM"]
SHORT = ["--epochs", "3", "--batches-per-epoch", "10"]

sys.path.insert(0, str(BENCH))
from experiments import EXPERIMENTS, ranking, sfit  # noqa: E402
from experiments.workbench import SHORT_RETRAINING  # noqa: E402

SPLITS = ["identify train, tune train", "identify val, tune train"]
# The first column, or the first few of them, of each experiment's table.
ROWS = {
    "table4": ["ERM", *(f"recipe {recipe}, {splits}" for recipe in ("paper", "guarded") for splits in SPLITS),
               *(f"recipe {recipe}, identify {identify}, tune {tune}"
                 for identify, tune in (("val:1/2", "val:2/2"), ("val", "val")) for recipe in ("paper", "guarded"))],
    "table5": ["ERM", *(f"recipe {recipe}, mask_value {value}" for recipe in ("paper", "guarded")
                        for value in ("0", "0.2", "0.4", "0.6", "0.8", "1"))],
    "threshold": ["ERM", *(f"threshold {value}" for value in ("-0.1", "-0.02", "0", "0.02", "0.05", "0.1", "0.2")),
                  *(f"threshold_quantile {value}" for value in ("0.1", "0.25", "0.5", "0.75", "0.9", "0.95"))],
    "aggregate": ["ERM", *(f"aggregate {name}, threshold_quantile {quantile}"
                           for name in ("union", "intersection", "mean", "per_class") for quantile in ("none", "0.5"))],
    "activation": ["ERM", *(f"activation {activation}, aggregate {aggregate}"
                            for activation in ("raw", "magnitude") for aggregate in ("union", "mean"))],
    "keep": ["ERM", *(f"keep_at_least {count}" for count in (0, 2, 4, 8, 16, 32, 64, 128, 192, 256))],
    "refresh": ["ERM", *(f"recipe {recipe}, refresh {epochs}" for recipe in ("paper", "guarded")
                         for epochs in (0, 1, 2, 5, 10))],
    "start": ["ERM", *(f"start {start}, epochs {epochs}" for start in ("erm", "fresh") for epochs in (20, 60))],
    "sfit": ["sfit", "guarded_sfit", "balanced accuracy", "worst class", "last epoch", "worst group on val (oracle)"],
    "selection": ["sfit", "guarded_sfit", "balanced accuracy", "worst class", "worst inferred group ",
                  "worst inferred group, if a shortcut is found"],
    "label_noise": [f"{mask} {noise} %" for mask in ("λ = 0", "top quarter") for noise in (0, 10, 20, 30, 40)],
    "mixed_causes": ["none as train", "spurious as train", "subclass as train", "label noise as train",
                     "spurious + label noise as train", "spurious + subclass as train",
                     "spurious + subclass + label noise as train", "spurious balanced",
                     "spurious + label noise balanced", "spurious + subclass balanced",
                     "spurious + subclass + label noise balanced"],
    "identification_data": ["ERM", "val, held out", "train", "train, a tenth of highest loss",
                            "train, that tenth as the mistakes", "train, out-of-fold predictions"],
    "transfer": ["dominoes → others of the same kind", "dominoes → dominoes without correlation",
                 "dominoes without correlation → dominoes"],
    "earlier_layer": ["ERM –", *(f"`--head {head} {mask}" for head in
                                 ("classifier.2`: the last linear layer", "classifier`: linear, ReLU, linear")
                                 for mask in ("identified", "none"))],
}


def experiments(*arguments):
    return subprocess.run([sys.executable, "-B", BENCH / "experiments.py", *map(str, arguments)],
                          capture_output=True, text=True)


def printed_tables(text):
    """{experiment: [row, …]} of the first table below each heading, its own headings first."""
    tables = {}
    for section in text.split("### ")[1:]:
        name, _, body = section.partition("\n")
        lines = [line for line in body.splitlines() if line.startswith("|")]
        tables[name] = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines
                        if not line.startswith("| ---")]
    return tables


class Experiments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.out = pathlib.Path(cls.folder.name)
        done = experiments(PROGRAM, "all", "--quick", "--out", cls.out)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        cls.tables = printed_tables(done.stdout)
        cls.embeddings = cls.out / "sets/dominoes-2-0.95-0/embeddings"

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def raw(self, name):
        return json.loads((self.out / f"{name}.json").read_text())["raw"]

    def test_every_experiment_has_its_rows(self):
        self.assertEqual(list(self.tables), list(EXPERIMENTS))
        self.assertEqual(set(ROWS), set(EXPERIMENTS))
        for name, expected in ROWS.items():
            rows = self.tables[name][1:]
            self.assertEqual(len(rows), len(expected), name)
            for row, start in zip(rows, expected):
                self.assertTrue(" ".join(row).startswith(start), f"{name}: {row}, expected {start}")

    def test_worst_group_accuracies_are_there_and_fractions(self):
        for name, (headings, *rows) in self.tables.items():
            columns = [i for i, heading in enumerate(headings) if heading.startswith(("WGA", "regret"))]
            self.assertTrue(columns, name)
            for row in rows:
                for column in columns:
                    for text in row[column].split(" → "):
                        if (name, row[0], text) == ("identification_data", "ERM", "–"):
                            continue  # it has no last epoch
                        self.assertTrue(0 <= float(text) <= 1, f"{name}: {row}")

    def test_the_files_hold_the_printed_tables(self):
        for name in EXPERIMENTS:
            (table,) = json.loads((self.out / f"{name}.json").read_text())["tables"]
            self.assertEqual([table["headings"], *table["rows"]], self.tables[name])

    def test_a_head_behind_a_given_mask_is_the_one_that_run_selects(self):
        with tempfile.TemporaryDirectory() as out:
            done = subprocess.run([PROGRAM, "run", "--embeddings", self.embeddings, "--out", out, "--json", "--recipe",
                                   "guarded", *SHORT],
                                  capture_output=True, text=True, check=True)
        result = json.loads(done.stdout)
        expected = {"epoch": result["selected_epoch"],
                    "worst_group_accuracy": result["tuned"]["test"]["worst_group_accuracy"],
                    "mean_accuracy": result["tuned"]["test"]["mean_accuracy"]}
        self.assertEqual(SHORT, [str(part) for part in SHORT_RETRAINING])
        (identification,) = self.raw("identification_data")
        self.assertEqual(identification["sources"][0]["selected"], expected)
        (noise,) = self.raw("label_noise")
        self.assertEqual(noise["masks"]["λ = 0"]["levels"][0]["selected"], expected)
        (transfer,) = self.raw("transfer")["dominoes without correlation → dominoes"]
        self.assertEqual(transfer["masks"]["own"]["selected"], expected)
        self.assertEqual(identification["sources"][0]["biased"], result["biased_dimensions"]["count"])

    def test_noise_makes_mistakes_and_moves_flags(self):
        (one,) = self.raw("label_noise")
        for levels in (mask["levels"] for mask in one["masks"].values()):
            self.assertEqual((levels[0]["jaccard"], levels[0]["mistakes_by_noise"]), (1, 0))
            mistakes = [level["mistakes_by_noise"] for level in levels]
            self.assertEqual(mistakes, sorted(mistakes))
            self.assertGreater(mistakes[-1], mistakes[1])
            self.assertLess(levels[-1]["jaccard"], 1)

    def test_spurious_neurons_alone_are_flagged_where_only_they_cause_mistakes(self):
        (case,) = [case for case in self.raw("mixed_causes")
                   if case["causes"] == ["spurious"] and case["balanced_val"]]
        (run,) = case["runs"]
        self.assertEqual((run["flagged"]["spurious"], run["flagged"]["core"]), (1, 0))
        self.assertGreater(run["tuned"]["worst_group"], run["erm"]["worst_group"])

    def test_given_embeddings_take_the_place_of_the_sets(self):
        with tempfile.TemporaryDirectory() as out:
            done = experiments(PROGRAM, "activation", "--quick", "--embeddings", self.embeddings, "--out", out)
            self.assertFalse((pathlib.Path(out) / "sets").exists())
        (headings, *rows) = printed_tables(done.stdout)["activation"]
        self.assertEqual(headings[-1], f"WGA, {self.embeddings}")
        self.assertEqual([row[2] for row in rows], [row[2] for row in self.tables["activation"][1:]])


class Usage(unittest.TestCase):
    def test_wrong_usage_and_failures(self):
        with tempfile.TemporaryDirectory() as out:
            for code, part, arguments in (
                    (2, "invalid choice: 'table6'", [PROGRAM, "table6"]),
                    (2, "seeds is 0, expected at least 1", [PROGRAM, "table4", "--seeds", 0]),
                    (1, "error: /nowhere: there is no such file", ["/nowhere", "table4"]),
                    (1, "error: earlier_layer makes its own data", [PROGRAM, "earlier_layer", "--embeddings", out])):
                done = experiments(*arguments, "--out", out)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(part, done.stderr.strip().splitlines()[-1])
                self.assertEqual(done.stdout, "")


class Ranking(unittest.TestCase):
    def test_rank_correlation_is_spearmans(self):
        self.assertAlmostEqual(ranking.rank_correlation([1, 2, 3, 4], [10, 20, 30, 400]), 1)
        self.assertAlmostEqual(ranking.rank_correlation([1, 2, 3], [3, 2, 1]), -1)
        self.assertAlmostEqual(ranking.rank_correlation([1, 2, 2, 3], [1, 3, 2, 4]), 4.5 / math.sqrt(22.5))
        self.assertIsNone(ranking.rank_correlation([1, 1, 1], [1, 2, 3]))

    def test_regret_is_against_the_best_epoch(self):
        def epoch(number, sfit_, balanced, true):
            return {"epoch": number, "sfit": sfit_, "test": {"worst_group_accuracy": true},
                    "identify": {"balanced_accuracy": balanced, "worst_class_accuracy": balanced,
                                 "worst_group_accuracy": true}}

        judged = sfit.judge([epoch(1, 9.0, 0.5, 0.1), epoch(2, 3.0, 0.89, 0.6), epoch(3, 2.0, 0.9, 0.7),
                             epoch(4, None, 0.8, 0.3)])
        picks = {name: (figures["epoch"], round(figures["regret"], 6)) for name, figures in judged.items()}
        self.assertEqual(picks, {"sfit": (1, 0.6), "guarded_sfit": (2, 0.1), "balanced accuracy": (3, 0),
                                 "worst class": (3, 0), "last epoch": (4, 0.4),
                                 "worst group on val (oracle)": (3, 0)})


if __name__ == "__main__":
    unittest.main()
