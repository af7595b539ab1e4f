"""The search for a shortcut behind a head's mistakes, from the other oracles.

The C++ library is held against this. Nothing here looks at the library's code.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import special

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


def mean_distance(distances, beliefs, labels):
    """Of another value from the class's own, over the samples as far as they have another, shrunk where those are few."""
    total = weight = 0.0
    for label, of_sample in zip(labels, beliefs):
        for a, belief in enumerate(of_sample):
            if a != label:
                total += belief * distances[label, a]
                weight += belief
    a_class = weight / len(distances)
    return total / weight * np.sqrt(a_class / (a_class + 3)) if weight >= 1 else 0.0


def label_errors(probabilities, labels):
    """Confident learning (Northcutt, Jiang & Chuang 2021): samples counted off the diagonal."""
    classes = probabilities.shape[1]
    thresholds = [probabilities[labels == c, c].mean() if (labels == c).any() else np.inf for c in range(classes)]
    wrong = np.zeros(len(labels), bool)
    for sample, of_sample in enumerate(probabilities):
        sure = [c for c in range(classes) if of_sample[c] >= thresholds[c]]
        if sure:
            wrong[sample] = max(sure, key=lambda c: of_sample[c]) != labels[sample]
    return wrong


def effects_of(groups):
    return (groups.attribute_effects - groups.attribute_effects.mean(axis=0)) * groups.deviation


def first_directions(z, labels, most):
    """In which scaled samples vary most about the means of their classes, as the singular vectors have it: [M, K]."""
    within = np.array([sample - z[labels == label].mean(axis=0) for sample, label in zip(z, labels)])
    return np.linalg.svd(within)[2][:most].T


def search_shortcut(held_out, tuning, logits, classes, penalty=1e-2, attribute_penalty=0.1, folds=2, seed=0,
                    components=64, **groups):
    """A dictionary: what the library's ShortcutSearch has."""
    (z, labels), (z_tuning, y_tuning) = held_out, tuning
    mean, deviation = scaling_of(z)
    directions = np.eye(z.shape[1])
    if components < z.shape[1]:
        directions = first_directions((z - mean) / deviation, labels, components)
    unscaled = np.zeros(directions.shape[1]), np.ones(directions.shape[1])
    predicted = logits.argmax(axis=1)
    mistaken = predicted != labels

    def coordinates(samples):
        return (samples - mean) / deviation @ directions

    def infer(rows):
        return infer_groups(coordinates(z[rows]), labels[rows], predicted[rows], classes, scaling=unscaled, **groups)

    def probe(beliefs, effects=None):
        weights = rebalancing.rebalancing_weights(y_tuning, beliefs, classes)
        weight, bias = rebalancing.retrain(z_tuning, y_tuning, weights, np.ones(z.shape[1]), classes, penalty, True,
                                           effects, attribute_penalty)
        return z @ weight.T + bias

    def errors(effects):
        outputs = probe(np.ones((len(y_tuning), 1)), effects)
        return (outputs[trusted].argmax(axis=1) != labels[trusted]).sum()

    outputs = probe(infer(np.arange(len(z))).beliefs(coordinates(z_tuning), y_tuning))
    both_wrong = mistaken & (outputs.argmax(axis=1) != labels)
    both_sure = (label_errors(special.softmax(logits, axis=1), labels)
                 & label_errors(special.softmax(outputs, axis=1), labels))
    suspected = both_wrong & both_sure
    trusted = np.flatnonzero(~suspected)

    inferred = infer(trusted)
    effects = effects_of(inferred) @ directions.T * deviation
    reliance = (errors(effects) + 1) / (errors(None) + 1)
    fold = folds_of(labels, classes, folds, seed)
    cross_fitted = np.empty((len(trusted), classes))
    for k in range(folds):
        judged = fold[trusted] == k
        cross_fitted[judged] = infer(trusted[~judged]).beliefs(
            coordinates(z[trusted[judged]]), labels[trusted[judged]])
    separation = mean_distance(inferred.distances(), cross_fitted, labels[trusted])
    return dict(suspected=int(suspected.sum()), trusted=trusted, separation=separation, beliefs=cross_fitted,
                effects=effects, reliance=float(reliance))
