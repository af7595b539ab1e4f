"""Open question 3, next check 2: the mask at an earlier layer, before a head that is not linear."""
import torch
from safetensors.torch import load_file

from experiments.report import Experiment, Report, Table, by_group, mean_and_deviation, share
from experiments.workbench import Failure, Set

FEATURES, HIDDEN = 256, 64
HEADS = {"classifier.2": ("the last linear layer", HIDDEN),
         "classifier": ("linear, ReLU, linear", FEATURES)}  # what the mask's dimensions enter


class Network(torch.nn.Module):
    """The benchmark's small CNN with a head of two linear layers."""

    def __init__(self, channels, classes):
        super().__init__()
        widths = [channels, 16, 32, FEATURES]
        self.features = torch.nn.Sequential(*(
            layer for inputs, outputs in zip(widths, widths[1:])
            for layer in (torch.nn.Conv2d(inputs, outputs, 3, 2, 1), torch.nn.ReLU())))
        self.classifier = torch.nn.Sequential(
            torch.nn.Linear(FEATURES, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, classes))

    def forward(self, images):
        return self.classifier(self.features(images).mean((2, 3)))


def train_erm(data, epochs, seed):
    """The ordinary way: cross-entropy on train as it is."""
    torch.manual_seed(seed)
    split = load_file(data / "train.safetensors")
    images, labels = split["inputs"], split["labels"]
    network = Network(images.shape[1], int(labels.max()) + 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(labels)).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(images[rows]), labels[rows]).backward()
            optimizer.step()
    return network.eval()


def export(network, data, path):
    example = load_file(data / "val.safetensors")["inputs"][:2]
    torch.jit.trace(network, example).save(str(path))


def one_set(bench, family, seed):
    folder = bench.benchmark_set(family, seed)
    model = folder / "deep_head.pt"
    export(train_erm(folder / "data", 25 if bench.quick else 12, seed), folder / "data", model)
    return {"group": family, "seed": seed,
            "heads": {head: bench.neurontune(
                "ablate", "--model", model, "--data", folder / "data", "--head", head, "--seed", seed,
                "--sweep", f"identify.keep_at_least=auto,{dimensions}", *bench.retraining())
                for head, (_, dimensions) in HEADS.items()}}


def run(bench):
    if bench.embeddings_given:
        raise Failure("earlier_layer trains networks on images: it takes no --embeddings")
    torch.set_num_threads(2)
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


EXPERIMENT = Experiment("Does it work at an earlier layer, before a head that is not linear (open question 3)?", run)
