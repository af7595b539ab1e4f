#!/usr/bin/env python3
"""A whole `run` on embeddings of a full data set's size, against a straight PyTorch script of plain NeuronTune.

    full_size.py PROGRAM [--tune N] [--identify N] [--dimensions M] [--classes C] [--recipe NAME] [--keep-all]
                 [--rounds N] [--device NAME]

By default CelebA's size (162,770 and 19,867 samples of 2,048 dimensions, two classes). The embeddings are random,
rectified, with a class, an attribute that agrees with it in nine of ten samples, and a head that leans on it. The
two take turns; printed are the seconds of each round, reading the files included, the ratio of the medians and the
share of dimensions that the mask keeps. With --keep-all it keeps all of them, in both. The second ratio is of what
comes after the files are read: identification, retraining and SFit, and with `robust` the search too.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from safetensors.torch import save_file

AGREEMENT = 0.9
DIRECTIONS = 16  # dimensions that a class, or a value of the attribute, moves


def write_split(path, rows, options, effects, generator):
    labels = generator.integers(0, options.classes, rows)
    other = (labels + generator.integers(1, options.classes, rows)) % options.classes
    attributes = np.where(generator.random(rows) < AGREEMENT, labels, other)
    embeddings = generator.standard_normal((rows, options.dimensions), dtype=np.float32)
    embeddings += effects[0][labels] + effects[1][attributes]
    save_file({"embeddings": torch.from_numpy(np.maximum(embeddings, 0)), "labels": torch.from_numpy(labels),
               "attributes": torch.from_numpy(attributes)}, path)


def write_embeddings(folder, options):
    generator = np.random.default_rng(0)
    effects = np.zeros((2, options.classes, options.dimensions), np.float32)
    for kind, strength in enumerate((0.5, 1)):
        for value in range(options.classes):
            effects[kind, value, generator.permutation(options.dimensions)[:DIRECTIONS]] = strength
    for name, rows in (("train", options.tune), ("val", options.identify), ("test", 4000)):
        write_split(folder / f"{name}.safetensors", rows, options, effects, generator)
    weight = torch.from_numpy(effects[0] + effects[1])
    save_file({"weight": weight - weight.mean(0), "bias": torch.zeros(options.classes)}, folder / "head.safetensors")


def timed(*command):
    start = time.perf_counter()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          env={"OMP_WAIT_POLICY": "passive", **os.environ})
    if done.returncode:
        sys.exit(f"error: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}")
    return time.perf_counter() - start, json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--tune", type=int, default=162_770)
    parser.add_argument("--identify", type=int, default=19_867)
    parser.add_argument("--dimensions", type=int, default=2048)
    parser.add_argument("--classes", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--recipe", default="robust")
    parser.add_argument("--keep-all", action="store_true", help="mask no dimension")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    peer = pathlib.Path(__file__).parent / "straight_neurontune.py"
    common = ["--epochs", options.epochs, "--threads", options.threads, "--device", options.device]
    no_mask = (["--threshold", 1e9], ["--keep-all"]) if options.keep_all else ([], [])
    ours, theirs, our_method, their_method = [], [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "embeddings"
        folder.mkdir()
        write_embeddings(folder, options)
        for _ in range(options.rounds):
            seconds, result = timed(options.program, "run", "--embeddings", folder, "--out", folder.parent / "out",
                                    "--recipe", options.recipe, "--json", "--quiet", *common, *no_mask[0])
            ours.append(seconds)
            seconds, report = timed(sys.executable, peer, folder, *common, *no_mask[1])
            theirs.append(seconds)
            our_method.append(result["seconds"]["tune"])
            their_method.append(report["total"] - report["seconds"]["load"])
            kept = 1 - result["biased_dimensions"]["count"] / options.dimensions
            print(f"{ours[-1]:.1f} s, {result['selected']} head, steps {result['seconds']}; "
                  f"peer {theirs[-1]:.1f} s, steps {report['seconds']}", file=sys.stderr)
    ratios = [statistics.median(peer) / statistics.median(own)
              for peer, own in ((theirs, ours), (their_method, our_method))]
    print(f"{options.tune} and {options.identify} x {options.dimensions}, {options.classes} classes, recipe "
          f"{options.recipe}, {options.epochs} epochs, {kept:.0%} of the dimensions kept: {statistics.median(ours):.2f} s; "
          f"PyTorch {statistics.median(theirs):.2f} s; ratio {ratios[0]:.2f}, after reading {ratios[1]:.2f}")


if __name__ == "__main__":
    main()
