"""Accuracy in inferred groups and its intervals, a group at a time.

The C++ library is held against this. Nothing here looks at the library's code.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

PRIOR_SAMPLES = 10


def wilson_interval(rate, samples, level=0.9):
    """Wilson's (1927): the rates q with |rate − q| ≤ z √(q (1 − q) / samples), by bisection."""
    z = NormalDist().inv_cdf((1 + level) / 2)

    def far(q):
        return abs(rate - q) > z * math.sqrt(q * (1 - q) / samples)

    ends = []
    for outer in (0.0, 1.0):
        inner = rate
        if outer == rate:  # nothing is further out
            ends.append(outer)
            continue
        for _ in range(200):
            middle = (outer + inner) / 2
            if far(middle):
                outer = middle
            else:
                inner = middle
        ends.append(inner)
    return ends


def inferred_accuracy(predictions, labels, beliefs, classes):
    """samples, accuracy, lower and upper bounds, each [C, A], and the worst group."""
    values = beliefs.shape[1]
    samples, accuracy, lower, upper = (np.zeros((classes, values)) for _ in range(4))
    worst = None
    for c in range(classes):
        of_class = labels == c
        if not of_class.any():
            accuracy[c], lower[c], upper[c] = 1, 0, 1
            continue
        rates, known = [], []
        for a in range(values):
            size = beliefs[of_class, a].sum()
            if size > 0:
                rates.append(beliefs[of_class & (predictions == c), a].sum() / size)
                known.append(size / (size + PRIOR_SAMPLES))
        of_groups = np.average(rates, weights=known)
        for a in range(values):
            samples[c, a] = beliefs[of_class, a].sum()
            right = beliefs[of_class & (predictions == c), a].sum()
            with_prior = samples[c, a] + PRIOR_SAMPLES
            accuracy[c, a] = (right + PRIOR_SAMPLES * of_groups) / with_prior
            lower[c, a], upper[c, a] = wilson_interval(accuracy[c, a], with_prior)
            if worst is None or lower[c, a] < lower[worst]:
                worst = c, a
    return samples, accuracy, lower, upper, worst
