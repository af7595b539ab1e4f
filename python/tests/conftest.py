"""A small world with a spurious feature, and a head that relies on it."""

import sys
from pathlib import Path

import neurontune
import numpy as np
import pytest
import torch

PROGRAM = Path(neurontune.__file__).parent / "bin" / "neurontune"
SOURCE = Path(__file__).resolve().parents[2]


class World:
    """Embeddings of 16 dimensions: the first half follows the label, noisily; the second half an
    attribute that agrees with the label in 95 % of the training samples, clearly."""

    def __init__(self):
        generator = np.random.default_rng(0)
        self.train = self._draw(generator, 1500, 0.95)
        self.val = self._draw(generator, 1000, 0.9)
        self.test = self._draw(generator, 1000, 0.5)
        self.head = self._fitted()

    @staticmethod
    def _draw(generator, samples, agreement):
        labels = generator.integers(2, size=samples)
        attributes = np.where(generator.random(samples) < agreement, labels, 1 - labels)
        core = (2 * labels - 1)[:, None] + 2.5 * generator.standard_normal((samples, 8))
        spurious = 1.5 * (2 * attributes - 1)[:, None] + generator.standard_normal((samples, 8))
        embeddings = np.concatenate([core, spurious], axis=1).astype(np.float32)
        return (
            torch.from_numpy(embeddings),
            torch.from_numpy(labels),
            torch.from_numpy(attributes.astype(np.int64)),
        )

    def _fitted(self):
        """Gradient descent on the training data, from zero: the same numbers each time."""
        embeddings, labels, _ = self.train
        layer = torch.nn.Linear(16, 2)
        for parameter in layer.parameters():
            torch.nn.init.zeros_(parameter)
        optimiser = torch.optim.SGD(layer.parameters(), lr=0.1)
        for _ in range(100):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(layer(embeddings), labels).backward()
            optimiser.step()
        return layer.weight.detach(), layer.bias.detach()


@pytest.fixture(scope="session")
def world():
    return World()


@pytest.fixture(scope="session")
def repaired(world):
    """The default recipe's result."""
    return neurontune.tune(world.val, world.train, world.head, test=world.test)


@pytest.fixture(scope="session")
def tuned_by_paper(world):
    return neurontune.tune(world.val, world.train, world.head, recipe="paper", epochs=5, seed=3)


@pytest.fixture(scope="session")
def folder(world, tmp_path_factory):
    """The world as the program reads it."""
    from safetensors.torch import save_file

    path = tmp_path_factory.mktemp("world")
    for name in ("train", "val", "test"):
        embeddings, labels, attributes = getattr(world, name)
        tensors = {"embeddings": embeddings, "labels": labels, "attributes": attributes}
        save_file(tensors, path / f"{name}.safetensors")
    save_file(dict(zip(("weight", "bias"), world.head)), path / "head.safetensors")
    return path


@pytest.fixture(scope="session")
def run_program():
    """Runs the package's program; the finished process."""
    import subprocess

    def run(*arguments):
        command = [sys.executable, "-m", "neurontune", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    return run


def same_bytes(one, other):
    return one.dtype == other.dtype and one.numpy().tobytes() == other.numpy().tobytes()
