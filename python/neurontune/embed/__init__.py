"""Embeddings of models from other frameworks, and the way of the repaired head back into them.

The *embedding* of a sample is what enters a classifier's last linear layer, the *head*. A repair
changes the head alone, so embeddings and head are all that it needs of a model.
"""

from .embedded import Embedded
from .huggingface import embed_huggingface
from .jax import embed_jax
from .put_back import put_head_back
from .samples import Samples
from .timm import embed_timm

__all__ = ["Embedded", "Samples", "embed_huggingface", "embed_jax", "embed_timm", "put_head_back"]
