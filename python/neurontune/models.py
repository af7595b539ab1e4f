"""TorchScript files."""

from __future__ import annotations

import os

from neurontune import _core
from neurontune._tensors import HeadLike, head_of


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
    RuntimeError
        If the file is no such model, the shapes differ, or the new file cannot be written.
    """
    _core.export_model(os.fspath(model), head_of(head), os.fspath(out))
