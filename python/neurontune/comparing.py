"""Many methods on the same embeddings."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurontune import _core
from neurontune._settings import described, list_of, settings_text, whole_number
from neurontune._tensors import HeadLike, SplitLike, head_of, split_of
from neurontune.tuning import Progress, checked_progress

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, eq=False)
class Comparison:
    """Methods side by side, each with every seed.

    Attributes
    ----------
    figures
        All figures, as ``neurontune compare`` writes them into compare.json.
    """

    figures: dict[str, Any]

    @property
    def methods(self) -> list[dict[str, Any]]:
        """For each method what it saw, how it chose, and its accuracy on test."""
        return list(self.figures["methods"])

    @property
    def warnings(self) -> list[str]:
        """What a user should know, one sentence each."""
        return list(self.figures["warnings"])

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain Python objects; a copy."""
        return copy.deepcopy(self.figures)

    def to_pandas(self) -> pandas.DataFrame:
        """A row a method: mean (``worst_group_accuracy``) and standard deviation over seeds
        (``worst_group_accuracy_std``) of each accuracy on test. Needs pandas."""
        import pandas

        return pandas.DataFrame(
            [
                {"method": method["method"], "oracle": method["oracle"]} | _means(method)
                for method in self.methods
            ]
        )

    def __repr__(self) -> str:
        names = ", ".join(str(method["method"]) for method in self.methods)
        return f"Comparison(methods=[{names}], seeds={self.figures['seeds']})"

    def _repr_html_(self) -> str:
        """The table, for notebooks."""
        return str(self.to_pandas().to_html(index=False, float_format="{:.3f}".format))


def method_names() -> list[str]:
    """The methods that `compare` knows, in the order in which they run."""
    return _core.method_names()


def compare(
    identification: SplitLike,
    tuning: SplitLike,
    head: HeadLike,
    test: SplitLike,
    *,
    methods: Sequence[str] = (),
    seeds: int = 5,
    progress: Progress | None = None,
    **options: Any,
) -> Comparison:
    """Runs methods on the same embeddings and holds their heads against the test data.

    Parameters
    ----------
    identification, tuning, head
        As `tune` takes them. Methods that see attributes are left out where there are none.
    test
        Data that no method sees: ``(embeddings, labels)``, best with attributes.
    methods
        Names of `method_names`; by default all that the data allows.
    seeds
        Seeds that each method is run with, from the setting ``seed`` on.
    progress
        Called as ``progress("METHOD SEED", done, total)``.
    **options
        Settings, as `tune` takes them.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        For a setting or an unknown method.
    RuntimeError
        If no method can be run, and for data as `tune` does.
    TypeError
        If methods are no names, seeds is no whole number, and as `tune` does.
    """
    splits = {
        "val": split_of(identification, "identification"),
        "train": split_of(tuning, "tuning"),
        "test": split_of(test, "test"),
    }
    report = _core.compare(
        splits,
        head_of(head),
        settings_text(options),
        _names(methods),
        whole_number("seeds", seeds),
        checked_progress(progress),
    )
    return Comparison(json.loads(report))


def _names(methods: Sequence[str]) -> list[str]:
    names = list_of("names", "methods", methods)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"methods holds {described(name)}, expected names")
    return names


def _means(method: dict[str, Any]) -> dict[str, float]:
    means: dict[str, float] = {}
    for name, summary in method["test"].items():
        means |= {name: summary["mean"], f"{name}_std": summary["std"]}
    return means
