#!/usr/bin/env python3
"""NeuronTune as a straight PyTorch script: the peer that the library's speed is held against.

    straight_neurontune.py EMBEDDINGS [--epochs N] [--threads N] [--keep-all] [--device NAME]

Reads EMBEDDINGS/{train,val,head}.safetensors, identifies on val, retrains on train by SGD with autograd, scores
every epoch's SFit and prints one line of JSON: the seconds of each step and the picked epoch.
"""
import argparse
import json
import pathlib
import time

import torch
from safetensors.torch import load_file


def spuriousness(embeddings, labels, predicted, classes):
    """Median over a class's mistakes less that over its correct samples; of an even count torch's, the lower: [C, M]."""
    scores = torch.zeros(classes, embeddings.shape[1], device=embeddings.device)
    for label in range(classes):
        right = embeddings[(labels == label) & (predicted == label)]
        wrong = embeddings[(labels == label) & (predicted != label)]
        if len(right) and len(wrong):
            scores[label] = wrong.median(0).values - right.median(0).values
    return scores


def balanced_batches(labels, classes, batches, size):
    members = [(labels == label).nonzero().squeeze(1) for label in range(classes)]
    for _ in range(batches):
        yield torch.cat([rows[torch.randint(len(rows), (size // classes,), device=rows.device)] for rows in members])


def now(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("embeddings", type=pathlib.Path)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--keep-all", action="store_true", help="mask no dimension")
    parser.add_argument("--device", type=torch.device, default="cpu")
    options = parser.parse_args()
    device = options.device
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    start = now(device)
    train, val, head = (load_file(options.embeddings / f"{name}.safetensors") for name in ("train", "val", "head"))
    classes = len(head["weight"])
    seconds = {"load": now(device) - start}

    start = now(device)
    train, val, head = ({name: tensor.to(device) for name, tensor in part.items()} for part in (train, val, head))
    predicted = (val["embeddings"] @ head["weight"].T + head["bias"]).argmax(1)
    biased = spuriousness(val["embeddings"], val["labels"], predicted, classes).amax(0) > 0
    mask = torch.ones_like(biased).float() if options.keep_all else (~biased).float()
    seconds["identify"] = now(device) - start

    layer = torch.nn.Linear(*reversed(head["weight"].shape), device=device)
    layer.load_state_dict(head)
    optimizer = torch.optim.SGD(layer.parameters(), lr=1e-2, momentum=0.9, weight_decay=1e-4)
    fitness, seconds["tune"], seconds["sfit"] = [], 0, 0
    for _ in range(options.epochs):
        start = now(device)
        for rows in balanced_batches(train["labels"], classes, 200, 128):
            optimizer.zero_grad()
            logits = layer(train["embeddings"][rows] * mask)
            torch.nn.functional.cross_entropy(logits, train["labels"][rows]).backward()
            optimizer.step()
        middle = now(device)
        with torch.no_grad():
            predicted = layer(val["embeddings"] * mask).argmax(1)
            fitness.append(spuriousness(val["embeddings"], val["labels"], predicted, classes).abs().sum().item())
        seconds["tune"] += middle - start
        seconds["sfit"] += now(device) - middle
    print(json.dumps({"seconds": seconds, "total": sum(seconds.values()), "kept": int(mask.sum()),
                      "epoch": max(range(options.epochs), key=fitness.__getitem__) + 1}))


if __name__ == "__main__":
    main()
