"""The samples of a split, before they are embedded."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch


class Samples(NamedTuple):
    """N labelled samples.

    Attributes
    ----------
    inputs
        A sequence or array of N inputs; what one is, the embedding function says.
    labels
        Integers [N], from 0.
    attributes
        Integers [N], from 0, or -1 where not known; None without attributes. Only figures of
        groups use them, no repair does.
    ids
        N names to show in reports; None without names.
    """

    inputs: Any
    labels: Any
    attributes: Any = None
    ids: Sequence[str] | None = None


#: What the embedding functions take: the name of each split, and its samples as `Samples` or as a
#: plain tuple of the same order.
Splits = Mapping[str, Samples | tuple[Any, ...]]


def checked(splits: Splits) -> dict[str, Samples]:
    """The splits with labels and attributes as int64 tensors [N].

    Raises
    ------
    ValueError
        If there is no split, a split is empty, or its parts differ in length.
    """
    if not splits:
        raise ValueError("no splits given, expected at least train and val")
    return {name: _checked(name, Samples(*split)) for name, split in splits.items()}


def _checked(name: str, split: Samples) -> Samples:
    count = len(split.inputs)
    if count == 0:
        raise ValueError(f"{name} has no samples")
    labels = _integers(name, "labels", split.labels, count)
    attributes = (None if split.attributes is None
                  else _integers(name, "attributes", split.attributes, count))
    ids = None if split.ids is None else [str(one) for one in split.ids]
    if ids is not None and len(ids) != count:
        raise ValueError(f"{name}: {len(ids)} ids for {count} inputs")
    return Samples(split.inputs, labels, attributes, ids)


def _integers(name: str, what: str, values: Any, count: int) -> torch.Tensor:
    tensor = values if isinstance(values, torch.Tensor) else torch.as_tensor(_plain(values))
    if tensor.is_floating_point() or tensor.is_complex():
        raise ValueError(f"{name}: {what} are {tensor.dtype}, expected integers")
    if tuple(tensor.shape) != (count,):
        raise ValueError(f"{name}: {what} have shape {list(tensor.shape)}, expected [{count}], "
                         f"one for each input")
    return tensor.to("cpu", torch.int64)


def _plain(values: Any) -> Any:
    """Arrays of NumPy and JAX have `tolist`, as columns of pandas have."""
    return values.tolist() if hasattr(values, "tolist") else list(values)
