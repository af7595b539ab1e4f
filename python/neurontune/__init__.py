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
from neurontune.embed import (
    Embedded,
    Samples,
    embed_huggingface,
    embed_jax,
    embed_timm,
    put_head_back,
)
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

__version__: str = _core.__version__

__all__ = [
    "Comparison",
    "Embedded",
    "Epoch",
    "Groups",
    "Head",
    "Identification",
    "Result",
    "Samples",
    "Selection",
    "Split",
    "SpuriousnessScores",
    "compare",
    "embed_huggingface",
    "embed_jax",
    "embed_module",
    "embed_timm",
    "export",
    "group_accuracy",
    "identify",
    "infer_groups",
    "method_names",
    "put_head_back",
    "repair",
    "retrain",
    "select",
    "spuriousness_scores",
    "tune",
]
