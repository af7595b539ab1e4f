"""The classifier of scikit-learn."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from neurontune.sklearn import NeuronTuneClassifier  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.svm import SVC  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402
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


def quick(**parameters):
    settings = {"epochs": 1, "batches_per_epoch": 5} | parameters.pop("settings", {})
    return NeuronTuneClassifier(settings=settings, **parameters)


def test_settings_go_before_parameters(samples):
    first = quick(settings={"seed": 5, "recipe": "guarded"}).fit(*samples)
    assert first.result_.settings["seed"] == 5
    assert first.result_.settings["recipe"] == "guarded"
    again = NeuronTuneClassifier(settings=first.result_.settings).fit(*samples)
    assert np.array_equal(first.coef_, again.coef_)


def test_random_states_are_as_in_scikit_learn(samples):
    seeds = [
        quick(random_state=np.random.RandomState(1)).fit(*samples).result_.settings["seed"]
        for _ in range(2)
    ]
    assert seeds[0] == seeds[1]
    np.random.seed(0)
    drawn = [quick(random_state=None).fit(*samples).result_.settings["seed"] for _ in range(2)]
    assert drawn[0] != drawn[1]


def test_an_estimator_without_intercept_gets_none(samples):
    model = quick(estimator=LogisticRegression(fit_intercept=False)).fit(*samples)
    assert model.result_.head.bias is None and (model.intercept_ == 0).all()


@pytest.mark.parametrize("classes", [2, 3])
def test_logarithms_of_probabilities(samples, classes):
    labels = np.digitize(samples[0][:, 0], np.linspace(-1, 1, classes - 1))
    model = quick().fit(samples[0], labels)
    found = model.predict_log_proba(samples[0])
    assert found.shape == (len(labels), classes)
    assert np.allclose(np.exp(found), model.predict_proba(samples[0]))
    assert np.isfinite(model.predict_log_proba(1e4 * samples[0])).all()


@pytest.mark.parametrize(
    "estimator, message",
    [
        (DecisionTreeClassifier(max_depth=1), "estimator is a DecisionTreeClassifier, exp"),
        (make_pipeline(RidgeClassifier()), "estimator is a Pipeline, expected a linear classifier"),
        (LinearRegression(), "estimator is a LinearRegression, expected a linear classifier"),
        (SVC(kernel="linear"), "estimator is a SVC that does not decide by coef_ and intercept_"),
    ],
)
def test_an_estimator_that_is_not_linear_is_a_type_error(samples, estimator, message):
    labels = np.arange(len(samples[0])) % 3
    with pytest.raises(TypeError) as error:
        quick(estimator=estimator).fit(samples[0][:300], labels[:300])
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


@pytest.mark.parametrize("held_out", [5, 1, 0, 1.0, True, None, "0.3"])
def test_a_share_is_between_0_and_1(samples, held_out):
    with pytest.raises(ValueError, match=f"held_out is {held_out!r}, expected a share over 0"):
        quick(held_out=held_out).fit(*samples)


def test_settings_are_a_dict_of_settings(samples):
    with pytest.raises(TypeError, match="settings is a list of 1, expected a dict"):
        NeuronTuneClassifier(settings=["seed"]).fit(*samples)
    for name in ("test", "progress", "head"):
        with pytest.raises(ValueError, match=f"settings: {name} is an argument of neurontune.tune"):
            quick(settings={name: None}).fit(*samples)
