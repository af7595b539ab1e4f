"""What is handed over as data, in every function: what is taken, and what is refused."""

import neurontune
import numpy as np
import pytest
import torch
from conftest import same_bytes


@pytest.mark.parametrize("kinds", [(">f4", ">i8", ">f8"), ("<f4", "<u8", "<f8")])
def test_arrays_of_any_byte_order(world, tuned_by_paper, kinds):
    floats, integers, wide = kinds

    def split(parts):
        return parts[0].numpy().astype(floats), parts[1].numpy().astype(integers)

    head = [part.numpy().astype(wide) for part in world.head]
    found = neurontune.tune(
        split(world.val), split(world.train), head, recipe="paper", epochs=5, seed=3
    )
    assert same_bytes(found.head.weight, tuned_by_paper.head.weight)


@pytest.mark.parametrize(
    "part, change, message",
    [
        (0, lambda z: z.to_sparse(), "embeddings of identification: found a sparse_coo tensor"),
        (0, lambda z: z.to("meta"), "embeddings of identification: found a tensor on the devi"),
        (0, lambda z: torch.nested.nested_tensor([z], layout=torch.jagged),
         "embeddings of identification: found a nested tensor, expected a dense one"),
        (0, lambda z: [[1.0], [1.0, 2.0]], "embeddings of identification: found rows of different"),
        (0, lambda z: z.numpy().astype(np.longdouble), "embeddings of identification: found an ar"),
        (1, lambda y: y.to_sparse(), "labels of identification: found a sparse_coo tensor"),
        (1, lambda y: ["land"] * len(y), "labels of identification: found an array of strings"),
        (1, lambda y: [None] * len(y), "labels of identification: found an array of Python obj"),
        (1, lambda y: None, "labels of identification: found None, expected integers or floating"),
        (2, lambda a: ["sea"] * len(a), "attributes of identification: found an array of strings"),
    ],
)
def test_what_holds_no_numbers_is_a_type_error(world, part, change, message):
    held_out = [change(values) if i == part else values for i, values in enumerate(world.val)]
    with pytest.raises(TypeError) as error:
        neurontune.tune(held_out, world.train, world.head)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_heads_and_masks_are_named_too(world):
    weight, bias = world.head
    with pytest.raises(TypeError, match="weight of the head: found a sparse_coo tensor"):
        neurontune.tune(world.val, world.train, (weight.to_sparse(), bias))
    with pytest.raises(TypeError, match="weight of the head: found a tensor on the device meta"):
        neurontune.tune(world.val, world.train, torch.nn.Linear(16, 2, device="meta"))
    with pytest.raises(TypeError, match="mask: found an array of strings"):
        neurontune.retrain(world.train, world.head, ["a"] * 16)


def test_a_callback_that_cannot_be_called_is_a_type_error(world):
    for call in (
        lambda **o: neurontune.tune(world.val, world.train, world.head, **o),
        lambda **o: neurontune.retrain(world.train, world.head, **o),
    ):
        with pytest.raises(TypeError, match="progress is 3, expected a function"):
            call(progress=3)
