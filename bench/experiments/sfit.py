"""Does the paper's criterion pick good epochs? Its ranking of a trajectory against the truth on test."""
import numpy as np

from experiments.report import Experiment, Report, Table, by_group, mean_and_deviation

GUARD = 0.02  # of guarded_sfit, as in SelectionOptions


def sfit(epochs):
    return [-np.inf if epoch["sfit"] is None else epoch["sfit"] for epoch in epochs]


def guarded(values, balanced):
    """Those further from the best balanced accuracy than the guard are equally last."""
    balanced = np.array(balanced)
    return np.where(balanced >= balanced.max() - GUARD, values, -np.inf)


def guarded_sfit(epochs):
    return guarded(sfit(epochs), of_identification(epochs, "balanced_accuracy"))


def of_identification(epochs, figure):
    return [epoch["identify"][figure] for epoch in epochs]


CRITERIA = {
    "sfit": sfit,
    "guarded_sfit": guarded_sfit,
    "balanced accuracy": lambda epochs: of_identification(epochs, "balanced_accuracy"),
    "worst class": lambda epochs: of_identification(epochs, "worst_class_accuracy"),
    "last epoch": lambda epochs: [epoch["epoch"] for epoch in epochs],
    "worst group on val (oracle)": lambda epochs: of_identification(epochs, "worst_group_accuracy"),
}


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


def judge(epochs):
    """Each criterion's rank correlation with the truth, and what its pick falls short of the best."""
    truth = np.array([epoch["test"]["worst_group_accuracy"] for epoch in epochs])
    figures = {}
    for name, criterion in CRITERIA.items():
        values = np.asarray(criterion(epochs), float)
        picked = int(np.argmax(values))  # of equals the first, as the program does
        figures[name] = {"rank_correlation": rank_correlation(values, truth), "epoch": epochs[picked]["epoch"],
                         "regret": float(truth.max() - truth[picked])}
    return figures


def run(bench):
    sets = bench.sets()
    raw = []
    for one in sets:
        report = bench.neurontune("ablate", "--embeddings", one.embeddings, "--seed", one.seed, "--trajectory",
                                  "--sweep", "select.criterion=sfit", *bench.retraining())
        epochs = report["points"][0]["runs"][0]["trajectory"]
        raw.append({"group": one.group, "seed": one.seed, "criteria": judge(epochs), "trajectory": epochs})
    return Report([table(sets, [one["criteria"] for one in raw])], raw)


def table(sets, figures):
    rows = []
    for name in CRITERIA:
        regrets = [figure[name]["regret"] for figure in figures]
        correlations = [figure[name]["rank_correlation"] for figure in figures]
        rows.append([name, mean_and_deviation(correlations, 2), mean_and_deviation(regrets),
                     f"{max(regrets):.3f}",
                     *(mean_and_deviation([regrets[place] for place in places])
                       for places in by_group(sets).values())])
    return Table(["criterion", "rank correlation", "regret", "largest regret",
                  *(f"regret, {group}" for group in by_group(sets))], rows)


EXPERIMENT = Experiment("Does SFit rank a trajectory's epochs as their true worst-group accuracy does?", run)
