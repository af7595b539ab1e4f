"""The built program on models of other kinds: heads of several layers or one logit, half precision, outputs by
name, operators of one's own, and one of over 2 GB."""

import csv
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import torch
from torch import nn

from cli_test_case import QUICK, CliTest
from fixture import PROGRAM, SIZES, Network, json_of, load_file, save_file, succeed


def fit(network, images, labels):
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        logits = network(images)
        loss = (nn.functional.cross_entropy(logits, labels) if logits.shape[1] > 1 else
                nn.functional.binary_cross_entropy_with_logits(logits[:, 0], labels.float()))
        loss.backward()
        optimizer.step()
    return network.eval()


class Deep(Network):
    def __init__(self):
        super().__init__()
        self.classifier = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 2))


class Probability(nn.Module):
    """P(y = 1), a number a sample."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return torch.sigmoid(self.network(x)).squeeze(1)


class Outputs(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network
        self.auxiliary = nn.Linear(64, 3)

    def forward(self, x):
        return {"auxiliary": self.auxiliary(x.flatten(1)), "classes": self.network(x)}


class Halved(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(torch.ops.neurontune_test.halve(x) * 2)


class Models(CliTest):
    def export(self, model, name="model.pt", dtype=torch.float32):
        path = self.out() / name
        images = self.tensors["train"][0][:2].to(dtype)
        torch.jit.trace(model, images, strict=False).save(str(path))
        return path

    def run_on(self, model, *more):
        out = self.out()
        return out, json_of("run", "--model", model, "--data", self.data, "--out", out, *QUICK, *more)

    def accuracy(self, predictions):
        return (predictions == self.tensors["test"][1]).float().mean().item()

    def test_a_submodule_as_head(self):
        path = self.export(fit(Deep(), *self.tensors["train"][:2]))
        out, result = self.run_on(path, "--head", "classifier", "--recipe", "guarded")
        tuned, before = torch.jit.load(str(out / "model.pt")), torch.jit.load(str(path))
        biased = result["biased_dimensions"]["indices"]
        self.assertGreater(len(biased), 0)
        self.assertEqual(result["biased_dimensions"]["total"], 8)
        state = tuned.state_dict()
        self.assertTrue(torch.all(state["classifier.0.weight"][:, biased] == 0))
        for name, tensor in before.state_dict().items():
            self.assertNotEqual(torch.equal(state[name], tensor), name.startswith("classifier"), name)
        head = load_file(out / "head.safetensors")
        self.assertEqual(sorted(head), ["0.bias", "0.weight", "3.bias", "3.weight"])
        for name, tensor in head.items():
            self.assertTrue(torch.equal(state["classifier." + name], tensor), name)
        with torch.no_grad():
            found = self.accuracy(tuned(self.tensors["test"][0]).argmax(1))
        self.assertAlmostEqual(result["tuned"]["test"]["mean_accuracy"], found, places=6)

        exported = self.out() / "exported.pt"
        succeed("export", path, "--head", out / "head.safetensors", "--head-name", "classifier", "--out", exported)
        self.assertEqual(exported.read_bytes(), (out / "model.pt").read_bytes())
        with_head = json_of("eval", "--model", path, "--data", self.data, "--head-name", "classifier",
                            "--head", out / "head.safetensors")
        self.assertEqual(with_head["metrics"], result["tuned"]["test"])
        self.assert_fails(1, "has no tensor `weight`", "run", "--embeddings", out / "embeddings", "--out", self.out())
        self.assert_fails(2, "aggregate is per_class", "run", "--model", path, "--data", self.data, "--out",
                          self.out(), "--head", "classifier", "--aggregate", "per_class")

    def test_one_logit_is_two_classes_inside(self):
        network = fit(Network(classes=1), *self.tensors["train"][:2])
        model = Probability(network)
        out, result = self.run_on(self.export(model))
        self.assertEqual(len(result["erm"]["test"]["class_accuracy"]), 2)
        with torch.no_grad():
            before = self.accuracy(model(self.tensors["test"][0]) > 0.5)
            tuned = torch.jit.load(str(out / "model.pt"))
            after = self.accuracy(tuned(self.tensors["test"][0]) > 0.5)
        self.assertAlmostEqual(result["erm"]["test"]["mean_accuracy"], before, places=6)
        self.assertAlmostEqual(result["tuned"]["test"]["mean_accuracy"], after, places=6)
        head, erm = (load_file(out / name / "head.safetensors") for name in ("", "embeddings"))
        self.assertEqual(head["weight"].shape, (1, 8))
        self.assertEqual(head["bias"].shape, (1,))
        self.assertTrue(torch.equal(erm["weight"], network.classifier.weight))
        self.assertTrue(torch.equal(tuned.network.classifier.weight, head["weight"]))
        again = self.out()
        succeed("run", "--embeddings", out / "embeddings", "--out", again, *QUICK)
        self.assertEqual((again / "head.safetensors").read_bytes(), (out / "head.safetensors").read_bytes())

    def test_other_dtypes_keep_theirs(self):
        for dtype in (torch.float16, torch.bfloat16, torch.float64):
            with self.subTest(dtype=dtype):
                network = fit(Network(), *self.tensors["train"][:2]).to(dtype)
                out, result = self.run_on(self.export(network, dtype=dtype))
                tuned = torch.jit.load(str(out / "model.pt"))
                self.assertEqual({tensor.dtype for tensor in tuned.state_dict().values()}, {dtype})
                head = load_file(out / "head.safetensors")
                self.assertEqual({tensor.dtype for tensor in head.values()}, {torch.float32})
                self.assertTrue(torch.equal(tuned.classifier.weight, head["weight"].to(dtype)))
                self.assertEqual(load_file(out / "embeddings/val.safetensors")["embeddings"].dtype, dtype)
                with torch.no_grad():
                    predicted = tuned(self.tensors["test"][0].to(dtype)).argmax(1)
                self.assertAlmostEqual(result["tuned"]["test"]["mean_accuracy"], self.accuracy(predicted), delta=0.02)

    def test_an_output_by_name(self):
        network = fit(Network(), *self.tensors["train"][:2])
        path = self.export(Outputs(network))
        self.assert_fails(1, "auxiliary, classes", "run", "--model", path, "--data", self.data, "--out", self.out())
        named, _ = self.run_on(path, "--output", "classes")
        plain, _ = self.run_on(self.export(network))
        self.assertEqual((named / "head.safetensors").read_bytes(), (plain / "head.safetensors").read_bytes())
        config = json.loads((named / "config.json").read_text())
        self.assertEqual(config["model"]["output"], "classes")
        inspected = json_of("inspect", path, "--output", "classes", "--input-shape", "2,1,8,8")
        self.assertEqual((inspected["output"], inspected["head"]), ("classes", "network.classifier"))

    def test_operators_of_ones_own(self):
        torch.ops.load_library(os.environ["NEURONTUNE_OPERATORS"])
        path = self.export(Halved(fit(Network(), *self.tensors["train"][:2])))
        self.assert_fails(1, "--preload-lib", "inspect", path)
        self.assert_fails(1, "nowhere.so", "inspect", path, "--preload-lib", "nowhere.so")
        library = os.environ["NEURONTUNE_OPERATORS"]
        self.assertTrue(json_of("inspect", path, "--preload-lib", library, "--input-shape", "2,1,8,8")["verified"])
        self.run_on(path, "--preload-lib", library)

    def test_integer_inputs_of_several_arguments(self):
        class Text(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding, self.fc = nn.Embedding(9, 5), nn.Linear(5, 3)

            def forward(self, ids, mask):
                return self.fc((self.embedding(ids) * mask.unsqueeze(2)).mean(1))

        path = self.out() / "text.pt"
        ids = torch.ones(2, 4, dtype=torch.long)
        torch.jit.trace(Text().eval(), (ids, ids)).save(str(path))
        result = json_of("inspect", path, "--input-shape", "2,7:int64", "--input-shape", "2,7:int64")
        self.assertEqual([part["name"].split(".")[0] for part in result["inputs"]], ["ids", "mask"])
        self.assertTrue(result["verified"])
        self.assert_fails(1, "forward takes 2 inputs", "inspect", path, "--input-shape", "2,7:int64")
        self.assert_fails(2, "expected sizes such as", "inspect", path, "--input-shape", "2,7:int32")

    def test_tokens_go_to_the_arguments_they_are_named_after(self):
        class Text(nn.Module):
            def __init__(self):
                super().__init__()
                self.words, self.segments = nn.Embedding(50, 6), nn.Embedding(2, 6)
                self.fc = nn.Linear(6, 2)

            def embed(self, input_ids, attention_mask, token_type_ids):
                words = self.words(input_ids) + 2 * self.segments(token_type_ids)
                return torch.relu((words * attention_mask.unsqueeze(2)).mean(1))

            def forward(self, input_ids, attention_mask, token_type_ids):
                return self.fc(self.embed(input_ids, attention_mask, token_type_ids))

        torch.manual_seed(0)
        model, folder = Text().eval(), self.out()
        names = ["input_ids", "attention_mask", "token_type_ids"]
        together, apart = folder / "together", folder / "apart"
        expected = {}
        for split, samples in (("train", 60), ("val", 40)):
            parts = [torch.randint(0, limit, (samples, 7)) for limit in (50, 2, 2)]
            labels = torch.arange(samples) % 2
            expected[split] = model.embed(*parts).detach()
            for path, inputs in ((together, {"inputs": torch.stack(parts, 2)}), (apart, dict(zip(names, parts)))):
                path.mkdir(exist_ok=True)
                save_file({**inputs, "labels": labels}, path / f"{split}.safetensors")
        torch.jit.trace(model, tuple(torch.ones(2, 7, dtype=torch.long) for _ in names)).save(str(folder / "text.pt"))
        for data in (together, apart):
            out = self.out()
            succeed("embed", "--model", folder / "text.pt", "--data", data, "--out", out)
            for split, embeddings in expected.items():
                found = load_file(out / f"{split}.safetensors")["embeddings"]
                self.assertTrue(torch.allclose(found, embeddings, atol=1e-5), (data, split))
        (apart / "train.safetensors").unlink()
        self.assert_fails(1, "no split train", "run", "--model", folder / "text.pt", "--data", apart, "--out", self.out())

    def test_labels_beyond_the_models_classes(self):
        data = self.copy(self.data)
        with open(data / "metadata.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        rows[3]["y"] = 2
        with open(data / "metadata.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        self.assert_fails(1, "has label 2, the model's head has classes 0 to 1; number the labels from 0", "embed",
                          "--model", self.model, "--data", data, "--out", self.out())


class Memory(unittest.TestCase):
    GIGABYTES = 2.2

    def peak(self, *arguments):
        """The most memory, in bytes, that the program held at once."""
        process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        return usage.ru_maxrss * 1024

    def test_splitting_and_exporting_a_large_model(self):
        class Large(nn.Module):
            def __init__(self, numbers):
                super().__init__()
                self.table = nn.Parameter(torch.zeros(numbers // 8, 8))
                self.fc = nn.Linear(8, 3)

            def forward(self, x):
                return self.fc(torch.relu(x + self.table[0]))

        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            torch.jit.script(Large(int(self.GIGABYTES * 1e9) // 4)).save(str(folder / "large.pt"))
            save_file({"weight": torch.ones(3, 8), "bias": torch.zeros(3)}, folder / "head.safetensors")
            size = (folder / "large.pt").stat().st_size
            self.assertGreater(size, 2 << 30)
            for arguments in (["inspect", folder / "large.pt", "--input-shape", "2,8"],
                              ["export", folder / "large.pt", "--head", folder / "head.safetensors", "--out",
                               folder / "tuned.pt"]):
                ratio = self.peak(*arguments) / size
                print(f"{arguments[0]}: {ratio:.3f} times the model's size")
                self.assertLess(ratio, 1.3, arguments[0])
            self.assertEqual((folder / "tuned.pt").stat().st_size, size)


if __name__ == "__main__":
    unittest.main()
