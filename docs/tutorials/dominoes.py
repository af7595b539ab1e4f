"""The images of the tutorials: two photographs of clothing, one above the other.

The lower photograph is the label: a pullover (0) or a coat (1). The upper one is a spurious
feature: a sneaker (0) or a bag (1), which goes with the label in most of the training images and in
half of the test images. The photographs are Fashion-MNIST's, from Debian's package
dataset-fashion-mnist.
"""

import gzip
import pathlib
import sys

import numpy as np
import torch

FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")
LABELS, ATTRIBUTES = ("pullover", "coat"), ("sneaker", "bag")
NUMBERS = {"pullover": 2, "coat": 4, "sneaker": 7, "bag": 8}  # Fashion-MNIST's


def read_photographs(part):
    """{name: photographs [N, 28, 28] in 0…1} of `train` or `t10k`."""
    if not FOLDER.exists():
        sys.exit(f"error: {FOLDER} is missing; run: apt-get install dataset-fashion-mnist")
    images, labels = (gzip.decompress((FOLDER / f"{part}-{file}.gz").read_bytes())
                      for file in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    images = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28)
    labels = np.frombuffer(labels, np.uint8, offset=8)
    return {name: torch.tensor(images[labels == number] / np.float32(255))
            for name, number in NUMBERS.items()}


def make_dominoes(sizes, correlation=0.9, seed=0):
    """{split: (images [N, 1, 56, 28], labels [N], attributes [N])}; no photograph is used twice.

    `sizes` has the samples of train, val and test. In train and val the attribute equals the label
    in the fraction `correlation` of the images, in test in half of them.
    """
    rng = np.random.default_rng(seed)
    training, test = (shuffled_decks(part, rng) for part in ("train", "t10k"))
    return {"train": deal(training, sizes["train"], correlation, rng),
            "val": deal(training, sizes["val"], correlation, rng),
            "test": deal(test, sizes["test"], 0.5, rng)}


def shuffled_decks(part, rng):
    return {name: iter(photographs[rng.permutation(len(photographs))])
            for name, photographs in read_photographs(part).items()}


def deal(decks, size, correlation, rng):
    """As many of each class; of each class the same fraction agrees."""
    labels = np.arange(size) % 2
    agrees = np.arange(size) // 2 < round(correlation * size / 2)
    attributes = np.where(agrees, labels, 1 - labels)
    images = torch.stack([
        torch.cat([next(decks[ATTRIBUTES[attribute]]), next(decks[LABELS[label]])])
        for label, attribute in zip(labels, attributes)])
    order = torch.from_numpy(rng.permutation(size))
    return images[order, None], torch.from_numpy(labels)[order], torch.from_numpy(attributes)[order]


class SmallCnn(torch.nn.Module):
    """Three convolutions, averaged over the image, and the head `fc`."""

    def __init__(self, features=256):
        super().__init__()
        self.convolutions = torch.nn.Sequential(
            torch.nn.Conv2d(1, 16, 3, 2, 1), torch.nn.ReLU(),
            torch.nn.Conv2d(16, 32, 3, 2, 1), torch.nn.ReLU(),
            torch.nn.Conv2d(32, features, 3, 2, 1), torch.nn.ReLU())
        self.fc = torch.nn.Linear(features, len(LABELS))

    def forward(self, images):
        return self.fc(self.convolutions(images).mean((2, 3)))


def train(model, images, labels, epochs, seed=0):
    """Ordinary training (ERM): Adam on the mean cross-entropy."""
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
    return model.eval()
