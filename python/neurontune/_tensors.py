"""What users hand over, as the tensors that the library takes. Nothing is copied needlessly."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias, Union

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from neurontune import _core

Array: TypeAlias = Union[Tensor, npt.NDArray[np.generic], Sequence[object]]
"""A tensor, or what NumPy makes an array of."""


class Split(NamedTuple):
    """A part of the data: the embeddings of N samples, with their labels.

    Attributes
    ----------
    embeddings
        Floating point, ``[N, M]``: what enters the last linear layer.
    labels
        Integers, ``[N]``, from 0 to C - 1.
    attributes
        Integers, ``[N]``: the spurious attribute, -1 where it is not known. None where there is
        none. It reaches the accuracy of groups only, unless ``criterion="worst_group"`` is asked
        for.
    """

    embeddings: Tensor
    labels: Tensor
    attributes: Tensor | None = None


class Head(NamedTuple):
    """A last linear layer.

    Attributes
    ----------
    weight
        Floating point, ``[C, M]``; ``[1, M]`` where the model has one logit for two classes.
    bias
        ``[C]``, or None where the layer has none.
    """

    weight: Tensor
    bias: Tensor | None


SplitLike: TypeAlias = Union[Split, tuple[Array, Array], tuple[Array, Array, Union[Array, None]]]
HeadLike: TypeAlias = Union[
    Head, torch.nn.Linear, tuple[Array, Union[Array, None]], str, "os.PathLike[str]"
]


def tensor_of(values: Array) -> Tensor:
    """Shares the memory of tensors and arrays, where torch can."""
    if isinstance(values, Tensor):
        return values.detach()
    array = np.asarray(values)
    if any(stride < 0 for stride in array.strides):
        array = array.copy()
    with warnings.catch_warnings():
        # Arrays of files opened for reading; nothing here writes into its inputs.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(np.atleast_1d(array))


def split_of(data: SplitLike, name: str) -> Split:
    """``(embeddings, labels)`` or ``(embeddings, labels, attributes)`` as tensors."""
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        raise TypeError(
            f"{name} is {_described(data)}, expected (embeddings, labels) or "
            "(embeddings, labels, attributes)"
        )
    attributes = data[2] if len(data) == 3 else None
    return Split(
        tensor_of(data[0]), tensor_of(data[1]), None if attributes is None else tensor_of(attributes)
    )


def head_of(head: HeadLike) -> Head:
    """A head from its numbers, its layer or the file of a TorchScript model."""
    if isinstance(head, torch.nn.Linear):
        return Head(head.weight.detach(), None if head.bias is None else head.bias.detach())
    if isinstance(head, (str, os.PathLike)):
        return Head(*_core.read_model_head(os.fspath(head), "auto"))
    if not isinstance(head, (tuple, list)) or len(head) != 2:
        raise TypeError(
            f"head is {_described(head)}, expected (weight, bias), a torch.nn.Linear or the path of "
            "a TorchScript model"
        )
    weight, bias = head
    return Head(tensor_of(weight), None if bias is None else tensor_of(bias))


def _described(value: object) -> str:
    kind = f"a {type(value).__name__}"
    return f"{kind} of {len(value)}" if isinstance(value, (tuple, list, dict)) else kind
