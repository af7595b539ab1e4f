# The C++ library, function by function. Settings come as JSON, and reports go as JSON.

from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

from torch import Tensor

TORCH_VERSION: str
__version__: str

_Split = tuple[Tensor, Tensor, Tensor | None]
_Head = tuple[Tensor, Tensor | None]
_Progress = Callable[[str, int, int], object] | None

class GroupsFields(TypedDict):
    verdict: str
    reason: str
    evidence: float | None
    separation: float | None
    reliance: float | None
    suspected_labels: int | None
    rows: Tensor | None
    beliefs: Tensor | None
    warnings: list[str]

class TunedFields(TypedDict):
    head: _Head
    scores: Tensor
    mask: Tensor
    groups: GroupsFields | None
    figures: str
    trajectory: str
    settings: str

class ScoresFields(TypedDict):
    scores: Tensor
    median_correct: Tensor
    median_misclassified: Tensor
    correct: list[int]
    misclassified: list[int]
    sfit: float | None

class IdentificationFields(ScoresFields):
    mask: Tensor
    biased: Tensor
    warnings: list[str]

class SelectionFields(TypedDict):
    order: list[int]
    sfit: list[float | None]
    balanced_accuracy: list[float]

def tune(
    splits: Mapping[str, _Split], head: _Head, settings: str, progress: _Progress
) -> TunedFields: ...
def compare(
    splits: Mapping[str, _Split],
    head: _Head,
    settings: str,
    methods: Sequence[str],
    seeds: int,
    progress: _Progress,
) -> str: ...
def method_names() -> list[str]: ...
def summary_page(figures: str) -> str: ...
def spuriousness_scores(
    embeddings: Tensor, labels: Tensor, predictions: Tensor, classes: int, settings: str
) -> ScoresFields: ...
def identify(held_out: _Split, head: _Head, settings: str) -> IdentificationFields: ...
def retrain(
    tuning: _Split, head: _Head, mask: Tensor | None, settings: str, progress: _Progress
) -> list[tuple[float, _Head]]: ...
def select(held_out: _Split, heads: Sequence[_Head], settings: str) -> SelectionFields: ...
def infer_groups(held_out: _Split, tuning: _Split, head: _Head, settings: str) -> GroupsFields: ...
def group_accuracy(
    predicted: Tensor,
    labels: Tensor,
    attributes: Tensor | None,
    classes: int,
    train: tuple[Tensor, Tensor] | None,
) -> str: ...
def read_model_head(path: str, head: str) -> _Head: ...
def export_model(model: str, head: _Head, out: str) -> None: ...
