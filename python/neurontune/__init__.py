"""Repairs trained classifiers that rely on spurious features, without group labels.

>>> import neurontune
>>> result = neurontune.tune((val_z, val_y), (train_z, train_y), (weight, bias))  # doctest: +SKIP
>>> print(result.conclusion)  # doctest: +SKIP

The computation is the C++ library's. Functions take torch tensors, without copying them, or NumPy
arrays, and run where these are.
"""

import torch as _torch  # loads the libraries that the extension needs

from neurontune import _core
from neurontune._tensors import Head, Split
from neurontune.comparing import Comparison, compare, method_names
from neurontune.models import export
from neurontune.modules import embed_module, repair
from neurontune.result import Groups, Result
from neurontune.steps import (
    Epoch,
    Identification,
    Selection,
    SpuriousnessScores,
    group_accuracy,
    identify,
    infer_groups,
    retrain,
    select,
    spuriousness_scores,
)
from neurontune.tuning import tune

__all__ = [
    "Comparison",
    "Epoch",
    "Groups",
    "Head",
    "Identification",
    "Result",
    "Selection",
    "Split",
    "SpuriousnessScores",
    "compare",
    "embed_module",
    "export",
    "group_accuracy",
    "identify",
    "infer_groups",
    "method_names",
    "repair",
    "retrain",
    "select",
    "spuriousness_scores",
    "tune",
]
