"""What tuning a head gives."""

from __future__ import annotations

import copy
import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from neurontune import _core
from neurontune._tensors import Head

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups that nobody labelled, inferred from the mistakes of a head.

    Attributes
    ----------
    verdict
        ``"supported"``, ``"unsupported"`` or ``"undecided"``: whether there is evidence that the
        head relies on a shortcut, so that these are groups at all.
    reason
        Of the verdict, a sentence.
    evidence, separation, reliance
        How strong the evidence is, and the two figures it is made of; None where undecided.
    suspected_labels
        Held-out samples whose label looks wrong; None where the search ended before.
    rows
        int64 ``[n]``: the rows of the held-out samples that the groups are of, which are those
        whose label is not suspected; None where undecided.
    beliefs
        float64 ``[n, C]``: how probable each value of the attribute is, by a model that was fitted
        to other samples. Value a means: it looks like class a. None where undecided.
    warnings
        One sentence each.
    """

    verdict: str
    reason: str
    evidence: float | None
    separation: float | None
    reliance: float | None
    suspected_labels: int | None
    rows: Tensor | None
    beliefs: Tensor | None
    warnings: list[str]

    def __repr__(self) -> str:
        return f"Groups(verdict={self.verdict!r}, evidence={self.evidence})"


@dataclass(frozen=True, eq=False)
class Result:
    """A tuned head, and on what grounds it was selected.

    Attributes
    ----------
    head
        The selected head; its tensors are on the embeddings' device, in float32.
    scores
        Float ``[C, M]``: the spuriousness score of each dimension for each class.
    mask
        Float ``[M]`` (``[C, M]`` with ``aggregate="per_class"``): what dimensions of the selected
        head are multiplied by; the mask value where one is biased, else 1.
    groups
        The inferred groups; None with recipes that infer none.
    trajectory
        A dict an epoch of the retraining behind the mask: ``epoch``, ``loss``, ``sfit``,
        ``balanced_accuracy``, ``class_accuracy``, ``biased``. Empty where there was none.
    settings
        Every setting in force, by its key; ``tune(..., **result.settings)`` does the same again.
    figures
        All figures, as ``neurontune run`` writes them into result.json.
    """

    head: Head
    scores: Tensor
    mask: Tensor
    groups: Groups | None
    trajectory: list[dict[str, Any]]
    settings: dict[str, Any]
    figures: dict[str, Any]

    @property
    def source(self) -> str:
        """How the selected head was made; ``"erm"`` means that it is as it came."""
        return str(self.figures["selected"])

    @property
    def conclusion(self) -> str:
        """What was done and how sure it is, in a few sentences."""
        return str(self.figures["conclusion"])

    @property
    def candidates(self) -> list[dict[str, Any]]:
        """The heads that could be selected, the best first: the first is the selected one."""
        return list(self.figures["candidates"])

    @property
    def warnings(self) -> list[str]:
        """What a user should know, one sentence each."""
        return list(self.figures["warnings"])

    @property
    def erm(self) -> dict[str, Any]:
        """Accuracy of the head as it came, for each split by name."""
        return dict(self.figures["erm"])

    @property
    def tuned(self) -> dict[str, Any]:
        """Accuracy of the selected head, for each split by name."""
        return dict(self.figures["tuned"])

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain Python objects, as result.json has them; a copy."""
        return copy.deepcopy(self.figures)

    def to_pandas(self, table: str = "accuracy") -> pandas.DataFrame:
        """One of the tables as a data frame; needs pandas.

        Parameters
        ----------
        table
            ``"accuracy"``: a row for each split and head; ``"groups"``: a row for each split, head
            and group (where there are attributes); ``"candidates"``; or ``"trajectory"``.

        Raises
        ------
        ValueError
            If there is no such table.
        """
        import pandas

        tables: Mapping[str, Callable[[], list[dict[str, Any]]]] = {
            "accuracy": self._accuracy_rows,
            "groups": self._group_rows,
            "candidates": lambda: self.candidates,
            "trajectory": lambda: self.trajectory,
        }
        if table not in tables:
            raise ValueError(f"table is {table!r}, expected one of {', '.join(tables)}")
        return pandas.DataFrame(tables[table]())

    def _accuracy_rows(self) -> list[dict[str, Any]]:
        return [
            {"split": split, "head": name}
            | {key: value for key, value in metrics.items() if isinstance(value, (int, float))}
            for split in self.erm
            for name, metrics in (("erm", self.erm[split]), ("tuned", self.tuned[split]))
        ]

    def _group_rows(self) -> list[dict[str, Any]]:
        return [
            {"split": split, "head": name} | group
            for split in self.erm
            for name, metrics in (("erm", self.erm[split]), ("tuned", self.tuned[split]))
            for group in metrics.get("groups", [])
        ]

    def __repr__(self) -> str:
        first = self.conclusion.partition(". ")[0]
        return f"Result(source={self.source!r}, conclusion={first!r})"

    def _repr_html_(self) -> str:
        """The first screen of the report, for notebooks; a frame keeps its style to itself."""
        page = html.escape(_core.summary_page(json.dumps(self.figures)), quote=True)
        return (
            f'<iframe srcdoc="{page}" title="NeuronTune" width="100%" height="560" '
            'style="border: 1px solid #ccc"></iframe>'
        )


def result_of(fields: _core.TunedFields) -> Result:
    """What the C++ library gives, as a Result."""
    groups = fields["groups"]
    return Result(
        head=Head(*fields["head"]),
        scores=fields["scores"],
        mask=fields["mask"],
        groups=None if groups is None else Groups(**groups),
        trajectory=[json.loads(line) for line in fields["trajectory"].splitlines()],
        settings=json.loads(fields["settings"]),
        figures=json.loads(fields["figures"]),
    )
