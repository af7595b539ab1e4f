"""Embeddings of image classifiers of timm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from neurontune.modules import evaluating

from . import framework
from .embedded import Embedded, embed_splits
from .images import opened
from .linear_input import head_of, linear_input
from .samples import Splits

INSTALL = "pip install timm"


def embed_timm(model: torch.nn.Module, splits: Splits,
               transform: Callable[[Any], torch.Tensor] | None = None, *,
               batch_size: int = 64) -> Embedded:
    """Embeds images by a classifier of timm.

    The embedding is what a hook sees enter the model's classifier. Every batch is checked: that
    layer must turn it into the model's own logits.

    Parameters
    ----------
    model
        Of ``timm.create_model``, on any device. Its mode and its weights stay as they are.
    splits
        Name and samples of each split. Inputs are images of Pillow, paths of images, or a tensor
        [N, 3, H, W] of images that are preprocessed already.
    transform
        From an image of Pillow to a tensor [3, H, W]. None makes the one of the model's own
        configuration.
    batch_size
        Images at once.

    Returns
    -------
    Embedded
        Embeddings float32 [N, M] of each split, and the head [C, M] and [C].

    Raises
    ------
    ValueError
        If the classifier is not one linear layer, an image cannot be read, or a split is not as
        `Samples` has it.
    TypeError
        If the splits or an input are of another kind.
    MissingFramework
        If timm is needed and not installed.
    """
    layer = classifier(model)
    device = layer.weight.device

    def embed_batch(inputs: Any) -> torch.Tensor:
        images = inputs if isinstance(inputs, torch.Tensor) else torch.stack(
            [the_transform(image) for image in opened(inputs)])
        return linear_input(layer, lambda: model(images.to(device, layer.weight.dtype)))

    def the_transform(image: Any) -> torch.Tensor:
        nonlocal transform
        transform = transform or model_transform(model)
        return transform(image)

    with evaluating(model):
        embedded = embed_splits(splits, embed_batch, batch_size, layer.out_features)
    return Embedded(*embedded, head_of(layer))


def classifier(model: torch.nn.Module) -> torch.nn.Linear:
    """The last layer.

    Raises
    ------
    ValueError
        If it is no single linear layer, or the model is none of timm's.
    """
    get_classifier = getattr(model, "get_classifier", None)
    if get_classifier is None:
        raise ValueError(f"{type(model).__name__} has no get_classifier, as timm's models have")
    layer = get_classifier()
    if not isinstance(layer, torch.nn.Linear):
        raise ValueError(f"the classifier is {layer}, expected one Linear layer")
    return layer


def model_transform(model: torch.nn.Module) -> Callable[[Any], torch.Tensor]:
    """How the model's images are prepared for evaluation: PIL image -> float32 [3, H, W]."""
    data = framework.load("timm.data", INSTALL)
    transform: Callable[[Any], torch.Tensor] = data.create_transform(
        **data.resolve_model_data_config(model), is_training=False)
    return transform
