"""Writes the embeddings of a Hugging Face text classifier as a folder for `neurontune run --embeddings`.

usage: python scripts/embeddings_from_huggingface.py MODEL OUT train.csv val.csv [test.csv]

MODEL is a folder or a name on the Hub; each CSV has the columns text and label (and optionally
attribute, from 0), and its name is the split's. What enters the last linear layer is the embedding.
"""

import csv
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer


@torch.inference_mode()
def embed(model, tokenizer, texts, batch_size=32):
    """What a hook on the last linear layer sees, [N, M]."""
    seen = []
    hook = last_linear(model).register_forward_hook(lambda layer, inputs, _: seen.append(inputs[0]))
    for first in range(0, len(texts), batch_size):
        batch = texts[first:first + batch_size]
        model(**tokenizer(batch, padding=True, truncation=True, return_tensors="pt").to(model.device))
    hook.remove()
    return torch.cat(seen).float().cpu()


def last_linear(model):
    """The layer that gives the logits: right for BERT, RoBERTa, DistilBERT, DeBERTa and the like."""
    layer = [module for module in model.modules() if isinstance(module, torch.nn.Linear)][-1]
    assert layer.out_features == model.config.num_labels, "the last linear layer gives no logits"
    return layer


def write_folder(model, tokenizer, out, files):
    """Writes OUT/head.safetensors and OUT/SPLIT.safetensors for SPLIT.csv of `files`."""
    out.mkdir(parents=True, exist_ok=True)
    model.eval()
    head = last_linear(model)
    save_file({name: value.detach().float().cpu().contiguous()
               for name, value in head.named_parameters()}, out / "head.safetensors")
    for file in files:
        with open(file, newline="") as lines:
            rows = list(csv.DictReader(lines))
        tensors = {"embeddings": embed(model, tokenizer, [row["text"] for row in rows]),
                   "labels": torch.tensor([int(row["label"]) for row in rows])}
        if "attribute" in rows[0]:
            tensors["attributes"] = torch.tensor([int(row["attribute"]) for row in rows])
        save_file(tensors, out / f"{pathlib.Path(file).stem}.safetensors")


def main():
    name, out, *files = sys.argv[1:]
    model = AutoModelForSequenceClassification.from_pretrained(name)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    write_folder(model, AutoTokenizer.from_pretrained(name), pathlib.Path(out), files)


if __name__ == "__main__":
    main()
