"""Which head should be picked, of the ERM head, every epoch and the rebalanced heads? Criteria against the truth."""
import numpy as np

from experiments.report import Experiment, Report, Table, by_group, mean_and_deviation
from experiments.sfit import guarded, rank_correlation
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
    truth = np.array(column(candidates, "worst_group_accuracy"))
    figures = {}
    for name, criterion in CRITERIA.items():
        values = np.asarray(criterion(candidates), float)
        picked = int(np.argmax(values))
        figures[name] = {"rank_correlation": rank_correlation(values, truth), "picked": candidates[picked]["source"],
                         "regret": float(truth.max() - truth[picked])}
    return figures


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
    return Report([table(found, [one["criteria"] for one in raw])], raw)


def table(found, figures):
    rows = []
    for name in CRITERIA:
        regrets = [figure[name]["regret"] for figure in figures]
        correlations = [figure[name]["rank_correlation"] for figure in figures]
        rows.append([name, mean_and_deviation(correlations, 2), mean_and_deviation(regrets), f"{max(regrets):.3f}",
                     *(mean_and_deviation([regrets[place] for place in places])
                       for places in by_group(found).values())])
    return Table(["criterion", "rank correlation", "regret", "largest regret",
                  *(f"regret, {group}" for group in by_group(found))], rows,
                 "Candidates: the ERM head, each epoch behind the mask, the rebalanced heads. Regret: the best "
                 "candidate's worst-group accuracy on test less that of the pick.")


EXPERIMENT = Experiment("Which head should be picked, when the ERM head and rebalanced ones are candidates too?", run)
