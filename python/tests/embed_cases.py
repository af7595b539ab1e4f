"""What the tests of the embedding functions share."""

import contextlib
import io
import pathlib
from typing import NamedTuple

import torch
from safetensors.torch import load_file

from neurontune.embed.__main__ import main


class Run(NamedTuple):
    """What the command line did."""

    code: int
    out: str
    error: str


def run(*arguments):
    """The command line, in this process: starting one more takes seconds."""
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = main(list(map(str, arguments)))
    return Run(code, out.getvalue(), error.getvalue())


def error_of(*arguments):
    """The one line of a run that must fail with exit code 1."""
    done = run(*arguments)
    assert done.code == 1, done
    last = done.error.splitlines()[-1]
    assert last.startswith("error: "), done
    return last


def logits_of(folder, split):
    """What the written head makes of the written embeddings, [N, C]."""
    tensors = load_file(folder / f"{split}.safetensors")
    head = load_file(folder / "head.safetensors")
    return tensors["embeddings"] @ head["weight"].T + head["bias"]


def another_head(classes, dimensions):
    """A head that no model came with."""
    generator = torch.Generator().manual_seed(7)
    return (torch.randn(classes, dimensions, generator=generator),
            torch.randn(classes, generator=generator))


def ids_of(folder, split):
    return pathlib.Path(folder, f"{split}.ids.txt").read_text(encoding="utf-8").splitlines()
