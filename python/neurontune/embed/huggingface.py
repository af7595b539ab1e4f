"""Embeddings of classifiers of Hugging Face's transformers."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Any

import torch

from neurontune.modules import evaluating, linear_layer

from . import framework
from .embedded import Embedded, embed_splits
from .images import opened
from .linear_input import head_of, linear_input
from .samples import Splits

INSTALL = "pip install transformers"


def embed_huggingface(model: torch.nn.Module | str | os.PathLike[str], splits: Splits,
                      preprocessor: Callable[..., Any] | None = None, *,
                      head: str | None = None, batch_size: int = 32) -> Embedded:
    """Embeds texts or images by a classifier of transformers.

    The embedding is what a hook sees enter the last linear layer. Every batch is checked: that
    layer must turn it into the model's own logits.

    Parameters
    ----------
    model
        A model with ``logits`` in its output (``AutoModelForSequenceClassification``,
        ``AutoModelForImageClassification`` and the like), on any device; or its folder or name.
        Its mode and its weights stay as they are.
    splits
        Name and samples of each split. Inputs are texts, pairs of texts, images of Pillow, or
        paths of images.
    preprocessor
        The model's tokenizer or image processor, or a function from a list of inputs to a
        mapping of tensors. None loads the one that lies beside the model.
    head
        Name of the last linear layer, such as ``classifier``; None finds it.
    batch_size
        Inputs at once.

    Returns
    -------
    Embedded
        Embeddings float32 [N, M] of each split, the head [C, M] and [C], and the class names of
        the model's configuration.

    Raises
    ------
    ValueError
        If no linear layer gives the logits, the tokenizer does not fit the model, or a split is not
        as `Samples` has it.
    TypeError
        If the splits or an input are of another kind.
    MissingFramework
        If transformers is needed and not installed.

    Examples
    --------
    >>> embedded = embed_huggingface("my-model", {"train": (texts, labels), "val": ...},
    ...                              tokenizer)                              # doctest: +SKIP
    >>> embedded.save("embeddings")                                          # doctest: +SKIP
    """
    if isinstance(model, (str, os.PathLike)):
        model = load_model(model)
    layer = last_linear(model, head)
    preprocess = preprocessor or load_preprocessor(model)
    device = layer.weight.device

    def embed_batch(inputs: Any) -> torch.Tensor:
        tensors = {name: values.to(device, layer.weight.dtype if values.is_floating_point() else None)
                   for name, values in _call(preprocess, inputs).items()}
        try:
            return linear_input(layer, lambda: _logits(model, tensors))
        except (IndexError, RuntimeError) as error:  # in the look-up of a token or of its position
            if not isinstance(error, IndexError) and not _too_long(model, tensors):
                raise
            shapes = ", ".join(f"{name} {list(values.shape)}" for name, values in tensors.items())
            raise ValueError(f"the model cannot look up what it is given ({shapes}): is this its "
                             f"tokenizer, and has it the right model_max_length?") from error

    with evaluating(model):
        embedded = embed_splits(splits, embed_batch, batch_size, layer.out_features)
    return Embedded(*embedded, head_of(layer), label_names(model))


def load_model(name: str | os.PathLike[str]) -> torch.nn.Module:
    """The classifier in a folder or on the Hub, for texts or for images."""
    transformers = framework.load("transformers", INSTALL)
    config = transformers.AutoConfig.from_pretrained(name)
    architecture = getattr(transformers, (config.architectures or [""])[0], None)
    if architecture is None:
        architecture = transformers.AutoModelForSequenceClassification
    model: torch.nn.Module = architecture.from_pretrained(name)
    return model


def load_preprocessor(model: torch.nn.Module) -> Any:
    """What lies beside the model's weights: its image processor or its tokenizer."""
    transformers = framework.load("transformers", INSTALL)
    name = getattr(model, "name_or_path", "")
    if not name:
        raise ValueError("the model was not loaded from a folder or the Hub: "
                         "its tokenizer or image processor is needed")
    images = getattr(model, "main_input_name", "") == "pixel_values"
    loader = transformers.AutoImageProcessor if images else transformers.AutoTokenizer
    preprocessor: Any = loader.from_pretrained(name)
    # Where there is none, transformers 5 makes a tokenizer to which all words are unknown.
    if not images and len(preprocessor) <= len(preprocessor.all_special_ids):
        raise ValueError(f"{name} has no tokenizer beside the model")
    return preprocessor


def last_linear(model: torch.nn.Module, name: str | None = None) -> torch.nn.Linear:
    """The linear layer that gives the logits: the last one with as many outputs.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name is not None:
        return linear_layer(model, name)
    classes = getattr(getattr(model, "config", None), "num_labels", None)
    layers = [module for module in model.modules() if isinstance(module, torch.nn.Linear)
              and classes in (None, module.out_features)]
    if not layers:
        raise ValueError(f"{type(model).__name__} has no Linear layer with {classes} outputs")
    return layers[-1]


def label_names(model: torch.nn.Module) -> list[str] | None:
    """Of the classes; None where the configuration only numbers them."""
    names = getattr(getattr(model, "config", None), "id2label", None) or {}
    if all(name == f"LABEL_{index}" for index, name in names.items()):
        return None
    return [str(names[index]) for index in sorted(names)]


def _logits(model: torch.nn.Module, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    logits = getattr(model(**tensors), "logits", None)
    if not isinstance(logits, torch.Tensor):
        raise ValueError(f"{type(model).__name__} gives no logits, expected a classifier")
    return logits


def _too_long(model: torch.nn.Module, tensors: dict[str, torch.Tensor]) -> bool:
    positions = getattr(getattr(model, "config", None), "max_position_embeddings", None)
    return (isinstance(positions, int) and "input_ids" in tensors
            and tensors["input_ids"].shape[1] > positions)


def _call(preprocessor: Callable[..., Any], inputs: Any) -> Any:
    inputs = list(inputs)
    if hasattr(preprocessor, "image_mean"):
        return preprocessor(images=opened(inputs), return_tensors="pt")
    if hasattr(preprocessor, "model_max_length"):
        texts = list(zip(*inputs, strict=True)) if isinstance(inputs[0], tuple) else [inputs]
        for text in itertools.chain(*texts):
            if not isinstance(text, str):
                raise TypeError(f"an input is {text!r}, expected a text: the model's inputs are "
                                f"made by a tokenizer")
        return preprocessor(*map(list, texts), padding=True, truncation=True, return_tensors="pt")
    return preprocessor(inputs)
