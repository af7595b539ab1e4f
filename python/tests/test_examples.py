"""The lines of Python in README.md and docs/python.md do what they say."""

import re

import pytest
import torch
from conftest import SOURCE
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

PAGES = ["README.md", "docs/python.md"]


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", (SOURCE / page).read_text(), re.M | re.S)


class Classifier(nn.Module):
    """Takes embeddings, or images, of which it takes the first sixteen pixels for one."""

    def __init__(self, head):
        super().__init__()
        self.fc = nn.Linear(16, 2)
        self.fc.weight.data, self.fc.bias.data = (part.clone() for part in head)

    def forward(self, inputs):
        return self.fc(inputs.flatten(1)[:, :16])


@pytest.mark.parametrize("page", PAGES)
def test_every_line_runs(world, page, tmp_path, monkeypatch, capsys):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    names = {"torch": torch, "model": Classifier(world.head)}
    names["weight"], names["bias"] = world.head
    for split in ("train", "val", "test"):
        tensors = getattr(world, split)
        names[split] = DataLoader(TensorDataset(*tensors), batch_size=256)
        names |= {f"{split}_{letter}": part for letter, part in zip("zya", tensors)}
    names |= {"features": world.train[0].numpy(), "labels": world.train[1].numpy()}
    for block in blocks(page):
        exec(compile(block, page, "exec"), names)  # noqa: S102
    assert "The head is " in capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES)
def test_there_are_lines(page):
    assert blocks(page)
