"""Criteria that rank heads, held against what the heads are worth on test."""
import numpy as np

from experiments.report import Table, by_group, mean_and_deviation


def ranks(values):
    """From 1; equal values share their mean rank."""
    values = np.asarray(values, float)
    return np.array([(values < value).sum() + ((values == value).sum() + 1) / 2 for value in values])


def rank_correlation(left, right):
    """Spearman's; None where one of the two is the same everywhere."""
    left, right = ranks(left), ranks(right)
    if np.ptp(left) == 0 or np.ptp(right) == 0:
        return None
    return float(np.corrcoef(left, right)[0, 1])


def judge(criteria, heads, truth, described):
    """Each criterion's rank correlation with the truth, and what its pick, as `described`, falls short of the best."""
    truth, figures = np.array(truth), {}
    for name, criterion in criteria.items():
        values = np.asarray(criterion(heads), float)
        picked = int(np.argmax(values))  # of equals the first, as the program does
        figures[name] = {"rank_correlation": rank_correlation(values, truth), **described(heads[picked]),
                         "regret": float(truth.max() - truth[picked])}
    return figures


def table(sets, figures, note=""):
    """A row a criterion, of what `judge` found on each set."""
    rows = []
    for name in figures[0]:
        regrets = [figure[name]["regret"] for figure in figures]
        correlations = [figure[name]["rank_correlation"] for figure in figures]
        rows.append([name, mean_and_deviation(correlations, 2), mean_and_deviation(regrets), f"{max(regrets):.3f}",
                     *(mean_and_deviation([regrets[place] for place in places])
                       for places in by_group(sets).values())])
    return Table(["criterion", "rank correlation", "regret", "largest regret",
                  *(f"regret, {group}" for group in by_group(sets))], rows, note)
