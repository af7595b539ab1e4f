"""The search for a shortcut behind a head's mistakes, from the other oracles.

The C++ library is held against this. Nothing here looks at the library's code.
"""

from __future__ import annotations

import numpy as np
import torch

import rebalancing
from inferred_groups import infer_groups, scaling_of


def folds_of(labels, classes, folds, seed):
    """A class's samples in turn, in a random order."""
    generator = torch.Generator().manual_seed(seed)
    result = np.empty(len(labels), np.int64)
    for c in range(classes):
        members = np.flatnonzero(labels == c)
        order = torch.randperm(len(members), generator=generator).numpy()
        for place, member in enumerate(members[order]):
            result[member] = place % folds
    return result


def overlap(first, second, labels):
    common = union = 0.0
    for one, other, label in zip(first, second, labels):
        for a in range(len(one)):
            if a != label:
                common += min(one[a], other[a])
                union += max(one[a], other[a])
    return common / union if union > 0 else 1.0


def search_shortcut(held_out, tuning, predicted, classes, penalty=1e-2, folds=2, seed=0, **groups):
    """persistence, separation of the first groups, and the cross-fitted beliefs [N, C]."""
    (z, labels), (z_tuning, y_tuning) = held_out, tuning
    first = infer_groups(z, labels, predicted, classes, **groups)
    weights = rebalancing.rebalancing_weights(y_tuning, first.beliefs(z_tuning, y_tuning), classes)
    weight, bias = rebalancing.retrain(z_tuning, y_tuning, weights, np.ones(z.shape[1]), classes, penalty, True)
    repaired = (z @ weight.T + bias).argmax(axis=1)
    evidence = np.where((predicted != labels) & (repaired != labels), labels, predicted)
    second = infer_groups(z, labels, evidence, classes, **groups)
    persistence = overlap(first.beliefs(z, labels), second.beliefs(z, labels), labels)
    fold = folds_of(labels, classes, folds, seed)
    beliefs = np.empty((len(z), classes))
    for k in range(folds):
        others = infer_groups(z[fold != k], labels[fold != k], evidence[fold != k], classes,
                              scaling=scaling_of(z), **groups)
        beliefs[fold == k] = others.beliefs(z[fold == k], labels[fold == k])
    withdrawn = int((evidence != predicted).sum())
    return persistence, first.separation(), beliefs, withdrawn
