"""The single steps against NumPy, and against the whole method."""

import neurontune
import numpy as np
import pytest
import torch
from conftest import same_bytes


def test_scores_are_differences_of_medians(world):
    embeddings, labels, _ = (part.numpy() for part in world.val)
    predictions = (embeddings[:, 8:].mean(1) > 0).astype(np.int64)
    found = neurontune.spuriousness_scores(embeddings, labels, predictions)
    for label in range(2):
        wrong = embeddings[(labels == label) & (predictions != label)]
        right = embeddings[(labels == label) & (predictions == label)]
        expected = np.median(wrong, axis=0) - np.median(right, axis=0)
        np.testing.assert_allclose(found.scores[label], expected, rtol=1e-6, atol=1e-6)
        assert (found.misclassified[label], found.correct[label]) == (len(wrong), len(right))
    assert found.sfit == pytest.approx(found.scores.abs().double().sum().item())
    with pytest.raises(ValueError, match="activation"):
        neurontune.spuriousness_scores(embeddings, labels, predictions, activation="square")


def test_classes_without_samples_can_be_named(world):
    embeddings, labels, _ = world.val
    found = neurontune.spuriousness_scores(embeddings, labels, 1 - labels, classes=3)
    assert found.scores.shape == (3, 16) and found.correct == [0, 0, 0] and found.sfit is None


def test_the_steps_together_are_the_papers_method(world, tuned_by_paper):
    found = neurontune.identify(world.val, world.head, recipe="paper")
    assert same_bytes(found.mask, tuned_by_paper.mask)
    assert same_bytes(found.scores, tuned_by_paper.scores)
    assert torch.equal(found.biased, found.mask == 0)
    assert found.biased.any() and found.warnings == []
    epochs = neurontune.retrain(
        world.train, world.head, found.mask, recipe="paper", epochs=5, seed=3
    )
    assert [epoch.loss for epoch in epochs] == [e["loss"] for e in tuned_by_paper.trajectory]
    selection = neurontune.select(world.val, [epoch.head for epoch in epochs])
    assert selection.sfit == [e["sfit"] for e in tuned_by_paper.trajectory]
    assert selection.balanced_accuracy == [
        e["balanced_accuracy"] for e in tuned_by_paper.trajectory
    ]
    best = selection.order[0]
    assert best + 1 == tuned_by_paper.figures["selected_epoch"]
    assert same_bytes(epochs[best].head.weight, tuned_by_paper.head.weight)


def test_masked_dimensions_have_no_weight(world):
    mask = np.ones(16, np.float32)
    mask[8:] = 0
    (epoch,) = neurontune.retrain(world.train, world.head, mask, epochs=1)
    assert (epoch.head.weight[:, 8:] == 0).all() and (epoch.head.weight[:, :8] != 0).all()


def test_inferred_groups_are_those_of_the_default_recipe(world, repaired):
    groups = neurontune.infer_groups(world.val, world.train, world.head)
    assert groups.verdict == repaired.groups.verdict == "supported"
    assert groups.evidence == repaired.figures["shortcut"]["evidence"]
    assert same_bytes(groups.beliefs, repaired.groups.beliefs)
    assert torch.allclose(groups.beliefs.sum(1), torch.ones(()).double())
    inferred, true = groups.beliefs.argmax(1), world.val[2][groups.rows]
    assert (inferred == true).double().mean() > 0.9


def test_the_papers_method_infers_none(tuned_by_paper):
    assert tuned_by_paper.groups is None


def test_group_accuracy_by_hand():
    labels = np.array([0, 0, 0, 1, 1, 1])
    attributes = np.array([0, 0, 1, 1, 1, -1])
    metrics = neurontune.group_accuracy([0, 1, 1, 1, 1, 0], labels, attributes)
    assert metrics["mean_accuracy"] == 0.5
    assert metrics["worst_class_accuracy"] == pytest.approx(1 / 3)
    assert metrics["worst_group"] == {"label": 0, "attribute": 1}
    assert [(g["label"], g["attribute"], g["count"]) for g in metrics["groups"]] == [
        (0, 0, 2), (0, 1, 1), (1, 1, 2)]
    assert metrics["adjusted_mean_accuracy"] is None and metrics["attribute_unknown"] == 1
    train = [0, 0, 0, 1], [0, 0, 0, 1]
    weighed = neurontune.group_accuracy([0, 1, 1, 1, 1, 0], labels, attributes, train=train)
    assert weighed["adjusted_mean_accuracy"] == pytest.approx(0.75 * 0.5 + 0.25)


def test_group_accuracy_of_logits_is_that_of_the_result(world, repaired):
    embeddings, labels, attributes = world.test
    logits = torch.nn.functional.linear(embeddings, *repaired.head)
    metrics = neurontune.group_accuracy(logits, labels, attributes, train=world.train[1:])
    assert metrics["groups"] == repaired.tuned["test"]["groups"]
    adjusted = repaired.tuned["test"]["adjusted_mean_accuracy"]
    assert metrics["adjusted_mean_accuracy"] == pytest.approx(adjusted)
    assert metrics["auroc"] == pytest.approx(repaired.tuned["test"]["auroc"], abs=1e-6)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda w: neurontune.group_accuracy([0, 1], [0, 1, 1]), "2"),
        (lambda w: neurontune.group_accuracy([0.5, 1], [0, 1]), "int64"),
        (lambda w: neurontune.identify((w.val[0], w.val[1] + 1), w.head), "2"),
        (lambda w: neurontune.retrain(w.train, w.head, [1, 0]), r"\[16\]|\[2\]"),
        (lambda w: neurontune.retrain(w.train, w.head, learning_rate=1e38), "infinite"),
        (lambda w: neurontune.select(w.val, [w.head, (w.head[0][:, :3], None)]), "16|3"),
        (lambda w: neurontune.infer_groups(w.val, (w.train[0][:, :3], w.train[1]), w.head), "3"),
    ],
)
def test_wrong_data_is_a_runtime_error_of_one_line(world, call, message):
    with pytest.raises(RuntimeError, match=message) as error:
        call(world)
    assert "\n" not in str(error.value)
