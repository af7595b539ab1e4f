"""Repairs trained classifiers that rely on spurious features."""

from .embed import (Embedded, EmbeddedSplit, Samples, embed_huggingface, embed_jax, embed_timm,
                    put_head_back)

__all__ = ["Embedded", "EmbeddedSplit", "Samples", "embed_huggingface", "embed_jax", "embed_timm",
           "put_head_back"]
