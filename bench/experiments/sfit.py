"""Does the paper's criterion pick good epochs? Its ranking of a trajectory against the truth on test."""
import numpy as np

from experiments import ranking
from experiments.report import Experiment, Report

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


def judge(epochs):
    """Each criterion's rank correlation with the truth, and what its pick falls short of the best."""
    return ranking.judge(CRITERIA, epochs, [epoch["test"]["worst_group_accuracy"] for epoch in epochs],
                         lambda epoch: {"epoch": epoch["epoch"]})


def run(bench):
    sets = bench.sets()
    raw = []
    for one in sets:
        report = bench.neurontune("ablate", "--embeddings", one.embeddings, "--seed", one.seed, "--trajectory",
                                  "--sweep", "select.criterion=sfit", *bench.retraining())
        epochs = report["points"][0]["runs"][0]["trajectory"]
        raw.append({"group": one.group, "seed": one.seed, "criteria": judge(epochs), "trajectory": epochs})
    return Report([ranking.table(sets, [one["criteria"] for one in raw])], raw)


EXPERIMENT = Experiment("Does SFit rank a trajectory's epochs as their true worst-group accuracy does?", run)
