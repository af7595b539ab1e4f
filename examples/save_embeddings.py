"""Writes the embeddings that examples/repair_numpy.cpp reads. In your program: those of your model.

usage: python examples/save_embeddings.py OUT.npz
"""

import sys

import numpy as np

rng = np.random.default_rng(0)


def draw_split(samples, agreement):
    """Embeddings whose dimension 1 agrees with the label in a share of the samples: the shortcut."""
    labels = rng.integers(2, size=samples)
    agrees = rng.random(samples) < agreement
    embeddings = rng.normal(size=(samples, 32)).astype(np.float32)
    embeddings[:, 0] += 2 * labels - 1
    embeddings[:, 1] += 4 * np.where(agrees, 2 * labels - 1, 1 - 2 * labels)
    return embeddings, labels


train_embeddings, train_labels = draw_split(20000, 0.95)
val_embeddings, val_labels = draw_split(4000, 0.95)
weight = np.zeros((2, 32), dtype=np.float32)  # the head to repair looks at dimension 1
weight[:, 1] = [-1, 1]
np.savez(sys.argv[1], train_embeddings=train_embeddings, train_labels=train_labels,
         val_embeddings=val_embeddings, val_labels=val_labels,
         weight=weight, bias=np.zeros(2, dtype=np.float32))
