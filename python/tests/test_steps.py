"""The single steps against NumPy, and against the whole method."""

import neurontune
import numpy as np
import pytest
import torch
from conftest import same_bytes
from neurontune._settings import STEPS


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
        (lambda w: neurontune.group_accuracy([0.5, 1], [0, 1]), r"float64 \[2\], expected"),
        (lambda w: neurontune.group_accuracy([[0], [1]], [0, 1]), r"int64 \[2, 1\], expect"),
        (lambda w: neurontune.group_accuracy([[np.nan], [1.0]], [0, 1]), "predictions hold nan"),
        (lambda w: neurontune.group_accuracy([0, 1], [0.0, 1.0]), "labels are float64"),
        (lambda w: neurontune.group_accuracy([0], [0], [0.5]), "attributes are float64"),
        (lambda w: neurontune.spuriousness_scores(*w.val[:2], w.val[1] * 0.7),
         r"predictions are float32 \[1000\], expected integers \[N\]"),
        (lambda w: neurontune.spuriousness_scores(w.val[0], w.val[1].float(), w.val[1]),
         "labels are float32"),
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


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_group_accuracy_of_one_logit_is_that_of_two(kind):
    one_logit, labels = kind([[-1.0], [2.0], [0.5]]), [0, 1, 0]
    both = np.concatenate([np.zeros((3, 1)), np.asarray(one_logit)], axis=1)
    found = neurontune.group_accuracy(one_logit, labels)
    assert found == neurontune.group_accuracy(both, labels)
    assert found["mean_accuracy"] == pytest.approx(2 / 3)


def test_arguments_of_group_accuracy_are_checked():
    with pytest.raises(TypeError, match=r"train is a tuple of 1, expected \(labels, attributes\)"):
        neurontune.group_accuracy([0], [0], train=([0],))
    with pytest.raises(TypeError, match="attributes of train: found None, expected"):
        neurontune.group_accuracy([0], [0], train=([0], None))
    with pytest.raises(TypeError, match="classes is 1.5, expected a whole number"):
        neurontune.group_accuracy([0], [0], classes=1.5)
    with pytest.raises(ValueError, match="classes is 0, expected 1 or more"):
        neurontune.group_accuracy([0], [0], classes=0)


def calls(world):
    """Each step with options."""
    return {
        "identify": lambda **o: neurontune.identify(world.val, world.head, **o),
        "retrain": lambda **o: neurontune.retrain(world.train, world.head, **o),
        "select": lambda **o: neurontune.select(world.val, [world.head], **o),
        "infer_groups": lambda **o: neurontune.infer_groups(
            world.val, world.train, world.head, **o),
    }


@pytest.mark.parametrize("heads, found", [(5, "5"), ("erm.pt", "'erm.pt'"), (None, "None")])
def test_heads_are_a_list(world, heads, found):
    with pytest.raises(TypeError, match=f"heads is {found}, expected a list of heads"):
        neurontune.select(world.val, heads)


def test_every_setting_is_of_a_step_or_of_the_whole(tuned_by_paper):
    of_the_whole = {"tune.refresh", "select.max_drop"} | {
        key for key in tuned_by_paper.settings if key.startswith("anchored.")
    }
    of_steps = {key for keys in STEPS.values() for key in keys}
    assert of_steps | of_the_whole == set(tuned_by_paper.settings)
    assert not of_steps & of_the_whole


@pytest.mark.parametrize("step", STEPS)
def test_a_step_takes_its_own_settings_by_all_their_names(world, tuned_by_paper, step):
    values = {key: tuned_by_paper.settings[key] for key in STEPS[step]} | {"tune.epochs": 1}
    own = {key: value for key, value in values.items() if key in STEPS[step]}
    calls(world)[step](**own)
    calls(world)[step](**{key.rpartition(".")[2]: value for key, value in own.items()})


@pytest.mark.parametrize(
    "step, options, message",
    [
        ("identify", {"epochs": 3}, "epochs is no setting of identify, which takes recipe, thresh"),
        ("identify", {"seed": 3}, "seed is no setting of identify"),
        ("retrain", {"max_drop": 0.1}, "max_drop is no setting of retrain, which takes recipe, se"),
        ("retrain", {"tune": {"refresh": 1}}, "tune.refresh is no setting of retrain"),
        ("retrain", {"epochs": 1, "tune": {"epochs": 2}}, "tune.epochs is given twice"),
        ("select", {"recipe": "paper"}, "recipe is no setting of select, which takes criterion"),
        ("select", {"criterion": "worst_group"}, "criterion is 'worst_group', expected sfit or gu"),
        ("select", {"select.criterion": "inferred_groups"}, "criterion is 'inferred_groups', exp"),
        ("infer_groups", {"threshold": 1}, "threshold is no setting of infer_groups"),
    ],
)
def test_a_setting_without_effect_is_a_value_error(world, step, options, message):
    with pytest.raises(ValueError) as error:
        calls(world)[step](**options)
    assert str(error.value).startswith(f"options: {message}")
    assert "\n" not in str(error.value)


def test_steps_are_shown_in_a_line(world):
    found = neurontune.identify(world.val, world.head)
    scores = neurontune.spuriousness_scores(*world.val[:2], world.val[1])
    (epoch,) = neurontune.retrain(world.train, world.head, epochs=1)
    biased = int(found.biased.sum())
    assert repr(found).startswith(f"Identification(biased={biased} of 16, correct=[")
    assert repr(scores).startswith("SpuriousnessScores(scores=[2, 16], correct=[")
    assert repr(epoch) == f"Epoch(loss={epoch.loss:.4g}, head=[2, 16])"
