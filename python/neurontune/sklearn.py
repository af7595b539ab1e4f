"""A scikit-learn classifier, for people with feature matrices."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from neurontune._settings import described
from neurontune.tuning import tune

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Matrix = npt.NDArray[np.float64]


_NO_SETTINGS = set(inspect.signature(tune).parameters) - {"options"}


class NeuronTuneClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A linear classifier, fitted as usual and then repaired.

    The samples are split in two. A linear classifier is fitted to one part, and `neurontune.tune`
    repairs it with the other one as held-out data. Whoever has a trained head already, and data
    that it was not trained on, calls `neurontune.tune` instead.

    Parameters
    ----------
    estimator
        A linear classifier with ``coef_`` and ``intercept_``; by default `LogisticRegression`. With
        ``fit_intercept=False`` the repaired head has no intercept either.
    held_out
        The share of the samples that the classifier is not fitted to, over 0 and under 1.
    recipe
        ``"robust"``, ``"guarded"`` or ``"paper"``.
    settings
        Settings, as `neurontune.tune` takes them: ``{"max_drop": 0.05}``, or the settings of a
        result. A recipe or seed among them goes before the parameters here, for the repair.
    random_state
        The seed of the split and of the repair: an int, 0 or more; a ``RandomState`` that it is
        drawn from; or None for NumPy's own.

    Attributes
    ----------
    classes_
        The labels, ``[C]``, in order.
    coef_, intercept_
        The repaired head: ``[C, M]`` and ``[C]``, of two classes ``[1, M]`` and ``[1]``.
    result_
        The `neurontune.Result`: what was done, and on what grounds.
    n_features_in_
        M.
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        held_out: float = 0.3,
        recipe: str = "robust",
        settings: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.estimator = estimator
        self.held_out = held_out
        self.recipe = recipe
        self.settings = settings
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, attributes: ArrayLike | None = None
    ) -> NeuronTuneClassifier:
        """Fits the classifier and repairs it.

        Parameters
        ----------
        X
            Floating ``[N, M]``: the features, or embeddings.
        y
            Labels ``[N]`` of any kind.
        attributes
            Integers ``[N]``, -1 where not known: the spurious attribute, if figures of its groups
            are wanted in ``result_``.

        Raises
        ------
        ValueError
            If there are fewer than two classes or too few samples of one, or for a parameter or
            setting.
        TypeError
            If the estimator is no linear classifier, or settings are no dict.
        """
        options = self._options()
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        encoder = LabelEncoder().fit(y)
        self.classes_ = encoder.classes_
        if len(self.classes_) < 2:
            raise ValueError(f"y has the one class {self.classes_[0]}, expected two or more classes")
        labels = encoder.transform(y).astype(np.int64)
        known = np.full(len(labels), -1) if attributes is None else np.asarray(attributes)
        X_train, X_val, y_train, y_val, a_train, a_val = train_test_split(
            X,
            labels,
            known,
            test_size=float(self.held_out),
            stratify=labels,
            random_state=options["seed"],
        )
        base = LogisticRegression() if self.estimator is None else clone(self.estimator)
        self.result_ = tune(
            (X_val, y_val, a_val),
            (X_train, y_train, a_train),
            _head_of(base.fit(X_train, y_train), X_train),
            **(options | dict(self.settings or {})),
        )
        weight, bias = self.result_.head
        self.coef_ = weight.double().numpy()
        self.intercept_ = (
            np.zeros(len(self.coef_)) if bias is None else bias.double().numpy()
        )
        return self

    def _options(self) -> dict[str, Any]:
        """The recipe and the seed by the parameters, all of which are checked."""
        share, settings, seed = self.held_out, self.settings, self.random_state
        if not isinstance(share, numbers.Real) or not 0 < share < 1:
            raise ValueError(f"held_out is {described(share)}, expected a share over 0 and under 1")
        if settings is not None and not isinstance(settings, Mapping):
            raise TypeError(f"settings is {described(settings)}, expected a dict")
        for name in settings or {}:
            if name in _NO_SETTINGS:
                raise ValueError(f"settings: {name} is an argument of neurontune.tune, no setting")
        if not isinstance(seed, numbers.Integral):
            seed = check_random_state(seed).randint(np.iinfo(np.int32).max)
        return {"recipe": self.recipe, "seed": int(seed)}

    def decision_function(self, X: ArrayLike) -> Matrix:
        """Logits: ``[N, C]``, of two classes ``[N]``, above 0 for the second one."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        logits: Matrix = np.asarray(X @ self.coef_.T + self.intercept_, np.float64)
        return logits.ravel() if logits.shape[1] == 1 else logits

    def predict(self, X: ArrayLike) -> npt.NDArray[Any]:
        """The most probable label of each sample, ``[N]``."""
        logits = self.decision_function(X)
        indices = (logits > 0).astype(int) if logits.ndim == 1 else logits.argmax(axis=1)
        labels: npt.NDArray[Any] = self.classes_[indices]
        return labels

    def predict_proba(self, X: ArrayLike) -> Matrix:
        """Probabilities, ``[N, C]``."""
        logits = self.decision_function(X)
        probabilities: Matrix
        if logits.ndim == 1:
            second = expit(logits)
            probabilities = np.stack([1 - second, second], axis=1)
        else:
            probabilities = softmax(logits, axis=1)
        return probabilities

    def predict_log_proba(self, X: ArrayLike) -> Matrix:
        """Logarithms of the probabilities, ``[N, C]``."""
        logits = self.decision_function(X)
        logarithms: Matrix
        if logits.ndim == 1:
            logarithms = np.stack([log_expit(-logits), log_expit(logits)], axis=1)
        else:
            logarithms = log_softmax(logits, axis=1)
        return logarithms


def _head_of(estimator: Any, X: Matrix) -> tuple[Matrix, Matrix | None]:
    """The head of a fitted linear classifier, ``[1, M]`` of two classes; TypeError for others."""
    kind = type(estimator).__name__
    if not is_classifier(estimator) or not hasattr(estimator, "coef_"):
        raise TypeError(f"estimator is a {kind}, expected a linear classifier, which has coef_")
    weight = np.atleast_2d(estimator.coef_)  # ridge's may be flat
    decisions = estimator.decision_function(X).reshape(len(X), -1)
    logits = X @ weight.T + estimator.intercept_
    error = 1e-3 * np.abs(decisions).max()
    if decisions.shape != logits.shape or not np.allclose(decisions, logits, atol=error):
        raise TypeError(
            f"estimator is a {kind} that does not decide by coef_ and intercept_, expected one "
            "with a row for each class"
        )
    with_bias = getattr(estimator, "fit_intercept", True)
    return weight, np.atleast_1d(estimator.intercept_) if with_bias else None
