"""The steps of the method one by one, on tensors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neurontune import _core
from neurontune._settings import settings_text
from neurontune._tensors import Array, Head, HeadLike, SplitLike, head_of, split_of, tensor_of
from neurontune.result import Groups
from neurontune.tuning import Progress


@dataclass(frozen=True, eq=False)
class SpuriousnessScores:
    """For each class and dimension, how much more active a neuron is on the class's mistakes.

    Attributes
    ----------
    scores
        Float ``[C, M]``; rows of classes without mistakes, or without correct samples, are 0.
    median_correct, median_misclassified
        Float ``[C, M]``: what the score is the difference of; NaN where there is no sample.
    correct, misclassified
        Samples of each class that are predicted right, and wrong.
    sfit
        The spuriousness fitness score, the sum of the scores' magnitudes; None where no class has
        both kinds of samples.
    """

    scores: Tensor
    median_correct: Tensor
    median_misclassified: Tensor
    correct: list[int]
    misclassified: list[int]
    sfit: float | None


@dataclass(frozen=True, eq=False)
class Identification(SpuriousnessScores):
    """Scores under a head's own predictions, and the dimensions that are biased by them.

    Attributes
    ----------
    mask
        Float ``[M]`` (``[C, M]`` with ``aggregate="per_class"``): the mask value where a dimension
        is biased, else 1.
    biased
        Bool, of the same shape.
    warnings
        One sentence each.
    """

    mask: Tensor
    biased: Tensor
    warnings: list[str]


@dataclass(frozen=True, eq=False)
class Epoch:
    """A head at the end of an epoch of retraining.

    Attributes
    ----------
    loss
        Mean cross-entropy over the epoch's batches.
    head
        With the mask folded in.
    """

    loss: float
    head: Head


@dataclass(frozen=True, eq=False)
class Selection:
    """Heads in order of preference.

    Attributes
    ----------
    order
        Indices into the heads, the best first; those without the figure that decides are left out.
    sfit
        The spuriousness fitness score of each head; None where it has none.
    balanced_accuracy
        The class-balanced accuracy of each head.
    """

    order: list[int]
    sfit: list[float | None]
    balanced_accuracy: list[float]


def spuriousness_scores(
    embeddings: Array,
    labels: Array,
    predictions: Array,
    *,
    classes: int | None = None,
    activation: str = "raw",
) -> SpuriousnessScores:
    """Median activation on a class's mistakes less that on its correct predictions.

    Parameters
    ----------
    embeddings
        Floating point, ``[N, M]``.
    labels, predictions
        Integers, ``[N]``, from 0 to C - 1.
    classes
        C; by default one more than the largest label or prediction.
    activation
        ``"raw"``, or ``"magnitude"`` to compare absolute values.

    Returns
    -------
    SpuriousnessScores

    Raises
    ------
    ValueError
        For an unknown activation.
    RuntimeError
        If shapes disagree or an index is out of range.
    """
    labels, predictions = tensor_of(labels), tensor_of(predictions)
    return SpuriousnessScores(
        **_core.spuriousness_scores(
            tensor_of(embeddings),
            labels,
            predictions,
            _number_of_classes(labels, predictions) if classes is None else classes,
            settings_text({"activation": activation}),
        )
    )


def identify(held_out: SplitLike, head: HeadLike, **options: Any) -> Identification:
    """Finds the dimensions that a head is misled by.

    Parameters
    ----------
    held_out
        ``(embeddings, labels)`` of data that the model was not trained on.
    head
        As `tune` takes it.
    **options
        Settings of the identification: ``recipe``, ``threshold``, ``aggregate``, ``mask_value``,
        ``keep_at_least``, ``significance`` and others.

    Returns
    -------
    Identification

    Raises
    ------
    ValueError
        For a setting.
    RuntimeError
        If no class has both mistakes and correct samples, and for data as `tune` does.
    """
    return Identification(
        **_core.identify(split_of(held_out, "held_out"), head_of(head), settings_text(options))
    )


def retrain(
    tuning: SplitLike,
    head: HeadLike,
    mask: Array | None = None,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> list[Epoch]:
    """Retrains a head behind a mask, on batches in which the classes are balanced.

    Parameters
    ----------
    tuning
        ``(embeddings, labels)`` that retrain.
    head
        As `tune` takes it.
    mask
        Floating ``[M]`` or ``[C, M]``: what the embeddings are multiplied by; None for no mask.
    progress
        Called as ``progress("tune", epoch, epochs)``.
    **options
        Settings of the retraining: ``epochs``, ``learning_rate``, ``batch_size``, ``seed``, …

    Returns
    -------
    list of Epoch
        One an epoch, in order.

    Raises
    ------
    ValueError
        For a setting.
    RuntimeError
        If the retraining becomes infinite, and for data as `tune` does.
    """
    epochs = _core.retrain(
        split_of(tuning, "tuning"),
        head_of(head),
        None if mask is None else tensor_of(mask),
        settings_text(options),
        progress,
    )
    return [Epoch(loss, Head(*tensors)) for loss, tensors in epochs]


def select(held_out: SplitLike, heads: Iterable[HeadLike], **options: Any) -> Selection:
    """Orders heads by their spuriousness fitness score on held-out data, as the paper does.

    Parameters
    ----------
    held_out
        ``(embeddings, labels)`` that the mask was identified on.
    heads
        Those to choose among.
    **options
        ``criterion`` (``"sfit"``, the default here, or ``"guarded_sfit"``), ``guard``,
        ``activation``.

    Returns
    -------
    Selection

    Raises
    ------
    ValueError
        For a setting.
    RuntimeError
        For data, as `tune` does.
    """
    chosen = {"criterion": "sfit"} | options
    return Selection(
        **_core.select(
            split_of(held_out, "held_out"), [head_of(head) for head in heads], settings_text(chosen)
        )
    )


def infer_groups(
    held_out: SplitLike, tuning: SplitLike, head: HeadLike, **options: Any
) -> Groups:
    """Infers the groups behind a head's mistakes, and whether they are groups at all.

    Parameters
    ----------
    held_out
        ``(embeddings, labels)`` of data that the model was not trained on: the groups are its.
    tuning
        ``(embeddings, labels)`` of the training data.
    head
        As `tune` takes it.
    **options
        ``seed``, ``evidence_threshold`` and the others of ``shortcut``.

    Returns
    -------
    Groups

    Raises
    ------
    ValueError
        For a setting.
    RuntimeError
        For data, as `tune` does.
    """
    return Groups(
        **_core.infer_groups(
            split_of(held_out, "held_out"),
            split_of(tuning, "tuning"),
            head_of(head),
            settings_text(options),
        )
    )


def group_accuracy(
    predictions: Array,
    labels: Array,
    attributes: Array | None = None,
    *,
    classes: int | None = None,
    train: tuple[Array, Array] | None = None,
) -> dict[str, Any]:
    """Accuracy over samples, classes and groups, with what else ``neurontune eval`` reports.

    Parameters
    ----------
    predictions
        Integers ``[N]``, or logits, floating ``[N, C]``, which calibration and AUROC need.
    labels
        Integers ``[N]``, from 0 to C - 1.
    attributes
        Integers ``[N]``, -1 where not known. A group is the samples of a label and an attribute.
    classes
        C; by default the number of logits, or one more than the largest label or prediction.
    train
        Labels and attributes of the training data, by whose groups ``adjusted_mean_accuracy``
        weighs.

    Returns
    -------
    dict
        ``mean_accuracy``, ``balanced_accuracy``, ``worst_class_accuracy``, and with attributes
        ``worst_group_accuracy``, ``worst_group`` and ``groups``, among others: see "Metric block"
        in docs/formats.md.

    Raises
    ------
    RuntimeError
        If shapes disagree or an index is out of range.
    """
    predicted, labels = tensor_of(predictions), _integers(labels)
    if predicted.dim() == 2:
        count = int(predicted.shape[1])
    else:
        predicted = _integers(predicted)
        count = _number_of_classes(labels, predicted)
    metrics = _core.group_accuracy(
        predicted,
        labels,
        None if attributes is None else _integers(attributes),
        count if classes is None else classes,
        None if train is None else (_integers(train[0]), _integers(train[1])),
    )
    found: dict[str, Any] = json.loads(metrics)
    return found


def _integers(values: Array) -> Tensor:
    """Integers as int64; the library refuses others."""
    tensor = tensor_of(values)
    return tensor if tensor.is_floating_point() else tensor.to(torch.int64)


def _number_of_classes(*indices: Tensor) -> int:
    return max((int(tensor.max()) + 1 for tensor in indices if tensor.numel()), default=1)
