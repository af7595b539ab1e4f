"""Tutorial 2: my data has no attributes.

usage: python docs/tutorials/no_attributes.py [--small] [--out DIR]
"""
# %% [markdown]
# # My data has no attributes
#
# Most methods against spurious features need to know the feature: for each sample an *attribute*,
# such as the background of a photograph. Usually nobody has labelled it, and often nobody knows
# that there is one. In this tutorial we have images and labels, nothing else. We ask three
# questions: Does the model rely on a shortcut? What is it? What does a repair bring?

# %%
import torch
from dominoes import ATTRIBUTES, LABELS, SmallCnn, make_dominoes, train
from torch.utils.data import DataLoader, TensorDataset
from tutorial import AFTER, BEFORE, arguments, bars, images_in_rows, plt, say, show

import neurontune

options = arguments(__doc__)

# %% [markdown]
# ## A model with high accuracy
#
# The images are those of [the first tutorial](repair_an_image_model.py). Forget what you know about
# them. `hidden` holds the attributes, and we do not look at it before the end.

# %%
sizes = {"train": 2400, "val": 1200, "test": 600} if options.small else {
    "train": 8000, "val": 4000, "test": 2000}
EPOCHS = 12


def trained_on(data):
    """An ordinary model, and the embeddings of each split with their labels."""
    torch.manual_seed(0)
    model = train(SmallCnn(), *data["train"][:2], epochs=EPOCHS)
    splits = {name: neurontune.embed_module(
        model, "fc", DataLoader(TensorDataset(*tensors[:2]), batch_size=256))
        for name, tensors in data.items()}
    return model, splits


data = make_dominoes(sizes)
hidden = {split: tensors[2] for split, tensors in data.items()}
images = data["val"][0]
model, splits = trained_on(data)
logits = model.fc(splits["val"].embeddings).detach()
print(f"accuracy on val: {(logits.argmax(1) == splits['val'].labels).double().mean():.3f}")

# %% [markdown]
# ## Does it rely on a shortcut?
#
# If a model relies on a shortcut, its mistakes on held-out data are of a kind: they are the samples
# in which the shortcut points to another class. `infer_groups` fits a model of such an attribute
# and tests it. Its verdict is `supported`, `unsupported` or `undecided`.

# %%
groups = neurontune.infer_groups(splits["val"], splits["train"], model.fc)
say(f"{groups.verdict}: {groups.reason}")
print(f"evidence {groups.evidence:.2f}")

# %% [markdown]
# Is this verdict worth anything? As a control, we train the same network on data in which the upper
# photograph has nothing to do with the label.

# %%
control_model, control_splits = trained_on(make_dominoes(sizes, correlation=0.5, seed=1))
control = neurontune.infer_groups(control_splits["val"], control_splits["train"], control_model.fc)
print(f"control: {control.verdict}, evidence {control.evidence:.2f}")

# %% [markdown]
# ## What is the shortcut?
#
# `beliefs` has a row for each held-out sample: how probable it is that the sample looks like each
# class to the shortcut. Let us look at the samples of each class that most surely look like their
# own class, and at those that most surely look like the other one.

# %%
rows, beliefs = groups.rows, groups.beliefs
labels = splits["val"].labels[rows]
shown = {}
for label, name in enumerate(LABELS):
    of_class = (labels == label).nonzero()[:, 0]
    order = of_class[beliefs[of_class, label].argsort()]
    shown[f"{name}: look like a {name}"] = images[rows[order.flip(0)[:8]]]
    shown[f"{name}: look like a {LABELS[1 - label]}"] = images[rows[order[:8]]]
show(images_in_rows(shown), "1-inferred-groups", options.out)

# %% [markdown]
# Now it can be seen: what differs between the rows of a class is the upper photograph. This is what
# `report.html` of the command line shows too. If you see nothing in common in such rows, be careful
# with the repair.
#
# ## What does a repair bring?
#
# `tune` infers the same groups, and judges each new head by its accuracy in the worst of them. Its
# figures have intervals of 90 %, since heads are ranked by the lower end, which alone holds with
# 95 %. (Accuracy in true groups has intervals of 95 % in reports.) `max_drop` limits what the new
# head may cost on data like `val`.

# %%
MAX_DROP = 0.15
result = neurontune.tune(splits["val"], splits["train"], model.fc, max_drop=MAX_DROP)
say(result.conclusion)
estimates = result.figures["shortcut"]
for name in ("erm", "tuned"):
    low, high = estimates[name]["interval"]
    print(f"{name:5} worst inferred group: {estimates[name]['worst_group_accuracy']:.3f} "
          f"({low:.3f} to {high:.3f})")

# %% [markdown]
# ## Was that right?
#
# With your own data the story ends here. We can look at the hidden attributes. First, are the
# inferred groups the true ones? Second, what is the accuracy on test, in which the upper photograph
# is no help?

# %%
agreement = (beliefs.argmax(1) == hidden["val"][rows]).double().mean()
print(f"the inferred value is the true one in {100 * agreement:.1f} % of the samples")
rare = hidden["val"][rows] != labels
found = (beliefs.argmax(1) != labels)[rare].double().mean()
print(f"of the {rare.sum()} samples whose upper photograph points to the other class, "
      f"{100 * found:.0f} % are found")


def accuracy_of_groups(head):
    logits = torch.nn.functional.linear(splits["test"].embeddings, *head)
    metrics = neurontune.group_accuracy(logits, splits["test"].labels, hidden["test"])
    return {f"{LABELS[group['label']]} with\n{ATTRIBUTES[group['attribute']]}": group["accuracy"]
            for group in metrics["groups"]}


erm_head = (model.fc.weight.detach(), model.fc.bias.detach())
before, after = accuracy_of_groups(erm_head), accuracy_of_groups(result.head)
figure, axes = plt.subplots(figsize=(6.4, 3))
bars(axes, list(before), {"before": (before.values(), BEFORE), "after": (after.values(), AFTER)})
show(figure, "2-true-groups", options.out)

# %% [markdown]
# ## If you can label a little
#
# Once you have seen the feature, you can label it in a part of the held-out samples: 0 or 1 for the
# attribute, and -1 for all others. With `criterion="worst_group"` heads are judged by these true
# groups instead of inferred ones. What counts is how many samples of the rare groups are among
# them: with a handful in each, the choice is mostly chance.

# %%
count = len(hidden["val"]) // 2
some = torch.full_like(hidden["val"], -1)
some[:count] = hidden["val"][:count]
rare_and_labelled = (some >= 0) & (some != splits["val"].labels)
labelled = neurontune.tune((splits["val"].embeddings, splits["val"].labels, some), splits["train"],
                           model.fc, criterion="worst_group", max_drop=MAX_DROP)
print(f"{count} samples have an attribute, {rare_and_labelled.sum()} of them are in rare groups")
print(f"worst group on test: {min(before.values()):.3f} before, "
      f"{min(after.values()):.3f} by inferred groups, "
      f"{min(accuracy_of_groups(labelled.head).values()):.3f} by true groups")

# %% [markdown]
# ## What we have learnt
#
# - The mistakes of a model on held-out data can show that it relies on a shortcut, without anybody
#   having labelled it. Where there is none, the verdict says so.
# - Look at the inferred groups. They tell what the shortcut is, and whether to trust the repair.
# - The accuracy in inferred groups is an estimate, and has an interval.
# - Once the feature is known, labels of it can replace the inferred groups, if there are enough.
#
# Next: [compare methods](compare_methods_on_text.py).
