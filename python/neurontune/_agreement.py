"""Whether what a model gives is what its head gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

# Of the largest number, in single and in half precision; as for models of the command line.
_SINGLE, _HALF = 1e-4, 2e-2


def agrees(found: Tensor, expected: Tensor) -> bool:
    """Whether two tensors of one shape are the same within rounding."""
    half = found.element_size() == 2 or expected.element_size() == 2
    wide = expected.double()
    tolerance = (_HALF if half else _SINGLE) * wide.abs().max().item()
    return bool((found.double() - wide).abs().max().item() <= tolerance)


def is_output_of(logits: Tensor, output: Any) -> bool:
    """Whether a module's output is these logits ``[N, C]``, or has them in it.

    Their softmax, its logarithm, and of a single logit the sigmoid are as good: the class is the
    same. A single logit may come as ``[N]``.
    """
    forms = [logits, logits.log_softmax(1), logits.softmax(1)]
    if logits.shape[1] == 1:
        forms = [logits, logits.sigmoid()]
        forms += [form.squeeze(1) for form in forms]
    return any(
        found.shape == form.shape and agrees(found, form)
        for found in _tensors_in(output)
        for form in forms
    )


def _tensors_in(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        if output.is_floating_point():
            yield output.detach()
    elif isinstance(output, Mapping):
        for value in output.values():
            yield from _tensors_in(value)
    elif isinstance(output, (tuple, list)):
        for value in output:
            yield from _tensors_in(value)
