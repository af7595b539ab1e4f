"""compare, ablate and eval --require: several methods and settings on one set of embeddings."""

import csv
import json
import statistics

from cli_test_case import QUICK, CliTest
from fixture import SIZES, json_of, load_file, neurontune, save_file, succeed

METHODS = ["erm", "llr", "llr_val", "bias_shift", "anchored", "dfr", "dfr_val", "afr", "shortcut_probe", "self", "neurontune", "neurontune_half",
           "rebalanced", "rebalanced_masked", "neurontune_default"]
PAPER = ["--recipe", "paper", "--keep-at-least", 0]  # as the recipe has it: QUICK has another
FIGURES = ["mean_accuracy", "adjusted_mean_accuracy", "worst_group_accuracy", "worst_class_accuracy"]


def without_clock(report):
    for method in report["methods"]:
        del method["seconds"]
    return report


class Compare(CliTest):
    def test_every_method_with_its_figures_and_what_it_saw(self):
        out = self.out()
        printed = json_of("compare", "--embeddings", self.embeddings, "--out", out, "--seeds", 3, *QUICK)
        report = json.loads((out / "compare.json").read_text())
        self.assertEqual(printed, report)
        self.assertEqual([method["method"] for method in report["methods"]], METHODS)
        self.assertEqual(report["seeds"], [0, 1, 2])
        for method in report["methods"]:
            self.assertEqual(method["oracle"], any("attributes" in name for name in method["sees"]))
            self.assertTrue(method["selection"])
            if method["method"] == "neurontune_half":  # recipe paper spares no dimension of the few here
                self.assertIn("is flagged as biased", method["failure"])
                continue
            self.assertNotIn("failure", method)
            self.assertEqual(list(method["test"]), FIGURES)
            for figure in method["test"].values():
                self.assertEqual(len(figure["values"]), 3)
                self.assertAlmostEqual(figure["mean"], statistics.mean(figure["values"]))
                self.assertAlmostEqual(figure["std"], statistics.stdev(figure["values"]))
            self.assertGreaterEqual(method["seconds"], 0)
        sees = {method["method"]: set(method["sees"]) for method in report["methods"]}
        self.assertEqual(sees["llr"], {"train_labels"})
        self.assertEqual(sees["dfr"], {"train_labels", "train_attributes", "val_labels", "val_attributes"})
        self.assertEqual(sees["dfr_val"], {"val_labels", "val_attributes"})
        for name in ["llr_val", "bias_shift", "anchored", "afr"]:
            self.assertEqual(sees[name], {"val_labels"})
        self.assertEqual(sees["neurontune"], {"train_labels", "val_labels"})
        self.assertEqual(sees["neurontune_half"], {"val_labels"})

    def test_the_tables_hold_the_same_figures(self):
        out = self.out()
        report = json_of("compare", "--embeddings", self.embeddings, "--out", out, "--seeds", 2, "--methods", "llr,dfr",
                         *QUICK)
        with open(out / "compare.csv", newline="") as file:
            rows = {row["method"]: row for row in csv.DictReader(file)}
        markdown = (out / "compare.md").read_text()
        self.assertEqual(set(rows), {"llr", "dfr"})
        for method in report["methods"]:
            worst = method["test"]["worst_group_accuracy"]
            row = rows[method["method"]]
            self.assertAlmostEqual(float(row["worst_group_accuracy_mean"]), worst["mean"], places=5)
            self.assertAlmostEqual(float(row["worst_group_accuracy_std"]), worst["std"], places=5)
            self.assertEqual(row["oracle"], "1" if method["method"] == "dfr" else "0")
            self.assertIn(f"{worst['mean']:.3f} ± {worst['std']:.3f}", markdown)
        self.assertIn("dfr (oracle)", markdown)

    def test_erm_and_neurontune_are_what_eval_and_run_say(self):
        compare = ["compare", "--embeddings", self.embeddings, "--out", self.out(), "--seeds", 2, *QUICK]
        report = json_of(*compare, "--methods", "erm,neurontune,neurontune_default")
        test = {method["method"]: method["test"] for method in report["methods"]}
        erm = json_of("eval", "--embeddings", self.embeddings)["metrics"]
        for figure in FIGURES:
            self.assertEqual(test["erm"][figure]["values"], [erm[figure]] * 2)
        for method, flags in {"neurontune": PAPER, "neurontune_default": []}.items():
            for seed in (0, 1):
                run = json_of("run", "--embeddings", self.embeddings, "--out", self.out(), "--seed", seed, *QUICK, *flags)
                for figure in FIGURES:
                    self.assertEqual(test[method][figure]["values"][seed], run["tuned"]["test"][figure], (method, figure))

    def test_again_gives_the_same_figures(self):
        compare = ["compare", "--embeddings", self.embeddings, "--seeds", 1, *QUICK]
        first, second = (without_clock(json_of(*compare, "--out", self.out())) for _ in range(2))
        self.assertEqual(first, second)

    def test_from_a_model_it_extracts_and_compares(self):
        out = self.out()
        json_of("compare", "--model", self.model, "--data", self.data, "--out", out, "--seeds", 1, "--methods",
                "erm,self", *QUICK)
        self.assertTrue((out / "embeddings/val.safetensors").is_file())
        self.assertTrue((out / "compare.json").is_file())

    def test_only_methods_without_an_oracle_where_there_are_no_attributes(self):
        compare = ["compare", "--embeddings", self.without_attributes(), "--out", self.out(), "--seeds", 1, *QUICK]
        report = json_of(*compare)
        self.assertEqual([method["method"] for method in report["methods"]], 
                         [m for m in METHODS if not m.startswith("dfr")])
        self.assertIn("dfr is left out", report["warnings"][0])
        self.assertEqual(list(report["methods"][0]["test"]), ["mean_accuracy", "worst_class_accuracy"])
        self.assert_fails(1, "has no attributes", *compare, "--methods", "dfr")

    def test_the_splits_that_lack_attributes_are_named(self):
        embeddings = self.copy(self.embeddings)
        tensors = load_file(embeddings / "train.safetensors")
        save_file({name: tensors[name] for name in ("embeddings", "labels")}, embeddings / "train.safetensors")
        compare = ["compare", "--embeddings", embeddings, "--out", self.out(), "--seeds", 1, *QUICK]
        report = json_of(*compare)
        self.assertIn("dfr is left out, since it sees the attributes of train, which has none", report["warnings"])
        self.assertIn("worst_group_accuracy", report["methods"][0]["test"])
        self.assertNotIn("adjusted_mean_accuracy", report["methods"][0]["test"])

    def test_an_oracle_uses_the_samples_whose_attribute_is_known(self):
        embeddings = self.copy(self.embeddings)
        tensors = load_file(embeddings / "val.safetensors")
        tensors["attributes"][:5] = -1
        save_file(tensors, embeddings / "val.safetensors")
        report = json_of("compare", "--embeddings", embeddings, "--out", self.out(), "--seeds", 1, "--methods", "dfr")
        self.assertIn("dfr: val: 295 of 300 samples have a known attribute; only these are used",
                      report["warnings"])

    def test_a_method_that_fails_is_named_and_the_others_go_on(self):
        report = json_of("compare", "--embeddings", self.embeddings, "--out", self.out(), "--seeds", 1, "--methods",
                         "erm,neurontune_default", "--recipe", "guarded", "--threshold", -100, "--keep-at-least", 0)
        erm, neurontune = report["methods"]
        self.assertNotIn("failure", erm)
        self.assertIn("is flagged as biased", neurontune["failure"])
        self.assertEqual(neurontune["test"], {})
        self.assertTrue(any("neurontune_default could not be run" in warning for warning in report["warnings"]))

    def test_a_pick_that_depends_on_the_seed_is_called_out(self):
        # A single step from a random head ends anywhere, from the ERM head always in the same place.
        for start, unstable in {"fresh": True, "erm": False}.items():
            report = json_of("compare", "--embeddings", self.without_attributes(), "--out", self.out(), "--methods",
                             "neurontune_default", "--epochs", 1, "--batches-per-epoch", 1, "--batch-size", 2, "--lr",
                             0.1, "--recipe", "guarded", "--keep-at-least", 8, "--start", start)
            spread = report["methods"][0]["test"]["worst_class_accuracy"]["std"]
            self.assertEqual(spread > 0.05, unstable)
            warned = [warning for warning in report["warnings"] if "the selected head varies with the seed" in warning]
            self.assertEqual(len(warned), unstable)

    def test_against_a_stored_result(self):
        out = self.out()
        compare = ["compare", "--embeddings", self.embeddings, "--out", out, "--seeds", 1, "--methods", "erm,llr", *QUICK]
        stored = json_of(*compare)
        file = self.out() / "stored.json"

        def store(raise_by):
            raised = json.loads(json.dumps(stored))
            raised["methods"][0]["test"]["mean_accuracy"]["mean"] += raise_by
            file.write_text(json.dumps(raised))

        store(0)
        succeed(*compare, "--baseline", file, "--tolerance", 0)
        store(0.009)
        succeed(*compare, "--baseline", file)
        store(0.03)
        process = neurontune(*compare, "--baseline", file, "--json")
        self.assertEqual(process.returncode, 3)
        self.assertRegex(process.stderr.strip().splitlines()[-1], r"^error: .*erm: mean_accuracy is .*: short by 0\.0200$")
        self.assertEqual(json.loads(process.stdout)["methods"][0]["method"], "erm")
        succeed(*compare, "--baseline", file, "--tolerance", 0.031)
        file.write_text('{"methods": [{"method": "erm"}]}')
        self.assert_fails(1, "is no compare.json", *compare, "--baseline", file)
        stored["methods"][0]["method"] = "afr"
        store(0)
        succeed(*compare, "--baseline", file)  # what was not asked for is not missed
        self.assert_fails(1, "no figure of the methods", "compare", "--embeddings", self.embeddings, "--out", out,
                          "--methods", "self", "--baseline", file)

    def test_a_stored_method_that_is_not_there_any_more_falls_short(self):
        stored = self.out() / "stored.json"
        figure = {"mean": 0.1, "std": 0, "values": [0.1]}
        stored.write_text(json.dumps({"methods": [{"method": "dfr", "test": {"mean_accuracy": figure}}]}))
        process = neurontune("compare", "--embeddings", self.without_attributes(), "--out", self.out(), "--seeds", 1,
                             "--baseline", stored, *QUICK)
        self.assertEqual(process.returncode, 3)
        self.assertIn("dfr: mean_accuracy is not there, expected 0.1000", process.stderr)

    def test_the_paper_form_stays_the_papers_whatever_the_config_says(self):
        run = self.out()
        succeed("run", "--embeddings", self.embeddings, "--out", run, *QUICK)
        methods = ["--methods", "neurontune,neurontune_default", "--seeds", 1]
        plain = json_of("compare", "--embeddings", self.embeddings, "--out", self.out(), *methods, *QUICK)
        out = self.out()
        configured = json_of("compare", "--config", run / "config.json", "--out", out, *methods)
        for before, after in zip(plain["methods"], configured["methods"]):
            self.assertEqual(before["test"], after["test"])
        self.assertTrue(configured["methods"][0]["selection"].endswith("the head by sfit on val"))
        self.assertIn("recipe robust with other settings", configured["methods"][1]["selection"])
        self.assertEqual((out / "config.json").read_text(), (run / "config.json").read_text())
        swept = json_of("ablate", "--config", run / "config.json", "--out", self.out(), "--sweep", "recipe=robust,paper")
        self.assertEqual(swept["points"][1]["test"]["worst_group_accuracy"]["mean"],
                         plain["methods"][0]["test"]["worst_group_accuracy"]["mean"])

    def test_a_head_thrown_to_infinity_is_no_result(self):
        report = json_of("compare", "--embeddings", self.embeddings, "--out", self.out(), "--seeds", 1, "--methods", "erm,llr",
                         "--lr", 1e38)
        self.assertIn("has become infinite", report["methods"][1]["failure"])

    def test_wrong_usage(self):
        compare = ["compare", "--embeddings", self.embeddings, "--out", self.out()]
        self.assert_fails(2, "unknown method nerontune; the nearest known one is neurontune", *compare, "--methods", "nerontune")
        self.assert_fails(2, "seeds is 0, expected 1 to 10000", *compare, "--seeds", 0)
        self.assert_fails(2, "seeds is", *compare, "--seeds", "99999999999999999999")
        for tolerance in (-1, "nan", "inf"):
            self.assert_fails(2, "tolerance is", *compare, "--tolerance", tolerance)
        self.assert_fails(1, "/proc", "compare", "--embeddings", self.embeddings, "--out", "/proc/none")
        embeddings = self.copy(self.embeddings)
        (embeddings / "test.safetensors").unlink()
        self.assert_fails(1, "test", "compare", "--embeddings", embeddings, "--out", self.out())


class Ablate(CliTest):
    def ablate(self, *arguments):
        out = self.out()
        report = json_of("ablate", "--embeddings", self.embeddings, "--out", out, *QUICK, *arguments)
        self.assertEqual(json.loads((out / "ablate.json").read_text()), report)
        return report, out

    def test_every_combination_is_what_run_gives(self):
        report, out = self.ablate("--sweep", "identify.mask_value=0,0.5", "--sweep", "tune.start=erm,fresh", "--seeds", 2)
        settings = [(point["settings"]["identify.mask_value"], point["settings"]["tune.start"]) for point in report["points"]]
        self.assertEqual(settings, [("0", "erm"), ("0", "fresh"), ("0.5", "erm"), ("0.5", "fresh")])
        run = json_of("run", "--embeddings", self.embeddings, "--out", self.out(), *QUICK, "--mask-value", 0.5, "--start",
                      "fresh", "--seed", 1)
        point = report["points"][3]
        self.assertEqual(point["test"]["worst_group_accuracy"]["values"][1], run["tuned"]["test"]["worst_group_accuracy"])
        self.assertEqual(point["runs"][1]["selected_epoch"], run["selected_epoch"])
        self.assertEqual(point["runs"][1]["biased"], run["biased_dimensions"]["count"])
        self.assertEqual(report["erm"], run["erm"]["test"])
        with open(out / "ablate.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([(row["identify.mask_value"], row["tune.start"]) for row in rows], settings)
        self.assertAlmostEqual(float(rows[3]["worst_group_accuracy_mean"]), point["test"]["worst_group_accuracy"]["mean"])

    def test_splits_and_recipes_can_be_swept(self):
        report, _ = self.ablate("--sweep", "splits.identify=train,val", "--sweep", "recipe=paper,robust")
        self.assertEqual(len(report["points"]), 4)
        self.assertEqual([point["settings"]["recipe"] for point in report["points"] if "failure" not in point],
                         ["robust", "paper", "robust"])  # on train the paper's recipe flags every dimension

    def test_the_trajectory_has_the_true_figures_of_every_epoch(self):
        report, _ = self.ablate("--sweep", "select.criterion=sfit", "--trajectory")
        run = report["points"][0]["runs"][0]
        self.assertEqual([epoch["epoch"] for epoch in run["trajectory"]], [1, 2, 3, 4])
        picked = run["trajectory"][run["selected_epoch"] - 1]
        self.assertEqual(picked["test"]["worst_group_accuracy"],
                         report["points"][0]["test"]["worst_group_accuracy"]["mean"])
        self.assertEqual(picked["sfit"], run["sfit"])
        self.assertEqual(picked["identify"]["samples"], SIZES["val"])
        self.assertEqual(picked["sfit"], max(epoch["sfit"] for epoch in run["trajectory"]))

    def test_a_point_that_fails_says_why_and_the_others_go_on(self):
        report, _ = self.ablate("--sweep", "identify.threshold=0,-100", "--recipe", "guarded", "--keep-at-least", 0)
        self.assertNotIn("failure", report["points"][0])
        self.assertIn("is flagged as biased", report["points"][1]["failure"])
        self.assert_fails(1, "no point could be run", "ablate", "--embeddings", self.embeddings, "--out", self.out(), "--sweep",
                          "identify.threshold=-100", "--recipe", "guarded", "--keep-at-least", 0)

    def test_runs_carry_their_warnings(self):
        report, _ = self.ablate("--sweep", "identify.keep_at_least=4,8")
        self.assertIn("keep_at_least limits the mask", report["points"][0]["runs"][0]["warnings"][0])

    def test_a_sweep_that_changes_no_result_is_warned_of(self):
        report, _ = self.ablate("--sweep", "select.guard=0,0.1", "--sweep", "tune.epochs=1,4", "--recipe", "paper")
        self.assertEqual(len(report["warnings"]), 1, report["warnings"])
        self.assertIn("the sweep of select.guard changes no result: 0, 0.1 give the same; it is used only with "
                      "select.criterion guarded_sfit", report["warnings"][0])
        process = neurontune("ablate", "--embeddings", self.embeddings, "--out", self.out(), *QUICK, "--sweep",
                             "select.guard=0,0.1")
        self.assertIn("warning: the sweep of select.guard changes no result", process.stderr)

    def test_quantiles_flag_that_share(self):
        report, _ = self.ablate("--sweep", "identify.threshold_quantile=none,0,0.5,1", "--recipe", "guarded",
                                "--keep-at-least", 0)
        masked = [point["runs"][0]["biased"] for point in report["points"]]
        self.assertEqual(masked[1:], [7, 4, 0])

    def test_wrong_usage(self):
        ablate = ["ablate", "--embeddings", self.embeddings, "--out", self.out(), "--sweep"]
        self.assert_fails(2, "expected KEY=VALUE", *ablate, "identify.mask_value")
        self.assert_fails(2, "expected KEY=VALUE", *ablate, "identify.mask_value=0,,1")
        self.assert_fails(2, "the key is seed", *ablate, "seed=1,2")
        self.assert_fails(2, "mask_value", *ablate, "identify.mask_valu=0,1")
        self.assert_fails(2, "is 2, expected 0 to 1", *ablate, "identify.mask_value=0,2")
        self.assert_fails(2, "is swept twice", *ablate, "tune.epochs=1", "--sweep", "tune.epochs=2")


class Require(CliTest):
    def test_what_is_met_exits_0_and_what_is_not_says_by_how_much(self):
        worst = json_of("eval", "--embeddings", self.embeddings)["metrics"]["worst_group_accuracy"]
        evaluate = ["eval", "--embeddings", self.embeddings, "--require"]
        succeed(*evaluate, f"worst_group_accuracy>={worst}", "--require", "samples >= 200", "--require", "mean_accuracy<1.01")
        process = neurontune(*evaluate, f"worst_group_accuracy>={worst + 0.25}", "--json")
        self.assertEqual(process.returncode, 3)
        self.assertRegex(process.stderr.strip().splitlines()[-1], r"^error: test: worst_group_accuracy is .*short by 0\.25$")
        self.assertEqual(json.loads(process.stdout)["metrics"]["worst_group_accuracy"], worst)

    def test_every_requirement_not_met_is_listed(self):
        process = neurontune("eval", "--embeddings", self.embeddings, "--require", "mean_accuracy>1", "--require",
                             "samples<100", "--require", "mean_accuracy>0")
        self.assertEqual(process.returncode, 3)
        self.assertEqual(process.stderr.count("required"), 3)  # one a line, and the first again in the last
        self.assertTrue(process.stderr.strip().splitlines()[-1].startswith("error: test: 2 findings"))

    def test_keys_reach_inside_lists(self):
        evaluate = ["eval", "--embeddings", self.embeddings, "--require"]
        succeed(*evaluate, "class_accuracy>=0", "--require", "class_accuracy.1>=0", "--require", "groups.0.count>=1")
        process = neurontune(*evaluate, "class_accuracy>1")
        self.assertEqual(process.returncode, 3)
        self.assertIn("class_accuracy.0", process.stderr)
        self.assertIn("class_accuracy.1", process.stderr)

    def test_wrong_usage(self):
        evaluate = ["eval", "--embeddings", self.embeddings, "--require"]
        self.assert_fails(2, "expected KEY>=NUMBER", *evaluate, "worst_group_accuracy")
        self.assert_fails(2, "expected KEY>=NUMBER", *evaluate, "worst_group_accuracy>=high")
        self.assert_fails(2, "the nearest known one is worst_group_accuracy", *evaluate, "worst_group_acuracy>=0.8")
        self.assert_fails(2, "worst_group.place", *evaluate, "worst_group.place>=0.8")
        self.assert_fails(2, "is no number", *evaluate, "worst_group>=0.8")
