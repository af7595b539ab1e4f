"""Open question 2: wrong labels in the identification split, and what becomes of the flags."""
from experiments.report import Experiment, Report, Table, by_group, mean_and_deviation, share

# With λ = 0 nearly every dimension is flagged, and any two such masks agree; a quarter says more.
MASKS = {"λ = 0": [], "top quarter": ["--threshold-quantile", 0.75]}


def run(bench):
    sets = bench.sets()
    raw = [{"group": one.group, "seed": one.seed,
            "masks": {name: bench.steps("label-noise", "--embeddings", one.embeddings, "--seed", one.seed,
                                        *flags, *bench.retraining())
                      for name, flags in MASKS.items()}} for one in sets]
    return Report([table(sets, raw)], raw)


def table(sets, raw):
    groups = by_group(sets)
    rows = []
    for mask in MASKS:
        for levels in zip(*(one["masks"][mask]["levels"] for one in raw)):
            worst = [level["selected"]["worst_group_accuracy"] for level in levels]
            rows.append([
                mask, f"{100 * levels[0]['noise']:.0f} %",
                share([level["mistakes_by_noise"] / max(level["mistakes"], 1) for level in levels]),
                mean_and_deviation([level["jaccard"] for level in levels], 2),
                mean_and_deviation([level["chance_jaccard"] for level in levels], 2),
                mean_and_deviation([level["rank_correlation"] for level in levels], 2),
                *(mean_and_deviation([worst[place] for place in places]) for places in groups.values()),
                mean_and_deviation([level["selected_on_clean"]["worst_group_accuracy"] for level in levels])])
    return Table(["mask", "noise", "of mistakes", "Jaccard", "by chance", "rank correlation",
                  *(f"WGA, {group}" for group in groups), "WGA, selected on clean labels"], rows,
                 "Noise: wrong labels of val. Jaccard and rank correlation of flags and scores: against those "
                 "of clean labels. Mean and standard deviation over all sets, WGA of a family over its own.")


EXPERIMENT = Experiment("What does label noise in the identification split do (open question 2)?", run)
