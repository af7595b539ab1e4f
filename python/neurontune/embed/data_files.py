"""The data that `python -m neurontune.embed` takes: CSV files, folders of images, arrays."""

import csv
import pathlib
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from . import framework
from .samples import Samples

_SHOWN = 80  # characters of a text that stand for it in reports


def from_csv(path: pathlib.Path) -> Samples:
    """A split of texts or images, a row for each.

    Columns: `label`; `text` (and optionally `text_pair`) or `image`, a path relative to the file;
    optionally `attribute` (empty where not known) and `id`.

    Raises
    ------
    ValueError
        That names file and line, if a column is missing or a number is none.
    OSError
        If the file cannot be read.
    """
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as lines:
        rows = csv.DictReader(lines)
        columns = list(rows.fieldnames or [])
        read_input = _input_of(path, columns)
        inputs, labels, attributes, ids = [], [], [], []
        for row in rows:
            where = f"{path}:{rows.line_num}"
            inputs.append(read_input(row))
            labels.append(_number(where, "label", row["label"]))
            if "attribute" in columns:
                attributes.append(_number(where, "attribute", row["attribute"] or "-1"))
            ids.append(row["id"] if "id" in columns else _name(row, rows.line_num))
    return Samples(inputs, labels, attributes if "attribute" in columns else None, ids)


def _input_of(path: pathlib.Path, columns: list[str]) -> Callable[[dict[str, Any]], Any]:
    there = ", ".join(columns) or "none"
    if "label" not in columns:
        raise ValueError(f"{path} has no column label; its columns are {there}")
    if "image" in columns:
        return lambda row: path.parent / (row["image"] or "")
    if "text_pair" in columns and "text" in columns:
        return lambda row: (row["text"] or "", row["text_pair"] or "")
    if "text" in columns:
        return lambda row: row["text"] or ""
    raise ValueError(f"{path} has neither a column text nor image; its columns are {there}")


def _number(where: str, column: str, text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        raise ValueError(f"{where}: {column} is {text!r}, expected an integer from 0") from None


def _name(row: dict[str, Any], line: int) -> str:
    """What a report shows of a sample without an id."""
    if row.get("image"):
        return str(row["image"])
    return f"line {line}: {(row['text'] or '')[:_SHOWN]}"


def from_image_folder(folder: pathlib.Path) -> tuple[dict[str, Samples], list[str]]:
    """The splits of FOLDER/SPLIT/CLASS/, and the names of the classes.

    Classes are numbered as timm's own training does it: by the folders of train, where 2 comes
    before 10.

    Raises
    ------
    ValueError
        If there is no train folder, or another split has a class that train lacks.
    MissingFramework
        If timm is not installed.
    """
    find = framework.load("timm.data.readers.reader_image_folder",
                          "pip install timm").find_images_and_targets
    names = sorted(path.name for path in folder.iterdir()
                   if path.is_dir() and path.name[0] != ".")
    if "train" not in names:
        raise ValueError(f"{folder} has no folder train, expected SPLIT/CLASS/ for train and val")
    _, classes = find(str(folder / "train"))
    splits = {name: _from_classes(folder, name, classes, find) for name in names}
    return splits, sorted(classes, key=classes.__getitem__)


def _from_classes(folder: pathlib.Path, split: str, classes: dict[str, int],
                  find: Callable[..., Any]) -> Samples:
    images, own_classes = find(str(folder / split))
    if unknown := sorted(set(own_classes) - set(classes)):
        raise ValueError(f"{folder / split} has a class {unknown[0]}, which train lacks")
    images, _ = find(str(folder / split), class_to_idx=classes)
    return Samples([path for path, _ in images], [label for _, label in images], None,
                   [str(pathlib.Path(path).relative_to(folder)) for path, _ in images])


def from_arrays(path: pathlib.Path) -> Samples:
    """The split of an ``.npz`` with `inputs` [N, ...], `labels` [N], optionally `attributes`, `ids`.

    Raises
    ------
    ValueError
        If an array is missing, or holds Python objects.
    OSError
        If the file cannot be read.
    """
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no .npz of numbers and text") from error
    for name in ("inputs", "labels"):
        if name not in arrays:
            raise ValueError(f"{path} has no array {name}; it has {', '.join(arrays) or 'none'}")
    ids = arrays["ids"].tolist() if "ids" in arrays else None
    return Samples(arrays["inputs"], arrays["labels"], arrays.get("attributes"), ids)


def by_split(files: list[pathlib.Path],
             read: Callable[[pathlib.Path], Samples]) -> dict[str, Samples]:
    """Each file as the split of its name.

    Raises
    ------
    ValueError
        If two files have the same name.
    """
    splits: dict[str, Samples] = {}
    for file in files:
        if file.stem in splits:
            raise ValueError(f"{file}: there is a split {file.stem} already")
        splits[file.stem] = read(file)
    return splits
