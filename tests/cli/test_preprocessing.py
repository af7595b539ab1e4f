"""How images become the model's input: it travels with the model, and what does not fit is explained."""

import json

import torch
from torch import nn

from cli_test_case import QUICK, CliTest
from fixture import json_of, neurontune, succeed


class Pooled(nn.Module):
    """Takes colour images of any size from 4 x 4."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(48, 8)
        self.classifier = nn.Linear(8, 2)

    def forward(self, x):
        pooled = nn.functional.adaptive_avg_pool2d(x, 4)
        return self.classifier(torch.relu(self.embed(pooled.flatten(1))))


class Preprocessing(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.repaired = cls.folder / "repaired"
        cls.result = json_of("run", "--model", cls.model, "--data", cls.data, "--out", cls.repaired, *QUICK)

    def without_transform(self):
        data = self.copy(self.data)
        (data / "transform.json").unlink()
        return data

    def test_it_is_stored_as_resolved_and_used_with_the_repaired_model(self):
        stored = json.loads((self.repaired / "transform.json").read_text())
        own = json.loads((self.data / "transform.json").read_text())
        self.assertEqual(stored, own | {"interpolation": "bilinear"})
        self.assertEqual(json.loads((self.repaired / "config.json").read_text())["data"]["transform"], stored)
        data = self.without_transform()
        process = neurontune("eval", "--model", self.repaired / "model.pt", "--data", data, "--json", "--log-level", "info")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(json.loads(process.stdout)["metrics"]["groups"], self.result["tuned"]["test"]["groups"])
        self.assertIn(f"images: preprocessed as {self.repaired / 'transform.json'} says", process.stderr)
        out = self.out()
        succeed("embed", "--model", self.repaired / "model.pt", "--data", data, "--out", out)
        self.assertEqual((out / "test.safetensors").read_bytes(),
                         (self.repaired / "embeddings/test.safetensors").read_bytes())

    def test_it_overrides_the_datas_own_file(self):
        data = self.without_transform()
        (data / "transform.json").write_text(json.dumps({"mean": [0.25]}))
        process = neurontune("eval", "--model", self.repaired / "model.pt", "--data", data, "--json")
        self.assertEqual(process.stderr, "")
        self.assertEqual(json.loads(process.stdout)["metrics"]["groups"], self.result["tuned"]["test"]["groups"])

    def test_the_config_and_flags_override_it_with_a_warning(self):
        data = self.without_transform()
        evaluate = ["eval", "--model", self.repaired / "model.pt", "--data", data]
        self.assertEqual(neurontune(*evaluate).stderr, "")
        config = self.out() / "config.json"
        config.write_text(json.dumps({"data": {"transform": {"mean": [0.75]}}}))
        for flags, mean in ((["--config", config], "0.75"), (["--mean", 0.125], "0.125")):
            process = neurontune(*evaluate, *flags)
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertRegex(process.stderr, rf"^warning: images are preprocessed otherwise than .*transform\.json beside "
                                             rf"the model says: mean is \[{mean}\], there \[0\.5\]\n$")

    def test_from_embeddings_there_is_none(self):
        out = self.out()
        run = ["run", "--out", out, *QUICK]
        succeed(*run, "--model", self.model, "--data", self.data)
        self.assertTrue((out / "transform.json").exists())
        result = json_of(*run, "--embeddings", self.embeddings)
        self.assertFalse((out / "transform.json").exists())
        self.assertNotIn("transform.json", result["files"])

    def test_export_takes_it_along(self):
        head = self.repaired / "head.safetensors"
        export = ["export", self.repaired / "model.pt", "--head", head, "--out"]
        out = self.out()
        self.assertNotIn("warning", neurontune(*export, out / "again.pt").stderr)
        self.assertEqual((out / "transform.json").read_bytes(), (self.repaired / "transform.json").read_bytes())
        self.assertEqual(json_of("eval", "--model", out / "again.pt", "--data", self.without_transform())["metrics"],
                         json_of("eval", "--model", self.repaired / "model.pt", "--data", self.data)["metrics"])
        self.assertNotIn("warning", neurontune(*export, out / "third.pt").stderr)  # the same is there
        (out / "transform.json").write_text("{}")
        process = neurontune(*export, out / "fourth.pt")
        self.assertEqual(process.returncode, 0)
        self.assertIn(f"warning: {out / 'transform.json'} differs from {self.repaired / 'transform.json'}", process.stderr)
        self.assertEqual((out / "transform.json").read_text(), "{}")

    def test_an_input_that_does_not_fit_names_the_flags_that_would(self):
        data = self.without_transform()
        flags = "--resize 8,8 --crop 8 --channels 1"
        one_value = ", and one value of --mean and --std"
        advice = ("the images are 3 x 224 x 224 after preprocessing, and the model takes 8 x 8 with 1 channel, of the "
                  f"sizes that were tried: {flags}{one_value}")
        self.assert_fails(1, advice, "eval", "--model", self.model, "--data", data)
        self.assert_fails(1, advice, "embed", "--model", self.model, "--data", data, "--out", self.out())
        self.assert_fails(1, advice, "run", "--model", self.model, "--data", data, "--out", self.out())
        given = json_of("eval", "--model", self.model, "--data", data, *flags.split(), "--mean", 0.5, "--std", 0.5)
        self.assertEqual(given["metrics"]["groups"],
                         json_of("eval", "--model", self.model, "--data", self.data)["metrics"]["groups"])
        colour = ["--resize", "8,8", "--crop", 8]
        self.assert_fails(1, "and the model takes 1 channel: --channels 1", "eval", "--model", self.model, "--data", data,
                          *colour)

    def test_images_that_are_enlarged_for_a_model_that_pools_are_warned_of(self):
        torch.manual_seed(0)
        model, data = self.out() / "pooled.pt", self.without_transform()
        torch.jit.trace(Pooled().eval(), torch.rand(2, 3, 32, 32)).save(str(model))
        warning = "images of 8 x 8 pixels are enlarged 32.0 times, but the model also takes them as they are"
        process = neurontune("eval", "--model", model, "--data", data)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("warning: " + warning, process.stderr)
        self.assertIn("give --resize 8,8 --crop 8", process.stderr)
        self.assertNotIn(warning, neurontune("eval", "--model", model, "--data", data, "--resize", "8,8", "--crop", 8).stderr)
        result = json_of("run", "--model", model, "--data", data, "--out", self.out(), *QUICK)
        self.assertTrue(any(warning in text for text in result["warnings"]), result["warnings"])
