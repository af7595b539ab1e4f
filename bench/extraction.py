#!/usr/bin/env python3
"""Images per second: `neurontune embed` against eager PyTorch with a Pillow loader, side by side.

    extraction.py PROGRAM [--images N] [--size H,W] [--threads T] [--decoded] [--device NAME] [--amp]

Both run the same ResNet-50 (random weights, from transformers, traced) on the same JPEG files, resized,
cropped and normalised as ImageNet models expect, in turns; with --decoded on the tensors that come of them, in
one file. Needs torch, transformers and Pillow.
"""
import argparse
import csv
import json
import pathlib
import shutil
import subprocess
import tempfile
import time

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import ResNetConfig, ResNetForImageClassification

MEAN, STD = (torch.tensor(values).view(3, 1, 1) for values in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))


def write_data(folder, count, size):
    """Photograph-like JPEGs: smooth colours with some detail."""
    generator = np.random.default_rng(0)
    rows = []
    for index in range(count):
        coarse = generator.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        image = np.asarray(Image.fromarray(coarse).resize(size[::-1], Image.BICUBIC)).astype(int)
        image = (image + generator.normal(0, 12, image.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(image).save(folder / f"{index}.jpg", quality=90)
        rows.append({"img_filename": f"{index}.jpg", "y": index % 2, "split": "train"})
    with open(folder / "metadata.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


class Images(torch.utils.data.Dataset):
    """What torchvision's Resize(256), CenterCrop(224), ToTensor, Normalize do, with Pillow."""

    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        image = Image.open(self.paths[index]).convert("RGB")
        width, height = image.size
        short = min(width, height)
        image = image.resize((256 * width // short, 256 * height // short), Image.BILINEAR)
        left, top = (image.width - 224) // 2, (image.height - 224) // 2
        image = image.crop((left, top, left + 224, top + 224))
        return (torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255 - MEAN) / STD


def peer_seconds(model, data, workers, options):
    loader = torch.utils.data.DataLoader(data, batch_size=64, num_workers=workers)
    device = torch.device(options.device)
    start = time.perf_counter()
    with torch.no_grad(), torch.autocast(device.type, enabled=options.amp):
        embeddings = torch.cat([model.resnet(batch.to(device)).pooler_output.flatten(1).float().cpu()
                                for batch in loader])
    return time.perf_counter() - start, embeddings


def program_seconds(folder, options):
    with tempfile.TemporaryDirectory() as out:
        command = [options.program, "embed", "--model", folder / "resnet50.pt", "--data", folder / "data", "--out", out,
                   "--json", "--threads", options.threads, "--device", options.device, *["--amp"] * options.amp]
        done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
        return json.loads(done.stdout)["train"]["seconds"], load_file(f"{out}/train.safetensors")["embeddings"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--size", default="375,500")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--decoded", action="store_true", help="leave reading and resizing images out")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--amp", action="store_true", help="both in mixed precision")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    model = ResNetForImageClassification(ResNetConfig(num_labels=2)).eval()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "data").mkdir()
        write_data(folder / "data", options.images, tuple(map(int, options.size.split(","))))
        torch.jit.trace(model, torch.rand(2, 3, 224, 224), strict=False).save(str(folder / "resnet50.pt"))
        model.to(options.device)
        data = Images([folder / "data" / f"{index}.jpg" for index in range(options.images)])
        if options.decoded:
            data = torch.stack(list(data))
            shutil.rmtree(folder / "data")
            (folder / "data").mkdir()
            labels = torch.arange(options.images) % 2
            save_file({"inputs": data, "labels": labels}, folder / "data/train.safetensors")
        worker_counts = (0,) if options.decoded else (0, 2)
        rates = {"neurontune": [], **{f"eager, {workers} workers": [] for workers in worker_counts}}
        for _ in range(options.rounds):
            for workers in worker_counts:
                seconds, expected = peer_seconds(model, data, workers, options)
                rates[f"eager, {workers} workers"].append(options.images / seconds)
            seconds, found = program_seconds(folder, options)
            rates["neurontune"].append(options.images / seconds)
        difference = ((found - expected).abs().max() / expected.abs().max()).item()
    best = {name: sorted(values)[len(values) // 2] for name, values in rates.items()}
    for name, rate in best.items():
        print(f"{name:18} {rate:6.2f} images/s (median of {options.rounds})")
    peer = max(rate for name, rate in best.items() if name != "neurontune")
    print(f"ratio to the faster peer {best['neurontune'] / peer:.2f}; embeddings differ by {difference:.1e}, relative")


if __name__ == "__main__":
    main()
