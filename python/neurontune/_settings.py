"""Options of functions, as the C++ library reads them."""

from __future__ import annotations

import json
import operator
import os
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import numpy as np

_Item = TypeVar("_Item")

# What each single step takes: keys of the library. Whatever else is given would have no effect.
STEPS = {
    "identify": (
        "recipe",
        "identify.threshold",
        "identify.threshold_quantile",
        "identify.aggregate",
        "identify.activation",
        "identify.keep_at_least",
        "identify.mask_value",
        "identify.significance",
        "identify.false_discovery_rate",
        "identify.strata",
        "identify.detectable_effect",
    ),
    "retrain": (
        "recipe",
        "seed",
        "tune.start",
        "tune.epochs",
        "tune.batches_per_epoch",
        "tune.batch_size",
        "tune.learning_rate",
        "tune.momentum",
        "tune.weight_decay",
    ),
    "select": ("select.criterion", "select.guard", "identify.activation"),
    "infer_groups": (
        "seed",
        "shortcut.evidence_threshold",
        "shortcut.components",
        "shortcut.confidence",
        "shortcut.smoothing",
        "shortcut.error_quantile",
        "shortcut.shrinkage",
        "shortcut.rounds",
        "shortcut.group_samples",
        "shortcut.samples_per_group",
        "shortcut.folds",
        "shortcut.penalty",
        "shortcut.attribute_penalty",
        "shortcut.iterations",
        "shortcut.tolerance",
    ),
}


def settings_text(options: Mapping[str, object]) -> str:
    """Options as a JSON object; those that are None are left out. The library knows the keys."""
    return json.dumps(
        {key: _json_value(key, value) for key, value in options.items() if value is not None}
    )


def step_settings(step: str, options: Mapping[str, object]) -> dict[str, object]:
    """Options of a single step by their keys; ValueError for those that have no effect on it."""
    keys = {name: key for key in STEPS[step] for name in (key, _last_part(key))}
    settings: dict[str, object] = {}
    for name, value in _flat(options):
        if name not in keys:
            known = ", ".join(map(_last_part, STEPS[step]))
            raise ValueError(f"options: {name} is no setting of {step}, which takes {known}")
        if keys[name] in settings:
            raise ValueError(f"options: {keys[name]} is given twice")
        settings[keys[name]] = value
    return settings


def whole_number(name: str, value: object) -> int:
    """A whole number of 64 bits: TypeError if it is none, ValueError if it is larger."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{name} is {described(value)}, expected a whole number")
    if abs(number) >= 2**63:
        raise ValueError(f"{name} is {described(number)}, expected a number of 64 bits")
    return number


def list_of(what: str, name: str, values: Iterable[_Item]) -> list[_Item]:
    """The values; TypeError if they are a text or nothing that can be gone through."""
    if isinstance(values, (str, bytes, os.PathLike)) or not isinstance(values, Iterable):
        raise TypeError(f"{name} is {described(values)}, expected a list of {what}")
    return list(values)


def described(value: object) -> str:
    """What an argument is, for an error: short and in one line."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return reprlib.repr(value)
    kind = f"a {type(value).__name__}"
    return f"{kind} of {len(value)}" if isinstance(value, (tuple, list, dict)) else kind


def _last_part(key: str) -> str:
    return key.rpartition(".")[2]


def _flat(options: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Settings that are given, with ``shortcut={"folds": 3}`` as ``shortcut.folds``."""
    for name, value in options.items():
        parts = value.items() if isinstance(value, Mapping) else ()
        yield from ((f"{name}.{part}", of_part) for part, of_part in parts)
        if value is not None and not isinstance(value, Mapping):
            yield name, value


def _json_value(key: str, value: object) -> object:
    """The value as json reads it back; ValueError, naming the key, for what it cannot write."""
    try:
        return json.loads(json.dumps(value, default=_plain), parse_constant=_not_finite)
    except (TypeError, ValueError) as error:
        raise ValueError(f"options: {key}: {error}") from None


def _plain(value: object) -> object:
    """NumPy's numbers and arrays, which json does not know."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{described(value)} is no value of a setting")


def _not_finite(number: str) -> object:
    raise ValueError(f"{number} is no value of a setting")
