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


def overlap(first, second, labels):
    common = union = 0.0
    for one, other, label in zip(first, second, labels):
        for a in range(len(one)):
            if a != label:
                common += min(one[a], other[a])
                union += max(one[a], other[a])
    return common / union if union > 0 else 1.0


def mean_distance(distances, beliefs, labels):
    """Of another value from the class's own, over the samples as far as they have another."""
    total = weight = 0.0
    for label, of_sample in zip(labels, beliefs):
        for a, belief in enumerate(of_sample):
            if a != label:
                total += belief * distances[label, a]
                weight += belief
    return total / weight


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


def search_shortcut(held_out, tuning, logits, classes, penalty=1e-2, attribute_penalty=0.1, attribute_rounds=30, folds=2,
                    seed=0, **groups):
    """A dictionary: what the library's ShortcutSearch has, and the number of hard and of sure mistakes."""
    (z, labels), (z_tuning, y_tuning) = held_out, tuning
    scaling = scaling_of(z)
    predicted = logits.argmax(axis=1)
    mistaken = predicted != labels
    margins = logits.max(axis=1) - logits[np.arange(len(z)), labels]

    def infer(rows, evidence, counted=None, **others):
        return infer_groups(z[rows], labels[rows], evidence[rows], classes, scaling=scaling,
                            counted=None if counted is None else counted[rows], **groups, **others)

    def probe(inferred):
        weights = rebalancing.rebalancing_weights(y_tuning, inferred.beliefs(z_tuning, y_tuning), classes)
        weight, bias = rebalancing.retrain(z_tuning, y_tuning, weights, np.ones(z.shape[1]), classes, penalty, True)
        return z @ weight.T + bias

    def errors(effects):
        weights = rebalancing.rebalancing_weights(y_tuning, np.ones((len(y_tuning), 1)), classes)
        weight, bias = rebalancing.retrain(z_tuning, y_tuning, weights, np.ones(z.shape[1]), classes, penalty, True,
                                           effects, attribute_penalty)
        return (z[trusted] @ weight.T + bias).argmax(axis=1) != labels[trusted]

    outputs = probe(infer(np.arange(len(z)), predicted))
    both_wrong = mistaken & (outputs.argmax(axis=1) != labels)
    suspected = both_wrong & label_errors(special.softmax(outputs, axis=1), labels)
    trusted = np.flatnonzero(~suspected)

    first = infer(trusted, predicted)
    hard = mistaken & (probe(first).argmax(axis=1) != labels)
    repaired = np.where(hard, labels, predicted)
    second = infer(trusted, repaired)
    beliefs = first.beliefs(z[trusted], labels[trusted])
    persistence = overlap(beliefs, second.beliefs(z[trusted], labels[trusted]), labels[trusted])

    left = mistaken & ~hard
    sure = left & (margins >= np.median(margins[left & ~suspected]))
    evidence = np.where(sure, predicted, labels)
    lasting = infer(trusted[~hard[trusted]], predicted, even=True, rounds=attribute_rounds)
    effects = np.concatenate([effects_of(infer(trusted, evidence, repaired)), effects_of(lasting)])
    reliance = (errors(effects[classes:]).sum() + 1) / (errors(None).sum() + 1)
    fold = folds_of(labels, classes, folds, seed)
    cross_fitted = np.empty((len(trusted), classes))
    for k in range(folds):
        others = infer(trusted[fold[trusted] != k], evidence, repaired)
        judged = fold[trusted] == k
        cross_fitted[judged] = others.beliefs(z[trusted[judged]], labels[trusted[judged]])
    return dict(suspected=int(suspected.sum()), trusted=trusted, persistence=float(persistence),
                separation=mean_distance(first.distances(), beliefs, labels[trusted]), beliefs=cross_fitted,
                effects=effects, reliance=float(reliance),
                hard=int(hard[trusted].sum()), sure=int(sure[trusted].sum()))
