"""Images as the frameworks' own transforms take them."""

import os
from collections.abc import Iterable
from typing import Any

from . import framework
from .errors import naming


def opened(images: Iterable[Any]) -> list[Any]:
    """Images in RGB where paths are given; what is no path stays as it is.

    Raises
    ------
    ValueError
        If a file cannot be read as an image.
    """
    return [_open(image) if isinstance(image, (str, os.PathLike)) else image for image in images]


def _open(path: Any) -> Any:
    library = framework.load("PIL.Image", "pip install pillow")
    # Pillow's errors of damaged files are of many kinds and do not name the file.
    with naming(f"image {os.fspath(path)}"), library.open(path) as image:
        return image.convert("RGB")
