"""The classifier of scikit-learn."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from neurontune.sklearn import NeuronTuneClassifier  # noqa: E402
from sklearn.linear_model import RidgeClassifier  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402


# Fewer epochs than by default: there are fifty checks.
@parametrize_with_checks([NeuronTuneClassifier(settings={"epochs": 2, "batches_per_epoch": 20})])
def test_is_an_estimator_as_scikit_learn_has_them(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def samples(world):
    """As the training data, with names for labels."""
    embeddings, labels, attributes = (part.numpy() for part in world.train)
    return embeddings, np.array(["land", "water"])[labels], attributes


def test_repairs_what_it_fitted(world, samples):
    model = NeuronTuneClassifier(settings={"max_drop": 0.2}).fit(*samples)
    worst = model.result_.erm["val"]["worst_group_accuracy"]
    assert model.result_.source != "erm"
    assert model.result_.tuned["val"]["worst_group_accuracy"] > worst
    embeddings, labels, _ = (part.numpy() for part in world.test)
    predicted = model.predict(embeddings)
    assert set(predicted) == {"land", "water"}
    assert (predicted == np.array(["land", "water"])[labels]).mean() > 0.75
    probabilities = model.predict_proba(embeddings)
    assert (probabilities.argmax(1) == (predicted == "water")).all()
    assert np.allclose(probabilities.sum(1), 1)


def test_the_result_is_of_the_fitted_head(samples):
    model = NeuronTuneClassifier(settings={"max_drop": 0}).fit(*samples[:2])
    assert model.coef_.shape == (1, 16) and model.intercept_.shape == (1,)
    assert np.array_equal(model.coef_, model.result_.head.weight.double().numpy())
    assert "groups" not in model.result_.erm["val"]


def test_another_linear_classifier(samples):
    model = NeuronTuneClassifier(RidgeClassifier(), recipe="paper", random_state=4).fit(*samples)
    assert model.result_.settings["seed"] == 4
    assert model.result_.settings["recipe"] == "paper"


def test_the_same_seed_gives_the_same_numbers(samples):
    first, second = (NeuronTuneClassifier(random_state=1).fit(*samples) for _ in range(2))
    assert np.array_equal(first.coef_, second.coef_)


def test_wrong_settings_are_value_errors(samples):
    with pytest.raises(ValueError, match="unknown setting epoch; the nearest known one is epochs"):
        NeuronTuneClassifier(settings={"epoch": 3}).fit(*samples)
