#!/usr/bin/env python3
"""How the first identification grows with samples, dimensions and classes: a plot, and the exponents.

    growth.py PARTS [--out FILE.svg] [--repetitions N] [--small]

PARTS is build/release/bench/parts, which times the identification, one read of the same embeddings and medians by
selection over two decades of each. Draws the medians of the repetitions, both axes logarithmic, and prints each one's
exponent (1 is linear growth; by least squares) and the ratio to the two peers together. Needs
matplotlib and NumPy.
"""
import argparse
import collections
import json
import pathlib
import subprocess

import matplotlib.pyplot as plt
import numpy as np

OURS, PEERS = "first_identification", ["read_once", "medians_by_selection"]


def measured(options):
    """{axis: {part: [(value, milliseconds)]}}"""
    done = subprocess.run([options.parts, "small-growth" if options.small else "growth", "--benchmark_format=json",
                           f"--benchmark_repetitions={options.repetitions}", "--benchmark_min_time=0.05"],
                          check=True, capture_output=True, text=True)
    times = collections.defaultdict(lambda: collections.defaultdict(list))
    for run in json.loads(done.stdout)["benchmarks"]:
        if run.get("aggregate_name", "median" if options.repetitions == 1 else None) != "median":
            continue
        part, place = run["run_name"].split("/")[:2]
        axis, value = place.split(":")
        times[axis][part].append((int(value), run["real_time"]))
    return times


def exponent(points):
    values, milliseconds = np.log(np.array(sorted(points))).T
    return np.polyfit(values, milliseconds, 1)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("growth.svg"))
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="tiny sizes: shows that it runs, nothing else")
    options = parser.parse_args()
    times = measured(options)
    plt.rcParams["svg.hashsalt"] = "neurontune"
    figure, panels = plt.subplots(1, len(times), figsize=(11, 3.6), sharey=True, layout="constrained")
    for panel, (axis, parts) in zip(panels, times.items()):
        for part in (OURS, *PEERS):
            values, milliseconds = zip(*sorted(parts[part]))
            panel.loglog(values, milliseconds, marker="o", label=part.replace("_", " "))
        panel.set(xlabel=axis)
        panel.grid(which="both", alpha=0.3)
        peers = [dict(parts[part]) for part in PEERS]
        ratios = {value: time / sum(peer[value] for peer in peers) for value, time in sorted(parts[OURS])}
        print(f"{axis}: exponent {exponent(parts[OURS]):.2f}; times the peers together: "
              + ", ".join(f"{ratio:.2f} at {value}" for value, ratio in ratios.items()))
    panels[0].set(ylabel="milliseconds")
    panels[0].legend()
    figure.savefig(options.out, metadata={"Date": None})


if __name__ == "__main__":
    main()
