"""The repaired head goes back into the model that it came from."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch

from neurontune._tensors import head_of
from neurontune.modules import check_bias, check_shape, write_back
from neurontune.result import Result

from .embedded import safetensors
from .errors import naming
from .huggingface import last_linear
from .timm import classifier

Model = TypeVar("Model")
Head = Result | torch.nn.Linear | tuple[Any, Any] | str | os.PathLike[str]

# Names of the kernel [M, C] and the bias in the parameters of Flax's Dense and Haiku's Linear.
_PARAMETERS = (("kernel", "bias"), ("w", "b"))


def put_head_back(model: Model, head: Head, name: str | Sequence[str] | None = None) -> Model:
    """Puts a head into a model of PyTorch (Hugging Face, timm, your own) or into JAX parameters.

    Parameters
    ----------
    model
        A ``torch.nn.Module``, which is changed in place; or the nested dict of parameters of a
        Flax or Haiku model, which stays as it is.
    head
        weight [C, M] and bias [C] (or None), a linear layer or a `Result` that has them, or the
        ``head.safetensors`` that ``neurontune run`` wrote.
    name
        The head's layer. In PyTorch its name, such as ``classifier``; None takes timm's
        classifier, or the last linear layer (with as many outputs as the configuration has
        labels). In JAX the keys that lead to the layer, such as ``("params", "Dense_1")``; needed.

    Returns
    -------
    Model
        The same module, or new parameters that share all arrays but the head's.

    Raises
    ------
    TypeError
        If an argument is of another kind.
    ValueError
        If the head cannot be read or is not finite, the layer is not there, its shape is not the
        head's, its dtype is too small for the head's values, or its weight is computed. Nothing is
        written.
    """
    weight, bias = _finite(*_read(head))
    if isinstance(model, torch.nn.Module):
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name is {name!r}, expected that of a layer of the module")
        write_back(_layer(model, name), weight, bias)
        return model
    if isinstance(model, Mapping):
        if not name:
            raise ValueError("name is missing: the keys that lead to the layer, "
                             "such as ('params', 'Dense_1')")
        changed: Model = _with_parameters(model, (name,) if isinstance(name, str) else tuple(name),
                                          weight, bias)
        return changed
    raise TypeError(f"the model is a {type(model).__name__}, expected a torch.nn.Module or a dict "
                    f"of parameters")


def _read(head: Head) -> tuple[torch.Tensor, torch.Tensor | None]:
    if isinstance(head, (str, os.PathLike)):
        path, load_file = pathlib.Path(head), safetensors().load_file
        with naming(path):
            tensors = load_file(path)
        if not set(tensors) <= {"weight", "bias"} or "weight" not in tensors:
            raise ValueError(f"{path} holds {', '.join(sorted(tensors))}, expected weight and bias")
        return tensors["weight"], tensors.get("bias")
    if isinstance(head, Result):
        return head.head
    if not isinstance(head, (torch.nn.Linear, tuple, list)):
        raise TypeError(f"head is a {type(head).__name__}, expected (weight, bias), a Result, a "
                        f"torch.nn.Linear or the path of a head.safetensors")
    return head_of(head)


def _finite(weight: torch.Tensor,
            bias: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor | None]:
    for what, values in (("weight", weight), ("bias", bias)):
        if values is not None and not values.isfinite().all():
            raise ValueError(f"the head's {what} holds NaN or infinite values")
    return weight, bias


def _layer(model: torch.nn.Module, name: str | None) -> torch.nn.Linear:
    if name is None and hasattr(model, "get_classifier"):
        return classifier(model)
    return last_linear(model, name)


def _with_parameters(parameters: Any, keys: tuple[str, ...], weight: torch.Tensor,
                     bias: torch.Tensor | None) -> Any:
    """A copy of the dicts on the way to the layer."""
    if keys:
        if not isinstance(parameters, Mapping) or keys[0] not in parameters:
            there = ", ".join(map(str, parameters)) if isinstance(parameters, Mapping) else "arrays"
            raise ValueError(f"the parameters have no {keys[0]!r} here, but {there}")
        changed = _with_parameters(parameters[keys[0]], keys[1:], weight, bias)
        return type(parameters)({**parameters, keys[0]: changed})  # type: ignore[call-arg]
    for kernel_name, bias_name in _PARAMETERS:
        if isinstance(parameters, Mapping) and kernel_name in parameters:
            return _new_layer(parameters, kernel_name, bias_name, weight, bias)
    raise ValueError("the layer has no kernel (Flax) or w (Haiku)")


def _new_layer(layer: Mapping[str, Any], kernel_name: str, bias_name: str, weight: torch.Tensor,
               bias: torch.Tensor | None) -> Any:
    kernel = weight.T
    check_shape("kernel", kernel, layer[kernel_name].shape)
    check_bias(bias, bias_name in layer)
    changed = {kernel_name: _like(layer[kernel_name], "kernel", kernel)}
    if bias is not None and bias_name in layer:
        check_shape("bias", bias, layer[bias_name].shape)
        changed[bias_name] = _like(layer[bias_name], "bias", bias)
    return type(layer)({**layer, **changed})  # type: ignore[call-arg]


def _like(array: Any, what: str, values: torch.Tensor) -> Any:
    """The values as an array of the same library, type and device."""
    with np.errstate(over="ignore"):  # refused below
        fresh = values.cpu().float().numpy().astype(array.dtype)
    if not np.isfinite(fresh).all():
        raise ValueError(f"the head's {what} is too large for the layer's {array.dtype}")
    if isinstance(array, np.ndarray):
        return fresh
    return array.at[:].set(fresh)  # JAX's arrays do not change: this makes a new one
