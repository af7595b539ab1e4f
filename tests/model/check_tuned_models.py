"""Checks, with PyTorch, the files that ErmModel::save_with_head wrote.

    check_tuned_models.py FOLDER

For each FOLDER/NAME.tuned.pt beside FOLDER/NAME.pt: the same code and members, the same numbers but
the head's, and logits that are the new head's on the features that the eager model had.
"""
import pathlib
import sys

import torch

HEADS = {"mlp": "fc", "no_bias": "fc", "extra": "fc", "nested": "classifier.1", "cnn": "head",
         "training": "head", "addmm": "fc", "matmul_add": "fc", "mm": "by_input"}


def check_same_but_head(original, tuned, head):
    before, after = original.state_dict(), tuned.state_dict()
    assert list(before) == list(after), f"{list(before)} became {list(after)}"
    for name, tensor in before.items():
        if name == head or name.startswith(head + "."):
            continue
        assert torch.equal(tensor, after[name]), f"{name} has changed"
        assert tensor.dtype == after[name].dtype, f"{name} is now {after[name].dtype}"
    trainable = [name for name, _ in original.named_parameters()]
    assert trainable == [name for name, _ in tuned.named_parameters()], "parameters differ"


def check_logits(tuned, head, expected):
    state = tuned.state_dict()
    weight = state.get(head + ".weight", state.get(head))
    if head == "by_input":
        weight = weight.t()
    assert torch.count_nonzero(weight[:, 0]) == 0, "column 0 is not zero"
    logits = torch.nn.functional.linear(expected.features, weight, state.get(head + ".bias"))
    torch.testing.assert_close(tuned.eval()(*expected.inputs), logits)
    assert not torch.allclose(logits, expected.logits), "the head has not changed"


def check(path):
    name = path.name.removesuffix(".tuned.pt")
    head = HEADS[name.removesuffix("_traced").removesuffix("_scripted")]
    original_path = path.with_name(f"{name}.pt")
    original, tuned = torch.jit.load(original_path), torch.jit.load(path)
    assert original.code == tuned.code, "the code has changed"
    assert original.training == tuned.training, "the training flag has changed"
    check_same_but_head(original, tuned, head)
    check_logits(tuned, head, torch.jit.load(path.with_name(f"{name}.expected.pt")))
    if name == "extra":
        files = {"labels.txt": "", "nested/raw.bin": ""}
        torch.jit.load(path, _extra_files=files)
        assert files == {"labels.txt": b"cat\ndog\nbird", "nested/raw.bin": bytes(range(256))}
        assert tuned.names == ["cat", "dog", "bird"] and tuned.threshold == 0.25
        assert tuned.confident(torch.rand(2, 5)).shape == (2, 3)


def main():
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.tuned.pt"))
    if not paths:
        sys.exit(f"no *.tuned.pt in {sys.argv[1]}: the tests of ErmModel write them")
    for path in paths:
        try:
            check(path)
        except AssertionError as error:
            sys.exit(f"{path.name}: {error}")
    print(f"{len(paths)} files checked")


if __name__ == "__main__":
    main()
