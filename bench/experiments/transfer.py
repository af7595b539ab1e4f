"""Next check 3: a mask found on one data set, used on another that the same network looks at."""
import dataclasses

from experiments.report import Experiment, Report, Table, mean_and_deviation, share

MASKS = {"none": "no mask", "own": "its own", "transferred": "the other's"}


@dataclasses.dataclass
class Transfer:
    """Each of the three is the family, the correlation and how far the seed is from the run's."""
    extractor: tuple
    source: tuple  # the mask is found on
    target: tuple  # the head is retrained and tested on
    own_head: bool = False  # whether the target's labels mean something else


TRANSFERS = {
    "dominoes → others of the same kind":
        Transfer(("dominoes", 0.95, 0), ("dominoes", 0.95, 0), ("dominoes", 0.95, 1)),
    "dominoes → dominoes without correlation":
        Transfer(("dominoes", 0.95, 0), ("dominoes", 0.95, 0), ("dominoes", "none", 0)),
    "dominoes without correlation → dominoes":
        Transfer(("dominoes", 0.95, 0), ("dominoes", "none", 0), ("dominoes", 0.95, 0)),
    "textured → patch": Transfer(("textured", 0.95, 0), ("textured", 0.95, 0), ("patch", 0.95, 0), True),
    "patch → textured": Transfer(("patch", 0.95, 0), ("patch", 0.95, 0), ("textured", 0.95, 0), True),
}


def run(bench):
    transfers = {name: transfer for name, transfer in TRANSFERS.items()
                 if transfer.extractor[0] in bench.families}
    raw = {name: [one_transfer(bench, transfer, seed) for seed in bench.seeds]
           for name, transfer in transfers.items()}
    return Report([table(raw)], raw)


def one_transfer(bench, transfer, seed):
    source, target = (seen_by(bench, transfer.extractor, data, seed) for data in (transfer.source, transfer.target))
    return bench.steps("transfer", "--from", source, "--to", target, "--seed", seed, *bench.retraining(),
                       *(["--own-head"] if transfer.own_head else []))


def seen_by(bench, extractor, data, seed):
    """The folder of embeddings that one set's network has of another set's images."""
    model, images = (bench.benchmark_set(family, seed + step, correlation)
                     for family, correlation, step in (extractor, data))
    if model == images:
        return model / "embeddings"
    return bench.embed(model / "erm.pt", images / "data", f"{images.name} by {model.name}")


def table(raw):
    rows = []
    for name, runs in raw.items():
        rows.append([name, share([run["biased"] / run["dimensions"] for run in runs]),
                     mean_and_deviation([run["jaccard"] for run in runs], 2),
                     mean_and_deviation([run["chance_jaccard"] for run in runs], 2),
                     mean_and_deviation([run["rank_correlation"] for run in runs], 2),
                     mean_and_deviation([run["erm"]["worst_group_accuracy"] for run in runs]),
                     *(mean_and_deviation([run["masks"][mask]["selected"]["worst_group_accuracy"] for run in runs])
                       for mask in MASKS)])
    return Table(["found on → used on", "masked", "Jaccard", "by chance", "rank correlation", "WGA, before",
                  *(f"WGA, {name}" for name in MASKS.values())], rows,
                 "Jaccard and rank correlation of flags and scores: against those found on the data itself. The "
                 "network is the ERM one of the first data set, of the correlated dominoes in the third row; "
                 "before: with the ERM head, or in the last two rows with one trained on the data.")


EXPERIMENT = Experiment(
    "Does a mask found on one data set serve another (next check 3)?", run, makes_its_data=True)
