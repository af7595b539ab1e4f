"""Whether a class's mistakes fire higher than its correct samples, with SciPy, a column at a time.

The C++ library is held against this. Nothing here looks at the library's code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

VERDICTS = ["found", "none", "undecided"]  # the order of the library's enum


@dataclass
class NullTest:
    p_values: np.ndarray  # [C, M]
    effects: np.ndarray  # [C, M]
    significant: np.ndarray  # [C, M]
    minimal_effects: np.ndarray  # [C]
    verdicts: list[str]  # [C]


def rank_sum(column, mistakes):
    """p value and rank-biserial correlation: the mistakes are higher."""
    wrong, right = column[mistakes], column[~mistakes]
    test = stats.mannwhitneyu(wrong, right, alternative="greater", method="asymptotic")
    return test.pvalue, 2 * test.statistic / (len(wrong) * len(right)) - 1


def van_elteren(column, mistakes, strata):
    """The same, of ranks within strata."""
    statistic = variance = weighted_effects = weights = 0.0
    for stratum in np.unique(strata):
        inside = strata == stratum
        n, wrong = inside.sum(), (inside & mistakes).sum()
        right = n - wrong
        if wrong == 0 or right == 0:
            continue
        ranks = stats.rankdata(column[inside])
        rank_sum_of_mistakes = ranks[mistakes[inside]].sum()
        statistic += (rank_sum_of_mistakes - wrong * (n + 1) / 2) / (n + 1)
        # Of a sum of `wrong` ranks that are drawn without replacement, ties and all.
        variance += wrong * right / n * ranks.var(ddof=1) / (n + 1) ** 2
        pairs = wrong * right
        effect = 2 * (rank_sum_of_mistakes - wrong * (wrong + 1) / 2) / pairs - 1
        weighted_effects += effect * pairs / (n + 1)
        weights += pairs / (n + 1)
    p_value = stats.norm.sf(statistic / np.sqrt(variance)) if variance > 0 else 1.0
    return p_value, weighted_effects / weights if weights else 0.0


def standard_error(mistakes, strata):
    """Of an effect, where mistakes and correct samples are alike and nothing is tied."""
    total = 0.0
    for stratum in np.unique(strata):
        inside = strata == stratum
        total += (inside & mistakes).sum() * (inside & ~mistakes).sum() / (inside.sum() + 1)
    return 1 / np.sqrt(3 * total) if total else np.inf


def quantile_strata(values, count):
    in_order = np.sort(values)
    bounds = [in_order[k * len(values) // count] for k in range(1, count)]
    return np.array([sum(bound <= value for bound in bounds) for value in values], int)


def distances(logits, labels):
    return np.array([abs(row[y] - max(np.delete(row, y))) for row, y in zip(logits, labels)])


def test_mistakes(embeddings, labels, logits, *, false_discovery_rate=0.05, strata=5,
                  detectable_effect=0.5):
    """The plain test, and the one given the margin."""
    classes, dimensions = logits.shape[1], embeddings.shape[1]
    wrong = logits.argmax(axis=1) != labels
    results = []
    for given_margin in (False, True):
        result = NullTest(np.ones((classes, dimensions)), np.zeros((classes, dimensions)),
                          np.zeros((classes, dimensions), bool), np.full(classes, np.inf), [])
        for c in range(classes):
            rows = labels == c
            mistakes = wrong[rows]
            if mistakes.any() and not mistakes.all():
                parts = quantile_strata(distances(logits[rows], labels[rows]), strata)
                if not given_margin:
                    parts = np.zeros_like(parts)
                for d in range(dimensions):
                    column = embeddings[rows, d]
                    result.p_values[c, d], result.effects[c, d] = (
                        van_elteren(column, mistakes, parts) if given_margin
                        else rank_sum(column, mistakes))
                result.minimal_effects[c] = standard_error(mistakes, parts) * (
                    stats.norm.isf(false_discovery_rate / dimensions) + stats.norm.ppf(0.8))
                result.significant[c] = stats.false_discovery_control(
                    result.p_values[c]) <= false_discovery_rate
            result.verdicts.append(
                "found" if result.significant[c].any()
                else "none" if result.minimal_effects[c] <= detectable_effect else "undecided")
        results.append(result)
    return results
