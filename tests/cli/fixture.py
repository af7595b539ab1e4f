"""A small biased data set and an exported model, and how to run the program on them."""

import csv
import json
import os
import pathlib
import re
import subprocess

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

PROGRAM = os.environ["NEURONTUNE_PROGRAM"]
SIZES = {"train": 400, "val": 300, "test": 200}


def neurontune(*arguments, timeout=120):
    """Runs the program; the finished process, with text output."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=timeout)


def succeed(*arguments):
    process = neurontune(*arguments)
    assert process.returncode == 0, process.stderr
    return process.stdout


def json_of(*arguments):
    return json.loads(succeed(*arguments, "--json"))


def read_terminal(primary):
    """All that comes to a terminal until its other end is closed."""
    shown = b""
    try:
        while part := os.read(primary, 65536):
            shown += part
    except OSError:  # the other end is closed
        pass
    os.close(primary)
    return shown


def without_clock(page):
    """A report.html without its tables of wall times."""
    return re.sub(r'<table class="clock">.*?</table>', "", page, flags=re.DOTALL)


class Network(torch.nn.Module):
    """Eight rectified features of an 8 × 8 image, then `classifier`."""

    def __init__(self, classes=2):
        super().__init__()
        self.embed = torch.nn.Linear(64, 8)
        self.classifier = torch.nn.Linear(8, classes)

    def forward(self, x):
        return self.classifier(torch.relu(self.embed(x.flatten(1))))


def make_samples(split, size, generator):
    """Images whose bottom half shows the label, noisily, and whose top half the attribute, clearly."""
    labels = np.arange(size) % 2
    agree = generator.random(size) < (0.9 if split != "test" else 0.5)
    attributes = np.where(agree, labels, 1 - labels)
    images = generator.normal(110, 25, (size, 8, 8))
    images[:, :4] += 90.0 * attributes[:, None, None]
    images[:, 4:] += 12.0 * labels[:, None, None]
    return images.clip(0, 255).astype(np.uint8), labels, attributes


def make_data(folder):
    """FOLDER/metadata.csv with its images, names and transform; the images as the model takes them."""
    generator = np.random.default_rng(3)
    (folder / "images").mkdir(parents=True)
    rows, tensors = [], {}
    for split, size in SIZES.items():
        images, labels, attributes = make_samples(split, size, generator)
        for i, image in enumerate(images):
            name = f"images/{split}_{i:03}.png"
            Image.fromarray(image).save(folder / name)
            rows.append({"img_filename": name, "y": labels[i], "split": split, "place": attributes[i]})
        pixels = torch.from_numpy(images).float().unsqueeze(1) / 255
        tensors[split] = ((pixels - 0.5) / 0.5, torch.from_numpy(labels).long(), attributes)
    with open(folder / "metadata.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (folder / "names.json").write_text(json.dumps({"labels": ["dim", "bright"], "attributes": ["dark", "light"]}))
    (folder / "transform.json").write_text(
        json.dumps({"channels": 1, "resize": [], "crop": [], "mean": [0.5], "std": [0.5]}))
    return tensors


def train(images, labels):
    torch.manual_seed(0)
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    return network.eval()


def make_all(folder):
    """Writes FOLDER/data, FOLDER/erm.pt and FOLDER/embeddings; the network and its tensors."""
    folder = pathlib.Path(folder)
    tensors = make_data(folder / "data")
    network = train(*tensors["train"][:2])
    torch.jit.trace(network, tensors["train"][0][:2]).save(str(folder / "erm.pt"))

    (folder / "embeddings").mkdir()
    save_file({"weight": network.classifier.weight.detach(), "bias": network.classifier.bias.detach()},
              folder / "embeddings" / "head.safetensors")
    for split, (images, labels, attributes) in tensors.items():
        with torch.no_grad():
            embeddings = torch.relu(network.embed(images.flatten(1)))
        save_file({"embeddings": embeddings, "labels": labels, "attributes": torch.from_numpy(attributes).long()},
                  folder / "embeddings" / f"{split}.safetensors")
    return network, tensors


__all__ = ["SIZES", "json_of", "load_file", "make_all", "neurontune", "save_file", "succeed", "without_clock"]
