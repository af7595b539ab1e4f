"""Writes the cases that tests/method/oracle_test.cpp compares the library with.

usage: generate.py FOLDER

Each file holds many cases; a tensor is named CASE/FIELD. Settings are tensors of one element.
"""

import itertools
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.metrics import accuracy_score, balanced_accuracy_score

import inferred_accuracy
import inferred_groups
import method
import mistake_test
import rebalancing
import shortcut_search

# The order of the library's enums.
ACTIVATIONS = ["raw", "magnitude"]
AGGREGATES = ["union", "intersection", "mean", "per_class"]
STARTS = ["erm", "fresh"]
CRITERIA = ["sfit", "guarded_sfit"]


class CaseFile:
    def __init__(self, path):
        self.path, self.tensors, self.cases = path, {}, 0

    def add(self, **fields):
        for name, value in fields.items():
            if value is None:
                continue
            if isinstance(value, (bool, int)):
                value = torch.tensor([value], dtype=torch.int64)
            elif isinstance(value, float):
                value = torch.tensor([value], dtype=torch.float64)
            # A copy each: the format wants tensors that share no memory.
            self.tensors[f"{self.cases:04d}/{name}"] = torch.as_tensor(value).contiguous().clone()
        self.cases += 1

    def save(self):
        save_file(self.tensors, self.path)
        print(f"{self.path.name}: {self.cases} cases")


def classified(rng, counts):
    """Labels and predictions, shuffled, with (correct, misclassified) samples a class."""
    labels, predictions = [], []
    for c, (correct, misclassified) in enumerate(counts):
        others = [other for other in range(len(counts)) if other != c]
        labels += [c] * (correct + misclassified)
        predictions += [c] * correct + list(rng.choice(others, misclassified))
    order = rng.permutation(len(labels))
    return np.array(labels, np.int64)[order], np.array(predictions, np.int64)[order]


def scores_cases(file):
    rng = np.random.default_rng(0)
    sizes = [0, 1, 2, 3, 4, 7, 20, 21]
    pairs = list(itertools.product(sizes, sizes))
    dtypes = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
    for i in range(160):
        classes = int(rng.integers(2, 11))
        dimensions = int(rng.choice([1, 2, 5, 33]))
        counts = [pairs[j] for j in rng.choice(len(pairs), classes)]
        counts[0] = max(counts[0], (1, 0))  # at least one sample
        labels, predictions = classified(rng, counts)
        values = rng.normal(size=(len(labels), dimensions))
        if i % 3 == 0:
            values = np.round(values * 2) / 2  # ties
        stored = torch.from_numpy(values).to(dtypes[i % 4])
        activation = ACTIVATIONS[i // 4 % 2]
        # Half types are computed in float32.
        exact = stored.double() if stored.dtype == torch.float64 else stored.float()
        scores = method.spuriousness_scores(exact.numpy(), labels, predictions, classes, activation)
        file.add(
            embeddings=stored, labels=labels, predictions=predictions, classes=classes,
            activation=ACTIVATIONS.index(activation), scores=scores.scores,
            median_correct=scores.median_correct,
            median_misclassified=scores.median_misclassified, correct=scores.correct,
            misclassified=scores.misclassified, sfit=method.spuriousness_fitness(scores))


def biased_cases(file):
    rng = np.random.default_rng(1)
    for i in range(16):
        classes, dimensions = int(rng.integers(2, 11)), int(rng.choice([4, 16, 40, 200]))
        values = rng.normal(size=(classes, dimensions)).astype([np.float32, np.float64][i % 2])
        if i % 4 < 2:
            values = np.round(values * 2) / 4  # ties, and scores that equal the threshold
        correct, misclassified = rng.integers(0, 4, (2, classes))
        correct[0], misclassified[0] = 5, 5
        values[(correct == 0) | (misclassified == 0)] = 0
        unused = np.full_like(values, np.nan)
        scores = method.Scores(values, unused, unused, correct, misclassified)
        for aggregate, (threshold, quantile), keep in itertools.product(
                AGGREGATES, [(0.0, None), (0.25, None), (-0.5, None), (0.0, 0.0), (0.0, 0.375), (0.0, 0.8)],
                [None, 0, 3, dimensions]):
            biased = method.biased_dimensions(scores, aggregate, threshold, keep, quantile)
            if aggregate == "per_class" and biased[scores.usable].all(axis=1).any():
                continue  # a class with no dimension left: not said whether that is an error
            unkept = None if biased is None else method.biased_dimensions(
                scores, aggregate, threshold, 0, quantile)
            binds = biased is not None and (unkept is None or unkept.sum() > biased.sum())
            file.add(
                scores=values, correct=correct, misclassified=misclassified,
                aggregate=AGGREGATES.index(aggregate), threshold=threshold, threshold_quantile=quantile,
                keep_at_least=keep, aggregated=method.aggregated_scores(scores, aggregate),
                binds=bool(binds), biased=biased)


def balanced_labels(rng, classes, samples):
    """Every class present, unevenly."""
    weights = rng.dirichlet(np.ones(classes) * 2)
    labels = np.concatenate([np.arange(classes), rng.choice(classes, samples - classes, p=weights)])
    return torch.from_numpy(rng.permutation(labels))


def sampler_cases(file):
    rng = np.random.default_rng(2)
    for seed, (classes, batch_size) in enumerate(
            [(2, 128), (2, 7), (3, 128), (5, 3), (10, 128), (10, 4), (7, 7), (1, 5), (6, 1)]):
        labels = balanced_labels(rng, classes, 300)
        generator = torch.Generator().manual_seed(seed)
        sampler = method.ClassBalancedSampler(labels, classes, batch_size, generator)
        file.add(labels=labels, classes=classes, batch_size=batch_size, seed=seed,
                 first=sampler.draw(7), second=sampler.draw(4))


def clusters(rng, classes, dimensions, samples, dtype):
    """Embeddings whose classes overlap, so that every head makes mistakes."""
    labels = balanced_labels(rng, classes, samples)
    centres = torch.from_numpy(rng.normal(size=(classes, dimensions)))
    noise = torch.from_numpy(rng.normal(size=(samples, dimensions)))
    return (centres[labels] * 0.25 + noise).to(dtype), labels


def random_head(rng, classes, dimensions, dtype):
    weight = torch.from_numpy(rng.normal(size=(classes, dimensions)) * 0.3)
    return weight.to(dtype), torch.from_numpy(rng.normal(size=classes) * 0.1).to(dtype)


def tuning_fields(tuning):
    return dict(epochs=tuning.epochs, batches_per_epoch=tuning.batches_per_epoch,
                batch_size=tuning.batch_size, learning_rate=tuning.learning_rate,
                momentum=tuning.momentum, weight_decay=tuning.weight_decay,
                start=STARTS.index(tuning.start), refresh=tuning.refresh)


def masks(rng, classes, dimensions):
    dropped = rng.random(dimensions) < 0.6
    per_class = rng.random((classes, dimensions)) < 0.5
    yield None
    yield np.where(dropped, 0.0, 1.0)
    yield np.where(dropped, 0.5, 1.0)
    yield np.where(per_class, 0.0, 1.0)
    yield np.where(per_class, 0.3, 1.0)
    yield np.where(per_class | dropped, 0.0, 1.0)  # some dimensions masked for every class


def retraining_cases(file):
    rng = np.random.default_rng(3)
    settings = [
        method.Tuning(),
        method.Tuning(start="fresh", batch_size=17, momentum=0.0),
        method.Tuning(learning_rate=0.1, weight_decay=0.1, batches_per_epoch=9),
    ]
    seed = 0
    for dtype, (classes, dimensions), tuning in itertools.product(
            [torch.float32, torch.float64], [(2, 16), (5, 40)], settings):
        z, y = clusters(rng, classes, dimensions, 400, dtype)
        weight, bias = random_head(rng, classes, dimensions, dtype)
        if (classes == 5) == (tuning.start == "fresh"):
            bias = None  # a head may have none
        for mask in masks(rng, classes, dimensions):
            generator = torch.Generator().manual_seed(seed)
            start = (weight, bias)
            if tuning.start == "fresh":
                start = method.fresh_head(weight, bias, generator)
            retrainer = method.HeadRetrainer(z, y, *start, tuning, generator)
            if mask is not None:
                mask = torch.from_numpy(mask).to(dtype)
                retrainer.set_mask(mask)
            losses = [retrainer.run_epoch() for _ in range(tuning.epochs)]
            masked = retrainer.head()
            # Every dimension comes back: those that waited have the weights they had.
            retrainer.set_mask(torch.ones(dimensions, dtype=dtype))
            unmasked = retrainer.head()
            losses.append(retrainer.run_epoch())
            after = retrainer.head()
            file.add(embeddings=z, labels=y, weight=weight, bias=bias, seed=seed, mask=mask,
                     losses=np.array(losses), masked_weight=masked[0], masked_bias=masked[1],
                     unmasked_weight=unmasked[0], after_weight=after[0], after_bias=after[1],
                     **tuning_fields(tuning))
            seed += 1


def metrics_cases(file):
    rng = np.random.default_rng(4)
    for i in range(60):
        classes, values = int(rng.integers(1, 6)), int(rng.integers(1, 5))
        samples = int(rng.choice([1, 2, 9, 100, 1001]))
        labels = rng.integers(0, classes, samples)
        attributes = rng.integers(0, values, samples)
        predictions = np.where(rng.random(samples) < 0.7, labels, rng.integers(0, classes, samples))
        groups = labels * values + attributes
        train = rng.integers(0, 50, classes * values) * (rng.random(classes * values) < 0.8)
        present = np.unique(groups)
        accuracy = np.array([np.mean(predictions[groups == g] == labels[groups == g])
                             for g in present])
        shares = train[present].astype(float)
        adjusted = float((shares * accuracy).sum() / shares.sum()) if shares.sum() else None
        class_accuracy = np.array([
            np.mean(predictions[labels == c] == c) if (labels == c).any() else np.nan
            for c in range(classes)])
        file.add(
            predictions=predictions, labels=labels, attributes=attributes, classes=classes,
            attribute_values=values, train_counts=train.astype(np.int64),
            counts=np.bincount(groups, minlength=classes * values), present=present,
            group_accuracy=accuracy, worst_group_accuracy=float(accuracy.min()),
            worst_group=int(accuracy.argmin()), adjusted=adjusted, class_accuracy=class_accuracy,
            mean_accuracy=float(accuracy_score(labels, predictions)),
            balanced_accuracy=float(balanced_accuracy_score(labels, predictions)),
            worst_class_accuracy=float(np.nanmin(class_accuracy)))


def neuron_tune_cases(file):
    rng = np.random.default_rng(5)
    variants = [
        dict(),
        dict(criterion="sfit"),
        dict(activation="magnitude", aggregate="mean", threshold=0.05),
        dict(aggregate="intersection", keep_at_least=0),
        dict(aggregate="per_class"),
        dict(aggregate="per_class", mask_value=0.5, criterion="sfit"),
        dict(mask_value=0.25, guard=0.0),
        dict(keep_at_least=10, guard=1.0),
    ]
    tunings = [
        method.Tuning(epochs=6),
        method.Tuning(epochs=6, refresh=1),
        method.Tuning(epochs=7, refresh=3, start="fresh", learning_rate=0.1),
    ]
    # float64: a sample on the boundary would else be predicted differently, and SFit jump.
    for seed, ((classes, dimensions), variant, tuning) in enumerate(
            itertools.product([(2, 32), (4, 64)], variants, tunings)):
        z, y = clusters(rng, classes, dimensions, 700, torch.float64)
        identification, tuning_split = (z[:300], y[:300]), (z[300:], y[300:])
        weight, bias = random_head(rng, classes, dimensions, torch.float64)
        settings = dict(aggregate="union", activation="raw", threshold=0.0, mask_value=0.0,
                        criterion="guarded_sfit", guard=0.02) | variant
        result = method.neuron_tune(identification, tuning_split, weight, bias, tuning, seed=seed,
                                    **settings)
        best = result.candidates[0]
        epochs = result.epochs
        file.add(
            identification_embeddings=identification[0], identification_labels=identification[1],
            tuning_embeddings=tuning_split[0], tuning_labels=tuning_split[1], weight=weight,
            bias=bias, seed=seed, aggregate=AGGREGATES.index(settings["aggregate"]),
            activation=ACTIVATIONS.index(settings["activation"]),
            threshold=float(settings["threshold"]), mask_value=float(settings["mask_value"]),
            keep_at_least=settings.get("keep_at_least"),
            criterion=CRITERIA.index(settings["criterion"]), guard=float(settings["guard"]),
            **tuning_fields(tuning),
            losses=np.array([e.loss for e in epochs]),
            sfits=np.array([e.sfit for e in epochs], np.float64),
            balanced_accuracies=np.array([e.balanced_accuracy for e in epochs]),
            epoch_weights=torch.stack([e.weight for e in epochs]),
            epoch_biases=torch.stack([e.bias for e in epochs]),
            epoch_biased=np.stack([e.biased for e in epochs]),
            candidates=np.array(result.candidates), selected_scores=epochs[best].scores.scores)


def grouped_clusters(rng, classes, dimensions, samples, rare=0.15, class_size=1.0):
    """Embeddings with an additive attribute that agrees with the label in most samples, and evidence
    of it that is mostly right."""
    labels = balanced_labels(rng, classes, samples).numpy()
    attributes = np.where(rng.random(samples) < 1 - rare, labels, rng.integers(0, classes, samples))
    effects = rng.normal(size=(2, classes, dimensions))
    noise = rng.normal(size=(samples, dimensions))
    embeddings = class_size * effects[0][labels] + 2 * effects[1][attributes] + noise
    evidence = np.where(rng.random(samples) < 0.9, attributes, rng.integers(0, classes, samples))
    return embeddings, labels, evidence


def inferred_groups_cases(file):
    rng = np.random.default_rng(6)
    variants = [dict(), dict(rounds=1), dict(shrinkage=0.5, confidence=0.7),
                dict(smoothing=0.5, error_quantile=1.0, rounds=12), dict(group_samples=200.0),
                dict(group_samples=0.1, rounds=2)]
    for (classes, dimensions), variant in itertools.product([(2, 6), (3, 10), (4, 12)], variants):
        z, labels, evidence = grouped_clusters(rng, classes, dimensions, 300)
        z[:, -1] = 3.0  # a dimension that says nothing
        settings = dict(confidence=0.9, smoothing=2.0, error_quantile=0.25, shrinkage=0.1, rounds=3,
                        group_samples=5.0) | variant
        groups = inferred_groups.infer_groups(z[:200], labels[:200], evidence[:200], classes, **settings)
        file.add(embeddings=z, labels=labels, evidence=evidence, classes=classes, beliefs=groups.beliefs(z, labels),
                 class_effects=groups.class_effects, attribute_effects=groups.attribute_effects,
                 log_prior=groups.log_prior, calibration=groups.calibration, distances=groups.distances(),
                 discriminants=np.linalg.solve(groups.covariance, groups.attribute_effects.T), **settings)


def soft_beliefs(rng, labels, values):
    """One value is surer the more samples have it, and one has less than a sample in all."""
    beliefs = rng.dirichlet(np.ones(values) * 0.3, len(labels))
    beliefs[:, -1] *= 0.5 / beliefs[:, -1].sum()
    beliefs[:, 0] += 1 - beliefs.sum(axis=1)
    return beliefs


def rebalancing_cases(file):
    rng = np.random.default_rng(8)
    i = 0
    for classes, has_bias, per_class in itertools.product([2, 3, 4], [True, False], [False, True]):
        for dtype, penalty in itertools.product([torch.float64, torch.float32], [1e-2, 1e-1, 1e-3]):
            dimensions = [3, 8, 15][i % 3]
            stored, labels = clusters(rng, classes, dimensions, 250, torch.float64)
            stored = stored * torch.from_numpy(np.exp(rng.normal(size=dimensions))) + 2
            if i % 4 == 1:
                stored[:, 0] = 3.0  # a dimension that says nothing
            stored, labels = stored.to(dtype), labels.numpy()
            z = stored.double().numpy()
            beliefs = soft_beliefs(rng, labels, [2, classes, 5][i % 3])
            weights = rebalancing.rebalancing_weights(labels, beliefs, classes)
            mask = rng.choice([0.0, 0.3, 1.0, 1.0], (classes, dimensions) if per_class else dimensions)
            # What it costs to follow some effects; scikit-learn knows no such cost.
            held = [None, 0.1, 1.0][i % 3] if classes > 2 or per_class or i % 6 == 5 else None
            effects = None
            if held is not None:
                effects = rng.normal(size=(2 * classes, dimensions)) * z.std(axis=0)
            weight, bias = rebalancing.retrain(z, labels, weights, mask, classes, penalty, has_bias, effects, held or 0)
            fields = {} if held is None else dict(effects=effects, attribute_penalty=held)
            if classes == 2 and not per_class and held is None:
                fields = dict(zip(["sklearn_weight", "sklearn_bias"], rebalancing.retrain_two_classes(
                    z, labels, weights, mask, penalty, has_bias)))
            file.add(embeddings=stored, labels=labels, classes=classes, beliefs=beliefs, weights=weights,
                     mask=mask, penalty=penalty, weight=weight, bias=bias, **fields)
            i += 1


def inferred_accuracy_cases(file):
    rng = np.random.default_rng(9)
    for i in range(40):
        classes, values = int(rng.integers(2, 6)), int(rng.integers(1, 5))
        samples = int(rng.choice([1, 9, 100, 1001]))
        labels = rng.integers(0, classes - i % 2, samples)  # in every other case the last class has none
        predictions = np.where(rng.random(samples) < rng.choice([0, 0.7, 1]), labels,
                               rng.integers(0, classes, samples))
        beliefs = rng.dirichlet(np.ones(values) * [0.1, 2][i // 2 % 2], samples)
        if i % 5 == 0:
            beliefs = np.eye(values)[beliefs.argmax(axis=1)]
        counts, accuracy, lower, upper, worst = inferred_accuracy.inferred_accuracy(
            predictions, labels, beliefs, classes)
        file.add(predictions=predictions, labels=labels, beliefs=beliefs, classes=classes, samples=counts,
                 accuracy=accuracy, lower=lower, upper=upper, worst_label=int(worst[0]),
                 worst_attribute=int(worst[1]))


def shortcut_search_cases(file):
    rng = np.random.default_rng(10)
    for seed, ((classes, dimensions, folds, components), rare) in enumerate(
            itertools.product([(2, 6, 2, 64), (3, 10, 3, 10), (4, 12, 2, 64), (3, 12, 2, 7)], [0.1, 0.3])):
        z, labels, evidence = grouped_clusters(rng, classes, dimensions, 900, rare, class_size=0.4)
        held_out, tuning = (z[:500], labels[:500]), (z[500:], labels[500:])
        # A head on the attribute that the evidence speaks of, off by noise.
        weight, bias = rebalancing.retrain(z, evidence, np.ones(900), np.ones(dimensions), classes, 0.1, True)
        weight = weight + rng.normal(size=weight.shape) * 0.2
        logits = (z @ weight.T + bias)[:500]
        penalty = [1e-2, 1e-1][seed % 2]
        wrong = rng.random(500) < [0, 0.1][seed // 2 % 2]
        labels[:500][wrong] = (labels[:500][wrong] + 1) % classes
        found = shortcut_search.search_shortcut(held_out, tuning, logits, classes, penalty=penalty, folds=folds,
                                                seed=seed, components=components)
        assert found["suspected"] > 0, "a case must have a label that looks wrong"
        file.add(embeddings=z, labels=labels, weight=weight, bias=bias, penalty=penalty, folds=folds, seed=seed,
                 components=components, **found)


def label_errors_cases(file):
    rng = np.random.default_rng(12)
    for classes, samples in itertools.product([2, 3, 10], [30, 300]):
        labels = rng.integers(0, max(2, classes - 1), samples)  # a class without samples, of more than two
        logits = rng.normal(size=(samples, classes)) + np.eye(classes)[labels]
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        errors = shortcut_search.label_errors(probabilities, labels)
        assert 0 < errors.sum() < samples
        file.add(probabilities=probabilities, labels=labels, errors=errors)


def mistake_test_cases(file):
    rng = np.random.default_rng(7)
    dtypes = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
    variants = [dict(), dict(strata=1), dict(strata=3, false_discovery_rate=0.3),
                dict(strata=40, detectable_effect=0.9)]
    for i in range(48):
        classes, dimensions = int(rng.choice([1, 2, 3, 6])), int(rng.choice([1, 2, 7, 40]))
        samples = int(rng.choice([12, 90, 400, 1200]))
        stored, labels = clusters(rng, classes, dimensions, samples, torch.float64)
        if i % 3 == 0:
            stored = torch.round(stored * 2) / 2  # ties, of the margin too
        if i % 3 == 1:
            stored = stored.relu()
        stored[:, -1] *= i % 5  # a constant column in some
        stored, labels = stored.to(dtypes[i // 3 % 4]), labels.numpy()
        z = stored.double().numpy()
        # Eighths: so that logits are exact, and margins that tie do so in any order of summing.
        weight = np.round(rng.normal(size=(classes, dimensions)) * 8) / 8
        bias = np.round(rng.normal(size=classes) * 8) / 8
        logits = z @ weight.T + bias
        if i % 4 == 0:  # a class without mistakes, one without correct samples, one without any
            labels = np.where(logits.argmax(axis=1) == 0, 0, labels)
            labels = np.where((logits.argmax(axis=1) == 1) & (labels == 1), 0, labels)
            labels = np.where(labels == 2, 0, labels)
        variant = variants[i % len(variants)]
        settings = dict(false_discovery_rate=0.05, strata=5, detectable_effect=0.5) | variant
        tests = mistake_test.test_mistakes(z, labels, logits, **settings)
        results = {
            f"{null}_{name}": value
            for null, test in zip(["plain", "given_margin"], tests)
            for name, value in dict(
                p_values=test.p_values, effects=test.effects, significant=test.significant,
                minimal_effects=test.minimal_effects,
                verdicts=np.array([mistake_test.VERDICTS.index(v) for v in test.verdicts])).items()}
        wrong = logits.argmax(axis=1) != labels
        file.add(embeddings=stored, labels=labels, weight=weight, bias=bias,
                 correct=np.bincount(labels[~wrong], minlength=classes),
                 misclassified=np.bincount(labels[wrong], minlength=classes), **settings, **results)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    # Of predicted classes that no sample has: they count for nothing, as they should.
    warnings.filterwarnings("ignore", module="sklearn")
    for name, write_cases in {
        "scores": scores_cases, "biased": biased_cases, "sampler": sampler_cases,
        "retraining": retraining_cases, "metrics": metrics_cases,
        "neuron_tune": neuron_tune_cases, "inferred_groups": inferred_groups_cases,
        "mistake_test": mistake_test_cases, "rebalancing": rebalancing_cases,
        "inferred_accuracy": inferred_accuracy_cases, "shortcut_search": shortcut_search_cases,
        "label_errors": label_errors_cases,
    }.items():
        file = CaseFile(folder / f"{name}.safetensors")
        write_cases(file)
        file.save()


if __name__ == "__main__":
    main()
