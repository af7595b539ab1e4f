"""What enters the last linear layer of a PyTorch model."""

from collections.abc import Callable

import torch

from neurontune._agreement import agrees
from neurontune._tensors import Head


def head_of(layer: torch.nn.Linear) -> Head:
    """Copies of weight [C, M] and bias [C] in float32, on the CPU."""
    def copy(values: torch.Tensor) -> torch.Tensor:
        return values.detach().to("cpu", torch.float32, copy=True)

    # nn.Linear's bias is None where it has none, which its type hints leave out.
    bias: torch.Tensor | None = layer.bias
    return Head(copy(layer.weight), None if bias is None else copy(bias))


def linear_input(layer: torch.nn.Linear, forward: Callable[[], torch.Tensor]) -> torch.Tensor:
    """The embeddings [n, M] of a batch.

    Parameters
    ----------
    layer
        The head.
    forward
        Runs the model on the batch and returns its logits [n, C].

    Raises
    ------
    ValueError
        If the layer does not give these logits.
    """
    seen: list[torch.Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        logits = forward()
    finally:
        hook.remove()
    if logits.dim() != 2:
        raise ValueError(f"the model gives logits of shape {list(logits.shape)}, expected [n, C]")
    if len(seen) != 1:
        raise ValueError(f"the head ran {len(seen)} times in one pass of the model, expected once")
    embeddings = seen[0]
    if embeddings.dim() == 3:
        embeddings = _at_the_token_that_counts(layer, embeddings, logits)
    _check(layer(embeddings), logits)
    return embeddings


def _at_the_token_that_counts(layer: torch.nn.Linear, tokens: torch.Tensor,
                              logits: torch.Tensor) -> torch.Tensor:
    """Decoders such as Llama give logits to every token, [n, T, C], and keep one token's."""
    distance = (layer(tokens) - logits[:, None]).abs().amax(2)
    return tokens[torch.arange(len(tokens), device=tokens.device), distance.argmin(1)]


def _check(found: torch.Tensor, logits: torch.Tensor) -> None:
    if found.shape != logits.shape:
        raise ValueError(f"the head gives logits of shape {list(found.shape)}, "
                         f"the model {list(logits.shape)}")
    if not agrees(found, logits):
        difference = (found - logits).abs().max().item()
        raise ValueError(f"the head's output differs from the model's logits by {difference:.2g}: "
                         f"the model does something between or after them")
