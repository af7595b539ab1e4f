#!/usr/bin/env python3
"""Peak memory and time of `neurontune run` on cached embeddings, of a million samples by default.

    large_set.py PROGRAM [--tune N] [--identify N] [--dimensions M] [--dtype NAME] [--recipe NAME]

Writes a tuning split (4 GB of float16 by default) and an identification split into a temporary folder, and
runs the program on them. Memory that is not a mapped file is counted apart, beside what is allowed: 0.3 times
the tuning embeddings and 2.2 times the identification ones. Needs NumPy and room for the files.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import time

import numpy as np


SAFETENSORS_NAMES = {"float16": "F16", "float32": "F32"}


def write_split(path, rows, columns, dtype, generator):
    """As safetensors lay it out: the header's size, the header, then the tensors in its order."""
    sizes = {"labels": ("I64", [rows], rows * 8),
             "embeddings": (SAFETENSORS_NAMES[dtype], [rows, columns], rows * columns * np.dtype(dtype).itemsize)}
    header, place = {}, 0
    for name, (kind, shape, size) in sizes.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    labels = generator.integers(0, 2, rows)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + labels.astype(np.int64).tobytes())
        for first in range(0, rows, 10_000):
            some = generator.standard_normal((min(10_000, rows - first), columns), dtype=np.float32)
            some[:, 0] += 2 * labels[first:first + len(some)] - 1
            some.astype(dtype).tofile(file)


def write_head(path, columns):
    weight = np.zeros((2, columns), np.float32)
    weight[1, 0] = 1
    header = json.dumps({"weight": {"dtype": "F32", "shape": [2, columns], "data_offsets": [0, weight.nbytes]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + weight.tobytes())


def anonymous_memory(process, peak):
    while process.poll() is None:
        try:
            lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
        except OSError:
            return
        peak[0] = max([peak[0], *(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))])
        time.sleep(0.02)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--tune", type=int, default=1_000_000)
    parser.add_argument("--identify", type=int, default=50_000)
    parser.add_argument("--dimensions", type=int, default=2048)
    parser.add_argument("--dtype", choices=SAFETENSORS_NAMES, default="float16")
    parser.add_argument("--recipe", default="robust")
    options = parser.parse_args()
    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "embeddings").mkdir()
        for name, rows in (("train", options.tune), ("val", options.identify)):
            write_split(folder / f"embeddings/{name}.safetensors", rows, options.dimensions, options.dtype, generator)
        write_head(folder / "embeddings/head.safetensors", options.dimensions)
        start, peak = time.perf_counter(), [0]
        process = subprocess.Popen([options.program, "run", "--embeddings", folder / "embeddings", "--out", folder / "out",
                                    "--recipe", options.recipe, "--quiet"], stdout=subprocess.DEVNULL)
        watcher = threading.Thread(target=anonymous_memory, args=(process, peak))
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.join()
        seconds = time.perf_counter() - start
        biased = json.loads((folder / "out/result.json").read_text())["biased_dimensions"]
    row = options.dimensions * np.dtype(options.dtype).itemsize / 2**20
    print(f"{options.tune} and {options.identify} x {options.dimensions} {options.dtype}, recipe {options.recipe}: "
          f"{seconds:.1f} s, peak {usage.ru_maxrss / 2**10:.0f} MiB with mapped files, {peak[0] / 2**10:.0f} MiB without "
          f"(allowed {(0.3 * options.tune + 2.2 * options.identify) * row:.0f}); "
          f"{biased['total'] - biased['count']} dimensions kept")


if __name__ == "__main__":
    main()
