"""Retraining on rebalanced groups, as its objective has it, with SciPy's and scikit-learn's solvers.

The C++ library is held against this. Nothing here looks at the library's code.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize, special
from sklearn.linear_model import LogisticRegression


def rebalancing_weights(labels, beliefs, classes):
    """All groups (y, a) count alike; one of less than a sample by how much of a sample it has."""
    values = beliefs.shape[1]
    weights = np.zeros(len(labels))
    for sample, label in enumerate(labels):
        for a in range(values):
            size = beliefs[labels == label, a].sum()
            weights[sample] += beliefs[sample, a] / max(size, 1) / (classes * values)
    return weights


def features(embeddings, has_bias):
    """Columns of deviation 1, centred where a bias can make up for it, and what a raw head needs."""
    mean = embeddings.mean(axis=0) if has_bias else np.zeros(embeddings.shape[1])
    deviation = embeddings.std(axis=0)
    deviation = np.where(deviation == 0, 1, deviation)
    return (embeddings - mean) / deviation, mean, deviation


def folded(values, bias, mask, mean, deviation, has_bias):
    """The head on embeddings as they are."""
    weight = values * mask / deviation
    return weight, bias - weight @ mean if has_bias else None


def retrain(embeddings, labels, weights, mask, classes, penalty, has_bias, effects=None, attribute_penalty=0.0):
    """Weight [C, M] and bias [C] or None: SciPy's minimum, and Newton's steps from there; mask [M] or [C, M].

    `effects` [K, M] are shifts of embeddings whose shifts of the logits cost attribute_penalty / 2 times their square.
    """
    z, mean, deviation = features(embeddings, has_bias)
    weights = weights / weights.sum()
    dimensions = z.shape[1]
    target = np.eye(classes)[labels]
    # Each class has its own view of a sample, and the bias is one more dimension, without a penalty.
    masks = np.broadcast_to(mask, (classes, dimensions))
    views = [np.column_stack([z * masks[c], np.full(len(z), float(has_bias))]) for c in range(classes)]
    penalties = np.diag(np.tile(np.append(np.full(dimensions, penalty), 0.0), classes))
    if effects is not None:
        for c in range(classes):
            own = slice(c * (dimensions + 1), (c + 1) * (dimensions + 1) - 1)
            shifts = effects / deviation * masks[c]
            penalties[own, own] += attribute_penalty * shifts.T @ shifts

    def log_probabilities(parameters):
        rows = parameters.reshape(classes, dimensions + 1)
        return special.log_softmax(np.stack([views[c] @ rows[c] for c in range(classes)], axis=1), axis=1)

    def objective(parameters):
        loss = -(weights[:, None] * target * log_probabilities(parameters)).sum()
        return loss + parameters @ penalties @ parameters / 2

    def gradient(parameters):
        residuals = weights[:, None] * (np.exp(log_probabilities(parameters)) - target)
        return np.concatenate([residuals[:, c] @ views[c] for c in range(classes)]) + penalties @ parameters

    def hessian(parameters):
        p = np.exp(log_probabilities(parameters))
        blocks = [[(views[c] * (weights * p[:, c] * ((c == d) - p[:, d]))[:, None]).T @ views[d]
                   for d in range(classes)] for c in range(classes)]
        return np.block(blocks) + penalties

    found = optimize.minimize(objective, np.zeros(len(penalties)), jac=gradient, method="L-BFGS-B").x
    for _ in range(10):  # lstsq: adding to all biases changes nothing, so their sum stays 0
        found = found - np.linalg.lstsq(hessian(found), gradient(found), rcond=1e-10)[0]
    assert np.abs(gradient(found)).max() < 1e-12
    rows = found.reshape(classes, dimensions + 1)
    return folded(rows[:, :-1], rows[:, -1], mask, mean, deviation, has_bias)


def retrain_two_classes(embeddings, labels, weights, mask, penalty, has_bias):
    """The same for two classes and a mask [M], by scikit-learn.

    It fits one row w, of the difference of the two: V = ∓w/2, so λ/2 ∥V∥² = λ/4 ∥w∥², and its
    ½ ∥w∥² + K loss is that over λ/2 where K = 2/λ.
    """
    z, mean, deviation = features(embeddings, has_bias)
    model = LogisticRegression(C=2 / penalty, solver="newton-cholesky", tol=1e-12, max_iter=1000,
                               fit_intercept=has_bias)
    model.fit(z * mask, labels, sample_weight=weights / weights.sum())
    values = np.concatenate([-model.coef_, model.coef_]) / 2
    bias = np.concatenate([-model.intercept_, model.intercept_]) / 2 if has_bias else np.zeros(2)
    return folded(values, bias, mask, mean, deviation, has_bias)
