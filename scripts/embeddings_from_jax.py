"""Writes the embeddings of a JAX classifier as a folder for `neurontune run --embeddings`.

usage: python scripts/embeddings_from_jax.py OUT

In your program, call write_folder with your own features function, last layer and data. The folder
needs nothing but NumPy: OUT/SPLIT.npz and OUT/head.npz.
"""

import pathlib
import sys

import numpy as np


def write_folder(out, features, kernel, bias, splits, batch_size=256):
    """Writes the embeddings of all splits, and the head.

    features: maps inputs [n, ...] to what enters the last layer, [n, M], in evaluation mode
    kernel, bias: of the last layer, as Flax's Dense has them: [M, C] and [C]
    splits: {"train": (inputs [N, ...], labels [N], attributes [N] or None), "val": ...}
    """
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    # As float32: NumPy has no bfloat16. Other libraries than JAX keep the transposed weight, [C, M].
    np.savez(out / "head.npz", weight=np.asarray(kernel, np.float32).T,
             bias=np.asarray(bias, np.float32))
    for split, (inputs, labels, attributes) in splits.items():
        batches = [np.asarray(features(inputs[first:first + batch_size]), np.float32)
                   for first in range(0, len(inputs), batch_size)]
        arrays = {"embeddings": np.concatenate(batches), "labels": np.asarray(labels)}
        if attributes is not None:
            arrays["attributes"] = np.asarray(attributes)
        np.savez(out / f"{split}.npz", **arrays)


def main():
    import jax  # pip install jax

    keys = jax.random.split(jax.random.key(0), 4)  # in your program: the parameters you trained
    hidden, kernel = jax.random.normal(keys[0], (8, 32)), jax.random.normal(keys[1], (32, 2))
    inputs = jax.random.normal(keys[2], (1000, 8))
    labels = jax.random.randint(keys[3], (1000,), 0, 2)
    splits = {"train": (inputs[:600], labels[:600], None), "val": (inputs[600:], labels[600:], None)}
    features = jax.jit(lambda x: jax.nn.relu(x @ hidden))
    write_folder(sys.argv[1], features, kernel, np.zeros(2), splits)


if __name__ == "__main__":
    main()
