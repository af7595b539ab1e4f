"""Experiments that `neurontune ablate` can run as they are: a setting, and what each value reaches."""
from experiments.report import Experiment, Report, Table, by_group, mean_and_deviation, share

RECIPES = "recipe=paper,guarded"


def swept(question, *grids):
    """An experiment whose rows are the points of several grids, each a list of --sweep's arguments."""
    return Experiment(question, lambda bench: sweep(bench, grids))


def sweep(bench, grids):
    sets = bench.sets()
    reports = [[ablate(bench, one, grid) for grid in grids] for one in sets]
    points = [[point for report in of_set for point in report["points"]] for of_set in reports]
    erm = [of_set[0]["erm"] for of_set in reports]
    dimensions = [of_set[0]["dimensions"] for of_set in reports]
    rows = [["ERM", "–", *cells(sets, [metrics["worst_group_accuracy"] for metrics in erm])]]
    for row in range(len(points[0])):
        of_sets = [of_set[row] for of_set in points]
        masked = [point["runs"][0]["biased"] / count if point["runs"] else None
                  for point, count in zip(of_sets, dimensions)]
        rows.append([label(of_sets[0]["settings"]), share(masked), *cells(sets, map(worst_group, of_sets))])
    headings = ["setting", "masked", *(f"WGA, {group}" for group in by_group(sets))]
    return Report([Table(headings, rows, failures(points))],
                  [{"group": one.group, "seed": one.seed, "reports": of_set}
                   for one, of_set in zip(sets, reports)])


def ablate(bench, one, grid):
    flags = [part for text in grid for part in ("--sweep", text)]
    return bench.neurontune("ablate", "--embeddings", one.embeddings, "--seed", one.seed, *flags,
                            *bench.retraining())


def worst_group(point):
    return point["test"]["worst_group_accuracy"]["mean"] if point["runs"] else None


def label(settings):
    return ", ".join(f"{key.split('.')[-1]} {value}" for key, value in settings.items())


def cells(sets, values):
    """A text a group; of n sets that could not be run it says so."""
    values = list(values)
    texts = []
    for places in by_group(sets).values():
        of_group = [values[place] for place in places]
        missing = of_group.count(None)
        note = f" ({missing} of {len(of_group)} failed)" if 0 < missing < len(of_group) else ""
        texts.append(mean_and_deviation(of_group) + note)
    return texts


def failures(points):
    reasons = {point["failure"] for of_set in points for point in of_set if "failure" in point}
    return "\n".join(f"Failed: {reason}" for reason in sorted(reasons))


EXPERIMENTS = {
    "table4": swept(
        "Which data identifies, which tunes (the paper's Table 4)?",
        [RECIPES, "splits.identify=train,val", "splits.tune=train"],
        [RECIPES, "splits.identify=val:1/2", "splits.tune=val:2/2"],
        [RECIPES, "splits.identify=val", "splits.tune=val"]),
    "table5": swept(
        "Does anything but a mask of 0 help (the paper's Table 5)?",
        [RECIPES, "identify.mask_value=0,0.2,0.4,0.6,0.8,1"]),
    "threshold": swept(
        "What does λ change, as a value and as a quantile of the scores?",
        ["identify.threshold=-0.1,-0.02,0,0.02,0.05,0.1,0.2"],
        ["identify.threshold_quantile=0.1,0.25,0.5,0.75,0.9,0.95"]),
    "aggregate": swept(
        "How should the classes' scores of a dimension become one?",
        ["identify.aggregate=union,intersection,mean,per_class", "identify.threshold_quantile=none,0.5"]),
    "activation": swept(
        "Raw activations or their magnitudes?",
        ["identify.activation=raw,magnitude", "identify.aggregate=union,mean"]),
    "keep": swept(
        "How many dimensions should be spared?",
        ["identify.keep_at_least=0,2,4,8,16,32,64,128,192,256"]),
    "refresh": swept(
        "Does identifying anew while tuning help (the paper's iteration)?",
        [RECIPES, "tune.refresh=0,1,2,5,10"]),
    "start": swept(
        "Retrain from the ERM head or from a fresh one?",
        ["tune.start=erm,fresh", "tune.epochs=20,60"]),
}
