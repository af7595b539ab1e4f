"""The additive mixture z | y, a ~ N(c_y + s_a, Σ) fitted by expectation-maximisation, as its densities have it.

With NumPy only: slow and obvious. The C++ library is held against this.
"""

from __future__ import annotations

import numpy as np


def log_densities(z, labels, effects, covariance, log_prior):
    """log p(a | y) + log N(z; c_y + s_a, Σ) of every sample and value, up to what all values share."""
    class_effects, attribute_effects = effects
    inverse = np.linalg.inv(covariance)
    values = np.empty((len(z), len(attribute_effects)))
    for a, shift in enumerate(attribute_effects):
        away = z - class_effects[labels] - shift
        values[:, a] = log_prior[labels, a] - np.einsum("nd,de,ne->n", away, inverse, away) / 2
    return values


def beliefs_of(z, labels, effects, covariance, log_prior):
    values = log_densities(z, labels, effects, covariance, log_prior)
    weights = np.exp(values - values.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def weighted_effects(z, labels, beliefs, classes):
    """Least squares over every (sample, value of the attribute), weighted by the belief in it."""
    values = beliefs.shape[1]
    design, targets = [], []
    for sample, (label, belief) in enumerate(zip(labels, beliefs)):
        for a in range(values):
            row = np.zeros(classes + values)
            row[label], row[classes + a] = 1, 1
            design.append(np.sqrt(belief[a]) * row)
            targets.append(np.sqrt(belief[a]) * z[sample])
    effects = np.linalg.lstsq(np.array(design), np.array(targets), rcond=1e-10)[0]
    return effects[:classes], effects[classes:]


def scatter_around(z, labels, beliefs, effects):
    class_effects, attribute_effects = effects
    scatter = np.zeros((z.shape[1], z.shape[1]))
    for a, shift in enumerate(attribute_effects):
        away = z - class_effects[labels] - shift
        scatter += (away * beliefs[:, a:a + 1]).T @ away
    return scatter / len(z)


def infer_groups(embeddings, labels, predictions, classes, confidence=0.9, smoothing=2.0, shrinkage=0.1,
                 iterations=60, tolerance=1e-4):
    deviation = embeddings.std(axis=0)
    scaling = embeddings.mean(axis=0), np.where(deviation == 0, 1, deviation)
    z = (embeddings - scaling[0]) / scaling[1]
    counts = np.full((classes, classes), smoothing)
    for label, prediction in zip(labels, predictions):
        counts[label, prediction] += 1
    log_prior = np.log(counts / counts.sum(axis=1, keepdims=True))
    beliefs = np.full((len(z), classes), (1 - confidence) / (classes - 1))
    beliefs[np.arange(len(z)), predictions] = confidence
    for iteration in range(1, iterations + 1):
        effects = weighted_effects(z, labels, beliefs, classes)
        covariance = scatter_around(z, labels, beliefs, effects)
        dimensions = len(covariance)
        covariance = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / dimensions * np.eye(dimensions)
        before, beliefs = beliefs, beliefs_of(z, labels, effects, covariance, log_prior)
        if np.abs(beliefs - before).mean() <= tolerance:
            break
    return {"scaling": scaling, "effects": effects, "covariance": covariance, "log_prior": log_prior,
            "beliefs": beliefs, "iterations": iteration}
