"""Which head should be picked, of the ERM head, every epoch and the rebalanced head? Criteria against the truth."""
import numpy as np

from experiments import ranking
from experiments.report import Experiment, Report
from experiments.sfit import guarded
from experiments.workbench import Set

CORRELATIONS = [0.95, "none"]


def column(candidates, figure):
    return [-np.inf if candidate[figure] is None else candidate[figure] for candidate in candidates]


CRITERIA = {
    "sfit": lambda candidates: column(candidates, "sfit"),
    "guarded_sfit": lambda candidates: guarded(column(candidates, "sfit"), column(candidates, "balanced_accuracy")),
    "balanced accuracy": lambda candidates: column(candidates, "balanced_accuracy"),
    "worst class": lambda candidates: column(candidates, "worst_class_accuracy"),
    "worst inferred group": lambda candidates: column(candidates, "inferred_worst_group"),
    # The program lists the head it picks first.
    "worst inferred group, if a shortcut is found": lambda candidates: -np.arange(len(candidates)),
}


def judge(candidates):
    """Each criterion's rank correlation with the truth, and what its pick falls short of the best."""
    return ranking.judge(CRITERIA, candidates, column(candidates, "worst_group_accuracy"),
                         lambda candidate: {"picked": candidate["source"]})


def sets(bench):
    """Benchmark sets with and without a spurious correlation, or the folders that were given."""
    if bench.embeddings_given:
        return bench.sets()
    return [Set(f"{family}, {correlation}", seed, bench.benchmark_set(family, seed, correlation) / "embeddings")
            for family in bench.families for correlation in CORRELATIONS[:1 if bench.quick else None]
            for seed in bench.seeds]


def run(bench):
    found = sets(bench)
    raw = []
    for one in found:
        report = bench.steps("selection", "--embeddings", one.embeddings, "--seed", one.seed, "--recipe", "robust",
                             *bench.retraining())
        raw.append({"group": one.group, "seed": one.seed, "verdict": report["verdict"],
                    "criteria": judge(report["candidates"]), "candidates": report["candidates"]})
    note = ("Candidates: the ERM head, each epoch behind the mask, the rebalanced head. Regret: the best "
            "candidate's worst-group accuracy on test less that of the pick.")
    return Report([ranking.table(found, [one["criteria"] for one in raw], note)], raw)


EXPERIMENT = Experiment("Which head should be picked, when the ERM head and the rebalanced one are candidates too?", run)
