"""Open question 3, next check 2: the mask at an earlier layer, before a head that is not linear."""
from experiments.report import Experiment, Report, Table, by_group, mean_and_deviation, share
from experiments.workbench import Set

HEADS = {"classifier.2": ("the last linear layer", 64),
         "classifier": ("linear, ReLU, linear", 256)}  # and the dimensions that enter


def one_set(bench, family, seed):
    from experiments import deep_head  # here: loading torch takes seconds, and nothing else needs it
    folder = bench.benchmark_set(family, seed)
    model = folder / "deep_head.pt"
    deep_head.export(deep_head.train_erm(folder / "data", 8 if bench.quick else 12, seed), folder / "data", model)
    return {"group": family, "seed": seed,
            "heads": {head: bench.neurontune(
                "ablate", "--model", model, "--data", folder / "data", "--head", head, "--seed", seed,
                "--sweep", f"identify.keep_at_least=auto,{dimensions}", *bench.retraining())
                for head, (_, dimensions) in HEADS.items()}}


def run(bench):
    raw = [one_set(bench, family, seed) for family in bench.families for seed in bench.seeds]
    return Report([table(raw)], raw)


def table(raw):
    groups = by_group([Set(one["group"], one["seed"], None) for one in raw])
    rows = [["ERM", "–", "–", *of_groups(groups, [
        one["heads"]["classifier"]["erm"]["worst_group_accuracy"] for one in raw])]]
    for head, (layers, dimensions) in HEADS.items():
        for point, mask in enumerate(["none", "identified"][::-1]):
            points = [one["heads"][head]["points"][point] for one in raw]
            masked = share([point["runs"][0]["biased"] / dimensions for point in points])
            worst = [point["test"]["worst_group_accuracy"]["mean"] for point in points]
            rows.append([f"`--head {head}`: {layers}", mask, masked, *of_groups(groups, worst)])
    return Table(["retrained", "mask", "masked", *(f"WGA, {group}" for group in groups)], rows)


def of_groups(groups, values):
    return [mean_and_deviation([values[place] for place in places]) for places in groups.values()]


EXPERIMENT = Experiment(
    "Does it work at an earlier layer, before a head that is not linear (open question 3)?", run, makes_its_data=True)
