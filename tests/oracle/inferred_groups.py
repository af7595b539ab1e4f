"""The additive mixture z | y, a ~ N(c_y + s_a, Σ) fitted from evidence of a, as its densities have it.

With NumPy only: slow and obvious. The C++ library is held against this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Groups:
    mean: np.ndarray  # [M]
    deviation: np.ndarray  # [M]
    class_effects: np.ndarray  # [C, M]
    attribute_effects: np.ndarray  # [C, M]
    covariance: np.ndarray  # [M, M], shrunk
    log_prior: np.ndarray  # [C, C]
    calibration: np.ndarray  # [C, C], added to it

    def beliefs(self, embeddings, labels):
        """p(a | z, y): the calibrated prior times the density, of every sample and value."""
        z = (embeddings - self.mean) / self.deviation
        inverse = np.linalg.inv(self.covariance)
        logs = np.empty((len(z), len(self.attribute_effects)))
        for a, shift in enumerate(self.attribute_effects):
            away = z - self.class_effects[labels] - shift
            logs[:, a] = (self.log_prior + self.calibration)[labels, a]
            logs[:, a] -= np.einsum("nd,de,ne->n", away, inverse, away) / 2
        densities = np.exp(logs - logs.max(axis=1, keepdims=True))
        return densities / densities.sum(axis=1, keepdims=True)

    def calibrate(self, embeddings, labels, steps=20, close_enough=1e-3):
        """Lowers the values that are not a class's own until their mean belief over its samples is at most the prior.
        Returns the beliefs."""
        classes = len(self.log_prior)
        for _ in range(steps):
            beliefs = self.beliefs(embeddings, labels)
            before = self.calibration.copy()
            for c in range(classes):
                missing = self.log_prior[c] - np.log(np.maximum(beliefs[labels == c].mean(axis=0), 1e-12))
                for a in range(classes):
                    if a != c:
                        self.calibration[c, a] = min(0, before[c, a] + missing[a] - missing[c])
            if np.abs(self.calibration - before).max() <= close_enough:
                return beliefs
        return self.beliefs(embeddings, labels)

    def distances(self):
        """The Mahalanobis distances of the values: [C, C]."""
        values = self.attribute_effects
        apart = [[one - other for other in values] for one in values]
        inverse = np.linalg.inv(self.covariance)
        return np.array([[np.sqrt(step @ inverse @ step) for step in row] for row in apart])


def log_prior(labels, evidence, classes, smoothing, error_quantile):
    """Another value than the class's own is as likely in every class, and as any other such value."""
    rates = [((evidence != labels)[labels == c].sum() + smoothing) / ((labels == c).sum() + smoothing * classes)
             for c in range(classes)]
    rate = np.quantile(rates, error_quantile)
    prior = np.full((classes, classes), rate / (classes - 1))
    np.fill_diagonal(prior, 1 - rate)
    return np.log(prior)


def sample_weights(labels, beliefs, group_samples):
    """Every group counts about alike, unless it has few samples."""
    weights = np.zeros(len(labels))
    for sample, label in enumerate(labels):
        for a in range(beliefs.shape[1]):
            size = beliefs[labels == label, a].sum()
            weights[sample] += beliefs[sample, a] / (size + group_samples)
    return weights


def maximised(z, labels, beliefs, group_samples, shrinkage):
    """The effects by weighted least squares, and the covariance of what they leave."""
    classes = beliefs.shape[1]
    design = np.concatenate([np.eye(classes)[labels], beliefs], axis=1)
    root = np.sqrt(sample_weights(labels, beliefs, group_samples))[:, None]
    effects = np.linalg.lstsq(root * design, root * z, rcond=1e-2)[0]
    residuals = z - design @ effects
    covariance = residuals.T @ residuals / len(z)
    within = [(z[sample] - z[labels == label].mean(axis=0))**2 for sample, label in enumerate(labels)]
    mean_variance = np.mean(within, axis=0)[z.std(axis=0) > 1e-9].mean()  # of the columns that vary
    covariance = (1 - shrinkage) * covariance + shrinkage * mean_variance * np.eye(len(covariance))
    return effects[:classes], effects[classes:], covariance


def scaling_of(embeddings):
    deviation = embeddings.std(axis=0)
    return embeddings.mean(axis=0), np.where(deviation == 0, 1, deviation)


def infer_groups(embeddings, labels, evidence, classes, confidence=0.9, smoothing=2.0, error_quantile=0.25,
                 shrinkage=0.1, rounds=3, group_samples=5.0, scaling=None):
    """`scaling` is a mean and a deviation, of these embeddings where none is given."""
    mean, deviation = scaling or scaling_of(embeddings)
    z = (embeddings - mean) / deviation
    prior = log_prior(labels, evidence, classes, smoothing, error_quantile)
    calibration = np.zeros_like(prior)
    beliefs = np.full((len(z), classes), (1 - confidence) / (classes - 1))
    beliefs[np.arange(len(z)), evidence] = confidence
    for _ in range(rounds):
        groups = Groups(mean, deviation, *maximised(z, labels, beliefs, group_samples, shrinkage), prior,
                        calibration.copy())
        beliefs = groups.calibrate(embeddings, labels)
        calibration = groups.calibration
    return groups
