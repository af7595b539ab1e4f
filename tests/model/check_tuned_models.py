"""Checks, with PyTorch, the files that ErmModel::save_with_head wrote.

    check_tuned_models.py FOLDER

For each FOLDER/NAME.tuned.pt beside FOLDER/NAME.pt: no other bytes but the head's, and an output that is
what the new head gives on the features that the eager model had.
"""
import pathlib
import sys
import zipfile

import torch

from export_variants import BatchNormHead, DeepHead

HEADS = {"mlp": "fc", "no_bias": "fc", "extra": "fc", "nested_modules": "classifier.1", "cnn": "head",
         "training": "head", "training_part": "head",
         "clip": "text", "clip_scale_last": "text", "clip_by_text": "text", "mm": "by_input", "wrapped": "module.fc", "lightning": "model.fc",
         "sequential": "2", "float64": "classifier.1", "resnet": "classifier.1",
         "roberta": "classifier.out_proj"}
HEADS.update({name: "classifier" for name in
              ["bert", "convnextv2", "distilbert", "distilbert_mask", "mobilenetv2", "swin", "vit",
               "deep", "deep_norm", "deep_batch_norm", "deep_one", "deep_softmax", "deep_double"]})

# What comes after the head, where that is not nothing.
AFTER = {"softmax": lambda x: x.softmax(1), "log_softmax": lambda x: x.log_softmax(1),
         "sigmoid": torch.sigmoid, "temperature": lambda x: (x / torch.tensor([1.7])).softmax(1),
         "temperature_expanded": lambda x: x / 1.5,
         "temperature_softplus": lambda x: x / torch.nn.functional.softplus(torch.tensor(-0.3)),
         "clip": lambda x: x * torch.tensor(1.2).exp(),
         "clip_scale_last": lambda x: x * torch.tensor(1.2).exp(),
         "clip_by_text": lambda x: x * torch.tensor(1.2).exp(),
         "scaled": lambda x: x * 8, "one_probability": lambda x: x.sigmoid()[:, 0],
         "one_by_index": lambda x: x[:, 0], "second_of_two": lambda x: x.softmax(1)[:, 1], "deep_softmax": lambda x: x.softmax(1)}

# Where the output is in what forward returns.
PICK = {"tuple": lambda out: out[0], "nested": lambda out: out[1][0], "named_tuple": lambda out: out[1],
        "dict": lambda out: out["out"], "dict_set": lambda out: out["out"],
        "two_heads": lambda out: out[1], "dict_overwritten": lambda out: out["logits"], "deep_softmax": lambda out: out["p"]}


def entries(path):
    """The content of each file in an archive; reading checks the checksums."""
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def check_same_but_head(original_path, tuned_path, most, in_training_mode):
    before, after = entries(original_path), entries(tuned_path)
    assert list(before) == list(after), "the archive holds other files"
    changed = [name for name in before if before[name] != after[name]]
    flags = [name for name in changed if name.endswith("/data.pkl")]
    assert len(flags) == int(in_training_mode), f"{changed} have changed"
    for name in flags:  # True (88) becomes False (89), nothing else
        assert all(a == b or (a, b) == (0x88, 0x89) for a, b in zip(before[name], after[name])), name
    changed = [name for name in changed if name not in flags]
    assert changed and all("/data/" in name for name in changed), f"{changed} have changed"
    assert len(changed) <= most, f"{changed} have changed, expected {most} at most"


def new_logits(name, state, head, features):
    if name.startswith("deep"):
        model = BatchNormHead() if name == "deep_batch_norm" else DeepHead(
            classes=1 if name == "deep_one" else 3, norm=name == "deep_norm")
        model = model.eval()
        model = model.to(features.dtype)
        model.load_state_dict(state)
        return model.classifier(features)
    weight = state.get(head + ".weight", state.get(head))
    if head == "by_input":
        weight = weight.t()
    assert torch.count_nonzero(weight[:, 0]) == 0, "column 0 is not zero"
    return torch.nn.functional.linear(features, weight, state.get(head + ".bias"))


def pick_output(name, kind, returned):
    if kind in ("tuple", "dict"):  # of the transformers
        return returned[0] if kind == "tuple" else returned["logits"]
    return PICK.get(name, lambda out: out)(returned)


def check(path):
    whole = path.name.removesuffix(".tuned.pt")
    name, _, kind = whole.rpartition("_")
    if kind not in ("traced", "scripted", "tuple", "dict"):
        name, kind = whole, ""
    head = HEADS.get(name, "fc")
    original_path = path.with_name(f"{whole}.pt")
    original, tuned = torch.jit.load(original_path, "cpu"), torch.jit.load(path, "cpu")
    check_same_but_head(original_path, path, most=6 if name.startswith("deep") else 2,
                        in_training_mode=any(module.training for module in original.modules()))
    assert original.code == tuned.code
    assert not any(module.training for module in tuned.modules())
    expected = torch.jit.load(path.with_name(f"{whole}.expected.pt"))
    logits = new_logits(name, tuned.state_dict(), head, expected.features)
    if name != "on_cuda":  # its code names a device that may not be there
        output = pick_output(name, kind, tuned(*expected.inputs))
        torch.testing.assert_close(output, AFTER.get(name, lambda x: x)(logits))
    assert not torch.allclose(logits, expected.logits), "the head has not changed"
    if name == "extra":
        check_extra(path, tuned)


def check_extra(path, tuned):
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
