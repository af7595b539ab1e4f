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
from neurontune._settings import described

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


_KINDS = {"U": "strings", "S": "bytes", "O": "Python objects"}


def tensor_of(values: Array, name: str = "data") -> Tensor:
    """Shares the memory of tensors and arrays, where torch can; TypeError if there are no numbers.

    The name is that of the argument, for errors.
    """
    if isinstance(values, Tensor):
        return _with_values(values.detach(), name)
    try:
        array = np.asarray(values)
    except ValueError:  # NumPy's own is about its inner life
        raise TypeError(f"{name}: found rows of different lengths, expected an array") from None
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise TypeError(
            f"{name}: found {_found(values, array)}, expected integers or floating point numbers "
            "of at most 64 bits"
        )
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if any(stride < 0 for stride in array.strides):
        array = array.copy()
    with warnings.catch_warnings():
        # Arrays of files opened for reading; nothing here writes into its inputs.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(np.atleast_1d(array))


def _with_values(tensor: Tensor, name: str) -> Tensor:
    """TypeError if a tensor is not a dense one that holds values."""
    if tensor.layout != torch.strided or tensor.is_nested:
        layout = "nested" if tensor.is_nested else str(tensor.layout).removeprefix("torch.")
        raise TypeError(f"{name}: found a {layout} tensor, expected a dense one")
    if tensor.is_meta:
        raise TypeError(f"{name}: found a tensor on the device meta, which holds no values")
    return tensor


def _found(values: Array, array: npt.NDArray[np.generic]) -> str:
    if array.ndim == 0:
        return described(values)
    return f"an array of {_KINDS.get(array.dtype.kind, array.dtype.name)}"


def split_of(data: SplitLike, name: str) -> Split:
    """``(embeddings, labels)`` or ``(embeddings, labels, attributes)`` as tensors."""
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        raise TypeError(
            f"{name} is {described(data)}, expected (embeddings, labels) or "
            "(embeddings, labels, attributes)"
        )
    attributes = data[2] if len(data) == 3 else None
    return Split(
        tensor_of(data[0], f"embeddings of {name}"),
        tensor_of(data[1], f"labels of {name}"),
        None if attributes is None else tensor_of(attributes, f"attributes of {name}"),
    )


def head_of(head: HeadLike) -> Head:
    """A head from its numbers, its layer or the file of a TorchScript model."""
    if isinstance(head, torch.nn.Linear):
        head = (head.weight, head.bias)
    if isinstance(head, (str, os.PathLike)):
        return Head(*_core.read_model_head(os.fspath(head), "auto"))
    if not isinstance(head, (tuple, list)) or len(head) != 2:
        raise TypeError(
            f"head is {described(head)}, expected (weight, bias), a torch.nn.Linear or the path of "
            "a TorchScript model"
        )
    weight, bias = head
    return Head(
        tensor_of(weight, "weight of the head"),
        None if bias is None else tensor_of(bias, "bias of the head"),
    )
