"""Embeddings of JAX classifiers: Flax, Haiku, Equinox, or plain functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from neurontune._tensors import Head

from .embedded import Embedded, embed_splits
from .errors import one_line
from .samples import Splits


def embed_jax(features: Callable[[Any], Any], kernel: Any, bias: Any | None, splits: Splits, *,
              batch_size: int = 256) -> Embedded:
    """Embeds samples by a function of JAX.

    JAX itself is not imported: whatever gives arrays that NumPy reads will do.

    Parameters
    ----------
    features
        From inputs [n, ...] to what enters the last layer, [n, M], in evaluation mode. Compile it
        with ``jax.jit``.
    kernel
        Of the last layer as Flax's Dense and Haiku's Linear have it, [M, C]. (Equinox keeps the
        transposed weight [C, M]: pass ``layer.weight.T``.)
    bias
        Of the last layer, [C]; None without one.
    splits
        Name and samples of each split. Inputs are what `features` takes, sliced by samples.
    batch_size
        Inputs at once; the last batch of a split may be smaller.

    Returns
    -------
    Embedded
        Embeddings float32 [N, M] of each split, and the head as [C, M] and [C].

    Raises
    ------
    ValueError
        If kernel, bias and embeddings do not fit together, or a split is not as `Samples` has it.
    TypeError
        If one of them is no array of numbers, or the splits are of another kind.
    """
    matrix = _tensor("kernel", kernel)
    offset = None if bias is None else _tensor("bias", bias)
    if matrix.dim() != 2 or (offset is not None and offset.shape != matrix.shape[1:]):
        raise ValueError(f"kernel is {tuple(matrix.shape)} and bias "
                         f"{None if offset is None else tuple(offset.shape)}, "
                         f"expected (M, C) and (C,)")

    def embed_batch(inputs: Any) -> torch.Tensor:
        embeddings = _tensor("what features give", features(inputs))
        if embeddings.dim() != 2 or embeddings.shape[1] != len(matrix):
            raise ValueError(f"features give {tuple(embeddings.shape)}, kernel is "
                             f"{tuple(matrix.shape)}, expected (n, M) and (M, C)")
        return embeddings

    return Embedded(*embed_splits(splits, embed_batch, batch_size, matrix.shape[1]),
                    Head(matrix.T.contiguous(), offset))


def _tensor(what: str, values: Any) -> torch.Tensor:
    """A copy as float32: NumPy has no bfloat16, and memory of JAX is read-only."""
    try:
        return torch.from_numpy(np.array(values, np.float32))
    except (TypeError, ValueError) as error:
        raise TypeError(f"{what} is a {type(values).__name__}, expected an array of numbers "
                        f"({one_line(error)})") from error
