"""TorchScript files."""

from __future__ import annotations

import os

from neurontune import _core
from neurontune._tensors import HeadLike, head_of
from neurontune.modules import check_bias


def export(
    model: str | os.PathLike[str], head: HeadLike, out: str | os.PathLike[str]
) -> None:
    """Writes a TorchScript model with another head: the same file with other numbers.

    Parameters
    ----------
    model
        A file of ``torch.jit.save``.
    head
        Of the shape of the model's, such as ``result.head``.
    out
        The new file, which appears when it is whole.

    Raises
    ------
    ValueError
        If the model's head has a bias and the new one has none.
    RuntimeError
        If the file is no such model, the shapes differ, a value is not finite, the new head has a
        bias and the model's has none, or the new file cannot be written.
    TypeError
        If the head is none at all.
    """
    new = head_of(head)
    if new.bias is None:
        _, own_bias = _core.read_model_head(os.fspath(model), "auto")
        check_bias(None, own_bias is not None)
    _core.export_model(os.fspath(model), new, os.fspath(out))
