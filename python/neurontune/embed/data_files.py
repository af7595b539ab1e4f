"""The data that `python -m neurontune.embed` takes: CSV files, folders of images, arrays."""

import csv
import pathlib
import sys
from collections.abc import Callable, Iterator
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
        That names file and line, if a column, a field or an image is missing, or a number is none.
    OSError
        If the file cannot be read.
    """
    inputs, labels, attributes, ids = [], [], [], []
    for line, row in _rows(path):
        where = f"{path}:{line}"
        inputs.append(_input(where, row, path.parent))
        labels.append(_number(where, "label", row["label"]))
        if "attribute" in row:
            attributes.append(_number(where, "attribute", row["attribute"] or "-1", lowest=-1))
        ids.append(row.get("id") or _name(row, line))
    if not inputs:
        raise ValueError(f"{path} has no rows below its header")
    return Samples(inputs, labels, attributes or None, ids)


def _rows(path: pathlib.Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows by column, each with the line that it ends at."""
    csv.field_size_limit(sys.maxsize)  # texts may be long; Python's own limit is 131072 characters
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as lines:
        rows = csv.reader(lines, strict=True)  # else one open quote takes the rest of the file
        try:
            columns = next(rows, [])
            _check_columns(path, columns)
            for row in filter(None, rows):
                if len(row) != len(columns):
                    raise ValueError(f"{path}:{rows.line_num} has {len(row)} fields, its header "
                                     f"{len(columns)}; a field with a comma needs quotes")
                yield rows.line_num, dict(zip(columns, row))
        except csv.Error as error:
            raise ValueError(f"{path}:{rows.line_num}: {error}") from error


def _check_columns(path: pathlib.Path, columns: list[str]) -> None:
    there = f"its columns are {', '.join(columns) or 'none'}"
    if "label" not in columns:
        raise ValueError(f"{path} has no column label; {there}")
    if not {"image", "text"} & set(columns):
        raise ValueError(f"{path} has neither a column text nor image; {there}")
    for column in ("label", "text", "text_pair", "image", "attribute", "id"):
        if columns.count(column) > 1:
            raise ValueError(f"{path} has several columns {column}; {there}")


def _input(where: str, row: dict[str, str], folder: pathlib.Path) -> Any:
    columns = ["image"] if "image" in row else ["text", *row.keys() & {"text_pair"}]
    for column in columns:
        if not row[column]:
            raise ValueError(f"{where}: {column} is empty")
    if "image" in row:
        path = folder / row["image"]
        if not path.is_file():  # found out here rather than after hours of embedding
            raise ValueError(f"{where}: there is no file {path}")
        return path
    texts = tuple(row[column] for column in columns)
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        raise ValueError(f"{where}: the text is not UTF-8") from None
    return texts[0] if len(texts) == 1 else texts


def _number(where: str, column: str, text: str, lowest: int = 0) -> int:
    try:
        number = int(text)
    except ValueError:
        number = lowest - 1
    if number < lowest:
        raise ValueError(f"{where}: {column} is {text[:_SHOWN]!r}, expected an integer from 0")
    return number


def _name(row: dict[str, str], line: int) -> str:
    """What a report shows of a sample without an id."""
    return row["image"] if "image" in row else f"line {line}: {row['text'][:_SHOWN]}"


def from_image_folder(folder: pathlib.Path) -> tuple[dict[str, Samples], list[str]]:
    """The splits of FOLDER/SPLIT/CLASS/, and the names of the classes.

    Classes are numbered as timm's own training does it: by the folders of train, where 2 comes
    before 10.

    Raises
    ------
    ValueError
        If there is no train folder, a split has no images or images outside of classes, or
        another split has a class that train lacks.
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
    if not images or "" in own_classes:
        raise ValueError(f"{folder / split} has {'images outside of' if images else 'no images in'}"
                         f" folders of classes, expected SPLIT/CLASS/ and images in it")
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
    except FileNotFoundError:
        raise
    except Exception as error:  # of many kinds for junk
        raise ValueError(f"{path} is no .npz of numbers and text") from error
    for name in ("inputs", "labels"):
        if name not in arrays:
            raise ValueError(f"{path} has no array {name}; it has {', '.join(arrays) or 'none'}")
    ids = arrays["ids"].ravel().tolist() if "ids" in arrays else None
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
