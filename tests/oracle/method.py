"""NeuronTune written straight from its equations, with NumPy and PyTorch only: slow and obvious.

The C++ library is held against this. Nothing here looks at the library's code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch

# ---------------------------------------------------------------- identification


@dataclass
class Scores:
    scores: np.ndarray  # [C, M], the rows of unusable classes are 0
    median_correct: np.ndarray  # [C, M], NaN where a class has no correct sample
    median_misclassified: np.ndarray
    correct: np.ndarray  # [C]
    misclassified: np.ndarray  # [C]

    @property
    def usable(self) -> np.ndarray:
        return (self.correct > 0) & (self.misclassified > 0)


def spuriousness_scores(embeddings, labels, predictions, classes, activation="raw") -> Scores:
    z = np.abs(embeddings) if activation == "magnitude" else embeddings
    shape = (classes, z.shape[1])
    result = Scores(
        np.zeros(shape, z.dtype),
        np.full(shape, np.nan, z.dtype),
        np.full(shape, np.nan, z.dtype),
        np.zeros(classes, np.int64),
        np.zeros(classes, np.int64),
    )
    for c in range(classes):
        right = z[(labels == c) & (predictions == c)]
        wrong = z[(labels == c) & (predictions != c)]
        result.correct[c], result.misclassified[c] = len(right), len(wrong)
        if len(right):
            result.median_correct[c] = np.median(right, axis=0)
        if len(wrong):
            result.median_misclassified[c] = np.median(wrong, axis=0)
        if len(right) and len(wrong):
            result.scores[c] = result.median_misclassified[c] - result.median_correct[c]
    return result


def spuriousness_fitness(scores: Scores) -> float | None:
    if not scores.usable.any():
        return None
    return float(np.abs(scores.scores.astype(np.float64)).sum())


def flags_of_row(row, threshold, keep_at_least):
    """Flags scores over the threshold, but never the `keep_at_least` smallest."""
    flagged = row > threshold
    kept = np.argsort(row, kind="stable")[:keep_at_least]
    flagged[kept] = False
    return flagged


def aggregated_scores(scores: Scores, aggregate):
    rows = scores.scores[scores.usable]
    return {
        "union": lambda: rows.max(axis=0),
        "intersection": lambda: rows.min(axis=0),
        "mean": lambda: rows.mean(axis=0),
        "per_class": lambda: scores.scores,
    }[aggregate]()


def default_keep_at_least(classes, dimensions):
    return min(max(classes, dimensions // 16), dimensions)


def biased_dimensions(scores: Scores, aggregate="union", threshold=0.0, keep_at_least=None,
                      threshold_quantile=None):
    """bool [M], under per_class [C, M]; None where the settings leave no dimension."""
    classes, dimensions = scores.scores.shape
    if keep_at_least is None:
        keep_at_least = default_keep_at_least(classes, dimensions)
    aggregated = aggregated_scores(scores, aggregate)

    def threshold_of(row):
        return threshold if threshold_quantile is None else np.quantile(row, threshold_quantile)

    if aggregate == "per_class":
        flags = np.zeros(aggregated.shape, bool)
        for c in np.flatnonzero(scores.usable):
            flags[c] = flags_of_row(aggregated[c], threshold_of(aggregated[c]), keep_at_least)
        return flags
    flags = flags_of_row(aggregated, threshold_of(aggregated), keep_at_least)
    return None if flags.all() else flags


# ---------------------------------------------------------------- retraining


class ClassBalancedSampler:
    def __init__(self, labels, classes, batch_size, generator):
        self.rows = [torch.nonzero(labels == c).flatten() for c in range(classes)]
        self.classes, self.batch_size, self.generator = classes, batch_size, generator
        self.next_extra = 0

    def draw(self, batches):
        places = []  # [batches][C]
        for _ in range(batches):
            batch = [self.batch_size // self.classes] * self.classes
            for _ in range(self.batch_size % self.classes):
                batch[self.next_extra] += 1
                self.next_extra = (self.next_extra + 1) % self.classes
            places.append(batch)
        drawn = []  # an iterator a class over the rows drawn for it, batch after batch
        for c, rows in enumerate(self.rows):
            total = sum(batch[c] for batch in places)
            drawn.append(iter(rows[torch.randint(0, len(rows), (total,), generator=self.generator)]))
        return torch.tensor(
            [[int(next(drawn[c])) for c in range(self.classes) for _ in range(batch[c])]
             for batch in places]
        )


@dataclass
class Tuning:
    start: str = "erm"
    refresh: int = 0
    epochs: int = 3
    batches_per_epoch: int = 10
    batch_size: int = 32
    learning_rate: float = 1e-2
    momentum: float = 0.9
    weight_decay: float = 1e-4


def fresh_head(weight, bias, generator):
    """A head of the shape and dtype of the one given."""
    uniform = torch.rand(weight.shape, dtype=weight.dtype, generator=generator)
    fresh_bias = None if bias is None else torch.zeros_like(bias)
    return (uniform * 2 - 1) / math.sqrt(weight.shape[1]), fresh_bias


class HeadRetrainer:
    """torch.optim.SGD with autograd behind a mask; the weights behind a 0 stand still.

    Without a bias (None) there is none to train.
    """

    def __init__(self, embeddings, labels, weight, bias, tuning: Tuning, generator):
        self.embeddings, self.labels, self.tuning = embeddings, labels, tuning
        self.sampler = ClassBalancedSampler(labels, len(weight), tuning.batch_size, generator)
        self.weight = weight.clone().requires_grad_()
        self.bias = None if bias is None else bias.clone().requires_grad_()
        self.set_mask(torch.ones(weight.shape[1], dtype=weight.dtype))

    def set_mask(self, mask):
        self.mask = mask.expand_as(self.weight)
        self.optimizer = torch.optim.SGD(
            [self.weight] if self.bias is None else [self.weight, self.bias],
            lr=self.tuning.learning_rate,
            momentum=self.tuning.momentum,
            weight_decay=self.tuning.weight_decay,
        )

    def run_epoch(self):
        losses = []
        for rows in self.sampler.draw(self.tuning.batches_per_epoch):
            # Each logit has its own view of the embedding: (z ∘ m_c) · w_c.
            logits = torch.nn.functional.linear(
                self.embeddings[rows], self.mask * self.weight, self.bias)
            loss = torch.nn.functional.cross_entropy(logits, self.labels[rows])
            self.optimizer.zero_grad()
            loss.backward()
            standing = self.weight.detach().clone()
            self.optimizer.step()
            with torch.no_grad():
                self.weight.copy_(torch.where(self.mask == 0, standing, self.weight))
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def head(self):
        bias = None if self.bias is None else self.bias.detach().clone()
        return (self.mask * self.weight).detach().clone(), bias


# ---------------------------------------------------------------- selection, the whole


def predict(weight, bias, embeddings):
    return torch.nn.functional.linear(embeddings, weight, bias).argmax(dim=1)


def balanced_accuracy(predictions, labels):
    return float(np.mean([np.mean(predictions[labels == c] == c) for c in np.unique(labels)]))


def ranked_candidates(sfits, balanced, criterion, guard):
    candidates = [i for i, sfit in enumerate(sfits) if sfit is not None]
    if criterion == "guarded_sfit" and candidates:
        best = max(balanced)
        candidates = [i for i in candidates if balanced[i] >= best - guard]
    return sorted(candidates, key=lambda i: (-sfits[i], i))


@dataclass
class Epoch:
    loss: float
    sfit: float | None
    balanced_accuracy: float
    weight: torch.Tensor
    bias: torch.Tensor
    biased: np.ndarray
    scores: Scores


@dataclass
class Result:
    epochs: list[Epoch] = field(default_factory=list)
    candidates: list[int] = field(default_factory=list)


def neuron_tune(identification, tuning_split, weight, bias, tuning: Tuning, *, seed=0,
                aggregate="union", activation="raw", threshold=0.0, keep_at_least=None,
                mask_value=0.0, criterion="guarded_sfit", guard=0.02) -> Result:
    z_ide, y_ide = identification
    z_tune, y_tune = tuning_split
    classes = len(weight)
    generator = torch.Generator().manual_seed(seed)
    start = (weight, bias)
    if tuning.start == "fresh":
        start = fresh_head(weight, bias, generator)
    retrainer = HeadRetrainer(z_tune, y_tune, *start, tuning, generator)

    def scores_under(head):
        predictions = predict(*head, z_ide)
        return predictions.numpy(), spuriousness_scores(
            z_ide.numpy(), y_ide.numpy(), predictions.numpy(), classes, activation)

    def identify(head):
        _, scores = scores_under(head)
        biased = biased_dimensions(scores, aggregate, threshold, keep_at_least)
        assert biased is not None, "a case must leave some dimension"
        mask = torch.where(torch.from_numpy(biased), mask_value, 1.0).to(weight.dtype)
        retrainer.set_mask(mask)
        return biased, scores

    result = Result()
    biased, identified = identify((weight, bias))
    for epoch in range(tuning.epochs):
        if tuning.refresh and epoch and epoch % tuning.refresh == 0:
            biased, identified = identify(retrainer.head())
        loss = retrainer.run_epoch()
        predictions, scores = scores_under(retrainer.head())
        result.epochs.append(Epoch(
            loss, spuriousness_fitness(scores), balanced_accuracy(predictions, y_ide.numpy()),
            *retrainer.head(), biased, identified))
    result.candidates = ranked_candidates(
        [e.sfit for e in result.epochs], [e.balanced_accuracy for e in result.epochs], criterion,
        guard)
    return result
