"""Options of functions, as the C++ library reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np


def settings_text(options: Mapping[str, object]) -> str:
    """Options as a JSON object; those that are None are left out. The library knows the keys."""
    given = {key: value for key, value in options.items() if value is not None}
    try:
        return json.dumps(given, default=_plain)
    except (TypeError, ValueError) as error:
        raise ValueError(f"options: {error}") from None


def _plain(value: object) -> object:
    """NumPy's numbers and arrays, which json does not know."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} is no value of a setting")
