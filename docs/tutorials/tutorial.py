"""What the tutorials share: their arguments, and how figures look and where they go."""

import argparse
import pathlib
import sys
import textwrap

import matplotlib
import numpy as np

NOTEBOOK = "ipykernel" in sys.modules
if not NOTEBOOK:
    matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  after the choice of where to draw

# A notebook knows no `__file__`; what it imports does.
BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"

INK, GRID, BEFORE, AFTER = "#24292f", "#d8dee4", "#8c959f", "#0969da"
plt.rcParams.update({
    "axes.axisbelow": True, "axes.edgecolor": GRID, "axes.grid": True, "axes.grid.axis": "y",
    "axes.labelcolor": INK, "axes.spines.right": False, "axes.spines.top": False,
    "axes.titlesize": 10, "figure.constrained_layout.use": True, "font.size": 9,
    "grid.color": GRID, "legend.frameon": False, "savefig.dpi": 110, "text.color": INK,
    "xtick.color": INK, "xtick.major.size": 0, "ytick.color": INK, "ytick.major.size": 0})


def arguments(description):
    """`small`: quick, on little data; `out`: the folder of the figures."""
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="quick, on little data")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("tutorial-figures"),
                        metavar="DIR", help="where figures go [%(default)s]")
    return parser.parse_args([] if NOTEBOOK else None)


def show(figure, name, out):
    """Under the cell in a notebook, else as a file."""
    if NOTEBOOK:
        return plt.show()
    out.mkdir(parents=True, exist_ok=True)
    figure.savefig(out / f"{name}.png")
    plt.close(figure)
    print(f"figure: {out / name}.png")


def bars(axes, names, series, errors=None):
    """Accuracies in percent side by side; `series` is {label: (values, colour)}."""
    width = 0.8 / len(series)
    for index, (label, (values, colour)) in enumerate(series.items()):
        places = np.arange(len(names)) + (index - (len(series) - 1) / 2) * width
        drawn = axes.bar(places, [100 * value for value in values], width * 0.94, color=colour,
                         label=label, yerr=errors and [100 * error for error in errors[label]],
                         ecolor=INK, error_kw={"lw": 1})
        axes.bar_label(drawn, fmt="%.0f", padding=2, fontsize=8, color=INK)
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(0, 112)
    axes.set_yticks(range(0, 101, 25))
    axes.set_ylabel("accuracy, %")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(series))


def images_in_rows(rows, columns=8):
    """A grid of grey images; `rows` is {title: images [n, 1, H, W]}."""
    figure, grid = plt.subplots(len(rows), columns, squeeze=False, figsize=(6.4, 1.8 * len(rows)))
    for line, (title, images) in zip(grid, rows.items()):
        for axes in line:
            axes.axis("off")
        for axes, image in zip(line, images):
            axes.imshow(image[0], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        # Not the title of its axes, which would be as wide as all of them.
        line[0].text(0, -3, title, fontsize=10).set_in_layout(False)
    figure.get_layout_engine().set(rect=(0, 0, 1, 0.98))  # room for the first
    return figure


def say(text):
    """Prints a paragraph."""
    print(textwrap.fill(text, 98))
