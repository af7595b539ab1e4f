#!/usr/bin/env python3
"""Every method on the whole benchmark suite: makes the sets, compares, and writes the tables.

    quality.py PROGRAM [--out DIR] [--families …] [--correlations … | --layouts …] [--seeds N]

PROGRAM is the built neurontune; bench/datasets is looked for beside it. A set is a family, a number
of classes, a correlation and a seed; it is made once (an ERM network is trained on it) and kept in
OUT/sets. With --layouts a set has the group counts of a published benchmark (bench/layouts.py)
instead of a correlation, and family photo is there too. `neurontune compare` then runs all methods
on each. Prints Markdown tables, and writes them with all figures to OUT/quality.md and
OUT/quality.json.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys

import layouts

CLASSES = {"dominoes": [2, 3], "textured": [2, 4], "patch": [2, 10], "text": [2, 3], "photo": []}
IMAGES = ["dominoes", "textured", "patch"]
METHODS = ["erm", "llr", "llr_val", "bias_shift", "anchored", "dfr", "dfr_val", "afr", "shortcut_probe", "self", "neurontune", "neurontune_half", "rebalanced",
           "rebalanced_masked", "neurontune_default"]
CORRELATIONS = ["none", "0.9", "0.95", "0.99"]
UNBIASED = ["none", "N", "CN"]
QUICK = {"set": ["--train-samples", "400", "--val-samples", "400", "--test-samples", "400", "--epochs", "1"],
         "compare": ["--epochs", "1", "--batches-per-epoch", "5"]}

Set = collections.namedtuple("Set", "family classes correlation seed")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("quality-out"), help="[quality-out]")
    parser.add_argument("--families", nargs="+", choices=list(CLASSES), default=IMAGES,
                        help="text needs bench/requirements-text.txt, photo (with --layouts) -photo.txt [the other three]")
    parser.add_argument("--classes", nargs="+", type=int, metavar="C", help="only sets of so many [all]")
    parser.add_argument("--correlations", nargs="+", default=CORRELATIONS)
    parser.add_argument("--layouts", nargs="+", choices=list(layouts.LAYOUTS), default=[],
                        help="of bench/layouts.py, instead of correlations")
    parser.add_argument("--wrong-labels", type=float, default=0, metavar="X",
                        help="fraction of train's and val's labels that are made wrong before a network is trained [0]")
    parser.add_argument("--photographs", default="/", metavar="DIR", help="as photo_dataset.py has it [/]")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="sets of each kind [5]")
    parser.add_argument("--first-seed", type=int, default=0, metavar="S", help="their seeds are S…S+N−1 [0]")
    parser.add_argument("--methods", help="as compare takes them [all]")
    parser.add_argument("--features", type=int, default=256, metavar="M",
                        help="of the networks behind images [256]")
    parser.add_argument("--unbiased-classes", type=int, default=0, metavar="K",
                        help="the first K classes have every attribute equally often [0]")
    parser.add_argument("--label-noise", type=float, default=0, metavar="X",
                        help="fraction of val's labels that are made wrong, of networks trained without [0]")
    parser.add_argument("--jobs", type=int, default=2, help="sets at once, a thread each [2]")
    parser.add_argument("--resume", action="store_true", help="keep comparisons that an interrupted run has finished")
    parser.add_argument("--quick", action="store_true",
                        help="tiny sets and runs of binary classes: shows that all of it runs, nothing else")
    options = parser.parse_args()
    if "text" in options.families and (options.unbiased_classes or options.features != 256):
        parser.error("text sets have neither --unbiased-classes nor --features")
    if "photo" in options.families and not options.layouts:
        parser.error("photo sets have --layouts")
    return options


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        raise RuntimeError(f"{shlex.join(map(str, command))}: {said[-1]}")
    return json.loads(done.stdout)


def methods_on(of, options):
    """All but DFR on train on more than two classes without a correlation: there its balanced subsets are the whole split, and
    its 27 one-vs-rest regressions on that take a quarter of an hour for ten classes."""
    if options.methods:
        return ["--methods", options.methods]
    return ["--methods", ",".join(m for m in METHODS if m != "dfr")] if of.correlation == "none" and of.classes > 2 else []


def variant(options):
    """What tells a set of other than the suite's settings from the suite's."""
    return [*([f"m{options.features}"] if options.features != 256 else []),
            *([f"u{options.unbiased_classes}"] if options.unbiased_classes else []),
            *([f"wrong{options.wrong_labels:g}"] if options.wrong_labels else [])]


def compare(of, options):
    """The comparison on a set, which is made if it is not there."""
    folder = options.out / "sets" / "-".join(map(str, [*of, *variant(options)]))
    compared = folder / ("compare" if not options.label_noise else f"compare-noise-{options.label_noise:g}")
    done = compared / "compare.json"
    if options.resume and done.exists():
        report = json.loads(done.read_text())
        return {"set": of._asdict(), "methods": report["methods"], "warnings": report["warnings"]}
    quick = QUICK if options.quick else {"set": [], "compare": []}
    make_set(of, folder, options, quick["set"])
    embeddings = noisy_copy(of, folder, options) if options.label_noise else folder / "embeddings"
    report = run(options.program, "compare", "--embeddings", embeddings, "--out", compared, "--seeds", 1, "--seed",
                 of.seed, "--threads", 1, "--quiet", "--json", *methods_on(of, options), *quick["compare"])
    return {"set": of._asdict(), "methods": report["methods"], "warnings": report["warnings"]}


def make_set(of, folder, options, quick):
    here = pathlib.Path(__file__).parent
    if of.family == "photo":
        same = layouts.SAME_TRAIN.get(of.correlation)
        network = folder.with_name(folder.name.replace(of.correlation, same, 1)) / "network.pt" if same else None
        run(sys.executable, here / "photo_dataset.py", of.correlation, "--seed", of.seed, "--out", folder,
            "--label-noise", options.wrong_labels, "--photographs", options.photographs,
            *(["--network", network] if network and network.exists() else []))
        return
    if of.correlation in layouts.LAYOUTS and of.family != "text":
        layout = layouts.fitted(layouts.LAYOUTS[of.correlation])
        tables = [part for split in ("train", "val", "test")
                  for part in (f"--{split}-groups", ",".join(map(str, getattr(layout, split))))]
        run(options.program.parent / "bench/datasets", of.family, "--classes", of.classes, "--seed", of.seed, "--out",
            folder, "--threads", 1, "--features", options.features, "--label-noise", options.wrong_labels, *tables)
        return
    if of.correlation in layouts.LAYOUTS:
        run(sys.executable, here / "text_dataset.py", "--layout", of.correlation, "--seed", of.seed, "--out", folder,
            "--label-noise", options.wrong_labels)
        return
    kind = ["--classes", of.classes, "--correlation", of.correlation, "--seed", of.seed, "--out", folder]
    if of.family == "text":
        run(sys.executable, here / "text_dataset.py", *kind, "--label-noise", options.wrong_labels)
    else:
        run(options.program.parent / "bench/datasets", of.family, *kind, "--threads", 1, "--features", options.features,
            "--unbiased-classes", options.unbiased_classes, "--label-noise", options.wrong_labels, *quick)


def noisy_copy(of, folder, options):
    """The set's embeddings with a fraction of val's labels replaced by other ones."""
    import numpy as np
    from safetensors.numpy import load_file, save_file

    noisy = folder / f"embeddings-noise-{options.label_noise:g}"
    shutil.copytree(folder / "embeddings", noisy, dirs_exist_ok=True)
    val = load_file(noisy / "val.safetensors")
    generator = np.random.default_rng(of.seed)
    wrong = generator.random(len(val["labels"])) < options.label_noise
    val["labels"] = np.where(wrong, (val["labels"] + generator.integers(1, of.classes, len(wrong))) % of.classes, val["labels"])
    save_file(val, noisy / "val.safetensors")
    return noisy


def seeds(options):
    return range(options.first_seed, options.first_seed + options.seeds)


def layout_sets(options):
    return [Set(family, layouts.classes(layouts.LAYOUTS[layout]), layout, seed) for family in options.families
            for layout in options.layouts for seed in seeds(options)]


def correlated_sets(options):
    classes = {family: [2] if options.quick else CLASSES[family] for family in options.families}
    return [Set(family, count, correlation, seed) for family in options.families for count in classes[family]
            if not options.classes or count in options.classes for correlation in options.correlations for seed in seeds(options)]


def compare_all(options):
    sets = layout_sets(options) if options.layouts else correlated_sets(options)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = []
        for done, result in enumerate(pool.map(lambda of: compare(of, options), sets)):
            results.append(result)
            print(f"{done + 1}/{len(sets)} {'-'.join(map(str, result['set'].values()))}", file=sys.stderr)
    return results


def figures(results, figure):
    """{(family, classes, correlation): {method: [a value a seed]}}; a method that failed has none."""
    values = {}
    for result in results:
        of = result["set"]
        row = values.setdefault((of["family"], of["classes"], of["correlation"]), {})
        for method in result["methods"]:
            row.setdefault(method["method"], [])
            if figure in method["test"]:
                row[method["method"]].append(method["test"][figure]["mean"])
    return values


def cell(values):
    if not values:
        return "–"
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}".removeprefix("0") + spread


def correlation_text(correlation):
    return correlation if correlation == "none" or correlation in layouts.LAYOUTS else f"{100 * float(correlation):g} %"


def all_methods(values):
    found = {method for row in values.values() for method in row}
    return [method for method in METHODS if method in found]


def table(values):
    methods = all_methods(values)
    lines = ["| set | correlation | " + " | ".join(methods) + " |", "|---" * (len(methods) + 2) + "|"]
    for (family, classes, correlation), row in values.items():
        lines.append(f"| {family}, {classes} classes | {correlation_text(correlation)} | "
                     + " | ".join(cell(row.get(method, [])) for method in methods) + " |")
    return "\n".join(lines)


def dfr_of(row):
    """The better of DFR on train and on val; 0 where neither was run."""
    return max((statistics.mean(row[method]) for method in ("dfr", "dfr_val") if row.get(method)), default=0)


def against_dfr(values):
    """Worst-group accuracy over DFR's on the same kind of set, on average over kinds, a row a correlation."""
    methods = all_methods(values)
    lines = ["| correlation | " + " | ".join(methods) + " |", "|---" * (len(methods) + 1) + "|"]
    for correlation in dict.fromkeys(key[2] for key in values):
        rows = [row for key, row in values.items() if key[2] == correlation]
        ratios = {method: [statistics.mean(row[method]) / dfr_of(row) for row in rows
                           if row.get(method) and dfr_of(row)] for method in methods}
        lines.append(f"| {correlation_text(correlation)} | "
                     + " | ".join(f"{statistics.mean(ratios[method]):.2f}" if ratios[method] else "–" for method in methods)
                     + " |")
    return "\n".join(lines)


def against_best(values):
    """The default recipe less the best method that sees no attributes and ERM, on the mean of each kind of set."""
    lines = ["| set | correlation | default − best label-free (which) | default − ERM | share of DFR |", "|---|---|---|---|---|"]
    for (family, classes, correlation), row in values.items():
        means = {method: statistics.mean(found) for method, found in row.items() if found}
        others = {method: mean for method, mean in means.items() if method not in ("dfr", "dfr_val", "neurontune_default")}
        if "neurontune_default" not in means or not others:
            continue
        best, own = max(others, key=others.get), means["neurontune_default"]
        share = f"{own / dfr_of(row):.2f}" if dfr_of(row) else "–"
        lines.append(f"| {family}, {classes} classes | {correlation_text(correlation)} | {own - others[best]:+.3f} ({best}) | "
                     f"{own - means['erm']:+.3f} | {share} |")
    return "\n".join(lines)


def set_by_set(results):
    """The default recipe's worst-group accuracy over DFR's on the same set: mean (lowest) over the seeds of each kind."""
    shares = {}
    for result in results:
        of = result["set"]
        found = {method["method"]: method["test"]["worst_group_accuracy"]["mean"] for method in result["methods"]
                 if "worst_group_accuracy" in method["test"]}
        dfr = max(found.get("dfr", 0), found.get("dfr_val", 0))
        if dfr and "neurontune_default" in found:
            kinds = shares.setdefault(correlation_text(of["correlation"]), {})
            kinds.setdefault(f"{of['family']} {of['classes']}", []).append(found["neurontune_default"] / dfr)
    kinds = list(dict.fromkeys(kind for row in shares.values() for kind in row))
    lines = ["| correlation | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for correlation, row in shares.items():
        cells = [f"{statistics.mean(row[kind]):.2f} ({min(row[kind]):.2f})" if kind in row else "–" for kind in kinds]
        lines.append(f"| {correlation} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def against_erm(results):
    """The largest loss of worst-group and of mean accuracy against ERM on a set without a spurious correlation."""
    lines = ["| | worst group: mean, worst set | mean accuracy: mean, worst set |", "|---|---|---|"]
    unbiased = [result for result in results if result["set"]["correlation"] in UNBIASED]
    changes = {}
    for result in unbiased:
        test = {method["method"]: method["test"] for method in result["methods"]}
        for method, found in test.items():
            if method != "erm" and found and test.get("erm"):
                changes.setdefault(method, []).append(
                    [found[figure]["mean"] - test["erm"][figure]["mean"] for figure in ("worst_group_accuracy", "mean_accuracy")])
    for method, rows in changes.items():
        worst, mean = zip(*rows)
        lines.append(f"| {method} | {statistics.mean(worst):+.3f}, {min(worst):+.3f} | {statistics.mean(mean):+.3f}, {min(mean):+.3f} |")
    return "\n".join(lines)


def document(results, options):
    worst, mean = (figures(results, figure) for figure in ("worst_group_accuracy", "mean_accuracy"))
    command = "bench/quality.py build/release/neurontune" + (f" --seeds {options.seeds}" if options.seeds != 5 else "")
    command += f" --first-seed {options.first_seed}" if options.first_seed else ""
    for flag, chosen, default in (("families", options.families, IMAGES), ("correlations", options.correlations, CORRELATIONS),
                                  ("classes", options.classes, None), ("layouts", options.layouts, [])):
        command += "" if chosen == default else f" --{flag} {' '.join(map(str, chosen))}"
    command += f" --methods {options.methods}" if options.methods else ""
    command += f" --wrong-labels {options.wrong_labels:g}" if options.wrong_labels else ""
    command += f" --features {options.features}" if options.features != 256 else ""
    command += f" --unbiased-classes {options.unbiased_classes}" if options.unbiased_classes else ""
    command += f" --label-noise {options.label_noise:g}" if options.label_noise else ""
    failed = collections.Counter(f"{method['method']}: {method['failure']}" for result in results
                                 for method in result["methods"] if "failure" in method)
    parts = [f"`{command}`: {len(results)} sets, mean ± standard deviation over {options.seeds} seeds of data and network.",
             "#### Worst-group accuracy on test", table(worst), "#### Mean accuracy on test (groups equally often)", table(mean)]
    if any(dfr_of(row) for row in worst.values()):
        parts += ["#### Worst-group accuracy as a share of DFR's (the better of train and val)", against_dfr(worst)]
        if any("neurontune_default" in row for row in worst.values()):
            parts += ["#### The default recipe's share of DFR's, set by set: mean (lowest)", set_by_set(results),
                      "#### The default recipe against the best label-free method on each kind of set", against_best(worst)]
    if any(result["set"]["correlation"] in UNBIASED for result in results):
        parts += ["#### Where there is nothing to gain: change against ERM without a spurious correlation", against_erm(results)]
    if failed:
        parts += ["Not run:", "\n".join(f"- {text} ({count} sets)" for text, count in failed.items())]
    return "\n\n".join(parts) + "\n"


def main():
    options = parse_arguments()
    try:
        results = compare_all(options)
        (options.out / "quality.json").write_text(json.dumps(results, indent=1) + "\n")
        text = document(results, options)
        (options.out / "quality.md").write_text(text)
        print(text)
    except (RuntimeError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
