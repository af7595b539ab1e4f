"""The whole method on embeddings that are in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neurontune import _core
from neurontune._settings import described, settings_text
from neurontune._tensors import HeadLike, SplitLike, head_of, split_of
from neurontune.result import Result, result_of

Progress = Callable[[str, int, int], object]
"""Called with what is being done, how many units of it are, and how many there are in all."""


def checked_progress(progress: Progress | None) -> Progress | None:
    """The callback; TypeError if it cannot be called."""
    if progress is not None and not callable(progress):
        raise TypeError(f"progress is {described(progress)}, expected a function")
    return progress


def tune(
    identification: SplitLike,
    tuning: SplitLike,
    head: HeadLike,
    *,
    test: SplitLike | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Result:
    """Finds the dimensions that a head is misled by, and retrains it without relying on them.

    The computation is that of ``neurontune run``, and runs where the tensors are. Ctrl-C ends it at
    the next step that it reports.

    Parameters
    ----------
    identification
        ``(embeddings, labels)`` or ``(embeddings, labels, attributes)`` of data that the model was
        not trained on: embeddings floating ``[N, M]``, labels integers ``[N]`` from 0 to C - 1,
        attributes integers ``[N]``, -1 where not known. Tensors or NumPy arrays.
    tuning
        The same of the training data, which retrains the head.
    head
        The last layer as it was trained: ``(weight, bias)`` of shapes ``[C, M]`` and ``[C]``, a
        ``torch.nn.Linear``, or the path of a TorchScript model.
    test
        Data that only the figures are of.
    progress
        Called as ``progress(stage, done, total)`` after each step.
    **options
        Settings by the names of the command line with underscores: ``recipe="paper"``, ``seed=1``,
        ``max_drop=0.05``, ``epochs=40``. Those without a flag of their own are written as in a
        config file: ``shortcut={"folds": 3}``.

    Returns
    -------
    Result
        The selected head, with what it was selected by.

    Raises
    ------
    ValueError
        For an unknown setting, naming the nearest, or one out of its range.
    RuntimeError
        If shapes disagree, a label is out of range, a value is not finite or a class is absent.
    TypeError
        If an argument is no split, head or callback at all, or holds no numbers.
    """
    splits = {"val": split_of(identification, "identification"), "train": split_of(tuning, "tuning")}
    if test is not None:
        splits["test"] = split_of(test, "test")
    return result_of(
        _core.tune(splits, head_of(head), settings_text(options), checked_progress(progress))
    )
