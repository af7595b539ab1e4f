#!/usr/bin/env python3
"""The paper's tables and open questions as experiments, each by its name, or `all` of them.

    experiments.py PROGRAM NAME… [--embeddings DIR…] [--seeds N] [--out DIR] [--quick]

PROGRAM is the built neurontune; the programs of build/…/bench are looked for beside it. Without
--embeddings the benchmark sets are made in OUT/sets, a set a family and seed, and kept for the next
time. Prints a Markdown table an experiment and writes OUT/NAME.json with what it was made of.
"""
import argparse
import json
import os
import pathlib
import sys

# Threads that wait give way to those that work; read when torch is loaded, and by the programs.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from experiments import EXPERIMENTS  # noqa: E402
from experiments.workbench import Failure, Workbench  # noqa: E402


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="experiments:\n" + "\n".join(
            f"  {name:20} {experiment.question}" for name, experiment in EXPERIMENTS.items()))
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("names", nargs="+", metavar="NAME", choices=[*EXPERIMENTS, "all"])
    parser.add_argument("--embeddings", nargs="+", type=pathlib.Path, default=[], metavar="DIR",
                        help="folders of embeddings instead of the benchmark sets")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="0…N−1 [3]")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("experiments-out"),
                        metavar="DIR", help="[experiments-out]")
    parser.add_argument("--quick", action="store_true",
                        help="tiny sets, few epochs: shows that all of it runs, nothing else")
    options = parser.parse_intermixed_args()
    if options.seeds < 1:
        parser.error(f"seeds is {options.seeds}, expected at least 1")
    return options


def run(name, bench):
    experiment = EXPERIMENTS[name]
    if experiment.makes_its_data and bench.embeddings_given:
        raise Failure(f"{name} makes its own data: it takes no --embeddings")
    bench.log(f"{name}: {experiment.question}")
    report = experiment.run(bench)
    (bench.out / f"{name}.json").write_text(json.dumps({
        "experiment": name, "question": experiment.question, "seeds": bench.seeds,
        "tables": [table.as_json() for table in report.tables], "raw": report.raw}, indent=1) + "\n")
    print(f"### {name}\n{experiment.question}\n")
    for table in report.tables:
        print(table.as_markdown(), flush=True)


def main():
    options = parse_arguments()
    names = EXPERIMENTS if "all" in options.names else options.names
    try:
        bench = Workbench(options.program, options.out, options.seeds, options.embeddings, options.quick)
        for name in names:
            run(name, bench)
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
