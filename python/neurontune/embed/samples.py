"""The samples of a split, before they are embedded."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch

from .errors import one_line


class Samples(NamedTuple):
    """N labelled samples.

    Attributes
    ----------
    inputs
        A sequence or array of N inputs; what one is, the embedding function says.
    labels
        Integers [N], from 0 to C - 1.
    attributes
        Integers [N], from 0, or -1 where not known; None without attributes. Used for figures of
        groups only, unless ``criterion="worst_group"`` is asked for.
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


def checked(splits: Splits, classes: int) -> dict[str, Samples]:
    """The splits with labels and attributes as int64 tensors [N].

    Raises
    ------
    TypeError
        If the splits or one of them are of another kind.
    ValueError
        If there is no split, a split is empty, its parts differ in length, or a number is out of
        range.
    """
    if not isinstance(splits, Mapping):
        raise TypeError(f"splits is a {type(splits).__name__}, expected a dict of samples by split")
    if not splits:
        raise ValueError("no splits given, expected at least train and val")
    for name, split in splits.items():
        if not isinstance(split, (tuple, list)) or not 2 <= len(split) <= 4:
            size = f" of {len(split)}" if isinstance(split, (tuple, list)) else ""
            raise TypeError(f"{name} is a {type(split).__name__}{size}, expected (inputs, labels), "
                            f"(inputs, labels, attributes) or (inputs, labels, attributes, ids)")
    return {name: _checked(name, Samples(*split), classes) for name, split in splits.items()}


def _checked(name: str, split: Samples, classes: int) -> Samples:
    try:
        count = len(split.inputs)
    except TypeError:
        raise TypeError(f"{name}: inputs are a {type(split.inputs).__name__} without a length, "
                        f"expected a sequence or an array") from None
    if count == 0:
        raise ValueError(f"{name} has no samples")
    ids = None if split.ids is None else [str(one) for one in split.ids]
    if ids is not None and len(ids) != count:
        raise ValueError(f"{name}: {len(ids)} ids for {count} inputs")
    labels = _integers(name, "labels", split.labels, count)
    outside = (labels < 0) | (labels >= classes)
    _refuse(name, "label", labels, outside, ids, f"0 to {classes - 1}")
    attributes = None
    if split.attributes is not None:
        attributes = _integers(name, "attributes", split.attributes, count)
        _refuse(name, "attribute", attributes, attributes < -1, ids, "0, or -1 where not known")
    return Samples(split.inputs, labels, attributes, ids)


def _integers(name: str, what: str, values: Any, count: int) -> torch.Tensor:
    try:
        tensor = values if isinstance(values, torch.Tensor) else torch.as_tensor(_plain(values))
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ValueError(f"{name}: {what} are no integers: {one_line(error)}") from error
    if tuple(tensor.shape) != (count,):
        raise ValueError(f"{name}: {what} have shape {list(tensor.shape)}, expected [{count}], "
                         f"one for each input")
    if tensor.is_floating_point() or tensor.is_complex():
        raise ValueError(f"{name}: {what} are {tensor.dtype}, expected integers")
    return tensor.to("cpu", torch.int64)


def _refuse(name: str, what: str, values: torch.Tensor, outside: torch.Tensor,
            ids: Sequence[str] | None, expected: str) -> None:
    if outside.any():
        row = int(outside.nonzero()[0])
        raise ValueError(f"{name}: the {what} of sample {repr(ids[row]) if ids else row} is "
                         f"{int(values[row])}, expected integers from {expected}")


def _plain(values: Any) -> Any:
    """Arrays of NumPy and JAX have `tolist`, as columns of pandas have."""
    return values.tolist() if hasattr(values, "tolist") else list(values)
