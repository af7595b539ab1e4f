"""Embeddings with their head, and the folder of them that the command line reads."""

import json
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch

from neurontune._tensors import Head, Split

from . import framework
from .lines import as_line
from .samples import Samples, Splits, checked


class Embedded(NamedTuple):
    """What an embedding function returns; `tune` takes its splits and its head.

    Attributes
    ----------
    splits
        By name: embeddings float32 [N, M], labels int64 [N], and attributes int64 [N] or None, on
        the CPU.
    ids
        The names of the samples, N for each split that has names.
    head
        weight float32 [C, M] and bias [C] (or None) of the model's last linear layer.
    label_names
        Of the C classes, or None.
    """

    splits: dict[str, Split]
    ids: dict[str, Sequence[str]]
    head: Head
    label_names: Sequence[str] | None = None

    def save(self, folder: str | pathlib.Path) -> None:
        """Writes the folder that ``neurontune run --embeddings`` reads.

        It holds ``SPLIT.safetensors`` and, with ids, ``SPLIT.ids.txt`` of each split,
        ``head.safetensors``, and ``names.json`` if the classes have names.

        Raises
        ------
        ValueError
            If the folder holds files that this would leave among its own.
        MissingFramework
            If safetensors is not installed.
        """
        folder = pathlib.Path(folder)
        save_file = safetensors().save_file
        check_folder(folder, self.splits)
        folder.mkdir(parents=True, exist_ok=True)
        for name, split in self.splits.items():
            save_file(_tensors(split), folder / f"{name}.safetensors")
            _write_ids(folder / f"{name}.ids.txt", self.ids.get(name))
        weight, bias = self.head
        save_file({"weight": weight.contiguous()} |
                  ({} if bias is None else {"bias": bias.contiguous()}),
                  folder / "head.safetensors")
        if self.label_names is not None:
            (folder / "names.json").write_text(json.dumps({"labels": list(self.label_names)}) +
                                               "\n", encoding="utf-8")


def safetensors() -> Any:
    """The module that writes tensors.

    Raises
    ------
    MissingFramework
        If it is not installed.
    """
    return framework.load("safetensors.torch", "pip install safetensors")


def check_folder(folder: pathlib.Path, splits: Iterable[str]) -> None:
    """Refuses a folder in which files of something else would stay beside the embeddings.

    Raises
    ------
    ValueError
        If the folder holds anything but an earlier run's files of the same splits, or a split's
        name cannot be that of a file.
    """
    for name in splits:
        if name in ("", "head", "spuriousness") or name[:1] == "." or set(name) & set("/\\:"):
            raise ValueError(f"a split cannot be called {name!r}")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file, expected a folder to write into")
    own = _own_files(splits)
    for path in sorted(folder.iterdir()):
        if path.name not in own:
            raise ValueError(f"{folder} holds {path.name}, which would stay beside the "
                             f"embeddings; name another folder")


def _own_files(splits: Iterable[str]) -> set[str]:
    return {"head.safetensors", "names.json",
            *(f"{name}{ending}" for name in splits for ending in (".safetensors", ".ids.txt"))}


def _write_ids(path: pathlib.Path, ids: Sequence[str] | None) -> None:
    """Names of an earlier run must not stay with the samples of this one."""
    if ids is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text("".join(map(as_line, ids)), encoding="utf-8")


def _tensors(split: Split) -> dict[str, torch.Tensor]:
    tensors = {"embeddings": split.embeddings.contiguous(), "labels": split.labels.contiguous()}
    return tensors if split.attributes is None else {**tensors,
                                                     "attributes": split.attributes.contiguous()}


def embed_splits(splits: Splits, embed_batch: Callable[[Any], torch.Tensor],
                 batch_size: int, outputs: int,
                 ) -> tuple[dict[str, Split], dict[str, Sequence[str]]]:
    """The embeddings of each split, and the names of its samples where they have names.

    Parameters
    ----------
    splits
        Name and samples of each.
    embed_batch
        From at most `batch_size` inputs to their embeddings, floating [n, M].
    batch_size
        At least 1.
    outputs
        Of the head: C, or 1 where the model has one logit for two classes.

    Raises
    ------
    TypeError
        If the splits or one of them are of another kind.
    ValueError
        If the samples are not as `Samples` has them, or `batch_size` is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}, expected at least 1")
    samples = checked(splits, max(2, outputs))
    ids = {name: split.ids for name, split in samples.items() if split.ids is not None}
    return {name: _embed_split(name, split, embed_batch, batch_size)
            for name, split in samples.items()}, ids


def _embed_split(name: str, samples: Samples, embed_batch: Callable[[Any], torch.Tensor],
                 batch_size: int) -> Split:
    batches = []
    for first in range(0, len(samples.inputs), batch_size):
        batch = samples.inputs[first:first + batch_size]
        # A copy: what enters the head may be a part of something large.
        embeddings = embed_batch(batch).detach().to("cpu", torch.float32, copy=True)
        if embeddings.dim() != 2 or len(embeddings) != len(batch):
            raise ValueError(f"{name}: {len(batch)} inputs gave embeddings of shape "
                             f"{list(embeddings.shape)}, expected [{len(batch)}, M]")
        batches.append(embeddings)
    return Split(torch.cat(batches), samples.labels, samples.attributes)
