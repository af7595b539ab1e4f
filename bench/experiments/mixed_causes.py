"""Next check 1: mistakes of several causes, on made-up embeddings whose neurons' meaning is known.

A sample has a core feature (the label's sign, noisy), a spurious one (the attribute's sign, which
agrees with the label in 95 % of train and val) and a feature of a rare subclass: 5 % of class 1,
whose core feature is that of class 0, so that only the third tells it. Neurons are rectified
multiples of one feature, or of nothing (pure noise). The head is logistic regression on train.
"""
import json
import pathlib
import tempfile

import numpy as np
from safetensors.numpy import save_file

from experiments.report import Experiment, Report, Table, mean_and_deviation, share

KINDS = ["core", "spurious", "subclass", "noise"]
NEURONS = 8  # of each kind
SAMPLES, FEW_SAMPLES = 4000, 400  # of each split; with --quick
CORRELATION, SUBCLASS, LABEL_NOISE = 0.95, 0.05, 0.1
CORE_NOISE, OTHER_NOISE, NEURON_NOISE = 0.7, 0.3, 0.05

CAUSES = [[], ["spurious"], ["subclass"], ["label noise"], ["spurious", "label noise"], ["spurious", "subclass"],
          ["spurious", "subclass", "label noise"]]


def draw(generator, size, agreement, subclass_share, label_noise):
    """A split's tensors, with `subclass` [N] beside them."""
    labels = generator.integers(0, 2, size)
    attributes = np.where(generator.random(size) < agreement, labels, 1 - labels)
    subclass = (labels == 1) & (generator.random(size) < subclass_share)
    features = {
        "core": np.where(subclass, -1, 2 * labels - 1) + CORE_NOISE * generator.normal(size=size),
        "spurious": 2 * attributes - 1 + OTHER_NOISE * generator.normal(size=size),
        "subclass": subclass + OTHER_NOISE * generator.normal(size=size),
    }
    # Of core and spurious neurons half speak for each class.
    signs = np.tile([1, -1], NEURONS // 2) * np.linspace(0.6, 1.2, NEURONS)
    columns = [features["core"][:, None] * signs, features["spurious"][:, None] * signs,
               features["subclass"][:, None] * abs(signs), generator.normal(size=(size, NEURONS))]
    neurons = np.concatenate(columns, axis=1)
    neurons += NEURON_NOISE * generator.normal(size=neurons.shape)
    wrong = generator.random(size) < label_noise
    return {"embeddings": neurons.clip(0).astype(np.float32), "labels": np.where(wrong, 1 - labels, labels),
            "attributes": attributes, "subclass": subclass}


def fitted_head(split):
    """Logistic regression by Newton's method, as a head of two classes."""
    inputs = np.hstack([split["embeddings"], np.ones((len(split["labels"]), 1))])
    ridge = 1e-3 * np.eye(inputs.shape[1])
    solution = np.zeros(inputs.shape[1])
    for _ in range(30):
        probability = 1 / (1 + np.exp(-inputs @ solution))
        gradient = inputs.T @ (probability - split["labels"]) + ridge @ solution
        curvature = inputs.T @ (inputs * (probability * (1 - probability))[:, None]) + ridge
        solution -= np.linalg.solve(curvature, gradient)
    both = np.stack([-solution, solution]).astype(np.float32) / 2
    return {"weight": both[:, :-1].copy(), "bias": both[:, -1].copy()}


def write(folder, causes, balanced_val, seed, size):
    """Embeddings in which mistakes have these causes; tests without noise: `test`, `subclass`."""
    generator = np.random.default_rng(seed)
    agreement = CORRELATION if "spurious" in causes else 0.5
    subclass = SUBCLASS if "subclass" in causes else 0
    noise = LABEL_NOISE if "label noise" in causes else 0
    splits = {"train": draw(generator, size, agreement, subclass, noise),
              "val": draw(generator, size, 0.5 if balanced_val else agreement, subclass, noise),
              "test": draw(generator, size, 0.5, subclass, 0)}
    if subclass:
        hard = draw(generator, 8 * size, 0.5, subclass, 0)
        splits["subclass"] = {name: values[hard["subclass"]] for name, values in hard.items()}
    save_file(fitted_head(splits["train"]), folder / "head.safetensors")
    for name, split in splits.items():
        save_file({key: np.ascontiguousarray(split[key]) for key in ("embeddings", "labels", "attributes")},
                  folder / f"{name}.safetensors")


def one_run(bench, causes, balanced_val, seed):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write(folder, causes, balanced_val, seed, FEW_SAMPLES if bench.quick else SAMPLES)
        result = bench.neurontune("run", "--embeddings", folder, "--seed", seed, *bench.retraining())
        scores = np.array(bench.neurontune("score", "--embeddings", folder)["scores"])
    flagged = np.isin(np.arange(len(KINDS) * NEURONS), result["biased_dimensions"]["indices"])
    return {"seed": seed, "selected_epoch": result["selected_epoch"],
            "flagged": dict(zip(KINDS, flagged.reshape(-1, NEURONS).mean(1))),
            "score": dict(zip(KINDS, scores.max(0).reshape(-1, NEURONS).mean(1))),
            "erm": figures(result["erm"]), "tuned": figures(result["tuned"])}


def figures(splits):
    return {"worst_group": splits["test"]["worst_group_accuracy"],
            "subclass": splits["subclass"]["mean_accuracy"] if "subclass" in splits else None}


def run(bench):
    raw = [{"causes": causes, "balanced_val": balanced,
            "runs": [one_run(bench, causes, balanced, seed) for seed in bench.seeds]}
           for balanced in (False, True) for causes in CAUSES if "spurious" in causes or not balanced]
    return Report([table(raw)], json.loads(json.dumps(raw)))


def table(raw):
    rows = []
    for case in raw:
        runs = case["runs"]
        flagged = [share([run["flagged"][kind] for run in runs]) for kind in KINDS]
        scores = [mean_and_deviation([run["score"][kind] for run in runs], 2) for kind in KINDS]
        worst, subclass = ([mean_and_deviation([run[head][figure] for run in runs]) for head in ("erm", "tuned")]
                           for figure in ("worst_group", "subclass"))
        rows.append([" + ".join(case["causes"]) or "none", "balanced" if case["balanced_val"] else "as train",
                     *(f"{part} ({score})" for part, score in zip(flagged, scores)), " → ".join(worst),
                     " → ".join(subclass)])
    return Table(["cause of mistakes", "val", *(f"flagged: {kind}" for kind in KINDS), "WGA", "subclass"], rows,
                 "Flagged: the share of the neurons of a kind, and in brackets the mean of the larger of their two "
                 "classes' scores. Accuracies: ERM → tuned, on test data without label noise. Core errors that "
                 "no cause explains are there in every row.")


EXPERIMENT = Experiment(
    "Which neurons are flagged when mistakes have several causes (next check 1)?", run, makes_its_data=True)
