#!/usr/bin/env python3
"""Tries every classifier of torchvision, traced and scripted, and prints a Markdown table.

    model_zoo.py PROGRAM [MODEL…]

PROGRAM is build/release/neurontune; the Python that runs this needs torch and torchvision. Each model
(random weights) is exported, inspected, given another head by `export`, and loaded again: the table
has the head that was found, how far head(features(x)) is from the model, and how far the exported
model is from the eager one with the same new head.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import torch
from safetensors.torch import save_file
from torchvision import models

SIZES = {"inception_v3": 299}


def build(name):
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return models.get_model(name, weights=None, **options).eval()


def answer(program, *arguments):
    """The program's JSON, or its last line on stderr."""
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    return json.loads(done.stdout) if done.stdout else {}


def drop_in_difference(program, model, exported, path, head, images):
    """Puts another head into the file and into the eager model, and compares the two."""
    layer = model.get_submodule(head)
    with torch.no_grad():
        layer.weight.mul_(-0.5).add_(0.01)
        if layer.bias is not None:
            layer.bias.add_(0.25)
    save_file({name: tensor.contiguous() for name, tensor in layer.state_dict().items()}, path / "head.safetensors")
    failure = answer(program, "export", exported, "--head", path / "head.safetensors",
                     "--out", path / "tuned.pt")
    if failure:
        return failure
    tuned = torch.jit.load(path / "tuned.pt")
    with torch.no_grad():
        result, expected = tuned(images), model(images)
    result = result[0] if isinstance(result, tuple) else result
    return float((result - expected).abs().max() / expected.abs().max())


def row(program, name, how, path):
    model = build(name)
    size = SIZES.get(name, 224)
    images = torch.rand(2, 3, size, size)
    exported = path / "model.pt"
    module = torch.jit.trace(model, images, check_trace=False) if how == "traced" else torch.jit.script(model)
    module.save(exported)
    del module
    found = answer(program, "inspect", exported, "--json", "--input-shape", f"2,3,{size},{size}")
    if isinstance(found, str):
        return f"| {name} | {how} | | | {found.replace(str(exported), 'model.pt')} |"
    difference = drop_in_difference(program, model, exported, path, found["head"], images)
    where = found["head"] + (f", output {found['output']}" if found["output"] else "")
    if isinstance(difference, str):
        return f"| {name} | {how} | {where} | {found['max_abs_difference']:.0e} | {difference} |"
    return f"| {name} | {how} | {where} | {found['max_abs_difference']:.0e} | {difference:.0e} |"


def main():
    program, *names = sys.argv[1:]
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    print("| model | export | head | difference of the split | of the exported model, relative |")
    print("|---|---|---|---|---|", flush=True)
    for name in names or models.list_models(module=models):
        for how in ("traced", "scripted"):
            with tempfile.TemporaryDirectory() as folder:
                print(row(program, name, how, pathlib.Path(folder)), flush=True)


if __name__ == "__main__":
    main()
