"""Writes the cases that tests/baselines/oracle_test.cpp compares the library with.

usage: generate_baselines.py FOLDER

Each file holds many cases; a tensor is named CASE/FIELD. Settings are tensors of one element.
"""

import itertools
import sys
from pathlib import Path

import numpy as np
import torch

import baselines
import method
from generate import CaseFile, clusters, random_head, tuning_fields


def splits_and_head(rng, classes, dimensions, dtype=torch.float64, with_bias=True):
    """A split to learn from, a held-out one, and a head that errs on both."""
    z, y = clusters(rng, classes, dimensions, 500, dtype)
    weight, bias = random_head(rng, classes, dimensions, dtype)
    return (z[:300], y[:300]), (z[300:], y[300:]), weight, bias if with_bias else None


def split_fields(learning, held_out, weight, bias):
    return dict(embeddings=learning[0], labels=learning[1], held_out_embeddings=held_out[0],
                held_out_labels=held_out[1], weight=weight, bias=bias)


def last_layer_cases(file):
    rng = np.random.default_rng(10)
    tunings = [method.Tuning(), method.Tuning(start="fresh", batch_size=17, learning_rate=0.1)]
    for seed, (dtype, (classes, dimensions), tuning) in enumerate(itertools.product(
            [torch.float32, torch.float64], [(2, 16), (5, 40)], tunings)):
        split, _, weight, bias = splits_and_head(rng, classes, dimensions, dtype, seed % 3 > 0)
        head = baselines.retrain_last_layer(split, weight, bias, tuning, seed)
        file.add(embeddings=split[0], labels=split[1], weight=weight, bias=bias, seed=seed,
                 tuned_weight=head[0], tuned_bias=head[1], **tuning_fields(tuning))


def regression_cases(file):
    """Fitted far beyond the default tolerance: the minimum itself."""
    rng = np.random.default_rng(11)
    for classes, (samples, dimensions), inverse_penalty in itertools.product(
            [2, 3, 5], [(60, 8), (200, 30)], [1.0, 0.3, 0.03]):
        z, y = clusters(rng, classes, dimensions, samples, torch.float64)
        z[:, 1] = torch.round(z[:, 1])  # zeros among the values
        weight, intercept = baselines.regressions(
            z.numpy(), y.numpy(), classes, inverse_penalty, tolerance=1e-10)
        file.add(features=z, labels=y, classes=classes, inverse_penalty=inverse_penalty,
                 fitted_weight=weight, fitted_intercept=intercept)


def grouped(rng, classes, values, samples, dimensions):
    """Embeddings of a class and an attribute that goes with it, the first as far apart as the
    second; the last column is constant."""
    y = torch.from_numpy(rng.integers(0, classes, samples))
    agrees = torch.from_numpy(rng.random(samples) < 0.7)
    a = torch.where(agrees, y % values, torch.from_numpy(rng.integers(0, values, samples)))
    z = torch.from_numpy(rng.normal(size=(samples, dimensions)) * 0.8 + 3)
    z[torch.arange(samples), y] += 2
    z[torch.arange(samples), classes + a] += 2
    z = z * torch.linspace(0.5, 5, dimensions, dtype=torch.float64)
    z[:, -1] = 7.3
    return z, y, a


def dfr_cases(file):
    rng = np.random.default_rng(12)
    penalties = [1.0, 0.1, 0.03, 0.01]
    for seed in range(40):
        classes, values = [(2, 2), (3, 2), (2, 3)][seed % 3]
        tuning = grouped(rng, classes, values, 400, 14)
        held_out = grouped(rng, classes, values, 600, 14)
        chosen, worst, head = baselines.dfr(
            tuning, held_out, classes, values, penalties, refits=4, seed=seed)
        # Where C is a close call, another stopping point of the solver may choose another.
        if sorted(worst)[-1] - sorted(worst)[-2] < 0.02:
            continue
        file.add(
            embeddings=tuning[0], labels=tuning[1], attributes=tuning[2],
            held_out_embeddings=held_out[0], held_out_labels=held_out[1],
            held_out_attributes=held_out[2], classes=classes, attribute_values=values, seed=seed,
            inverse_penalties=np.array(penalties), refits=4, inverse_penalty=penalties[chosen],
            held_out_accuracy=worst[chosen], tuned_weight=head[0], tuned_bias=head[1])


def afr_cases(file):
    rng = np.random.default_rng(13)
    grids = [([20.0, 4.0, 10.0], [0.4, 0.0, 0.1]), ([0.0], [0.3]), ([6.0], [0.0])]
    for i, ((classes, dimensions), (gammas, penalties), descent) in enumerate(itertools.product(
            [(2, 12), (4, 30)], grids, [(60, 1e-2, 1.0), (40, 0.5, 0.1)])):
        steps, learning_rate, gradient_norm = descent
        # Where there is a choice, float64: a sample on the boundary would else decide it.
        dtype = torch.float32 if len(gammas) == 1 and i % 2 else torch.float64
        learning, held_out, weight, bias = splits_and_head(
            rng, classes, dimensions, dtype, with_bias=i % 4 != 3)
        accuracy, gamma, penalty, head = baselines.afr(
            learning, held_out, weight, bias, gammas, penalties, *descent)
        file.add(**split_fields(learning, held_out, weight, bias), gammas=np.array(gammas),
                 penalties=np.array(penalties), steps=steps, learning_rate=learning_rate,
                 gradient_norm=gradient_norm, gamma=gamma, penalty=penalty,
                 held_out_accuracy=accuracy, tuned_weight=head[0], tuned_bias=head[1])


def shortcut_probe_cases(file):
    rng = np.random.default_rng(14)
    defaults = dict(prompts=2, probe_share=0.3, similarity_weight=5.0, shortcut_weight=5.0,
                    detection_epochs=4, mitigation_epochs=5, batch_size=32,
                    detection_learning_rate=1e-3, mitigation_learning_rate=1e-3, momentum=0.9,
                    weight_decay=1e-4)
    variants = [
        dict(),
        dict(prompts=1, batch_size=17, mitigation_learning_rate=0.05),
        dict(prompts=4, probe_share=0.5, similarity_weight=0.5, detection_learning_rate=0.05),
        dict(similarity_weight=0.0, shortcut_weight=1.0, weight_decay=0.1, momentum=0.0),
    ]
    for seed, ((classes, dimensions), variant) in enumerate(
            itertools.product([(2, 12), (4, 30)], variants)):
        settings = defaults | variant
        learning, held_out, weight, bias = splits_and_head(
            rng, classes, dimensions, with_bias=seed % 4 != 3)
        prompts, (accuracy, epoch, head) = baselines.shortcut_probe(
            learning, held_out, weight, bias, seed=seed, **settings)
        file.add(**split_fields(learning, held_out, weight, bias), seed=seed, **settings,
                 found_prompts=prompts, selected_epoch=epoch, held_out_accuracy=accuracy,
                 tuned_weight=head[0], tuned_bias=head[1])


def self_cases(file):
    rng = np.random.default_rng(15)
    for seed, ((classes, dimensions), good_class) in enumerate(itertools.product(
            [(2, 12), (4, 30)], [None, 0, 1])):
        learning, held_out, weight, bias = splits_and_head(
            rng, classes, dimensions, with_bias=seed % 2 == 0)
        if good_class is not None:  # no mistakes in that class: those samples go
            z, y = learning
            kept = (y != good_class) | (method.predict(weight, bias, z) == y)
            learning = z[kept], y[kept]
        settings = dict(learning_rates=[1e-4, 1e-2, 1e-1], steps=30, batch_size=[32, 7][seed % 2],
                        momentum=0.9, weight_decay=[1e-4, 0.1][seed % 2])
        (accuracy, rate, head), samples = baselines.self_retrained(
            learning, held_out, weight, bias, seed=seed, **settings)
        settings["learning_rates"] = np.array(settings["learning_rates"])
        file.add(**split_fields(learning, held_out, weight, bias), seed=seed, **settings,
                 learning_rate=rate, samples=samples, held_out_accuracy=accuracy,
                 tuned_weight=head[0], tuned_bias=head[1])


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name, write_cases in {
        "last_layer": last_layer_cases, "regression": regression_cases, "dfr": dfr_cases,
        "afr": afr_cases, "shortcut_probe": shortcut_probe_cases, "self": self_cases,
    }.items():
        file = CaseFile(folder / f"{name}.safetensors")
        write_cases(file)
        file.save()


if __name__ == "__main__":
    main()
