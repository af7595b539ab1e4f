"""Eager PyTorch modules: their embeddings, and the repair of their last layer in place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neurontune._agreement import is_output_of
from neurontune._tensors import Split, tensor_of
from neurontune.result import Result
from neurontune.tuning import Progress, checked_progress, tune

Batches = Iterable[Any]
"""Batches ``(inputs, labels)`` or ``(inputs, labels, attributes)``, as a DataLoader gives them, or
dicts with ``labels`` among the module's arguments."""


def repair(
    module: nn.Module,
    head: str,
    data: Mapping[str, Batches],
    *,
    progress: Progress | None = None,
    **options: Any,
) -> Result:
    """Repairs a classifier in place: embeds the data, tunes the last layer and writes it back.

    Any eager module works, whatever it is exported or compiled to later. The module stays on its
    device and in its mode, and only the layer's numbers change. If the layer is best left as it is,
    nothing changes and the result's ``source`` is ``"erm"``.

    Parameters
    ----------
    module
        The trained classifier.
    head
        The name of its last linear layer, such as ``"fc"`` or ``"classifier.1"``.
    data
        Batches by split: ``"val"``, which the module was not trained on, ``"train"``, and if wanted
        ``"test"``, which only the figures are of. A batch is ``(inputs, labels)`` or
        ``(inputs, labels, attributes)``, or a dict of the module's arguments with ``labels`` (and
        ``attributes``). Inputs that are a tuple or a dict become the module's arguments.
    progress
        Called as ``progress(stage, done, total)`` after each batch and step.
    **options
        Settings, as `tune` takes them.

    Returns
    -------
    Result
        The new head, and on what grounds it was selected.

    Raises
    ------
    TypeError
        If data is no dict.
    ValueError
        If the module has no such layer or its weight is computed, a split is missing, or a setting
        is wrong.
    RuntimeError
        If the layer is not used once a forward pass on one embedding a sample, and as `tune` does.
    """
    checked_progress(progress)
    _check_splits(data)
    layer = linear_layer(module, head)
    check_own_weight(layer)
    splits = {
        name: _embed_split(module, head, name, batches, progress)
        for name, batches in data.items()
    }
    result = tune(
        splits["val"], splits["train"], layer, test=splits.get("test"), progress=progress, **options
    )
    if result.source != "erm":
        write_back(layer, *result.head)
    return result


def embed_module(
    module: nn.Module,
    head: str,
    batches: Batches,
    *,
    progress: Progress | None = None,
) -> Split:
    """Runs a module over batches and keeps what enters one of its linear layers.

    The module is in evaluation mode meanwhile, without gradients, and as it was afterwards.

    Parameters
    ----------
    module
        The classifier; batches are moved to the device of its layer.
    head
        The name of the layer.
    batches
        As `repair` takes them.
    progress
        Called as ``progress("embed", done, total)`` after each batch, if their number is known.

    Returns
    -------
    Split
        Embeddings ``[N, M]`` on the module's device, labels int ``[N]``, and attributes if the
        batches have them.

    Raises
    ------
    ValueError
        If the module has no such layer, or a batch is none.
    RuntimeError
        If there is no batch, the layer is not used once a forward pass on ``[N, M]``, or the
        module's output is neither what the layer gives nor its softmax: then a change of the layer
        would not do to the output what is computed here.
    """
    checked_progress(progress)
    layer = linear_layer(module, head)
    device = layer.weight.device
    total = len(batches) if isinstance(batches, Sized) else 0
    embeddings: list[Tensor] = []
    labels: list[Tensor] = []
    attributes: list[Tensor] = []
    entered: list[Tensor] = []

    def keep(_: nn.Module, arguments: tuple[Any, ...], named_ones: dict[str, Any]) -> None:
        # A copy: the module may write over it afterwards, or it may be a part of something large.
        entered.append((arguments[0] if arguments else named_ones["input"]).detach().clone())

    hook = layer.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        with evaluating(module):
            for done, batch in enumerate(batches, 1):
                inputs, batch_labels, batch_attributes = _parts(batch)
                entered.clear()
                output = _call(module, _moved(inputs, device))
                embedding = _the_one(entered, head, len(batch_labels))
                _check_output(layer, head, embedding, output)
                embeddings.append(embedding)
                labels.append(batch_labels.clone())  # loaders may use one buffer again
                if batch_attributes is not None:
                    attributes.append(batch_attributes.clone())
                if progress is not None and total:
                    progress("embed", done, total)
    finally:
        hook.remove()
    if not embeddings:
        raise RuntimeError("there is no batch, expected at least one")
    if attributes and len(attributes) != len(labels):
        raise RuntimeError(
            f"{len(attributes)} of {len(labels)} batches have attributes, expected all or none"
        )
    return Split(
        torch.cat(embeddings), torch.cat(labels), torch.cat(attributes) if attributes else None
    )


def _check_splits(data: Any) -> None:
    if not isinstance(data, Mapping):
        raise TypeError(f"data is a {type(data).__name__}, expected a dict of batches by split")
    expected = "expected train, val and, if wanted, test"
    for name, batches in data.items():
        if name not in ("train", "val", "test"):
            raise ValueError(f"data has a split {name!r}, {expected}")
        if not isinstance(batches, Iterable):
            raise TypeError(f"data[{name!r}] is a {type(batches).__name__}, expected batches")
    for name in ("train", "val"):
        if name not in data:
            raise ValueError(f"data has no split {name!r}, {expected}")


def _embed_split(
    module: nn.Module, head: str, name: str, batches: Batches, progress: Progress | None
) -> Split:
    """As `embed_module`; an error names the split."""
    try:
        return embed_module(module, head, batches, progress=named(progress, f"embed {name}"))
    except (ValueError, RuntimeError) as error:
        if type(error) not in (ValueError, RuntimeError):
            raise  # one with a meaning of its own, such as too little memory
        raise type(error)(f"{name}: {error}") from error


def linear_layer(module: nn.Module, name: str) -> nn.Linear:
    """The linear layer of a name; ValueError, naming the nearest one, if there is none."""
    if not isinstance(module, nn.Module):
        raise TypeError(f"module is a {type(module).__name__}, expected a torch.nn.Module")
    if not isinstance(name, str):
        raise TypeError(f"head is a {type(name).__name__}, expected a layer's name, such as 'fc'")
    # A compiled module's own name for what it was made of is nothing that users write.
    layers = {path.replace("_orig_mod.", ""): part for path, part in module.named_modules()}
    found = layers.get(name)
    if isinstance(found, nn.Linear):
        return found
    linear = [path for path, part in layers.items() if isinstance(part, nn.Linear) and path]
    what = f"is a {type(found).__name__}" if found is not None else "is no part of the module"
    near = [path for path in linear if path.endswith(f".{name}")]
    near = near or difflib.get_close_matches(name, linear, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    shown = ", ".join(linear[-5:]) or "none"
    raise ValueError(
        f"head {name!r} {what}, expected a linear layer, the last of which are: {shown}{hint}"
    )


def check_own_weight(layer: nn.Linear) -> None:
    """ValueError if a layer's weight is no parameter that could be written."""
    if not isinstance(layer.weight, nn.Parameter):
        raise ValueError(
            "the layer computes its weight from other parameters, expected one that is a parameter "
            "itself; remove the parametrization first"
        )


def write_back(layer: nn.Linear, weight: Tensor, bias: Tensor | None) -> None:
    """Copies a head into a layer, in the layer's dtype and on its device.

    Raises
    ------
    ValueError
        If the layer's weight is computed, its shapes are not the head's, or its dtype is too small
        for the head's values. Nothing is written.
    """
    check_own_weight(layer)
    own_bias: Tensor | None = layer.bias
    check_shape("weight", weight, layer.weight.shape)
    check_bias(bias, own_bias is not None)
    if own_bias is not None and bias is not None:
        check_shape("bias", bias, own_bias.shape)
    with torch.no_grad():
        own_values = cast("weight", weight, layer.weight)
        if own_bias is not None and bias is not None:
            own_bias.copy_(cast("bias", bias, own_bias))
        layer.weight.copy_(own_values)


def cast(what: str, values: Tensor, like: Tensor) -> Tensor:
    """A head's weight or bias in another tensor's dtype; ValueError if that is too small for it."""
    result = values.to(like.dtype)
    if not result.isfinite().all():
        raise ValueError(f"the head's {what} is too large for the layer's {like.dtype}")
    return result


def check_shape(what: str, found: Tensor, expected: Sequence[int]) -> None:
    """ValueError if a head's weight or bias has another shape than the layer's."""
    if tuple(found.shape) != tuple(expected):
        raise ValueError(f"the head's {what} is {list(found.shape)}, the layer's {list(expected)}")


def check_bias(bias: Tensor | None, has_one: bool) -> None:
    """ValueError if either the head or the layer has a bias, and not the other."""
    if has_one and bias is None:
        raise ValueError("the layer has a bias, the head has none")
    if not has_one and bias is not None and bias.any():
        raise ValueError("the head has a bias, the layer has none")


def named(progress: Progress | None, stage: str) -> Progress | None:
    """The same callback with another stage."""
    if progress is None:
        return None
    return lambda _, done, total: progress(stage, done, total)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode, without gradients, eagerly: compiled code does not see a hook made later."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad(), torch.compiler.set_stance("force_eager"):
            yield
    finally:
        for part, training in modes:
            part.training = training


def _parts(batch: Any) -> tuple[Any, Tensor, Tensor | None]:
    """Inputs, labels and attributes of a batch."""
    if isinstance(batch, Mapping) and "labels" in batch:
        inputs = {key: value for key, value in batch.items() if key not in ("labels", "attributes")}
        return inputs, _labels(batch["labels"]), _attributes(batch.get("attributes"))
    if isinstance(batch, (tuple, list)) and len(batch) in (2, 3):
        return batch[0], _labels(batch[1]), _attributes(batch[2] if len(batch) == 3 else None)
    keys = f" of {', '.join(map(repr, batch))}" if isinstance(batch, Mapping) else ""
    raise ValueError(
        f"a batch is a {type(batch).__name__}{keys}, expected (inputs, labels), (inputs, labels, "
        "attributes) or a dict with 'labels'"
    )


def _labels(values: Any) -> Tensor:
    labels = tensor_of(values, "labels of a batch")
    if labels.dim() != 1:
        raise ValueError(f"labels of a batch are {list(labels.shape)}, expected [n]")
    return labels


def _attributes(values: Any) -> Tensor | None:
    return None if values is None else tensor_of(values, "attributes of a batch")


def _moved(inputs: Any, device: torch.device) -> Any:
    if isinstance(inputs, np.ndarray):
        return torch.from_numpy(inputs).to(device)
    if isinstance(inputs, Tensor):
        return inputs.to(device)
    if isinstance(inputs, Mapping):
        return {key: _moved(value, device) for key, value in inputs.items()}
    if isinstance(inputs, (tuple, list)):
        return [_moved(value, device) for value in inputs]
    return inputs


def _call(module: nn.Module, inputs: Any) -> Any:
    if isinstance(inputs, Mapping):
        return module(**inputs)
    if isinstance(inputs, list):
        return module(*inputs)
    return module(inputs)


def _check_output(layer: nn.Linear, head: str, embedding: Tensor, output: Any) -> None:
    logits = nn.functional.linear(embedding.to(layer.weight.dtype), layer.weight, layer.bias)
    if not is_output_of(logits, output):
        raise RuntimeError(
            f"the module's output is not what {head} gives, nor its softmax, expected the last "
            "layer of a classifier: something follows it or is added to it"
        )


def _the_one(entered: list[Tensor], head: str, samples: int) -> Tensor:
    """What entered the layer, if that is one embedding a sample."""
    if len(entered) != 1:
        raise RuntimeError(
            f"{head} is used {len(entered)} times in a forward pass, expected once"
        )
    embedding = entered[0]
    if embedding.dim() != 2 or len(embedding) != samples:
        raise RuntimeError(
            f"{head} gets {list(embedding.shape)} of a batch of {samples} labels, expected "
            f"[{samples}, M]"
        )
    return embedding
