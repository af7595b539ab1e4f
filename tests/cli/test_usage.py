"""How the program is called: help, suggestions, one meaning a flag, settings files, what a failure leaves."""

import json
import os
import shutil
import unittest

import yaml

from cli_test_case import QUICK, CliTest
from fixture import json_of, neurontune, succeed


class Usage(CliTest):
    def run_arguments(self, *more):
        return ["run", "--embeddings", self.embeddings, "--out", self.out() / "new", *QUICK, *more]

    # --- Help and suggestions -------------------------------------------------------------------

    def test_help_is_a_subcommand_too(self):
        self.assertEqual(succeed("help"), succeed("--help"))
        for command in ("run", "export", "compare"):
            self.assertEqual(succeed("help", command), succeed(command, "--help"))
        self.assert_fails(2, "there is no subcommand rum; the nearest known one is run", "help", "rum")

    def test_the_version_has_a_short_flag(self):
        self.assertEqual(succeed("-V"), succeed("--version"))

    def test_nothing_far_is_suggested(self):
        config = self.out() / "far.json"
        config.write_text('{"something": 1}')
        for arguments in (["frobnicate"], self.run_arguments("--frobnicate"), self.run_arguments("--config", config),
                          ["compare", "--embeddings", self.embeddings, "--out", self.out(), "--methods", "frobnicate"],
                          ["eval", "--embeddings", self.embeddings, "--require", "something>=1"],
                          ["embed", "--model", self.model, "--data", self.data, "--out", self.out(), "--format", "frobnicate"]):
            process = neurontune(*arguments)
            self.assertEqual(process.returncode, 2, process.stderr)
            self.assertNotIn("nearest", process.stderr)

    # --- One meaning a flag ---------------------------------------------------------------------

    def test_the_model_stands_with_or_without_its_flag(self):
        head, data = ["--head", self.embeddings / "head.safetensors"], ["--data", self.data]
        for command, more in (("inspect", []), ("embed", [*data]), ("eval", [*data]), ("run", [*data, *QUICK]),
                              ("export", head)):
            for model in ([self.model], ["--model", self.model]):
                out = [] if command in ("inspect", "eval") else ["--out", self.out() / "new"]
                succeed(command, *model, *more, *out)
        for command in ("inspect", "embed", "export"):
            out = [] if command == "inspect" else ["--out", self.out() / "new"]
            self.assert_fails(2, "--model is required", command, *(head if command == "export" else []), *out,
                              *(data if command == "embed" else []))

    def test_two_models_are_wrong_usage(self):
        for command in (["inspect"], ["eval", "--data", self.data], ["run", "--data", self.data, "--out", self.out()]):
            self.assert_fails(2, "--model", *command, self.model, "--model", self.repaired_model())
            self.assert_fails(2, "--model", *command, "--model", self.model, "--model", self.repaired_model())

    def repaired_model(self):
        return shutil.copy(self.model, self.out() / "other.pt")

    def test_the_name_of_the_head_is_head_name_everywhere(self):
        data = ["--data", self.data]
        for name in ("classifier", "none"):
            code = 0 if name == "classifier" else 1
            for command, more in (("inspect", []), ("embed", data), ("eval", data), ("run", [*data, *QUICK]),
                                  ("export", ["--head", self.embeddings / "head.safetensors"])):
                for flag in ("--head-name",) if command in ("eval", "export") else ("--head-name", "--head"):
                    out = [] if command in ("inspect", "eval") else ["--out", self.out() / "new"]
                    process = neurontune(command, self.model, *more, flag, name, *out)
                    self.assertEqual(process.returncode, code, (command, flag, process.stderr))

    def test_settings_that_have_no_effect_are_warned_of(self):
        for flags, part in ((["--max-drop", 0.2, "--criterion", "sfit"], "--max-drop has no effect here: it needs --criterion"),
                            (["--guard", 0.2], "--guard has no effect here: it needs --criterion guarded_sfit"),
                            (["--false-discovery-rate", 0.2, "--significance", "none"], "--false-discovery-rate has no effect"),
                            (["--threshold", 0.2, "--threshold-quantile", 0.9], "--threshold has no effect"),
                            (["--extract-batch", 3], "--extract-batch has no effect here: it needs --model and --data")):
            process = neurontune(*self.run_arguments(*flags))
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertIn(f"warning: {part}", process.stderr)
        self.assertNotIn("no effect", neurontune(*self.run_arguments("--max-drop", 0.2, "--threshold", 0.1)).stderr)

    # --- Paths ----------------------------------------------------------------------------------

    def test_an_empty_out_is_wrong_usage(self):
        for command in (["run", "--embeddings", self.embeddings], ["embed", self.model, "--data", self.data],
                        ["score", "--embeddings", self.embeddings],
                        ["export", self.model, "--head", self.embeddings / "head.safetensors"]):
            self.assert_fails(2, "--out: is empty, expected a path", *command, "--out", "")

    def test_links_to_nothing_are_named(self):
        link = self.out() / "link"
        link.symlink_to("gone")
        self.assert_fails(1, f"{link}: is a link to gone, which is not there", "run", "--embeddings", self.embeddings, "--out",
                          link, *QUICK)
        for arguments in (["inspect", link], ["run", "--embeddings", link, "--out", self.out()],
                          ["embed", self.model, "--data", link, "--out", self.out()],
                          ["run", "--config", link, "--out", self.out()]):
            self.assert_fails(1, str(link), *arguments)

    def test_a_failed_command_leaves_no_empty_folder(self):
        new, kept = self.out() / "new", self.out()
        for arguments in (["run", "--embeddings", "nowhere", *QUICK], ["run", "--embeddings", self.embeddings, "--tune", "exam"],
                          ["run", "nowhere.pt", "--data", self.data], ["embed", "nowhere.pt", "--data", self.data],
                          ["compare", "--embeddings", "nowhere"], ["score", "--embeddings", "nowhere"]):
            self.assertEqual(neurontune(*arguments, "--out", new).returncode, 1)
            self.assertFalse(new.exists(), arguments)
            neurontune(*arguments, "--out", kept)
            self.assertTrue(kept.exists())
            succeed(*self.run_arguments()[:3], "--out", new, *QUICK)
            self.assertTrue((new / "result.json").exists())
            os.rename(new, self.out() / "moved")

    # --- Settings in YAML -----------------------------------------------------------------------

    def test_a_config_in_yaml_does_the_same(self):
        of_json, of_yaml = self.out(), self.out()
        config = self.out() / "my.json"
        succeed("run", "--embeddings", self.embeddings, "--out", of_json, *QUICK, "--seed", 7)
        settings = json.loads((of_json / "config.json").read_text())
        for name in ("my.yaml", "my.yml"):
            config = config.with_name(name)
            config.write_text(yaml.safe_dump(settings))
            succeed("run", "--config", config, "--out", of_yaml)
            for written in ("head.safetensors", "config.json"):
                self.assertEqual((of_json / written).read_bytes(), (of_yaml / written).read_bytes(), name)

    def test_a_wrong_config_in_yaml_is_two(self):
        config = self.out() / "wrong.yaml"
        for text, part in (("tune: {epoch: 3}", "wrong.yaml: unknown key tune.epoch; the nearest known one is tune.epochs"),
                           ("tune: {epochs: '3'}", 'tune.epochs is "3", expected a whole number'),
                           ("seed: 1\nseed: 2\n", "line 2, column 1: the key seed is given twice"),
                           ("tune: [1", "wrong.yaml: is not YAML"), ("- 1", "is not a YAML mapping of settings")):
            config.write_text(text)
            self.assert_fails(2, part, *self.run_arguments("--config", config))


class Card(CliTest):
    def front_matter(self, out):
        text = (out / "MODEL_CARD.md").read_text()
        self.assertTrue(text.startswith("---\n"))
        return yaml.safe_load(text.split("\n---\n")[0])

    def metrics(self, out):
        found = self.front_matter(out)["model-index"][0]["results"][0]
        self.assertEqual(found["dataset"]["split"], "test")
        return {metric["name"]: (metric["type"], metric["value"]) for metric in found["metrics"]}

    def test_its_front_matter_has_the_metrics_of_test(self):
        out = self.out()
        result = json_of("run", self.model, "--data", self.data, "--out", out, *QUICK)
        metrics, before, after = self.metrics(out), result["erm"]["test"], result["tuned"]["test"]
        self.assertEqual(metrics["Worst-group accuracy"], ("worst_group_accuracy", after["worst_group_accuracy"]))
        self.assertEqual(metrics["Worst-group accuracy before the repair"],
                         ("worst_group_accuracy", before["worst_group_accuracy"]))
        self.assertEqual(metrics["Accuracy"], ("accuracy", after["mean_accuracy"]))
        self.assertEqual(self.front_matter(out)["model-index"][0]["name"], "erm")
        text = (out / "MODEL_CARD.md").read_text()
        for group in after["groups"]:
            label, attribute = ("dim", "bright")[group["label"]], ("dark", "light")[group["attribute"]]
            self.assertIn(f"| {label} | {attribute} | {group['count']} |", text)
        self.assertNotIn(str(self.folder), text)

    def test_it_is_the_same_each_time(self):
        outs = [self.out(), self.out()]
        for out in outs:
            succeed("run", "--embeddings", self.embeddings, "--out", out, *QUICK)
        self.assertEqual(*((out / "MODEL_CARD.md").read_bytes() for out in outs))

    def test_names_of_any_kind_are_read_back_by_pyyaml(self):
        for name in ('a: "b" # c', "- it's {x}, [y]", "line\nbreak", "\u2028é😀", os.fsdecode(b"caf\xe9"), "yes", "1e3", "%&*!|>@`"):
            embeddings = self.out() / name
            embeddings.mkdir()
            for path in self.embeddings.iterdir():
                (embeddings / path.name).write_bytes(path.read_bytes())
            (embeddings / "names.json").write_text(json.dumps({"labels": ["a|b\n---\n", "<b>"], "attributes": [":", "#"]}))
            out = self.out()
            succeed("run", "--embeddings", embeddings, "--out", out, *QUICK)
            found = self.front_matter(out)["model-index"][0]["results"][0]["dataset"]["name"]
            self.assertEqual(found, name.replace("\n", "\\x0A").replace(os.fsdecode(b"\xe9"), "\\xE9"))


if __name__ == "__main__":
    unittest.main()
