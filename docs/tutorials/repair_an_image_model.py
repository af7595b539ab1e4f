"""Tutorial 1: repair an image model.

usage: python docs/tutorials/repair_an_image_model.py [--small] [--out DIR]
"""
# %% [markdown]
# # Repair an image model
#
# You have trained a classifier. Its accuracy on held-out data is high, and yet it fails on some
# kinds of inputs, because it has learnt a *spurious feature*: something that goes with the label in
# your data without being the reason for it. In this tutorial we train such a model, see where it
# fails, repair it with one call, and see what that costs.

# %%
import copy

import torch
from dominoes import ATTRIBUTES, LABELS, SmallCnn, make_dominoes, train
from torch.utils.data import DataLoader, TensorDataset
from tutorial import AFTER, BEFORE, arguments, bars, images_in_rows, plt, say, show

import neurontune

options = arguments(__doc__)

# %% [markdown]
# ## The data
#
# An image is two photographs of clothing. The lower one is the label, a pullover or a coat. The
# upper one is the spurious feature, a sneaker or a bag. In the training and validation data, 90 %
# of the pullovers come with a sneaker and 90 % of the coats with a bag. In the test data all four
# *groups* are equally frequent.

# %%
sizes = {"train": 2400, "val": 1200, "test": 600} if options.small else {
    "train": 8000, "val": 4000, "test": 2000}
data = make_dominoes(sizes)

images, labels, attributes = data["train"]
rows = {}
for label, attribute in [(0, 0), (1, 1), (0, 1), (1, 0)]:
    of_group = (labels == label) & (attributes == attribute)
    title = (f"{LABELS[label]} with {ATTRIBUTES[attribute]}: "
             f"{100 * of_group.sum() / (labels == label).sum():.0f} % of the {LABELS[label]}s")
    rows[title] = images[of_group]
show(images_in_rows(rows), "1-images", options.out)

# %% [markdown]
# ## The model
#
# A small convolutional network, trained the ordinary way: this is called *empirical risk
# minimisation*, ERM. Its last linear layer is `fc`.

# %%
torch.manual_seed(0)
model = train(SmallCnn(), images, labels, epochs=12)


def accuracies(model, split):
    images, labels, attributes = data[split]
    with torch.no_grad():
        logits = torch.cat([model(batch) for batch in images.split(256)])
    return neurontune.group_accuracy(logits, labels, attributes, train=data["train"][1:])


def group_lines(metrics):
    return {f"{LABELS[group['label']]} with\n{ATTRIBUTES[group['attribute']]}": group["accuracy"]
            for group in metrics["groups"]}


print(f"mean accuracy on val: {accuracies(model, 'val')['mean_accuracy']:.3f}")
before = accuracies(model, "test")
print(f"mean accuracy on test: {before['mean_accuracy']:.3f}, "
      f"in the worst group: {before['worst_group_accuracy']:.3f}")

# %% [markdown]
# On validation data, which has the same correlation as the training data, everything looks fine. In
# the worst group of the test data the model is nearly always wrong: it looks at the upper
# photograph.
#
# ## The repair
#
# `neurontune.repair` needs the model, the name of its last linear layer, and batches of data. The
# batches of `train` and `val` have no attributes: the repair needs no group labels. The batches of
# `test` have them, so that the result can tell the accuracy of each group.
#
# `val` must be data that the model was not trained on. The model's mistakes on it tell which
# feature misleads the model.

# %%
loaders = {split: DataLoader(TensorDataset(*tensors[:2]), batch_size=256)
           for split, tensors in data.items() if split != "test"}
loaders["test"] = DataLoader(TensorDataset(*data["test"]), batch_size=256)
original = copy.deepcopy(model)

result = neurontune.repair(model, head="fc", data=loaders)
say(result.conclusion)

# %% [markdown]
# The conclusion says which kind of new layer was selected, by which evidence, and what it costs.
# The model has changed in place, and only in `fc`:

# %%
assert all(map(torch.equal, original.convolutions.parameters(), model.convolutions.parameters()))
after = accuracies(model, "test")
assert after["worst_group_accuracy"] == result.tuned["test"]["worst_group_accuracy"]

figure, axes = plt.subplots(figsize=(6.4, 3))
groups = group_lines(before)
bars(axes, list(groups), {"before": (groups.values(), BEFORE),
                          "after": (group_lines(after).values(), AFTER)})
show(figure, "2-groups", options.out)

# %% [markdown]
# The repair is a trade. The two rare groups gain much, and the two frequent ones lose some
# accuracy, since the upper photograph no longer helps them. Where all groups matter equally, that
# is a good trade. If groups are as frequent as in training, mean accuracy falls. The *adjusted*
# mean shows this: it weighs the groups of the test data as in training.

# %%
HEADER = f"{'':14} {'mean':>6} {'adjusted mean':>15} {'worst group':>13}"


def line(name, metrics):
    return (f"{name:14} {metrics['mean_accuracy']:6.3f} {metrics['adjusted_mean_accuracy']:15.3f} "
            f"{metrics['worst_group_accuracy']:13.3f}")


print(HEADER, line("before", before), line("after", after), sep="\n")

# %% [markdown]
# ## Other settings
#
# The embeddings, which are what enters `fc`, do not change in a repair. So compute them once and
# try settings on them; that takes a second each. `max_drop` is how much accuracy on validation data
# a repair may cost (0.1 by default). With 0, only what is free is accepted, and here little is.
# `recipe="paper"` is the method of the paper alone: it retrains behind a mask, and does not compare
# that with other ways. On this network it costs more than it brings.

# %%
embedded = {split: neurontune.embed_module(original, "fc", loader)
            for split, loader in loaders.items()}
settings = {"default": {}, "max_drop 0.05": {"max_drop": 0.05}, "max_drop 0": {"max_drop": 0.0},
            "recipe paper": {"recipe": "paper"}}
print(HEADER)
for name, chosen in settings.items():
    head = neurontune.tune(embedded["val"], embedded["train"], original.fc, **chosen).head
    logits = torch.nn.functional.linear(embedded["test"].embeddings, *head)
    print(line(name, neurontune.group_accuracy(logits, *data["test"][1:],
                                               train=data["train"][1:])))

# %% [markdown]
# ## Keep the repaired model
#
# It is the same module with other numbers in `fc`. Save it, export it or compile it as before.

# %%
options.out.mkdir(parents=True, exist_ok=True)
torch.save(model.state_dict(), options.out / "repaired.pt")

# %% [markdown]
# ## What we have learnt
#
# - High accuracy on held-out data does not show that a model looks at the right thing, if the
#   held-out data has the same correlation as the training data.
# - `neurontune.repair` changes the last linear layer only, needs no group labels, and takes seconds
#   once the embeddings are there.
# - A repair may cost accuracy on the kind of data that the model was trained on. It is made only
#   with evidence, and `max_drop` limits it.
#
# Next: [what to do without any attributes](no_attributes.py).
