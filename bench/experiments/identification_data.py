"""Open question 1: identification data from train instead of a held-out split."""
from experiments.report import Experiment, Report, Table, by_group, mean_and_deviation, share

NAMES = {
    "val": "val, held out",
    "train": "train",
    "high_loss": "train, a tenth of highest loss",
    "high_loss_as_mistakes": "train, that tenth as the mistakes",
    "out_of_fold": "train, out-of-fold predictions",
}


def run(bench):
    sets = bench.sets()
    raw = [{"group": one.group, "seed": one.seed,
            **bench.steps("identification-data", "--embeddings", one.embeddings, "--seed", one.seed,
                          *bench.retraining())} for one in sets]
    return Report([table(sets, raw)], raw)


def table(sets, raw):
    groups = by_group(sets)
    erm = [one["erm"]["worst_group_accuracy"] for one in raw]
    rows = [["ERM", *["–"] * 4, *worst_groups(groups, erm), "–"]]
    for sources in zip(*(one["sources"] for one in raw)):
        rows.append([
            NAMES[sources[0]["source"]],
            share([source["mistakes"] / source["samples"] for source in sources]),
            share([source["minority_share"] for source in sources]),
            mean_and_deviation([source.get("jaccard") for source in sources], 2),
            mean_and_deviation([source.get("rank_correlation") for source in sources], 2),
            *worst_groups(groups, [worst_group(source, "selected") for source in sources]),
            mean_and_deviation([worst_group(source, "last") for source in sources])])
    failures = {source["failure"] for one in raw for source in one["sources"] if "failure" in source}
    note = ("Minority: of the mistakes, the share whose attribute is not its class's usual one (reported, never "
            "used). Jaccard and rank correlation of flags and scores: against val's. WGA of the epoch picked "
            "on the split that identified, and of the last one over all sets.")
    return Table(["identified on", "mistakes", "minority", "Jaccard", "rank correlation",
                  *(f"WGA, {group}" for group in groups), "WGA, last epoch"], rows,
                 "\n".join([note, *(f"Failed: {failure}" for failure in sorted(failures))]))


def worst_group(source, epoch):
    return source[epoch]["worst_group_accuracy"] if epoch in source else None


def worst_groups(groups, values):
    return [mean_and_deviation([values[place] for place in places]) for places in groups.values()]


EXPERIMENT = Experiment("Can the training data identify, without a held-out split (open question 1)?", run)
