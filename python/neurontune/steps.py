"""The steps of the method one by one, on tensors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neurontune import _core
from neurontune._settings import (
    described,
    list_of,
    settings_text,
    step_settings,
    whole_number,
)
from neurontune._tensors import Array, Head, HeadLike, SplitLike, head_of, split_of, tensor_of
from neurontune.result import Groups
from neurontune.tuning import Progress, checked_progress


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

    def __repr__(self) -> str:
        shape = list(self.scores.shape)
        return f"SpuriousnessScores(scores={shape}, {_shown(self)})"


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

    def __repr__(self) -> str:
        biased = f"{int(self.biased.sum())} of {self.biased.numel()}"
        return f"Identification(biased={biased}, {_shown(self)})"


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

    def __repr__(self) -> str:
        return f"Epoch(loss={self.loss:.4g}, head={list(self.head.weight.shape)})"


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
        If shapes disagree, an index is out of range, or labels or predictions are no integers.
    """
    labels, predictions = _integers(labels, "labels"), _integers(predictions, "predictions")
    return SpuriousnessScores(
        **_core.spuriousness_scores(
            tensor_of(embeddings, "embeddings"),
            labels,
            predictions,
            _number_of_classes(classes, labels, predictions),
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
        ``keep_at_least``, ``significance`` and others of ``identify``.

    Returns
    -------
    Identification

    Raises
    ------
    ValueError
        For a setting that is wrong, or that the step does not take.
    RuntimeError
        If no class has both mistakes and correct samples, and for data as `tune` does.
    """
    return Identification(
        **_core.identify(
            split_of(held_out, "held_out"),
            head_of(head),
            settings_text(step_settings("identify", options)),
        )
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
        Settings of the retraining: ``recipe``, ``seed``, and those of ``tune`` but ``refresh``:
        ``epochs``, ``learning_rate``, ``batch_size``, …

    Returns
    -------
    list of Epoch
        One an epoch, in order.

    Raises
    ------
    ValueError
        For a setting that is wrong, or that the step does not take.
    RuntimeError
        If the retraining becomes infinite, and for data as `tune` does.
    """
    epochs = _core.retrain(
        split_of(tuning, "tuning"),
        head_of(head),
        None if mask is None else tensor_of(mask, "mask"),
        settings_text(step_settings("retrain", options)),
        checked_progress(progress),
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
        For a setting that is wrong, or that the step does not take.
    RuntimeError
        For data, as `tune` does.
    """
    settings = {"select.criterion": "sfit"} | step_settings("select", options)
    criterion = settings["select.criterion"]
    if not isinstance(criterion, str) or criterion not in ("sfit", "guarded_sfit"):
        raise ValueError(
            f"options: criterion is {described(criterion)}, expected sfit or guarded_sfit"
        )
    return Selection(
        **_core.select(
            split_of(held_out, "held_out"),
            [head_of(head) for head in list_of("heads", "heads", heads)],
            settings_text(settings),
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
        For a setting that is wrong, or that the step does not take.
    RuntimeError
        For data, as `tune` does.
    """
    return Groups(
        **_core.infer_groups(
            split_of(held_out, "held_out"),
            split_of(tuning, "tuning"),
            head_of(head),
            settings_text(step_settings("infer_groups", options)),
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
        ``[N, 1]`` is one logit for two classes, above 0 for the second one.
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
        If shapes disagree, an index is out of range, or predictions are neither of these or NaN.
    TypeError
        If an argument holds no numbers, or train is no pair.
    """
    predicted, labels = _indices_or_logits(predictions), _integers(labels, "labels")
    if predicted.dim() == 1:
        count = _number_of_classes(classes, labels, predicted)
    else:
        count = _number_of_classes(int(predicted.shape[1]) if classes is None else classes)
    metrics = _core.group_accuracy(
        predicted,
        labels,
        None if attributes is None else _integers(attributes, "attributes"),
        count,
        None if train is None else _training_groups(train),
    )
    found: dict[str, Any] = json.loads(metrics)
    return found


def _indices_or_logits(predictions: Array) -> Tensor:
    """int64 ``[N]``, or logits ``[N, C]``, of two classes where there is one."""
    tensor = tensor_of(predictions, "predictions")
    floating = tensor.is_floating_point()
    if tensor.dim() != (2 if floating else 1):
        raise RuntimeError(
            f"predictions are {_kind(tensor)}, expected integers [N], or floating logits [N, C], "
            "of which C may be 1"
        )
    if not floating:
        return tensor.to(torch.int64)
    if tensor.isnan().any():
        raise RuntimeError(f"predictions hold nan, expected logits {list(tensor.shape)}")
    return torch.cat([torch.zeros_like(tensor), tensor], 1) if tensor.shape[1] == 1 else tensor


def _training_groups(train: object) -> tuple[Tensor, Tensor]:
    if not isinstance(train, (tuple, list)) or len(train) != 2:
        raise TypeError(f"train is {described(train)}, expected (labels, attributes)")
    return _integers(train[0], "labels of train"), _integers(train[1], "attributes of train")


def _integers(values: Array, name: str) -> Tensor:
    """Integers as int64."""
    tensor = tensor_of(values, name)
    if tensor.is_floating_point() or tensor.is_complex():
        raise RuntimeError(f"{name} are {_kind(tensor)}, expected integers [N]")
    return tensor.to(torch.int64)


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def _shown(scores: SpuriousnessScores) -> str:
    return f"correct={scores.correct}, misclassified={scores.misclassified}, sfit={scores.sfit}"


def _number_of_classes(given: int | None, *indices: Tensor) -> int:
    """The given number, or one more than the largest index."""
    if given is None:
        return max((int(tensor.max()) + 1 for tensor in indices if tensor.numel()), default=1)
    classes = whole_number("classes", given)
    if classes < 1:
        raise ValueError(f"classes is {classes}, expected 1 or more")
    return classes
