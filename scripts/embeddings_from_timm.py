"""Writes the embeddings of a timm image classifier as a folder for `neurontune run --embeddings`.

usage: python scripts/embeddings_from_timm.py ARCHITECTURE CHECKPOINT IMAGES OUT

CHECKPOINT is what you trained; IMAGES/SPLIT/CLASS/ holds the images of a split (train, val and
optionally test), each with a folder for every class. The embedding is what timm's own forward_head
gives before the last linear layer.
"""

import pathlib
import re
import sys

import torch
from safetensors.torch import save_file


@torch.inference_mode()
def embed(model, loader, device):
    """The embeddings [N, M] and labels [N] of a split."""
    embeddings, labels = [], []
    for images, targets in loader:
        features = model.forward_features(images.to(device))
        embeddings.append(model.forward_head(features, pre_logits=True).float().cpu())
        labels.append(targets)
    return {"embeddings": torch.cat(embeddings), "labels": torch.cat(labels)}


def as_line(name):
    """A line of ids.txt: bytes that are no UTF-8 and control characters are escaped (docs/formats.md)."""
    return re.sub("[\udc80-\udcff\\x00-\\x1f\\x7f]", lambda c: f"\\x{ord(c[0]) & 0xff:02X}", name) + "\n"


def main():
    import timm  # pip install timm
    from timm.data import ImageDataset, create_transform, resolve_model_data_config

    architecture, checkpoint, images, out = sys.argv[1:]
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    classes = sum(folder.is_dir() for folder in pathlib.Path(images, "train").iterdir())
    model = timm.create_model(architecture, num_classes=classes, checkpoint_path=checkpoint)
    model.eval().to(device)
    head = model.get_classifier()
    assert isinstance(head, torch.nn.Linear), f"the last layer is {head}, expected a linear one"
    save_file({name: value.detach().float().cpu().contiguous()
               for name, value in head.named_parameters()}, out / "head.safetensors")

    transform = create_transform(**resolve_model_data_config(model), is_training=False)
    for split in sorted(folder for folder in pathlib.Path(images).iterdir() if folder.is_dir()):
        dataset = ImageDataset(str(split), transform=transform)  # classes by name, from 0
        loader = torch.utils.data.DataLoader(dataset, batch_size=64)
        save_file(embed(model, loader, device), out / f"{split.name}.safetensors")
        (out / f"{split.name}.ids.txt").write_text("".join(map(as_line, dataset.filenames())), encoding="utf-8")


if __name__ == "__main__":
    main()
