#!/usr/bin/env python3
"""Draws what the demo did: test accuracy of each group, before and after the repair.

    demo_picture.py DIR [--out FILE]

DIR is the demo's --out folder, whose result/result.json and data/ are read. FILE is an .svg or a
.png. Needs matplotlib.
"""
import argparse
import collections
import csv
import json
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

INK, GRID, BEFORE, AFTER = "#24292f", "#d8dee4", "#8c959f", "#0969da"
BAR = 0.38


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/pictures/demo.svg"),
                        help="[docs/pictures/demo.svg]")
    return parser.parse_args()


def training_shares(data):
    """{(label, attribute): its share of the label's training images}"""
    with open(data / "metadata.csv", newline="") as rows:
        groups = [(int(row["y"]), int(row["place"])) for row in csv.DictReader(rows) if row["split"] == "train"]
    of_label = collections.Counter(label for label, _ in groups)
    return {group: count / of_label[group[0]] for group, count in collections.Counter(groups).items()}


def accuracies(metrics):
    return {(group["label"], group["attribute"]): group["accuracy"] for group in metrics["groups"]}


def draw(before, after, shares, names):
    groups = sorted(before, key=lambda group: -shares[group])
    figure, axes = plt.subplots(figsize=(7.4, 3.1), facecolor="white")
    for offset, values, colour, label in [(-BAR / 2, before, BEFORE, "before: trained the ordinary way (ERM)"),
                                          (BAR / 2, after, AFTER, "after: neurontune run")]:
        bars = axes.bar([place + offset for place in range(len(groups))], [100 * values[group] for group in groups],
                        width=BAR * 0.94, color=colour, label=label)
        axes.bar_label(bars, fmt="%.0f", color=INK, fontsize=10, padding=2)
    axes.set_xticks(range(len(groups)), [
        f"{names['labels'][label]} with {names['attributes'][attribute]}\n"
        f"{100 * shares[label, attribute]:.0f} % of training {names['labels'][label]}s"
        for label, attribute in groups], fontsize=9)
    axes.set_ylim(0, 112)
    axes.set_yticks(range(0, 101, 25))
    axes.set_ylabel("test accuracy, %", color=INK)
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False, labelcolor=INK)
    figure.tight_layout()
    return figure


def main():
    options = parse_arguments()
    result = json.loads((options.demo / "result" / "result.json").read_text())
    names = json.loads((options.demo / "data" / "names.json").read_text())
    plt.rcParams["svg.hashsalt"] = "demo"  # the same bytes each time
    figure = draw(accuracies(result["erm"]["test"]), accuracies(result["tuned"]["test"]),
                  training_shares(options.demo / "data"), names)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Date": None} if options.out.suffix == ".svg" else None
    figure.savefig(options.out, dpi=200, metadata=metadata)


if __name__ == "__main__":
    main()
